//! What people type: flags with environment twins, parsed once into plain settings.

use crate::aws::Rate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jwthttpapi_core::model::{DefaultTags, PolicyArn, RolePath};
use std::{net::SocketAddr, ops::RangeInclusive, time::Duration};
use wildmatch::WildMatch;

/// Kubernetes operator for JWT-protected AWS HTTP APIs.
#[derive(Debug, Parser)]
#[command(name = "jwthttpapi", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator.
    Run(Box<Settings>),
    /// Compare the APIs of the account with the objects of the cluster, and say what belongs to nobody. Nothing is written.
    Verify(Box<Scope>),
    /// Print the `CustomResourceDefinition` as YAML.
    Crds,
}

/// Which objects are meant, and where their APIs are.
#[derive(Clone, Debug, Args)]
pub struct Scope {
    /// AWS Region of objects that name none. Unless given: what the AWS SDK finds (`AWS_REGION`, profile, instance metadata).
    #[arg(long, env = "JWTHTTPAPI_AWS_REGION", value_parser = non_empty)]
    pub aws_region: Option<String>,

    /// Endpoint of every AWS service, for an emulator: http:// or https:// and a host.
    #[arg(long, env = "JWTHTTPAPI_AWS_ENDPOINT_URL", value_parser = endpoint)]
    pub aws_endpoint_url: Option<String>,

    /// Cluster id in the ownership tags, up to 100 letters, digits and . : + = @ _ / -. Unless given: the uid of the
    /// namespace kube-system. A given one survives the rebuild of a cluster.
    #[arg(long, env = "JWTHTTPAPI_CLUSTER_ID", value_parser = cluster_id)]
    pub cluster_id: Option<String>,

    /// Namespaces whose objects are looked after. Unless given: all. Needs --cluster-id, since kube-system is not read.
    #[arg(long, env = "JWTHTTPAPI_WATCH_NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    pub watch_namespaces: Vec<String>,

    /// Uids of the kube-system namespaces of clusters of the same --cluster-id that this one replaces: objects take over the APIs
    /// that objects of the same namespace and name had there. The tag jwthttpapi.dev/cluster of these APIs has it after the /.
    #[arg(long, env = "JWTHTTPAPI_RECLAIM_FROM", value_delimiter = ',', value_parser = uid)]
    pub reclaim_from: Vec<String>,
}

/// Settings of the operator.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// Which objects are looked after, and where.
    #[command(flatten)]
    pub scope: Scope,

    /// Whether APIs of this cluster that have belonged to no object for an hour are deleted, with all that belongs to them.
    /// They are reported in any case.
    #[arg(long, env = "JWTHTTPAPI_DELETE_ORPHANS", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub delete_orphans: bool,

    /// Patterns of ARNs (with * and ?, without alias or version) of functions that routes may lead to. None allows none.
    #[arg(long, env = "JWTHTTPAPI_ALLOWED_FUNCTIONS", value_delimiter = ',', value_parser = pattern)]
    pub allowed_functions: Vec<WildMatch>,

    /// Patterns of ARNs (with * and ?) of roles that objects may bring in spec.invocation.roleArn. None allows none.
    #[arg(long, env = "JWTHTTPAPI_PASSABLE_ROLES", value_delimiter = ',', value_parser = pattern)]
    pub passable_roles: Vec<WildMatch>,

    /// ARN of the managed policy that bounds every role that the operator makes. A role with none or another gets it; none is
    /// ever taken off a role.
    #[arg(long, env = "JWTHTTPAPI_PERMISSIONS_BOUNDARY", value_name = "ARN")]
    pub permissions_boundary: Option<PolicyArn>,

    /// Path under which roles are made, such as /team/. Roles that exist stay where they are.
    #[arg(
        long,
        env = "JWTHTTPAPI_ROLE_PATH",
        value_name = "PATH",
        default_value = "/jwthttpapi/"
    )]
    pub role_path: RolePath,

    /// Tags of every API, role, function and log group, as KEY=VALUE,KEY=VALUE. Those of an object's spec.tags win; together
    /// they are at most 44.
    #[arg(long, env = "JWTHTTPAPI_DEFAULT_TAGS", value_name = "TAGS")]
    pub default_tags: Option<DefaultTags>,

    /// How API Gateway may invoke the functions of objects that do not say: by a role for each API, or by a statement in the
    /// policy of each function.
    #[arg(long, env = "JWTHTTPAPI_DEFAULT_INVOCATION", default_value = "Role")]
    pub default_invocation: DefaultInvocation,

    /// How long AWS's lists and reads may lag behind a creation.
    #[arg(long, env = "JWTHTTPAPI_LIST_SETTLE", default_value = "30s", value_parser = duration)]
    pub list_settle: Duration,

    /// How long IAM needs until a new role or a wider policy works, at most 1m. Routes are led no sooner to what that lets them
    /// invoke.
    #[arg(long, env = "JWTHTTPAPI_IAM_SETTLE", default_value = "10s", value_parser = settle)]
    pub iam_settle: Duration,

    /// How long AWS may take to deploy a change, at most 1m. Ready waits so long when no read of the stage can tell. As long after
    /// the last change an endpoint is switched on, and what served before is taken away.
    #[arg(long, env = "JWTHTTPAPI_DEPLOY_SETTLE", default_value = "5s", value_parser = settle)]
    pub deploy_settle: Duration,

    /// How often every object is compared with AWS. Stretched when that would take more than half of a budget.
    #[arg(long, env = "JWTHTTPAPI_RESYNC", default_value = "10m", value_parser = period)]
    pub resync: Duration,

    /// Requests a second to API Gateway per account and Region, 0 for no limit. AWS allows 10 for everybody together.
    #[arg(long, env = "JWTHTTPAPI_APIGATEWAY_RATE", default_value_t = Rate::API_GATEWAY.per_second, value_parser = rate)]
    pub apigateway_rate: f64,

    /// Requests to API Gateway that may go out at once after a rest.
    #[arg(long, env = "JWTHTTPAPI_APIGATEWAY_BURST", default_value_t = Rate::API_GATEWAY.burst, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub apigateway_burst: u32,

    /// Requests a second to Lambda per account and Region, 0 for no limit. AWS allows 15 for everybody together.
    #[arg(long, env = "JWTHTTPAPI_LAMBDA_RATE", default_value_t = Rate::LAMBDA.per_second, value_parser = rate)]
    pub lambda_rate: f64,

    /// Requests a second to IAM per account, 0 for no limit.
    #[arg(long, env = "JWTHTTPAPI_IAM_RATE", default_value_t = Rate::IAM.per_second, value_parser = rate)]
    pub iam_rate: f64,

    /// Requests a second to CloudWatch Logs per account and Region, 0 for no limit. AWS allows 10 for everybody together.
    #[arg(long, env = "JWTHTTPAPI_LOGS_RATE", default_value_t = Rate::LOGS.per_second, value_parser = rate)]
    pub logs_rate: f64,

    /// How many objects are worked on at once.
    #[arg(long, env = "JWTHTTPAPI_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,

    /// Whether to write only while holding the Lease jwthttpapi-leader.
    #[arg(long, env = "JWTHTTPAPI_LEADER_ELECT", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub leader_elect: bool,

    /// Namespace of the Lease. Unless given: the one that the operator runs in.
    #[arg(long, env = "JWTHTTPAPI_LEASE_NAMESPACE", value_parser = non_empty)]
    pub lease_namespace: Option<String>,

    /// Address of /livez, /readyz and /metrics; port 0 for a free one.
    #[arg(long, env = "JWTHTTPAPI_LISTEN", default_value = "0.0.0.0:8080", value_parser = listen)]
    pub listen: SocketAddr,

    /// Form of the logs.
    #[arg(long, env = "JWTHTTPAPI_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,

    /// What is logged: off, error, warn, info, debug, trace, or directives such as info,jwthttpapi=debug.
    #[arg(long, env = "JWTHTTPAPI_LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

/// Modes of invocation, in the words of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DefaultInvocation {
    /// One role for each API.
    #[value(name = "Role")]
    Role,
    /// One statement for each API in the policy of each function.
    #[value(name = "ResourcePolicy")]
    ResourcePolicy,
}

/// Forms of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For reading.
    Text,
}

impl Scope {
    /// Says what to change when flags do not go together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let Self {
            watch_namespaces,
            cluster_id,
            reclaim_from,
            ..
        } = self;
        match (watch_namespaces.is_empty(), cluster_id, reclaim_from.is_empty()) {
            (true, _, true) | (true, Some(_), false) | (false, Some(_), true) => Ok(()),
            (true, None, false) => Err(
                "--reclaim-from needs --cluster-id, by which the APIs are known: give that of the cluster that made them, or the UID of its kube-system where none was given",
            ),
            (false, None, _) => Err(
                "--watch-namespaces needs --cluster-id, since the namespace kube-system is not read then: give a name that no other cluster of the AWS account has",
            ),
            (false, _, false) => Err(WHOLE),
        }
    }
}

impl Settings {
    /// Says what to change when flags do not go together.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.scope.check()?;
        if self.delete_orphans && !self.scope.watch_namespaces.is_empty() {
            return Err(WHOLE);
        }
        Ok(())
    }
}

const WHOLE: &str = "--delete-orphans and --reclaim-from need an operator of the whole cluster: leave them or --watch-namespaces out";

fn non_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("it is empty; leave the flag out instead".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    let url: http::Uri = text
        .parse()
        .map_err(|error| format!("it is not a URL ({error}); write http://HOST:PORT"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(_)) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("it has no scheme or no host; write http://HOST:PORT or https://HOST".to_owned()),
    }
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an address and a port, such as 0.0.0.0:8080 or [::]:8080".to_owned())
}

fn cluster_id(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".:+=@_/-".contains(c);
    if text.is_empty() || text.len() > 100 || !text.chars().all(allowed) {
        return Err("write 1 to 100 letters, digits and . : + = @ _ / -".to_owned());
    }
    Ok(text.to_owned())
}

fn namespace(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty()
        || text.len() > 63
        || !text.chars().all(allowed)
        || text.starts_with('-')
        || text.ends_with('-')
    {
        return Err("write the name of a namespace: up to 63 lower-case letters, digits and -".to_owned());
    }
    Ok(text.to_owned())
}

fn uid(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 64 || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err("write a uid, such as 0f2c58ff-6a3f-4b0c-9d6e-6f2a1d8f0e11".to_owned());
    }
    Ok(text.to_owned())
}

fn pattern(text: &str) -> Result<WildMatch, String> {
    if text == "*" || text.starts_with("arn:") {
        Ok(WildMatch::new(text))
    } else {
        Err("a pattern is an ARN with * and ? in it, such as arn:aws:lambda:*:123456789012:function:team-*, or *".to_owned())
    }
}

/// Requests a second that make sense as a limit.
const RATES: RangeInclusive<f64> = 0.01..=1000.0;

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate == 0.0 || RATES.contains(&rate) => Ok(rate),
        _ => Err("write a number of requests a second from 0.01 to 1000, 0 for no limit".to_owned()),
    }
}

/// How long something takes that is done again and again: without any rest it would do nothing else.
fn period(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|period| {
        let long = period >= Duration::from_secs(1);
        long.then_some(period)
            .ok_or_else(|| "write 1s or more, such as 10m".to_owned())
    })
}

/// Waited for within a pass, which ends after two minutes.
fn settle(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|settle| {
        let short = settle <= Duration::from_secs(60);
        short
            .then_some(settle)
            .ok_or_else(|| "write 1m or less, such as 10s".to_owned())
    })
}

/// A number with a unit: ms, s, m or h; 0 needs none.
fn duration(text: &str) -> Result<Duration, String> {
    let refused = || "write a number and a unit, such as 500ms, 30s, 10m or 1h".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| refused())?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "" if number == 0 => Some(0),
        _ => None,
    };
    // A day is longer than anybody wants to wait, and short enough that no sum of durations overflows.
    millis
        .filter(|millis| *millis <= 86_400_000)
        .map(Duration::from_millis)
        .ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_that_do_nothing_without_another_say_which() {
        let check = |flags: &[&str]| {
            let args = ["jwthttpapi", "run", "--allowed-functions=*"].iter().chain(flags);
            match Cli::try_parse_from(args).unwrap().command {
                Command::Run(settings) => settings.check(),
                Command::Crds | Command::Verify(_) => unreachable!("the subcommand is run"),
            }
        };
        let wants = |flags: &[&str], flag: &str| {
            let said = check(flags).unwrap_err();
            assert!(said.contains(flag), "{said}");
        };
        wants(&["--watch-namespaces=a"], "needs --cluster-id");
        wants(&["--reclaim-from=u"], "needs --cluster-id");
        let namespaced = ["--watch-namespaces=a", "--cluster-id=c"];
        wants(
            &[&namespaced[..], &["--reclaim-from=u"]].concat(),
            "leave them or",
        );
        wants(
            &[&namespaced[..], &["--delete-orphans=true"]].concat(),
            "leave them or",
        );
        for good in [&namespaced[..], &["--reclaim-from=u", "--cluster-id=c"], &[]] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for bad in ["", "10", "s", "-1s", "1d", "25h", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_would_never_rest_or_never_go_on_is_refused() {
        assert_eq!(period("1s"), Ok(Duration::from_secs(1)));
        assert_eq!((rate("0"), rate("0.01")), (Ok(0.0), Ok(0.01)));
        for bad in ["0", "0s", "999ms"] {
            assert!(period(bad).is_err(), "{bad}");
        }
        assert_eq!(settle("1m"), Ok(Duration::from_secs(60)));
        for bad in ["61s", "60001ms", "2m", "1h"] {
            assert!(settle(bad).is_err(), "{bad}");
        }
        for bad in ["-1", "1e-20", "NaN", "inf", "1001"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn namespaces_are_names_and_not_patterns() {
        assert_eq!(namespace("team-1"), Ok("team-1".to_owned()));
        for bad in ["", "Team", "team-*", "-team", "team-", "a.b", &"a".repeat(64)] {
            assert!(namespace(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_need_a_scheme_and_a_host() {
        assert_eq!(
            endpoint("http://127.0.0.1:4566/"),
            Ok("http://127.0.0.1:4566".to_owned())
        );
        for bad in ["", "localhost:4566", "ftp://x", "http://"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns_are_arns_or_everything() {
        assert!(pattern("*").is_ok() && pattern("arn:aws:lambda:*:1:function:a-*").is_ok());
        assert!(pattern("hello").is_err() && pattern("").is_err());
    }
}
