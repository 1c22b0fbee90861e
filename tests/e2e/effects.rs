//! The process killed with -9 at every effect of a life: on Kubernetes with the request kept back, so that it never
//! arrives, and with its answer kept back; on AWS with the request kept back (`killed` keeps the answers back).

use crate::ground::{Ground, prompt, route};
use jwthttpapi_test_support::{OPERATOR_ACCESS_KEY, Operator, Proxy, Side, Sort, process::Launch};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// How long the API server and AWS have to be silent before it is asked whether all is done.
const SILENCE: Duration = Duration::from_millis(150);
const CHILDREN: [(&str, usize); 4] = [
    ("routes", 1),
    ("integrations", 1),
    ("authorizers", 1),
    ("stages", 1),
];

/// Where effects are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum World {
    Kubernetes,
    Aws,
}

/// The parts of a life, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Creation,
    Edit,
    Deletion,
}

/// The ground of all lives, with the operator that is alive at the moment.
struct Scene {
    ground: Ground,
    proxy: Proxy,
    launch: Launch,
    operator: Operator,
    /// Where each kill happened.
    kills: BTreeMap<(Part, World), Vec<String>>,
}

impl Scene {
    fn new() -> Self {
        let ground = Ground::new(&prompt());
        ground.functions(&["one", "other"]);
        let proxy = Proxy::start(ground.cluster).unwrap();
        let launch = ground.launch_through(&proxy, &[]);
        let operator = Operator::launch(launch.clone()).unwrap();
        Self {
            ground,
            proxy,
            launch,
            operator,
            kills: BTreeMap::new(),
        }
    }

    /// Does what begins a part of a life, kills the operator at its `nth` effect in a world, and starts the next one, which
    /// finishes the part. Whether there was an `nth` effect.
    fn kill_at(&mut self, part: Part, world: World, nth: u64, side: Side) -> bool {
        match world {
            World::Kubernetes => self.proxy.hold(Sort::Write, nth, side),
            World::Aws => {
                let when = if side == Side::Before { "before" } else { "after" };
                let fault = json!({
                    "access_key": OPERATOR_ACCESS_KEY, "mutating": true, "from": nth,
                    "action": {"kind": "hold", "when": when},
                });
                self.ground.aws().add_fault(&fault).unwrap();
            }
        }
        self.begin(part);
        let held = loop {
            if let Some(effect) = self.held(world) {
                break Some(effect);
            }
            // What shows that a part is through may itself be an effect whose answer is about to be kept back.
            if self.through(part) {
                break self.held(world);
            }
        };
        if let Some(effect) = &held {
            self.operator.process().kill().unwrap();
            self.kills
                .entry((part, world))
                .or_default()
                .push(format!("{side:?} {effect}"));
        }
        self.ground.aws().release(None, true).unwrap();
        self.ground.aws().clear_faults().unwrap();
        self.proxy.release(true);
        if held.is_some() {
            self.operator = Operator::launch(self.launch.clone()).unwrap();
        }
        held.is_some()
    }

    fn begin(&self, part: Part) {
        let spec = |function: &str| -> Value {
            self.ground.spec(&json!({
                "invocation": {"mode": "ResourcePolicy"}, "routes": [route("GET /one", function)],
            }))
        };
        match part {
            Part::Creation => self.ground.apply("hello", &spec("one")),
            Part::Edit => self.ground.apply("hello", &spec("other")),
            Part::Deletion => {
                self.ground
                    .kubectl(&["delete", "jwthttpapi", "hello", "--wait=false"]);
            }
        }
    }

    /// What is kept back, if anything is within a moment.
    fn held(&self, world: World) -> Option<String> {
        match world {
            World::Kubernetes => self
                .proxy
                .held(SILENCE)
                .map(|passing| format!("{} {}", passing.method, passing.path)),
            World::Aws => {
                let aws = self.ground.aws();
                let watched = aws.wait(aws.journal_mark().unwrap(), SILENCE).unwrap();
                let number = *watched.held.first()?;
                let calls = aws.journal(number - 1).unwrap();
                calls.first().map(|call| call.operation.clone())
            }
        }
    }

    fn through(&self, part: Part) -> bool {
        match part {
            Part::Creation | Part::Edit => self.ground.is_ready("hello"),
            Part::Deletion => self.ground.is_gone(),
        }
    }

    /// Waits for the end of a part, and holds AWS against it.
    fn judge(&self, part: Part, before: &str) {
        match part {
            Part::Creation | Part::Edit => {
                self.ground.ready("hello");
                self.ground.one_api("hello", &CHILDREN);
            }
            Part::Deletion => {
                self.ground.gone();
                assert_eq!(self.ground.state(), before);
            }
        }
    }
}

#[test]
fn killed_at_every_effect_on_either_side_of_it_one_api_is_ready_in_the_end_or_nothing_left() {
    let mut scene = Scene::new();
    let before = scene.ground.state();
    for (world, side) in [
        (World::Kubernetes, Side::Before),
        (World::Kubernetes, Side::After),
        (World::Aws, Side::Before),
    ] {
        let mut left = vec![Part::Creation, Part::Edit, Part::Deletion];
        for nth in 1.. {
            for part in [Part::Creation, Part::Edit, Part::Deletion] {
                if left.contains(&part) {
                    let killed = scene.kill_at(part, world, nth, side);
                    left.retain(|other| killed || *other != part);
                } else if part == Part::Edit {
                    continue;
                } else {
                    scene.begin(part);
                }
                scene.judge(part, &before);
            }
            if left.is_empty() {
                break;
            }
        }
    }
    let count = |part, world| scene.kills.get(&(part, world)).map_or(0, Vec::len);
    for (part, kubernetes, aws) in [
        (Part::Creation, 2 * 4, 6),
        (Part::Edit, 2 * 2, 4),
        (Part::Deletion, 2, 2),
    ] {
        let killed = (count(part, World::Kubernetes), count(part, World::Aws));
        println!(
            "{part:?}: killed {} times at a write to Kubernetes, {} times at one to AWS",
            killed.0, killed.1
        );
        assert!(
            killed.0 >= kubernetes && killed.1 >= aws,
            "{part:?}: {:#?}",
            scene.kills
        );
    }
}
