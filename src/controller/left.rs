//! What a release could not give up, in a sentence that is the same each time.

use crate::aws::{Fault, Operation, Outcome};
use jwthttpapi_core::{
    api::JwtHttpApiStatus,
    model::observed::{Owned, Reading},
    plan::Step,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What of one of the object's own functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Function,
    Role,
    LogGroup,
}

impl Part {
    const ALL: [Self; 3] = [Self::Function, Self::Role, Self::LogGroup];

    const fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Role => "role",
            Self::LogGroup => "log group",
        }
    }

    /// What says whether there is one.
    const fn read(self) -> Operation {
        match self {
            Self::Function => Operation::GetFunction,
            Self::Role => Operation::GetRole,
            Self::LogGroup => Operation::ListLogGroupTags,
        }
    }
}

/// Why, and what is left for it: a cause that keeps everything is said once.
#[derive(Debug, Default)]
pub(super) struct Left(BTreeMap<String, Things>);

#[derive(Debug, Default)]
struct Things {
    others: BTreeSet<String>,
    /// By the functions' names in AWS.
    functions: BTreeMap<String, BTreeSet<Part>>,
}

impl Left {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Something is left, and why.
    pub(super) fn add(&mut self, what: String, why: &str) {
        self.because(why).others.insert(what);
    }

    /// Everything that status names is left, and why.
    pub(super) fn add_named(&mut self, status: &JwtHttpApiStatus, why: &str) {
        let api = status.api_id.iter().map(|id| format!("API {id}"));
        let role = status.role_arn.iter().map(|arn| format!("role {arn}"));
        let last = status.reclaimed_from.iter().map(|uid| format!("what {uid} left"));
        for what in api.chain(role).chain(last) {
            self.add(what, why);
        }
        for told in &status.functions {
            let name = told.arn.rsplit(':').next().unwrap_or_default();
            let parts = &mut self.because(why).functions;
            parts.entry(name.to_owned()).or_default().extend(Part::ALL);
        }
    }

    /// What could not be read of a function may be there and is left.
    pub(super) fn add_unread(&mut self, name: &str, seen: &Owned, faults: &[Fault]) {
        let unread = [
            (Part::Function, seen.function == Reading::Unknown),
            (Part::Role, seen.role == Reading::Unknown),
            (Part::LogGroup, seen.log_group == Reading::Unknown),
        ];
        for (part, _) in unread.into_iter().filter(|(_, unread)| *unread) {
            let why = why(faults, part.read());
            let parts = &mut self.because(&why).functions;
            parts.entry(name.to_owned()).or_default().insert(part);
        }
    }

    /// What a plan of release did not do: what AWS refused, and what was left because of that or of the time.
    pub(super) fn add_undone(&mut self, plan: &Outcome) {
        for (step, fault) in &plan.faults {
            self.add(untagged(step, plan), &fault.message());
        }
        for step in &plan.skipped {
            let like = plan
                .faults
                .iter()
                .find(|(failed, _)| failed.service() == step.service());
            let why = like.map_or_else(
                || "there was no time for it".to_owned(),
                |(_, fault)| fault.message(),
            );
            self.add(untagged(step, plan), &why);
        }
    }

    fn because(&mut self, why: &str) -> &mut Things {
        self.0.entry(why.to_owned()).or_default()
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (why, things)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{things} ({why})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Things {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_parts: BTreeMap<&BTreeSet<Part>, Vec<&str>> = BTreeMap::new();
        for (name, parts) in &self.functions {
            by_parts.entry(parts).or_default().push(name);
        }
        let functions = by_parts.into_iter().map(|(parts, names)| {
            let parts: Vec<&str> = parts.iter().map(|part| part.word()).collect();
            format!("{} of {}", parts.join(", "), names.join(", "))
        });
        let all: Vec<String> = self.others.iter().cloned().chain(functions).collect();
        f.write_str(&all.join(", "))
    }
}

/// Why a read did not answer, in words: its own fault, or that of another one of the service beside it.
pub(super) fn why(faults: &[Fault], read: Operation) -> String {
    let own = faults.iter().find(|fault| fault.operation == read);
    let beside = || faults.iter().find(|fault| fault.service == read.service());
    let fault = own.or_else(beside);
    fault.map_or_else(|| "it could not be read".to_owned(), Fault::message)
}

/// What a step of a release is about.
fn untagged(step: &Step, plan: &Outcome) -> String {
    match step {
        Step::UntagApi(_) => format!("API {}", plan.refs.api.as_deref().unwrap_or_default()),
        Step::UntagRole { role, .. } => format!("role {}", role.name),
        Step::UntagFunction { name, .. } => format!("function {name}"),
        Step::UntagLogGroup { log_group, .. } => format!("log group {log_group}"),
        other => other.to_string(),
    }
}
