//! Changes as steps, and what they do to the state.
//!
//! A change that turns out not to apply gives none, and changes nothing.

use super::candidates::{Candidate, Change, Level, Turn};
use super::state::{Current, CurrentGuard, Entry, Handle, State};
use crate::model::desired::{Guard, Route};
use crate::model::name::{CLOSED_SCOPE, RouteKey};
use crate::plan::step::{Authorize, RouteChange, Step};
use std::collections::BTreeSet;
use std::sync::Arc;

impl State<'_> {
    /// Performs a change, or as much of it as can be done now.
    pub(super) fn take(&mut self, candidate: &Candidate) {
        self.tightening &= candidate.level != Level::Routine;
        match &candidate.change {
            Change::Edit(name) => self.edit(name),
            Change::Create(index) => {
                self.heirs
                    .extend((candidate.turn == Turn::Heir).then_some(*index));
                self.create(*index)
            }
            Change::Update(index) => self.update(*index),
            Change::Delete(index) => self.delete(*index),
        };
    }

    /// Closes routes: each keeps its authorizer and requires a scope that no token carries. This is no tightening: it is not
    /// wanted to last.
    pub(super) fn close(&mut self, indexes: &[usize]) {
        self.tightening = false;
        self.shut(indexes);
    }

    fn shut(&mut self, indexes: &[usize]) {
        for index in indexes {
            let Some(entry) = self.entries.get_mut(*index) else {
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
            *scopes = closed();
            let change = RouteChange {
                authorize: Some(Authorize::Closed {
                    authorizer_id: id.clone(),
                }),
                ..RouteChange::default()
            };
            let key = now.known_as.clone();
            self.push(Step::UpdateRoute { key, change });
        }
    }

    pub(super) fn push(&mut self, step: Step) {
        self.steps.push((step, self.tightening));
    }

    fn edit(&mut self, name: &str) -> Option<()> {
        let jwt = Arc::clone(self.configurations.get(name)?);
        let handle = self.handle(name);
        let Handle::Existing(id) = handle.clone() else {
            return None;
        };
        // As with the update of one of them. An edit that takes nothing away waits itself for what answers there.
        let mut opened = self.opened_before_they_answer_otherwise(name);
        if !self.tightening {
            let leads_elsewhere = |entry| self.leads_elsewhere(entry);
            opened.retain(|index| self.entries.get(*index).is_some_and(leads_elsewhere));
        }
        if !planted!(AnyOrder) {
            self.shut(&opened);
        }
        self.authorizers.insert(handle, Some(Arc::clone(&jwt)));
        self.renamed.remove(name);
        let (name, jwt) = (name.to_owned(), Arc::unwrap_or_clone(jwt));
        self.push(Step::UpdateAuthorizer { id, name, jwt });
        Some(())
    }

    /// Creates a route as it is wanted, or closed where that is not safe yet. Where there is no room for another, one that goes
    /// becomes it.
    fn create(&mut self, index: usize) -> Option<()> {
        let (key, route) = self.entries.get(index)?.wanted?;
        // Who takes callers over from a broader route hands them on when what is wanted answers.
        let entry = self.entries.get(index)?;
        let otherwise_later = self.tightening && self.answers_otherwise(entry) && !planted!(AnyOrder);
        let as_wanted = self.is_safe_to_create(index) && !otherwise_later;
        self.need_authorizer(route);
        self.need_integration(route);
        let (created, authorize) = self.coming(index, as_wanted)?;
        planted!(OpenThenProtect => {
            self.push(Step::CreateRoute {
                key: key.clone(),
                authorize: Authorize::Public,
                integration: route.integration.clone(),
                operation_name: route.operation_name.clone(),
            });
            let change = RouteChange { authorize: Some(authorize), ..RouteChange::default() };
            self.push(Step::UpdateRoute { key: key.clone(), change });
            self.entries.get_mut(index)?.now = Some(created);
            return Some(());
        });
        let goes = self
            .is_full()
            .then(|| self.goes_for(index, as_wanted, self.tightening))
            .flatten();
        self.entries.get_mut(index)?.now = Some(created);
        if let Some(goes) = goes {
            return self.replace(goes, index, authorize);
        }
        self.push(Step::CreateRoute {
            key: key.clone(),
            authorize,
            integration: route.integration.clone(),
            operation_name: route.operation_name.clone(),
        });
        Some(())
    }

    /// A missing route as it will be when it is made, as wanted or closed.
    pub(super) fn coming(&self, index: usize, as_wanted: bool) -> Option<(Current, Authorize)> {
        let (key, route) = self.entries.get(index)?.wanted?;
        let mut created = self.settled(key, key.clone(), route, format!("new:{key}"));
        let mut authorize = authorize(&route.guard);
        if !as_wanted {
            turn_away(&mut authorize, &mut created.guard);
        }
        Some((created, authorize))
    }

    /// A tightening request changes who may call and waits for nothing else: where the route shall also lead elsewhere, that
    /// is left for later. Whom the change lets in was never to reach what answers there now, and waits for that, too.
    fn update(&mut self, index: usize) -> Option<()> {
        let entry = self.entries.get(index)?;
        let (key, route) = entry.wanted?;
        let mut change = self.change(entry)?;
        let now = entry.now.clone()?;
        let lets_others_in = !entry.goal.within(&self.admission(&now.guard)) && !planted!(AnyOrder);
        let otherwise_later = self.tightening && self.answers_otherwise(entry);
        planted!(DeleteThenCreate => {
            self.delete(index)?;
            return self.create(index);
        });
        if change.authorize.is_some() {
            self.need_authorizer(route);
        }
        let elsewhere_later = self.tightening && change.integration.is_some();
        if elsewhere_later {
            change.integration = None;
        } else {
            self.need_integration(route);
        }
        let key_known = now.known_as.clone();
        let mut settled = self.settled(key, now.known_as, route, now.id);
        if elsewhere_later {
            settled.integration = now.integration;
        }
        if (elsewhere_later || otherwise_later)
            && lets_others_in
            && let Some(authorize) = &mut change.authorize
        {
            turn_away(authorize, &mut settled.guard);
        }
        self.push(Step::UpdateRoute {
            key: key_known,
            change,
        });
        self.entries.get_mut(index)?.now = Some(settled);
        Some(())
    }

    fn delete(&mut self, index: usize) -> Option<()> {
        let heirs = self.dispensable_heirs(index);
        let now = self.entries.get_mut(index)?.now.take()?;
        let key = now.key.as_str().to_owned();
        self.push(Step::DeleteRoute {
            id: now.id,
            key,
            heirs,
        });
        Some(())
    }

    fn settled(&self, key: &RouteKey, known_as: RouteKey, route: &Route, id: String) -> Current {
        Current {
            id,
            known_as,
            key: key.clone(),
            guard: self.wanted_guard(route),
            integration: self.integrations.get(&route.integration).cloned(),
            operation_name: route.operation_name.clone(),
        }
    }

    /// What an existing, wanted route lacks.
    pub(super) fn change(&self, entry: &Entry<'_>) -> Option<RouteChange> {
        let (now, (key, route)) = (entry.now.as_ref()?, entry.wanted?);
        let target = self.integrations.get(&route.integration);
        let leads_elsewhere = self.desired.integrations.contains_key(&route.integration)
            && (target.is_none() || now.integration.as_ref() != target);
        let change = RouteChange {
            key: (now.key != *key).then(|| key.clone()),
            authorize: (now.guard != self.wanted_guard(route)).then(|| authorize(&route.guard)),
            integration: leads_elsewhere.then(|| route.integration.clone()),
            operation_name: (now.operation_name != route.operation_name)
                .then(|| route.operation_name.clone()),
        };
        (change != RouteChange::default()).then_some(change)
    }

    /// Makes a route's authorizer: creates it, or turns one of another kind into it (D, `UpdateAuthorizer` takes a type).
    fn need_authorizer(&mut self, route: &Route) {
        let Some(name) = self.lacks_authorizer(route) else {
            return;
        };
        let Some(jwt) = self.configurations.get(name).cloned() else {
            return;
        };
        let handle = self.handle(name);
        if matches!(handle, Handle::Existing(_)) {
            self.edit(name);
            return;
        }
        self.authorizers.insert(handle, Some(Arc::clone(&jwt)));
        let (name, jwt) = (name.to_owned(), Arc::unwrap_or_clone(jwt));
        self.push(Step::CreateAuthorizer { name, jwt });
    }

    fn need_integration(&mut self, route: &Route) {
        let Some((marker, integration)) = self.desired.integrations.get_key_value(&route.integration) else {
            return;
        };
        if !self.integrations.contains_key(marker) {
            match self.places.checked_sub(1) {
                Some(places) => self.places = places,
                None => self.make_room_for_an_integration(),
            }
            let step = Step::CreateIntegration {
                marker: marker.clone(),
                integration: Box::new(integration.clone()),
            };
            self.push(step);
            self.integrations.insert(marker, marker.as_str().to_owned());
        }
    }
}

/// Turns everybody away whom a guard would let in.
fn turn_away(authorize: &mut Authorize, guard: &mut CurrentGuard) {
    if let Authorize::Jwt { scopes, .. } = authorize {
        *scopes = closed();
    }
    if let CurrentGuard::Jwt { scopes, .. } = guard {
        *scopes = closed();
    }
}

fn closed() -> BTreeSet<String> {
    BTreeSet::from([CLOSED_SCOPE.to_owned()])
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
