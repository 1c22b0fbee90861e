//! The Kubernetes-facing types.

mod conditions;
mod crd;
mod function;
#[cfg(any(test, feature = "oracle"))]
pub mod oracle;
mod reason;
mod report;
mod rules;
mod spec;
mod status;

pub use conditions::{ConditionType, Draft, condition, merge};
pub use crd::crd;
pub use function::{Architecture, Function, Runtime};
pub use reason::{Polarity, Reason};
pub use report::{Progress, Report, Verdict, report};
pub use spec::{
    Authorizer, Cors, DeletionPolicy, Invocation, InvocationMode, IpAddressType, JwtHttpApi, JwtHttpApiSpec,
    LambdaBackend, PayloadFormatVersion, Route,
};
pub use status::{
    AuthorizerStatus, FunctionStatus, JwtHttpApiStatus, Pending, PendingOperation, StageStatus,
};

/// The finalizer that keeps an object until AWS is clean.
pub const FINALIZER: &str = "jwthttpapi.dev/aws";
/// The field manager of everything the operator writes to Kubernetes.
pub const FIELD_MANAGER: &str = "jwthttpapi";
/// The annotation whose change means: verify AWS now.
pub const REQUESTED_AT: &str = "reconcile.jwthttpapi.dev/requestedAt";
