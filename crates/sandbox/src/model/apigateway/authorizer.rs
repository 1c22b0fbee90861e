//! Authorizers of the type JWT.

use serde::{Deserialize, Serialize};

use super::refusal::{bad_request, conflict, length, required};
use crate::model::{Env, IssuerProbe, error::Refusal, paging::Birth};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authorizer {
    pub(crate) authorizer_id: String,
    authorizer_type: &'static str,
    pub(crate) identity_source: Vec<String>,
    pub(crate) jwt_configuration: JwtConfiguration,
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) birth: Birth,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct JwtConfiguration {
    pub(crate) audience: Vec<String>,
    pub(crate) issuer: String,
}

/// The members of `CreateAuthorizer` and `UpdateAuthorizer`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizerInput {
    pub(crate) name: Option<String>,
    authorizer_type: Option<String>,
    identity_source: Option<Vec<String>>,
    jwt_configuration: Option<JwtInput>,
    authorizer_payload_format_version: Option<String>,
    authorizer_result_ttl_in_seconds: Option<i64>,
    enable_simple_responses: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct JwtInput {
    audience: Option<Vec<String>>,
    issuer: Option<String>,
}

impl AuthorizerInput {
    /// The issuer that API Gateway connects to before it accepts the request.
    pub(crate) fn issuer(&self) -> Option<&str> {
        let issuer = self.jwt_configuration.as_ref()?.issuer.as_deref()?;
        is_https_url(issuer).then_some(issuer)
    }
}

impl Authorizer {
    pub(crate) fn create(env: &mut Env, input: &AuthorizerInput) -> Result<Self, Refusal> {
        let name = required("Name", input.name.as_ref())?;
        required("AuthorizerType", input.authorizer_type.as_ref())?;
        let jwt = input
            .jwt_configuration
            .as_ref()
            .ok_or_else(|| bad_request("JwtConfiguration must not be null for authorizer of type JWT"));
        check_type(input)?;
        let jwt_configuration = checked_jwt(env, jwt?, true)?;
        let mut authorizer = Self {
            authorizer_id: env.ids.lower(6),
            authorizer_type: "JWT",
            identity_source: required("IdentitySource", input.identity_source.as_ref())?,
            jwt_configuration,
            name,
            birth: env.birth(),
        };
        authorizer.merge(input)?;
        Ok(authorizer)
    }

    /// The JWT configuration is replaced as a whole (O).
    pub(crate) fn updated(&self, env: &Env, input: &AuthorizerInput) -> Result<Self, Refusal> {
        check_type(input)?;
        let mut authorizer = self.clone();
        if let Some(jwt) = &input.jwt_configuration {
            authorizer.jwt_configuration = checked_jwt(env, jwt, env.settings.revalidate_issuer_on_update)?;
        }
        authorizer.merge(input)?;
        Ok(authorizer)
    }

    fn merge(&mut self, input: &AuthorizerInput) -> Result<(), Refusal> {
        if let Some(name) = &input.name {
            length("Name", name, 1..=128)?;
            self.name.clone_from(name);
        }
        if let Some(sources) = &input.identity_source {
            check_identity_source(sources)?;
            self.identity_source.clone_from(sources);
        }
        Ok(())
    }
}

/// Whether names are unique is not confirmed; the text is I.
pub(crate) fn check_name_is_free<'a>(
    mut others: impl Iterator<Item = &'a Authorizer>,
    name: &str,
) -> Result<(), Refusal> {
    if others.any(|other| other.name == name) {
        return Err(conflict(format!(
            "Authorizer with name {name} already exists for this API"
        )));
    }
    Ok(())
}

fn check_type(input: &AuthorizerInput) -> Result<(), Refusal> {
    match input.authorizer_type.as_deref() {
        None | Some("JWT") => {}
        Some("REQUEST") => return Err(Refusal::not_modelled("authorizers of the type REQUEST")),
        Some(other) => return Err(bad_request(format!("Invalid authorizer type {other}"))),
    }
    // O: refused on JWT, even when false.
    if input.enable_simple_responses.is_some() {
        return Err(bad_request(
            "EnableSimpleResponses is not supported for authorizers of type JWT",
        ));
    }
    if input.authorizer_payload_format_version.is_some() {
        return Err(bad_request(
            "AuthorizerPayloadFormatVersion is not supported for authorizers of type JWT",
        ));
    }
    if input.authorizer_result_ttl_in_seconds.is_some() {
        return Err(bad_request(
            "AuthorizerResultTtlInSeconds is not supported for authorizers of type JWT",
        ));
    }
    Ok(())
}

fn checked_jwt(env: &Env, given: &JwtInput, fetch: bool) -> Result<JwtConfiguration, Refusal> {
    let audience = given.audience.clone().unwrap_or_default();
    if audience.is_empty() {
        return Err(bad_request("Audience is required for authorizers of type JWT"));
    }
    if audience.len() > env.settings.quotas.audiences {
        let most = env.settings.quotas.audiences;
        return Err(bad_request(format!(
            "An authorizer can have at most {most} audiences"
        )));
    }
    let issuer = given.issuer.clone().unwrap_or_default();
    if !is_https_url(&issuer) || issuer.chars().count() > 2048 {
        // Text: O.
        return Err(bad_request(
            "Invalid issuer: Issuer is not a valid URL for JWT Authorizer",
        ));
    }
    if fetch {
        check_issuer(env, &issuer)?;
    }
    Ok(JwtConfiguration { audience, issuer })
}

/// What the creation-time fetch of the discovery document came to (O).
fn check_issuer(env: &Env, issuer: &str) -> Result<(), Refusal> {
    let IssuerProbe { outcome } = env.issuer.ok_or_else(|| {
        Refusal::new(
            500,
            "InternalServerErrorException",
            "the issuer was not fetched before the request",
        )
    })?;
    let unreachable = |why: &str| {
        bad_request(format!(
            "Caught exception when connecting to {issuer} for issuer {issuer}: {why}. Please try again later. \
             Error: Invalid issuer: {issuer}. Issuer must have a valid discovery endpoint ended with \
             '/.well-known/openid-configuration'"
        ))
    };
    match outcome {
        Err(why) => Err(unreachable(why)),
        Ok(named) if env.settings.issuer_must_match_document && named != issuer => Err(unreachable(
            &format!("the discovery document names the issuer {named}"),
        )),
        Ok(_) => Ok(()),
    }
}

fn is_https_url(issuer: &str) -> bool {
    issuer
        .strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

/// Exactly one header or query-string expression (O).
fn check_identity_source(sources: &[String]) -> Result<(), Refusal> {
    let valid = |source: &str| {
        ["$request.header.", "$request.querystring."]
            .iter()
            .filter_map(|prefix| source.strip_prefix(prefix))
            .any(|name| !name.is_empty() && !name.contains(char::is_whitespace))
    };
    match sources {
        [source] if valid(source) => Ok(()),
        _ => Err(bad_request(format!(
            "Invalid identity source expression: JWT authorizers take exactly one header or query string \
             expression, not {sources:?}"
        ))),
    }
}
