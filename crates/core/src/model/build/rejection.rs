//! What an installer allows and asks for, and what is wrong with a spec.

use crate::api::{InvocationMode, Reason};
use crate::model::{DefaultTags, PolicyArn, RolePath};
use crate::words::listed;
use wildmatch::WildMatch;

/// What the installer allows and asks for.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Patterns of function ARNs that routes may lead to; none allows none.
    pub allowed_functions: Vec<WildMatch>,
    /// Patterns of role ARNs that objects may bring; none allows none.
    pub passable_roles: Vec<WildMatch>,
    /// What every role is bounded by, if anything.
    pub permissions_boundary: Option<PolicyArn>,
    /// Where roles are made.
    pub role_path: RolePath,
    /// Tags of everything taggable; those of a spec win.
    pub default_tags: DefaultTags,
    /// How API Gateway is let in where a spec does not say.
    pub default_invocation: InvocationMode,
}

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where, such as `spec.routes[GET /a].lambda`.
    pub path: String,
    /// The reason it stands for.
    pub reason: Reason,
    /// What is wrong and what to type instead.
    pub message: String,
}

/// Why a spec cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// At least one, sorted.
    pub violations: Vec<Violation>,
}

impl Rejection {
    /// The gravest reason of its violations.
    pub fn reason(&self) -> Reason {
        let reasons = self.violations.iter().map(|violation| violation.reason);
        reasons.min().unwrap_or(Reason::InvalidSpec)
    }

    /// All of it in one deterministic, bounded text.
    pub fn message(&self) -> String {
        let each = |violation: &Violation| format!("{}: {}", violation.path, violation.message);
        listed(&self.violations.iter().map(each).collect::<Vec<_>>(), "; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_reason_is_told_wherever_it_stands() {
        let violation = |path: &str, reason| Violation {
            path: path.to_owned(),
            reason,
            message: String::new(),
        };
        let rejection = Rejection {
            violations: vec![
                violation("spec.invocation.roleArn", Reason::RoleNotAllowed),
                violation("spec.routes[GET /a]", Reason::InvalidSpec),
            ],
        };
        assert!(Reason::InvalidSpec < Reason::RoleNotAllowed);
        assert_eq!(rejection.reason(), Reason::InvalidSpec);
    }
}
