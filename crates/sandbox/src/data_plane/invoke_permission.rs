//! Whether API Gateway may invoke a function.
//!
//! With credentials on the integration, the role decides: its trust lets API Gateway assume it, and its policies let
//! it invoke the exact ARN that is called. Without, the function's resource policy decides. Neither is looked at when
//! the integration is created; a fault shows as 500 at run time, and nothing but access logs says why.

use serde_json::Value;
use thiserror::Error;

use crate::{
    data_plane::{
        evaluation::{self, Assumer, Effect, Principal, Question, may_assume},
        matcher::DEFAULT_ROUTE_KEY,
    },
    model::deployment::{Deployment, RoleView},
};

const GATEWAY: &str = "apigateway.amazonaws.com";
const INVOKE: &str = "lambda:InvokeFunction";

/// Why an invocation is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// The integration names no role that exists, or the caller's identity, which is of no use on HTTP APIs (O).
    #[error("the role of the integration does not exist")]
    NoRole,
    /// The trust policy does not let API Gateway assume the role.
    #[error("API Gateway may not assume the role of the integration")]
    Trust,
    /// The role's policies do not allow the invocation of this ARN.
    #[error("the role of the integration may not invoke the function")]
    RolePolicy,
    /// The function's resource policy denies it, or does not allow it where it has to.
    #[error("the resource policy of the function does not let API Gateway invoke it")]
    ResourcePolicy,
}

/// An invocation as the policies see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation<'a> {
    /// The function that is called, with the qualifier if the integration names one.
    pub function_arn: &'a str,
    /// What arrives as `aws:SourceArn`; see [`source_arn`].
    pub source_arn: String,
    /// The account of the API, which arrives as `aws:SourceAccount`.
    pub account: &'a str,
}

/// Decides by the role that the integration names; `function_policy` is that of the ARN that is called.
///
/// A condition in the trust policy that needs `aws:SourceArn` or `aws:SourceAccount` fails: neither is there when API
/// Gateway assumes the role (O; unconfirmed for HTTP APIs). A function of another account has to allow the role in
/// its own policy as well (I). A permissions boundary is not looked at: its document is not modelled.
pub fn by_role(
    invocation: &Invocation<'_>,
    role: Option<&RoleView>,
    function_policy: Option<&Value>,
) -> Result<(), Denied> {
    let role = role.ok_or(Denied::NoRole)?;
    if !may_assume(role, Assumer::Service(GATEWAY), &[]) {
        return Err(Denied::Trust);
    }
    let invoke = |principal| Question {
        principal,
        action: INVOKE,
        resource: invocation.function_arn,
        context: &[],
    };
    if evaluation::decide(&role.policies, &invoke(Principal::Itself)) != Effect::Allowed {
        return Err(Denied::RolePolicy);
    }
    let same_account = account_of(&role.arn) == account_of(invocation.function_arn);
    match evaluation::decide(function_policy, &invoke(Principal::Identity(&role.arn))) {
        Effect::Allowed => Ok(()),
        Effect::Silent if same_account => Ok(()),
        Effect::Silent | Effect::Denied => Err(Denied::ResourcePolicy),
    }
}

/// Decides by the resource policy of the function, version or alias that is called.
pub fn by_resource_policy(
    invocation: &Invocation<'_>,
    function_policy: Option<&Value>,
) -> Result<(), Denied> {
    let question = Question {
        principal: Principal::Service(GATEWAY),
        action: INVOKE,
        resource: invocation.function_arn,
        context: &[
            ("aws:SourceArn", &invocation.source_arn),
            ("aws:SourceAccount", invocation.account),
        ],
    };
    match evaluation::decide(function_policy, &question) {
        Effect::Allowed => Ok(()),
        Effect::Silent | Effect::Denied => Err(Denied::ResourcePolicy),
    }
}

/// What arrives as `aws:SourceArn` when a route invokes its function (O): the method or `*` and the
/// path as in the route key, or `$default` alone.
pub fn source_arn(deployment: &Deployment, route_key: &str) -> String {
    let Deployment {
        partition,
        region,
        account,
        api_id,
        stage,
        ..
    } = deployment;
    let route = match route_key.split_once(' ') {
        Some(("ANY", path)) => format!("*{path}"),
        Some((method, path)) => format!("{method}{path}"),
        None => DEFAULT_ROUTE_KEY.to_owned(),
    };
    format!("arn:{partition}:execute-api:{region}:{account}:{api_id}/{stage}/{route}")
}

/// The function ARN in an integration URI: the URI itself, or what stands in the long form
/// `arn:…:apigateway:<region>:lambda:path/2015-03-31/functions/<function ARN>/invocations` (D).
pub fn function_arn(uri: &str) -> Option<&str> {
    let arn = match uri.split_once(":lambda:path/2015-03-31/functions/") {
        Some((_, rest)) => rest.strip_suffix("/invocations")?,
        None => uri,
    };
    (arn.starts_with("arn:") && arn.contains(":lambda:")).then_some(arn)
}

fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:hello";
    const ALIAS: &str = "arn:aws:lambda:eu-west-1:123456789012:function:hello:live";
    const ROLE: &str = "arn:aws:iam::123456789012:role/jwthttpapi/r";

    fn invocation<'a>(function_arn: &'a str, route_key: &str) -> Invocation<'a> {
        let deployment = Deployment {
            disabled: false,
            id: "d".to_owned(),
            api_id: "api1".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            partition: "aws".to_owned(),
            stage: "$default".to_owned(),
            routes: Vec::new(),
        };
        Invocation {
            function_arn,
            source_arn: source_arn(&deployment, route_key),
            account: "123456789012",
        }
    }

    fn role(trust: Value, policies: &[Value]) -> RoleView {
        RoleView {
            arn: ROLE.to_owned(),
            trust,
            policies: policies.to_vec(),
            boundary: None,
        }
    }

    fn trust() -> Value {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]})
    }

    fn statement(effect: &str, action: &str, resource: &Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action, "Resource": resource}})
    }

    #[test]
    fn a_role_invokes_the_exact_arn_that_its_policies_name() {
        for (resource, function, expected) in [
            (json!(FUNCTION), FUNCTION, Ok(())),
            (json!([FUNCTION, ALIAS]), ALIAS, Ok(())),
            (json!(FUNCTION), ALIAS, Err(Denied::RolePolicy)),
            (json!(ALIAS), FUNCTION, Err(Denied::RolePolicy)),
            (json!(format!("{FUNCTION}:*")), ALIAS, Ok(())),
            (json!(format!("{FUNCTION}:*")), FUNCTION, Err(Denied::RolePolicy)),
            (json!("arn:aws:lambda:*:*:function:hell?"), FUNCTION, Ok(())),
            (json!("*"), ALIAS, Ok(())),
            (json!(FUNCTION.to_uppercase()), FUNCTION, Err(Denied::RolePolicy)),
        ] {
            let role = role(trust(), &[statement("Allow", INVOKE, &resource)]);
            assert_eq!(
                by_role(&invocation(function, "GET /a"), Some(&role), None),
                expected,
                "{resource}"
            );
        }
    }

    #[test]
    fn actions_match_in_any_case_and_with_wildcards() {
        for (action, expected) in [
            ("lambda:InvokeFunction", Ok(())),
            ("LAMBDA:invokefunction", Ok(())),
            ("lambda:Invoke*", Ok(())),
            ("*", Ok(())),
            ("lambda:InvokeAsync", Err(Denied::RolePolicy)),
            ("lambda:GetFunction", Err(Denied::RolePolicy)),
        ] {
            let role = role(trust(), &[statement("Allow", action, &json!(FUNCTION))]);
            assert_eq!(
                by_role(&invocation(FUNCTION, "GET /a"), Some(&role), None),
                expected,
                "{action}"
            );
        }
    }

    #[test]
    fn a_deny_wins_wherever_it_stands() {
        let allow = statement("Allow", "*", &json!("*"));
        let deny = statement("Deny", INVOKE, &json!("arn:aws:lambda:*"));
        for policies in [[allow.clone(), deny.clone()], [deny, allow.clone()]] {
            let role = role(trust(), &policies);
            assert_eq!(
                by_role(&invocation(FUNCTION, "GET /a"), Some(&role), None),
                Err(Denied::RolePolicy)
            );
        }
        let function_policy = json!({"Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "lambda:*", "Resource": FUNCTION}
        ]});
        let verdict = by_role(
            &invocation(FUNCTION, "GET /a"),
            Some(&role(trust(), &[allow])),
            Some(&function_policy),
        );
        assert_eq!(verdict, Err(Denied::ResourcePolicy));
    }

    #[test]
    fn the_trust_policy_lets_api_gateway_assume_the_role_without_conditions_on_its_source() {
        let with = |change: Value| {
            let mut trust = trust();
            for (name, value) in change.as_object().unwrap() {
                trust["Statement"][0][name] = value.clone();
            }
            trust
        };
        for (trust, expected) in [
            (trust(), Ok(())),
            (
                with(json!({"Principal": {"Service": ["lambda.amazonaws.com", GATEWAY]}})),
                Ok(()),
            ),
            (
                with(json!({"Principal": {"Service": "lambda.amazonaws.com"}})),
                Err(Denied::Trust),
            ),
            (
                with(json!({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}})),
                Err(Denied::Trust),
            ),
            (with(json!({"Action": "sts:TagSession"})), Err(Denied::Trust)),
            (
                with(json!({"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}})),
                Err(Denied::Trust),
            ),
            (
                with(json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:*:*:*:*:*"}}})),
                Err(Denied::Trust),
            ),
            (json!({"Statement": []}), Err(Denied::Trust)),
            (json!(null), Err(Denied::Trust)),
        ] {
            let role = role(trust.clone(), &[statement("Allow", INVOKE, &json!("*"))]);
            assert_eq!(
                by_role(&invocation(FUNCTION, "GET /a"), Some(&role), None),
                expected,
                "{trust}"
            );
        }
    }

    #[test]
    fn a_role_that_does_not_exist_or_says_nothing_invokes_nothing() {
        assert_eq!(
            by_role(&invocation(FUNCTION, "GET /a"), None, None),
            Err(Denied::NoRole)
        );
        let silent = role(trust(), &[]);
        assert_eq!(
            by_role(&invocation(FUNCTION, "GET /a"), Some(&silent), None),
            Err(Denied::RolePolicy)
        );
    }

    #[test]
    fn a_function_of_another_account_has_to_allow_the_role_as_well() {
        const FOREIGN: &str = "arn:aws:lambda:eu-west-1:210987654321:function:hello";
        let role = role(trust(), &[statement("Allow", INVOKE, &json!(FOREIGN))]);
        let verdict = |policy: Option<&Value>| by_role(&invocation(FOREIGN, "GET /a"), Some(&role), policy);
        assert_eq!(verdict(None), Err(Denied::ResourcePolicy));
        for principal in [ROLE, "arn:aws:iam::123456789012:root", "123456789012"] {
            let policy = json!({"Statement": [{
                "Effect": "Allow", "Principal": {"AWS": principal}, "Action": INVOKE, "Resource": FOREIGN
            }]});
            assert_eq!(verdict(Some(&policy)), Ok(()), "{principal}");
        }
    }

    #[test]
    fn the_source_arn_names_stage_method_and_path_of_the_route() {
        for (route_key, expected) in [
            (
                "GET /pets",
                "arn:aws:execute-api:eu-west-1:123456789012:api1/$default/GET/pets",
            ),
            (
                "GET /",
                "arn:aws:execute-api:eu-west-1:123456789012:api1/$default/GET/",
            ),
            (
                "ANY /{proxy+}",
                "arn:aws:execute-api:eu-west-1:123456789012:api1/$default/*/{proxy+}",
            ),
            (
                "$default",
                "arn:aws:execute-api:eu-west-1:123456789012:api1/$default/$default",
            ),
        ] {
            assert_eq!(invocation(FUNCTION, route_key).source_arn, expected);
        }
    }

    #[test]
    fn a_resource_policy_covers_the_routes_that_its_pattern_covers() {
        for (pattern, route_key, covered) in [
            ("api1/*/*/pets", "GET /pets", true),
            ("api1/*/*", "GET /pets", true),
            ("api1/*", "GET /pets", true),
            ("api1/*/*/*", "GET /pets", true),
            ("api1/*/GET/pets", "GET /pets", true),
            ("api1/*/PUT/pets", "GET /pets", false),
            ("api1/*/*/{proxy+}", "ANY /{proxy+}", true),
            ("api1/*/*", "ANY /{proxy+}", true),
            ("api1/*/*", "$default", true),
            ("api1/*", "$default", true),
            ("api1/*/*/*", "$default", false),
            ("api2/*/*", "GET /pets", false),
        ] {
            let policy = granting(&format!("arn:aws:execute-api:eu-west-1:123456789012:{pattern}"));
            let verdict = by_resource_policy(&invocation(FUNCTION, route_key), Some(&policy));
            assert_eq!(verdict.is_ok(), covered, "{pattern} for {route_key}");
        }
    }

    fn granting(source_arn: &str) -> Value {
        json!({"Version": "2012-10-17", "Id": "default", "Statement": [{
            "Sid": "s", "Effect": "Allow", "Principal": {"Service": GATEWAY}, "Action": INVOKE,
            "Resource": FUNCTION, "Condition": {"ArnLike": {"AWS:SourceArn": source_arn}}
        }]})
    }

    #[test]
    fn a_resource_policy_allows_only_what_all_parts_of_a_statement_say() {
        let good = granting("arn:aws:execute-api:eu-west-1:123456789012:api1/*/*");
        let source = good["Statement"][0]["Condition"]["ArnLike"].clone();
        let denied = Err(Denied::ResourcePolicy);
        for (name, value, expected) in [
            ("Sid", json!("other"), Ok(())),
            ("Principal", json!("*"), Ok(())),
            ("Principal", json!(GATEWAY), denied),
            ("Principal", json!({"Service": "events.amazonaws.com"}), denied),
            ("Action", json!("lambda:GetFunction"), denied),
            ("Resource", json!(ALIAS), denied),
            ("Effect", json!("Deny"), denied),
            (
                "Condition",
                json!({"ArnLike": source, "StringEquals": {"AWS:SourceAccount": "123456789012"}}),
                Ok(()),
            ),
            (
                "Condition",
                json!({"ArnLike": source, "StringEquals": {"AWS:SourceAccount": "1"}}),
                denied,
            ),
            (
                "Condition",
                json!({"StringEquals": {"aws:sourceaccount": ["1", "123456789012"]}}),
                Ok(()),
            ),
            (
                "Condition",
                json!({"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:eu-west-1:*"}}),
                denied,
            ),
            (
                "Condition",
                json!({"Bool": {"aws:SecureTransport": "true"}}),
                denied,
            ),
        ] {
            let mut policy = good.clone();
            policy["Statement"][0][name] = value.clone();
            let verdict = by_resource_policy(&invocation(FUNCTION, "GET /a"), Some(&policy));
            assert_eq!(verdict, expected, "{name}: {value}");
        }
        assert_eq!(by_resource_policy(&invocation(FUNCTION, "GET /a"), None), denied);
    }

    #[test]
    fn both_forms_of_an_integration_uri_name_the_function() {
        let long =
            format!("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{ALIAS}/invocations");
        assert_eq!(function_arn(&long), Some(ALIAS));
        assert_eq!(function_arn(FUNCTION), Some(FUNCTION));
        assert_eq!(function_arn("https://example.com"), None);
        assert_eq!(function_arn(long.trim_end_matches('s')), None);
    }
}
