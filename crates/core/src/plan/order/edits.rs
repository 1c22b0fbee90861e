//! Edits of authorizers: whom they let in, and what answers those.

use super::state::{CurrentGuard, Entry, State};
use crate::plan::access::Admission;

impl<'a> State<'a> {
    /// Names of the authorizers that exist and differ.
    pub(super) fn edits(&self) -> impl Iterator<Item = &'a str> {
        self.configurations.iter().filter_map(|(name, jwt)| {
            let now = self.authorizers.get(self.handles.get(name)?)?;
            let differs = now.as_ref() != Some(jwt) || self.renamed.contains(name);
            differs.then_some(*name)
        })
    }

    /// Routes that an edit of their authorizer would let others into, who were never to reach what answers there now. One of
    /// another kind closes no route.
    pub(super) fn opened_before_they_answer_otherwise(&self, name: &str) -> Vec<usize> {
        let now = self
            .handles
            .get(name)
            .and_then(|handle| self.authorizers.get(handle));
        if !now.is_some_and(Option::is_some) {
            return Vec::new();
        }
        let answers_otherwise = |index: &usize| {
            let entry = self.entries.get(*index);
            entry.is_some_and(|entry| self.leads_elsewhere(entry) || self.answers_otherwise(entry))
        };
        let opened = self.edited(name).filter(|(_, now, then)| !then.within(now));
        let opened = opened.map(|(index, _, _)| index).filter(answers_otherwise);
        opened.collect()
    }

    /// Whether an existing, wanted route is still to be led to another integration.
    pub(super) fn leads_elsewhere(&self, entry: &Entry<'_>) -> bool {
        let change = self.change(entry);
        change.is_some_and(|change| change.integration.is_some())
    }

    /// Whether something else answers than in the end where a wanted route leads to its integration.
    pub(super) fn answers_otherwise(&self, entry: &Entry<'_>) -> bool {
        entry
            .wanted
            .is_some_and(|(_, route)| self.otherwise.contains(&route.integration))
    }

    /// Routes on an authorizer to be edited: whom each admits now, and whom it will.
    pub(super) fn edited<'b>(
        &'b self,
        name: &'b str,
    ) -> impl Iterator<Item = (usize, Admission, Admission)> + 'b {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(move |(index, entry)| {
            let (handle, jwt) = (self.handles.get(name)?, self.configurations.get(name)?);
            let guard = &entry.now.as_ref()?.guard;
            match guard {
                CurrentGuard::Jwt { authorizer, scopes } if authorizer == handle => {
                    Some((index, self.admission(guard), Admission::jwt(jwt, scopes)))
                }
                _ => None,
            }
        })
    }
}
