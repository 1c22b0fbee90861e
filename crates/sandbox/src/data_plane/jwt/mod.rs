//! The JWT authorizer of HTTP APIs.
//!
//! [`identity`] finds the token, [`token`] takes it apart, [`keys`] verifies its signature, and [`claims`] says
//! whether what it claims is enough. All of it is pure; who fetches the keys is `serve`'s
//! business.

pub mod claims;
pub mod identity;
pub mod keys;
pub mod token;

use thiserror::Error;

use crate::data_plane::answer::Answer;

/// Why a bearer is turned away. The texts are those of the `www-authenticate` header; only the one on the audience
/// is documented (*TSJ*), the others are in its manner (I).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The identity source of the request is empty.
    #[error("the token is missing")]
    Missing,
    /// Not three base64url parts holding a header, claims and a signature.
    #[error("the token is malformed")]
    Malformed,
    /// Anything but RS256, RS384 and RS512.
    #[error("signing method {0} is invalid")]
    Algorithm(String),
    /// The header names no key, or one that the issuer does not publish as an RSA key.
    #[error("the token's key is unknown to the issuer")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the token's signature is invalid")]
    Signature,
    /// `iss` differs from the authorizer's issuer.
    #[error("the token does not have a valid issuer")]
    Issuer,
    /// Neither `aud`, nor `client_id` in its absence, is among the audiences.
    #[error("the token does not have a valid audience")]
    Audience,
    /// `exp` is over.
    #[error("the token has expired")]
    Expired,
    /// `exp` is absent, or a time is not a number.
    #[error("the token does not have a valid time")]
    Time,
    /// `nbf` or `iat` lie in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The issuer's discovery document could not be had within the limits.
    #[error("OIDC discovery endpoint communication error")]
    Discovery,
    /// The issuer's keys could not be had within the limits.
    #[error("JWKS communication error")]
    Jwks,
    /// None of the route's scopes is among the token's. Everything else about the token was right.
    #[error("the token does not have a required scope")]
    Scope {
        /// Any one of them would have done.
        required: Vec<String>,
    },
}

impl Refusal {
    /// 403 for a missing scope (O), 401 for everything else (D).
    pub fn answer(&self) -> Answer {
        match self {
            Self::Scope { required } => Answer::forbidden().with_header(
                "www-authenticate",
                format!(
                    "Bearer scope=\"{}\" error=\"insufficient_scope\" error_description=\"{self}\"",
                    required.join(" ")
                ),
            ),
            Self::Missing
            | Self::Malformed
            | Self::Algorithm(_)
            | Self::UnknownKey
            | Self::Signature
            | Self::Issuer
            | Self::Audience
            | Self::Expired
            | Self::Time
            | Self::NotYetValid
            | Self::Discovery
            | Self::Jwks => Answer::message(401, "Unauthorized").with_header(
                "www-authenticate",
                format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{self}\""),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_token_is_answered_as_documented() {
        let answer = Refusal::Audience.answer();
        assert_eq!(
            (answer.status, answer.body.as_ref()),
            (401, br#"{"message":"Unauthorized"}"#.as_slice())
        );
        assert_eq!(
            answer.header("www-authenticate"),
            Some(
                r#"Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience""#
            )
        );
    }

    #[test]
    fn a_missing_scope_is_forbidden_and_the_header_names_what_would_do() {
        let answer = Refusal::Scope {
            required: vec!["a".to_owned(), "b".to_owned()],
        }
        .answer();
        assert_eq!(
            (answer.status, answer.body.as_ref()),
            (403, br#"{"message":"Forbidden"}"#.as_slice())
        );
        let header = answer.header("www-authenticate").unwrap();
        assert!(
            header.starts_with(r#"Bearer scope="a b" error="insufficient_scope""#),
            "{header}"
        );
    }

    #[test]
    fn an_issuer_that_does_not_answer_is_named_in_the_401() {
        for (refusal, words) in [
            (Refusal::Discovery, "OIDC discovery"),
            (Refusal::Jwks, "JWKS communication error"),
        ] {
            let answer = refusal.answer();
            assert_eq!(answer.status, 401);
            assert!(answer.header("www-authenticate").unwrap().contains(words));
        }
    }
}
