//! Every schedule of so many faults, each lived once, by several workers.

use crate::{
    fault::{Fault, Schedule},
    ground::Ground,
    life::{self, Outcome, Phase},
    oracle::{Rule, Violation},
    scenario::Scenario,
    workers,
};
use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Condvar, Mutex, OnceLock, PoisonError},
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
    /// Lives that were not survived: a few of them, no two for the same reason.
    pub failures: Vec<Failure>,
    /// What replays each life that was not survived.
    pub replays: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// A life that was not survived, and what replays it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The scenario.
    pub scenario: &'static str,
    /// The seed that decided AWS's unconfirmed behaviour and every draw; none for the usual AWS and the first seed.
    pub drawn: Option<u64>,
    /// What befell it.
    pub schedule: Schedule,
    /// What was violated.
    pub violations: Vec<Violation>,
}

impl Failure {
    /// The words that replay it: `jwthttpapi-sweep show …`.
    pub fn replay(&self) -> String {
        let all = Fault::all();
        let number = |fault| all.iter().position(|one| one == fault).unwrap_or(all.len());
        let schedule = self.schedule.iter();
        let schedule: Vec<String> = schedule
            .map(|(request, fault)| format!("{request}:{}", number(fault)))
            .collect();
        let seed = self.drawn.map(|seed| format!(" --seed {seed}"));
        format!(
            "{}{} --schedule {}",
            self.scenario,
            seed.unwrap_or_default(),
            schedule.join(",")
        )
    }
}

/// A schedule as [`Failure::replay`] writes it: requests, each with the number of what befalls it.
pub fn schedule(text: &str) -> Option<Schedule> {
    let all = Fault::all();
    let entry = |entry: &str| {
        let (request, fault) = entry.split_once(':')?;
        let fault = all.get(fault.parse::<usize>().ok()?)?;
        Some((request.parse().ok()?, fault.clone()))
    };
    text.split(',').map(entry).collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self
            .schedule
            .iter()
            .map(|(number, fault)| format!("{number}: {fault}"))
            .collect();
        write!(f, "{} {:?} [{}]", self.scenario, self.drawn, faults.join(", "))?;
        for violation in &self.violations {
            write!(f, "\n    {violation}")?;
        }
        Ok(())
    }
}

/// The seed of lives whose faults are not drawn.
const FIRST: u64 = 1;

/// How many failures a tally shows.
const SHOWN: usize = 20;

struct Work {
    open: Vec<Schedule>,
    busy: usize,
    tally: Tally,
}

/// Lives every schedule of up to `depth` of the given faults.
pub fn exhaustive(
    ground: &Ground,
    scenario: &Scenario,
    faults: &[Fault],
    depth: usize,
    workers: usize,
) -> Tally {
    walk(ground, scenario, faults, depth, workers, &Until::AllAreLived)
}

/// Until when schedules are lived.
enum Until<'a> {
    /// Until there are no more.
    AllAreLived,
    /// Until one breaks one of these rules, or any if there are none; faults that belong together come within a few requests.
    OneBreaks(&'a [Rule]),
}

impl Until<'_> {
    /// What counts of what a life violated.
    fn counts(&self, violation: &Violation) -> bool {
        match self {
            Self::OneBreaks(rules) => rules.is_empty() || rules.contains(&violation.rule),
            Self::AllAreLived => true,
        }
    }

    const fn one_is_enough(&self) -> bool {
        matches!(self, Self::OneBreaks(_))
    }
}

/// Within how many requests.
const NEAR: usize = 24;

/// Lives such schedules, with their faults close together, until one breaks one of these rules, or any if there are none.
pub fn first(
    ground: &Ground,
    scenario: &Scenario,
    faults: &[Fault],
    depth: usize,
    workers: usize,
    rules: &[Rule],
) -> Tally {
    walk(ground, scenario, faults, depth, workers, &Until::OneBreaks(rules))
}

fn walk(
    ground: &Ground,
    scenario: &Scenario,
    faults: &[Fault],
    depth: usize,
    workers: usize,
    until: &Until<'_>,
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
                    let mut outcome = life::live(ground, scenario, &schedule, FIRST);
                    outcome.violations.retain(|violation| until.counts(violation));
                    let next = if schedule.len() < depth {
                        extended(&schedule, &outcome, faults, until)
                    } else {
                        Vec::new()
                    };
                    let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
                    work.tally.count(scenario.name, None, &schedule, &outcome);
                    work.open.extend(next);
                    if until.one_is_enough() && work.tally.survived < work.tally.lives {
                        work.open.clear();
                    }
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

/// Lives schedules of one to `most` faults drawn by chance, `count` of them, from a seed on.
pub fn random(
    ground: &Ground,
    scenarios: &[Scenario],
    faults: &[Fault],
    most: usize,
    count: usize,
    seed: u64,
    workers: usize,
) -> Tally {
    let began = Instant::now();
    let lengths = lengths(ground, scenarios);
    let life = |number: usize| {
        let seed = seed.wrapping_add(u64::try_from(number).unwrap_or_default());
        let (which, schedule) = draw(&lengths, faults, most, seed);
        let scenario = scenarios[which].drawn(seed);
        let outcome = life::live(ground, &scenario, &schedule, seed);
        (scenario.name, seed, schedule, outcome)
    };
    let mut tally = workers::each(workers, count, life, |tally: &mut Tally, lived| {
        let (name, seed, schedule, outcome) = lived;
        tally.count(name, Some(seed), &schedule, &outcome);
    });
    tally.took = began.elapsed();
    tally
}

/// Lives the first so many schedules that are drawn, on one core: a digest of all their requests, and how many survived.
pub fn slice(ground: &Ground, faults: &[Fault], most: usize, lives: usize) -> (u64, usize) {
    let mut hasher = DefaultHasher::new();
    let mut survived = 0;
    for seed in (1..).take(lives) {
        let (scenario, schedule) = drawn(ground, faults, most, seed);
        let outcome = life::live(ground, &scenario, &schedule, seed);
        survived += usize::from(outcome.violations.is_empty());
        for effect in &outcome.journal {
            (effect.at, effect.digest, effect.carried_out).hash(&mut hasher);
        }
        outcome.lasted.hash(&mut hasher);
    }
    (hasher.finish(), survived)
}

/// How many requests a life may have: with faults it has more than without.
fn lengths(ground: &Ground, scenarios: &[Scenario]) -> Vec<usize> {
    let requests = |scenario| {
        life::live(ground, scenario, &Schedule::new(), FIRST)
            .journal
            .len()
    };
    scenarios
        .iter()
        .map(|scenario| requests(scenario) * 4 / 3)
        .collect()
}

fn draw(lengths: &[usize], faults: &[Fault], most: usize, seed: u64) -> (usize, Schedule) {
    let mut draw = fastrand::Rng::with_seed(seed);
    let which = draw.usize(..lengths.len());
    let schedule = (0..draw.usize(1..=most))
        .filter_map(|_| Some((draw.usize(..lengths[which]), draw.choice(faults)?.clone())))
        .collect();
    (which, schedule)
}

/// The scenario and the schedule that a seed draws.
pub fn drawn(ground: &Ground, faults: &[Fault], most: usize, seed: u64) -> (Scenario, Schedule) {
    static LENGTHS: OnceLock<Vec<usize>> = OnceLock::new();
    let scenarios = Scenario::by_chance();
    let lengths = LENGTHS.get_or_init(|| lengths(ground, &scenarios));
    let (which, schedule) = draw(lengths, faults, most, seed);
    (scenarios[which].drawn(seed), schedule)
}

/// The smallest part of a schedule that is not survived either.
pub fn shrink(ground: &Ground, failure: &Failure) -> Failure {
    let mut smallest = failure.clone();
    let Some(scenario) = Scenario::named(failure.scenario) else {
        return smallest;
    };
    let scenario = failure
        .drawn
        .map_or_else(|| scenario.clone(), |seed| scenario.drawn(seed));
    while let Some((schedule, violations)) = smallest.schedule.keys().find_map(|number| {
        let mut fewer = smallest.schedule.clone();
        fewer.remove(number);
        let outcome = life::live(ground, &scenario, &fewer, failure.drawn.unwrap_or(FIRST));
        (!outcome.violations.is_empty()).then_some((fewer, outcome.violations))
    }) {
        smallest = Failure {
            schedule,
            violations,
            ..smallest
        };
    }
    smallest
}

/// A schedule with one fault more, later than all that it has.
fn extended(schedule: &Schedule, outcome: &Outcome, faults: &[Fault], until: &Until<'_>) -> Vec<Schedule> {
    let first = schedule.keys().next_back().map_or(0, |last| last + 1);
    let near = until.one_is_enough() && !schedule.is_empty();
    let most = if near { first + NEAR } else { usize::MAX };
    let numbers = first..outcome.journal.len().min(most);
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
    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        for (cell, (lives, survived)) in other.cells {
            let mine = self.cells.entry(cell).or_default();
            mine.0 += lives;
            mine.1 += survived;
        }
        self.lives += other.lives;
        self.survived += other.survived;
        self.failures.extend(other.failures);
        self.replays.extend(other.replays);
        self.took += other.took;
    }

    fn count(&mut self, scenario: &'static str, drawn: Option<u64>, schedule: &Schedule, outcome: &Outcome) {
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
        if survived {
            return;
        }
        let failure = Failure {
            scenario,
            drawn,
            schedule: schedule.clone(),
            violations: outcome.violations.clone(),
        };
        self.replays.push(failure.replay());
        let is_new = |shown: &Failure| shown.violations != failure.violations;
        if self.failures.len() < SHOWN && self.failures.iter().all(is_new) {
            self.failures.push(failure);
        }
    }
}
