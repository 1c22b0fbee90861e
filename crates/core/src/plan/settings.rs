//! Settings and tags of the API itself.

use super::order::Ordered;
use super::step::{ApiChange, Step};
use crate::model::desired::{Cors, Desired};
use crate::model::observed;
use std::collections::{BTreeMap, BTreeSet};

/// Switching the endpoint off closes every path: it goes first.
pub(super) fn closing(desired: &Desired, api: Option<&observed::Api>) -> Option<Ordered> {
    let api = api?;
    let closes = desired.api.disable_execute_api_endpoint && !api.disable_execute_api_endpoint;
    let change = ApiChange {
        disable_execute_api_endpoint: Some(true),
        ..ApiChange::default()
    };
    closes.then_some((Step::UpdateApi(change), true))
}

/// Switching the endpoint on opens every path: this goes when all of them are as wanted, and served so
/// ([`Step::overtakes`]).
pub(super) fn opening(desired: &Desired, api: Option<&observed::Api>) -> Option<Ordered> {
    let api = api?;
    let opens = api.disable_execute_api_endpoint && !desired.api.disable_execute_api_endpoint;
    let change = ApiChange {
        disable_execute_api_endpoint: Some(false),
        ..ApiChange::default()
    };
    opens.then_some((Step::UpdateApi(change), false))
}

/// All other settings.
pub(super) fn settings(desired: &Desired, api: Option<&observed::Api>) -> Vec<Ordered> {
    let Some(api) = api else { return Vec::new() };
    let wanted = &desired.api;
    let change = ApiChange {
        name: (api.name != wanted.name).then(|| wanted.name.clone()),
        description: (api.description != wanted.description).then(|| wanted.description.clone()),
        cors: wanted
            .cors
            .clone()
            .filter(|cors| !api.cors.as_ref().is_some_and(|now| is_as_wanted(now, cors))),
        ip_address_type: (api.ip_address_type != wanted.ip_address_type).then_some(wanted.ip_address_type),
        ..ApiChange::default()
    };
    let mut steps = Vec::new();
    // An update merges: a maximum age that is left out would stay (O), and there is no value that stands for none.
    let age = |cors: &Option<Cors>| cors.as_ref().and_then(|cors| cors.max_age);
    if change.cors.is_some() && age(&api.cors).is_some() && age(&change.cors).is_none() {
        steps.push(Step::DeleteCors);
    }
    if change != ApiChange::default() {
        steps.push(Step::UpdateApi(change));
    }
    if api.cors.is_some() && wanted.cors.is_none() && !planted!(CorsStays) {
        steps.push(Step::DeleteCors);
    }
    let (set, unset) = tag_changes(&wanted.tags, &api.tags);
    // Those of before and those of now together may be more than AWS takes.
    if !unset.is_empty() && !planted!(TagsFrozen) {
        steps.push(Step::UntagApi(unset));
    }
    if !set.is_empty() && !planted!(TagsFrozen) {
        steps.push(Step::TagApi(set));
    }
    steps.into_iter().map(|step| (step, false)).collect()
}

/// Whether AWS reads back what was wanted; a maximum age of zero may stand for none (I).
fn is_as_wanted(now: &Cors, wanted: &Cors) -> bool {
    let zero_is_none = |age: Option<i32>| age.filter(|age| *age != 0 || wanted.max_age.is_some());
    Cors {
        max_age: zero_is_none(now.max_age),
        ..now.clone()
    } == *wanted
}

/// Tags to set and keys to remove. AWS's own `aws:` tags are nobody's to change.
pub(super) fn tag_changes(
    wanted: &BTreeMap<String, String>,
    observed: &BTreeMap<String, String>,
) -> (BTreeMap<String, String>, BTreeSet<String>) {
    let set = wanted
        .iter()
        .filter(|(key, value)| observed.get(*key) != Some(value));
    let unset = observed
        .keys()
        .filter(|key| !wanted.contains_key(*key) && !key.starts_with("aws:"));
    (
        set.map(|(key, value)| (key.clone(), value.clone())).collect(),
        unset.cloned().collect(),
    )
}
