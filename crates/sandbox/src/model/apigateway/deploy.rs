//! Automatic deployments.

use super::{
    api::Api,
    integration::Integration,
    route::{AuthorizationType, Route},
    stage::{PendingDeployment, Snapshot, Stage},
};
use crate::model::{
    Env,
    deployment::{Authorization, DeployedIntegration, DeployedRoute},
    time::Timestamp,
};

impl Api {
    /// Mints a deployment for every stage with `autoDeploy`: what follows each change of a route, an integration or
    /// an authorizer (O). An API without routes is not deployed (O for explicit deployments), unless something
    /// is served already, which then ends (I).
    pub(crate) fn deploy_automatically(&mut self, env: &mut Env) {
        let names: Vec<String> = self.stages.keys().cloned().collect();
        for name in names {
            self.deploy_stage(env, &name);
        }
    }

    /// The same when the endpoint's switch or CORS is not as it was, if that is deployed.
    pub(crate) fn deploy_settings(&mut self, env: &mut Env, before: &Self) {
        let same = self.disable_execute_api_endpoint == before.disable_execute_api_endpoint
            && self.cors_configuration == before.cors_configuration;
        if !same && env.settings.api_settings_deploy {
            self.deploy_automatically(env);
        }
    }

    /// The same for one stage.
    pub(crate) fn deploy_stage(&mut self, env: &mut Env, name: &str) {
        let snapshot = self.snapshot();
        let Some(stage) = self.stages.get_mut(name) else {
            return;
        };
        let served = stage.deployment_id.is_some() || !stage.pending.is_empty();
        if !stage.auto_deploy || (snapshot.routes.is_empty() && !served) {
            return;
        }
        stage.pending.push(PendingDeployment {
            ready_at: env.now.after(env.settings.deploy_delay_ms),
            id: env.ids.lower(6),
            snapshot: match env.deployment_failure {
                None => Ok(snapshot),
                Some(text) => Err(text.to_owned()),
            },
        });
        stage.settle(env.now);
    }

    /// Lets every deployment take effect whose time has come.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for stage in self.stages.values_mut() {
            stage.settle(now);
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut routes: Vec<&Route> = self.routes.values().collect();
        routes.sort_by_key(|route| route.birth.order);
        Snapshot {
            routes: routes.into_iter().map(|route| self.deployed(route)).collect(),
            disabled: self.disable_execute_api_endpoint,
        }
    }

    fn deployed(&self, route: &Route) -> DeployedRoute {
        let integration = route.integration_id().and_then(|id| self.integrations.get(id));
        DeployedRoute {
            route_id: route.route_id.clone(),
            route_key: route.route_key.clone(),
            authorization: self.authorization(route),
            integration: integration.map(Integration::deployed),
            operation_name: route.operation_name.clone(),
        }
    }

    fn authorization(&self, route: &Route) -> Authorization {
        match route.authorization_type {
            AuthorizationType::None => Authorization::None,
            AuthorizationType::AwsIam => Authorization::AwsIam,
            AuthorizationType::Jwt => {
                let authorizer = route
                    .authorizer_id
                    .as_ref()
                    .and_then(|id| self.authorizers.get(id));
                // A JWT route always has its authorizer, and an authorizer in use is not deleted. Should that ever
                // fail, nobody is let in.
                authorizer.map_or(Authorization::Custom, |authorizer| Authorization::Jwt {
                    authorizer_name: authorizer.name.clone(),
                    identity_source: authorizer.identity_source.first().cloned().unwrap_or_default(),
                    issuer: authorizer.jwt_configuration.issuer.clone(),
                    audience: authorizer.jwt_configuration.audience.clone(),
                    scopes: route.authorization_scopes.clone(),
                })
            }
        }
    }
}

impl Integration {
    fn deployed(&self) -> DeployedIntegration {
        DeployedIntegration {
            integration_id: self.integration_id.clone(),
            uri: self.integration_uri.clone(),
            payload_format_version: self.payload_format_version.clone(),
            timeout_millis: self.timeout_in_millis,
            credentials_arn: self.credentials_arn.clone(),
        }
    }
}

impl Stage {
    /// The message is set on success too (O).
    fn settle(&mut self, now: Timestamp) {
        let due = self
            .pending
            .iter()
            .take_while(|deployment| deployment.ready_at <= now)
            .count();
        for deployment in self.pending.drain(..due) {
            match deployment.snapshot {
                Ok(snapshot) => {
                    let text = format!(
                        "Successfully deployed stage with deployment ID '{}'",
                        deployment.id
                    );
                    self.last_deployment_status_message = Some(text);
                    self.deployment_id = Some(deployment.id);
                    self.live = snapshot;
                }
                Err(text) => self.last_deployment_status_message = Some(text),
            }
            self.last_updated_date = deployment.ready_at;
        }
    }
}
