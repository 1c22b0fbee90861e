//! Which API is the object's, when none may be lost and none made twice.
//!
//! `CreateApi` has no client token and names repeat (D), lists may lag (I). So an intent is written before a create, whoever
//! *finds* one waits until any create sent for it must show in a list, and only an empty list after that lets it create
//! again. Stored times take no part.

use crate::model::Proof;

/// What is known of an object's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known<'a> {
    /// What a read of the stored id gave.
    pub lookup: Lookup,
    /// The nonce in status.
    pub nonce: Option<&'a str>,
    /// Whether status holds an intent to create.
    pub pending: bool,
    /// Whether this very pass added the finalizer.
    pub fresh: bool,
    /// Whether the settle time has passed since this process first saw the intent or the missing id, or last sent a create.
    pub settled: bool,
    /// APIs of this owner, listed after the settle time; none when no list was read yet.
    pub listed: Option<&'a [Candidate]>,
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
    /// The API may be created now.
    Create,
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
        if known.lookup == Lookup::NoId && known.pending && !known.fresh {
            return Identity::Ambiguous(Vec::new());
        }
    });
    match known.lookup {
        Lookup::Found(Proof::Complete) => return Identity::Verified,
        Lookup::Found(Proof::Ours | Proof::None) => {}
        Lookup::NoId if known.fresh => {
            return if known.pending {
                Identity::Create
            } else {
                Identity::WriteIntent
            };
        }
        // A lost status: what it named may be in a list.
        Lookup::NoId | Lookup::Missing if !known.pending && known.nonce.is_none() => {}
        Lookup::NoId | Lookup::Missing if !known.pending => return Identity::WriteIntent,
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
        (None, []) if !known.pending => Identity::WriteIntent,
        (None, []) if !known.settled => Identity::Wait,
        (None, []) if known.nonce.is_none() => Identity::WriteNonce,
        (None, []) => Identity::Create,
        (None, several) => {
            let mut ids: Vec<String> = several.iter().map(|candidate| candidate.id.clone()).collect();
            ids.sort_unstable();
            Identity::Ambiguous(ids)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Known<'_> = Known {
        lookup: Lookup::NoId,
        nonce: Some("n"),
        pending: true,
        fresh: false,
        settled: true,
        listed: Some(&[]),
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
            pending: false,
            settled: false,
            listed: None,
            ..BASE
        };
        assert_eq!(identify(&fresh), Identity::WriteIntent);
        assert_eq!(
            identify(&Known {
                pending: true,
                ..fresh
            }),
            Identity::Create
        );
        assert_eq!(
            identify(&Known {
                pending: true,
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
            pending: false,
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
            pending: true,
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
            pending: false,
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
        for (pending, nonce) in [(false, Some("n")), (true, Some("n")), (true, None)] {
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
            pending: false,
            settled: false,
            listed: None,
            ..BASE
        };
        assert_eq!(identify(&missing), Identity::WriteIntent);
        assert_eq!(
            identify(&Known {
                pending: true,
                ..missing
            }),
            Identity::Wait
        );
        assert_eq!(
            identify(&Known {
                pending: true,
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
            pending: false,
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
}
