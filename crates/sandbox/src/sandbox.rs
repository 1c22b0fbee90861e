//! The sandbox: the model behind its gate, shared by both transports.

mod gate;
mod views;

pub use self::views::{Awaited, Watched};

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::{
    clock::Clock,
    control,
    data_plane::{serve::DataPlane, target::Target},
    faults::Faults,
    issuer::Issuers,
    journal::Journal,
    model::{
        Account, Settings, Timestamp, World,
        deployment::{CorsConfiguration, Deployment, FunctionView, RoleView},
        throttle::Bucket,
    },
    wire::{self, Addressee, Service},
};

/// What a sandbox is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// The account that everything belongs to.
    pub account: Account,
    /// The Region of requests that name none.
    pub region: String,
    /// Decides identifiers and shuffled orders.
    pub seed: u64,
    /// The switches.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// The issuers that API Gateway can reach.
    pub issuers: Issuers,
}

/// How a request ends.
#[derive(Debug)]
pub enum Outcome {
    /// With an answer.
    Answer(Response<Bytes>),
    /// With an answer of whose body only so many bytes arrive.
    Cut(Response<Bytes>, usize),
    /// Without an answer: the connection is closed.
    Reset,
}

/// A strict model of AWS that answers requests. Clones share everything.
#[derive(Clone, Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    core: Mutex<Core>,
    changed: watch::Sender<u64>,
    region: String,
    clock: Clock,
    issuers: Issuers,
    data_plane: DataPlane,
}

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) world: World,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    held: BTreeMap<u64, Held>,
    buckets: BTreeMap<Service, Bucket>,
    /// Writes under way, by API.
    writing: BTreeMap<String, usize>,
}

/// A request that a rule keeps back.
#[derive(Debug)]
struct Held {
    rule: u64,
    release: oneshot::Sender<Release>,
}

/// How a held request goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// As if it had not been held.
    Proceed,
    /// As if the connection had broken there: a request held before it was carried out never arrived.
    Discard,
}

impl Sandbox {
    /// An empty account.
    pub fn new(options: Options) -> Self {
        let world = World::new(options.account, options.settings, options.seed);
        Self::of(world, options.region, options.clock, options.issuers)
    }

    /// Another sandbox that begins with what is in this one, on a clock and with a seed of its own. Rules and journal are empty.
    #[must_use]
    pub fn fork(&self, clock: Clock, seed: u64) -> Self {
        let mut world = self.core().world.clone();
        world.reseed(seed);
        Self::of(
            world,
            self.shared.region.clone(),
            clock,
            self.shared.issuers.clone(),
        )
    }

    fn of(world: World, region: String, clock: Clock, issuers: Issuers) -> Self {
        let core = Core {
            world,
            journal: Journal::default(),
            faults: Faults::default(),
            held: BTreeMap::new(),
            buckets: BTreeMap::new(),
            writing: BTreeMap::new(),
        };
        let shared = Shared {
            core: Mutex::new(core),
            changed: watch::Sender::new(0),
            region,
            clock,
            issuers,
            data_plane: DataPlane::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Answers one HTTP request, whomever it is for.
    pub async fn handle(&self, request: Request<Bytes>) -> Outcome {
        // A call of an API is one whatever it carries: its token may be a signature for a service of AWS.
        if let Some(target) = Target::of(host(&request), request.uri().path()) {
            return Outcome::Answer(self.shared.data_plane.answer(self, &target, request).await);
        }
        match wire::addressee(&request) {
            Addressee::Aws(signature) => self.carry_out(signature, request).await,
            Addressee::Control(path) => Outcome::Answer(control::answer(self, &path, &request).await),
            Addressee::DataPlane => Outcome::Answer(no_api()),
        }
    }

    /// What a stage serves now; nothing before its first deployment.
    pub fn deployment(&self, api_id: &str, stage: &str, now: Timestamp) -> Option<Deployment> {
        self.core().world.deployment(api_id, stage, now)
    }

    /// What a stage would serve if it were deployed now, for the first time perhaps.
    pub fn next_deployment(&self, api_id: &str, stage: &str) -> Option<Deployment> {
        self.core().world.next_deployment(api_id, stage)
    }

    /// Whether deployments of a stage are on their way.
    pub fn is_deploying(&self, api_id: &str, stage: &str, now: Timestamp) -> bool {
        self.core().world.is_deploying(api_id, stage, now)
    }

    /// An API's CORS configuration, which takes effect without a deployment (I).
    pub fn cors(&self, api_id: &str) -> Option<CorsConfiguration> {
        self.core().world.cors(api_id)
    }

    /// A function, version or alias by name or ARN; a qualifier in the ARN counts when none is given beside it.
    pub fn function(&self, arn_or_name: &str, qualifier: Option<&str>) -> Option<FunctionView> {
        let now = self.now();
        self.core().world.function(arn_or_name, qualifier, now)
    }

    /// The resource policy of exactly this ARN: that of a function does not cover its aliases and versions.
    pub fn function_policy(&self, arn: &str) -> Option<Value> {
        self.core().world.function_policy(arn)
    }

    /// A role as IAM's evaluation sees it at `now`, which is later than IAM's own reads see it.
    pub fn effective_role(&self, arn: &str, now: Timestamp) -> Option<RoleView> {
        self.core().world.effective_role(arn, now)
    }

    /// The switches as they are now.
    pub fn settings(&self) -> Settings {
        self.core().world.settings.clone()
    }

    /// Changes the switches; what was decided under the old ones stays.
    pub fn set_settings(&self, settings: Settings) {
        let mut core = self.core();
        core.world.settings = settings;
        core.buckets.clear();
    }

    /// The time by the sandbox's clock.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Where issuers are fetched from.
    pub fn issuers(&self) -> &Issuers {
        &self.shared.issuers
    }

    /// A panic elsewhere leaves the state as it was at that moment, which is as good as any.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.shared.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody who waits for the journal.
    fn announce(&self) {
        self.shared.changed.send_modify(|version| *version += 1);
    }
}

/// The host that a request names: in the header, or in a proxy's form of the request line.
fn host(request: &Request<Bytes>) -> &str {
    let header = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    header.or_else(|| request.uri().host()).unwrap_or_default()
}

/// What API Gateway says where there is nothing.
fn no_api() -> Response<Bytes> {
    wire::response(404, "application/json", r#"{"message":"Not Found"}"#)
}
