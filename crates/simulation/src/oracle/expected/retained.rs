//! What stays when an object goes that retains what it has.

use super::{Organisation, invocation, items, of, ownership::Proof, shown_api};
use crate::REGION;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What of a spec stays when its object goes and retains it. Whose it was may be taken off or not: that is tried once.
pub(crate) fn to_keep(spec: &Value) -> Value {
    let all = of(spec, &Organisation::of(&[]));
    nobodys(&[all["apis"][0].clone()], &all["grants"])
}

/// What there is of some APIs, whosever they are, in the same form.
pub(crate) fn kept(state: &Value, ids: &BTreeSet<String>) -> Value {
    let services = &state["regions"][REGION];
    let of_ids = |api: &&Value| api["apiId"].as_str().is_some_and(|id| ids.contains(id));
    let apis: Vec<&Value> = items(&services["apis"]).filter(of_ids).collect();
    let (uid, nonce) = ("nobody's", None);
    let shapes: Vec<Value> = apis
        .iter()
        .map(|api| shown_api(api, None, &Proof { uid, nonce }))
        .collect();
    let id = apis.first().and_then(|api| api["apiId"].as_str());
    nobodys(&shapes, &invocation::shown(services, id.unwrap_or_default()))
}

fn nobodys(apis: &[Value], grants: &Value) -> Value {
    let mut apis = apis.to_vec();
    for api in &mut apis {
        api["owner"] = Value::Null;
    }
    json!({"apis": apis, "grants": grants})
}

/// What there is of all that was before.
pub(crate) fn known(before: &Value, state: &Value) -> Value {
    let lists = [
        ("/roles".to_owned(), "RoleName"),
        (format!("/regions/{REGION}/apis"), "apiId"),
        (format!("/regions/{REGION}/functions"), "FunctionName"),
        (format!("/regions/{REGION}/logGroups"), "logGroupName"),
    ];
    let mut state = state.clone();
    for (list, name) in lists {
        let there = before.pointer(&list).unwrap_or(&Value::Null);
        if let Some(all) = state.pointer_mut(&list).and_then(Value::as_array_mut) {
            all.retain(|one| items(there).any(|known| known[name] == one[name]));
        }
    }
    state
}
