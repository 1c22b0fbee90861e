//! Runs lives with faults and counts which survive.

#![expect(clippy::print_stdout, reason = "what the program is for")]

mod whole;

use clap::{Parser, Subcommand};
#[cfg(planted)]
use jwthttpapi_simulation::{bugs, oracle::Rule};
use jwthttpapi_simulation::{
    fault::{Fault, Schedule},
    ground,
    life::{self, Outcome},
    scenario::Scenario,
    sweep,
    walk::{self, Which},
    workers,
};
use std::{
    collections::BTreeMap,
    env,
    process::{Command, ExitCode},
    thread::available_parallelism,
    time::Instant,
};
use whole::Whole;

/// A life is thousands of short allocations, in a thread of its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Faults of a schedule drawn by chance, at most.
const MOST: usize = 6;
/// What is said of planted bugs.
#[cfg(planted)]
const DOCUMENTED: &str = include_str!("../../../../../docs/known-bugs.md");
/// Planted bugs that have to open a path.
#[cfg(planted)]
const LEAST_OPENED: usize = 3;

/// The operator, over simulated services, under every fault.
#[derive(Debug, Parser)]
#[command(name = "jwthttpapi-sweep")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lives with every fault, with pairs and triples of faults, and with faults drawn by chance.
    Sweep(Whole),
    /// Shows one life, request by request.
    Show {
        /// The scenario's name; with a seed its AWS is as that draws it.
        scenario: Option<String>,
        /// Replays what this seed draws: scenario and schedule, when they are not named.
        #[arg(long)]
        seed: Option<u64>,
        /// Replays a schedule as a sweep shows it: `REQUEST:FAULT,…`.
        #[arg(long)]
        schedule: Option<String>,
        /// Replays the walk of this number that was drawn by chance, as a sweep shows it.
        #[arg(long, conflicts_with_all = ["scenario", "seed", "schedule"])]
        walk: Option<u64>,
        /// Replays the walk over the change of this number, as a sweep shows it.
        #[arg(long, conflicts_with_all = ["scenario", "seed", "schedule", "walk"])]
        change: Option<usize>,
    },
    /// Plants each known bug and looks for a life that shows it; in builds with `--cfg planted`.
    KnownBugs {
        /// Only these.
        bugs: Vec<String>,
    },
    /// Lives the same lives again and again, each time in a process of its own, and says how often they were not the same.
    Slice {
        /// How often.
        #[arg(long, default_value_t = 1)]
        repeats: usize,
        /// How many lives; the default takes about half a minute where each core lives one slice.
        #[arg(long, default_value_t = 1_500)]
        lives: usize,
    },
    /// Counts lives a second on one core.
    Bench {
        /// How many.
        #[arg(default_value_t = 1000)]
        lives: u32,
    },
}

fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Sweep(whole) => whole.run(),
        Verb::Show { walk: Some(walk), .. } => show_walk(Which::Drawn(walk)),
        Verb::Show {
            change: Some(change), ..
        } => show_walk(Which::Change(change)),
        Verb::Show {
            scenario,
            seed,
            schedule,
            walk: None,
            change: None,
        } => show(scenario.as_deref(), seed, schedule.as_deref()),
        Verb::Slice { repeats, lives } => slice(repeats, lives),
        Verb::KnownBugs { bugs } => known_bugs(&bugs),
        Verb::Bench { lives } => bench(lives),
    }
}

fn no_scenario(name: &str) -> ExitCode {
    let names: Vec<&str> = Scenario::every().iter().map(|scenario| scenario.name).collect();
    eprintln!("there is no scenario {name:?}; name one of {}", names.join(", "));
    ExitCode::from(2)
}

fn show(name: Option<&str>, seed: Option<u64>, schedule: Option<&str>) -> ExitCode {
    let ground = ground();
    let chosen = match (name, seed) {
        (None, Some(seed)) => Some(sweep::drawn(&ground, &Fault::all(), MOST, seed)),
        (name, seed) => name
            .and_then(Scenario::named)
            .map(|scenario| seed.map_or_else(|| scenario.clone(), |seed| scenario.drawn(seed)))
            .zip(schedule.map_or_else(|| Some(Schedule::new()), sweep::schedule)),
    };
    let Some((scenario, schedule)) = chosen else {
        eprintln!("name a scenario, perhaps with a --schedule as a sweep shows it, or a --seed");
        return no_scenario(name.unwrap_or_default());
    };
    tell(&life::live(&ground, &scenario, &schedule, seed.unwrap_or(1)))
}

fn show_walk(which: Which) -> ExitCode {
    let Some((specs, outcome)) = walk::replay(&ground(), which) else {
        eprintln!(
            "there is no such change; `sweep --parts walks` shows the numbers of those that were not survived"
        );
        return ExitCode::from(2);
    };
    for (spec, requests) in &specs {
        let rests = || "until it rests".to_owned();
        let until = requests.map_or_else(rests, |requests| format!("for {requests} requests"));
        println!("{until}: {spec}");
    }
    tell(&outcome)
}

/// Every request of a life, and what must not be.
fn tell(outcome: &Outcome) -> ExitCode {
    for (number, effect) in outcome.journal.iter().enumerate() {
        println!("{number:4} {effect}");
    }
    for violation in &outcome.violations {
        println!("violated: {violation}");
    }
    ExitCode::from(u8::from(!outcome.violations.is_empty()))
}

#[cfg(not(planted))]
fn known_bugs(_: &[String]) -> ExitCode {
    eprintln!("no bug can be planted in this build: `make known-bugs` builds one with `--cfg planted`");
    ExitCode::from(2)
}

/// One row a bug, as `docs/known-bugs.md` has them.
#[cfg(planted)]
fn known_bugs(wanted: &[String]) -> ExitCode {
    use jwthttpapi_core::planted::Bug;
    let (ground, workers) = (ground(), available_parallelism().map_or(1, usize::from));
    let is_wanted = |bug: &Bug| wanted.is_empty() || wanted.iter().any(|name| Bug::named(name) == Some(*bug));
    let (mut planted, mut caught, mut opened, mut undocumented) = (0, 0, 0, 0);
    println!("| bug | source | the operator | caught by | lives | shown by |\n|---|---|---|---|---|---|");
    for bug in Bug::ALL.into_iter().filter(is_wanted) {
        let catch = bugs::hunt(&ground, bug, workers);
        planted += 1;
        caught += usize::from(catch.shown.is_some());
        opened += usize::from(catch.rules().contains(&Rule::NeverOpen));
        println!("{}", bugs::row(bug, &catch));
        if !DOCUMENTED.contains(&bugs::beginning(bug)) {
            println!("docs/known-bugs.md has another row for it, or none");
            undocumented += 1;
        }
    }
    println!("\n{caught} of {planted} planted bugs were caught, {opened} of them by what they opened");
    let too_few = wanted.is_empty() && opened < LEAST_OPENED;
    ExitCode::from(u8::from(caught != planted || too_few || undocumented > 0))
}

fn slice(repeats: usize, lives: usize) -> ExitCode {
    if repeats <= 1 {
        let (digest, survived) = sweep::slice(&ground(), &Fault::all(), MOST, lives);
        println!("{survived} of {lives} survived, all their requests: {digest:016x}");
        return ExitCode::from(u8::from(survived != lives));
    }
    let began = Instant::now();
    let workers = available_parallelism().map_or(1, usize::from);
    let said = workers::each(
        workers,
        repeats,
        |_| one_slice(lives),
        |said: &mut BTreeMap<String, usize>, one| *said.entry(one).or_default() += 1,
    );
    for (one, times) in &said {
        println!("{times} times: {one}");
    }
    let most = said.values().max().copied().unwrap_or_default();
    let flakes = repeats - most;
    println!(
        "{repeats} repeats in {} s, {flakes} flakes",
        began.elapsed().as_secs()
    );
    let survived = said.keys().all(|one| one.starts_with(&format!("{lives} of")));
    ExitCode::from(u8::from(flakes > 0 || !survived))
}

/// What one more process says of the slice.
fn one_slice(lives: usize) -> String {
    let said = env::current_exe().and_then(|program| {
        Command::new(program)
            .args(["slice", "--lives", &lives.to_string()])
            .output()
    });
    match said {
        Ok(said) => String::from_utf8_lossy(&said.stdout).trim().to_owned(),
        Err(error) => format!("it did not run: {error}"),
    }
}

fn bench(lives: u32) -> ExitCode {
    let (ground, schedule) = (ground(), Schedule::new());
    for scenario in [Scenario::bare()].into_iter().chain(Scenario::all()) {
        let began = Instant::now();
        for seed in 0..lives {
            let outcome = life::live(&ground, &scenario, &schedule, seed.into());
            if !outcome.violations.is_empty() {
                println!("{}: {:?}", scenario.name, outcome.violations);
                return ExitCode::FAILURE;
            }
        }
        let rate = f64::from(lives) / began.elapsed().as_secs_f64();
        println!(
            "{}: {rate:.0} lives a second on one core, oracles on",
            scenario.name
        );
    }
    ExitCode::SUCCESS
}
