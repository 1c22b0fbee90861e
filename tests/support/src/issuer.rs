//! A small OpenID Connect issuer over TLS: discovery, keys and tokens, for tests and the demo.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path as UrlPath, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey, traits::PublicKeyParts};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_rustls::TlsAcceptor;

use crate::{Error, certificates::Authority, places};

/// The id of the one signing key.
const KEY_ID: &str = "local-1";
/// The shortest that API Gateway's algorithms are used with.
const KEY_BITS: usize = 2048;
/// How long a token lasts unless said otherwise, in seconds.
const LIFETIME: i64 = 3600;

/// A running server of any number of issuers, one per first path segment: `https://localhost:<port>/<name>/`.
///
/// The server ends when this is dropped.
pub struct Issuer {
    runtime: Option<Runtime>,
    signer: Arc<Signer>,
    directory: TempDir,
}

/// What a token says.
#[derive(Debug, Clone)]
pub struct Claims {
    claims: BTreeMap<String, Value>,
    lifetime: i64,
}

impl Claims {
    /// A token for `audience` about `subject`, without scopes, good for an hour.
    pub fn new(subject: &str, audience: &str) -> Self {
        let claims = [
            ("sub".to_owned(), subject.into()),
            ("aud".to_owned(), audience.into()),
        ];
        Self {
            claims: claims.into(),
            lifetime: LIFETIME,
        }
    }

    /// Grants scopes, separated by spaces.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Ends the token that many seconds from now; a negative number makes one that has expired.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Sets any claim, also one that was set before; null leaves it out.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }
}

impl Issuer {
    /// Starts a server with a new key and a new authority on a free port.
    ///
    /// # Errors
    ///
    /// No key can be made, or no port be bound.
    pub fn start() -> Result<Self, Error> {
        let directory = places::scratch("jwthttpapi-issuer-")?;
        let authority = Authority::new("jwthttpapi local issuer")?;
        let path = authority_file(directory.path());
        fs::write(&path, authority.certificate()).map_err(Error::file(&path))?;
        let acceptor = authority.acceptor()?;

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Error::file("the issuer's runtime"))?;
        // Bound by the standard library, since this may be called from within another runtime.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(Error::file("127.0.0.1:0"))?;
        listener
            .set_nonblocking(true)
            .map_err(Error::file("127.0.0.1:0"))?;
        let address = listener.local_addr().map_err(Error::file("127.0.0.1:0"))?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener).map_err(Error::file("127.0.0.1:0"))?
        };
        let signer = Arc::new(Signer::new(address)?);
        runtime.spawn(serve(listener, acceptor, router(Arc::clone(&signer))));
        Ok(Self {
            runtime: Some(runtime),
            signer,
            directory,
        })
    }

    /// The URL of the issuer of that name, as tokens and `spec.issuer` say it. It ends in `/`.
    pub fn url(&self, name: &str) -> String {
        self.signer.url(name)
    }

    /// The authority that signed the server's certificate, in PEM: what `--issuer-ca` wants.
    pub fn authority(&self) -> PathBuf {
        authority_file(self.directory.path())
    }

    /// A token of the issuer of that name, signed with RS256.
    ///
    /// # Errors
    ///
    /// The system has no randomness.
    pub fn token(&self, name: &str, claims: &Claims) -> Result<String, Error> {
        self.signer.token(name, claims)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // A runtime must not be dropped where blocking is forbidden, and tests may hold an issuer inside another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn authority_file(directory: &Path) -> PathBuf {
    directory.join("authority.pem")
}

/// The key, and the address that its issuers are named after.
struct Signer {
    address: SocketAddr,
    key: RsaKeyPair,
    modulus: String,
    exponent: String,
}

impl Signer {
    fn new(address: SocketAddr) -> Result<Self, Error> {
        let failed = |problem: String| Error::document("the issuer's RSA key", problem);
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, KEY_BITS)
            .map_err(|error| failed(error.to_string()))?;
        let document = key.to_pkcs1_der().map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            address,
            key: RsaKeyPair::from_der(document.as_bytes()).map_err(|error| failed(error.to_string()))?,
            modulus: URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
            exponent: URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
        })
    }

    fn url(&self, name: &str) -> String {
        format!("https://localhost:{}/{name}/", self.address.port())
    }

    fn discovery(&self, name: &str) -> Value {
        let issuer = self.url(name);
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}.well-known/jwks.json"),
            "token_endpoint": format!("{issuer}token"),
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    fn keys(&self) -> Value {
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": self.modulus, "e": self.exponent,
        }]})
    }

    fn token(&self, name: &str, claims: &Claims) -> Result<String, Error> {
        let failed = |problem: &str| Error::document("token", problem);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|error| failed(&error.to_string()))?;
        let now = i64::try_from(now.as_secs()).map_err(|error| failed(&error.to_string()))?;
        // A second of grace for verifiers that want `iat` to lie in the past.
        let mut body = BTreeMap::from([
            ("iss", json!(self.url(name))),
            ("iat", json!(now - 1)),
            ("exp", json!(now + claims.lifetime)),
        ]);
        body.extend(
            claims
                .claims
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone())),
        );
        body.retain(|_, value| !value.is_null());
        let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let head = encode(json!({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}));
        let signed = format!("{head}.{}", encode(json!(body)));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| failed("no randomness"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// What the token endpoint takes, in the query or as a form.
#[derive(Deserialize)]
struct TokenRequest {
    sub: String,
    audience: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    ttl: Option<i64>,
}

fn router(signer: Arc<Signer>) -> Router {
    Router::new()
        .route(
            "/{name}/.well-known/openid-configuration",
            get(
                async |State(signer): State<Arc<Signer>>, UrlPath(name): UrlPath<String>| {
                    document(&signer.discovery(&name))
                },
            ),
        )
        .route(
            "/{name}/.well-known/jwks.json",
            get(async |State(signer): State<Arc<Signer>>| document(&signer.keys())),
        )
        .route("/{name}/token", post(issue))
        .with_state(signer)
}

async fn issue(
    State(signer): State<Arc<Signer>>,
    UrlPath(name): UrlPath<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let form = [query.unwrap_or_default().into_bytes(), body.to_vec()].join(&b'&');
    let request: TokenRequest = match serde_urlencoded::from_bytes(form.trim_ascii()) {
        Ok(request) => request,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let lifetime = request.ttl.unwrap_or(LIFETIME);
    let claims = Claims::new(&request.sub, &request.audience)
        .claim("scope", request.scope)
        .expires_in(lifetime);
    match signer.token(&name, &claims) {
        Ok(token) => {
            document(&json!({"access_token": token, "token_type": "Bearer", "expires_in": lifetime}))
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn document(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Accepts for ever. A connection that fails, in TLS or in HTTP, is its client's business alone.
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let service = TowerToHyperService::new(router);
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            }
        });
    }
}
