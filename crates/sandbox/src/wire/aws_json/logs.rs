//! CloudWatch Logs on the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request as HttpRequest;
use serde::Deserialize;

use super::{body, operation};
use crate::model::{error::Refusal, logs::Request};

/// The members of all operations that name one group or ARN.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    log_group_name: String,
    retention_in_days: i64,
    resource_arn: String,
    tags: BTreeMap<String, String>,
    tag_keys: Vec<String>,
}

pub(crate) fn decode(request: &HttpRequest<Bytes>) -> Result<Request, Refusal> {
    let input = || body::<Input>(request);
    match operation(request, "Logs_20140328") {
        "CreateLogGroup" => Ok(Request::CreateLogGroup {
            input: body(request)?,
        }),
        "DeleteLogGroup" => Ok(Request::DeleteLogGroup {
            group: input()?.log_group_name,
        }),
        "DescribeLogGroups" => Ok(Request::DescribeLogGroups {
            input: body(request)?,
        }),
        "PutRetentionPolicy" => input().map(|input| Request::PutRetentionPolicy {
            group: input.log_group_name,
            days: input.retention_in_days,
        }),
        "DeleteRetentionPolicy" => Ok(Request::DeleteRetentionPolicy {
            group: input()?.log_group_name,
        }),
        "ListTagsForResource" => Ok(Request::ListTagsForResource {
            arn: input()?.resource_arn,
        }),
        "TagResource" => input().map(|input| Request::TagResource {
            arn: input.resource_arn,
            tags: input.tags,
        }),
        "UntagResource" => input().map(|input| Request::UntagResource {
            arn: input.resource_arn,
            keys: input.tag_keys,
        }),
        other => Err(Refusal::not_modelled(&format!("logs:{other}"))),
    }
}
