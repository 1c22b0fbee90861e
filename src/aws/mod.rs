//! The AWS side: what the operator reads from AWS, and how it carries plans out.
//!
//! * [`Aws`]: made once per process; knows who it is, and keeps one set of clients per Region;
//! * [`Session`]: everything that is asked of AWS in one reconcile, so that objects share the budget fairly;
//! * [`execute`]: carries out a [`Plan`](jwthttpapi_core::plan::Plan);
//! * [`fault`]: what can go wrong, and how to go on;
//! * [`pace`]: the budget.
//!
//! A request passes the budget first, then, if it may change something, the [`Fence`]; it has a
//! deadline, and it is counted.

mod client;
mod credentials;
pub mod execute;
pub mod fault;
mod metrics;
mod network;
mod observe;
mod operation;
pub mod pace;
pub(crate) mod session;
mod settings;

pub use crate::queue::Urgency;
pub use aws_config::SdkConfig;
pub use client::{READ_TIMEOUT, WRITE_TIMEOUT, load};
pub use execute::{Outcome, run, run_after};
pub use fault::{Class, Fault};
pub use network::Network;
pub use observe::{Attachments, Children, Extent, ListedApi};
pub use operation::{Kind, Operation, Service};
pub use pace::Rate;
pub use session::Session;
pub use settings::{ConfigError, Settings};

use crate::fence::Fence;
use aws_config::identity::IdentityCache;
use aws_credential_types::provider::SharedCredentialsProvider;
use client::Line;
use credentials::Keyring;
use jwthttpapi_core::model::name::Place;
use metrics::{Buckets, Metrics};
use pace::Bucket;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// AWS as one process sees it. Clones share everything.
#[derive(Clone, Debug)]
pub struct Aws(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: SdkConfig,
    settings: Settings,
    default_region: String,
    fence: Fence,
    /// Whether nothing new is asked any more.
    stopped: CancellationToken,
    metrics: Metrics,
    buckets: Arc<Mutex<Buckets>>,
    regions: Mutex<BTreeMap<String, Arc<Regional>>>,
    iam: Line<aws_sdk_iam::Client>,
    sts: Line<aws_sdk_sts::Client>,
    keyring: Keyring,
    identity: tokio::sync::Mutex<Who>,
}

/// What STS has said of who the operator is.
#[derive(Debug, Default)]
struct Who {
    known: Option<Known>,
    /// The last fault, and when it came.
    fault: Option<(Instant, Fault)>,
}

/// Who the operator is, and by which access key.
#[derive(Debug)]
struct Known {
    key: Option<String>,
    identity: Arc<Identity>,
}

/// The clients of one Region.
#[derive(Debug)]
struct Regional {
    api_gateway: Line<aws_sdk_apigatewayv2::Client>,
    lambda: Line<aws_sdk_lambda::Client>,
    logs: Line<aws_sdk_cloudwatchlogs::Client>,
}

/// Who the operator is to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// ARN of the role or user.
    pub arn: String,
}

/// The Region under which IAM's budget is kept: its quotas are the partition's.
const GLOBAL: &str = "global";

impl Aws {
    /// Makes the clients over a configuration, which brings Region, credentials, clock and transport. Nothing is asked of AWS
    /// yet. `registry` must have no prefix: the metrics' names are whole.
    ///
    /// # Errors
    /// When no Region is configured, or the endpoint or a rate is not one.
    pub fn new(
        shared: SdkConfig,
        settings: Settings,
        fence: Fence,
        registry: &mut Registry,
    ) -> Result<Self, ConfigError> {
        settings.check()?;
        let keyring = Keyring::new(shared.credentials_provider());
        let shared = shared
            .into_builder()
            .credentials_provider(SharedCredentialsProvider::new(keyring.clone()))
            .identity_cache(IdentityCache::no_cache())
            .build();
        let default_region = shared.region().ok_or(ConfigError::NoRegion)?.to_string();
        let buckets = Arc::default();
        let metrics = Metrics::register(registry, &buckets);
        let bucket = |service, region| bucket(&buckets, &metrics, service, region, &settings);
        let iam = client::iam(&shared, None, bucket(Service::Iam, GLOBAL));
        let sts = client::sts(&shared, None, bucket(Service::Sts, &default_region));
        Ok(Self(Arc::new(Inner {
            shared,
            settings,
            default_region,
            fence,
            stopped: CancellationToken::new(),
            metrics,
            buckets,
            regions: Mutex::default(),
            iam,
            sts,
            keyring,
            identity: tokio::sync::Mutex::default(),
        })))
    }

    /// Asks AWS nothing new from now on: whoever waits for the budget need not.
    pub(crate) fn stop(&self) {
        self.0.stopped.cancel();
    }

    /// What it was made with.
    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The Region of objects that name none.
    pub fn default_region(&self) -> &str {
        &self.0.default_region
    }

    /// Who the operator is. AWS is asked once for each access key; whoever asks meanwhile waits for the same answer. A fault is
    /// theirs, too, and nobody else's.
    ///
    /// # Errors
    /// When STS cannot be asked.
    pub async fn identity(&self) -> Result<Arc<Identity>, Fault> {
        let asked = Instant::now();
        let mut who = self.0.identity.lock().await;
        if let Some((_, fault)) = who.fault.as_ref().filter(|(came, _)| *came > asked) {
            return Err(fault.clone());
        }
        let key = self.0.keyring.key().await;
        if let Some(known) = who
            .known
            .as_ref()
            .filter(|known| key.is_some() && known.key == key)
        {
            return Ok(Arc::clone(&known.identity));
        }
        match session::caller_identity(&self.0).await {
            Ok(identity) => {
                let identity = Arc::new(identity);
                who.known = Some(Known {
                    key,
                    identity: Arc::clone(&identity),
                });
                Ok(identity)
            }
            Err(fault) => {
                who.fault = Some((Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    /// Whether the credentials have become those of another account than the one that a pass began in.
    async fn has_left(&self, place: &Place) -> Result<bool, Fault> {
        if self.0.identity.lock().await.known.is_none() {
            return Ok(false);
        }
        let identity = self.identity().await?;
        Ok(identity.account != place.account || identity.partition != place.partition)
    }

    /// Partition, account and Region of an object that names `region`.
    ///
    /// # Errors
    /// When STS cannot be asked.
    pub async fn place(&self, region: Option<&str>) -> Result<Place, Fault> {
        let identity = self.identity().await?;
        Ok(Place {
            partition: identity.partition.clone(),
            account: identity.account.clone(),
            region: region.unwrap_or_else(|| self.default_region()).to_owned(),
        })
    }

    /// Everything that one reconcile of one object asks of AWS. `object` tells objects apart in the budget.
    pub fn session(&self, place: &Place, object: impl Into<Arc<str>>, urgency: Urgency) -> Session {
        Session::new(self.clone(), place.clone(), object.into(), urgency)
    }

    /// The clients of a Region, made on first use.
    fn regional(&self, region: &str) -> Arc<Regional> {
        let inner = &self.0;
        let mut regions = inner.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let bucket = |service| bucket(&inner.buckets, &inner.metrics, service, region, &inner.settings);
            let (api_gateway, lambda, logs) = (
                bucket(Service::ApiGateway),
                bucket(Service::Lambda),
                bucket(Service::Logs),
            );
            Arc::new(Regional {
                api_gateway: client::api_gateway(&inner.shared, Some(region), api_gateway),
                lambda: client::lambda(&inner.shared, Some(region), lambda),
                logs: client::logs(&inner.shared, Some(region), logs),
            })
        };
        if let Some(known) = regions.get(region) {
            return Arc::clone(known);
        }
        // Objects can name Regions that there are not, one after the other.
        if regions.len() >= MOST_REGIONS {
            regions.retain(|name, known| *name == inner.default_region || Arc::strong_count(known) > 1);
            let mut buckets = inner.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.retain(|(service, name), _| !service.is_regional() || regions.contains_key(name));
        }
        let made = make();
        regions.insert(region.to_owned(), Arc::clone(&made));
        made
    }
}

/// Regions whose clients are kept although nobody uses them: AWS has fewer (D).
const MOST_REGIONS: usize = 50;

/// The bucket of a service in a Region.
fn bucket(
    buckets: &Mutex<Buckets>,
    metrics: &Metrics,
    service: Service,
    region: &str,
    settings: &Settings,
) -> Arc<Bucket> {
    let bucket = Bucket::new(service, settings.rate(service), metrics.waited(service));
    let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
    buckets.insert((service, region.to_owned()), Arc::clone(&bucket));
    bucket
}
