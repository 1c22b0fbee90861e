//! What an operator's process has, over the ground's services.

use super::super::{Cluster, Context, Periods, cache};
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
use kube::runtime::events::{Recorder, Reporter};
use prometheus_client::registry::Registry;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use wildmatch::WildMatch;

/// What the operator's process has; it leads.
pub(super) fn context(
    kubernetes: &ApiServer,
    sandbox: &Sandbox,
    cluster: Cluster,
    delete_orphans: bool,
    iam_settle: Duration,
) -> (Arc<Context>, Registry) {
    let mut registry = Registry::default();
    let aws = Aws::new(
        config(sandbox, "AKIDOPERATOR"),
        Settings {
            iam_settle,
            ..Settings::default()
        },
        Fence::open(),
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
        cache().0,
        Recorder::new(client, reporter),
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
    (Arc::new(ctx), registry)
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
