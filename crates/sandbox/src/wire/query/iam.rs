//! IAM on the wire.

use bytes::Bytes;

use super::Form;
use crate::model::{
    error::Refusal,
    iam::{CreateRole, Request, Tag},
    paging::PageRequest,
};

pub(crate) fn decode(body: &Bytes) -> Result<Request, Refusal> {
    let form = Form::parse(body);
    let role = || form.required("RoleName");
    match form.action().as_str() {
        "CreateRole" => Ok(Request::CreateRole {
            input: create_role(&form)?,
        }),
        "GetRole" => Ok(Request::GetRole { role: role()? }),
        "ListRoles" => Ok(Request::ListRoles {
            path_prefix: form.optional("PathPrefix"),
            page: page(&form)?,
        }),
        "DeleteRole" => Ok(Request::DeleteRole { role: role()? }),
        "UpdateAssumeRolePolicy" => Ok(Request::UpdateAssumeRolePolicy {
            role: role()?,
            document: form.required("PolicyDocument")?,
        }),
        "PutRolePolicy" => Ok(Request::PutRolePolicy {
            role: role()?,
            policy: form.required("PolicyName")?,
            document: form.required("PolicyDocument")?,
        }),
        "GetRolePolicy" => Ok(Request::GetRolePolicy {
            role: role()?,
            policy: form.required("PolicyName")?,
        }),
        "DeleteRolePolicy" => Ok(Request::DeleteRolePolicy {
            role: role()?,
            policy: form.required("PolicyName")?,
        }),
        "ListRolePolicies" => Ok(Request::ListRolePolicies {
            role: role()?,
            page: page(&form)?,
        }),
        "AttachRolePolicy" => Ok(Request::AttachRolePolicy {
            role: role()?,
            arn: form.required("PolicyArn")?,
        }),
        "DetachRolePolicy" => Ok(Request::DetachRolePolicy {
            role: role()?,
            arn: form.required("PolicyArn")?,
        }),
        "ListAttachedRolePolicies" => Ok(Request::ListAttachedRolePolicies {
            role: role()?,
            page: page(&form)?,
        }),
        "PutRolePermissionsBoundary" => Ok(Request::PutRolePermissionsBoundary {
            role: role()?,
            arn: form.required("PermissionsBoundary")?,
        }),
        "DeleteRolePermissionsBoundary" => Ok(Request::DeleteRolePermissionsBoundary { role: role()? }),
        "TagRole" => Ok(Request::TagRole {
            role: role()?,
            tags: tags(&form),
        }),
        "UntagRole" => Ok(Request::UntagRole {
            role: role()?,
            keys: form.members("TagKeys"),
        }),
        "ListRoleTags" => Ok(Request::ListRoleTags {
            role: role()?,
            page: page(&form)?,
        }),
        "ListInstanceProfilesForRole" => Ok(Request::ListInstanceProfilesForRole {
            role: role()?,
            page: page(&form)?,
        }),
        other => Err(Refusal::not_modelled(&format!("iam:{other}"))),
    }
}

fn create_role(form: &Form) -> Result<CreateRole, Refusal> {
    Ok(CreateRole {
        name: form.required("RoleName")?,
        path: form.optional("Path"),
        trust: form.required("AssumeRolePolicyDocument")?,
        description: form.optional("Description"),
        max_session_duration: form.number("MaxSessionDuration")?,
        boundary: form.optional("PermissionsBoundary"),
        tags: tags(form),
    })
}

fn tags(form: &Form) -> Vec<Tag> {
    let tag = |index: u32| {
        let key = form.optional(&format!("Tags.member.{index}.Key"))?;
        let value = form
            .optional(&format!("Tags.member.{index}.Value"))
            .unwrap_or_default();
        Some(Tag { key, value })
    };
    (1..).map_while(tag).collect()
}

fn page(form: &Form) -> Result<PageRequest, Refusal> {
    Ok(PageRequest {
        max_results: form.number("MaxItems")?,
        token: form.optional("Marker"),
    })
}
