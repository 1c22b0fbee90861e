//! Where a request carries its token.

use crate::data_plane::request::Request;

const HEADER: &str = "$request.header.";
const QUERY: &str = "$request.querystring.";
const BEARER: &str = "Bearer ";

/// The token that the request carries at an authorizer's identity source, with or without `Bearer ` before it; none
/// when there is none or the source is of another form (D).
///
/// Header names count in any case, query-string names as they are (I). Of several values the first counts (I).
pub fn token(identity_source: &str, request: &Request) -> Option<String> {
    let presented = if let Some(name) = identity_source.strip_prefix(HEADER) {
        request.header(name)?.to_owned()
    } else {
        let name = identity_source.strip_prefix(QUERY)?;
        request.query_pairs().find(|(candidate, _)| candidate == name)?.1
    };
    let token = presented.strip_prefix(BEARER).unwrap_or(&presented).trim();
    (!token.is_empty()).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_where_the_identity_source_says() {
        let request = Request {
            query: "access=q.q.q&Access=Q.Q.Q".to_owned(),
            headers: [
                ("authorization", "Bearer h.h.h"),
                ("X-Raw", " r.r.r "),
                ("empty", "Bearer "),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            ..Request::default()
        };
        for (source, expected) in [
            ("$request.header.Authorization", Some("h.h.h")),
            ("$request.header.AUTHORIZATION", Some("h.h.h")),
            ("$request.header.x-raw", Some("r.r.r")),
            ("$request.querystring.access", Some("q.q.q")),
            ("$request.querystring.Access", Some("Q.Q.Q")),
            ("$request.querystring.ACCESS", None),
            ("$request.header.absent", None),
            ("$request.header.empty", None),
            ("$request.body.token", None),
        ] {
            assert_eq!(token(source, &request).as_deref(), expected, "{source}");
        }
    }
}
