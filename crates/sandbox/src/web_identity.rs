//! Tokens of web identities, as STS verifies them: by the keys that their issuer publishes.
//!
//! Source: the reference of `AssumeRoleWithWebIdentity` for the codes (D); the texts are O.

use serde_json::Value;

use crate::{
    data_plane::jwt::{keys::KeySet, token::Token},
    issuer::Issuers,
    model::{Claims, Timestamp, error::Refusal},
};

/// What a token claims.
///
/// # Errors
/// When it is no token, has ended, or is not signed by its issuer, or the issuer cannot be asked.
pub(crate) async fn verify(issuers: &Issuers, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
    let invalid = |text: &str| Refusal::new(400, "InvalidIdentityToken", text);
    let no_token = |_| {
        invalid(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    };
    let token = Token::parse(token).map_err(no_token)?;
    let issuer = token
        .claims
        .get("iss")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let keys = keys(issuers, issuer).await.ok_or_else(|| {
        invalid(
            "Couldn't retrieve verification key from your identity provider, please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        )
    })?;
    keys.verify(&token)
        .map_err(|_| invalid("Provided Token is not signed by the identity provider"))?;
    let (now, end) = (now.0 / 1000, token.claims.get("exp").and_then(Value::as_u64));
    match end {
        Some(end) if end > now => Ok(token.claims),
        Some(end) => {
            let text = format!(
                "Token expired: current date/time {now} must be before the expiration date/time {end}"
            );
            Err(Refusal::new(400, "ExpiredTokenException", text))
        }
        None => Err(invalid("Missing a required claim: exp")),
    }
}

async fn keys(issuers: &Issuers, issuer: &str) -> Option<KeySet> {
    let discovery = issuers.discovery(issuer).await.ok()?;
    let document = issuers.jwks(&discovery.jwks_uri).await.ok()?;
    KeySet::parse(&document)
}
