//! Every variant of the operator's fault and error enums is produced by at least one test.
//!
//! To produce one is to run code that returns it or acts on it, and to assert that it did. The table names such a test for
//! each: it compiles only while no variant is missing, and fails when a test is gone or its file does not speak of the variant.
//! The enums of the core are here, too, since it is the shell that finds most of their variants.

use crate::{
    aws::{Class, ConfigError, session::Stop},
    controller::{error::Error as ReconcileError, orphans::Trouble, pass::Next},
    leader::Ended,
    run::Error as RunError,
};
use jwthttpapi_core::{api::Reason, lease::Loss, plan::Identity};
use std::{
    fs,
    path::{Path, PathBuf},
};

macro_rules! produced {
    ($($enum:ident in $file:literal { $($variant:ident: $test:literal,)+ })+) => {
        $(const _: fn(&$enum) -> &'static str = |variant| match variant {
            $($enum::$variant { .. } => $test,)+
        };)+

        /// Each variant, and the test that produces it: its file in this repository, and its name.
        const PRODUCED: &[(&str, &str)] = &[
            $($((stringify!($variant), $test),)+)+
        ];

        /// Where the enums are.
        const FILES: &[&str] = &[$($file),+];
    };
}

produced! {
    Class in "src/aws/fault/mod.rs" {
        Missing: "src/aws/fault/tests.rs::only_a_code_proves_that_something_is_missing",
        Exists: "tests/aws/faults.rs::what_exists_already_stops_the_lane_and_is_read_again",
        InUse: "tests/aws/faults.rs::what_is_in_use_stays_in_either_of_awss_ways_to_say_so",
        Concurrent: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        Throttled: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        Quota: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        Denied: "src/aws/fault/tests.rs::without_a_known_code_the_status_decides_and_the_rest_is_unknown",
        CredentialsUnavailable: "src/controller/tests/errors.rs::a_fault_of_aws_ends_the_pass_and_is_said_in_the_status",
        Rejected: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        IssuerUnreachable: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        PolicyTooLong: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        RoleNotReady: "src/aws/fault/tests.rs::text_tells_the_meanings_of_one_code_apart",
        FunctionFailed: "tests/aws/functions.rs::a_function_that_lambda_cannot_make_is_said_to_have_failed_and_asked_for_again",
        Unfinished: "tests/aws/functions.rs::a_function_that_lambda_does_not_get_done_with_is_told_and_the_pass_ends",
        DeploymentFailed: "src/controller/tests/drift.rs::no_endpoint_is_switched_on_over_a_deployment_that_failed",
        NotSent: "tests/aws/faults.rs::an_address_where_nobody_listens_is_told_from_an_answer_that_does_not_come",
        Unanswered: "tests/aws/faults.rs::a_write_is_sent_once_whatever_becomes_of_its_answer",
        Server: "tests/aws/faults.rs::a_write_is_sent_once_whatever_becomes_of_its_answer",
        NotLeading: "tests/aws/faults.rs::who_does_not_lead_writes_nothing_and_reads_all_the_same",
        Unknown: "tests/aws/faults.rs::a_write_is_sent_once_whatever_becomes_of_its_answer",
    }
    Stop in "src/aws/session.rs" {
        Cut: "src/aws/session.rs::a_write_is_not_sent_when_it_is_late_or_not_wanted_any_more_or_leadership_does_not_allow_it",
        Fault: "src/aws/session.rs::a_write_is_not_sent_when_it_is_late_or_not_wanted_any_more_or_leadership_does_not_allow_it",
    }
    ConfigError in "src/aws/settings.rs" {
        NoRegion: "src/aws/settings.rs::without_a_region_nothing_can_be_asked",
        Endpoint: "src/aws/settings.rs::an_endpoint_is_an_http_address_with_a_host",
        Rate: "src/aws/settings.rs::a_rate_is_a_number_not_below_zero",
        Proxy: "src/aws/network.rs::a_proxy_is_an_address_by_http_or_https_with_a_host",
        Bundle: "src/aws/network.rs::a_bundle_that_cannot_be_used_is_named_with_what_is_wrong_with_it",
    }
    ReconcileError in "src/controller/error.rs" {
        Conflict: "src/controller/tests/errors.rs::an_object_that_was_changed_meanwhile_is_read_again_soon",
        Refused: "src/controller/tests/errors.rs::a_write_that_the_api_server_refuses_is_no_conflict_and_is_tried_ever_less_often",
        Unwritten: "src/controller/tests/errors.rs::a_write_that_the_api_server_fails_is_tried_ever_less_often_for_a_minute_at_most",
        Kube: "src/controller/tests/errors.rs::an_api_server_that_fails_is_asked_again_after_seconds",
        Aws: "src/controller/tests/errors.rs::a_fault_of_aws_ends_the_pass_and_is_said_in_the_status",
        Malformed: "src/controller/tests/errors.rs::an_object_that_does_not_parse_is_looked_at_again_at_the_resync",
        Deadline: "src/controller/tests/errors.rs::a_reconcile_that_gets_no_answer_ends_at_its_deadline",
        Panic: "src/controller/tests/errors.rs::a_panic_stays_in_its_reconcile",
    }
    Trouble in "src/controller/orphans.rs" {
        Aws: "src/controller/tests/orphans.rs::a_look_that_cannot_go_on_says_whether_aws_or_kubernetes_keeps_it",
        Kubernetes: "src/controller/tests/orphans.rs::a_look_that_cannot_go_on_says_whether_aws_or_kubernetes_keeps_it",
    }
    Next in "src/controller/pass.rs" {
        Resync: "src/controller/tests/passes.rs::an_object_that_aws_is_equal_to_is_looked_at_again_at_the_resync",
        After: "src/controller/tests/passes.rs::a_new_role_is_given_the_time_that_iam_needs",
        Backoff: "src/controller/tests/passes.rs::a_function_that_does_not_exist_backs_off",
        Now: "src/controller/tests/passes.rs::an_api_that_is_found_again_is_looked_at_at_once",
        Change: "src/controller/tests/passes.rs::an_object_with_nothing_left_in_aws_waits_for_no_time",
    }
    Ended in "src/leader.rs" {
        Stopped: "src/leader.rs::a_leader_leads_until_it_is_stopped",
        Lost: "src/leader.rs::a_leader_whose_lease_is_taken_or_cannot_be_renewed_has_lost_it",
    }
    Loss in "crates/core/src/lease/mod.rs" {
        Taken: "crates/core/src/lease/mod.rs::a_leader_that_sees_another_holder_has_lost_the_lease",
        Expired: "crates/core/src/lease/mod.rs::a_leader_that_could_not_renew_for_ten_seconds_has_lost_the_lease",
    }
    RunError in "src/run.rs" {
        Configuration: "src/operator/tests.rs::a_setting_that_cannot_be_used_is_the_callers_mistake",
        Kubernetes: "src/operator/tests.rs::a_cluster_that_does_not_tell_its_id_cannot_be_used",
        Aws: "src/verify.rs::an_aws_that_cannot_be_read_says_nothing_of_any_api",
        LeadershipLost: "src/operator/tests.rs::a_leader_whose_lease_somebody_else_holds_ends_with_a_failure",
        Ended: "src/operator/tests.rs::a_controller_that_ends_by_itself_ends_the_process_with_a_failure",
    }
    Identity in "crates/core/src/plan/identity.rs" {
        Verified: "crates/core/src/plan/identity.rs::a_verified_id_needs_no_list",
        Store: "crates/core/src/plan/identity.rs::with_the_nonce_lost_exactly_one_is_taken_back",
        WriteIntent: "crates/core/src/plan/identity.rs::only_the_pass_that_added_the_finalizer_creates_at_once",
        WriteReclaim: "crates/core/src/plan/identity.rs::what_a_predecessor_left_is_taken_over_after_an_intent_and_a_wait",
        Reclaim: "crates/core/src/plan/identity.rs::what_a_predecessor_left_is_taken_over_after_an_intent_and_a_wait",
        WriteNonce: "crates/core/src/plan/identity.rs::a_finalizer_without_intent_is_a_lost_status_that_is_looked_for_and_waited_for",
        Create: "crates/core/src/plan/identity.rs::a_found_intent_waits_then_lists_and_only_then_creates",
        Wait: "crates/core/src/plan/identity.rs::a_found_intent_waits_then_lists_and_only_then_creates",
        List: "crates/core/src/plan/identity.rs::a_found_intent_waits_then_lists_and_only_then_creates",
        Ambiguous: "crates/core/src/plan/identity.rs::an_api_of_ours_with_another_nonce_is_ambiguous_and_never_doubled",
    }
    Reason in "crates/core/src/api/reason.rs" {
        InvalidSpec: "crates/core/src/model/build/tests.rs::every_violation_names_its_place_its_reason_and_what_to_type",
        FunctionNotAllowed: "crates/core/src/model/build/tests.rs::no_pattern_allows_no_function_and_no_role",
        RoleNotAllowed: "crates/core/src/model/build/tests.rs::every_violation_names_its_place_its_reason_and_what_to_type",
        PolicyFull: "crates/core/src/model/build/tests.rs::three_hundred_functions_are_refused_in_role_mode_and_taken_by_resource_policy",
        AccountMismatch: "src/controller/tests/passes.rs::in_another_account_nothing_is_looked_at",
        AmbiguousOwnership: "src/controller/tests/passes.rs::an_intent_that_is_found_waits_and_then_apis_that_cannot_be_told_apart_are_named",
        RoleNameConflict: "tests/e2e/trouble.rs::a_role_of_somebody_else_is_left_alone_and_nothing_is_created_beside_it",
        FunctionNameConflict: "src/controller/tests/functions.rs::a_function_of_somebody_else_is_left_alone_and_named",
        AccessDenied: "tests/aws/faults.rs::a_denied_action_is_named_and_what_does_not_need_it_goes_on",
        QuotaExceeded: "tests/aws/faults.rs::a_full_quota_is_told_from_too_many_requests",
        IssuerUnreachable: "tests/aws/faults.rs::an_issuer_that_aws_cannot_reach_is_told_from_a_bad_request",
        AwsRefused: "src/controller/tests/passes.rs::trouble_of_aws_has_a_reason_of_its_own",
        DeploymentFailed: "src/controller/tests/passes.rs::trouble_of_aws_has_a_reason_of_its_own",
        FunctionFailed: "tests/aws/functions.rs::a_function_that_lambda_cannot_make_is_said_to_have_failed_and_asked_for_again",
        RoleInUse: "src/controller/tests/roles.rs::a_role_that_others_put_policies_on_keeps_a_deletion_and_names_them",
        CredentialsUnavailable: "src/controller/tests/errors.rs::a_fault_of_aws_ends_the_pass_and_is_said_in_the_status",
        FunctionNotFound: "src/controller/tests/passes.rs::a_function_that_does_not_exist_backs_off",
        AwsUnreachable: "tests/aws/faults.rs::a_read_that_hangs_ends",
        Throttled: "tests/aws/faults.rs::a_full_quota_is_told_from_too_many_requests",
        ProgressingWithRetry: "src/controller/tests/passes.rs::trouble_of_aws_has_a_reason_of_its_own",
        Progressing: "src/controller/tests/passes.rs::an_api_that_is_found_again_is_looked_at_at_once",
        AwaitingVisibility: "src/controller/tests/passes.rs::an_intent_that_is_found_waits_and_then_apis_that_cannot_be_told_apart_are_named",
        RolePropagating: "src/controller/tests/passes.rs::a_new_role_is_given_the_time_that_iam_needs",
        Suspended: "src/controller/tests/suspended.rs::what_is_suspended_is_held_and_looked_at_again_at_the_resync",
        Deleting: "crates/core/src/api/report.rs::a_deletion_that_cannot_end_says_so",
        NotObserved: "src/controller/tests/passes.rs::in_another_account_nothing_is_looked_at",
        InternalError: "src/controller/tests/passes.rs::trouble_of_aws_has_a_reason_of_its_own",
        Accepted: "src/controller/tests/passes.rs::an_object_that_aws_is_equal_to_is_looked_at_again_at_the_resync",
        ResolvedRefs: "src/controller/tests/passes.rs::an_object_that_aws_is_equal_to_is_looked_at_again_at_the_resync",
        Programmed: "src/controller/tests/passes.rs::an_object_that_aws_is_equal_to_is_looked_at_again_at_the_resync",
        Succeeded: "src/controller/tests/passes.rs::an_object_that_aws_is_equal_to_is_looked_at_again_at_the_resync",
    }
}

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_default()
}

/// Whether a test of the name is in the file, with the attribute that makes it one, and speaks of the variant, itself or by a table.
fn produces(test: &str, variant: &str) -> bool {
    let (file, name) = test.split_once("::").unwrap();
    let text = text(file);
    let head = format!("fn {name}(");
    let Some((before, after)) = text.split_once(&head) else {
        return false;
    };
    let indent = before.rsplit('\n').next().unwrap_or_default();
    let indent: String = indent.chars().take_while(|c| *c == ' ').collect();
    let body = after.split(&format!("\n{indent}}}\n")).next().unwrap_or_default();
    let mut attributes = before.rsplit('\n').skip(1).map(str::trim);
    let is_test = attributes
        .by_ref()
        .take_while(|line| line.starts_with("#["))
        .any(|line| line == "#[test]" || line.starts_with("#[tokio::test"));
    let speaks = |text: &str| text.lines().any(|line| names(line, variant));
    is_test && (speaks(body) || tables(&text, body).any(speaks))
}

/// The tables of a file that a test goes through.
fn tables<'a>(file: &'a str, body: &'a str) -> impl Iterator<Item = &'a str> {
    let is_constant = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.contains(|c: char| c.is_lowercase())
    };
    let words = body
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(is_constant);
    words.filter_map(move |name| {
        let (_, table) = file.split_once(&format!("\nconst {name}:"))?;
        table.split("\n];").next()
    })
}

/// Whether a line of code names a variant: behind the name of its enum, as a text, or as something that is used.
fn names(line: &str, variant: &str) -> bool {
    let line = line.trim();
    !line.starts_with("//")
        && line.match_indices(variant).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + variant.len()..]);
            let ends = !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            ends && (before.ends_with("::") || before.ends_with('"') || line.starts_with("use "))
        })
}

#[test]
fn every_variant_of_a_fault_or_an_error_is_produced_by_a_test_that_speaks_of_it() {
    let missing: Vec<_> = PRODUCED
        .iter()
        .filter(|(variant, test)| !produces(test, variant))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// All source files in a directory and below it.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn every_enum_of_errors_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_enum = |after: &str| {
        let mut lines = after.lines().map(str::trim).skip(1);
        let item = lines.find(|line| !line.starts_with("#[") && !line.starts_with("//"));
        item.is_some_and(|item| item.split_whitespace().any(|word| word == "enum"))
    };
    let mut found = 0;
    for path in ["src", "crates/core/src"]
        .iter()
        .flat_map(|part| sources(&root.join(part)))
    {
        let file = path.strip_prefix(root).unwrap().to_str().unwrap();
        let derive = concat!("thiserror", "::Error");
        let enums = text(file)
            .split(derive)
            .skip(1)
            .filter(|after| is_enum(after))
            .count();
        let listed = FILES.iter().filter(|listed| **listed == file).count();
        assert!(
            listed >= enums,
            "{file}: {enums} enums of errors, {listed} in the table"
        );
        found += enums;
    }
    assert!(found >= 4, "{found} enums of errors found");
}
