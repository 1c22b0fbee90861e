//! The operator's statements in functions' policies.

use super::Drift;
use crate::{ACCOUNT, REGION, oracle::Rule, world::World};
use aws_config::SdkConfig;
use aws_sdk_lambda::Client as Lambda;
use std::time::Duration;
use tokio::time::sleep;

/// The id of a statement that only looks like the operator's.
pub(super) const BY_HAND: &str = "jwthttpapi-by-hand";
const GATEWAY: &str = "apigateway.amazonaws.com";
/// How long it stands: less than is waited for after each phase.
const A_WHILE: Duration = Duration::from_secs(60);

pub(super) async fn happen(drift: Drift, world: &World, config: &SdkConfig) {
    let lambda = Lambda::new(config);
    if drift == Drift::ExtraStatement {
        // Whoever makes it takes it away, also when the process dies in whose request this happens.
        let _ = tokio::spawn(extra_for_a_while(world.clone(), lambda)).await;
        return;
    }
    for (function, id) in world.statements() {
        let remove = lambda.remove_permission().function_name(&function);
        drop(remove.statement_id(&id).send().await);
        let _ = match drift {
            Drift::MoveStatements => add(&lambda, &function, &id, GATEWAY, Some("another")).await,
            Drift::WidenStatements => add(&lambda, &function, &id, "*", None).await,
            _ => false,
        };
    }
}

async fn add(lambda: &Lambda, function: &str, id: &str, principal: &str, api: Option<&str>) -> bool {
    let source = api.map(|api| format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*"));
    let add = lambda.add_permission().function_name(function).statement_id(id);
    let add = add
        .action("lambda:InvokeFunction")
        .principal(principal)
        .set_source_arn(source);
    add.send().await.is_ok()
}

/// It is somebody else's, whatever its id begins with: it stands until its maker takes it away.
async fn extra_for_a_while(world: World, lambda: Lambda) {
    if !add(&lambda, "one", BY_HAND, GATEWAY, Some("another")).await {
        return;
    }
    tokio::spawn(async move {
        sleep(A_WHILE).await;
        let remove = lambda.remove_permission().function_name("one");
        let is_gone = remove.statement_id(BY_HAND).send().await.is_err();
        // With the function, when that was taken away meanwhile.
        if is_gone && world.state().away == 0 {
            let how = "a statement that somebody made by hand is gone";
            world.oracle().violated(Rule::NothingForeign, how);
        }
    });
}
