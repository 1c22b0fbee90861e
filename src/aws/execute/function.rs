//! Requests about functions of the object's own.

use super::send::{Made, Sending, To};
use crate::aws::fault::Fault;
use crate::aws::observe::state;
use crate::aws::operation::Operation;
use crate::aws::session::{Session, Stop, Turn};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Architecture, Environment, FunctionCode, Runtime};
use futures::FutureExt;
use jwthttpapi_core::model::function::{Code, Configuration, Function};
use jwthttpapi_core::model::observed::State;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long between two looks at a function that is being made or changed; Lambda takes seconds (I).
const LOOK: Duration = Duration::from_secs(1);

fn environment(configuration: &Configuration) -> Environment {
    let variables = configuration.environment.clone().into_iter().collect();
    Environment::builder().set_variables(Some(variables)).build()
}

fn architectures(code: &Code) -> Vec<Architecture> {
    vec![Architecture::from(code.architecture.as_str())]
}

/// Creates a function with its tags. One that exists is a fault: whose it is has to be read first.
pub(super) fn create<'a>(to: To<'a>, name: &str, function: &Function) -> Sending<'a> {
    let Function {
        code,
        configuration,
        tags,
        ..
    } = function;
    let zip = Blob::new(code.zip.clone());
    let request = to.session.lambda().writes.create_function();
    let request = request
        .function_name(name)
        .runtime(Runtime::from(configuration.runtime.as_str()))
        .handler(&configuration.handler)
        .role(&configuration.role)
        .memory_size(configuration.memory)
        .timeout(configuration.timeout)
        .environment(environment(configuration))
        .set_architectures(Some(architectures(code)))
        .set_tags(Some(tags.clone().into_iter().collect()))
        .code(FunctionCode::builder().zip_file(zip).build());
    to.change(Operation::CreateFunction, request.send())
}

pub(super) fn update_code<'a>(to: To<'a>, name: &str, code: &Code) -> Sending<'a> {
    let request = to.session.lambda().writes.update_function_code();
    let request = request
        .function_name(name)
        .zip_file(Blob::new(code.zip.clone()))
        .set_architectures(Some(architectures(code)));
    to.change(Operation::UpdateFunctionCode, request.send())
}

/// Sends all of it: what is left out would stay (D), and empty variables take all of them away.
pub(super) fn update_configuration<'a>(to: To<'a>, name: &str, configuration: &Configuration) -> Sending<'a> {
    let request = to.session.lambda().writes.update_function_configuration();
    let request = request
        .function_name(name)
        .runtime(Runtime::from(configuration.runtime.as_str()))
        .handler(&configuration.handler)
        .role(&configuration.role)
        .memory_size(configuration.memory)
        .timeout(configuration.timeout)
        .environment(environment(configuration))
        // Empty for Lambda's own, whatever key somebody gave it (O, terraform-provider-aws).
        .kms_key_arn("");
    to.change(Operation::UpdateFunctionConfiguration, request.send())
}

pub(super) fn tag<'a>(to: To<'a>, name: &str, tags: &BTreeMap<String, String>) -> Sending<'a> {
    let request = to.session.lambda().writes.tag_resource();
    let request = request
        .resource(to.session.place().function_arn(name))
        .set_tags(Some(tags.clone().into_iter().collect()));
    to.change(Operation::TagFunction, request.send())
}

pub(super) fn untag<'a>(to: To<'a>, name: &str, keys: &BTreeSet<String>) -> Sending<'a> {
    let request = to.session.lambda().writes.untag_resource();
    let request = request
        .resource(to.session.place().function_arn(name))
        .set_tag_keys(Some(keys.iter().cloned().collect()));
    to.remove(Operation::UntagFunction, request.send())
}

pub(super) fn delete<'a>(to: To<'a>, name: &str) -> Sending<'a> {
    let request = to.session.lambda().writes.delete_function();
    to.remove(Operation::DeleteFunction, request.function_name(name).send())
}

/// Waits until Lambda is done with the last creation or change.
pub(super) fn wait<'a>(to: To<'a>, name: &str) -> Sending<'a> {
    let name = name.to_owned();
    async move { settled(to.session, to.turn, &name).await }.boxed()
}

async fn settled(session: &Session, turn: Turn<'_>, name: &str) -> Result<Made, Stop> {
    let operation = Operation::GetFunctionConfiguration;
    loop {
        let request = session.lambda().reads.get_function_configuration();
        let answer = session.read(operation, request.function_name(name).send());
        let answer = answer.await.map_err(Stop::Fault)?;
        let state = state(
            answer.state.as_ref(),
            answer.state_reason_code.as_ref(),
            answer.last_update_status.as_ref(),
            answer.last_update_status_reason_code.as_ref(),
        );
        match state {
            State::Settled => return Ok(Made::Nothing),
            State::Failed(code) | State::ChangeFailed(code) => {
                return Err(Stop::Fault(Fault::of_function(operation, &code)));
            }
            State::Changing => {}
        }
        if (turn.cut)() {
            return Err(Stop::Cut);
        }
        let next = Instant::now() + LOOK;
        if turn.deadline.is_some_and(|deadline| next >= deadline) {
            return Err(Stop::Fault(Fault::unfinished(operation)));
        }
        sleep_until(next).await;
    }
}
