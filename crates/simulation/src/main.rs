//! Runs lives with faults and counts which survive.

#![expect(clippy::print_stdout, reason = "what the program is for")]

use clap::{Parser, Subcommand, ValueEnum};
use jwthttpapi_simulation::{
    Ground,
    fault::{Fault, Schedule},
    ground,
    life::{self, Phase},
    scenario::Scenario,
    sweep::{self, Tally},
    walk::{self, Walked},
    workers,
};
#[cfg(planted)]
use jwthttpapi_simulation::{bugs, oracle::Rule};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::{Command, ExitCode},
    thread::available_parallelism,
    time::Instant,
};

/// A life is thousands of short allocations, in a thread of its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Faults of a schedule drawn by chance, at most.
const MOST: usize = 6;
/// Schedules of a whole sweep that are drawn by chance, and those of two and of three faults that it has at least.
const MOST_BY_CHANCE: usize = 100_000;
const LEAST_OF_TWO: usize = 20_000;
const LEAST_OF_THREE: usize = 90_000;
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
    Sweep {
        /// Schedules drawn by chance.
        #[arg(long, default_value_t = MOST_BY_CHANCE)]
        random: usize,
        /// Walks over specs drawn by chance.
        #[arg(long, default_value_t = 2_000)]
        walks: usize,
        /// The first seed of those.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// What to run.
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "one,two,three,chance,walks,baseline"
        )]
        parts: Vec<Part>,
        /// The scenarios of the part `one`; all of them when none is named.
        #[arg(long, value_delimiter = ',')]
        scenarios: Vec<String>,
        /// Only faults in whose names one of these words is, in the parts `one` and `chance`.
        #[arg(long, value_delimiter = ',')]
        faults: Vec<String>,
    },
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
        /// How many lives; the default takes about half a minute on one core.
        #[arg(long, default_value_t = 2_500)]
        lives: usize,
    },
    /// Counts lives a second on one core.
    Bench {
        /// How many.
        #[arg(default_value_t = 1000)]
        lives: u32,
    },
}

/// Parts of a sweep.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// Every fault at every request, in every scenario.
    One,
    /// Every pair of faults, in a small scenario with a change.
    Two,
    /// Every triple of deaths and lost answers, in the smallest scenario.
    Three,
    /// Up to six faults drawn by chance, in every scenario.
    Chance,
    /// Changes of the spec, every one that the schema allows, and several drawn by chance.
    Walks,
    /// The creation protocol of the nearest rival beside ours.
    Baseline,
}

fn main() -> ExitCode {
    match Cli::parse().verb {
        Verb::Sweep {
            random,
            walks,
            seed,
            parts,
            scenarios,
            faults,
        } => match (singles(&scenarios), named(&faults)) {
            (Err(unknown), _) => no_scenario(&unknown),
            (_, faults) if faults.is_empty() => {
                eprintln!("no fault has such a name; a sweep without --faults shows what there is");
                ExitCode::from(2)
            }
            (Ok(singles), faults) => all(random, walks, seed, &parts, &singles, &faults),
        },
        Verb::Show {
            scenario,
            seed,
            schedule,
        } => show(scenario.as_deref(), seed, schedule.as_deref()),
        Verb::Slice { repeats, lives } => slice(repeats, lives),
        Verb::KnownBugs { bugs } => known_bugs(&bugs),
        Verb::Bench { lives } => bench(lives),
    }
}

/// The scenarios of these names, all when there is none; else the name that no scenario has.
fn singles(names: &[String]) -> Result<Vec<Scenario>, String> {
    if names.is_empty() {
        return Ok(Scenario::every());
    }
    let named = |name: &String| Scenario::named(name).ok_or_else(|| name.clone());
    names.iter().map(named).collect()
}

/// The faults in whose names one of these words is, all when there is none.
fn named(words: &[String]) -> Vec<Fault> {
    let is_meant = |fault: &Fault| {
        let name = fault.to_string();
        words.is_empty() || words.iter().any(|word| name.contains(word))
    };
    Fault::all().into_iter().filter(is_meant).collect()
}

fn no_scenario(name: &str) -> ExitCode {
    let names: Vec<&str> = Scenario::every().iter().map(|scenario| scenario.name).collect();
    eprintln!("there is no scenario {name:?}; name one of {}", names.join(", "));
    ExitCode::from(2)
}

fn all(
    random: usize,
    walks: usize,
    seed: u64,
    parts: &[Part],
    singles: &[Scenario],
    faults: &[Fault],
) -> ExitCode {
    let ground = ground();
    let workers = available_parallelism().map_or(1, usize::from);
    let mut whole = Tally::default();
    let mut walked = 0;
    let mut too_few = false;
    let mut better = true;
    let mut report = |title: &str, tally: Tally, least: usize| {
        println!(
            "{title}: {} of {} survived, {:.0} a second",
            tally.survived,
            tally.lives,
            rate(&tally)
        );
        for failure in &tally.failures {
            println!("  {}", sweep::shrink(&ground, failure));
        }
        for replay in &tally.replays {
            println!("  show {replay}");
        }
        if tally.lives < least {
            println!("  these are fewer than {least}");
            too_few = true;
        }
        whole.add(tally);
    };
    for part in parts {
        match part {
            Part::One => {
                for scenario in singles {
                    let tally = sweep::exhaustive(&ground, scenario, faults, 1, workers);
                    report(&format!("one fault, {}", scenario.name), tally, 0);
                }
            }
            Part::Two => report(
                "two faults, brief",
                sweep::exhaustive(&ground, &Scenario::brief(), &Fault::in_pairs(), 2, workers),
                LEAST_OF_TWO,
            ),
            Part::Three => report(
                "three faults, bare",
                sweep::exhaustive(&ground, &Scenario::bare(), &Fault::in_triples(), 3, workers),
                LEAST_OF_THREE,
            ),
            Part::Chance => report(
                "up to six faults by chance, all scenarios",
                sweep::random(
                    &ground,
                    &Scenario::by_chance(),
                    faults,
                    MOST,
                    random,
                    seed,
                    workers,
                ),
                random.min(MOST_BY_CHANCE),
            ),
            Part::Walks => {
                let every = walk::every(&ground, workers, 1);
                walked += tell("walks over every change", &every);
                let random = walk::random(&ground, workers, walks, seed);
                walked += tell("walks by chance", &random);
            }
            Part::Baseline => better &= baseline(&ground, workers),
        }
    }
    table(&whole);
    println!(
        "\n{} of {} lives survived; {walked} walks were not",
        whole.survived, whole.lives
    );
    ExitCode::from(u8::from(
        whole.survived != whole.lives || walked > 0 || too_few || !better,
    ))
}

/// Shows what walks came to; how many were not survived.
fn tell(title: &str, walked: &Walked) -> usize {
    println!("{title}: {} of {} survived", walked.survived, walked.walks);
    for (name, violations) in &walked.failures {
        println!("  {name}");
        for violation in violations {
            println!("    {violation}");
        }
    }
    walked.walks - walked.survived
}

/// The creation protocol of the nearest rival, under the deaths and lost answers that ours is tried with; whether ours survives
/// them all, and that one does not.
fn baseline(ground: &Ground, workers: usize) -> bool {
    if !cfg!(planted) {
        println!(
            "baseline: left out, since no bug can be planted in this build (`make sweep` builds one that can)"
        );
        return true;
    }
    let mut as_it_should_be = true;
    for (name, planted) in [("ours", None), ("ACK-shaped", Some("AckShape"))] {
        for depth in [1, 2] {
            let scenario = Scenario {
                planted,
                ..Scenario::bare()
            };
            let tally = sweep::exhaustive(ground, &scenario, &Fault::in_triples(), depth, workers);
            println!(
                "creation protocol, {name}, up to {depth} deaths or lost answers: {} of {} survived",
                tally.survived, tally.lives
            );
            as_it_should_be &= (tally.survived == tally.lives) == planted.is_none();
        }
    }
    as_it_should_be
}

/// Survivors by the kind of the first fault, and the phase that it befell.
fn table(tally: &Tally) {
    const PHASES: [Phase; 4] = [Phase::Create, Phase::Update, Phase::Steady, Phase::Delete];
    println!(
        "\n{:26}{:>18}{:>18}{:>18}{:>18}",
        "first fault", "create", "update", "steady", "delete"
    );
    let kinds: BTreeSet<_> = tally.cells.keys().map(|(kind, _)| *kind).collect();
    for kind in kinds {
        let row = PHASES.map(|phase| {
            let cell = tally.cells.get(&(kind, phase));
            cell.map_or_else(String::new, |(lives, survived)| format!("{survived}/{lives}"))
        });
        let [create, update, steady, delete] = row;
        println!("{kind:26}{create:>18}{update:>18}{steady:>18}{delete:>18}");
    }
}

fn rate(tally: &Tally) -> f64 {
    let lives = u32::try_from(tally.lives).unwrap_or(u32::MAX);
    f64::from(lives) / tally.took.as_secs_f64()
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
    let outcome = life::live(&ground, &scenario, &schedule, seed.unwrap_or(1));
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
    let (mut planted, mut caught, mut opened) = (0, 0, 0);
    println!("| bug | source | the operator | caught by | lives | shown by |\n|---|---|---|---|---|---|");
    for bug in Bug::ALL.into_iter().filter(is_wanted) {
        let catch = bugs::hunt(&ground, bug, workers);
        planted += 1;
        caught += usize::from(catch.shown.is_some());
        opened += usize::from(catch.rules().contains(&Rule::NeverOpen));
        println!("{}", bugs::row(bug, &catch));
    }
    println!("\n{caught} of {planted} planted bugs were caught, {opened} of them by what they opened");
    let too_few = wanted.is_empty() && opened < LEAST_OPENED;
    ExitCode::from(u8::from(caught != planted || too_few))
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
