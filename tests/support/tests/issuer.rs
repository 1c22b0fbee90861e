//! The local issuer: its tokens verify by what it publishes, and by nothing else.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jwthttpapi_test_support::{Claims, Issuer};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Sends one request over TLS, trusting the issuer's authority alone: status line and body.
fn request(issuer: &Issuer, method: &str, url: &str, body: &str) -> Outcome<(String, Value)> {
    let (host, path) = url
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or("no URL")?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(issuer.authority())?)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let mut stream = StreamOwned::new(connection, TcpStream::connect(host)?);
    let head = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no head")?;
    Ok((
        head.lines().next().unwrap_or_default().to_owned(),
        serde_json::from_str(body)?,
    ))
}

fn get(issuer: &Issuer, url: &str) -> Outcome<Value> {
    let (status, body) = request(issuer, "GET", url, "")?;
    if status.contains(" 200 ") {
        Ok(body)
    } else {
        Err(status.into())
    }
}

/// Verifies a token by the documents that its issuer publishes: its claims.
#[expect(clippy::indexing_slicing, reason = "of JSON, where a missing member is null")]
fn verify(issuer: &Issuer, url: &str, token: &str) -> Outcome<Value> {
    let discovery = get(issuer, &format!("{url}.well-known/openid-configuration"))?;
    assert_eq!(discovery["issuer"], url);
    let keys = get(issuer, discovery["jwks_uri"].as_str().ok_or("no jwks_uri")?)?;
    let (signed, signature) = token.rsplit_once('.').ok_or("no signature")?;
    let (head, claims) = signed.split_once('.').ok_or("no claims")?;
    let part = |part: &str| Outcome::Ok(serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part)?)?);
    let head = part(head)?;
    assert_eq!(head["alg"], "RS256");
    let key = keys["keys"]
        .as_array()
        .and_then(|keys| keys.iter().find(|key| key["kid"] == head["kid"]));
    let number = |name: &str| {
        Outcome::Ok(URL_SAFE_NO_PAD.decode(key.ok_or("no key")?[name].as_str().ok_or("no number")?)?)
    };
    RsaPublicKeyComponents {
        n: number("n")?,
        e: number("e")?,
    }
    .verify(
        &RSA_PKCS1_2048_8192_SHA256,
        signed.as_bytes(),
        &URL_SAFE_NO_PAD.decode(signature)?,
    )
    .map_err(|_| "wrong signature")?;
    part(claims)
}

#[test]
fn a_token_verifies_by_its_issuers_published_key_and_says_what_was_asked() {
    let issuer = Issuer::start().unwrap();
    for name in ["one", "two"] {
        let url = issuer.url(name);
        let token = issuer
            .token(
                name,
                &Claims::new("alice", "https://hello")
                    .scope("read write")
                    .expires_in(60),
            )
            .unwrap();
        let claims = verify(&issuer, &url, &token).unwrap();
        assert_eq!(claims["iss"], url.as_str());
        assert_eq!(
            (&claims["sub"], &claims["aud"], &claims["scope"]),
            (&"alice".into(), &"https://hello".into(), &"read write".into())
        );
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            61
        );
    }
}

#[test]
fn a_token_of_another_key_does_not_verify() {
    let (issuer, stranger) = (Issuer::start().unwrap(), Issuer::start().unwrap());
    let token = stranger
        .token("one", &Claims::new("alice", "https://hello"))
        .unwrap();
    let error = verify(&issuer, &issuer.url("one"), &token).unwrap_err();
    assert_eq!(error.to_string(), "wrong signature");
}

#[test]
fn the_token_endpoint_takes_a_query_or_a_form() {
    let issuer = Issuer::start().unwrap();
    let url = issuer.url("one");
    let endpoint = format!("{url}token");
    let asked = "sub=alice&audience=https%3A%2F%2Fhello&scope=read";
    for (query, body) in [(format!("?{asked}"), ""), (String::new(), asked)] {
        let (status, answer) = request(&issuer, "POST", &format!("{endpoint}{query}"), body).unwrap();
        assert!(status.contains(" 200 "), "{status}");
        let claims = verify(&issuer, &url, answer["access_token"].as_str().unwrap()).unwrap();
        assert_eq!(
            (&claims["aud"], &claims["scope"]),
            (&"https://hello".into(), &"read".into())
        );
    }
}
