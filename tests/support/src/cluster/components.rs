//! The programs of a control plane, the files they want, and how each is started.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use rcgen::KeyPair;
use serde_json::json;

use crate::{
    Error, audit,
    certificates::{Authority, Certified},
    process::{Launch, Process},
    tools::Tools,
};

pub(super) const AUDIT_LOG: &str = "audit.log";
const AUTHORITY: &str = "authority.pem";
/// What the tests and the demo need of the controller manager; the rest would only cost time.
const CONTROLLERS: &str = "namespace-controller,garbage-collector-controller,serviceaccount-controller";
const ETCD_LIMIT: Duration = Duration::from_secs(30);

/// The directory of a cluster's files.
#[derive(Clone, Copy)]
pub(super) struct Files<'a>(pub(super) &'a Path);

impl Files<'_> {
    pub(super) fn write(self, name: &str, content: &str) -> Result<PathBuf, Error> {
        let path = self.path(name);
        fs::write(&path, content).map_err(Error::file(&path))?;
        Ok(path)
    }

    fn path(self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn certified(self, name: &str, certified: &Certified) -> Result<(), Error> {
        self.write(&format!("{name}.pem"), &certified.certificate)?;
        self.write(&format!("{name}.key"), &certified.key)?;
        Ok(())
    }
}

/// Who is who in this cluster.
pub(super) struct Identity {
    pub(super) authority: PathBuf,
    pub(super) admin: Certified,
    pub(super) controllers: Certified,
}

impl Identity {
    /// Makes all keys and certificates and writes those that the API server reads.
    pub(super) fn write(files: Files<'_>) -> Result<Self, Error> {
        let authority = Authority::new("jwthttpapi local kubernetes")?;
        files.certified("server", &authority.server("kube-apiserver")?)?;
        let tokens = KeyPair::generate()?;
        files.write("tokens.key", &tokens.serialize_pem())?;
        files.write("tokens.pub", &tokens.public_key_pem())?;
        files.write("audit-policy.json", audit::POLICY)?;
        Ok(Self {
            authority: files.write(AUTHORITY, &authority.certificate())?,
            admin: authority.client("admin", Some("system:masters"))?,
            controllers: authority.client("system:kube-controller-manager", None)?,
        })
    }
}

/// How a client proves who it is.
#[derive(Clone, Copy)]
pub(super) enum Credential<'a> {
    Certificate(&'a Certified),
    Token(&'a str),
}

/// A kubeconfig; JSON, which every reader of YAML reads.
pub(super) fn kubeconfig(url: &str, authority: &Path, credential: Credential<'_>) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let user = match credential {
        Credential::Certificate(certified) => json!({
            "client-certificate-data": STANDARD.encode(&certified.certificate),
            "client-key-data": STANDARD.encode(&certified.key),
        }),
        Credential::Token(token) => json!({"token": token}),
    };
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "user"}}],
        "current-context": "local",
    })
    .to_string()
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> Result<u16, Error> {
    let address = "127.0.0.1:0";
    let port = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    Ok(port.map_err(Error::file(address))?.port())
}

/// etcd on a socket file, so that it needs no port that another could take.
pub(super) fn start_etcd(tools: &Tools, files: Files<'_>) -> Result<Process, Error> {
    let mut etcd = Launch::new(&tools.etcd, files.path("etcd.log"))
        .arg("--data-dir")
        .arg(files.path("etcd"))
        .arg(format!("--listen-client-urls={}", etcd_url(files)))
        .arg("--listen-peer-urls=http://127.0.0.1:0")
        // Told to other members, of which there are none; a socket would not be accepted here.
        .arg("--advertise-client-urls=http://127.0.0.1:0")
        .args(["--unsafe-no-fsync", "--log-level=warn"])
        .spawn()?;
    let socket = files.path("etcd.socket");
    etcd.wait_until("its socket", ETCD_LIMIT, || Ok(socket.exists().then_some(())))?;
    Ok(etcd)
}

/// Stores a value, by etcd's own gateway for HTTP.
pub(super) fn put(files: Files<'_>, key: &str, value: &str) -> Result<(), Error> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let body = json!({"key": STANDARD.encode(key), "value": STANDARD.encode(value)}).to_string();
    let path = files.path("etcd.socket");
    let request = format!(
        "POST /v3/kv/put HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    UnixStream::connect(&path)
        .and_then(|mut stream| {
            stream.write_all(request.as_bytes())?;
            stream.read_to_string(&mut answer)
        })
        .map_err(Error::file(&path))?;
    if answer.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(Error::document("etcd's answer", answer))
    }
}

fn etcd_url(files: Files<'_>) -> String {
    format!("unix://{}", files.path("etcd.socket").display())
}

pub(super) fn start_api_server(tools: &Tools, files: Files<'_>, url: &str) -> Result<Process, Error> {
    let port = url.rsplit(':').next().unwrap_or_default();
    let file = |flag: &str, name: &str| format!("--{flag}={}", files.path(name).display());
    Launch::new(&tools.kube_apiserver, files.path("kube-apiserver.log"))
        .arg(format!("--etcd-servers={}", etcd_url(files)))
        .args([
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
        ])
        .args([
            file("tls-cert-file", "server.pem"),
            file("tls-private-key-file", "server.key"),
        ])
        .args([file("client-ca-file", AUTHORITY)])
        .args([
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
        ])
        .args(["--service-account-issuer=https://kubernetes.default.svc"])
        .args([
            file("service-account-key-file", "tokens.pub"),
            file("service-account-signing-key-file", "tokens.key"),
        ])
        .args([
            file("audit-policy-file", "audit-policy.json"),
            file("audit-log-path", AUDIT_LOG),
        ])
        // One API server, no nodes: nothing to publish, nothing to ration.
        .args([
            "--endpoint-reconciler-type=none",
            "--enable-priority-and-fairness=false",
        ])
        .spawn()
}

pub(super) fn start_controllers(
    tools: &Tools,
    files: Files<'_>,
    kubeconfig: &Path,
) -> Result<Process, Error> {
    Launch::new(
        &tools.kube_controller_manager,
        files.path("kube-controller-manager.log"),
    )
    .arg("--kubeconfig")
    .arg(kubeconfig)
    .args([format!("--controllers={CONTROLLERS}")])
    // Port 0 serves nothing: nobody asks this one for its health.
    .args([
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=true",
    ])
    .spawn()
}
