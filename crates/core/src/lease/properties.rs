//! What holds in every state of the [`model`](super::model), and what does not when the elector is made wrong.

use super::model::state::{CURRENT, NOW, Name, Span, Stand, State, span};
use super::model::{Flaw, Setting, World};
use super::search::explore;
use super::{Effect, Event, Found, Holder, TERMS, Terms};
use std::time::Duration;

/// How long a write to AWS takes at most.
const WRITE: Duration = Duration::from_secs(5);
const SECOND: Span = 1000;
/// Divides every span of the terms that a hostile world depends on.
const COARSE: Span = 2500;

const fn setting<const N: usize>(world: World, clocks: [Span; N]) -> Setting<N> {
    Setting {
        terms: TERMS,
        clocks,
        world,
        writing: false,
        memory: 10 * SECOND,
        flaw: None,
    }
}

fn explored<const N: usize>(
    setting: &Setting<N>,
    rule: impl Fn(&Setting<N>, &State<N>) -> Result<(), String>,
) -> Result<Vec<State<N>>, String> {
    let rules = |state: &State<N>| rule(setting, state);
    explore(State::first(), |state| setting.moves(state), rules)
}

/// Those that may start a write.
fn writers<const N: usize>(setting: &Setting<N>, state: &State<N>) -> usize {
    let may_write = state
        .replicas
        .iter()
        .map(|replica| replica.may_write(setting.terms));
    may_write.filter(|may| *may).count()
}

fn one_may_write<const N: usize>(setting: &Setting<N>, state: &State<N>) -> Result<(), String> {
    match writers(setting, state) {
        0 | 1 => Ok(()),
        several => Err(format!("{several} may write")),
    }
}

/// Nobody may write while a write of another replica may be under way.
fn writes_have_ended<const N: usize>(setting: &Setting<N>, state: &State<N>) -> Result<(), String> {
    let ended = span(setting.terms.renew_deadline + WRITE);
    let under_way = |stand| matches!(stand, Stand::Leading(renewed) if renewed < ended);
    let leaders = state.replicas.iter().filter(|replica| under_way(replica.stand));
    if writers(setting, state) > 0 && leaders.count() > 1 {
        return Err("a write may be under way".to_owned());
    }
    Ok(())
}

#[test]
fn two_replicas_never_may_start_a_write_at_once_though_their_clocks_drift_apart_by_a_fifth() {
    let found = explored(&setting(World::Hostile, [1800, 2200]), one_may_write).unwrap();
    assert_eq!(found.len(), 135_103);
    // It is not for want of leaders that there are never two.
    for i in 0..2 {
        let leads = |state: &&State<2>| matches!(state.replicas[i].stand, Stand::Leading(0));
        assert!(found.iter().any(|state| leads(&state)));
    }
}

#[test]
fn three_replicas_never_may_start_a_write_at_once() {
    let found = explored(&setting(World::Hostile, [2 * COARSE; 3]), one_may_write).unwrap();
    assert_eq!(found.len(), 359_418);
}

#[test]
fn with_clocks_of_one_rate_every_write_has_ended_when_another_replica_may_start_one() {
    let memory = span(TERMS.lease);
    let equal = Setting {
        memory,
        ..setting(World::Hostile, [COARSE; 2])
    };
    let found = explored(&equal, writes_have_ended).unwrap();
    assert_eq!(found.len(), 116_315);
    let clocks = [1800, 2200];
    let way = explored(&Setting { clocks, ..equal }, writes_have_ended)
        .err()
        .unwrap();
    assert!(way.ends_with("a write may be under way"), "{way}");
}

#[test]
fn a_process_stopped_between_check_and_sending_sends_late_what_it_has_in_hand_and_nothing_after_it() {
    let writing = Setting {
        writing: true,
        ..setting(World::Hostile, [2 * COARSE; 2])
    };
    let found = explored(&writing, |setting, state| {
        one_may_write(setting, state)?;
        if state.replicas.iter().any(|replica| replica.late > 1) {
            return Err("a second write is late".to_owned());
        }
        Ok(())
    });
    let found = found.unwrap();
    assert_eq!(found.len(), 135_622);
    let late = |state: &&State<2>| state.replicas.iter().any(|replica| replica.late == 1);
    assert!(found.iter().any(|state| late(&state)), "a lease would be a lock");
}

/// What holds where all are punctual, until the leader dies or leaves.
fn settled<const N: usize>(setting: &Setting<N>, state: &State<N>) -> Result<(), String> {
    let idle = |stand| matches!(stand, Stand::Leading(_));
    let mut leaders = state.replicas.iter().filter(|replica| idle(replica.stand));
    match state.leaderless {
        Some(_) => Ok(()),
        None if state.changed => Err("the leader changed".to_owned()),
        None if leaders.any(|leader| !leader.may_write(setting.terms)) => {
            Err("a leader may not write".to_owned())
        }
        None => Ok(()),
    }
}

/// For how many ticks at most the lease names nobody that is there, in a world of punctual replicas where requests take up to
/// so many.
fn longest<const N: usize>(clocks: [Span; N], request: u8) -> (usize, [Option<u8>; 2]) {
    let found = explored(&setting(World::Punctual(request), clocks), settled).unwrap();
    let waits = [Name::Gone, Name::Nobody].map(|name| {
        let waiting = found.iter().filter(|state| state.holder == name);
        waiting.filter_map(|state| state.leaderless).max()
    });
    (found.len(), waits)
}

#[test]
fn a_dead_leader_is_followed_after_fifteen_seconds_and_one_pause_and_one_that_left_after_one_pause() {
    let after = [Some(15 + 2), Some(2)];
    assert_eq!(longest([SECOND; 2], 0), (706, after));
    assert_eq!(longest([SECOND; 3], 0), (1_435, after));
}

#[test]
fn without_faults_the_leader_never_changes_and_its_writes_never_wait() {
    // A look that has begun adds two requests, the one that sees the change one, the one that takes the lease two.
    let after = [Some(15 + 2 + 5), Some(2 + 4)];
    assert_eq!(longest([SECOND; 2], 1), (4_223, after));
    assert_eq!(longest([SECOND; 3], 1), (33_326, after));
    assert_eq!(longest([900, 1100], 1).0, 4_538);
}

/// How long a follower rests until it takes the lease when everybody else has died: what it had under way failed, and it is
/// answered at once from now on.
fn alone(setting: &Setting<2>, state: &State<2>) -> Duration {
    let mut elector = state.replicas[0].elector(setting.terms);
    let found = Found {
        holder: match state.holder {
            Name::Nobody => Holder::Nobody,
            Name::Replica(0) => Holder::Me,
            Name::Replica(_) | Name::Gone => Holder::Other("dead"),
        },
        version: CURRENT,
    };
    let mut effect = elector.on(Event::Failed, NOW);
    let mut now = NOW;
    loop {
        effect = match effect {
            Effect::Rest(pause) => {
                now += pause;
                elector.on(Event::Look, now)
            }
            Effect::Read => elector.on(Event::Read(Some(found)), now),
            Effect::Claim => return now.saturating_sub(NOW),
            Effect::Release | Effect::Lost(_) | Effect::Left => panic!("{effect:?} by a follower"),
        };
    }
}

#[test]
fn a_follower_takes_the_lease_of_the_dead_in_time_whatever_happened_before() {
    let hostile = setting(World::Hostile, [2 * COARSE; 2]);
    let found = explored(&hostile, one_may_write).unwrap();
    let follows = |state: &&State<2>| matches!(state.replicas[0].stand, Stand::Idle | Stand::Watching(_));
    let (mut held, mut free) = (Duration::ZERO, Duration::ZERO);
    for state in found.iter().filter(follows) {
        let worst = match state.holder {
            Name::Replica(1) | Name::Gone => &mut held,
            Name::Replica(_) | Name::Nobody => &mut free,
        };
        *worst = alone(&hostile, state).max(*worst);
    }
    assert_eq!([held, free], [TERMS.lease + TERMS.retry, TERMS.retry]);
}

fn breaks(setting: &Setting<2>) {
    let way = explored(setting, one_may_write).err().unwrap();
    assert!(way.ends_with("2 may write"), "{way}");
}

#[test]
fn a_renew_deadline_past_the_lease_lets_two_write() {
    let renew_deadline = Duration::from_secs(16);
    breaks(&Setting {
        terms: Terms {
            renew_deadline,
            ..TERMS
        },
        memory: span(renew_deadline),
        ..setting(World::Hostile, [2 * COARSE; 2])
    });
}

#[test]
fn clocks_that_drift_apart_by_half_let_two_write() {
    breaks(&setting(World::Hostile, [750, 1250]));
}

#[test]
fn counting_from_the_time_in_the_lease_lets_two_write() {
    let flaw = |ahead| Setting {
        flaw: Some(Flaw::TimeInLease(ahead)),
        ..setting(World::Hostile, [SECOND; 2])
    };
    breaks(&flaw(6 * SECOND));
}

#[test]
fn telling_renewals_apart_by_their_time_lets_two_write() {
    breaks(&Setting {
        flaw: Some(Flaw::RenewalByTime),
        ..setting(World::Hostile, [COARSE; 2])
    });
}

#[test]
fn counting_from_the_answer_to_a_renewal_lets_two_write() {
    breaks(&Setting {
        flaw: Some(Flaw::FromAnswer),
        ..setting(World::Hostile, [COARSE; 2])
    });
}
