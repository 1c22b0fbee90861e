//! Integrations.

use super::Drift;
use crate::ground::stranger_role;
use aws_sdk_apigatewayv2::{Client as Gateway, types::IntegrationType};
use std::collections::HashMap;

const ELSEWHERE: &str = "arn:aws:lambda:eu-central-1:123456789012:function:three";

pub(super) async fn happen(drift: Drift, gateway: &Gateway, api: &str) -> Option<()> {
    if drift == Drift::ExtraIntegration {
        return extra(gateway, api).await.map(drop);
    }
    let integrations = gateway.get_integrations().api_id(api).send().await.ok()?;
    for integration in integrations.items() {
        let update = gateway.update_integration().api_id(api);
        let update = update.integration_id(integration.integration_id()?);
        let update = match drift {
            Drift::Repoint => update.integration_uri(ELSEWHERE),
            Drift::ChangePayload => update.payload_format_version("1.0"),
            Drift::ChangePatience => update.timeout_in_millis(1_000),
            Drift::Unmark => update.description("somebody else's words"),
            Drift::ChangeCredentials => update.credentials_arn(stranger_role()),
            Drift::MapRequests => update.request_parameters("overwrite:header.somebody", "$request.path"),
            _ => {
                let mapping = HashMap::from([("overwrite:header.somebody".to_owned(), "yes".to_owned())]);
                update.response_parameters("200", mapping)
            }
        };
        drop(update.send().await);
    }
    Some(())
}

/// Makes an integration more; its id.
pub(super) async fn extra(gateway: &Gateway, api: &str) -> Option<String> {
    let create = gateway.create_integration().api_id(api);
    let create = create
        .integration_type(IntegrationType::AwsProxy)
        .integration_uri(ELSEWHERE)
        .payload_format_version("1.0");
    let created = create.send().await.ok()?;
    created.integration_id().map(str::to_owned)
}
