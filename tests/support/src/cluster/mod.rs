//! A Kubernetes control plane of one's own: etcd, API server and the controllers that deletion needs. No kubelet.

mod components;
mod gate;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use self::components::{AUDIT_LOG, Credential, Files, Identity, kubeconfig};
pub use self::gate::Gate;
use crate::{
    AuditEntry, AuditMark, Error, Proxy, command, deadline, places,
    process::{Launch, Process},
    tools::Tools,
};

/// Far above the three seconds a start takes, for machines that compile at the same time.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How long the audit log may lag behind an answer.
const AUDIT_LIMIT: Duration = Duration::from_secs(10);
/// A port found free may be taken by somebody else before the server binds it.
const ATTEMPTS: u32 = 3;

/// A running control plane, ended and removed when dropped or when this process dies.
pub struct Cluster {
    // In this order: whoever talks to another ends first.
    gate: OnceLock<Result<Gate, Error>>,
    _controllers: Process,
    api_server: Mutex<Process>,
    _etcd: Process,
    tools: Tools,
    url: String,
    authority: PathBuf,
    kubeconfig: PathBuf,
    marks: AtomicU32,
    directory: TempDir,
}

impl Cluster {
    /// Starts it, ready for use: about three seconds, once the programs are built ([`Tools::provide`]).
    ///
    /// # Errors
    ///
    /// A program cannot be built, does not start, or is not ready within a minute.
    pub fn start() -> Result<Self, Error> {
        let tools = Tools::provide()?;
        let mut attempt = 1;
        loop {
            match Self::start_on_free_port(tools.clone()) {
                Err(Error::Ended { output, .. })
                    if attempt < ATTEMPTS && output.contains("address already in use") =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// The one cluster of a test process, started by whoever asks first; it ends with the process.
    ///
    /// # Errors
    ///
    /// It did not start, as [`Cluster::start`] says.
    pub fn shared() -> Result<&'static Self, &'static Error> {
        static SHARED: LazyLock<Result<Cluster, Error>> = LazyLock::new(Cluster::start);
        SHARED.as_ref()
    }

    fn start_on_free_port(tools: Tools) -> Result<Self, Error> {
        let directory = places::scratch("jwthttpapi-kubernetes-")?;
        let files = Files(directory.path());
        let identity = Identity::write(files)?;
        let url = format!("https://127.0.0.1:{}", components::free_port()?);
        let admin = kubeconfig(
            &url,
            &identity.authority,
            Credential::Certificate(&identity.admin),
        );
        let admin = files.write("admin.kubeconfig", &admin)?;
        let controllers = kubeconfig(
            &url,
            &identity.authority,
            Credential::Certificate(&identity.controllers),
        );
        let controllers = files.write("controllers.kubeconfig", &controllers)?;

        let etcd = components::start_etcd(&tools, files)?;
        let api_server = serve_api(&tools, files, &url, &admin)?;
        Ok(Self {
            gate: OnceLock::new(),
            _controllers: components::start_controllers(&tools, files, &controllers)?,
            api_server: Mutex::new(api_server),
            _etcd: etcd,
            tools,
            url,
            authority: identity.authority,
            kubeconfig: admin,
            marks: AtomicU32::new(0),
            directory,
        })
    }

    /// Kills the API server, as a node's failure would; what it stored stays in etcd.
    ///
    /// # Errors
    ///
    /// The system cannot say how it ended.
    pub fn stop_api_server(&self) -> Result<(), Error> {
        self.api_server().kill()
    }

    /// Starts the API server again, at the same address and over the same etcd, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// It does not start, or is not ready within a minute.
    pub fn start_api_server(&self) -> Result<(), Error> {
        let mut api_server = self.api_server();
        *api_server = serve_api(
            &self.tools,
            Files(self.directory.path()),
            &self.url,
            &self.kubeconfig,
        )?;
        Ok(())
    }

    fn api_server(&self) -> MutexGuard<'_, Process> {
        self.api_server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an object into etcd as an API server would have stored it: with the identity, generation and status that it says.
    /// `plural` is the resource with its group, such as `jwthttpapi.dev/jwthttpapis`.
    ///
    /// # Errors
    ///
    /// The object names no namespace or no name, or etcd does not take it.
    pub fn store(&self, plural: &str, object: &Value) -> Result<(), Error> {
        let text = |path: &str| {
            let found = object.pointer(path).and_then(Value::as_str);
            found.ok_or_else(|| Error::document("an object to be stored", format!("no {path} in {object}")))
        };
        let key = format!(
            "/registry/{plural}/{}/{}",
            text("/metadata/namespace")?,
            text("/metadata/name")?
        );
        components::put(Files(self.directory.path()), &key, &object.to_string())
    }

    /// The API server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The authority that signed the API server's certificate, in PEM.
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// A kubeconfig that may do everything.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The directory of this cluster's files, logs among them; it goes with the cluster.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A kubeconfig that may do what a service account may, by a token that the API server issued for it.
    ///
    /// # Errors
    ///
    /// There is no such service account.
    pub fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf, Error> {
        self.kubeconfig_to(&self.url, namespace, name)
    }

    /// The same, but by way of a proxy.
    ///
    /// # Errors
    ///
    /// There is no such service account.
    pub fn kubeconfig_through(&self, proxy: &Proxy, namespace: &str, name: &str) -> Result<PathBuf, Error> {
        self.kubeconfig_to(proxy.url(), namespace, name)
    }

    fn kubeconfig_to(&self, url: &str, namespace: &str, name: &str) -> Result<PathBuf, Error> {
        let token = self.kubectl([
            "create",
            "token",
            name,
            "--namespace",
            namespace,
            "--duration",
            "24h",
        ])?;
        let document = kubeconfig(url, &self.authority, Credential::Token(token.trim()));
        let port = url.rsplit(':').next().unwrap_or_default();
        Files(self.directory.path()).write(&format!("{namespace}-{name}-{port}.kubeconfig"), &document)
    }

    /// Runs kubectl as administrator: what it wrote to standard output.
    ///
    /// # Errors
    ///
    /// It did not succeed; the error holds what it wrote to standard error.
    pub fn kubectl<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String, Error> {
        command::run(self.client(&self.tools.kubectl).args(args), None)
    }

    /// The way for requests in numbers, opened by whoever asks first.
    ///
    /// # Errors
    ///
    /// It did not open.
    pub fn gate(&self) -> Result<&Gate, &Error> {
        let open = || {
            let log = self.directory.path().join("gate.log");
            Gate::open(Launch::new(&self.tools.kubectl, log).env("KUBECONFIG", &self.kubeconfig))
        };
        self.gate.get_or_init(open).as_ref()
    }

    /// Applies manifests with `kubectl apply -f -`: what it said.
    ///
    /// # Errors
    ///
    /// The API server refused one; the error holds its message.
    pub fn apply(&self, manifests: &str) -> Result<String, Error> {
        command::run(
            self.client(&self.tools.kubectl).args(["apply", "-f", "-"]),
            Some(manifests),
        )
    }

    /// The same on the server's side, as objects need it that are too big for kubectl's annotation.
    ///
    /// # Errors
    ///
    /// The API server refuses one of them.
    pub fn apply_server_side(&self, manifests: &str) -> Result<String, Error> {
        command::run(
            self.client(&self.tools.kubectl)
                .args(["apply", "--server-side", "-f", "-"]),
            Some(manifests),
        )
    }

    /// Manifests as JSON, read by kubectl and not sent to the API server.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn client_side(&self, manifests: &str) -> Result<String, Error> {
        let args = [
            "create",
            "--dry-run=client",
            "--validate=false",
            "--output",
            "json",
            "-f",
            "-",
        ];
        command::run(self.client(&self.tools.kubectl).args(args), Some(manifests))
    }

    /// Runs Helm as administrator: what it wrote to standard output.
    ///
    /// # Errors
    ///
    /// It did not succeed; the error holds what it wrote to standard error.
    pub fn helm<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<String, Error> {
        command::run(self.client(&self.tools.helm).args(args), None)
    }

    /// A client program that sees this cluster and nothing of the user's own configuration.
    fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let home = self.directory.path();
        command.env("KUBECONFIG", &self.kubeconfig).env("HOME", home);
        for (name, place) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
        ] {
            command.env(name, home.join("helm").join(place));
        }
        command
    }

    /// The present end of the audit log.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or lags far behind.
    pub fn audit_mark(&self) -> Result<AuditMark, Error> {
        Ok(AuditMark(self.settled_audit()?.len()))
    }

    /// The answered requests since `mark`, of the users whose name is `user`, in order.
    ///
    /// A service account's name is `system:serviceaccount:<namespace>:<name>`, an administrator's is `admin`.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or lags far behind.
    pub fn requests(&self, mark: AuditMark, user: &str) -> Result<Vec<AuditEntry>, Error> {
        let log = self.settled_audit()?;
        let since = log.get(mark.0..).unwrap_or_default();
        Ok(since
            .lines()
            .filter_map(AuditEntry::parse)
            .filter(|entry| entry.user == user)
            .collect())
    }

    /// The audit log, once it holds a request of our own that was sent after all others were answered.
    fn settled_audit(&self) -> Result<String, Error> {
        let mark = format!("/version?mark={}", self.marks.fetch_add(1, Ordering::Relaxed));
        self.kubectl(["get", "--raw", &mark])?;
        let path = self.directory.path().join(AUDIT_LOG);
        deadline::poll("the audit log's mark", AUDIT_LIMIT, || {
            let log = fs::read_to_string(&path).map_err(Error::file(&path))?;
            Ok(log.contains(&format!("\"{mark}\"")).then_some(log))
        })
    }
}

/// An API server that is ready.
fn serve_api(tools: &Tools, files: Files<'_>, url: &str, admin: &Path) -> Result<Process, Error> {
    let mut api_server = components::start_api_server(tools, files, url)?;
    api_server.wait_until("readiness", START_LIMIT, || {
        let mut kubectl = Command::new(&tools.kubectl);
        kubectl
            .arg("--kubeconfig")
            .arg(admin)
            .args(["get", "--raw", "/readyz"]);
        Ok(command::run(&mut kubectl, None).is_ok().then_some(()))
    })?;
    Ok(api_server)
}
