//! Which API is the object's, when none may be lost and none made twice.
//!
//! `CreateApi` has no client token and names repeat (D), lists may lag (I). So an intent is written before a create, whoever
//! *finds* one waits until any create sent for it must show in a list, and only an empty list after that lets it create
//! again. Stored times take no part.

use crate::model::{Owner, Proof, owner::Claim};
use std::collections::BTreeMap;

/// What is known of an object's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// What a read of the stored id gave.
    pub lookup: Lookup,
    /// The nonce in status.
    pub nonce: Option<&'a str>,
    /// The intent in status.
    pub pending: Intent<'a>,
    /// Whether this very pass added the finalizer.
    pub fresh: bool,
    /// Whether the settle time has passed since this process first saw the intent or the missing id, or its last create was over.
    pub settled: bool,
    /// APIs of this owner, listed after the settle time; none when no list was read yet.
    pub listed: Option<&'a [Candidate]>,
    /// The API in the same list that may be taken over.
    pub reclaimable: Option<&'a Reclaimable>,
}

/// A write-ahead intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent<'a> {
    /// Nothing was about to be done.
    #[default]
    None,
    /// An API was about to be created.
    Create,
    /// The API of this id was about to be taken over.
    Reclaim(&'a str),
}

/// The API that an object of the same name left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reclaimable {
    /// Its id.
    pub id: String,
    /// Uid of the object that is no more.
    pub from: String,
}

impl Reclaimable {
    /// Exactly one of a list that an object of the owner's names with another uid left behind, in a cluster that `of_ours`
    /// says is this one or one that this one replaces. Of several it cannot be told which is meant.
    pub fn find<'a>(
        owner: &Owner,
        apis: impl Iterator<Item = (&'a str, &'a BTreeMap<String, String>)>,
        of_ours: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let mut left = apis.filter_map(|(id, tags)| {
            let before = Claim::of(tags)?.owner;
            let from_here = before.kube_system.as_deref().is_some_and(&of_ours);
            (owner.succeeds(&before) && from_here).then(|| Self {
                id: id.to_owned(),
                from: before.uid,
            })
        });
        let only = left.next()?;
        left.next().is_none().then_some(only)
    }
}

/// What a read of the stored id gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// No id is stored.
    NoId,
    /// There is no API of this id.
    Missing,
    /// There is one, and its tags prove this much.
    Found(Proof),
}

/// A listed API with proof of this owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// When it was made, as AWS writes it; sorts as text.
    pub created: String,
    /// Its id.
    pub id: String,
    /// The nonce in its tags.
    pub nonce: Option<String>,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The stored id is the object's API.
    Verified,
    /// This listed API is: store its id and nonce before anything else is written.
    Store(Candidate),
    /// Write an intent, then decide again. A nonce goes with it only when nothing was made before: an API of the nonce that
    /// was lost must be known by having none.
    WriteIntent,
    /// Nothing of the lost nonce exists: store a new one, then decide again.
    WriteNonce,
    /// Write an intent to take this API over, then decide again.
    WriteReclaim(Reclaimable),
    /// The API may be created now.
    Create,
    /// This API may be taken over now, if a read of it still says whose it is.
    Reclaim(Reclaimable),
    /// Wait until the settle time has passed.
    Wait,
    /// Read the list, then decide again.
    List,
    /// It cannot be told which of these is the object's, sorted.
    Ambiguous(Vec<String>),
}

/// Decides, in the order of the protocol.
pub fn identify(known: &Known<'_>) -> Identity {
    planted!(CreatesWithoutLook => {
        if known.lookup == Lookup::NoId || known.lookup == Lookup::Missing {
            return Identity::Create;
        }
    });
    planted!(NoIntent => {
        if known.lookup == Lookup::NoId {
            return match known.listed {
                None => Identity::List,
                Some([]) => Identity::Create,
                Some([first, ..]) => Identity::Store(first.clone()),
            };
        }
    });
    planted!(NeverTryAgain => {
        if known.lookup == Lookup::NoId && known.pending != Intent::None && !known.fresh {
            return Identity::Ambiguous(Vec::new());
        }
    });
    match known.lookup {
        Lookup::Found(Proof::Complete) => return Identity::Verified,
        Lookup::Found(Proof::Ours | Proof::None) => {}
        Lookup::NoId if known.fresh && known.pending == Intent::Create => return Identity::Create,
        // A lost status: what it named may be in a list.
        Lookup::NoId | Lookup::Missing if known.pending == Intent::None && known.nonce.is_none() => {}
        Lookup::NoId | Lookup::Missing if known.pending == Intent::None => return Identity::WriteIntent,
        Lookup::NoId | Lookup::Missing if !known.settled => return Identity::Wait,
        Lookup::NoId | Lookup::Missing => {}
    }
    let Some(listed) = known.listed else {
        return Identity::List;
    };
    let is_complete =
        |candidate: &&Candidate| known.nonce.is_some() && candidate.nonce.as_deref() == known.nonce;
    let complete = listed.iter().filter(is_complete).min();
    match (complete, listed) {
        (Some(oldest), _) => Identity::Store(oldest.clone()),
        (None, [only]) if known.nonce.is_none() => Identity::Store(only.clone()),
        // The stored id's own API, whose nonce tag somebody took away: drift, to be put right.
        (None, [only]) if known.lookup == Lookup::Found(Proof::Ours) && only.nonce.is_none() => {
            Identity::Verified
        }
        // The same with the id lost, too: the only API of ours names no other nonce.
        (None, [only]) if only.nonce.is_none() => Identity::Store(only.clone()),
        // A read shows an API of ours that the list does not: the list lags, and another API would be a second one.
        (None, []) if known.lookup == Lookup::Found(Proof::Ours) => Identity::Wait,
        (None, []) => create_or_reclaim(known),
        (None, several) => {
            let mut ids: Vec<String> = several.iter().map(|candidate| candidate.id.clone()).collect();
            ids.sort_unstable();
            Identity::Ambiguous(ids)
        }
    }
}

/// What follows when no list shows an API of this owner.
fn create_or_reclaim(known: &Known<'_>) -> Identity {
    match (known.pending, known.reclaimable) {
        (Intent::None, None) => Identity::WriteIntent,
        (Intent::None, Some(left)) => Identity::WriteReclaim(left.clone()),
        _ if !known.settled => Identity::Wait,
        _ if known.nonce.is_none() => Identity::WriteNonce,
        (Intent::Create, None) => Identity::Create,
        (Intent::Reclaim(id), Some(left)) if left.id == id => Identity::Reclaim(left.clone()),
        (_, Some(left)) => Identity::WriteReclaim(left.clone()),
        // What was to be taken over is gone.
        (Intent::Reclaim(_), None) => Identity::WriteIntent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::DeletionPolicy;

    const BASE: Known<'_> = Known {
        lookup: Lookup::NoId,
        nonce: Some("n"),
        pending: Intent::Create,
        fresh: false,
        settled: true,
        listed: Some(&[]),
        reclaimable: None,
    };

    fn candidate(id: &str, created: &str, nonce: &str) -> Candidate {
        Candidate {
            created: created.into(),
            id: id.into(),
            nonce: Some(nonce.into()),
        }
    }

    #[test]
    fn only_the_pass_that_added_the_finalizer_creates_at_once() {
        let fresh = Known {
            fresh: true,
            pending: Intent::None,
            settled: false,
            listed: None,
            ..BASE
        };
        assert_eq!(identify(&fresh), Identity::WriteIntent, "an intent first");
        assert_eq!(
            identify(&Known {
                pending: Intent::Create,
                ..fresh
            }),
            Identity::Create
        );
        assert_eq!(
            identify(&Known {
                pending: Intent::Create,
                fresh: false,
                ..fresh
            }),
            Identity::Wait
        );
    }

    #[test]
    fn a_found_intent_waits_then_lists_and_only_then_creates() {
        assert_eq!(
            identify(&Known {
                settled: false,
                listed: None,
                ..BASE
            }),
            Identity::Wait
        );
        assert_eq!(identify(&Known { listed: None, ..BASE }), Identity::List);
        assert_eq!(identify(&BASE), Identity::Create);
    }

    #[test]
    fn a_finalizer_without_intent_is_a_lost_status_that_is_looked_for_and_waited_for() {
        let lost = Known {
            nonce: None,
            pending: Intent::None,
            settled: false,
            listed: None,
            ..BASE
        };
        assert_eq!(identify(&lost), Identity::List);
        let listed = Known {
            listed: Some(&[]),
            ..lost
        };
        assert_eq!(identify(&listed), Identity::WriteIntent);
        let waiting = Known {
            pending: Intent::Create,
            ..listed
        };
        assert_eq!(identify(&waiting), Identity::Wait);
        let settled = Known {
            settled: true,
            ..waiting
        };
        assert_eq!(identify(&settled), Identity::WriteNonce);
        let named = Known {
            nonce: Some("new"),
            ..settled
        };
        assert_eq!(identify(&named), Identity::Create);
    }

    #[test]
    fn an_api_that_shows_after_its_status_was_lost_is_taken_back() {
        let late = [candidate("a", "1", "lost")];
        let known = Known {
            nonce: None,
            listed: Some(&late),
            ..BASE
        };
        assert_eq!(identify(&known), Identity::Store(late[0].clone()));
    }

    #[test]
    fn of_several_of_complete_proof_the_oldest_then_the_lowest_id_is_stored() {
        let listed = [
            candidate("b", "2", "n"),
            candidate("c", "1", "n"),
            candidate("a", "1", "n"),
            candidate("0", "0", "x"),
        ];
        let known = Known {
            listed: Some(&listed),
            ..BASE
        };
        assert_eq!(identify(&known), Identity::Store(candidate("a", "1", "n")));
    }

    #[test]
    fn with_the_nonce_lost_exactly_one_is_taken_back() {
        let one = [candidate("a", "1", "x")];
        assert_eq!(
            identify(&Known {
                nonce: None,
                listed: Some(&one),
                ..BASE
            }),
            Identity::Store(one[0].clone())
        );
        let two = [candidate("b", "1", "x"), candidate("a", "1", "y")];
        let ambiguous = Identity::Ambiguous(vec!["a".into(), "b".into()]);
        assert_eq!(
            identify(&Known {
                nonce: None,
                listed: Some(&two),
                ..BASE
            }),
            ambiguous
        );
    }

    #[test]
    fn an_api_of_ours_with_another_nonce_is_ambiguous_and_never_doubled() {
        let other = [candidate("a", "1", "x")];
        assert_eq!(
            identify(&Known {
                listed: Some(&other),
                ..BASE
            }),
            Identity::Ambiguous(vec!["a".into()])
        );
    }

    #[test]
    fn the_stored_api_without_its_nonce_tag_is_put_right() {
        let bare = [Candidate {
            nonce: None,
            ..candidate("a", "1", "")
        }];
        let known = Known {
            lookup: Lookup::Found(Proof::Ours),
            pending: Intent::None,
            listed: Some(&bare),
            ..BASE
        };
        assert_eq!(identify(&known), Identity::Verified);
    }

    #[test]
    fn the_only_api_without_its_nonce_tag_is_taken_back_when_the_id_is_lost_too() {
        let bare = [Candidate {
            nonce: None,
            ..candidate("a", "1", "")
        }];
        let known = Known {
            listed: Some(&bare),
            ..BASE
        };
        assert_eq!(identify(&known), Identity::Store(bare[0].clone()));
    }

    #[test]
    fn an_api_of_ours_that_a_list_misses_is_waited_for_and_never_doubled() {
        for (pending, nonce) in [
            (Intent::None, Some("n")),
            (Intent::Create, Some("n")),
            (Intent::Create, None),
        ] {
            let known = Known {
                lookup: Lookup::Found(Proof::Ours),
                pending,
                nonce,
                ..BASE
            };
            assert_eq!(identify(&known), Identity::Wait);
        }
    }

    #[test]
    fn a_missing_id_is_waited_for_with_an_intent() {
        let missing = Known {
            lookup: Lookup::Missing,
            pending: Intent::None,
            settled: false,
            listed: None,
            ..BASE
        };
        assert_eq!(identify(&missing), Identity::WriteIntent);
        assert_eq!(
            identify(&Known {
                pending: Intent::Create,
                ..missing
            }),
            Identity::Wait
        );
        assert_eq!(
            identify(&Known {
                pending: Intent::Create,
                settled: true,
                ..missing
            }),
            Identity::List
        );
    }

    #[test]
    fn a_foreign_id_in_status_is_a_hint_that_failed() {
        let foreign = Known {
            lookup: Lookup::Found(Proof::None),
            pending: Intent::None,
            listed: None,
            ..BASE
        };
        assert_eq!(identify(&foreign), Identity::List);
        assert_eq!(
            identify(&Known {
                listed: Some(&[]),
                ..foreign
            }),
            Identity::WriteIntent
        );
    }

    #[test]
    fn an_intent_beside_a_foreign_id_waits_too_before_it_creates() {
        let foreign = Known {
            lookup: Lookup::Found(Proof::None),
            ..BASE
        };
        let early = Known {
            settled: false,
            ..foreign
        };
        assert_eq!(identify(&early), Identity::Wait);
        assert_eq!(identify(&foreign), Identity::Create);
    }

    #[test]
    fn a_verified_id_needs_no_list() {
        assert_eq!(
            identify(&Known {
                lookup: Lookup::Found(Proof::Complete),
                ..BASE
            }),
            Identity::Verified
        );
    }

    const OLD: &str = "u0";

    fn left_behind() -> Reclaimable {
        Reclaimable {
            id: "old".into(),
            from: OLD.into(),
        }
    }

    #[test]
    fn what_a_predecessor_left_is_taken_over_after_an_intent_and_a_wait() {
        let left = left_behind();
        let empty = Known {
            pending: Intent::None,
            nonce: None,
            settled: false,
            reclaimable: Some(&left),
            ..BASE
        };
        assert_eq!(identify(&empty), Identity::WriteReclaim(left_behind()));
        let intended = Known {
            pending: Intent::Reclaim("old"),
            nonce: Some("n"),
            ..empty
        };
        assert_eq!(identify(&intended), Identity::Wait);
        let settled = Known {
            settled: true,
            ..intended
        };
        assert_eq!(
            identify(&Known {
                listed: None,
                ..settled
            }),
            Identity::List
        );
        assert_eq!(identify(&settled), Identity::Reclaim(left_behind()));
        let nameless = Known {
            nonce: None,
            ..settled
        };
        assert_eq!(identify(&nameless), Identity::WriteNonce);
    }

    #[test]
    fn an_api_of_ours_goes_before_what_a_predecessor_left() {
        let (left, own) = (left_behind(), [candidate("a", "1", "n")]);
        for pending in [Intent::None, Intent::Create, Intent::Reclaim("old")] {
            let known = Known {
                lookup: Lookup::Found(Proof::None),
                pending,
                listed: Some(&own),
                reclaimable: Some(&left),
                ..BASE
            };
            assert_eq!(identify(&known), Identity::Store(own[0].clone()));
        }
    }

    #[test]
    fn an_intent_that_no_longer_fits_what_is_left_is_written_anew() {
        let left = left_behind();
        let other = Known {
            pending: Intent::Reclaim("other"),
            reclaimable: Some(&left),
            ..BASE
        };
        assert_eq!(identify(&other), Identity::WriteReclaim(left_behind()));
        let create = Known {
            pending: Intent::Create,
            ..other
        };
        assert_eq!(identify(&create), Identity::WriteReclaim(left_behind()));
        let gone = Known {
            reclaimable: None,
            ..other
        };
        assert_eq!(identify(&gone), Identity::WriteIntent);
    }

    #[test]
    fn only_one_api_of_the_same_names_and_of_our_clusters_is_a_left_behind() {
        let owner = |uid: &str, name: &str, kube_system: Option<&str>| Owner {
            cluster: "c".into(),
            kube_system: kube_system.map(Into::into),
            uid: uid.into(),
            namespace: "ns".into(),
            name: name.into(),
        };
        let me = owner("u1", "hello", Some("k1"));
        let tags = |of: Owner| of.tags("n", DeletionPolicy::Delete);
        let find = |apis: &[(&str, BTreeMap<String, String>)]| {
            let apis = apis.iter().map(|(id, tags)| (*id, tags));
            Reclaimable::find(&me, apis, |kube_system| ["k1", "k0"].contains(&kube_system))
        };
        let left = ("old", tags(owner(OLD, "hello", Some("k0"))));
        assert_eq!(find(std::slice::from_ref(&left)), Some(left_behind()));
        for foreign in [
            tags(me.clone()),
            tags(owner(OLD, "other", Some("k0"))),
            tags(owner(OLD, "hello", Some("k2"))),
            tags(owner(OLD, "hello", None)),
            BTreeMap::new(),
        ] {
            assert_eq!(find(&[("other", foreign.clone())]), None, "{foreign:?}");
            assert_eq!(find(&[("other", foreign), left.clone()]), Some(left_behind()));
        }
        let second = ("older", tags(owner("u-1", "hello", Some("k1"))));
        assert_eq!(find(&[left, second]), None);
    }
}
