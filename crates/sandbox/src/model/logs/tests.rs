//! The rules of CloudWatch Logs, one test each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{RETENTIONS, Request, Writer};
use crate::model::{
    Timestamp,
    error::Refusal,
    testing::{Bench, REGION, input, refused},
};

const GROUP: &str = "/aws/lambda/hello";
const ARN: &str = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/hello";

fn create(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.logs(Request::CreateLogGroup {
        input: input(members),
    })
}

fn with_group(settings: Value) -> Bench {
    let mut bench = Bench::new(settings);
    create(&mut bench, json!({ "logGroupName": GROUP, "tags": { "a": "1" } })).unwrap();
    bench
}

fn describe(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.logs(Request::DescribeLogGroups {
        input: input(members),
    })
}

fn only(bench: &mut Bench) -> Value {
    let found = describe(bench, json!({ "logGroupNamePrefix": GROUP })).unwrap();
    assert_eq!(found["logGroups"].as_array().unwrap().len(), 1);
    found["logGroups"][0].clone()
}

fn names(answer: &Value) -> Vec<&str> {
    let groups = answer["logGroups"].as_array().unwrap().iter();
    groups
        .map(|group| group["logGroupName"].as_str().unwrap())
        .collect()
}

fn keep(bench: &mut Bench, days: i64) -> Result<Value, Refusal> {
    let group = GROUP.to_owned();
    bench.logs(Request::PutRetentionPolicy { group, days })
}

fn tag(bench: &mut Bench, arn: &str, tags: Value) -> Result<Value, Refusal> {
    let (arn, tags) = (arn.to_owned(), input(tags));
    bench.logs(Request::TagResource { arn, tags })
}

fn tags(bench: &mut Bench) -> Value {
    let arn = ARN.to_owned();
    bench.logs(Request::ListTagsForResource { arn }).unwrap()["tags"].clone()
}

fn error(answer: Result<Value, Refusal>) -> (u16, String) {
    let (status, code, _) = refused(answer);
    (status, code)
}

#[test]
fn a_group_shows_its_arn_with_and_without_the_star() {
    let mut bench = with_group(json!({}));
    assert_eq!(
        only(&mut bench),
        json!({
            "logGroupName": GROUP, "creationTime": bench.now, "metricFilterCount": 0, "storedBytes": 0,
            "arn": format!("{ARN}:*"), "logGroupArn": ARN, "logGroupClass": "STANDARD",
        })
    );
}

#[test]
fn a_second_group_of_one_name_is_refused() {
    let mut bench = with_group(json!({}));
    let (status, code, text) = refused(create(&mut bench, json!({ "logGroupName": GROUP })));
    assert_eq!((status, code.as_str()), (400, "ResourceAlreadyExistsException"));
    assert_eq!(text, "The specified log group already exists");
    assert!(create(&mut bench, json!({ "logGroupName": "/AWS/lambda/hello" })).is_ok());
}

#[test]
fn a_groups_name_is_checked() {
    let mut bench = Bench::new(json!({}));
    let longest = "g".repeat(512);
    for name in [longest.as_str(), "/aws/lambda/a.b-c_d#1", "AWS/x"] {
        assert!(
            create(&mut bench, json!({ "logGroupName": name })).is_ok(),
            "{name}"
        );
    }
    let longer = "g".repeat(513);
    for name in ["", longer.as_str(), "a b", "a:b", "a*", "ä", "aws/x"] {
        let refusal = create(&mut bench, json!({ "logGroupName": name }));
        assert_eq!(
            error(refusal),
            (400, "InvalidParameterException".into()),
            "{name}"
        );
    }
}

#[test]
fn what_a_group_can_be_besides_is_not_modelled() {
    let mut bench = Bench::new(json!({}));
    for more in [
        json!({ "kmsKeyId": "k" }),
        json!({ "logGroupClass": "INFREQUENT_ACCESS" }),
        json!({ "deletionProtectionEnabled": true }),
    ] {
        let mut members = json!({ "logGroupName": GROUP });
        members
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(refused(create(&mut bench, members)).0, 501, "{more}");
    }
    let plain =
        json!({ "logGroupName": GROUP, "logGroupClass": "STANDARD", "deletionProtectionEnabled": false });
    assert!(create(&mut bench, plain).is_ok());
    for filter in [
        json!({ "logGroupNamePattern": "a" }),
        json!({ "includeLinkedAccounts": true }),
    ] {
        assert_eq!(refused(describe(&mut bench, filter)).0, 501);
    }
}

#[test]
fn a_full_quota_of_groups_is_refused() {
    let mut bench = with_group(json!({ "quotas": { "log_groups": 1 } }));
    let refusal = create(&mut bench, json!({ "logGroupName": "other" }));
    assert_eq!(error(refusal), (400, "LimitExceededException".into()));
}

#[test]
fn what_does_not_exist_is_not_found() {
    let mut bench = Bench::new(json!({}));
    let (group, arn) = (GROUP.to_owned(), ARN.to_owned());
    let tags = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    for request in [
        Request::DeleteLogGroup { group: group.clone() },
        Request::PutRetentionPolicy {
            group: group.clone(),
            days: 1,
        },
        Request::DeleteRetentionPolicy { group },
        Request::ListTagsForResource { arn: arn.clone() },
        Request::TagResource {
            arn: arn.clone(),
            tags,
        },
        Request::UntagResource {
            arn,
            keys: vec!["a".to_owned()],
        },
    ] {
        let (status, code, text) = refused(bench.logs(request.clone()));
        assert_eq!(
            (status, code.as_str()),
            (400, "ResourceNotFoundException"),
            "{request:?}"
        );
        assert_eq!(text, "The specified log group does not exist.");
    }
    assert_eq!(names(&describe(&mut bench, json!({})).unwrap()), [""; 0]);
}

#[test]
fn groups_come_sorted_by_name_page_by_page_in_every_order_of_lists() {
    for order in ["creation", "reversed", "shuffled"] {
        for (page_size, limit) in [(2, None), (25, Some(2))] {
            let mut bench = Bench::new(json!({ "list_order": order, "page_size": page_size }));
            for name in ["/b/2", "/a/b", "/b/3", "/b/1", "/b", "/B"] {
                create(&mut bench, json!({ "logGroupName": name })).unwrap();
            }
            let (mut found, mut sizes, mut token) = (Vec::new(), Vec::new(), Value::Null);
            loop {
                let page = json!({ "logGroupNamePrefix": "/b", "limit": limit, "nextToken": token });
                let page = describe(&mut bench, page).unwrap();
                let names = names(&page);
                sizes.push(names.len());
                found.extend(names.into_iter().map(str::to_owned));
                token = page["nextToken"].clone();
                if token.is_null() {
                    break;
                }
            }
            assert_eq!(found, ["/b", "/b/1", "/b/2", "/b/3"]);
            assert_eq!(sizes, [2, 2]);
        }
    }
}

#[test]
fn a_page_has_at_most_50_groups() {
    let mut bench = Bench::new(json!({ "page_size": 100 }));
    for n in 0..51 {
        create(&mut bench, json!({ "logGroupName": format!("g{n}") })).unwrap();
    }
    assert_eq!(names(&describe(&mut bench, json!({})).unwrap()).len(), 50);
    for limit in [0, 51] {
        let refusal = describe(&mut bench, json!({ "limit": limit }));
        assert_eq!(error(refusal), (400, "InvalidParameterException".into()));
    }
}

#[test]
fn an_invented_token_and_a_prefix_that_is_no_name_are_refused() {
    let mut bench = Bench::new(json!({}));
    for members in [
        json!({ "nextToken": "***" }),
        json!({ "logGroupNamePrefix": "" }),
        json!({ "logGroupNamePrefix": "a*" }),
    ] {
        let refusal = describe(&mut bench, members);
        assert_eq!(error(refusal), (400, "InvalidParameterException".into()));
    }
}

#[test]
fn a_new_group_is_missing_from_the_list_until_the_lag_is_over_and_exists_at_once() {
    let mut bench = with_group(json!({ "list_lag_ms": 1000 }));
    assert_eq!(names(&describe(&mut bench, json!({})).unwrap()), [""; 0]);
    assert_eq!(tags(&mut bench), json!({ "a": "1" }));
    let second = create(&mut bench, json!({ "logGroupName": GROUP }));
    assert_eq!(error(second).1, "ResourceAlreadyExistsException");
    bench.now += 1000;
    assert_eq!(names(&describe(&mut bench, json!({})).unwrap()), [GROUP]);
}

#[test]
fn events_are_kept_for_one_of_the_spans_that_aws_knows_or_for_ever() {
    let mut bench = with_group(json!({}));
    for days in RETENTIONS {
        keep(&mut bench, days).unwrap();
        assert_eq!(only(&mut bench)["retentionInDays"], json!(days));
    }
    for days in [-1, 0, 2, 31, 366, 3654] {
        let refusal = keep(&mut bench, days);
        assert_eq!(
            error(refusal),
            (400, "InvalidParameterException".into()),
            "{days}"
        );
    }
    for _ in 0..2 {
        let group = GROUP.to_owned();
        bench.logs(Request::DeleteRetentionPolicy { group }).unwrap();
        assert_eq!(only(&mut bench).get("retentionInDays"), None);
    }
}

#[test]
fn tags_are_merged_and_taken_away() {
    let mut bench = with_group(json!({}));
    tag(&mut bench, ARN, json!({ "a": "2", "b": "3" })).unwrap();
    assert_eq!(tags(&mut bench), json!({ "a": "2", "b": "3" }));
    let (arn, keys) = (ARN.to_owned(), vec!["a".to_owned(), "absent".to_owned()]);
    bench.logs(Request::UntagResource { arn, keys }).unwrap();
    assert_eq!(tags(&mut bench), json!({ "b": "3" }));
}

#[test]
fn the_tag_operations_take_the_arn_without_the_star() {
    let mut bench = with_group(json!({}));
    for arn in [
        format!("{ARN}:*"),
        GROUP.to_owned(),
        ARN.replace("eu-central-1", "us-east-1"),
        ARN.replace("123456789012", "210987654321"),
    ] {
        let (status, code, text) = refused(tag(&mut bench, &arn, json!({ "a": "1" })));
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{arn}");
        assert_eq!(text, "Invalid resourceArn");
        let read = bench.logs(Request::ListTagsForResource { arn });
        assert_eq!(error(read).1, "ValidationException");
    }
}

#[test]
fn a_group_has_at_most_50_valid_tags() {
    let mut bench = with_group(json!({}));
    let many = |count: u32| {
        (0..count)
            .map(|n| (format!("k{n}"), String::new()))
            .collect::<BTreeMap<_, _>>()
    };
    tag(&mut bench, ARN, json!(many(49))).unwrap();
    assert!(tag(&mut bench, ARN, json!({ "a": "again" })).is_ok());
    let one_more = tag(&mut bench, ARN, json!({ "one": "more" }));
    assert_eq!(error(one_more), (400, "TooManyTagsException".into()));
    for bad in [json!({}), json!({ "aws:k": "1" }), json!({ "k*": "1" })] {
        let refusal = tag(&mut bench, ARN, bad.clone());
        assert_eq!(error(refusal), (400, "InvalidParameterException".into()));
        let refusal = create(&mut bench, json!({ "logGroupName": "other", "tags": bad }));
        assert_eq!(error(refusal), (400, "InvalidParameterException".into()));
    }
    let refusal = create(&mut bench, json!({ "logGroupName": "other", "tags": many(51) }));
    assert_eq!(error(refusal), (400, "InvalidParameterException".into()));
}

#[test]
fn tags_on_creation_take_the_permission_to_tag() {
    let needs = |members: Value| {
        let input = input(members);
        let request = Request::CreateLogGroup { input };
        request.needs(&Bench::new(json!({})).world.account, REGION)
    };
    assert_eq!(needs(json!({ "logGroupName": GROUP })), []);
    let needs = needs(json!({ "logGroupName": GROUP, "tags": { "a": "1" } }));
    assert_eq!(needs.len(), 1);
    assert_eq!(needs[0].any_of, ["logs:TagResource", "logs:TagLogGroup"]);
    assert_eq!(needs[0].resource, ARN);
}

#[test]
fn events_are_written_as_far_as_the_writer_may() {
    let write = |bench: &mut Bench, create_group, create_stream, put_events| {
        let writer = Writer {
            create_group,
            create_stream,
            put_events,
        };
        let events = ["12345".to_owned(), "678".to_owned()];
        let now = Timestamp(bench.now);
        bench
            .world
            .write_log(REGION, now, writer, (GROUP, "stream"), &events);
        let state = bench.world.state(now).unwrap();
        state["regions"][REGION]["logGroups"][0]["logStreams"].clone()
    };
    // A Region exists since its first request.
    let mut bench = Bench::new(json!({}));
    describe(&mut bench, json!({})).unwrap();
    assert_eq!(
        write(&mut bench, false, true, true),
        Value::Null,
        "there is no group"
    );
    assert_eq!(
        write(&mut bench, true, false, true),
        json!({}),
        "there is no stream"
    );
    assert_eq!(
        write(&mut bench, false, true, false),
        json!({ "stream": { "events": 0, "bytes": 0 } })
    );
    for times in 1..3 {
        let expected = json!({ "stream": { "events": 2 * times, "bytes": 8 * times } });
        assert_eq!(write(&mut bench, false, false, true), expected);
    }
    assert_eq!(only(&mut bench)["storedBytes"], json!(16));
}

#[test]
fn deleting_a_group_takes_its_tags_and_events_along() {
    let mut bench = with_group(json!({}));
    let now = Timestamp(bench.now);
    let writer = Writer {
        create_group: false,
        create_stream: true,
        put_events: true,
    };
    bench
        .world
        .write_log(REGION, now, writer, (GROUP, "stream"), &["event".to_owned()]);
    let group = GROUP.to_owned();
    bench.logs(Request::DeleteLogGroup { group }).unwrap();
    assert_eq!(
        bench.world.state(now).unwrap(),
        Bench::new(json!({})).world.state(now).unwrap()
    );
    create(&mut bench, json!({ "logGroupName": GROUP })).unwrap();
    assert_eq!(
        (only(&mut bench)["storedBytes"].clone(), tags(&mut bench)),
        (json!(0), json!({}))
    );
}
