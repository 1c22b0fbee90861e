//! Lambda's answers.

use crate::aws::Session;
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use jwthttpapi_core::model::name::FunctionArn;
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
