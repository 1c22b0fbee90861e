//! What AWS should look like for one object: plain values, complete before the first call.

use super::document::Document;
use super::function::Function;
use super::name::{FunctionArn, RoleName, RouteKey, integration_marker};
use super::organisation::PolicyArn;
use crate::api::{IpAddressType, PayloadFormatVersion};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that one object makes in AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The HTTP API itself.
    pub api: Api,
    /// JWT authorizers by name.
    pub authorizers: BTreeMap<String, Jwt>,
    /// Integrations by marker: routes share one if and only if everything about it is equal.
    pub integrations: BTreeMap<Marker, Integration>,
    /// Routes by key.
    pub routes: BTreeMap<RouteKey, Route>,
    /// How API Gateway may invoke the functions.
    pub invocation: Invocation,
    /// Functions of the object's own, by their names in AWS.
    pub owned: BTreeMap<String, Function>,
}

impl Desired {
    /// Every function that a route leads to.
    pub fn backends(&self) -> BTreeSet<&FunctionArn> {
        self.integrations
            .values()
            .map(|integration| &integration.function)
            .collect()
    }

    /// Whether a function is the object's own.
    pub fn owns(&self, function: &FunctionArn) -> bool {
        self.owned.contains_key(function.name())
    }

    /// Every function that a route leads to and that somebody else has to make.
    pub fn references(&self) -> BTreeSet<&FunctionArn> {
        let mut backends = self.backends();
        backends.retain(|function| !self.owns(function));
        backends
    }
}

/// The HTTP API's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// Name; it need not be unique.
    pub name: String,
    /// Description; empty for none.
    pub description: String,
    /// CORS, compared as sets with header names in lower case, as AWS reads back (O).
    pub cors: Option<Cors>,
    /// Whether the `execute-api` endpoint is off.
    pub disable_execute_api_endpoint: bool,
    /// Address family.
    pub ip_address_type: IpAddressType,
    /// All tags, ownership and the user's.
    pub tags: BTreeMap<String, String>,
}

/// CORS as AWS keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins.
    pub allow_origins: BTreeSet<String>,
    /// Methods.
    pub allow_methods: BTreeSet<String>,
    /// Request headers, lower case.
    pub allow_headers: BTreeSet<String>,
    /// Response headers, lower case.
    pub expose_headers: BTreeSet<String>,
    /// Seconds.
    pub max_age: Option<i32>,
    /// Whether credentials are allowed.
    pub allow_credentials: bool,
}

/// Whose tokens a JWT authorizer takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Jwt {
    /// Where the token is.
    pub identity_source: String,
    /// Compared byte for byte with `iss`.
    pub issuer: String,
    /// Any one suffices.
    pub audience: BTreeSet<String>,
}

/// The marker in an integration's description: the hash of everything wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marker(String);

impl Marker {
    /// The text as it stands in the description.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A Lambda proxy integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// The function, with its qualifier.
    pub function: FunctionArn,
    /// Version of the event.
    pub payload_format_version: PayloadFormatVersion,
    /// Milliseconds.
    pub timeout_millis: u32,
    /// The role that API Gateway assumes, or none where the function's policy admits it.
    pub credentials: Option<String>,
}

impl Integration {
    /// Type of every integration of this scope.
    pub const TYPE: &'static str = "AWS_PROXY";
    /// Method with which API Gateway calls Lambda; it reads back so even when unset (O).
    pub const METHOD: &'static str = "POST";
    /// Connection type that AWS fills in (O).
    pub const CONNECTION: &'static str = "INTERNET";

    /// Its marker.
    pub fn marker(&self) -> Marker {
        Marker(integration_marker(&[
            Self::TYPE,
            "",
            &self.function.to_string(),
            Self::CONNECTION,
            Self::METHOD,
            self.payload_format_version.as_str(),
            &self.timeout_millis.to_string(),
            "",
            self.credentials.as_deref().unwrap_or_default(),
        ]))
    }
}

/// Who may call a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Everybody.
    Public,
    /// Holders of a token of one authorizer with one of these scopes, or any token of it when there are none.
    Jwt {
        /// Name of the authorizer.
        authorizer: String,
        /// Any one suffices.
        scopes: BTreeSet<String>,
    },
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Who may call it.
    pub guard: Guard,
    /// Where it leads.
    pub integration: Marker,
    /// Operation name; empty for none.
    pub operation_name: String,
}

/// How API Gateway may invoke the functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// Through a role that the operator makes.
    Role(Box<Role>),
    /// Through a role that the user brings.
    Brought {
        /// Its ARN.
        arn: String,
    },
    /// Through a statement in each function's policy.
    ResourcePolicy,
}

/// A role of the object's: the one that invokes its functions, or one that a function runs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The function that runs under it, by its name in AWS; none for the role that invokes.
    pub function: Option<String>,
    /// Path and name.
    pub name: RoleName,
    /// ARN, known before the role exists.
    pub arn: String,
    /// Who may assume it.
    pub trust: Document,
    /// What it may do.
    pub policy: Document,
    /// What bounds it; with none a boundary that it has is left to it.
    pub boundary: Option<PolicyArn>,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}
