//! rest-json: the operation is in method and path, the members in JSON.

pub(super) mod apigateway;
pub(super) mod lambda;

use bytes::Bytes;
use http::{Request as HttpRequest, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Parameters, response, with_header};
use crate::model::{error::Refusal, paging::PageRequest};

const JSON: &str = "application/json";

/// Reads the members in the body; an empty body has none.
fn body<T: DeserializeOwned>(request: &HttpRequest<Bytes>) -> Result<T, Refusal> {
    let text: &[u8] = if request.body().is_empty() {
        b"{}"
    } else {
        request.body()
    };
    serde_json::from_slice(text)
        .map_err(|error| Refusal::new(400, "SerializationException", error.to_string()))
}

fn query(request: &HttpRequest<Bytes>) -> Parameters {
    Parameters::parse(request.uri().query().unwrap_or_default())
}

/// The page that is asked for. A number is a string on the wire (D).
fn page_request(
    parameters: &Parameters,
    size: &str,
    token: &str,
    code: &str,
) -> Result<PageRequest, Refusal> {
    let malformed = || Refusal::new(400, code, format!("Invalid value for {size}"));
    let max_results = match parameters.get(size) {
        None => None,
        Some(text) => Some(text.parse().ok().filter(|size| *size > 0).ok_or_else(malformed)?),
    };
    Ok(PageRequest {
        max_results,
        token: parameters.owned(token),
    })
}

pub(super) fn answer(status: u16, request_id: &str, answer: &Value) -> Response<Bytes> {
    let text = if answer.is_null() {
        String::new()
    } else {
        answer.to_string()
    };
    with_header(response(status, JSON, text), "x-amzn-requestid", request_id)
}

fn refusal(request_id: &str, refusal: &Refusal, members: &Value) -> Response<Bytes> {
    let answer = answer(refusal.status, request_id, members);
    with_header(answer, "x-amzn-errortype", &refusal.code)
}

fn not_modelled(request: &HttpRequest<Bytes>) -> Refusal {
    Refusal::not_modelled(&format!("{} {}", request.method(), request.uri().path()))
}
