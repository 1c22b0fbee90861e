//! Networks that lead to AWS only through a proxy, or in which a private authority signs its certificates.

use crate::ground::{Ground, LIMIT, prompt, route};
use crate::identities::web_identity;
use crate::role;
use jwthttpapi_test_support::{
    ConnectProxy, Operator, TlsFront,
    certificates::Authority,
    deadline,
    process::{Launch, Process},
};
use serde_json::json;
use std::{fs, path::PathBuf};

/// AWS over TLS, with a certificate of a private authority, which the file names.
struct Private {
    authority: Authority,
    bundle: PathBuf,
    front: TlsFront,
}

impl Private {
    fn new(ground: &Ground) -> Self {
        let authority = Authority::new("company").unwrap();
        let bundle = ground.directory().join("bundle.pem");
        fs::write(&bundle, authority.certificate()).unwrap();
        let front = TlsFront::start(ground.aws().url(), &authority).unwrap();
        Self {
            authority,
            bundle,
            front,
        }
    }

    /// An operator that asks this AWS, and looks at its objects all the time.
    fn launch(&self, ground: &Ground, log_level: &str) -> Launch {
        launch_at(self.front.url(), ground, log_level)
    }
}

fn launch_at(url: &str, ground: &Ground, log_level: &str) -> Launch {
    let endpoint = format!("--aws-endpoint-url={url}");
    ground.launch(&[&endpoint, "--resync=1s", &format!("--log-level={log_level}")])
}

/// Holds every connection to AWS against the proxy's tunnels.
fn all_through(aws: &Private, proxy: &ConnectProxy) {
    let (connections, tunnels) = (aws.front.connections(), proxy.tunnels());
    let host = aws.front.url().trim_start_matches("https://");
    let through = |from| tunnels.iter().any(|way| way.from == from && way.target == host);
    let direct: Vec<_> = connections.into_iter().filter(|from| !through(*from)).collect();
    assert_eq!(direct, [], "{tunnels:?}");
}

fn apply(ground: &Ground) {
    ground.functions(&["hello"]);
    let routes = json!({"routes": [route("GET /test", "hello")]});
    ground.apply("hello", &ground.spec(&routes));
}

/// A process that ends by itself, with its code and what it said.
fn ends(launch: Launch) -> (i32, String) {
    let mut process: Process = launch.spawn().unwrap();
    let code = process.wait(LIMIT).unwrap();
    let said = process.wait_for_line("why it ended", LIMIT, |line| {
        line.starts_with("jwthttpapi: ").then(|| line.to_owned())
    });
    (code, said.unwrap())
}

#[test]
fn everything_that_is_asked_of_aws_goes_through_the_proxy_unless_its_host_is_exempt() {
    let ground = Ground::new(&prompt());
    let aws = Private::new(&ground);
    let proxy = ConnectProxy::start("operator", "pass").unwrap();
    let by_address = aws.front.url().replace("localhost", "127.0.0.1");
    let launch = |url: &str, upper: bool| {
        let name = |name: &str| {
            if upper {
                name.to_owned()
            } else {
                name.to_lowercase()
            }
        };
        let launch = launch_at(url, &ground, "info");
        launch
            .env("AWS_CA_BUNDLE", &aws.bundle)
            .env(name("HTTPS_PROXY"), proxy.url())
            .env(name("NO_PROXY"), ".internal,10.0.0.0/8")
    };
    apply(&ground);
    for upper in [true, false] {
        let connections = aws.front.connections().len();
        let operator = Operator::launch(launch(aws.front.url(), upper)).unwrap();
        ground.verify("hello", &format!("proxy-{upper}"));
        ground.ready("hello");
        ground.until("hello", "a visit by this operator", |object| {
            object["status"]["lastHandledReconcileAt"] == format!("proxy-{upper}")
        });
        drop(operator);
        assert!(aws.front.connections().len() > connections);
        all_through(&aws, &proxy);
    }
    let url = aws.front.url();
    for (variable, direct, url) in [
        ("NO_PROXY", ".internal, localhost", url),
        ("no_proxy", "*", url),
        ("NO_PROXY", ".internal,127.0.0.0/8", &by_address),
    ] {
        let (tunnels, connections) = (proxy.tunnels(), aws.front.connections().len());
        let launch = launch(url, variable == "NO_PROXY").env(variable, direct);
        let _operator = Operator::launch(launch).unwrap();
        ground.verify("hello", direct);
        ground.until("hello", "a visit by this operator", |object| {
            object["status"]["lastHandledReconcileAt"] == direct
        });
        assert_eq!(proxy.tunnels(), tunnels);
        assert!(aws.front.connections().len() > connections);
    }
}

#[test]
fn a_proxy_that_refuses_is_named_and_no_secret_is() {
    let ground = Ground::new(&prompt());
    let aws = Private::new(&ground);
    let proxy = ConnectProxy::start("operator", "pass").unwrap();
    let wrong = proxy.url().replace("operator:pass@", "operator:canary@");
    apply(&ground);
    let launch = aws.launch(&ground, "trace").env("HTTPS_PROXY", wrong);
    let mut operator = Operator::launch(launch).unwrap();
    let message = ground.unready("hello", "AwsUnreachable");
    assert!(
        message.contains("the proxy in HTTPS_PROXY") && message.contains("proxy authorization required"),
        "{message}"
    );
    let lines = operator.process().lines();
    let encoded = "b3BlcmF0b3I6Y2FuYXJ5";
    let told = |line: &&String| line.contains("canary") || line.contains(encoded);
    assert_eq!(lines.iter().find(told), None);
    assert!(lines.iter().any(|line| line.contains("TRACE")));
    assert_eq!(aws.front.connections(), []);
}

#[test]
fn a_certificate_that_is_not_trusted_is_named_and_a_good_one_heals_without_a_restart() {
    let ground = Ground::new(&prompt());
    let aws = Private::new(&ground);
    apply(&ground);

    let untrusting = Operator::launch(aws.launch(&ground, "info")).unwrap();
    let message = ground.unready("hello", "AwsUnreachable");
    assert!(
        message.contains("certificate")
            && message.contains("(UnknownIssuer)")
            && message.contains("AWS_CA_BUNDLE"),
        "{message}"
    );
    drop(untrusting);
    let given_up = aws.front.given_up();

    aws.front.show(&Authority::new("stranger").unwrap()).unwrap();
    let launch = aws.launch(&ground, "info").env("AWS_CA_BUNDLE", &aws.bundle);
    let mut operator = Operator::launch(launch).unwrap();
    deadline::poll("a connection that is given up", LIMIT, || {
        Ok((aws.front.given_up() > given_up).then_some(()))
    })
    .unwrap();
    assert_eq!(aws.front.connections(), []);
    ground.unready("hello", "AwsUnreachable");
    aws.front.show(&aws.authority).unwrap();
    let took = ground.ready("hello");
    println!("ready {took:?} after the certificate was good");
    assert_eq!(operator.process().try_exit().unwrap(), None);
}

#[test]
fn a_bundle_takes_the_place_of_the_platforms_authorities() {
    let ground = Ground::new(&prompt());
    let aws = Private::new(&ground);
    let stranger = ground.directory().join("stranger.pem");
    fs::write(&stranger, Authority::new("stranger").unwrap().certificate()).unwrap();
    apply(&ground);
    let launch = || aws.launch(&ground, "info").env("SSL_CERT_FILE", &aws.bundle);
    let replaced = Operator::launch(launch().env("AWS_CA_BUNDLE", stranger)).unwrap();
    let message = ground.unready("hello", "AwsUnreachable");
    assert!(message.contains("(UnknownIssuer)"), "{message}");
    drop(replaced);
    let _operator = Operator::launch(launch()).unwrap();
    ground.ready("hello");
}

#[test]
fn a_proxy_may_be_reached_over_tls_itself() {
    let ground = Ground::new(&prompt());
    let aws = Private::new(&ground);
    let proxy = ConnectProxy::start("operator", "pass").unwrap();
    let plain = proxy.url().replace("operator:pass@", "");
    let front = TlsFront::start(&plain, &aws.authority).unwrap();
    apply(&ground);
    let launch = aws.launch(&ground, "info").env("AWS_CA_BUNDLE", &aws.bundle).env(
        "HTTPS_PROXY",
        front.url().replace("https://", "https://operator:pass@"),
    );
    let _operator = Operator::launch(launch).unwrap();
    ground.ready("hello");
    all_through(&aws, &proxy);
    assert!(!front.connections().is_empty());
}

#[test]
fn a_setting_of_the_network_that_cannot_be_used_ends_the_process_with_a_sentence() {
    let ground = Ground::new(&prompt());
    let empty = ground.directory().join("empty.pem");
    fs::write(&empty, "no certificate").unwrap();
    let missing = ground.directory().join("missing.pem");
    for (variable, value, words) in [
        (
            "AWS_CA_BUNDLE",
            missing.display().to_string(),
            "missing.pem: No such file",
        ),
        (
            "AWS_CA_BUNDLE",
            empty.display().to_string(),
            "empty.pem: it holds no certificate",
        ),
        (
            "HTTPS_PROXY",
            "socks5://x".to_owned(),
            "HTTPS_PROXY is no address of a proxy",
        ),
    ] {
        let (code, said) = ends(ground.launch(&[]).env(variable, &value));
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn sources_of_credentials_go_the_same_way_and_say_the_same_of_it() {
    let ground = Ground::new(&prompt());
    let aws = Private::new(&ground);
    let proxy = ConnectProxy::start("operator", "pass").unwrap();
    role::create(&ground, &role::web_trust(&ground, role::SERVICE_ACCOUNT));
    fs::write(
        ground.directory().join("token"),
        role::token(&ground, role::SERVICE_ACCOUNT),
    )
    .unwrap();
    apply(&ground);
    let launch = || {
        let keyless = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
            .into_iter()
            .fold(aws.launch(&ground, "info"), Launch::without_env);
        web_identity(&ground, keyless)
            .env("AWS_ENDPOINT_URL", aws.front.url())
            .env("HTTPS_PROXY", proxy.url())
    };
    let untrusting = Operator::launch(launch()).unwrap();
    let message = ground.unready("hello", "AwsUnreachable");
    assert!(message.contains("(UnknownIssuer)"), "{message}");
    drop(untrusting);

    assert_eq!(aws.front.connections(), []);
    let _operator = Operator::launch(launch().env("AWS_CA_BUNDLE", &aws.bundle)).unwrap();
    ground.ready("hello");
    let journal = ground.aws().journal(0).unwrap();
    let assumed = journal
        .iter()
        .filter(|call| call.operation == "AssumeRoleWithWebIdentity");
    assert_eq!(assumed.count(), 1);
    all_through(&aws, &proxy);
}
