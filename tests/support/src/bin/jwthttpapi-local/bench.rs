//! The figures that the README promises: size, times and memory, of the operator's binary that is named to it.

use std::fs;

use jwthttpapi_test_support::{
    Cluster, Container, Error, Issuer, Operator, PROMPT, REGION, Sandbox, places, planted_in, sandbox_values,
};
use serde_json::{Value, json};

use crate::narrator::Narrator;

const NAMESPACE: &str = "bench";
const ACCOUNT_NAME: &str = "system:serviceaccount:jwthttpapi-system:jwthttpapi";
/// How often each time is taken.
const RUNS: usize = 10;
/// With the default settle times one run waits for ten seconds of IAM.
const SETTLED_RUNS: usize = 3;
/// Objects of the big measurement of memory.
const MANY: usize = 300;
const MIB: f64 = 1024.0 * 1024.0;

/// One measured figure.
struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    /// What the project promises; a figure without a promise is for information.
    bound: Option<f64>,
}

/// Measures everything, shows it, and fails when a promise is broken.
pub(crate) fn run(narrator: &Narrator) -> Result<(), Error> {
    sound()?;
    let bench = Bench::start(narrator)?;
    let mut figures = vec![size()?];
    narrator.step("Apply to Ready");
    for (latency, bound) in [(0, 300.0), (100, 1500.0)] {
        figures.push(Figure {
            what: format!(
                "apply to Ready, {latency} ms added to each AWS call, settle times 0, median of {RUNS}"
            ),
            value: bench.time_to_ready(latency, &PROMPT, RUNS)?,
            unit: "ms",
            bound: Some(bound),
        });
        figures.push(Figure {
            what: format!("the same with default settle times and budget, median of {SETTLED_RUNS}"),
            value: bench.time_to_ready(latency, &["--leader-elect=false"], SETTLED_RUNS)?,
            unit: "ms",
            bound: None,
        });
    }
    narrator.step("Memory");
    figures.extend(bench.memory()?);

    narrator.step("Figures");
    for figure in &figures {
        let bound = figure.bound.map_or_else(String::new, |bound| {
            format!("   (at most {bound} {})", figure.unit)
        });
        narrator.tell(&format!(
            "{:8.1} {}  {}{bound}",
            figure.value, figure.unit, figure.what
        ));
    }
    let broken = figures
        .iter()
        .filter(|figure| figure.bound.is_some_and(|bound| figure.value > bound));
    match broken.count() {
        0 => Ok(()),
        count => Err(Error::Document {
            what: "the figures".to_owned(),
            problem: format!("{count} above what is promised"),
        }),
    }
}

/// That the binary is one that nobody can plant a bug in, as the one that is shipped must be.
fn sound() -> Result<(), Error> {
    let path = places::binary("jwthttpapi")?;
    let planted = planted_in(&path)?;
    if planted.is_empty() {
        return Ok(());
    }
    Err(Error::Document {
        what: path.display().to_string(),
        problem: format!("bugs can be planted in it: {planted:?}"),
    })
}

fn size() -> Result<Figure, Error> {
    let path = places::binary("jwthttpapi")?;
    let size = fs::metadata(&path)
        .map_err(|source| Error::File { path, source })?
        .len();
    Ok(Figure {
        what: "size of the operator's binary".to_owned(),
        value: float(size) / 1e6,
        unit: "MB",
        bound: Some(16.0),
    })
}

/// Exact below 2^53, which nothing here reaches.
#[expect(
    clippy::cast_precision_loss,
    reason = "bytes of one program, times of one afternoon"
)]
const fn float(number: u64) -> f64 {
    number as f64
}

struct Bench<'a> {
    narrator: &'a Narrator,
    container: Container,
    cluster: Cluster,
    sandbox: Sandbox,
    issuer: Issuer,
}

impl<'a> Bench<'a> {
    fn start(narrator: &'a Narrator) -> Result<Self, Error> {
        narrator.step("A local issuer, a local AWS without delays and a local Kubernetes start");
        let issuer = Issuer::start()?;
        let cluster = Cluster::start()?;
        let settings = json!({"iam_delay_ms": 0, "deploy_delay_ms": 0, "list_lag_ms": 0, "page_size": 1000});
        let log = cluster.directory().join("sandbox.log");
        let sandbox = Sandbox::start(&issuer.authority(), &settings, log)?;
        for name in ["one", "two", "three"] {
            let code = "export const handler = async () => ({ok: true});";
            sandbox
                .client()
                .create_function(name, "nodejs22.x", "index.handler", &[("index.mjs", code)])?;
        }
        let values = sandbox_values(sandbox.client().url(), REGION, &["*"]);
        let container = cluster.install_chart("jwthttpapi", "jwthttpapi-system", &values)?;
        cluster.kubectl(["create", "namespace", NAMESPACE])?;
        let bench = Self {
            narrator,
            container,
            cluster,
            sandbox,
            issuer,
        };
        // The API server holds the first object of a new kind back for two seconds, whoever sends it.
        bench.cluster.apply(&bench.manifest("first").to_string())?;
        bench.kubectl(&["delete", &object("first")])?;
        Ok(bench)
    }

    fn operator(&self, flags: &[&str]) -> Result<Operator, Error> {
        let log = self.cluster.directory().join("operator.log");
        let container = self.container.clone().with_flags(flags.iter().copied());
        Operator::start(&self.cluster, &container, log)
    }

    /// An API with CORS, three routes and three functions in Role mode.
    fn manifest(&self, name: &str) -> Value {
        let route = |key: &str, function: &str| json!({"routeKey": key, "lambda": {"name": function}});
        json!({
            "apiVersion": "jwthttpapi.dev/v1alpha1",
            "kind": "JwtHttpApi",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "issuer": self.issuer.url("bench"),
                "audience": ["https://hello.example.com"],
                "cors": {"allowOrigins": ["https://app.example.com"], "allowMethods": ["GET"], "allowHeaders": ["Authorization"]},
                "routes": [route("GET /one", "one"), route("POST /two/{id}", "two"), route("GET /three", "three")],
            },
        })
    }

    /// The median time from the API server's receipt of a new object until it had stored `Ready`, in milliseconds.
    fn time_to_ready(&self, latency: u64, flags: &[&str], runs: usize) -> Result<f64, Error> {
        self.sandbox.client().set(&json!({"latency_ms": latency}))?;
        let operator = self.operator(flags)?;
        let mut took = Vec::new();
        for run in 0..runs {
            let name = format!("timed-{run}");
            let mark = self.cluster.audit_mark()?;
            self.cluster.apply(&self.manifest(&name).to_string())?;
            self.kubectl(&["wait", "--for=condition=Ready", &object(&name), "--timeout=60s"])?;
            let received = self.cluster.requests(mark, "admin")?;
            let received = received
                .iter()
                .find(|entry| entry.verb == "create" && entry.resource == "jwthttpapis");
            let written = self.cluster.requests(mark, ACCOUNT_NAME)?;
            let written = written
                .iter()
                .rfind(|entry| entry.subresource == "status" && entry.name == name);
            let (Some(received), Some(written)) = (received, written) else {
                return Err(Error::Document {
                    what: "the audit log".to_owned(),
                    problem: format!("it holds no creation, or no status, of {name}"),
                });
            };
            took.push(written.answered.duration_since(received.received).as_secs_f64() * 1e3);
            self.kubectl(&["delete", &object(&name), "--timeout=120s"])?;
        }
        drop(operator);
        self.narrator.tell(&format!(
            "{latency} ms a call, {}: {took:.0?} ms",
            flags.join(" ")
        ));
        took.sort_by(f64::total_cmp);
        let middle = |at: usize| took.get(at).copied().unwrap_or_default();
        Ok(f64::midpoint(middle(runs / 2), middle((runs - 1) / 2)))
    }

    /// Resident memory of an operator with one object and with many, all of them Ready.
    fn memory(&self) -> Result<Vec<Figure>, Error> {
        self.sandbox.client().set(&json!({"latency_ms": 0}))?;
        let operator = self.operator(&PROMPT)?;
        let mut figures = Vec::new();
        for (count, bound) in [(1, 25.0), (MANY, 40.0)] {
            let items: Vec<Value> = (0..count)
                .map(|number| self.manifest(&format!("kept-{number}")))
                .collect();
            self.cluster
                .apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())?;
            let ready = [
                "wait",
                "--for=condition=Ready",
                "jwthttpapi",
                "--all",
                "--timeout=300s",
            ];
            self.kubectl(&ready)?;
            let resident = operator
                .metrics()?
                .get("process_resident_memory_bytes")
                .copied()
                .unwrap_or_default();
            self.narrator.tell(&format!("{count}: {:.1} MiB", resident / MIB));
            figures.push(Figure {
                what: format!(
                    "resident memory with {count} object{}, right after the last became Ready",
                    if count == 1 { "" } else { "s" }
                ),
                value: resident / MIB,
                unit: "MiB",
                bound: Some(bound),
            });
        }
        Ok(figures)
    }

    fn kubectl(&self, args: &[&str]) -> Result<String, Error> {
        self.cluster
            .kubectl(args.iter().copied().chain(["--namespace", NAMESPACE]))
    }
}

fn object(name: &str) -> String {
    format!("jwthttpapi/{name}")
}
