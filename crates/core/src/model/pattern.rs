//! The algebra of route patterns: which requests one matches, and which of two wins.
//!
//! Priority (D): a full match goes before a greedy one and that before `$default`; among equals the path decides
//! segment by segment, plain text before `{name}` before `{name+}`; then a method goes before `ANY`. A parameter takes one
//! non-empty segment, a greedy one takes one segment or more.

use super::name::{Method, Pattern, Segment};
use std::cmp::Ordering;

/// Rank of a pattern among those that match one request; the least wins. Only patterns of one [`shape`] have equal ranks
/// while they overlap.
///
/// [`shape`]: super::name::RouteKey::shape
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8, Vec<u8>, bool);

impl Pattern {
    /// Its rank.
    pub fn rank(&self) -> Rank {
        match self {
            Self::Default => Rank(2, Vec::new(), true),
            Self::Path(method, segments) => {
                let ranks = segments.iter().map(|segment| match segment {
                    Segment::Literal(_) => 0,
                    Segment::Param(_) => 1,
                    Segment::Greedy(_) => 2,
                });
                Rank(
                    u8::from(is_greedy(segments)),
                    ranks.collect(),
                    *method == Method::Any,
                )
            }
        }
    }

    /// Whether it matches a request of a single method for the segments of a path.
    pub fn matches(&self, method: Method, path: &[&str]) -> bool {
        let Self::Path(own, segments) = self else {
            return true;
        };
        if *own != Method::Any && *own != method {
            return false;
        }
        let mut rest = path.iter();
        for segment in segments {
            match (segment, rest.next()) {
                (Segment::Greedy(_), Some(first)) => return !first.is_empty() || rest.len() > 0,
                (Segment::Literal(text), Some(part)) if text == part => {}
                (Segment::Param(_), Some(part)) if !part.is_empty() => {}
                _ => return false,
            }
        }
        rest.next().is_none()
    }

    /// Whether some request is matched by both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Default, _) | (_, Self::Default) => true,
            (Self::Path(a, left), Self::Path(b, right)) => {
                (a == b || *a == Method::Any || *b == Method::Any) && paths_overlap(left, right)
            }
        }
    }

    /// Whether both match the same requests.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        self.contains(other) && other.contains(self)
    }

    /// Whether every request that the other matches is matched by this, too.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Default, _) => true,
            (_, Self::Default) => false,
            (Self::Path(a, left), Self::Path(b, right)) => {
                (a == b || *a == Method::Any) && path_contains(left, right)
            }
        }
    }

    /// The pattern of exactly the requests that both match, if any.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (left, right) = match (self, other) {
            (Self::Default, pattern) | (pattern, Self::Default) => return Some(pattern.clone()),
            (left, right) => (left, right),
        };
        let (Self::Path(a, left), Self::Path(b, right)) = (left, right) else {
            return None;
        };
        let method = match (a, b) {
            (Method::Any, method) | (method, Method::Any) => *method,
            (a, b) => (a == b).then_some(*a)?,
        };
        Some(Self::Path(method, meet(left, right)?))
    }

    /// Which of two that match a request gets it: `Less` when this does.
    pub fn precedence(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

fn is_greedy(segments: &[Segment]) -> bool {
    matches!(segments.last(), Some(Segment::Greedy(_)))
}

fn paths_overlap(left: &[Segment], right: &[Segment]) -> bool {
    match (left, right) {
        ([], []) | ([Segment::Greedy(_)], [_, ..]) | ([_, ..], [Segment::Greedy(_)]) => true,
        ([a, left @ ..], [b, right @ ..]) => {
            let same = match (a, b) {
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                _ => true,
            };
            same && paths_overlap(left, right)
        }
        _ => false,
    }
}

/// The path of exactly the requests that both match, if any.
pub(crate) fn meet(left: &[Segment], right: &[Segment]) -> Option<Vec<Segment>> {
    match (left, right) {
        ([], []) => Some(Vec::new()),
        ([Segment::Greedy(_)], [_, ..]) => Some(right.to_vec()),
        ([_, ..], [Segment::Greedy(_)]) => Some(left.to_vec()),
        ([one, left @ ..], [other, right @ ..]) => {
            let first = match (one, other) {
                (Segment::Literal(text), Segment::Literal(same)) => (text == same).then_some(one)?,
                (Segment::Literal(_), _) => one,
                _ => other,
            };
            let mut path = vec![first.clone()];
            path.extend(meet(left, right)?);
            Some(path)
        }
        _ => None,
    }
}

fn path_contains(wide: &[Segment], narrow: &[Segment]) -> bool {
    match (wide, narrow) {
        ([], []) | ([Segment::Greedy(_)], [_, ..]) => true,
        ([a, wide @ ..], [b, narrow @ ..]) => {
            let covered = match (a, b) {
                (_, Segment::Greedy(_)) => return false,
                (Segment::Literal(a), Segment::Literal(b)) => a == b,
                (Segment::Literal(_), _) => false,
                (Segment::Param(_) | Segment::Greedy(_), _) => true,
            };
            covered && path_contains(wide, narrow)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::RouteKey;
    use super::*;

    fn winner<'a>(keys: &[&'a str], method: Method, path: &str) -> Option<&'a str> {
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let path: &[&str] = if path == "/" { &[] } else { &segments };
        keys.iter()
            .filter(|key| RouteKey::parse(key).unwrap().pattern().matches(method, path))
            .min_by_key(|key| RouteKey::parse(key).unwrap().pattern().rank())
            .copied()
    }

    #[test]
    fn the_documented_example_of_priorities_holds() {
        let keys = [
            "GET /pets/dog/1",
            "GET /pets/dog/{id}",
            "GET /pets/{proxy+}",
            "ANY /{proxy+}",
            "$default",
        ];
        for (method, path, expected) in [
            (Method::Get, "/pets/dog/1", keys[0]),
            (Method::Get, "/pets/dog/2", keys[1]),
            (Method::Get, "/pets/cat/1", keys[2]),
            (Method::Post, "/test/5", keys[3]),
            (Method::Get, "/", keys[4]),
        ] {
            assert_eq!(winner(&keys, method, path), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_full_match_goes_before_a_greedy_one_whose_text_begins_earlier() {
        let keys = ["GET /a/{p+}", "GET /{x}/b"];
        assert_eq!(winner(&keys, Method::Get, "/a/b"), Some(keys[1]));
        assert_eq!(winner(&keys, Method::Get, "/a/c"), Some(keys[0]));
    }

    #[test]
    fn a_parameter_takes_one_segment_that_is_not_empty_and_a_greedy_one_more() {
        for (key, path, matches) in [
            ("GET /a", "/a", true),
            ("GET /a", "/b", false),
            ("GET /a", "/a/", false),
            ("GET /a/{x}", "/a/", false),
            ("GET /a/{x}", "/a/b", true),
            ("GET /a/{x}", "/a/b/c", false),
            ("GET /a/{p+}", "/a", false),
            ("GET /a/{p+}", "/a/", false),
            ("GET /a/{p+}", "/a/b", true),
            ("GET /a/{p+}", "/a/b/c", true),
            ("GET /a/{p+}", "/a//c", true),
        ] {
            assert_eq!(
                winner(&[key], Method::Get, path).is_some(),
                matches,
                "{key} {path}"
            );
        }
    }

    #[test]
    fn overlap_and_containment_agree_with_matching() {
        let pattern = |text: &str| RouteKey::parse(text).unwrap().pattern().clone();
        for (a, b, both, contains) in [
            ("GET /a/{x}", "GET /a/b", Some("GET /a/b"), true),
            ("GET /a/b", "GET /a/{x}", Some("GET /a/b"), false),
            ("GET /{x}/b", "GET /a/{y}", Some("GET /a/b"), false),
            ("GET /a/{y}", "GET /{x}/b", Some("GET /a/b"), false),
            ("GET /{x}", "GET /{y}", Some("GET /{y}"), true),
            ("ANY /{p+}", "GET /a/b/c", Some("GET /a/b/c"), true),
            ("GET /a/b/c", "ANY /{p+}", Some("GET /a/b/c"), false),
            ("ANY /{p+}", "GET /", None, false),
            ("GET /", "ANY /{p+}", None, false),
            ("$default", "GET /", Some("GET /"), true),
            ("GET /", "$default", Some("GET /"), false),
            ("$default", "$default", Some("$default"), true),
            ("GET /a/{p+}", "GET /a", None, false),
            ("GET /a/{p+}", "POST /a/b", None, false),
            ("GET /a", "POST /a", None, false),
            ("ANY /a", "POST /a", Some("POST /a"), true),
            ("POST /a", "ANY /a", Some("POST /a"), false),
            ("GET /{x}/{p+}", "GET /a/{p+}", Some("GET /a/{p+}"), true),
            ("GET /a/{p+}", "GET /{x}/{p+}", Some("GET /a/{p+}"), false),
            ("GET /a/b", "GET /a/b", Some("GET /a/b"), true),
            ("GET /a/b", "GET /a/c", None, false),
            ("GET /a/b", "GET /c/b", None, false),
            ("GET /a/b", "GET /a", None, false),
            ("GET /a", "GET /a/b", None, false),
        ] {
            assert_eq!(pattern(a).overlaps(&pattern(b)), both.is_some(), "{a} {b}");
            assert_eq!(pattern(a).contains(&pattern(b)), contains, "{a} {b}");
            assert_eq!(pattern(a).intersection(&pattern(b)), both.map(pattern), "{a} {b}");
        }
    }
}
