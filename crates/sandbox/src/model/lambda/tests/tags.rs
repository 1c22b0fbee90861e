//! Tags of functions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{create, members, with_alias, with_function, with_role};
use crate::model::{
    error::Refusal,
    lambda::Request,
    testing::{Bench, FUNCTION, input, refused},
};

fn tag(bench: &mut Bench, arn: &str, tags: Value) -> Result<Value, Refusal> {
    let (arn, tags) = (arn.to_owned(), input(tags));
    bench.lambda(Request::TagResource { arn, tags })
}

fn tags(bench: &mut Bench) -> Value {
    let arn = FUNCTION.to_owned();
    bench.lambda(Request::ListTags { arn }).unwrap()["Tags"].clone()
}

#[test]
fn tags_of_creation_are_merged_with_later_ones_and_shown_by_get_function() {
    let mut bench = with_role(json!({}));
    let mut tagged = members();
    tagged["Tags"] = json!({ "jwthttpapi.dev/uid": "1" });
    let created = create(&mut bench, tagged).unwrap();
    assert_eq!(created.get("Tags"), None);
    tag(
        &mut bench,
        FUNCTION,
        json!({ "jwthttpapi.dev/uid": "2", "b": "3" }),
    )
    .unwrap();
    assert_eq!(tags(&mut bench), json!({ "jwthttpapi.dev/uid": "2", "b": "3" }));
    let (arn, keys) = (FUNCTION.to_owned(), vec!["b".to_owned(), "absent".to_owned()]);
    bench.lambda(Request::UntagResource { arn, keys }).unwrap();
    let found = bench
        .lambda(Request::GetFunction {
            function: "hello".into(),
            qualifier: None,
        })
        .unwrap();
    assert_eq!(found["Tags"], json!({ "jwthttpapi.dev/uid": "2" }));
    assert_eq!(found["Configuration"]["FunctionArn"], json!(FUNCTION));
    assert_eq!(found["Code"]["RepositoryType"], json!("S3"));
}

#[test]
fn a_function_without_tags_lists_an_empty_map() {
    let mut bench = with_function();
    assert_eq!(tags(&mut bench), json!({}));
}

#[test]
fn tags_belong_to_a_function_by_its_unqualified_arn() {
    let mut bench = with_function();
    with_alias(&mut bench);
    for (arn, expected) in [
        (
            format!("{FUNCTION}:live"),
            (400, "InvalidParameterValueException"),
        ),
        (format!("{FUNCTION}:1"), (400, "InvalidParameterValueException")),
        (format!("{FUNCTION}-not"), (404, "ResourceNotFoundException")),
        ("hello".to_owned(), (400, "ValidationException")),
        (
            "123456789012:function:hello".to_owned(),
            (400, "ValidationException"),
        ),
    ] {
        let (status, code, _) = refused(tag(&mut bench, &arn, json!({ "a": "1" })));
        assert_eq!((status, code.as_str()), expected, "{arn}");
    }
}

#[test]
fn a_function_has_at_most_50_valid_tags() {
    let mut bench = with_function();
    let fifty: BTreeMap<String, String> = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    tag(&mut bench, FUNCTION, json!(fifty)).unwrap();
    assert!(tag(&mut bench, FUNCTION, json!({ "k0": "again" })).is_ok());
    for bad in [json!({ "one": "more" }), json!({ "aws:k": "1" })] {
        let (status, code, _) = refused(tag(&mut bench, FUNCTION, bad));
        assert_eq!((status, code.as_str()), (400, "InvalidParameterValueException"));
    }
    let mut tagged = members();
    tagged["FunctionName"] = json!("other");
    tagged["Tags"] = json!({ "aws:k": "1" });
    assert_eq!(refused(create(&mut bench, tagged)).0, 400);
}

#[test]
fn creation_takes_the_permission_to_pass_the_role_and_to_tag() {
    let needs = |members: Value, creates: bool| {
        let input = input(members);
        let request = if creates {
            Request::CreateFunction { input }
        } else {
            let function = "hello".into();
            Request::UpdateFunctionConfiguration { function, input }
        };
        let needs = request.needs(&Bench::new(json!({})).world.account, "eu-central-1");
        let needs = needs
            .into_iter()
            .map(|need| (need.any_of[0].clone(), need.resource));
        needs.collect::<Vec<_>>()
    };
    let pass = ("iam:PassRole".to_owned(), super::ROLE.to_owned());
    assert_eq!(needs(members(), true), std::slice::from_ref(&pass));
    let mut tagged = members();
    tagged["Tags"] = json!({ "a": "1" });
    assert_eq!(
        needs(tagged, true),
        [
            pass.clone(),
            ("lambda:TagResource".to_owned(), FUNCTION.to_owned())
        ]
    );
    assert_eq!(needs(json!({ "Role": super::ROLE }), false), [pass]);
    assert_eq!(needs(json!({ "Timeout": 5 }), false), []);
}
