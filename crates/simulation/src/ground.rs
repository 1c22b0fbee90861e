//! What is in AWS before a life: the user's functions, and things of others that nobody may touch.

use crate::{
    ACCOUNT, REGION,
    scenario::{ISSUER, OTHER_ISSUER},
    world::EPOCH,
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_apigatewayv2::types::ProtocolType;
use aws_sdk_lambda::{
    primitives::Blob,
    types::{FunctionCode, Runtime},
};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use jwthttpapi_sandbox::{
    Clock, Issuers, Options, SMALLEST_ARCHIVE, Sandbox, Settings, Timestamp, model::Account,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// A client of somebody else.
pub(crate) fn stranger(sandbox: &Sandbox) -> SdkConfig {
    let credentials = Credentials::new("AKIDSTRANGER", "secret", None, None, "simulation");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(sandbox.clone())
        .build()
}

/// What every life begins with.
#[derive(Clone, Debug)]
pub struct Ground {
    /// AWS.
    pub sandbox: Sandbox,
    /// Everything in it.
    pub before: Arc<Value>,
}

/// An account with three functions, and with an API and a role of others that look like the operator's.
pub fn ground() -> Ground {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let settings = Settings::default()
            .patched(&json!({"function_role_must_be_assumable": false, "page_size": 1000}))
            .expect("switches");
        let sandbox = Sandbox::new(Options {
            account: Account {
                id: ACCOUNT.into(),
                partition: "aws".into(),
            },
            region: REGION.into(),
            seed: 0,
            settings,
            clock: Clock::tokio(Timestamp(EPOCH)),
            issuers: Issuers::Table(BTreeSet::from([ISSUER.to_owned(), OTHER_ISSUER.to_owned()])),
        });
        furnish(&stranger(&sandbox)).await;
        let before = Arc::new(sandbox.state());
        Ground { sandbox, before }
    })
}

async fn furnish(config: &SdkConfig) {
    let lambda = aws_sdk_lambda::Client::new(config);
    for name in ["one", "two", "three"] {
        let code = FunctionCode::builder()
            .zip_file(Blob::new(SMALLEST_ARCHIVE))
            .build();
        let function = lambda
            .create_function()
            .function_name(name)
            .handler("index.handler")
            .runtime(Runtime::Nodejs22x)
            .role(format!("arn:aws:iam::{ACCOUNT}:role/x"))
            .code(code);
        function.send().await.expect("a function");
    }
    let permission = lambda
        .add_permission()
        .function_name("one")
        .statement_id("somebody-elses")
        .action("lambda:InvokeFunction")
        .principal("events.amazonaws.com");
    permission.send().await.expect("a permission");
    let gateway = aws_sdk_apigatewayv2::Client::new(config);
    let api = gateway
        .create_api()
        .name("demo-hello")
        .protocol_type(ProtocolType::Http)
        .tags("jwthttpapi.dev/cluster", "another-cluster/another-uid")
        .tags("jwthttpapi.dev/namespace", "demo")
        .tags("jwthttpapi.dev/name", "hello");
    api.send().await.expect("an API");
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ]});
    let iam = aws_sdk_iam::Client::new(config);
    let role = iam
        .create_role()
        .path("/jwthttpapi/")
        .role_name("jwthttpapi-eu-central-1-000000000000")
        .assume_role_policy_document(trust.to_string());
    role.send().await.expect("a role");
}
