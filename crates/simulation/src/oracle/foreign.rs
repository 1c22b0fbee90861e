//! What of others a request changes.

use super::expected;
use crate::{ground::is_own_statement, is_operator};
use jwthttpapi_sandbox::Entry;
use serde_json::Value;
use std::collections::BTreeSet;

/// The names of what was there before a life.
pub(super) struct Foreign(BTreeSet<String>);

impl Foreign {
    /// Every API, role, function and log group of an account.
    pub(super) fn of(before: &Value) -> Self {
        let lists = expected::lists().into_iter();
        let names = lists.flat_map(|(list, name)| {
            let items = before.pointer(&list).and_then(Value::as_array);
            let names = items
                .into_iter()
                .flatten()
                .filter_map(move |item| item[name].as_str());
            names.map(named).collect::<Vec<_>>()
        });
        Self(names.map(str::to_owned).collect())
    }

    /// What the operator has changed of others.
    pub(super) fn changed_by(&self, entry: &Entry) -> Option<String> {
        let (operation, target) = (&entry.operation, entry.target.as_deref()?);
        let changed = entry.committed && is_operator(&entry.access_key);
        let foreign = changed && self.is_changed(operation, target, entry.resource.as_deref());
        foreign.then(|| format!("{operation} changed {target}"))
    }

    /// Statements of its own in the policies of others' functions are its own.
    fn is_changed(&self, operation: &str, target: &str, resource: Option<&str>) -> bool {
        let own = operation.ends_with("Permission") && resource.is_some_and(is_own_statement);
        self.0.contains(named(target)) && !own
    }
}

/// The name in an ARN, without the qualifier of a function or the star of a log group; any other text is a name.
fn named(text: &str) -> &str {
    let name = match text.split_once(":function:") {
        Some((_, qualified)) => qualified.split(':').next().unwrap_or(qualified),
        None => text.trim_end_matches(":*"),
    };
    name.rsplit([':', '/']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{REGION, ground};

    #[test]
    fn what_was_there_before_is_changed_whatever_it_is_called_by() {
        let ground = ground();
        let before = ground.beside.before;
        let foreign = Foreign::of(&before);
        let api = before["regions"][REGION]["apis"][0]["apiId"].as_str().unwrap();
        let tagged = format!("arn:aws:apigateway:{REGION}::/apis/{api}");
        let function = format!("arn:aws:lambda:{REGION}:{}:function:one", crate::ACCOUNT);
        let qualified = format!("{function}:live");
        for (operation, target, resource) in [
            ("CreateRoute", api, Some("GET /a")),
            ("TagResource", &tagged, None),
            ("UpdateFunctionCode", &function, None),
            ("RemovePermission", "one", Some("somebody-elses")),
            ("RemovePermission", &qualified, Some("somebody-elses")),
        ] {
            assert!(
                foreign.is_changed(operation, target, resource),
                "{operation} {target}"
            );
        }
        assert!(!foreign.is_changed("AddPermission", &qualified, Some("jwthttpapi-0123456789")));
        assert!(!foreign.is_changed("CreateRoute", "another", Some("GET /a")));
    }
}
