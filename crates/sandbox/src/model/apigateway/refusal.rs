//! API Gateway's refusals, and the checks that many kinds share.

use std::{collections::BTreeMap, ops::RangeInclusive};

use crate::model::{error::Refusal, quota::Quotas};

pub(crate) fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "BadRequestException", message)
}

pub(crate) fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "ConflictException", message)
}

/// 404 for an identifier that nothing has. The text follows the one known for APIs (O; for children I).
pub(crate) fn not_found(kind: &str, id: &str) -> Refusal {
    Refusal::new(
        404,
        "NotFoundException",
        format!("Invalid {kind} identifier specified {id}"),
    )
    .with("resourceType", kind)
}

/// Refuses a string outside the lengths of the service model (D).
pub(crate) fn length(what: &str, value: &str, allowed: RangeInclusive<usize>) -> Result<(), Refusal> {
    if allowed.contains(&value.chars().count()) {
        return Ok(());
    }
    let (least, most) = (allowed.start(), allowed.end());
    Err(bad_request(format!(
        "{what} must have between {least} and {most} characters"
    )))
}

/// The member, or 400 when a creation lacks it.
pub(crate) fn required<T: Clone>(what: &str, value: Option<&T>) -> Result<T, Refusal> {
    value
        .cloned()
        .ok_or_else(|| bad_request(format!("{what} is a required field")))
}

/// Takes over a string that `""` clears (O).
pub(crate) fn clearable(target: &mut Option<String>, given: Option<&String>) {
    match given.map(String::as_str) {
        None => {}
        Some("") => *target = None,
        Some(value) => *target = Some(value.to_owned()),
    }
}

/// Merges a map whose keys `""` drops; an empty map does nothing (O).
pub(crate) fn merge_strings(target: &mut BTreeMap<String, String>, given: Option<&BTreeMap<String, String>>) {
    for (key, value) in given.into_iter().flatten() {
        if value.is_empty() {
            target.remove(key);
        } else {
            target.insert(key.clone(), value.clone());
        }
    }
}

/// Refuses tags outside AWS's limits (D?).
pub(crate) fn check_tags(tags: &BTreeMap<String, String>, quotas: &Quotas) -> Result<(), Refusal> {
    if tags.len() > quotas.tags {
        return Err(bad_request(format!(
            "A resource can have at most {} tags",
            quotas.tags
        )));
    }
    for (key, value) in tags {
        length("A tag key", key, 1..=128)?;
        length("A tag value", value, 0..=256)?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(bad_request(format!(
                "Tag key {key} begins with the reserved prefix aws:"
            )));
        }
        let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || ".:+=@_/-".contains(c);
        if !key.chars().chain(value.chars()).all(allowed) {
            return Err(bad_request(format!(
                "Tag {key} has characters that are not allowed"
            )));
        }
    }
    Ok(())
}
