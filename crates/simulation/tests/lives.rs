//! Lives of the real operator over simulated services. `make sweep` lives many more of them.

use jwthttpapi_simulation::{
    Ground,
    deed::{Deed, Drift, denials},
    fault::{Fault, Schedule, Sender, Side},
    ground,
    life::{self, Outcome},
    outage::Outage,
    scenario::Scenario,
    sweep::{self, Tally},
    walk::{self, Kind, Walked},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::LazyLock};

static GROUND: LazyLock<Ground> = LazyLock::new(ground);

fn live(scenario: &Scenario, schedule: &Schedule) -> Outcome {
    life::live(&GROUND, scenario, schedule, 1)
}

fn all_survive(tally: &Tally) {
    let failures: Vec<String> = tally.failures.iter().map(ToString::to_string).collect();
    assert_eq!(tally.survived, tally.lives, "{}", failures.join("\n"));
}

#[test]
fn every_scenario_is_lived_without_a_violation_and_without_a_write_at_rest() {
    let all = Scenario::every().into_iter().chain(Scenario::by_chance());
    let all = all.chain([Scenario::bare(), Scenario::brief(), Scenario::hasty()]);
    let all: BTreeMap<&str, Scenario> = all.map(|scenario| (scenario.name, scenario)).collect();
    for scenario in all.into_values() {
        let scenario = Scenario {
            verified: true,
            resyncs: true,
            ..scenario
        };
        let outcome = live(&scenario, &Schedule::new());
        assert_eq!(outcome.violations, [], "{}", scenario.name);
        assert!(outcome.phases.len() >= 3, "{}", scenario.name);
    }
}

#[test]
fn two_runs_of_one_seed_are_the_same_byte_by_byte() {
    let same = |seed| {
        let (scenario, schedule) = sweep::drawn(&GROUND, &Fault::all(), 6, seed);
        let once = life::live(&GROUND, &scenario, &schedule, seed);
        let again = life::live(&GROUND, &scenario, &schedule, seed);
        for (one, other) in once.journal.iter().zip(&again.journal) {
            assert_eq!(one, other, "{} seed {seed}", scenario.name);
        }
        assert_eq!(
            once.journal.len(),
            again.journal.len(),
            "{} seed {seed}",
            scenario.name
        );
        assert_eq!(once.violations, again.violations, "{} seed {seed}", scenario.name);
        assert_eq!(once.lasted, again.lasted, "{} seed {seed}", scenario.name);
    };
    std::thread::scope(|scope| {
        for first in [1, 101] {
            scope.spawn(move || (first..first + 100).for_each(same));
        }
    });
}

#[test]
fn the_smallest_life_survives_every_fault_of_the_wire_at_every_request() {
    let faults = Fault::of_the_wire();
    let requests = live(&Scenario::smallest(), &Schedule::new()).journal.len();
    let tally = sweep::exhaustive(&GROUND, &Scenario::smallest(), &faults, 1, 2);
    // The life without a fault is lived, too.
    assert_eq!(tally.lives, 1 + faults.len() * requests);
    assert!(requests > 40, "{requests}");
    all_survive(&tally);
}

#[test]
fn lives_survive_up_to_six_faults_drawn_by_chance() {
    all_survive(&sweep::random(
        &GROUND,
        &Scenario::all(),
        &Fault::all(),
        6,
        200,
        1,
        2,
    ));
}

/// The first look into the lists must come before a new nonce is stored, or the API of the old one is nobody's.
#[test]
fn an_api_is_taken_back_when_the_whole_status_is_lost_at_any_request() {
    let faults = [Fault::Deed(Deed::Wipe("*"))];
    all_survive(&sweep::exhaustive(&GROUND, &Scenario::smallest(), &faults, 1, 2));
}

/// What the flags ask of roles and tags holds at every rest, whoever takes it off and whatever is denied meanwhile.
#[test]
fn what_an_organisation_asks_for_is_on_everything_and_put_on_again_when_somebody_takes_it_off() {
    let scenario = Scenario::organisation();
    let usual = live(&scenario, &Schedule::new());
    assert_eq!(usual.violations, []);
    let drift = |drift| Fault::Deed(Deed::Drift(drift));
    let denied = |action: &str| {
        let all = denials().into_iter();
        let mut meant = all.filter(|deed| matches!(deed, Deed::Switch(patch, _) if patch.contains(action)));
        Fault::Deed(meant.next().expect("a denial"))
    };
    let cases = [
        vec![drift(Drift::DropBoundary)],
        vec![drift(Drift::AttachPolicy)],
        vec![
            denied("iam:PutRolePermissionsBoundary"),
            drift(Drift::DropBoundary),
        ],
        vec![
            denied("iam:ListAttachedRolePolicies"),
            drift(Drift::AttachPolicy),
            drift(Drift::WidenPolicy),
        ],
        vec![drift(Drift::DeleteRole), Fault::Crash(Side::After)],
    ];
    for at in (0..usual.journal.len()).step_by(50) {
        for case in &cases {
            let schedule: Schedule = (at..).zip(case.iter().cloned()).collect();
            let outcome = live(&scenario, &schedule);
            assert_eq!(outcome.violations, [], "{case:?} at request {at}");
        }
    }
}

/// IAM refuses to delete a role with a foreign policy attached, and what arrives of the refusal looks like a success.
#[test]
fn a_role_that_only_seems_to_be_deleted_is_not_forgotten() {
    let scenario = Scenario::functions();
    let usual = live(&scenario, &Schedule::new()).journal;
    let deleted = usual.iter().enumerate();
    let deleted = deleted.filter(|(_, effect)| effect.name == "DeleteRole");
    let numbers: Vec<usize> = deleted.map(|(number, _)| number).collect();
    assert!(numbers.len() >= 2, "{numbers:?}");
    for number in numbers {
        let attached = Fault::Deed(Deed::Drift(Drift::AttachPolicy));
        let schedule = Schedule::from([(number - 1, attached), (number, Fault::Garbage)]);
        assert_eq!(live(&scenario, &schedule).violations, [], "at request {number}");
    }
}

/// A list from before the object was made takes it out of the cache. When it is due meanwhile, nobody finds it.
#[test]
fn an_object_that_a_list_lacked_and_that_is_back_unchanged_is_looked_at() {
    let scenario = Scenario::lagging();
    for at in (10..80).step_by(5) {
        let schedule = Schedule::from([(at, Fault::Deed(Deed::AncientList))]);
        assert_eq!(live(&scenario, &schedule).violations, [], "at request {at}");
    }
}

/// One process stops before it creates, and the id that the other one made is not stored: the successor of the first has waited as
/// long, and sees nothing yet.
#[test]
fn of_two_processes_that_both_lead_and_found_an_intent_one_creates() {
    let scenario = Scenario {
        switches: json!({"list_lag_ms": 25_000}),
        ..Scenario::rivals()
    };
    for at in 28..36 {
        let schedule = Schedule::from([(12, Fault::Terminate), (at, Fault::Deed(Deed::Wipe("grants")))]);
        assert_eq!(live(&scenario, &schedule).violations, [], "at request {at}");
    }
}

/// Neither by a process that made them a moment ago nor by its successor.
#[test]
fn a_role_and_a_statement_that_reads_do_not_show_yet_are_not_left_behind() {
    let scenario = Scenario::delayed();
    let usual = live(&scenario, &Schedule::new()).journal;
    let delete = || Fault::Deed(Deed::Delete);
    let made = |effect: &str| usual.iter().position(|other| other.name == effect);
    for effect in ["CreateRole", "POST functions/*/policy"] {
        let number = made(effect).unwrap();
        let here = Schedule::from([(number, delete())]);
        let elsewhere = Schedule::from([(number, Fault::Crash(Side::After)), (number + 1, delete())]);
        for schedule in [here, elsewhere] {
            assert_eq!(live(&scenario, &schedule).violations, [], "{effect}");
        }
    }
}

/// With neither finalizer nor status it looks like a new one, and lists do not show yet what was made for it.
#[test]
fn an_object_that_lost_status_and_finalizer_together_is_not_taken_for_a_new_one() {
    for at in 14..30 {
        let schedule = Schedule::from([
            (at, Fault::Deed(Deed::Wipe("*"))),
            (at + 2, Fault::Deed(Deed::StripFinalizer)),
        ]);
        assert_eq!(
            live(&Scenario::lagging(), &schedule).violations,
            [],
            "at request {at}"
        );
    }
}

/// The end of the predecessor is told after the beginning of its successor.
#[test]
fn an_object_whose_predecessor_is_told_to_be_gone_only_now_is_not_lost() {
    let schedule = Schedule::from([
        (4, Fault::Deed(Deed::SwapEvents)),
        (6, Fault::Deed(Deed::Replace)),
    ]);
    assert_eq!(live(&Scenario::smallest(), &schedule).violations, []);
}

/// A controller whose cache was never filled waits for it, and a process that waits does not end.
#[test]
fn a_process_that_is_asked_to_stop_before_its_first_list_ends() {
    for number in 0..3 {
        let schedule = Schedule::from([
            (number, Fault::Terminate),
            (number + 1, Fault::Hang(Side::Before)),
        ]);
        let outcome = live(&Scenario::smallest(), &schedule);
        assert_eq!(outcome.violations, [], "at request {number}");
    }
}

/// The account in status is wrong while the API server is away, so that nobody learns that it is right again.
#[test]
fn nobody_looks_for_orphans_in_another_place_than_an_objects() {
    let denied = r#"{"principals": {"AKIDOPERATOR": {"deny": ["iam:TagRole"]}}}"#;
    let schedule = Schedule::from([
        (3, Fault::Deed(Deed::Corrupt("accountId", "999999999999"))),
        (9, Fault::Deed(Deed::Flood)),
        (14, Fault::Deed(Deed::Switch(denied, 180))),
        (135, Fault::Outage(Outage::away(600))),
    ]);
    let policy = Scenario::named("policy").unwrap();
    let outcome = life::live(&GROUND, &policy, &schedule, 152);
    assert_eq!(outcome.violations, []);
}

/// The account in status turns wrong between the intent to take an API over and its last look.
#[test]
fn nothing_is_taken_over_from_another_place() {
    let wrong = Fault::Deed(Deed::Corrupt("accountId", "999999999999"));
    let schedule = Schedule::from([(34, Fault::Deed(Deed::Replace)), (49, wrong)]);
    let role = Scenario::named("role").unwrap();
    let outcome = life::live(&GROUND, &role, &schedule, 721_220);
    assert_eq!(outcome.violations, []);
}

/// The process sleeps until it is time to look for orphans, and panics at that.
#[test]
fn a_panic_while_orphans_are_looked_for_ends_no_process() {
    let schedule = Schedule::from([(14, Fault::Pause { seconds: 60 }), (48, Fault::Panic)]);
    let outcome = life::live(&GROUND, &Scenario::smallest(), &schedule, 726_686);
    assert_eq!(outcome.violations, []);
}

/// A tag and the id in status, each a proof on its own, are lost one after the other: the uid's tag still tells.
#[test]
fn an_api_is_taken_back_when_its_nonce_tag_and_its_id_are_lost() {
    let schedule = Schedule::from([
        (27, Fault::Deed(Deed::Drift(Drift::DropNonce))),
        (30, Fault::Deed(Deed::Wipe("apiId"))),
    ]);
    let outcome = live(&Scenario::smallest(), &schedule);
    assert_eq!(outcome.violations, []);
}

/// With the nonce in neither place there is nothing to take back, and storing nothing again and again is a loop.
#[test]
fn a_nonce_that_is_lost_on_both_sides_is_made_anew() {
    let schedule = Schedule::from([
        (27, Fault::Deed(Deed::Wipe("nonce"))),
        (30, Fault::Deed(Deed::Drift(Drift::DropNonce))),
    ]);
    let outcome = live(&Scenario::smallest(), &schedule);
    assert_eq!(outcome.violations, []);
}

/// Its roleArn and its id in status are lost before it is deleted: a list shows the API, and the role has to go, too.
#[test]
fn a_role_is_deleted_with_its_object_when_status_names_neither_it_nor_the_api() {
    let role = Scenario::named("role").unwrap();
    let resyncs = live(&role, &Schedule::new()).journal;
    // Nothing learns it again between the last watches.
    let watches = resyncs.iter().enumerate();
    let watches = watches.filter(|(_, effect)| effect.name == "Watch jwthttpapis");
    let last: Vec<usize> = watches.map(|(number, _)| number).rev().take(2).collect();
    let schedule = Schedule::from([
        (last[1], Fault::Deed(Deed::Wipe("roleArn"))),
        (last[0], Fault::Deed(Deed::Wipe("apiId"))),
    ]);
    assert_eq!(live(&role, &schedule).violations, []);
}

/// The old object knew of the statement on the function that its last spec left; the API's integration tells its namesake.
#[test]
fn a_namesake_that_comes_while_a_function_is_left_finds_the_statement_on_it() {
    let policy = Scenario::named("policy").unwrap();
    let usual = live(&policy, &Schedule::new()).journal;
    let is_removal =
        |name: &str| ["DELETE apis/*/integrations/*", "DELETE functions/*/policy/*"].contains(&name);
    let removals = usual.iter().enumerate();
    let removals: Vec<usize> = removals
        .filter(|(_, effect)| is_removal(&effect.name))
        .map(|(number, _)| number)
        .collect();
    assert!(removals.len() >= 3, "{removals:?}");
    for number in removals {
        let schedule = Schedule::from([(number, Fault::Deed(Deed::Replace))]);
        assert_eq!(live(&policy, &schedule).violations, [], "at request {number}");
    }
}

/// What is left of the first on functions of others is known by the API that it is for, however many had that since.
#[test]
fn a_namesake_of_a_namesake_leaves_no_statement_of_the_first() {
    let brief = Scenario::named("brief").unwrap();
    let replaced = Fault::Deed(Deed::Replace);
    let then = [
        replaced.clone(),
        Fault::Deed(Deed::StripFinalizer),
        Fault::Crash(Side::Before),
        Fault::Crash(Side::After),
    ];
    for second in (40..70).step_by(2) {
        for fault in &then {
            let schedule = Schedule::from([(35, replaced.clone()), (second, fault.clone())]);
            let outcome = live(&brief, &schedule);
            assert_eq!(outcome.violations, [], "{fault} at request {second}");
        }
    }
}

/// It is Ready before all is gone that the last owner named, and an outage keeps it from going on: it is not at rest.
#[test]
fn what_an_outage_holds_up_is_over_before_an_object_is_judged_at_rest() {
    let role = Scenario::named("role").unwrap();
    let replaced = || (35, Fault::Deed(Deed::Replace));
    let usual = live(&role, &Schedule::from([replaced()])).journal;
    let told = usual.iter().enumerate().skip(35);
    let tells = ["Create events", "Merge jwthttpapis/status"];
    let told = told.filter(|(_, effect)| tells.contains(&effect.name.as_str()));
    let numbers: Vec<usize> = told.map(|(number, _)| number).collect();
    assert!(numbers.len() > 3, "{numbers:?}");
    for at in numbers {
        let schedule = Schedule::from([replaced(), (at, Fault::Outage(Outage::away(300)))]);
        assert_eq!(live(&role, &schedule).violations, [], "request {at}");
    }
}

/// AWS may let names repeat. While a function is missing neither of two is deleted, and status names one of them.
#[test]
fn authorizers_of_one_name_keep_nobody_from_being_told_that_a_function_is_missing() {
    let mut twins = Scenario::smallest();
    twins.switches = json!({"authorizer_names_unique": false});
    let usual = live(&twins, &Schedule::new()).journal.len();
    let drift = |drift| Fault::Deed(Deed::Drift(drift));
    for at in 0..usual {
        let schedule = Schedule::from([
            (at, drift(Drift::ExtraAuthorizer)),
            (at + 1, drift(Drift::DeleteUsersFunction)),
        ]);
        assert_eq!(live(&twins, &schedule).violations, [], "request {at}");
    }
}

/// Somebody widens the statements, or deletes the API that they name; a log group is refused whose function's role is not.
#[test]
fn a_namesake_finds_what_was_changed_or_half_made_before_it() {
    let deed = Fault::Deed;
    let denied = |action: &str| {
        let mut all = denials().into_iter();
        let denial = all.find(|denial| denial.to_string().starts_with(action));
        deed(denial.expect("a denial"))
    };
    let cases = [
        (
            "policy",
            19_085,
            vec![
                (80, deed(Deed::Drift(Drift::WidenStatements))),
                (81, deed(Deed::Replace)),
            ],
        ),
        (
            "smallest",
            22_750,
            vec![
                (21, deed(Deed::Replace)),
                (29, Fault::Outage(Outage::away(30))),
                (44, deed(Deed::Drift(Drift::DeleteApi))),
            ],
        ),
        (
            "functions",
            24_049,
            vec![
                (58, deed(Deed::Wipe("nonce"))),
                (171, denied("logs:CreateLogGroup")),
                (251, deed(Deed::Replace)),
            ],
        ),
    ];
    for (name, seed, schedule) in cases {
        let scenario = Scenario::named(name).unwrap().drawn(seed);
        let outcome = life::live(&GROUND, &scenario, &schedule.into_iter().collect(), seed);
        assert_eq!(outcome.violations, [], "{name}");
    }
}

/// It waited once, while another process created; what it saw then is not what it may go by when the id in status is wrong later.
#[test]
fn a_process_that_waited_for_an_intent_waits_again_for_its_own() {
    let rivals = Scenario {
        switches: json!({"list_lag_ms": 25_000, "list_order": "shuffled"}),
        ..Scenario::rivals()
    };
    let schedule = Schedule::from([
        (16, Fault::Late(Sender::Dies)),
        (48, Fault::Deed(Deed::Drift(Drift::DropNonce))),
        (133, Fault::Deed(Deed::Corrupt("apiId", "foreign"))),
    ]);
    for scenario in [rivals, Scenario::rivals().drawn(719_382)] {
        let outcome = life::live(&GROUND, &scenario, &schedule, 719_382);
        assert_eq!(outcome.violations, []);
    }
}

/// A stored id that is nobody's says nothing of the API that lists do not show yet.
#[test]
fn a_deleted_object_with_a_wrong_id_waits_until_lists_must_show_its_api() {
    let lagging = Scenario {
        switches: serde_json::json!({"list_lag_ms": 25_000}),
        ..Scenario::smallest()
    };
    for wrong in ["nonesuch00", "foreign"] {
        for number in 14..20 {
            let schedule = Schedule::from([
                (number, Fault::Deed(Deed::Corrupt("apiId", wrong))),
                (number + 1, Fault::Deed(Deed::Delete)),
            ]);
            let outcome = live(&lagging, &schedule);
            assert_eq!(outcome.violations, [], "{wrong} at request {number}");
        }
    }
}

/// Its successor makes and deletes the same statement before the first one arrives.
#[test]
fn a_statement_that_a_dead_process_had_sent_is_not_left_behind_a_deletion() {
    for deletion in 28..40 {
        let schedule = Schedule::from([
            (12, Fault::Late(Sender::Dies)),
            (deletion, Fault::Deed(Deed::Delete)),
        ]);
        let outcome = live(&Scenario::smallest(), &schedule);
        assert_eq!(outcome.violations, [], "deleted at request {deletion}");
    }
}

/// After an outage the watch shows for a while the object that was there before, which has another uid.
#[test]
fn a_watch_that_still_shows_the_predecessor_cuts_no_plan_again_and_again() {
    let schedule = Schedule::from([
        (2, Fault::Outage(Outage::away(30))),
        (31, Fault::Deed(Deed::Replace)),
    ]);
    let role = Scenario::named("role").unwrap();
    assert_eq!(live(&role, &schedule).violations, []);
}

/// Its generation is higher, and the successor's deployment is waited for meanwhile.
#[test]
fn a_process_whose_watch_still_shows_the_predecessor_does_not_look_at_the_successor_again_and_again() {
    let seed = 62_278;
    let rivals = Scenario::rivals().drawn(seed);
    for number in 105..120 {
        let schedule = Schedule::from([
            (69, Fault::Outage(Outage::away(30))),
            (number, Fault::Deed(Deed::Recreate)),
        ]);
        let outcome = life::live(&GROUND, &rivals, &schedule, seed);
        assert_eq!(outcome.violations, [], "at request {number}");
    }
}

/// Its spec is refused and changed twenty times a second; the object of the life is created and Ready in less than a second.
#[test]
fn an_object_that_is_changed_all_the_time_holds_up_no_other() {
    let schedule = Schedule::from([(3, Fault::Deed(Deed::Flood))]);
    let outcome = live(&Scenario::smallest(), &schedule);
    assert_eq!(outcome.violations, []);
    let noise = outcome
        .journal
        .iter()
        .filter(|effect| effect.name.ends_with(" of another"));
    assert!(noise.count() > 100);
    let ready = outcome
        .journal
        .iter()
        .find(|effect| effect.name == "Create events");
    assert!(
        ready.is_some_and(|effect| effect.at.as_millis() < 1000),
        "{ready:?}"
    );
}

fn all_walked(walked: &Walked) {
    let failures: Vec<String> = walked
        .failures
        .iter()
        .map(|(name, violations)| format!("{name}: {violations:#?}"))
        .collect();
    assert_eq!(walked.survived, walked.walks, "{}", failures.join("\n"));
}

#[test]
fn every_property_but_the_region_is_changed_in_every_way_that_its_type_allows() {
    let coverage = walk::coverage();
    assert_eq!(coverage.untouched, ["/region"]);
    let ways = |property: &str| -> Vec<Kind> {
        let of = coverage.covered.iter().filter(|(of, _)| of == property);
        of.map(|(_, kind)| *kind).collect()
    };
    let optional = [
        Kind::Set,
        Kind::Unset,
        Kind::Change,
        Kind::Empty,
        Kind::Limit,
        Kind::Wrong,
    ];
    for property in ["/description", "/scopes", "/tags", "/routes/#/operationName"] {
        assert_eq!(ways(property), optional, "{property}");
    }
    let required = [Kind::Change, Kind::Empty, Kind::Limit, Kind::Wrong];
    for property in ["/issuer", "/audience", "/routes", "/routes/#/routeKey"] {
        assert_eq!(ways(property), required, "{property}");
    }
}

/// Every eleventh; `make sweep` walks all of them.
#[test]
fn a_spec_reached_by_history_is_as_one_from_scratch_and_the_first_again_as_the_first() {
    let walked = walk::every(&GROUND, 2, 11);
    assert!(walked.walks > 50, "{}", walked.walks);
    all_walked(&walked);
}

#[test]
fn walks_of_changes_drawn_by_chance_and_half_of_them_in_flight_end_where_they_began() {
    all_walked(&walk::random(&GROUND, 2, 20, 1));
}

#[test]
fn an_endpoint_is_switched_on_when_what_it_is_to_serve_is_deployed() {
    let outcome = live(&Scenario::switched(), &Schedule::new());
    assert_eq!(outcome.violations, []);
}

/// What was written is not deployed then, and the endpoint would serve what was before it.
#[test]
fn an_endpoint_is_not_switched_on_when_somebody_has_just_ended_the_deployments_or_they_fail() {
    let faults = [
        Fault::Deed(Deed::Drift(Drift::StopDeploying)),
        Fault::Deed(Deed::FailDeployments),
    ];
    all_survive(&sweep::exhaustive(&GROUND, &Scenario::switched(), &faults, 1, 2));
}

#[test]
fn whom_a_change_lets_in_before_and_after_it_is_served_all_the_while() {
    for scenario in Scenario::repointed() {
        let outcome = live(&scenario, &Schedule::new());
        assert_eq!(outcome.violations, [], "{}", scenario.name);
    }
}

/// The deployments of several writes come one after the other, and the first of them is not the last.
#[test]
fn ready_comes_after_the_deployment_of_the_last_write() {
    let outcome = live(&Scenario::unhurried(), &Schedule::new());
    assert_eq!(outcome.violations, []);
}
