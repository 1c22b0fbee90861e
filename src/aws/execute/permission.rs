//! Requests about functions' policies: one statement for an API on one function and qualifier.

use super::send::{Ids, Sending, To};
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use jwthttpapi_core::model::document::Permission;
use jwthttpapi_core::model::name::FunctionArn;

/// Adds the statement. It is no upsert (O): one of this id is a fault, and is read first.
pub(super) fn add<'a>(
    to: To<'a>,
    ids: &Ids<'_>,
    function: &FunctionArn,
    statement_id: &str,
) -> Result<Sending<'a>, Fault> {
    let request = to.session.lambda().writes.add_permission();
    let request = request
        .function_name(function.unqualified())
        .set_qualifier(function.qualifier().map(str::to_owned))
        .statement_id(statement_id)
        .action(Permission::ACTION)
        .principal(Permission::PRINCIPAL)
        .source_arn(to.session.place().execute_api_arn(ids.api()?));
    Ok(to.change(Operation::AddPermission, request.send()))
}

pub(super) fn remove<'a>(to: To<'a>, function: &FunctionArn, statement_id: &str) -> Sending<'a> {
    let request = to.session.lambda().writes.remove_permission();
    let request = request
        .function_name(function.unqualified())
        .set_qualifier(function.qualifier().map(str::to_owned))
        .statement_id(statement_id);
    to.remove(Operation::RemovePermission, request.send())
}
