//! What happens in a life beside the faults: the specs, one after the other, and the ground that they stand on.

mod repointed;
mod usual;

use clap::Parser;
use jwthttpapi::cli::{Cli, Command, Settings};
use serde_json::{Value, json};
use usual::route;

/// An issuer that AWS reaches.
pub const ISSUER: &str = "https://issuer.example/";
/// Another one.
pub const OTHER_ISSUER: &str = "https://other.example/";

/// What happens.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one life")]
pub struct Scenario {
    /// Its name on the command line and in tables.
    pub name: &'static str,
    /// The spec that is created.
    pub first: Value,
    /// The spec that it is changed to; none for a life without a change.
    pub second: Option<Value>,
    /// Switches of the sandbox, as a merge patch.
    pub switches: Value,
    /// Flags of the operator beside those that every scenario has.
    pub flags: &'static [&'static str],
    /// How many processes run at once.
    pub replicas: u32,
    /// Whether they elect a leader. If not, each of them leads.
    pub elected: bool,
    /// Whether the operator keeps to its budgets of requests.
    pub limited: bool,
    /// Whether the user asks for a verification before the end.
    pub verified: bool,
    /// Whether resyncs are waited for then.
    pub resyncs: bool,
    /// Whether another object is there, on the same functions, for which all is done.
    pub neighbour: bool,
    /// Whether the object goes without its finalizer in the end, and what it leaves in AWS is an orphan.
    pub abandoned: bool,
    /// The name of the bug that is planted in the operator, in builds that can.
    pub planted: Option<&'static str>,
}

impl Scenario {
    /// Whether AWS is as it usually is: at once.
    pub fn is_usual(&self) -> bool {
        self.switches == json!({})
    }

    /// The operator's settings.
    pub fn settings(&self) -> Settings {
        let flags = ["jwthttpapi", "run", "--allowed-functions=*"];
        let unlimited = [
            "--apigateway-rate=0",
            "--lambda-rate=0",
            "--iam-rate=0",
            "--logs-rate=0",
        ];
        let rates = if self.limited { &[][..] } else { &unlimited[..] };
        let leader = format!("--leader-elect={}", self.elected);
        let args = flags
            .into_iter()
            .chain([leader.as_str()])
            .chain(rates.iter().copied())
            .chain(self.flags.iter().copied());
        match Cli::try_parse_from(args).expect("flags of a scenario").command {
            Command::Run(settings) => *settings,
            Command::Crds | Command::Verify(_) => unreachable!("the subcommand is run"),
        }
    }

    /// One of each kind.
    pub fn all() -> Vec<Self> {
        vec![Self::smallest(), Self::role(), Self::policy(), Self::functions()]
    }

    /// Every scenario in which each request is met by each fault: those above, a strict organisation, a full budget, lists and
    /// reads that lag, two processes, of which one leads or each of them does, another object, what is retained, suspended or
    /// left without its object, lists of many pages, an endpoint that is switched on, and routes that get other functions.
    pub fn every() -> Vec<Self> {
        let mut every = Self::all();
        every.extend([
            Self::organisation(),
            Self::wide(),
            Self::lagging(),
            Self::delayed(),
            Self::leaders(),
            Self::rivals(),
            Self::beside(),
            Self::retained(),
            Self::suspended(),
            Self::abandoned(),
            Self::paged(),
            Self::switched(),
        ]);
        every.extend(Self::repointed());
        every
    }

    /// Every scenario that faults are drawn for: one of each kind, twice as often as two processes, of which one leads or each of
    /// them does, as another object beside it, as what is retained, suspended or left without its object, as a narrow budget, as
    /// an endpoint that is switched on, and as each way to get other functions. Leases are most of what two ask for.
    pub fn by_chance() -> Vec<Self> {
        let mut all = Self::all();
        all.extend(Self::all());
        all.extend([
            Self::pair(),
            Self::rivals(),
            Self::beside(),
            Self::retained(),
            Self::suspended(),
            Self::abandoned(),
            Self::unhurried(),
            Self::switched(),
        ]);
        all.extend(Self::repointed());
        all
    }

    /// Beside another object that works.
    pub fn beside() -> Self {
        Self {
            name: "beside",
            neighbour: true,
            ..Self::smallest()
        }
    }

    /// One of everything, retained when its object goes.
    pub fn retained() -> Self {
        let mut first = Self::functions().first;
        first["deletionPolicy"] = json!("Retain");
        first["functions"] = json!([first["functions"][0]]);
        first["routes"] = json!([first["routes"][0], first["routes"][2]]);
        Self {
            name: "retained",
            first,
            second: None,
            resyncs: false,
            ..Self::functions()
        }
    }

    /// One of everything, whose object goes without its finalizer: an hour later the operator removes what is left.
    pub fn abandoned() -> Self {
        let mut abandoned = Self::retained();
        abandoned.name = "abandoned";
        abandoned.first["deletionPolicy"] = json!("Delete");
        abandoned.flags = &["--delete-orphans"];
        abandoned.abandoned = true;
        abandoned
    }

    /// Changed and suspended at once, so that the change waits, and the deletion, too, until that is lifted.
    pub fn suspended() -> Self {
        let mut suspended = Self::brief();
        suspended.name = "suspended";
        if let Some(second) = &mut suspended.second {
            second["suspend"] = json!(true);
        }
        suspended
    }

    /// Everything twice, on an AWS whose lists come one by one and in no order.
    pub fn paged() -> Self {
        let mut paged = Self::smallest();
        paged.name = "paged";
        paged.switches = json!({"page_size": 1, "list_order": "shuffled"});
        paged.first["authorizers"] = json!([{"name": "other", "issuer": OTHER_ISSUER, "audience": ["two"]}]);
        let mut other = route("GET /b", "two");
        other["authorizer"] = json!("other");
        paged.first["routes"] = json!([route("GET /a", "one"), other]);
        paged
    }

    /// Two processes, of which one leads, with resource policies.
    pub fn pair() -> Self {
        Self {
            name: "pair",
            replicas: 2,
            elected: true,
            // The lease is renewed every two seconds.
            resyncs: false,
            ..Self::policy()
        }
    }

    /// Two processes, of which one leads, and the fewest requests.
    pub fn leaders() -> Self {
        Self {
            name: "leaders",
            replicas: 2,
            elected: true,
            ..Self::smallest()
        }
    }

    /// Two processes that both take themselves for the leader, all the time.
    pub fn rivals() -> Self {
        Self {
            name: "rivals",
            replicas: 2,
            ..Self::brief()
        }
    }

    /// The barest life with two processes that both lead, on an AWS whose lists lag.
    pub fn hasty() -> Self {
        Self {
            name: "hasty",
            switches: json!({"list_lag_ms": 25_000}),
            replicas: 2,
            ..Self::bare()
        }
    }

    /// The smallest one with a change: another function, and a scope.
    pub fn brief() -> Self {
        let mut brief = Self::smallest();
        let mut second = brief.first.clone();
        second["routes"] = json!([{"routeKey": "GET /a", "scopes": ["read"], "lambda": {"name": "two"}}]);
        brief.name = "brief";
        brief.second = Some(second);
        brief
    }

    /// The smallest one on an AWS whose lists show nothing before it is half a minute old.
    pub fn lagging() -> Self {
        Self {
            name: "lagging",
            switches: json!({"list_lag_ms": 25_000}),
            ..Self::smallest()
        }
    }

    /// A role, then a statement on another function, on an AWS whose reads show neither before it is some time old.
    pub fn delayed() -> Self {
        let mut delayed = Self::brief();
        let second = delayed.second.clone();
        delayed.first["invocation"] = json!({"mode": "Role"});
        delayed.name = "delayed";
        delayed.switches = json!({"read_lag_ms": 20_000});
        delayed.second = second;
        delayed
    }

    /// The same on an AWS whose unconfirmed behaviour a seed decides. Lists lag by less than `--list-settle`.
    #[must_use]
    pub fn drawn(&self, seed: u64) -> Self {
        let mut draw = fastrand::Rng::with_seed(seed);
        let mut pick = |choices: &[Value]| choices[draw.usize(..choices.len())].clone();
        let both = [json!(false), json!(true)];
        let switches = json!({
            "list_lag_ms": pick(&[json!(0), json!(0), json!(3_000), json!(25_000)]),
            "function_delay_ms": pick(&[json!(0), json!(2_500)]),
            "function_role_must_be_assumable": pick(&both),
            "iam_delay_ms": pick(&[json!(0), json!(8_000)]),
            "deploy_delay_ms": pick(&[json!(0), json!(800), json!(3_000)]),
            "page_size": pick(&[json!(1), json!(2), json!(25), json!(1000)]),
            "list_order": pick(&[json!("creation"), json!("reversed"), json!("shuffled")]),
            "authorizer_names_unique": pick(&both),
            "keep_authorizer_id_on_none": pick(&both),
            "refuse_none_with_scopes": pick(&both),
            "delete_in_use_status": pick(&[json!(409), json!(400)]),
            "full_quota": pick(&[json!("conflict"), json!("too_many_requests"), json!("bad_request")]),
            "revalidate_issuer_on_update": pick(&both),
            "credentials_arn_empty_clears": pick(&both),
            "concurrent_modification": pick(&both),
            "issuer_must_match_document": pick(&both),
            "environment_without_variables_clears": pick(&both),
            "update_code_resets_architecture": pick(&both),
            "stage_name_hyphens": pick(&both),
            "trailing_slash_matches": pick(&both),
            "api_settings_deploy": pick(&both),
            "read_lag_ms": pick(&[json!(0), json!(1_500)]),
        });
        Self {
            switches,
            // Two resyncs are as many requests as a creation: not each life has them.
            resyncs: self.resyncs && seed.is_multiple_of(4),
            ..self.clone()
        }
    }

    /// The same without a verification: created, Ready, deleted, gone.
    pub fn bare() -> Self {
        Self {
            name: "bare",
            verified: false,
            ..Self::smallest()
        }
    }

    /// Forty routes, within the usual budgets.
    pub fn wide() -> Self {
        let routes: Vec<Value> = (0..40)
            .map(|number| route(&format!("GET /{number}"), "one"))
            .collect();
        let mut wide = Self::smallest();
        wide.name = "wide";
        wide.limited = true;
        wide.first["routes"] = routes.into();
        wide
    }

    /// One write after the other, on an AWS that takes several times as long to deploy each of them.
    pub fn unhurried() -> Self {
        Self {
            name: "unhurried",
            switches: json!({"deploy_delay_ms": 3_000}),
            flags: &["--apigateway-burst=1"],
            limited: true,
            resyncs: false,
            ..Self::policy()
        }
    }

    /// Switched off, then on with another audience, on an AWS that switches at once and deploys later.
    pub fn switched() -> Self {
        let mut switched = Self::smallest();
        let mut second = switched.first.clone();
        second["audience"] = json!(["two"]);
        switched.name = "switched";
        switched.switches = json!({"api_settings_deploy": false, "deploy_delay_ms": 3_000});
        switched.first["disableExecuteApiEndpoint"] = json!(true);
        switched.second = Some(second);
        switched
    }

    /// Roles of both kinds in a strict organisation: bounded, under a path of its own, with its tags on everything.
    pub fn organisation() -> Self {
        let mut own = Self::functions();
        own.name = "organisation";
        own.flags = &[
            "--permissions-boundary=arn:aws:iam::123456789012:policy/boundary",
            "--role-path=/team/",
            "--default-tags=team=beneath,stage=test",
        ];
        own
    }

    /// The scenario of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::by_chance()
            .into_iter()
            .chain(Self::every())
            .chain([Self::bare(), Self::brief(), Self::hasty()])
            .find(|scenario| scenario.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwthttpapi_sandbox::Settings;

    #[test]
    fn a_seed_decides_each_thing_that_aws_may_do_or_not() {
        let settings = serde_json::to_value(Settings::default()).unwrap();
        let drawn = Scenario::smallest().drawn(1).switches;
        let switches = settings.as_object().unwrap().iter();
        // The clocks of all are one here, so that AWS does what it surely does.
        let unsure = |name: &str| name != "signatures_expire";
        let switches = switches.filter(|(name, value)| value.is_boolean() && unsure(name));
        let left: Vec<&String> = switches
            .map(|(name, _)| name)
            .filter(|name| drawn[*name].is_null())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
