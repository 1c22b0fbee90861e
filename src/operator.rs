//! The operator put together: what every reconcile needs, the controller, leadership, and the order in which they end.

use crate::{
    aws::{self, Aws, Rate, SdkConfig},
    cli::{DefaultInvocation, Scope, Settings},
    clock::Clock,
    controller::{self, Cluster, Context, Parts, Periods},
    fence::Fence,
    leader::{self, Elector},
    metrics::Metrics,
    run::Error,
    server::Health,
};
use jwthttpapi_core::api::InvocationMode;
use jwthttpapi_core::model::Policy;
use jwthttpapi_core::planted;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt, runtime::events::Reporter};
use prometheus_client::registry::Registry;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

/// The operator's ways to the world, and who it is there.
#[derive(Clone)]
pub struct Ways {
    /// To the objects. It bounds every answer in time and never retries by itself.
    pub client: Client,
    /// To the lease: the same with a shorter time.
    pub elections: Client,
    /// The namespace that the process runs in.
    pub namespace: String,
    /// To AWS: Region, credentials, transport.
    pub aws: SdkConfig,
    /// What other replicas call this process.
    pub identity: String,
    /// The time of day.
    pub clock: Clock,
}

/// An operator that is ready to run.
pub struct Operator {
    parts: Parts,
    elector: Option<Elector>,
    health: Health,
    metrics: Metrics,
}

impl Operator {
    /// Puts it together. It asks the API server for the cluster's id, and AWS for nothing yet.
    ///
    /// # Errors
    /// When a setting is wrong or the API server does not tell.
    pub async fn new(settings: &Settings, ways: Ways, registry: &mut Registry) -> Result<Self, Error> {
        settings
            .check()
            .map_err(|problem| Error::Configuration(problem.to_owned()))?;
        let metrics = Metrics::new(registry);
        metrics.concurrency(settings.concurrency);
        metrics.leading(false);
        // What is counted is known with the first pass; an alert compares with it from now on.
        metrics.resync(settings.resync);
        let fence = if settings.leader_elect {
            Fence::closed()
        } else {
            Fence::open()
        };
        let aws = Aws::new(ways.aws, aws_settings(settings), fence.clone(), registry)
            .map_err(|error| Error::Configuration(error.to_string()))?;
        let (store, writer) = controller::cache();
        let reporter = Reporter {
            controller: "jwthttpapi.dev/operator".to_owned(),
            instance: Some(ways.identity.clone()),
        };
        let ctx = Context::new(
            ways.client.clone(),
            aws,
            store,
            reporter,
            metrics.clone(),
            policy(settings),
            periods(settings),
            cluster(&ways.client, &settings.scope).await?,
            settings.delete_orphans,
            ways.clock.clone(),
        );
        let namespace = settings.lease_namespace.as_ref().unwrap_or(&ways.namespace);
        let elector = settings.leader_elect.then(|| {
            Elector::new(
                ways.elections,
                namespace,
                ways.identity,
                fence,
                metrics.clone(),
                ways.clock,
            )
        });
        let health = Health::default();
        Ok(Self {
            parts: Parts {
                client: ways.client,
                writer,
                ctx: Arc::new(ctx),
                concurrency: settings.concurrency,
                health: health.clone(),
            },
            elector,
            health,
            metrics,
        })
    }

    /// What the probes tell of it.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// What it counts.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Runs until `stop` and until everything that was begun has ended.
    ///
    /// # Errors
    /// When leadership is lost, or something ends that must not.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        // Three tokens, in the order in which things end: `stop` asks, `drained` says that no reconcile runs any more, `ended`
        // lets the heartbeat go last.
        let (drained, ended) = (CancellationToken::new(), CancellationToken::new());
        let Self {
            parts,
            elector,
            health,
            metrics,
        } = self;
        let ctx = parts.ctx.clone();
        let mut tasks: JoinSet<()> = JoinSet::new();
        tasks.spawn(health.clone().beat(ended.clone()));
        let stopping = (stop.clone(), ctx.clone());
        tasks.spawn(async move {
            let (stop, ctx) = stopping;
            stop.cancelled().await;
            health.stopping();
            ctx.stopping.store(true, Ordering::Relaxed);
            ctx.aws.stop();
        });
        let (begin, begins) = mpsc::unbounded_channel::<()>();
        let begins = futures::stream::unfold(begins, |mut begins| async move {
            begins.recv().await.map(|()| ((), begins))
        });
        let controlling = controller::run(parts, begins, stop.clone());
        // Drained is what has ended both the reconciles and the look for orphans; without the former there is no latter.
        let all_drained = drained.clone().drop_guard();
        let sweeping = stop.child_token();
        let swept = controller::orphans::sweep(ctx.clone(), sweeping.clone());
        tasks.spawn(async move {
            let controlled = async {
                controlling.await;
                sweeping.cancel();
            };
            tokio::join!(controlled, swept);
            drop(all_drained);
        });
        let begin = || {
            ctx.leading.store(true, Ordering::Relaxed);
            let _ = begin.send(());
        };
        if let Some(elector) = elector {
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
            task.map_err(|error| Error::Ended(error.to_string()))?;
        }
        Ok(())
    }
}

/// Leads until everything has drained, and gives the lease away only then: nobody else begins while a step is in flight.
async fn lead(
    mut elector: Elector,
    begin: impl FnOnce(),
    stop: &CancellationToken,
    drained: &CancellationToken,
) -> Result<(), Error> {
    let acquired = tokio::select! {
        biased;
        acquired = elector.acquire(stop) => acquired,
        () = ended_by_itself(stop, drained) => false,
    };
    if !acquired {
        return Ok(());
    }
    tracing::info!("leading");
    begin();
    let until = if planted!(ReleasedTooEarly) { stop } else { drained };
    if elector.keep(until).await == leader::Ended::Lost {
        planted!(LeadsOn => {
            drained.cancelled().await;
            return Ok(());
        });
        return Err(Error::LeadershipLost);
    }
    elector.release().await;
    Ok(())
}

/// Waits until everything has drained although nobody asked for it: a follower of which nothing is left need not wait for its turn.
async fn ended_by_itself(stop: &CancellationToken, drained: &CancellationToken) {
    drained.cancelled().await;
    if stop.is_cancelled() {
        std::future::pending::<()>().await;
    }
}

/// The settings of the AWS side.
pub(crate) fn aws_settings(settings: &Settings) -> aws::Settings {
    let rate = |per_second, Rate { burst, .. }| Rate { per_second, burst };
    aws::Settings {
        apigateway: Rate {
            per_second: settings.apigateway_rate,
            burst: settings.apigateway_burst,
        },
        lambda: rate(settings.lambda_rate, Rate::LAMBDA),
        iam: rate(settings.iam_rate, Rate::IAM),
        logs: rate(settings.logs_rate, Rate::LOGS),
        iam_settle: settings.iam_settle,
        deploy_settle: settings.deploy_settle,
        ..aws_scope(&settings.scope)
    }
}

/// The same for one who only reads now and then.
pub(crate) fn aws_scope(scope: &Scope) -> aws::Settings {
    aws::Settings {
        region: scope.aws_region.clone(),
        endpoint_url: scope.aws_endpoint_url.clone(),
        ..aws::Settings::default()
    }
}

fn policy(settings: &Settings) -> Policy {
    Policy {
        allowed_functions: settings.allowed_functions.clone(),
        passable_roles: settings.passable_roles.clone(),
        permissions_boundary: settings.permissions_boundary.clone(),
        role_path: settings.role_path.clone(),
        default_tags: settings.default_tags.clone().unwrap_or_default(),
        default_invocation: match settings.default_invocation {
            DefaultInvocation::Role => InvocationMode::Role,
            DefaultInvocation::ResourcePolicy => InvocationMode::ResourcePolicy,
        },
    }
}

fn periods(settings: &Settings) -> Periods {
    let in_flight = if settings.list_settle.is_zero() {
        Duration::ZERO
    } else {
        aws::WRITE_TIMEOUT
    };
    Periods {
        settle: settings.list_settle + in_flight,
        iam_settle: settings.iam_settle,
        deploy_settle: settings.deploy_settle,
        resync: settings.resync,
    }
}

/// Reads who the cluster is; where only some namespaces are looked after, rights to that are not asked for.
pub(crate) async fn cluster(client: &Client, scope: &Scope) -> Result<Cluster, Error> {
    let namespaces = scope.watch_namespaces.clone();
    if let (Some(id), false) = (&scope.cluster_id, namespaces.is_empty()) {
        return Ok(Cluster {
            id: id.clone(),
            kube_system: None,
            namespaces,
            replaced: Vec::new(),
        });
    }
    let namespace = kube_system(client).await?;
    let kube_system = namespace.uid().unwrap_or_default();
    Ok(Cluster {
        id: scope.cluster_id.clone().unwrap_or_else(|| kube_system.clone()),
        kube_system: Some(kube_system),
        namespaces,
        replaced: scope.reclaim_from.clone(),
    })
}

/// An API server that fails in passing does so for everybody: a process that ended for it would be started ever more slowly.
async fn kube_system(client: &Client) -> Result<Namespace, Error> {
    let namespaces = Api::<Namespace>::all(client.clone());
    let until = Instant::now() + FIRST_ANSWER;
    loop {
        let error = match namespaces.get("kube-system").await {
            Ok(namespace) => return Ok(namespace),
            Err(error) => error,
        };
        let is_refused = matches!(&error, kube::Error::Api(status) if (400..500).contains(&status.code) && status.code != 429);
        if is_refused || Instant::now() >= until {
            let problem = format!("cannot read the namespace kube-system: {error}");
            return Err(Error::Kubernetes(problem));
        }
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the API server does not answer yet"
        );
        sleep(BETWEEN_ANSWERS).await;
    }
}

/// How long a process that starts waits for the API server: less than its startup probe does.
const FIRST_ANSWER: Duration = Duration::from_secs(45);
/// How long between two tries.
const BETWEEN_ANSWERS: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
