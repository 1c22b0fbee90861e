//! The rules of plans, held against random desired and observed states.
//!
//! `JWTHTTPAPI_CASES` sets how many cases each property tries, `JWTHTTPAPI_SEED` which; a failure says both.
//! `JWTHTTPAPI_SHRINKS` sets how often a failing one is made smaller.

use super::access::{Access, Admission, admission, requests};
use super::children::as_wanted;
use super::diff::plan_within;
use super::kind::Service;
use super::planned::{Plan, Settled};
use super::room::Room;
use super::sketch::{Drift, Sketch, drifts, owner, place, sketches, world};
use super::step::Step;
use super::world::{Lanes, World, desired_access};
use super::{only_tightening, plan};
use crate::model::Desired;
use crate::model::document;
use crate::model::name::{Method, RouteKey, role_name, statement_id};
use crate::model::observed::{Authorization, FunctionPolicy, Integration, Observed, Reading};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

/// A history: two generations, each perhaps cut; somebody's hands; and the generation to be planned.
#[derive(Clone, Debug)]
pub(super) struct Case {
    first: Sketch,
    second: (Sketch, u8),
    third: (Sketch, u8),
    cuts: [usize; 4],
    choices: Vec<usize>,
    drift: Vec<Drift>,
    /// Whether AWS has room for no more than there is or shall be.
    tight: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let cut = || prop_oneof![2 => Just(usize::MAX), 1 => 0_usize..24];
    (
        sketches(),
        (sketches(), any::<u8>()),
        (sketches(), any::<u8>()),
        [cut(), cut(), cut(), cut()],
        vec(0_usize..6, 1..8),
        vec(drifts(), 0..5),
        any::<bool>(),
    )
        .prop_map(|(first, second, third, cuts, choices, drift, tight)| Case {
            first,
            second,
            third,
            cuts,
            choices,
            drift,
            tight,
        })
}

impl Case {
    /// The second and the third generation.
    fn generations(&self) -> (Desired, Desired) {
        let second = self.first.blended(&self.second.0, self.second.1);
        let third = second.blended(&self.third.0, self.third.1);
        (second.desired(), third.desired())
    }

    /// AWS as it is found, and what is wanted of it.
    pub(super) fn found(&self) -> (World, Desired) {
        let (second, third) = self.generations();
        let mut world = world();
        self.cut(&mut world, &self.first.desired(), self.cuts[0]);
        self.cut(&mut world, &second, self.cuts[1]);
        for drift in &self.drift {
            drift.apply(&mut world);
        }
        (world, third)
    }

    /// An API whose routes all lead to one function, and other ones that are wanted of it.
    fn rerouted(&self) -> (World, Desired) {
        let first = self.first.clone().of_one_function();
        let then = first.clone().with_routes_of(&self.third.0).of_one_function();
        let mut world = world();
        world.run(&plan(&first.desired(), &world.observed, &owner(), &place()));
        (world, then.desired())
    }

    /// Runs a plan lane by lane, as far as it comes.
    fn cut(&self, world: &mut World, desired: &Desired, steps: usize) {
        let plan = self.planned(desired, world);
        let mut lanes = Lanes::new(&plan);
        for choice in self.choices.iter().cycle().take(steps) {
            if !lanes.advance(world, *choice) {
                break;
            }
        }
    }

    fn room(&self, desired: &Desired, world: &World) -> Room {
        if self.tight {
            tight(desired, world)
        } else {
            Room::USUAL
        }
    }

    fn planned(&self, desired: &Desired, world: &World) -> Plan {
        let room = self.room(desired, world);
        plan_within(room, desired, &world.seen(desired), &owner(), &place())
    }

    /// What is left to do when a plan has run. The logs of functions that left wait until they were seen to be alone: theirs is
    /// a plan of their own.
    fn left(&self, world: &mut World, desired: &Desired) -> Plan {
        let rest = self.planned(desired, world);
        let is_log_group = |planned: &super::Planned| matches!(planned.step, Step::DeleteLogGroup { .. });
        if !rest.steps.iter().all(is_log_group) {
            return rest;
        }
        world.run(&rest);
        self.planned(desired, world)
    }
}

/// Room for what there is or shall be, and for one integration that is to take another's place.
pub(super) fn tight(desired: &Desired, world: &World) -> Room {
    let there = room_taken(world);
    // Routes of keys that the operator could not have written stay to the end.
    let api = world.observed.api.as_ref();
    let routes = api.map(|api| api.routes.as_slice()).unwrap_or_default();
    let strange = routes.iter().filter(|route| route.parsed().is_none()).count();
    Room {
        routes: there.routes.max(desired.routes.len() + strange),
        integrations: there.integrations.max(desired.integrations.len()) + 1,
        authorizers: there.authorizers.max(desired.authorizers.len()),
    }
}

pub(super) fn room_taken(world: &World) -> Room {
    let api = world.observed.api.as_ref();
    Room {
        routes: api.map_or(0, |api| api.routes.len()),
        integrations: api.map_or(0, |api| api.integrations.len()),
        authorizers: api.map_or(0, |api| api.authorizers.len()),
    }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn cases_to_try() -> u32 {
    variable("JWTHTTPAPI_CASES").map_or(256, |cases| u32::try_from(cases).unwrap())
}

/// Whether what a rule is about came up often, for as many cases as are tried: eleven times in 256.
fn enough(times: u32) -> bool {
    times > cases_to_try() / 25
}

/// Holds a rule against many cases.
pub(super) fn holds(rule: impl Fn(Case)) {
    let seed = variable("JWTHTTPAPI_SEED").unwrap_or(0);
    let cases_tried = cases_to_try();
    let config = Config {
        cases: cases_tried,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: variable("JWTHTTPAPI_SHRINKS")
            .map_or(20_000, |shrinks| u32::try_from(shrinks).unwrap()),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&cases(), |case| {
        rule(case);
        Ok(())
    });
    if let Err(error) = result {
        panic!("JWTHTTPAPI_SEED={seed} JWTHTTPAPI_CASES={cases_tried}: {error}");
    }
}

#[test]
fn the_plan_after_a_plan_has_run_is_empty() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        world.run(&plan);
        let rest = case.left(&mut world, &desired);
        assert!(rest.is_empty(), "after\n{plan}\nthere is left\n{rest}");
    });
}

#[test]
fn a_plan_cut_at_any_step_and_replanned_converges() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let (other, _) = case.generations();
        case.cut(&mut world, &desired, case.cuts[2]);
        case.cut(&mut world, &desired, case.cuts[3]);
        // And cut once more, with the desired state changed in between.
        case.cut(&mut world, &other, case.cuts[3]);
        case.cut(&mut world, &desired, usize::MAX);
        let rest = case.left(&mut world, &desired);
        assert!(rest.is_empty(), "there is left\n{rest}");
    });
}

/// Requests that stand for all, over everything that routes can be called in this.
fn representative(world: &World, desired: &Desired) -> Vec<(Method, Vec<String>)> {
    let observed = world.access();
    let keys: BTreeSet<&RouteKey> = observed.keys().chain(desired.routes.keys()).collect();
    requests(keys).into_iter().collect()
}

fn admitted(access: &Access, (method, path): &(Method, Vec<String>)) -> Admission {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    admission(access, *method, &path)
}

/// Executes a plan and holds every step of it against never open.
pub(crate) fn never_opens(mut world: World, desired: &Desired, plan: &Plan) {
    let requests = representative(&world, desired);
    let wanted = desired_access(desired);
    let mut refs = plan.refs.clone();
    let mut before = world.access();
    for planned in &plan.steps {
        world.execute(&planned.step, &mut refs);
        let after = world.access();
        // Who may call what depends on API Gateway alone, whose steps run in this very order however lanes interleave.
        if planned.step.service() != Service::ApiGateway {
            assert_eq!(before, after);
            continue;
        }
        for request in &requests {
            let (now, was) = (admitted(&after, request), admitted(&before, request));
            let allowed = was.union(&admitted(&wanted, request));
            assert!(
                now.within(&allowed),
                "{:?} is opened by: {}\nfrom {was:?}\nto {now:?}\nin\n{plan}",
                request,
                planned.step
            );
        }
        before = after;
    }
}

#[test]
fn no_prefix_of_any_plan_opens_a_path_that_the_generation_protects() {
    holds(|case| {
        let (world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        never_opens(world, &desired, &plan);
    });
}

#[test]
fn no_prefix_of_what_only_tightens_opens_a_path() {
    holds(|case| {
        let (world, desired) = case.found();
        let plan = only_tightening(case.planned(&desired, &world));
        never_opens(world, &desired, &plan);
    });
}

/// Whether what is wanted of a route answers there: it leads to its integration, that to its function, and a function of the
/// object's own has its code. One that is still to be made answers nothing.
fn answers_as_wanted(world: &World, desired: &Desired, key: &RouteKey) -> bool {
    let api = world.observed.api.as_ref().unwrap();
    let mut routes = api.routes.iter();
    let route = routes.find(|route| route.parsed().as_ref() == Some(key));
    let target = route.and_then(|route| {
        let id = route.integration_id.as_ref()?;
        api.integrations.iter().find(|integration| integration.id == *id)
    });
    let Some(route) = desired.routes.get(key) else {
        return true;
    };
    let wanted = &desired.integrations[&route.integration];
    let leads = target
        .is_some_and(|target| target.description == route.integration.as_str() && as_wanted(target, wanted));
    leads && function_to_change(world, desired, key).is_none()
}

/// The function of the object's own to which a route is to lead, while it is still to get other code or another configuration.
fn function_to_change<'a>(world: &World, desired: &'a Desired, key: &RouteKey) -> Option<&'a str> {
    let function = &desired.integrations[&desired.routes.get(key)?.integration].function;
    let wanted = desired.owned.get(function.name())?;
    let now = world
        .observed
        .owned
        .get(function.name())?
        .function
        .known()?
        .as_ref()?;
    let is_wanted = now.sha256 == wanted.code.sha256
        && now.architecture == wanted.code.architecture.as_str()
        && now.configuration == wanted.configuration;
    (owner().owns(&now.tags) && !is_wanted).then(|| function.name())
}

#[test]
fn nobody_new_reaches_what_a_route_is_to_leave() {
    let (tried, waiting) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    holds(|case| {
        let (mut world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        let mut refs = plan.refs.clone();
        let found = world.clone();
        for planned in &plan.steps {
            let before = world.access();
            let is_strange = |id: &String| {
                let mut authorizers = world.observed.api.iter().flat_map(|api| &api.authorizers);
                authorizers.any(|authorizer| authorizer.id == *id && authorizer.jwt.is_none())
            };
            // By one of another kind no route can be closed.
            let closes_none = matches!(&planned.step, Step::UpdateAuthorizer { id, .. } if is_strange(id));
            world.execute(&planned.step, &mut refs);
            if closes_none {
                continue;
            }
            let after = world.access();
            for (key, now) in &after {
                let Some(was) = before.get(key) else { continue };
                let changed = function_to_change(&found, &desired, key);
                if let Some(name) = changed.filter(|_| !now.within(was)) {
                    let is_it = |planned: &super::Planned| matches!(&planned.step, Step::AwaitFunction { name: of } if of == name);
                    let change = plan.steps.iter().rposition(is_it).unwrap();
                    waiting.set(waiting.get() + 1);
                    assert!(planned.after.contains(&change), "{} in\n{plan}", planned.step);
                }
                if was == now || answers_as_wanted(&world, &desired, key) {
                    continue;
                }
                tried.set(tried.get() + 1);
                assert!(
                    now.within(was),
                    "{}\nfrom {was:?}\nto {now:?}\nin\n{plan}",
                    planned.step
                );
            }
        }
    });
    assert!(
        enough(tried.get()) && enough(waiting.get()),
        "{tried:?} {waiting:?}"
    );
}

/// The keys that get a request, of those there are.
fn winners<'a>(access: &'a Access, (method, path): &(Method, Vec<String>)) -> Vec<&'a RouteKey> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let matching = || access.keys().filter(|key| key.pattern().matches(*method, &path));
    let best = matching().map(|key| key.pattern().rank()).min();
    matching()
        .filter(|key| Some(key.pattern().rank()) == best)
        .collect()
}

#[test]
fn what_only_tightens_takes_no_wanted_access_from_a_wanted_route() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let plan = only_tightening(case.planned(&desired, &world));
        let requests = representative(&world, &desired);
        let (before, wanted) = (world.access(), desired_access(&desired));
        world.run(&plan);
        let after = world.access();
        // An authorizer's edit tightens for all of its routes at once, also for one that is about to leave it.
        let is_edit = |planned: &super::Planned| matches!(planned.step, Step::UpdateAuthorizer { .. });
        if plan.steps.iter().any(is_edit) {
            return;
        }
        for request in &requests {
            let (was, now) = (admitted(&before, request), admitted(&after, request));
            let right = was.within(&admitted(&wanted, request));
            let stays = winners(&before, request) == winners(&wanted, request);
            assert!(
                !right || !stays || was.within(&now),
                "{request:?} is lost: {was:?}\n{now:?}\n{:?}\nin\n{plan}",
                admitted(&wanted, request)
            );
        }
    });
}

#[test]
fn a_route_that_goes_opens_nothing_either_when_some_could_not_be_made_that_were_to_take_its_callers_over() {
    let tried = std::cell::Cell::new(0);
    holds(|case| {
        let (found, desired) = case.rerouted();
        let plan = plan(&desired, &found.seen(&desired), &owner(), &place());
        let (wanted, requests) = (desired_access(&desired), representative(&found, &desired));
        for (last, planned) in plan.steps.iter().enumerate() {
            let Step::DeleteRoute { heirs, .. } = &planned.step else {
                continue;
            };
            let drawn = heirs.iter().zip(case.choices.iter().cycle());
            let unmade = drawn.filter(|(_, choice)| **choice % 2 == 0);
            let unmade: BTreeSet<&RouteKey> = unmade.map(|(heir, _)| heir).collect();
            let (mut world, mut refs) = (found.clone(), plan.refs.clone());
            for before in &plan.steps[..last] {
                let is_unmade = matches!(&before.step, Step::CreateRoute { key, .. } if unmade.contains(key));
                if !is_unmade {
                    world.execute(&before.step, &mut refs);
                }
            }
            let before = world.access();
            world.execute(&planned.step, &mut refs);
            let after = world.access();
            tried.set(tried.get() + unmade.len());
            for request in &requests {
                let allowed = admitted(&before, request).union(&admitted(&wanted, request));
                let now = admitted(&after, request);
                assert!(now.within(&allowed), "{request:?} by {} in\n{plan}", planned.step);
            }
        }
    });
    assert!(tried.get() > 0);
}

/// Between routes of one function. What is open to everyone goes at once where it is too wide, and nothing that goes waits for
/// authorizers and integrations that have to be made. Who is served by a broader route in the end, or by one that is open to
/// everyone, may find none until it is there.
#[test]
fn who_passes_before_and_after_a_change_finds_a_route_all_the_while() {
    let tried = std::cell::Cell::new(0);
    holds(|case| {
        let (mut world, desired) = case.rerouted();
        let plan = plan(&desired, &world.seen(&desired), &owner(), &place());
        let (before, wanted) = (world.access(), desired_access(&desired));
        let rank = |access: &Access, request: &(Method, Vec<String>)| {
            winners(access, request).first().map(|key| key.pattern().rank())
        };
        let passes = |request: &&(Method, Vec<String>)| {
            let (was, then) = (admitted(&before, request), admitted(&wanted, request));
            !was.is_everyone()
                && !then.is_everyone()
                && !was.all(|callers| !then.admits(callers))
                && rank(&wanted, request) <= rank(&before, request)
        };
        let edits = |planned: &super::Planned| {
            matches!(
                planned.step,
                Step::CreateAuthorizer { .. }
                    | Step::UpdateAuthorizer { .. }
                    | Step::CreateIntegration { .. }
            )
        };
        if plan.steps.iter().any(edits) {
            return;
        }
        let requests = representative(&world, &desired);
        let requests: Vec<_> = requests.iter().filter(passes).collect();
        tried.set(tried.get() + requests.len());
        let mut refs = plan.refs.clone();
        for planned in &plan.steps {
            world.execute(&planned.step, &mut refs);
            let access = world.access();
            let lost = requests
                .iter()
                .find(|request| winners(&access, request).is_empty());
            assert_eq!(lost, None, "after {} in\n{plan}", planned.step);
        }
    });
    assert!(tried.get() > 0);
}

/// Requests that everybody may send though the desired state protects them.
fn open(access: &Access, wanted: &Access, requests: &[(Method, Vec<String>)]) -> Vec<(Method, Vec<String>)> {
    let is_open = |request: &&(Method, Vec<String>)| {
        admitted(access, request).is_everyone() && !admitted(wanted, request).is_everyone()
    };
    requests.iter().filter(is_open).cloned().collect()
}

/// Whether a step changes a route that lets everybody send one of these requests, or would once another is gone.
fn touches_opening(world: &World, step: &Step, open: &[(Method, Vec<String>)]) -> bool {
    let key = match step {
        Step::UpdateRoute { key, .. } => key.clone(),
        Step::DeleteRoute { key, .. } => match RouteKey::parse(key) {
            Ok(key) => key,
            // Of a key that the operator could not have written.
            Err(_) => return true,
        },
        _ => return false,
    };
    let access = world.access();
    access.get(&key).is_some_and(Admission::is_everyone)
        && open.iter().any(|(method, path)| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            key.pattern().matches(*method, &path)
        })
}

#[test]
fn a_path_found_open_is_closed_before_any_step_that_does_not_serve_it() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let plan = plan(&desired, &world.seen(&desired), &owner(), &place());
        let requests = representative(&world, &desired);
        let wanted = desired_access(&desired);
        let mut refs = plan.refs.clone();
        let lane = plan
            .steps
            .iter()
            .filter(|planned| planned.step.service() == Service::ApiGateway);
        let (mut prerequisites, mut made) = (Vec::new(), Vec::new());
        for planned in lane {
            let step = &planned.step;
            let left = open(&world.access(), &wanted, &requests);
            let touches = touches_opening(&world, step, &left);
            world.execute(step, &mut refs);
            if left.is_empty() {
                break;
            }
            assert!(
                planned.tightens && planned.after.is_empty(),
                "{step} waits in\n{plan}"
            );
            let fewer = open(&world.access(), &wanted, &requests).len() < left.len();
            match step {
                Step::CreateAuthorizer { .. }
                | Step::UpdateAuthorizer { .. }
                | Step::CreateIntegration { .. } => {
                    prerequisites.push(step.clone());
                    made.push(step.clone());
                }
                // Whole ways in: an endpoint, a stage.
                Step::UpdateApi(_) | Step::DeleteStage { .. } => {}
                _ => {
                    assert!(fewer || touches, "{step} does not serve {left:?} in\n{plan}");
                    let too_late = !made.is_empty() && !made.iter().any(|needed| serves(needed, step));
                    assert!(!too_late, "{step} could have gone before others in\n{plan}");
                    prerequisites.retain(|needed| !serves(needed, step));
                    assert!(
                        prerequisites.is_empty(),
                        "{prerequisites:?} do not serve {step} in\n{plan}"
                    );
                }
            }
        }
    });
}

fn serves(needed: &Step, step: &Step) -> bool {
    use super::Authorize::Jwt;
    let (authorize, target) = match step {
        Step::CreateRoute {
            authorize,
            integration,
            ..
        } => (Some(authorize), Some(integration)),
        Step::UpdateRoute { change, .. } => (change.authorize.as_ref(), change.integration.as_ref()),
        _ => (None, None),
    };
    match needed {
        Step::CreateAuthorizer { name, .. } | Step::UpdateAuthorizer { name, .. } => {
            matches!(authorize, Some(Jwt { authorizer, .. }) if authorizer == name)
        }
        Step::CreateIntegration { marker, .. } => target == Some(marker),
        _ => false,
    }
}

#[test]
fn steps_name_nothing_foreign() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let before = world.observed.clone();
        // The world refuses ids that are not the API's, roles without our proof and statements of others.
        let plan = case.planned(&desired, &world);
        world.run(&plan);
        let role = |observed: &Observed| {
            let role = observed.role.known().cloned().flatten();
            role.filter(|role| !owner().owns(&role.tags))
        };
        if let Some(foreign) = role(&before) {
            assert_eq!(role(&world.observed), Some(foreign));
        }
        for (function, reading) in &before.functions {
            let theirs = |reading: &Reading<FunctionPolicy>| match reading {
                Reading::Known(FunctionPolicy::Policy(policy)) => {
                    document::statement(policy, "theirs").cloned()
                }
                _ => None,
            };
            assert_eq!(theirs(reading), theirs(&world.observed.functions[function]));
        }
        for planned in &plan.steps {
            if let Step::AddPermission { statement_id: id, .. }
            | Step::RemovePermission { statement_id: id, .. } = &planned.step
            {
                assert_eq!(id, &statement_id(&owner()));
            }
            if let Step::UntagApi(keys)
            | Step::UntagRole { keys, .. }
            | Step::UntagFunction { keys, .. }
            | Step::UntagLogGroup { keys, .. } = &planned.step
            {
                assert!(keys.iter().all(|key| !key.starts_with("aws:")));
            }
        }
    });
}

/// Together they may be more than AWS takes.
#[test]
fn tags_that_leave_go_before_those_that_come() {
    holds(|case| {
        let (world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        let mut tagged = BTreeSet::new();
        for planned in &plan.steps {
            match &planned.step {
                Step::TagApi(_) => drop(tagged.insert("the API")),
                Step::TagRole { role, .. } => drop(tagged.insert(role.name.as_str())),
                Step::TagFunction { name, .. } => drop(tagged.insert(name.as_str())),
                Step::TagLogGroup { log_group, .. } => drop(tagged.insert(log_group.as_str())),
                Step::UntagApi(_) => assert!(!tagged.contains("the API")),
                Step::UntagRole { role, .. } => assert!(!tagged.contains(role.name.as_str())),
                Step::UntagFunction { name, .. } => assert!(!tagged.contains(name.as_str())),
                Step::UntagLogGroup { log_group, .. } => assert!(!tagged.contains(log_group.as_str())),
                _ => {}
            }
        }
    });
}

#[test]
fn links_point_to_steps_of_other_services_and_never_in_a_circle() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        for (index, planned) in plan.steps.iter().enumerate() {
            for after in &planned.after {
                assert!(
                    *after < index,
                    "{} waits for a later step in\n{plan}",
                    planned.step
                );
                assert_ne!(plan.steps[*after].step.service(), planned.step.service());
            }
            if let Some(Settled::Permissions(steps)) = &planned.settled {
                let goes_before = |step: &usize| planned.after.iter().any(|after| after >= step);
                assert!(steps.iter().all(goes_before), "{} in\n{plan}", planned.step);
            }
        }
        // Lanes panic on a deadlock; however they interleave, AWS ends up as wanted.
        case.cut(&mut world, &desired, usize::MAX);
        assert!(case.left(&mut world, &desired).is_empty());
    });
}

/// Whether a step gives a function other code, or another configuration, after others that take access away.
fn has_closed(plan: &Plan, index: usize) -> bool {
    let closes = |planned: &super::Planned| {
        planned.tightens && !matches!(planned.step, Step::DeleteStage { .. } | Step::UpdateStage)
    };
    let changes = matches!(
        plan.steps[index].step,
        Step::UpdateFunctionCode { .. } | Step::UpdateFunctionConfiguration { .. }
    );
    changes && plan.steps[..index].iter().any(closes)
}

#[test]
fn other_code_waits_for_what_takes_access_away() {
    let tried = std::cell::Cell::new(0);
    holds(|case| {
        let (world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        for (index, planned) in plan.steps.iter().enumerate() {
            if !has_closed(&plan, index) {
                continue;
            }
            tried.set(tried.get() + 1);
            let before = plan.steps[..index].iter().enumerate();
            let closing = before
                .filter(|(_, before)| before.tightens && !matches!(before.step, Step::DeleteStage { .. }));
            let waits = closing
                .map(|(index, _)| index)
                .all(|index| planned.after.contains(&index));
            assert!(waits, "{} in\n{plan}", planned.step);
            // Whatever else takes access away was before.
            let mut later = plan.steps[index..].iter();
            let closes = later.any(|later| later.tightens && !matches!(later.step, Step::UpdateStage));
            assert!(!closes, "{} in\n{plan}", planned.step);
        }
    });
    assert!(enough(tried.get()), "{tried:?}");
}

#[test]
fn what_takes_an_invocation_away_waits_until_no_route_needs_it() {
    holds(|case| {
        let (world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        // No route refers to what is deleted of these.
        let last = plan.steps.iter().rposition(|planned| {
            planned.step.service() == Service::ApiGateway
                && !matches!(
                    planned.step,
                    Step::DeleteIntegration { .. } | Step::DeleteAuthorizer { .. }
                )
        });
        for (index, planned) in plan.steps.iter().enumerate() {
            let replaced = |function| {
                let later = plan.steps.iter().skip(index);
                let adds = |other: &&super::Planned| matches!(&other.step, Step::AddPermission { function: f, .. } if f == function);
                later.filter(adds).count() == 1
            };
            let takes_away = match &planned.step {
                Step::DeleteRole { .. } | Step::DeleteRolePolicy { .. } => true,
                Step::DeleteFunction { .. } | Step::DeleteLogGroup { .. } => true,
                // That of an execution role takes no invocation away.
                Step::PutRolePolicy { role, widens, .. } => {
                    !widens && *role == role_name(&owner(), &place().region)
                }
                Step::RemovePermission { function, .. } => !replaced(function),
                _ => false,
            };
            let logs = matches!(planned.step, Step::DeleteLogGroup { .. });
            let deployed = planned.settled == Some(Settled::Deployments);
            assert_eq!(
                deployed,
                takes_away && !logs || planned.step.overtakes() || has_closed(&plan, index),
                "{} in\n{plan}",
                planned.step
            );
            if let (true, Some(last)) = (takes_away, last) {
                assert!(
                    planned.after.iter().any(|after| *after >= last),
                    "{} does not wait in\n{plan}",
                    planned.step
                );
            }
        }
    });
}

#[test]
fn an_integration_is_deleted_after_the_permission_that_it_tells_of() {
    let seen = std::cell::Cell::new(0);
    holds(|case| {
        let (world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        let api = world.observed.api.as_ref();
        let integrations = api.map(|api| api.integrations.as_slice()).unwrap_or_default();
        for planned in &plan.steps {
            let Step::DeleteIntegration { id } = &planned.step else {
                continue;
            };
            let integration = integrations.iter().find(|integration| integration.id == *id);
            let Some(told) = integration.and_then(Integration::function_by_policy) else {
                continue;
            };
            let removes = |other: &&super::Planned| matches!(&other.step, Step::RemovePermission { function, .. } if *function == told);
            let Some(removal) = plan.steps.iter().rposition(|other| removes(&other)) else {
                continue;
            };
            seen.set(seen.get() + 1);
            assert!(planned.after.contains(&removal), "{} in\n{plan}", planned.step);
        }
    });
    assert!(seen.get() > 0);
}

#[test]
fn plans_are_deterministic_whatever_the_order_of_lists() {
    holds(|case| {
        let (mut world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        assert_eq!(plan, case.planned(&desired, &world));
        if let Some(api) = &mut world.observed.api {
            api.routes.reverse();
            api.authorizers.reverse();
            api.integrations.reverse();
        }
        let mut words: Vec<String> = case
            .planned(&desired, &world)
            .to_string()
            .lines()
            .map(str::to_owned)
            .collect();
        let mut expected: Vec<String> = plan.to_string().lines().map(str::to_owned).collect();
        words.sort();
        expected.sort();
        assert_eq!(words, expected);
    });
}

#[test]
fn what_could_not_be_read_is_named_by_no_step() {
    holds(|case| {
        let (mut world, desired) = case.found();
        world.observed.role = Reading::Unknown;
        let unknown: Vec<_> = world.observed.functions.keys().step_by(2).cloned().collect();
        for function in &unknown {
            world
                .observed
                .functions
                .insert(function.clone(), Reading::Unknown);
        }
        let plan = case.planned(&desired, &world);
        for planned in &plan.steps {
            let role = role_name(&owner(), &place().region);
            let of_the_role = match &planned.step {
                Step::CreateRole(created) => created.name == role,
                Step::UpdateTrust { role: of, .. } | Step::PutRolePolicy { role: of, .. } => *of == role,
                Step::DeleteRolePolicy { role: of } | Step::DeleteRole { role: of } => *of == role,
                _ => false,
            };
            assert!(!of_the_role, "{}", planned.step);
            if let Step::AddPermission { function, .. } | Step::RemovePermission { function, .. } =
                &planned.step
            {
                assert!(!unknown.contains(function), "{}", planned.step);
            }
        }
        never_opens(world, &desired, &only_tightening(plan));
    });
}

#[test]
fn a_deletion_leaves_nothing_of_ours_and_everything_of_others() {
    holds(|case| {
        let (mut world, _) = case.found();
        let foreign_role = world
            .observed
            .role
            .known()
            .cloned()
            .flatten()
            .filter(|role| !owner().owns(&role.tags));
        let mut choices = case.choices.iter().cycle();
        // The second takes the logs of what the first took.
        for _ in 0..2 {
            let plan = super::plan_deletion(&world.observed, &owner());
            let mut lanes = Lanes::new(&plan);
            while lanes.advance(&mut world, *choices.next().unwrap()) {}
        }
        assert_eq!(world.observed.api, None);
        assert_eq!(world.observed.role, Reading::Known(foreign_role));
        for reading in world.observed.functions.values() {
            let Reading::Known(FunctionPolicy::Policy(policy)) = reading else {
                continue;
            };
            assert!(document::statement(policy, &statement_id(&owner())).is_none());
        }
        let ours = |tags: &BTreeMap<String, String>| owner().owns(tags);
        for owned in world.observed.owned.values() {
            let function = owned.function.known().and_then(Option::as_ref);
            assert!(!function.is_some_and(|function| ours(&function.tags)));
            let role = owned.role.known().and_then(Option::as_ref);
            assert!(!role.is_some_and(|role| ours(&role.tags)));
            let group = owned.log_group.known().and_then(Option::as_ref);
            assert!(!group.is_some_and(|group| ours(&group.tags)));
        }
        assert!(super::plan_deletion(&world.observed, &owner()).is_empty());
    });
}

#[test]
fn histories_reach_what_the_rules_are_about() {
    // A generator that never draws the hard cases would prove nothing.
    let seen = std::cell::RefCell::new(std::collections::BTreeMap::<&str, usize>::new());
    holds(|case| {
        let (world, desired) = case.found();
        let plan = case.planned(&desired, &world);
        let requests = representative(&world, &desired);
        let see = |what, is: bool| *seen.borrow_mut().entry(what).or_default() += usize::from(is);
        let has = |is: fn(&Step) -> bool| plan.steps.iter().any(|planned| is(&planned.step));
        see(
            "open",
            !open(&world.access(), &desired_access(&desired), &requests).is_empty(),
        );
        see("edit", has(|step| matches!(step, Step::UpdateAuthorizer { .. })));
        see(
            "closed",
            has(|step| {
                matches!(step, Step::UpdateRoute { change, .. }
                    if matches!(change.authorize, Some(super::Authorize::Closed { .. })))
            }),
        );
        see(
            "key",
            has(|step| matches!(step, Step::UpdateRoute { change, .. } if change.key.is_some())),
        );
        see("mend", has(|step| matches!(step, Step::UpdateIntegration { .. })));
        see(
            "permission",
            has(|step| matches!(step, Step::RemovePermission { .. })),
        );
        see("made", has(|step| matches!(step, Step::CreateFunction { .. })));
        see(
            "code",
            has(|step| matches!(step, Step::UpdateFunctionCode { .. })),
        );
        see("removed", has(|step| matches!(step, Step::DeleteFunction { .. })));
        let routes = world.observed.api.iter().flat_map(|api| &api.routes);
        see(
            "other",
            routes
                .clone()
                .any(|route| matches!(route.authorization, Authorization::Other(_))),
        );
        see("strange", routes.clone().any(|route| route.parsed().is_none()));
    });
    let seen = seen.into_inner();
    // Where fewer cases are tried, as many as one in 64.
    let least = usize::try_from(cases_to_try().div_ceil(64).min(3)).unwrap();
    assert!(
        seen.len() == 11 && seen.values().all(|count| *count >= least),
        "{seen:?}"
    );
}
