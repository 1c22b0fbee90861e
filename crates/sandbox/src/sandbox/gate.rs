//! The way of one AWS request: journal, faults, latency, access, issuer, model, answer.

use std::{collections::btree_map::Entry as Slot, time::Duration};

use bytes::Bytes;
use http::{Request as HttpRequest, header};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Held, Outcome, Release, Sandbox};
use crate::{
    access::{self, Attempt},
    faults::{Action, Seen, When},
    journal::Entry,
    model::{Context, IssuerProbe, Request, Timestamp, World, error::Refusal, throttle::Bucket},
    permissions::{self, Required},
    web_identity,
    wire::{self, Service, Signature},
};

/// A request that has arrived.
struct Call {
    number: u64,
    signature: Signature,
    region: String,
    verb: String,
    path: String,
    operation: String,
    /// What it asks for, or why that is not understood.
    request: Result<Request, Refusal>,
    target: Option<String>,
    /// What the caller has to be allowed.
    required: Required,
    /// The API that it writes to.
    writes_to: Option<String>,
    fault: Option<(u64, Action)>,
    /// The way to the model, and back.
    latency: (Duration, Duration),
}

/// What carrying a request out came to.
type Answer = Result<Value, Refusal>;

/// The connection is to be closed.
struct Closed;

impl Sandbox {
    /// A request that has arrived is carried out even if its sender goes away: hence a task of its own.
    pub(super) async fn carry_out(&self, signature: Signature, request: HttpRequest<Bytes>) -> Outcome {
        let sandbox = self.clone();
        let task = tokio::spawn(async move {
            let call = sandbox.arrive(signature, &request);
            let outcome = match sandbox.go_through(&call).await {
                Ok(answer) => sandbox.answer(&call, answer),
                Err(Closed) => Outcome::Reset,
            };
            sandbox.end(&call, &outcome);
            outcome
        });
        task.await.unwrap_or(Outcome::Reset)
    }

    /// Writes the request down and picks its fault.
    fn arrive(&self, signature: Signature, request: &HttpRequest<Bytes>) -> Call {
        let service = signature.service;
        let decoded = wire::decode(service, request);
        let described = decoded.as_ref().ok().map(Request::describe);
        let operation = described
            .map_or("Unknown", |described| described.operation)
            .to_owned();
        let mutating = described.is_some_and(|described| described.mutating());
        let target = described
            .and_then(|described| described.target)
            .map(str::to_owned);
        let resource = described
            .and_then(|described| described.resource)
            .map(str::to_owned);
        // IAM is signed for one Region of its partition, and has none itself.
        let region = signature
            .region
            .clone()
            .unwrap_or_else(|| self.shared.region.clone());
        let at_ms = self.now().0;

        let mut core = self.core();
        let fault = core.faults.pick(Seen {
            service,
            operation: &operation,
            target: target.as_deref(),
            resource: resource.as_deref(),
            mutating,
            access_key: &signature.access_key,
        });
        let writes_to = target
            .clone()
            .filter(|_| mutating && service == Service::ApiGateway);
        if let Some(api) = &writes_to {
            *core.writing.entry(api.clone()).or_default() += 1;
        }
        let (verb, path) = (request.method().as_str(), request.uri().path());
        let required = decoded
            .as_ref()
            .map(|request| permissions::required(&core.world, request, &region, verb, path))
            .unwrap_or_default();
        let number = core.journal.begin(Entry {
            number: 0,
            at_ms,
            service,
            operation: operation.clone(),
            target: target.clone(),
            resource,
            region: region.clone(),
            access_key: signature.access_key.clone(),
            permissions: required.permissions(),
            mutating,
            committed: false,
            status: None,
            error: None,
            held: false,
            dropped: false,
            fault: fault.as_ref().map(|(rule, _)| *rule),
        });
        let millis = core.world.settings.latency_ms;
        let latency = (
            Duration::from_millis(millis / 2),
            Duration::from_millis(millis - millis / 2),
        );
        drop(core);
        self.announce();
        Call {
            number,
            signature,
            region,
            verb: verb.to_owned(),
            path: path.to_owned(),
            operation,
            request: decoded,
            target,
            required,
            writes_to,
            fault,
            latency,
        }
    }

    async fn go_through(&self, call: &Call) -> Result<Answer, Closed> {
        let (there, back) = call.latency;
        pass(there).await;
        if let Some(instead) = self.before(call).await? {
            pass(back).await;
            return Ok(Err(instead));
        }
        let answer = self.serve(call).await;
        let answer = self.after(call, answer).await?;
        pass(back).await;
        Ok(answer)
    }

    /// The faults that come before the model: an answer instead of it, or the end of the connection.
    async fn before(&self, call: &Call) -> Result<Option<Refusal>, Closed> {
        let Some((rule, action)) = &call.fault else {
            return Ok(None);
        };
        match action {
            Action::Fail {
                when: When::Before,
                status,
                code,
                message,
            } => Ok(Some(Refusal::new(*status, code.clone(), message.clone()))),
            Action::Throttle => Ok(Some(access::throttled(call.signature.service))),
            Action::AccessDenied => {
                let core = self.core();
                Ok(Some(access::denied(
                    &core.world.settings,
                    &core.world.account,
                    call.attempt(&core.world, self.now()),
                )))
            }
            Action::Drop { when: When::Before } => Err(Closed),
            Action::Hold { when: When::Before } => match self.hold(call.number, *rule).await {
                Release::Proceed => Ok(None),
                Release::Discard => Err(Closed),
            },
            Action::Fail {
                when: When::After, ..
            }
            | Action::Drop { when: When::After }
            | Action::Hold { when: When::After }
            | Action::Truncate
            | Action::FailDeployment { .. }
            | Action::FailFunction { .. } => Ok(None),
        }
    }

    /// The faults that come after the model, which has done its work by then.
    async fn after(&self, call: &Call, answer: Answer) -> Result<Answer, Closed> {
        let Some((rule, action)) = &call.fault else {
            return Ok(answer);
        };
        match action {
            Action::Fail {
                when: When::After,
                status,
                code,
                message,
            } => Ok(Err(Refusal::new(*status, code.clone(), message.clone()))),
            Action::Drop { when: When::After } => Err(Closed),
            Action::Hold { when: When::After } => match self.hold(call.number, *rule).await {
                Release::Proceed => Ok(answer),
                Release::Discard => Err(Closed),
            },
            Action::Fail {
                when: When::Before, ..
            }
            | Action::Drop { when: When::Before }
            | Action::Hold { when: When::Before }
            | Action::Throttle
            | Action::AccessDenied
            | Action::Truncate
            | Action::FailDeployment { .. }
            | Action::FailFunction { .. } => Ok(answer),
        }
    }

    async fn hold(&self, number: u64, rule: u64) -> Release {
        let released = self.begin_hold(number, rule);
        let release = released.await.unwrap_or(Release::Discard);
        self.core().journal.amend(number, |entry| entry.held = false);
        self.announce();
        release
    }

    fn begin_hold(&self, number: u64, rule: u64) -> oneshot::Receiver<Release> {
        let (release, released) = oneshot::channel();
        let mut core = self.core();
        core.held.insert(number, Held { rule, release });
        core.journal.amend(number, |entry| entry.held = true);
        drop(core);
        self.announce();
        released
    }

    /// Rate, access, and the issuer come before the model is asked.
    async fn serve(&self, call: &Call) -> Answer {
        let request = call.request.as_ref().map_err(Clone::clone)?;
        self.admit(call)?;
        let issuer = match request.issuer() {
            None => None,
            Some(issuer) => {
                let found = self.shared.issuers.discovery(issuer).await;
                let outcome = found
                    .map(|document| document.issuer)
                    .map_err(|error| error.to_string());
                Some(IssuerProbe { outcome })
            }
        };
        let now = self.now();
        let web_identity = match request.web_identity_token() {
            None => None,
            Some(token) => Some(web_identity::verify(&self.shared.issuers, token, now).await),
        };
        let mut core = self.core();
        let context = Context {
            now,
            region: call.region.clone(),
            caller: access::caller(
                &core.world.settings,
                &core.world.account,
                call.attempt(&core.world, now),
            ),
            web_identity,
            issuer,
            deployment_failure: match &call.fault {
                Some((_, Action::FailDeployment { message })) => Some(message.clone()),
                _ => None,
            },
            function_failure: match &call.fault {
                Some((_, Action::FailFunction { code })) => Some(code.clone()),
                _ => None,
            },
        };
        let sees_tags = access::sees_tags(&core.world.settings, call.attempt(&core.world, now));
        let mut answer = core.world.apply(&context, request);
        if let (Ok(Value::Object(members)), false) = (&mut answer, sees_tags) {
            members.remove("Tags");
        }
        let committed = answer.is_ok();
        core.journal
            .amend(call.number, |entry| entry.committed = committed && entry.mutating);
        answer
    }

    fn admit(&self, call: &Call) -> Result<(), Refusal> {
        let now = self.now();
        let service = call.signature.service;
        let mut core = self.core();
        if let Some(limit) = core.world.settings.rate_limits.get(service.name()).copied() {
            let bucket = core
                .buckets
                .entry(service)
                .or_insert_with(|| Bucket::full(limit, now));
            if !bucket.take(limit, now) {
                return Err(access::throttled(service));
            }
        }
        access::check(
            &core.world.settings,
            &core.world.account,
            call.attempt(&core.world, now),
        )?;
        let alone = |api: &String| core.writing.get(api).is_none_or(|writes| *writes <= 1);
        if core.world.settings.concurrent_modification && !call.writes_to.as_ref().is_none_or(alone) {
            // O.
            let text = "Unable to complete operation due to concurrent modification. Please try again later.";
            return Err(Refusal::new(409, "ConflictException", text));
        }
        Ok(())
    }

    fn answer(&self, call: &Call, answer: Answer) -> Outcome {
        let service = call.signature.service;
        // Deterministic, and unique within a sandbox.
        let request_id = format!("00000000-0000-4000-8000-{:012x}", call.number);
        let mut response = match &answer {
            Ok(value) => wire::encode(service, &call.operation, &request_id, value),
            Err(refusal) => wire::encode_refusal(service, &request_id, refusal),
        };
        // By it the SDKs measure how far their own clock is off.
        if let Ok(date) = self.now().http_date().try_into() {
            response.headers_mut().insert(header::DATE, date);
        }
        if let Err(refusal) = answer {
            self.core()
                .journal
                .amend(call.number, |entry| entry.error = Some(refusal.code));
        }
        match call.fault {
            Some((_, Action::Truncate)) => {
                let half = response.body().len() / 2;
                Outcome::Cut(response, half)
            }
            _ => Outcome::Answer(response),
        }
    }

    fn end(&self, call: &Call, outcome: &Outcome) {
        let mut core = self.core();
        if let Some(api) = &call.writes_to
            && let Slot::Occupied(mut writes) = core.writing.entry(api.clone())
        {
            *writes.get_mut() -= 1;
            if *writes.get() == 0 {
                writes.remove();
            }
        }
        core.journal.amend(call.number, |entry| match outcome {
            Outcome::Answer(response) | Outcome::Cut(response, _) => {
                entry.status = Some(response.status().as_u16());
            }
            Outcome::Reset => entry.dropped = true,
        });
        drop(core);
        self.announce();
    }
}

impl Call {
    fn attempt<'a>(&'a self, world: &'a World, now: Timestamp) -> Attempt<'a> {
        Attempt {
            now,
            session: world.session(&self.signature.access_key),
            token: self.signature.token.as_deref(),
            signed: self.signature.signed,
            service: self.signature.service,
            operation: &self.operation,
            verb: &self.verb,
            path: &self.path,
            target: self.target.as_deref(),
            required: &self.required,
            region: &self.region,
            access_key: &self.signature.access_key,
        }
    }
}

/// A latency of nothing does not even yield.
async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
