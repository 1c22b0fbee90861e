//! The in-memory transport: an HTTP client for the AWS SDK that hands requests to a sandbox. Latency is slept on
//! Tokio's clock, which tests can pause.

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};

use crate::{
    reply::{Closed, Reply},
    sandbox::{Outcome, Sandbox},
};

impl HttpConnector for Sandbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.clone();
        HttpConnectorFuture::new(async move {
            let request = incoming(&request).map_err(|error| ConnectorError::user(Box::new(error)))?;
            match sandbox.handle(request).await {
                Outcome::Answer(response) => outgoing(&response, SdkBody::from(response.body().clone())),
                Outcome::Cut(response, length) => {
                    let body = SdkBody::from_body_1_x(Reply::cut(response.body(), length));
                    outgoing(&response, body)
                }
                Outcome::Reset => Err(ConnectorError::io(Box::new(Closed::Fault))),
            }
        })
    }
}

impl HttpClient for Sandbox {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Bodies of the modelled operations are always in memory.
fn incoming(request: &HttpRequest) -> http::Result<Request<Bytes>> {
    let mut builder = Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    let body = Bytes::copy_from_slice(request.body().bytes().unwrap_or_default());
    builder.body(body)
}

fn outgoing(response: &Response<Bytes>, body: SdkBody) -> Result<HttpResponse, ConnectorError> {
    let status = response.status().as_u16().try_into();
    let status = status.map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut answer = HttpResponse::new(status, body);
    for (name, value) in response.headers() {
        if let Ok(value) = value.to_str() {
            answer
                .headers_mut()
                .insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(answer)
}
