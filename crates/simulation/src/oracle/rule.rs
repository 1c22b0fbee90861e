//! What must hold, one name each, and what broke it.

use std::fmt;

/// What must hold in every life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Nobody passes whom neither the generation in force nor a wanted one admits, judged by the data plane.
    NeverOpen,
    /// Whom both of them admit is served all the while, where nothing disturbs the change: there is a route, and it reaches a
    /// function.
    Served,
    /// There is one API of an object at a time, and no second one is made without need.
    OneApi,
    /// No two children of an API do the same.
    NoTwins,
    /// What is wanted before a change and after it is not deleted meanwhile.
    Kept,
    /// At rest AWS is as the spec says.
    AsSpecified,
    /// What is of others stays as it was, and is not written to.
    NothingForeign,
    /// After the object's end AWS is as it was before, but for what the object said it retains.
    NothingLeft,
    /// A phase comes to rest.
    ComesToRest,
    /// A phase that nothing disturbs comes to rest soon, with no more requests than it takes.
    Prompt,
    /// Who says Ready speaks the truth: AWS is as the spec says, is deployed, and can be invoked.
    Truthful,
    /// Every status keeps the rules of those who read it, and names what is denied.
    WellFormed,
    /// No secret and no text of an error is shown.
    Discreet,
    /// At rest nothing is written, to AWS or to Kubernetes, and nothing to AWS for an object that was suspended at rest.
    Quiet,
    /// API Gateway is asked no more often than the budget allows, and no object is looked at again and again.
    Courteous,
    /// In another place than the object's nothing but STS is asked.
    InPlace,
    /// Only who leads writes, and nothing is under way when the lease is given back.
    Leading,
    /// Processes end when they are asked to, and not by a panic.
    Alive,
}

impl Rule {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverOpen => "never open",
            Self::Served => "served throughout",
            Self::OneApi => "one API",
            Self::NoTwins => "no twins",
            Self::Kept => "kept",
            Self::AsSpecified => "as specified",
            Self::NothingForeign => "nothing foreign",
            Self::NothingLeft => "nothing left",
            Self::ComesToRest => "comes to rest",
            Self::Prompt => "prompt",
            Self::Truthful => "truthful",
            Self::WellFormed => "well-formed status",
            Self::Discreet => "discreet",
            Self::Quiet => "quiet",
            Self::Courteous => "courteous",
            Self::InPlace => "in place",
            Self::Leading => "leading",
            Self::Alive => "alive",
        }
    }
}

/// A rule that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// How.
    pub how: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.name(), self.how)
    }
}
