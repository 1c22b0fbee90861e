//! query-XML: the operation and its members are a form, the answer is XML.

pub(super) mod iam;
pub(super) mod sts;
mod xml;

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::{Parameters, Service, response, with_header};
use crate::model::error::Refusal;

const XML: &str = "text/xml";

/// A form with what queries need of it.
struct Form(Parameters);

impl Form {
    fn parse(body: &Bytes) -> Self {
        Self(Parameters::parse(&String::from_utf8_lossy(body)))
    }

    fn action(&self) -> String {
        self.0.owned("Action").unwrap_or_default()
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.0.owned(name).ok_or_else(|| {
            let text =
                format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint");
            Refusal::new(400, "ValidationError", text)
        })
    }

    fn optional(&self, name: &str) -> Option<String> {
        self.0.owned(name)
    }

    /// `<name>.member.1`, `<name>.member.2`, …
    fn members(&self, name: &str) -> Vec<String> {
        (1..)
            .map_while(|index| self.0.owned(&format!("{name}.member.{index}")))
            .collect()
    }

    /// A number, when there is one.
    fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Refusal> {
        let malformed = || Refusal::new(400, "ValidationError", format!("Invalid value for {name}"));
        self.0
            .get(name)
            .map(|text| text.parse().map_err(|_| malformed()))
            .transpose()
    }
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Iam | Service::ApiGateway | Service::Lambda | Service::Logs => {
            "https://iam.amazonaws.com/doc/2010-05-08/"
        }
    }
}

pub(super) fn answer(service: Service, operation: &str, request_id: &str, answer: &Value) -> Response<Bytes> {
    let namespace = namespace(service);
    let mut result = String::new();
    xml::write(&mut result, &format!("{operation}Result"), answer);
    let text = format!(
        "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId>\
         </ResponseMetadata></{operation}Response>"
    );
    with_header(response(200, XML, text), "x-amzn-requestid", request_id)
}

pub(super) fn refusal(service: Service, request_id: &str, refusal: &Refusal) -> Response<Bytes> {
    let kind = if refusal.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let text = format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        namespace(service),
        xml::escaped(&refusal.code),
        xml::escaped(&refusal.message),
    );
    with_header(
        response(refusal.status, XML, text),
        "x-amzn-requestid",
        request_id,
    )
}
