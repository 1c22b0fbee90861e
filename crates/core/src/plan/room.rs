//! How much AWS lets an API have, also in between: what comes and what goes may together be too much.
//!
//! | kind | where there is no room for both |
//! |---|---|
//! | routes | one that goes becomes the one that comes, when its leaving opens nothing; whatever else can be done goes first |
//! | authorizers | one that goes becomes the one that comes, an edit like any other |
//! | integrations | one that no route leads to any more goes first |
//!
//! Where nothing can go yet the request is sent all the same: the quota may be a higher one, and AWS says so if it is not.

use crate::model::observed::Api;

/// Things of each kind that one API may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) routes: usize,
    pub(super) integrations: usize,
    pub(super) authorizers: usize,
}

impl Room {
    /// AWS's quotas as they are unless raised (D).
    pub(super) const USUAL: Self = Self {
        routes: 300,
        integrations: 300,
        authorizers: 10,
    };

    /// The room of an API: one that has more of something shows that this quota is a higher one.
    pub(super) fn of(self, api: Option<&Api>) -> Self {
        let raised = |room, there| if there > room { usize::MAX } else { room };
        api.map_or(self, |api| Self {
            routes: raised(self.routes, api.routes.len()),
            integrations: raised(self.integrations, api.integrations.len()),
            authorizers: raised(self.authorizers, api.authorizers.len()),
        })
    }
}
