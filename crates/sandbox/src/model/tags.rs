//! Tags, by the limits that services share.

use std::collections::BTreeMap;

/// What is wrong with the first tag that AWS does not take: 128 and 256 characters, letters, digits, spaces and
/// `_.:/=+-@`, no prefix `aws:` (D: the service model of CloudWatch Logs, and the documents on tagging).
pub(crate) fn flaw(tags: &BTreeMap<String, String>) -> Option<String> {
    tags.iter().find_map(|(key, value)| {
        let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        let problem = if !(1..=128).contains(&key.chars().count()) {
            "its key must have between 1 and 128 characters"
        } else if value.chars().count() > 256 {
            "its value must have at most 256 characters"
        } else if key.to_ascii_lowercase().starts_with("aws:") {
            "the prefix aws: is reserved"
        } else if !key.chars().chain(value.chars()).all(allowed) {
            "it has characters that are not allowed"
        } else {
            return None;
        };
        Some(format!("The tag {key} is not valid: {problem}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_keeps_within_its_lengths_and_characters() {
        let flaw = |key: &str, value: &str| flaw(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        assert_eq!(flaw("jwthttpapi.dev/uid", "a b@c+d=e"), None);
        assert_eq!(flaw(&"k".repeat(128), &"v".repeat(256)), None);
        for (key, value) in [
            ("", "v"),
            (&"k".repeat(129), "v"),
            ("k", &"v".repeat(257)),
            ("aws:k", "v"),
            ("AWS:k", "v"),
            ("k*", "v"),
            ("k", "v,w"),
        ] {
            assert!(flaw(key, value).is_some(), "{key}: {value}");
        }
    }
}
