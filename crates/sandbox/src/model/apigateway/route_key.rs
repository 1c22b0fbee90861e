//! The grammar of route keys.

use std::collections::BTreeSet;

use super::refusal::bad_request;
use crate::model::error::Refusal;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY"];

/// `$default` or `<METHOD> /<path>` (D; the text O). A trailing slash is refused except for `/` alone (O), a
/// parameter fills a whole segment, a greedy one the last, and no name appears twice (D).
pub(crate) fn check(key: &str) -> Result<(), Refusal> {
    if key == "$default" || is_method_and_path(key) {
        return Ok(());
    }
    Err(bad_request(
        "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> \
         /<RESOURCE PATH>\" or \"$default\"",
    ))
}

/// A key without the names of its parameters.
pub(crate) fn shape(key: &str) -> String {
    let segments = key.split('/').map(|segment| match parameter(segment) {
        Some(Ok((_, greedy))) => {
            if greedy {
                "{+}"
            } else {
                "{}"
            }
        }
        _ => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn is_method_and_path(key: &str) -> bool {
    let Some((method, path)) = key.split_once(' ') else {
        return false;
    };
    METHODS.contains(&method) && path.strip_prefix('/').is_some_and(is_path)
}

fn is_path(path: &str) -> bool {
    if path.is_empty() {
        return true;
    }
    let mut names = BTreeSet::new();
    let segments: Vec<&str> = path.split('/').collect();
    let last = segments.len() - 1;
    segments
        .iter()
        .enumerate()
        .all(|(index, segment)| match parameter(segment) {
            Some(Ok((name, greedy))) => names.insert(name) && (!greedy || index == last),
            Some(Err(())) => false,
            None => !segment.is_empty() && segment.chars().all(is_path_character),
        })
}

/// The name in `{name}` or `{name+}`, an error when braces stand anywhere else, nothing without braces.
fn parameter(segment: &str) -> Option<Result<(&str, bool), ()>> {
    if !segment.contains(['{', '}']) {
        return None;
    }
    let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let name = inner.map(|inner| {
        inner
            .strip_suffix('+')
            .map_or((inner, false), |name| (name, true))
    });
    let valid = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    Some(name.filter(|(name, _)| valid(name)).ok_or(()))
}

fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:@!$&'()*+,;=%".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_keys_are_accepted() {
        for key in [
            "$default",
            "GET /",
            "ANY /{proxy+}",
            "GET /a/{x}/b/{y}",
            "POST /a.b/c-d/{x_y+}",
            "OPTIONS /~u",
        ] {
            assert!(check(key).is_ok(), "{key}");
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        let keys = [
            "",
            "/",
            "GET",
            "GET ",
            "GET a",
            "get /a",
            "TRACE /a",
            "GET /a/",
            "GET //",
            "GET /a//b",
            "GET  /a",
            "GET /{x+}/a",
            "GET /{x}/{x}",
            "GET /a{x}",
            "GET /{}",
            "GET /{+}",
            "GET /a b",
            "GET /a?b",
            "$other",
        ];
        for key in keys {
            assert_eq!(check(key).unwrap_err().status, 400, "{key}");
        }
    }
}
