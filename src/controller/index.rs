//! The list of all APIs of a Region, read once per resync period and shared by all objects: it shows duplicates and orphans.

use crate::aws::{Fault, ListedApi, Session};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Lists by Region.
#[derive(Debug, Default)]
pub(crate) struct Index(Mutex<BTreeMap<String, Listing>>);

/// What is known of a Region's list.
#[derive(Debug)]
struct Listing {
    /// When somebody last set out to read it.
    claimed: Instant,
    /// When it was read, and what it showed.
    read: Option<(Instant, Arc<Vec<ListedApi>>)>,
}

impl Index {
    /// The list of a Region when it is younger than a period.
    pub(crate) fn recent(&self, region: &str, period: Duration) -> Option<Arc<Vec<ListedApi>>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, list) = lists.get(region)?.read.as_ref()?;
        (read.elapsed() < period).then(|| Arc::clone(list))
    }

    /// The Regions of which lists were read.
    pub(crate) fn regions(&self) -> Vec<String> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.keys().cloned().collect()
    }

    /// Reads the list now and shares it.
    pub(crate) async fn read(&self, region: &str, session: &Session) -> Result<Arc<Vec<ListedApi>>, Fault> {
        let started = Instant::now();
        let list = Arc::new(session.apis().await?);
        let listing = Listing {
            claimed: started,
            read: Some((started, Arc::clone(&list))),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(region.to_owned(), listing);
        Ok(list)
    }

    /// Claims the next reading of a Region's list, so that of many objects one reads it.
    pub(crate) fn claim(&self, region: &str, period: Duration) -> bool {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match lists.get_mut(region) {
            Some(listing) if listing.claimed.elapsed() < period => false,
            Some(listing) => {
                listing.claimed = now;
                true
            }
            None => {
                let listing = Listing {
                    claimed: now,
                    read: None,
                };
                lists.insert(region.to_owned(), listing);
                true
            }
        }
    }
}
