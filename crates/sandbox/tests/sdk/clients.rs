//! Sandboxes on a paused clock, and SDK clients for them.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_apigatewayv2::{
    config::{
        BehaviorVersion, Credentials, IdentityCache, Region, StalledStreamProtectionConfig,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    types::{AuthorizerType, IntegrationType, JwtConfiguration, ProtocolType},
};
use jwthttpapi_sandbox::{Account, Clock, Issuers, Options, Sandbox, Settings, Timestamp};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://issuer.example/";
pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:hello";

/// A sandbox in memory, whose only issuer is [`ISSUER`].
pub(crate) fn sandbox(settings: Value) -> Sandbox {
    Sandbox::new(Options {
        account: Account {
            id: "123456789012".into(),
            partition: "aws".into(),
        },
        region: "eu-central-1".into(),
        seed: 1,
        settings: Settings::default().patched(&settings).unwrap(),
        clock: Clock::tokio(Timestamp(1_800_000_000_000)),
        issuers: Issuers::Table(BTreeSet::from([ISSUER.to_owned()])),
    })
}

macro_rules! client {
    ($name:ident, $sdk:ident) => {
        pub(crate) fn $name(sandbox: &Sandbox) -> $sdk::Client {
            let config = $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("eu-central-1"))
                .credentials_provider(Credentials::new(
                    "AKIDSANDBOX",
                    "secret",
                    None,
                    None,
                    "test",
                ))
                .identity_cache(IdentityCache::no_cache())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .retry_config(RetryConfig::disabled())
                .timeout_config(
                    TimeoutConfig::builder()
                        .operation_timeout(Duration::from_secs(5))
                        .build(),
                )
                .http_client(sandbox.clone())
                .build();
            $sdk::Client::from_conf(config)
        }
    };
}

client!(gateway, aws_sdk_apigatewayv2);
client!(functions, aws_sdk_lambda);
client!(iam, aws_sdk_iam);
client!(logs, aws_sdk_cloudwatchlogs);
client!(sts, aws_sdk_sts);

/// The status and code of an error answer.
pub(crate) fn refused<T, E, R>(answer: Result<T, SdkError<E, R>>) -> (u16, String)
where
    E: ProvideErrorMetadata,
    R: HasStatus,
{
    match answer {
        Err(SdkError::ServiceError(error)) => (
            error.raw().status(),
            error.err().code().unwrap_or_default().to_owned(),
        ),
        Err(other) => panic!("there was no answer: {other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

/// What the raw responses of all clients have.
pub(crate) trait HasStatus {
    fn status(&self) -> u16;
}

impl HasStatus for aws_sdk_apigatewayv2::config::http::HttpResponse {
    fn status(&self) -> u16 {
        Self::status(self).as_u16()
    }
}

pub(crate) async fn create_api(client: &aws_sdk_apigatewayv2::Client) -> String {
    let answer = client
        .create_api()
        .name("api")
        .protocol_type(ProtocolType::Http)
        .send()
        .await
        .unwrap();
    answer.api_id().unwrap().to_owned()
}

pub(crate) async fn create_integration(client: &aws_sdk_apigatewayv2::Client, api: &str) -> String {
    let request = client
        .create_integration()
        .api_id(api)
        .integration_type(IntegrationType::AwsProxy);
    let answer = request
        .integration_uri(FUNCTION)
        .payload_format_version("2.0")
        .send()
        .await
        .unwrap();
    answer.integration_id().unwrap().to_owned()
}

pub(crate) async fn create_authorizer(
    client: &aws_sdk_apigatewayv2::Client,
    api: &str,
    name: &str,
) -> String {
    let answer = client
        .create_authorizer()
        .api_id(api)
        .name(name)
        .authorizer_type(AuthorizerType::Jwt)
        .identity_source("$request.header.Authorization")
        .jwt_configuration(
            JwtConfiguration::builder()
                .issuer(ISSUER)
                .audience("audience")
                .build(),
        )
        .send()
        .await;
    answer.unwrap().authorizer_id().unwrap().to_owned()
}

pub(crate) fn trust(service: &str) -> String {
    let statement =
        json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}
