//! Rules over a whole spec that the schema cannot say.

use super::Builder;
use crate::api::Reason;
use crate::model::desired::{Guard, Invocation, Route};
use crate::model::document::ROLE_POLICY_LIMIT;
use crate::model::name::{DEFAULT_AUTHORIZER, Method, Pattern, RouteKey, Segment, is_account};
use crate::model::organisation::MOST_TAGS;
use crate::model::owner::is_ownership_tag;
use std::collections::BTreeMap;
use std::fmt::Write;

impl Builder<'_> {
    /// Of the spec's and the default tags together. The schema counts the spec's alone.
    pub(super) fn check_number_of_tags(&mut self, number: usize) {
        if number > MOST_TAGS {
            let message = format!(
                "with the operator's --default-tags these are {number} tags and {MOST_TAGS} are allowed; remove {} from spec.tags",
                number - MOST_TAGS
            );
            self.violate("spec.tags", Reason::InvalidSpec, message);
        }
    }

    /// IAM takes keys that differ in case for one and refuses both together (D, IAM user guide).
    pub(super) fn check_case_of_tags(&mut self) {
        let mut seen: BTreeMap<String, &String> = BTreeMap::new();
        for key in self.spec.tags.keys() {
            if let Some(first) = seen.insert(key.to_ascii_lowercase(), key) {
                let message = format!(
                    "it differs from {first} in case alone, and IAM takes the two for one; keep one of them"
                );
                self.violate(format!("spec.tags[{key}]"), Reason::InvalidSpec, message);
            }
        }
    }

    /// What the API server refuses, too, unless it stored the object before it had the rule.
    pub(super) fn check_reserved(&mut self) {
        for key in self.spec.tags.keys() {
            if is_ownership_tag(key) || key.to_ascii_lowercase().starts_with("aws:") {
                let message =
                    "tag keys beginning with jwthttpapi.dev/ or aws: are reserved; choose another key";
                self.violate(format!("spec.tags[{key}]"), Reason::InvalidSpec, message);
            }
        }
        let authorizers = &self.spec.authorizers;
        if authorizers
            .iter()
            .any(|authorizer| authorizer.name == DEFAULT_AUTHORIZER)
        {
            let message = format!("{DEFAULT_AUTHORIZER:?} is spec.issuer's own name; choose another one");
            self.violate("spec.authorizers", Reason::InvalidSpec, message);
        }
    }

    pub(super) fn check_brought_role(&mut self, arn: Option<&str>) {
        let Some(arn) = arn else { return };
        let place = self.place;
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let is_here = match fields[..] {
            ["arn", partition, "iam", "", account, resource]
                if partition.starts_with("aws") && is_account(account) && resource.starts_with("role/") =>
            {
                partition == place.partition && account == place.account
            }
            _ => {
                let message = format!("{arn:?} is no role; write arn:aws:iam::ACCOUNT:role/NAME");
                self.violate("spec.invocation.roleArn", Reason::InvalidSpec, message);
                return;
            }
        };
        // Nobody hands a role of another account to a service (O).
        if !is_here {
            let message = format!(
                "{arn} is not in account {} of this API; name a role that is, or remove roleArn so that the operator makes one",
                place.account
            );
            self.violate("spec.invocation.roleArn", Reason::RoleNotAllowed, message);
        } else if !self
            .policy
            .passable_roles
            .iter()
            .any(|pattern| pattern.matches(arn))
        {
            let message = format!(
                "{arn} matches no pattern of the operator's --passable-roles; ask who installed it to add one, or remove roleArn so that the operator makes a role"
            );
            self.violate("spec.invocation.roleArn", Reason::RoleNotAllowed, message);
        }
    }

    /// AWS keeps keys that differ only in parameters' names apart or not; either way one of them would never be called.
    pub(super) fn check_shapes(&mut self, routes: &BTreeMap<RouteKey, Route>) {
        let mut seen: BTreeMap<String, &RouteKey> = BTreeMap::new();
        for key in routes.keys() {
            if let Some(first) = seen.insert(key.shape(), key) {
                let message = format!("it matches the same requests as {first}; keep one of the two");
                self.violate(format!("spec.routes[{key}]"), Reason::InvalidSpec, message);
            }
        }
    }

    /// With CORS a protected `ANY` or `$default` route catches preflights, too: each needs a public `OPTIONS` route that
    /// covers its paths and goes before it (O).
    pub(super) fn check_preflight(&mut self, routes: &BTreeMap<RouteKey, Route>) {
        if self.spec.cors.as_ref().and_then(super::cors).is_none() {
            return;
        }
        let options = |segments| Pattern::Path(Method::Options, segments);
        let preflights = |pattern: &Pattern| match pattern {
            Pattern::Path(Method::Any, segments) => vec![options(segments.clone())],
            // A greedy variable takes at least one segment.
            Pattern::Default => vec![
                options(Vec::new()),
                options(vec![Segment::Greedy("proxy".to_owned())]),
            ],
            Pattern::Path(..) => Vec::new(),
        };
        let uncovered: Vec<_> = routes
            .iter()
            .filter(|(_, route)| route.guard != Guard::Public)
            .flat_map(|(key, _)| {
                preflights(key.pattern())
                    .into_iter()
                    .map(move |wanted| (key, wanted))
            })
            .filter(|(key, wanted)| {
                !routes.iter().any(|(other, route)| {
                    route.guard == Guard::Public
                        && matches!(other.pattern(), Pattern::Path(Method::Options, _))
                        && other.pattern().contains(wanted)
                        && other.pattern().precedence(key.pattern()).is_lt()
                })
            })
            .map(|(key, wanted)| (key.clone(), wanted))
            .collect();
        for (key, wanted) in uncovered {
            let mut keys = routes.keys();
            let is_there = keys.find(|other| other.pattern().is_twin_of(&wanted));
            let advice = match is_there {
                Some(other) => format!("set public: true on the route {:?}", other.to_string()),
                None => format!("add a route {:?} with public: true", written(&wanted)),
            };
            let message = format!(
                "with cors this protected route also catches the browser's OPTIONS preflight; {advice}"
            );
            self.violate(format!("spec.routes[{key}]"), Reason::InvalidSpec, message);
        }
    }

    pub(super) fn check_policy_size(&mut self, invocation: &Invocation) {
        let Invocation::Role(role) = invocation else {
            return;
        };
        let size = role.policy.size();
        if size > ROLE_POLICY_LIMIT {
            let message = format!(
                "the role's policy for {} functions would have {size} characters and IAM allows {ROLE_POLICY_LIMIT}; set invocation.mode: ResourcePolicy, or bring a role with invocation.roleArn",
                role.policy.resources().len()
            );
            self.violate("spec.invocation", Reason::PolicyFull, message);
        }
    }
}

fn written(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Default => "$default".to_owned(),
        Pattern::Path(method, segments) => {
            let mut text = format!("{} ", method.as_str());
            for segment in segments {
                let _ = match segment {
                    Segment::Literal(literal) => write!(text, "/{literal}"),
                    Segment::Param(name) => write!(text, "/{{{name}}}"),
                    Segment::Greedy(name) => write!(text, "/{{{name}+}}"),
                };
            }
            if segments.is_empty() {
                text.push('/');
            }
            text
        }
    }
}
