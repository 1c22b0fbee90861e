//! The rules of IAM, one test each.

use serde_json::{Value, json};

use super::{CreateRole, Request, Tag};
use crate::model::{
    Timestamp,
    error::Refusal,
    paging::PageRequest,
    testing::{Bench, refused, text},
};

const ARN: &str = "arn:aws:iam::123456789012:role/jwthttpapi/invoke";

fn trust(service: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
    }] })
    .to_string()
}

fn permissions(resource: &str) -> String {
    json!({ "Statement": { "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource } })
        .to_string()
}

fn role_named(name: &str) -> CreateRole {
    CreateRole {
        name: name.into(),
        path: Some("/jwthttpapi/".into()),
        trust: trust("apigateway.amazonaws.com"),
        tags: vec![Tag {
            key: "a".into(),
            value: "1".into(),
        }],
        ..CreateRole::default()
    }
}

fn with_role(settings: Value) -> Bench {
    let mut bench = Bench::new(settings);
    bench
        .iam(Request::CreateRole {
            input: role_named("invoke"),
        })
        .unwrap();
    bench
}

fn put(bench: &mut Bench, policy: &str, document: String) -> Result<Value, Refusal> {
    bench.iam(Request::PutRolePolicy {
        role: "invoke".into(),
        policy: policy.into(),
        document,
    })
}

fn names(bench: &mut Bench) -> Value {
    let request = Request::ListRolePolicies {
        role: "invoke".into(),
        page: PageRequest::default(),
    };
    bench.iam(request).unwrap()["PolicyNames"].clone()
}

#[test]
fn documents_come_back_percent_encoded() {
    let mut bench = with_role(json!({}));
    put(&mut bench, "p", permissions("*")).unwrap();
    let role = bench
        .iam(Request::GetRole {
            role: "invoke".into(),
        })
        .unwrap();
    let found = text(&role["Role"], "AssumeRolePolicyDocument");
    assert!(found.starts_with("%7B%22Statement%22%3A%5B%7B"), "{found}");
    let policy = bench
        .iam(Request::GetRolePolicy {
            role: "invoke".into(),
            policy: "p".into(),
        })
        .unwrap();
    let found = text(&policy, "PolicyDocument");
    assert!(
        found.starts_with("%7B%22Statement%22%3A%7B") && found.contains("lambda%3AInvokeFunction"),
        "{found}"
    );
}

#[test]
fn reads_may_lag_and_writes_know_at_once() {
    let mut bench = with_role(json!({ "read_lag_ms": 1000 }));
    let read = || Request::GetRole {
        role: "invoke".into(),
    };
    assert_eq!(refused(bench.iam(read())).1, "NoSuchEntity");
    let again = Request::CreateRole {
        input: role_named("invoke"),
    };
    assert_eq!(refused(bench.iam(again)).1, "EntityAlreadyExists");
    bench.now += 1000;
    put(&mut bench, "p", permissions("*")).unwrap();
    assert_eq!(names(&mut bench), json!([]));
    bench.now += 1000;
    assert_eq!(names(&mut bench), json!(["p"]));
    let policy = Request::DeleteRolePolicy {
        role: "invoke".into(),
        policy: "p".into(),
    };
    bench.iam(policy).unwrap();
    bench
        .iam(Request::DeleteRole {
            role: "invoke".into(),
        })
        .unwrap();
    assert!(bench.iam(read()).is_ok());
    bench.now += 1000;
    assert_eq!(refused(bench.iam(read())).1, "NoSuchEntity");
}

#[test]
fn get_role_returns_tags_and_list_roles_does_not() {
    let mut bench = with_role(json!({}));
    let role = bench
        .iam(Request::GetRole {
            role: "invoke".into(),
        })
        .unwrap();
    assert_eq!(role["Role"]["Tags"], json!([{ "Key": "a", "Value": "1" }]));
    assert_eq!(role["Role"]["Arn"], json!(ARN));
    let listed = bench
        .iam(Request::ListRoles {
            path_prefix: None,
            page: PageRequest::default(),
        })
        .unwrap();
    assert_eq!(listed["Roles"][0].get("Tags"), None);
}

#[test]
fn role_names_are_unique_ignoring_case_and_path() {
    let mut bench = with_role(json!({}));
    for name in ["invoke", "INVOKE"] {
        let input = CreateRole {
            path: None,
            ..role_named(name)
        };
        let (status, code, _) = refused(bench.iam(Request::CreateRole { input }));
        assert_eq!((status, code.as_str()), (409, "EntityAlreadyExists"));
    }
    assert_eq!(
        refused(bench.iam(Request::GetRole {
            role: "INVOKE".into()
        }))
        .1,
        "NoSuchEntity"
    );
}

#[test]
fn what_does_not_exist_is_404() {
    let mut bench = with_role(json!({}));
    for request in [
        Request::GetRole {
            role: "absent".into(),
        },
        Request::DeleteRole {
            role: "absent".into(),
        },
        Request::ListRolePolicies {
            role: "absent".into(),
            page: PageRequest::default(),
        },
        Request::GetRolePolicy {
            role: "invoke".into(),
            policy: "absent".into(),
        },
        Request::DeleteRolePolicy {
            role: "invoke".into(),
            policy: "absent".into(),
        },
        Request::DetachRolePolicy {
            role: "invoke".into(),
            arn: "arn:aws:iam::aws:policy/absent".into(),
        },
    ] {
        let (status, code, _) = refused(bench.iam(request));
        assert_eq!((status, code.as_str()), (404, "NoSuchEntity"));
    }
}

#[test]
fn a_role_goes_only_after_its_policies_and_attachments() {
    let mut bench = with_role(json!({}));
    let before = Bench::new(json!({})).world.state(Timestamp(0)).unwrap();
    let arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole".to_owned();
    put(&mut bench, "p", permissions("*")).unwrap();
    bench
        .iam(Request::AttachRolePolicy {
            role: "invoke".into(),
            arn: arn.clone(),
        })
        .unwrap();
    let delete = Request::DeleteRole {
        role: "invoke".into(),
    };
    assert_eq!(refused(bench.iam(delete.clone())).1, "DeleteConflict");
    bench
        .iam(Request::DeleteRolePolicy {
            role: "invoke".into(),
            policy: "p".into(),
        })
        .unwrap();
    assert_eq!(refused(bench.iam(delete.clone())).0, 409);
    bench
        .iam(Request::DetachRolePolicy {
            role: "invoke".into(),
            arn,
        })
        .unwrap();
    bench.iam(delete).unwrap();
    assert_eq!(bench.world.state(Timestamp(0)).unwrap(), before);
}

#[test]
fn putting_a_policy_again_replaces_it() {
    let mut bench = with_role(json!({}));
    put(&mut bench, "p", permissions("a")).unwrap();
    put(&mut bench, "p", permissions("b")).unwrap();
    put(&mut bench, "q", permissions("c")).unwrap();
    assert_eq!(names(&mut bench), json!(["p", "q"]));
    let role = bench.world.effective_role(ARN, Timestamp(bench.now)).unwrap();
    assert_eq!(role.policies[0]["Statement"]["Resource"], json!("b"));
}

#[test]
fn inline_policies_share_a_quota_that_ignores_white_space() {
    let mut bench = with_role(json!({}));
    let empty = permissions("").len();
    let padding = " ".repeat(5000);
    assert!(
        put(
            &mut bench,
            "p",
            format!("{padding}{}", permissions(&"a".repeat(10_240 - empty)))
        )
        .is_ok()
    );
    let (status, code, text) = refused(put(&mut bench, "q", permissions("a")));
    assert_eq!((status, code.as_str()), (409, "LimitExceeded"));
    assert_eq!(
        text,
        "Maximum policy size of 10240 bytes exceeded for role invoke"
    );
    assert_eq!(
        names(&mut bench),
        json!(["p"]),
        "a refused policy leaves no trace"
    );
    assert!(put(&mut bench, "p", permissions("a")).is_ok());
}

#[test]
fn what_is_no_policy_is_malformed() {
    let mut bench = with_role(json!({}));
    let no_effect = json!({ "Statement": [{ "Action": "*", "Resource": "*" }] }).to_string();
    for document in [
        "{".to_owned(),
        "{}".to_owned(),
        no_effect,
        trust("lambda.amazonaws.com"),
    ] {
        let (status, code, _) = refused(put(&mut bench, "p", document));
        assert_eq!((status, code.as_str()), (400, "MalformedPolicyDocument"));
    }
    let request = Request::UpdateAssumeRolePolicy {
        role: "invoke".into(),
        document: permissions("*"),
    };
    assert_eq!(refused(bench.iam(request)).1, "MalformedPolicyDocument");
}

#[test]
fn a_trust_policy_has_a_quota() {
    let mut bench = with_role(json!({}));
    let document = trust(&"a".repeat(2048));
    let request = Request::UpdateAssumeRolePolicy {
        role: "invoke".into(),
        document,
    };
    assert_eq!(refused(bench.iam(request)).1, "LimitExceeded");
}

#[test]
fn names_are_checked() {
    let mut bench = Bench::new(json!({}));
    for name in ["", "a b", "a/b", &"a".repeat(65)] {
        assert_eq!(
            refused(bench.iam(Request::CreateRole {
                input: role_named(name)
            }))
            .1,
            "ValidationError"
        );
    }
}

#[test]
fn tags_are_added_and_taken_away() {
    let mut bench = with_role(json!({}));
    let tags = vec![Tag {
        key: "b".into(),
        value: "2".into(),
    }];
    bench
        .iam(Request::TagRole {
            role: "invoke".into(),
            tags,
        })
        .unwrap();
    bench
        .iam(Request::UntagRole {
            role: "invoke".into(),
            keys: vec!["a".into()],
        })
        .unwrap();
    let request = Request::ListRoleTags {
        role: "invoke".into(),
        page: PageRequest::default(),
    };
    assert_eq!(
        bench.iam(request).unwrap()["Tags"],
        json!([{ "Key": "b", "Value": "2" }])
    );
    let reserved = vec![Tag {
        key: "aws:x".into(),
        value: String::new(),
    }];
    assert_eq!(
        refused(bench.iam(Request::TagRole {
            role: "invoke".into(),
            tags: reserved
        }))
        .1,
        "InvalidInput"
    );
}

#[test]
fn a_new_role_takes_effect_only_after_the_delay() {
    let mut bench = with_role(json!({ "iam_delay_ms": 1000 }));
    assert!(
        bench
            .iam(Request::GetRole {
                role: "invoke".into()
            })
            .is_ok()
    );
    let effective = |bench: &Bench, after: u64| bench.world.effective_role(ARN, Timestamp(bench.now + after));
    assert_eq!(effective(&bench, 999), None);
    assert_eq!(effective(&bench, 1000).unwrap().arn, ARN);
}

#[test]
fn changes_and_deletions_take_effect_only_after_the_delay() {
    let mut bench = with_role(json!({ "iam_delay_ms": 1000 }));
    bench.now += 2000;
    put(&mut bench, "p", permissions("*")).unwrap();
    bench.now += 500;
    let document = trust("lambda.amazonaws.com");
    bench
        .iam(Request::UpdateAssumeRolePolicy {
            role: "invoke".into(),
            document,
        })
        .unwrap();
    let at = |bench: &Bench, after: u64| bench.world.effective_role(ARN, Timestamp(bench.now + after));
    let service = |role: &crate::model::deployment::RoleView| {
        role.trust["Statement"][0]["Principal"]["Service"].clone()
    };
    assert_eq!(at(&bench, 0).unwrap().policies.len(), 0);
    let between = at(&bench, 500).unwrap();
    assert_eq!(
        (between.policies.len(), service(&between)),
        (1, json!("apigateway.amazonaws.com"))
    );
    assert_eq!(service(&at(&bench, 1000).unwrap()), json!("lambda.amazonaws.com"));

    bench
        .iam(Request::DeleteRolePolicy {
            role: "invoke".into(),
            policy: "p".into(),
        })
        .unwrap();
    bench
        .iam(Request::DeleteRole {
            role: "invoke".into(),
        })
        .unwrap();
    assert!(at(&bench, 999).is_some());
    assert_eq!(at(&bench, 1000), None);
}

#[test]
fn lists_are_paged() {
    let mut bench = with_role(json!({ "page_size": 1 }));
    put(&mut bench, "p", permissions("a")).unwrap();
    put(&mut bench, "q", permissions("b")).unwrap();
    let list = |bench: &mut Bench, token: Option<String>| {
        let page = PageRequest {
            max_results: None,
            token,
        };
        bench
            .iam(Request::ListRolePolicies {
                role: "invoke".into(),
                page,
            })
            .unwrap()
    };
    let first = list(&mut bench, None);
    assert_eq!(
        (&first["PolicyNames"], &first["IsTruncated"]),
        (&json!(["p"]), &json!(true))
    );
    let second = list(&mut bench, Some(text(&first, "Marker")));
    assert_eq!(
        (&second["PolicyNames"], &second["IsTruncated"]),
        (&json!(["q"]), &json!(false))
    );
}

#[test]
fn tag_keys_that_differ_in_case_are_one_and_keep_the_case_of_the_last() {
    let mut bench = with_role(json!({}));
    let tag = |key: &str| Tag {
        key: key.into(),
        value: "2".into(),
    };
    let role = || "invoke".to_owned();
    let tags = vec![tag("A")];
    bench.iam(Request::TagRole { role: role(), tags }).unwrap();
    let shown = bench.iam(Request::GetRole { role: role() }).unwrap();
    assert_eq!(shown["Role"]["Tags"], json!([{ "Key": "A", "Value": "2" }]));
    let tags = vec![tag("b"), tag("B")];
    let (status, code, _) = refused(bench.iam(Request::TagRole { role: role(), tags }));
    assert_eq!((status, code.as_str()), (400, "InvalidInput"));
    let keys = vec!["a".into()];
    bench.iam(Request::UntagRole { role: role(), keys }).unwrap();
    let shown = bench.iam(Request::GetRole { role: role() }).unwrap();
    assert_eq!(shown["Role"].get("Tags"), None);
}
