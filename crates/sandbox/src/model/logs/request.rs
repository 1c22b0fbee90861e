//! The operations of CloudWatch Logs that are modelled.

use std::collections::BTreeMap;

use super::{CreateInput, DescribeInput};
use crate::model::{Account, Described, Need};

/// One request. `group` is a log group's name, `arn` its ARN.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    CreateLogGroup {
        input: CreateInput,
    },
    DeleteLogGroup {
        group: String,
    },
    DescribeLogGroups {
        input: DescribeInput,
    },
    PutRetentionPolicy {
        group: String,
        days: i64,
    },
    DeleteRetentionPolicy {
        group: String,
    },
    ListTagsForResource {
        arn: String,
    },
    TagResource {
        arn: String,
        tags: BTreeMap<String, String>,
    },
    UntagResource {
        arn: String,
        keys: Vec<String>,
    },
}

impl Request {
    pub(crate) fn describe(&self) -> Described<'_> {
        let (operation, target, resource) = match self {
            Self::CreateLogGroup { input } => ("CreateLogGroup", Some(&input.log_group_name), None),
            Self::DeleteLogGroup { group } => ("DeleteLogGroup", Some(group), None),
            Self::DescribeLogGroups { input } => {
                ("DescribeLogGroups", None, input.log_group_name_prefix.as_ref())
            }
            Self::PutRetentionPolicy { group, .. } => ("PutRetentionPolicy", Some(group), None),
            Self::DeleteRetentionPolicy { group } => ("DeleteRetentionPolicy", Some(group), None),
            Self::ListTagsForResource { arn } => ("ListTagsForResource", Some(arn), None),
            Self::TagResource { arn, .. } => ("TagResource", Some(arn), None),
            Self::UntagResource { arn, .. } => ("UntagResource", Some(arn), None),
        };
        Described {
            operation,
            target: target.map(String::as_str),
            resource: resource.map(String::as_str),
        }
    }

    /// Tags on creation take the permission to tag as well (service model, D).
    pub(crate) fn needs(&self, account: &Account, region: &str) -> Vec<Need> {
        match self {
            Self::CreateLogGroup { input } if input.tags.is_some() => vec![Need::of(
                &["logs:TagResource", "logs:TagLogGroup"],
                super::arn(account, region, &input.log_group_name),
            )],
            _ => Vec::new(),
        }
    }
}
