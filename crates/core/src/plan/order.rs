//! The order of the steps that decide who may call what, so that no prefix of it opens anything.
//!
//! A small world of routes and authorizers is changed step by step. A step is *safe* when everybody whom it newly admits
//! anywhere is admitted there by the desired state. Each round takes the first safe step: what closes an opening first, then
//! edits of authorizers, creations from the most specific route to the broadest, updates, and deletions from the broadest to
//! the most specific. Without edits this never gets stuck: the most specific missing route is always safe to create; with all
//! of them there every update to its final form is safe; and then so is deleting the broadest route that nobody wants. An
//! edit that stays unsafe is made safe by closing the routes that stand in its way: they require a scope that no token
//! carries until the wanted ones can be set.
//!
//! Safety is judged by pairs of routes that overlap, never by enumerating requests; `properties` holds the result against
//! [`super::access::admission`], request by request.

use super::access::{Admission, Atom};
use super::step::{Authorize, RouteChange, Step};
use crate::model::desired::{Desired, Guard, Integration, Jwt, Marker, Route};
use crate::model::name::{Pattern, RouteKey};
use crate::model::observed::{self, Authorization};
use std::collections::{BTreeMap, BTreeSet};

/// A step and whether it takes access away or serves one that does.
pub(super) type Ordered = (Step, bool);

/// Children of the API that stay, chosen among duplicates.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    /// By name.
    pub(super) authorizers: BTreeMap<&'a str, &'a observed::Authorizer>,
    /// By marker; only those that the desired state asks for.
    pub(super) integrations: BTreeMap<&'a Marker, &'a observed::Integration>,
}

/// Orders everything between the creation of authorizers and the deletion of routes.
pub(super) fn order<'a>(
    desired: &'a Desired,
    api: Option<&'a observed::Api>,
    kept: &Kept<'a>,
) -> Vec<Ordered> {
    let mut world = World::new(desired, api, kept);
    world.run();
    world.steps
}

/// What an authorizer is called while ordering: the id of one that exists, the name of one to come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Handle {
    Existing(String),
    New(String),
}

#[derive(Clone, Debug)]
struct Current {
    id: String,
    key: RouteKey,
    guard: CurrentGuard,
    integration: Option<String>,
    operation_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum CurrentGuard {
    Public,
    Jwt {
        authorizer: Handle,
        scopes: BTreeSet<String>,
    },
    Other(String),
}

struct Entry<'a> {
    pattern: Pattern,
    now: Option<Current>,
    wanted: Option<(&'a RouteKey, &'a Route)>,
    /// What the wanted route admits in the end.
    goal: Admission,
    level: Level,
    narrower: Vec<usize>,
    broader: Vec<usize>,
}

/// How pressing a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// A path is open to everyone that should not be.
    Open,
    /// A path admits somebody whom it should not.
    Excess,
    /// The rest.
    Routine,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Candidate {
    Edit(String),
    Create(usize),
    Update(usize),
    Delete(usize),
}

struct World<'a> {
    desired: &'a Desired,
    entries: Vec<Entry<'a>>,
    authorizers: BTreeMap<Handle, Option<Jwt>>,
    handles: BTreeMap<&'a str, Handle>,
    integrations: BTreeMap<&'a Marker, String>,
    steps: Vec<Ordered>,
}

impl<'a> World<'a> {
    fn new(desired: &'a Desired, api: Option<&'a observed::Api>, kept: &Kept<'a>) -> Self {
        let existing = |id: &String| Handle::Existing(id.clone());
        let observed = api.map(|api| api.authorizers.as_slice()).unwrap_or_default();
        let mut world = Self {
            desired,
            entries: Vec::new(),
            authorizers: observed
                .iter()
                .map(|a| (existing(&a.id), a.jwt.clone()))
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
            steps: Vec::new(),
        };
        world.enter(api.map(|api| api.routes.as_slice()).unwrap_or_default());
        world.relate();
        world.press();
        world
    }

    /// Pairs observed and wanted routes: by key, else by shape, which is a change of the key in place.
    fn enter(&mut self, observed: &'a [observed::Route]) {
        let mut current: BTreeMap<RouteKey, Current> = BTreeMap::new();
        let mut strange = Vec::new();
        for route in observed {
            let guard = match &route.authorization {
                Authorization::None => CurrentGuard::Public,
                Authorization::Jwt {
                    authorizer_id,
                    scopes,
                } => CurrentGuard::Jwt {
                    authorizer: Handle::Existing(authorizer_id.clone()),
                    scopes: scopes.clone(),
                },
                Authorization::Other(kind) => CurrentGuard::Other(kind.clone()),
            };
            match route.parsed() {
                Some(key) if !current.contains_key(&key) => {
                    let now = Current {
                        id: route.id.clone(),
                        key: key.clone(),
                        guard,
                        integration: route.integration_id.clone(),
                        operation_name: route.operation_name.clone(),
                    };
                    current.insert(key, now);
                }
                // A key that the operator could not have written, or a second of one key: what it shadows is not known, so
                // it goes last, when everything else is final; open, it goes at once, which admits nobody new.
                _ => strange.push((route, guard == CurrentGuard::Public)),
            }
        }
        for (key, route) in &self.desired.routes {
            let now = current.remove(key).or_else(|| {
                let shape = key.shape();
                let same = current
                    .keys()
                    .find(|other| other.shape() == shape && !self.desired.routes.contains_key(other))?
                    .clone();
                current.remove(&same)
            });
            let goal = self.goal(route);
            self.entries
                .push(Entry::new(key.pattern().clone(), now, Some((key, route)), goal));
        }
        for (key, now) in current {
            self.entries.push(Entry::new(
                key.pattern().clone(),
                Some(now),
                None,
                Admission::nobody(),
            ));
        }
        self.entries.sort_by_cached_key(|entry| entry.pattern.rank());
        for (route, _) in strange.into_iter().filter(|(_, open)| *open) {
            self.steps.push((
                Step::DeleteRoute {
                    id: route.id.clone(),
                    key: route.key.clone(),
                },
                true,
            ));
        }
    }

    fn goal(&self, route: &Route) -> Admission {
        match &route.guard {
            Guard::Public => Admission::everyone(),
            Guard::Jwt { authorizer, scopes } => self
                .desired
                .authorizers
                .get(authorizer)
                .map_or_else(Admission::nobody, |jwt| Admission::jwt(jwt, scopes)),
        }
    }

    fn relate(&mut self) {
        for index in 0..self.entries.len() {
            let Some(entry) = self.entries.get(index) else {
                continue;
            };
            let related = |wanted: fn(std::cmp::Ordering) -> bool| {
                self.entries
                    .iter()
                    .enumerate()
                    .filter(|(other, with)| {
                        *other != index
                            && wanted(with.pattern.precedence(&entry.pattern))
                            && with.pattern.overlaps(&entry.pattern)
                    })
                    .map(|(other, _)| other)
                    .collect::<Vec<_>>()
            };
            let (narrower, broader) = (
                related(std::cmp::Ordering::is_le),
                related(std::cmp::Ordering::is_ge),
            );
            if let Some(entry) = self.entries.get_mut(index) {
                entry.narrower = narrower;
                entry.broader = broader;
            }
        }
    }

    /// Finds what is open or admits too many, and passes the urgency on to the missing routes in whose way it would stand.
    fn press(&mut self) {
        let levels: Vec<Level> = self
            .entries
            .iter()
            .map(|entry| {
                let excess = |admission: &Admission| match admission {
                    admission if admission.within(&entry.goal) => Level::Routine,
                    admission if admission.is_everyone() => Level::Open,
                    _ => Level::Excess,
                };
                match &entry.now {
                    Some(now) => excess(&self.admission(&now.guard)),
                    None => self
                        .all(&entry.broader)
                        .filter_map(|broader| broader.now.as_ref())
                        .map(|now| excess(&self.admission(&now.guard)))
                        .min()
                        .unwrap_or(Level::Routine),
                }
            })
            .collect();
        for (index, level) in levels.into_iter().enumerate() {
            let missing: Vec<usize> = self.missing(index).collect();
            for index in missing.into_iter().chain([index]) {
                if let Some(entry) = self.entries.get_mut(index) {
                    entry.level = entry.level.min(level);
                }
            }
        }
    }

    fn all<'b>(&'b self, indexes: &'b [usize]) -> impl Iterator<Item = &'b Entry<'a>> {
        indexes.iter().filter_map(|index| self.entries.get(*index))
    }

    /// Wanted routes that do not exist yet and will take requests from this one.
    fn missing(&self, index: usize) -> impl Iterator<Item = usize> {
        let narrower = self
            .entries
            .get(index)
            .map(|entry| entry.narrower.as_slice())
            .unwrap_or_default();
        narrower.iter().copied().filter(|other| {
            self.entries
                .get(*other)
                .is_some_and(|entry| entry.now.is_none() && entry.wanted.is_some())
        })
    }

    fn admission(&self, guard: &CurrentGuard) -> Admission {
        match guard {
            CurrentGuard::Public => Admission::everyone(),
            CurrentGuard::Other(kind) => Admission::other(kind.clone()),
            CurrentGuard::Jwt { authorizer, scopes } => match self.authorizers.get(authorizer) {
                Some(Some(jwt)) => Admission::jwt(jwt, scopes),
                Some(None) | None => Admission::other(format!("{authorizer:?}")),
            },
        }
    }

    fn final_guard(&self, route: &Route) -> CurrentGuard {
        match &route.guard {
            Guard::Public => CurrentGuard::Public,
            Guard::Jwt { authorizer, scopes } => CurrentGuard::Jwt {
                authorizer: self
                    .handles
                    .get(authorizer.as_str())
                    .cloned()
                    .unwrap_or_else(|| Handle::New(authorizer.clone())),
                scopes: scopes.clone(),
            },
        }
    }

    /// What the final form of a route admits now. An authorizer to come will be created in its final form.
    fn final_admission(&self, route: &Route, goal: &Admission) -> Admission {
        match self.final_guard(route) {
            CurrentGuard::Jwt {
                authorizer: Handle::New(_),
                ..
            } => goal.clone(),
            guard => self.admission(&guard),
        }
    }

    /// Whether the desired state admits an atom wherever this route takes requests now or will take them.
    fn allowed(&self, index: usize, atom: &Atom) -> bool {
        self.entries
            .get(index)
            .is_some_and(|entry| entry.wanted.is_some() && entry.goal.admits(atom))
            && self.missing(index).all(|other| {
                self.entries
                    .get(other)
                    .is_some_and(|entry| entry.goal.admits(atom))
            })
    }

    fn safe_change(&self, index: usize, now: &Admission, then: &Admission) -> bool {
        then.atoms()
            .all(|atom| now.admits(atom) || self.allowed(index, atom))
    }

    fn safe_create(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let Some((_, route)) = entry.wanted else {
            return false;
        };
        let beneath: Vec<(&Entry<'_>, Admission)> = self
            .all(&entry.broader)
            .filter_map(|broader| Some((broader, self.admission(&broader.now.as_ref()?.guard))))
            .collect();
        let covered = beneath
            .iter()
            .any(|(broader, _)| broader.pattern.contains(&entry.pattern));
        self.final_admission(route, &entry.goal).atoms().all(|atom| {
            self.allowed(index, atom)
                || (covered && beneath.iter().all(|(_, admission)| admission.admits(atom)))
        })
    }

    fn safe_delete(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else {
            return false;
        };
        let Some(now) = &entry.now else { return false };
        let own = self.admission(&now.guard);
        entry.broader.iter().all(|next| {
            let Some(broader) = self.entries.get(*next) else {
                return true;
            };
            let Some(below) = &broader.now else { return true };
            self.admission(&below.guard).atoms().all(|atom| {
                own.admits(atom)
                    || (broader.wanted.is_some()
                        && broader.goal.admits(atom)
                        && self
                            .missing(*next)
                            .filter_map(|other| self.entries.get(other))
                            .all(|other| !other.pattern.overlaps(&entry.pattern) || other.goal.admits(atom)))
            })
        })
    }

    fn on<'b>(&'b self, handle: &'b Handle) -> impl Iterator<Item = (usize, &'b BTreeSet<String>)> {
        self.entries
            .iter()
            .enumerate()
            .filter_map(move |(index, entry)| match &entry.now.as_ref()?.guard {
                CurrentGuard::Jwt { authorizer, scopes } if authorizer == handle => Some((index, scopes)),
                _ => None,
            })
    }

    /// Routes that an edit of an authorizer would open.
    fn in_the_way(&self, name: &str) -> Vec<usize> {
        let (Some(handle), Some(jwt)) = (self.handles.get(name), self.desired.authorizers.get(name)) else {
            return Vec::new();
        };
        self.on(handle)
            .filter(|(index, scopes)| {
                let Some(now) = self.entries.get(*index).and_then(|entry| entry.now.as_ref()) else {
                    return false;
                };
                !self.safe_change(*index, &self.admission(&now.guard), &Admission::jwt(jwt, scopes))
            })
            .map(|(index, _)| index)
            .collect()
    }

    fn is_safe(&self, candidate: &Candidate) -> bool {
        match candidate {
            Candidate::Edit(name) => self.in_the_way(name).is_empty(),
            Candidate::Create(index) => self.safe_create(*index),
            Candidate::Delete(index) => self.safe_delete(*index),
            Candidate::Update(index) => {
                let Some(entry) = self.entries.get(*index) else {
                    return false;
                };
                let (Some(now), Some((_, route))) = (&entry.now, entry.wanted) else {
                    return false;
                };
                self.safe_change(
                    *index,
                    &self.admission(&now.guard),
                    &self.final_admission(route, &entry.goal),
                )
            }
        }
    }

    fn level(&self, candidate: &Candidate) -> Level {
        match candidate {
            Candidate::Edit(name) => {
                let edited = self
                    .handles
                    .get(name.as_str())
                    .and_then(|handle| self.authorizers.get(handle));
                let narrows = match (edited, self.desired.authorizers.get(name)) {
                    (Some(Some(old)), Some(new)) => {
                        let any = BTreeSet::new();
                        !Admission::jwt(old, &any).within(&Admission::jwt(new, &any))
                    }
                    _ => true,
                };
                if narrows { Level::Excess } else { Level::Routine }
            }
            Candidate::Create(index) | Candidate::Update(index) | Candidate::Delete(index) => self
                .entries
                .get(*index)
                .map_or(Level::Routine, |entry| entry.level),
        }
    }

    fn candidates(&self) -> Vec<(Level, Candidate)> {
        let edits = self.desired.authorizers.iter().filter_map(|(name, jwt)| {
            let now = self.authorizers.get(self.handles.get(name.as_str())?)?;
            (now.as_ref() != Some(jwt)).then(|| Candidate::Edit(name.clone()))
        });
        let indexed = || self.entries.iter().enumerate();
        let creates = indexed()
            .filter(|(_, e)| e.now.is_none() && e.wanted.is_some())
            .map(|(i, _)| Candidate::Create(i));
        let updates = indexed()
            .filter(|(_, e)| self.change(e).is_some())
            .map(|(i, _)| Candidate::Update(i));
        let deletes = indexed()
            .rev()
            .filter(|(_, e)| e.now.is_some() && e.wanted.is_none())
            .map(|(i, _)| Candidate::Delete(i));
        let mut all: Vec<(Level, Candidate)> = edits
            .chain(creates)
            .chain(updates)
            .chain(deletes)
            .map(|candidate| (self.level(&candidate), candidate))
            .collect();
        // Stable: within a level the order above holds, except that what needs nothing else goes first among what closes.
        all.sort_by_key(|(level, candidate)| {
            let needs_nothing = matches!(candidate, Candidate::Update(_) | Candidate::Delete(_));
            (*level, *level != Level::Routine && !needs_nothing)
        });
        all
    }

    fn run(&mut self) {
        let mut pending = self.candidates();
        while !pending.is_empty() {
            if let Some(position) = pending.iter().position(|(_, candidate)| self.is_safe(candidate)) {
                let (level, candidate) = pending.remove(position);
                if let Some(rest) = self.take(level, candidate) {
                    pending.push((Level::Routine, rest));
                }
                continue;
            }
            if !self.unblock(&mut pending) {
                // Two unwanted routes of one shape: AWS's choice between them is not known, so neither order is better.
                let (level, candidate) = pending.remove(0);
                self.take(level, candidate);
            }
        }
    }

    /// Closes the routes in the way of the edit that has the fewest, or a route of the same shape as one to be deleted.
    fn unblock(&mut self, pending: &mut Vec<(Level, Candidate)>) -> bool {
        let blocked = pending
            .iter()
            .filter_map(|(_, candidate)| match candidate {
                Candidate::Edit(name) => Some(self.in_the_way(name)),
                _ => None,
            })
            .min_by_key(Vec::len)
            .unwrap_or_default();
        let mut closed = false;
        for index in blocked {
            let Some(entry) = self.entries.get_mut(index) else {
                continue;
            };
            let Some(now) = &mut entry.now else { continue };
            let CurrentGuard::Jwt {
                authorizer: Handle::Existing(id),
                scopes,
            } = &mut now.guard
            else {
                continue;
            };
            *scopes = BTreeSet::from([crate::model::name::CLOSED_SCOPE.to_owned()]);
            let authorize = Authorize::Closed {
                authorizer_id: id.clone(),
            };
            let change = RouteChange {
                authorize: Some(authorize),
                ..RouteChange::default()
            };
            self.steps.push((
                Step::UpdateRoute {
                    key: now.key.clone(),
                    change,
                },
                true,
            ));
            closed = true;
            let reopened = Candidate::Update(index);
            if entry.wanted.is_some() && !pending.iter().any(|(_, candidate)| *candidate == reopened) {
                pending.push((Level::Routine, reopened));
            }
        }
        closed
    }

    /// Performs a candidate; what is left of it is given back.
    fn take(&mut self, level: Level, candidate: Candidate) -> Option<Candidate> {
        let tightens = level != Level::Routine;
        match candidate {
            Candidate::Edit(name) => {
                let handle = self.handles.get(name.as_str())?.clone();
                let jwt = self.desired.authorizers.get(&name)?.clone();
                let Handle::Existing(id) = &handle else {
                    return None;
                };
                self.steps.push((
                    Step::UpdateAuthorizer {
                        id: id.clone(),
                        name,
                        jwt: jwt.clone(),
                    },
                    tightens,
                ));
                self.authorizers.insert(handle, Some(jwt));
                None
            }
            Candidate::Create(index) => {
                let (key, route) = self.entries.get(index)?.wanted?;
                self.need_authorizer(route, tightens);
                self.need_integration(route, tightens);
                let step = Step::CreateRoute {
                    key: key.clone(),
                    authorize: authorize(&route.guard),
                    integration: route.integration.clone(),
                    operation_name: route.operation_name.clone(),
                };
                self.steps.push((step, tightens));
                let now = self.settled(key, route, format!("new:{key}"));
                self.entries.get_mut(index)?.now = Some(now);
                None
            }
            Candidate::Update(index) => self.update(index, level),
            Candidate::Delete(index) => {
                let now = self.entries.get_mut(index)?.now.take()?;
                self.steps.push((
                    Step::DeleteRoute {
                        id: now.id,
                        key: now.key.as_str().to_owned(),
                    },
                    tightens,
                ));
                None
            }
        }
    }

    fn update(&mut self, index: usize, level: Level) -> Option<Candidate> {
        let tightens = level != Level::Routine;
        let entry = self.entries.get(index)?;
        let (key, route) = entry.wanted?;
        let mut change = self.change(entry)?;
        let now = entry.now.clone()?;
        if change.authorize.is_some() {
            self.need_authorizer(route, tightens);
        }
        // An open path is closed before its new integration is made: closing waits for nothing that it does not need.
        let close_first = level == Level::Open
            && change.authorize.is_some()
            && !self.integrations.contains_key(&route.integration);
        if close_first {
            change = RouteChange {
                authorize: change.authorize,
                ..RouteChange::default()
            };
        } else {
            self.need_integration(route, tightens);
        }
        self.steps.push((
            Step::UpdateRoute {
                key: now.key.clone(),
                change,
            },
            tightens,
        ));
        let settled = self.settled(key, route, now.id.clone());
        let then = if close_first {
            Current {
                guard: settled.guard,
                ..now
            }
        } else {
            settled
        };
        self.entries.get_mut(index)?.now = Some(then);
        close_first.then_some(Candidate::Update(index))
    }

    fn settled(&self, key: &RouteKey, route: &Route, id: String) -> Current {
        Current {
            id,
            key: key.clone(),
            guard: self.final_guard(route),
            integration: self.integrations.get(&route.integration).cloned(),
            operation_name: route.operation_name.clone(),
        }
    }

    fn change(&self, entry: &Entry<'_>) -> Option<RouteChange> {
        let (now, (key, route)) = (entry.now.as_ref()?, entry.wanted?);
        let target = self.integrations.get(&route.integration);
        let change = RouteChange {
            key: (now.key != *key).then(|| key.clone()),
            authorize: (now.guard != self.final_guard(route)).then(|| authorize(&route.guard)),
            integration: (target.is_none() || now.integration.as_ref() != target)
                .then(|| route.integration.clone()),
            operation_name: (now.operation_name != route.operation_name)
                .then(|| route.operation_name.clone()),
        };
        (change != RouteChange::default()).then_some(change)
    }

    fn need_authorizer(&mut self, route: &Route, tightens: bool) {
        let Guard::Jwt { authorizer, .. } = &route.guard else {
            return;
        };
        let Some(jwt) = self.desired.authorizers.get(authorizer) else {
            return;
        };
        let handle = Handle::New(authorizer.clone());
        if self.handles.get(authorizer.as_str()) == Some(&handle) && !self.authorizers.contains_key(&handle) {
            self.steps.push((
                Step::CreateAuthorizer {
                    name: authorizer.clone(),
                    jwt: jwt.clone(),
                },
                tightens,
            ));
            self.authorizers.insert(handle, Some(jwt.clone()));
        }
    }

    fn need_integration(&mut self, route: &Route, tightens: bool) {
        let Some((marker, integration)) = self.desired.integrations.get_key_value(&route.integration) else {
            return;
        };
        if !self.integrations.contains_key(marker) {
            self.steps
                .push((create_integration(marker, integration), tightens));
            self.integrations.insert(marker, marker.as_str().to_owned());
        }
    }
}

impl<'a> Entry<'a> {
    const fn new(
        pattern: Pattern,
        now: Option<Current>,
        wanted: Option<(&'a RouteKey, &'a Route)>,
        goal: Admission,
    ) -> Self {
        Self {
            pattern,
            now,
            wanted,
            goal,
            level: Level::Routine,
            narrower: Vec::new(),
            broader: Vec::new(),
        }
    }
}

fn create_integration(marker: &Marker, integration: &Integration) -> Step {
    Step::CreateIntegration {
        marker: marker.clone(),
        integration: Box::new(integration.clone()),
    }
}

fn authorize(guard: &Guard) -> Authorize {
    match guard {
        Guard::Public => Authorize::Public,
        Guard::Jwt { authorizer, scopes } => Authorize::Jwt {
            authorizer: authorizer.clone(),
            scopes: scopes.clone(),
        },
    }
}
