//! The keys that an issuer publishes, and the signatures made with them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents,
};
use serde_json::Value;

use super::{
    Refusal,
    token::{Algorithm, Token},
};

/// The RSA keys of a JWKS document by their ids.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: BTreeMap<String, RsaPublicKeyComponents<Vec<u8>>>,
}

impl KeySet {
    /// Reads a JWKS document. Keys without an id, of another kind or for encryption are passed over; none when it is
    /// no JWKS document at all. Of two keys with one id the first counts (I).
    pub fn parse(document: &[u8]) -> Option<Self> {
        let document: Value = serde_json::from_slice(document).ok()?;
        let mut keys = BTreeMap::new();
        for key in document.get("keys")?.as_array()? {
            if let Some((id, components)) = rsa_key(key) {
                keys.entry(id).or_insert(components);
            }
        }
        Some(Self { keys })
    }

    /// Whether the token was signed with the key that it names. Keys below 2,048 bits verify nothing.
    pub fn verify(&self, token: &Token) -> Result<(), Refusal> {
        let key = self.keys.get(&token.key_id).ok_or(Refusal::UnknownKey)?;
        let parameters = match token.algorithm {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        };
        key.verify(parameters, token.signed.as_bytes(), &token.signature)
            .map_err(|_| Refusal::Signature)
    }
}

fn rsa_key(key: &Value) -> Option<(String, RsaPublicKeyComponents<Vec<u8>>)> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if text("kty")? != "RSA" || text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    // A leading zero byte is not part of the number, and ring refuses it.
    let number = |name: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok()?;
        Some(
            bytes
                .into_iter()
                .skip_while(|&byte| byte == 0)
                .collect::<Vec<u8>>(),
        )
    };
    Some((
        text("kid")?.to_owned(),
        RsaPublicKeyComponents {
            n: number("n")?,
            e: number("e")?,
        },
    ))
}

/// Keys by issuer, for a while.
///
/// AWS keeps an issuer's keys for up to two hours, and nothing empties that cache (D). How long the
/// sandbox does is a switch; unless it is set, a rotated key counts at once.
#[derive(Debug, Default)]
pub struct KeyCache {
    entries: Mutex<BTreeMap<String, (u64, Arc<KeySet>)>>,
}

impl KeyCache {
    /// The keys of an issuer if they were stored less than `keep` ago; `now_millis` as in [`Self::store`].
    pub fn get(&self, issuer: &str, keep: Duration, now_millis: u64) -> Option<Arc<KeySet>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (stored, keys) = entries.get(issuer)?;
        let age = Duration::from_millis(now_millis.saturating_sub(*stored));
        (age < keep).then(|| Arc::clone(keys))
    }

    /// Stores the keys of an issuer; `now_millis` is the time since 1970.
    pub fn store(&self, issuer: &str, keys: Arc<KeySet>, now_millis: u64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(issuer.to_owned(), (now_millis, keys));
    }

    /// Forgets all keys.
    pub fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A JWKS document, and the parts of a token signed with the first of its keys, whose private half was never
    /// written down.
    fn signed() -> Value {
        serde_json::from_str(include_str!("signed.json")).unwrap()
    }

    fn keys() -> KeySet {
        KeySet::parse(signed()["jwks"].to_string().as_bytes()).unwrap()
    }

    fn token() -> Token {
        let parts = signed();
        let encoded = |name: &str| URL_SAFE_NO_PAD.encode(parts[name].as_str().unwrap());
        let signature = parts["signature"].as_str().unwrap();
        Token::parse(&format!(
            "{}.{}.{signature}",
            encoded("header"),
            encoded("claims")
        ))
        .unwrap()
    }

    #[test]
    fn a_signature_counts_only_with_its_key_algorithm_and_text() {
        let token = token();
        assert_eq!(keys().verify(&token), Ok(()));
        let other_text = Token {
            signed: token.signed.replace('.', "A."),
            ..token.clone()
        };
        assert_eq!(keys().verify(&other_text), Err(Refusal::Signature));
        let other_algorithm = Token {
            algorithm: Algorithm::Rs512,
            ..token.clone()
        };
        assert_eq!(keys().verify(&other_algorithm), Err(Refusal::Signature));
        let other_key = Token {
            key_id: "other".to_owned(),
            ..token.clone()
        };
        assert_eq!(keys().verify(&other_key), Err(Refusal::Signature));
        let unknown_key = Token {
            key_id: "unknown".to_owned(),
            ..token
        };
        assert_eq!(keys().verify(&unknown_key), Err(Refusal::UnknownKey));
    }

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let mut document = signed()["jwks"].take();
        for (name, value) in [
            ("kty", json!("EC")),
            ("use", json!("enc")),
            ("kid", json!(null)),
            ("n", json!("*")),
        ] {
            let mut spoiled = document.clone();
            for key in spoiled["keys"].as_array_mut().unwrap() {
                key[name] = value.clone();
            }
            assert!(
                KeySet::parse(spoiled.to_string().as_bytes())
                    .unwrap()
                    .keys
                    .is_empty(),
                "{name}"
            );
        }
        document["keys"] = json!("none");
        assert!(KeySet::parse(document.to_string().as_bytes()).is_none());
    }

    #[test]
    fn the_cache_keeps_keys_as_long_as_told() {
        let cache = KeyCache::default();
        let two_hours = Duration::from_hours(2);
        cache.store("i", Arc::new(keys()), 1_000);
        assert!(cache.get("i", two_hours, 7_200_999).is_some());
        assert!(cache.get("i", two_hours, 7_201_000).is_none());
        assert!(cache.get("i", Duration::ZERO, 1_000).is_none());
        assert!(cache.get("j", two_hours, 1_000).is_none());
        cache.clear();
        assert!(cache.get("i", two_hours, 1_000).is_none());
    }
}
