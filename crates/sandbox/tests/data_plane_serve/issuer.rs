//! A token issuer over TLS, with a certificate authority and a signing key of its own.

use std::{
    convert::Infallible,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

/// Makes a key, prints its JWKS and what it signed. The private half never leaves that process.
const SIGNER: &str = r#"
const crypto = require("node:crypto");
const tokens = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const { publicKey, privateKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const sign = ([header, claims]) => {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${crypto.sign(header.alg.replace("RS", "sha"), text, privateKey).toString("base64url")}`;
};
const key = { ...publicKey.export({ format: "jwk" }), kid: "key-1", use: "sig" };
process.stdout.write(JSON.stringify({ jwks: { keys: [key] }, signed: tokens.map(sign) }));
"#;

/// A listener with its certificate, before it is known what it serves.
pub(crate) struct Address {
    listener: TcpListener,
    tls: TlsAcceptor,
    ca: TempDir,
    /// `https://localhost:<port>`.
    pub(crate) issuer: String,
}

impl Address {
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let ca = TempDir::new().unwrap();
        std::fs::write(ca.path().join("ca.pem"), authority.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Self {
            listener,
            tls: TlsAcceptor::from(Arc::new(config)),
            ca,
            issuer,
        }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.ca.path().join("ca.pem")
    }

    /// Serves discovery and keys.
    pub(crate) fn serve(self, jwks: Value) -> Running {
        let state = Arc::new(State {
            issuer: self.issuer.clone(),
            jwks,
            hangs: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&state);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            let state = shared;
            loop {
                let (stream, _) = self.listener.accept().await.unwrap();
                let (tls, state) = (self.tls.clone(), Arc::clone(&state));
                connections.spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request| {
                        let state = Arc::clone(&state);
                        async move { Ok::<_, Infallible>(document(&request, &state).await) }
                    });
                    // A client that goes away in the middle is no fault of the issuer.
                    drop(
                        http1::Builder::new()
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        Running { state, tasks }
    }
}

struct State {
    issuer: String,
    jwks: Value,
    hangs: AtomicBool,
}

/// An issuer that answers, until dropped.
pub(crate) struct Running {
    state: Arc<State>,
    tasks: JoinSet<()>,
}

impl Running {
    /// From now on no request is answered.
    pub(crate) fn hang(&self) {
        self.state.hangs.store(true, Ordering::SeqCst);
    }

    /// Ends it, and every connection with it.
    pub(crate) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn document(request: &Request<Incoming>, state: &State) -> Response<Full<bytes::Bytes>> {
    if state.hangs.load(Ordering::SeqCst) {
        return std::future::pending().await;
    }
    let State { issuer, jwks, .. } = state;
    let body = match request.uri().path() {
        "/.well-known/openid-configuration" => {
            json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")})
        }
        "/mute/.well-known/openid-configuration" => {
            json!({"issuer": issuer, "jwks_uri": format!("{issuer}/no")})
        }
        "/jwks" => jwks.clone(),
        _ => return Response::builder().status(404).body(Full::default()).unwrap(),
    };
    Response::new(Full::from(body.to_string()))
}

/// Signs tokens, each a header and claims, with a new key; gives the key's JWKS and the tokens.
pub(crate) fn sign(tokens: &[(Value, Value)]) -> (Value, Vec<String>) {
    let mut signer = Command::new("node")
        .args(["-e", SIGNER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    signer
        .stdin
        .take()
        .unwrap()
        .write_all(json!(tokens).to_string().as_bytes())
        .unwrap();
    let output = signer.wait_with_output().unwrap();
    let mut output: Value = serde_json::from_slice(&output.stdout).unwrap();
    (
        output["jwks"].take(),
        serde_json::from_value(output["signed"].take()).unwrap(),
    )
}
