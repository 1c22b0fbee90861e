//! Lambda on the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request as HttpRequest, Response};
use serde::Deserialize;
use serde_json::json;

use super::{body, not_modelled, page_request, query};
use crate::{
    model::{error::Refusal, lambda::Request},
    wire::uri::segments,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagsInput {
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublishInput {
    description: Option<String>,
}

pub(crate) fn decode(request: &HttpRequest<Bytes>) -> Result<Request, Refusal> {
    let path = segments(request.uri().path());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let query = query(request);
    let qualifier = query.owned("Qualifier");
    let name = |text: &&str| (*text).to_owned();
    match (request.method().as_str(), path.as_slice()) {
        ("POST", ["2015-03-31", "functions"]) => Ok(Request::CreateFunction {
            input: body(request)?,
        }),
        ("GET", ["2015-03-31", "functions"]) => {
            let page = page_request(&query, "MaxItems", "Marker", "InvalidParameterValueException")?;
            Ok(Request::ListFunctions { page })
        }
        ("GET", ["2015-03-31", "functions", function]) => Ok(Request::GetFunction {
            function: name(function),
            qualifier,
        }),
        ("DELETE", ["2015-03-31", "functions", function]) => Ok(Request::DeleteFunction {
            function: name(function),
            qualifier,
        }),
        ("GET", ["2015-03-31", "functions", function, "configuration"]) => {
            Ok(Request::GetFunctionConfiguration {
                function: name(function),
                qualifier,
            })
        }
        ("PUT", ["2015-03-31", "functions", function, "configuration"]) => {
            Ok(Request::UpdateFunctionConfiguration {
                function: name(function),
                input: body(request)?,
            })
        }
        ("PUT", ["2015-03-31", "functions", function, "code"]) => Ok(Request::UpdateFunctionCode {
            function: name(function),
            input: body(request)?,
        }),
        ("POST", ["2015-03-31", "functions", function, "versions"]) => {
            let description = body::<PublishInput>(request)?.description;
            Ok(Request::PublishVersion {
                function: name(function),
                description,
            })
        }
        ("POST", ["2015-03-31", "functions", function, "aliases"]) => Ok(Request::CreateAlias {
            function: name(function),
            input: body(request)?,
        }),
        ("GET", ["2015-03-31", "functions", function, "aliases", alias]) => Ok(Request::GetAlias {
            function: name(function),
            name: name(alias),
        }),
        ("POST", ["2015-03-31", "functions", function, "policy"]) => Ok(Request::AddPermission {
            function: name(function),
            qualifier,
            input: body(request)?,
        }),
        ("GET", ["2015-03-31", "functions", function, "policy"]) => Ok(Request::GetPolicy {
            function: name(function),
            qualifier,
        }),
        ("DELETE", ["2015-03-31", "functions", function, "policy", statement]) => {
            Ok(Request::RemovePermission {
                function: name(function),
                qualifier,
                statement: name(statement),
                revision: query.owned("RevisionId"),
            })
        }
        ("POST", ["2017-03-31", "tags", arn]) => Ok(Request::TagResource {
            arn: name(arn),
            tags: body::<TagsInput>(request)?.tags,
        }),
        ("DELETE", ["2017-03-31", "tags", arn]) => Ok(Request::UntagResource {
            arn: name(arn),
            keys: query.all("tagKeys"),
        }),
        ("GET", ["2017-03-31", "tags", arn]) => Ok(Request::ListTags { arn: name(arn) }),
        _ => Err(not_modelled(request)),
    }
}

/// The status of success by operation (service model, D).
pub(crate) fn success(operation: &str) -> u16 {
    match operation {
        "CreateFunction" | "PublishVersion" | "CreateAlias" | "AddPermission" => 201,
        "DeleteFunction" | "RemovePermission" | "TagResource" | "UntagResource" => 204,
        _ => 200,
    }
}

/// Lambda's shapes spell the text's member in two ways (service model, D).
pub(crate) fn refusal(request_id: &str, refusal: &Refusal) -> Response<Bytes> {
    let kind = if refusal.status < 500 { "User" } else { "Server" };
    let text = refusal.message.as_str();
    let members = match refusal.code.as_str() {
        "ResourceNotFoundException" | "ServiceException" => json!({ "Type": kind, "Message": text }),
        _ => json!({ "Type": kind, "message": text }),
    };
    super::refusal(request_id, refusal, &members)
}
