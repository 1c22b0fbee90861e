//! Which step may start: pure bookkeeping of lanes, links and faults.
//!
//! After a fault the rest of its lane is left, since the order of steps is what keeps paths closed: a step may be safe only
//! because of one before it. In API Gateway's lane those steps still go on that take access away and whose safety rests on
//! nothing that was not done ([`goes_on`]).

use crate::aws::fault::Fault;
use jwthttpapi_core::model::desired::Marker;
use jwthttpapi_core::model::name::RouteKey;
use jwthttpapi_core::plan::{Authorize, Planned, Service, Step};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many requests to Lambda may be in flight at once for one object.
const LAMBDA_AT_ONCE: usize = 4;

/// The steps of a plan and how far each of them is.
#[derive(Debug)]
pub(super) struct Schedule {
    steps: Vec<(Planned, State)>,
    lanes: BTreeMap<Lane, Queue>,
    /// Services that answer nothing at this moment.
    down: BTreeSet<Service>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    InFlight,
    Done,
    Failed,
    /// Left, because of another step.
    Left,
}

impl State {
    const fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Left)
    }
}

/// Steps of one lane are sent one after the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    ApiGateway,
    Iam,
    Logs,
    /// By name: its aliases and versions wait for each other, too.
    Function(String),
}

impl Lane {
    fn of(step: &Step) -> Self {
        match step {
            Step::AddPermission { function, .. } | Step::RemovePermission { function, .. } => {
                Self::Function(function.name().to_owned())
            }
            Step::CreateFunction { name, .. }
            | Step::AwaitFunction { name }
            | Step::UpdateFunctionCode { name, .. }
            | Step::UpdateFunctionConfiguration { name, .. }
            | Step::TagFunction { name, .. }
            | Step::UntagFunction { name, .. }
            | Step::DeleteFunction { name } => Self::Function(name.clone()),
            other if other.service() == Service::Iam => Self::Iam,
            other if other.service() == Service::Logs => Self::Logs,
            _ => Self::ApiGateway,
        }
    }
}

/// A lane's steps, by index.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<usize>,
    in_flight: Option<usize>,
    not_done: Vec<usize>,
}

enum Verdict {
    Start,
    Wait,
    Leave,
}

impl Schedule {
    pub(super) fn new(steps: Vec<Planned>) -> Self {
        let mut lanes: BTreeMap<Lane, Queue> = BTreeMap::new();
        for (index, planned) in steps.iter().enumerate() {
            let lane = lanes.entry(Lane::of(&planned.step)).or_default();
            lane.waiting.push_back(index);
        }
        Self {
            steps: steps
                .into_iter()
                .map(|planned| (planned, State::Waiting))
                .collect(),
            lanes,
            down: BTreeSet::new(),
        }
    }

    /// Takes a step that may start now; it is in flight from now on. Steps that can never start any more are left on the way.
    pub(super) fn start(&mut self) -> Option<(usize, &Planned)> {
        let index = self.startable()?;
        let (planned, state) = self.steps.get_mut(index)?;
        *state = State::InFlight;
        Some((index, planned))
    }

    fn startable(&mut self) -> Option<usize> {
        let to_lambda =
            |(lane, queue): &(&Lane, &Queue)| matches!(lane, Lane::Function(_)) && queue.in_flight.is_some();
        let lambda_is_full = self.lanes.iter().filter(to_lambda).count() >= LAMBDA_AT_ONCE;
        for (lane, queue) in &mut self.lanes {
            if queue.in_flight.is_some() || lambda_is_full && matches!(lane, Lane::Function(_)) {
                continue;
            }
            while let Some(index) = queue.waiting.front().copied() {
                match verdict(&self.steps, &self.down, &queue.not_done, index) {
                    Verdict::Start => {
                        queue.waiting.pop_front();
                        queue.in_flight = Some(index);
                        return Some(index);
                    }
                    Verdict::Wait => break,
                    Verdict::Leave => {
                        queue.waiting.pop_front();
                        queue.not_done.push(index);
                        if let Some((_, state)) = self.steps.get_mut(index) {
                            *state = State::Left;
                        }
                    }
                }
            }
        }
        None
    }

    /// A step that had started and was not sent after all.
    pub(super) fn not_sent(&mut self, index: usize) {
        self.settle(index, State::Left);
    }

    pub(super) fn succeeded(&mut self, index: usize) -> Option<Step> {
        self.settle(index, State::Done)
    }

    pub(super) fn failed(&mut self, index: usize, fault: &Fault) -> Option<Step> {
        let step = self.settle(index, State::Failed);
        if let Some(step) = step.as_ref().filter(|_| fault.class.is_of_the_service()) {
            self.down.insert(step.service());
        }
        step
    }

    fn settle(&mut self, index: usize, to: State) -> Option<Step> {
        let (planned, state) = self.steps.get_mut(index)?;
        *state = to;
        let queue = self.lanes.get_mut(&Lane::of(&planned.step))?;
        queue.in_flight = None;
        if to != State::Done {
            queue.not_done.push(index);
        }
        Some(planned.step.clone())
    }

    /// Every step that was not sent.
    pub(super) fn unsent(self) -> Vec<Step> {
        self.steps
            .into_iter()
            .filter(|(_, state)| matches!(state, State::Waiting | State::Left))
            .map(|(planned, _)| planned.step)
            .collect()
    }
}

/// What becomes of the first waiting step of a lane in which nothing is in flight.
fn verdict(
    steps: &[(Planned, State)],
    down: &BTreeSet<Service>,
    not_done: &[usize],
    index: usize,
) -> Verdict {
    let Some((planned, _)) = steps.get(index) else {
        return Verdict::Leave;
    };
    if down.contains(&planned.step.service()) {
        return Verdict::Leave;
    }
    let links = || planned.after.iter().filter_map(|after| steps.get(*after));
    if links().any(|(_, state)| matches!(state, State::Failed | State::Left)) {
        return Verdict::Leave;
    }
    let step = |index: &usize| steps.get(*index).map(|(planned, _)| &planned.step);
    // Nothing but the endpoint's switch rests on the end of a stage that nobody asked for: AWS keeps one that has a domain's mapping.
    let holds_up = |step: &&Step| planned.step.overtakes() || !matches!(step, Step::DeleteStage { .. });
    let not_done: Vec<&Step> = not_done.iter().filter_map(step).filter(holds_up).collect();
    if !not_done.is_empty() && !goes_on(planned, &not_done) {
        return Verdict::Leave;
    }
    if links().all(|(_, state)| state.is_settled()) {
        Verdict::Start
    } else {
        Verdict::Wait
    }
}

/// Whether a step may still be sent although steps of its lane before it were not done.
///
/// It must take access away, and what it leaves must not depend on those steps: whoever reaches its path afterwards must be
/// whom the desired state admits there, or nobody.
fn goes_on(planned: &Planned, not_done: &[&Step]) -> bool {
    let undone = |matches: fn(&Step) -> bool| not_done.iter().any(|step| matches(step));
    let edits = |step: &Step| {
        matches!(
            step,
            Step::CreateAuthorizer { .. } | Step::UpdateAuthorizer { .. }
        )
    };
    planned.tightens
        && match &planned.step {
            // The endpoint goes off, a stage that nobody asked for goes: all its paths with it.
            Step::UpdateApi(_) | Step::DeleteStage { .. } => true,
            // A route that becomes another gives its own paths up, too: as with one that comes and one that goes.
            Step::UpdateRoute { key, change }
                if change.key.as_ref().is_some_and(|to| to.shape() != key.shape()) =>
            {
                let unmade = |s: &&Step| change.integration.as_ref().is_some_and(|marker| makes(s, marker));
                !undone(edits)
                    && !not_done.iter().any(unmade)
                    && !paths(&planned.step)
                        .iter()
                        .any(|key| not_done.iter().any(|step| overlaps(step, key)))
            }
            Step::UpdateRoute { key, change } => {
                let unmade = change
                    .integration
                    .as_ref()
                    .is_some_and(|marker| not_done.iter().any(|s| makes(s, marker)));
                !unmade
                    && match &change.authorize {
                        // Nobody may any more, whatever else is not done.
                        Some(Authorize::Closed { .. }) => true,
                        // The authorizer must be what it should be, and no path of this route may belong to one that is not.
                        Some(Authorize::Jwt { authorizer, .. }) => {
                            !not_done.iter().any(|step| touches(step, authorizer))
                                && !not_done.iter().any(|step| overlaps(step, key))
                        }
                        Some(Authorize::Public) | None => false,
                    }
            }
            // Another route takes over the path, or gives it up: all of what stands around it must be as it should.
            Step::CreateRoute { key, integration, .. } => {
                !undone(edits)
                    && !not_done.iter().any(|step| makes(step, integration))
                    && !not_done.iter().any(|step| overlaps(step, key))
            }
            Step::DeleteRoute { key, heirs, .. } => {
                let key = RouteKey::parse(key).ok();
                let is_heir =
                    |step: &Step| matches!(step, Step::CreateRoute { key, .. } if heirs.contains(key));
                let mut needed = not_done.iter().filter(|step| !is_heir(step));
                !undone(edits) && key.is_some_and(|key| !needed.any(|step| overlaps(step, &key)))
            }
            // Made for a step that may go on; by itself it changes nobody's access.
            Step::CreateAuthorizer { .. } | Step::CreateIntegration { .. } => true,
            // Routes may stand on it that were to leave it first.
            Step::UpdateAuthorizer { .. } => false,
            Step::CreateApi(_)
            | Step::DeleteCors
            | Step::TagApi(_)
            | Step::UntagApi(_)
            | Step::DeleteApi { .. }
            | Step::DeleteAuthorizer { .. }
            | Step::UpdateIntegration { .. }
            | Step::DeleteIntegration { .. }
            | Step::CreateStage
            | Step::UpdateStage
            | Step::CreateRole(_)
            | Step::UpdateTrust { .. }
            | Step::PutBoundary { .. }
            | Step::PutRolePolicy { .. }
            | Step::TagRole { .. }
            | Step::UntagRole { .. }
            | Step::DeleteRolePolicy { .. }
            | Step::DeleteRole { .. }
            | Step::CreateLogGroup(_)
            | Step::PutRetention { .. }
            | Step::TagLogGroup { .. }
            | Step::UntagLogGroup { .. }
            | Step::DeleteLogGroup { .. }
            | Step::CreateFunction { .. }
            | Step::AwaitFunction { .. }
            | Step::UpdateFunctionCode { .. }
            | Step::UpdateFunctionConfiguration { .. }
            | Step::TagFunction { .. }
            | Step::UntagFunction { .. }
            | Step::DeleteFunction { .. }
            | Step::AddPermission { .. }
            | Step::RemovePermission { .. } => false,
        }
}

/// Whether a step makes an integration.
fn makes(step: &Step, wanted: &Marker) -> bool {
    matches!(step, Step::CreateIntegration { marker, .. } if marker == wanted)
}

/// Whether a step makes or changes an authorizer.
fn touches(step: &Step, authorizer: &str) -> bool {
    matches!(step, Step::CreateAuthorizer { name, .. } | Step::UpdateAuthorizer { name, .. } if name == authorizer)
}

/// Whether a step is about a route that some request could reach instead of the one of this key.
fn overlaps(step: &Step, key: &RouteKey) -> bool {
    let strange = matches!(step, Step::DeleteRoute { key, .. } if RouteKey::parse(key).is_err());
    strange
        || paths(step)
            .iter()
            .any(|other| other.pattern().overlaps(key.pattern()))
}

/// The keys of a step's route, before and after it.
fn paths(step: &Step) -> Vec<RouteKey> {
    match step {
        Step::CreateRoute { key, .. } => vec![key.clone()],
        Step::UpdateRoute { key, change } => [key].into_iter().chain(&change.key).cloned().collect(),
        Step::DeleteRoute { key, .. } => RouteKey::parse(key).into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operation::Operation;
    use jwthttpapi_core::api::PayloadFormatVersion;
    use jwthttpapi_core::model::desired::{Integration, Jwt};
    use jwthttpapi_core::model::name::FunctionArn;
    use jwthttpapi_core::plan::{ApiChange, RouteChange};

    fn key(text: &str) -> RouteKey {
        RouteKey::parse(text).unwrap()
    }

    fn function(name: &str) -> FunctionArn {
        let arn = format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}");
        FunctionArn::parse(&arn, None).unwrap()
    }

    fn integration() -> Integration {
        Integration {
            function: function("a"),
            payload_format_version: PayloadFormatVersion::V2,
            timeout_millis: 30_000,
            credentials: None,
        }
    }

    fn jwt(authorizer: &str) -> Authorize {
        Authorize::Jwt {
            authorizer: authorizer.into(),
            scopes: BTreeSet::new(),
        }
    }

    fn close(text: &str, authorize: Authorize) -> Step {
        let change = RouteChange {
            authorize: Some(authorize),
            ..RouteChange::default()
        };
        Step::UpdateRoute {
            key: key(text),
            change,
        }
    }

    fn create(text: &str) -> Step {
        Step::CreateRoute {
            key: key(text),
            authorize: jwt("default"),
            integration: integration().marker(),
            operation_name: String::new(),
        }
    }

    fn create_integration() -> Step {
        Step::CreateIntegration {
            marker: integration().marker(),
            integration: Box::new(integration()),
        }
    }

    fn authorizer(name: &str) -> Jwt {
        Jwt {
            identity_source: String::new(),
            issuer: name.into(),
            audience: BTreeSet::new(),
        }
    }

    fn create_authorizer(name: &str) -> Step {
        Step::CreateAuthorizer {
            name: name.into(),
            jwt: authorizer(name),
        }
    }

    fn update_authorizer(name: &str) -> Step {
        Step::UpdateAuthorizer {
            id: name.into(),
            name: name.into(),
            jwt: authorizer(name),
        }
    }

    fn delete(text: &str) -> Step {
        Step::DeleteRoute {
            id: "r".into(),
            key: text.into(),
            heirs: BTreeSet::new(),
        }
    }

    fn permit(name: &str) -> Step {
        Step::AddPermission {
            function: function(name),
            statement_id: "s".into(),
        }
    }

    fn planned(step: Step, tightens: bool) -> Planned {
        Planned {
            step,
            after: BTreeSet::new(),
            settled: None,
            tightens,
        }
    }

    fn fault(class: crate::aws::Class) -> Fault {
        Fault {
            class,
            ..Fault::unresolved(Operation::CreateRoute, "")
        }
    }

    #[test]
    fn after_a_fault_only_what_cannot_open_anything_goes_on() {
        let closed = || Authorize::Closed {
            authorizer_id: "x".into(),
        };
        let undone = create("GET /a/{x}");
        let cases = [
            // Closing needs nothing.
            (close("GET /a/{x}", closed()), true),
            (Step::UpdateApi(ApiChange::default()), true),
            (Step::DeleteStage { name: "debug".into() }, true),
            // Another path.
            (close("GET /b", jwt("default")), true),
            (create("GET /b"), true),
            (delete("GET /b"), true),
            // A path that the undone route was to take over, or that lies beneath it.
            (close("ANY /{proxy+}", jwt("default")), false),
            (create("ANY /{proxy+}"), false),
            (delete("GET /a/b"), false),
            (delete("no route key"), false),
            // Opens.
            (close("GET /b", Authorize::Public), false),
            (update_authorizer("default"), false),
        ];
        for (step, goes) in cases {
            let text = step.to_string();
            assert_eq!(goes_on(&planned(step.clone(), true), &[&undone]), goes, "{text}");
            assert!(!goes_on(&planned(step, false), &[&undone]), "{text}");
        }
    }

    #[test]
    fn a_broad_route_goes_also_when_those_could_not_be_made_that_were_to_take_its_callers_over() {
        let undone = create("GET /a/{x}");
        let heirs = |keys: &[&str]| Step::DeleteRoute {
            id: "r".into(),
            key: "ANY /{proxy+}".into(),
            heirs: keys.iter().map(|text| key(text)).collect(),
        };
        assert!(goes_on(&planned(heirs(&["GET /a/{x}"]), true), &[&undone]));
        assert!(!goes_on(&planned(heirs(&["GET /b"]), true), &[&undone]));
        let closing = close("GET /a/{x}", jwt("default"));
        assert!(!goes_on(&planned(heirs(&["GET /a/{x}"]), true), &[&closing]));
    }

    #[test]
    fn a_route_that_becomes_another_goes_on_only_when_neither_depends_on_what_was_not_done() {
        let becomes = |text: &str| Step::UpdateRoute {
            key: key("GET /b"),
            change: RouteChange {
                key: Some(key(text)),
                authorize: Some(jwt("default")),
                integration: Some(integration().marker()),
                operation_name: None,
            },
        };
        let cases = [
            (create("GET /a/{x}"), "GET /c", true),
            (create("GET /a/{x}"), "ANY /{proxy+}", false),
            (create("ANY /{proxy+}"), "GET /c", false),
            (becomes("GET /a"), "GET /c", false),
            (update_authorizer("other"), "GET /c", false),
            (create_integration(), "GET /c", false),
        ];
        for (undone, text, goes) in cases {
            let step = becomes(text);
            assert_eq!(goes_on(&planned(step, true), &[&undone]), goes, "{undone} {text}");
        }
    }

    #[test]
    fn what_was_not_made_is_not_used() {
        for undone in [create_authorizer("default"), update_authorizer("default")] {
            assert!(!goes_on(
                &planned(close("GET /b", jwt("default")), true),
                &[&undone]
            ));
            assert!(goes_on(&planned(close("GET /b", jwt("other")), true), &[&undone]));
            assert!(!goes_on(&planned(create("GET /b"), true), &[&undone]));
            assert!(!goes_on(&planned(delete("GET /b"), true), &[&undone]));
        }
        let undone = create_integration();
        assert!(!goes_on(&planned(create("GET /b"), true), &[&undone]));
        assert!(goes_on(
            &planned(close("GET /b", jwt("default")), true),
            &[&undone]
        ));
        let moves = RouteChange {
            authorize: Some(jwt("default")),
            integration: Some(integration().marker()),
            ..RouteChange::default()
        };
        let step = Step::UpdateRoute {
            key: key("GET /b"),
            change: moves,
        };
        assert!(!goes_on(&planned(step, true), &[&undone]));
    }

    #[test]
    fn steps_of_one_lane_start_one_after_the_other_and_lanes_together() {
        let mut schedule = Schedule::new(vec![
            planned(create_integration(), false),
            planned(create("GET /a"), false),
            planned(permit("a"), false),
            planned(permit("a"), false),
            planned(permit("b"), false),
        ]);
        let mut started: Vec<usize> =
            std::iter::from_fn(|| schedule.start().map(|(index, _)| index)).collect();
        started.sort_unstable();
        assert_eq!(started, [0, 2, 4]);
        schedule.succeeded(2);
        assert_eq!(schedule.start().map(|(index, _)| index), Some(3));
        schedule.succeeded(0);
        assert_eq!(schedule.start().map(|(index, _)| index), Some(1));
    }

    #[test]
    fn four_functions_at_most_are_changed_at_once() {
        let names = ["a", "b", "c", "d", "e"];
        let mut schedule = Schedule::new(names.map(|name| planned(permit(name), false)).into());
        assert_eq!(std::iter::from_fn(|| schedule.start().map(|_| ())).count(), 4);
        schedule.failed(0, &fault(crate::aws::Class::Denied));
        assert_eq!(schedule.start().map(|(index, _)| index), Some(4));
    }

    #[test]
    fn a_step_waits_for_its_links_and_is_left_when_one_of_them_is_not_done() {
        let linked = |step| Planned {
            after: [0].into(),
            ..planned(step, false)
        };
        let plan = || vec![planned(permit("a"), false), linked(create("GET /a"))];
        let mut schedule = Schedule::new(plan());
        assert_eq!(schedule.start().map(|(index, _)| index), Some(0));
        assert!(schedule.start().is_none());
        schedule.succeeded(0);
        assert_eq!(schedule.start().map(|(index, _)| index), Some(1));

        let mut schedule = Schedule::new(plan());
        schedule.start();
        schedule.failed(0, &fault(crate::aws::Class::Denied));
        assert!(schedule.start().is_none());
        assert_eq!(schedule.unsent(), [create("GET /a")]);
    }

    #[test]
    fn a_stage_that_aws_keeps_holds_nothing_up_but_the_endpoints_switch() {
        let on = ApiChange {
            disable_execute_api_endpoint: Some(false),
            ..ApiChange::default()
        };
        for (next, goes_on) in [(create("GET /a"), true), (Step::UpdateApi(on), false)] {
            let gone = Step::DeleteStage { name: "v1".into() };
            let mut schedule = Schedule::new(vec![planned(gone, true), planned(next, false)]);
            schedule.start();
            schedule.failed(0, &fault(crate::aws::Class::Denied));
            assert_eq!(schedule.start().is_some(), goes_on);
        }
    }

    #[test]
    fn a_service_that_does_not_answer_is_asked_nothing_more() {
        let closing = || planned(close("GET /b", jwt("default")), true);
        for (class, goes) in [
            (crate::aws::Class::Throttled, false),
            (crate::aws::Class::NotSent, false),
            (crate::aws::Class::NotLeading, false),
            (crate::aws::Class::CredentialsUnavailable, false),
            (crate::aws::Class::Denied, true),
            (crate::aws::Class::Unanswered, true),
        ] {
            let mut schedule = Schedule::new(vec![planned(create("GET /a"), true), closing()]);
            schedule.start();
            schedule.failed(0, &fault(class));
            assert_eq!(schedule.start().is_some(), goes, "{class}");
        }
    }
}
