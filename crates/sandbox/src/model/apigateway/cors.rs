//! CORS configurations.

use serde::Deserialize;

use super::refusal::bad_request;
use crate::model::{deployment::CorsConfiguration, error::Refusal};

/// `corsConfiguration` as it is sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CorsInput {
    allow_origins: Option<Vec<String>>,
    allow_methods: Option<Vec<String>>,
    allow_headers: Option<Vec<String>>,
    expose_headers: Option<Vec<String>>,
    max_age: Option<i64>,
    allow_credentials: Option<bool>,
}

impl CorsInput {
    fn is_empty(&self) -> bool {
        self.allow_origins.is_none()
            && self.allow_methods.is_none()
            && self.allow_headers.is_none()
            && self.expose_headers.is_none()
            && self.max_age.is_none()
            && self.allow_credentials.is_none()
    }
}

/// The configuration after a write. An empty one changes nothing; a list that is given replaces the old one, a list
/// that is not given stays (O: only `DeleteCorsConfiguration` clears).
pub(crate) fn merged(
    present: Option<&CorsConfiguration>,
    given: &CorsInput,
) -> Result<Option<CorsConfiguration>, Refusal> {
    if given.is_empty() {
        return Ok(present.cloned());
    }
    let mut cors = present.cloned().unwrap_or_default();
    if let Some(origins) = &given.allow_origins {
        cors.allow_origins.clone_from(origins);
    }
    if let Some(methods) = &given.allow_methods {
        cors.allow_methods.clone_from(methods);
    }
    if let Some(headers) = &given.allow_headers {
        cors.allow_headers = lower_cased(headers);
    }
    if let Some(headers) = &given.expose_headers {
        cors.expose_headers = lower_cased(headers);
    }
    if let Some(seconds) = given.max_age {
        if !(-1..=86_400).contains(&seconds) {
            return Err(bad_request("MaxAge must be between -1 and 86400"));
        }
        cors.max_age = Some(seconds);
    }
    if let Some(allowed) = given.allow_credentials {
        cors.allow_credentials = allowed;
    }
    check(&cors)?;
    Ok(Some(cors))
}

/// Header names come back in lower case (O).
fn lower_cased(headers: &[String]) -> Vec<String> {
    headers.iter().map(|header| header.to_ascii_lowercase()).collect()
}

fn check(cors: &CorsConfiguration) -> Result<(), Refusal> {
    // Text: O.
    if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
        return Err(bad_request(
            "allow-credentials is not supported if 'allow-origin' is *",
        ));
    }
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "*"];
    if let Some(method) = cors
        .allow_methods
        .iter()
        .find(|method| !methods.contains(&method.as_str()))
    {
        return Err(bad_request(format!("Invalid allow-method {method}")));
    }
    let origin = |origin: &String| origin == "*" || origin.contains("://");
    if let Some(origin) = cors.allow_origins.iter().find(|value| !origin(value)) {
        return Err(bad_request(format!("Invalid format for origin {origin}")));
    }
    Ok(())
}
