//! What an invocation leaves in CloudWatch Logs.
//!
//! Lambda writes with the function's execution role, and whatever the role may not is left out without a word: the
//! invocation itself does not fail (D). A role that Lambda can no longer assume writes nothing here; that
//! the invocation fails then is not modelled. A permissions boundary is not looked at: its document is not modelled.

use crate::{
    data_plane::{
        evaluation::{self, Assumer, Effect, Principal, Question, may_assume},
        runner::LOG_STREAM,
    },
    model::{
        Timestamp, World,
        deployment::{FunctionView, RoleView},
        logs::Writer,
    },
};

const LAMBDA: &str = "lambda.amazonaws.com";

/// Writes the lines of one invocation to the function's log group, as far as its execution role may.
pub(super) fn write(world: &mut World, function: &FunctionView, request_id: &str, now: Timestamp) {
    let Some(place) = Place::of(&function.arn) else {
        return;
    };
    let role = world
        .execution_role(&function.arn, now)
        .and_then(|arn| world.effective_role(&arn, now));
    let writer = writer(role.as_ref(), &place.arn);
    let lines = ["START", "END", "REPORT"].map(|word| format!("{word} RequestId: {request_id}\n"));
    world.write_log(place.region, now, writer, (&place.group, LOG_STREAM), &lines);
}

/// Where a function's log is.
struct Place<'a> {
    region: &'a str,
    group: String,
    /// The group's, without `:*`.
    arn: String,
}

impl<'a> Place<'a> {
    fn of(function_arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = function_arn.split(':').collect();
        let ["arn", partition, "lambda", region, account, "function", name, ..] = parts.as_slice() else {
            return None;
        };
        let group = format!("/aws/lambda/{name}");
        Some(Self {
            region,
            arn: format!("arn:{partition}:logs:{region}:{account}:log-group:{group}"),
            group,
        })
    }
}

/// What a role may of the way to a group's events. A group is asked for with an empty stream, the others with the
/// stream that is written (O: the texts of refusals); so a policy names them by the group's ARN with `:*` (D).
fn writer(role: Option<&RoleView>, group_arn: &str) -> Writer {
    let role = role.filter(|role| may_assume(role, Assumer::Service(LAMBDA), &[]));
    let may = |action: &str, stream: &str| {
        let question = Question {
            principal: Principal::Itself,
            action,
            resource: &format!("{group_arn}:log-stream:{stream}"),
            context: &[],
        };
        role.is_some_and(|role| evaluation::decide(&role.policies, &question) == Effect::Allowed)
    };
    Writer {
        create_group: may("logs:CreateLogGroup", ""),
        create_stream: may("logs:CreateLogStream", LOG_STREAM),
        put_events: may("logs:PutLogEvents", LOG_STREAM),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const GROUP: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/hello";

    fn allowed(service: &str, actions: &[&str], resource: &str) -> (bool, bool, bool) {
        let statement = |rest: Value| {
            let mut statement = json!({"Effect": "Allow"});
            for (name, value) in rest.as_object().unwrap() {
                statement[name] = value.clone();
            }
            json!({ "Statement": [statement] })
        };
        let role = RoleView {
            arn: "arn:aws:iam::123456789012:role/r".into(),
            trust: statement(json!({"Principal": {"Service": service}, "Action": "sts:AssumeRole"})),
            policies: vec![statement(json!({"Action": actions, "Resource": resource}))],
            boundary: None,
        };
        let writer = writer(Some(&role), GROUP);
        (writer.create_group, writer.create_stream, writer.put_events)
    }

    #[test]
    fn a_role_writes_what_its_policy_allows_on_the_streams_of_the_group() {
        const WRITE: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
        let streams = format!("{GROUP}:*");
        assert_eq!(allowed(LAMBDA, &WRITE, &streams), (false, true, true));
        assert_eq!(allowed(LAMBDA, &["logs:*"], &streams), (true, true, true));
        assert_eq!(
            allowed(LAMBDA, &WRITE, GROUP),
            (false, false, false),
            "the group is not its streams"
        );
        assert_eq!(
            allowed(LAMBDA, &WRITE, &format!("{GROUP}-other:*")),
            (false, false, false)
        );
        assert_eq!(
            allowed("apigateway.amazonaws.com", &["logs:*"], "*"),
            (false, false, false),
            "Lambda cannot assume it"
        );
    }

    #[test]
    fn without_a_role_nothing_is_written() {
        let writer = writer(None, GROUP);
        assert!(!writer.create_group && !writer.create_stream && !writer.put_events);
    }

    #[test]
    fn a_qualifier_is_no_part_of_the_groups_name() {
        let place = Place::of("arn:aws:lambda:eu-west-1:123456789012:function:hello:live").unwrap();
        assert_eq!(
            (place.region, place.group.as_str(), place.arn.as_str()),
            ("eu-west-1", "/aws/lambda/hello", GROUP)
        );
        assert!(Place::of("hello").is_none());
    }
}
