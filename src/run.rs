//! The composition root: clients, cluster, leadership, controller, server; and the order in which they end.

use crate::{
    aws::{self, Aws, Rate},
    cli::Settings,
    controller::{self, Cache, Cluster, Context, Periods},
    fence::Fence,
    leader::{self, Elector},
    metrics::{Metrics, RequestMetrics},
    server::{self, Health},
};
use jwthttpapi_core::model::Policy;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    client::ClientBuilder,
    runtime::events::{Recorder, Reporter},
};
use prometheus_client::registry::Registry;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{net::TcpListener, signal::unix::SignalKind, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tower::timeout::TimeoutLayer;

/// How long the API server may take to begin an answer. A watch's answer begins at once and is not cut.
const ANSWER: Duration = Duration::from_secs(10);
/// The same for the lease: a renewal that takes longer is worth nothing.
const LEASE_ANSWER: Duration = Duration::from_secs(5);
/// How long an unanswered create may still be on its way.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the process ends with a failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong: say which, and what to type.
    #[error("{0}")]
    Configuration(String),
    /// The cluster cannot be used.
    #[error("the Kubernetes API server: {0}")]
    Kubernetes(String),
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
            Self::Kubernetes(_) | Self::LeadershipLost | Self::Ended(_) => 1,
        }
    }
}

/// The `CustomResourceDefinition`, as YAML.
pub fn crds() -> String {
    serde_saphyr::to_string(&jwthttpapi_core::api::crd()).unwrap_or_default()
}

/// Runs the operator until it is told to stop.
///
/// # Errors
/// When a setting is wrong, the cluster cannot be used, or leadership is lost.
pub fn run(settings: Settings) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Ended(format!("cannot start: {error}")))?;
    runtime.block_on(Box::pin(operate(settings)))
}

/// Puts everything together, in the order in which it ends.
async fn operate(settings: Settings) -> Result<(), Error> {
    let stop = stop_on_signals()?;
    let mut registry = Registry::default();
    let (client, elections, own_namespace) = clients(&RequestMetrics::register(&mut registry)).await?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| Error::Configuration(format!("--listen {}: {error}", settings.listen)))?;
    let address = listener
        .local_addr()
        .map_err(|error| Error::Ended(error.to_string()))?;
    let fence = if settings.leader_elect {
        Fence::closed()
    } else {
        Fence::open()
    };
    let metrics = Metrics::new(&mut registry);
    let aws = Aws::connect(aws_settings(&settings), fence.clone(), &mut registry)
        .await
        .map_err(|error| Error::Configuration(error.to_string()))?;
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");

    let (store, writer) = controller::cache();
    let me = leader::identity();
    let ctx = context(&settings, &client, aws, store, &me, &metrics).await?;
    let health = Health::default();

    // Three tokens, in the order in which things end: `stop` asks, `drained` says that no reconcile runs any more, `ended` lets
    // the probes go last.
    let (drained, ended) = (CancellationToken::new(), CancellationToken::new());
    let mut tasks: JoinSet<Result<(), Error>> = JoinSet::new();
    let serving = server::serve(listener, health.clone(), metrics.clone(), registry, ended.clone());
    tasks.spawn(async move {
        serving
            .await
            .map_err(|error| Error::Ended(format!("the server failed: {error}")))
    });
    let beating = health.clone().beat(ended.clone());
    tasks.spawn(async move {
        beating.await;
        Ok(())
    });
    let stopping = (stop.clone(), health.clone(), ctx.clone());
    tasks.spawn(async move {
        let (stop, health, ctx) = stopping;
        stop.cancelled().await;
        health.stopping();
        ctx.stopping.store(true, Ordering::Relaxed);
        Ok(())
    });
    let (begin, begins) = tokio::sync::mpsc::unbounded_channel::<()>();
    let begins = futures::stream::unfold(begins, |mut begins| async move {
        begins.recv().await.map(|()| ((), begins))
    });
    let controlling = controller::run(
        client,
        writer,
        ctx.clone(),
        settings.concurrency,
        health,
        begins,
        stop.clone(),
    );
    let all_drained = drained.clone().drop_guard();
    tasks.spawn(async move {
        controlling.await;
        drop(all_drained);
        Ok(())
    });

    let begin = || {
        ctx.leading.store(true, Ordering::Relaxed);
        let _ = begin.send(());
    };
    if settings.leader_elect {
        let namespace = settings.lease_namespace.as_deref().unwrap_or(&own_namespace);
        let elector = Elector::new(elections, namespace, me, fence, metrics);
        lead(elector, begin, &stop, &drained).await?;
    } else {
        metrics.leading(true);
        begin();
    }
    drained.cancelled().await;
    ended.cancel();
    if !stop.is_cancelled() {
        return Err(Error::Ended("the controller ended".to_owned()));
    }
    while let Some(task) = tasks.join_next().await {
        task.map_err(|error| Error::Ended(error.to_string()))??;
    }
    Ok(())
}

/// Leads until everything has drained, and gives the lease away only then: nobody else begins while a step is in flight.
async fn lead(
    mut elector: Elector,
    begin: impl FnOnce(),
    stop: &CancellationToken,
    drained: &CancellationToken,
) -> Result<(), Error> {
    if !elector.acquire(stop).await {
        return Ok(());
    }
    tracing::info!("leading");
    begin();
    if elector.keep(drained).await == leader::Ended::Lost {
        return Err(Error::LeadershipLost);
    }
    elector.release().await;
    Ok(())
}

/// What every reconcile needs, by the settings.
async fn context(
    settings: &Settings,
    client: &Client,
    aws: Aws,
    store: Cache,
    me: &str,
    metrics: &Metrics,
) -> Result<Arc<Context>, Error> {
    let cluster = cluster(client, settings.cluster_id.clone()).await?;
    let reporter = Reporter {
        controller: "jwthttpapi.dev/operator".to_owned(),
        instance: Some(me.to_owned()),
    };
    let policy = Policy {
        allowed_functions: settings.allowed_functions.clone(),
        passable_roles: settings.passable_roles.clone(),
    };
    let in_flight = if settings.list_settle.is_zero() {
        Duration::ZERO
    } else {
        WRITE_TIMEOUT
    };
    let periods = Periods {
        settle: settings.list_settle + in_flight,
        iam_settle: settings.iam_settle,
        resync: settings.resync,
        rate: (settings.apigateway_rate > 0.0).then_some(settings.apigateway_rate),
    };
    metrics.concurrency(settings.concurrency);
    Ok(Arc::new(Context::new(
        client.clone(),
        aws,
        store,
        Recorder::new(client.clone(), reporter),
        metrics.clone(),
        policy,
        periods,
        cluster,
    )))
}

fn aws_settings(settings: &Settings) -> aws::Settings {
    let rate = |per_second, burst| Rate { per_second, burst };
    aws::Settings {
        region: settings.aws_region.clone(),
        endpoint_url: settings.aws_endpoint_url.clone(),
        apigateway: rate(settings.apigateway_rate, settings.apigateway_burst),
        lambda: rate(settings.lambda_rate, settings.apigateway_burst),
        iam: rate(settings.iam_rate, settings.apigateway_burst),
        ..aws::Settings::default()
    }
}

/// Two clients that never retry by themselves and never wait for an answer without end: one for the objects, one for the
/// lease. With them, the namespace that the process runs in.
async fn clients(metrics: &RequestMetrics) -> Result<(Client, Client, String), Error> {
    let unusable = |error: &dyn std::fmt::Display| {
        Error::Configuration(format!(
            "no usable Kubernetes configuration: {error}; run in a cluster, or set KUBECONFIG"
        ))
    };
    let mut config = kube::Config::infer().await.map_err(|error| unusable(&error))?;
    config.default_retry = false;
    config.connect_timeout = Some(LEASE_ANSWER);
    let namespace = config.default_namespace.clone();
    let counting = metrics.layer(config.cluster_url.authority().map_or("", |host| host.as_str()));
    let client = |answer| {
        let builder = ClientBuilder::try_from(config.clone()).map_err(|error| unusable(&error))?;
        let builder = builder.with_layer(&TimeoutLayer::new(answer));
        Ok::<_, Error>(builder.with_layer(&counting).build())
    };
    Ok((client(ANSWER)?, client(LEASE_ANSWER)?, namespace))
}

async fn cluster(client: &Client, given: Option<String>) -> Result<Cluster, Error> {
    let namespace = Api::<Namespace>::all(client.clone())
        .get("kube-system")
        .await
        .map_err(|error| Error::Kubernetes(format!("cannot read the namespace kube-system: {error}")))?;
    let kube_system = namespace.uid().unwrap_or_default();
    Ok(Cluster {
        id: given.unwrap_or_else(|| kube_system.clone()),
        kube_system,
    })
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
