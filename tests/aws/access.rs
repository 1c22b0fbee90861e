//! The operator's access function against the data plane's own matcher: two functions written apart, one truth.

use jwthttpapi_core::{
    model::name::{Method, RouteKey},
    plan::access::{Access, Admission, admission, requests},
};
use jwthttpapi_sandbox::data_plane::matcher::{TrailingSlash, select};
use proptest::{
    prelude::*,
    sample::{select as one_of, subsequence},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::collections::BTreeMap;

/// Random route keys of which no two have one shape: AWS's choice between those is not known.
fn keys() -> impl Strategy<Value = Vec<RouteKey>> {
    let segment = || one_of(vec!["a", "b", "{x}"]);
    let path = (prop::collection::vec(segment(), 0..4), any::<bool>()).prop_map(|(segments, greedy)| {
        let mut path = String::new();
        for (index, segment) in segments.iter().enumerate() {
            path.push('/');
            path.push_str(&segment.replace('x', &format!("x{index}")));
        }
        if greedy {
            path.push_str("/{rest+}");
        }
        if path.is_empty() { "/".to_owned() } else { path }
    });
    let method = one_of(vec!["GET", "POST", "OPTIONS", "ANY"]);
    let key = prop_oneof![
        8 => (method, path).prop_map(|(method, path)| format!("{method} {path}")),
        1 => Just("$default".to_owned()),
    ];
    prop::collection::vec(key, 1..12).prop_map(|texts| {
        let keys = texts.iter().map(|text| RouteKey::parse(text).unwrap());
        keys.map(|key| (key.shape(), key))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect()
    })
}

/// Paths of requests: those that the keys are about, and any others.
fn path() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(one_of(vec!["a", "b", "c", ""]).prop_map(str::to_owned), 0..5)
}

fn agrees(keys: &[RouteKey], method: Method, path: &[String]) -> Result<(), TestCaseError> {
    // Each route admits a caller of its own, so that who may tells which route was meant.
    let access: Access = keys
        .iter()
        .map(|key| (key.clone(), Admission::other(key.to_string())))
        .collect();
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    let raw = format!("/{}", segments.join("/"));
    let selected = select(
        keys.iter().map(RouteKey::as_str),
        method.as_str(),
        &raw,
        TrailingSlash::Significant,
    );
    let expected = selected
        .and_then(|selection| keys.get(selection.index))
        .map_or_else(Admission::nobody, |key| Admission::other(key.to_string()));
    prop_assert_eq!(
        admission(&access, method, &segments),
        expected,
        "{} {}",
        method.as_str(),
        raw
    );
    Ok(())
}

#[test]
fn the_access_function_means_the_route_that_the_data_plane_selects() {
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let methods = subsequence(Method::SINGLE.to_vec(), 1..=3);
    runner
        .run(
            &(keys(), methods, prop::collection::vec(path(), 1..8)),
            |(keys, methods, paths)| {
                for method in &methods {
                    for path in paths.iter().filter(|path| path.as_slice() != [String::new()]) {
                        agrees(&keys, *method, path)?;
                    }
                }
                for (method, path) in requests(&keys) {
                    agrees(&keys, method, &path)?;
                }
                Ok(())
            },
        )
        .unwrap();
}
