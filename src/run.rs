//! The process: its ways to the world by the settings, its probes, and the signals that end it.

use crate::{
    aws::{self, Network},
    cli::{Scope, Settings},
    clock::Clock,
    leader,
    metrics::{RequestMetrics, RequestMetricsLayer, process},
    operator::{self, Operator, Ways},
    server,
    verify::{self, Findings},
};
use kube::{Client, client::ClientBuilder};
use prometheus_client::registry::Registry;
use std::{num::NonZero, time::Duration};
use tokio::{net::TcpListener, runtime::Runtime, signal::unix::SignalKind};
use tokio_util::sync::CancellationToken;
use tower::timeout::TimeoutLayer;

/// How long the API server may take to begin an answer. A watch's answer begins at once and is not cut.
const ANSWER: Duration = Duration::from_secs(10);
/// The same for the lease: a renewal that takes longer is worth nothing.
const LEASE_ANSWER: Duration = Duration::from_secs(5);
/// For how long the body of an answer may show nothing. A watch that shows nothing is ended by the API server before
/// (kube asks it to after 290 s).
const SILENCE: Duration = Duration::from_secs(300);
/// Threads that work is done on.
const MOST_THREADS: usize = 4;
/// How long whoever asks for metrics or health may take when everything else has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Why the process ends with a failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong: say which, and what to type.
    #[error("{0}")]
    Configuration(String),
    /// The cluster cannot be used.
    #[error("the Kubernetes API server: {0}")]
    Kubernetes(String),
    /// AWS cannot be read.
    #[error("AWS: {0}")]
    Aws(String),
    /// Leadership was lost.
    #[error("leadership was lost; the process ends so that nothing is written without it")]
    LeadershipLost,
    /// Something else ended that must not.
    #[error("{0}")]
    Ended(String),
}

impl Error {
    /// 2 for what the caller typed, 1 for the rest.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Configuration(_) => 2,
            Self::Kubernetes(_) | Self::Aws(_) | Self::LeadershipLost | Self::Ended(_) => 1,
        }
    }
}

/// The `CustomResourceDefinition`, as YAML.
///
/// # Errors
/// When it cannot be written down: never.
pub fn crds() -> Result<String, Error> {
    serde_saphyr::to_string(&jwthttpapi_core::api::crd()).map_err(|error| Error::Ended(error.to_string()))
}

/// Runs the operator until it is told to stop.
///
/// # Errors
/// When a setting is wrong, the cluster cannot be used, or leadership is lost.
pub fn run(settings: Settings) -> Result<(), Error> {
    runtime()?.block_on(Box::pin(serve(settings)))
}

/// Compares the account with the cluster.
///
/// # Errors
/// When a setting is wrong, or the cluster or AWS cannot be read.
pub fn verify(scope: &Scope) -> Result<Findings, Error> {
    scope
        .check()
        .map_err(|problem| Error::Configuration(problem.to_owned()))?;
    runtime()?.block_on(Box::pin(async {
        let mut registry = Registry::default();
        let ways = ways(&operator::aws_scope(scope), &mut registry).await?;
        verify::verify(scope, ways).await
    }))
}

/// Few threads, on however large a node: the work is waiting.
fn runtime() -> Result<Runtime, Error> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_THREADS))
        .enable_all()
        .build()
        .map_err(|error| Error::Ended(format!("cannot start: {error}")))
}

/// The process's ways to the world.
async fn ways(aws: &aws::Settings, registry: &mut Registry) -> Result<Ways, Error> {
    let network = Network::from_env().map_err(|error| Error::Configuration(error.to_string()))?;
    let (client, elections, namespace) = clients(&RequestMetrics::register(registry), &network).await?;
    Ok(Ways {
        client,
        elections,
        namespace,
        aws: aws::load(aws, &network).await,
        identity: leader::identity(),
        clock: Clock::system(),
    })
}

async fn serve(settings: Settings) -> Result<(), Error> {
    let stop = stop_on_signals()?;
    let mut registry = Registry::default();
    process::register(&mut registry);
    let ways = ways(&operator::aws_settings(&settings), &mut registry).await?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| Error::Configuration(format!("--listen {}: {error}", settings.listen)))?;
    let address = listener
        .local_addr()
        .map_err(|error| Error::Ended(error.to_string()))?;
    let operator = Operator::new(&settings, ways, &mut registry);
    let operator = tokio::select! {
        biased;
        // Nothing was begun while the API server was waited for.
        () = stop.cancelled() => return Ok(()),
        operator = operator => operator?,
    };
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");

    // The probes answer until the operator has ended.
    let ended = CancellationToken::new();
    let serving = server::serve(
        listener,
        operator.health(),
        operator.metrics(),
        registry,
        ended.clone(),
    );
    let running = async {
        let result = operator.run(stop).await;
        ended.cancel();
        result
    };
    let serving = async {
        let late = async {
            ended.cancelled().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            biased;
            served = serving => served.map_err(|error| Error::Ended(format!("the server failed: {error}"))),
            // A request that never ends keeps nobody.
            () = late => Ok(()),
        }
    };
    tokio::try_join!(running, serving)?;
    Ok(())
}

/// Leaves proxies to AWS. Beside a kubeconfig kube reads `HTTPS_PROXY`, too: the API server is where the operator is.
fn go_straight(config: &mut kube::Config, network: &Network) -> Result<(), Error> {
    let proxy = config.proxy_url.take();
    let other = proxy.is_some_and(|proxy| !network.leads_through(&proxy));
    // Its address, which may hold a password, is not for the log.
    (!other).then_some(()).ok_or_else(|| {
        Error::Configuration(
            "the kubeconfig names a proxy to the API server (proxy-url), which this program does not take: use a context that needs none, or run in the cluster".to_owned(),
        )
    })
}

/// Two clients that never retry by themselves and never wait for an answer without end: one for the objects, one for the
/// lease. With them, the namespace that the process runs in.
async fn clients(metrics: &RequestMetrics, network: &Network) -> Result<(Client, Client, String), Error> {
    let unusable = |error: &dyn std::fmt::Display| {
        Error::Configuration(format!(
            "no usable Kubernetes configuration: {error}; run in a cluster, or set KUBECONFIG"
        ))
    };
    let mut config = kube::Config::infer().await.map_err(|error| unusable(&error))?;
    config.default_retry = false;
    config.connect_timeout = Some(LEASE_ANSWER);
    go_straight(&mut config, network)?;
    let namespace = config.default_namespace.clone();
    let counting = metrics.layer(config.cluster_url.authority().map_or("", |host| host.as_str()));
    let client =
        |answer, silence| client(&config, &counting, answer, silence).map_err(|error| unusable(&error));
    Ok((
        client(ANSWER, SILENCE)?,
        client(LEASE_ANSWER, LEASE_ANSWER)?,
        namespace,
    ))
}

/// A client that begins to hear an answer within one time, and to whom the body of one is not silent for longer than another.
fn client(
    config: &kube::Config,
    counting: &RequestMetricsLayer,
    answer: Duration,
    silence: Duration,
) -> kube::Result<Client> {
    let mut config = config.clone();
    config.read_timeout = Some(silence);
    config.reset_reader_on_write = true;
    let builder = ClientBuilder::try_from(config)?.with_layer(&TimeoutLayer::new(answer));
    Ok(builder.with_layer(counting).build())
}

/// The first signal asks to stop, a second one stops at once.
fn stop_on_signals() -> Result<CancellationToken, Error> {
    let failed = |error: std::io::Error| Error::Ended(format!("cannot listen to signals: {error}"));
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = tokio::signal::unix::signal(SignalKind::interrupt()).map_err(failed)?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                biased;
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if asked.is_cancelled() {
                std::process::exit(1);
            }
            tracing::info!("stopping");
            asked.cancel();
        }
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Pod;
    use kube::{Api, api::ListParams};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn the_proxy_to_aws_is_left_to_aws_and_another_one_is_refused_without_its_password() {
        let network = Network::of(|name| (name == "HTTPS_PROXY").then(|| "http://aws.example:3128".into()));
        let network = network.unwrap();
        let with = |proxy: Option<&str>| {
            let mut config = kube::Config::new("https://cluster.example".parse().unwrap());
            config.proxy_url = proxy.map(|proxy| proxy.parse().unwrap());
            go_straight(&mut config, &network).map(|()| config.proxy_url)
        };
        for proxy in [None, Some("http://aws.example:3128")] {
            assert_eq!(with(proxy).unwrap(), None, "{proxy:?}");
        }
        let said = with(Some("http://me:secret@cluster.example:3128")).unwrap_err();
        let said = said.to_string();
        assert!(said.contains("proxy-url") && !said.contains("secret"), "{said}");
    }

    /// Without an end to it one such list would blind the operator for ever.
    #[tokio::test]
    async fn a_list_whose_body_falls_silent_is_an_error() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let config = kube::Config::new(
            format!("http://{}", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
        );
        let counting = RequestMetrics::register(&mut Registry::default()).layer("here");
        let client = client(
            &config,
            &counting,
            Duration::from_secs(60),
            Duration::from_millis(50),
        )
        .unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            let begun =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"kind\":";
            stream.write_all(begun.as_bytes()).await.unwrap();
            // Until the other side has gone.
            while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
        });
        let (pods, all) = (Api::<Pod>::all(client), ListParams::default());
        let listed = tokio::time::timeout(Duration::from_secs(30), pods.list(&all)).await;
        assert!(listed.unwrap().is_err());
        server.await.unwrap();
    }
}
