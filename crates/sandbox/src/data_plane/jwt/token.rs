//! A token in its compact form.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Refusal;

/// The signature algorithms that the authorizer takes (D).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// The same with SHA-384.
    Rs384,
    /// The same with SHA-512.
    Rs512,
}

/// A token taken apart. Nothing of it is verified yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What the header says that it is signed with.
    pub algorithm: Algorithm,
    /// The id of the signing key.
    pub key_id: String,
    /// The claims, not to be believed before the signature is.
    pub claims: Map<String, Value>,
    /// What was signed: the first two parts and the dot between them.
    pub signed: String,
    /// The signature.
    pub signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

impl Token {
    /// Takes a compact JWS apart; refuses other algorithms and headers that name no key.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Malformed)?;
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::Rs256,
            "RS384" => Algorithm::Rs384,
            "RS512" => Algorithm::Rs512,
            other => return Err(Refusal::Algorithm(printable(other))),
        };
        Ok(Self {
            algorithm,
            key_id: header.kid.ok_or(Refusal::UnknownKey)?,
            claims: serde_json::from_slice(&decode(claims)?).map_err(|_| Refusal::Malformed)?,
            signed: signed.to_owned(),
            signature: decode(signature)?,
        })
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}

/// The name of an algorithm goes into a header field: only what an algorithm's name can consist of.
fn printable(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .take(16)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compact(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!(
            "{}.{}.{}",
            part(header),
            part(claims),
            URL_SAFE_NO_PAD.encode("signature")
        )
    }

    #[test]
    fn the_three_parts_are_taken_apart() {
        let text = compact(
            &json!({"alg": "RS384", "kid": "k", "typ": "JWT"}),
            &json!({"sub": "me"}),
        );
        let token = Token::parse(&text).unwrap();
        assert_eq!((token.algorithm, token.key_id.as_str()), (Algorithm::Rs384, "k"));
        assert_eq!(token.claims.get("sub"), Some(&json!("me")));
        assert_eq!(token.signature, b"signature");
        assert!(text.starts_with(&token.signed) && token.signed.matches('.').count() == 1);
    }

    #[test]
    fn only_rsa_pkcs1_signatures_are_taken() {
        for algorithm in [
            "none", "None", "HS256", "HS512", "ES256", "PS256", "EdDSA", "rs256", "",
        ] {
            let text = compact(&json!({"alg": algorithm, "kid": "k"}), &json!({}));
            assert_eq!(
                Token::parse(&text),
                Err(Refusal::Algorithm(algorithm.to_owned())),
                "{algorithm}"
            );
        }
    }

    #[test]
    fn a_header_without_a_key_id_names_no_key() {
        assert_eq!(
            Token::parse(&compact(&json!({"alg": "RS256"}), &json!({}))),
            Err(Refusal::UnknownKey)
        );
    }

    #[test]
    fn what_is_no_compact_token_is_malformed() {
        let good = compact(&json!({"alg": "RS256", "kid": "k"}), &json!({}));
        let list = compact(&json!({"alg": "RS256", "kid": "k"}), &json!([]));
        for text in [
            "",
            "a",
            "a.b",
            "a.b.c",
            "..",
            &format!("{good}.x"),
            &good.replacen('.', "=.", 1),
            &list,
        ] {
            assert_eq!(Token::parse(text), Err(Refusal::Malformed), "{text}");
        }
    }

    #[test]
    fn an_algorithm_cannot_smuggle_characters_into_the_header_field() {
        let text = compact(&json!({"alg": "a\"\r\nb", "kid": "k"}), &json!({}));
        assert_eq!(Token::parse(&text), Err(Refusal::Algorithm("ab".to_owned())));
    }
}
