//! What steps are about: kinds of things, each of one service.

/// The services that steps go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// API Gateway.
    ApiGateway,
    /// IAM.
    Iam,
    /// Lambda.
    Lambda,
    /// CloudWatch Logs.
    Logs,
}

/// The kinds of things that steps change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The API itself.
    Api,
    /// An authorizer of it.
    Authorizer,
    /// An integration of it.
    Integration,
    /// A route of it.
    Route,
    /// A stage of it.
    Stage,
    /// A role: the one that invokes the functions, or one that a function runs under.
    Role,
    /// A statement in a function's policy.
    Permission,
    /// A function of the object's own.
    Function,
    /// Its log group.
    LogGroup,
}

impl Kind {
    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Authorizer => "authorizer",
            Self::Integration => "integration",
            Self::Route => "route",
            Self::Stage => "stage",
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Function => "function",
            Self::LogGroup => "log_group",
        }
    }

    /// The service that has such things.
    pub const fn service(self) -> Service {
        match self {
            Self::Api | Self::Authorizer | Self::Integration | Self::Route | Self::Stage => {
                Service::ApiGateway
            }
            Self::Role => Service::Iam,
            Self::Permission | Self::Function => Service::Lambda,
            Self::LogGroup => Service::Logs,
        }
    }
}
