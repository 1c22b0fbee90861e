//! The spec of a `JwtHttpApi`, with every rule that `kubectl apply` can show at once.
//!
//! There is no `default:` anywhere in the spec's schema: defaults live in [`crate::model::build`], so that a stored object
//! and a GitOps diff show only what a person wrote. Lengths and counts are AWS's quotas; each list and string is bounded,
//! or the API server refuses the CEL rules for their cost.
//!
//! Equal route keys are refused by the list's type, in the API server's words; the rule beside it only adds a sentence that
//! says what to do, and leaves that out where comparing each with each would cost more than the API server pays for.
//!
//! In the schema the text of an optional enum is the enum's own, not its field's: so the enums' texts are written for users.

#![allow(
    clippy::duplicated_attributes,
    reason = "printer columns repeat their keys; the lint takes each for an attribute"
)]
#![expect(clippy::doc_markdown, reason = "these texts are what kubectl explain shows")]
#![expect(
    unreachable_pub,
    reason = "the KubeSchema derive repeats each type inside a function body"
)]

use super::{Function, JwtHttpApiStatus, rules};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One JWT-protected AWS HTTP API: who issues the tokens, and which routes lead where.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "jwthttpapi.dev",
    version = "v1alpha1",
    kind = "JwtHttpApi",
    plural = "jwthttpapis",
    singular = "jwthttpapi",
    shortname = "jha",
    namespaced,
    status = "JwtHttpApiStatus",
    derive = "PartialEq",
    doc = "JwtHttpApi describes one JWT-protected AWS HTTP API. The operator makes the API, its authorizers, integrations, routes, stage, invoke permission and own functions equal to it, and keeps them so.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].reason"
    ),
    printcolumn(name = "Endpoint", type_ = "string", json_path = ".status.endpoint"),
    printcolumn(name = "API-ID", type_ = "string", json_path = ".status.apiId", priority = 1),
    printcolumn(
        name = "Routes",
        type_ = "string",
        json_path = ".spec.routes[*].routeKey",
        priority = 1
    ),
    printcolumn(name = "Region", type_ = "string", json_path = ".status.region", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.region) == has(oldSelf.region) && (!has(self.region) || self.region == oldSelf.region)")
        .message("region cannot be set, changed or removed after creation; create a second object with the other region, then delete this one")
        .field_path(".region"),
    validation = Rule::new("self.routes.all(r, !has(r.authorizer) || r.authorizer == 'default' || (has(self.authorizers) && self.authorizers.exists(a, a.name == r.authorizer)))")
        .message("a route's authorizer must be 'default' or the name of an entry of spec.authorizers; correct the name or add the entry")
        .field_path(".routes"),
    validation = Rule::new("self.routes.all(r, !has(r.lambda.function) || (has(self.functions) && self.functions.exists(f, f.name == r.lambda.function)))")
        .message("a route's lambda.function must be the name of an entry of spec.functions; correct the name, add the entry, or write name: for a function that exists already")
        .field_path(".routes"),
    validation = Rule::new("!has(self.cors) || !(has(self.cors.allowOrigins) || has(self.cors.allowMethods) || has(self.cors.allowHeaders) || has(self.cors.exposeHeaders) || has(self.cors.maxAge) || has(self.cors.allowCredentials)) || self.routes.all(r, !(r.routeKey == '$default' || r.routeKey.startsWith('ANY ')) || (has(r.public) && r.public)) || self.routes.exists(r, r.routeKey.startsWith('OPTIONS ') && has(r.public) && r.public)")
        .message("with cors, a protected ANY or $default route also catches the browser's OPTIONS preflight and answers 401; add a route such as 'OPTIONS /{proxy+}' with public: true that covers the same paths")
        .field_path(".routes"),
    validation = Rule::new("self.routes.size() > 100 || self.routes.all(r, self.routes.exists_one(q, q.routeKey == r.routeKey))")
        .message("two routes have the same routeKey; keep one of them")
        .field_path(".routes")
)]
pub struct JwtHttpApiSpec {
    /// Name of the HTTP API in AWS, 1 to 128 characters. Unless set: `<namespace>-<name>` of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub name: Option<String>,

    /// Description of the HTTP API in AWS, up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub description: Option<String>,

    /// AWS Region of this API, for example eu-central-1. Unless set: the operator's. It cannot be set, changed or removed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]$')").message("write the Region's code, such as eu-central-1"))]
    pub region: Option<String>,

    /// Issuer of the tokens: an https URL, compared byte for byte with the token's `iss`. Auth0's ends in a slash, Amazon
    /// Cognito's does not. AWS reads `<issuer>/.well-known/openid-configuration` from the internet.
    #[schemars(length(max = 2048))]
    #[x_kube(
        validation = rules::issuer_scheme(),
        validation = rules::issuer_ends_at_path(),
        validation = rules::issuer_has_host()
    )]
    pub issuer: String,

    /// Audiences, of which a token must carry one in `aud` (or in `client_id` when it has no `aud`). 1 to 50.
    #[schemars(length(max = 50), inner(length(min = 1, max = 512)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rules::audience_is_named()
    )]
    pub audience: Vec<String>,

    /// Where the token is: `$request.header.NAME` or `$request.querystring.NAME`. Unless set: `$request.header.Authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    #[x_kube(validation = rules::identity_source())]
    pub identity_source: Option<String>,

    /// Scopes that routes of the default authorizer require unless they say otherwise. Any one of them suffices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rules::scopes()
    )]
    pub scopes: Option<Vec<String>>,

    /// Further JWT authorizers, up to 9, for routes that name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 9))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub authorizers: Vec<Authorizer>,

    /// Routes, 1 to 300, each with one backend. A route that says nothing else needs a token of the default authorizer.
    #[schemars(length(max = 300))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["routeKey".into()]),
        validation = Rule::new("self.size() > 0").message("name at least one route, such as routeKey: GET /hello")
    )]
    pub routes: Vec<Route>,

    /// Lambda functions that this object owns, up to 20, for routes that name them. Big ones need `kubectl apply --server-side`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub functions: Vec<Function>,

    /// How API Gateway is allowed to invoke the functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation: Option<Invocation>,

    /// Cross-origin resource sharing, answered by API Gateway itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,

    /// Tags of the API, its roles, functions and log groups, up to 44 together with those of the operator's --default-tags,
    /// over which these win; the operator adds six of its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 44, "additionalProperties" = {"type": "string", "maxLength": 256}))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.size() >= 1 && k.size() <= 128)").message("a tag key has 1 to 128 characters; shorten it"),
        validation = Rule::new("self.all(k, k.matches('^[A-Za-z0-9 .:+=@_/-]*$') && self[k].matches('^[A-Za-z0-9 .:+=@_/-]*$'))").message("tag keys and values have letters, digits, spaces and . : + = @ _ / - only; replace the other characters"),
        validation = Rule::new("self.all(k, !k.lowerAscii().startsWith('jwthttpapi.dev/') && !k.lowerAscii().startsWith('aws:'))").message("tag keys beginning with jwthttpapi.dev/ or aws: are reserved; choose another key"),
        validation = Rule::new("self.all(k, self.exists_one(o, o.lowerAscii() == k.lowerAscii()))").message("two tag keys differ only in case, and IAM takes them for one; keep one of them")
    )]
    pub tags: BTreeMap<String, String>,

    /// Whether to switch off the `execute-api` endpoint that AWS gives every API. Unless set: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable_execute_api_endpoint: Option<bool>,

    /// Address family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<IpAddressType>,

    /// While true nothing is written to AWS, not even for deletion. Unless set: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// What deletion does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// A further JWT authorizer.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorizer {
    /// Name by which routes refer to it, 1 to 64 letters, digits, hyphens and underscores. `default` is reserved.
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')").message("an authorizer's name has letters, digits, hyphens and underscores only"),
        validation = Rule::new("self != 'default'").message("the name default belongs to the authorizer of spec.issuer; choose another name")
    )]
    pub name: String,

    /// Issuer of the tokens, with the rules of `spec.issuer`.
    #[schemars(length(max = 2048))]
    #[x_kube(
        validation = rules::issuer_scheme(),
        validation = rules::issuer_ends_at_path(),
        validation = rules::issuer_has_host()
    )]
    pub issuer: String,

    /// Audiences, of which a token must carry one. 1 to 50.
    #[schemars(length(max = 50), inner(length(min = 1, max = 512)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rules::audience_is_named()
    )]
    pub audience: Vec<String>,

    /// Where the token is, with the rules of `spec.identitySource`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    #[x_kube(validation = rules::identity_source())]
    pub identity_source: Option<String>,
}

/// One route and where it leads.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.public) && self.public && has(self.authorizer))").message("a route is either public or has an authorizer; remove one of the two"),
    validation = Rule::new("!(has(self.public) && self.public && has(self.scopes))").message("a public route checks no token and so no scopes; remove scopes or public")
)]
pub struct Route {
    /// `METHOD /path` with METHOD one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, ANY, or `$default`. A segment may be
    /// `{name}`; the last may be `{name+}`, which takes the rest of the path.
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(
        validation = Rule::new("self == '$default' || self.matches('^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY) /')").message("begin the route key with GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS or ANY in capitals, one space and a path that begins with /, or write $default"),
        validation = Rule::new("self.endsWith(' /') || !self.endsWith('/')").message("remove the slash at the end of the route key; AWS does not accept it"),
        validation = Rule::new("self == '$default' || self.matches('^[A-Za-z]* ?/?$') || self.matches('^[A-Za-z]+ (/([^/{}?# ]+|[{][A-Za-z0-9._-]+[}]))*(/([^/{}?# ]+|[{][A-Za-z0-9._-]+[+]?[}]))/?$')").message("the path of a route key has segments of plain text or {name}, none empty, without spaces, ? or #; only the last may be {name+}")
    )]
    pub route_key: String,

    /// Whether everybody may call this route, without any token. Unless set: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,

    /// Name of the authorizer that guards this route. Unless set: default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub authorizer: Option<String>,

    /// Scopes, of which a token must carry one. Unless set: `spec.scopes` for routes of the default authorizer; an empty list
    /// asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 64)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rules::scopes()
    )]
    pub scopes: Option<Vec<String>>,

    /// Operation name of the route, up to 64 characters; it shows in AWS and in logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub operation_name: Option<String>,

    /// The Lambda function that answers this route.
    pub lambda: LambdaBackend,
}

/// A Lambda function as the backend of a route.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.function), has(self.name), has(self.arn)].filter(given, given).size() == 1").message("name the function by exactly one of function (an entry of spec.functions), name and arn"),
    validation = Rule::new("!(has(self.qualifier) && has(self.function))").message("a function of this object has no aliases and versions; remove the qualifier"),
    validation = Rule::new("!(has(self.qualifier) && has(self.arn) && self.arn.matches(':function:[^:]+:[^:]+$'))").message("the qualifier is in the arn already; remove one of the two")
)]
pub struct LambdaBackend {
    /// Name of an entry of `spec.functions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    pub function: Option<String>,

    /// Name of an existing function in this API's account and Region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')").message("a function's name has letters, digits, hyphens and underscores only; for a whole ARN use arn, for an alias or version use qualifier"))]
    pub name: Option<String>,

    /// ARN of an existing function, with or without an alias or version at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = Rule::new("self.matches('^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128})?$')").message("write the function's whole ARN, such as arn:aws:lambda:eu-central-1:123456789012:function:hello or the same with :alias at the end; wildcards and $LATEST are not accepted"))]
    pub arn: Option<String>,

    /// Alias or version of the function. Unless set: the latest code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')").message("a qualifier is the name of an alias or the number of a version; leave it out for the latest code"))]
    pub qualifier: Option<String>,

    /// Version of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_format_version: Option<PayloadFormatVersion>,

    /// How long API Gateway waits for the function, 50 to 30000 milliseconds. Unless set: 30000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 50, max = 30000))]
    pub timeout_millis: Option<i32>,
}

/// How API Gateway is allowed to invoke the functions.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.roleArn) && has(self.mode) && self.mode == 'ResourcePolicy')").message("roleArn belongs to mode Role; remove roleArn or mode"))]
pub struct Invocation {
    /// How: by a role or by the functions' policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<InvocationMode>,

    /// ARN of an existing role to use instead of one made by the operator. It must match the operator's --passable-roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = Rule::new("self.matches('^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$')").message("write the role's whole ARN, such as arn:aws:iam::123456789012:role/invoke; wildcards are not accepted"))]
    pub role_arn: Option<String>,
}

/// Role: one role for this API that may invoke exactly its functions. ResourcePolicy: one statement in the policy of each
/// function. Unless set: the operator's --default-invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum InvocationMode {
    /// One IAM role for the API.
    #[default]
    Role,
    /// One statement in each function's resource policy.
    ResourcePolicy,
}

/// Shape of the event that the function gets, "1.0" or "2.0". Unless set: "2.0".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PayloadFormatVersion {
    /// The REST API's event.
    #[serde(rename = "1.0")]
    V1,
    /// The HTTP API's own event.
    #[default]
    #[serde(rename = "2.0")]
    V2,
}

impl PayloadFormatVersion {
    /// The word that AWS uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

/// Cross-origin resource sharing.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.allowCredentials) && self.allowCredentials && has(self.allowOrigins) && self.allowOrigins.exists(o, o == '*'))").message("browsers refuse credentials with the origin *; list the origins, or set allowCredentials: false"))]
pub struct Cors {
    /// Origins, such as `https://app.example.com`, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 512)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(o, o == '*' || o.matches('^[a-z][a-z0-9+.-]*://[^/ ]+$'))").message("an origin is scheme://host[:port] without a path or a slash at the end, or *")
    )]
    pub allow_origins: Vec<String>,

    /// Methods, such as GET, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 16)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(m, m in ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', '*'])").message("allowMethods takes GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS in capitals, or *")
    )]
    pub allow_methods: Vec<String>,

    /// Request headers that browsers may send. AWS writes them in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allow_headers: Vec<String>,

    /// Response headers that scripts may read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub expose_headers: Vec<String>,

    /// How long browsers may keep a preflight answer, −1 to 86400 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1, max = 86400))]
    pub max_age: Option<i32>,

    /// Whether browsers may send cookies and credentials. Unless set: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
}

/// Address family of the endpoint: ipv4, or dualstack for IPv4 and IPv6. Unless set: ipv4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IpAddressType {
    /// IPv4 only.
    #[default]
    Ipv4,
    /// IPv4 and IPv6.
    Dualstack,
}

impl IpAddressType {
    /// The word that AWS uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Dualstack => "dualstack",
        }
    }
}

/// What deletion of this object does in AWS. Delete removes everything that the operator made; Retain leaves it all, without
/// the operator's tags. Unless set: Delete. It may be changed while the object is being deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Everything that the operator made is removed.
    #[default]
    Delete,
    /// Everything stays; the operator's ownership tags are removed.
    Retain,
}

impl DeletionPolicy {
    /// The word that the spec and the ownership tag use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
        }
    }
}

impl JwtHttpApiSpec {
    /// How API Gateway is let in, where the operator has a default. Who brings a role says so by that.
    pub fn invocation_mode(&self, default: InvocationMode) -> InvocationMode {
        let wanted = self.invocation.as_ref();
        let brings = wanted.is_some_and(|invocation| invocation.role_arn.is_some());
        let unsaid = if brings { InvocationMode::Role } else { default };
        wanted.and_then(|invocation| invocation.mode).unwrap_or(unsaid)
    }

    /// Whether nothing may be written to AWS.
    pub fn suspended(&self) -> bool {
        self.suspend.unwrap_or(false)
    }

    /// The deletion policy in force.
    pub fn deletion_policy(&self) -> DeletionPolicy {
        self.deletion_policy.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::to_value;

    #[test]
    fn words_for_aws_are_the_words_of_the_spec() {
        for version in [PayloadFormatVersion::V1, PayloadFormatVersion::V2] {
            assert_eq!(to_value(version).unwrap(), version.as_str());
        }
        for kind in [IpAddressType::Ipv4, IpAddressType::Dualstack] {
            assert_eq!(to_value(kind).unwrap(), kind.as_str());
        }
        for policy in [DeletionPolicy::Delete, DeletionPolicy::Retain] {
            assert_eq!(to_value(policy).unwrap(), policy.as_str());
        }
    }

    #[test]
    fn unless_set_an_object_is_not_suspended_and_its_deletion_deletes() {
        let with = |more: &str| -> JwtHttpApiSpec {
            let text =
                format!(r#"{{"issuer": "https://i.example/", "audience": ["a"], "routes": []{more}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        assert!(!with("").suspended());
        assert!(with(r#", "suspend": true"#).suspended());
        assert_eq!(with("").deletion_policy(), DeletionPolicy::Delete);
        let retain = with(r#", "deletionPolicy": "Retain""#);
        assert_eq!(retain.deletion_policy(), DeletionPolicy::Retain);
    }
}
