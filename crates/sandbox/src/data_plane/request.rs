//! A request to a deployed API, as far as the data plane looks at it.

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::target::Target;

/// Whom the sandbox takes every caller for: it listens on the loopback interface.
const CALLER: &str = "127.0.0.1";

/// What came over the wire, beside what the sandbox knows of its circumstances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// As it was sent: `GET`, `POST`, …
    pub method: String,
    /// The raw path, stage prefix included, without the query string.
    pub path: String,
    /// The raw query string without its question mark; empty when there is none.
    pub query: String,
    /// In the order of arrival; names in any case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
    /// The address of the caller.
    pub source_ip: String,
    /// The host name that was called, without a port.
    pub domain_name: String,
    /// Given back as `apigw-requestid` and passed to the function.
    pub request_id: String,
    /// When it arrived: milliseconds since 1970.
    pub time_millis: u64,
}

impl Request {
    /// Takes over what came over the wire. Header values that are no text lose what is none.
    pub fn read(
        request: http::Request<Bytes>,
        target: &Target,
        request_id: String,
        time_millis: u64,
    ) -> Self {
        let (head, body) = request.into_parts();
        Self {
            method: head.method.as_str().to_owned(),
            path: target.path.clone(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.as_str().to_owned(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            body,
            source_ip: CALLER.to_owned(),
            domain_name: target.domain_name.clone(),
            request_id,
            time_millis,
        }
    }

    /// The length of request line and headers with what separates them.
    pub fn head_bytes(&self) -> usize {
        let line = self.method.len() + self.path.len() + self.query.len() + " ? HTTP/1.1\r\n".len();
        let fields = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len() + ": \r\n".len());
        line + fields.sum::<usize>()
    }

    /// All values of a header, in the order of arrival; `name` in any case.
    pub fn header_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Names and values of the query string, decoded, in the order of arrival.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_form(name), decode_form(value))
        })
    }

    /// Seconds since 1970, as token claims count them.
    pub fn time_seconds(&self) -> u64 {
        self.time_millis / 1000
    }
}

fn decode_form(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_case_and_query_pairs_are_decoded() {
        let request = Request {
            query: "a=1&b=x+y%26z&c&&a=2".to_owned(),
            headers: vec![
                ("Accept".to_owned(), "x".to_owned()),
                ("accept".to_owned(), "y".to_owned()),
            ],
            time_millis: 1_999,
            ..Request::default()
        };
        assert_eq!(request.header("ACCEPT"), Some("x"));
        assert_eq!(request.header_values("aCCept").collect::<Vec<_>>(), ["x", "y"]);
        let pairs: Vec<_> = request.query_pairs().collect();
        let expected = [("a", "1"), ("b", "x y&z"), ("c", ""), ("a", "2")];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(request.time_seconds(), 1);
    }
}
