//! Which route answers a request: a pure function of route keys, method and path.
//!
//! # Semantics
//!
//! **Path segments.** A path begins with `/`. `/` alone has no segment; any other path is cut at every `/` after the
//! first, so that `/a//b` has the segments `a`, empty and `b`, and `/a/` has `a` and an empty one. The query string
//! is not part of the path. Nothing is percent-decoded before the match: literals compare byte for byte with what
//! came over the wire, and only the values of path parameters are decoded afterwards.
//!
//! **Trailing slash.** Whether AWS lets `/x/` reach the route `/x` is unconfirmed, hence
//! [`TrailingSlash`]. Ignored: one `/` at the end of a request path longer than `/` is taken off before anything
//! else. Significant: it stays, as an additional empty segment.
//!
//! **Candidates.** A route key other than `$default` is a candidate if its method equals the request's (ASCII case
//! counts) or is `ANY`, and its path matches:
//! - a literal segment matches a segment of the same bytes;
//! - `{name}` matches exactly one segment that is not empty;
//! - `{name+}`, which is always last, matches everything that is left, joined by `/`, provided that it is not empty:
//!   `/{p+}` does not match `/`, and `/a/{p+}` matches neither `/a` nor `/a/`;
//! - segments without a greedy one match all of the path or nothing.
//!
//! `$default` is always a candidate.
//!
//! **Choice** (D for 1 and 3, I for 2 and 4), the first difference decides:
//! 1. a path without a greedy segment is preferred to one with it, and that to `$default`;
//! 2. segment by segment from the left, a literal is preferred to `{name}`, and `{name}` to `{name+}`;
//! 3. the explicit method is preferred to `ANY`;
//! 4. the route key whose bytes sort first. Only keys that differ in nothing but parameter names get here.
//!
//! A key that is neither `$default` nor `<METHOD> /<path>` matches nothing.

use std::{cmp::Ordering, collections::BTreeMap, iter};

use percent_encoding::percent_decode_str;

/// The key of the route that takes what no other route takes.
pub const DEFAULT_ROUTE_KEY: &str = "$default";

/// What a `/` at the end of a request path means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// It begins an empty segment, which only a greedy segment or `$default` can match.
    #[default]
    Significant,
    /// One of them is taken off a path longer than `/`.
    Ignored,
}

impl TrailingSlash {
    /// The path as routes see it.
    fn trim(self, path: &str) -> &str {
        match self {
            Self::Ignored if path.len() > 1 => path.strip_suffix('/').unwrap_or(path),
            Self::Ignored | Self::Significant => path,
        }
    }
}

/// The route that answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The position of the route among the keys given.
    pub index: usize,
    /// The values of the path parameters by name, percent-decoded.
    pub path_parameters: BTreeMap<String, String>,
}

/// Selects the route for a request as the module's documentation says; none when no key matches.
///
/// `path` is the raw path of the request without query string, and without the prefix of a named stage.
pub fn select<'a>(
    route_keys: impl IntoIterator<Item = &'a str>,
    method: &str,
    path: &str,
    trailing_slash: TrailingSlash,
) -> Option<Selection> {
    let path = trailing_slash.trim(path);
    let (index, route) = route_keys
        .into_iter()
        .enumerate()
        .filter_map(|(index, key)| Some((index, Route::parse(key)?)))
        .filter(|(_, route)| route.takes(method, path))
        .min_by(|(_, one), (_, other)| one.precedence(other))?;
    Some(Selection {
        index,
        path_parameters: route.parameters(path),
    })
}

/// A route key, taken apart without copying it.
struct Route<'a> {
    key: &'a str,
    target: Target<'a>,
}

#[derive(PartialEq, Eq)]
enum Target<'a> {
    Default,
    Path { method: &'a str, path: &'a str },
}

/// One segment of a route's path, the preferred kind first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Literal,
    Parameter,
    Greedy,
}

/// How much of a path a route names itself, the preferred extent first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Full,
    Greedy,
    Default,
}

impl<'a> Route<'a> {
    fn parse(key: &'a str) -> Option<Self> {
        let target = if key == DEFAULT_ROUTE_KEY {
            Target::Default
        } else {
            let (method, path) = key.split_once(' ')?;
            if !path.starts_with('/') {
                return None;
            }
            Target::Path { method, path }
        };
        Some(Self { key, target })
    }

    fn path(&self) -> &'a str {
        match self.target {
            Target::Default => "",
            Target::Path { path, .. } => path,
        }
    }

    fn names_any_method(&self) -> bool {
        matches!(self.target, Target::Default | Target::Path { method: "ANY", .. })
    }

    fn takes(&self, method: &str, path: &str) -> bool {
        match self.target {
            Target::Default => true,
            Target::Path {
                method: wanted,
                path: pattern,
            } => (wanted == method || wanted == "ANY") && walk(pattern, path).all(|step| step.fits()),
        }
    }

    fn extent(&self) -> Extent {
        match self.target {
            Target::Default => Extent::Default,
            Target::Path { path, .. } => {
                if segments(path).any(|segment| parse_segment(segment).0 == Kind::Greedy) {
                    Extent::Greedy
                } else {
                    Extent::Full
                }
            }
        }
    }

    /// `Less` when this route is preferred, both matching the same request.
    fn precedence(&self, other: &Self) -> Ordering {
        fn kinds(path: &str) -> impl Iterator<Item = Kind> {
            segments(path).map(|segment| parse_segment(segment).0)
        }
        (self.extent().cmp(&other.extent()))
            .then_with(|| kinds(self.path()).cmp(kinds(other.path())))
            .then_with(|| self.names_any_method().cmp(&other.names_any_method()))
            .then_with(|| self.key.cmp(other.key))
    }

    fn parameters(&self, path: &str) -> BTreeMap<String, String> {
        walk(self.path(), path)
            .filter_map(|step| {
                let (Some((Kind::Parameter | Kind::Greedy, name)), Some(value)) = (step.pattern, step.value)
                else {
                    return None;
                };
                Some((
                    name.to_owned(),
                    percent_decode_str(value).decode_utf8_lossy().into_owned(),
                ))
            })
            .collect()
    }
}

/// A segment of the route's path beside what stands in its place in the request's path.
struct Step<'r, 'p> {
    /// Kind and text (a parameter's name); none where the route's path has ended.
    pattern: Option<(Kind, &'r str)>,
    /// None where the request's path has ended; all the rest of it for a greedy segment.
    value: Option<&'p str>,
}

impl Step<'_, '_> {
    fn fits(&self) -> bool {
        match (self.pattern, self.value) {
            (Some((Kind::Literal, text)), Some(value)) => text == value,
            (Some((Kind::Parameter | Kind::Greedy, _)), Some(value)) => !value.is_empty(),
            (None, _) | (_, None) => false,
        }
    }
}

/// Goes along both paths until both have ended.
fn walk<'r, 'p>(pattern: &'r str, path: &'p str) -> impl Iterator<Item = Step<'r, 'p>> {
    let mut patterns = segments(pattern);
    let mut rest = after_root(path);
    iter::from_fn(move || {
        let pattern = patterns.next().map(parse_segment);
        let value = match (pattern, rest) {
            (_, None) => None,
            (Some((Kind::Greedy, _)), Some(all)) => {
                rest = None;
                Some(all)
            }
            (_, Some(some)) => {
                let (first, after) = match some.split_once('/') {
                    Some((first, after)) => (first, Some(after)),
                    None => (some, None),
                };
                rest = after;
                Some(first)
            }
        };
        (pattern.is_some() || value.is_some()).then_some(Step { pattern, value })
    })
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    after_root(path).into_iter().flat_map(|rest| rest.split('/'))
}

/// What follows the first `/`; none for a path without segments.
fn after_root(path: &str) -> Option<&str> {
    path.strip_prefix('/').filter(|rest| !rest.is_empty())
}

fn parse_segment(segment: &str) -> (Kind, &str) {
    match segment
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
    {
        None => (Kind::Literal, segment),
        Some(inner) => match inner.strip_suffix('+') {
            None => (Kind::Parameter, inner),
            Some(name) => (Kind::Greedy, name),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PETS: [&str; 5] = [
        "$default",
        "ANY /{proxy+}",
        "GET /pets/{proxy+}",
        "GET /pets/dog/{id}",
        "GET /pets/dog/1",
    ];

    fn chosen<'a>(keys: &[&'a str], method: &str, path: &str) -> Option<&'a str> {
        let selection = select(keys.iter().copied(), method, path, TrailingSlash::Significant)?;
        Some(keys[selection.index])
    }

    #[test]
    fn the_documented_example_selects_as_documented() {
        for (method, path, route) in [
            ("GET", "/pets/dog/1", "GET /pets/dog/1"),
            ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
            ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
            ("POST", "/test/5", "ANY /{proxy+}"),
            ("POST", "/pets/dog/1", "ANY /{proxy+}"),
            ("GET", "/", "$default"),
        ] {
            assert_eq!(chosen(&PETS, method, path), Some(route), "{method} {path}");
        }
    }

    #[test]
    fn each_rule_of_the_choice_decides_where_the_ones_before_it_do_not() {
        for (keys, method, path, route) in [
            // A full match wins over a greedy one even where its first segment is less exact.
            (["GET /a/{p+}", "GET /{x}/b"], "GET", "/a/b", "GET /{x}/b"),
            (["GET /{x}/b", "GET /a/{y}"], "GET", "/a/b", "GET /a/{y}"),
            (["GET /{p+}", "GET /{x}/{p+}"], "GET", "/a/b", "GET /{x}/{p+}"),
            (["GET /{x}/b/{p+}", "GET /a/{p+}"], "GET", "/a/b/c", "GET /a/{p+}"),
            (["GET /{x}", "ANY /a"], "GET", "/a", "ANY /a"),
            (["ANY /a", "GET /a"], "GET", "/a", "GET /a"),
            (["ANY /a", "GET /a"], "PUT", "/a", "ANY /a"),
            (["GET /{y}", "GET /{x}"], "GET", "/a", "GET /{x}"),
            (["$default", "ANY /{p+}"], "GET", "/a", "ANY /{p+}"),
        ] {
            assert_eq!(
                chosen(&keys, method, path),
                Some(route),
                "{method} {path} in {keys:?}"
            );
        }
    }

    #[test]
    fn the_order_of_the_keys_does_not_matter() {
        let mut reversed = PETS;
        reversed.reverse();
        for path in ["/pets/dog/1", "/pets/dog/2", "/pets/cat", "/x/y/z", "/"] {
            assert_eq!(
                chosen(&PETS, "GET", path),
                chosen(&reversed, "GET", path),
                "{path}"
            );
        }
    }

    #[test]
    fn a_parameter_takes_one_segment_that_is_not_empty_and_a_greedy_one_a_rest_that_is_not() {
        for (key, path, matches) in [
            ("GET /", "/", true),
            ("GET /", "/a", false),
            ("GET /{x}", "/", false),
            ("GET /{x}", "/a", true),
            ("GET /{x}", "/a/b", false),
            ("GET /a/{x}", "/a", false),
            ("GET /a/{x}", "/a/", false),
            ("GET /{p+}", "/", false),
            ("GET /{p+}", "//", true),
            ("GET /{p+}", "/a", true),
            ("GET /{p+}", "/a/b/c/", true),
            ("GET /a/{p+}", "/a", false),
            ("GET /a/{p+}", "/a/", false),
            ("GET /a/{p+}", "/ab/c", false),
            ("GET /a/{x}/{p+}", "/a/b", false),
            ("GET /a/{x}/{p+}", "/a/b/c/d", true),
            ("GET /a//b", "/a//b", true),
            ("GET /a/{x}/b", "/a//b", false),
            ("GET /A", "/a", false),
            ("get /a", "/a", false),
            ("GET /a b", "/a%20b", false),
            ("GET a", "/a", false),
            ("nonsense", "/a", false),
        ] {
            assert_eq!(chosen(&[key], "GET", path).is_some(), matches, "{key} on {path}");
        }
    }

    #[test]
    fn a_trailing_slash_counts_or_not_as_told() {
        for (key, path, significant, ignored) in [
            ("GET /x", "/x/", false, true),
            ("GET /x", "/x//", false, false),
            ("GET /{p}", "/x/", false, true),
            ("GET /{p+}", "/x/", true, true),
            ("GET /", "/", true, true),
            ("GET /", "//", false, true),
            ("$default", "/x/", true, true),
        ] {
            for (rule, expected) in [
                (TrailingSlash::Significant, significant),
                (TrailingSlash::Ignored, ignored),
            ] {
                assert_eq!(
                    select([key], "GET", path, rule).is_some(),
                    expected,
                    "{key} on {path}, {rule:?}"
                );
            }
        }
    }

    #[test]
    fn parameters_are_decoded_after_the_match() {
        let parameters = |key, path| {
            let selection = select([key], "GET", path, TrailingSlash::Significant).unwrap();
            selection.path_parameters.into_iter().collect::<Vec<_>>()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(parameters("GET /a/{id}", "/a/b%2Fc%20d"), [pair("id", "b/c d")]);
        assert_eq!(
            parameters("GET /a/{id}/{rest+}", "/a/1/x%20y/z/"),
            [pair("id", "1"), pair("rest", "x y/z/")]
        );
        assert_eq!(parameters("$default", "/a/1"), []);
    }
}
