//! What is the object's in AWS, or its predecessor's: everything of this cluster but what other objects have.

use crate::{
    KUBE_SYSTEM,
    ground::{is_anothers, is_own_statement},
    world::World,
};
use serde_json::{Map, Value, json};

impl World {
    /// The object's API, if there is one.
    pub(crate) fn api(&self) -> Option<String> {
        let apis = self.sandbox().apis();
        let own = apis.into_iter().find(|(_, tags)| is_own(&json!(tags)));
        own.map(|(id, _)| id)
    }

    /// The API that the object had under a uid.
    pub(crate) fn api_of(&self, uid: &str) -> Option<String> {
        let apis = self.sandbox().apis().into_iter();
        let mut own = apis.filter(|(_, tags)| tags.get("jwthttpapi.dev/uid").is_some_and(|of| of == uid));
        own.next().map(|(id, _)| id)
    }

    /// The names of the object's roles.
    pub(super) fn roles(&self) -> Vec<String> {
        let state = self.sandbox().state();
        let own = state["roles"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|role| is_own(&role["Tags"]));
        own.filter_map(|role| role["RoleName"].as_str().map(str::to_owned))
            .collect()
    }

    /// The operator's statements in functions' policies: function and id.
    pub(crate) fn statements(&self) -> Vec<(String, String)> {
        statements(&self.sandbox().state())
    }

    /// Whether an integration of the object's API leads to a function.
    pub(crate) fn reaches(&self, function: &str) -> bool {
        let state = self.sandbox().state();
        let apis = state["regions"][crate::REGION]["apis"].as_array();
        let own = self.api();
        let own = apis
            .into_iter()
            .flatten()
            .filter(|api| api["apiId"].as_str() == own.as_deref());
        own.flat_map(|api| api["integrations"].as_array().into_iter().flatten())
            .filter_map(|integration| integration["integrationUri"].as_str())
            .any(|uri| uri.ends_with(&format!(":function:{function}")))
    }

    /// The names of the object's own functions.
    pub(super) fn functions(&self) -> Vec<String> {
        let state = self.sandbox().state();
        let functions = state["regions"][crate::REGION]["functions"].as_array();
        let own = functions
            .into_iter()
            .flatten()
            .filter(|function| is_own(&function["Tags"]));
        own.filter_map(|function| function["FunctionName"].as_str().map(str::to_owned))
            .collect()
    }

    /// The names of the object's log groups.
    pub(super) fn log_groups(&self) -> Vec<String> {
        let state = self.sandbox().state();
        let groups = state["regions"][crate::REGION]["logGroups"].as_array();
        let own = groups
            .into_iter()
            .flatten()
            .filter(|group| is_own(&group["tags"]));
        own.filter_map(|group| group["logGroupName"].as_str().map(str::to_owned))
            .collect()
    }
}

/// Whether tags, as a map or as a list, are of this cluster and not another object's.
fn is_own(tags: &Value) -> bool {
    let list = tags.as_array().into_iter().flatten().map(|tag| &tag["Value"]);
    let map = tags.as_object().into_iter().flat_map(Map::values);
    let values: Vec<&str> = list.chain(map).filter_map(Value::as_str).collect();
    values.iter().any(|value| value.contains(KUBE_SYSTEM)) && !values.iter().any(|value| is_anothers(value))
}

/// The operator's statements: function and id.
fn statements(state: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let functions = &state["regions"][crate::REGION]["functions"];
    for function in functions.as_array().into_iter().flatten() {
        for policy in function["Policies"].as_object().into_iter().flat_map(Map::values) {
            for statement in policy["Statement"].as_array().into_iter().flatten() {
                if let (Some(id), Some(name)) = (statement["Sid"].as_str(), function["FunctionName"].as_str())
                    && is_own_statement(id)
                    && id != super::statements::BY_HAND
                {
                    found.push((name.to_owned(), id.to_owned()));
                }
            }
        }
    }
    found
}
