//! That every field of what the operator observes is changed by some drift: a new field does not compile before it is named here.

use super::Drift;
use jwthttpapi_core::model::{
    desired::{Cors, Jwt},
    function::{Configuration, LogGroup},
    observed::{Api, Authorizer, Function, Integration, Owned, Role, Route, Stage},
};
use std::collections::BTreeSet;

/// How a field becomes other than it was.
enum Held {
    By(Vec<Drift>),
    /// Nobody can change it, or it is a thing of its own.
    Not(&'static str),
}
use Held::{By, Not};

macro_rules! held {
    ($type:ident { $($field:ident: $held:expr,)+ }) => {{
        let _ = |value: $type| {
            let $type { $($field: _,)+ } = value;
        };
        [$((concat!(stringify!($type), ".", stringify!($field)), $held)),+]
    }};
}

fn of_the_api() -> Vec<(&'static str, Held)> {
    let api = held!(Api {
        id: Not("AWS gives it"),
        endpoint: Not("AWS gives it"),
        name: By(vec![Drift::Rename]),
        description: By(vec![Drift::Describe]),
        cors: By(vec![Drift::DropCors]),
        disable_execute_api_endpoint: By(vec![Drift::DisableEndpoint]),
        ip_address_type: By(vec![Drift::ChangeAddresses]),
        tags: By(vec![
            Drift::DropTags,
            Drift::ChangeOwnerTags,
            Drift::DropNonce,
            Drift::ReplaceNonce,
            Drift::LoseProof,
            Drift::ChangeProof,
            Drift::ChangeUserTags,
            Drift::DropUserTags,
            Drift::AddTag,
        ]),
        authorizers: By(vec![Drift::DeleteAuthorizers, Drift::ExtraAuthorizer]),
        integrations: By(vec![Drift::ExtraIntegration]),
        routes: By(vec![
            Drift::DeleteRoutes,
            Drift::ExtraRoute,
            Drift::ExtraProtectedRoute
        ]),
        stages: By(vec![Drift::DeleteStages, Drift::ExtraStage]),
    });
    let cors = held!(Cors {
        allow_origins: By(vec![Drift::ChangeCors]),
        allow_methods: By(vec![Drift::CorsMethods]),
        allow_headers: By(vec![Drift::CorsHeaders]),
        expose_headers: By(vec![Drift::CorsExposed]),
        max_age: By(vec![Drift::CorsAge]),
        allow_credentials: By(vec![Drift::CorsCredentials]),
    });
    api.into_iter().chain(cors).collect()
}

fn of_children() -> Vec<(&'static str, Held)> {
    let authorizer = held!(Authorizer {
        id: Not("AWS gives it"),
        name: By(vec![Drift::RenameAuthorizers]),
        jwt: Not("its parts follow"),
    });
    let jwt = held!(Jwt {
        identity_source: By(vec![Drift::MoveIdentitySource]),
        issuer: By(vec![Drift::MoveIssuer]),
        audience: By(vec![Drift::WidenAudience]),
    });
    let route = held!(Route {
        id: Not("AWS gives it"),
        key: By(vec![Drift::MoveRoute]),
        authorization: By(vec![
            Drift::OpenRoutes,
            Drift::SignedRoutes,
            Drift::DropScopes,
            Drift::ChangeScopes,
        ]),
        integration_id: By(vec![Drift::RetargetRoutes]),
        operation_name: By(vec![Drift::NameOperations]),
    });
    let integration = held!(Integration {
        id: Not("AWS gives it"),
        description: By(vec![Drift::Unmark]),
        kind: Not("the sandbox has no other"),
        subtype: Not("the sandbox has none"),
        uri: By(vec![Drift::Repoint]),
        method: Not("the sandbox has no other"),
        connection_type: Not("the sandbox has no other"),
        payload_format_version: By(vec![Drift::ChangePayload]),
        timeout_millis: By(vec![Drift::ChangePatience]),
        credentials: By(vec![Drift::ChangeCredentials]),
        request_parameters: By(vec![Drift::MapRequests]),
        has_response_parameters: By(vec![Drift::MapResponses]),
    });
    let stage = held!(Stage {
        name: Not("it cannot be changed"),
        auto_deploy: By(vec![Drift::StopDeploying]),
        deployment_id: Not("a stage that deploys by itself takes none"),
        deployment_message: Not("AWS writes it"),
    });
    let all = authorizer.into_iter().chain(jwt).chain(route);
    all.chain(integration).chain(stage).collect()
}

fn of_roles_and_functions() -> Vec<(&'static str, Held)> {
    let role = held!(Role {
        arn: Not("it cannot be changed"),
        trust: By(vec![Drift::BreakTrust]),
        policy: By(vec![Drift::DeletePolicy, Drift::WidenPolicy, Drift::NarrowPolicy]),
        boundary: By(vec![Drift::DropBoundary, Drift::ChangeBoundary]),
        tags: By(vec![Drift::DropRoleTags, Drift::ChangeRoleTags]),
    });
    let owned = held!(Owned {
        function: By(vec![Drift::DeleteFunctions]),
        role: By(vec![Drift::DeleteRole]),
        log_group: By(vec![Drift::DeleteLogs]),
    });
    let function = held!(Function {
        sha256: By(vec![Drift::ChangeCode]),
        architecture: By(vec![Drift::ChangeArchitecture]),
        configuration: Not("its parts follow"),
        state: Not("Lambda says it"),
        tags: By(vec![Drift::DropFunctionTags, Drift::ChangeFunctionTags]),
    });
    let configuration = held!(Configuration {
        runtime: By(vec![Drift::ChangeRuntime]),
        handler: By(vec![Drift::ChangeHandler]),
        role: By(vec![Drift::ChangeExecutionRole]),
        memory: By(vec![Drift::Configure]),
        timeout: By(vec![Drift::ChangeTimeout]),
        environment: By(vec![Drift::Configure]),
    });
    let group = held!(LogGroup {
        name: Not("it cannot be changed"),
        retention_days: By(vec![Drift::KeepLogs, Drift::ForgetLogs]),
        tags: By(vec![Drift::DropLogTags, Drift::ChangeLogTags]),
    });
    let all = role.into_iter().chain(owned).chain(function);
    all.chain(configuration).chain(group).collect()
}

/// What is about no single field: whole things, functions of the user's, policies in functions, and what others put beside the operator's.
const BESIDE: [Drift; 8] = [
    Drift::DeleteApi,
    Drift::DeleteUsersFunction,
    Drift::AttachPolicy,
    Drift::InlinePolicy,
    Drift::RemoveStatements,
    Drift::MoveStatements,
    Drift::WidenStatements,
    Drift::ExtraStatement,
];

#[test]
fn every_field_that_can_be_changed_is_changed_by_a_drift_and_every_drift_is_about_something() {
    let fields = of_the_api()
        .into_iter()
        .chain(of_children())
        .chain(of_roles_and_functions());
    let mut named: BTreeSet<Drift> = BESIDE.into();
    for (field, held) in fields {
        match held {
            By(drifts) => {
                assert!(!drifts.is_empty(), "{field}");
                named.extend(drifts);
            }
            Not(why) => assert!(!why.is_empty(), "{field}"),
        }
    }
    assert_eq!(named, Drift::ALL.iter().copied().collect());
}
