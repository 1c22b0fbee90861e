//! The effective access function: who may call which path with which method.
//!
//! *Who may* is a set of parts: everybody, the holders of tokens that an authorizer takes with some scopes, or whoever passes what
//! the operator does not make. A part is not taken apart as long as another one takes all of it: 300 routes with the most that AWS
//! allows of audiences and scopes are then told apart by what they share. Where none does, its kinds of callers are
//! judged one by one, one audience with one scope each: a kind lies in a union exactly when it lies in one part of it, so that
//! admissions compare exactly.

use crate::model::desired::Jwt;
use crate::model::meet;
use crate::model::name::{CLOSED_SCOPE, Method, Pattern, RouteKey, Segment};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Callers who are judged together.
#[derive(Clone, Copy, Debug)]
pub enum Callers<'a> {
    /// Anybody, without a token.
    Everyone,
    /// Whoever has a token that an authorizer takes.
    Tokens {
        /// The authorizer.
        jwt: &'a Jwt,
        /// One of its audiences; none for all of them.
        audience: Option<&'a str>,
        /// With scopes; none for any token.
        scopes: Scopes<'a>,
    },
    /// Whoever passes a kind of authorization that the operator does not make.
    Other(&'a str),
}

/// With which scopes.
#[derive(Clone, Copy, Debug)]
pub enum Scopes<'a> {
    /// With one of these; when there are none, with any, or none.
    OneOf(&'a BTreeSet<String>),
    /// With this one.
    This(&'a str),
}

/// Some of those who may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Everyone,
    /// Holders of a token that an authorizer takes with any of these scopes, or with none when there are none.
    Tokens {
        jwt: Arc<Jwt>,
        scopes: BTreeSet<String>,
    },
    Other(String),
}

impl Part {
    fn callers(&self) -> Callers<'_> {
        match self {
            Self::Everyone => Callers::Everyone,
            Self::Tokens { jwt, scopes } => Callers::Tokens {
                jwt,
                audience: None,
                scopes: Scopes::OneOf(scopes),
            },
            Self::Other(kind) => Callers::Other(kind),
        }
    }

    /// The same callers, in as many parts as can be told apart.
    fn kinds(&self) -> impl Iterator<Item = Callers<'_>> {
        let tokens = match self {
            Self::Tokens { jwt, scopes } => Some((jwt, scopes)),
            Self::Everyone | Self::Other(_) => None,
        };
        let whole = tokens.is_none().then(|| self.callers());
        let each = tokens.into_iter().flat_map(|(jwt, scopes)| {
            jwt.audience.iter().flat_map(move |audience| {
                let any = scopes.is_empty().then_some(Scopes::OneOf(scopes));
                let each = scopes.iter().map(|scope| Scopes::This(scope));
                any.into_iter().chain(each).map(move |scopes| Callers::Tokens {
                    jwt,
                    audience: Some(audience),
                    scopes,
                })
            })
        });
        whole.into_iter().chain(each)
    }

    /// Whether all of these callers are among those for whom this stands.
    fn admits(&self, callers: Callers<'_>) -> bool {
        match (self, callers) {
            (Self::Everyone, _) => true,
            (Self::Other(own), Callers::Other(kind)) => own == kind,
            (
                Self::Tokens { jwt, scopes: own },
                Callers::Tokens {
                    jwt: theirs,
                    audience,
                    scopes,
                },
            ) => {
                let takes = match audience {
                    Some(audience) => jwt.is_of(theirs) && jwt.audience.contains(audience),
                    None => jwt.is_of(theirs) && theirs.audience.is_subset(&jwt.audience),
                };
                let suffices = match scopes {
                    _ if own.is_empty() => true,
                    Scopes::OneOf(scopes) => !scopes.is_empty() && scopes.is_subset(own),
                    Scopes::This(scope) => own.contains(scope),
                };
                takes && suffices
            }
            _ => false,
        }
    }
}

impl Jwt {
    /// Whether both take tokens of one issuer, in one place.
    fn is_of(&self, other: &Self) -> bool {
        self.identity_source == other.identity_source && self.issuer == other.issuer
    }
}

/// Who may.
#[derive(Clone, Debug, Default)]
pub struct Admission(BTreeSet<Part>);

/// Whether both admit the same callers.
impl PartialEq for Admission {
    fn eq(&self, other: &Self) -> bool {
        self.within(other) && other.within(self)
    }
}

impl Eq for Admission {}

impl Admission {
    /// Nobody.
    pub const fn nobody() -> Self {
        Self(BTreeSet::new())
    }

    /// Everybody.
    pub fn everyone() -> Self {
        Self([Part::Everyone].into())
    }

    /// Whoever passes a kind of authorization that the operator does not make.
    pub fn other(kind: String) -> Self {
        Self([Part::Other(kind)].into())
    }

    /// Holders of a token that an authorizer takes with any of these scopes, or with none when there are none. A scope that
    /// no token carries admits nobody.
    pub fn jwt(jwt: &Arc<Jwt>, scopes: &BTreeSet<String>) -> Self {
        let carried: BTreeSet<String> = scopes
            .iter()
            .filter(|scope| *scope != CLOSED_SCOPE)
            .cloned()
            .collect();
        let is_nobody = jwt.audience.is_empty() || (carried.is_empty() && !scopes.is_empty());
        let part = (!is_nobody).then(|| Part::Tokens {
            jwt: Arc::clone(jwt),
            scopes: carried,
        });
        Self(part.into_iter().collect())
    }

    /// Whether nobody may.
    pub fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everybody may.
    pub fn is_everyone(&self) -> bool {
        self.0.contains(&Part::Everyone)
    }

    /// Whether something holds for all callers. What holds for some together must hold for each of them.
    pub fn all(&self, holds: impl Fn(Callers<'_>) -> bool) -> bool {
        let mut parts = self.0.iter();
        parts.all(|part| holds(part.callers()) || part.kinds().all(&holds))
    }

    /// Whether one part of it admits all of these callers.
    pub fn admits(&self, callers: Callers<'_>) -> bool {
        self.0.iter().any(|part| part.admits(callers))
    }

    /// Whether it admits nobody whom the other does not.
    pub fn within(&self, other: &Self) -> bool {
        self.all(|callers| other.admits(callers))
    }

    /// Both together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }
}

/// Who may call the routes of one API.
pub type Access = BTreeMap<RouteKey, Admission>;

/// Who may send a request: what the route with the best rank admits; nobody where no route matches. Of several with the same
/// rank, which only keys of one shape can have, AWS's choice is not known: the union.
pub fn admission(access: &Access, method: Method, path: &[&str]) -> Admission {
    let matching = || {
        access
            .iter()
            .filter(|(key, _)| key.pattern().matches(method, path))
    };
    let Some(best) = matching().map(|(key, _)| key.pattern().rank()).min() else {
        return Admission::nobody();
    };
    matching()
        .filter(|(key, _)| key.pattern().rank() == best)
        .fold(Admission::nobody(), |all, (_, admission)| all.union(admission))
}

/// The most patterns of requests that [`requests`] makes requests of; a greedy one gives two.
const PATTERNS: usize = 20_000;

/// Requests that stand for all: every way in which the keys can match together is taken by at least one of them, up to a
/// bound. For judging, in tests and in explanations; the order of steps does not depend on it.
pub fn requests<'a>(keys: impl IntoIterator<Item = &'a RouteKey>) -> BTreeSet<(Method, Vec<String>)> {
    requests_of(PATTERNS, keys)
}

fn requests_of<'a>(
    most: usize,
    keys: impl IntoIterator<Item = &'a RouteKey>,
) -> BTreeSet<(Method, Vec<String>)> {
    let mut paths: BTreeSet<Vec<Segment>> = BTreeSet::from([vec![]]);
    let mut methods = BTreeSet::new();
    for key in keys {
        match key.pattern() {
            Pattern::Default => {
                paths.insert(vec![Segment::Greedy(String::new())]);
            }
            Pattern::Path(method, segments) => {
                methods.extend((*method != Method::Any).then_some(*method));
                paths.insert(segments.iter().map(anonymous).collect());
            }
        }
    }
    // A method that no key names stands for all the others.
    methods.extend(
        Method::SINGLE
            .into_iter()
            .find(|method| !methods.contains(method)),
    );
    loop {
        let known: Vec<&Vec<Segment>> = paths.iter().collect();
        let met: BTreeSet<Vec<Segment>> = known
            .iter()
            .enumerate()
            .flat_map(|(index, a)| known.iter().skip(index).filter_map(|b| meet(a, b)))
            .filter(|path| !paths.contains(path))
            .collect();
        if met.is_empty() || paths.len() + met.len() > most / methods.len().max(1) {
            break;
        }
        paths.extend(met);
    }
    let concrete: BTreeSet<Vec<String>> = paths.iter().flat_map(|path| concrete(path)).collect();
    methods
        .iter()
        .flat_map(|method| concrete.iter().map(move |path| (*method, path.clone())))
        .collect()
}

fn anonymous(segment: &Segment) -> Segment {
    match segment {
        Segment::Literal(text) => Segment::Literal(text.clone()),
        Segment::Param(_) => Segment::Param(String::new()),
        Segment::Greedy(_) => Segment::Greedy(String::new()),
    }
}

/// A text that no route names.
const ELSEWHERE: &str = "-elsewhere-";

fn concrete(path: &[Segment]) -> Vec<Vec<String>> {
    let mut one: Vec<String> = path
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Param(_) | Segment::Greedy(_) => ELSEWHERE.to_owned(),
        })
        .collect();
    if matches!(path.last(), Some(Segment::Greedy(_))) {
        let shorter = one.clone();
        one.push(ELSEWHERE.to_owned());
        return vec![shorter, one];
    }
    vec![one]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(issuer: &str, audience: &[&str]) -> Arc<Jwt> {
        Arc::new(Jwt {
            identity_source: "$request.header.Authorization".into(),
            issuer: issuer.into(),
            audience: audience.iter().map(ToString::to_string).collect(),
        })
    }

    fn scopes(items: &[&str]) -> BTreeSet<String> {
        items.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fewer_audiences_or_named_scopes_are_narrower() {
        let wide = Admission::jwt(&jwt("i", &["a", "b"]), &scopes(&[]));
        let narrow = Admission::jwt(&jwt("i", &["a"]), &scopes(&["s"]));
        assert!(narrow.within(&wide) && !wide.within(&narrow));
        assert!(wide.within(&Admission::everyone()));
        assert!(!Admission::jwt(&jwt("j", &["a"]), &scopes(&["s"])).within(&wide));
        let more = Admission::jwt(&jwt("i", &["a"]), &scopes(&["s", "t"]));
        assert!(narrow.within(&more) && !more.within(&narrow));
    }

    #[test]
    fn a_token_without_a_scope_is_not_among_those_with_one() {
        let any = Admission::jwt(&jwt("i", &["a"]), &scopes(&[]));
        let one = Admission::jwt(&jwt("i", &["a"]), &scopes(&["s"]));
        assert!(!any.within(&one) && one.within(&any));
    }

    #[test]
    fn what_no_part_takes_alone_may_be_taken_by_several_together() {
        let wide = Admission::jwt(&jwt("i", &["a", "b"]), &scopes(&["s", "t"]));
        let [one, other] =
            ["a", "b"].map(|audience| Admission::jwt(&jwt("i", &[audience]), &scopes(&["s", "t"])));
        assert!(!wide.within(&one) && !wide.within(&other));
        assert_eq!(wide, one.union(&other));
        let [one, other] = ["s", "t"].map(|scope| Admission::jwt(&jwt("i", &["a", "b"]), &scopes(&[scope])));
        assert_eq!(wide, one.union(&other));
        assert_ne!(wide, one);
    }

    #[test]
    fn nobody_everybody_some_and_those_of_another_kind_are_told_apart() {
        let some = Admission::jwt(&jwt("i", &["a"]), &scopes(&[]));
        let other = Admission::other("AWS_IAM".into());
        let kinds = [Admission::nobody(), some, other, Admission::everyone()];
        assert_eq!(
            kinds.each_ref().map(Admission::is_nobody),
            [true, false, false, false]
        );
        assert_eq!(
            kinds.each_ref().map(Admission::is_everyone),
            [false, false, false, true]
        );
        for (i, left) in kinds.iter().enumerate() {
            for (j, right) in kinds.iter().enumerate() {
                assert_eq!(
                    left.within(right),
                    i == j || i == 0 || j == 3,
                    "{left:?} {right:?}"
                );
                let both = left.union(right);
                assert!(left.within(&both) && right.within(&both));
            }
        }
        assert!(!Admission::other("CUSTOM".into()).within(&kinds[2]));
    }

    #[test]
    fn the_closed_scope_admits_nobody() {
        assert!(Admission::jwt(&jwt("i", &["a"]), &scopes(&[CLOSED_SCOPE])).is_nobody());
        assert!(Admission::nobody().within(&Admission::nobody()));
    }

    #[test]
    fn a_more_specific_route_shadows_a_broader_one() {
        let key = |text| RouteKey::parse(text).unwrap();
        let access: Access = [
            (key("GET /admin"), Admission::nobody()),
            (key("ANY /{proxy+}"), Admission::everyone()),
        ]
        .into();
        assert!(admission(&access, Method::Get, &["admin"]).is_nobody());
        assert!(admission(&access, Method::Post, &["admin"]).is_everyone());
        assert!(admission(&access, Method::Get, &["admin", "x"]).is_everyone());
        assert!(admission(&access, Method::Get, &[]).is_nobody());
    }

    #[test]
    fn requests_reach_where_two_patterns_cross() {
        let keys = ["GET /{a}/x", "GET /y/{b}"].map(|text| RouteKey::parse(text).unwrap());
        assert!(requests(&keys).contains(&(Method::Get, vec!["y".into(), "x".into()])));
    }
    #[test]
    fn one_method_that_no_route_names_stands_for_all_others() {
        let methods = |key| -> BTreeSet<Method> {
            let requests = requests(&[RouteKey::parse(key).unwrap()]);
            requests.into_iter().map(|(method, _)| method).collect()
        };
        let named = methods("GET /a");
        assert!(named.contains(&Method::Get) && named.len() == 2, "{named:?}");
        assert_eq!(methods("ANY /a").len(), 1);
    }

    #[test]
    fn patterns_are_crossed_as_long_as_there_are_not_too_many() {
        let keys = ["GET /{a}/x", "GET /y/{b}"].map(|text| RouteKey::parse(text).unwrap());
        let cross = (Method::Get, vec!["y".to_owned(), "x".to_owned()]);
        // Two methods for the root, the two patterns and where they cross.
        assert!(requests_of(8, &keys).contains(&cross));
        let fewer = requests_of(7, &keys);
        assert!(!fewer.contains(&cross) && fewer.len() == 6, "{fewer:?}");
    }
}
