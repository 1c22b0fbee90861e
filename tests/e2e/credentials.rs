//! Credentials that change under a running operator: rotated, taken away and brought back, it goes on without a restart.

use crate::ground::{Ground, condition, prompt, route};
use crate::identities::web_identity;
use crate::role;
use jwthttpapi_test_support::{Operator, operator_policy, process::Launch};
use serde_json::json;
use std::{fs, path::PathBuf};

/// An operator that looks at its objects all the time, without the keys of its environment, and where nothing but the test
/// gives others.
pub(crate) fn keyless(ground: &Ground) -> Launch {
    let often = ["--resync=1s"];
    let launch = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        .into_iter()
        .fold(ground.launch(&often), Launch::without_env);
    launch.env("AWS_EC2_METADATA_DISABLED", "true")
}

/// Writes a file whole or not at all, as a Secret's volume is changed.
pub(crate) fn write(file: &PathBuf, content: &str) {
    let fresh = file.with_extension("new");
    fs::write(&fresh, content).unwrap();
    fs::rename(&fresh, file).unwrap();
}

fn profile(key: &str) -> String {
    format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = sandbox\n")
}

pub(crate) fn apply(ground: &Ground) {
    let routes = json!({"routes": [route("GET /test", "hello")]});
    ground.apply("hello", &ground.spec(&routes));
}

fn keeps_its_finalizer(ground: &Ground) {
    let object = ground.object("hello");
    assert_eq!(object["metadata"]["finalizers"], json!(["jwthttpapi.dev/aws"]));
}

/// The access keys of the requests since one.
fn keys(ground: &Ground, since: u64) -> Vec<String> {
    let mut keys: Vec<String> = ground
        .aws()
        .journal(since)
        .unwrap()
        .into_iter()
        .map(|call| call.access_key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[test]
fn a_credentials_file_may_be_rotated_removed_and_restored_under_a_running_operator() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let before = ground.state();
    let operator = json!({"name": "operator", "policy": operator_policy().unwrap()});
    let both = json!({"AKIDOLD": operator, "AKIDNEW": operator});
    ground.aws().set(&json!({"principals": both})).unwrap();
    let file = ground.directory().join("credentials");
    write(&file, &profile("AKIDOLD"));
    let mut operator = Operator::launch(keyless(&ground).env("AWS_SHARED_CREDENTIALS_FILE", &file)).unwrap();
    apply(&ground);
    ground.ready("hello");
    let id = ground.api_id("hello");

    ground.aws().set(&json!({"invalid_keys": ["AKIDOLD"]})).unwrap();
    ground.unready("hello", "CredentialsUnavailable");
    write(&file, &profile("AKIDNEW"));
    let took = ground.ready("hello");
    println!("ready {took:?} after the rotation");
    let calls = ground.aws().journal(0).unwrap();
    let asked = calls
        .iter()
        .filter(|call| call.access_key == "AKIDNEW" && call.operation == "GetCallerIdentity");
    assert_eq!(asked.count(), 1, "another key may be of another account");

    fs::remove_file(&file).unwrap();
    ground.unready("hello", "CredentialsUnavailable");
    let mark = ground.aws().journal_mark().unwrap();
    ground.kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
    ground.until("hello", "a blocked deletion", |object| {
        condition(object, "DeletionBlocked")
            .is_some_and(|blocked| blocked["reason"] == "CredentialsUnavailable")
    });
    keeps_its_finalizer(&ground);
    assert_eq!(keys(&ground, mark), Vec::<String>::new());
    assert_eq!(ground.api_id("hello"), id);

    write(&file, &profile("AKIDNEW"));
    ground.verify("hello", "1");
    ground.gone();
    assert_eq!(ground.state(), before);
    assert_eq!(keys(&ground, mark), ["AKIDNEW"]);
    assert_eq!(operator.process().try_exit().unwrap(), None);
}

#[test]
fn a_web_identity_token_may_come_late_and_a_session_that_aws_ends_is_made_anew() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    role::create(&ground, &role::web_trust(&ground, role::SERVICE_ACCOUNT));
    let token = ground.directory().join("token");
    let launch = web_identity(&ground, keyless(&ground)).env("AWS_ENDPOINT_URL", ground.aws().url());
    let mut operator = Operator::launch(launch).unwrap();
    apply(&ground);
    ground.unready("hello", "CredentialsUnavailable");
    write(&token, &role::token(&ground, role::SERVICE_ACCOUNT));
    ground.verify("hello", "1");
    ground.ready("hello");

    let first = ground.aws().journal(0).unwrap().pop().unwrap().access_key;
    fs::remove_file(&token).unwrap();
    ground.aws().set(&json!({"expired_keys": [first]})).unwrap();
    ground.unready("hello", "CredentialsUnavailable");
    keeps_its_finalizer(&ground);
    write(&token, &role::token(&ground, role::SERVICE_ACCOUNT));
    let mark = ground.aws().journal_mark().unwrap();
    let took = ground.ready("hello");
    println!("ready {took:?} after the token was back");
    let calls = ground.aws().journal(mark).unwrap();
    let assumed = calls
        .iter()
        .filter(|call| call.operation == "AssumeRoleWithWebIdentity")
        .count();
    assert_eq!(assumed, 1, "one session serves all requests");
    assert!(!keys(&ground, mark).contains(&first));
    assert_eq!(operator.process().try_exit().unwrap(), None);
}
