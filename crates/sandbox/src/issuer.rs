//! Issuers of tokens, as API Gateway reaches them: over TLS, within 1.5 s and 150,000 bytes (D).

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde::Deserialize;
use thiserror::Error;

/// How long a fetch may take (D).
const TIMEOUT: Duration = Duration::from_millis(1500);
/// How large a document may be (D for the JWKS; for the discovery document I).
const MOST_BYTES: usize = 150_000;

/// Where the documents of issuers come from.
#[derive(Clone, Debug)]
pub enum Issuers {
    /// They are fetched.
    Fetch(Box<Fetcher>),
    /// Exactly these issuers exist, and their discovery documents name them. For tests without a network.
    Table(BTreeSet<String>),
}

/// What is used of a discovery document.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Discovery {
    /// The issuer that the document names.
    pub issuer: String,
    /// Where the keys are.
    pub jwks_uri: String,
}

/// Why a document could not be had.
#[derive(Debug, Error)]
pub enum IssuerError {
    /// Not an https URL.
    #[error("{0} is not an https URL")]
    NotHttps(String),
    /// Connection, TLS or protocol.
    #[error("{0}")]
    Unreachable(String),
    /// Longer than 1.5 s.
    #[error("no answer within {} ms", TIMEOUT.as_millis())]
    Timeout,
    /// Another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// Not the document it should be.
    #[error("the document cannot be read: {0}")]
    Malformed(String),
    /// Not in the table.
    #[error("unknown host")]
    Unknown,
}

/// Certificates that cannot be loaded.
#[derive(Debug, Error)]
#[error("{}: {reason}", file.display())]
pub struct CertificateError {
    file: PathBuf,
    reason: String,
}

impl Issuers {
    /// The document at `<issuer>/.well-known/openid-configuration`; a slash at the issuer's end is not doubled.
    ///
    /// # Errors
    /// When API Gateway could not have it either.
    pub async fn discovery(&self, issuer: &str) -> Result<Discovery, IssuerError> {
        match self {
            Self::Fetch(fetcher) => {
                let url = format!(
                    "{}/.well-known/openid-configuration",
                    issuer.trim_end_matches('/')
                );
                let document = fetcher.get(&url).await?;
                serde_json::from_slice(&document).map_err(|error| IssuerError::Malformed(error.to_string()))
            }
            Self::Table(known) if known.contains(issuer) => {
                let jwks_uri = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
                Ok(Discovery {
                    issuer: issuer.to_owned(),
                    jwks_uri,
                })
            }
            Self::Table(_) => Err(IssuerError::Unknown),
        }
    }

    /// The key set at a discovery document's `jwks_uri`, as it came. A table of issuers has no keys.
    ///
    /// # Errors
    /// When API Gateway could not have it either.
    pub async fn jwks(&self, url: &str) -> Result<Bytes, IssuerError> {
        match self {
            Self::Fetch(fetcher) => fetcher.get(url).await,
            Self::Table(_) => Err(IssuerError::Unknown),
        }
    }
}

/// An HTTPS client with the platform's certificate authorities and, if wanted, further ones.
#[derive(Clone)]
pub struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Trusts the platform's authorities and those in `files`, PEM each. A platform without any is no error.
    ///
    /// # Errors
    /// When a file cannot be read or holds no certificate.
    pub fn new(files: &[PathBuf]) -> Result<Self, CertificateError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for file in files {
            let failed = |reason: String| CertificateError {
                file: file.clone(),
                reason,
            };
            let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect)
                .map_err(|error| failed(error.to_string()));
            let certificates: Vec<CertificateDer<'static>> = certificates?;
            if certificates.is_empty() {
                return Err(failed("no certificate found".into()));
            }
            for certificate in certificates {
                roots
                    .add(certificate)
                    .map_err(|error| failed(error.to_string()))?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| CertificateError {
                file: PathBuf::new(),
                reason: error.to_string(),
            })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    async fn get(&self, url: &str) -> Result<Bytes, IssuerError> {
        let uri: Uri = url.parse().map_err(|_| IssuerError::NotHttps(url.to_owned()))?;
        if uri.scheme_str() != Some("https") {
            return Err(IssuerError::NotHttps(url.to_owned()));
        }
        let request = Request::get(uri)
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| IssuerError::Unreachable(error.to_string()))?;
        tokio::time::timeout(TIMEOUT, self.fetch(request))
            .await
            .map_err(|_| IssuerError::Timeout)?
    }

    async fn fetch(&self, request: Request<Empty<Bytes>>) -> Result<Bytes, IssuerError> {
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| IssuerError::Unreachable(chain(&error)))?;
        if response.status() != http::StatusCode::OK {
            return Err(IssuerError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        body.map(http_body_util::Collected::to_bytes)
            .map_err(|error| IssuerError::Malformed(error.to_string()))
    }
}

/// An error with its causes: the outermost alone says only that the client failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_table_knows_its_issuers_byte_for_byte() {
        let issuers = Issuers::Table(BTreeSet::from(["https://issuer.example/".to_owned()]));
        assert_eq!(
            issuers.discovery("https://issuer.example/").await.unwrap().issuer,
            "https://issuer.example/"
        );
        assert!(matches!(
            issuers.discovery("https://issuer.example").await,
            Err(IssuerError::Unknown)
        ));
    }

    #[tokio::test]
    async fn only_https_is_fetched() {
        let issuers = Issuers::Fetch(Box::new(Fetcher::new(&[]).unwrap()));
        assert!(matches!(
            issuers.discovery("http://127.0.0.1:1").await,
            Err(IssuerError::NotHttps(_))
        ));
        assert!(matches!(
            issuers.discovery("https://127.0.0.1:1").await,
            Err(IssuerError::Unreachable(_))
        ));
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let error = Fetcher::new(&[PathBuf::from("/nowhere/ca.pem")]).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/ca.pem: "), "{error}");
    }
}
