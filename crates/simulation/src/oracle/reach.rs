//! What stands behind a route: whether API Gateway reaches its function.

use jwthttpapi_sandbox::{
    Sandbox,
    data_plane::invoke_permission::{self, Invocation},
    model::deployment::{DeployedRoute, Deployment},
};

/// Whether the function behind a route is there and API Gateway may invoke it, by role or by the function's own policy. A role
/// that the user brought is the user's to make.
pub(super) fn reaches(sandbox: &Sandbox, deployment: &Deployment, route: &DeployedRoute) -> bool {
    let Some(integration) = &route.integration else {
        return false;
    };
    let Some(function_arn) = invoke_permission::function_arn(&integration.uri) else {
        return false;
    };
    if sandbox.function(function_arn, None).is_none() {
        return false;
    }
    let invocation = Invocation {
        function_arn,
        source_arn: invoke_permission::source_arn(deployment, &route.route_key),
        account: &deployment.account,
    };
    let policy = sandbox.function_policy(function_arn);
    let verdict = match &integration.credentials_arn {
        Some(arn) if !is_of_the_operator(arn) => return true,
        Some(arn) => {
            let role = sandbox.effective_role(arn, sandbox.now());
            invoke_permission::by_role(&invocation, role.as_ref(), policy.as_ref())
        }
        None => invoke_permission::by_resource_policy(&invocation, policy.as_ref()),
    };
    verdict.is_ok()
}

/// Whether a role has a name that the operator gives.
fn is_of_the_operator(arn: &str) -> bool {
    let name = arn.rsplit('/').next();
    name.is_some_and(|name| name.starts_with("jwthttpapi-"))
}
