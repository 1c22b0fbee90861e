//! The API itself: its settings, CORS and tags.

use super::{A_WHILE, Drift, MORE, NONCE, PROOF, USER_TAG, WITHOUT_PROOF};
use crate::{OBJECT, world::World};
use aws_sdk_apigatewayv2::{
    Client as Gateway,
    types::{Cors, IpAddressType},
};
use tokio::time::sleep;

pub(super) async fn happen(drift: Drift, world: &World, gateway: &Gateway, api: &str) -> Option<()> {
    let update = gateway.update_api().api_id(api);
    match drift {
        Drift::DeleteApi => {
            world.oracle().deleted(api);
            drop(gateway.delete_api().api_id(api).send().await);
        }
        Drift::Rename => drop(update.name("renamed").send().await),
        Drift::Describe => drop(update.description("somebody else's words").send().await),
        Drift::DisableEndpoint => drop(update.disable_execute_api_endpoint(true).send().await),
        Drift::ChangeAddresses => {
            drop(update.ip_address_type(IpAddressType::Dualstack).send().await);
        }
        Drift::DropCors => drop(gateway.delete_cors_configuration().api_id(api).send().await),
        Drift::DropTags => {
            world.oracle().hidden();
            _ = untag(gateway, api, without_nonce()).await;
        }
        Drift::DropNonce => _ = untag(gateway, api, [NONCE]).await,
        Drift::ReplaceNonce => replace_nonce(world, gateway, api).await,
        Drift::LoseProof => {
            if untag(gateway, api, PROOF).await {
                disown(world, api);
            }
        }
        Drift::ChangeProof => {
            if tag(gateway, api, PROOF).await {
                disown(world, api);
            }
        }
        Drift::DropUserTags => _ = untag(gateway, api, [USER_TAG]).await,
        Drift::ChangeOwnerTags => {
            world.oracle().hidden();
            _ = tag(gateway, api, without_nonce()).await;
        }
        Drift::ChangeUserTags => _ = tag(gateway, api, [USER_TAG]).await,
        Drift::AddTag => _ = tag(gateway, api, [MORE]).await,
        _ => drop(update.cors_configuration(cors(drift)).send().await),
    }
    Some(())
}

/// An update merges: what is not named stays.
fn cors(drift: Drift) -> Cors {
    let cors = Cors::builder();
    match drift {
        Drift::CorsMethods => cors.allow_methods("*"),
        Drift::CorsHeaders => cors.allow_headers("x-somebody"),
        Drift::CorsExposed => cors.expose_headers("x-somebody"),
        Drift::CorsAge => cors.max_age(7),
        Drift::CorsCredentials => cors.allow_credentials(true),
        _ => cors.allow_origins("*"),
    }
    .build()
}

fn arn(api: &str) -> String {
    format!("arn:aws:apigateway:{}::/apis/{api}", crate::REGION)
}

fn without_nonce() -> impl Iterator<Item = &'static str> {
    WITHOUT_PROOF.into_iter().filter(|key| *key != NONCE)
}

/// What a pass has just seen it may still delete.
fn disown(world: &World, api: &str) {
    world.oracle().disowned();
    let api = api.to_owned();
    world.later(A_PASS, move |world| {
        if world.sandbox().apis().iter().any(|(id, _)| *id == api) {
            world.oracle().is_foreign(api);
        }
    });
}

/// How long a pass may take from its look to its last request, in seconds.
const A_PASS: u64 = 10;

/// The nonce that status has comes back by the same hand.
async fn replace_nonce(world: &World, gateway: &Gateway, api: &str) {
    _ = tag(gateway, api, [NONCE]).await;
    let (world, gateway, api) = (world.clone(), gateway.clone(), api.to_owned());
    tokio::spawn(async move {
        sleep(A_WHILE).await;
        let object = world.state().kubernetes.get(&OBJECT).unwrap_or_default();
        if let Some(nonce) = object["status"]["nonce"].as_str() {
            let back = gateway.tag_resource().resource_arn(arn(&api)).tags(NONCE, nonce);
            drop(back.send().await);
        }
    });
}

/// Whether AWS has done it.
async fn tag(gateway: &Gateway, api: &str, keys: impl IntoIterator<Item = &str>) -> bool {
    let mut request = gateway.tag_resource().resource_arn(arn(api));
    for key in keys {
        request = request.tags(key, "somebody");
    }
    request.send().await.is_ok()
}

/// Whether AWS has done it.
async fn untag(gateway: &Gateway, api: &str, keys: impl IntoIterator<Item = &str>) -> bool {
    let keys = keys.into_iter().map(str::to_owned).collect();
    let request = gateway.untag_resource().resource_arn(arn(api));
    request.set_tag_keys(Some(keys)).send().await.is_ok()
}
