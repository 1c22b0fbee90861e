//! Makes AWS what the state of another sandbox says, through AWS's own requests.

use crate::ground::Ground;
use serde_json::{Map, Value, json};

/// Texts of the one AWS, with those that stand for them in the other: AWS chooses its ids anew.
pub(crate) struct Translation(Vec<(String, String)>);

impl Translation {
    pub(crate) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// In one go: an id of the one AWS may be one of something else in the other.
    pub(crate) fn apply(&self, value: &Value) -> Value {
        let text = value.to_string();
        let (mut translated, mut rest) = (String::new(), text.as_str());
        while let Some(next) = rest.chars().next() {
            let known = self.0.iter().filter(|(from, _)| rest.starts_with(from.as_str()));
            if let Some((from, to)) = known.max_by_key(|(from, _)| from.len()) {
                translated.push_str(to);
                rest = &rest[from.len()..];
            } else {
                translated.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        serde_json::from_str(&translated).unwrap()
    }

    fn add(&mut self, old: &Value, new: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.0.push((text(old), text(new)));
    }
}

/// The roles and APIs of a state, and who may invoke its functions, which exist. The ids that AWS gave join the translation.
pub(crate) fn restore(ground: &Ground, state: &Value, ids: &mut Translation) {
    for role in listed(&state["roles"]) {
        restore_role(ground, &ids.apply(role));
    }
    for region in state["regions"].as_object().unwrap().values() {
        for api in listed(&region["apis"]) {
            restore_api(ground, api, ids);
        }
        for function in listed(&region["functions"]) {
            restore_permissions(ground, &ids.apply(function));
        }
    }
}

fn restore_role(ground: &Ground, role: &Value) {
    let text = |name: &str| role[name].as_str().unwrap().to_owned();
    let query = |action: &str, more: &[(String, String)]| {
        let named = [
            ("Action".to_owned(), action.to_owned()),
            ("RoleName".to_owned(), text("RoleName")),
        ];
        let form: Vec<_> = named
            .iter()
            .chain(more)
            .map(|(name, value)| (&**name, &**value))
            .collect();
        ground.aws().query("iam", &form).unwrap()
    };
    let mut members = vec![
        ("Path".to_owned(), text("Path")),
        (
            "AssumeRolePolicyDocument".to_owned(),
            role["AssumeRolePolicyDocument"].to_string(),
        ),
    ];
    for (number, tag) in (1..).zip(listed(&role["Tags"])) {
        for part in ["Key", "Value"] {
            let value = tag[part].as_str().unwrap().to_owned();
            members.push((format!("Tags.member.{number}.{part}"), value));
        }
    }
    let made = query("CreateRole", &members);
    // 409: it came with the functions.
    assert!([200, 409].contains(&made.status), "{}", made.body);
    for (name, document) in role["InlinePolicies"].as_object().unwrap() {
        let policy = [
            ("PolicyName".to_owned(), name.clone()),
            ("PolicyDocument".to_owned(), document.to_string()),
        ];
        assert_eq!(query("PutRolePolicy", &policy).status, 200);
    }
}

fn restore_api(ground: &Ground, api: &Value, ids: &mut Translation) {
    let post = |path: &str, body: &Value| ground.aws().aws("apigateway", "POST", path, Some(body)).unwrap();
    let members = [
        "name",
        "description",
        "protocolType",
        "corsConfiguration",
        "disableExecuteApiEndpoint",
        "ipAddressType",
        "tags",
    ];
    let made = post("/v2/apis", &ids.apply(&only(api, &members)));
    ids.add(&api["apiId"], &made["apiId"]);
    let path = format!("/v2/apis/{}", made["apiId"].as_str().unwrap());
    // In the order in which they refer to each other.
    for (kind, id, members) in [
        (
            "authorizers",
            "authorizerId",
            &["name", "authorizerType", "identitySource", "jwtConfiguration"][..],
        ),
        (
            "integrations",
            "integrationId",
            &[
                "connectionType",
                "credentialsArn",
                "description",
                "integrationMethod",
                "integrationType",
                "integrationUri",
                "payloadFormatVersion",
                "timeoutInMillis",
            ],
        ),
        (
            "routes",
            "routeId",
            &[
                "authorizationScopes",
                "authorizationType",
                "authorizerId",
                "operationName",
                "routeKey",
                "target",
            ],
        ),
        ("stages", "stageName", &["autoDeploy", "stageName"]),
    ] {
        for child in listed(&api[kind]) {
            let made = post(&format!("{path}/{kind}"), &ids.apply(&only(child, members)));
            ids.add(&child[id], &made[id]);
        }
    }
}

fn restore_permissions(ground: &Ground, function: &Value) {
    let name = function["FunctionName"].as_str().unwrap();
    for (qualifier, policy) in function["Policies"].as_object().unwrap() {
        for statement in listed(&policy["Statement"]) {
            let permission = json!({
                "StatementId": statement["Sid"], "Action": statement["Action"],
                "Principal": statement["Principal"]["Service"],
                "SourceArn": statement["Condition"]["ArnLike"]["AWS:SourceArn"],
            });
            let path = match qualifier.as_str() {
                "$LATEST" => format!("/2015-03-31/functions/{name}/policy"),
                qualifier => format!("/2015-03-31/functions/{name}/policy?Qualifier={qualifier}"),
            };
            ground
                .aws()
                .aws("lambda", "POST", &path, Some(&permission))
                .unwrap();
        }
    }
}

fn listed(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The members of these names that are there.
fn only(value: &Value, names: &[&str]) -> Value {
    let there = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
    there.collect::<Map<_, _>>().into()
}
