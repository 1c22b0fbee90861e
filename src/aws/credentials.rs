//! The operator's credentials, which change while it runs: files are rotated, sessions end, secrets come late.
//!
//! The SDK reads files once and keeps what names no end for a quarter of an hour, whatever AWS says of it. So the [`Keyring`]
//! stands between the clients and their source: it keeps credentials until they end, a few seconds when they name no end, and
//! not at all when AWS refused them. The [`Source`] behind it begins with the environment again wherever it had read files.

use super::client::loader;
use super::fault::causes;
use super::network::Network;
use super::settings::Settings;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, Result as Provided, SharedCredentialsProvider, future,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long credentials that name no end are used before they are read again.
const REREAD: Duration = Duration::from_secs(5);
/// How long before their end others are renewed.
const AHEAD: Duration = Duration::from_secs(10);
/// How long credentials that one service refused are used by everybody else.
const YOUNG: Duration = Duration::from_mins(1);
/// How long their source may take: less than any request, so that it is the credentials that are named, not the request.
const PATIENCE: Duration = Duration::from_secs(4);

/// The credentials of one process. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Keyring(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Option<SharedCredentialsProvider>,
    last: Mutex<Option<Last>>,
}

/// What the source gave last.
#[derive(Debug)]
struct Last {
    given: Result<Credentials, String>,
    at: Instant,
    /// Until when it is used.
    until: Instant,
}

impl Keyring {
    pub(super) fn new(source: Option<SharedCredentialsProvider>) -> Self {
        let last = Mutex::default();
        Self(Arc::new(Inner { source, last }))
    }

    /// The access key in use.
    pub(super) async fn key(&self) -> Option<String> {
        let current = self.current().await.ok()?;
        Some(current.access_key_id().to_owned())
    }

    /// AWS refused what was in use at an instant: it is not used again.
    pub(super) async fn refused(&self, at: Instant) {
        let mut last = self.0.last.lock().await;
        if last.as_ref().is_some_and(|last| last.at <= at) {
            *last = None;
        }
    }

    /// AWS refused what was in use at an instant, perhaps for a reason that is not theirs: what everybody uses is not thrown away for
    /// that while it is young.
    pub(super) async fn doubted(&self, at: Instant) {
        if let Some(before) = at.checked_sub(YOUNG) {
            self.refused(before).await;
        }
    }

    async fn current(&self) -> Provided {
        let asked = Instant::now();
        let mut last = self.0.last.lock().await;
        match last.as_ref() {
            Some(Last {
                given: Ok(credentials),
                until,
                ..
            }) if asked < *until => return Ok(credentials.clone()),
            // Whoever waited while the source failed need not hear it fail again.
            Some(Last {
                given: Err(error),
                at,
                ..
            }) if asked < *at => {
                return Err(CredentialsError::provider_error(error.clone()));
            }
            _ => {}
        }
        let given = self.ask().await;
        let at = Instant::now();
        *last = Some(Last {
            given: given.as_ref().map(Clone::clone).map_err(|error| causes(error)),
            at,
            until: given
                .as_ref()
                .map_or(at, |credentials| at + lifetime(credentials)),
        });
        given
    }

    async fn ask(&self) -> Provided {
        let Some(source) = &self.0.source else {
            return Err(CredentialsError::not_loaded_no_source());
        };
        let asked = timeout(PATIENCE, source.provide_credentials()).await;
        asked.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(PATIENCE)))
    }
}

impl ProvideCredentials for Keyring {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.current())
    }
}

/// How long credentials are used.
fn lifetime(credentials: &Credentials) -> Duration {
    credentials.expiry().map_or(REREAD, |end| {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        left.saturating_sub(AHEAD)
    })
}

/// The SDK's chain of sources. One that gave what ends by itself is asked again, since it remembers what it needs; one that
/// read an environment or a file, or failed, is made anew.
#[derive(Debug)]
pub(super) struct Source {
    settings: Settings,
    network: Network,
    chain: Mutex<Option<SharedCredentialsProvider>>,
}

impl Source {
    pub(super) fn new(settings: Settings, network: Network) -> Self {
        let chain = Mutex::default();
        Self {
            settings,
            network,
            chain,
        }
    }

    async fn credentials(&self) -> Provided {
        let mut held = self.chain.lock().await;
        let chain = match held.take() {
            Some(chain) => chain,
            None => loader(&self.settings, &self.network)
                .load()
                .await
                .credentials_provider()
                .ok_or_else(CredentialsError::not_loaded_no_source)?,
        };
        let given = chain.provide_credentials().await;
        *held = Some(chain).filter(|_| {
            given
                .as_ref()
                .is_ok_and(|credentials| credentials.expiry().is_some())
        });
        given
    }
}

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::time::advance;

    /// A source that counts how often it is asked, and whose credentials end after a while, if they do.
    #[derive(Clone, Debug)]
    struct Counting(Arc<AtomicUsize>, Option<Duration>);

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let end = self.1.map(|lifetime| SystemTime::now() + lifetime);
            future::ProvideCredentials::ready(Ok(Credentials::new(
                format!("key-{count}"),
                "secret",
                None,
                end,
                "test",
            )))
        }
    }

    fn keyring(lifetime: Option<Duration>) -> Keyring {
        let source = Counting(Arc::default(), lifetime);
        Keyring::new(Some(SharedCredentialsProvider::new(source)))
    }

    #[tokio::test(start_paused = true)]
    async fn what_names_no_end_is_read_again_after_a_few_seconds() {
        let keyring = keyring(None);
        assert_eq!(keyring.key().await.as_deref(), Some("key-1"));
        advance(REREAD / 2).await;
        assert_eq!(keyring.key().await.as_deref(), Some("key-1"));
        advance(REREAD / 2).await;
        assert_eq!(keyring.key().await.as_deref(), Some("key-2"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_is_kept_until_shortly_before() {
        let keyring = keyring(Some(Duration::from_secs(3600)));
        assert_eq!(keyring.key().await.as_deref(), Some("key-1"));
        advance(Duration::from_secs(3600 - 20)).await;
        assert_eq!(keyring.key().await.as_deref(), Some("key-1"));
        advance(AHEAD).await;
        assert_eq!(keyring.key().await.as_deref(), Some("key-2"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_aws_refused_is_not_used_again_and_what_came_after_it_is_kept() {
        let keyring = keyring(Some(Duration::from_secs(3600)));
        assert_eq!(keyring.key().await.as_deref(), Some("key-1"));
        let began = Instant::now();
        advance(Duration::from_secs(1)).await;
        keyring.refused(began).await;
        assert_eq!(keyring.key().await.as_deref(), Some("key-2"));
        keyring.refused(began).await;
        assert_eq!(keyring.key().await.as_deref(), Some("key-2"));
    }

    /// An object may name a Region that is not enabled, and do so again and again.
    #[tokio::test(start_paused = true)]
    async fn what_may_be_refused_for_another_reason_is_not_thrown_away_while_it_is_young() {
        let keyring = keyring(Some(Duration::from_secs(3600)));
        assert_eq!(keyring.key().await.as_deref(), Some("key-1"));
        for second in 1..=120 {
            advance(Duration::from_secs(1)).await;
            keyring.doubted(Instant::now()).await;
            let expected = format!("key-{}", 1 + second / 60);
            assert_eq!(keyring.key().await, Some(expected), "after {second} s");
        }
    }

    #[derive(Debug)]
    struct Silent;

    impl ProvideCredentials for Silent {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_for_a_silent_source_hear_so_together_and_before_their_requests_end() {
        let keyring = Keyring::new(Some(SharedCredentialsProvider::new(Silent)));
        let began = Instant::now();
        let (one, other) = tokio::join!(keyring.current(), keyring.current());
        assert!(one.is_err() && other.is_err());
        assert!(
            began.elapsed() < crate::aws::WRITE_TIMEOUT,
            "{:?}",
            began.elapsed()
        );
    }
}
