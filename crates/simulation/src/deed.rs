//! What somebody else does in the middle of the operator's work.

use crate::world::World;

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// The user deletes the object.
    Delete,
    /// Somebody takes the operator's finalizer off.
    StripFinalizer,
    /// The API server forgets the past: every watch ends, and a new one has to list again.
    Compact,
}

impl World {
    /// Does it.
    pub fn perform(&self, deed: &Deed) {
        let now = self.now();
        let mut state = self.state();
        match deed {
            Deed::Delete => state.kubernetes.delete(&crate::OBJECT, now),
            Deed::StripFinalizer => state.kubernetes.strip_finalizers(&crate::OBJECT),
            Deed::Compact => state.kubernetes.compact(),
        }
        drop(state);
        self.announce();
    }
}
