//! How often every object is compared with AWS: as the installer asks, unless that took more than half of a budget. The other half
//! is for what changed.

use super::Cache;
use crate::aws::{Service, Settings};
use jwthttpapi_core::api::{ConditionType, JwtHttpApiSpec, JwtHttpApiStatus, condition};
use std::{collections::BTreeSet, time::Duration};

/// The period, as if all objects were in one Region.
pub(super) fn period(asked: Duration, objects: &Cache, budgets: &Settings) -> Duration {
    let mut reads = Reads::default();
    for object in objects.state() {
        if let Ok(object) = &object.0
            && object.status.as_ref().is_some_and(is_compared)
        {
            reads.add(&object.spec);
        }
    }
    reads
        .by_service()
        .into_iter()
        .filter_map(|(service, reads)| {
            let rate = budgets.rate(service).per_second;
            (rate > 0.0).then(|| Duration::from_secs_f64(f64::from(reads) / (rate / 2.0)))
        })
        .fold(asked, Duration::max)
}

/// What was never made, or whose spec is refused, is not compared, and must stretch nobody's period.
fn is_compared(status: &JwtHttpApiStatus) -> bool {
    let accepted = condition(&status.conditions, ConditionType::Accepted);
    status.api_id.is_some() && accepted.is_none_or(|accepted| accepted.status != "False")
}

/// What it costs to compare objects with AWS when nothing has changed.
#[derive(Debug, Default, PartialEq)]
struct Reads {
    api_gateway: u32,
    lambda: u32,
    iam: u32,
    logs: u32,
}

impl Reads {
    fn add(&mut self, spec: &JwtHttpApiSpec) {
        let backends: BTreeSet<_> = spec
            .routes
            .iter()
            .map(|route| {
                (
                    &route.lambda.function,
                    &route.lambda.name,
                    &route.lambda.arn,
                    &route.lambda.qualifier,
                )
            })
            .collect();
        let (backends, own) = (count(backends.len()), count(spec.functions.len()));
        // The API and four lists.
        self.api_gateway += 5;
        // Each function or its policy; of the object's own also the configuration.
        self.lambda += backends + own;
        // A role and its policy.
        self.iam += 2 + 2 * own;
        // The list, and the tags of each group.
        self.logs += if own == 0 { 0 } else { 1 + own };
    }

    const fn by_service(&self) -> [(Service, u32); 4] {
        [
            (Service::ApiGateway, self.api_gateway),
            (Service::Lambda, self.lambda),
            (Service::Iam, self.iam),
            (Service::Logs, self.logs),
        ]
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aws::Rate, controller::cache};
    use jwthttpapi_core::api::JwtHttpApi;
    use kube::{core::DeserializeGuard, runtime::watcher::Event};
    use serde_json::{Value, json};

    const MINUTE: Duration = Duration::from_mins(1);

    /// The period for as many objects, each with as many routes to functions of others and as many functions of its own.
    fn stretched(many: (usize, usize, usize), budgets: &Settings) -> Duration {
        stretched_by(many, budgets, &json!({"apiId": "a"}))
    }

    fn stretched_by(
        (objects, backends, own): (usize, usize, usize),
        budgets: &Settings,
        status: &Value,
    ) -> Duration {
        let routes: Vec<Value> = (0..backends)
            .map(|n| json!({"routeKey": format!("GET /{n}"), "lambda": {"name": format!("backend-{n}")}}))
            .collect();
        let functions: Vec<Value> = (0..own)
            .map(|n| json!({"name": format!("own-{n}"), "runtime": "python3.14", "handler": "app.handler", "code": "def handler(event, context): return {}"}))
            .collect();
        let (store, mut writer) = cache();
        for n in 0..objects {
            let object: JwtHttpApi = serde_json::from_value(json!({
                "apiVersion": "jwthttpapi.dev/v1alpha1",
                "kind": "JwtHttpApi",
                "metadata": {"namespace": "demo", "name": format!("api-{n}")},
                "spec": {"issuer": "https://issuer.example.com", "audience": ["a"], "routes": routes, "functions": functions},
                "status": status,
            }))
            .unwrap();
            writer.apply_watcher_event(&Event::Apply(DeserializeGuard(Ok(object))));
        }
        period(MINUTE, &store, budgets)
    }

    #[test]
    fn the_period_is_as_asked_while_reading_everything_takes_half_of_no_budget() {
        let budgets = Settings::default();
        assert_eq!(stretched((0, 0, 0), &budgets), MINUTE);
        assert_eq!(stretched((10, 10, 1), &budgets), MINUTE);
    }

    #[test]
    fn the_period_is_stretched_by_the_budget_that_is_used_most() {
        let budgets = Settings::default();
        // Five reads of API Gateway an object, half of five a second.
        assert_eq!(stretched((100, 1, 0), &budgets).as_secs(), 200);
        // One of Lambda a function, half of seven a second.
        assert_eq!(stretched((20, 300, 0), &budgets).as_secs(), 1_714);
        // Two of IAM a role, half of five a second.
        assert_eq!(stretched((20, 1, 19), &budgets).as_secs(), 320);
    }

    #[test]
    fn an_object_that_was_never_made_or_is_refused_stretches_nothing() {
        let budgets = Settings::default();
        let accepted = |status| {
            json!({"apiId": "a", "conditions": [{
                "type": "Accepted", "status": status, "reason": "InvalidSpec", "message": "",
                "lastTransitionTime": "2027-01-15T08:00:00Z",
            }]})
        };
        for status in [json!({}), accepted("False")] {
            assert_eq!(stretched_by((100, 300, 0), &budgets, &status), MINUTE);
        }
        assert!(stretched_by((100, 300, 0), &budgets, &accepted("True")) > MINUTE);
    }

    #[test]
    fn a_budget_without_a_limit_stretches_nothing() {
        let budgets = Settings {
            apigateway: Rate::UNLIMITED,
            lambda: Rate::UNLIMITED,
            iam: Rate::UNLIMITED,
            logs: Rate::UNLIMITED,
            ..Settings::default()
        };
        assert_eq!(stretched((100, 300, 20), &budgets), MINUTE);
    }
}
