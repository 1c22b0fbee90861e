//! Ownership: the tags that say whose something in AWS is, and what they prove.

use crate::api::DeletionPolicy;
use std::collections::BTreeMap;

/// The object on whose behalf the operator acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Cluster id: `--cluster-id`, or the uid of the kube-system namespace.
    pub cluster: String,
    /// Uid of the kube-system namespace.
    pub kube_system: String,
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
            (CLUSTER, format!("{}/{}", self.cluster, self.kube_system)),
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

    /// Whether tags name this cluster id, namespace and name, with another uid: the API of a predecessor.
    pub fn is_predecessor(&self, tags: &BTreeMap<String, String>) -> bool {
        let tag = |key| tags.get(key).map(String::as_str);
        let cluster = tag(CLUSTER)
            .and_then(|value| value.rsplit_once('/'))
            .map(|(cluster, _)| cluster);
        cluster == Some(self.cluster.as_str())
            && tag(NAMESPACE) == Some(self.namespace.as_str())
            && tag(NAME) == Some(self.name.as_str())
            && tag(UID).is_some_and(|uid| uid != self.uid)
    }
}

/// The nonce in ownership tags.
pub fn nonce(tags: &BTreeMap<String, String>) -> Option<&str> {
    tags.get(NONCE).map(String::as_str)
}

/// The uid in ownership tags, with the cluster id: whose something is, for indexes.
pub fn claimed(tags: &BTreeMap<String, String>) -> Option<(&str, &str)> {
    let cluster = tags.get(CLUSTER)?.rsplit_once('/')?.0;
    Some((cluster, tags.get(UID)?.as_str()))
}

/// Whether a tag is one of the operator's own.
pub fn is_ownership_tag(key: &str) -> bool {
    key.starts_with(TAG_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            cluster: "c1".into(),
            kube_system: "k1".into(),
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
                kube_system: "k2".into(),
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
        assert_eq!(claimed(&tags), Some(("c1", "u1")));
        let without = |key: &str| {
            let mut tags = tags.clone();
            tags.remove(key).unwrap();
            tags
        };
        assert_eq!(nonce(&without("jwthttpapi.dev/nonce")), None);
        assert_eq!(claimed(&without("jwthttpapi.dev/cluster")), None);
        assert_eq!(claimed(&without("jwthttpapi.dev/uid")), None);
    }

    #[test]
    fn a_same_named_successor_is_told_from_its_predecessor() {
        let tags = owner().tags("n1", DeletionPolicy::Delete);
        assert!(
            Owner {
                uid: "u2".into(),
                ..owner()
            }
            .is_predecessor(&tags)
        );
        assert!(!owner().is_predecessor(&tags));
        assert!(
            !Owner {
                uid: "u2".into(),
                name: "other".into(),
                ..owner()
            }
            .is_predecessor(&tags)
        );
    }
}
