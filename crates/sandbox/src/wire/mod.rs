//! The wire protocols: rest-json for API Gateway v2 and Lambda, query-XML for IAM and STS, awsJson for CloudWatch Logs.

mod aws_json;
mod query;
mod rest_json;
mod signature;
mod uri;

use bytes::Bytes;
use http::{HeaderValue, Request as HttpRequest, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::{signature::Signature, uri::Parameters};
use crate::model::{Request, error::Refusal};

/// The services that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// API Gateway v2.
    ApiGateway,
    /// Lambda.
    Lambda,
    /// IAM.
    Iam,
    /// STS.
    Sts,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// The name in a credential scope, in IAM actions and in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiGateway => "apigateway",
            Self::Lambda => "lambda",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Logs => "logs",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::ApiGateway, Self::Lambda, Self::Iam, Self::Sts, Self::Logs]
            .into_iter()
            .find(|service| service.name() == name)
    }
}

/// Whom an HTTP request is for.
#[derive(Clone, Debug)]
pub(crate) enum Addressee {
    /// A service of AWS.
    Aws(Signature),
    /// `/_sandbox/…`, with the rest of the path.
    Control(String),
    /// An API that the sandbox serves.
    DataPlane,
}

/// Reads the credential scope; requests without one are for the sandbox itself or for an API. The one AWS operation
/// of interest that is not signed is `AssumeRoleWithWebIdentity`.
pub(crate) fn addressee(request: &HttpRequest<Bytes>) -> Addressee {
    if let Some(signature) = Signature::of(request) {
        return Addressee::Aws(signature);
    }
    let path = request.uri().path();
    if let Some(rest) = path.strip_prefix("/_sandbox/")
        && !rest.starts_with("invoke/")
    {
        return Addressee::Control(rest.to_owned());
    }
    let form = request.method() == http::Method::POST && path == "/";
    if form
        && request
            .body()
            .windows(32)
            .any(|window| window == b"Action=AssumeRoleWithWebIdentity")
    {
        return Addressee::Aws(Signature::none(Service::Sts));
    }
    Addressee::DataPlane
}

/// Understands a request.
pub(crate) fn decode(service: Service, request: &HttpRequest<Bytes>) -> Result<Request, Refusal> {
    match service {
        Service::ApiGateway => rest_json::apigateway::decode(request).map(Request::ApiGateway),
        Service::Lambda => rest_json::lambda::decode(request).map(Request::Lambda),
        Service::Iam => query::iam::decode(request.body()).map(Request::Iam),
        Service::Sts => query::sts::decode(request.body()).map(Request::Sts),
        Service::Logs => aws_json::logs::decode(request).map(Request::Logs),
    }
}

/// Writes the answer of an operation that was carried out.
pub(crate) fn encode(service: Service, operation: &str, request_id: &str, answer: &Value) -> Response<Bytes> {
    match service {
        Service::ApiGateway => {
            rest_json::answer(rest_json::apigateway::success(operation), request_id, answer)
        }
        Service::Lambda => rest_json::answer(rest_json::lambda::success(operation), request_id, answer),
        Service::Iam | Service::Sts => query::answer(service, operation, request_id, answer),
        Service::Logs => aws_json::answer(request_id, answer),
    }
}

/// Writes an error.
pub(crate) fn encode_refusal(service: Service, request_id: &str, refusal: &Refusal) -> Response<Bytes> {
    match service {
        Service::ApiGateway => rest_json::apigateway::refusal(request_id, refusal),
        Service::Lambda => rest_json::lambda::refusal(request_id, refusal),
        Service::Iam | Service::Sts => query::refusal(service, request_id, refusal),
        Service::Logs => aws_json::refusal(request_id, refusal),
    }
}

/// A response with a body of a known type.
pub(crate) fn response(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn with_header(mut response: Response<Bytes>, name: &'static str, value: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
