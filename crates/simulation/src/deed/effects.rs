//! That every deed does something, somewhere: one that AWS refuses or that finds nothing proves nothing.

use super::{CORRUPTED, Deed, Drift, WIPED, denials, full};
use crate::{
    OBJECT, OPERATOR, ROTATED,
    effect::Effect,
    fault::{Fault, Schedule},
    ground, is_operator,
    life::{self, Life, Phase},
    oracle::Violation,
    scenario::Scenario,
    world::World,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

static GROUND: LazyLock<crate::Ground> = LazyLock::new(ground);

/// CORS with everything, and what `Drift` can change beside it.
fn everything() -> Scenario {
    let mut everything = Scenario::organisation();
    everything.switches["authorizer_names_unique"] = json!(false);
    everything.first["description"] = json!("all of it");
    everything.first["scopes"] = json!(["read"]);
    everything.first["cors"] = json!({
        "allowOrigins": ["https://app.example.com"], "allowMethods": ["GET"], "allowHeaders": ["x-request-id"],
        "exposeHeaders": ["x-answer"], "maxAge": 60,
    });
    everything
}

fn scenarios() -> [Scenario; 2] {
    [everything(), Scenario::named("policy").unwrap()]
}

/// What has the operator look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The user asks for it.
    Asked,
    /// Time passes.
    Resync,
}

/// Lives until the object is Ready, does each deed, and lets each be put right; those that changed something.
fn done<D: Copy + Send + Sync>(
    scenario: &Scenario,
    look: Look,
    deeds: &[D],
    deed: impl Fn(D) -> Deed + Sync,
    shown: impl Fn(&Life<'_>) -> Value + Sync,
) -> (Vec<D>, Vec<Violation>) {
    let mut effective = Vec::new();
    // Not inside, where there is a runtime already.
    let ground = &*GROUND;
    let outcome = life::in_a_thread(1, scenario, async |seed| {
        let mut life = Life::begin(ground, scenario, &Schedule::new(), seed);
        life.start();
        life.user(Phase::Create);
        life.reach(Phase::Create).await.unwrap();
        for (number, one) in deeds.iter().enumerate() {
            let before = shown(&life);
            life.world.perform(&deed(*one)).await;
            if shown(&life) != before {
                effective.push(*one);
            }
            // Longer than anything lasts that somebody does.
            for round in 0..2 {
                if look == Look::Asked {
                    life.ask(&format!("{number} {round}"));
                    life.world.announce();
                }
                let passes = Duration::from_secs(if look == Look::Asked { 200 } else { 700 });
                life.until(passes, |_| false).await;
                life.reach(Phase::Create).await.unwrap();
            }
            // It was, twice.
            let _ = life.oracle.must_be_looked_at();
            life.oracle.at_rest(&life.world, Phase::Create);
        }
        life.end().await
    });
    (effective, outcome.violations)
}

/// Everything in AWS, without what only time changes.
fn aws(life: &Life<'_>) -> Value {
    life.world.sandbox().state()
}

#[test]
fn every_drift_changes_something_and_is_put_right() {
    let mut effective = BTreeSet::new();
    for scenario in scenarios() {
        let (some, violations) = done(&scenario, Look::Asked, Drift::ALL, Deed::Drift, aws);
        assert_eq!(violations, [], "{}", scenario.name);
        effective.extend(some);
    }
    let all: BTreeSet<Drift> = Drift::ALL.iter().copied().collect();
    let without: Vec<&Drift> = all.difference(&effective).collect();
    assert!(without.is_empty(), "nothing is changed by {without:?}");
}

#[test]
fn every_drift_is_found_by_resyncs_and_put_right_when_nobody_asks() {
    for scenario in scenarios() {
        let (_, violations) = done(&scenario, Look::Resync, Drift::ALL, Deed::Drift, aws);
        assert_eq!(violations, [], "{}", scenario.name);
    }
}

#[test]
fn a_replaced_key_is_found_and_one_that_is_gone_waited_for() {
    let scenario = Scenario::named("policy").unwrap();
    let keys = |deed: Deed| {
        let ground = &*GROUND;
        let mut keys = BTreeSet::new();
        let outcome = life::in_a_thread(1, &scenario, async |seed| {
            let mut life = Life::begin(ground, &scenario, &Schedule::new(), seed);
            life.start();
            life.user(Phase::Create);
            life.reach(Phase::Create).await.unwrap();
            life.oracle.at_rest(&life.world, Phase::Create);
            let before = life.world.sandbox().journal(0).len();
            life.world.perform(&deed).await;
            life.user(Phase::Update);
            life.reach(Phase::Update).await.unwrap();
            life.oracle.at_rest(&life.world, Phase::Update);
            let entries = life.world.sandbox().journal(0).split_off(before);
            let keyed = entries.into_iter().filter(|entry| is_operator(&entry.access_key));
            keys = keyed
                .map(|entry| (entry.access_key, entry.error.is_some()))
                .collect();
            life.end().await
        });
        (keys, outcome.violations)
    };
    let one = |key: &str, refused| (key.to_owned(), refused);
    let (used, violations) = keys(Deed::RotateKey);
    assert_eq!(violations, []);
    assert!(
        used.contains(&one(ROTATED, false)) && !used.contains(&one(OPERATOR, false)),
        "{used:?}"
    );
    let (used, violations) = keys(Deed::LoseKey);
    assert_eq!(violations, []);
    assert!(used.contains(&one(OPERATOR, false)), "{used:?}");
}

fn status(life: &Life<'_>) -> Value {
    let object = life.object().unwrap_or_default();
    object["status"].clone()
}

#[test]
fn every_lost_or_wrong_part_of_the_status_is_put_right() {
    let deeds: Vec<(&'static str, Option<&'static str>)> = WIPED
        .iter()
        .map(|field| (*field, None))
        .chain(CORRUPTED.iter().map(|(field, text)| (*field, Some(*text))))
        .collect();
    let deed = |(field, text): (&'static str, Option<&'static str>)| match text {
        Some(text) => Deed::Corrupt(field, text),
        None => Deed::Wipe(field),
    };
    let mut effective = BTreeSet::new();
    for scenario in scenarios() {
        let (some, violations) = done(&scenario, Look::Asked, &deeds, deed, status);
        assert_eq!(violations, [], "{}", scenario.name);
        effective.extend(some);
    }
    // What is gone at rest can only be lost in between.
    let passing = ["pending", "reclaimedFrom", "iamChangedAt"];
    let without: Vec<_> = deeds
        .iter()
        .filter(|deed| !effective.contains(*deed))
        .filter(|(field, wrong)| wrong.is_some() || !passing.contains(field))
        .collect();
    assert!(without.is_empty(), "nothing is changed by {without:?}");
}

/// What has to happen for the operator to ask for an action that it does not need in every life.
const OCCASIONS: [(&str, Drift); 11] = [
    ("apigateway:UntagResource", Drift::AddTag),
    ("lambda:TagResource", Drift::ChangeFunctionTags),
    ("lambda:UntagResource", Drift::ChangeFunctionTags),
    ("logs:TagResource", Drift::ChangeLogTags),
    ("logs:UntagResource", Drift::ChangeLogTags),
    ("iam:PutRolePermissionsBoundary", Drift::DropBoundary),
    ("iam:UpdateAssumeRolePolicy", Drift::BreakTrust),
    ("iam:ListRolePolicies", Drift::WidenPolicy),
    ("iam:ListAttachedRolePolicies", Drift::WidenPolicy),
    ("iam:UntagRole", Drift::ChangeRoleTags),
    ("lambda:UpdateFunctionConfiguration", Drift::ChangeTimeout),
];

/// The codes with which the operator is refused something in a life with a deed done at its beginning and at its end, or beside a
/// drift, and what is wrong then.
fn refused(scenario: &Scenario, deed: &Deed, occasion: Option<Drift>) -> (BTreeSet<String>, Vec<Violation>) {
    let mut codes = BTreeSet::new();
    // Not inside, where there is a runtime already.
    let ground = &*GROUND;
    let outcome = life::in_a_thread(1, scenario, async |seed| {
        let mut life = Life::begin(ground, scenario, &Schedule::new(), seed);
        life.start();
        if occasion.is_none() {
            life.world.perform(deed).await;
        }
        for phase in [Phase::Create, Phase::Update, Phase::Steady, Phase::Delete] {
            if phase == Phase::Delete && occasion.is_none() {
                life.world.perform(deed).await;
            }
            life.user(phase);
            if let Some(drift) = occasion.filter(|_| phase == Phase::Steady) {
                life.world.perform(&Deed::Drift(drift)).await;
                life.world.perform(deed).await;
            }
            life.world.announce();
            life.reach(phase).await.unwrap();
            if phase == Phase::Steady {
                life.until(Duration::from_secs(800), |_| false).await;
                life.reach(phase).await.unwrap();
            }
            life.oracle.at_rest(&life.world, phase);
        }
        let entries = life.world.sandbox().journal(0);
        let asked = entries.into_iter().filter(|entry| entry.access_key == OPERATOR);
        codes = asked.filter_map(|entry| entry.error).collect();
        life.end().await
    });
    (codes, outcome.violations)
}

#[test]
fn every_denial_refuses_something_and_heals() {
    for denial in denials() {
        let Deed::Switch(patch, _) = &denial else {
            unreachable!("a denial is a switch")
        };
        let mut occasions = OCCASIONS.iter();
        let occasion = occasions.find(|(action, _)| patch.contains(&format!("{action:?}")));
        let occasion = occasion.map(|(_, drift)| *drift);
        let found = scenarios().iter().any(|scenario| {
            let (codes, violations) = refused(scenario, &denial, occasion);
            assert_eq!(violations, [], "{} {denial:?}", scenario.name);
            codes.iter().any(|code| code.starts_with("AccessDenied"))
        });
        assert!(found, "nothing is refused by {denial:?}");
    }
}

/// Quotas of how much something may say: a spec cannot say more, or a test of the plan holds the operator to them.
const OF_TEXTS: [&str; 8] = [
    "audiences",
    "scopes",
    "stage_variables",
    "tags",
    "inline_policy_characters",
    "trust_policy_characters",
    "function_environment_bytes",
    "function_zip_bytes",
];

#[test]
fn every_quota_is_filled_but_those_of_texts() {
    let quotas = serde_json::to_value(jwthttpapi_sandbox::Settings::default().quotas).unwrap();
    let all: BTreeSet<String> = quotas.as_object().unwrap().keys().cloned().collect();
    let filled = full().flat_map(|deed| {
        let Deed::Switch(patch, _) = deed else {
            unreachable!("a full quota is a switch")
        };
        let patch: Value = serde_json::from_str(patch).unwrap();
        let names: Vec<String> = patch["quotas"].as_object().unwrap().keys().cloned().collect();
        names
    });
    let named: BTreeSet<String> = filled.chain(OF_TEXTS.map(str::to_owned)).collect();
    assert_eq!(named, all);
}

#[test]
fn every_full_quota_refuses_something_and_heals() {
    let codes = [
        "ConflictException",
        "LimitExceeded",
        "LimitExceededException",
        "PolicyLengthExceededException",
    ];
    for quota in full() {
        let found = scenarios().iter().any(|scenario| {
            let (refused, violations) = refused(scenario, &quota, None);
            assert_eq!(violations, [], "{} {quota:?}", scenario.name);
            codes.iter().any(|code| refused.contains(*code))
        });
        assert!(found, "nothing is refused by {quota:?}");
    }
}

/// Its policy, in which others are admitted, too, or it is not as it was.
#[test]
fn a_function_that_its_user_makes_anew_is_whole_whatever_quota_is_full() {
    let retained = Scenario::named("retained").unwrap();
    let away = Fault::Deed(Deed::Drift(Drift::DeleteUsersFunction));
    for quota in full() {
        let schedule = Schedule::from([(4, away.clone()), (68, Fault::Deed(quota.clone()))]);
        let outcome = life::live(&GROUND, &retained, &schedule, 1);
        assert_eq!(outcome.violations, [], "{quota:?}");
    }
}

/// Else the user's function would stay away for ever, deleted by a deed that got no further.
#[test]
fn a_deed_is_done_whole_when_the_request_that_it_came_with_is_given_up() {
    let retained = Scenario::named("retained").unwrap();
    let whole = life::live(&GROUND, &retained, &Schedule::new(), 1);
    let asked_at_once = |pair: &[Effect]| {
        let [one, other] = pair else { return false };
        (one.name.as_str(), other.name.as_str()) == ("GET apis/*/stages", "GetRole") && one.at == other.at
    };
    let first = whole.journal.windows(2).position(asked_at_once).unwrap();
    let away = Fault::Deed(Deed::Drift(Drift::DeleteUsersFunction));
    let schedule = Schedule::from([(first, Fault::Panic), (first + 1, away)]);
    let outcome = life::live(&GROUND, &retained, &schedule, 1);
    assert_eq!(outcome.violations, []);
}

/// It stays the object's, and goes with it.
#[test]
fn an_api_whose_proof_aws_kept_somebody_from_taking_is_nobody_elses() {
    let ground = &*GROUND;
    for drift in [Drift::LoseProof, Drift::ChangeProof] {
        let scenario = Scenario::named("smallest").unwrap();
        let outcome = life::in_a_thread(1, &scenario, async |seed| {
            let mut life = Life::begin(ground, &scenario, &Schedule::new(), seed);
            life.start();
            life.phase(Phase::Create).await.unwrap();
            let nothing = r#"{"rate_limits": {"apigateway": {"per_second": 1, "burst": 0}}}"#;
            life.world.perform(&Deed::Switch(nothing, 1)).await;
            life.world.perform(&Deed::Drift(drift)).await;
            life.until(Duration::from_secs(60), |_| false).await;
            life.phase(Phase::Delete).await.unwrap();
            life.oracle.at_rest(&life.world, Phase::Delete);
            life.end().await
        });
        assert_eq!(outcome.violations, [], "{drift:?}");
    }
}

/// Two lists lack the object, an hour apart: that the first was one of the past nobody can tell.
#[test]
fn an_orphans_hour_begins_with_the_first_list_that_lacks_its_object() {
    let (ground, scenario) = (&*GROUND, Scenario::named("abandoned").unwrap());
    let outcome = life::in_a_thread(1, &scenario, async |seed| {
        let mut life = Life::begin(ground, &scenario, &Schedule::new(), seed);
        life.start();
        life.phase(Phase::Create).await.unwrap();
        // The watch lists again at the first; at the second it has seen everything, and who lists next is shown the past.
        for _ in 0..2 {
            life.world.perform(&Deed::AncientList).await;
            life.until(Duration::from_secs(60), |_| false).await;
        }
        life.until(Duration::from_secs(1_200), |_| false).await;
        life.phase(Phase::Delete).await.unwrap();
        life.oracle.at_rest(&life.world, Phase::Delete);
        life.end().await
    });
    assert_eq!(outcome.violations, []);
}

/// Nobody deletes what has gone.
#[test]
fn an_orphan_is_one_after_its_user_has_deleted_once_more_what_is_gone() {
    let abandoned = Scenario::named("abandoned").unwrap();
    let whole = life::live(&GROUND, &abandoned, &Schedule::new(), 1);
    let last = |name: &str, before: usize| {
        let mut earlier = whole.journal[..before].iter();
        earlier.rposition(|effect| effect.name == name).unwrap()
    };
    let removed = last("DELETE apis/*", whole.journal.len());
    let missed = last("List jwthttpapis", removed);
    // What is not to go with its object stays.
    let kept = Fault::Deed(Deed::Drift(Drift::ChangeOwnerTags));
    let schedule = Schedule::from([(missed - 1, Fault::Deed(Deed::Delete)), (missed, kept)]);
    let outcome = life::live(&GROUND, &abandoned, &schedule, 1);
    assert_eq!(outcome.violations, []);
}

/// Of two that tell of a statement the status went with the last owner, and the integration with a change by hand.
#[test]
fn a_statement_that_nothing_tells_of_any_more_may_stay() {
    let (ground, scenario) = (&*GROUND, Scenario::named("brief").unwrap());
    let outcome = life::in_a_thread(1, &scenario, async |seed| {
        let mut life = Life::begin(ground, &scenario, &Schedule::new(), seed);
        life.start();
        life.phase(Phase::Create).await.unwrap();
        life.user(Phase::Update);
        life.world.perform(&Deed::Replace).await;
        life.world.perform(&Deed::Drift(Drift::Repoint)).await;
        for phase in [Phase::Update, Phase::Delete] {
            life.reach(phase).await.unwrap();
            life.oracle.at_rest(&life.world, phase);
            life.user(Phase::Delete);
        }
        life.end().await
    });
    assert_eq!(outcome.violations, []);
}

/// A change of the user's with this deed just before it, and with a look before it has come to rest; what is wrong in the end.
fn changed_after(deed: &Deed, look: impl AsyncFnOnce(&mut Life) + Send) -> Vec<Violation> {
    let scenario = Scenario::named("role").unwrap();
    let ground = &*GROUND;
    let outcome = life::in_a_thread(1, &scenario, async |seed| {
        let mut life = Life::begin(ground, &scenario, &Schedule::new(), seed);
        life.start();
        life.user(Phase::Create);
        life.reach(Phase::Create).await.unwrap();
        life.world.perform(deed).await;
        life.user(Phase::Update);
        look(&mut life).await;
        life.reach(Phase::Update).await.unwrap();
        life.oracle.at_rest(&life.world, Phase::Update);
        life.end().await
    });
    outcome.violations
}

/// Whether the operator asks AWS for anything within a while after that, and what is wrong in the end.
fn seen_within(deed: &Deed, seconds: u64) -> (bool, Vec<Violation>) {
    let mut seen = false;
    let violations = changed_after(deed, async |life| {
        let before = life.world.sandbox().journal(0).len();
        life.until(Duration::from_secs(seconds), |_| false).await;
        seen = life.world.sandbox().journal(0).len() > before;
    });
    (seen, violations)
}

#[test]
fn a_change_whose_events_are_lost_or_wait_for_others_is_seen_later() {
    assert_eq!(seen_within(&Deed::DoubleEvents, 15), (true, vec![]));
    assert_eq!(seen_within(&Deed::DropEvents, 15), (false, vec![]));
    // Until the lists that come after minutes.
    assert_eq!(seen_within(&Deed::DropEvents, 200), (true, vec![]));
    assert_eq!(seen_within(&Deed::SwapEvents, 15), (false, vec![]));
    assert_eq!(seen_within(&Deed::SwapEvents, 25), (true, vec![]));
}

/// AWS serves what it did before, and the operator asks for it again.
#[test]
fn a_deployment_that_fails_is_said_and_made_up_for() {
    let mut failed = false;
    let says = |world: &World| {
        let object = world.state().kubernetes.get(&OBJECT).unwrap_or_default();
        object.to_string().contains("DeploymentFailed")
    };
    let violations = changed_after(&Deed::FailDeployments, async |life| {
        failed = life.until(Duration::from_secs(60), says).await;
    });
    assert!(failed);
    assert_eq!(violations, []);
}
