//! The notes after an installation: what to type next, and in which order all of it goes again.

use std::process::Command;

use jwthttpapi_core::api::JwtHttpApi;
use serde_json::{Value, json};

use crate::ground::{NAMESPACE, chart, example, helm, with};

/// The notes for these values. The definition is left out: Helm would look for a cluster that has it.
fn notes(values: &Value) -> String {
    let chart = chart().display().to_string();
    let install = ["install", "jwthttpapi", &chart, "--dry-run=client"];
    let all = helm(&[&install[..], &["--namespace", NAMESPACE]].concat(), values).unwrap();
    all.split_once("\nNOTES:\n").unwrap().1.to_owned()
}

/// Where each of the texts begins, in the order of the notes.
fn places(notes: &str, texts: &[&str]) -> Vec<usize> {
    texts
        .iter()
        .map(|text| {
            notes
                .find(text)
                .unwrap_or_else(|| panic!("no {text:?} in {notes}"))
        })
        .collect()
}

#[test]
fn the_notes_show_what_to_apply_how_to_look_and_that_objects_go_first() {
    let notes = notes(&example("minimal"));
    assert!(
        places(
            &notes,
            &[
                "rollout status deployment/jwthttpapi\n",
                "kubectl apply --namespace default",
                "kubectl wait --namespace default --for=condition=Ready jwthttpapi/hello",
                "kubectl describe --namespace default jwthttpapi/hello",
                "kubectl delete jwthttpapis --all --all-namespaces --wait\n",
                "helm uninstall --namespace jwthttpapi-system jwthttpapi\n",
                "The CustomResourceDefinition jwthttpapis.jwthttpapi.dev stays.",
            ]
        )
        .is_sorted(),
        "{notes}"
    );
    assert!(!notes.contains("allowedFunctions says *"), "{notes}");
}

/// What `kubectl` reads when the lines are pasted into a shell, which ends a document by a line that is its word and nothing else.
#[test]
fn the_command_in_the_notes_applies_an_object_as_it_is_typed() {
    let notes = notes(&example("minimal"));
    let begin = notes.find("kubectl apply").unwrap();
    let end = notes.find("See what came of it").unwrap();
    let pasted = format!("kubectl() {{ cat; }}\n{}", &notes[begin..end]);
    let shell = Command::new("sh").args(["-c", &pasted]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&shell.stderr), "");
    let object: JwtHttpApi = serde_saphyr::from_slice(&shell.stdout).unwrap();
    assert_eq!(object.metadata.name.as_deref(), Some("hello"));
    assert_eq!(object.spec.routes.len(), 1);
}

#[test]
fn the_notes_of_some_namespaces_let_no_other_objects_go() {
    let notes = notes(&example("namespaced"));
    places(
        &notes,
        &[
            "in the namespaces team-a, team-b.",
            "kubectl delete jwthttpapis --all --namespace team-a --wait\n",
            "kubectl delete jwthttpapis --all --namespace team-b --wait\n",
        ],
    );
    for words in ["--all --all-namespaces", "CustomResourceDefinition"] {
        assert!(!notes.contains(words), "{notes}");
    }
}

#[test]
fn who_allows_every_function_is_told_so() {
    let notes = notes(&with(&json!({"allowedFunctions": ["*"]})));
    places(&notes, &["allowedFunctions says *"]);
}
