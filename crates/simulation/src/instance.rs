//! One process of the real operator, over the simulated services.

use crate::{
    aws::Aws,
    kubernetes::ApiServer,
    world::{Instance, World},
};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use jwthttpapi::{
    aws::SdkConfig,
    cli::Settings,
    clock::Clock,
    operator::{Operator, Ways},
    run::Error,
};
use kube::Client;
use prometheus_client::registry::Registry;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::{BoxError, ServiceBuilder};

/// The secret that nothing may show.
pub(crate) const SECRET: &str = "canary-secret-access-key";

/// A process that runs.
pub(crate) struct Running {
    /// Which one.
    pub(crate) instance: Instance,
    /// Its end.
    pub(crate) ended: JoinHandle<Result<(), Error>>,
    /// Asks it to stop.
    pub(crate) stop: CancellationToken,
}

/// Starts a process.
pub(crate) fn start(world: &World, settings: &Settings) -> Running {
    let instance = world.start();
    let stop = CancellationToken::new();
    let client = |seconds| {
        let service = ServiceBuilder::new()
            .map_err(|error: BoxError| error)
            .timeout(Duration::from_secs(seconds))
            .service(ApiServer::new(world.clone(), instance));
        Client::new(service, "jwthttpapi-system")
    };
    let clock = world.clone();
    let ways = Ways {
        client: client(10),
        elections: client(5),
        namespace: "jwthttpapi-system".to_owned(),
        aws: aws(world, instance),
        identity: format!("operator-{instance}"),
        clock: Clock::new(move || clock.now()),
    };
    let (settings, stopped, world) = (settings.clone(), stop.clone(), world.clone());
    let ended = tokio::spawn(async move {
        let _end = End(world.clone());
        let mut registry = Registry::default();
        let operator = Operator::new(&settings, ways, &mut registry).await?;
        world.state().metrics.push(registry);
        operator.run(stopped).await
    });
    Running {
        instance,
        ended,
        stop,
    }
}

/// Tells the driver that a process has ended, however it did.
struct End(World);

impl Drop for End {
    fn drop(&mut self) {
        self.0.announce();
    }
}

fn aws(world: &World, instance: Instance) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(crate::REGION))
        .credentials_provider(SharedCredentialsProvider::new(Source(world.clone())))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .time_source(SharedTimeSource::new(TimeOfDay(world.clone())))
        .http_client(Aws::new(world.clone(), instance))
        .build()
}

/// Where credentials come from.
#[derive(Debug)]
struct Source(World);

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let key = self.0.state().key;
        let credentials = key.map(|key| Credentials::new(key, SECRET, None, None, "simulation"));
        future::ProvideCredentials::ready(
            credentials.ok_or_else(|| CredentialsError::not_loaded("the simulated source is empty")),
        )
    }
}

#[derive(Debug)]
struct TimeOfDay(World);

impl TimeSource for TimeOfDay {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}
