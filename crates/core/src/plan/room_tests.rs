//! How plans get by with the room that AWS has, held against random states.

use super::diff::plan_within;
use super::planned::Plan;
use super::properties::{Case, holds, room_taken, tight};
use super::room::Room;
use super::sketch::{owner, place};
use super::step::Step;
use super::world::World;
use crate::model::observed::{Api, Integration};
use std::cell::Cell;
use std::collections::BTreeSet;

/// A state, its plan within the room that there is, and that room.
fn found(case: &Case) -> (World, Plan, Room) {
    let (world, desired) = case.found();
    let room = tight(&desired, &world);
    let plan = plan_within(room, &desired, &world.seen(&desired), &owner(), &place());
    (world, plan, room)
}

fn count(of: &Cell<usize>, is: bool) {
    of.set(of.get() + usize::from(is));
}

#[test]
fn few_plans_need_more_routes_than_there_may_be() {
    let [turned, stuck] = [const { Cell::new(0) }; 2];
    holds(|case| {
        let (mut world, plan, room) = found(&case);
        let mut refs = plan.refs.clone();
        for planned in &plan.steps {
            world.execute(&planned.step, &mut refs);
            count(&turned, becomes_another(&planned.step));
            if room_taken(&world).routes > room.routes {
                count(&stuck, true);
                break;
            }
        }
    });
    // What goes may hide what is still to change, more often in so small APIs than in full ones.
    let (turned, stuck) = (turned.get(), stuck.get());
    assert!(stuck * 3 <= turned, "{stuck} of {turned} found no room");
}

#[test]
fn no_plan_needs_more_authorizers_than_there_may_be() {
    let turned = Cell::new(0);
    holds(|case| {
        let (mut world, plan, room) = found(&case);
        // Those of another kind become none of the operator's.
        let strange = api(&world)
            .authorizers
            .iter()
            .filter(|one| one.jwt.is_none())
            .count();
        let mut refs = plan.refs.clone();
        for planned in &plan.steps {
            let names = authorizers(&world);
            world.execute(&planned.step, &mut refs);
            let is_edit = matches!(planned.step, Step::UpdateAuthorizer { .. });
            count(&turned, is_edit && names != authorizers(&world));
            assert!(
                room_taken(&world).authorizers <= room.authorizers + strange,
                "{} in\n{plan}",
                planned.step
            );
        }
    });
    assert!(turned.get() > 0);
}

#[test]
fn an_integration_that_could_go_is_in_no_other_ones_way() {
    let made = Cell::new(0);
    holds(|case| {
        let (mut world, plan, room) = found(&case);
        let mut refs = plan.refs.clone();
        for (index, planned) in plan.steps.iter().enumerate() {
            let (before, idle) = (room_taken(&world).integrations, idle(&world));
            world.execute(&planned.step, &mut refs);
            let after = room_taken(&world).integrations;
            count(&made, after < before && before == room.integrations);
            if after <= room.integrations {
                continue;
            }
            let mut later = plan.steps.iter().skip(index);
            let goes = later.any(|other| {
                matches!(&other.step, Step::DeleteIntegration { id } if idle.contains(id) && other.after.is_empty())
            });
            // What tightens waits for no other request.
            assert!(planned.tightens || !goes, "{} in\n{plan}", planned.step);
            break;
        }
    });
    assert!(made.get() > 0);
}

/// Whether a route takes other requests from now on.
fn becomes_another(step: &Step) -> bool {
    let Step::UpdateRoute { key, change } = step else {
        return false;
    };
    let to = change.key.as_ref();
    to.is_some_and(|to| to.shape() != key.shape())
}

fn api(world: &World) -> Api {
    world.observed.api.clone().unwrap_or_default()
}

fn authorizers(world: &World) -> Vec<String> {
    let authorizers = api(world).authorizers.into_iter();
    authorizers.map(|authorizer| authorizer.name).collect()
}

/// Integrations that no route leads to, and that tell of no permission.
fn idle(world: &World) -> BTreeSet<String> {
    let api = api(world);
    let used = |id: &Integration| {
        api.routes
            .iter()
            .any(|route| route.integration_id.as_ref() == Some(&id.id))
    };
    let idle = api.integrations.iter().filter(|integration| !used(integration));
    let idle = idle.filter(|integration| integration.function_by_policy().is_none());
    idle.map(|integration| integration.id.clone()).collect()
}
