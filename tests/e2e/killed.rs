//! The process killed with -9 at every write of a creation, an edit and a deletion, to AWS and to Kubernetes: with the
//! request kept back, so that it never arrives, and with its answer kept back. Each kill is in a part of a life that nothing
//! else befalls: each time one API and Ready in the end, or nothing left.

use crate::ground::{Ground, LIMIT, prompt, route};
use jwthttpapi_test_support::{OPERATOR_ACCESS_KEY, Operator, Proxy, REGION, Side, Sort, process::Launch};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// How long the API server has to be silent before it is asked whether a part of a life is through.
const SILENCE: Duration = Duration::from_millis(150);
/// Lives that are lived at the same time, each on a ground of its own.
const AT_ONCE: usize = 4;
const SIDES: [Side; 2] = [Side::Before, Side::After];

/// What is killed.
struct Subject {
    first: Value,
    edited: Value,
    /// How many of each kind of children there are, before the edit and after it.
    children: [(&'static str, usize); 4],
}

/// Everything by resource policies; the edit has a route leave one function for another.
fn resource_policies(ground: &Ground) -> Subject {
    let spec = |function: &str| {
        ground.spec(&json!({
            "invocation": {"mode": "ResourcePolicy"}, "routes": [route("GET /one", function)],
        }))
    };
    Subject {
        first: spec("one"),
        edited: spec("other"),
        children: children(1),
    }
}

/// Functions of its own and a role; the edit changes the one, and puts a third in the place of the other.
fn functions_of_its_own(ground: &Ground) -> Subject {
    let function = |name: &str, said: &str| {
        json!({
            "name": name, "runtime": "nodejs22.x", "handler": "index.handler",
            "code": format!("export const handler = async () => ({{said: '{said}'}});"),
        })
    };
    let spec = |said: &str, second: &str| {
        ground.spec(&json!({
            "invocation": {"mode": "Role"},
            "functions": [function("kept", said), function(second, "nothing")],
            "routes": [
                {"routeKey": "GET /kept", "lambda": {"function": "kept"}},
                {"routeKey": "GET /second", "lambda": {"function": second}},
            ],
        }))
    };
    Subject {
        first: spec("one thing", "old"),
        edited: spec("another thing", "new"),
        children: children(2),
    }
}

fn children(routes: usize) -> [(&'static str, usize); 4] {
    [
        ("routes", routes),
        ("integrations", routes),
        ("authorizers", 1),
        ("stages", 1),
    ]
}

/// The parts of a life, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Creation,
    Edit,
    Deletion,
}

const PARTS: [Part; 3] = [Part::Creation, Part::Edit, Part::Deletion];

/// A write to AWS: the n-th one of its operation in a part of a life.
type Write = (String, u64);

/// Kinds of things in AWS, and how many there are.
type Things = BTreeMap<&'static str, usize>;

/// What an undisturbed life writes to AWS in a part, and what there is at the end of it.
type Undisturbed = BTreeMap<Part, (Vec<Write>, Things)>;

/// Lives for one scene.
#[derive(Clone, Debug)]
enum Work {
    /// One after the other, each killed at the next effect on Kubernetes of a sort, until no part has a further one.
    Kubernetes(Sort, Side),
    /// One, killed at a write to AWS in each part that has so many.
    Aws(Side, BTreeMap<Part, Write>),
}

/// All lives that have the process killed at each effect on either side of it, the longest work first.
fn work(undisturbed: &Undisturbed) -> Vec<Work> {
    let of = |sort| SIDES.map(|side| Work::Kubernetes(sort, side));
    let mut work = [of(Sort::Write), of(Sort::Event)].concat();
    for nth in 0.. {
        let write =
            |(part, (writes, _)): (&Part, &(Vec<Write>, Things))| Some((*part, writes.get(nth)?.clone()));
        let writes: BTreeMap<Part, Write> = undisturbed.iter().filter_map(write).collect();
        if writes.is_empty() {
            break;
        }
        work.extend(SIDES.map(|side| Work::Aws(side, writes.clone())));
    }
    work
}

/// Tells, when a life fails, which one it was.
struct Told<'a>(&'a Work);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("it was killed at {:?}", self.0);
        }
    }
}

/// Where effects are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum World {
    Kubernetes,
    Aws,
}

/// How often the process was killed.
type Kills = BTreeMap<(Part, World), usize>;

/// A ground of lives, with the operator that is alive at the moment.
struct Scene<'a> {
    ground: &'a Ground,
    subject: Subject,
    proxy: Proxy,
    launch: Launch,
    operator: Operator,
    /// What is in AWS before each life, and after it.
    before: String,
    kills: Kills,
}

impl<'a> Scene<'a> {
    fn new(ground: &'a Ground, subject: fn(&Ground) -> Subject) -> Self {
        ground.functions(&["one", "other"]);
        let proxy = Proxy::start(ground.cluster).unwrap();
        let launch = ground.launch_through(&proxy, &[]);
        Self {
            ground,
            subject: subject(ground),
            proxy,
            operator: Operator::launch(launch.clone()).unwrap(),
            launch,
            before: ground.state(),
            kills: Kills::new(),
        }
    }

    fn undisturbed(&self) -> Undisturbed {
        let part = |part| {
            let mark = self.ground.aws().journal_mark().unwrap();
            self.begin(part);
            self.finish(part);
            let mut times: BTreeMap<String, u64> = BTreeMap::new();
            let made = self.ground.calls(mark).into_iter().filter(|call| call.committed);
            let writes = made.map(|call| {
                let nth = times.entry(call.operation.clone()).or_default();
                *nth += 1;
                (call.operation, *nth)
            });
            (part, (writes.collect(), self.things()))
        };
        PARTS.map(part).into()
    }

    fn carry_out(&mut self, work: &Work, undisturbed: &Undisturbed) {
        let _told = Told(work);
        match work {
            Work::Aws(side, writes) => {
                for part in PARTS {
                    match writes.get(&part) {
                        Some(write) => self.kill_at_aws(part, write, *side),
                        None => self.begin(part),
                    }
                    self.judge(part, undisturbed);
                }
            }
            Work::Kubernetes(sort, side) => {
                let mut left = PARTS.to_vec();
                for nth in 1.. {
                    for part in PARTS {
                        if left.contains(&part) {
                            let killed = self.kill_at_kubernetes(part, *sort, nth, *side);
                            left.retain(|other| killed || *other != part);
                        } else {
                            self.begin(part);
                        }
                        self.judge(part, undisturbed);
                    }
                    if left.is_empty() {
                        break;
                    }
                }
            }
        }
    }

    /// Begins a part of a life, and kills the operator at a write to AWS, which has to be there.
    fn kill_at_aws(&mut self, part: Part, (operation, nth): &Write, side: Side) {
        let aws = self.ground.aws();
        let when = if side == Side::Before { "before" } else { "after" };
        let fault = json!({
            "access_key": OPERATOR_ACCESS_KEY, "operation": operation, "from": nth,
            "action": {"kind": "hold", "when": when},
        });
        aws.add_fault(&fault).unwrap();
        let mut last = aws.journal_mark().unwrap();
        self.begin(part);
        loop {
            let watched = aws.wait(last, LIMIT).unwrap();
            if !watched.held.is_empty() {
                break;
            }
            assert!(!watched.timed_out, "{part:?}: no {operation} {nth}");
            last = watched.last;
        }
        self.kill(part, World::Aws);
    }

    /// Begins a part of a life, and kills the operator at its `nth` effect on Kubernetes of a sort, if there is one.
    fn kill_at_kubernetes(&mut self, part: Part, sort: Sort, nth: u64, side: Side) -> bool {
        self.proxy.hold(sort, nth, side);
        self.begin(part);
        let held = || self.proxy.held(SILENCE).is_some();
        while !held() {
            // What shows that a part is through may itself be an effect whose answer is about to be kept back.
            if self.is_through(part) && !held() {
                self.proxy.release(true);
                return false;
            }
        }
        self.kill(part, World::Kubernetes);
        true
    }

    /// Kills the operator, and starts the next one.
    fn kill(&mut self, part: Part, world: World) {
        self.operator.process().kill().unwrap();
        // In this order: what is kept back before it was carried out never is.
        self.ground.aws().release(None, true).unwrap();
        self.ground.aws().clear_faults().unwrap();
        self.proxy.release(true);
        self.operator = Operator::launch(self.launch.clone()).unwrap();
        *self.kills.entry((part, world)).or_default() += 1;
    }

    fn begin(&self, part: Part) {
        match part {
            Part::Creation => self.ground.apply("hello", &self.subject.first),
            Part::Edit => self.ground.apply("hello", &self.subject.edited),
            Part::Deletion => {
                self.ground
                    .kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
            }
        }
    }

    fn is_through(&self, part: Part) -> bool {
        match part {
            Part::Creation | Part::Edit => self.ground.is_ready("hello"),
            Part::Deletion => self.ground.is_gone(),
        }
    }

    /// Waits for the end of a part.
    fn finish(&self, part: Part) {
        match part {
            Part::Creation | Part::Edit => {
                self.ground.ready("hello");
            }
            Part::Deletion => self.ground.gone(),
        }
    }

    /// Waits for the end of a part, and holds AWS against what an undisturbed life leaves there.
    fn judge(&self, part: Part, undisturbed: &Undisturbed) {
        self.finish(part);
        if part == Part::Deletion {
            assert_eq!(self.ground.state(), self.before);
        } else {
            self.ground.one_api("hello", &self.subject.children);
            assert_eq!(self.things(), undisturbed[&part].1, "{part:?}");
        }
    }

    fn things(&self) -> Things {
        let state = self.ground.aws().state().unwrap();
        let here = &state["regions"][REGION];
        let count = |things: &Value| things.as_array().map_or(0, Vec::len);
        let statements = here["functions"].to_string();
        [
            ("statements", statements.matches("\"Sid\":\"jwthttpapi-").count()),
            ("functions", count(&here["functions"])),
            ("log groups", count(&here["logGroups"])),
            ("roles", count(&state["roles"])),
        ]
        .into()
    }
}

/// Has lives lived, several at the same time; how often the process was killed where, and how often in AWS it might have been.
fn survives(subject: fn(&Ground) -> Subject) -> (Kills, Undisturbed) {
    let ground = Ground::new(&prompt());
    let undisturbed = Scene::new(&ground, subject).undisturbed();
    let mut work = work(&undisturbed);
    work.reverse();
    let (work, kills) = (Mutex::new(work), Mutex::new(Kills::new()));
    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).pop();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let ground = ground.beside(&prompt());
                let mut scene = Scene::new(&ground, subject);
                while let Some(work) = next() {
                    scene.carry_out(&work, &undisturbed);
                }
                let mut kills = kills.lock().unwrap_or_else(PoisonError::into_inner);
                for (at, times) in scene.kills {
                    *kills.entry(at).or_default() += times;
                }
            });
        }
    });
    (kills.into_inner().unwrap(), undisturbed)
}

/// That the process was killed on either side of each effect, with at least so many to Kubernetes and AWS in each part.
fn judge(of: &str, (kills, undisturbed): (Kills, Undisturbed), least: [(usize, usize); 3]) {
    for (part, (kubernetes, aws)) in PARTS.into_iter().zip(least) {
        let killed = |world| kills.get(&(part, world)).copied().unwrap_or_default();
        let writes = &undisturbed[&part].0;
        println!(
            "{of}, {part:?}: killed {} times at a write to Kubernetes, {} times at one to AWS",
            killed(World::Kubernetes),
            killed(World::Aws)
        );
        assert_eq!(killed(World::Aws), SIDES.len() * writes.len());
        assert!(writes.len() >= aws, "{part:?}: {writes:?}");
        assert!(killed(World::Kubernetes) >= SIDES.len() * kubernetes, "{part:?}");
    }
}

#[test]
fn killed_at_every_effect_on_either_side_of_it_one_api_and_its_functions_are_ready_in_the_end_or_nothing_left()
 {
    let lives = survives(functions_of_its_own);
    judge("functions of its own, a role", lives, [(4, 12), (2, 8), (1, 7)]);
}

#[test]
fn killed_at_every_effect_on_either_side_of_it_one_api_and_its_grants_are_ready_in_the_end_or_nothing_left() {
    let lives = survives(resource_policies);
    assert_eq!(lives.1[&Part::Edit].1["statements"], 1);
    judge("resource policies", lives, [(4, 6), (2, 4), (1, 2)]);
}
