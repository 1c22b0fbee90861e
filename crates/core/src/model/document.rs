//! IAM and Lambda policy documents as types: rendered by serde, compared as parsed JSON, never built from strings.

use super::Owner;
use super::name::{FunctionArn, Place, is_statement_id, statement_id};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// IAM's limit for all inline policies of a role, white space not counted (D, IAM limits).
pub const ROLE_POLICY_LIMIT: usize = 10_240;

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    action: BTreeSet<&'static str>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    resource: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Effect {
    Allow,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Principal {
    service: &'static str,
}

impl Document {
    const VERSION: &'static str = "2012-10-17";

    /// The trust of an invoke role: API Gateway, without conditions, since API Gateway was observed to send neither
    /// `aws:SourceAccount` nor `aws:SourceArn` when it assumes an integration's role (O).
    pub fn invoke_trust() -> Self {
        Self::trust(API_GATEWAY)
    }

    /// The trust of an execution role: Lambda (D).
    pub fn execution_trust() -> Self {
        Self::trust(LAMBDA)
    }

    fn trust(service: &'static str) -> Self {
        Self::of(Statement {
            effect: Effect::Allow,
            principal: Some(Principal { service }),
            action: BTreeSet::from(["sts:AssumeRole"]),
            resource: BTreeSet::new(),
        })
    }

    fn of(statement: Statement) -> Self {
        Self {
            version: Self::VERSION,
            statement: vec![statement],
        }
    }

    fn allow(action: impl Into<BTreeSet<&'static str>>, resource: BTreeSet<String>) -> Self {
        Self::of(Statement {
            effect: Effect::Allow,
            principal: None,
            action: action.into(),
            resource,
        })
    }

    /// The policy of an invoke role: exactly these functions, each by the exact ARN that is called (D).
    pub fn invoke_functions<'a>(functions: impl IntoIterator<Item = &'a FunctionArn>) -> Self {
        let resource = functions.into_iter().map(ToString::to_string).collect();
        Self::allow(["lambda:InvokeFunction"], resource)
    }

    /// The policy of an execution role: streams and events of one log group, which it may not create (D).
    pub fn write_logs(log_group_arn: &str) -> Self {
        let resource = BTreeSet::from([format!("{log_group_arn}:*")]);
        Self::allow(["logs:CreateLogStream", "logs:PutLogEvents"], resource)
    }

    /// The document as compact JSON.
    pub fn render(&self) -> String {
        self.to_value().to_string()
    }

    /// The document as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Its size as IAM counts it: characters that are not white space.
    pub fn size(&self) -> usize {
        self.render().chars().filter(|c| !c.is_whitespace()).count()
    }

    /// The resources it names.
    pub fn resources(&self) -> BTreeSet<&str> {
        self.statement
            .iter()
            .flat_map(|statement| statement.resource.iter().map(String::as_str))
            .collect()
    }

    /// Whether a stored document says the same, as JSON in which a scalar and a list of one are equal and order is not.
    pub fn matches(&self, stored: &Value) -> bool {
        planted!(TextualDocuments => {
            return serde_json::to_string(self).is_ok_and(|text| text == stored.to_string());
        });
        canonical(&self.to_value()) == canonical(stored)
    }
}

/// The resources that a stored document allows, for telling a wider policy from a narrower one.
pub fn allowed_resources(stored: &Value) -> BTreeSet<String> {
    listed(stored.get("Statement"))
        .flat_map(|statement| listed(statement.get("Resource")))
        .filter_map(|resource| resource.as_str().map(str::to_owned))
        .collect()
}

fn listed(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect::<Vec<_>>(),
        other => vec![other],
    })
}

/// Lists sorted, lists of one unwrapped.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(canonical).collect();
            items.sort_by_cached_key(Value::to_string);
            items.dedup();
            match <[Value; 1]>::try_from(items) {
                Ok([only]) => only,
                Err(items) => Value::Array(items),
            }
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), canonical(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

const API_GATEWAY: &str = "apigateway.amazonaws.com";
const LAMBDA: &str = "lambda.amazonaws.com";

/// The permission of one API on one function and qualifier, as `lambda:AddPermission` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Id of the statement in the function's policy.
    pub statement_id: String,
    /// Every route of the API.
    pub source_arn: String,
}

impl Permission {
    /// Action of the statement.
    pub const ACTION: &'static str = "lambda:InvokeFunction";
    /// Principal of the statement.
    pub const PRINCIPAL: &'static str = API_GATEWAY;

    /// The permission for one API.
    pub fn new(owner: &Owner, place: &Place, api_id: &str) -> Self {
        Self {
            statement_id: statement_id(owner),
            source_arn: place.execute_api_arn(api_id),
        }
    }

    /// Whether a stored statement says the same. A principal may be a string or an object, a source may stand under several
    /// spellings of its key (O).
    pub fn matches(&self, stored: &Value) -> bool {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let principal = stored.get("Principal");
        let service = text(principal).or_else(|| text(principal.and_then(|p| p.get("Service"))));
        text(stored.get("Effect")).as_deref() == Some("Allow")
            && stored
                .get("Action")
                .map(canonical)
                .as_ref()
                .and_then(Value::as_str)
                == Some(Self::ACTION)
            && service.as_deref() == Some(Self::PRINCIPAL)
            && source(stored).as_deref() == Some(self.source_arn.as_str())
    }
}

/// The source that a statement asks for, if it asks for nothing else.
fn source(stored: &Value) -> Option<String> {
    let conditions = stored.get("Condition").and_then(Value::as_object)?;
    let (operator, keys) = conditions.iter().next().filter(|_| conditions.len() == 1)?;
    let keys = keys.as_object().filter(|keys| keys.len() == 1)?;
    let (key, source) = keys.iter().next()?;
    let known = operator == "ArnLike" && key.eq_ignore_ascii_case("aws:SourceArn");
    let source = known.then(|| canonical(source))?;
    source.as_str().map(str::to_owned)
}

/// Ids of statements in a function's policy that are of some owners, or name one of these APIs, whoever wrote them.
pub fn statements_of<'a, 'b>(
    policy: &'a Value,
    owners: impl IntoIterator<Item = &'b Owner>,
    apis: &BTreeSet<String>,
) -> Vec<&'a str> {
    let ids: BTreeSet<String> = owners.into_iter().map(statement_id).collect();
    let is_of_the_api = |id: &str, stored: &Value| {
        is_statement_id(id) && source(stored).is_some_and(|source| apis.contains(&source))
    };
    listed(policy.get("Statement"))
        .filter_map(|stored| Some((stored.get("Sid")?.as_str()?, stored)))
        .filter(|(id, stored)| ids.contains(*id) || is_of_the_api(id, stored))
        .map(|(id, _)| id)
        .collect()
}

/// The statement of one id in a function's policy.
pub fn statement<'a>(policy: &'a Value, id: &str) -> Option<&'a Value> {
    listed(policy.get("Statement")).find(|statement| statement.get("Sid").and_then(Value::as_str) == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn function(name: &str) -> FunctionArn {
        FunctionArn::parse(
            &format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}"),
            None,
        )
        .unwrap()
    }

    #[test]
    fn a_scalar_and_a_list_of_one_are_the_same_document() {
        let document = Document::invoke_functions([&function("a")]);
        let stored = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["lambda:InvokeFunction"],
            "Resource": function("a").to_string()}});
        assert!(document.matches(&stored));
    }

    #[test]
    fn the_order_of_resources_does_not_matter_and_their_set_does() {
        let document = Document::invoke_functions([&function("a"), &function("b")]);
        let stored = |names: &[&str]| {
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction",
            "Resource": names.iter().map(|n| function(n).to_string()).collect::<Vec<_>>()}]})
        };
        assert!(document.matches(&stored(&["b", "a"])));
        assert!(!document.matches(&stored(&["a"])));
        assert!(!document.matches(&stored(&["a", "b", "c"])));
    }

    #[test]
    fn a_policy_names_exactly_its_functions_and_no_wildcard() {
        let rendered = Document::invoke_functions([&function("a"), &function("b")]).render();
        assert!(!rendered.contains('*'));
        assert_eq!(rendered.matches(":function:").count(), 2);
    }

    #[test]
    fn a_trust_with_a_condition_or_another_principal_differs() {
        let trust = Document::invoke_trust();
        assert!(trust.matches(&trust.to_value()));
        let mut conditioned = trust.to_value();
        conditioned["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "1"}});
        assert!(!trust.matches(&conditioned));
    }

    #[test]
    fn a_statement_for_another_api_does_not_match() {
        let permission = Permission {
            statement_id: "s".into(),
            source_arn: "arn:aws:execute-api:r:1:a1/*/*".into(),
        };
        let stored = |arn: &str| {
            json!({"Sid": "s", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction", "Resource": "x", "Condition": {"ArnLike": {"AWS:SourceArn": arn}}})
        };
        assert!(permission.matches(&stored("arn:aws:execute-api:r:1:a1/*/*")));
        assert!(!permission.matches(&stored("arn:aws:execute-api:r:1:a2/*/*")));
        let policy = json!({"Version": "2012-10-17", "Statement": [stored("x")]});
        assert!(statement(&policy, "s").is_some() && statement(&policy, "t").is_none());
    }

    #[test]
    fn a_stored_statement_matches_in_every_spelling_and_in_nothing_else() {
        let place = Place {
            partition: "aws".into(),
            account: "123456789012".into(),
            region: "r".into(),
        };
        let owner = Owner {
            cluster: "c".into(),
            kube_system: Some("k".into()),
            uid: "u".into(),
            namespace: "ns".into(),
            name: "hello".into(),
        };
        let permission = Permission::new(&owner, &place, "a1");
        assert_eq!(permission.statement_id, statement_id(&owner));
        let arn = "arn:aws:execute-api:r:123456789012:a1/*/*";
        let stored = json!({"Sid": "s", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction", "Resource": "x", "Condition": {"ArnLike": {"AWS:SourceArn": arn}}});
        let with = |field: &str, value: Value| {
            let mut stored = stored.clone();
            stored[field] = value;
            permission.matches(&stored)
        };
        assert!(permission.matches(&stored));
        assert!(with("Principal", json!("apigateway.amazonaws.com")));
        assert!(with("Action", json!(["lambda:InvokeFunction"])));
        assert!(with("Condition", json!({"ArnLike": {"aws:sourcearn": [arn]}})));
        for (field, value) in [
            ("Effect", json!("Deny")),
            ("Action", json!("lambda:*")),
            ("Action", json!(["lambda:InvokeFunction", "lambda:GetFunction"])),
            ("Principal", json!("*")),
            ("Principal", json!({"Service": "events.amazonaws.com"})),
            ("Condition", Value::Null),
            ("Condition", json!({"ArnEquals": {"aws:SourceArn": arn}})),
            ("Condition", json!({"ArnLike": {"aws:SourceAccount": arn}})),
            ("Condition", json!({"ArnLike": {"aws:SourceArn": arn, "b": "c"}})),
            (
                "Condition",
                json!({"ArnLike": {"aws:SourceArn": arn}, "Bool": {"b": "true"}}),
            ),
            ("Condition", json!({"ArnLike": {"aws:SourceArn": [arn, "x"]}})),
        ] {
            assert!(!with(field, value.clone()), "{field} {value}");
        }
    }

    #[test]
    fn resources_and_size_are_those_of_the_document() {
        let (a, b) = (function("a"), function("b"));
        let document = Document::invoke_functions([&a, &b]);
        assert_eq!(document.size(), document.render().len());
        let names = BTreeSet::from([a.to_string(), b.to_string()]);
        let resources: BTreeSet<String> = document.resources().into_iter().map(str::to_owned).collect();
        assert_eq!(resources, names);
        assert_eq!(allowed_resources(&document.to_value()), names);
        let one = Document::invoke_functions([&a]).to_value();
        assert_eq!(allowed_resources(&one), BTreeSet::from([a.to_string()]));
        assert!(allowed_resources(&Value::Null).is_empty());
    }
}
