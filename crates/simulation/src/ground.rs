//! What is in AWS before a life: the user's functions, and things of others that nobody may touch.

use crate::{
    ACCOUNT, KUBE_SYSTEM, NEIGHBOUR, REGION,
    fault::Schedule,
    instance,
    oracle::{Oracle, is_ready},
    scenario::{ISSUER, OTHER_ISSUER, Scenario},
    world::{EPOCH, World},
};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_apigatewayv2::types::ProtocolType;
use aws_sdk_iam::types::Tag;
use aws_sdk_lambda::{
    Client as Lambda,
    primitives::Blob,
    types::{FunctionCode, Runtime},
};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use jwthttpapi_core::{
    api::DeletionPolicy,
    model::{
        Owner,
        name::{RoleName, execution_role_name, function_name, log_group, role_name, statement_id},
    },
};
use jwthttpapi_sandbox::{
    Clock, Issuers, Options, SMALLEST_ARCHIVE, Sandbox, Settings, Timestamp, model::Account,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

/// The uid of another object of this cluster, whose API is elsewhere: what carries it is nobody's to touch.
pub(crate) const STRANGER: &str = "99999999-9999-4999-8999-999999999999";
/// The uid of another object of this cluster, where there is one that works.
const NEIGHBOURS: &str = "88888888-8888-4888-8888-888888888888";
/// What the role is called that the user's functions run under.
const USERS_ROLE: &str = "users";
/// What the role is called that the stranger's functions run under.
const THEIRS: &str = "theirs";

fn stranger_owner() -> Owner {
    owner(STRANGER, "demo", "stranger")
}

/// Another object of this cluster.
fn owner(uid: &str, namespace: &str, name: &str) -> Owner {
    Owner {
        cluster: KUBE_SYSTEM.to_owned(),
        kube_system: Some(KUBE_SYSTEM.to_owned()),
        uid: uid.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Whether a uid is that of another object of this cluster.
pub(crate) fn is_anothers(uid: &str) -> bool {
    [STRANGER, NEIGHBOURS].contains(&uid)
}

/// Whether a statement id is that of the object of a life.
pub(crate) fn is_own_statement(id: &str) -> bool {
    static OTHERS: LazyLock<[String; 2]> = LazyLock::new(|| {
        let neighbour = owner(NEIGHBOURS, &NEIGHBOUR.namespace, &NEIGHBOUR.name);
        [&stranger_owner(), &neighbour].map(statement_id)
    });
    id.starts_with("jwthttpapi-") && !OTHERS.iter().any(|other| other == id)
}

/// The ARN of its role.
pub(crate) fn stranger_role() -> String {
    let RoleName { path, name } = role_name(&stranger_owner(), REGION);
    format!("arn:aws:iam::{ACCOUNT}:role{path}{name}")
}

/// The ARN of its function.
pub(crate) fn stranger_function() -> String {
    let name = function_name(&stranger_owner(), THEIRS);
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

/// A client of somebody else.
pub(crate) fn stranger(sandbox: &Sandbox) -> SdkConfig {
    let credentials = Credentials::new("AKIDSTRANGER", "secret", None, None, "simulation");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .time_source(SharedTimeSource::new(RightTime(sandbox.clone())))
        .http_client(sandbox.clone())
        .build()
}

/// AWS's own time, whatever the operator's clock shows.
#[derive(Debug)]
struct RightTime(Sandbox);

impl TimeSource for RightTime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.now().0)
    }
}

/// How long before a life each of these came, in milliseconds: no list lacks them any more.
const LONG_BEFORE: u64 = 2 * 86_400_000;
const BEFORE: u64 = 86_400_000;

/// What lives begin with.
#[derive(Clone, Debug)]
pub struct Ground {
    /// With no other object that works.
    pub alone: Beginning,
    /// With one, on the same functions.
    pub beside: Beginning,
}

/// What one life begins with.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// AWS.
    pub sandbox: Sandbox,
    /// Everything in it.
    pub before: Arc<Value>,
    /// The other object that works.
    pub neighbour: Option<Arc<Value>>,
}

/// An account with three functions, with an API and a role of others that look like the operator's, and with what the operator
/// made for another object.
pub fn ground() -> Ground {
    // What the operator draws for the other object is the same at every run, too.
    jwthttpapi_entropy::seeded(0, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(prepare())
    })
    .expect("a ground")
}

async fn prepare() -> Ground {
    let settings = Settings::default()
        .patched(&json!({
            "function_role_must_be_assumable": false, "page_size": 1000, "signatures_expire": true,
        }))
        .expect("switches");
    let sandbox = Sandbox::new(Options {
        account: Account {
            id: ACCOUNT.into(),
            partition: "aws".into(),
        },
        region: REGION.into(),
        seed: 0,
        settings,
        clock: Clock::tokio(Timestamp(EPOCH - LONG_BEFORE)),
        issuers: Issuers::Table(BTreeSet::from([ISSUER.to_owned(), OTHER_ISSUER.to_owned()])),
    });
    furnish(&stranger(&sandbox)).await;
    let alone = Beginning {
        before: Arc::new(sandbox.state()),
        sandbox,
        neighbour: None,
    };
    let beside = settle(&alone).await;
    Ground { alone, beside }
}

/// The same with another object, for which the operator has done what it asks for.
async fn settle(alone: &Beginning) -> Beginning {
    let scenario = Scenario::bare();
    let sandbox = alone.sandbox.fork(Clock::tokio(Timestamp(EPOCH - BEFORE)), 0);
    let oracle = Oracle::new(alone.before.clone(), &scenario);
    let world = World::new(sandbox, Schedule::new(), Duration::ZERO, oracle);
    let object = json!({
        "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi", "spec": scenario.first,
        "metadata": {
            "namespace": NEIGHBOUR.namespace, "name": NEIGHBOUR.name, "uid": NEIGHBOURS, "generation": 1,
            "creationTimestamp": world.now().to_string(),
        },
        "status": {"observedGeneration": -1},
    });
    world.state().kubernetes.restore(&NEIGHBOUR, &object);
    let running = instance::start(&world, &scenario.settings());
    let settled = loop {
        let object = world.state().kubernetes.get(&NEIGHBOUR).expect("the object");
        if is_ready(&object) {
            break object;
        }
        let _ = world.changes().changed().await;
    };
    running.stop.cancel();
    running.ended.await.expect("no panic").expect("a good end");
    Beginning {
        before: Arc::new(world.sandbox().state()),
        sandbox: world.sandbox().clone(),
        neighbour: Some(settled),
    }
}

async fn furnish(config: &SdkConfig) {
    let trusting = |service: &str| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"},
        ]})
    };
    let iam = aws_sdk_iam::Client::new(config);
    let role = iam
        .create_role()
        .role_name(USERS_ROLE)
        .assume_role_policy_document(trusting("lambda.amazonaws.com").to_string());
    role.send().await.expect("a role");
    let lambda = Lambda::new(config);
    for name in ["one", "two", "three"] {
        users_function(&lambda, name).await;
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
    let trust = trusting("apigateway.amazonaws.com");
    let role = iam
        .create_role()
        .path("/jwthttpapi/")
        .role_name("jwthttpapi-eu-central-1-000000000000")
        .assume_role_policy_document(trust.to_string());
    role.send().await.expect("a role");
    furnish_stranger(config, &trust).await;
}

/// A function of the user's.
pub(crate) async fn users_function(lambda: &Lambda, name: &str) {
    let code = FunctionCode::builder().zip_file(Blob::new(SMALLEST_ARCHIVE));
    let function = lambda
        .create_function()
        .function_name(name)
        .handler("index.handler")
        .runtime(Runtime::Nodejs22x)
        .role(format!("arn:aws:iam::{ACCOUNT}:role/{USERS_ROLE}"))
        .code(code.build());
    function.send().await.expect("a function");
}

/// A role, and a function with its role and its log group, named and tagged as the operator does it for another object.
async fn furnish_stranger(config: &SdkConfig, trust: &Value) {
    let owner = stranger_owner();
    let tags = owner.tags("nonce-of-a-stranger", DeletionPolicy::Delete);
    let iam = aws_sdk_iam::Client::new(config);
    let of_iam = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build().ok();
    let execution = execution_role_name(&owner, REGION, THEIRS);
    for RoleName { path, name } in [role_name(&owner, REGION), execution.clone()] {
        let role = iam.create_role().path(path).role_name(name);
        let role = role
            .set_tags(Some(tags.iter().filter_map(of_iam).collect()))
            .assume_role_policy_document(trust.to_string());
        role.send().await.expect("a role");
    }
    let name = function_name(&owner, THEIRS);
    let of_all = || Some(tags.clone().into_iter().collect());
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let group = logs.create_log_group().log_group_name(log_group(&name));
    group.set_tags(of_all()).send().await.expect("a log group");
    let code = FunctionCode::builder().zip_file(Blob::new(SMALLEST_ARCHIVE));
    let function = Lambda::new(config).create_function();
    let function = function
        .function_name(&name)
        .handler("index.handler")
        .runtime(Runtime::Nodejs22x)
        .role(format!(
            "arn:aws:iam::{ACCOUNT}:role{}{}",
            execution.path, execution.name
        ))
        .set_tags(of_all())
        .code(code.build());
    function.send().await.expect("a function");
}

#[cfg(test)]
mod tests {
    use super::ground;

    #[test]
    fn lives_begin_with_the_same_in_every_process() {
        let (one, another) = (ground(), ground());
        assert_eq!(one.beside.before, another.beside.before);
        assert_eq!(one.beside.neighbour, another.beside.neighbour);
    }
}
