//! Actions that are denied.

use super::Deed;
use crate::OPERATOR;
use serde_json::Value;

/// Every action that the operator is granted, denied for three minutes: those of the policy in `docs/aws-permissions.md`. By a
/// policy, too: what only some of AWS's checks ask for is held against policies alone.
pub fn denials() -> Vec<Deed> {
    let deny = |patch| Deed::Switch(patch, 180);
    macro_rules! denied {
        ($($action:literal),+) => {
            vec![$(deny(concat!(
                r#"{"principals": {"AKIDOPERATOR": {"deny": [""#, $action, r#""], "policy": {"Statement": ["#,
                r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}, "#,
                r#"{"Effect": "Deny", "Action": ""#, $action, r#"", "Resource": "*"}]}}}}"#
            ))),+]
        };
    }
    debug_assert_eq!(OPERATOR, "AKIDOPERATOR");
    denied!(
        "apigateway:GET",
        "apigateway:POST",
        "apigateway:PUT",
        "apigateway:PATCH",
        "apigateway:DELETE",
        "apigateway:TagResource",
        "apigateway:UntagResource",
        "lambda:GetFunctionConfiguration",
        "lambda:GetPolicy",
        "lambda:AddPermission",
        "lambda:RemovePermission",
        "lambda:GetFunction",
        "lambda:ListTags",
        "lambda:CreateFunction",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:DeleteFunction",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:CreateLogGroup",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
        "logs:DeleteLogGroup",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListRolePolicies",
        "iam:ListAttachedRolePolicies",
        "iam:CreateRole",
        "iam:PutRolePermissionsBoundary",
        "iam:UpdateAssumeRolePolicy",
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:PassRole"
    )
}

/// The actions that a patch of AWS's switches denies to the operator.
pub(super) fn denied(patch: &Value) -> impl Iterator<Item = &str> {
    let actions = patch["principals"][OPERATOR]["deny"].as_array();
    actions.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn one_denied(deed: &Deed) -> String {
        let Deed::Switch(patch, _) = deed else {
            panic!("{deed:?} denies nothing")
        };
        let patch: Value = serde_json::from_str(patch).unwrap();
        let actions: Vec<&str> = denied(&patch).collect();
        assert_eq!(actions.len(), 1);
        actions[0].to_owned()
    }

    #[test]
    fn exactly_the_actions_of_the_documented_policy_are_denied() {
        let policy = jwthttpapi_test_support::operator_policy().unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let granted: BTreeSet<String> = statements
            .iter()
            .flat_map(|statement| match &statement["Action"] {
                Value::Array(actions) => actions.clone(),
                one => vec![one.clone()],
            })
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        let all = denials();
        let denied: BTreeSet<String> = all.iter().map(one_denied).collect();
        assert_eq!(denied, granted);
        assert_eq!(denied.len(), all.len(), "one twice");
    }
}
