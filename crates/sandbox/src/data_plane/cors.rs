//! What API Gateway itself does about CORS once an API has a CORS configuration (*CORS*, D where not said otherwise).
//!
//! Which preflights reach [`preflight_answer`] at all is decided in [`crate::data_plane::admission`]: a protected
//! route that matches `OPTIONS` catches them first.

use crate::{
    data_plane::{answer::Answer, request::Request},
    model::deployment::CorsConfiguration,
};

const ANY: &str = "*";
const RESPONSE_HEADERS: &str = "access-control-";

/// Whether a browser asks for permission: `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
pub fn is_preflight(request: &Request) -> bool {
    request.method == "OPTIONS"
        && request.header("origin").is_some()
        && request.header("access-control-request-method").is_some()
}

/// The answer to an `OPTIONS` request that no function sees: 204, with CORS headers only for an origin that is
/// allowed (I).
pub fn preflight_answer(cors: &CorsConfiguration, request: &Request) -> Answer {
    let answer = decorate(cors, request, Answer::empty(204));
    if answer.header("access-control-allow-origin").is_none() {
        return answer;
    }
    let lists = [
        ("access-control-allow-methods", &cors.allow_methods),
        ("access-control-allow-headers", &cors.allow_headers),
    ];
    let answer = lists
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .fold(answer, |answer, (name, values)| {
            answer.with_header(name, values.join(","))
        });
    match cors.max_age {
        Some(seconds) => answer.with_header("access-control-max-age", seconds.to_string()),
        None => answer,
    }
}

/// Takes the backend's CORS headers off an answer and puts the configured ones on, if the request names an origin
/// that is allowed.
///
/// Answers that API Gateway gives by itself, such as a 401, carry them too (I), or no browser could read them.
pub fn decorate(cors: &CorsConfiguration, request: &Request, mut answer: Answer) -> Answer {
    answer
        .headers
        .retain(|(name, _)| !name.starts_with(RESPONSE_HEADERS));
    let Some(allowed) = request
        .header("origin")
        .and_then(|origin| allowed_origin(cors, origin))
    else {
        return answer;
    };
    let mut answer = answer.with_header("access-control-allow-origin", allowed);
    if cors.allow_credentials {
        answer = answer.with_header("access-control-allow-credentials", "true");
    }
    if !cors.expose_headers.is_empty() {
        answer = answer.with_header("access-control-expose-headers", cors.expose_headers.join(","));
    }
    answer
}

/// What stands in `access-control-allow-origin` for an origin: `*` where everything is allowed, else the origin
/// itself if it is listed or its scheme is (`https://*`).
fn allowed_origin<'a>(cors: &CorsConfiguration, origin: &'a str) -> Option<&'a str> {
    if cors.allow_origins.iter().any(|allowed| allowed == ANY) {
        return Some(ANY);
    }
    let listed = cors
        .allow_origins
        .iter()
        .any(|allowed| match allowed.strip_suffix("://*") {
            Some(scheme) => origin
                .strip_prefix(scheme)
                .is_some_and(|rest| rest.starts_with("://")),
            None => allowed == origin,
        });
    listed.then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        Request {
            method: method.to_owned(),
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..Request::default()
        }
    }

    fn cors(origins: &[&str]) -> CorsConfiguration {
        CorsConfiguration {
            allow_origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
            allow_methods: vec!["GET".to_owned(), "PUT".to_owned()],
            allow_headers: vec!["authorization".to_owned(), "x-a".to_owned()],
            expose_headers: vec!["x-b".to_owned()],
            max_age: Some(600),
            allow_credentials: true,
        }
    }

    #[test]
    fn a_preflight_is_an_options_request_with_an_origin_and_a_requested_method() {
        let both = [("Origin", "https://a"), ("Access-Control-Request-Method", "PUT")];
        assert!(is_preflight(&request("OPTIONS", &both)));
        assert!(!is_preflight(&request("GET", &both)));
        assert!(!is_preflight(&request("OPTIONS", &both[..1])));
        assert!(!is_preflight(&request("OPTIONS", &both[1..])));
    }

    #[test]
    fn a_preflight_is_answered_with_what_is_configured() {
        let answer = preflight_answer(
            &cors(&["https://a"]),
            &request("OPTIONS", &[("origin", "https://a")]),
        );
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        for (name, value) in [
            ("access-control-allow-origin", "https://a"),
            ("access-control-allow-methods", "GET,PUT"),
            ("access-control-allow-headers", "authorization,x-a"),
            ("access-control-expose-headers", "x-b"),
            ("access-control-max-age", "600"),
            ("access-control-allow-credentials", "true"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_preflight_of_another_origin_gets_no_permission() {
        for headers in [&[("origin", "https://b")][..], &[]] {
            let answer = preflight_answer(&cors(&["https://a"]), &request("OPTIONS", headers));
            assert_eq!(answer, Answer::empty(204));
        }
    }

    #[test]
    fn origins_are_allowed_by_name_by_scheme_or_altogether() {
        for (allowed, origin, expected) in [
            ("*", "http://a", Some("*")),
            ("https://*", "https://a", Some("https://a")),
            ("https://*", "http://a", None),
            ("https://*", "httpsx://a", None),
            ("https://a", "https://a", Some("https://a")),
            ("https://a", "https://a.b", None),
        ] {
            assert_eq!(
                allowed_origin(&cors(&[allowed]), origin),
                expected,
                "{allowed} for {origin}"
            );
        }
    }

    #[test]
    fn headers_of_the_backend_give_way_to_the_configured_ones() {
        let backend = Answer::empty(200)
            .with_header("access-control-allow-origin", "*")
            .with_header("access-control-allow-methods", "DELETE")
            .with_header("x-b", "kept");
        let from_a = decorate(
            &cors(&["https://a"]),
            &request("GET", &[("origin", "https://a")]),
            backend.clone(),
        );
        assert_eq!(from_a.header("access-control-allow-origin"), Some("https://a"));
        assert_eq!(from_a.header("access-control-allow-methods"), None);
        assert_eq!(from_a.header("x-b"), Some("kept"));
        let without_origin = decorate(&cors(&["https://a"]), &request("GET", &[]), backend);
        assert_eq!(without_origin.headers, [("x-b".to_owned(), "kept".to_owned())]);
    }
}
