//! Which lives show which planted bug.
//!
//! A bug that shows in any life at all is looked for in every scenario without a fault, then under every single fault. One
//! that needs more says what: an AWS whose lists lag, two processes, two faults together.

use crate::{
    deed::{Deed, Drift},
    fault::{Fault, Sender, Side},
    ground::Ground,
    oracle::Rule,
    outage::Outage,
    scenario::Scenario,
    sweep::{self, Failure},
};
use jwthttpapi_core::planted::Bug;
use serde_json::json;
use std::collections::BTreeSet;

/// Lives among which one shows a bug: those with up to so many of the faults.
struct Hunt {
    scenario: Scenario,
    faults: Vec<Fault>,
    depth: usize,
    /// The rules that it is to break; any if there are none.
    rules: &'static [Rule],
}

/// What a hunt came to.
#[derive(Clone, Debug)]
pub struct Catch {
    /// How many lives it took.
    pub lives: usize,
    /// The life that showed it; none when none did.
    pub shown: Option<Failure>,
}

impl Catch {
    /// The rules that were broken.
    pub fn rules(&self) -> BTreeSet<Rule> {
        let violations = self.shown.iter().flat_map(|failure| &failure.violations);
        violations.map(|violation| violation.rule).collect()
    }
}

/// How the row of a bug begins, whatever caught it.
pub fn beginning(bug: Bug) -> String {
    let name = bug.name().trim_start_matches("planted:");
    let (source, what) = (bug.source(), bug.what());
    format!("| `{name}` | {source} | {what} | ")
}

/// A bug and its catch as a row of a table.
pub fn row(bug: Bug, catch: &Catch) -> String {
    let rules: Vec<&str> = catch.rules().into_iter().map(Rule::name).collect();
    let (rules, shown) = match &catch.shown {
        None => ("**not caught**".to_owned(), String::new()),
        Some(failure) => {
            let faults = failure.schedule.iter();
            let faults: Vec<String> = faults
                .map(|(number, fault)| format!("{fault} at request {number}"))
                .collect();
            let faults = if faults.is_empty() {
                "no fault".to_owned()
            } else {
                faults.join(", ")
            };
            (rules.join(", "), format!("{}: {faults}", failure.scenario))
        }
    };
    let (beginning, lives) = (beginning(bug), catch.lives);
    format!("{beginning}{rules} | {lives} | {shown} |")
}

/// Looks for a bug until a life shows it.
pub fn hunt(ground: &Ground, bug: Bug, workers: usize) -> Catch {
    let mut lives = 0;
    for mut hunt in hunts(bug) {
        hunt.scenario.planted = Some(bug.name());
        let tally = sweep::first(
            ground,
            &hunt.scenario,
            &hunt.faults,
            hunt.depth,
            workers,
            hunt.rules,
        );
        lives += tally.lives;
        if let Some(failure) = tally.failures.into_iter().next() {
            return Catch {
                lives,
                shown: Some(failure),
            };
        }
    }
    Catch { lives, shown: None }
}

fn hunts(bug: Bug) -> Vec<Hunt> {
    let mut hunts = special(bug);
    let plain = |scenario| Hunt {
        scenario,
        faults: Vec::new(),
        depth: 0,
        rules: &[],
    };
    let single = |scenario| Hunt {
        scenario,
        faults: Fault::all(),
        depth: 1,
        rules: &[],
    };
    if hunts.is_empty() {
        hunts.extend(Scenario::by_chance().into_iter().map(plain));
        hunts.extend(Scenario::all().into_iter().map(single));
    }
    hunts
}

fn with(scenario: Scenario, depth: usize, faults: impl Into<Vec<Fault>>) -> Vec<Hunt> {
    vec![Hunt {
        scenario,
        faults: faults.into(),
        depth,
        rules: &[],
    }]
}

/// For a bug that something lesser gives away at once: lives that show what it is known for, a second API or one that is left.
fn doubling(scenario: Scenario, faults: impl Into<Vec<Fault>>) -> Vec<Hunt> {
    let mut hunts = with(scenario, 1, faults);
    for hunt in &mut hunts {
        hunt.rules = &[Rule::OneApi, Rule::NothingLeft];
    }
    hunts
}

/// Lives for the bugs that not every sweep of single faults shows, or not soon.
fn special(bug: Bug) -> Vec<Hunt> {
    let lost = Fault::Reset(Side::After);
    let died = Fault::Crash(Side::After);
    let denied = |patch| Fault::Deed(Deed::Switch(patch, 180));
    match bug {
        Bug::StaleObject => with(
            Scenario::smallest(),
            2,
            [
                Fault::Deed(Deed::DelayEvents),
                lost,
                Fault::Status(Side::Before, 503),
            ],
        ),
        Bug::NameIsProof => with(Scenario::smallest(), 1, [Fault::Deed(Deed::Wipe("*"))]),
        Bug::NoIntent | Bug::NoSettleWait => with(Scenario::lagging(), 1, [died, lost]),
        Bug::NoListBeforeRelease => with(Scenario::bare(), 2, [died, lost, Fault::Deed(Deed::Delete)]),
        Bug::HastyRelease => with(Scenario::lagging(), 2, [died, lost, Fault::Deed(Deed::Delete)]),
        Bug::KeepDuplicates | Bug::NoFence | Bug::LeadsOn => {
            with(Scenario::pair(), 1, [Fault::Pause { seconds: 60 }])
        }
        Bug::LeftBehind => with(Scenario::role(), 1, [Fault::Deed(Deed::Replace)]),
        Bug::DeafToFailures => with(Scenario::smallest(), 1, [Fault::Deed(Deed::FailDeployments)]),
        Bug::NeverReclaims => with(Scenario::role(), 1, [Fault::Deed(Deed::Replace)]),
        Bug::AbsentAtOnce => with(Scenario::delayed(), 1, [Fault::Deed(Deed::Delete)]),
        Bug::DeletedForGood => with(
            Scenario::smallest(),
            2,
            [Fault::Late(Sender::Dies), Fault::Deed(Deed::Delete)],
        ),
        Bug::UnwrittenGrants => with(Scenario::smallest(), 2, [died, Fault::Deed(Deed::Delete)]),
        Bug::UnknownIsEmpty => with(
            Scenario::role(),
            1,
            [denied(
                r#"{"principals": {"AKIDOPERATOR": {"deny": ["iam:GetRole"]}}}"#,
            )],
        ),
        Bug::NoIamWait => with(
            Scenario {
                switches: json!({"iam_delay_ms": 8_000}),
                ..Scenario::role()
            },
            0,
            [],
        ),
        Bug::FinalizerFirst => with(Scenario::smallest(), 1, [Fault::Crash(Side::Before), died]),
        Bug::OrphansAtOnce => with(Scenario::abandoned(), 0, []),
        Bug::NoBudget => with(Scenario::wide(), 0, []),
        Bug::SwitchOvertakes => with(Scenario::switched(), 0, []),
        Bug::RepointsAtOnce | Bug::GoesAtOnce | Bug::EndsFirst => Scenario::repointed()
            .into_iter()
            .flat_map(|scenario| with(scenario, 0, []))
            .collect(),
        Bug::FirstDeployment => with(Scenario::unhurried(), 0, []),
        Bug::AckShape | Bug::CreatesWithoutLook => doubling(Scenario::smallest(), [lost, died]),
        Bug::SdkRetries => with(
            Scenario::smallest(),
            1,
            [lost, died, Fault::Status(Side::After, 500)],
        ),
        Bug::FinalizerDropped => with(
            Scenario::bare(),
            2,
            [lost, Fault::Status(Side::After, 500), Fault::Deed(Deed::Delete)],
        ),
        Bug::DeleteThenCreate | Bug::OpenThenProtect | Bug::LeftoversFirst => with(Scenario::policy(), 0, []),
        Bug::EachCreates => with(
            Scenario::hasty(),
            2,
            [Fault::Terminate, Fault::Deed(Deed::Wipe("grants"))],
        ),
        Bug::NeverBack => with(Scenario::lagging(), 1, [Fault::Deed(Deed::AncientList)]),
        Bug::WaitEndsFailures => with(Scenario::rivals(), 1, Outage::ALL.map(Fault::Outage)),
        Bug::NeverTryAgain => with(Scenario::smallest(), 1, [died, lost]),
        Bug::TerminalForever => with(
            Scenario::smallest(),
            1,
            [denied(
                r#"{"principals": {"AKIDOPERATOR": {"deny": ["apigateway:POST"]}}}"#,
            )],
        ),
        Bug::NoTimeouts => with(Scenario::smallest(), 1, [Fault::Hang(Side::After)]),
        Bug::PanicEndsAll => with(Scenario::smallest(), 1, [Fault::Panic]),
        Bug::ReleasedTooEarly => with(Scenario::pair(), 2, [Fault::Hang(Side::After), Fault::Terminate]),
        Bug::SameName => with(Scenario::beside(), 0, []),
        Bug::TrustedId => with(
            Scenario::smallest(),
            1,
            Deed::all()
                .into_iter()
                .filter(|deed| matches!(deed, Deed::Corrupt("apiId", _)))
                .map(Fault::Deed)
                .collect::<Vec<_>>(),
        ),
        Bug::AnyPlace => with(
            Scenario::smallest(),
            1,
            [Fault::Deed(Deed::Corrupt("accountId", "999999999999"))],
        ),
        Bug::RawText => with(Scenario::smallest(), 1, [Fault::Status(Side::Before, 503)]),
        Bug::FirstPageOnly => with(
            Scenario {
                switches: json!({"page_size": 1}),
                ..Scenario::policy()
            },
            0,
            [],
        ),
        Bug::ExtrasStay => with(Scenario::role(), 1, [Fault::Deed(Deed::Drift(Drift::ExtraRoute))]),
        _ => Vec::new(),
    }
}
