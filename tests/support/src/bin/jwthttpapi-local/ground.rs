//! Everything that the story stands on: Kubernetes, AWS, an issuer, and the operator between them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jwthttpapi_test_support::{
    Claims, Cluster, Error, Issuer, Operator, REGION, Sandbox, SandboxClient, places, sandbox_values,
};
use serde_json::{Value, json};

use crate::narrator::Narrator;

/// The namespace of the example.
pub(crate) const NAMESPACE: &str = "demo";
/// The name of the example's object.
pub(crate) const NAME: &str = "hello";
/// The audience that the example asks for.
pub(crate) const AUDIENCE: &str = "https://hello.example.com";
/// The issuer's name on the local server.
pub(crate) const ISSUER: &str = "demo";
/// The issuer that stands in the example.
const EXAMPLE_ISSUER: &str = "https://example.eu.auth0.com/";
/// The operator's release and namespace.
const RELEASE: &str = "jwthttpapi";
/// Functions that exist already and that objects may name: the example brings its own.
const ALLOWED: &str = "arn:aws:lambda:eu-central-1:123456789012:function:shared-*";

/// All of it, running; it ends when this is dropped, the operator first.
pub(crate) struct Ground {
    pub(crate) operator: Operator,
    pub(crate) cluster: Cluster,
    sandbox: Sandbox,
    pub(crate) issuer: Issuer,
}

impl Ground {
    /// Starts it all; logs go to `directory`.
    pub(crate) fn start(directory: &Path, narrator: &Narrator) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(|source| Error::File {
            path: directory.to_owned(),
            source,
        })?;
        let log = |name: &str| directory.join(name);

        narrator.step("A local issuer, a local AWS and a local Kubernetes start");
        let issuer = Issuer::start()?;
        narrator.tell(&format!(
            "issuer      {}  (TLS, its own authority)",
            issuer.url(ISSUER)
        ));
        let sandbox = Sandbox::start(&issuer.authority(), &json!({}), log("sandbox.log"))?;
        narrator.tell(&format!("AWS         {}  (the sandbox)", sandbox.client().url()));
        let cluster = Cluster::start()?;
        let version = cluster.kubectl(["version"])?;
        let version = version
            .lines()
            .find_map(|line| line.strip_prefix("Server Version: "))
            .unwrap_or_default();
        narrator.tell(&format!("Kubernetes  {}  ({version})", cluster.url()));

        sandbox.client().set(&like_aws())?;

        narrator.step("Helm installs the operator, which runs with the chart's rights and arguments");
        let allowed = format!("allowedFunctions={{{ALLOWED}}}");
        narrator.command(&format!(
            "helm upgrade --install {RELEASE} charts/jwthttpapi --set '{allowed}' …"
        ));
        let values = sandbox_values(sandbox.client().url(), REGION, &[ALLOWED]);
        let container = cluster.install_chart(RELEASE, "jwthttpapi-system", &values)?;
        narrator.command(&format!("jwthttpapi {}", container.args.join(" ")));
        let operator = Operator::start(&cluster, &container, log("operator.log"))?;
        narrator.tell(&format!(
            "ready at {}/readyz, as {}",
            operator.url(),
            container.service_account
        ));

        cluster.kubectl(["create", "namespace", NAMESPACE])?;
        Ok(Self {
            operator,
            cluster,
            sandbox,
            issuer,
        })
    }

    /// The sandbox's views.
    pub(crate) fn aws(&self) -> &SandboxClient {
        self.sandbox.client()
    }

    /// The example, with the local issuer in it.
    pub(crate) fn example(&self) -> Result<String, Error> {
        let path = example_path();
        let text = fs::read_to_string(&path).map_err(|source| Error::File { path, source })?;
        Ok(text.replace(EXAMPLE_ISSUER, &self.issuer.url(ISSUER)))
    }

    /// Runs kubectl in the example's namespace, and shows it.
    pub(crate) fn kubectl(&self, narrator: &Narrator, args: &[&str]) -> Result<String, Error> {
        let quoted = |arg: &&str| {
            if arg.contains(['{', ' ']) {
                format!("'{arg}'")
            } else {
                (*arg).to_owned()
            }
        };
        narrator.command(&format!(
            "kubectl {}",
            args.iter().map(quoted).collect::<Vec<_>>().join(" ")
        ));
        let answer = self
            .cluster
            .kubectl(args.iter().copied().chain(["--namespace", NAMESPACE]))?;
        narrator.tell(answer.trim_end());
        Ok(answer)
    }

    /// A token of the local issuer.
    pub(crate) fn token(&self, audience: &str, scope: Option<&str>) -> Result<String, Error> {
        self.issuer
            .token(ISSUER, &Claims::new("alice", audience).claim("scope", scope))
    }
}

/// What AWS takes its time for, shortened: roles that take effect late, functions that are not there at once, deployments that follow.
fn like_aws() -> Value {
    json!({"iam_delay_ms": 4000, "deploy_delay_ms": 700, "function_delay_ms": 1500})
}

fn example_path() -> PathBuf {
    places::repository().join("examples/hello.yaml")
}
