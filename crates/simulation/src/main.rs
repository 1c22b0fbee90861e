//! Runs lives with faults and counts which survive.

#![expect(clippy::print_stdout, reason = "what the program is for")]

use clap::{Parser, Subcommand};
use jwthttpapi_simulation::{
    fault::{Fault, Schedule},
    ground, life,
    scenario::Scenario,
    sweep,
};
use std::process::ExitCode;

/// The operator, over simulated services, under every fault.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows one life, request by request.
    Show {
        /// The scenario's name.
        scenario: String,
    },
    /// Lives every schedule of up to so many faults.
    Exhaust {
        /// The scenario's name.
        scenario: String,
        /// How many faults.
        depth: usize,
        /// Faults of the world instead of those of the wire.
        #[arg(long)]
        world: bool,
    },
}

fn main() -> ExitCode {
    let ground = ground();
    match Cli::parse().verb {
        Verb::Show { scenario } => {
            let Some(scenario) = Scenario::named(&scenario) else {
                return ExitCode::from(2);
            };
            let outcome = life::live(&ground, &scenario, &Schedule::new(), 1);
            for effect in &outcome.journal {
                println!("{effect}");
            }
            println!(
                "{:?} {:?} {:?}",
                outcome.phases, outcome.lasted, outcome.violations
            );
            ExitCode::SUCCESS
        }
        Verb::Exhaust {
            scenario,
            depth,
            world,
        } => {
            let Some(scenario) = Scenario::named(&scenario) else {
                return ExitCode::from(2);
            };
            let faults = if world {
                Fault::of_the_world()
            } else {
                Fault::of_the_wire()
            };
            let tally = sweep::exhaustive(&ground, &scenario, &faults, depth, 2);
            for ((kind, phase), (lives, survived)) in &tally.cells {
                println!("{kind:20} {phase:?}: {survived}/{lives}");
            }
            for (schedule, violations) in &tally.failures {
                println!("{schedule:?}: {violations:?}");
            }
            println!("{} of {} in {:.1?}", tally.survived, tally.lives, tally.took);
            ExitCode::from(u8::from(tally.survived != tally.lives))
        }
    }
}
