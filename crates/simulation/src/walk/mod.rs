//! Walks: one object whose spec changes again and again, as the schema allows, and back to the first.
//!
//! At every rest AWS is what the spec says, whatever was before; a spec reached by history is the same as one made from
//! scratch; and the first spec again gives the first state again. A change may come while the last one is in flight. A spec
//! that is not accepted leaves AWS as the last accepted one made it.

mod change;
mod waits;

pub use change::{Change, Kind};

use crate::{
    OBJECT,
    fault::Schedule,
    ground::Ground,
    life::{Life, Outcome, Phase},
    oracle::{Rule, Violation, is_ready},
    scenario::Scenario,
    workers,
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// How long a spec may take until it is settled one way or another: an issuer is tried three times.
const SETTLED: Duration = Duration::from_secs(400);
/// How many requests of a change pass, at most, before the next one comes in flight.
const MOST_IN_FLIGHT: usize = 16;
/// Changes of a walk that is drawn by chance, at most.
const MOST_CHANGES: usize = 8;

/// One spec of a walk.
#[derive(Clone, Debug)]
struct Step {
    spec: Value,
    /// After how many requests the next one comes; none for as many as it takes.
    requests: Option<usize>,
}

/// Specs, one after the other.
#[derive(Clone, Debug)]
struct Walk {
    name: String,
    first: Value,
    steps: Vec<Step>,
    /// The seed of AWS's unconfirmed behaviour; none for the usual.
    drawn: Option<u64>,
}

/// What walks came to.
#[derive(Debug, Default)]
pub struct Walked {
    /// Walks.
    pub walks: usize,
    /// Those without a violation.
    pub survived: usize,
    /// Walks with one, by name: a few of them.
    pub failures: Vec<(String, Vec<Violation>)>,
}

/// Which changes the schema gives.
#[derive(Debug, Default)]
pub struct Coverage {
    /// Properties and what is done to them.
    pub covered: BTreeSet<(String, Kind)>,
    /// Properties of the schema that no change is about.
    pub untouched: Vec<String>,
}

/// Which changes [`every`] makes.
pub fn coverage() -> Coverage {
    let schema = change::schema();
    let bases = change::bases();
    let changes = bases.iter().flat_map(|base| change::all(&schema, base));
    let covered: BTreeSet<(String, Kind)> = changes
        .map(|change| (change::about(&change), change.kind))
        .collect();
    let touched: BTreeSet<&String> = covered.iter().map(|(property, _)| property).collect();
    let untouched = change::properties(&schema)
        .into_iter()
        .filter(|property| !touched.contains(property))
        .collect();
    Coverage { covered, untouched }
}

/// How many failures are shown.
const SHOWN: usize = 20;

/// Walks over every change of every property, from a spec that says everything and from one that says little: once at rest,
/// and once with the way back in flight. Only every `stride`-th change is made.
pub fn every(ground: &Ground, workers: usize, stride: usize) -> Walked {
    let walks = over_every_change();
    let of_changes = walks.chunks(OF_A_CHANGE).step_by(stride);
    let walks: Vec<Walk> = of_changes.flatten().cloned().collect();
    go(ground, workers, &walks)
}

/// Walks over one change.
const OF_A_CHANGE: usize = 2;

fn over_every_change() -> Vec<Walk> {
    let schema = change::schema();
    let mut walks = Vec::new();
    for base in change::bases() {
        for (index, change) in change::all(&schema, &base).into_iter().enumerate() {
            let ways: [_; OF_A_CHANGE] = [None, Some(index % MOST_IN_FLIGHT + 1)];
            for requests in ways {
                let changed = Step {
                    spec: change.of(&base),
                    requests,
                };
                let back = Step {
                    spec: base.clone(),
                    requests: None,
                };
                let number = walks.len();
                walks.push(Walk {
                    name: format!("change {number}: {change} {requests:?}"),
                    first: base.clone(),
                    steps: vec![changed, back],
                    drawn: None,
                });
            }
        }
    }
    walks
}

/// Walks of several changes drawn by chance, half of them in flight, over an AWS whose unconfirmed behaviour is drawn, too.
pub fn random(ground: &Ground, workers: usize, count: usize, seed: u64) -> Walked {
    let number = |index: usize| seed.wrapping_add(u64::try_from(index).unwrap_or_default());
    let walks: Vec<Walk> = (0..count).map(|index| Walk::drawn(number(index))).collect();
    go(ground, workers, &walks)
}

/// Which walk.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// The one over the change of this number.
    Change(usize),
    /// The one that this seed draws.
    Drawn(u64),
}

/// A walk's specs, each with the number of requests after which the next one comes, and its life.
pub type Replayed = (Vec<(Value, Option<usize>)>, Outcome);

/// Walks one of those once more, if there is such a one.
pub fn replay(ground: &Ground, which: Which) -> Option<Replayed> {
    let walk = match which {
        Which::Change(number) => over_every_change().into_iter().nth(number)?,
        Which::Drawn(seed) => Walk::drawn(seed),
    };
    let (outcome, _) = walk.live(ground, &walk.scenario(&walk.first), &walk.steps);
    let first = (walk.first, None);
    let then = walk.steps.into_iter().map(|step| (step.spec, step.requests));
    Some((std::iter::once(first).chain(then).collect(), outcome))
}

fn go(ground: &Ground, workers: usize, walks: &[Walk]) -> Walked {
    let walk = |number: usize| (&walks[number].name, walks[number].go(ground));
    workers::each(
        workers,
        walks.len(),
        walk,
        |walked: &mut Walked, (name, violations)| {
            walked.walks += 1;
            if violations.is_empty() {
                walked.survived += 1;
            } else if walked.failures.len() < SHOWN {
                walked.failures.push((name.clone(), violations));
            }
        },
    )
}

/// What a spec came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// AWS is as it says.
    Ready,
    /// It is not accepted, or cannot be read.
    NotAccepted,
    /// Something else keeps it from being in force.
    Held,
}

impl Walk {
    fn drawn(seed: u64) -> Self {
        let schema = change::schema();
        let mut draw = fastrand::Rng::with_seed(seed);
        let [rich, plain] = change::bases();
        let first = if draw.bool() { rich } else { plain };
        let mut spec = first.clone();
        let mut steps = Vec::new();
        for _ in 0..draw.usize(1..=MOST_CHANGES) {
            let changes = change::all(&schema, &spec);
            let Some(change) = draw.choice(&changes) else {
                continue;
            };
            // What is wrong cannot be built upon.
            let changed = change.of(&spec);
            if change.kind != Kind::Wrong {
                spec.clone_from(&changed);
            }
            let requests = draw.bool().then(|| draw.usize(1..=MOST_IN_FLIGHT));
            steps.push(Step {
                spec: changed,
                requests,
            });
        }
        steps.push(Step {
            spec: first.clone(),
            requests: None,
        });
        Self {
            name: format!("walk {seed}"),
            first,
            steps,
            drawn: Some(seed),
        }
    }

    fn go(&self, ground: &Ground) -> Vec<Violation> {
        let scenario = self.scenario(&self.first);
        let (outcome, shown) = self.live(ground, &scenario, &self.steps);
        let mut violations = outcome.violations;
        // The specs that came to rest, once more from scratch. One that is suspended makes nothing.
        let made = shown.into_iter().filter(|(spec, _)| spec["suspend"] != true);
        for (spec, by_history) in made {
            let (outcome, from_scratch) = self.live(ground, &self.scenario(&spec), &[]);
            violations.extend(outcome.violations);
            let from_scratch = from_scratch.into_iter().next().map(|(_, shown)| shown);
            // An issuer that AWS does not ask again may be there from before.
            if from_scratch.is_none() && !waits::may_wait_for(&spec).is_empty() {
                continue;
            }
            if from_scratch.as_ref() != Some(&by_history) {
                let from_scratch = from_scratch.unwrap_or_default();
                violations.push(Violation {
                    rule: Rule::AsSpecified,
                    how: format!("by history AWS is {by_history}, and {from_scratch} from scratch"),
                });
            }
        }
        violations
    }

    fn scenario(&self, first: &Value) -> Scenario {
        let scenario = Scenario {
            name: "walk",
            first: first.clone(),
            verified: false,
            flags: &["--passable-roles=*"],
            ..Scenario::smallest()
        };
        self.drawn
            .map_or_else(|| scenario.clone(), |seed| scenario.drawn(seed))
    }

    /// Lives it; what AWS showed at each rest of a spec in force.
    fn live(&self, ground: &Ground, scenario: &Scenario, steps: &[Step]) -> (Outcome, Vec<(Value, Value)>) {
        let mut shown = Vec::new();
        let outcome = crate::life::in_a_thread(self.drawn.unwrap_or(1), scenario, async |seed| {
            let mut life = Life::begin(ground, scenario, &Schedule::new(), seed);
            life.start();
            if let Err(problem) = life.walk(steps, &mut shown).await {
                life.oracle.violated(Rule::ComesToRest, problem);
            }
            life.end().await
        });
        (outcome, shown)
    }
}

impl Life<'_> {
    async fn walk(&mut self, steps: &[Step], shown: &mut Vec<(Value, Value)>) -> Result<(), String> {
        self.user(Phase::Create);
        self.world.announce();
        let first = self.scenario.first.clone();
        let verdict = self.settle(&first, true).await;
        if verdict == Verdict::Ready {
            shown.push((first, self.shown()));
        } else if !steps.is_empty() {
            let how = format!("a walk has to begin with a spec in force, and this is {verdict:?}");
            self.oracle.violated(Rule::ComesToRest, how);
        }
        // Whether AWS was at rest, as the spec in force says, before this step.
        let mut rested = true;
        for step in steps {
            self.oracle.wanted(&step.spec);
            if let Some(mut object) = self.object() {
                object["spec"] = step.spec.clone();
                let _ = self.world.state().kubernetes.edit(&OBJECT, object);
            }
            self.world.announce();
            if let Some(requests) = step.requests {
                let until = self.world.state().journal.len() + requests;
                self.until(SETTLED, |world| world.state().journal.len() >= until)
                    .await;
                rested = false;
                continue;
            }
            let verdict = self.settle(&step.spec, rested).await;
            if verdict == Verdict::Ready {
                shown.push((step.spec.clone(), self.shown()));
            }
            rested = verdict == Verdict::Ready || (rested && verdict == Verdict::NotAccepted);
        }
        if let (Some((first, then)), Some((last, now))) = (shown.first(), shown.last())
            && first == last
            && then != now
        {
            let how = format!("the first spec again gave {now}, and not {then}");
            self.oracle.violated(Rule::AsSpecified, how);
        }
        // Which specs come to rest twice is not worth a second look from scratch.
        shown.dedup_by(|one, other| one.0 == other.0);
        self.world.delete();
        self.world.announce();
        self.reach(Phase::Delete).await?;
        self.oracle.at_rest(&self.world, Phase::Delete);
        Ok(())
    }

    /// Waits until the newest generation is settled, and judges what AWS has come to.
    async fn settle(&mut self, spec: &Value, rested: bool) -> Verdict {
        self.until(SETTLED, |world| {
            let object = world.state().kubernetes.get(&OBJECT).unwrap_or_default();
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
        })
        .await;
        let object = self.object().unwrap_or_default();
        let conditions = object["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let accepted = conditions
            .iter()
            .find(|condition| condition["type"] == "Accepted");
        let refused = accepted.is_some_and(|accepted| {
            accepted["status"] == "False"
                && accepted["observedGeneration"] == object["metadata"]["generation"]
        });
        let unread = serde_json::from_value::<jwthttpapi_core::api::JwtHttpApiSpec>(spec.clone()).is_err();
        if is_ready(&object) {
            self.oracle.at_rest(&self.world, Phase::Update);
            self.rest().await;
            Verdict::Ready
        } else if refused || unread {
            if rested {
                self.oracle.stays(&self.world);
            }
            Verdict::NotAccepted
        } else {
            let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
            let reason = ready
                .and_then(|ready| ready["reason"].as_str())
                .unwrap_or("no condition");
            if !waits::may_wait_for(spec).contains(&reason) {
                let how = format!("{reason} holds what nothing has to hold: {object}");
                self.oracle.violated(Rule::ComesToRest, how);
            }
            Verdict::Held
        }
    }

    fn shown(&self) -> Value {
        let object = self.object().unwrap_or_default();
        let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
        crate::oracle::shown(&self.world.sandbox().state(), uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_made_where_it_points() {
        let spec = json!({"routes": [{"routeKey": "GET /a"}]});
        let schema = change::schema();
        let changes = change::all(&schema, &change::bases()[1]);
        let key = changes
            .iter()
            .find(|change| change.pointer == "/routes/0/routeKey" && change.kind == Kind::Change);
        assert_eq!(
            key.unwrap().of(&spec),
            json!({"routes": [{"routeKey": "POST /a"}]})
        );
    }
}
