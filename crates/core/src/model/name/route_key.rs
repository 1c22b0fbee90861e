//! Route keys: what the grammar of API Gateway lets them be, and what they match.

use super::{Invalid, invalid};
use std::fmt;

/// HTTP methods of a route key. `Any` matches all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// DELETE
    Delete,
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// PATCH
    Patch,
    /// POST
    Post,
    /// PUT
    Put,
    /// Every method.
    Any,
}

impl Method {
    /// Every single method, without [`Method::Any`].
    pub const SINGLE: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// The word in route keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Any => "ANY",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::SINGLE
            .into_iter()
            .chain([Self::Any])
            .find(|method| method.as_str() == text)
    }
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Plain text.
    Literal(String),
    /// `{name}`: one segment, whatever it is.
    Param(String),
    /// `{name+}`: the rest of the path, one segment or more.
    Greedy(String),
}

/// A route key: `$default`, or a method and a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey {
    text: String,
    pattern: Pattern,
}

/// What a route key matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// A method and the segments of a path; no segment for `/`.
    Path(Method, Vec<Segment>),
    /// Whatever no other route takes.
    Default,
}

impl RouteKey {
    const EXPECTED: &'static str = "a route key such as GET /pets/{id} or $default";
    const DIFFERENT: &'static str =
        "a route key whose parameters all have different names; rename one of the two";

    /// Parses a route key by AWS's grammar (D, O).
    ///
    /// # Errors
    /// When the method is unknown, the path does not begin with a slash, a segment is empty or malformed, a greedy segment is
    /// not the last, or a parameter name repeats.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || invalid(text, Self::EXPECTED);
        if text == "$default" {
            return Ok(Self {
                text: text.to_owned(),
                pattern: Pattern::Default,
            });
        }
        let (method, path) = text.split_once(' ').ok_or_else(refused)?;
        let method = Method::parse(method).ok_or_else(refused)?;
        let path = path.strip_prefix('/').ok_or_else(refused)?;
        let mut segments = Vec::new();
        if !path.is_empty() {
            for part in path.split('/') {
                if matches!(segments.last(), Some(Segment::Greedy(_))) {
                    return Err(refused());
                }
                segments.push(Segment::parse(part).ok_or_else(refused)?);
            }
        }
        let mut names: Vec<&str> = segments.iter().filter_map(Segment::parameter).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(invalid(text, Self::DIFFERENT));
        }
        Ok(Self {
            text: text.to_owned(),
            pattern: Pattern::Path(method, segments),
        })
    }

    /// The key as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it matches.
    pub const fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The key with its parameters' names left out: two keys of one shape match the same requests.
    pub fn shape(&self) -> String {
        match &self.pattern {
            Pattern::Default => "$default".to_owned(),
            Pattern::Path(method, segments) => {
                let mut shape = method.as_str().to_owned();
                for segment in segments {
                    shape.push('/');
                    shape.push_str(match segment {
                        Segment::Literal(text) => text,
                        Segment::Param(_) => "{}",
                        Segment::Greedy(_) => "{+}",
                    });
                }
                shape
            }
        }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn parse(part: &str) -> Option<Self> {
        if let Some(inner) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let (name, greedy) = inner
                .strip_suffix('+')
                .map_or((inner, false), |name| (name, true));
            let plain = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            return plain.then(|| {
                if greedy {
                    Self::Greedy(name.to_owned())
                } else {
                    Self::Param(name.to_owned())
                }
            });
        }
        let plain =
            !part.is_empty() && !part.contains(['{', '}', '?', '#']) && !part.contains(char::is_whitespace);
        plain.then(|| Self::Literal(part.to_owned()))
    }

    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Param(name) | Self::Greedy(name) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_keys_of_the_grammar_parse_and_others_do_not() {
        for good in [
            "$default",
            "GET /",
            "ANY /{proxy+}",
            "POST /a/{b}/c",
            "GET /a.b/~c",
            "DELETE /a/{b}/{c+}",
            "GET /{a.b_c-1}/{d}",
        ] {
            let key = RouteKey::parse(good).unwrap();
            assert_eq!((key.as_str(), key.to_string().as_str()), (good, good));
        }
        for method in Method::SINGLE.into_iter().chain([Method::Any]) {
            let key = RouteKey::parse(&format!("{} /", method.as_str())).unwrap();
            assert_eq!(key.pattern(), &Pattern::Path(method, Vec::new()));
        }
        for bad in [
            "",
            "GET",
            "GET a",
            "TRACE /a",
            "get /a",
            "GET /a/",
            "GET //a",
            "GET /{p+}/a",
            "GET /{a}/{a}",
            "GET /a{b}",
            "GET /{}",
            "GET /{+}",
            "GET /{a!}",
            "GET /a b",
            "GET /a?b",
            "GET /a#b",
        ] {
            assert!(RouteKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_repeated_parameter_is_told_from_a_malformed_key() {
        let error = RouteKey::parse("GET /{a}/{a}").unwrap_err().to_string();
        assert!(error.ends_with("rename one of the two"), "{error}");
    }

    #[test]
    fn keys_that_differ_only_in_parameter_names_have_one_shape() {
        let shape = |text| RouteKey::parse(text).unwrap().shape();
        assert_eq!(shape("GET /a/{x}"), shape("GET /a/{y}"));
        assert_ne!(shape("GET /a/{x}"), shape("GET /a/{x+}"));
        assert_ne!(shape("GET /a/{x}"), shape("ANY /a/{x}"));
        assert_eq!(shape("GET /a/{x}/{y+}"), "GET/a/{}/{+}");
        assert_eq!(shape("$default"), "$default");
    }
}
