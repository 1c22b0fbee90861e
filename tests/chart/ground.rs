//! Helm and the chart.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex, PoisonError},
};

use jwthttpapi_test_support::{Error, command, places, tools::Tools};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The namespace of the release, which is called `jwthttpapi`.
pub(crate) const NAMESPACE: &str = "jwthttpapi-system";

/// The values in `ci/` of the chart, each rendered as a snapshot.
pub(crate) const EXAMPLES: [&str; 3] = ["minimal", "full", "namespaced"];

pub(crate) fn chart() -> PathBuf {
    places::repository().join("charts/jwthttpapi")
}

/// Runs Helm on the chart with values on top of its own, and with nothing of the user's configuration.
pub(crate) fn helm(args: &[&str], values: &Value) -> Result<String, Error> {
    static TOOLS: LazyLock<Tools> = LazyLock::new(|| Tools::provide().unwrap());
    static HOME: LazyLock<TempDir> = LazyLock::new(|| places::scratch("chart").unwrap());
    let mut helm = Command::new(&TOOLS.helm);
    helm.env("HOME", HOME.path()).env_remove("KUBECONFIG");
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        helm.env(name, HOME.path().join(name));
    }
    helm.args(args).args(["--values", "-"]);
    command::run(&mut helm, Some(&values.to_string()))
}

/// The text that Helm makes of the chart.
pub(crate) fn rendered(values: &Value) -> Result<String, Error> {
    released("jwthttpapi", values)
}

/// The same for a release of another name.
pub(crate) fn released(release: &str, values: &Value) -> Result<String, Error> {
    let chart = chart().display().to_string();
    helm(&["template", release, &chart, "--namespace", NAMESPACE], values)
}

/// The objects that Helm makes of the chart; of the same values it makes them once.
pub(crate) fn objects(values: &Value) -> Vec<Value> {
    static MADE: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let key = values.to_string();
    if let Some(objects) = made().get(&key) {
        return objects.clone();
    }
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(&rendered(values).unwrap()).unwrap();
    objects.retain(|object| !object.is_null());
    made().insert(key, objects.clone());
    objects
}

/// Those of a kind.
pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The one of a kind.
pub(crate) fn only<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let [one] = of_kind(objects, kind)[..] else {
        panic!("not one {kind}: {objects:#?}");
    };
    one
}

/// The arguments of the container.
pub(crate) fn args(values: &Value) -> Vec<String> {
    let objects = objects(values);
    let args = &only(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"];
    serde_json::from_value(args.clone()).unwrap()
}

/// Why Helm refuses the values.
pub(crate) fn refusal(values: &Value) -> String {
    match rendered(values) {
        Ok(_) => panic!("accepted: {values}"),
        Err(error) => error.to_string(),
    }
}

/// The least values, and these, as Helm lays values over others.
pub(crate) fn with(more: &Value) -> Value {
    fn lay(values: &mut Value, more: &Value) {
        match (values.as_object_mut(), more.as_object()) {
            (Some(values), Some(more)) => {
                for (name, value) in more {
                    lay(values.entry(name).or_insert(Value::Null), value);
                }
            }
            _ => *values = more.clone(),
        }
    }
    let mut values = example("minimal");
    lay(&mut values, more);
    values
}

/// The values in `ci/` of that name.
pub(crate) fn example(name: &str) -> Value {
    yaml(&chart().join(format!("ci/{name}-values.yaml")))
}

/// What the chart sets by itself.
pub(crate) fn defaults() -> Value {
    yaml(&chart().join("values.yaml"))
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Holds a file against what it is made from, or makes it when `UPDATE_CHART=1`.
pub(crate) fn fresh(path: &Path, made: &str) {
    let mut stored = fs::read_to_string(path).unwrap_or_default();
    if stored != made && env::var_os("UPDATE_CHART").is_some_and(|value| value == "1") {
        // Other tests read the chart meanwhile: they see the old file or the new one.
        let new = path.with_extension("new");
        fs::write(&new, made).unwrap();
        fs::rename(&new, path).unwrap();
        made.clone_into(&mut stored);
    }
    let line = stored.lines().zip(made.lines()).position(|(old, new)| old != new);
    let line = line.unwrap_or_else(|| stored.lines().count().min(made.lines().count()));
    assert!(
        stored == made,
        "{}:{} is stale; run `make generate-chart`:\n- {}\n+ {}",
        path.display(),
        line + 1,
        stored.lines().nth(line).unwrap_or_default(),
        made.lines().nth(line).unwrap_or_default(),
    );
}

/// At a path of names with dots between them.
pub(crate) fn at<'a>(values: &'a Value, path: &str) -> Option<&'a Value> {
    values.pointer(&format!("/{}", path.replace('.', "/")))
}

/// Values with one at a path of names.
pub(crate) fn set(path: &str, value: &Value) -> Value {
    let nested = path
        .rsplit('.')
        .fold(value.clone(), |inner, name| json!({name: inner}));
    with(&nested)
}
