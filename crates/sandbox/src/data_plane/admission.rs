//! Who may pass: route selection, preflight and authorization, without running anything.
//!
//! [`route`] and [`Gate`] are what `serve` decides by; [`admit`] puts them together for callers
//! whose tokens need no verification, so that a test can ask about a thousand requests in a moment.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    data_plane::{
        jwt::{
            Refusal,
            claims::{self, Requirement},
        },
        matcher::{self, TrailingSlash},
    },
    model::deployment::{Authorization, DeployedRoute, Deployment},
};

/// What of a request decides over its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// As it was sent.
    pub method: &'a str,
    /// Raw, without query string and without the prefix of a named stage.
    pub path: &'a str,
    /// Whether it is a preflight ([`crate::data_plane::cors::is_preflight`]).
    pub preflight: bool,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Routing<'a> {
    /// 404: no route takes it.
    Nowhere,
    /// API Gateway answers for CORS; no function is asked.
    Preflight,
    /// To a route, which may still refuse it.
    Route {
        /// The selected route.
        route: &'a DeployedRoute,
        /// Decoded values by name.
        path_parameters: BTreeMap<String, String>,
    },
}

/// Selects where a request goes. `cors` says whether the API has a CORS configuration.
///
/// With one, API Gateway answers preflights itself, unless a protected route matches `OPTIONS`: that one catches them
/// (D for `$default` and `ANY`, I for a protected explicit `OPTIONS`). A public route that matches
/// gives way to API Gateway's answer (I), but gets `OPTIONS` requests that are no preflights (I). Without any route,
/// every `OPTIONS` request is answered (I).
pub fn route<'a>(
    deployment: &'a Deployment,
    cors: bool,
    asked: Asked<'_>,
    trailing_slash: TrailingSlash,
) -> Routing<'a> {
    let keys = deployment.routes.iter().map(|route| route.route_key.as_str());
    let selected = matcher::select(keys, asked.method, asked.path, trailing_slash)
        .and_then(|selection| Some((deployment.routes.get(selection.index)?, selection.path_parameters)));
    match selected {
        None if cors && asked.method == "OPTIONS" => Routing::Preflight,
        None => Routing::Nowhere,
        Some((route, _)) if cors && asked.preflight && route.authorization == Authorization::None => {
            Routing::Preflight
        }
        Some((route, path_parameters)) => Routing::Route {
            route,
            path_parameters,
        },
    }
}

/// What a route asks of its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate<'a> {
    /// Nothing.
    Open,
    /// More than the sandbox can judge, hence nobody passes: IAM and Lambda authorizers.
    Shut,
    /// A token.
    Token {
        /// Where the request carries it.
        identity_source: &'a str,
        /// What it has to claim.
        requirement: Requirement<'a>,
    },
}

impl<'a> From<&'a Authorization> for Gate<'a> {
    fn from(authorization: &'a Authorization) -> Self {
        match authorization {
            Authorization::None => Self::Open,
            Authorization::AwsIam | Authorization::Custom => Self::Shut,
            Authorization::Jwt {
                authorizer_name: _,
                identity_source,
                issuer,
                audience,
                scopes,
            } => Self::Token {
                identity_source,
                requirement: Requirement {
                    issuer,
                    audience,
                    scopes,
                },
            },
        }
    }
}

/// A token that a request carries, its signature already verified with the keys of the issuer that it names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Credential<'a> {
    /// Where the request carries it, spelled as in the authorizer.
    pub identity_source: &'a str,
    /// What it claims.
    pub claims: &'a Map<String, Value>,
}

/// Whether a request passes.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission<'a> {
    /// 404: no route takes it.
    Nowhere,
    /// API Gateway answers for CORS; no function is asked.
    Preflight,
    /// The route's integration is asked.
    Admitted(&'a DeployedRoute),
    /// 401 or 403 because of the token.
    Refused(&'a DeployedRoute, Refusal),
    /// 403: [`Gate::Shut`].
    Shut(&'a DeployedRoute),
}

/// Decides whether a request passes, at `now` in seconds since 1970.
pub fn admit<'a>(
    deployment: &'a Deployment,
    cors: bool,
    asked: Asked<'_>,
    credentials: &[Credential<'_>],
    trailing_slash: TrailingSlash,
    now: u64,
) -> Admission<'a> {
    let route = match route(deployment, cors, asked, trailing_slash) {
        Routing::Nowhere => return Admission::Nowhere,
        Routing::Preflight => return Admission::Preflight,
        Routing::Route {
            route,
            path_parameters: _,
        } => route,
    };
    match Gate::from(&route.authorization) {
        Gate::Open => Admission::Admitted(route),
        Gate::Shut => Admission::Shut(route),
        Gate::Token {
            identity_source,
            requirement,
        } => {
            let presented = credentials
                .iter()
                .find(|credential| credential.identity_source == identity_source);
            let verdict = presented
                .ok_or(Refusal::Missing)
                .and_then(|credential| claims::check(credential.claims, requirement, now));
            match verdict {
                Ok(()) => Admission::Admitted(route),
                Err(refusal) => Admission::Refused(route, refusal),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HEADER: &str = "$request.header.Authorization";

    fn jwt(scopes: &[&str]) -> Authorization {
        Authorization::Jwt {
            authorizer_name: "default".to_owned(),
            identity_source: HEADER.to_owned(),
            issuer: "https://i".to_owned(),
            audience: vec!["a".to_owned()],
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }

    fn deployment(routes: &[(&str, Authorization)]) -> Deployment {
        Deployment {
            disabled: false,
            id: "d".to_owned(),
            api_id: "api".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            partition: "aws".to_owned(),
            stage: "$default".to_owned(),
            routes: routes
                .iter()
                .map(|(key, authorization)| DeployedRoute {
                    route_id: (*key).to_owned(),
                    route_key: (*key).to_owned(),
                    authorization: authorization.clone(),
                    integration: None,
                    operation_name: None,
                })
                .collect(),
        }
    }

    /// The admission of a request in words.
    fn outcome(
        routes: &[(&str, Authorization)],
        cors: bool,
        method: &str,
        preflight: bool,
        scope: Option<&str>,
    ) -> String {
        let claims = json!({"iss": "https://i", "aud": "a", "exp": 2, "scope": scope});
        let credential = Credential {
            identity_source: HEADER,
            claims: claims.as_object().unwrap(),
        };
        let credentials: &[_] = if scope.is_some() { &[credential] } else { &[] };
        let asked = Asked {
            method,
            path: "/a",
            preflight,
        };
        match admit(
            &deployment(routes),
            cors,
            asked,
            credentials,
            TrailingSlash::Significant,
            1,
        ) {
            Admission::Nowhere => "nowhere".to_owned(),
            Admission::Preflight => "preflight".to_owned(),
            Admission::Admitted(route) => format!("admitted by {}", route.route_key),
            Admission::Refused(route, refusal) => {
                format!("{} by {}", refusal.answer().status, route.route_key)
            }
            Admission::Shut(route) => format!("shut by {}", route.route_key),
        }
    }

    #[test]
    fn the_selected_route_alone_decides_who_passes() {
        let routes = [
            ("GET /a", jwt(&["r"])),
            ("ANY /{p+}", Authorization::None),
            ("PUT /a", Authorization::AwsIam),
            ("PATCH /a", Authorization::Custom),
        ];
        for (method, scope, expected) in [
            ("GET", None, "401 by GET /a"),
            ("GET", Some("w"), "403 by GET /a"),
            ("GET", Some("r"), "admitted by GET /a"),
            ("POST", None, "admitted by ANY /{p+}"),
            ("PUT", Some("r"), "shut by PUT /a"),
            ("PATCH", Some("r"), "shut by PATCH /a"),
        ] {
            assert_eq!(
                outcome(&routes, false, method, false, scope),
                expected,
                "{method} {scope:?}"
            );
        }
        assert_eq!(outcome(&routes[..1], false, "POST", false, Some("r")), "nowhere");
    }

    #[test]
    fn a_token_counts_only_where_the_authorizer_looks_for_it() {
        let routes = deployment(&[("GET /a", jwt(&[]))]);
        let claims = json!({"iss": "https://i", "aud": "a", "exp": 2});
        let elsewhere = Credential {
            identity_source: "$request.querystring.token",
            claims: claims.as_object().unwrap(),
        };
        let asked = Asked {
            method: "GET",
            path: "/a",
            preflight: false,
        };
        let admission = admit(&routes, false, asked, &[elsewhere], TrailingSlash::Significant, 1);
        assert!(
            matches!(admission, Admission::Refused(_, Refusal::Missing)),
            "{admission:?}"
        );
    }

    #[test]
    fn with_cors_a_protected_route_still_catches_preflights() {
        let options = |authorization| ("OPTIONS /{p+}", authorization);
        for (routes, expected) in [
            (vec![], "preflight"),
            (vec![("GET /a", jwt(&[]))], "preflight"),
            (vec![("ANY /a", jwt(&[]))], "401 by ANY /a"),
            (vec![("$default", jwt(&[]))], "401 by $default"),
            (
                vec![("$default", jwt(&[])), options(Authorization::None)],
                "preflight",
            ),
            (
                vec![("$default", jwt(&[])), options(jwt(&[]))],
                "401 by OPTIONS /{p+}",
            ),
            // The more exact path catches it, even though a public OPTIONS route covers the path as well.
            (
                vec![("ANY /a", jwt(&[])), options(Authorization::None)],
                "401 by ANY /a",
            ),
            (vec![("ANY /a", Authorization::None)], "preflight"),
        ] {
            assert_eq!(
                outcome(&routes, true, "OPTIONS", true, None),
                expected,
                "{routes:?}"
            );
        }
    }

    #[test]
    fn without_cors_or_preflight_a_public_options_route_is_asked() {
        let routes = [("ANY /a", Authorization::None)];
        assert_eq!(
            outcome(&routes, false, "OPTIONS", true, None),
            "admitted by ANY /a"
        );
        assert_eq!(
            outcome(&routes, true, "OPTIONS", false, None),
            "admitted by ANY /a"
        );
        assert_eq!(
            outcome(&[("GET /a", Authorization::None)], false, "OPTIONS", true, None),
            "nowhere"
        );
    }
}
