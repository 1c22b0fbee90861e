//! awsJson 1.1: the operation is in the header `X-Amz-Target`, the members in JSON.

pub(super) mod logs;

use bytes::Bytes;
use http::{Request as HttpRequest, Response};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{response, with_header};
use crate::model::error::Refusal;

const JSON: &str = "application/x-amz-json-1.1";

/// The operation that a header such as `Logs_20140328.CreateLogGroup` names.
fn operation<'a>(request: &'a HttpRequest<Bytes>, target_prefix: &str) -> &'a str {
    let target = request.headers().get("x-amz-target");
    target
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.strip_prefix(target_prefix)?.strip_prefix('.'))
        .unwrap_or_default()
}

fn body<T: DeserializeOwned>(request: &HttpRequest<Bytes>) -> Result<T, Refusal> {
    let text: &[u8] = if request.body().is_empty() {
        b"{}"
    } else {
        request.body()
    };
    serde_json::from_slice(text)
        .map_err(|error| Refusal::new(400, "SerializationException", error.to_string()))
}

/// An operation without output answers an empty body (O).
pub(super) fn answer(request_id: &str, answer: &Value) -> Response<Bytes> {
    let text = if answer.is_null() {
        String::new()
    } else {
        answer.to_string()
    };
    with_header(response(200, JSON, text), "x-amzn-requestid", request_id)
}

/// The code stands in the body alone (O).
pub(super) fn refusal(request_id: &str, refusal: &Refusal) -> Response<Bytes> {
    let mut members = Map::from_iter([
        ("__type".to_owned(), Value::from(refusal.code.as_str())),
        ("message".to_owned(), refusal.message.as_str().into()),
    ]);
    members.extend(
        refusal
            .details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into())),
    );
    let text = Value::Object(members).to_string();
    with_header(
        response(refusal.status, JSON, text),
        "x-amzn-requestid",
        request_id,
    )
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn an_error_is_told_by_type_and_message_in_the_body_alone() {
        let exists = Refusal::new(400, "ResourceAlreadyExistsException", "It exists");
        let response = refusal("1", &exists);
        assert_eq!(
            response.body(),
            r#"{"__type":"ResourceAlreadyExistsException","message":"It exists"}"#
        );
        assert_eq!(response.headers()[CONTENT_TYPE], "application/x-amz-json-1.1");
        assert!(!response.headers().contains_key("x-amzn-errortype"));
    }

    #[test]
    fn the_operation_is_what_the_target_names_of_this_service() {
        let asking = |target: &str| {
            let request = HttpRequest::builder().header("X-Amz-Target", target);
            let request = request.body(Bytes::new()).unwrap();
            operation(&request, "Logs_20140328").to_owned()
        };
        assert_eq!(asking("Logs_20140328.CreateLogGroup"), "CreateLogGroup");
        assert_eq!(asking("DynamoDB_20120810.CreateTable"), "");
        assert_eq!(asking("Logs_20140328"), "");
    }
}
