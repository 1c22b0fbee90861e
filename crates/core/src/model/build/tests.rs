use super::*;
use crate::api::{Authorizer, Cors, Invocation, InvocationMode, LambdaBackend, PayloadFormatVersion, Route};
use crate::model::PolicyArn;
use crate::model::document::ROLE_POLICY_LIMIT;
use crate::model::owner::is_ownership_tag;
use wildmatch::WildMatch;

fn owner() -> Owner {
    Owner {
        cluster: "c".into(),
        kube_system: Some("k".into()),
        uid: "u".into(),
        namespace: "demo".into(),
        name: "hello".into(),
    }
}

fn place() -> Place {
    Place {
        partition: "aws".into(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
    }
}

fn policy() -> Policy {
    Policy {
        allowed_functions: vec![WildMatch::new("arn:aws:lambda:*:123456789012:function:*")],
        passable_roles: vec![WildMatch::new("arn:aws:iam::123456789012:role/passable-*")],
        ..Policy::default()
    }
}

fn route(key: &str) -> Route {
    Route {
        route_key: key.into(),
        lambda: LambdaBackend {
            name: Some("f".into()),
            ..LambdaBackend::default()
        },
        ..Route::default()
    }
}

fn public(key: &str) -> Route {
    Route {
        public: Some(true),
        ..route(key)
    }
}

fn spec(routes: impl IntoIterator<Item = Route>) -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        issuer: "https://issuer.example.com/".into(),
        audience: vec!["a".into()],
        routes: routes.into_iter().collect(),
        ..JwtHttpApiSpec::default()
    }
}

fn built(spec: &JwtHttpApiSpec) -> Result<Desired, Rejection> {
    build(spec, &owner(), &place(), "n", &policy())
}

fn with_lambda(lambda: LambdaBackend) -> JwtHttpApiSpec {
    spec([Route {
        lambda,
        ..route("GET /a")
    }])
}

fn arn(text: &str) -> LambdaBackend {
    LambdaBackend {
        arn: Some(text.into()),
        ..LambdaBackend::default()
    }
}

fn with_cors(routes: impl IntoIterator<Item = Route>) -> JwtHttpApiSpec {
    JwtHttpApiSpec {
        cors: Some(Cors {
            allow_origins: vec!["*".into()],
            ..Cors::default()
        }),
        ..spec(routes)
    }
}

/// The one thing that is wrong with a spec.
fn violates(spec: &JwtHttpApiSpec, path: &str, reason: Reason, says: &str) {
    let rejection = built(spec).unwrap_err();
    assert_eq!(rejection.violations.len(), 1, "{rejection:?}");
    let violation = &rejection.violations[0];
    assert_eq!((violation.path.as_str(), violation.reason), (path, reason));
    assert!(violation.message.contains(says), "{}", violation.message);
    assert_eq!(rejection.reason(), reason);
}

#[test]
fn every_violation_names_its_place_its_reason_and_what_to_type() {
    use Reason::{FunctionNotAllowed, InvalidSpec, RoleNotAllowed};
    let brings = |arn: &str| JwtHttpApiSpec {
        invocation: Some(Invocation {
            mode: None,
            role_arn: Some(arn.into()),
        }),
        ..spec([route("GET /a")])
    };
    let unknown = Route {
        authorizer: Some("nobody".into()),
        ..route("GET /a")
    };
    let both = LambdaBackend {
        name: Some("f".into()),
        ..arn("arn:aws:lambda:eu-central-1:123456789012:function:f")
    };
    for (spec, path, reason, says) in [
        (
            spec([route("GET /a/")]),
            "spec.routes[GET /a/].routeKey",
            InvalidSpec,
            "is not a route key such as",
        ),
        (
            spec([route("GET /a"), route("GET /a")]),
            "spec.routes[GET /a]",
            InvalidSpec,
            "keep one of them",
        ),
        (
            spec([route("GET /{x}"), route("GET /{y}")]),
            "spec.routes[GET /{y}]",
            InvalidSpec,
            "same requests as GET /{x}",
        ),
        (
            spec([unknown]),
            "spec.routes[GET /a].authorizer",
            InvalidSpec,
            "add it to spec.authorizers",
        ),
        (
            with_lambda(both),
            "spec.routes[GET /a].lambda",
            InvalidSpec,
            "exactly one of function, name and arn",
        ),
        (
            with_lambda(LambdaBackend::default()),
            "spec.routes[GET /a].lambda",
            InvalidSpec,
            "exactly one of function, name and arn",
        ),
        (
            leading_to_own("another"),
            "spec.routes[GET /a].lambda.function",
            InvalidSpec,
            "there is no function \"another\"; correct the name",
        ),
        (
            with_lambda(arn("arn:aws:lambda:*")),
            "spec.routes[GET /a].lambda",
            InvalidSpec,
            "is not the ARN of a function",
        ),
        (
            with_lambda(arn("arn:aws:lambda:eu-west-1:123456789012:function:f")),
            "spec.routes[GET /a].lambda",
            FunctionNotAllowed,
            "not in account 123456789012 and Region eu-central-1",
        ),
        (
            brings("arn:aws:iam::123456789012:role/other"),
            "spec.invocation.roleArn",
            RoleNotAllowed,
            "--passable-roles",
        ),
        (
            brings("arn:aws:iam::999999999999:role/passable-one"),
            "spec.invocation.roleArn",
            RoleNotAllowed,
            "not in account 123456789012",
        ),
        (
            brings("arn:aws-cn:iam::123456789012:role/passable-one"),
            "spec.invocation.roleArn",
            RoleNotAllowed,
            "not in account 123456789012",
        ),
        (
            with_cors([route("ANY /a")]),
            "spec.routes[ANY /a]",
            InvalidSpec,
            "add a route \"OPTIONS /a\" with public: true",
        ),
    ] {
        violates(&spec, path, reason, says);
    }
}

/// The API server refuses it, too, unless it stored the object before it had the rule; but for functions of other objects.
#[test]
fn what_is_reserved_is_refused_with_what_to_type() {
    use Reason::{FunctionNotAllowed, InvalidSpec};
    for (spec, path, reason, says) in [
        (
            with_lambda(LambdaBackend {
                name: Some("jwthttpapi-0123456789ab-hello".into()),
                ..LambdaBackend::default()
            }),
            "spec.routes[GET /a].lambda",
            FunctionNotAllowed,
            "belongs to another JwtHttpApi object",
        ),
        (
            with_lambda(LambdaBackend {
                name: Some(name::function_name(&owner(), "hello")),
                qualifier: Some("live".into()),
                ..LambdaBackend::default()
            }),
            "spec.routes[GET /a].lambda",
            FunctionNotAllowed,
            "write function: \"hello\"",
        ),
        (
            JwtHttpApiSpec {
                tags: BTreeMap::from([("JwtHttpApi.dev/uid".into(), "u2".into())]),
                ..spec([route("GET /a")])
            },
            "spec.tags[JwtHttpApi.dev/uid]",
            InvalidSpec,
            "are reserved",
        ),
        (
            JwtHttpApiSpec {
                tags: BTreeMap::from([("Team".into(), "a".into()), ("team".into(), "b".into())]),
                ..spec([route("GET /a")])
            },
            "spec.tags[team]",
            InvalidSpec,
            "differs from Team in case alone",
        ),
        (
            JwtHttpApiSpec {
                authorizers: vec![Authorizer {
                    name: "default".into(),
                    issuer: "https://other.example.com/".into(),
                    audience: vec!["a".into()],
                    identity_source: None,
                }],
                ..spec([route("GET /a")])
            },
            "spec.authorizers",
            InvalidSpec,
            "spec.issuer's own name",
        ),
        (
            JwtHttpApiSpec {
                invocation: Some(Invocation {
                    mode: None,
                    role_arn: Some("arn:aws:iam::123456789012:user/passable".into()),
                }),
                ..spec([route("GET /a")])
            },
            "spec.invocation.roleArn",
            InvalidSpec,
            "is no role",
        ),
    ] {
        violates(&spec, path, reason, says);
    }
}

#[test]
fn no_pattern_allows_no_function_and_no_role() {
    let none = Policy::default();
    let rejection = build(&spec([route("GET /a")]), &owner(), &place(), "n", &none).unwrap_err();
    assert_eq!(rejection.reason(), Reason::FunctionNotAllowed);
    assert!(
        rejection.message().contains("--allowed-functions"),
        "{}",
        rejection.message()
    );
}

#[test]
fn a_passable_role_takes_the_place_of_ones_own() {
    let role = "arn:aws:iam::123456789012:role/passable-one";
    let desired = built(&JwtHttpApiSpec {
        invocation: Some(Invocation {
            mode: None,
            role_arn: Some(role.into()),
        }),
        ..spec([route("GET /a")])
    });
    let desired = desired.unwrap();
    assert_eq!(
        desired.invocation,
        desired::Invocation::Brought { arn: role.into() }
    );
    let integration = desired.integrations.values().next().unwrap();
    assert_eq!(integration.credentials.as_deref(), Some(role));
}

#[test]
fn many_violations_are_counted_beyond_the_first_five() {
    let routes = (0..8).map(|n| route(&format!("GET /a{n}/")));
    let message = built(&spec(routes)).unwrap_err().message();
    assert_eq!(message.matches("; spec.routes").count(), 4);
    assert!(message.ends_with("; and 3 more"), "{message}");
}

#[test]
fn what_a_spec_leaves_out_has_its_documented_default() {
    let desired = built(&spec([route("GET /a")])).unwrap();
    assert_eq!(desired.api.name, "demo-hello");
    assert_eq!(desired.api.description, "");
    assert_eq!(desired.api.cors, None);
    assert!(!desired.api.disable_execute_api_endpoint);
    assert_eq!(desired.api.ip_address_type, crate::api::IpAddressType::Ipv4);
    let jwt = &desired.authorizers[DEFAULT_AUTHORIZER];
    assert_eq!(jwt.identity_source, "$request.header.Authorization");
    let integration = desired.integrations.values().next().unwrap();
    assert_eq!(integration.timeout_millis, 30_000);
    assert_eq!(integration.payload_format_version, PayloadFormatVersion::V2);
    let desired::Invocation::Role(role) = &desired.invocation else {
        panic!("{:?}", desired.invocation)
    };
    assert_eq!(integration.credentials.as_deref(), Some(role.arn.as_str()));
    assert_eq!(role.tags, desired.api.tags);
    assert_eq!(desired.api.tags["jwthttpapi.dev/deletion-policy"], "Delete");
}

#[test]
fn scopes_are_inherited_by_routes_of_the_default_authorizer_that_say_nothing() {
    let one = |authorizer: Option<&str>, scopes: Option<&[&str]>, key: &str| Route {
        authorizer: authorizer.map(str::to_owned),
        scopes: scopes.map(|scopes| scopes.iter().map(ToString::to_string).collect()),
        ..route(key)
    };
    let spec = JwtHttpApiSpec {
        scopes: Some(vec!["read".into()]),
        authorizers: vec![api::Authorizer {
            name: "other".into(),
            issuer: "https://other.example.com".into(),
            audience: vec!["b".into()],
            identity_source: None,
        }],
        ..spec([
            one(None, None, "GET /inherits"),
            one(Some("default"), None, "GET /inherits-too"),
            one(None, Some(&[]), "GET /none"),
            one(None, Some(&["write"]), "GET /own"),
            one(Some("other"), None, "GET /other"),
            public("GET /public"),
        ])
    };
    let desired = built(&spec).unwrap();
    let scopes = |key: &str| match &desired.routes[&RouteKey::parse(key).unwrap()].guard {
        Guard::Public => None,
        Guard::Jwt { scopes, .. } => Some(scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")),
    };
    assert_eq!(scopes("GET /inherits").as_deref(), Some("read"));
    assert_eq!(scopes("GET /inherits-too").as_deref(), Some("read"));
    assert_eq!(scopes("GET /none").as_deref(), Some(""));
    assert_eq!(scopes("GET /own").as_deref(), Some("write"));
    assert_eq!(scopes("GET /other").as_deref(), Some(""));
    assert_eq!(scopes("GET /public"), None);
}

#[test]
fn authorizers_that_no_route_uses_are_not_made() {
    let desired = built(&spec([public("GET /a")])).unwrap();
    assert!(desired.authorizers.is_empty());
}

#[test]
fn routes_share_an_integration_exactly_when_all_of_it_is_equal() {
    let lambda = |payload, timeout| LambdaBackend {
        payload_format_version: payload,
        timeout_millis: timeout,
        ..route("").lambda
    };
    let two = |other: LambdaBackend| {
        let second = Route {
            lambda: other,
            ..route("GET /b")
        };
        built(&spec([route("GET /a"), second]))
            .unwrap()
            .integrations
            .len()
    };
    assert_eq!(two(lambda(None, None)), 1);
    assert_eq!(two(lambda(Some(PayloadFormatVersion::V2), Some(30_000))), 1);
    assert_eq!(two(lambda(Some(PayloadFormatVersion::V1), None)), 2);
    assert_eq!(two(lambda(None, Some(50))), 2);
}

fn functions(count: usize, length: usize) -> JwtHttpApiSpec {
    spec((0..count).map(|index| Route {
        lambda: LambdaBackend {
            name: Some(format!("{index:0length$}")),
            ..LambdaBackend::default()
        },
        ..route(&format!("GET /a{index}"))
    }))
}

#[test]
fn a_role_policy_holds_as_many_functions_as_its_size_allows() {
    for (length, most) in [(64, 86), (28, 125), (20, 138)] {
        assert!(built(&functions(most, length)).is_ok(), "{length}");
        let rejection = built(&functions(most + 1, length)).unwrap_err();
        assert_eq!(rejection.reason(), Reason::PolicyFull);
        assert!(
            rejection.message().contains("ResourcePolicy"),
            "{}",
            rejection.message()
        );
    }
}

#[test]
fn a_role_policy_may_be_exactly_as_long_as_iam_allows() {
    let mut spec = functions(138, 20);
    let size = |spec: &JwtHttpApiSpec| match built(spec).unwrap().invocation {
        desired::Invocation::Role(role) => role.policy.size(),
        other => panic!("{other:?}"),
    };
    let mut longer = |by: usize| {
        // No one name has room for all of them.
        for route in spec.routes.iter_mut().take(by) {
            route.lambda.name.as_mut().unwrap().push('x');
        }
        spec.clone()
    };
    let room = ROLE_POLICY_LIMIT - size(&longer(0));
    assert_eq!(size(&longer(room)), ROLE_POLICY_LIMIT);
    assert_eq!(built(&longer(1)).unwrap_err().reason(), Reason::PolicyFull);
}

#[test]
fn three_hundred_functions_are_refused_in_role_mode_and_taken_by_resource_policy() {
    let mut spec = functions(300, 20);
    assert_eq!(built(&spec).unwrap_err().reason(), Reason::PolicyFull);
    spec.invocation = Some(Invocation {
        mode: Some(InvocationMode::ResourcePolicy),
        role_arn: None,
    });
    assert_eq!(built(&spec).unwrap().backends().len(), 300);
}

#[test]
fn with_cors_a_protected_any_route_needs_a_public_options_route_that_covers_it() {
    for (routes, covered) in [
        (vec![route("GET /a")], true),
        (vec![public("ANY /a")], true),
        (vec![route("ANY /a"), public("OPTIONS /a")], true),
        (vec![route("ANY /a"), public("OPTIONS /{x}")], false),
        (vec![route("ANY /a"), public("OPTIONS /{proxy+}")], false),
        (vec![route("ANY /a"), route("OPTIONS /a")], false),
        (vec![route("ANY /{proxy+}"), public("OPTIONS /{proxy+}")], true),
        (vec![route("ANY /{proxy+}"), public("OPTIONS /a/{proxy+}")], false),
        (
            vec![
                route("$default"),
                public("OPTIONS /"),
                public("OPTIONS /{proxy+}"),
            ],
            true,
        ),
        (vec![route("$default"), public("OPTIONS /{proxy+}")], false),
        (vec![route("$default"), public("OPTIONS /a")], false),
        (vec![route("$default")], false),
    ] {
        let keys: Vec<String> = routes.iter().map(|route| route.route_key.clone()).collect();
        assert_eq!(built(&with_cors(routes)).is_ok(), covered, "{keys:?}");
    }
    let protected = built(&with_cors([route("ANY /a"), route("OPTIONS /a")]));
    let message = protected.unwrap_err().message();
    assert!(
        message.contains("set public: true on the route \"OPTIONS /a\""),
        "{message}"
    );
}

#[test]
fn a_cors_block_that_says_nothing_is_none_and_origins_and_headers_are_lower_case() {
    let with = |cors| JwtHttpApiSpec {
        cors: Some(cors),
        ..spec([route("GET /a")])
    };
    assert_eq!(built(&with(Cors::default())).unwrap().api.cors, None);
    let cors = Cors {
        allow_origins: vec!["https://App.example.com".into()],
        allow_headers: vec!["X-One".into()],
        expose_headers: vec!["X-Two".into()],
        allow_methods: vec!["GET".into()],
        ..Cors::default()
    };
    let cors = built(&with(cors)).unwrap().api.cors.unwrap();
    assert!(cors.allow_headers.contains("x-one") && cors.expose_headers.contains("x-two"));
    assert!(cors.allow_origins.contains("https://app.example.com"));
    assert!(cors.allow_methods.contains("GET"));
}

#[test]
fn building_is_deterministic_whatever_the_order_of_lists() {
    let mut spec = spec([route("GET /a"), public("GET /b"), route("POST /c")]);
    let first = built(&spec).unwrap();
    spec.routes.reverse();
    assert_eq!(built(&spec).unwrap(), first);
}

/// The desired state under an organisation's policy.
fn organised(spec: &JwtHttpApiSpec, change: impl FnOnce(&mut Policy)) -> Result<Desired, Rejection> {
    let mut policy = policy();
    change(&mut policy);
    build(spec, &owner(), &place(), "n", &policy)
}

/// With a function of the object's own, and a route to one of a name.
fn leading_to_own(name: &str) -> JwtHttpApiSpec {
    let own = LambdaBackend {
        function: Some(name.to_owned()),
        ..LambdaBackend::default()
    };
    JwtHttpApiSpec {
        functions: owning().functions,
        ..with_lambda(own)
    }
}

#[test]
fn what_others_have_to_make_is_every_function_but_the_objects_own() {
    let mut spec = leading_to_own("own");
    spec.routes.push(route("GET /b"));
    let desired = built(&spec).unwrap();
    let names = |functions: BTreeSet<&FunctionArn>| {
        let names = functions.into_iter().map(|function| function.name().to_owned());
        names.collect::<Vec<_>>()
    };
    let own = name::function_name(&owner(), "own");
    assert_eq!(names(desired.backends()), ["f".to_owned(), own]);
    assert_eq!(names(desired.references()), ["f"]);
}

/// With a function of the object's own, so that there are roles of both kinds.
fn owning() -> JwtHttpApiSpec {
    let mut spec = spec([route("GET /a")]);
    let function = serde_json::json!({
        "name": "own", "runtime": "nodejs24.x", "handler": "index.handler", "code": "code",
    });
    spec.functions = vec![serde_json::from_value(function).unwrap()];
    spec
}

#[test]
fn an_environment_is_measured_as_lambda_does_it_with_names_quotes_and_escapes() {
    let with = |value: String| {
        let mut spec = owning();
        spec.functions[0].environment = BTreeMap::from([("NAME".into(), value)]);
        built(&spec)
    };
    // {"NAME":"…"} has eleven bytes around the value.
    for (value, most) in [("x", 4_085), ("\"", 2_042), ("é", 2_042)] {
        assert!(with(value.repeat(most)).is_ok(), "{value}");
        let rejection = with(value.repeat(most + 1)).unwrap_err();
        assert_eq!(rejection.reason(), Reason::InvalidSpec);
        let message = rejection.message();
        let size = 11 + value.len().max(if value == "x" { 1 } else { 2 }) * (most + 1);
        for words in [
            "spec.functions[",
            "].environment",
            &format!("{size} bytes as JSON"),
        ] {
            assert!(message.contains(words), "{message}");
        }
    }
}

fn roles(desired: &Desired) -> Vec<&Role> {
    let desired::Invocation::Role(invoke) = &desired.invocation else {
        panic!("{:?}", desired.invocation)
    };
    let executing = desired.owned.values().map(|function| &function.role);
    [invoke.as_ref()].into_iter().chain(executing).collect()
}

#[test]
fn every_role_has_the_boundary_and_stands_under_the_path_that_the_installer_asks_for() {
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let desired = organised(&owning(), |policy| {
        policy.permissions_boundary = Some(boundary.parse().unwrap());
        policy.role_path = "/team/a/".parse().unwrap();
    });
    let desired = desired.unwrap();
    assert_eq!(roles(&desired).len(), 2);
    for role in roles(&desired) {
        assert_eq!(role.boundary.as_ref().map(PolicyArn::as_str), Some(boundary));
        assert_eq!(role.name.path, "/team/a/");
        let arn = format!("arn:aws:iam::123456789012:role/team/a/{}", role.name.name);
        assert_eq!(role.arn, arn);
    }
    let lead_through = desired
        .integrations
        .values()
        .map(|integration| &integration.credentials);
    let invoke = Some(roles(&desired)[0].arn.clone());
    assert!(lead_through.into_iter().all(|credentials| *credentials == invoke));
    for function in desired.owned.values() {
        assert_eq!(function.configuration.role, function.role.arn);
    }
    let usual = built(&owning()).unwrap();
    for role in roles(&usual) {
        assert_eq!(
            (role.boundary.as_ref(), role.name.path.as_str()),
            (None, "/jwthttpapi/")
        );
    }
}

#[test]
fn default_tags_are_on_everything_taggable_beneath_those_of_the_spec() {
    let mut spec = owning();
    spec.tags = [("team".to_owned(), "shop".to_owned())].into();
    let desired = organised(&spec, |policy| {
        policy.default_tags = "Team=all,stage=test".parse().unwrap();
    });
    let desired = desired.unwrap();
    let functions = desired.owned.values();
    let theirs = functions.flat_map(|function| [&function.tags, &function.log_group.tags]);
    let all = roles(&desired).into_iter().map(|role| &role.tags);
    let all: Vec<_> = all.chain(theirs).chain([&desired.api.tags]).collect();
    assert_eq!(all.len(), 5);
    for tags in all {
        let own = tags.iter().filter(|(key, _)| !is_ownership_tag(key));
        let own: Vec<_> = own.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(own, [("stage", "test"), ("team", "shop")]);
    }
}

#[test]
fn more_than_44_tags_together_are_refused_with_how_many_to_remove() {
    let mut spec = spec([route("GET /a")]);
    let tag = |number: usize| (format!("k{number}"), String::new());
    spec.tags = (0..43).map(tag).collect();
    let with = |defaults: &str| organised(&spec, |policy| policy.default_tags = defaults.parse().unwrap());
    assert!(with("one=more").is_ok());
    assert!(with("one=more,k0=beneath").is_ok());
    let rejection = with("one=more,and=another,third=one").unwrap_err();
    assert_eq!(rejection.violations[0].path, "spec.tags");
    let message = rejection.message();
    assert!(
        message.contains("46 tags and 44") && message.ends_with("remove 2 from spec.tags"),
        "{message}"
    );
}

#[test]
fn who_does_not_say_gets_the_installers_invocation_and_a_brought_role_says_so() {
    let mode = |wanted: Option<Invocation>| {
        let mut spec = spec([route("GET /a")]);
        spec.invocation = wanted;
        let desired = organised(&spec, |policy| {
            policy.default_invocation = InvocationMode::ResourcePolicy;
        });
        desired.unwrap().invocation
    };
    let said = |mode, role_arn: Option<&str>| {
        let role_arn = role_arn.map(str::to_owned);
        Some(Invocation { mode, role_arn })
    };
    assert_eq!(mode(None), desired::Invocation::ResourcePolicy);
    assert_eq!(mode(said(None, None)), desired::Invocation::ResourcePolicy);
    let role = mode(said(Some(InvocationMode::Role), None));
    assert!(matches!(role, desired::Invocation::Role(_)));
    let arn = "arn:aws:iam::123456789012:role/passable-1";
    let brought = desired::Invocation::Brought { arn: arn.into() };
    assert_eq!(mode(said(None, Some(arn))), brought);
}
