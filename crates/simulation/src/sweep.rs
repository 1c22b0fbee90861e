//! Every schedule of so many faults, each lived once, by several workers.

use crate::{
    fault::{Fault, Schedule},
    life::{self, Outcome, Phase},
    scenario::Scenario,
};
use jwthttpapi_sandbox::Sandbox;
use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Kinds of faults, as a table shows them.
pub type Kind = &'static str;

/// What a sweep came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Lives and survivors by the kind of the first fault and the phase that it befell.
    pub cells: BTreeMap<(Kind, Phase), (usize, usize)>,
    /// All lives.
    pub lives: usize,
    /// Those without a violation.
    pub survived: usize,
    /// Schedules that were not survived, with what was violated: a few of them.
    pub failures: Vec<(Schedule, Vec<String>)>,
    /// How long it took.
    pub took: Duration,
}

/// How many failures a tally shows.
const SHOWN: usize = 20;

struct Work {
    open: Vec<Schedule>,
    busy: usize,
    tally: Tally,
}

/// Lives every schedule of up to `depth` of the given faults.
pub fn exhaustive(
    ground: &Sandbox,
    scenario: &Scenario,
    faults: &[Fault],
    depth: usize,
    workers: usize,
) -> Tally {
    let began = Instant::now();
    let work = Mutex::new(Work {
        open: vec![Schedule::new()],
        busy: 0,
        tally: Tally::default(),
    });
    let more = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(schedule) = take(&work, &more) {
                    let outcome = life::live(ground, scenario, &schedule, 1);
                    let next = if schedule.len() < depth {
                        extended(&schedule, &outcome, faults)
                    } else {
                        Vec::new()
                    };
                    let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
                    work.tally.count(&schedule, &outcome);
                    work.open.extend(next);
                    work.busy -= 1;
                    drop(work);
                    more.notify_all();
                }
            });
        }
    });
    let mut tally = work.into_inner().unwrap_or_else(PoisonError::into_inner).tally;
    tally.took = began.elapsed();
    tally
}

/// The next schedule; none when nobody works on one that could bring more.
fn take(work: &Mutex<Work>, more: &Condvar) -> Option<Schedule> {
    let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(schedule) = work.open.pop() {
            work.busy += 1;
            return Some(schedule);
        }
        if work.busy == 0 {
            return None;
        }
        work = more.wait(work).unwrap_or_else(PoisonError::into_inner);
    }
}

/// A schedule with one fault more, later than all that it has.
fn extended(schedule: &Schedule, outcome: &Outcome, faults: &[Fault]) -> Vec<Schedule> {
    let first = schedule.keys().next_back().map_or(0, |last| last + 1);
    let numbers = first..outcome.journal.len();
    numbers
        .flat_map(|number| {
            faults.iter().map(move |fault| {
                let mut next = schedule.clone();
                next.insert(number, fault.clone());
                next
            })
        })
        .collect()
}

impl Tally {
    fn count(&mut self, schedule: &Schedule, outcome: &Outcome) {
        let survived = outcome.violations.is_empty();
        self.lives += 1;
        self.survived += usize::from(survived);
        if let Some((number, fault)) = schedule.first_key_value() {
            let phase = outcome
                .phases
                .iter()
                .find(|(_, range)| range.contains(number))
                .map_or(Phase::Delete, |(phase, _)| *phase);
            let cell = self.cells.entry((fault.kind(), phase)).or_default();
            cell.0 += 1;
            cell.1 += usize::from(survived);
        }
        if !survived && self.failures.len() < SHOWN {
            self.failures.push((schedule.clone(), outcome.violations.clone()));
        }
    }
}
