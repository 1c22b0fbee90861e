//! Authorizers.

use super::{Drift, routes};
use crate::scenario::{ISSUER, OTHER_ISSUER};
use aws_sdk_apigatewayv2::{
    Client as Gateway,
    types::{AuthorizerType, JwtConfiguration},
};

pub(super) async fn happen(drift: Drift, gateway: &Gateway, api: &str) -> Option<()> {
    match drift {
        Drift::ExtraAuthorizer => return extra(gateway, api).await,
        // In use they cannot be deleted.
        Drift::DeleteAuthorizers => routes::happen(Drift::OpenRoutes, gateway, api).await?,
        _ => {}
    }
    let authorizers = gateway.get_authorizers().api_id(api).send().await.ok()?;
    for authorizer in authorizers.items() {
        let id = authorizer.authorizer_id()?;
        if drift == Drift::DeleteAuthorizers {
            drop(
                gateway
                    .delete_authorizer()
                    .api_id(api)
                    .authorizer_id(id)
                    .send()
                    .await,
            );
            continue;
        }
        let now = authorizer.jwt_configuration()?;
        let issuer = now.issuer()?;
        let jwt = JwtConfiguration::builder();
        let update = gateway.update_authorizer().api_id(api).authorizer_id(id);
        let update = match drift {
            Drift::WidenAudience => update.jwt_configuration(jwt.issuer(issuer).audience("stranger").build()),
            Drift::MoveIssuer => {
                let other = if issuer == ISSUER { OTHER_ISSUER } else { ISSUER };
                let audience = Some(now.audience().to_vec());
                update.jwt_configuration(jwt.issuer(other).set_audience(audience).build())
            }
            Drift::MoveIdentitySource => update.identity_source("$request.querystring.somebody"),
            _ => update.name(format!("{}-renamed", authorizer.name()?)),
        };
        drop(update.send().await);
    }
    Some(())
}

/// One of another name, and one of each name that there is, where AWS lets names repeat.
async fn extra(gateway: &Gateway, api: &str) -> Option<()> {
    let jwt = JwtConfiguration::builder()
        .issuer(OTHER_ISSUER)
        .audience("stranger")
        .build();
    let authorizers = gateway.get_authorizers().api_id(api).send().await.ok()?;
    let names = authorizers
        .items()
        .iter()
        .filter_map(|authorizer| authorizer.name());
    for name in names.chain(["extra"]) {
        let create = gateway.create_authorizer().api_id(api).name(name);
        let create = create
            .authorizer_type(AuthorizerType::Jwt)
            .identity_source("$request.header.Authorization")
            .jwt_configuration(jwt.clone());
        drop(create.send().await);
    }
    Some(())
}
