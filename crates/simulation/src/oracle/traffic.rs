//! What the requests alone tell: who leads, where it acts, and how much it asks.

use super::rule::{Rule, Violation};
use crate::world::{Asked, Instance, Service};
use jwthttpapi::{aws::Rate, cli::Settings};
use jwthttpapi_core::lease::TERMS;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// In how long a time passes over an object are counted.
const MINUTE: Duration = Duration::from_secs(60);
/// Passes over an object in that time, at most: failures are waited for longer each time, and what else wakes it is little.
const MOST_PASSES: usize = 20;
/// The same on an AWS that takes its time: what it does not show yet is read every two seconds.
const MOST_READS: usize = 40;

/// How often each service may be asked where settings limit it.
pub(crate) fn budgets(settings: &Settings) -> BTreeMap<&'static str, Rate> {
    let rate = |per_second, Rate { burst, .. }| Rate { per_second, burst };
    let apigateway = Rate {
        per_second: settings.apigateway_rate,
        burst: settings.apigateway_burst,
    };
    let all = [
        ("apigateway", apigateway),
        ("lambda", rate(settings.lambda_rate, Rate::LAMBDA)),
        ("iam", rate(settings.iam_rate, Rate::IAM)),
        ("logs", rate(settings.logs_rate, Rate::LOGS)),
    ];
    all.into_iter()
        .filter(|(_, rate)| rate.per_second > 0.0)
        .collect()
}

/// The requests of a life, as far as rules are about them.
pub(crate) struct Traffic {
    /// Whether processes elect a leader.
    elected: bool,
    /// How often a service may be asked, where that is limited.
    budgets: BTreeMap<&'static str, Rate>,
    /// Passes over an object in a minute, at most.
    most_passes: usize,
    processes: BTreeMap<Instance, Process>,
}

#[derive(Default)]
struct Process {
    /// When its last renewal of the lease that was carried out was sent.
    renewed: Option<Duration>,
    /// Writes to AWS that have no answer yet.
    under_way: usize,
    /// Whether the object that it read last is another place's.
    elsewhere: bool,
    /// When it read the object.
    passes: VecDeque<Duration>,
    /// Requests to a service that its budget had room for, and when, once it has sent one.
    room: BTreeMap<&'static str, (f64, Duration)>,
}

impl Traffic {
    /// None so far, of the usual AWS or of one that takes its time.
    pub(crate) fn new(elected: bool, budgets: BTreeMap<&'static str, Rate>, usual: bool) -> Self {
        Self {
            elected,
            budgets,
            most_passes: if usual { MOST_PASSES } else { MOST_READS },
            processes: BTreeMap::new(),
        }
    }

    /// A request is sent.
    pub(crate) fn sent(&mut self, from: Instance, asked: &Asked, at: Duration) -> Vec<Violation> {
        match asked.service {
            Service::Kubernetes if asked.name == "Get jwthttpapis" => self.look(from, at),
            Service::Kubernetes => Vec::new(),
            Service::Aws => self.asked(from, asked, at),
        }
    }

    fn look(&mut self, from: Instance, at: Duration) -> Vec<Violation> {
        let passes = &mut self.processes.entry(from).or_default().passes;
        passes.push_back(at);
        while passes.front().is_some_and(|first| *first + MINUTE < at) {
            passes.pop_front();
        }
        let most = self.most_passes;
        let many = passes.len() > most;
        let how = format!("more than {most} passes over an object in a minute");
        many.then_some(Violation {
            rule: Rule::Courteous,
            how,
        })
        .into_iter()
        .collect()
    }

    fn asked(&mut self, from: Instance, asked: &Asked, at: Duration) -> Vec<Violation> {
        let mut found = Vec::new();
        let name = &asked.name;
        let process = self.processes.entry(from).or_default();
        if process.elsewhere && name != "GetCallerIdentity" {
            let how = format!("{name} was sent although the object is another place's");
            found.push(Violation {
                rule: Rule::InPlace,
                how,
            });
        }
        let leads = process
            .renewed
            .is_some_and(|renewed| at < renewed + TERMS.renew_deadline);
        if self.elected && is_write(name) && !leads {
            let how = format!("{name} was sent without the lease");
            found.push(Violation {
                rule: Rule::Leading,
                how,
            });
        }
        if let Some(Rate { per_second, burst }) = self.budgets.get(asked.part) {
            let most = f64::from(*burst);
            let (room, since) = process.room.get(asked.part).copied().unwrap_or((most, at));
            let gained = at.saturating_sub(since).as_secs_f64() * per_second;
            let room = (room + gained).min(most) - 1.0;
            process.room.insert(asked.part, (room, at));
            // A read's second try is sent on credit, and whatever comes after pays it back; a write has none.
            let lent = asked.again && !is_write(name);
            // What was sent a moment too early because the clock counts milliseconds is no excess.
            if room < -1.0 && !lent {
                let part = asked.part;
                let how = format!("more than {burst} requests at once and {per_second} a second to {part}");
                found.push(Violation {
                    rule: Rule::Courteous,
                    how,
                });
            }
        }
        found
    }

    /// A process has read the object: of the place that it is in, or of another.
    pub(crate) fn read(&mut self, from: Instance, elsewhere: bool) {
        self.processes.entry(from).or_default().elsewhere = elsewhere;
    }

    /// The object is of this place again, whoever has read it before.
    pub(crate) fn healed(&mut self) {
        for process in self.processes.values_mut() {
            process.elsewhere = false;
        }
    }

    /// A process has written the lease: it holds it since it sent that, or has given it back.
    pub(crate) fn leased(&mut self, from: Instance, held_since: Option<Duration>) -> Option<Violation> {
        if held_since.is_some() {
            // Whoever held it before does so no longer.
            for process in self.processes.values_mut() {
                process.renewed = None;
            }
        }
        let process = self.processes.entry(from).or_default();
        process.renewed = held_since;
        (held_since.is_none() && process.under_way > 0).then(|| Violation {
            rule: Rule::Leading,
            how: "the lease was given back while a write was under way".to_owned(),
        })
    }

    /// A write begins, or has ended for its sender.
    pub(crate) fn under_way(&mut self, from: Instance, begins: bool) {
        let process = self.processes.entry(from).or_default();
        process.under_way = if begins {
            process.under_way + 1
        } else {
            process.under_way.saturating_sub(1)
        };
    }
}

/// Whether a request to AWS, by its name in the journal, is to change something.
pub(crate) fn is_write(name: &str) -> bool {
    match name.split_once(' ') {
        Some((method, _)) => method != "GET",
        None => !["Get", "List", "Describe"]
            .iter()
            .any(|read| name.starts_with(read)),
    }
}
