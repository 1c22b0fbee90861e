//! AWS without what is of objects, all of it or parts.

use super::{invocation, owned, pairs};
use crate::ground::is_anothers;
use serde_json::{Map, Value, json};

/// Everything that is not the object's, as it is.
pub(crate) fn others(state: &Value) -> Value {
    let mut state = without_functions(without_statements(state.clone()));
    keep(&mut state["roles"], &|role| !tagged(&pairs(&role["Tags"])));
    keep(&mut state["regions"][crate::REGION]["apis"], &|api| !is_own(api));
    state
}

fn keep(list: &mut Value, keep: &dyn Fn(&Value) -> bool) {
    if let Some(items) = list.as_array_mut() {
        items.retain(keep);
    }
}

/// AWS without functions of objects' own, their roles and their logs.
pub(crate) fn without_functions(mut state: Value) -> Value {
    keep(&mut state["roles"], &|role| {
        !tagged(&pairs(&role["Tags"])) || !owned::is_of_a_function(role)
    });
    let services = &mut state["regions"][crate::REGION];
    keep(&mut services["functions"], &|function| {
        !tagged(&pairs(&function["Tags"]))
    });
    keep(&mut services["logGroups"], &|group| {
        !tagged(&pairs(&group["tags"]))
    });
    state
}

/// AWS without the operator's statements on functions.
pub(crate) fn without_statements(mut state: Value) -> Value {
    let services = &mut state["regions"][crate::REGION];
    for function in services["functions"].as_array_mut().into_iter().flatten() {
        // It changes with every statement.
        function["RevisionId"] = Value::Null;
        for policy in function["Policies"]
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
            keep(&mut policy["Statement"], &|statement| {
                !invocation::is_own(statement)
            });
        }
        if let Some(policies) = function["Policies"].as_object_mut() {
            policies.retain(|_, policy| policy["Statement"] != json!([]));
        }
    }
    state
}

fn is_own(api: &Value) -> bool {
    api["tags"].as_object().is_some_and(tagged)
}

fn tagged(tags: &Map<String, Value>) -> bool {
    let cluster = tags.get("jwthttpapi.dev/cluster").and_then(Value::as_str);
    let uid = tags.get("jwthttpapi.dev/uid").and_then(Value::as_str);
    cluster.is_some_and(|cluster| cluster.starts_with(crate::KUBE_SYSTEM)) && !uid.is_some_and(is_anothers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KUBE_SYSTEM, OBJECT};

    /// Somebody may have changed what it trusts.
    #[test]
    fn a_functions_role_is_known_by_what_it_may_do_also() {
        let role = |service: &str, action: &str| {
            json!({
                "AssumeRolePolicyDocument": {"Statement": [{"Principal": {"Service": service}}]},
                "InlinePolicies": {"jwthttpapi": {"Statement": [{"Action": [action]}]}},
                "Tags": [
                    {"Key": "jwthttpapi.dev/cluster", "Value": format!("{KUBE_SYSTEM}/{KUBE_SYSTEM}")},
                    {"Key": "jwthttpapi.dev/uid", "Value": OBJECT.name},
                ],
            })
        };
        let invokes = role("apigateway.amazonaws.com", "lambda:InvokeFunction");
        let roles = json!([
            role("lambda.amazonaws.com", "logs:PutLogEvents"),
            role("lambda.amazonaws.com", "s3:GetObject"),
            role("ec2.amazonaws.com", "logs:PutLogEvents"),
            invokes.clone(),
        ]);
        let left = without_functions(json!({"roles": roles}));
        assert_eq!(left["roles"], json!([invokes]));
    }
}
