//! What somebody changes of the object's things in AWS.

use crate::{KUBE_SYSTEM, ground::stranger, world::World};
use aws_sdk_apigatewayv2::{
    Client as Gateway,
    types::{AuthorizationType, Cors, IntegrationType, JwtConfiguration},
};
use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_iam::Client as Iam;
use aws_sdk_lambda::{Client as Lambda, primitives::Blob, types::Environment};
use jwthttpapi_sandbox::SMALLEST_ARCHIVE;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::sleep;

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
    /// Nothing bounds the role any more.
    DropBoundary,
    /// A policy of somebody else's is attached to the role, for three minutes.
    AttachPolicy,
    /// The statements in the functions' policies are gone.
    RemoveStatements,
    /// The object's own functions are deleted.
    DeleteFunctions,
    /// They have other code.
    ChangeCode,
    /// They have more memory and other variables.
    Configure,
    /// Their log groups are deleted.
    DeleteLogs,
    /// Their logs are kept for ever.
    KeepLogs,
}

impl Drift {
    /// All of them.
    pub const ALL: [Self; 27] = [
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
        Self::DropBoundary,
        Self::AttachPolicy,
        Self::RemoveStatements,
        Self::DeleteFunctions,
        Self::ChangeCode,
        Self::Configure,
        Self::DeleteLogs,
        Self::KeepLogs,
    ];
}

impl World {
    /// The object's API, if there is one.
    pub(super) fn api(&self) -> Option<String> {
        let apis = self.sandbox().apis();
        let own = apis.into_iter().find(|(_, tags)| {
            tags.get("jwthttpapi.dev/cluster")
                .is_some_and(|cluster| cluster.starts_with(KUBE_SYSTEM))
        });
        own.map(|(id, _)| id)
    }

    /// The names of the object's roles.
    fn roles(&self) -> Vec<String> {
        let state = self.sandbox().state();
        let roles = state["roles"].as_array().into_iter().flatten();
        let own = roles.filter(|role| {
            let tags = role["Tags"].as_array().into_iter().flatten();
            tags.into_iter().any(|tag| {
                tag["Value"]
                    .as_str()
                    .is_some_and(|value| value.starts_with(KUBE_SYSTEM))
            })
        });
        own.filter_map(|role| role["RoleName"].as_str().map(str::to_owned))
            .collect()
    }

    /// The operator's statements in functions' policies: function and id.
    pub(super) fn statements(&self) -> Vec<(String, String)> {
        statements(&self.sandbox().state())
    }

    /// Whether an integration of the object's API leads to a function.
    pub(super) fn reaches(&self, function: &str) -> bool {
        let state = self.sandbox().state();
        let apis = state["regions"][crate::REGION]["apis"].as_array();
        let own = self.api();
        let own = apis
            .into_iter()
            .flatten()
            .filter(|api| api["apiId"].as_str() == own.as_deref());
        own.flat_map(|api| api["integrations"].as_array().into_iter().flatten())
            .filter_map(|integration| integration["integrationUri"].as_str())
            .any(|uri| uri.ends_with(&format!(":function:{function}")))
    }

    /// The names of the object's own functions.
    fn functions(&self) -> Vec<String> {
        let state = self.sandbox().state();
        let functions = state["regions"][crate::REGION]["functions"].as_array();
        let names = functions.into_iter().flatten();
        let names = names.filter_map(|function| function["FunctionName"].as_str());
        let own = names.filter(|name| name.starts_with("jwthttpapi-"));
        own.map(str::to_owned).collect()
    }
}

impl Drift {
    /// Happens, as far as there is something that it can happen to. What AWS refuses did not happen.
    pub(super) async fn happen(self, world: &World) {
        let config = stranger(world.sandbox());
        match self {
            Self::DeleteRole
            | Self::DeletePolicy
            | Self::WidenPolicy
            | Self::BreakTrust
            | Self::DropBoundary
            | Self::AttachPolicy => {
                for role in world.roles() {
                    self.to_role(&Iam::new(&config), &role).await;
                }
            }
            Self::RemoveStatements => remove_statements(world, &config).await,
            Self::DeleteFunctions | Self::ChangeCode | Self::Configure => {
                for function in world.functions() {
                    self.to_function(&Lambda::new(&config), &function).await;
                }
            }
            Self::DeleteLogs | Self::KeepLogs => {
                world.oracle().lost_logs(self == Self::DeleteLogs);
                for function in world.functions() {
                    self.to_logs(&Logs::new(&config), &format!("/aws/lambda/{function}"))
                        .await;
                }
            }
            _ => {
                if let Some(api) = world.api() {
                    if self == Self::DeleteApi {
                        world.oracle().deleted(&api);
                    }
                    let gateway = Gateway::new(&config);
                    let done = self.to_api(&gateway, &api).await;
                    let _ = done;
                }
            }
        }
    }

    async fn to_function(self, lambda: &Lambda, function: &str) {
        match self {
            Self::DeleteFunctions => drop(lambda.delete_function().function_name(function).send().await),
            Self::ChangeCode => {
                let update = lambda.update_function_code().function_name(function);
                drop(update.zip_file(Blob::new(SMALLEST_ARCHIVE)).send().await);
            }
            _ => {
                let variables = Environment::builder().variables("FOREIGN", "1").build();
                let update = lambda.update_function_configuration().function_name(function);
                drop(update.memory_size(1024).environment(variables).send().await);
            }
        }
    }

    async fn to_logs(self, logs: &Logs, group: &str) {
        if self == Self::DeleteLogs {
            drop(logs.delete_log_group().log_group_name(group).send().await);
        } else {
            drop(logs.delete_retention_policy().log_group_name(group).send().await);
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
            let _ = iam
                .delete_role_policy()
                .role_name(role)
                .policy_name(policy)
                .send()
                .await;
        }
        match self {
            Self::DeleteRole => drop(iam.delete_role().role_name(role).send().await),
            Self::WidenPolicy => {
                let put = iam.put_role_policy().role_name(role).policy_name(policy);
                drop(put.policy_document(everything.to_string()).send().await);
            }
            Self::DropBoundary => {
                let delete = iam.delete_role_permissions_boundary().role_name(role);
                drop(delete.send().await);
            }
            Self::AttachPolicy => attach_for_a_while(iam, role).await,
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
            Self::DeleteStages | Self::StopDeploying => self.to_stages(gateway, api).await?,
            Self::ExtraRoute => {
                drop(
                    gateway
                        .create_route()
                        .api_id(api)
                        .route_key("GET /elsewhere")
                        .send()
                        .await,
                );
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
                drop(
                    gateway
                        .create_stage()
                        .api_id(api)
                        .stage_name("extra")
                        .send()
                        .await,
                );
            }
            Self::WidenAudience => widen_audience(gateway, api).await?,
            Self::Repoint => repoint(gateway, api).await?,
            Self::ChangeCors => {
                let cors = Cors::builder().allow_origins("*").build();
                drop(
                    gateway
                        .update_api()
                        .api_id(api)
                        .cors_configuration(cors)
                        .send()
                        .await,
                );
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
                drop(
                    gateway
                        .untag_resource()
                        .resource_arn(arn)
                        .set_tag_keys(Some(keys))
                        .send()
                        .await,
                );
            }
            _ => {}
        }
        Some(())
    }

    async fn to_stages(self, gateway: &Gateway, api: &str) -> Option<()> {
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

/// A role with a policy attached cannot be deleted: it is taken off again before anybody gives up.
async fn attach_for_a_while(iam: &Iam, role: &str) {
    let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let attach = iam.attach_role_policy().role_name(role).policy_arn(policy);
    drop(attach.send().await);
    let detach = iam.detach_role_policy().role_name(role).policy_arn(policy);
    tokio::spawn(async move {
        sleep(Duration::from_secs(180)).await;
        drop(detach.send().await);
    });
}

async fn widen_audience(gateway: &Gateway, api: &str) -> Option<()> {
    let authorizers = gateway.get_authorizers().api_id(api).send().await.ok()?;
    for authorizer in authorizers.items() {
        let issuer = authorizer.jwt_configuration()?.issuer()?;
        let jwt = JwtConfiguration::builder()
            .issuer(issuer)
            .audience("stranger")
            .build();
        let update = gateway.update_authorizer().api_id(api);
        let update = update.authorizer_id(authorizer.authorizer_id()?);
        drop(update.jwt_configuration(jwt).send().await);
    }
    Some(())
}

async fn repoint(gateway: &Gateway, api: &str) -> Option<()> {
    let integrations = gateway.get_integrations().api_id(api).send().await.ok()?;
    for integration in integrations.items() {
        let update = gateway.update_integration().api_id(api);
        let update = update.integration_id(integration.integration_id()?);
        let elsewhere = "arn:aws:lambda:eu-central-1:123456789012:function:three";
        drop(update.integration_uri(elsewhere).send().await);
    }
    Some(())
}

async fn remove_statements(world: &World, config: &aws_config::SdkConfig) {
    let lambda = Lambda::new(config);
    for (function, id) in world.statements() {
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
