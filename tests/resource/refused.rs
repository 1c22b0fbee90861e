//! What `kubectl apply` refuses, and in which words: each refusal names the field and says what to type.

use serde_json::{Map, Value, json};

use crate::ground::{apply, routes, smallest, with, with_route};

/// A manifest that is refused.
pub(crate) struct Bad {
    /// What is wrong with it.
    what: &'static str,
    spec: Value,
    /// The field that the message names.
    field: &'static str,
    /// The words of the message.
    says: &'static str,
}

pub(crate) fn bad(what: &'static str, spec: Value, field: &'static str, says: &'static str) -> Bad {
    Bad {
        what,
        spec,
        field,
        says,
    }
}

/// Applies each, and reports all that were accepted or refused in other words.
pub(crate) fn refused(table: Vec<Bad>) {
    let mut wrong = Vec::new();
    for Bad {
        what,
        spec,
        field,
        says,
    } in table
    {
        let name = what
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        match apply(&name, &spec) {
            Ok(_) => wrong.push(format!("{what}: accepted")),
            Err(error) => {
                let text = error.to_string();
                // One line per violation: the field, a colon, what is wrong.
                let named = format!("{field}: ");
                if !text
                    .lines()
                    .any(|line| line.contains(&named) && line.contains(says))
                {
                    wrong.push(format!("{what}: not {named}… {says}, but {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const HTTPS: &str = "the issuer must begin with https://; write the whole URL, exactly as in the token's iss";
const NO_QUERY: &str = "the issuer must have no query and no fragment; remove everything from '?' or '#' on";
const A_HOST: &str = "the issuer must be a URL with a host and without user name or spaces";
const AN_AUDIENCE: &str =
    "name at least one audience: the identifier of your API that the tokens carry in aud";
const A_SOURCE: &str = "identitySource must be $request.header.NAME or $request.querystring.NAME, such as $request.header.Authorization";

#[test]
fn a_name_leaves_room_for_those_of_its_events() {
    apply(&"a".repeat(236), &smallest()).unwrap();
    let error = apply(&"a".repeat(237), &smallest()).unwrap_err().to_string();
    assert!(error.contains("choose a shorter one"), "{error}");
}

#[test]
fn an_issuer_is_an_https_url_without_query_fragment_or_user() {
    let issuer = |issuer: &str| with(json!({"issuer": issuer}));
    let at = "spec.issuer";
    refused(vec![
        bad(
            "issuer missing",
            with(json!({"issuer": null})),
            at,
            "Required value",
        ),
        bad(
            "issuer without https",
            issuer("http://example.eu.auth0.com/"),
            at,
            HTTPS,
        ),
        bad("issuer without scheme", issuer("accounts.google.com"), at, HTTPS),
        bad("issuer empty", issuer(""), at, HTTPS),
        bad(
            "issuer with query",
            issuer("https://example.eu.auth0.com/?a=b"),
            at,
            NO_QUERY,
        ),
        bad(
            "issuer with fragment",
            issuer("https://example.eu.auth0.com/#a"),
            at,
            NO_QUERY,
        ),
        bad(
            "issuer with user name",
            issuer("https://me@example.eu.auth0.com/"),
            at,
            A_HOST,
        ),
        bad("issuer without host", issuer("https:///"), at, A_HOST),
        bad(
            "issuer with space",
            issuer("https://example.eu.auth0.com/ "),
            at,
            A_HOST,
        ),
    ]);
}

#[test]
fn audience_and_identity_source_say_which_tokens_and_where() {
    refused(vec![
        bad(
            "audience missing",
            with(json!({"audience": null})),
            "spec.audience",
            "Required value",
        ),
        bad(
            "audience empty",
            with(json!({"audience": []})),
            "spec.audience",
            AN_AUDIENCE,
        ),
        bad(
            "audience empty text",
            with(json!({"audience": [""]})),
            "spec.audience[0]",
            "should be at least 1 chars long",
        ),
        bad(
            "51 audiences",
            with(json!({"audience": numbered(51, "a")})),
            "spec.audience",
            "must have at most 50 items",
        ),
        bad(
            "identity source a bare header",
            with(json!({"identitySource": "Authorization"})),
            "spec.identitySource",
            A_SOURCE,
        ),
        bad(
            "identity source a cookie",
            with(json!({"identitySource": "$request.cookie.token"})),
            "spec.identitySource",
            A_SOURCE,
        ),
    ]);
}

#[test]
fn further_authorizers_have_rules_of_their_own() {
    let one = |fields: Value| {
        let mut authorizer = Map::from_iter([
            ("name".to_owned(), json!("partners")),
            ("issuer".to_owned(), json!("https://partners.example.com")),
            ("audience".to_owned(), json!(["https://hello.example.com"])),
        ]);
        authorizer.extend(fields.as_object().unwrap().clone());
        with(json!({"authorizers": [authorizer]}))
    };
    let ten: Value = (0..10)
        .map(|n| json!({"name": format!("a{n}"), "issuer": "https://a.example.com", "audience": ["a"]}))
        .collect();
    refused(vec![
        bad(
            "authorizer named default",
            one(json!({"name": "default"})),
            "spec.authorizers[0].name",
            "the name default belongs to the authorizer of spec.issuer; choose another name",
        ),
        bad(
            "authorizer name with space",
            one(json!({"name": "our partners"})),
            "spec.authorizers[0].name",
            "an authorizer's name has letters, digits, hyphens and underscores only",
        ),
        bad(
            "authorizer issuer without https",
            one(json!({"issuer": "http://partners.example.com"})),
            "spec.authorizers[0].issuer",
            HTTPS,
        ),
        bad(
            "authorizer audience empty",
            one(json!({"audience": []})),
            "spec.authorizers[0].audience",
            AN_AUDIENCE,
        ),
        bad(
            "10 authorizers",
            with(json!({"authorizers": ten})),
            "spec.authorizers",
            "must have at most 9 items",
        ),
        bad(
            "unknown authorizer name",
            with_route(json!({"authorizer": "partners"})),
            "spec.routes",
            "a route's authorizer must be 'default' or the name of an entry of spec.authorizers; correct the name or add the entry",
        ),
    ]);
}

#[test]
fn a_route_key_is_a_method_and_a_path_of_whole_segments() {
    let key = |key: &str| with_route(json!({"routeKey": key}));
    let at = "spec.routes[0].routeKey";
    let method = "begin the route key with GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS or ANY in capitals, one space and a path that begins with /, or write $default";
    let path = "the path of a route key has segments of plain text or {name}, none empty, without spaces, ? or #; only the last may be {name+}";
    let slash = "remove the slash at the end of the route key; AWS does not accept it";
    refused(vec![
        bad("route key with trailing slash", key("GET /test/"), at, slash),
        bad("route key with unknown method", key("TRACE /test"), at, method),
        bad("route key with lower case method", key("get /test"), at, method),
        bad("route key without method", key("/test"), at, method),
        bad("route key without slash", key("GET test"), at, method),
        bad("route key with two spaces", key("GET  /test"), at, method),
        bad("route key of another default", key("$other"), at, method),
        bad(
            "route key with text after a parameter",
            key("GET /{a}b"),
            at,
            path,
        ),
        bad(
            "route key with greedy in the middle",
            key("GET /{all+}/b"),
            at,
            path,
        ),
        bad("route key with empty segment", key("GET /a//b"), at, path),
        bad("route key with space in the path", key("GET /a b"), at, path),
        bad(
            "route key with space segment at the end",
            key("GET /a /"),
            at,
            path,
        ),
        bad("route key with query", key("GET /a?b=c"), at, path),
        bad("route key empty parameter", key("GET /{}"), at, path),
    ]);
}

#[test]
fn routes_are_1_to_300_of_different_keys() {
    let twice = json!([{"routeKey": "GET /a", "lambda": {"name": "a"}}, {"routeKey": "GET /a", "lambda": {"name": "b"}}]);
    refused(vec![
        bad(
            "routes missing",
            with(json!({"routes": null})),
            "spec.routes",
            "Required value",
        ),
        bad(
            "no routes",
            with(json!({"routes": []})),
            "spec.routes",
            "name at least one route, such as routeKey: GET /hello",
        ),
        bad(
            "301 routes",
            with(json!({"routes": routes(301)})),
            "spec.routes",
            "must have at most 300 items",
        ),
        bad(
            "duplicate key for people",
            with(json!({"routes": twice})),
            "spec.routes",
            "two routes have the same routeKey; keep one of them",
        ),
        bad(
            "duplicate key for programs",
            with(json!({"routes": twice})),
            "spec.routes[1]",
            r#"Duplicate value: {"routeKey":"GET /a"}"#,
        ),
    ]);
}

#[test]
fn a_route_is_public_or_protected_and_not_both() {
    refused(vec![
        bad(
            "public with scopes",
            with_route(json!({"public": true, "scopes": ["read"]})),
            "spec.routes[0]",
            "a public route checks no token and so no scopes; remove scopes or public",
        ),
        bad(
            "public with authorizer",
            with_route(json!({"public": true, "authorizer": "default"})),
            "spec.routes[0]",
            "a route is either public or has an authorizer; remove one of the two",
        ),
    ]);
}

#[test]
fn scopes_are_up_to_ten_words() {
    let word = "a scope must be one word without spaces, quotes or backslashes, and not jwthttpapi.dev/closed, which is reserved";
    refused(vec![
        bad(
            "11 scopes",
            with(json!({"scopes": numbered(11, "scope")})),
            "spec.scopes",
            "must have at most 10 items",
        ),
        bad(
            "11 scopes of a route",
            with_route(json!({"scopes": numbered(11, "scope")})),
            "spec.routes[0].scopes",
            "must have at most 10 items",
        ),
        bad(
            "scope with space",
            with(json!({"scopes": ["read write"]})),
            "spec.scopes",
            word,
        ),
        bad(
            "scope with space of a route",
            with_route(json!({"scopes": ["read write"]})),
            "spec.routes[0].scopes",
            word,
        ),
        bad(
            "reserved scope",
            with_route(json!({"scopes": ["jwthttpapi.dev/closed"]})),
            "spec.routes[0].scopes",
            word,
        ),
        bad(
            "one scope twice",
            with(json!({"scopes": ["read", "read"]})),
            "spec.scopes[1]",
            r#"Duplicate value: "read""#,
        ),
    ]);
}

#[test]
fn a_backend_is_one_function_by_name_or_by_arn() {
    let lambda = |lambda: Value| with_route(json!({"lambda": lambda}));
    let at = "spec.routes[0].lambda";
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
    let either = "name the function by exactly one of function (an entry of spec.functions), name and arn";
    let whole = "wildcards and $LATEST are not accepted";
    let qualifier =
        "a qualifier is the name of an alias or the number of a version; leave it out for the latest code";
    refused(vec![
        bad(
            "backend missing",
            with(json!({"routes": [{"routeKey": "GET /a"}]})),
            at,
            "Required value",
        ),
        bad(
            "both of name and arn",
            lambda(json!({"name": "hello", "arn": arn})),
            at,
            either,
        ),
        bad("neither of name and arn", lambda(json!({})), at, either),
        bad(
            "function name with a colon",
            lambda(json!({"name": "hello:live"})),
            "spec.routes[0].lambda.name",
            "for a whole ARN use arn, for an alias or version use qualifier",
        ),
        bad(
            "wildcard arn",
            lambda(json!({"arn": "arn:aws:lambda:eu-central-1:123456789012:function:*"})),
            "spec.routes[0].lambda.arn",
            whole,
        ),
        bad(
            "arn of latest",
            lambda(json!({"arn": format!("{arn}:$LATEST")})),
            "spec.routes[0].lambda.arn",
            whole,
        ),
        bad(
            "arn of a queue",
            lambda(json!({"arn": "arn:aws:sqs:eu-central-1:123456789012:hello"})),
            "spec.routes[0].lambda.arn",
            "write the function's whole ARN, such as arn:aws:lambda:eu-central-1:123456789012:function:hello",
        ),
        bad(
            "qualifier twice",
            lambda(json!({"arn": format!("{arn}:live"), "qualifier": "live"})),
            at,
            "the qualifier is in the arn already; remove one of the two",
        ),
        bad(
            "qualifier latest",
            lambda(json!({"name": "hello", "qualifier": "$LATEST"})),
            "spec.routes[0].lambda.qualifier",
            qualifier,
        ),
        bad(
            "timeout 49",
            lambda(json!({"name": "hello", "timeoutMillis": 49})),
            "spec.routes[0].lambda.timeoutMillis",
            "should be greater than or equal to 50",
        ),
        bad(
            "timeout 30001",
            lambda(json!({"name": "hello", "timeoutMillis": 30_001})),
            "spec.routes[0].lambda.timeoutMillis",
            "should be less than or equal to 30000",
        ),
        bad(
            "payload format 3",
            lambda(json!({"name": "hello", "payloadFormatVersion": "3.0"})),
            "spec.routes[0].lambda.payloadFormatVersion",
            r#"supported values: "1.0", "2.0""#,
        ),
    ]);
}

#[test]
fn invocation_is_by_a_role_or_by_resource_policies() {
    let role = "arn:aws:iam::123456789012:role/invoke";
    refused(vec![
        bad(
            "role with resource policy",
            with(json!({"invocation": {"mode": "ResourcePolicy", "roleArn": role}})),
            "spec.invocation",
            "roleArn belongs to mode Role; remove roleArn or mode",
        ),
        bad(
            "role with a wildcard",
            with(json!({"invocation": {"roleArn": "arn:aws:iam::123456789012:role/*"}})),
            "spec.invocation.roleArn",
            "write the role's whole ARN, such as arn:aws:iam::123456789012:role/invoke; wildcards are not accepted",
        ),
        bad(
            "unknown mode",
            with(json!({"invocation": {"mode": "None"}})),
            "spec.invocation.mode",
            r#"supported values: "Role", "ResourcePolicy""#,
        ),
    ]);
}

#[test]
fn cors_is_what_browsers_and_aws_can_honour() {
    let cors = |cors: Value| with(json!({"cors": cors}));
    let preflight = "with cors, a protected ANY or $default route also catches the browser's OPTIONS preflight and answers 401; add a route such as 'OPTIONS /{proxy+}' with public: true that covers the same paths";
    let guarded = |key: &str, options: Value| {
        let mut routes = vec![json!({"routeKey": key, "lambda": {"name": "hello"}})];
        if !options.is_null() {
            routes.push(options);
        }
        with(json!({"routes": routes, "cors": {"allowOrigins": ["https://app.example.com"]}}))
    };
    refused(vec![
        bad(
            "any origin with credentials",
            cors(json!({"allowOrigins": ["*"], "allowCredentials": true})),
            "spec.cors",
            "browsers refuse credentials with the origin *; list the origins, or set allowCredentials: false",
        ),
        bad(
            "origin with a path",
            cors(json!({"allowOrigins": ["https://app.example.com/"]})),
            "spec.cors.allowOrigins",
            "an origin is scheme://host[:port] without a path or a slash at the end, or *",
        ),
        bad(
            "lower case method",
            cors(json!({"allowOrigins": ["*"], "allowMethods": ["get"]})),
            "spec.cors.allowMethods",
            "allowMethods takes GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS in capitals, or *",
        ),
        bad(
            "max age over a day",
            cors(json!({"allowOrigins": ["*"], "maxAge": 86_401})),
            "spec.cors.maxAge",
            "should be less than or equal to 86400",
        ),
        bad(
            "protected any with cors",
            guarded("ANY /{proxy+}", Value::Null),
            "spec.routes",
            preflight,
        ),
        bad(
            "protected default with cors",
            guarded("$default", Value::Null),
            "spec.routes",
            preflight,
        ),
        bad(
            "protected options with cors",
            guarded(
                "ANY /{proxy+}",
                json!({"routeKey": "OPTIONS /{proxy+}", "lambda": {"name": "hello"}}),
            ),
            "spec.routes",
            preflight,
        ),
    ]);
}

#[test]
fn names_and_tags_fit_into_aws() {
    let tags = |tags: Value| with(json!({"tags": tags}));
    let many: Map<String, Value> = (0..45).map(|n| (format!("key{n}"), json!("value"))).collect();
    let reserved = "tag keys beginning with jwthttpapi.dev/ or aws: are reserved; choose another key";
    let characters = "tag keys and values have letters, digits, spaces and . : + = @ _ / - only; replace the other characters";
    refused(vec![
        bad(
            "name over 128",
            with(json!({"name": "n".repeat(129)})),
            "spec.name",
            "may not be more than 128",
        ),
        bad(
            "description over 1024",
            with(json!({"description": "d".repeat(1025)})),
            "spec.description",
            "may not be more than 1024",
        ),
        bad(
            "region of nowhere",
            with(json!({"region": "Frankfurt"})),
            "spec.region",
            "write the Region's code, such as eu-central-1",
        ),
        bad(
            "45 tags",
            tags(many.into()),
            "spec.tags",
            "must have at most 44 items",
        ),
        bad(
            "our tag key",
            tags(json!({"jwthttpapi.dev/uid": "x"})),
            "spec.tags",
            reserved,
        ),
        bad(
            "tag key of aws",
            tags(json!({"aws:cloudformation": "x"})),
            "spec.tags",
            reserved,
        ),
        bad(
            "tag keys of one word",
            tags(json!({"Team": "a", "team": "b"})),
            "spec.tags",
            "two tag keys differ only in case, and IAM takes them for one; keep one of them",
        ),
        bad(
            "tag key too long",
            tags(json!({"k".repeat(129): "x"})),
            "spec.tags",
            "a tag key has 1 to 128 characters; shorten it",
        ),
        bad(
            "tag key with a comma",
            tags(json!({"a,b": "x"})),
            "spec.tags",
            characters,
        ),
        bad(
            "tag value with a comma",
            tags(json!({"a": "x,y"})),
            "spec.tags",
            characters,
        ),
        bad(
            "tag value too long",
            tags(json!({"a": "x".repeat(257)})),
            "spec.tags.a",
            "may not be more than 256",
        ),
    ]);
}

#[test]
fn a_misspelt_field_is_named() {
    let error = apply("misspelt", &with(json!({"isuer": "https://example.com/"}))).unwrap_err();
    assert!(
        error.to_string().contains(r#"unknown field "spec.isuer""#),
        "{error}"
    );
    let error = apply("misplaced", &with_route(json!({"timeoutMillis": 1000}))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(r#"unknown field "spec.routes[0].timeoutMillis""#),
        "{error}"
    );
}

fn numbered(count: usize, prefix: &str) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}
