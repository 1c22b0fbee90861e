//! The event that a function is given.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::Format;
use crate::{
    data_plane::request::Request,
    model::{
        Timestamp,
        deployment::{DeployedRoute, Deployment},
    },
};

/// A request on its way to the function of the route that admitted it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What came over the wire.
    pub request: &'a Request,
    /// What the stage serves.
    pub deployment: &'a Deployment,
    /// The selected route.
    pub route: &'a DeployedRoute,
    /// Decoded values by name.
    pub path_parameters: &'a BTreeMap<String, String>,
    /// What the JWT authorizer found, if one guards the route.
    pub identity: Option<&'a Identity>,
}

/// What a JWT authorizer passes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The claims of the token.
    pub claims: Map<String, Value>,
    /// The token's scopes; none when the route asks for none (D; that they are the token's: I).
    pub scopes: Option<Vec<String>>,
}

/// The event in the format that the integration asks for.
pub fn event(call: &Call<'_>, format: Format) -> Value {
    match format {
        Format::V1 => version_1(call),
        Format::V2 => version_2(call),
    }
}

fn version_2(call: &Call<'_>) -> Value {
    let Call {
        request,
        deployment,
        route,
        ..
    } = call;
    let mut event = json!({
        "version": "2.0",
        "routeKey": route.route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": joined(headers(request).filter(|(name, _)| name != "cookie")),
        "requestContext": {
            "accountId": deployment.account,
            "apiId": deployment.api_id,
            "domainName": request.domain_name,
            "domainPrefix": domain_prefix(request),
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent").unwrap_or_default(),
            },
            "requestId": request.request_id,
            "routeKey": route.route_key,
            "stage": deployment.stage,
            "time": Timestamp(request.time_millis).access_log(),
            "timeEpoch": request.time_millis,
        },
        "isBase64Encoded": false,
    });
    let mut put = |name: &str, value: Value| {
        if let Some(members) = event.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    // What there is nothing of is left out, unlike in format 1.0.
    let cookies: Vec<_> = request
        .header_values("cookie")
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .collect();
    if !cookies.is_empty() {
        put("cookies", json!(cookies));
    }
    if !request.query.is_empty() {
        put("queryStringParameters", joined(request.query_pairs()));
    }
    if !call.path_parameters.is_empty() {
        put("pathParameters", json!(call.path_parameters));
    }
    if let Some((body, is_base64)) = body(request) {
        put("body", Value::String(body));
        put("isBase64Encoded", Value::Bool(is_base64));
    }
    if let (Some(identity), Some(context)) = (call.identity, event.get_mut("requestContext")) {
        context["authorizer"] = json!({
            "jwt": {"claims": claims_as_text(&identity.claims), "scopes": identity.scopes},
        });
    }
    event
}

fn version_1(call: &Call<'_>) -> Value {
    let Call {
        request,
        deployment,
        route,
        ..
    } = call;
    let resource = route
        .route_key
        .split_once(' ')
        .map_or(route.route_key.as_str(), |(_, path)| path);
    let (body, is_base64) = body(request).unzip();
    json!({
        "version": "1.0",
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": first(headers(request)),
        "multiValueHeaders": listed(headers(request)),
        "queryStringParameters": or_null(first(request.query_pairs())),
        "multiValueQueryStringParameters": or_null(listed(request.query_pairs())),
        "requestContext": {
            "accountId": deployment.account,
            "apiId": deployment.api_id,
            "authorizer": {
                "claims": call.identity.map(|identity| claims_as_text(&identity.claims)),
                "scopes": call.identity.and_then(|identity| identity.scopes.as_deref()),
            },
            "domainName": request.domain_name,
            "domainPrefix": domain_prefix(request),
            "extendedRequestId": request.request_id,
            "httpMethod": request.method,
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAmr": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": request.source_ip,
                "user": null,
                "userAgent": request.header("user-agent").unwrap_or_default(),
                "userArn": null,
            },
            "path": request.path,
            "protocol": "HTTP/1.1",
            "requestId": request.request_id,
            "requestTime": Timestamp(request.time_millis).access_log(),
            "requestTimeEpoch": request.time_millis,
            "resourceId": route.route_key,
            "resourcePath": resource,
            "stage": deployment.stage,
        },
        "pathParameters": or_null(json!(call.path_parameters)),
        "stageVariables": null,
        "body": body,
        "isBase64Encoded": is_base64.unwrap_or(false),
    })
}

/// Claims as functions see them: every value is a text, a list is written `[a b]` and an object `map[a:1]` (O).
fn claims_as_text(claims: &Map<String, Value>) -> BTreeMap<&str, String> {
    claims
        .iter()
        .map(|(name, value)| (name.as_str(), claim_as_text(value)))
        .collect()
}

fn claim_as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(claim_as_text).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", claim_as_text(value)))
                .collect();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// The body, and whether it is in base64; none when it is empty.
///
/// Text stays text: JSON, XML, JavaScript and whatever begins with `text/`, or names no type at all, if it is UTF-8.
/// Everything else is encoded, forms included (O for forms, I for the list).
fn body(request: &Request) -> Option<(String, bool)> {
    if request.body.is_empty() {
        return None;
    }
    let content_type = request
        .header("content-type")
        .unwrap_or("text/plain")
        .to_ascii_lowercase();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let is_text = media_type.starts_with("text/")
        || ["/json", "+json", "/xml", "+xml", "/javascript"]
            .iter()
            .any(|end| media_type.ends_with(end));
    let text = std::str::from_utf8(&request.body).ok().filter(|_| is_text);
    Some(match text {
        Some(text) => (text.to_owned(), false),
        None => (STANDARD.encode(&request.body), true),
    })
}

fn domain_prefix(request: &Request) -> &str {
    request.domain_name.split('.').next().unwrap_or_default()
}

/// The request's headers with names in lower case, and what API Gateway says about the caller.
fn headers(request: &Request) -> impl Iterator<Item = (String, String)> {
    let forwarded = [
        ("x-forwarded-for", request.source_ip.clone()),
        ("x-forwarded-port", "443".to_owned()),
        ("x-forwarded-proto", "https".to_owned()),
    ];
    let sent = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    sent.chain(forwarded.map(|(name, value)| (name.to_owned(), value)))
}

/// Values of one name joined by commas.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        values
            .entry(name)
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert(value);
    }
    json!(values)
}

/// The first value of each name.
fn first(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        values.entry(name).or_insert(value);
    }
    json!(values)
}

/// All values of each name.
fn listed(pairs: impl Iterator<Item = (String, String)>) -> Value {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        values.entry(name).or_default().push(value);
    }
    json!(values)
}

fn or_null(object: Value) -> Value {
    if object.as_object().is_some_and(Map::is_empty) {
        Value::Null
    } else {
        object
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::deployment::Authorization;

    fn deployment(route_key: &str) -> Deployment {
        Deployment {
            disabled: false,
            id: "d".to_owned(),
            api_id: "api1".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            partition: "aws".to_owned(),
            stage: "live".to_owned(),
            routes: vec![DeployedRoute {
                route_id: "r".to_owned(),
                route_key: route_key.to_owned(),
                authorization: Authorization::None,
                integration: None,
                operation_name: None,
            }],
        }
    }

    fn request() -> Request {
        Request {
            method: "POST".to_owned(),
            path: "/live/pets/a%20b".to_owned(),
            query: "q=1&q=2&r=x+y".to_owned(),
            headers: [
                ("Accept", "a"),
                ("accept", "b"),
                ("Cookie", "c=1; d=2"),
                ("User-Agent", "curl"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            body: Bytes::from_static(b"{}"),
            source_ip: "192.0.2.1".to_owned(),
            domain_name: "api1.execute-api.localhost".to_owned(),
            request_id: "id".to_owned(),
            time_millis: 951_782_399_999,
        }
    }

    fn build(request: &Request, identity: Option<&Identity>, format: Format) -> Value {
        let deployment = deployment("POST /pets/{name}");
        let path_parameters = BTreeMap::from([("name".to_owned(), "a b".to_owned())]);
        let route = &deployment.routes[0];
        event(
            &Call {
                request,
                deployment: &deployment,
                route,
                path_parameters: &path_parameters,
                identity,
            },
            format,
        )
    }

    fn identity(scopes: Option<&[&str]>) -> Identity {
        let claims =
            json!({"sub": "me", "exp": 1_700_000_000, "ok": true, "groups": ["a", 1], "o": {"k": "v"}});
        Identity {
            claims: claims.as_object().unwrap().clone(),
            scopes: scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
        }
    }

    #[test]
    fn format_2_is_as_documented() {
        let event = build(&request(), Some(&identity(Some(&["read"]))), Format::V2);
        let expected = json!({
            "version": "2.0",
            "routeKey": "POST /pets/{name}",
            "rawPath": "/live/pets/a%20b",
            "rawQueryString": "q=1&q=2&r=x+y",
            "cookies": ["c=1", "d=2"],
            "headers": {
                "accept": "a,b", "user-agent": "curl", "x-forwarded-for": "192.0.2.1",
                "x-forwarded-port": "443", "x-forwarded-proto": "https",
            },
            "queryStringParameters": {"q": "1,2", "r": "x y"},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api1",
                "authorizer": {"jwt": {
                    "claims": {"sub": "me", "exp": "1700000000", "ok": "true", "groups": "[a 1]", "o": "map[k:v]"},
                    "scopes": ["read"],
                }},
                "domainName": "api1.execute-api.localhost",
                "domainPrefix": "api1",
                "http": {
                    "method": "POST", "path": "/live/pets/a%20b", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "curl",
                },
                "requestId": "id",
                "routeKey": "POST /pets/{name}",
                "stage": "live",
                "time": "28/Feb/2000:23:59:59 +0000",
                "timeEpoch": 951_782_399_999_u64,
            },
            "body": "{}",
            "pathParameters": {"name": "a b"},
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn format_2_leaves_out_what_there_is_nothing_of_and_scopes_are_null_without_any_asked_for() {
        let bare = Request {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            ..Request::default()
        };
        let deployment = deployment("$default");
        let (route, none) = (&deployment.routes[0], BTreeMap::new());
        let call = Call {
            request: &bare,
            deployment: &deployment,
            route,
            path_parameters: &none,
            identity: None,
        };
        let event = event(&call, Format::V2);
        for name in [
            "cookies",
            "queryStringParameters",
            "pathParameters",
            "body",
            "stageVariables",
        ] {
            assert_eq!(event.get(name), None, "{name}");
        }
        assert_eq!(event["requestContext"].get("authorizer"), None);
        let guarded = build(&bare, Some(&identity(None)), Format::V2);
        assert_eq!(
            guarded["requestContext"]["authorizer"]["jwt"]["scopes"],
            Value::Null
        );
    }

    #[test]
    fn format_1_has_all_values_beside_the_first_and_null_for_nothing() {
        let event = build(&request(), Some(&identity(Some(&["read"]))), Format::V1);
        for (pointer, expected) in [
            ("/version", json!("1.0")),
            ("/resource", json!("/pets/{name}")),
            ("/path", json!("/live/pets/a%20b")),
            ("/httpMethod", json!("POST")),
            ("/headers/accept", json!("a")),
            ("/headers/cookie", json!("c=1; d=2")),
            ("/multiValueHeaders/accept", json!(["a", "b"])),
            ("/queryStringParameters/q", json!("1")),
            ("/multiValueQueryStringParameters/q", json!(["1", "2"])),
            ("/pathParameters", json!({"name": "a b"})),
            ("/stageVariables", Value::Null),
            ("/body", json!("{}")),
            ("/requestContext/authorizer/claims/exp", json!("1700000000")),
            ("/requestContext/authorizer/scopes", json!(["read"])),
            ("/requestContext/identity/sourceIp", json!("192.0.2.1")),
            ("/requestContext/requestTime", json!("28/Feb/2000:23:59:59 +0000")),
            ("/requestContext/resourcePath", json!("/pets/{name}")),
            ("/requestContext/stage", json!("live")),
        ] {
            assert_eq!(event.pointer(pointer), Some(&expected), "{pointer}");
        }
        let public = build(
            &Request {
                query: String::new(),
                body: Bytes::new(),
                ..request()
            },
            None,
            Format::V1,
        );
        for pointer in [
            "/queryStringParameters",
            "/multiValueQueryStringParameters",
            "/body",
        ] {
            assert_eq!(public.pointer(pointer), Some(&Value::Null), "{pointer}");
        }
        assert_eq!(
            public["requestContext"]["authorizer"],
            json!({"claims": null, "scopes": null})
        );
    }

    #[test]
    fn what_is_not_text_is_encoded() {
        for (content_type, bytes, expected, is_base64) in [
            ("application/json; charset=utf-8", &b"{}"[..], "{}", false),
            ("application/problem+json", b"{}", "{}", false),
            ("TEXT/html", b"<p>", "<p>", false),
            ("text/plain", b"\xff", "/w==", true),
            ("application/octet-stream", b"abc", "YWJj", true),
            ("application/x-www-form-urlencoded", b"a=1", "YT0x", true),
        ] {
            let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
            let request = Request {
                headers,
                body: Bytes::from(bytes),
                ..request()
            };
            for format in [Format::V1, Format::V2] {
                let event = build(&request, None, format);
                assert_eq!(
                    (&event["body"], &event["isBase64Encoded"]),
                    (&json!(expected), &json!(is_base64))
                );
            }
        }
    }
}
