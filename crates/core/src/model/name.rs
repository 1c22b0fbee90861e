//! Names: parsed once, trusted afterwards. The names of everything that the operator makes in AWS are the pure functions at
//! the end, each with its quota.

use super::{Owner, RolePath, hash};
use std::fmt;

/// Why a text is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct Invalid {
    text: String,
    expected: &'static str,
}

fn invalid(text: &str, expected: &'static str) -> Invalid {
    Invalid {
        text: text.to_owned(),
        expected,
    }
}

/// Where the operator acts: partition, account and Region, as STS and the configuration say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Twelve digits.
    pub account: String,
    /// Such as `eu-central-1`.
    pub region: String,
}

impl Place {
    /// The place of an identity's ARN, as `sts:GetCallerIdentity` answers it.
    ///
    /// # Errors
    /// When the text is not an ARN with a twelve-digit account.
    pub fn of_identity(arn: &str, region: &str) -> Result<Self, Invalid> {
        let mut parts = arn.split(':');
        let (scheme, partition, account) = (parts.next(), parts.next(), parts.nth(2));
        match (scheme, partition, account) {
            (Some("arn"), Some(partition), Some(account)) if is_account(account) && !partition.is_empty() => {
                Ok(Self {
                    partition: partition.to_owned(),
                    account: account.to_owned(),
                    region: region.to_owned(),
                })
            }
            _ => Err(invalid(arn, "the ARN of an identity with an account")),
        }
    }

    /// ARN by which an API is tagged. It carries no account (D, API Gateway tagging guide).
    pub fn api_arn(&self, api_id: &str) -> String {
        format!(
            "arn:{}:apigateway:{}::/apis/{api_id}",
            self.partition, self.region
        )
    }

    /// The source that a Lambda permission admits: every route of one API (O, aws-facts §4).
    pub fn execute_api_arn(&self, api_id: &str) -> String {
        format!(
            "arn:{}:execute-api:{}:{}:{api_id}/*/*",
            self.partition, self.region, self.account
        )
    }

    /// ARN of a function of this account and Region.
    pub fn function_arn(&self, name: &str) -> String {
        format!(
            "arn:{}:lambda:{}:{}:function:{name}",
            self.partition, self.region, self.account
        )
    }

    /// ARN of a log group, without the `:*` that stands for its streams.
    pub fn log_group_arn(&self, log_group: &str) -> String {
        format!(
            "arn:{}:logs:{}:{}:log-group:{log_group}",
            self.partition, self.region, self.account
        )
    }

    /// ARN of a role of this account.
    pub fn role_arn(&self, role: &RoleName) -> String {
        format!(
            "arn:{}:iam::{}:role{}{}",
            self.partition, self.account, role.path, role.name
        )
    }
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// HTTP methods of a route key. `Any` matches all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// DELETE
    Delete,
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// PATCH
    Patch,
    /// POST
    Post,
    /// PUT
    Put,
    /// Every method.
    Any,
}

impl Method {
    /// Every single method, without [`Method::Any`].
    pub const SINGLE: [Self; 7] = [
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// The word in route keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Any => "ANY",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::SINGLE
            .into_iter()
            .chain([Self::Any])
            .find(|method| method.as_str() == text)
    }
}

/// One segment of a route's path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// Plain text.
    Literal(String),
    /// `{name}`: one segment, whatever it is.
    Param(String),
    /// `{name+}`: the rest of the path, one segment or more.
    Greedy(String),
}

/// A route key: `$default`, or a method and a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteKey {
    text: String,
    pattern: Pattern,
}

/// What a route key matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// A method and the segments of a path; no segment for `/`.
    Path(Method, Vec<Segment>),
    /// Whatever no other route takes.
    Default,
}

impl RouteKey {
    const EXPECTED: &'static str = "a route key such as GET /pets/{id} or $default";
    const DIFFERENT: &'static str =
        "a route key whose parameters all have different names; rename one of the two";

    /// Parses a route key by the grammar of aws-facts §2 (D, O).
    ///
    /// # Errors
    /// When the method is unknown, the path does not begin with a slash, a segment is empty or malformed, a greedy segment is
    /// not the last, or a parameter name repeats.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refused = || invalid(text, Self::EXPECTED);
        if text == "$default" {
            return Ok(Self {
                text: text.to_owned(),
                pattern: Pattern::Default,
            });
        }
        let (method, path) = text.split_once(' ').ok_or_else(refused)?;
        let method = Method::parse(method).ok_or_else(refused)?;
        let path = path.strip_prefix('/').ok_or_else(refused)?;
        let mut segments = Vec::new();
        if !path.is_empty() {
            for part in path.split('/') {
                if matches!(segments.last(), Some(Segment::Greedy(_))) {
                    return Err(refused());
                }
                segments.push(Segment::parse(part).ok_or_else(refused)?);
            }
        }
        let mut names: Vec<&str> = segments.iter().filter_map(Segment::parameter).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(invalid(text, Self::DIFFERENT));
        }
        Ok(Self {
            text: text.to_owned(),
            pattern: Pattern::Path(method, segments),
        })
    }

    /// The key as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it matches.
    pub const fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The key with its parameters' names left out: two keys of one shape match the same requests.
    pub fn shape(&self) -> String {
        match &self.pattern {
            Pattern::Default => "$default".to_owned(),
            Pattern::Path(method, segments) => {
                let mut shape = method.as_str().to_owned();
                for segment in segments {
                    shape.push('/');
                    shape.push_str(match segment {
                        Segment::Literal(text) => text,
                        Segment::Param(_) => "{}",
                        Segment::Greedy(_) => "{+}",
                    });
                }
                shape
            }
        }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn parse(part: &str) -> Option<Self> {
        if let Some(inner) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let (name, greedy) = inner
                .strip_suffix('+')
                .map_or((inner, false), |name| (name, true));
            let plain = !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            return plain.then(|| {
                if greedy {
                    Self::Greedy(name.to_owned())
                } else {
                    Self::Param(name.to_owned())
                }
            });
        }
        let plain =
            !part.is_empty() && !part.contains(['{', '}', '?', '#']) && !part.contains(char::is_whitespace);
        plain.then(|| Self::Literal(part.to_owned()))
    }

    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Param(name) | Self::Greedy(name) => Some(name),
        }
    }
}

/// ARN of a Lambda function, perhaps with an alias or version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    unqualified: String,
    qualifier: Option<String>,
}

impl FunctionArn {
    const EXPECTED: &'static str =
        "the ARN of a function such as arn:aws:lambda:eu-central-1:123456789012:function:hello";

    /// The ARN of a function of one place, by its name.
    ///
    /// # Errors
    /// When the name or the qualifier has characters that Lambda does not allow (D).
    pub fn of_name(place: &Place, name: &str, qualifier: Option<&str>) -> Result<Self, Invalid> {
        Self::parse(&place.function_arn(name), qualifier)
    }

    /// Parses an ARN; a qualifier may stand in it or beside it, not both. No wildcard passes.
    ///
    /// # Errors
    /// When the text is not a function's ARN, or a qualifier is malformed or given twice.
    pub fn parse(text: &str, qualifier: Option<&str>) -> Result<Self, Invalid> {
        let refused = || invalid(text, Self::EXPECTED);
        let parts: Vec<&str> = text.split(':').collect();
        let (head, inner) = match parts.as_slice() {
            [
                "arn",
                partition,
                "lambda",
                region,
                account,
                "function",
                name,
                rest @ ..,
            ] => {
                let plain = partition.starts_with("aws")
                    && is_word(partition)
                    && is_word(region)
                    && is_account(account);
                let named = is_word(name) && name.len() <= 64;
                let inner = match rest {
                    [] => None,
                    [qualifier] => Some(*qualifier),
                    _ => return Err(refused()),
                };
                if !plain || !named {
                    return Err(refused());
                }
                (
                    format!("arn:{partition}:lambda:{region}:{account}:function:{name}"),
                    inner,
                )
            }
            _ => return Err(refused()),
        };
        let qualifier = match (inner, qualifier) {
            (Some(_), Some(_)) => return Err(refused()),
            (one, other) => one.or(other),
        };
        if qualifier.is_some_and(|q| !is_word(q) || q.len() > 128) {
            return Err(refused());
        }
        Ok(Self {
            unqualified: head,
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The ARN without alias or version.
    pub fn unqualified(&self) -> &str {
        &self.unqualified
    }

    /// Alias or version.
    pub fn qualifier(&self) -> Option<&str> {
        self.qualifier.as_deref()
    }

    /// Name of the function.
    pub fn name(&self) -> &str {
        self.field(6)
    }

    /// Whether the function is where the API is: API Gateway and the operator's calls stay in one account and Region.
    pub fn is_in(&self, place: &Place) -> bool {
        self.field(1) == place.partition && self.field(3) == place.region && self.field(4) == place.account
    }

    fn field(&self, index: usize) -> &str {
        self.unqualified.split(':').nth(index).unwrap_or_default()
    }
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unqualified)?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Path and name of a role. Names are unique in the whole account, whatever their path and case (D, IAM limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName {
    /// `/jwthttpapi/`, unless asked otherwise.
    pub path: String,
    /// At most 64 characters.
    pub name: String,
}

impl RoleName {
    fn of(name: String) -> Self {
        Self {
            path: RolePath::default().as_str().to_owned(),
            name,
        }
    }

    /// The same name under another path.
    #[must_use]
    pub fn under(self, path: &RolePath) -> Self {
        Self {
            path: path.as_str().to_owned(),
            ..self
        }
    }

    /// Path and name in a role's ARN.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let resource = arn.splitn(6, ':').nth(5)?.strip_prefix("role")?;
        let (path, name) = resource.rsplit_once('/')?;
        Some(Self {
            path: format!("{path}/"),
            name: name.to_owned(),
        })
    }
}

/// Name of the one inline policy of the invoke role.
pub const ROLE_POLICY: &str = "jwthttpapi";
/// The stage that is served without a path prefix.
pub const DEFAULT_STAGE: &str = "$default";
/// The authorizer of `spec.issuer`.
pub const DEFAULT_AUTHORIZER: &str = "default";
/// The scope that no token carries: a route that requires it admits nobody.
pub const CLOSED_SCOPE: &str = "jwthttpapi.dev/closed";

/// Name of the HTTP API: `spec.name`, else `<namespace>-<name>` cut to 128 characters (D, botocore).
pub fn api_name(owner: &Owner, wanted: Option<&str>) -> String {
    wanted
        .map_or_else(|| format!("{}-{}", owner.namespace, owner.name), str::to_owned)
        .chars()
        .take(128)
        .collect()
}

/// Name of the invoke role: at most 64 characters, since Regions have at most 25 (D).
pub fn role_name(owner: &Owner, region: &str) -> RoleName {
    let hash = hash::hex(12, &[&owner.cluster, &owner.uid, "invoke-role"]);
    RoleName::of(format!("jwthttpapi-{region}-{hash}"))
}

/// What the name of every function of an owner begins with in AWS.
pub fn function_prefix(owner: &Owner) -> String {
    let hash = hash::hex(12, &[&owner.cluster, &owner.uid, "functions"]);
    format!("jwthttpapi-{hash}-")
}

/// Whether a function's name is one that the operator gives to functions of objects.
pub fn is_owned_name(name: &str) -> bool {
    let rest = name
        .strip_prefix("jwthttpapi-")
        .and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(hash, _)| hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Name in AWS of a function: at most 64 characters, since the one in the spec has at most 40 (D).
pub fn function_name(owner: &Owner, name: &str) -> String {
    format!("{}{name}", function_prefix(owner))
}

/// The log group to which Lambda sends what a function writes (D).
pub fn log_group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// Name of the role that a function runs under.
pub fn execution_role_name(owner: &Owner, region: &str, function: &str) -> RoleName {
    let purpose = format!("execution-role {function}");
    let hash = hash::hex(12, &[&owner.cluster, &owner.uid, &purpose]);
    RoleName::of(format!("jwthttpapi-{region}-{hash}"))
}

/// What the statement ids of every owner begin with.
const STATEMENT: &str = "jwthttpapi-";

/// Statement id of the permission of one API on one function and qualifier: at most 100 of `[A-Za-z0-9-_]` (D).
pub fn statement_id(owner: &Owner) -> String {
    let hash = hash::hex(16, &[&owner.cluster, &owner.uid, "permission"]);
    format!("{STATEMENT}{hash}")
}

/// Whether a statement id may be that of any owner.
pub fn is_statement_id(id: &str) -> bool {
    id.starts_with(STATEMENT)
}

/// The marker of an integration: its description, made of the hash of everything that was wanted of it.
pub fn integration_marker(parts: &[&str]) -> String {
    format!("jwthttpapi:{}", hash::hex(16, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_keys_of_the_grammar_parse_and_others_do_not() {
        for good in [
            "$default",
            "GET /",
            "ANY /{proxy+}",
            "POST /a/{b}/c",
            "GET /a.b/~c",
            "DELETE /a/{b}/{c+}",
            "GET /{a.b_c-1}/{d}",
        ] {
            let key = RouteKey::parse(good).unwrap();
            assert_eq!((key.as_str(), key.to_string().as_str()), (good, good));
        }
        for method in Method::SINGLE.into_iter().chain([Method::Any]) {
            let key = RouteKey::parse(&format!("{} /", method.as_str())).unwrap();
            assert_eq!(key.pattern(), &Pattern::Path(method, Vec::new()));
        }
        for bad in [
            "",
            "GET",
            "GET a",
            "TRACE /a",
            "get /a",
            "GET /a/",
            "GET //a",
            "GET /{p+}/a",
            "GET /{a}/{a}",
            "GET /a{b}",
            "GET /{}",
            "GET /{+}",
            "GET /{a!}",
            "GET /a b",
            "GET /a?b",
            "GET /a#b",
        ] {
            assert!(RouteKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_repeated_parameter_is_told_from_a_malformed_key() {
        let error = RouteKey::parse("GET /{a}/{a}").unwrap_err().to_string();
        assert!(error.ends_with("rename one of the two"), "{error}");
    }

    #[test]
    fn keys_that_differ_only_in_parameter_names_have_one_shape() {
        let shape = |text| RouteKey::parse(text).unwrap().shape();
        assert_eq!(shape("GET /a/{x}"), shape("GET /a/{y}"));
        assert_ne!(shape("GET /a/{x}"), shape("GET /a/{x+}"));
        assert_ne!(shape("GET /a/{x}"), shape("ANY /a/{x}"));
        assert_eq!(shape("GET /a/{x}/{y+}"), "GET/a/{}/{+}");
        assert_eq!(shape("$default"), "$default");
    }

    #[test]
    fn function_arns_render_as_they_were_parsed_and_hold_no_wildcard() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
        assert_eq!(
            FunctionArn::parse(arn, Some("live")).unwrap().to_string(),
            format!("{arn}:live")
        );
        assert_eq!(
            FunctionArn::parse(&format!("{arn}:live"), None)
                .unwrap()
                .qualifier(),
            Some("live")
        );
        assert_eq!(FunctionArn::parse(arn, None).unwrap().name(), "hello");
        for bad in ["*", "he?lo", "a:b:c", "${aws:x}", "", "a\"b"] {
            let text = format!("arn:aws:lambda:eu-central-1:123456789012:function:{bad}");
            assert!(FunctionArn::parse(&text, None).is_err(), "{text}");
        }
        assert!(FunctionArn::parse(&format!("{arn}:live"), Some("live")).is_err());
        assert!(FunctionArn::parse(arn, Some("$LATEST")).is_err());
        assert!(FunctionArn::parse("arn:evil:lambda:eu-central-1:123456789012:function:a", None).is_err());
    }

    #[test]
    fn each_part_of_a_functions_arn_keeps_to_its_bounds() {
        let parse = |partition: &str, region: &str, account: &str, name: &str, qualifier: &str| {
            let text = format!("arn:{partition}:lambda:{region}:{account}:function:{name}");
            FunctionArn::parse(&text, Some(qualifier)).is_ok()
        };
        let account = "123456789012";
        let long = |length| "a".repeat(length);
        assert!(parse("aws-us-gov", "r-1", account, "a_b-c", "v_1-x"));
        assert!(parse("aws", "r", account, &long(64), &long(128)));
        assert!(!parse("aws", "r", account, &long(65), "v"));
        assert!(!parse("aws", "r", account, "a", &long(129)));
        assert!(!parse("aws*", "r", account, "a", "v"));
        assert!(!parse("aws", "*", account, "a", "v"));
        assert!(!parse("aws", "", account, "a", "v"));
        assert!(!parse("aws", "r", "12345678901", "a", "v"));
        assert!(!parse("aws", "r", "1234567890123", "a", "v"));
        assert!(!parse("aws", "r", "12345678901x", "a", "v"));
        assert!(!parse("aws", "r", account, "a", "*"));
        assert!(!parse("aws", "r", account, "a", ""));
        assert!(FunctionArn::parse("arn:aws:lambda:r:123456789012:function:a:b:c", None).is_err());
    }

    #[test]
    fn a_function_is_in_a_place_of_its_partition_region_and_account() {
        let place = Place {
            partition: "aws".into(),
            account: "123456789012".into(),
            region: "eu-central-1".into(),
        };
        let function = FunctionArn::of_name(&place, "hello", Some("live")).unwrap();
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello";
        assert_eq!(
            (function.unqualified(), function.qualifier()),
            (arn, Some("live"))
        );
        assert!(function.is_in(&place));
        for elsewhere in [
            Place {
                partition: "aws-cn".into(),
                ..place.clone()
            },
            Place {
                account: "123456789013".into(),
                ..place.clone()
            },
            Place {
                region: "eu-central-2".into(),
                ..place.clone()
            },
        ] {
            assert!(!function.is_in(&elsewhere), "{elsewhere:?}");
        }
    }

    #[test]
    fn arns_of_a_place_are_of_its_partition_region_and_account() {
        let place = Place {
            partition: "aws-cn".into(),
            account: "123456789012".into(),
            region: "cn-north-1".into(),
        };
        let role = RoleName {
            path: "/jwthttpapi/".into(),
            name: "r".into(),
        };
        assert_eq!(place.api_arn("a1"), "arn:aws-cn:apigateway:cn-north-1::/apis/a1");
        assert_eq!(
            place.execute_api_arn("a1"),
            "arn:aws-cn:execute-api:cn-north-1:123456789012:a1/*/*"
        );
        assert_eq!(
            place.role_arn(&role),
            "arn:aws-cn:iam::123456789012:role/jwthttpapi/r"
        );
        assert_eq!(
            place.log_group_arn("/aws/lambda/f"),
            "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws/lambda/f"
        );
    }

    #[test]
    fn names_of_objects_functions_are_told_from_all_others() {
        assert!(is_owned_name("jwthttpapi-0123456789ab-f"));
        for other in [
            "f",
            "jwthttpapi-0123456789ab",
            "jwthttpapi-0123456789a-f",
            "jwthttpapi-0123456789abc-f",
            "jwthttpapi-orders-to-pay-f",
            "jwthttpapi-orderstopays-f",
            "0123456789ab-f",
        ] {
            assert!(!is_owned_name(other), "{other}");
        }
    }

    #[test]
    fn a_place_is_read_from_the_callers_arn() {
        let place =
            Place::of_identity("arn:aws-cn:sts::123456789012:assumed-role/x/y", "cn-north-1").unwrap();
        assert_eq!(
            (place.partition.as_str(), place.account.as_str()),
            ("aws-cn", "123456789012")
        );
        for bad in [
            "nonsense",
            "arn:aws:sts::12345678901:user/x",
            "arn:aws:sts::12345678901x:user/x",
            "arn::sts::123456789012:user/x",
            "urn:aws:sts::123456789012:user/x",
        ] {
            assert!(Place::of_identity(bad, "x").is_err(), "{bad}");
        }
    }

    #[test]
    fn names_stay_within_their_quotas() {
        let owner = Owner {
            cluster: "c".repeat(64),
            kube_system: Some("k".repeat(36)),
            uid: "u".repeat(36),
            namespace: "n".repeat(63),
            name: "m".repeat(253),
        };
        assert_eq!(api_name(&owner, None).len(), 128);
        assert!(role_name(&owner, "ap-southeast-extra-long-1").name.len() <= 64);
        assert!(statement_id(&owner).len() <= 100);
        assert_eq!(function_name(&owner, &"f".repeat(40)).len(), 64);
        let role = execution_role_name(&owner, "ap-southeast-extra-long-1", &"f".repeat(40));
        assert!(role.name.len() <= 64);
    }

    #[test]
    fn a_name_that_is_asked_for_goes_before_the_objects_own() {
        let owner = Owner {
            cluster: "c".into(),
            kube_system: Some("k".into()),
            uid: "u".into(),
            namespace: "ns".into(),
            name: "hello".into(),
        };
        assert_eq!(api_name(&owner, None), "ns-hello");
        assert_eq!(api_name(&owner, Some("mine")), "mine");
    }
}
