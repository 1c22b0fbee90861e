//! Trouble: each has its own reason and a message that says what to do, nothing stays half open, and it heals without a
//! restart.

use crate::ground::{Ground, LIMIT, condition, prompt, route};
use jwthttpapi_core::model::{Owner, name::role_name};
use jwthttpapi_test_support::{OPERATOR_ACCESS_KEY, deadline, places, process::Launch};
use serde_json::{Value, json};

fn hello(ground: &Ground) -> Value {
    ground.spec(&json!({"routes": [route("GET /test", "hello")]}))
}

fn no_api(ground: &Ground) {
    let listed = ground.aws().aws("apigateway", "GET", "/v2/apis", None).unwrap();
    assert_eq!(listed["items"], json!([]));
}

#[test]
fn a_missing_function_is_named_and_nothing_is_created_before_it_exists() {
    let ground = Ground::new(&prompt());
    let _operator = ground.operator(&[]);
    ground.apply("hello", &hello(&ground));
    let message = ground.unready("hello", "FunctionNotFound");
    assert!(message.contains(":function:hello does not exist"), "{message}");
    no_api(&ground);
    ground.functions(&["hello"]);
    ground.verify("hello", "1");
    ground.ready("hello");
}

/// An event's name begins with that of its object, and may not be longer than others.
#[test]
fn an_object_with_the_longest_name_has_events_too() {
    let ground = Ground::new(&prompt());
    let _operator = ground.operator(&[]);
    let name = "a".repeat(236);
    ground.apply(&name, &hello(&ground));
    ground.unready(&name, "FunctionNotFound");
    // An event is published after the status that it tells of.
    let published = deadline::poll("the event", LIMIT, || {
        let meant = ground.kubectl(&["get", "events", "-o", "jsonpath={.items[*].involvedObject.name}"]);
        Ok(meant.contains(&name).then_some(()))
    });
    published.unwrap();
}

#[test]
fn an_issuer_that_aws_cannot_read_is_named_and_no_route_is_open_meanwhile() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&[]);
    let mut spec = hello(&ground);
    spec["issuer"] = json!("https://localhost:1/");
    ground.apply("hello", &spec);
    let message = ground.unready("hello", "IssuerUnreachable");
    assert!(message.contains("issuer"), "{message}");
    let id = ground.api_id("hello");
    let routes = ground
        .aws()
        .aws("apigateway", "GET", &format!("/v2/apis/{id}/routes"), None)
        .unwrap();
    assert_eq!(routes["items"], json!([]));
    ground.apply("hello", &hello(&ground));
    ground.ready("hello");
}

#[test]
fn a_denied_action_is_named_and_heals_when_it_is_granted() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&[]);
    let denied = json!({"operation": "CreateRole", "times": null, "action": {"kind": "access_denied"}});
    ground.aws().add_fault(&denied).unwrap();
    ground.apply("hello", &hello(&ground));
    let message = ground.unready("hello", "AccessDenied");
    assert!(message.contains("iam:CreateRole"), "{message}");
    ground.aws().clear_faults().unwrap();
    ground.verify("hello", "1");
    ground.ready("hello");
}

#[test]
fn a_quota_that_is_used_up_is_named() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    ground.aws().set(&json!({"quotas": {"routes": 1}})).unwrap();
    let _operator = ground.operator(&[]);
    let spec = ground.spec(&json!({"routes": [route("GET /a", "hello"), route("GET /b", "hello")]}));
    ground.apply("hello", &spec);
    ground.unready("hello", "QuotaExceeded");
    ground.aws().set(&json!({"quotas": null})).unwrap();
    ground.verify("hello", "1");
    ground.ready("hello");
}

#[test]
fn expired_credentials_are_named_and_heal_when_they_are_renewed() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    ground
        .aws()
        .set(&json!({"expired_keys": [OPERATOR_ACCESS_KEY]}))
        .unwrap();
    let _operator = ground.operator(&[]);
    ground.apply("hello", &hello(&ground));
    ground.unready("hello", "CredentialsUnavailable");
    ground.aws().set(&json!({"expired_keys": []})).unwrap();
    ground.verify("hello", "1");
    ground.ready("hello");
}

#[test]
fn a_role_of_somebody_else_is_left_alone_and_nothing_is_created_beside_it() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&["--cluster-id=test"]);
    let mut spec = hello(&ground);
    spec["suspend"] = json!(true);
    ground.apply("hello", &spec);
    let uid = ground.object("hello")["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let owner = Owner {
        cluster: "test".into(),
        kube_system: None,
        uid,
        namespace: ground.namespace.clone(),
        name: "hello".into(),
    };
    let role = role_name(&owner, "eu-central-1");
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let form = [
        ("Action", "CreateRole"),
        ("Version", "2010-05-08"),
        ("RoleName", &role.name),
        ("Path", "/"),
        ("AssumeRolePolicyDocument", &trust.to_string()),
    ];
    assert_eq!(ground.aws().query("iam", &form).unwrap().status, 200);
    let before = ground.state();
    ground.apply("hello", &hello(&ground));
    let message = ground.unready("hello", "RoleNameConflict");
    assert!(message.contains(&role.name), "{message}");
    assert_eq!(ground.state(), before);
    let form = [
        ("Action", "DeleteRole"),
        ("Version", "2010-05-08"),
        ("RoleName", &*role.name),
    ];
    assert_eq!(ground.aws().query("iam", &form).unwrap().status, 200);
    ground.verify("hello", "1");
    ground.ready("hello");
}

#[test]
fn with_another_account_region_or_cluster_in_the_status_nothing_is_touched_until_it_is_emptied() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&[]);
    ground.apply("hello", &hello(&ground));
    ground.ready("hello");
    let id = ground.api_id("hello");
    let made = ground.state();
    let status = |field: &str, value: Value| {
        let patch = json!({"status": {field: value}});
        let path = format!("{}/status", ground.path("hello"));
        ground.cluster.gate().unwrap().merge(&path, &patch).unwrap();
    };
    for (field, other) in [
        ("accountId", "999999999999"),
        ("region", "eu-west-1"),
        ("clusterId", "another"),
    ] {
        let here = ground.object("hello")["status"][field].clone();
        status(field, json!(other));
        let mark = ground.aws().journal_mark().unwrap();
        ground.verify("hello", &format!("with another {field}"));
        let message = ground.unready("hello", "AccountMismatch");
        assert!(
            message.contains(other) && message.contains(&format!("status.{field}")),
            "{message}"
        );
        let object = ground.object("hello");
        let stalled = condition(&object, "Stalled").unwrap();
        assert_eq!(
            (&stalled["status"], &stalled["reason"]),
            (&json!("True"), &json!("AccountMismatch"))
        );
        assert_eq!(ground.calls(mark).len(), 0, "{field}");
        status(field, Value::Null);
        ground.verify("hello", &format!("with no {field}"));
        ground.ready("hello");
        let healed = ground.object("hello");
        assert_eq!(healed["status"][field], here);
        assert!(condition(&healed, "Stalled").is_none(), "{healed:#}");
        assert_eq!(
            (ground.api_id("hello"), ground.state()),
            (id.clone(), made.clone())
        );
    }
}

#[test]
fn an_aws_that_does_not_answer_is_named() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&["--aws-endpoint-url=http://127.0.0.1:1"]);
    ground.apply("hello", &hello(&ground));
    ground.unready("hello", "AwsUnreachable");
    no_api(&ground);
}

#[test]
fn a_suspended_object_is_not_written_to_aws_and_its_deletion_says_so() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let before = ground.state();
    let _operator = ground.operator(&[]);
    ground.apply("hello", &hello(&ground));
    ground.ready("hello");
    let made = ground.state();
    ground.patch(
        "hello",
        &json!({"spec": {"suspend": true, "description": "held"}}),
    );
    ground.unready("hello", "Suspended");
    ground.kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
    ground.until("hello", "a blocked deletion", |object| {
        condition(object, "DeletionBlocked").is_some_and(|blocked| blocked["reason"] == "Suspended")
    });
    assert_eq!(ground.state(), made);
    ground.patch("hello", &json!({"spec": {"suspend": null}}));
    ground.kubectl(&["wait", "--for=delete", "jwthttpapi/hello", "--timeout=60s"]);
    assert_eq!(ground.state(), before);
}

#[test]
fn a_suspended_object_with_a_foreign_id_in_its_status_creates_nothing() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let foreign = json!({"name": "foreign", "protocolType": "HTTP"});
    let foreign = ground
        .aws()
        .aws("apigateway", "POST", "/v2/apis", Some(&foreign))
        .unwrap();
    let before = ground.state();
    let mut spec = hello(&ground);
    spec["suspend"] = json!(true);
    ground.apply("hello", &spec);
    let status = json!({"status": {"apiId": foreign["apiId"]}}).to_string();
    let patch = [
        "patch",
        "jwthttpapi",
        "hello",
        "--subresource=status",
        "--type=merge",
        "-p",
        &status,
    ];
    ground.kubectl(&patch);
    let _operator = ground.operator(&[]);
    ground.unready("hello", "Suspended");
    ground.verify("hello", "1");
    ground.until("hello", "a second visit", |object| {
        object["status"]["lastHandledReconcileAt"] == "1"
    });
    assert_eq!(ground.state(), before);
}

#[test]
fn a_function_that_is_not_allowed_is_refused_with_the_flag_that_would_allow_it() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&["--allowed-functions=arn:aws:lambda:*:*:function:team-*"]);
    ground.apply("hello", &hello(&ground));
    let message = ground.unready("hello", "FunctionNotAllowed");
    assert!(message.contains("--allowed-functions"), "{message}");
    let mut spec = hello(&ground);
    spec["invocation"] = json!({"roleArn": "arn:aws:iam::123456789012:role/admin"});
    ground.apply("hello", &spec);
    let message = ground.until("hello", "both refusals", |object| {
        condition(object, "Accepted").is_some_and(|accepted| {
            accepted["message"]
                .as_str()
                .is_some_and(|text| text.contains("--passable-roles"))
        })
    });
    assert_eq!(message["status"]["conditions"][0]["status"], "False");
    no_api(&ground);
}

#[test]
fn a_wrong_flag_is_one_clear_line_and_exit_code_two() {
    let directory = places::scratch("flags").unwrap();
    for (flag, said) in [
        ("--aws-endpoint-url=localhost:4566", "http://HOST:PORT"),
        ("--resync=10", "10m"),
        ("--allowed-functions=hello", "arn:aws:lambda"),
        ("--no-such-flag", "no-such-flag"),
    ] {
        let launch = Launch::new(
            places::binary("jwthttpapi").unwrap(),
            directory.path().join("log"),
        )
        .args(["run", flag]);
        let mut process = launch.spawn().unwrap();
        assert_eq!(process.wait(LIMIT).unwrap(), 2, "{flag}");
        // What it wrote may arrive after its end.
        let line = process.wait_for_line(flag, LIMIT, |line| line.contains(said).then_some(()));
        assert!(line.is_ok(), "{flag}: {line:?}");
    }
}

#[test]
fn a_finalizer_that_somebody_took_off_is_put_on_again() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&[]);
    ground.apply("hello", &hello(&ground));
    ground.ready("hello");
    ground.patch("hello", &json!({"metadata": {"finalizers": null}}));
    ground.until("hello", "the finalizer", |object| {
        object["metadata"]["finalizers"] == json!(["jwthttpapi.dev/aws"])
    });
}

#[test]
fn an_object_that_does_not_parse_stops_nobody_else() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let loose = json!([{
        "op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema",
        "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }]);
    let crd = "crd/jwthttpapis.jwthttpapi.dev";
    ground.kubectl(&["patch", crd, "--type=json", "-p", &loose.to_string()]);
    let malformed = json!({
        "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi",
        "metadata": {"name": "malformed", "namespace": ground.namespace}, "spec": {"routes": "nonsense"},
    });
    jwthttpapi_test_support::deadline::poll("the loose schema", LIMIT, || {
        Ok(ground.cluster.apply(&malformed.to_string()).ok())
    })
    .unwrap();
    let strict = places::repository().join("crds/jwthttpapis.jwthttpapi.dev.yaml");
    ground.kubectl(&[
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        &strict.display().to_string(),
    ]);
    let _operator = ground.operator(&[]);
    ground.apply("hello", &hello(&ground));
    ground.ready("hello");
    ground.kubectl(&["get", "jwthttpapi", "malformed"]);
}
