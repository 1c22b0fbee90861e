use super::*;
use crate::{
    api_server::{ApiServer, Trouble},
    cli::{Cli, Command},
    leader::LEASE_NAME,
};
use aws_config::{BehaviorVersion, Region};
use clap::Parser;
use http::Method;
use jwthttpapi_core::model::DefaultTags;
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/system/leases";

fn settings(flags: &[&str]) -> Settings {
    let args = ["jwthttpapi", "run"].iter().chain(flags);
    match Cli::try_parse_from(args).unwrap().command {
        Command::Run(settings) => *settings,
        Command::Crds | Command::Verify(_) => panic!("the subcommand is run"),
    }
}

/// A cluster whose id can be read.
fn cluster() -> ApiServer {
    let server = ApiServer::default();
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "k1"},
    });
    server.put("/api/v1/namespaces/kube-system", namespace);
    server
}

async fn operator(server: &ApiServer, flags: &[&str]) -> Result<Operator, Error> {
    replica("one", server, flags).await
}

async fn replica(identity: &str, server: &ApiServer, flags: &[&str]) -> Result<Operator, Error> {
    registered(&mut Registry::default(), identity, server, flags).await
}

async fn registered(
    registry: &mut Registry,
    identity: &str,
    server: &ApiServer,
    flags: &[&str],
) -> Result<Operator, Error> {
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .build();
    let ways = Ways {
        client: server.client(),
        elections: server.client(),
        namespace: "system".to_owned(),
        aws,
        identity: identity.to_owned(),
        clock: Clock::system(),
    };
    Operator::new(&settings(flags), ways, registry).await
}

#[tokio::test(start_paused = true)]
async fn some_namespaces_need_a_cluster_id_and_kube_system_is_not_read_for_them() {
    let nothing = ApiServer::default();
    let Err(error @ Error::Configuration(_)) = operator(&nothing, &["--watch-namespaces=a,b"]).await else {
        panic!("it was taken")
    };
    assert!(error.to_string().contains("--cluster-id"), "{error}");
    let operator = operator(&nothing, &["--watch-namespaces=a,b", "--cluster-id=blue"]).await;
    assert_eq!(operator.unwrap().parts.ctx.cluster.namespaces, ["a", "b"]);
}

/// A process that ended for it would be started ever more slowly.
#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_answer_yet_is_asked_again_and_a_refusal_is_one() {
    let server = cluster();
    let away = Trouble::Refusal(503, "ServiceUnavailable");
    server.trouble(Method::GET, "/kube-system", away);
    let healing = async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        server.heal();
    };
    let (begun, ()) = tokio::join!(operator(&server, &["--allowed-functions=*"]), healing);
    assert!(begun.is_ok());
    for (trouble, waits) in [(away, 46), (Trouble::Refusal(403, "Forbidden"), 0)] {
        server.trouble(Method::GET, "/kube-system", trouble);
        let began = tokio::time::Instant::now();
        let Err(error @ Error::Kubernetes(_)) = operator(&server, &["--allowed-functions=*"]).await else {
            panic!("it began")
        };
        assert!(
            error
                .to_string()
                .contains("cannot read the namespace kube-system"),
            "{error}"
        );
        assert_eq!(began.elapsed().as_secs(), waits);
        server.heal();
    }
}

/// A flag that gets lost between the command line and the objects would change what is done in AWS without a word.
#[tokio::test(start_paused = true)]
async fn every_flag_that_says_what_is_made_or_deleted_reaches_the_reconciles() {
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let flags = [
        "--delete-orphans=true",
        "--cluster-id=blue",
        "--reclaim-from=old-1,old-2",
        "--default-invocation=ResourcePolicy",
        &format!("--permissions-boundary={boundary}"),
        "--role-path=/team/",
        "--default-tags=team=shop,cost=1",
        "--allowed-functions=arn:aws:lambda:*:123456789012:function:shop-*",
        "--passable-roles=arn:aws:iam::123456789012:role/shop-*",
        "--iam-settle=17s",
    ];
    let operator = operator(&cluster(), &flags).await.unwrap();
    let ctx = &operator.parts.ctx;
    assert!(ctx.delete_orphans);
    assert_eq!(ctx.cluster.id, "blue");
    assert_eq!(ctx.cluster.kube_system.as_deref(), Some("k1"));
    assert_eq!(ctx.cluster.replaced, ["old-1", "old-2"]);
    assert_eq!(ctx.periods.iam_settle, Duration::from_secs(17));
    assert_eq!(
        aws_settings(&settings(&flags)).iam_settle,
        Duration::from_secs(17)
    );
    let policy = &ctx.policy;
    assert_eq!(policy.default_invocation, InvocationMode::ResourcePolicy);
    assert_eq!(policy.permissions_boundary.as_ref().unwrap().as_str(), boundary);
    assert_eq!(policy.role_path.as_str(), "/team/");
    assert_eq!(policy.default_tags, "team=shop,cost=1".parse().unwrap());
    let [allowed] = policy.allowed_functions.as_slice() else {
        panic!("{policy:?}")
    };
    let function = |name: &str| format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}");
    assert!(allowed.matches(&function("shop-a")) && !allowed.matches(&function("a")));
    let [passable] = policy.passable_roles.as_slice() else {
        panic!("{policy:?}")
    };
    assert!(passable.matches("arn:aws:iam::123456789012:role/shop-a"));
}

/// An alert holds the age of observations against it: beside 0 each would be too old.
#[tokio::test(start_paused = true)]
async fn the_period_of_resyncs_is_told_before_the_first_pass() {
    let mut registry = Registry::default();
    let _operator = registered(&mut registry, "one", &cluster(), &["--resync=7m"])
        .await
        .unwrap();
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("jwthttpapi_resync_period_seconds 420"), "{text}");
}

#[test]
fn each_service_has_a_budget_of_its_own() {
    let flags = ["--apigateway-rate=1", "--apigateway-burst=3", "--lambda-rate=2"];
    let budgets = aws_settings(&settings(&flags));
    let of = |rate: Rate| (rate.per_second, rate.burst);
    assert_eq!(of(budgets.apigateway), (1.0, 3));
    assert_eq!(of(budgets.lambda), (2.0, Rate::LAMBDA.burst));
    assert_eq!(of(budgets.iam), of(Rate::IAM));
    assert_eq!(of(budgets.logs), of(Rate::LOGS));
}

#[tokio::test(start_paused = true)]
async fn without_flags_nothing_is_deleted_taken_over_or_added() {
    let operator = operator(&cluster(), &["--allowed-functions=*"]).await.unwrap();
    let ctx = &operator.parts.ctx;
    assert!(!ctx.delete_orphans);
    assert_eq!((ctx.cluster.id.as_str(), ctx.cluster.replaced.len()), ("k1", 0));
    let policy = &ctx.policy;
    assert_eq!(policy.default_invocation, InvocationMode::Role);
    assert!(policy.permissions_boundary.is_none() && policy.default_tags == DefaultTags::default());
    assert_eq!(policy.role_path.as_str(), "/jwthttpapi/");
}

fn holder(server: &ApiServer) -> Value {
    let lease = server.get(&format!("{LEASES}/{LEASE_NAME}")).unwrap();
    lease["spec"]["holderIdentity"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_cannot_be_used_is_the_callers_mistake() {
    let url = "http://127.0.0.1:4566/?a=1";
    let operator = operator(&cluster(), &[&format!("--aws-endpoint-url={url}")]).await;
    let Err(error @ Error::Configuration(_)) = operator else {
        panic!("the setting was taken")
    };
    assert!(error.to_string().contains(url), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_tell_its_id_cannot_be_used() {
    let operator = operator(&ApiServer::default(), &[]).await;
    let Err(error @ Error::Kubernetes(_)) = operator else {
        panic!("the cluster was used")
    };
    assert!(error.to_string().contains("kube-system"), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_somebody_else_holds_ends_with_a_failure() {
    let server = cluster();
    let operator = operator(&server, &[]).await.unwrap();
    let running = tokio::spawn(operator.run(CancellationToken::new()));
    // On the paused clock: when every task waits.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(holder(&server), "one");
    let path = format!("{LEASES}/{LEASE_NAME}");
    let mut lease = server.get(&path).unwrap();
    lease["spec"]["holderIdentity"] = json!("another");
    server.put(&path, lease);
    let ended = running.await.unwrap();
    assert!(matches!(ended, Err(Error::LeadershipLost)), "{ended:?}");
    assert_eq!(holder(&server), "another");
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_asked_to_stop_gives_its_lease_away() {
    let server = cluster();
    let operator = operator(&server, &[]).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(operator.run(stop.clone()));
    // On the paused clock: when every task waits.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(holder(&server), "one");
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_ne!(holder(&server), "one");
}

#[tokio::test(start_paused = true)]
async fn a_follower_whose_controller_has_ended_does_not_wait_for_its_turn() {
    let server = cluster();
    let leader = operator(&server, &[]).await.unwrap();
    let _leading = tokio::spawn(leader.run(CancellationToken::new()));
    tokio::time::sleep(Duration::from_millis(1)).await;
    server.trouble(Method::GET, "/jwthttpapis", Trouble::Panic);
    let follower = replica("two", &server, &[]).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(1), follower.run(CancellationToken::new())).await;
    assert!(matches!(ended, Ok(Err(Error::Ended(_)))), "{ended:?}");
    assert_eq!(holder(&server), "one");
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_ends_by_itself_ends_the_process_with_a_failure() {
    let server = cluster();
    server.trouble(Method::GET, "/jwthttpapis", Trouble::Panic);
    let operator = operator(&server, &["--leader-elect=false"]).await.unwrap();
    let ended = operator.run(CancellationToken::new()).await;
    let Err(error @ Error::Ended(_)) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(error.to_string(), "the controller ended");
    assert_eq!(error.exit_code(), 1);
}
