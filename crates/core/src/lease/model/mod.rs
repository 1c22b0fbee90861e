//! Electors around one lease: what may happen next.

pub(super) mod state;

use super::{Effect, Event, Found, Holder, Terms};
use state::{At, CURRENT, NOW, Name, OLDER, Replica, Span, Stand, State, named, span};
use std::time::Duration;

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<const N: usize> {
    pub(super) terms: Terms,
    /// How far the clock of each replica goes in a tick.
    pub(super) clocks: [Span; N],
    pub(super) world: World,
    /// Whether replicas write to AWS.
    pub(super) writing: bool,
    /// How much of its past a leader is told apart by.
    pub(super) memory: Span,
    pub(super) flaw: Option<Flaw>,
}

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum World {
    /// Anything, at any time.
    Hostile,
    /// A pause ends when it is over, and a request is answered within so many ticks. The leader dies or leaves, once.
    Punctual(u8),
}

/// A mistake that the elector does not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A follower counts from the time in the lease, by a clock that is so much ahead of the holder's.
    TimeInLease(Span),
    /// A follower tells renewals apart by the time in the lease, and the holder's clock stands still.
    RenewalByTime,
    /// A leader counts from the answer to its renewal.
    FromAnswer,
}

/// What happens. The number is the replica's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Time goes on.
    Tick,
    /// A request to the API server is carried out.
    Serve(usize),
    /// What was sent and given up is carried out.
    ServeAdrift,
    /// The replica gets its answer.
    Answer(usize),
    /// It gets none.
    Fail(usize),
    /// The same, and its write is still under way.
    GiveUp(usize),
    Look(usize),
    Leave(usize),
    Restart(usize),
    Die(usize),
    /// A write to AWS passes its check.
    Check(usize),
    /// It is sent.
    Send(usize),
}

impl<const N: usize> Setting<N> {
    /// What may happen next, and where it leads.
    pub(super) fn moves(&self, state: &State<N>) -> Vec<(Move, State<N>)> {
        if state.leaderless.is_some() && state.changed {
            return Vec::new();
        }
        let mut moves = Vec::new();
        if state.replicas.iter().all(|replica| self.may_wait(replica.at)) {
            moves.push(Move::Tick);
        }
        if state.adrift.is_some() {
            moves.push(Move::ServeAdrift);
        }
        for (i, replica) in state.replicas.iter().enumerate() {
            self.of_replica(state, i, replica, &mut moves);
        }
        let after = |name| {
            let mut next = *state;
            self.make(&mut next, name);
            next = next.plain();
            // Only there it is worth its while.
            let alike = N > 2 && self.clocks.iter().all(|clock| *clock == self.clocks[0]);
            (name, if alike { next.sorted() } else { next })
        };
        moves.into_iter().map(after).collect()
    }

    fn may_wait(&self, at: At) -> bool {
        match (self.world, at) {
            (World::Hostile, _) | (_, At::Dead) => true,
            (_, At::Rest(left)) => left > 0,
            (
                World::Punctual(most),
                At::Asking(ticks)
                | At::Answered(.., ticks)
                | At::Writing(_, ticks)
                | At::Stored(ticks)
                | At::Refused(ticks),
            ) => ticks < most,
        }
    }

    fn of_replica(&self, state: &State<N>, i: usize, replica: &Replica, moves: &mut Vec<Move>) {
        let hostile = self.world == World::Hostile;
        match replica.at {
            At::Rest(left) => {
                if left == 0 {
                    moves.push(Move::Look(i));
                }
                if matches!(replica.stand, Stand::Leading(_)) && (hostile || state.leaderless.is_none()) {
                    moves.push(Move::Leave(i));
                }
            }
            At::Asking(_) | At::Writing(..) => moves.push(Move::Serve(i)),
            At::Answered(..) | At::Stored(_) | At::Refused(_) => moves.push(Move::Answer(i)),
            At::Dead => {}
        }
        if hostile {
            moves.push(Move::Restart(i));
            if matches!(
                replica.at,
                At::Asking(_) | At::Answered(..) | At::Writing(..) | At::Stored(_)
            ) {
                moves.push(Move::Fail(i));
            }
            if matches!(replica.at, At::Writing(..)) {
                moves.push(Move::GiveUp(i));
            }
        } else if state.leaderless.is_none() && state.holder == named(i) {
            moves.push(Move::Die(i));
        }
        if replica.in_hand {
            moves.push(Move::Send(i));
        } else if self.writing && replica.may_write(self.terms) {
            moves.push(Move::Check(i));
        }
    }

    fn make(&self, state: &mut State<N>, name: Move) {
        match name {
            Move::Tick => self.tick(state),
            Move::Serve(i) => match state.replicas[i].at {
                At::Writing(name, ticks) => {
                    self.store(state, name);
                    state.replicas[i].at = At::Stored(ticks);
                }
                At::Asking(ticks) => state.replicas[i].at = At::Answered(state.holder, true, ticks),
                _ => {}
            },
            Move::ServeAdrift => {
                if let Some(name) = state.adrift {
                    self.store(state, name);
                }
            }
            Move::Answer(i) => self.answer(state, i),
            Move::Fail(i) => self.tell(state, i, Event::Failed),
            Move::GiveUp(i) => {
                if let At::Writing(name, _) = state.replicas[i].at {
                    state.adrift = Some(name);
                }
                self.tell(state, i, Event::Failed);
            }
            Move::Look(i) => self.tell(state, i, Event::Look),
            Move::Leave(i) => self.tell(state, i, Event::Leave),
            Move::Restart(i) => state.end(i, Replica::NEW),
            Move::Die(i) => {
                state.end(i, Replica::DEAD);
                state.leaderless = Some(0);
            }
            Move::Check(i) => {
                state.replicas[i].in_hand = true;
                state.replicas[i].late = 0;
            }
            Move::Send(i) => {
                let others = (0..N).filter(|other| *other != i);
                let overlaps = others
                    .map(|other| &state.replicas[other])
                    .any(|other| other.may_write(self.terms));
                let sender = &mut state.replicas[i];
                sender.in_hand = false;
                sender.late = (sender.late + u8::from(overlaps)).min(2);
            }
        }
    }

    fn tick(&self, state: &mut State<N>) {
        let lease = span(self.terms.lease);
        for (replica, step) in state.replicas.iter_mut().zip(self.clocks) {
            match &mut replica.stand {
                Stand::Watching(since) => *since = (*since + step).min(lease),
                Stand::Leading(renewed) => *renewed = (*renewed + step).min(self.memory),
                Stand::Idle | Stand::Leaving => {}
            }
            match &mut replica.at {
                At::Rest(left) => *left = left.saturating_sub(step),
                At::Asking(ticks)
                | At::Answered(.., ticks)
                | At::Writing(_, ticks)
                | At::Stored(ticks)
                | At::Refused(ticks) => {
                    replica.began = (replica.began + step).min(self.memory);
                    *ticks += u8::from(self.world != World::Hostile);
                }
                At::Dead => {}
            }
        }
        if let Some(Flaw::TimeInLease(_)) = self.flaw {
            state.written = (state.written + self.clocks[0]).min(lease);
        }
        state.leaderless = state.leaderless.map(|ticks| ticks + 1);
    }

    /// The API server stores a lease that names `name`.
    fn store(&self, state: &mut State<N>, name: Name) {
        if self.world != World::Hostile {
            if name == Name::Nobody {
                state.leaderless = Some(0);
            } else {
                state.changed |= state.leaderless.is_some()
                    || !matches!(state.holder, Name::Nobody) && name != state.holder;
            }
        }
        let unseen = self.flaw == Some(Flaw::RenewalByTime) && name == state.holder;
        state.holder = name;
        state.adrift = None;
        state.written = 0;
        for replica in &mut state.replicas {
            replica.at = match replica.at {
                At::Answered(named, _, ticks) => At::Answered(named, false, ticks),
                At::Writing(_, ticks) => At::Refused(ticks),
                at => at,
            };
            if matches!(replica.stand, Stand::Watching(_)) && !unseen {
                replica.stand = Stand::Idle;
            }
        }
    }

    fn answer(&self, state: &mut State<N>, i: usize) {
        let written = state.written;
        let replica = &mut state.replicas[i];
        match (replica.at, self.flaw) {
            (At::Answered(holder, current, _), flaw) => {
                if let (Some(Flaw::TimeInLease(ahead)), Stand::Idle | Stand::Watching(_)) =
                    (flaw, replica.stand)
                {
                    replica.stand = Stand::Watching((written + ahead).min(span(self.terms.lease)));
                }
                let found = Found {
                    holder: match holder {
                        Name::Nobody => Holder::Nobody,
                        holder if holder == named(i) => Holder::Me,
                        Name::Replica(_) | Name::Gone => Holder::Other("other"),
                    },
                    version: if current { CURRENT } else { OLDER },
                };
                self.tell(state, i, Event::Read(Some(found)));
                let replica = &mut state.replicas[i];
                if let (At::Writing(..), false) = (replica.at, current) {
                    replica.at = At::Refused(0);
                }
            }
            (At::Stored(_), flaw) => {
                if flaw == Some(Flaw::FromAnswer) {
                    replica.began = 0;
                }
                self.tell(state, i, Event::Written);
            }
            _ => self.tell(state, i, Event::Failed),
        }
    }

    /// The elector takes the event, and its replica does as it says.
    fn tell(&self, state: &mut State<N>, i: usize, event: Event<'_>) {
        let replica = &mut state.replicas[i];
        let mut elector = replica.elector(self.terms);
        let effect = elector.on(event, NOW);
        replica.take(&elector);
        replica.at = match effect {
            Effect::Read => At::Asking(0),
            Effect::Claim => At::Writing(named(i), 0),
            Effect::Release => At::Writing(Name::Nobody, 0),
            Effect::Rest(pause) => At::Rest(self.rest(pause)),
            Effect::Lost(_) => At::Rest(self.rest(self.terms.retry)),
            Effect::Left if self.world == World::Hostile => return state.end(i, Replica::NEW),
            Effect::Left => At::Dead,
        };
    }

    /// In a hostile world every pause may end at once, which is more than can happen.
    fn rest(&self, pause: Duration) -> Span {
        assert!(pause <= self.terms.retry, "{pause:?}");
        if self.world == World::Hostile {
            0
        } else {
            span(pause)
        }
    }
}
