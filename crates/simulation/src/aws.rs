//! AWS as one process of the operator reaches it: the sandbox, with the world's faults before it.

use crate::{
    oracle::is_write,
    world::{Asked, Delivery, Instance, Service, World, digest},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame};
use std::{
    io,
    pin::Pin,
    task::{self, Poll},
};

/// What texts of errors carry that are for nobody's eyes.
pub(crate) const CANARY: &str = "canary-encoded-message";

/// A way to AWS for one process.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    world: World,
    instance: Instance,
}

impl Aws {
    /// A way to AWS for one process.
    pub(crate) fn new(world: World, instance: Instance) -> Self {
        Self { world, instance }
    }
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { world, instance } = self.clone();
        HttpConnectorFuture::new(async move {
            let asked = asked(&request);
            let _under_way = is_write(&asked.name).then(|| UnderWay::begin(&world, instance));
            if asked.name == "GET apis/*" {
                world.oracle().looks_at_aws(world.sandbox());
            }
            let (sandbox, watched) = (world.sandbox().clone(), world.clone());
            let commit = async move {
                let answer = HttpConnector::call(&sandbox, request).await;
                watched.judge();
                answer
            };
            match world.deliver(instance, asked, commit).await {
                Delivery::Answer(answer) => answer,
                Delivery::Half(answer) => answer.and_then(|answer| halve(&answer)),
                Delivery::Garbage(answer) => {
                    answer.and_then(|answer| respond(answer.status().as_u16(), SdkBody::from("<html>")))
                }
                Delivery::Status(status) => {
                    let body = format!(r#"{{"message":"simulated trouble {CANARY}"}}"#);
                    respond(status, SdkBody::from(body))
                }
                Delivery::Reset => Err(ConnectorError::io("the simulated connection broke".into())),
            }
        })
    }
}

/// A write that its sender waits for.
struct UnderWay(World, Instance);

impl UnderWay {
    fn begin(world: &World, instance: Instance) -> Self {
        world.oracle().under_way(instance, true);
        Self(world.clone(), instance)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.oracle().under_way(self.1, false);
    }
}

fn respond(status: u16, body: SdkBody) -> Result<HttpResponse, ConnectorError> {
    let status = status
        .try_into()
        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
    Ok(HttpResponse::new(status, body))
}

fn halve(response: &HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let whole = response.body().bytes().unwrap_or_default();
    let half = Bytes::copy_from_slice(whole.get(..whole.len() / 2).unwrap_or_default());
    respond(
        response.status().as_u16(),
        SdkBody::from_body_1_x(Half(Some(half))),
    )
}

/// The first half of a body, whose rest was announced and does not come.
struct Half(Option<Bytes>);

impl Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let half = self.0.take().map(Frame::data);
        Poll::Ready(Some(half.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())))
    }
}

fn asked(request: &HttpRequest) -> Asked {
    let headers = request.headers().iter();
    let headers = headers.flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    let body = request.body().bytes().unwrap_or_default();
    Asked {
        service: Service::Aws,
        part: part(request),
        name: name(request),
        digest: digest(
            [request.method(), request.uri()]
                .map(str::as_bytes)
                .into_iter()
                .chain(headers)
                .chain([body]),
        ),
        // The SDK counts its attempts there.
        again: request
            .headers()
            .get("amz-sdk-request")
            .is_some_and(|counted| !counted.contains("attempt=1")),
    }
}

/// Which of AWS's services a request is for.
fn part(request: &HttpRequest) -> &'static str {
    let host = request.uri().split_once("://").map_or("", |(_, rest)| rest);
    let known = ["apigateway", "lambda", "iam", "logs", "sts"];
    let of_host = known
        .into_iter()
        .find(|part| host.strip_prefix(part).is_some_and(|rest| rest.starts_with('.')));
    of_host.unwrap_or("aws")
}

/// What a request asks, without the ids of a life: `POST apis/*/routes`, `CreateRole`.
fn name(request: &HttpRequest) -> String {
    if let Some(body) = request.body().bytes()
        && let Ok(text) = std::str::from_utf8(body)
        && let Some(action) = text.split('&').find_map(|pair| pair.strip_prefix("Action="))
    {
        return action.to_owned();
    }
    if let Some((_, action)) = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.split_once('.'))
    {
        return action.to_owned();
    }
    let path = request.uri().split_once("://").map_or("", |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    let path = path.split('?').next().unwrap_or_default();
    // Version, then collections and ids by turns; a tag's resource is an ARN.
    let segments = path.split('/').skip(1).enumerate();
    let words: Vec<&str> = segments
        .map(|(index, segment)| if index % 2 == 0 { segment } else { "*" })
        .collect();
    format!("{} {}", request.method(), words.join("/"))
}
