//! Routes and authorizers as they are after the steps so far, and as they shall be.

use super::Ordered;
use crate::model::desired::{Desired, Guard, Jwt, Marker, Route};
use crate::model::name::{Pattern, RouteKey};
use crate::model::observed::{self, Authorization};
use crate::plan::access::Admission;
use crate::plan::keep::Kept;
use crate::plan::room::Room;
use crate::plan::step::Step;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an authorizer is called while ordering: the id of one that exists, the name of one to come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Handle {
    Existing(String),
    New(String),
}

/// A route as it is.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) id: String,
    /// The key by which the plan knows it: as observed, or as created. A change of the key does not change it.
    pub(super) known_as: RouteKey,
    pub(super) key: RouteKey,
    pub(super) guard: CurrentGuard,
    pub(super) integration: Option<String>,
    pub(super) operation_name: String,
}

/// Who may call a route as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CurrentGuard {
    Public,
    Jwt {
        authorizer: Handle,
        scopes: BTreeSet<String>,
    },
    Other(String),
}

/// A route that is there, or wanted, or both.
pub(super) struct Entry<'a> {
    pub(super) pattern: Pattern,
    pub(super) now: Option<Current>,
    pub(super) wanted: Option<(&'a RouteKey, &'a Route)>,
    /// Whom the wanted route admits in the end.
    pub(super) goal: Admission,
    /// Entries that overlap and go before this one.
    pub(super) narrower: Vec<usize>,
    /// Entries that overlap and come after this one, the next first.
    pub(super) broader: Vec<usize>,
}

/// All of it.
pub(super) struct State<'a> {
    pub(super) desired: &'a Desired,
    /// Sorted by rank: the most specific first.
    pub(super) entries: Vec<Entry<'a>>,
    /// Configurations; none for an authorizer of a kind that the operator does not make.
    pub(super) authorizers: BTreeMap<Handle, Option<Arc<Jwt>>>,
    /// The wanted ones' configurations, by name: one for all routes that they guard.
    pub(super) configurations: BTreeMap<&'a str, Arc<Jwt>>,
    /// What stands for the wanted authorizers.
    pub(super) handles: BTreeMap<&'a str, Handle>,
    pub(super) integrations: BTreeMap<&'a Marker, String>,
    /// Names that authorizers which stand for wanted ones do not have yet.
    pub(super) renamed: BTreeSet<&'a str>,
    /// Routes whose keys the operator could not have written, and that stay for now.
    pub(super) strange: Vec<&'a observed::Route>,
    /// Behind these something else answers than in the end.
    pub(super) otherwise: BTreeSet<&'a Marker>,
    /// Integrations that may go as soon as no route leads to them.
    pub(super) spare: BTreeSet<&'a str>,
    /// For how many more integrations there is room.
    pub(super) places: usize,
    pub(super) room: Room,
    /// Routes that were made to take callers over from one that is to go.
    pub(super) heirs: BTreeSet<usize>,
    pub(super) steps: Vec<Ordered>,
    /// Whether only tightening steps were taken so far.
    pub(super) tightening: bool,
}

impl<'a> State<'a> {
    pub(super) fn new(
        desired: &'a Desired,
        api: Option<&'a observed::Api>,
        kept: &Kept<'a>,
        otherwise: BTreeSet<&'a Marker>,
        spare: BTreeSet<&'a str>,
        room: Room,
    ) -> Self {
        let existing = |id: &String| Handle::Existing(id.clone());
        let observed = api.map(|api| api.authorizers.as_slice()).unwrap_or_default();
        let mut state = Self {
            desired,
            entries: Vec::new(),
            authorizers: observed
                .iter()
                .map(|a| (existing(&a.id), a.jwt.clone().map(Arc::new)))
                .collect(),
            configurations: desired
                .authorizers
                .iter()
                .map(|(name, jwt)| (name.as_str(), Arc::new(jwt.clone())))
                .collect(),
            handles: desired
                .authorizers
                .keys()
                .map(|name| {
                    let handle = kept.authorizers.get(name.as_str()).map(|a| existing(&a.id));
                    (name.as_str(), handle.unwrap_or_else(|| Handle::New(name.clone())))
                })
                .collect(),
            integrations: kept
                .integrations
                .iter()
                .map(|(marker, i)| (*marker, i.id.clone()))
                .collect(),
            renamed: kept
                .authorizers
                .iter()
                .filter(|(name, authorizer)| authorizer.name != **name)
                .map(|(name, _)| *name)
                .collect(),
            strange: Vec::new(),
            otherwise,
            spare,
            places: room
                .integrations
                .saturating_sub(api.map_or(0, |api| api.integrations.len())),
            room,
            heirs: BTreeSet::new(),
            steps: Vec::new(),
            tightening: true,
        };
        let routes = api.map(|api| api.routes.as_slice()).unwrap_or_default();
        // A key that the operator could not have written: what its route shadows is not known. An open one goes at once,
        // which admits nobody new; the others go when everything else is final.
        for route in routes {
            if route.parsed().is_some() {
                continue;
            }
            if route.authorization == Authorization::None {
                let (id, key) = (route.id.clone(), route.key.clone());
                let heirs = BTreeSet::new();
                state.steps.push((Step::DeleteRoute { id, key, heirs }, true));
            } else {
                state.strange.push(route);
            }
        }
        state.pair(routes);
        state.relate();
        state
    }

    pub(super) fn into_steps(self) -> Vec<Ordered> {
        self.steps
    }

    /// Pairs observed and wanted routes: by key, else by shape, which is a change of the key in place.
    fn pair(&mut self, observed: &[observed::Route]) {
        let mut current: BTreeMap<RouteKey, Current> = observed
            .iter()
            .filter_map(|route| Some((route.parsed()?, route)))
            .map(|(key, route)| (key.clone(), Current::new(key, route)))
            .collect();
        for (key, route) in &self.desired.routes {
            let same_shape = || {
                let shape = key.shape();
                let wanted = &self.desired.routes;
                let same = |other: &&RouteKey| other.shape() == shape && !wanted.contains_key(*other);
                current.keys().find(same)
            };
            let paired = current
                .get_key_value(key)
                .map(|(key, _)| key)
                .or_else(same_shape)
                .cloned();
            let now = paired.and_then(|paired| current.remove(&paired));
            let goal = self.goal(route);
            self.entries.push(Entry::new(key, now, Some((key, route)), goal));
        }
        for (key, now) in current {
            self.entries
                .push(Entry::new(&key, Some(now), None, Admission::nobody()));
        }
        self.entries.sort_by_cached_key(|entry| entry.pattern.rank());
    }

    /// Routes of one shape take the same requests, and which of them AWS chooses is not known: neither is broader, and
    /// together they admit whom either admits ([`crate::plan::access::admission`]).
    fn relate(&mut self) {
        let related = |index: usize, side: Ordering| -> Vec<usize> {
            let Some(entry) = self.entries.get(index) else {
                return Vec::new();
            };
            let others = self.entries.iter().enumerate().filter(|(_, other)| {
                other.pattern.overlaps(&entry.pattern) && other.pattern.precedence(&entry.pattern) == side
            });
            others.map(|(other, _)| other).collect()
        };
        let relations: Vec<_> = (0..self.entries.len())
            .map(|index| (related(index, Ordering::Less), related(index, Ordering::Greater)))
            .collect();
        for (entry, (narrower, broader)) in self.entries.iter_mut().zip(relations) {
            entry.narrower = narrower;
            entry.broader = broader;
        }
    }

    fn goal(&self, route: &Route) -> Admission {
        match &route.guard {
            Guard::Public => Admission::everyone(),
            Guard::Jwt { authorizer, scopes } => self
                .configurations
                .get(authorizer.as_str())
                .map_or_else(Admission::nobody, |jwt| Admission::jwt(jwt, scopes)),
        }
    }

    /// Wanted routes that do not exist yet and will take requests from this one.
    pub(super) fn missing<'b>(&'b self, entry: &'b Entry<'a>) -> impl Iterator<Item = &'b Entry<'a>> {
        entry
            .narrower
            .iter()
            .filter_map(|index| self.entries.get(*index))
            .filter(|other| !other.exists() && other.is_wanted())
    }

    /// The broader routes that get requests of this one while it is not there, among those that are there: not the ones
    /// whose share all goes to others before them, be they broader or narrower ones that take requests anyway. When
    /// together they get all that is left, the last does so alone.
    pub(super) fn beneath(
        &self,
        entry: &Entry<'a>,
        is_there: impl Fn(&Entry<'a>) -> bool,
        takes_anyway: impl Fn(&Entry<'a>) -> bool,
    ) -> Vec<&Entry<'a>> {
        let get = |index: &usize| self.entries.get(*index);
        let narrower = entry.narrower.iter().filter_map(get);
        let mut before: Vec<&Entry<'a>> = narrower.filter(|other| takes_anyway(other)).collect();
        let mut beneath = Vec::new();
        for broader in entry
            .broader
            .iter()
            .filter_map(get)
            .filter(|other| is_there(other))
        {
            let share = broader.pattern.intersection(&entry.pattern);
            if share.is_some_and(|share| !before.iter().any(|other| other.pattern.contains(&share))) {
                beneath.push(broader);
            }
            before.push(broader);
        }
        beneath
    }

    /// Whom a guard admits now.
    pub(super) fn admission(&self, guard: &CurrentGuard) -> Admission {
        match guard {
            CurrentGuard::Public => Admission::everyone(),
            CurrentGuard::Other(kind) => Admission::other(kind.clone()),
            CurrentGuard::Jwt { authorizer, scopes } => match self.configuration(authorizer) {
                Some(jwt) => Admission::jwt(jwt, scopes),
                None => Admission::other(format!("{authorizer:?}")),
            },
        }
    }

    /// One that has still to be made will be made in its final form.
    fn configuration(&self, authorizer: &Handle) -> Option<&Arc<Jwt>> {
        match (self.authorizers.get(authorizer), authorizer) {
            (Some(made), _) => made.as_ref(),
            (None, Handle::New(name)) => self.configurations.get(name.as_str()),
            (None, Handle::Existing(_)) => None,
        }
    }

    /// The guard that a wanted route shall have.
    pub(super) fn wanted_guard(&self, route: &Route) -> CurrentGuard {
        match &route.guard {
            Guard::Public => CurrentGuard::Public,
            Guard::Jwt { authorizer, scopes } => CurrentGuard::Jwt {
                authorizer: self.handle(authorizer),
                scopes: scopes.clone(),
            },
        }
    }

    pub(super) fn handle(&self, authorizer: &str) -> Handle {
        self.handles
            .get(authorizer)
            .cloned()
            .unwrap_or_else(|| Handle::New(authorizer.to_owned()))
    }

    /// Whom that guard admits now. An authorizer that has still to be made will be made in its final form.
    pub(super) fn wanted_admission(&self, route: &Route, goal: &Admission) -> Admission {
        if self.lacks_authorizer(route).is_some() {
            goal.clone()
        } else {
            self.admission(&self.wanted_guard(route))
        }
    }

    /// The name of a wanted route's authorizer while it has still to be made: it does not exist, or is of a kind that no
    /// route of the operator's can refer to.
    pub(super) fn lacks_authorizer<'b>(&self, route: &'b Route) -> Option<&'b str> {
        let Guard::Jwt { authorizer, .. } = &route.guard else {
            return None;
        };
        let made = self
            .authorizers
            .get(&self.handle(authorizer))
            .is_some_and(Option::is_some);
        (!made).then_some(authorizer.as_str())
    }
}

impl Current {
    fn new(key: RouteKey, route: &observed::Route) -> Self {
        Self {
            id: route.id.clone(),
            known_as: key.clone(),
            key,
            guard: match &route.authorization {
                Authorization::None => CurrentGuard::Public,
                Authorization::Jwt {
                    authorizer_id,
                    scopes,
                } => CurrentGuard::Jwt {
                    authorizer: Handle::Existing(authorizer_id.clone()),
                    scopes: scopes.clone(),
                },
                Authorization::Other(kind) => CurrentGuard::Other(kind.clone()),
            },
            integration: route.integration_id.clone(),
            operation_name: route.operation_name.clone(),
        }
    }
}

impl<'a> Entry<'a> {
    pub(super) const fn exists(&self) -> bool {
        self.now.is_some()
    }

    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    fn new(
        key: &RouteKey,
        now: Option<Current>,
        wanted: Option<(&'a RouteKey, &'a Route)>,
        goal: Admission,
    ) -> Self {
        Self {
            pattern: key.pattern().clone(),
            now,
            wanted,
            goal,
            narrower: Vec::new(),
            broader: Vec::new(),
        }
    }
}
