//! The examples: each is accepted as it lies there, and can be built.

use std::{collections::BTreeSet, fs};

use jwthttpapi_core::{
    api::JwtHttpApiSpec,
    model::{Owner, Policy, build, name::Place},
};
use jwthttpapi_test_support::{ACCOUNT, REGION, places};
use serde_json::Value;
use wildmatch::WildMatch;

use crate::ground::{cluster, stored};

#[test]
fn every_example_is_accepted_and_can_be_built() {
    let directory = places::repository().join("examples");
    let paths: BTreeSet<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(paths.len() >= 8, "{paths:?}");
    let place = Place {
        partition: "aws".to_owned(),
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
    };
    let everything = Policy {
        allowed_functions: vec![WildMatch::new("*")],
        ..Policy::default()
    };
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let object: Value = serde_saphyr::from_str(&text).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        assert_eq!(
            path.file_stem().unwrap().to_str().unwrap(),
            name,
            "file and object have one name"
        );

        cluster()
            .apply(&text)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stored(name)["spec"], object["spec"], "{name}");

        let spec: JwtHttpApiSpec = serde_json::from_value(object["spec"].clone()).unwrap();
        let owner = Owner {
            cluster: "c".to_owned(),
            kube_system: Some("k".to_owned()),
            uid: "u".to_owned(),
            namespace: "demo".to_owned(),
            name: name.to_owned(),
        };
        let desired = build(&spec, &owner, &place, "n", &everything);
        let desired = desired.unwrap_or_else(|rejection| panic!("{name}: {}", rejection.message()));
        assert_eq!(desired.routes.len(), spec.routes.len(), "{name}");
    }
}
