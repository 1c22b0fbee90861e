//! What somebody else does in the middle of the operator's work: to the object, to what is the object's in AWS, to the account.

use crate::{KUBE_SYSTEM, OBJECT, OPERATOR, ground::stranger, world::World};
use aws_sdk_apigatewayv2::{
    Client as Gateway,
    types::{AuthorizationType, Cors, IntegrationType, JwtConfiguration},
};
use aws_sdk_iam::Client as Iam;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// The user deletes the object.
    Delete,
    /// An administrator takes the finalizer off and deletes the object, and the user makes one of the same name.
    Replace,
    /// Somebody takes the operator's finalizer off.
    StripFinalizer,
    /// The API server forgets the past: every watch ends, and a new one has to list again.
    Compact,
    /// Every watch ends.
    EndWatches,
    /// The next events come late.
    DelayEvents,
    /// The next events come twice.
    DoubleEvents,
    /// The next list shows the past.
    StaleList,
    /// A part of the status is lost.
    Wipe(&'static str),
    /// A part of the status is wrong for two minutes, and then empty.
    Corrupt(&'static str, &'static str),
    /// Somebody changes what is the object's in AWS.
    Drift(Drift),
    /// A switch of AWS, as a merge patch, is other than it was for so many seconds.
    Switch(&'static str, u64),
}

/// What somebody changes in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// The API is deleted.
    DeleteApi,
    /// Every route is deleted.
    DeleteRoutes,
    /// Every stage is deleted.
    DeleteStages,
    /// Every route lets everybody in.
    OpenRoutes,
    /// Routes ask for no scopes.
    DropScopes,
    /// A route more lets everybody in.
    ExtraRoute,
    /// An integration more, which no route uses.
    ExtraIntegration,
    /// A stage more.
    ExtraStage,
    /// The authorizers take other audiences.
    WidenAudience,
    /// The integrations lead elsewhere.
    Repoint,
    /// CORS is other than it was.
    ChangeCors,
    /// The API has another name.
    Rename,
    /// The stages are not deployed by themselves any more.
    StopDeploying,
    /// The ownership tags but those of the proof are lost.
    DropTags,
    /// The nonce's tag is lost.
    DropNonce,
    /// The role is deleted.
    DeleteRole,
    /// The role's policy is deleted.
    DeletePolicy,
    /// The role may invoke everything.
    WidenPolicy,
    /// Nobody may assume the role.
    BreakTrust,
    /// The statements in the functions' policies are gone.
    RemoveStatements,
}

impl Deed {
    /// The kind that tables show.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Delete => "deleted meanwhile",
            Self::Replace => "replaced by its namesake",
            Self::StripFinalizer => "finalizer stripped",
            Self::Compact => "watch compacted",
            Self::EndWatches => "watches ended",
            Self::DelayEvents => "events late",
            Self::DoubleEvents => "events doubled",
            Self::StaleList => "list of the past",
            Self::Wipe(_) => "status lost",
            Self::Corrupt(..) => "status wrong",
            Self::Drift(Drift::DeleteApi | Drift::DeleteRole) => "deleted in AWS",
            Self::Drift(_) => "drift",
            Self::Switch(..) => "AWS in trouble",
        }
    }

    /// All of them.
    pub fn all() -> Vec<Self> {
        let plain = [
            Self::Delete,
            Self::Replace,
            Self::StripFinalizer,
            Self::Compact,
            Self::EndWatches,
            Self::DelayEvents,
            Self::DoubleEvents,
            Self::StaleList,
            Self::Switch(r#"{"expired_keys": ["AKIDOPERATOR"]}"#, 90),
            Self::Switch(r#"{"invalid_keys": ["AKIDOPERATOR"]}"#, 90),
            Self::Switch(r#"{"quotas": {"apis": 1, "routes": 0, "integrations": 0, "authorizers": 0}}"#, 180),
            Self::Switch(r#"{"rate_limits": {"apigateway": {"per_second": 1, "burst": 1}}}"#, 60),
        ];
        let wiped = WIPED.map(Self::Wipe);
        let corrupted = CORRUPTED.map(|(field, value)| Self::Corrupt(field, value));
        let drifts = Drift::ALL.map(Self::Drift);
        plain
            .into_iter()
            .chain(wiped)
            .chain(corrupted)
            .chain(drifts)
            .chain(denials())
            .collect()
    }
}

impl Drift {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::DeleteApi,
        Self::DeleteRoutes,
        Self::DeleteStages,
        Self::OpenRoutes,
        Self::DropScopes,
        Self::ExtraRoute,
        Self::ExtraIntegration,
        Self::ExtraStage,
        Self::WidenAudience,
        Self::Repoint,
        Self::ChangeCors,
        Self::Rename,
        Self::StopDeploying,
        Self::DropTags,
        Self::DropNonce,
        Self::DeleteRole,
        Self::DeletePolicy,
        Self::WidenPolicy,
        Self::BreakTrust,
        Self::RemoveStatements,
    ];
}

impl World {
    /// Does it.
    pub(crate) async fn perform(&self, deed: &Deed) {
        match deed {
            Deed::Drift(drift) => {
                self.oracle().drifted();
                drift.happen(self).await;
            }
            Deed::Switch(patch, seconds) => self.switch(patch, *seconds),
            Deed::Corrupt(field, value) => self.corrupt(field, value),
            Deed::Wipe(field) => {
                self.oracle().drifted();
                self.write_status(field, &Value::Null);
            }
            Deed::Replace => self.replace(),
            Deed::Delete => self.delete(),
            Deed::StripFinalizer => {
                let object = self.state().kubernetes.get(&OBJECT).unwrap_or_default();
                if !object["metadata"]["deletionTimestamp"].is_null() {
                    self.oracle().orphaned();
                }
                self.state().kubernetes.strip_finalizers(&OBJECT);
            }
            Deed::Compact => self.state().kubernetes.compact(),
            Deed::EndWatches => self.state().kubernetes.end_watches(),
            Deed::DelayEvents => self.delay_events(),
            Deed::DoubleEvents => self.state().kubernetes.double_events(),
            Deed::StaleList => self.state().kubernetes.make_list_stale(),
        }
        self.announce();
    }

    /// The user deletes the object. One without the finalizer is gone at once, whatever it has in AWS.
    pub(crate) fn delete(&self) {
        let now = self.now();
        let has_api = self.api().is_some();
        let mut state = self.state();
        let object = state.kubernetes.get(&OBJECT).unwrap_or_default();
        if has_api && object["metadata"]["finalizers"].is_null() {
            self.oracle().orphaned();
        }
        state.kubernetes.delete(&OBJECT, now);
    }

    fn switch(&self, patch: &str, seconds: u64) {
        let sandbox = self.sandbox().clone();
        let before = sandbox.settings();
        let patch: Value = serde_json::from_str(patch).expect("a patch");
        sandbox.set_settings(before.patched(&patch).expect("switches"));
        tokio::spawn(async move {
            sleep(Duration::from_secs(seconds)).await;
            sandbox.set_settings(before);
        });
    }

    fn write_status(&self, field: &str, value: &Value) {
        let patch = if field == "*" {
            json!({"status": null})
        } else {
            json!({"status": {field: value}})
        };
        // There may be no object at the moment.
        let _ = self.state().kubernetes.merge(&OBJECT, true, &patch);
    }

    fn corrupt(&self, field: &'static str, value: &str) {
        self.oracle().drifted();
        self.write_status(field, &json!(value));
        let world = self.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(120)).await;
            world.write_status(field, &Value::Null);
            world.announce();
        });
    }

    fn replace(&self) {
        let now = self.now();
        let mut state = self.state();
        let store = &mut state.kubernetes;
        let Ok(old) = store.get(&OBJECT) else { return };
        self.oracle().orphaned();
        store.strip_finalizers(&OBJECT);
        store.delete(&OBJECT, now);
        let object = json!({"apiVersion": old["apiVersion"], "kind": old["kind"], "spec": old["spec"]});
        if let Ok(new) = store.create(&OBJECT, object, now) {
            self.oracle().lives(new["metadata"]["uid"].as_str().unwrap_or_default());
        }
    }

    fn delay_events(&self) {
        self.state().kubernetes.hold_events();
        let world = self.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(20)).await;
            world.state().kubernetes.release_events();
        });
    }

    /// The object's API, if there is one.
    fn api(&self) -> Option<String> {
        let apis = self.sandbox().apis();
        let own = apis.into_iter().find(|(_, tags)| {
            tags.get("jwthttpapi.dev/cluster")
                .is_some_and(|cluster| cluster.starts_with(KUBE_SYSTEM))
        });
        own.map(|(id, _)| id)
    }

    /// The object's role, if there is one: path and name.
    fn role(&self) -> Option<String> {
        let state = self.sandbox().state();
        let roles = state["roles"].as_array()?;
        let own = roles.iter().find(|role| {
            let tags = role["Tags"].as_array().into_iter().flatten();
            tags.into_iter()
                .any(|tag| tag["Value"].as_str().is_some_and(|value| value.starts_with(KUBE_SYSTEM)))
        });
        own?["RoleName"].as_str().map(str::to_owned)
    }
}

impl Drift {
    /// Happens, as far as there is something that it can happen to. What AWS refuses did not happen.
    async fn happen(self, world: &World) {
        let config = stranger(world.sandbox());
        match self {
            Self::DeleteRole | Self::DeletePolicy | Self::WidenPolicy | Self::BreakTrust => {
                if let Some(role) = world.role() {
                    self.to_role(&Iam::new(&config), &role).await;
                }
            }
            Self::RemoveStatements => remove_statements(world, &config).await,
            _ => {
                if let Some(api) = world.api() {
                    let gateway = Gateway::new(&config);
                    let done = self.to_api(&gateway, &api).await;
                    let _ = done;
                }
            }
        }
    }

    async fn to_role(self, iam: &Iam, role: &str) {
        let everybody = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ]});
        let everything = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
        ]});
        let policy = "jwthttpapi";
        if matches!(self, Self::DeletePolicy | Self::DeleteRole) {
            let _ = iam.delete_role_policy().role_name(role).policy_name(policy).send().await;
        }
        match self {
            Self::DeleteRole => drop(iam.delete_role().role_name(role).send().await),
            Self::WidenPolicy => {
                let put = iam.put_role_policy().role_name(role).policy_name(policy);
                drop(put.policy_document(everything.to_string()).send().await);
            }
            Self::BreakTrust => {
                let update = iam.update_assume_role_policy().role_name(role);
                drop(update.policy_document(everybody.to_string()).send().await);
            }
            _ => {}
        }
    }

    async fn to_api(self, gateway: &Gateway, api: &str) -> Option<()> {
        match self {
            Self::DeleteApi => drop(gateway.delete_api().api_id(api).send().await),
            Self::DeleteRoutes | Self::OpenRoutes | Self::DropScopes => {
                self.to_routes(gateway, api).await?;
            }
            Self::DeleteStages | Self::StopDeploying => {
                let stages = gateway.get_stages().api_id(api).send().await.ok()?;
                for stage in stages.items() {
                    let name = stage.stage_name()?;
                    if self == Self::DeleteStages {
                        drop(gateway.delete_stage().api_id(api).stage_name(name).send().await);
                    } else {
                        let update = gateway.update_stage().api_id(api).stage_name(name);
                        drop(update.auto_deploy(false).send().await);
                    }
                }
            }
            Self::ExtraRoute => {
                drop(gateway.create_route().api_id(api).route_key("GET /elsewhere").send().await);
            }
            Self::ExtraIntegration => {
                let create = gateway.create_integration().api_id(api);
                let create = create
                    .integration_type(IntegrationType::HttpProxy)
                    .integration_method("GET")
                    .integration_uri("https://elsewhere.example/")
                    .payload_format_version("1.0");
                drop(create.send().await);
            }
            Self::ExtraStage => {
                drop(gateway.create_stage().api_id(api).stage_name("extra").send().await);
            }
            Self::WidenAudience => {
                let authorizers = gateway.get_authorizers().api_id(api).send().await.ok()?;
                for authorizer in authorizers.items() {
                    let issuer = authorizer.jwt_configuration()?.issuer()?;
                    let jwt = JwtConfiguration::builder().issuer(issuer).audience("stranger").build();
                    let update = gateway.update_authorizer().api_id(api);
                    let update = update.authorizer_id(authorizer.authorizer_id()?);
                    drop(update.jwt_configuration(jwt).send().await);
                }
            }
            Self::Repoint => {
                let integrations = gateway.get_integrations().api_id(api).send().await.ok()?;
                for integration in integrations.items() {
                    let update = gateway.update_integration().api_id(api);
                    let update = update.integration_id(integration.integration_id()?);
                    let elsewhere = "arn:aws:lambda:eu-central-1:123456789012:function:three";
                    drop(update.integration_uri(elsewhere).send().await);
                }
            }
            Self::ChangeCors => {
                let cors = Cors::builder().allow_origins("*").build();
                drop(gateway.update_api().api_id(api).cors_configuration(cors).send().await);
            }
            Self::Rename => drop(gateway.update_api().api_id(api).name("renamed").send().await),
            Self::DropTags | Self::DropNonce => {
                let keys: &[&str] = if self == Self::DropNonce {
                    &["nonce"]
                } else {
                    &["namespace", "name", "deletion-policy"]
                };
                let arn = format!("arn:aws:apigateway:{}::/apis/{api}", crate::REGION);
                let keys = keys.iter().map(|key| format!("jwthttpapi.dev/{key}")).collect();
                drop(gateway.untag_resource().resource_arn(arn).set_tag_keys(Some(keys)).send().await);
            }
            _ => {}
        }
        Some(())
    }

    async fn to_routes(self, gateway: &Gateway, api: &str) -> Option<()> {
        let routes = gateway.get_routes().api_id(api).send().await.ok()?;
        for route in routes.items() {
            let id = route.route_id()?;
            let update = gateway.update_route().api_id(api).route_id(id);
            match self {
                Self::DeleteRoutes => drop(gateway.delete_route().api_id(api).route_id(id).send().await),
                Self::OpenRoutes => {
                    let update = update.authorization_type(AuthorizationType::None);
                    drop(update.set_authorization_scopes(Some(Vec::new())).send().await);
                }
                _ => drop(update.set_authorization_scopes(Some(Vec::new())).send().await),
            }
        }
        Some(())
    }
}

async fn remove_statements(world: &World, config: &aws_config::SdkConfig) {
    let lambda = aws_sdk_lambda::Client::new(config);
    for (function, id) in statements(&world.sandbox().state()) {
        let remove = lambda.remove_permission().function_name(function);
        drop(remove.statement_id(id).send().await);
    }
}

/// The operator's statements: function and id.
fn statements(state: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let functions = &state["regions"][crate::REGION]["functions"];
    for function in functions.as_array().into_iter().flatten() {
        for policy in function["Policies"].as_object().into_iter().flat_map(Map::values) {
            for statement in policy["Statement"].as_array().into_iter().flatten() {
                if let (Some(id), Some(name)) = (statement["Sid"].as_str(), function["FunctionName"].as_str())
                    && id.starts_with("jwthttpapi-")
                {
                    found.push((name.to_owned(), id.to_owned()));
                }
            }
        }
    }
    found
}

/// Every part of the status that can be lost, `*` for all of it.
pub const WIPED: [&str; 10] = [
    "*",
    "apiId",
    "nonce",
    "accountId",
    "region",
    "clusterId",
    "roleArn",
    "grants",
    "iamChangedAt",
    "conditions",
];

/// Parts of the status with something wrong in them.
pub const CORRUPTED: [(&str, &str); 4] = [
    ("apiId", "nonesuch00"),
    ("accountId", "999999999999"),
    ("region", "us-east-1"),
    ("clusterId", "another-cluster"),
];

/// Every action that the operator is granted, denied for three minutes; see `docs/aws-permissions.md`.
pub fn denials() -> Vec<Deed> {
    let deny = |patch| Deed::Switch(patch, 180);
    macro_rules! denied {
        ($($action:literal),+) => {
            vec![$(deny(concat!(r#"{"principals": {"AKIDOPERATOR": {"deny": [""#, $action, r#""]}}}"#))),+]
        };
    }
    debug_assert_eq!(OPERATOR, "AKIDOPERATOR");
    denied!(
        "apigateway:GET",
        "apigateway:POST",
        "apigateway:PATCH",
        "apigateway:DELETE",
        "apigateway:TagResource",
        "lambda:GetFunctionConfiguration",
        "lambda:GetPolicy",
        "lambda:AddPermission",
        "lambda:RemovePermission",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:PassRole",
        "iam:TagRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy"
    )
}
