//! Stages.

use super::Drift;
use aws_sdk_apigatewayv2::Client as Gateway;

pub(super) async fn happen(drift: Drift, gateway: &Gateway, api: &str) -> Option<()> {
    if drift == Drift::ExtraStage {
        let create = gateway.create_stage().api_id(api).stage_name("extra");
        drop(create.send().await);
        return Some(());
    }
    let stages = gateway.get_stages().api_id(api).send().await.ok()?;
    for stage in stages.items() {
        let name = stage.stage_name()?;
        if drift == Drift::DeleteStages {
            drop(gateway.delete_stage().api_id(api).stage_name(name).send().await);
        } else {
            let update = gateway.update_stage().api_id(api).stage_name(name);
            drop(update.auto_deploy(false).send().await);
        }
    }
    Some(())
}
