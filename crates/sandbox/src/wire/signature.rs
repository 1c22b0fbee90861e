//! The credential scope of a signed request, and when it was signed. The signature itself is not verified: whoever
//! reaches the sandbox may use it, and the access key only tells callers apart.

use bytes::Bytes;
use http::{Request, header};

use super::Service;
use crate::model::Timestamp;

/// Who is calling what, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) access_key: String,
    /// What goes with the key of a session.
    pub(crate) token: Option<String>,
    /// None in requests that need no signature.
    pub(crate) region: Option<String>,
    pub(crate) service: Service,
    /// None in requests that do not say so, or not legibly, in `X-Amz-Date`: these are of any time.
    pub(crate) signed: Option<Timestamp>,
}

impl Signature {
    /// `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`. A scope of another service
    /// (such as `execute-api`) is none of ours.
    pub(crate) fn of(request: &Request<Bytes>) -> Option<Self> {
        let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
        let credential = value
            .strip_prefix("AWS4-HMAC-SHA256")?
            .trim_start()
            .strip_prefix("Credential=")?;
        let scope: Vec<&str> = credential.split(',').next()?.split('/').collect();
        match scope.as_slice() {
            [access_key, _date, region, service, "aws4_request"] => Some(Self {
                access_key: (*access_key).to_owned(),
                token: text(request, "x-amz-security-token").map(str::to_owned),
                region: Some((*region).to_owned()),
                service: Service::named(service)?,
                signed: text(request, "x-amz-date").and_then(Timestamp::from_signed),
            }),
            _ => None,
        }
    }

    pub(crate) fn none(service: Service) -> Self {
        Self {
            access_key: String::new(),
            token: None,
            region: None,
            service,
            signed: None,
        }
    }
}

fn text<'a>(request: &'a Request<Bytes>, header: &str) -> Option<&'a str> {
    request.headers().get(header)?.to_str().ok()
}
