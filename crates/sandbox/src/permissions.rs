//! What the IAM policies of a caller have to allow, request by request.
//!
//! Only a caller with a policy of its own (`Principal::policy`) is held against all of it. What is not confirmed is asked
//! for in its strictest form: who is allowed that much is allowed the rest.

use serde::Serialize;
use serde_json::Value;

use crate::{
    data_plane::evaluation::{self, Effect, Principal, Question},
    model::{Account, Need, Request, World, apigateway, arn::FunctionReference, iam, lambda, logs},
};

/// An action on a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// Such as `apigateway:POST`.
    pub action: String,
    /// The ARN that a policy's `Resource` is held against.
    pub resource: String,
}

/// Everything that a request takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Required {
    /// The request's own action; none of a request that was not understood.
    pub(crate) own: Option<Need>,
    /// What AWS asks for besides.
    pub(crate) needs: Vec<Need>,
    /// What some of its checks are said to ask for besides.
    pub(crate) reported: Vec<Need>,
    /// What it takes to be shown the tags in the answer (D): without it they are just not there (I).
    pub(crate) tags: Option<Need>,
}

impl Required {
    /// The permissions; of several that would do, the first.
    pub(crate) fn permissions(&self) -> Vec<Permission> {
        let needs = self
            .own
            .iter()
            .chain(&self.needs)
            .chain(&self.reported)
            .chain(&self.tags);
        needs
            .filter_map(|need| {
                Some(Permission {
                    action: need.any_of.first()?.clone(),
                    resource: need.resource.clone(),
                })
            })
            .collect()
    }
}

/// What a request takes in the present world.
pub(crate) fn required(world: &World, request: &Request, region: &str, verb: &str, path: &str) -> Required {
    let account = &world.account;
    let own = match request {
        Request::ApiGateway(_) => {
            let path = path.strip_prefix("/v2").unwrap_or(path);
            let arn = format!("arn:{}:apigateway:{region}::{path}", account.partition);
            Need::of(&[&format!("apigateway:{verb}")], arn)
        }
        Request::Lambda(_) => own(request, lambda_resource(account, region, request)),
        Request::Iam(iam) => own(request, role_resource(world, iam)),
        Request::Sts(_) => own(request, request.describe().target.unwrap_or("*").to_owned()),
        Request::Logs(_) => own(request, logs_resource(account, region, request.describe().target)),
    };
    Required {
        own: Some(own.given(condition(world, request))),
        needs: request.needs(account, region),
        reported: reported(request, account, region),
        tags: match request {
            Request::Lambda(lambda::Request::GetFunction { .. }) => Some(Need::of(
                &["lambda:ListTags"],
                lambda_resource(account, region, request),
            )),
            _ => None,
        },
    }
}

/// Whether a policy allows what is needed.
pub(crate) fn allows(policy: &Value, need: &Need) -> bool {
    let context: Vec<(&str, &str)> = need
        .context
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    need.any_of.iter().any(|action| {
        let question = Question {
            principal: Principal::Itself,
            action,
            resource: &need.resource,
            context: &context,
        };
        evaluation::decide([policy], &question) == Effect::Allowed
    })
}

/// The action that has the operation's name.
fn own(request: &Request, resource: String) -> Need {
    let service = request.service().name();
    Need::of(
        &[&format!("{service}:{}", request.describe().operation)],
        resource,
    )
}

/// A function without its qualifier (I).
fn lambda_resource(account: &Account, region: &str, request: &Request) -> String {
    let function = request.describe().target.and_then(FunctionReference::parse);
    let name = function.map_or_else(|| "*".to_owned(), |function| function.name);
    format!(
        "arn:{}:lambda:{region}:{}:function:{name}",
        account.partition, account.id
    )
}

/// Operations on tags name the ARN that they are about, all others the group's streams (O).
pub(crate) fn logs_resource(account: &Account, region: &str, target: Option<&str>) -> String {
    match target {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        group => {
            let group = logs::arn(account, region, group.unwrap_or_default());
            format!("{group}:log-stream:")
        }
    }
}

/// A role's ARN has its path. Of a role that does not exist IAM knows no path, and so asks for the bare name (O: the texts
/// of its refusals; not confirmed).
fn role_resource(world: &World, request: &iam::Request) -> String {
    let account = &world.account;
    let arn =
        |path: &str, name: &str| format!("arn:{}:iam::{}:role{path}{name}", account.partition, account.id);
    match request {
        iam::Request::CreateRole { input } => arn(input.path.as_deref().unwrap_or("/"), &input.name),
        _ => match request.describe().target {
            Some(name) => world.role_arn(name).unwrap_or_else(|| arn("/", name)),
            None => arn("/", "*"),
        },
    }
}

/// The condition key that comes with a request: whom a statement lets in, the boundary that a role is given, or the one that it
/// has when its policies or its boundary go or come (D, Service Authorization Reference).
fn condition(world: &World, request: &Request) -> Option<(&'static str, String)> {
    let boundary = |arn: &String| ("iam:PermissionsBoundary", arn.clone());
    match request {
        Request::Lambda(lambda::Request::AddPermission { input, .. }) => {
            Some(("lambda:Principal", input.principal.clone()))
        }
        Request::Iam(iam::Request::CreateRole { input }) => input.boundary.as_ref().map(boundary),
        Request::Iam(iam::Request::PutRolePermissionsBoundary { arn, .. }) => Some(boundary(arn)),
        Request::Iam(
            iam::Request::PutRolePolicy { role, .. }
            | iam::Request::DeleteRolePolicy { role, .. }
            | iam::Request::AttachRolePolicy { role, .. }
            | iam::Request::DetachRolePolicy { role, .. }
            | iam::Request::DeleteRolePermissionsBoundary { role },
        ) => world.boundary(role).map(boundary),
        _ => None,
    }
}

/// Tags of an API (O), and the role of its integrations (I).
fn reported(request: &Request, account: &Account, region: &str) -> Vec<Need> {
    let Request::ApiGateway(request) = request else {
        return Vec::new();
    };
    let apis = format!("arn:{}:apigateway:{region}::/apis", account.partition);
    match request {
        apigateway::Request::CreateApi { input } if input.has_tags() => vec![
            Need::of(&["apigateway:TagResource"], apis),
            Need::of(
                &["apigateway:PUT"],
                format!("arn:{}:apigateway:{region}::/tags/", account.partition),
            ),
        ],
        apigateway::Request::TagResource { arn, .. } => {
            vec![Need::of(&["apigateway:TagResource"], arn.clone())]
        }
        apigateway::Request::UntagResource { arn, .. } => {
            vec![Need::of(&["apigateway:UntagResource"], arn.clone())]
        }
        apigateway::Request::CreateIntegration { input, .. }
        | apigateway::Request::UpdateIntegration { input, .. } => input
            .role()
            .map(|role| Need::pass_role(role, "apigateway.amazonaws.com"))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(statement: &Value) -> Value {
        json!({"Statement": [statement]})
    }

    #[test]
    fn a_policy_allows_by_action_resource_and_condition() {
        let role = "arn:aws:iam::123456789012:role/jwthttpapi/hello";
        let pass = Need::pass_role(role, "lambda.amazonaws.com");
        let statement = json!({
            "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/jwthttpapi/*",
            "Condition": {"StringEquals": {"iam:PassedToService": ["apigateway.amazonaws.com", "lambda.amazonaws.com"]}},
        });
        assert!(allows(&policy(&statement), &pass));
        for (member, value) in [
            ("Action", json!("iam:GetRole")),
            ("Resource", json!("arn:aws:iam::*:role/other/*")),
            (
                "Condition",
                json!({"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}),
            ),
        ] {
            let mut other = statement.clone();
            other[member] = value;
            assert!(!allows(&policy(&other), &pass), "{other}");
        }
    }

    #[test]
    fn one_of_several_actions_is_enough() {
        let need = Need::of(&["logs:TagResource", "logs:TagLogGroup"], "group");
        for (action, enough) in [
            ("logs:TagLogGroup", true),
            ("logs:TagResource", true),
            ("logs:Get*", false),
        ] {
            let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
            assert_eq!(allows(&policy(&statement), &need), enough, "{action}");
        }
    }
}
