//! The operations of IAM that are modelled.

use super::{CreateRole, Tag};
use crate::model::{Account, Described, Need, paging::PageRequest};

/// One request. `role` is a role's name, `policy` an inline policy's.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    CreateRole {
        input: CreateRole,
    },
    GetRole {
        role: String,
    },
    ListRoles {
        path_prefix: Option<String>,
        page: PageRequest,
    },
    DeleteRole {
        role: String,
    },
    UpdateAssumeRolePolicy {
        role: String,
        document: String,
    },
    PutRolePolicy {
        role: String,
        policy: String,
        document: String,
    },
    GetRolePolicy {
        role: String,
        policy: String,
    },
    DeleteRolePolicy {
        role: String,
        policy: String,
    },
    ListRolePolicies {
        role: String,
        page: PageRequest,
    },
    AttachRolePolicy {
        role: String,
        arn: String,
    },
    DetachRolePolicy {
        role: String,
        arn: String,
    },
    ListAttachedRolePolicies {
        role: String,
        page: PageRequest,
    },
    PutRolePermissionsBoundary {
        role: String,
        arn: String,
    },
    DeleteRolePermissionsBoundary {
        role: String,
    },
    TagRole {
        role: String,
        tags: Vec<Tag>,
    },
    UntagRole {
        role: String,
        keys: Vec<String>,
    },
    ListRoleTags {
        role: String,
        page: PageRequest,
    },
    ListInstanceProfilesForRole {
        role: String,
        page: PageRequest,
    },
}

impl Request {
    /// Tags on creation take the permission to tag as well (IAM User Guide, "Tagging IAM resources", D).
    pub(crate) fn needs(&self, account: &Account) -> Vec<Need> {
        match self {
            Self::CreateRole { input } if !input.tags.is_empty() => {
                let path = input.path.as_deref().unwrap_or("/");
                let role = format!(
                    "arn:{}:iam::{}:role{path}{}",
                    account.partition, account.id, input.name
                );
                vec![Need::of(&["iam:TagRole"], role)]
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn describe(&self) -> Described<'_> {
        let (operation, target, resource) = match self {
            Self::CreateRole { input } => ("CreateRole", Some(&input.name), None),
            Self::GetRole { role } => ("GetRole", Some(role), None),
            Self::ListRoles { .. } => ("ListRoles", None, None),
            Self::DeleteRole { role } => ("DeleteRole", Some(role), None),
            Self::UpdateAssumeRolePolicy { role, .. } => ("UpdateAssumeRolePolicy", Some(role), None),
            Self::PutRolePolicy { role, policy, .. } => ("PutRolePolicy", Some(role), Some(policy)),
            Self::GetRolePolicy { role, policy } => ("GetRolePolicy", Some(role), Some(policy)),
            Self::DeleteRolePolicy { role, policy } => ("DeleteRolePolicy", Some(role), Some(policy)),
            Self::ListRolePolicies { role, .. } => ("ListRolePolicies", Some(role), None),
            Self::AttachRolePolicy { role, arn } => ("AttachRolePolicy", Some(role), Some(arn)),
            Self::DetachRolePolicy { role, arn } => ("DetachRolePolicy", Some(role), Some(arn)),
            Self::ListAttachedRolePolicies { role, .. } => ("ListAttachedRolePolicies", Some(role), None),
            Self::PutRolePermissionsBoundary { role, arn } => {
                ("PutRolePermissionsBoundary", Some(role), Some(arn))
            }
            Self::DeleteRolePermissionsBoundary { role } => {
                ("DeleteRolePermissionsBoundary", Some(role), None)
            }
            Self::TagRole { role, .. } => ("TagRole", Some(role), None),
            Self::UntagRole { role, .. } => ("UntagRole", Some(role), None),
            Self::ListRoleTags { role, .. } => ("ListRoleTags", Some(role), None),
            Self::ListInstanceProfilesForRole { role, .. } => {
                ("ListInstanceProfilesForRole", Some(role), None)
            }
        };
        Described {
            operation,
            target: target.map(String::as_str),
            resource: resource.map(String::as_str),
        }
    }
}
