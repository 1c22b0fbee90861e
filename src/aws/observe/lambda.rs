//! Lambda's answers.

use crate::aws::Session;
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use aws_sdk_lambda::types::{
    FunctionConfiguration, LastUpdateStatus, LastUpdateStatusReasonCode, State as LambdaState,
    StateReasonCode,
};
use jwthttpapi_core::model::function::Configuration;
use jwthttpapi_core::model::name::FunctionArn;
use jwthttpapi_core::model::observed::{Function, State};
use serde_json::Value;

/// The policy of a function, alias or version, which comes as a JSON text (O, aws-facts §10).
pub(super) async fn policy(session: &Session, arn: &FunctionArn) -> Result<Value, Fault> {
    let operation = Operation::GetPolicy;
    let request = session
        .lambda()
        .reads
        .get_policy()
        .function_name(arn.unqualified());
    let send = request.set_qualifier(arn.qualifier().map(str::to_owned)).send();
    let text = session.read(operation, send).await?.policy.unwrap_or_default();
    serde_json::from_str(&text).map_err(|_| Fault::unreadable(operation, "a readable policy"))
}

/// Whether there is such a function, alias or version.
pub(super) async fn exists(session: &Session, arn: &FunctionArn) -> Result<(), Fault> {
    let request = session.lambda().reads.get_function_configuration();
    let request = request.function_name(arn.unqualified());
    let send = request.set_qualifier(arn.qualifier().map(str::to_owned)).send();
    session
        .read(Operation::GetFunctionConfiguration, send)
        .await
        .map(|_| ())
}

/// A function with its configuration and its tags.
pub(super) async fn own(session: &Session, name: &str) -> Result<Function, Fault> {
    let operation = Operation::GetFunction;
    let request = session.lambda().reads.get_function();
    let answer = session
        .read(operation, request.function_name(name).send())
        .await?;
    let configuration = answer
        .configuration
        .ok_or_else(|| Fault::unreadable(operation, "the configuration"))?;
    Ok(Function {
        tags: answer.tags.into_iter().flatten().collect(),
        ..function(configuration)
    })
}

fn function(answer: FunctionConfiguration) -> Function {
    let state = state(
        answer.state.as_ref(),
        answer.state_reason_code.as_ref(),
        answer.last_update_status.as_ref(),
        answer.last_update_status_reason_code.as_ref(),
    );
    let architectures = answer.architectures.unwrap_or_default();
    let architecture = architectures
        .first()
        .map_or("x86_64", aws_sdk_lambda::types::Architecture::as_str);
    let runtime = answer
        .runtime
        .as_ref()
        .map(aws_sdk_lambda::types::Runtime::as_str);
    let variables = answer.environment.and_then(|environment| environment.variables);
    Function {
        sha256: answer.code_sha256.unwrap_or_default(),
        architecture: architecture.to_owned(),
        configuration: Configuration {
            runtime: runtime.unwrap_or_default().to_owned(),
            handler: answer.handler.unwrap_or_default(),
            role: answer.role.unwrap_or_default(),
            memory: answer.memory_size.unwrap_or(Configuration::MEMORY),
            timeout: answer.timeout.unwrap_or(Configuration::TIMEOUT),
            environment: variables.into_iter().flatten().collect(),
        },
        state,
        ..Function::default()
    }
}

/// How far Lambda is with a function. One that rests (`Inactive`) wakes when it is called or changed (D).
pub(in crate::aws) fn state(
    state: Option<&LambdaState>,
    why: Option<&StateReasonCode>,
    update: Option<&LastUpdateStatus>,
    why_not: Option<&LastUpdateStatusReasonCode>,
) -> State {
    match (state, update) {
        (Some(LambdaState::Pending), _) | (_, Some(LastUpdateStatus::InProgress)) => State::Changing,
        (Some(LambdaState::Failed), _) => {
            State::Failed(why.map_or("Failed", StateReasonCode::as_str).to_owned())
        }
        (_, Some(LastUpdateStatus::Failed)) => {
            let code = why_not.map_or("Failed", LastUpdateStatusReasonCode::as_str);
            State::Failed(code.to_owned())
        }
        _ => State::Settled,
    }
}
