//! Routes.

use super::{Drift, integrations};
use aws_sdk_apigatewayv2::{Client as Gateway, types::AuthorizationType};

pub(super) async fn happen(drift: Drift, gateway: &Gateway, api: &str) -> Option<()> {
    match drift {
        Drift::ExtraRoute => {
            let create = gateway.create_route().api_id(api);
            drop(create.route_key("GET /elsewhere").send().await);
        }
        Drift::ExtraProtectedRoute => extra_protected(gateway, api).await?,
        _ => changed(drift, gateway, api).await?,
    }
    Some(())
}

async fn extra_protected(gateway: &Gateway, api: &str) -> Option<()> {
    let authorizers = gateway.get_authorizers().api_id(api).send().await.ok()?;
    let authorizer = authorizers.items().first()?;
    let create = gateway.create_route().api_id(api).route_key("GET /protected");
    let create = create
        .authorization_type(AuthorizationType::Jwt)
        .authorizer_id(authorizer.authorizer_id()?);
    drop(create.send().await);
    Some(())
}

async fn changed(drift: Drift, gateway: &Gateway, api: &str) -> Option<()> {
    let elsewhere = match drift {
        Drift::RetargetRoutes => integrations::extra(gateway, api).await?,
        _ => String::new(),
    };
    let routes = gateway.get_routes().api_id(api).send().await.ok()?;
    for route in routes.items() {
        let id = route.route_id()?;
        let update = gateway.update_route().api_id(api).route_id(id);
        let update = match drift {
            Drift::DeleteRoutes => {
                drop(gateway.delete_route().api_id(api).route_id(id).send().await);
                continue;
            }
            Drift::OpenRoutes => update
                .authorization_type(AuthorizationType::None)
                .set_authorization_scopes(Some(Vec::new())),
            Drift::DropScopes => update.set_authorization_scopes(Some(Vec::new())),
            Drift::ChangeScopes => update.authorization_scopes("stranger"),
            Drift::SignedRoutes => update
                .authorization_type(AuthorizationType::AwsIam)
                .set_authorization_scopes(Some(Vec::new())),
            Drift::RetargetRoutes => update.target(format!("integrations/{elsewhere}")),
            Drift::NameOperations => update.operation_name("somebody"),
            _ => update.route_key("GET /moved"),
        };
        drop(update.send().await);
        if drift == Drift::MoveRoute {
            break;
        }
    }
    Some(())
}
