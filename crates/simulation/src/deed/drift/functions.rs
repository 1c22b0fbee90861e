//! The object's own functions.

use super::{Drift, MORE, USER_TAG, WITHOUT_PROOF};
use crate::{ACCOUNT, REGION, ground::stranger_role, world::World};
use aws_config::SdkConfig;
use aws_sdk_lambda::{
    Client as Lambda,
    primitives::Blob,
    types::{Architecture, Environment, Runtime},
};
use jwthttpapi_sandbox::SMALLEST_ARCHIVE;

pub(super) async fn happen(drift: Drift, world: &World, config: &SdkConfig) {
    let lambda = Lambda::new(config);
    for function in world.functions() {
        to(drift, &lambda, &function).await;
    }
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
