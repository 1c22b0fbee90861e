//! `jwthttpapi verify`: which API of the account belongs to which object, and what belongs to none. It reads, and cannot write.

use crate::{
    aws::{Aws, ListedApi, Urgency},
    cli::Scope,
    controller::Cluster,
    fence::Fence,
    operator::{self, Ways},
    run::Error,
};
use jwthttpapi_core::{
    api::{ConditionType, DeletionPolicy, JwtHttpApi, condition},
    model::{
        Owner,
        owner::{Claim, TAG_PREFIX},
    },
};
use kube::{Api, Client, ResourceExt, api::ListParams, core::DeserializeGuard};
use prometheus_client::registry::Registry;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// What was found: a line each, sorted, and whether all of it is as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What is as it should be.
    pub good: Vec<String>,
    /// What is not, with what to do.
    pub bad: Vec<String>,
}

impl Findings {
    /// As text for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.good.iter().chain(&self.bad) {
            let _ = writeln!(text, "{line}");
        }
        let _ = match self.bad.len() {
            0 => writeln!(text, "{} as it should be", self.good.len()),
            wrong => writeln!(text, "{} as it should be, {wrong} not", self.good.len()),
        };
        text
    }
}

/// APIs by Region.
type Apis = BTreeMap<String, Vec<ListedApi>>;

/// Reads all objects and the APIs of every Region in which one is, and compares them.
///
/// # Errors
/// When a setting is wrong, or Kubernetes or AWS cannot be read.
pub(crate) async fn verify(scope: &Scope, ways: Ways) -> Result<Findings, Error> {
    // Closed for good: whatever a mistake might send, no write passes.
    let aws = Aws::new(
        ways.aws,
        operator::aws_scope(scope),
        Fence::closed(),
        &mut Registry::default(),
    );
    let aws = aws.map_err(|error| Error::Configuration(error.to_string()))?;
    let cluster = operator::cluster(&ways.client, scope).await?;
    let objects = objects(&ways.client, &cluster.namespaces).await?;
    let named = objects
        .iter()
        .filter_map(|listed| listed.object.spec.region.clone());
    let regions: BTreeSet<String> = named.chain([aws.default_region().to_owned()]).collect();
    let mut apis = Apis::new();
    let mut unread = Vec::new();
    for region in regions {
        let failed = |fault: crate::aws::Fault| Error::Aws(fault.message());
        let place = aws.place(Some(&region)).await.map_err(failed)?;
        let session = aws.session(&place, "verify", Urgency::Resync);
        match session.apis().await {
            Ok(listed) => {
                apis.insert(region, listed);
            }
            // An object may name a Region that there is not.
            Err(fault) if region != aws.default_region() => {
                unread.push(format!("Region {region} cannot be read: {}", fault.message()));
            }
            Err(fault) => return Err(failed(fault)),
        }
    }
    // Listed once more: an object that came after the first list may have an API in the second.
    let later = self::objects(&ways.client, &cluster.namespaces).await?;
    let alive = uids(objects.iter().chain(&later));
    let mut findings = compare(&cluster, &objects, &alive, &apis, aws.default_region());
    findings.bad.extend(unread);
    Ok(findings)
}

/// Objects in one answer of a list: each may be more than a megabyte of code.
const PAGE: u32 = 20;

/// An object, or what can be read of it and why not all.
struct Listed {
    object: JwtHttpApi,
    unread: Option<String>,
}

/// All objects, past every cache. One whose spec cannot be read may have an API all the same: its uid counts.
async fn objects(client: &Client, namespaces: &[String]) -> Result<Vec<Listed>, Error> {
    type Guarded = DeserializeGuard<JwtHttpApi>;
    let apis: Vec<Api<Guarded>> = if namespaces.is_empty() {
        vec![Api::all(client.clone())]
    } else {
        let of = |namespace: &String| Api::namespaced(client.clone(), namespace);
        namespaces.iter().map(of).collect()
    };
    let mut objects = Vec::new();
    for api in apis {
        let mut page = ListParams::default().limit(PAGE);
        loop {
            let list = api
                .list(&page)
                .await
                .map_err(|error| Error::Kubernetes(format!("cannot list the objects: {error}")))?;
            objects.extend(list.items.into_iter().map(Listed::of));
            match list.metadata.continue_ {
                Some(token) if !token.is_empty() => page = page.continue_token(&token),
                _ => break,
            }
        }
    }
    Ok(objects)
}

impl Listed {
    /// Without what makes objects big: no finding is about it.
    fn of(object: DeserializeGuard<JwtHttpApi>) -> Self {
        match object.0 {
            Ok(mut object) => {
                object.managed_fields_mut().clear();
                object.annotations_mut().clear();
                object.spec.functions.clear();
                Self { object, unread: None }
            }
            Err(unread) => {
                let mut object = JwtHttpApi::new("", jwthttpapi_core::api::JwtHttpApiSpec::default());
                object.metadata = unread.metadata;
                Self {
                    object,
                    unread: Some(unread.error),
                }
            }
        }
    }
}

fn uids<'a>(objects: impl Iterator<Item = &'a Listed>) -> BTreeSet<String> {
    objects.filter_map(|listed| listed.object.uid()).collect()
}

/// What the objects and the APIs say of each other.
/// `alive` are the uids of objects, of those that came in the meantime, too.
fn compare(
    cluster: &Cluster,
    objects: &[Listed],
    alive: &BTreeSet<String>,
    apis: &Apis,
    default_region: &str,
) -> Findings {
    let mut findings = Findings::default();
    for Listed { object, unread } in objects {
        if let Some(error) = unread {
            let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
            findings
                .bad
                .push(format!("{name}: it cannot be read ({error}); apply it anew"));
            continue;
        }
        let region = object.spec.region.as_deref().unwrap_or(default_region);
        if let Some(listed) = apis.get(region) {
            of_object(cluster, object, region, listed, &mut findings);
        }
    }
    for (region, listed) in apis {
        for api in listed {
            if let Some(claim) = Claim::of(&api.tags)
                && claim.owner.cluster == cluster.id
                && !alive.contains(&claim.owner.uid)
            {
                findings.bad.push(unclaimed(cluster, region, &api.id, &claim));
            }
        }
    }
    findings.good.sort_unstable();
    findings.bad.sort_unstable();
    findings
}

fn of_object(
    cluster: &Cluster,
    object: &JwtHttpApi,
    region: &str,
    listed: &[ListedApi],
    findings: &mut Findings,
) {
    let owner = cluster.owner(object);
    let name = format!("{}/{}", owner.namespace, owner.name);
    let status = object.status.clone().unwrap_or_default();
    let own: BTreeSet<&str> = listed
        .iter()
        .filter(|api| owner.owns(&api.tags))
        .map(|api| api.id.as_str())
        .collect();
    let mut problems = Vec::new();
    match &status.api_id {
        Some(id) if !own.contains(id.as_str()) => problems.push(format!(
            "its API {id} is not in {region}, or does not carry its tags: annotate it with reconcile.jwthttpapi.dev/requestedAt"
        )),
        None if !own.is_empty() => problems.push(
            "its status names no API and AWS has one of it: the operator takes it back, or is not running".to_owned(),
        ),
        _ => {}
    }
    let others: Vec<&str> = own
        .iter()
        .filter(|id| status.api_id.as_deref() != Some(**id))
        .copied()
        .collect();
    if status.api_id.is_some() && !others.is_empty() {
        problems.push(format!(
            "it has more than one API, also {}: the operator deletes what is proven to be a duplicate within a resync",
            others.join(", ")
        ));
    }
    match condition(&status.conditions, ConditionType::Ready) {
        Some(ready) if ready.status == "True" => {}
        Some(ready) => problems.push(format!("{}: {}", ready.reason, ready.message)),
        None => problems.push("no operator has looked at it".to_owned()),
    }
    if problems.is_empty() {
        let id = status.api_id.unwrap_or_default();
        findings.good.push(format!("{name}: API {id} in {region}"));
    }
    findings
        .bad
        .extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
}

/// What to do with an API of the cluster's id that no object here has.
fn unclaimed(cluster: &Cluster, region: &str, id: &str, claim: &Claim) -> String {
    let Owner {
        namespace,
        name,
        uid,
        kube_system,
        ..
    } = &claim.owner;
    let keep = format!("take its tags {TAG_PREFIX}* off to keep it");
    let becomes = match (&cluster.kube_system, kube_system) {
        (Some(here), Some(there)) if there == here && claim.policy == Some(DeletionPolicy::Delete) => {
            "an orphan; apply the object again to take it over, or run the operator with --delete-orphans=true; deleted by hand, the API leaves its roles, functions and log groups behind".to_owned()
        }
        (Some(here), Some(there)) if there == here => format!(
            "retained, without an object; {keep}, or apply the object again to take it over, or delete it"
        ),
        (Some(_), Some(there)) if cluster.is_ours(there) => {
            "of a cluster that this one replaces; apply the object to take it over".to_owned()
        }
        (Some(_), Some(there)) => format!(
            "of another cluster of the same id, whose kube-system has the uid {there}; if this cluster replaces that one, run the operator with --reclaim-from={there}"
        ),
        (Some(_), None) => {
            "of an operator of some namespaces with the same cluster id; give one of them another".to_owned()
        }
        (None, None) if cluster.namespaces.contains(namespace) => format!(
            "without an object; {keep}, or delete it, since an operator of some namespaces does neither"
        ),
        (None, None) => format!(
            "in a namespace that was not looked at; add {namespace} to --watch-namespaces, or give operators of other namespaces another cluster id"
        ),
        (None, Some(_)) => {
            "of an operator of all namespaces with the same cluster id; give one of them another".to_owned()
        }
    };
    format!("API {id} in {region}, of {namespace}/{name} (uid {uid}): {becomes}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api_server::ApiServer,
        aws::SdkConfig,
        cli::{Cli, Command},
        clock::Clock,
    };
    use aws_config::{BehaviorVersion, Region};
    use clap::Parser;
    use jwthttpapi_core::api::{JwtHttpApiSpec, JwtHttpApiStatus};
    use serde_json::json;

    fn cluster() -> Cluster {
        Cluster {
            id: "c".into(),
            kube_system: Some("k1".into()),
            namespaces: Vec::new(),
            replaced: vec!["k0".into()],
        }
    }

    fn owner(name: &str, kube_system: Option<&str>) -> Owner {
        Owner {
            cluster: "c".into(),
            kube_system: kube_system.map(Into::into),
            uid: format!("uid-{name}"),
            namespace: "demo".into(),
            name: name.into(),
        }
    }

    fn object(name: &str, api: Option<&str>, ready: &str) -> JwtHttpApi {
        let mut object = JwtHttpApi::new(name, JwtHttpApiSpec::default());
        object.metadata.namespace = Some("demo".into());
        object.metadata.uid = Some(owner(name, None).uid);
        let condition = json!({
            "type": "Ready", "status": ready, "reason": "AccessDenied", "message": "grant it",
            "lastTransitionTime": "2027-01-15T08:00:00Z",
        });
        let status: JwtHttpApiStatus =
            serde_json::from_value(json!({"apiId": api, "conditions": [condition]})).unwrap();
        object.status = Some(status);
        object
    }

    fn api(id: &str, owner: &Owner) -> ListedApi {
        ListedApi {
            id: id.into(),
            created: String::new(),
            tags: owner.tags("n", DeletionPolicy::Delete),
        }
    }

    fn found(objects: &[JwtHttpApi], apis: Vec<ListedApi>) -> Findings {
        found_by(&cluster(), objects, apis)
    }

    fn found_by(cluster: &Cluster, objects: &[JwtHttpApi], apis: Vec<ListedApi>) -> Findings {
        let read = |object: &JwtHttpApi| Listed {
            object: object.clone(),
            unread: None,
        };
        let objects: Vec<Listed> = objects.iter().map(read).collect();
        let apis = Apis::from([("r".into(), apis)]);
        compare(cluster, &objects, &uids(objects.iter()), &apis, "r")
    }

    #[test]
    fn an_object_that_is_ready_with_its_one_api_is_as_it_should_be() {
        let here = owner("hello", Some("k1"));
        let findings = found(&[object("hello", Some("a"), "True")], vec![api("a", &here)]);
        assert_eq!(findings.good, ["demo/hello: API a in r"]);
        assert_eq!(findings.bad, [""; 0]);
    }

    #[test]
    fn whatever_is_wrong_with_an_object_is_said_with_what_to_do() {
        let here = owner("hello", Some("k1"));
        for (object, apis, said) in [
            (
                object("hello", Some("a"), "True"),
                vec![],
                "its API a is not in r",
            ),
            (
                object("hello", Some("a"), "True"),
                vec![api("a", &owner("else", Some("k1")))],
                "does not carry its tags",
            ),
            (
                object("hello", None, "True"),
                vec![api("a", &here)],
                "names no API",
            ),
            (
                object("hello", Some("a"), "True"),
                vec![api("a", &here), api("b", &here)],
                "more than one API, also b",
            ),
            (
                object("hello", Some("a"), "False"),
                vec![api("a", &here)],
                "AccessDenied: grant it",
            ),
        ] {
            let findings = found(&[object], apis);
            assert_eq!(findings.good, [""; 0], "{said}");
            assert!(
                findings
                    .bad
                    .iter()
                    .any(|line| line.starts_with("demo/hello: ") && line.contains(said)),
                "{findings:?}"
            );
        }
    }

    #[test]
    fn of_an_object_that_cannot_be_read_that_is_said_and_its_api_is_no_orphan() {
        let unread = Listed {
            object: object("hello", None, "False"),
            unread: Some("spec.routes: not a list".to_owned()),
        };
        let apis = Apis::from([("r".into(), vec![api("a", &owner("hello", Some("k1")))])]);
        let listed = [unread];
        let findings = compare(&cluster(), &listed, &uids(listed.iter()), &apis, "r");
        let said = "demo/hello: it cannot be read (spec.routes: not a list); apply it anew";
        assert_eq!(findings.bad, [said]);
    }

    #[test]
    fn an_object_that_came_after_the_first_list_has_its_api() {
        let apis = Apis::from([("r".into(), vec![api("a", &owner("hello", Some("k1")))])]);
        let later = Listed {
            object: object("hello", None, "False"),
            unread: None,
        };
        let findings = compare(&cluster(), &[], &uids([later].iter()), &apis, "r");
        assert!(findings.bad.is_empty(), "{:?}", findings.bad);
    }

    #[test]
    fn an_api_without_an_object_is_named_with_what_becomes_of_it() {
        for (kube_system, said) in [
            (Some("k1"), "an orphan"),
            (Some("k0"), "that this one replaces"),
            (Some("k2"), "--reclaim-from=k2"),
            (None, "of some namespaces"),
        ] {
            let findings = found(&[], vec![api("a", &owner("gone", kube_system))]);
            assert_eq!(findings.bad.len(), 1);
            assert!(findings.bad[0].contains(said), "{findings:?}");
        }
        for (policy, said) in [
            (
                Some("Delete"),
                "deleted by hand, the API leaves its roles, functions and log groups",
            ),
            (Some("Retain"), "retained, without an object; take its tags"),
            (None, "retained, without an object; take its tags"),
        ] {
            let mut kept = api("a", &owner("gone", Some("k1")));
            let tag = format!("{TAG_PREFIX}deletion-policy");
            kept.tags.remove(&tag);
            kept.tags.extend(policy.map(|policy| (tag, policy.to_owned())));
            let findings = found(&[], vec![kept]);
            assert!(findings.bad[0].contains(said), "{findings:?}");
        }
        let other = Owner {
            cluster: "another".into(),
            ..owner("gone", Some("k1"))
        };
        assert_eq!(found(&[], vec![api("a", &other)]), Findings::default());
    }

    #[test]
    fn where_only_some_namespaces_are_looked_at_an_api_without_an_object_is_named_all_the_same() {
        for (namespace, kube_system, said) in [
            ("demo", None, "without an object; take its tags"),
            ("more", None, "add more to --watch-namespaces"),
            ("demo", Some("k1"), "of all namespaces"),
        ] {
            let some = Cluster {
                kube_system: None,
                namespaces: vec!["demo".into()],
                replaced: Vec::new(),
                ..cluster()
            };
            let owner = Owner {
                namespace: namespace.into(),
                ..owner("gone", kube_system)
            };
            let findings = found_by(&some, &[], vec![api("a", &owner)]);
            assert_eq!(findings.bad.len(), 1);
            assert!(findings.bad[0].contains(said), "{findings:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_aws_that_cannot_be_read_says_nothing_of_any_api() {
        let server = ApiServer::default();
        let system = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "k1"}});
        server.put("/api/v1/namespaces/kube-system", system);
        let ways = Ways {
            client: server.client(),
            elections: server.client(),
            namespace: "system".to_owned(),
            aws: SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("eu-central-1"))
                .build(),
            identity: "one".to_owned(),
            clock: Clock::system(),
        };
        let Command::Verify(scope) = Cli::try_parse_from(["jwthttpapi", "verify"]).unwrap().command else {
            panic!("the subcommand is verify")
        };
        let Err(error @ Error::Aws(_)) = verify(&scope, ways).await else {
            panic!("it was verified")
        };
        assert!(error.to_string().contains("credentials"), "{error}");
    }
}
