//! Every way in which people give the operator an identity in AWS. Keys of a user in the environment are what all other
//! scenarios run with.

use crate::credentials::{apply, keyless, write};
use crate::ground::{Ground, prompt};
use crate::role;
use jwthttpapi_test_support::{JournalEntry, Operator, PodIdentity, operator_policy, process::Launch};
use serde_json::{Value, json};

/// An operator that assumes its role with the token of its service account, from that file.
pub(crate) fn web_identity(ground: &Ground, launch: Launch) -> Launch {
    launch
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", ground.directory().join("token"))
        .env("AWS_ROLE_ARN", role::arn())
}

/// Where STS is for the sources of credentials, which the operator's own flag does not reach.
fn with_sts(ground: &Ground, launch: Launch) -> Launch {
    launch.env("AWS_ENDPOINT_URL", ground.aws().url())
}

fn calls(ground: &Ground, operation: &str, since: u64) -> Vec<JournalEntry> {
    let mut calls = ground.aws().journal(since).unwrap();
    calls.retain(|call| call.operation == operation);
    calls
}

fn end(ground: &Ground, keys: &[String]) {
    ground.aws().set(&json!({ "expired_keys": keys })).unwrap();
}

#[test]
fn a_web_identity_acts_as_its_role_and_its_token_may_be_rotated() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    role::create(&ground, &role::web_trust(&ground, role::SERVICE_ACCOUNT));
    let token = ground.directory().join("token");
    write(
        &token,
        &role::token(&ground, "system:serviceaccount:demo:stranger"),
    );
    let deny = |actions: Value| {
        let denied = json!({"principals": {role::arn(): {"deny": actions}}});
        ground.aws().set(&denied).unwrap();
    };
    deny(json!(["apigateway:CreateApi"]));
    let launch = web_identity(&ground, with_sts(&ground, keyless(&ground)));
    let mut operator = Operator::launch(launch).unwrap();
    apply(&ground);

    let message = ground.unready("hello", "CredentialsUnavailable");
    assert!(message.contains("trust"), "{message}");
    write(&token, &role::token(&ground, role::SERVICE_ACCOUNT));
    let message = ground.unready("hello", "AccessDenied");
    assert!(message.contains("apigateway:POST"), "{message}");
    deny(Value::Null);
    ground.verify("hello", "1");
    ground.ready("hello");

    // From here on only the rotated token is good.
    let other = "system:serviceaccount:jwthttpapi-system:renamed";
    role::change(&ground, &role::web_trust(&ground, other));
    write(&token, &role::token(&ground, other));
    let mark = ground.aws().journal_mark().unwrap();
    end(&ground, &operators(&ground, 0));
    ground.verify("hello", "2");
    ground.until("hello", "a visit with the rotated token", |object| {
        object["status"]["lastHandledReconcileAt"] == "2"
    });
    ground.ready("hello");
    let assumed = calls(&ground, "AssumeRoleWithWebIdentity", mark);
    assert!(
        assumed.iter().all(|call| call.status == Some(200)),
        "{assumed:#?}"
    );
    assert!(!assumed.is_empty());
    assert_eq!(operator.process().try_exit().unwrap(), None);
}

#[test]
fn pod_identity_gives_credentials_to_who_shows_the_pods_token_past_any_proxy() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    role::create(&ground, &role::trust("*"));
    let token = ground.directory().join("token");
    write(&token, "first");
    let session = role::session(&ground, "first");
    let agent = PodIdentity::start(&token, session.clone()).unwrap();
    // Nobody listens there: what went through it would be lost.
    let dead = "http://127.0.0.1:9";
    let launch = keyless(&ground)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.url())
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token)
        .env("HTTPS_PROXY", dead)
        .env("HTTP_PROXY", dead);
    let mark = ground.aws().journal_mark().unwrap();
    let mut operator = Operator::launch(launch).unwrap();
    apply(&ground);
    ground.ready("hello");
    let first = session["AccessKeyId"].as_str().unwrap().to_owned();
    assert_eq!(operators(&ground, mark), [&*first]);
    assert_eq!(agent.asked(), (1, 0), "one session serves all requests");

    let session = role::session(&ground, "second");
    agent.give(session.clone());
    write(&token, "second");
    let mark = ground.aws().journal_mark().unwrap();
    end(&ground, &[first]);
    ground.verify("hello", "1");
    ground.until("hello", "a visit with the second session", |object| {
        object["status"]["lastHandledReconcileAt"] == "1"
    });
    ground.ready("hello");
    let second = session["AccessKeyId"].as_str().unwrap();
    assert!(operators(&ground, mark).iter().any(|key| key == second));
    assert_eq!(agent.asked().1, 0, "the rotated token is read each time");
    assert_eq!(operator.process().try_exit().unwrap(), None);
}

#[test]
fn the_keys_of_a_session_in_the_environment_go_with_their_token() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    role::create(&ground, &role::trust("*"));
    let session = role::session(&ground, "static");
    let text = |name: &str| session[name].as_str().unwrap().to_owned();
    let launch = keyless(&ground)
        .env("AWS_ACCESS_KEY_ID", text("AccessKeyId"))
        .env("AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"))
        .env("AWS_SESSION_TOKEN", text("Token"));
    let mark = ground.aws().journal_mark().unwrap();
    let _operator = Operator::launch(launch).unwrap();
    apply(&ground);
    ground.ready("hello");
    assert_eq!(operators(&ground, mark), [text("AccessKeyId")]);
}

#[test]
fn a_profile_may_assume_a_role_with_keys_that_are_rotated() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    role::create(&ground, &role::trust("*"));
    let file = ground.directory().join("config");
    let profiles = |key: &str| {
        let role = role::arn();
        format!(
            "[default]\nrole_arn = {role}\nsource_profile = base\n\n\
             [profile base]\naws_access_key_id = {key}\naws_secret_access_key = sandbox\n"
        )
    };
    write(&file, &profiles("AKIDOLD"));
    let launch = with_sts(&ground, keyless(&ground)).env("AWS_CONFIG_FILE", &file);
    let mut operator = Operator::launch(launch).unwrap();
    let mark = ground.aws().journal_mark().unwrap();
    apply(&ground);
    ground.ready("hello");
    assert_eq!(assumers(&ground, mark), ["AKIDOLD"]);
    let session = operators(&ground, mark);
    assert!(session.iter().all(|key| key.starts_with("ASIA")), "{session:?}");

    ground.aws().set(&json!({"invalid_keys": ["AKIDOLD"]})).unwrap();
    end(&ground, &session);
    ground.unready("hello", "CredentialsUnavailable");
    write(&file, &profiles("AKIDNEW"));
    let mark = ground.aws().journal_mark().unwrap();
    let took = ground.ready("hello");
    println!("ready {took:?} after the rotation");
    assert!(assumers(&ground, mark).contains(&"AKIDNEW".to_owned()));
    assert_eq!(operator.process().try_exit().unwrap(), None);
}

#[test]
fn a_profile_may_assume_a_role_from_pod_identity() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    role::create(&ground, &role::trust("*"));
    // Here the Pod's role is the one that it assumes: it may do that besides.
    let mut policy = operator_policy().unwrap();
    let assume = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role::arn()});
    policy["Statement"].as_array_mut().unwrap().push(assume);
    let principals = json!({"principals": {role::arn(): {"policy": policy}}});
    ground.aws().set(&principals).unwrap();
    let token = ground.directory().join("token");
    write(&token, "token");
    let session: Value = role::session(&ground, "agent");
    let agent = PodIdentity::start(&token, session.clone()).unwrap();
    let file = ground.directory().join("config");
    let role = role::arn();
    write(
        &file,
        &format!("[default]\nrole_arn = {role}\ncredential_source = EcsContainer\n"),
    );
    let launch = with_sts(&ground, keyless(&ground))
        .env("AWS_CONFIG_FILE", &file)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.url())
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token);
    let mark = ground.aws().journal_mark().unwrap();
    let _operator = Operator::launch(launch).unwrap();
    apply(&ground);
    ground.ready("hello");
    let agents = session["AccessKeyId"].as_str().unwrap();
    assert_eq!(assumers(&ground, mark), [agents]);
    assert!(!operators(&ground, mark).contains(&agents.to_owned()));
}

/// The keys with which a role was assumed since a request.
fn assumers(ground: &Ground, since: u64) -> Vec<String> {
    let mut keys: Vec<_> = calls(ground, "AssumeRole", since)
        .into_iter()
        .map(|call| call.access_key)
        .collect();
    keys.dedup();
    keys
}

/// The keys of everything but that since a request.
fn operators(ground: &Ground, since: u64) -> Vec<String> {
    let mut calls = ground.aws().journal(since).unwrap();
    calls.retain(|call| call.operation.starts_with("Get") && call.service != "sts");
    let mut keys: Vec<_> = calls.into_iter().map(|call| call.access_key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
