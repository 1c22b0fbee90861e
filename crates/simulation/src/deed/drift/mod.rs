//! What somebody changes of the object's things in AWS.
//!
//! One room per kind of thing. What AWS refuses did not happen.

mod api;
mod authorizers;
#[cfg(test)]
mod complete;
mod functions;
mod integrations;
mod logs;
mod own;
mod roles;
mod routes;
mod stages;
mod statements;

pub(crate) use roles::SOMEBODY;

use crate::{ground::stranger, world::World};
use aws_sdk_apigatewayv2::Client as Gateway;
use std::time::Duration;

/// Declares the drifts with what they are about, and lists all of them.
macro_rules! drifts {
    ($($place:ident { $($(#[doc = $doc:literal])+ $name:ident,)+ })+) => {
        /// What somebody changes in AWS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Drift {
            $($($(#[doc = $doc])+ $name,)+)+
        }

        impl Drift {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            const fn place(self) -> Place {
                match self {
                    $($(Self::$name)|+ => Place::$place,)+
                }
            }
        }
    };
}

/// What a drift is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Api,
    Authorizers,
    Routes,
    Integrations,
    Stages,
    Roles,
    Statements,
    Functions,
    Logs,
}

drifts! {
    Api {
        /// The API is deleted.
        DeleteApi,
        /// It has another name.
        Rename,
        /// It has another description.
        Describe,
        /// Its own endpoint answers nobody.
        DisableEndpoint,
        /// It answers on other addresses.
        ChangeAddresses,
        /// CORS is other than it was.
        ChangeCors,
        /// CORS is gone.
        DropCors,
        /// Other methods are allowed.
        CorsMethods,
        /// Other headers of requests are allowed.
        CorsHeaders,
        /// Other headers of answers are shown.
        CorsExposed,
        /// Browsers keep the answer for another time.
        CorsAge,
        /// Browsers may send credentials.
        CorsCredentials,
        /// The ownership tags but those of the proof are lost.
        DropTags,
        /// Those have other values. With another nonce it would be for a person to say whose the API is.
        ChangeOwnerTags,
        /// The nonce's tag is lost.
        DropNonce,
        /// It has another nonce, for three minutes.
        ReplaceNonce,
        /// The tags of the proof are lost: it is nobody's.
        LoseProof,
        /// They have other values: it is somebody else's.
        ChangeProof,
        /// The user's tags have other values.
        ChangeUserTags,
        /// The user's tags are lost.
        DropUserTags,
        /// There is a tag more.
        AddTag,
    }
    Authorizers {
        /// They take other audiences.
        WidenAudience,
        /// They take another issuer.
        MoveIssuer,
        /// They look for the token elsewhere.
        MoveIdentitySource,
        /// They have other names.
        RenameAuthorizers,
        /// They are deleted, and their routes let everybody in.
        DeleteAuthorizers,
        /// Authorizers more, which no route uses, of names that there are among them.
        ExtraAuthorizer,
    }
    Routes {
        /// Every route is deleted.
        DeleteRoutes,
        /// Every route lets everybody in.
        OpenRoutes,
        /// Routes ask for no scopes.
        DropScopes,
        /// Routes ask for another scope.
        ChangeScopes,
        /// Every route asks for AWS's own signatures.
        SignedRoutes,
        /// Routes lead elsewhere, by another integration.
        RetargetRoutes,
        /// Routes have other operation names.
        NameOperations,
        /// The first route has another key.
        MoveRoute,
        /// A route more lets everybody in.
        ExtraRoute,
        /// A route more, for the holders of tokens.
        ExtraProtectedRoute,
    }
    Integrations {
        /// An integration more, which no route uses.
        ExtraIntegration,
        /// The integrations lead elsewhere.
        Repoint,
        /// They send events of another version.
        ChangePayload,
        /// They give up sooner.
        ChangePatience,
        /// Their descriptions do not tell any more what they are.
        Unmark,
        /// They invoke by a role of somebody else's.
        ChangeCredentials,
        /// They change requests.
        MapRequests,
        /// They change answers.
        MapResponses,
    }
    Stages {
        /// Every stage is deleted.
        DeleteStages,
        /// A stage more.
        ExtraStage,
        /// The stages are not deployed by themselves any more.
        StopDeploying,
    }
    Roles {
        /// The role is deleted.
        DeleteRole,
        /// The role's policy is deleted.
        DeletePolicy,
        /// The role may do everything with functions.
        WidenPolicy,
        /// The role may do less than it should.
        NarrowPolicy,
        /// Nobody who should may assume the role.
        BreakTrust,
        /// Nothing bounds the role any more.
        DropBoundary,
        /// Something else bounds the role.
        ChangeBoundary,
        /// A policy of somebody else's is attached to the role, for three minutes.
        AttachPolicy,
        /// The role has a further policy of somebody else's in itself, for three minutes.
        InlinePolicy,
        /// The ownership tags but those of the proof are lost.
        DropRoleTags,
        /// The user's tags have other values, and there is one more.
        ChangeRoleTags,
    }
    Statements {
        /// The statements in the functions' policies are gone.
        RemoveStatements,
        /// They admit another API.
        MoveStatements,
        /// They admit everybody.
        WidenStatements,
        /// Somebody adds one by hand whose id looks like the operator's, for a minute.
        ExtraStatement,
    }
    Functions {
        /// The object's own functions are deleted.
        DeleteFunctions,
        /// They have other code.
        ChangeCode,
        /// They are for other processors.
        ChangeArchitecture,
        /// They have more memory and other variables.
        Configure,
        /// They run in something else.
        ChangeRuntime,
        /// They begin elsewhere.
        ChangeHandler,
        /// They have more time.
        ChangeTimeout,
        /// They run under a role of somebody else's.
        ChangeExecutionRole,
        /// The ownership tags but those of the proof are lost.
        DropFunctionTags,
        /// The user's tags have other values, and there is one more.
        ChangeFunctionTags,
        /// The user's function, to which routes lead, is gone for three minutes.
        DeleteUsersFunction,
    }
    Logs {
        /// Their log groups are deleted.
        DeleteLogs,
        /// Their logs are kept for ever.
        KeepLogs,
        /// Their logs are kept for a day.
        ForgetLogs,
        /// The ownership tags but those of the proof are lost.
        DropLogTags,
        /// The user's tags have other values, and there is one more.
        ChangeLogTags,
    }
}

/// Keys of ownership tags that prove nothing.
const WITHOUT_PROOF: [&str; 4] = [
    "jwthttpapi.dev/namespace",
    "jwthttpapi.dev/name",
    NONCE,
    "jwthttpapi.dev/deletion-policy",
];
const NONCE: &str = "jwthttpapi.dev/nonce";
/// Keys of those that prove whose something is.
const PROOF: [&str; 2] = ["jwthttpapi.dev/cluster", "jwthttpapi.dev/uid"];
/// The key of the scenarios' tag.
const USER_TAG: &str = "team";
/// A tag that nobody asks for.
const MORE: &str = "somebody";
/// How long something lasts that only the one who does it can undo: it ends before anybody gives up.
const A_WHILE: Duration = Duration::from_secs(180);

impl Drift {
    /// Whether it may let somebody in, by itself or when it takes from a broader route what came before it.
    pub(super) const fn opens(self) -> bool {
        matches!(
            self,
            Self::WidenAudience
                | Self::MoveIssuer
                | Self::MoveIdentitySource
                | Self::DeleteAuthorizers
                | Self::DeleteRoutes
                | Self::OpenRoutes
                | Self::DropScopes
                | Self::ChangeScopes
                | Self::MoveRoute
                | Self::ExtraRoute
                | Self::ExtraProtectedRoute
        )
    }

    /// Happens, as far as there is something that it can happen to.
    pub(super) async fn happen(self, world: &World) {
        let config = stranger(world.sandbox());
        match self.place() {
            Place::Roles => roles::happen(self, world, &config).await,
            Place::Statements => statements::happen(self, world, &config).await,
            Place::Functions => functions::happen(self, world, &config).await,
            Place::Logs => logs::happen(self, world, &config).await,
            place => {
                let Some(api) = world.api() else { return };
                let gateway = Gateway::new(&config);
                // None when the API went meanwhile.
                let done = match place {
                    Place::Api => api::happen(self, world, &gateway, &api).await,
                    Place::Authorizers => authorizers::happen(self, &gateway, &api).await,
                    Place::Routes => routes::happen(self, &gateway, &api).await,
                    Place::Integrations => integrations::happen(self, &gateway, &api).await,
                    _ => stages::happen(self, &gateway, &api).await,
                };
                let _ = done;
            }
        }
    }
}
