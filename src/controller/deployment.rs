//! Automatic deployments: asynchronous, and their failure visible only in the stage.

use super::error::Error;
use crate::aws::Session;
use jwthttpapi_core::model::{
    name::DEFAULT_STAGE,
    observed::{Api, Stage},
};
use std::time::Duration;

/// When the stage is read again while its deployment is still the old one; then it is taken as it is (I).
const LOOKS: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(1500),
    Duration::from_millis(2000),
];

fn stage(api: &Api) -> Option<&Stage> {
    api.stages.iter().find(|stage| stage.name == DEFAULT_STAGE)
}

/// The deployment that an API serves.
pub(crate) fn served(api: Option<&Api>) -> Option<String> {
    api.and_then(stage).and_then(|stage| stage.deployment_id.clone())
}

/// The text of a failed deployment, after giving a new one the time to appear.
pub(crate) async fn failure(
    session: &Session,
    api: &Api,
    wrote: bool,
    before: Option<&str>,
) -> Result<Option<String>, Error> {
    let mut seen = stage(api).cloned();
    if wrote {
        for pause in LOOKS {
            let unchanged = seen
                .as_ref()
                .is_none_or(|stage| stage.deployment_id.as_deref() == before);
            if !unchanged {
                break;
            }
            tokio::time::sleep(pause).await;
            seen = session.stage(&api.id, DEFAULT_STAGE).await?;
        }
    }
    Ok(seen
        .as_ref()
        .and_then(Stage::deployment_failure)
        .map(str::to_owned))
}
