//! Lists, page by page.

use serde::Serialize;

use super::{
    ids::mix,
    settings::{ListOrder, Settings},
    time::Timestamp,
};

/// What a caller asks of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageRequest {
    pub(crate) max_results: Option<usize>,
    pub(crate) token: Option<String>,
}

/// When something was made: what lists are ordered by, and what they may lag behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Birth {
    pub(crate) at: Timestamp,
    /// Grows with every creation.
    pub(crate) order: u64,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// The token is not one that a page ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

impl Settings {
    /// The place of something in a list.
    fn rank(&self, seed: u64, birth: Birth) -> u64 {
        match self.list_order {
            ListOrder::Creation => birth.order,
            ListOrder::Reversed => u64::MAX - birth.order,
            ListOrder::Shuffled => mix(seed ^ mix(birth.order)),
        }
    }
}

/// Cuts one page out of `items`. A token holds the place of the last item that was sent, so that what is created or
/// deleted between two pages makes no other item appear twice or not at all.
pub(crate) fn page<T>(
    settings: &Settings,
    seed: u64,
    now: Timestamp,
    request: &PageRequest,
    items: impl Iterator<Item = (Birth, T)>,
) -> Result<Page<T>, BadToken> {
    let after = match &request.token {
        None => None,
        Some(token) => Some(read_token(token)?),
    };
    let size = request
        .max_results
        .unwrap_or(settings.page_size)
        .min(settings.page_size)
        .max(1);
    let mut ranked: Vec<(u64, T)> = items
        .filter(|(birth, _)| birth.at.after(settings.list_lag_ms) <= now)
        .map(|(birth, item)| (settings.rank(seed, birth), item))
        .filter(|(rank, _)| after.is_none_or(|after| *rank > after))
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let more = ranked.len() > size;
    ranked.truncate(size);
    let next = if more {
        ranked.last().map(|(rank, _)| write_token(*rank))
    } else {
        None
    };
    Ok(Page {
        items: ranked.into_iter().map(|(_, item)| item).collect(),
        next,
    })
}

fn write_token(rank: u64) -> String {
    format!("p{rank:016x}")
}

fn read_token(token: &str) -> Result<u64, BadToken> {
    let digits = token.strip_prefix('p').ok_or(BadToken)?;
    u64::from_str_radix(digits, 16).map_err(|_| BadToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(order: u64) -> Birth {
        Birth {
            at: Timestamp(order * 10),
            order,
        }
    }

    fn all(settings: &Settings, seed: u64, now: u64) -> Vec<u64> {
        let mut met = Vec::new();
        let mut request = PageRequest::default();
        loop {
            let items = (1..=7).map(|order| (birth(order), order));
            let page = page(settings, seed, Timestamp(now), &request, items).unwrap();
            met.extend(page.items);
            match page.next {
                Some(token) => request.token = Some(token),
                None => return met,
            }
        }
    }

    #[test]
    fn pages_together_hold_every_item_once_in_every_order() {
        for list_order in [ListOrder::Creation, ListOrder::Reversed, ListOrder::Shuffled] {
            for page_size in [1, 2, 3, 7, 8] {
                let settings = Settings {
                    page_size,
                    list_order,
                    ..Settings::default()
                };
                let mut seen = all(&settings, 3, 1000);
                seen.sort_unstable();
                assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
            }
        }
    }

    #[test]
    fn the_seed_decides_a_shuffled_order() {
        let settings = Settings {
            list_order: ListOrder::Shuffled,
            ..Settings::default()
        };
        assert_eq!(all(&settings, 3, 1000), all(&settings, 3, 1000));
        assert_ne!(all(&settings, 3, 1000), all(&settings, 4, 1000));
    }

    #[test]
    fn what_is_newer_than_the_lag_is_missing() {
        let settings = Settings {
            list_lag_ms: 30,
            ..Settings::default()
        };
        assert_eq!(all(&settings, 0, 70), [1, 2, 3, 4]);
        assert_eq!(all(&settings, 0, 100), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn an_item_deleted_between_pages_does_not_hide_another() {
        let settings = Settings {
            page_size: 2,
            ..Settings::default()
        };
        let now = Timestamp(1000);
        let first = (1..=4).map(|order| (birth(order), order));
        let first = page(&settings, 0, now, &PageRequest::default(), first).unwrap();
        let rest = PageRequest {
            token: first.next,
            max_results: None,
        };
        let second = [1, 3, 4].into_iter().map(|order| (birth(order), order));
        assert_eq!(page(&settings, 0, now, &rest, second).unwrap().items, [3, 4]);
    }

    #[test]
    fn an_invented_token_is_refused() {
        let request = PageRequest {
            token: Some("nonsense".into()),
            max_results: None,
        };
        let nothing = std::iter::empty::<(Birth, u64)>();
        assert_eq!(
            page(&Settings::default(), 0, Timestamp(0), &request, nothing),
            Err(BadToken)
        );
    }
}
