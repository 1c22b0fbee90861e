//! What is in the way to AWS, when the transport says so: a certificate or a proxy.

const CERTIFICATE: &str = "invalid peer certificate: ";
const PROXY: &str = "tunnel error: ";

/// A cause and its remedy, the same each time; nothing when it is neither.
pub(super) fn of(detail: &str) -> Option<String> {
    if let Some(wrong) = after(detail, CERTIFICATE) {
        return Some(format!(
            "the certificate at its address is not trusted ({wrong}); where a private authority signed it, set AWS_CA_BUNDLE to a file with that authority's certificate"
        ));
    }
    after(detail, PROXY).map(|wrong| {
        format!(
            "the proxy in HTTPS_PROXY does not lead there ({wrong}); check its address, its password and what it allows, or name the host in NO_PROXY"
        )
    })
}

/// The end of a chain of causes that says what is in the way; all of it when nothing is. Chains are long, details are cut.
pub(super) fn told(causes: &str) -> &str {
    let at = [CERTIFICATE, PROXY]
        .iter()
        .filter_map(|words| causes.find(words))
        .min();
    at.and_then(|at| causes.get(at..)).unwrap_or(causes)
}

/// The words after some others. rustls goes on with times, hyper with addresses.
fn after<'a>(detail: &'a str, words: &str) -> Option<&'a str> {
    let (_, rest) = detail.split_once(words)?;
    rest.split([':', ';']).next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_named_without_the_time_of_day() {
        let expired = of(
            "dispatch failure: io error: TLS handshake failed: invalid peer certificate: certificate expired: \
                          verification time 1763866000 (UNIX), but certificate is not valid after 1763860000 (6000 seconds ago)",
        );
        let expired = expired.unwrap();
        assert!(
            expired.contains("(certificate expired)") && expired.contains("AWS_CA_BUNDLE"),
            "{expired}"
        );
        let unknown = of("client error (Connect): invalid peer certificate: UnknownIssuer").unwrap();
        assert!(unknown.contains("(UnknownIssuer)"), "{unknown}");
    }

    #[test]
    fn a_proxy_is_named_with_what_it_said() {
        for (detail, said) in [
            (
                "tunnel error: proxy authorization required",
                "(proxy authorization required)",
            ),
            ("tunnel error: unsuccessful", "(unsuccessful)"),
            (
                "tunnel error: failed to create underlying connection: tcp connect error: Connection refused",
                "(failed to create underlying connection)",
            ),
        ] {
            let obstacle = of(detail).unwrap();
            assert!(
                obstacle.contains(said) && obstacle.contains("HTTPS_PROXY"),
                "{obstacle}"
            );
        }
    }

    #[test]
    fn what_is_in_the_way_is_told_however_long_the_chain_is() {
        let chain = format!(
            "{}tunnel error: unsuccessful: why",
            "an error occurred: ".repeat(100)
        );
        assert_eq!(told(&chain), "tunnel error: unsuccessful: why");
        assert_eq!(told("dispatch failure: other"), "dispatch failure: other");
    }

    #[test]
    fn everything_else_is_neither() {
        assert_eq!(
            of("dispatch failure: tcp connect error: Connection refused"),
            None
        );
    }
}
