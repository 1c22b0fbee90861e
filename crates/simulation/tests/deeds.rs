//! Every deed, in the middle of a life: `make sweep` lives each of them at every request.

use jwthttpapi_simulation::{
    Ground,
    deed::Deed,
    fault::{Fault, Schedule},
    ground, life,
    scenario::Scenario,
};
use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

static GROUND: LazyLock<Ground> = LazyLock::new(ground);

/// In each scenario one deed of so many is lived, another in each.
const STRIDE: usize = 4;

/// Requests of a life at which deeds are tried go round with the deeds, by a number that shares no factor with much.
const STEP: usize = 37;

#[test]
fn lives_survive_every_deed_at_some_request() {
    let mut lives = Vec::new();
    for (offset, scenario) in Scenario::all().into_iter().enumerate() {
        let requests = life::live(&GROUND, &scenario, &Schedule::new(), 1).journal.len();
        let deeds = Deed::all()
            .into_iter()
            .enumerate()
            .skip(offset % STRIDE)
            .step_by(STRIDE);
        lives.extend(deeds.map(|(number, deed)| (scenario.clone(), number * STEP % requests, deed)));
    }
    let next = AtomicUsize::new(0);
    let one_after_the_other = || {
        let mut failures = Vec::new();
        while let Some((scenario, at, deed)) = lives.get(next.fetch_add(1, Ordering::Relaxed)) {
            let schedule = Schedule::from([(*at, Fault::Deed(deed.clone()))]);
            let violations = life::live(&GROUND, scenario, &schedule, 1).violations;
            if !violations.is_empty() {
                failures.push(format!("{} [{at}: {deed:?}]: {violations:#?}", scenario.name));
            }
        }
        failures
    };
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers = [(); 2].map(|()| scope.spawn(one_after_the_other));
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
