//! The way to AWS: the proxy that it leads through, and the authorities that are trusted to say who is at its end.
//!
//! Both come from the variables that AWS's own tools read, once, when the process starts. What is asked over plain HTTP goes
//! straight: the metadata and the credentials of the machine itself, which no proxy could reach.

use super::settings::ConfigError;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{env, fmt, fs};

const PROXY: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// What every request to AWS goes through, those of the sources of credentials among them. Clones share its connections.
#[derive(Clone)]
pub struct Network {
    pub(super) client: SharedHttpClient,
    proxy: Option<http::Uri>,
}

/// Without the proxy's address, which may hold a password.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Network {
    /// As `HTTPS_PROXY`, `NO_PROXY` (or their twins in small letters) and `AWS_CA_BUNDLE` say.
    ///
    /// # Errors
    /// When the proxy's address is not one, or the bundle cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::of(|name| env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Whether this is the address of the proxy.
    pub fn leads_through(&self, address: &http::Uri) -> bool {
        self.proxy.as_ref() == Some(address)
    }

    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        // A template that leaves a variable empty means that it is not set.
        let set = |name: &&'static str| {
            let value = variable(name).filter(|value| !value.trim().is_empty())?;
            Some((*name, value.trim().to_owned()))
        };
        let direct = NO_PROXY.iter().find_map(set);
        let address = PROXY.iter().find_map(set);
        let proxy = match &address {
            None => ProxyConfig::disabled(),
            Some((name, address)) => {
                let direct = direct.map(|(_, hosts)| hosts).unwrap_or_default();
                proxy(name, address)?.no_proxy(direct)
            }
        };
        let trust = match set(&BUNDLE) {
            None => TrustStore::default(),
            Some((_, file)) => bundle(file)?,
        };
        Ok(Self {
            client: client(proxy, &trust),
            proxy: address.and_then(|(_, address)| address.parse().ok()),
        })
    }
}

/// An address without a scheme is that of an HTTP proxy, as AWS's tools take it. It may hold a password: no error quotes it.
fn proxy(variable: &'static str, address: &str) -> Result<ProxyConfig, ConfigError> {
    let address = if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    };
    ProxyConfig::https(address).map_err(|_| ConfigError::Proxy(variable))
}

/// Nobody else is trusted then, as in AWS's tools. The SDK panics over what it cannot read: here it is read first.
fn bundle(file: String) -> Result<TrustStore, ConfigError> {
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = error.to_string();
            return Err(ConfigError::Bundle { file, problem });
        }
    };
    match check(&bytes) {
        Ok(()) => Ok(TrustStore::empty().with_pem_certificate(bytes)),
        Err(problem) => Err(ConfigError::Bundle { file, problem }),
    }
}

fn check(bundle: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(())
}

/// HTTP over TLS by rustls and ring. The SDK's builder of clients takes no proxy, that of connectors does.
fn client(proxy: ProxyConfig, trust: &TrustStore) -> SharedHttpClient {
    let tls = TlsContext::builder()
        .with_trust_store(trust.clone())
        .build()
        .unwrap_or_default();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Write;

    fn network<const N: usize>(variables: [(&str, &str); N]) -> Result<Network, ConfigError> {
        let variables = BTreeMap::from(variables);
        Network::of(|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn a_proxy_is_an_address_by_http_or_https_with_a_host() {
        for good in [
            "http://egress.example.com:3128",
            "https://egress.example.com",
            "http://user:secret@10.0.0.1:3128",
            "egress.example.com:3128",
            "10.0.0.1:3128",
        ] {
            assert!(network([("HTTPS_PROXY", good)]).is_ok(), "{good}");
        }
        for bad in [
            "socks5://egress.example.com",
            "http://",
            "http://a b:secret",
            "://",
        ] {
            for variable in PROXY {
                let error = network([(variable, bad)]).unwrap_err();
                assert_eq!(error, ConfigError::Proxy(variable), "{bad}");
                assert!(!error.to_string().contains("secret"));
            }
        }
    }

    #[test]
    fn what_is_empty_is_not_set() {
        assert!(network([("HTTPS_PROXY", ""), ("https_proxy", " "), ("AWS_CA_BUNDLE", "")]).is_ok());
        let twin = network([("HTTPS_PROXY", ""), ("https_proxy", "socks5://x")]);
        assert_eq!(twin.unwrap_err(), ConfigError::Proxy("https_proxy"));
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named_with_what_is_wrong_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = directory.path().join(name);
            fs::File::create(&path)
                .unwrap()
                .write_all(content.as_bytes())
                .unwrap();
            path.display().to_string()
        };
        let missing = directory.path().join("missing").display().to_string();
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let torn = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (file, wrong) in [
            (missing, "No such file"),
            (directory.path().display().to_string(), "directory"),
            (file("empty", ""), "it holds no certificate"),
            (file("key", key), "it holds no certificate"),
            (file("torn", torn), ""),
            (file("no-certificate", no_certificate), ""),
        ] {
            let error = network([("AWS_CA_BUNDLE", &file)]).unwrap_err();
            let ConfigError::Bundle { file: named, problem } = &error else {
                panic!("{error}");
            };
            assert_eq!(*named, file);
            assert!(
                problem.contains(wrong) && !problem.is_empty(),
                "{file}: {problem}"
            );
        }
    }
}
