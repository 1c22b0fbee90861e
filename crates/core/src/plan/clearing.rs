//! How each field of AWS is cleared: every `Update*` merges, and what is left out keeps its value.

/// How a field loses its value (aws-facts §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearing {
    /// Send an empty text.
    EmptyText,
    /// Send an empty list.
    EmptyList,
    /// Send this value.
    Value(&'static str),
    /// Send an empty text for each key to drop: the map merges.
    EmptyTextPerKey,
    /// Call this operation.
    Call(&'static str),
    /// Send the whole again: it is replaced.
    Whole,
    /// Delete the resource and create another.
    Replace,
}

/// How a field of a resource is cleared; none for what the operator never sets.
pub fn clearing(resource: &str, field: &str) -> Option<Clearing> {
    TABLE
        .iter()
        .find(|(r, f, _)| *r == resource && *f == field)
        .map(|(_, _, how)| *how)
}

/// Every row of aws-facts §6 that is in scope (all O).
const TABLE: &[(&str, &str, Clearing)] = &[
    ("Api", "description", Clearing::EmptyText),
    (
        "Api",
        "corsConfiguration",
        Clearing::Call("DeleteCorsConfiguration"),
    ),
    ("Api", "disableExecuteApiEndpoint", Clearing::Value("false")),
    ("Api", "ipAddressType", Clearing::Value("ipv4")),
    ("Api", "tags", Clearing::Call("UntagResource")),
    ("Authorizer", "jwtConfiguration", Clearing::Whole),
    ("Integration", "requestParameters", Clearing::EmptyTextPerKey),
    ("Integration", "credentialsArn", Clearing::Replace),
    ("Integration", "integrationType", Clearing::Replace),
    ("Integration", "connectionType", Clearing::Replace),
    ("Route", "authorizationType", Clearing::Value("NONE")),
    ("Route", "authorizationScopes", Clearing::EmptyList),
    ("Route", "operationName", Clearing::EmptyText),
];
