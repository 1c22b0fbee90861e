//! What a moment is made of.
//!
//! A state holds how long ago things were, on the clock of whom they happened to, and no longer than anything could depend
//! on it. Versions are told apart by being the current one or not. Of the writes that their senders gave up it holds the one
//! that will be stored, if any is, since that one makes all others fail.

use crate::lease::{Elector, Role, Terms};
use std::time::Duration;

/// Where every clock stands whenever something happens.
pub(in crate::lease) const NOW: Duration = Duration::from_secs(100);
pub(in crate::lease) const CURRENT: &str = "current";
pub(super) const OLDER: &str = "older";

/// Milliseconds.
pub(in crate::lease) type Span = u16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::lease) struct State<const N: usize> {
    pub(in crate::lease) holder: Name,
    pub(in crate::lease) replicas: [Replica; N],
    /// Whom a write names that its sender gave up, and that may be stored as long as nothing else is.
    pub(super) adrift: Option<Name>,
    /// How long ago the lease was written, where it matters.
    pub(super) written: Span,
    /// How many ticks ago the leader died or left; where all are punctual.
    pub(in crate::lease) leaderless: Option<u8>,
    /// Whether the lease went from one replica to another; where all are punctual.
    pub(in crate::lease) changed: bool,
}

/// Whom a lease names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::lease) enum Name {
    Nobody,
    Replica(u8),
    /// A process that is no more.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::lease) struct Replica {
    pub(in crate::lease) stand: Stand,
    pub(super) began: Span,
    pub(super) at: At,
    /// A write that passed its check and is not sent yet.
    pub(super) in_hand: bool,
    /// Writes since its last check that passed that it sent while another replica might write.
    pub(in crate::lease) late: u8,
}

/// The role of its elector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::lease) enum Stand {
    Idle,
    Watching(Span),
    Leading(Span),
    Leaving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum At {
    /// Until its next look there is this much.
    Rest(Span),
    /// A read was sent.
    Asking(u8),
    /// It was answered: whom the lease named, and whether that is the current one.
    Answered(Name, bool, u8),
    /// A write was sent that names this one.
    Writing(Name, u8),
    /// It was stored.
    Stored(u8),
    /// It cannot be stored any more.
    Refused(u8),
    Dead,
}

impl<const N: usize> State<N> {
    /// Nobody holds the lease.
    pub(in crate::lease) const fn first() -> Self {
        Self {
            holder: Name::Nobody,
            replicas: [Replica::NEW; N],
            adrift: None,
            written: 0,
            leaderless: None,
            changed: false,
        }
    }

    /// A process is no more, but its name may be in the lease, in answers and in writes.
    pub(super) fn end(&mut self, i: usize, next: Replica) {
        let bury = |name: &mut Name| {
            if *name == named(i) {
                *name = Name::Gone;
            }
        };
        self.replicas[i] = next;
        bury(&mut self.holder);
        self.adrift.iter_mut().for_each(bury);
        for replica in &mut self.replicas {
            if let At::Answered(holder, ..) = &mut replica.at {
                bury(holder);
            }
        }
    }

    /// One of the states that differ in the numbers of replicas alone.
    pub(in crate::lease) fn sorted(self) -> Self {
        let mut order: [usize; N] = std::array::from_fn(|i| i);
        order.sort_by_key(|i| {
            (
                self.holder == named(*i),
                self.adrift == Some(named(*i)),
                self.replicas[*i],
            )
        });
        let renamed = |name| match name {
            Name::Replica(old) => named(
                order
                    .iter()
                    .position(|i| named(*i) == Name::Replica(old))
                    .unwrap(),
            ),
            Name::Nobody | Name::Gone => name,
        };
        let replica = |i: usize| {
            let replica = self.replicas[i];
            let at = match replica.at {
                At::Answered(name, current, ticks) => At::Answered(renamed(name), current, ticks),
                At::Writing(name, ticks) => At::Writing(renamed(name), ticks),
                at => at,
            };
            Replica { at, ..replica }
        };
        Self {
            holder: renamed(self.holder),
            adrift: self.adrift.map(renamed),
            replicas: order.map(replica),
            ..self
        }
    }

    /// The same state, without what nothing depends on.
    pub(super) fn plain(mut self) -> Self {
        for replica in &mut self.replicas {
            let needed = matches!(
                replica.at,
                At::Asking(_) | At::Answered(_, true, _) | At::Writing(..) | At::Stored(_)
            );
            if !needed || replica.stand == Stand::Leaving {
                replica.began = 0;
            }
        }
        self
    }
}

impl Replica {
    /// Its elector.
    pub(in crate::lease) fn elector(&self, terms: Terms) -> Elector {
        let ago = |age: Span| NOW.saturating_sub(Duration::from_millis(age.into()));
        Elector {
            terms,
            role: match self.stand {
                Stand::Idle => Role::Following(None),
                Stand::Watching(since) => Role::Following(Some((CURRENT.to_owned(), ago(since)))),
                Stand::Leading(renewed) => Role::Leading(ago(renewed)),
                Stand::Leaving => Role::Leaving,
            },
            began: ago(self.began),
        }
    }

    /// Becomes what its elector has become.
    pub(in crate::lease) fn take(&mut self, elector: &Elector) {
        self.began = age(elector.began);
        self.stand = match &elector.role {
            Role::Following(Some((version, since))) if version == CURRENT => Stand::Watching(age(*since)),
            Role::Following(_) => Stand::Idle,
            Role::Leading(renewed) => Stand::Leading(age(*renewed)),
            Role::Leaving => Stand::Leaving,
        };
    }

    /// Whether a write may start.
    pub(in crate::lease) fn may_write(&self, terms: Terms) -> bool {
        let leads = matches!(self.stand, Stand::Leading(_));
        leads
            && self
                .elector(terms)
                .writes_until()
                .is_some_and(|until| NOW < until)
    }

    pub(super) const NEW: Self = Self {
        stand: Stand::Idle,
        began: 0,
        at: At::Rest(0),
        in_hand: false,
        late: 0,
    };
    pub(super) const DEAD: Self = Self {
        at: At::Dead,
        ..Self::NEW
    };
}

pub(super) fn named(i: usize) -> Name {
    Name::Replica(u8::try_from(i).unwrap())
}

fn age(time: Duration) -> Span {
    span(NOW.saturating_sub(time))
}

pub(in crate::lease) fn span(duration: Duration) -> Span {
    Span::try_from(duration.as_millis()).unwrap()
}
