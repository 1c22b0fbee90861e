//! Rules that hold in several places of the spec.

use kube::core::Rule;

/// How an issuer begins: its keys travel from there.
pub(super) fn issuer_scheme() -> Rule {
    Rule::new("self.startsWith('https://')")
        .message("the issuer must begin with https://; write the whole URL, exactly as in the token's iss")
}

/// How an issuer ends (OpenID Connect Discovery §3: neither query nor fragment).
pub(super) fn issuer_ends_at_path() -> Rule {
    Rule::new("!self.contains('?') && !self.contains('#')")
        .message("the issuer must have no query and no fragment; remove everything from '?' or '#' on")
}

/// What stands between.
pub(super) fn issuer_has_host() -> Rule {
    Rule::new("self.matches('^[^:]*://[^/?#@ ]+(/[^ ]*)?$')")
        .message("the issuer must be a URL with a host and without user name or spaces, such as https://example.eu.auth0.com/")
}

/// Audiences of an authorizer.
pub(super) fn audience_is_named() -> Rule {
    Rule::new("self.size() > 0")
        .message("name at least one audience: the identifier of your API that the tokens carry in aud")
}

/// Where a token may be.
pub(super) fn identity_source() -> Rule {
    Rule::new("self.matches('^[$]request[.](header|querystring)[.][A-Za-z0-9._-]+$')")
        .message("identitySource must be $request.header.NAME or $request.querystring.NAME, such as $request.header.Authorization")
}

/// What a scope is (RFC 6749 §3.3); the one that closes a route is the operator's.
pub(super) fn scopes() -> Rule {
    Rule::new("self.all(s, s.matches('^[!#-Z^-~\\\\[\\\\]]+$') && s != 'jwthttpapi.dev/closed')")
        .message("a scope must be one word without spaces, quotes or backslashes, and not jwthttpapi.dev/closed, which is reserved")
}
