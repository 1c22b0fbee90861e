//! How much AWS lets an API have, also in between: what comes and what goes may together be too much.
//!
//! | kind | where there is no room for both |
//! |---|---|
//! | routes, authorizers | one that goes becomes the one that comes |
//! | integrations | one that no route leads to any more goes first |
//!
//! Where nothing can go yet the request is sent all the same: the quota may be a higher one, and AWS says so if it is not.

/// Things of each kind that one API may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) routes: usize,
    pub(super) integrations: usize,
    pub(super) authorizers: usize,
}

impl Room {
    /// AWS's quotas as they are unless raised (D, aws-facts §2).
    pub(super) const USUAL: Self = Self {
        routes: 300,
        integrations: 300,
        authorizers: 10,
    };
}
