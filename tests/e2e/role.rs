//! The operator's role in AWS, and what others vouch with that somebody may assume it.

use crate::ground::Ground;
use jwthttpapi_test_support::{ACCOUNT, Claims};
use serde_json::{Value, json};

pub(crate) const NAME: &str = "operator";
pub(crate) const SERVICE_ACCOUNT: &str = "system:serviceaccount:jwthttpapi-system:jwthttpapi";
const STS: &str = "sts.amazonaws.com";

pub(crate) fn arn() -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{NAME}")
}

/// A trust in users and roles of the account.
pub(crate) fn trust(principal: &str) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}]})
}

/// A trust in one service account of the cluster, as EKS's documents write it.
pub(crate) fn web_trust(ground: &Ground, service_account: &str) -> Value {
    let issuer = issuer(ground);
    let provider = issuer.trim_start_matches("https://");
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}")},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            format!("{provider}:sub"): service_account, format!("{provider}:aud"): STS,
        }},
    }]})
}

/// Makes the role.
pub(crate) fn create(ground: &Ground, trust: &Value) {
    let form = [
        ("Action", "CreateRole"),
        ("RoleName", NAME),
        ("AssumeRolePolicyDocument", &trust.to_string()),
    ];
    query(ground, "iam", &form);
}

/// Gives the role another trust.
pub(crate) fn change(ground: &Ground, trust: &Value) {
    let form = [
        ("Action", "UpdateAssumeRolePolicy"),
        ("RoleName", NAME),
        ("PolicyDocument", &trust.to_string()),
    ];
    query(ground, "iam", &form);
}

/// The token of a service account, as a kubelet writes it for STS.
pub(crate) fn token(ground: &Ground, service_account: &str) -> String {
    let claims = Claims::new(service_account, STS).claim("aud", json!([STS]));
    let claims = claims.claim("iss", issuer(ground));
    ground.issuer.token("cluster", &claims).unwrap()
}

/// The credentials of a session, as agents hand them out.
pub(crate) fn session(ground: &Ground, name: &str) -> Value {
    let form = [
        ("Action", "AssumeRole"),
        ("RoleArn", &arn()),
        ("RoleSessionName", name),
    ];
    let answer = query(ground, "sts", &form);
    let text = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    json!({
        "AccessKeyId": text("AccessKeyId"), "SecretAccessKey": text("SecretAccessKey"),
        "Token": text("SessionToken"), "Expiration": text("Expiration"),
    })
}

/// The cluster's issuer; those of EKS end in no slash.
fn issuer(ground: &Ground) -> String {
    ground.issuer.url("cluster").trim_end_matches('/').to_owned()
}

fn query(ground: &Ground, service: &str, form: &[(&str, &str)]) -> String {
    let answer = ground.aws().query(service, form).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}
