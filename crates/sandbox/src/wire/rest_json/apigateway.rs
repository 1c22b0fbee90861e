//! API Gateway v2 on the wire.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request as HttpRequest, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{body, not_modelled, page_request, query};
use crate::{
    model::{apigateway::Request, error::Refusal, paging::PageRequest},
    wire::uri::segments,
};

#[derive(Deserialize)]
struct TagsInput {
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(crate) fn decode(request: &HttpRequest<Bytes>) -> Result<Request, Refusal> {
    let path = segments(request.uri().path());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["v2", "apis", rest @ ..] => apis(request, rest),
        ["v2", "tags", arn] => tags(request, arn),
        _ => Err(not_modelled(request)),
    }
}

fn apis(request: &HttpRequest<Bytes>, path: &[&str]) -> Result<Request, Refusal> {
    match path {
        [] => match request.method().as_str() {
            "POST" => Ok(Request::CreateApi {
                input: body(request)?,
            }),
            "GET" => Ok(Request::GetApis { page: page(request)? }),
            _ => Err(not_modelled(request)),
        },
        [api] => {
            let api = (*api).to_owned();
            match request.method().as_str() {
                "GET" => Ok(Request::GetApi { api }),
                "PATCH" => Ok(Request::UpdateApi {
                    api,
                    input: body(request)?,
                }),
                "DELETE" => Ok(Request::DeleteApi { api }),
                _ => Err(not_modelled(request)),
            }
        }
        [api, kind] => children(request, (*api).to_owned(), kind),
        [api, kind, id] => child(request, (*api).to_owned(), kind, (*id).to_owned()),
        [api, "stages", name, "accesslogsettings"] if request.method() == http::Method::DELETE => {
            Ok(Request::DeleteAccessLogSettings {
                api: (*api).to_owned(),
                name: (*name).to_owned(),
            })
        }
        [api, "stages", name, "routesettings", key] if request.method() == http::Method::DELETE => {
            let (api, name, key) = ((*api).to_owned(), (*name).to_owned(), (*key).to_owned());
            Ok(Request::DeleteRouteSettings { api, name, key })
        }
        _ => Err(not_modelled(request)),
    }
}

fn children(request: &HttpRequest<Bytes>, api: String, kind: &str) -> Result<Request, Refusal> {
    match (request.method().as_str(), kind) {
        ("DELETE", "cors") => Ok(Request::DeleteCorsConfiguration { api }),
        ("POST", "authorizers") => Ok(Request::CreateAuthorizer {
            api,
            input: body(request)?,
        }),
        ("GET", "authorizers") => Ok(Request::GetAuthorizers {
            api,
            page: page(request)?,
        }),
        ("POST", "integrations") => Ok(Request::CreateIntegration {
            api,
            input: body(request)?,
        }),
        ("GET", "integrations") => Ok(Request::GetIntegrations {
            api,
            page: page(request)?,
        }),
        ("POST", "routes") => Ok(Request::CreateRoute {
            api,
            input: body(request)?,
        }),
        ("GET", "routes") => Ok(Request::GetRoutes {
            api,
            page: page(request)?,
        }),
        ("POST", "stages") => Ok(Request::CreateStage {
            api,
            input: body(request)?,
        }),
        ("GET", "stages") => Ok(Request::GetStages {
            api,
            page: page(request)?,
        }),
        _ => Err(not_modelled(request)),
    }
}

fn child(request: &HttpRequest<Bytes>, api: String, kind: &str, id: String) -> Result<Request, Refusal> {
    match (request.method().as_str(), kind) {
        ("GET", "authorizers") => Ok(Request::GetAuthorizer { api, id }),
        ("PATCH", "authorizers") => Ok(Request::UpdateAuthorizer {
            api,
            id,
            input: body(request)?,
        }),
        ("DELETE", "authorizers") => Ok(Request::DeleteAuthorizer { api, id }),
        ("GET", "integrations") => Ok(Request::GetIntegration { api, id }),
        ("PATCH", "integrations") => Ok(Request::UpdateIntegration {
            api,
            id,
            input: body(request)?,
        }),
        ("DELETE", "integrations") => Ok(Request::DeleteIntegration { api, id }),
        ("GET", "routes") => Ok(Request::GetRoute { api, id }),
        ("PATCH", "routes") => Ok(Request::UpdateRoute {
            api,
            id,
            input: body(request)?,
        }),
        ("DELETE", "routes") => Ok(Request::DeleteRoute { api, id }),
        ("GET", "stages") => Ok(Request::GetStage { api, name: id }),
        ("PATCH", "stages") => Ok(Request::UpdateStage {
            api,
            name: id,
            input: body(request)?,
        }),
        ("DELETE", "stages") => Ok(Request::DeleteStage { api, name: id }),
        _ => Err(not_modelled(request)),
    }
}

fn tags(request: &HttpRequest<Bytes>, arn: &str) -> Result<Request, Refusal> {
    let arn = arn.to_owned();
    match request.method().as_str() {
        "POST" => Ok(Request::TagResource {
            arn,
            tags: body::<TagsInput>(request)?.tags,
        }),
        "DELETE" => Ok(Request::UntagResource {
            arn,
            keys: query(request).all("tagKeys"),
        }),
        "GET" => Ok(Request::GetTags { arn }),
        _ => Err(not_modelled(request)),
    }
}

fn page(request: &HttpRequest<Bytes>) -> Result<PageRequest, Refusal> {
    page_request(&query(request), "maxResults", "nextToken", "BadRequestException")
}

/// The status of success by operation (service model, D).
pub(crate) fn success(operation: &str) -> u16 {
    if operation.starts_with("Create") || operation == "TagResource" {
        201
    } else if operation.starts_with("Delete") || operation == "UntagResource" {
        204
    } else {
        200
    }
}

pub(crate) fn refusal(request_id: &str, refusal: &Refusal) -> Response<Bytes> {
    let mut members = Map::from_iter([("message".to_owned(), Value::from(refusal.message.as_str()))]);
    members.extend(
        refusal
            .details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into())),
    );
    super::refusal(request_id, refusal, &Value::Object(members))
}
