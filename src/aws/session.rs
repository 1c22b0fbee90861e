//! One object's conversation with AWS.

use super::fault::{Class, Fault};
use super::operation::{Operation, Service};
use super::pace::{Bucket, Permit};
use super::settings::Settings;
use super::{Aws, Identity, Inner, Regional};
use crate::queue::Urgency;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::FutureExt;
use futures::future::BoxFuture;
use jwthttpapi_core::model::name::Place;
use jwthttpapi_core::planted;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

/// How long between two looks at whether a write that waits is still wanted.
const LOOK: Duration = Duration::from_secs(1);

/// Everything that one reconcile of one object asks of AWS. The reads are methods here; writes are the steps of a plan, see
/// [`run`](super::run).
#[derive(Clone, Debug)]
pub struct Session {
    aws: Aws,
    regional: Arc<Regional>,
    place: Place,
    object: Arc<str>,
    urgency: Urgency,
}

impl Session {
    pub(super) fn new(aws: Aws, place: Place, object: Arc<str>, urgency: Urgency) -> Self {
        Self {
            regional: aws.regional(&place.region),
            aws,
            place,
            object,
            urgency,
        }
    }

    /// Where it takes place.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// How urgent its requests are.
    pub const fn urgency(&self) -> Urgency {
        self.urgency
    }

    /// What the command line says.
    pub(super) fn settings(&self) -> &Settings {
        &self.aws.0.settings
    }

    pub(super) fn api_gateway(&self) -> &super::Line<aws_sdk_apigatewayv2::Client> {
        &self.regional.api_gateway
    }

    pub(super) fn lambda(&self) -> &super::Line<aws_sdk_lambda::Client> {
        &self.regional.lambda
    }

    pub(super) fn iam(&self) -> &super::Line<aws_sdk_iam::Client> {
        &self.aws.0.iam
    }

    pub(super) fn logs(&self) -> &super::Line<aws_sdk_cloudwatchlogs::Client> {
        &self.regional.logs
    }

    fn bucket(&self, service: Service) -> &Arc<Bucket> {
        match service {
            Service::ApiGateway => &self.regional.api_gateway.bucket,
            Service::Lambda => &self.regional.lambda.bucket,
            Service::Iam => &self.aws.0.iam.bucket,
            Service::Sts => &self.aws.0.sts.bucket,
            Service::Logs => &self.regional.logs.bucket,
        }
    }

    /// Sends a request that changes nothing.
    pub(super) fn read<'a, T, E>(
        &'a self,
        operation: Operation,
        send: impl Future<Output = Answer<T, E>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Fault>>
    where
        T: Send + 'a,
        E: SdkFailure,
    {
        async move {
            let bucket = self.bucket(operation.service());
            let permit = tokio::select! {
                biased;
                () = self.aws.0.stopped.cancelled() => return Err(Fault::not_leading(operation)),
                permit = bucket.acquire(&self.object, self.urgency) => permit,
            };
            send_with(&self.aws.0, permit, operation, send).await
        }
        .boxed()
    }

    /// Sends a request that may change something, once: when its turn has come in the budget, unless it is not wanted any more
    /// or leadership does not allow it.
    pub(super) fn write<'a, T, E>(
        &'a self,
        turn: Turn<'a>,
        operation: Operation,
        send: impl Future<Output = Answer<T, E>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Stop>>
    where
        T: Send + 'a,
        E: SdkFailure,
    {
        async move {
            turn.come().await?;
            let bucket = self.bucket(operation.service());
            let permit = bucket.acquire(&self.object, turn.urgency);
            let permit = async {
                match turn.deadline {
                    None => Some(permit.await),
                    Some(deadline) => timeout_at(deadline, permit).await.ok(),
                }
            };
            let permit = tokio::select! {
                biased;
                () = self.aws.0.stopped.cancelled() => None,
                permit = permit => permit,
            };
            let permit = permit.ok_or(Stop::Cut)?;
            let left = self.aws.has_left(&self.place).await.map_err(Stop::Fault)?;
            // That may have taken its time: STS may have been asked.
            let late = turn.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if left || late || (turn.cut)() {
                return Err(Stop::Cut);
            }
            if !self.aws.0.fence.allows(Instant::now()) && !planted!(NoFence) {
                return Err(Stop::Fault(Fault::not_leading(operation)));
            }
            let answer = send_with(&self.aws.0, permit, operation, send).await;
            answer.map_err(Stop::Fault)
        }
        .boxed()
    }
}

/// When a write may be sent.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) urgency: Urgency,
    /// It is not sent sooner than this.
    pub(super) not_before: Option<Instant>,
    /// It is not sent later than this.
    pub(super) deadline: Option<Instant>,
    /// Whether it is not wanted any more.
    pub(super) cut: &'a (dyn Fn() -> bool + Sync),
}

impl Turn<'_> {
    /// Waits until it may be sent, and looks now and then whether it is still wanted.
    pub(super) async fn come(&self) -> Result<(), Stop> {
        let left = |at: Instant| at.saturating_duration_since(Instant::now());
        while let Some(at) = self.not_before.filter(|at| !left(*at).is_zero()) {
            if (self.cut)() || self.deadline.is_some_and(|deadline| at >= deadline) {
                return Err(Stop::Cut);
            }
            sleep(left(at).min(LOOK)).await;
        }
        Ok(())
    }
}

/// Why a write was not done.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// It was not wanted any more, or what it was wanted for is no longer so; it was not sent.
    Cut,
    /// It did not succeed.
    Fault(Fault),
}

/// The error of one of the SDK's operations.
pub(super) trait SdkFailure: ProvideErrorMetadata + Error + Send + 'static {}

impl<E: ProvideErrorMetadata + Error + Send + 'static> SdkFailure for E {}

/// What the SDK gives.
pub(super) type Answer<T, E> = Result<T, SdkError<E, HttpResponse>>;

async fn send_with<T, E>(
    aws: &Inner,
    mut permit: Permit,
    operation: Operation,
    send: impl Future<Output = Answer<T, E>>,
) -> Result<T, Fault>
where
    E: SdkFailure,
{
    permit.spend();
    let began = Instant::now();
    let answer = send.await.map_err(|error| Fault::of(operation, &error));
    let class = answer.as_ref().err().map(|fault| fault.class);
    aws.metrics.count(operation, class, began.elapsed());
    match &answer {
        Ok(_) => {
            debug!(service = %operation.service(), %operation, "AWS answered");
            permit.answered();
        }
        Err(fault) => {
            debug!(%fault, request_id = fault.request_id, "AWS did not do it");
            match fault.class {
                Class::Throttled => permit.throttled(),
                Class::CredentialsUnavailable if fault.may_be_of_the_region() => {
                    aws.keyring.doubted(began).await;
                }
                Class::CredentialsUnavailable => aws.keyring.refused(began).await,
                _ if fault.status.is_some() => permit.answered(),
                _ => {}
            }
        }
    }
    answer
}

/// Asks STS who the operator is.
pub(super) async fn caller_identity(aws: &Inner) -> Result<Identity, Fault> {
    let operation = Operation::GetCallerIdentity;
    let permit = aws
        .sts
        .bucket
        .acquire(&Arc::from("operator"), Urgency::Tighten)
        .await;
    let send = aws.sts.reads.get_caller_identity().send();
    let answer = send_with(aws, permit, operation, Box::pin(send)).await?;
    let arn = answer
        .arn
        .ok_or_else(|| Fault::unreadable(operation, "the ARN"))?;
    let place = Place::of_identity(&arn, "").map_err(|_| Fault::unreadable(operation, "a usable ARN"))?;
    Ok(Identity {
        partition: place.partition,
        account: place.account,
        arn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::pace::Rate;
    use crate::aws::{MOST_REGIONS, SdkConfig};
    use crate::fence::Fence;
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_apigatewayv2::operation::{delete_api::DeleteApiError, get_apis::GetApisError};
    use prometheus_client::registry::Registry;
    use std::future::ready;

    fn aws(fence: Fence, settings: Settings) -> Aws {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .build();
        Aws::new(config, settings, fence, &mut Registry::default()).unwrap()
    }

    /// An AWS whose API Gateway is asked once, and not again for long.
    fn slow() -> Aws {
        let apigateway = Rate {
            per_second: 0.01,
            burst: 1,
        };
        let settings = Settings {
            apigateway,
            ..Settings::default()
        };
        aws(Fence::open(), settings)
    }

    /// The process is asked to stop after a second.
    async fn stop_soon(aws: &Aws) {
        sleep(Duration::from_secs(1)).await;
        aws.stop();
    }

    fn session(aws: &Aws) -> Session {
        let place = Place {
            partition: "aws".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        aws.session(&place, "demo/hello", Urgency::Delete)
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_to_read_when_the_process_is_asked_to_stop_waits_no_longer() {
        let aws = slow();
        let session = session(&aws);
        let read = || {
            session.read(
                Operation::GetApis,
                ready(Ok::<_, SdkError<GetApisError, HttpResponse>>(())),
            )
        };
        assert!(read().await.is_ok());
        let began = Instant::now();
        let (waited, ()) = tokio::join!(read(), stop_soon(&aws));
        assert_eq!(waited.unwrap_err().class, Class::NotLeading);
        assert_eq!(began.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_waits_for_its_turn_when_the_process_is_asked_to_stop_is_not_sent() {
        let aws = slow();
        let session = session(&aws);
        let write = || {
            let turn = Turn {
                urgency: Urgency::Delete,
                deadline: None,
                not_before: None,
                cut: &|| false,
            };
            let send = ready(Ok::<_, SdkError<DeleteApiError, HttpResponse>>(()));
            session.write(turn, Operation::DeleteApi, send)
        };
        assert!(write().await.is_ok());
        let began = Instant::now();
        let (waited, ()) = tokio::join!(write(), stop_soon(&aws));
        assert!(matches!(waited, Err(Stop::Cut)), "{waited:?}");
        assert_eq!(began.elapsed().as_secs(), 1);
    }

    #[test]
    fn regions_that_nobody_uses_are_forgotten_before_they_are_too_many() {
        let aws = aws(Fence::open(), Settings::default());
        let used = session(&aws);
        for number in 0..10 * MOST_REGIONS {
            let _unused = aws.session(
                &Place {
                    region: format!("aa-region-{number}"),
                    ..used.place().clone()
                },
                "demo/hello",
                Urgency::Resync,
            );
        }
        assert!(aws.0.regions.lock().unwrap().len() <= MOST_REGIONS);
        // Three services in each Region, and two that are in none.
        assert!(aws.0.buckets.lock().unwrap().len() <= 3 * MOST_REGIONS + 2);
        assert!(Arc::ptr_eq(&used.regional, &session(&aws).regional));
    }

    /// What becomes of a write that AWS would carry out.
    async fn write(fence: Fence, deadline: Option<Instant>, cut: bool) -> Result<(), Stop> {
        let aws = aws(fence, Settings::default());
        let session = session(&aws);
        let turn = Turn {
            urgency: Urgency::Delete,
            deadline,
            not_before: None,
            cut: &move || cut,
        };
        let send = ready(Ok::<_, SdkError<DeleteApiError, HttpResponse>>(()));
        session.write(turn, Operation::DeleteApi, send).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_not_sent_when_it_is_late_or_not_wanted_any_more_or_leadership_does_not_allow_it() {
        assert!(write(Fence::open(), None, false).await.is_ok());
        let cut = write(Fence::open(), None, true).await;
        assert!(matches!(cut, Err(Stop::Cut)), "{cut:?}");
        let late = write(Fence::open(), Some(Instant::now()), false).await;
        assert!(matches!(late, Err(Stop::Cut)), "{late:?}");
        let follows = write(Fence::closed(), None, false).await;
        let Err(Stop::Fault(fault)) = follows else {
            panic!("it was sent")
        };
        assert_eq!(fault.class, Class::NotLeading);
    }
}
