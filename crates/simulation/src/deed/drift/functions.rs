//! The object's own functions, and the user's to which routes lead.

use super::{A_WHILE, Drift, MORE, USER_TAG, WITHOUT_PROOF};
use crate::{
    ACCOUNT, REGION,
    ground::{is_own_statement, stranger_role, users_function},
    world::World,
};
use aws_config::SdkConfig;
use aws_sdk_lambda::{
    Client as Lambda,
    primitives::Blob,
    types::{Architecture, Environment, Runtime},
};
use jwthttpapi_sandbox::SMALLEST_ARCHIVE;
use serde_json::Value;
use tokio::time::sleep;

/// A function of the user's to which routes of each scenario lead.
const USERS: &str = "one";

pub(super) async fn happen(drift: Drift, world: &World, config: &SdkConfig) {
    let lambda = Lambda::new(config);
    if drift == Drift::DeleteUsersFunction {
        return users_function_away(world, lambda).await;
    }
    for function in world.functions() {
        to(drift, &lambda, &function).await;
    }
}

async fn users_function_away(world: &World, lambda: Lambda) {
    let admitted = others_statements(&world.sandbox().state());
    if lambda
        .delete_function()
        .function_name(USERS)
        .send()
        .await
        .is_err()
    {
        return;
    }
    world.state().away += 1;
    let world = world.clone();
    tokio::spawn(async move {
        sleep(A_WHILE).await;
        // The user deploys all of it, which a full quota refuses.
        while !world.state().switched.is_empty() {
            sleep(A_WHILE).await;
        }
        let _turn = world.turn().await;
        users_function(&lambda, USERS).await;
        for statement in admitted {
            admit(&lambda, &statement).await;
        }
        world.oracle().remade(USERS, &world.sandbox().state());
        world.state().away -= 1;
        world.announce();
    });
}

/// The statements in that function's policy that are not the object's.
fn others_statements(state: &Value) -> Vec<Value> {
    let functions = state["regions"][REGION]["functions"].as_array();
    let function = functions
        .into_iter()
        .flatten()
        .find(|one| one["FunctionName"] == USERS);
    let statements = function.and_then(|one| one["Policies"]["$LATEST"]["Statement"].as_array());
    let others = statements.into_iter().flatten();
    others
        .filter(|statement| !statement["Sid"].as_str().is_some_and(is_own_statement))
        .cloned()
        .collect()
}

async fn admit(lambda: &Lambda, statement: &Value) {
    let source = statement["Condition"]["ArnLike"]["AWS:SourceArn"].as_str();
    let permission = lambda
        .add_permission()
        .function_name(USERS)
        .set_statement_id(statement["Sid"].as_str().map(str::to_owned))
        .action("lambda:InvokeFunction")
        .set_principal(statement["Principal"]["Service"].as_str().map(str::to_owned))
        .set_source_arn(source.map(str::to_owned));
    drop(permission.send().await);
}

async fn to(drift: Drift, lambda: &Lambda, function: &str) {
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}");
    let code = || {
        let update = lambda.update_function_code().function_name(function);
        update.zip_file(Blob::new(SMALLEST_ARCHIVE))
    };
    let configuration = lambda.update_function_configuration().function_name(function);
    match drift {
        Drift::DeleteFunctions => drop(lambda.delete_function().function_name(function).send().await),
        Drift::ChangeCode => drop(code().send().await),
        Drift::ChangeArchitecture => drop(code().architectures(Architecture::Arm64).send().await),
        Drift::Configure => {
            let variables = Environment::builder().variables("FOREIGN", "1").build();
            drop(
                configuration
                    .memory_size(1024)
                    .environment(variables)
                    .send()
                    .await,
            );
        }
        Drift::ChangeRuntime => drop(configuration.runtime(Runtime::Nodejs22x).send().await),
        Drift::ChangeHandler => drop(configuration.handler("index.other").send().await),
        Drift::ChangeTimeout => drop(configuration.timeout(60).send().await),
        Drift::ChangeExecutionRole => drop(configuration.role(stranger_role()).send().await),
        Drift::DropFunctionTags => {
            let keys = WITHOUT_PROOF.map(str::to_owned).to_vec();
            drop(
                lambda
                    .untag_resource()
                    .resource(arn)
                    .set_tag_keys(Some(keys))
                    .send()
                    .await,
            );
        }
        _ => {
            let tag = lambda.tag_resource().resource(arn);
            drop(tag.tags(USER_TAG, "somebody").tags(MORE, "somebody").send().await);
        }
    }
}
