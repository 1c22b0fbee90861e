//! Routes that get other functions.

use super::{Scenario, usual::route};
use serde_json::{Value, json};

impl Scenario {
    /// Routes that get other functions, one beside a broader one, and one that gives way to narrower ones, on an AWS that is slow to
    /// deploy and in which permissions come into force late.
    fn repointed_by(mode: &str) -> Self {
        let mut repointed = Self::smallest();
        repointed.switches = json!({"iam_delay_ms": 8_000, "deploy_delay_ms": 3_000});
        repointed.first["invocation"] = json!({"mode": mode});
        let mut second = repointed.first.clone();
        repointed.first["routes"] = json!([
            route("GET /a", "one"),
            route("GET /{proxy+}", "one"),
            route("ANY /parts/{proxy+}", "one"),
        ]);
        second["routes"] = json!([
            route("GET /a", "two"),
            route("GET /b", "two"),
            route("GET /{proxy+}", "three"),
            route("GET /parts/c", "one"),
            route("POST /parts/{name}", "one"),
        ]);
        repointed.second = Some(second);
        repointed
    }

    /// The object has this function of its own then, and a route to it.
    fn with_own(spec: &mut Value, name: &str) {
        spec["functions"] = json!([{"name": name, "runtime": "python3.14", "handler": "index.handler", "code": "handler = print"}]);
        if let Some(routes) = spec["routes"].as_array_mut() {
            routes.push(json!({"routeKey": "GET /own", "lambda": {"function": name}}));
        }
    }

    /// Those with a role and a function of the object's own that goes for another, with statements in the functions' policies, and
    /// from a role to statements and back.
    pub fn repointed() -> [Self; 4] {
        let (by_role, by_policy) = (Self::repointed_by("Role"), Self::repointed_by("ResourcePolicy"));
        let to = |name, from: &Self, to: &Self| Self {
            name,
            second: to.second.clone(),
            ..from.clone()
        };
        let mut own = to("repointed", &by_role, &by_role);
        Self::with_own(&mut own.first, "old");
        if let Some(second) = &mut own.second {
            Self::with_own(second, "new");
        }
        [
            to("repointed-by-policy", &by_policy, &by_policy),
            to("repointed-to-policy", &by_role, &by_policy),
            to("repointed-to-role", &by_policy, &by_role),
            own,
        ]
    }
}
