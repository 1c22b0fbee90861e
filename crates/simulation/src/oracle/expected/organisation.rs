//! What an operator's flags ask of everything that it makes.

use super::{
    ownership::{self, Proof},
    pairs,
};
use serde_json::{Map, Value, json};

/// Flags that shape what is made.
#[derive(Clone, Debug)]
pub(crate) struct Organisation {
    boundary: Value,
    path: String,
    tags: Map<String, Value>,
}

impl Organisation {
    /// As the flags say it.
    pub(crate) fn of(flags: &[&str]) -> Self {
        let given = |name: &str| flags.iter().find_map(|flag| flag.strip_prefix(name));
        let tags = given("--default-tags=")
            .into_iter()
            .flat_map(|tags| tags.split(','));
        let tag = |tag: &str| {
            let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
            (key.to_owned(), json!(value))
        };
        Self {
            boundary: given("--permissions-boundary=").map_or(Value::Null, |arn| json!(arn)),
            path: given("--role-path=").unwrap_or("/jwthttpapi/").to_owned(),
            tags: tags.map(tag).collect(),
        }
    }

    /// The tags of everything taggable that a spec asks for.
    pub(super) fn tags(&self, spec: &Value) -> Map<String, Value> {
        let mut tags = self.tags.clone();
        tags.extend(spec["tags"].as_object().cloned().unwrap_or_default());
        tags
    }

    /// How every role of a spec is made.
    pub(super) fn role(&self, spec: &Value, may: &Value) -> Value {
        json!({
            "may": may, "boundary": self.boundary, "path": self.path, "tags": self.tags(spec),
            "owner": ownership::of(spec),
        })
    }
}

/// How a role is made, in the same form.
pub(super) fn shown(role: &Value, may: &Value, proof: &Proof<'_>) -> Value {
    let boundary = &role["PermissionsBoundary"]["PermissionsBoundaryArn"];
    let tags = pairs(&role["Tags"]);
    json!({
        "may": may, "boundary": boundary, "path": role["Path"], "owner": ownership::shown(&tags, proof),
        "tags": ownership::without(tags),
    })
}
