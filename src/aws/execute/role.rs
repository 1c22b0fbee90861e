//! Requests about roles: the one that invokes the functions, and those that functions run under.

use super::send::{Sending, To};
use crate::aws::fault::Fault;
use crate::aws::operation::Operation;
use aws_sdk_iam::types::Tag;
use jwthttpapi_core::model::PolicyArn;
use jwthttpapi_core::model::desired::Role;
use jwthttpapi_core::model::document::Document;
use jwthttpapi_core::model::name::{ROLE_POLICY, RoleName};
use std::collections::{BTreeMap, BTreeSet};

/// Tags as IAM takes them.
fn tags(tags: &BTreeMap<String, String>, operation: Operation) -> Result<Vec<Tag>, Fault> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|_| Fault::unresolved(operation, "a tag"))
}

/// Creates the role with its tags and what bounds it. One that exists is a fault: whose it is has to be read first.
pub(super) fn create<'a>(to: To<'a>, role: &Role) -> Result<Sending<'a>, Fault> {
    let operation = Operation::CreateRole;
    let request = to.session.iam().writes.create_role();
    let request = request
        .path(&role.name.path)
        .role_name(&role.name.name)
        .assume_role_policy_document(role.trust.render())
        .set_permissions_boundary(role.boundary.as_ref().map(|arn| arn.as_str().to_owned()))
        .set_tags(Some(tags(&role.tags, operation)?));
    Ok(to.change(operation, request.send()))
}

pub(super) fn update_trust<'a>(to: To<'a>, role: &RoleName, trust: &Document) -> Sending<'a> {
    let request = to.session.iam().writes.update_assume_role_policy();
    let request = request.role_name(&role.name).policy_document(trust.render());
    to.change(Operation::UpdateAssumeRolePolicy, request.send())
}

pub(super) fn put_boundary<'a>(to: To<'a>, role: &RoleName, boundary: &PolicyArn) -> Sending<'a> {
    let request = to.session.iam().writes.put_role_permissions_boundary();
    let request = request
        .role_name(&role.name)
        .permissions_boundary(boundary.as_str());
    to.change(Operation::PutRolePermissionsBoundary, request.send())
}

pub(super) fn put_policy<'a>(to: To<'a>, role: &RoleName, policy: &Document) -> Sending<'a> {
    let request = to.session.iam().writes.put_role_policy();
    let request = request
        .role_name(&role.name)
        .policy_name(ROLE_POLICY)
        .policy_document(policy.render());
    to.change(Operation::PutRolePolicy, request.send())
}

pub(super) fn tag<'a>(
    to: To<'a>,
    role: &RoleName,
    wanted: &BTreeMap<String, String>,
) -> Result<Sending<'a>, Fault> {
    let operation = Operation::TagRole;
    let request = to.session.iam().writes.tag_role();
    let request = request
        .role_name(&role.name)
        .set_tags(Some(tags(wanted, operation)?));
    Ok(to.change(operation, request.send()))
}

pub(super) fn untag<'a>(to: To<'a>, role: &RoleName, keys: &BTreeSet<String>) -> Sending<'a> {
    let request = to.session.iam().writes.untag_role();
    let request = request
        .role_name(&role.name)
        .set_tag_keys(Some(keys.iter().cloned().collect()));
    to.remove(Operation::UntagRole, request.send())
}

pub(super) fn delete_policy<'a>(to: To<'a>, role: &RoleName) -> Sending<'a> {
    let request = to.session.iam().writes.delete_role_policy();
    let request = request.role_name(&role.name).policy_name(ROLE_POLICY);
    to.remove(Operation::DeleteRolePolicy, request.send())
}

/// What somebody else attached to the role keeps it alive: that is reported, not taken off.
pub(super) fn delete<'a>(to: To<'a>, role: &RoleName) -> Sending<'a> {
    let request = to.session.iam().writes.delete_role();
    to.remove(Operation::DeleteRole, request.role_name(&role.name).send())
}
