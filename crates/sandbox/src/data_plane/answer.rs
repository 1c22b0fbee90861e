//! An answer of the data plane, and the ones that API Gateway gives by itself.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::json;

/// Status, headers and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// Names in lower case; a name may occur more than once.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without headers and body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// `{"message": …}`, the form of every answer that API Gateway gives by itself.
    pub fn message(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "message": message }))
    }

    /// An answer of the media type JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
        }
    }

    /// No route, no API, or its endpoint is disabled (O; the last I).
    pub fn not_found() -> Self {
        Self::message(404, "Not Found")
    }

    /// Whoever it is may not (O).
    pub fn forbidden() -> Self {
        Self::message(403, "Forbidden")
    }

    /// The function failed, answered badly or may not be invoked (D).
    pub fn internal_server_error() -> Self {
        Self::message(500, "Internal Server Error")
    }

    /// The integration took too long (O).
    pub fn service_unavailable() -> Self {
        Self::message(503, "Service Unavailable")
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }
}

impl From<Answer> for Response<Bytes> {
    /// What HTTP cannot carry is left out; results of functions are checked for it before ([`super::payload::response`]).
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.body);
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in answer.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
