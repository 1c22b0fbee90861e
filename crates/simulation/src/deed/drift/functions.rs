//! The object's own functions, and the user's to which routes lead.

use super::{A_WHILE, Drift, MORE, USER_TAG, WITHOUT_PROOF};
use crate::{
    ACCOUNT, REGION,
    ground::{admit_somebody, stranger_role, users_function},
    world::World,
};
use aws_config::SdkConfig;
use aws_sdk_lambda::{
    Client as Lambda,
    primitives::Blob,
    types::{Architecture, Environment, Runtime},
};
use jwthttpapi_sandbox::SMALLEST_ARCHIVE;
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
    drop(lambda.delete_function().function_name(USERS).send().await);
    world.state().away += 1;
    let world = world.clone();
    tokio::spawn(async move {
        sleep(A_WHILE).await;
        if users_function(&lambda, USERS).await {
            admit_somebody(&lambda, USERS).await;
            world.oracle().remade(USERS, &world.sandbox().state());
        }
        world.state().away -= 1;
        world.announce();
    });
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
