//! Whose what a request changes is.

use crate::{OPERATOR, REGION, ground::is_own_statement};
use jwthttpapi_sandbox::Entry;
use serde_json::Value;
use std::collections::BTreeSet;

/// What was there before a life, by the name that its requests give it.
pub(super) struct Foreign(BTreeSet<String>);

impl Foreign {
    /// Every API, role, function and log group of an account.
    pub(super) fn of(before: &Value) -> Self {
        let services = &before["regions"][REGION];
        let lists = [
            (&before["roles"], "RoleName"),
            (&services["apis"], "apiId"),
            (&services["functions"], "FunctionName"),
            (&services["logGroups"], "logGroupName"),
        ];
        let names = lists.into_iter().flat_map(|(list, field)| {
            let items = list.as_array().into_iter().flatten();
            items.filter_map(move |item| item[field].as_str())
        });
        Self(names.map(|name| last(name).to_owned()).collect())
    }

    /// What the operator has changed that is not the object's; a statement of its own in a policy of others is.
    pub(super) fn changed_by(&self, entry: &Entry) -> Option<String> {
        let target = entry.target.as_deref()?;
        let foreign = entry.committed && entry.access_key == OPERATOR && self.0.contains(last(target));
        let own = entry.operation.ends_with("Permission")
            && entry.resource.as_deref().is_some_and(is_own_statement);
        (foreign && !own).then(|| format!("{} changed {target}", entry.operation))
    }
}

/// What follows the last colon or slash of an ARN, or of a name.
fn last(name: &str) -> &str {
    let name = name.trim_end_matches(":*");
    name.rsplit([':', '/']).next().unwrap_or(name)
}
