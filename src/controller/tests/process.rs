//! What an operator's process has, over the ground's services.

use super::super::{Cluster, Context, Guarded, Periods, cache};
use super::ground::{DEPLOY_SETTLE, REGION, RESYNC, SETTLE};
use crate::{
    api_server::ApiServer,
    aws::{Aws, Settings},
    clock::Clock,
    fence::Fence,
    metrics::Metrics,
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use jwthttpapi_core::model::Policy;
use jwthttpapi_sandbox::Sandbox;
use kube::runtime::{events::Reporter, reflector::store::Writer};
use prometheus_client::registry::Registry;
use std::sync::{Arc, atomic::Ordering};
use wildmatch::WildMatch;

/// The operator's process; it leads.
pub(super) struct Process {
    pub(super) ctx: Arc<Context>,
    pub(super) registry: Registry,
    /// What holds its writes back.
    pub(super) fence: Fence,
    /// Fills its cache.
    pub(super) watch: Writer<Guarded>,
}

pub(super) fn process(
    kubernetes: &ApiServer,
    sandbox: &Sandbox,
    cluster: Cluster,
    delete_orphans: bool,
    settings: Settings,
) -> Process {
    let (store, watch) = cache();
    let mut registry = Registry::default();
    let iam_settle = settings.iam_settle;
    let fence = Fence::open();
    let aws = Aws::new(
        config(sandbox, "AKIDOPERATOR"),
        settings,
        fence.clone(),
        &mut registry,
    );
    let client = kubernetes.client();
    let reporter = Reporter {
        controller: "test".into(),
        instance: None,
    };
    let ctx = Context::new(
        client.clone(),
        aws.unwrap(),
        store,
        reporter,
        Metrics::new(&mut registry),
        Policy {
            allowed_functions: vec![WildMatch::new("*")],
            ..Policy::default()
        },
        Periods {
            settle: SETTLE,
            iam_settle,
            deploy_settle: DEPLOY_SETTLE,
            resync: RESYNC,
        },
        cluster,
        delete_orphans,
        Clock::system(),
    );
    ctx.leading.store(true, Ordering::Relaxed);
    Process {
        ctx: Arc::new(ctx),
        registry,
        fence,
        watch,
    }
}

/// A way to AWS with somebody's key.
pub(super) fn config(sandbox: &Sandbox, key: &str) -> SdkConfig {
    let credentials = Credentials::new(key, "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(sandbox.clone())
        .build()
}
