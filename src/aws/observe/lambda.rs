//! Lambda's answers.

use crate::aws::Session;
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use aws_sdk_lambda::types::{
    EnvironmentResponse, FunctionConfiguration, LastUpdateStatus, LastUpdateStatusReasonCode,
    State as LambdaState, StateReasonCode,
};
use jwthttpapi_core::model::function::Configuration;
use jwthttpapi_core::model::name::FunctionArn;
use jwthttpapi_core::model::observed::{Function, State};
use serde_json::Value;
use std::collections::BTreeMap;

/// The policy of a function, alias or version, which comes as a JSON text (O).
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

/// A function with its configuration and its tags. Only who may list tags is shown them with the function (D), and what else keeps
/// them back is an answer all the same: where there are none they are asked for.
pub(super) async fn own(session: &Session, name: &str) -> Result<Function, Fault> {
    let operation = Operation::GetFunction;
    let request = session.lambda().reads.get_function();
    let answer = session
        .read(operation, request.function_name(name).send())
        .await?;
    let configuration = answer
        .configuration
        .ok_or_else(|| Fault::unreadable(operation, "the configuration"))?;
    let tags = match (answer.tags, answer.tags_error) {
        (Some(tags), None) => tags.into_iter().collect(),
        _ => tags(session, configuration.function_arn.as_deref()).await?,
    };
    Ok(Function {
        tags,
        ..function(configuration)
    })
}

async fn tags(session: &Session, arn: Option<&str>) -> Result<BTreeMap<String, String>, Fault> {
    let operation = Operation::ListFunctionTags;
    let arn = arn.ok_or_else(|| Fault::unreadable(Operation::GetFunction, "the function's ARN"))?;
    let request = session.lambda().reads.list_tags().resource(arn);
    let answer = session.read(operation, request.send()).await?;
    Ok(answer.tags.into_iter().flatten().collect())
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
    let environment = answer
        .environment
        .unwrap_or_else(|| EnvironmentResponse::builder().build());
    let mut variables: BTreeMap<String, String> = environment.variables.into_iter().flatten().collect();
    // Somebody put them under a key that the operator may not use. They are no empty ones: with a name that no variable can have
    // they differ from all that may be wanted, and are written anew under Lambda's own key.
    if environment.error.is_some() {
        variables.insert(String::new(), String::new());
    }
    Function {
        sha256: answer.code_sha256.unwrap_or_default(),
        architecture: architecture.to_owned(),
        configuration: Configuration {
            runtime: runtime.unwrap_or_default().to_owned(),
            handler: answer.handler.unwrap_or_default(),
            role: answer.role.unwrap_or_default(),
            memory: answer.memory_size.unwrap_or(Configuration::MEMORY),
            timeout: answer.timeout.unwrap_or(Configuration::TIMEOUT),
            environment: variables,
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
            State::ChangeFailed(code.to_owned())
        }
        _ => State::Settled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::types::EnvironmentError;

    #[test]
    fn variables_that_cannot_be_decrypted_are_not_taken_for_none() {
        let environment = |builder: aws_sdk_lambda::types::builders::EnvironmentResponseBuilder| {
            let configuration = FunctionConfiguration::builder().environment(builder.build());
            function(configuration.build())
        };
        let none = environment(EnvironmentResponse::builder());
        assert_eq!(none.configuration.environment, BTreeMap::new());
        let error = EnvironmentError::builder().error_code("KMSAccessDeniedException");
        let unreadable = environment(EnvironmentResponse::builder().error(error.build()));
        assert_ne!(unreadable.configuration, none.configuration);
    }
}
