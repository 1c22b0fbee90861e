//! What an API server does, as cases that pass on the real kube-apiserver and on the simulated one.
//!
//! Every case is a rule and runs twice, as `…::real::…` and as `…::simulated::…`, over the same client. Objects are valid
//! throughout, since validation is not simulated. Where the two differ, the simulated one is wrong.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong anywhere in a test binary is the failure of a test"
)]

/// Makes two tests of each case.
macro_rules! on_both_grounds {
    ($($case:ident),+ $(,)?) => {
        mod real {
            $(#[test] fn $case() { crate::ground::real(super::$case); })+
        }
        mod simulated {
            $(#[test] fn $case() { crate::ground::simulated(super::$case); })+
        }
    };
}

mod create;
mod deletion;
mod generation;
mod ground;
mod lease;
mod operator;
mod patch;
mod replace;
mod status;
mod watch;
