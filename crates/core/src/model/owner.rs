//! Ownership: the tags that say whose something in AWS is, and what they prove.

use crate::api::DeletionPolicy;
use std::collections::BTreeMap;

/// The object on whose behalf the operator acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Cluster id: `--cluster-id`, or the uid of the kube-system namespace.
    pub cluster: String,
    /// Uid of the kube-system namespace; none where the operator may not read it.
    pub kube_system: Option<String>,
    /// Uid of the object.
    pub uid: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
}

/// What tags prove about an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Not this owner's.
    None,
    /// Cluster id and uid are this owner's.
    Ours,
    /// The nonce is this owner's, too.
    Complete,
}

/// The prefix of every ownership tag; `spec.tags` may not use it.
pub const TAG_PREFIX: &str = "jwthttpapi.dev/";
const CLUSTER: &str = "jwthttpapi.dev/cluster";
const UID: &str = "jwthttpapi.dev/uid";
const NAMESPACE: &str = "jwthttpapi.dev/namespace";
const NAME: &str = "jwthttpapi.dev/name";
const NONCE: &str = "jwthttpapi.dev/nonce";
const DELETION_POLICY: &str = "jwthttpapi.dev/deletion-policy";

impl Owner {
    /// The ownership tags of everything taggable that is made for this owner.
    pub fn tags(&self, nonce: &str, policy: DeletionPolicy) -> BTreeMap<String, String> {
        [
            (CLUSTER, self.cluster_tag()),
            (UID, self.uid.clone()),
            (NAMESPACE, self.namespace.clone()),
            (NAME, self.name.clone()),
            (NONCE, nonce.to_owned()),
            (DELETION_POLICY, policy.as_str().to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    /// The cluster id and what tells clusters of one id apart.
    fn cluster_tag(&self) -> String {
        let kube_system = self.kube_system.as_deref().unwrap_or_default();
        format!("{}/{kube_system}", self.cluster)
    }

    /// What tags prove. A cluster tag's second half, the kube-system uid, does not take part: a given `--cluster-id` survives
    /// the rebuild of a cluster.
    pub fn proof(&self, tags: &BTreeMap<String, String>, nonce: Option<&str>) -> Proof {
        let tag = |key| tags.get(key).map(String::as_str);
        let cluster = tag(CLUSTER)
            .and_then(|value| value.rsplit_once('/'))
            .map(|(cluster, _)| cluster);
        planted!(NameIsProof => {
            if tag(NAMESPACE) == Some(&self.namespace) && tag(NAME) == Some(&self.name) {
                return Proof::Complete;
            }
        });
        planted!(SameName => {
            if cluster == Some(&self.cluster) && tag(NAME) == Some(&self.name) {
                return Proof::Complete;
            }
        });
        if cluster != Some(self.cluster.as_str()) || tag(UID) != Some(self.uid.as_str()) {
            return Proof::None;
        }
        match (tag(NONCE), nonce) {
            (Some(theirs), Some(ours)) if theirs == ours => Proof::Complete,
            _ => Proof::Ours,
        }
    }

    /// Whether tags prove that something is this owner's, completely or not.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.proof(tags, None) > Proof::None
    }

    /// Whether tags of something with this owner's uid may be of its making: they name its namespace and name, or nobody's. A uid
    /// that somebody else wrote down proves nothing by itself.
    pub fn may_have_made(&self, tags: &BTreeMap<String, String>) -> bool {
        let named = |key: &str, name: &String| tags.get(key).is_none_or(|tag| tag == name);
        named(NAMESPACE, &self.namespace) && named(NAME, &self.name)
    }

    /// Whether another owner is of this cluster id, namespace and name, with another uid: the one before this.
    pub fn succeeds(&self, other: &Self) -> bool {
        self.uid != other.uid
            && (&self.cluster, &self.namespace, &self.name) == (&other.cluster, &other.namespace, &other.name)
    }
}

/// What the ownership tags of something say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose it is.
    pub owner: Owner,
    /// Whether it goes with its object.
    pub policy: Option<DeletionPolicy>,
}

impl Claim {
    /// Reads the tags; none when one of them is missing.
    pub fn of(tags: &BTreeMap<String, String>) -> Option<Self> {
        let tag = |key| tags.get(key).cloned();
        let (cluster, kube_system) = tags.get(CLUSTER)?.rsplit_once('/')?;
        let policies = [DeletionPolicy::Delete, DeletionPolicy::Retain];
        Some(Self {
            owner: Owner {
                cluster: cluster.to_owned(),
                kube_system: (!kube_system.is_empty()).then(|| kube_system.to_owned()),
                uid: tag(UID)?,
                namespace: tag(NAMESPACE)?,
                name: tag(NAME)?,
            },
            policy: tag(DELETION_POLICY)
                .and_then(|word| policies.into_iter().find(|policy| policy.as_str() == word)),
        })
    }
}

/// The nonce in ownership tags.
pub fn nonce(tags: &BTreeMap<String, String>) -> Option<&str> {
    tags.get(NONCE).map(String::as_str)
}

/// Whether a tag is one of the operator's own, or one that IAM takes for it: it tells no capitals apart (D).
pub fn is_ownership_tag(key: &str) -> bool {
    key.get(..TAG_PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(TAG_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            cluster: "c1".into(),
            kube_system: Some("k1".into()),
            uid: "u1".into(),
            namespace: "ns".into(),
            name: "hello".into(),
        }
    }

    #[test]
    fn proof_needs_cluster_and_uid_and_is_complete_with_the_nonce() {
        let tags = owner().tags("n1", DeletionPolicy::Delete);
        assert_eq!(owner().proof(&tags, Some("n1")), Proof::Complete);
        assert_eq!(owner().proof(&tags, Some("n2")), Proof::Ours);
        assert_eq!(owner().proof(&tags, None), Proof::Ours);
        assert_eq!(
            Owner {
                uid: "u2".into(),
                ..owner()
            }
            .proof(&tags, Some("n1")),
            Proof::None
        );
        assert_eq!(
            Owner {
                cluster: "c2".into(),
                ..owner()
            }
            .proof(&tags, Some("n1")),
            Proof::None
        );
        assert_eq!(owner().proof(&BTreeMap::new(), None), Proof::None);
    }

    #[test]
    fn a_rebuilt_cluster_of_the_same_id_keeps_its_proof() {
        let tags = owner().tags("n1", DeletionPolicy::Delete);
        assert_eq!(
            Owner {
                kube_system: Some("k2".into()),
                ..owner()
            }
            .proof(&tags, Some("n1")),
            Proof::Complete
        );
    }

    #[test]
    fn a_cluster_id_with_slashes_is_compared_whole() {
        let owner = Owner {
            cluster: "a/b".into(),
            ..owner()
        };
        let tags = owner.tags("n1", DeletionPolicy::Retain);
        assert_eq!(owner.proof(&tags, Some("n1")), Proof::Complete);
        assert_eq!(
            Owner {
                cluster: "a".into(),
                ..owner
            }
            .proof(&tags, Some("n1")),
            Proof::None
        );
    }

    #[test]
    fn what_tags_claim_is_read_back_and_nothing_is_claimed_without_them() {
        let tags = owner().tags("n1", DeletionPolicy::Delete);
        assert_eq!(nonce(&tags), Some("n1"));
        let claim = Claim {
            owner: owner(),
            policy: Some(DeletionPolicy::Delete),
        };
        assert_eq!(Claim::of(&tags), Some(claim.clone()));
        let without = |key: &str| {
            let mut tags = tags.clone();
            tags.remove(key).unwrap();
            tags
        };
        assert_eq!(nonce(&without("jwthttpapi.dev/nonce")), None);
        for key in ["cluster", "uid", "namespace", "name"] {
            assert_eq!(
                Claim::of(&without(&format!("jwthttpapi.dev/{key}"))),
                None,
                "{key}"
            );
        }
        let unsaid = Claim::of(&without("jwthttpapi.dev/deletion-policy"));
        assert_eq!(
            unsaid,
            Some(Claim {
                policy: None,
                ..claim
            })
        );
    }

    #[test]
    fn an_operator_of_some_namespaces_claims_for_no_cluster_in_particular() {
        let owner = Owner {
            cluster: "a/b".into(),
            kube_system: None,
            ..owner()
        };
        let tags = owner.tags("n1", DeletionPolicy::Retain);
        assert_eq!(owner.proof(&tags, Some("n1")), Proof::Complete);
        assert_eq!(Claim::of(&tags).map(|claim| claim.owner), Some(owner));
    }

    #[test]
    fn what_names_another_object_was_not_made_by_this_one_whatever_its_uid() {
        let tags = owner().tags("n1", DeletionPolicy::Delete);
        assert!(owner().may_have_made(&tags));
        for key in [NAMESPACE, NAME] {
            let mut other = tags.clone();
            other.insert(key.to_owned(), "other".to_owned());
            assert!(!owner().may_have_made(&other), "{key}");
            other.remove(key);
            assert!(owner().may_have_made(&other), "{key}");
        }
    }

    #[test]
    fn a_same_named_successor_is_told_from_its_predecessor() {
        let with = |uid: &str, name: &str| Owner {
            uid: uid.into(),
            name: name.into(),
            ..owner()
        };
        assert!(with("u2", "hello").succeeds(&owner()));
        assert!(!owner().succeeds(&owner()));
        assert!(!with("u2", "other").succeeds(&owner()));
    }
}
