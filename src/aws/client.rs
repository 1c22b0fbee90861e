//! The SDK's clients: made once, with a deadline on every call, and without retries where a second try could double something.

use super::credentials::Source;
use super::network::Network;
use super::operation::Service;
use super::pace::Bucket;
use super::settings::Settings;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_apigatewayv2::config::retry::RetryPartition;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jwthttpapi_core::planted;
use std::sync::Arc;
use std::time::Duration;

/// How long a write may take, from its sending to its whole answer. An observation that is to be believed after an
/// unanswered write begins at least this much later.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read may take, its retries included.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A read is sent once more when its first try fails in passing.
const READ_ATTEMPTS: u32 = 2;

/// The configuration that all clients share, read from where the SDK finds it (environment, web identity, container, profile,
/// instance): Region, credentials and transport. Nothing is asked of AWS yet. Credentials are looked for whenever they are
/// needed, the rest once.
pub async fn load(settings: &Settings, network: &Network) -> SdkConfig {
    let found = loader(settings, network).load().await;
    // A source that looks again must find the same Region without asking for it.
    let settings = Settings {
        region: found.region().map(ToString::to_string),
        ..settings.clone()
    };
    let source = SharedCredentialsProvider::new(Source::new(settings, network.clone()));
    found.into_builder().credentials_provider(source).build()
}

/// Where the SDK looks for its configuration.
pub(super) fn loader(settings: &Settings, network: &Network) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(network.client.clone());
    if let Ok(name) = AppName::new("jwthttpapi") {
        loader = loader.app_name(name);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader
}

/// The clients of one service in one Region, and its budget.
#[derive(Debug)]
pub(super) struct Line<C> {
    /// For what changes nothing: tried twice.
    pub(super) reads: C,
    /// For what may change something: sent once.
    pub(super) writes: C,
    pub(super) bucket: Arc<Bucket>,
}

/// Whose token a client takes for what it sends again by itself.
#[derive(Debug)]
struct Retries(Arc<Bucket>);

impl Intercept for Retries {
    fn name(&self) -> &'static str {
        "RetriesTakeTokens"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config
            .load::<RequestAttempts>()
            .is_some_and(|attempts| attempts.attempts() > 1)
        {
            self.0.debit();
        }
        Ok(())
    }
}

fn timeouts(whole: Duration) -> TimeoutConfig {
    planted!(NoTimeouts => {
        return TimeoutConfig::disabled();
    });
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(whole)
        .operation_timeout(whole)
        .build()
}

/// The SDK keeps the state of retries in statics, shared by all clients of a service unless each has a partition of its own.
fn partition(service: Service, region: &str) -> RetryPartition {
    RetryPartition::custom(format!("{service}-{region}")).build()
}

macro_rules! line {
    ($name:ident, $sdk:ident) => {
        pub(super) fn $name(
            shared: &SdkConfig,
            region: Option<&str>,
            bucket: Arc<Bucket>,
        ) -> Line<$sdk::Client> {
            let builder = || {
                let builder = $sdk::config::Builder::from(shared);
                match region {
                    Some(region) => builder.region(Region::new(region.to_owned())),
                    None => builder,
                }
            };
            let reads = builder()
                .retry_config(RetryConfig::standard().with_max_attempts(READ_ATTEMPTS))
                .retry_partition(partition(bucket.service(), region.unwrap_or_default()))
                .timeout_config(timeouts(READ_TIMEOUT))
                .interceptor(Retries(Arc::clone(&bucket)));
            let writes = builder()
                .retry_config(if planted!(SdkRetries) {
                    RetryConfig::standard()
                } else {
                    RetryConfig::disabled()
                })
                .timeout_config(timeouts(WRITE_TIMEOUT));
            Line {
                reads: $sdk::Client::from_conf(reads.build()),
                writes: $sdk::Client::from_conf(writes.build()),
                bucket,
            }
        }
    };
}

line!(api_gateway, aws_sdk_apigatewayv2);
line!(lambda, aws_sdk_lambda);
line!(logs, aws_sdk_cloudwatchlogs);
line!(iam, aws_sdk_iam);
line!(sts, aws_sdk_sts);
