//! Everything that can go wrong, lived and counted.

use super::{MOST, no_scenario};
use clap::{Args, ValueEnum};
use jwthttpapi_simulation::{
    Ground,
    fault::{Fault, Schedule},
    ground,
    life::{self, Phase},
    scenario::Scenario,
    sweep::{self, Tally},
    walk::{self, Walked},
};
use std::{collections::BTreeSet, process::ExitCode, thread::available_parallelism};

/// Schedules of a whole sweep that are drawn by chance, and those of two and of three faults that it has at least.
const MOST_BY_CHANCE: usize = 100_000;
const LEAST_OF_TWO: usize = 20_000;
const LEAST_OF_THREE: usize = 90_000;

/// What is lived.
#[derive(Debug, Args)]
pub(super) struct Whole {
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

impl Whole {
    /// Lives it, and shows what came of it.
    pub(super) fn run(&self) -> ExitCode {
        let faults = named(&self.faults);
        if faults.is_empty() {
            eprintln!("no fault has such a name; a sweep without --faults tries all");
            return ExitCode::from(2);
        }
        match singles(&self.scenarios) {
            Ok(singles) => self.live(&singles, &faults),
            Err(unknown) => no_scenario(&unknown),
        }
    }

    fn live(&self, singles: &[Scenario], faults: &[Fault]) -> ExitCode {
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
        for part in &self.parts {
            match part {
                Part::One => {
                    let (mut lives, mut survived) = (0, 0);
                    for scenario in singles {
                        let tally = sweep::exhaustive(&ground, scenario, faults, 1, workers);
                        (lives, survived) = (lives + tally.lives, survived + tally.survived);
                        report(&format!("one fault, {}", scenario.name), tally, 0);
                    }
                    println!("one fault, all of these: {survived} of {lives} survived");
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
                        self.random,
                        self.seed,
                        workers,
                    ),
                    self.random.min(MOST_BY_CHANCE),
                ),
                Part::Walks => {
                    let every = walk::every(&ground, workers, 1);
                    walked += tell("walks over every change", &every);
                    let random = walk::random(&ground, workers, self.walks, self.seed);
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
        let scenario = Scenario {
            planted,
            ..Scenario::bare()
        };
        // What is wrong undisturbed would be no comparison.
        let undisturbed = life::live(ground, &scenario, &Schedule::new(), 1).violations;
        if !undisturbed.is_empty() {
            println!("creation protocol, {name}, undisturbed: {undisturbed:?}");
            as_it_should_be = false;
        }
        for depth in [1, 2] {
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
