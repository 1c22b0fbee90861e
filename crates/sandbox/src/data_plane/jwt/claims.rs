//! Whether the claims of a token satisfy an authorizer and a route (D).

use serde_json::{Map, Value};

use super::Refusal;

/// What an authorizer and a route ask of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement<'a> {
    /// Equal to `iss` byte for byte.
    pub issuer: &'a str,
    /// One of them has to be in `aud`.
    pub audience: &'a [String],
    /// Any one of them suffices; none are asked for when empty.
    pub scopes: &'a [String],
}

/// Checks the claims of a token whose signature is the issuer's; `now` in seconds since 1970.
///
/// - `iss` equals the issuer;
/// - `aud`, a string or a list, contains one of the audiences; only when `aud` is absent, `client_id` is one of them;
/// - `exp` lies after `now`, `nbf` and `iat` not after it where they are present;
/// - last, where scopes are asked for, one of them is among [`scopes`].
pub fn check(claims: &Map<String, Value>, requirement: Requirement<'_>, now: u64) -> Result<(), Refusal> {
    if claims.get("iss").and_then(Value::as_str) != Some(requirement.issuer) {
        return Err(Refusal::Issuer);
    }
    if !has_audience(claims, requirement.audience) {
        return Err(Refusal::Audience);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 stay below 2^53 for 285 million years"
    )]
    let now = now as f64;
    if time(claims, "exp")?.ok_or(Refusal::Time)? <= now {
        return Err(Refusal::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|from| from > now) {
            return Err(Refusal::NotYetValid);
        }
    }
    let satisfied = requirement.scopes.is_empty()
        || scopes(claims)
            .iter()
            .any(|scope| requirement.scopes.iter().any(|wanted| wanted == scope));
    if satisfied {
        Ok(())
    } else {
        Err(Refusal::Scope {
            required: requirement.scopes.to_vec(),
        })
    }
}

/// The scopes of a token: those of `scope` (separated by spaces) and of `scp` (the same, or a list). A list in
/// `scope` counts as well (I).
pub fn scopes(claims: &Map<String, Value>) -> Vec<&str> {
    ["scope", "scp"]
        .into_iter()
        .filter_map(|name| claims.get(name))
        .flat_map(texts)
        .flat_map(str::split_ascii_whitespace)
        .collect()
}

fn has_audience(claims: &Map<String, Value>, accepted: &[String]) -> bool {
    let is_accepted = |text: &str| accepted.iter().any(|audience| audience == text);
    match claims.get("aud") {
        Some(audience) => texts(audience).into_iter().any(is_accepted),
        None => claims
            .get("client_id")
            .and_then(Value::as_str)
            .is_some_and(is_accepted),
    }
}

/// A string, or the strings of a list.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// A `NumericDate`, which may have a fraction.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, Refusal> {
    claims
        .get(name)
        .map(|value| value.as_f64().ok_or(Refusal::Time))
        .transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_000;

    /// The verdict on sound claims with some of them replaced; null takes one away.
    fn verdict(changes: &Value, scopes: &[&str]) -> Result<(), Refusal> {
        let mut claims = json!({"iss": "https://i/", "aud": "a", "exp": 1_001});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut claims = claims.as_object().unwrap().clone();
        claims.retain(|_, value| !value.is_null());
        let audience = ["a".to_owned(), "b".to_owned()];
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        check(
            &claims,
            Requirement {
                issuer: "https://i/",
                audience: &audience,
                scopes: &scopes,
            },
            NOW,
        )
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        for (issuer, expected) in [
            (json!("https://i/"), Ok(())),
            (json!("https://i"), Err(Refusal::Issuer)),
            (json!("https://I/"), Err(Refusal::Issuer)),
            (json!(["https://i/"]), Err(Refusal::Issuer)),
            (json!(null), Err(Refusal::Issuer)),
        ] {
            assert_eq!(verdict(&json!({ "iss": issuer }), &[]), expected, "{issuer}");
        }
    }

    #[test]
    fn one_of_the_audiences_suffices_and_client_id_counts_only_without_aud() {
        for (changes, expected) in [
            (json!({"aud": "b"}), Ok(())),
            (json!({"aud": ["x", "b"]}), Ok(())),
            (json!({"aud": "a b"}), Err(Refusal::Audience)),
            (json!({"aud": []}), Err(Refusal::Audience)),
            (json!({"aud": "x", "client_id": "a"}), Err(Refusal::Audience)),
            (json!({"aud": [], "client_id": "a"}), Err(Refusal::Audience)),
            (json!({"aud": null, "client_id": "a"}), Ok(())),
            (json!({"aud": null, "client_id": "x"}), Err(Refusal::Audience)),
            (json!({"aud": null}), Err(Refusal::Audience)),
        ] {
            assert_eq!(verdict(&changes, &[]), expected, "{changes}");
        }
    }

    #[test]
    fn times_bound_the_token_on_both_sides() {
        for (changes, expected) in [
            (json!({"exp": 1_000}), Err(Refusal::Expired)),
            (json!({"exp": 1_000.5}), Ok(())),
            (json!({"exp": null}), Err(Refusal::Time)),
            (json!({"exp": "1001"}), Err(Refusal::Time)),
            (json!({"nbf": 1_000, "iat": 1_000}), Ok(())),
            (json!({"nbf": 1_001}), Err(Refusal::NotYetValid)),
            (json!({"iat": 1_001}), Err(Refusal::NotYetValid)),
            (json!({"iat": "soon"}), Err(Refusal::Time)),
        ] {
            assert_eq!(verdict(&changes, &[]), expected, "{changes}");
        }
    }

    #[test]
    fn any_one_of_the_scopes_suffices() {
        let refused = || {
            Err(Refusal::Scope {
                required: vec!["r".to_owned(), "w".to_owned()],
            })
        };
        for (changes, expected) in [
            (json!({"scope": "x w"}), Ok(())),
            (json!({"scp": "r"}), Ok(())),
            (json!({"scp": ["x", "r"]}), Ok(())),
            (json!({"scope": "x", "scp": ["w"]}), Ok(())),
            (json!({"scope": "rw"}), refused()),
            (json!({"scope": ""}), refused()),
            (json!({}), refused()),
        ] {
            assert_eq!(verdict(&changes, &["r", "w"]), expected, "{changes}");
            assert_eq!(
                verdict(&changes, &[]),
                Ok(()),
                "a route without scopes asks for none"
            );
        }
    }

    #[test]
    fn a_missing_scope_is_told_only_to_the_bearer_of_a_token_that_is_right_otherwise() {
        assert_eq!(verdict(&json!({"exp": 1}), &["r"]), Err(Refusal::Expired));
        assert_eq!(verdict(&json!({"aud": "x"}), &["r"]), Err(Refusal::Audience));
    }
}
