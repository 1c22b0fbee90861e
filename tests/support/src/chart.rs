//! The chart, installed into a local cluster, and its Deployment's container run as a process: there is no kubelet.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use crate::{Cluster, Error, places, process::Launch};

/// What the chart's Deployment would have a kubelet run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The release's namespace.
    pub namespace: String,
    /// The service account it runs as.
    pub service_account: String,
    /// The arguments, subcommand first.
    pub args: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
}

impl Cluster {
    /// Installs or upgrades `charts/jwthttpapi` with Helm, in a namespace of that name that is created if need be.
    ///
    /// # Errors
    ///
    /// Helm or the API server refuses something.
    pub fn install_chart(&self, release: &str, namespace: &str, values: &Value) -> Result<Container, Error> {
        let file = self.directory().join(format!("{release}-values.json"));
        std::fs::write(&file, values.to_string()).map_err(Error::file(&file))?;
        let chart = places::repository().join("charts/jwthttpapi");
        let [chart, file] = [chart, file].map(|path| path.display().to_string());
        let place = ["--namespace", namespace, "--create-namespace"];
        self.helm(
            ["upgrade", "--install", release, &chart, "--values", &file]
                .into_iter()
                .chain(place),
        )?;
        self.kubectl([
            "wait",
            "--for=condition=Established",
            "crd/jwthttpapis.jwthttpapi.dev",
            "--timeout=30s",
        ])?;
        let selector = format!("app.kubernetes.io/name=jwthttpapi,app.kubernetes.io/instance={release}");
        let found = self.kubectl([
            "get",
            "deployments",
            "-n",
            namespace,
            "-l",
            &selector,
            "-o",
            "json",
        ])?;
        let found: Value = parse(&found)?;
        Container::of(
            namespace,
            found
                .pointer("/items/0/spec/template/spec")
                .unwrap_or(&Value::Null),
        )
    }
}

impl Container {
    /// Reads a Pod's specification.
    fn of(namespace: &str, pod: &Value) -> Result<Self, Error> {
        let unreadable = |what: &str| Error::document("the chart's Deployment", format!("{what} in {pod}"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let container = pod
            .pointer("/containers/0")
            .ok_or_else(|| unreadable("no container"))?;
        let args = container
            .get("args")
            .and_then(Value::as_array)
            .ok_or_else(|| unreadable("no args"))?;
        let variables = container
            .get("env")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let variable = |entry: &Value| Some((text(entry.get("name")?)?, text(entry.get("value")?)?));
        Ok(Self {
            namespace: namespace.to_owned(),
            service_account: pod
                .get("serviceAccountName")
                .and_then(text)
                .ok_or_else(|| unreadable("no account"))?,
            args: args
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .ok_or_else(|| unreadable("a strange argument"))?,
            // A reference (`valueFrom`) would need a kubelet.
            env: variables
                .iter()
                .map(variable)
                .collect::<Option<_>>()
                .ok_or_else(|| unreadable("a reference"))?,
        })
    }

    /// The same with these flags, as `--name=value`, instead of those of the same names.
    #[must_use]
    pub fn with_flags<'a>(mut self, flags: impl IntoIterator<Item = &'a str>) -> Self {
        let name = |flag: &str| flag.split('=').next().map(str::to_owned);
        for flag in flags {
            self.args.retain(|arg| name(arg) != name(flag));
            self.args.push(flag.to_owned());
        }
        self
    }

    /// The operator's binary with this container's arguments, environment and identity. It listens on a free port of
    /// the loopback address instead, and logs which.
    ///
    /// # Errors
    ///
    /// The binary is not built, or the service account does not exist.
    pub fn launch(&self, cluster: &Cluster, log: impl Into<PathBuf>) -> Result<Launch, Error> {
        let kubeconfig = cluster.kubeconfig_for_service_account(&self.namespace, &self.service_account)?;
        let here = |arg: &String| {
            if arg.starts_with("--listen=") {
                "--listen=127.0.0.1:0".to_owned()
            } else {
                arg.clone()
            }
        };
        let launch = Launch::new(places::binary("jwthttpapi")?, log)
            .args(self.args.iter().map(here))
            .env("KUBECONFIG", kubeconfig);
        Ok(self
            .env
            .iter()
            .fold(launch, |launch, (name, value)| launch.env(name, value)))
    }
}

/// Flags of an operator without delays of its own, without a budget and without a rival for leadership.
pub const PROMPT: [&str; 8] = [
    "--leader-elect=false",
    "--list-settle=0",
    "--iam-settle=0",
    "--deploy-settle=0",
    "--apigateway-rate=0",
    "--lambda-rate=0",
    "--iam-rate=0",
    "--logs-rate=0",
];

/// The access key of an operator that works on a sandbox.
pub const OPERATOR_ACCESS_KEY: &str = "AKIDOPERATOR";

/// The chart's values for an operator that works on a sandbox.
pub fn sandbox_values(url: &str, region: &str, allowed_functions: &[&str]) -> Value {
    json!({
        "allowedFunctions": allowed_functions,
        "image": {"repository": "jwthttpapi"},
        "aws": {"region": region, "endpointUrl": url},
        "extraEnv": [
            {"name": "AWS_ACCESS_KEY_ID", "value": OPERATOR_ACCESS_KEY},
            {"name": "AWS_SECRET_ACCESS_KEY", "value": "sandbox"},
        ],
    })
}

fn parse(document: &str) -> Result<Value, Error> {
    serde_json::from_str(document).map_err(|error| Error::document("kubectl's answer", error.to_string()))
}
