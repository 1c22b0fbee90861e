//! The operations of Lambda that are modelled.

use std::collections::BTreeMap;

use super::{AliasInput, FunctionInput, PermissionInput, UpdateCodeInput};
use crate::model::{Account, Described, Need, paging::PageRequest};

/// One request. `function` is a name, a partial or a full ARN; `arn` only the last.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    CreateFunction {
        input: FunctionInput,
    },
    GetFunction {
        function: String,
        qualifier: Option<String>,
    },
    GetFunctionConfiguration {
        function: String,
        qualifier: Option<String>,
    },
    UpdateFunctionCode {
        function: String,
        input: UpdateCodeInput,
    },
    UpdateFunctionConfiguration {
        function: String,
        input: FunctionInput,
    },
    DeleteFunction {
        function: String,
        qualifier: Option<String>,
    },
    ListFunctions {
        page: PageRequest,
    },
    TagResource {
        arn: String,
        tags: BTreeMap<String, String>,
    },
    UntagResource {
        arn: String,
        keys: Vec<String>,
    },
    ListTags {
        arn: String,
    },
    PublishVersion {
        function: String,
        description: Option<String>,
    },
    CreateAlias {
        function: String,
        input: AliasInput,
    },
    GetAlias {
        function: String,
        name: String,
    },
    AddPermission {
        function: String,
        qualifier: Option<String>,
        input: PermissionInput,
    },
    GetPolicy {
        function: String,
        qualifier: Option<String>,
    },
    RemovePermission {
        function: String,
        qualifier: Option<String>,
        statement: String,
        revision: Option<String>,
    },
}

impl Request {
    pub(crate) fn describe(&self) -> Described<'_> {
        let (operation, target, resource) = match self {
            Self::CreateFunction { input } => ("CreateFunction", input.function_name.as_ref(), None),
            Self::GetFunction { function, qualifier } => ("GetFunction", Some(function), qualifier.as_ref()),
            Self::GetFunctionConfiguration { function, qualifier } => {
                ("GetFunctionConfiguration", Some(function), qualifier.as_ref())
            }
            Self::UpdateFunctionCode { function, .. } => ("UpdateFunctionCode", Some(function), None),
            Self::UpdateFunctionConfiguration { function, .. } => {
                ("UpdateFunctionConfiguration", Some(function), None)
            }
            Self::DeleteFunction { function, qualifier } => {
                ("DeleteFunction", Some(function), qualifier.as_ref())
            }
            Self::ListFunctions { .. } => ("ListFunctions", None, None),
            Self::TagResource { arn, .. } => ("TagResource", Some(arn), None),
            Self::UntagResource { arn, .. } => ("UntagResource", Some(arn), None),
            Self::ListTags { arn } => ("ListTags", Some(arn), None),
            Self::PublishVersion { function, .. } => ("PublishVersion", Some(function), None),
            Self::CreateAlias { function, input } => ("CreateAlias", Some(function), Some(&input.name)),
            Self::GetAlias { function, name } => ("GetAlias", Some(function), Some(name)),
            Self::AddPermission { function, input, .. } => {
                ("AddPermission", Some(function), Some(&input.statement_id))
            }
            Self::GetPolicy { function, qualifier } => ("GetPolicy", Some(function), qualifier.as_ref()),
            Self::RemovePermission {
                function, statement, ..
            } => ("RemovePermission", Some(function), Some(statement)),
        };
        Described {
            operation,
            target: target.map(String::as_str),
            resource: resource.map(String::as_str),
        }
    }

    /// A role is handed over with `iam:PassRole` (D), and tags are given with the permission to tag (O).
    pub(crate) fn needs(&self, account: &Account, region: &str) -> Vec<Need> {
        let (input, creates) = match self {
            Self::CreateFunction { input } => (input, true),
            Self::UpdateFunctionConfiguration { input, .. } => (input, false),
            _ => return Vec::new(),
        };
        let pass = input
            .role
            .as_ref()
            .map(|role| Need::pass_role(role, "lambda.amazonaws.com"));
        let tagged = creates && input.tags.as_ref().is_some_and(|tags| !tags.is_empty());
        let name = input.function_name.as_deref().unwrap_or_default();
        let tag = tagged.then(|| {
            Need::of(
                &["lambda:TagResource"],
                super::function_arn(account, region, name),
            )
        });
        pass.into_iter().chain(tag).collect()
    }
}
