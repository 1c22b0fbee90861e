//! What AWS looks like, normalised: sets where AWS keeps no order, parsed documents, and *unknown* told apart from *empty*.

use super::Owner;
use super::desired::{Cors, Jwt};
use super::function::{Configuration, LogGroup};
use super::name::{FunctionArn, RouteKey};
use crate::api::IpAddressType;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything of one object that the operator looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The object's API, or none.
    pub api: Option<Api>,
    /// The invoke role of the object's name.
    pub role: Reading<Option<Role>>,
    /// The policies of functions, by unqualified or qualified ARN as asked.
    pub functions: BTreeMap<FunctionArn, Reading<FunctionPolicy>>,
    /// Functions that have names of the object's own, by these.
    pub owned: BTreeMap<String, Owned>,
    /// APIs that are the object's, or were, as statements name them: whoever had an API before, what names it goes with it.
    pub lineage: BTreeSet<String>,
    /// Whose the API was before, if the object took it over, as its status says.
    pub last: Option<Owner>,
}

impl Observed {
    /// Whether an integration of the API leads to a function by the function's policy.
    pub fn reaches(&self, function: &FunctionArn) -> bool {
        let mut integrations = self.api.iter().flat_map(|api| &api.integrations);
        integrations.any(|integration| integration.function_by_policy().as_ref() == Some(function))
    }

    /// Whose statements on a function are the object's: its own, and the last owner's where the object leads to the function itself. A
    /// status may name anybody: elsewhere its word is not enough.
    pub fn owners<'a>(&'a self, owner: &'a Owner, is_reached: bool) -> impl Iterator<Item = &'a Owner> {
        [owner]
            .into_iter()
            .chain(self.last.as_ref().filter(move |_| is_reached))
    }
}

/// Something that was read, or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Reading<T> {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// Asked, and not answered: nothing may be concluded.
    Unknown,
    /// The answer.
    Known(T),
}

impl<T> Reading<T> {
    /// The answer, when there is one.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::NotAsked | Self::Unknown => None,
        }
    }
}

/// An HTTP API with all its children.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Api {
    /// Id.
    pub id: String,
    /// Base URL.
    pub endpoint: String,
    /// Name.
    pub name: String,
    /// Description; empty for none.
    pub description: String,
    /// CORS, header names in lower case.
    pub cors: Option<Cors>,
    /// Whether the `execute-api` endpoint is off.
    pub disable_execute_api_endpoint: bool,
    /// Address family.
    pub ip_address_type: IpAddressType,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Children.
    pub authorizers: Vec<Authorizer>,
    /// Children.
    pub integrations: Vec<Integration>,
    /// Children.
    pub routes: Vec<Route>,
    /// Children.
    pub stages: Vec<Stage>,
}

/// An authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Its configuration when it is a JWT authorizer with one identity source.
    pub jwt: Option<Jwt>,
}

/// An integration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Integration {
    /// Id.
    pub id: String,
    /// Description: the marker, if it is the operator's.
    pub description: String,
    /// Type, such as `AWS_PROXY`.
    pub kind: String,
    /// Subtype of AWS-service integrations; empty for none.
    pub subtype: String,
    /// URI.
    pub uri: String,
    /// Method.
    pub method: String,
    /// `INTERNET` or `VPC_LINK`.
    pub connection_type: String,
    /// Version of the event.
    pub payload_format_version: String,
    /// Milliseconds.
    pub timeout_millis: u32,
    /// Role; empty for none.
    pub credentials: String,
    /// Parameter mappings.
    pub request_parameters: BTreeMap<String, String>,
    /// Whether there are response mappings, which the operator never makes.
    pub has_response_parameters: bool,
}

impl Integration {
    /// The function that it invokes without a role, by a statement in the function's policy.
    pub fn function_by_policy(&self) -> Option<FunctionArn> {
        let by_policy = self.credentials.is_empty();
        by_policy
            .then(|| FunctionArn::parse(&self.uri, None).ok())
            .flatten()
    }
}

/// How a route is authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Not at all.
    None,
    /// By a JWT authorizer.
    Jwt {
        /// Id of the authorizer.
        authorizer_id: String,
        /// Scopes.
        scopes: BTreeSet<String>,
    },
    /// In a way that the operator does not make, such as `AWS_IAM`.
    Other(String),
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Id.
    pub id: String,
    /// Key as written.
    pub key: String,
    /// Who may call it.
    pub authorization: Authorization,
    /// Id of the integration; none when the target is absent or of another form.
    pub integration_id: Option<String>,
    /// Operation name; empty for none.
    pub operation_name: String,
}

impl Route {
    /// The key, when it is one that the operator could have written.
    pub fn parsed(&self) -> Option<RouteKey> {
        RouteKey::parse(&self.key).ok()
    }
}

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Name.
    pub name: String,
    /// Whether changes are deployed by themselves.
    pub auto_deploy: bool,
    /// What is deployed.
    pub deployment_id: Option<String>,
    /// What AWS says of the last automatic deployment; it is set on success, too.
    pub deployment_message: Option<String>,
}

impl Stage {
    /// The text of a failed deployment: anything that does not begin as a success does (O).
    pub fn deployment_failure(&self) -> Option<&str> {
        self.deployment_message.as_deref().filter(|text| {
            !text.trim().is_empty()
                && (planted!(EveryTextIsAFailure) || !text.starts_with("Successfully deployed"))
        })
    }
}

/// A role as IAM keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Role {
    /// ARN.
    pub arn: String,
    /// Trust, parsed.
    pub trust: Value,
    /// The operator's inline policy, parsed; none when it is missing.
    pub policy: Option<Value>,
    /// ARN of its permissions boundary, if it has one.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A function of the object's own, or what is left of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owned {
    /// The function.
    pub function: Reading<Option<Function>>,
    /// Its execution role.
    pub role: Reading<Option<Role>>,
    /// Its log group.
    pub log_group: Reading<Option<LogGroup>>,
}

/// A function as Lambda keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Base64 of the SHA-256 of its archive.
    pub sha256: String,
    /// Processors.
    pub architecture: String,
    /// Everything else.
    pub configuration: Configuration,
    /// How far Lambda is with it.
    pub state: State,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

/// How far Lambda is with a function: until it has settled it refuses changes (D).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It can be called and changed.
    #[default]
    Settled,
    /// A creation or a change is under way.
    Changing,
    /// Its creation failed, for a reason that Lambda has a word for.
    Failed(String),
    /// The last change failed, likewise; what reads back may be what was asked.
    ChangeFailed(String),
}

/// A function and its policy for one qualifier.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionPolicy {
    /// There is no such function, alias or version.
    Missing,
    /// It exists; its policy was not asked for.
    Exists,
    /// Its policy, parsed; an empty object when it has none.
    Policy(Value),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_successful_deployment_is_no_failure() {
        let stage = |text: &str| Stage {
            deployment_message: Some(text.to_owned()),
            ..Stage::default()
        };
        assert_eq!(
            stage("Successfully deployed stage with deployment ID 'x1'").deployment_failure(),
            None
        );
        assert_eq!(stage("").deployment_failure(), None);
        assert_eq!(
            stage("Deployment attempt failed").deployment_failure(),
            Some("Deployment attempt failed")
        );
    }
}
