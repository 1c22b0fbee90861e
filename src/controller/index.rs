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

/// When a list was read, and what it showed.
type Listing = (Instant, Arc<Vec<ListedApi>>);

impl Index {
    /// The list of a Region when it is younger than a period.
    pub(crate) fn recent(&self, region: &str, period: Duration) -> Option<Arc<Vec<ListedApi>>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists
            .get(region)
            .filter(|(read, _)| read.elapsed() < period)
            .map(|(_, list)| Arc::clone(list))
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
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(region.to_owned(), (started, Arc::clone(&list)));
        Ok(list)
    }

    /// Claims the next reading of a Region's list, so that of many objects one reads it.
    pub(crate) fn claim(&self, region: &str, period: Duration) -> bool {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match lists.get_mut(region) {
            Some((read, _)) if read.elapsed() < period => false,
            Some((read, _)) => {
                *read = Instant::now();
                true
            }
            None => {
                lists.insert(region.to_owned(), (Instant::now(), Arc::default()));
                true
            }
        }
    }
}
