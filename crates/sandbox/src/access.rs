//! What callers may do, and how each service says that they may not.

use crate::{
    model::{
        Account, Need, Principal, Settings, Timestamp,
        error::Refusal,
        sts::{Caller, Session},
    },
    permissions::{self, Required},
    wire::Service,
};

/// How the keys of sessions begin (D: IAM identifiers).
const TEMPORARY: &str = "ASIA";
/// For how many minutes before and after it was made a signature is good (D: troubleshooting of signed requests).
const SIGNATURE_MINUTES: u64 = 5;

/// A request as access rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    /// API Gateway's actions are HTTP verbs (D).
    pub(crate) verb: &'a str,
    pub(crate) path: &'a str,
    /// As the journal shows it.
    pub(crate) target: Option<&'a str>,
    /// What has to be allowed.
    pub(crate) required: &'a Required,
    pub(crate) region: &'a str,
    pub(crate) access_key: &'a str,
    /// The session that the key belongs to.
    pub(crate) session: Option<&'a Session>,
    /// What came with the key.
    pub(crate) token: Option<&'a str>,
    /// When it was signed.
    pub(crate) signed: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

impl Attempt<'_> {
    /// Under which name the switches say what the caller may do.
    fn owner(&self) -> &str {
        self.session
            .map_or(self.access_key, |session| session.caller.principal.as_str())
    }

    /// Whether the key is good: that of a session needs its token and ends, and others of its kind are nobody's.
    fn checked(&self) -> Result<(), Refusal> {
        match self.session {
            None if self.access_key.starts_with(TEMPORARY) => Err(invalid(self.service)),
            Some(session) if self.token != Some(session.token.as_str()) => Err(invalid(self.service)),
            Some(session) if session.expires <= self.now => Err(expired(self.service)),
            _ => Ok(()),
        }
    }

    /// The IAM action that the caller needs.
    fn action(&self) -> String {
        match self.service {
            Service::ApiGateway => format!("apigateway:{}", self.verb),
            Service::Lambda | Service::Iam | Service::Sts | Service::Logs => self.named(),
        }
    }

    fn named(&self) -> String {
        format!("{}:{}", self.service.name(), self.operation)
    }

    /// The action that its refusal names: API Gateway's verb, but for tags, which some checks ask for by the operation (O),
    /// when the verb is allowed.
    fn missing(&self, principal: Option<&Principal>) -> String {
        let tags = self.service == Service::ApiGateway && self.operation.ends_with("Resource");
        let verb_is_allowed = principal.is_some_and(|owner| admits(owner, &[self.action()]));
        if tags && verb_is_allowed {
            self.named()
        } else {
            self.action()
        }
    }
}

/// Refuses keys that are no longer or not at all valid, and what the key's owner may not do.
pub(crate) fn check(settings: &Settings, account: &Account, attempt: Attempt) -> Result<(), Refusal> {
    if settings.expired_keys.contains(attempt.access_key) {
        return Err(expired(attempt.service));
    }
    if settings.invalid_keys.contains(attempt.access_key) {
        return Err(invalid(attempt.service));
    }
    if settings.signatures_expire
        && let Some(signed) = attempt.signed
    {
        timely(attempt.service, signed, attempt.now)?;
    }
    attempt.checked()?;
    let Some(principal) = settings.principals.get(attempt.owner()) else {
        return Ok(());
    };
    // D.
    if (attempt.service, attempt.operation) == (Service::Sts, "GetCallerIdentity") {
        return Ok(());
    }
    if !allowed(principal, attempt) {
        return Err(denied(settings, account, attempt));
    }
    let by_policy = |need: &&Need| {
        let policy = principal.policy.as_ref();
        policy.is_none_or(|policy| permissions::allows(policy, need))
    };
    let Required {
        own, needs, reported, ..
    } = attempt.required;
    if let Some((need, action)) = own.iter().find(|need| !by_policy(need)).and_then(named) {
        return Err(refusal(settings, account, attempt, action, &need.resource));
    }
    let listed = |need: &&Need| {
        let mut actions = need.any_of.iter();
        actions.any(|action| admits(principal, std::slice::from_ref(action)))
    };
    let lacking = needs.iter().find(|need| !(listed(need) && by_policy(need)));
    let lacking = lacking.or_else(|| reported.iter().find(|need| !by_policy(need)));
    match lacking.and_then(named) {
        None => Ok(()),
        // It does not say which permission is missing (O).
        Some(_) if attempt.service == Service::Logs => {
            let (id, operation) = (&account.id, attempt.operation);
            let text =
                format!("User with accountId: {id} is not authorized to perform {operation} with Tags");
            Err(Refusal::new(400, "AccessDeniedException", text))
        }
        Some((need, action)) => Err(refusal(settings, account, attempt, action, &need.resource)),
    }
}

/// Whether the caller is shown the tags in an answer.
pub(crate) fn sees_tags(settings: &Settings, attempt: Attempt) -> bool {
    let (Some(need), Some(principal)) = (&attempt.required.tags, settings.principals.get(attempt.owner()))
    else {
        return true;
    };
    let policy = principal.policy.as_ref();
    admits(principal, &need.any_of) && policy.is_none_or(|policy| permissions::allows(policy, need))
}

/// A need with the action that a refusal names.
fn named(need: &Need) -> Option<(&Need, &str)> {
    Some((need, need.any_of.first()?))
}

/// Whom a key belongs to.
pub(crate) fn caller(settings: &Settings, account: &Account, attempt: Attempt) -> Caller {
    if let Some(session) = attempt.session {
        return session.caller.clone();
    }
    let owner = settings.principals.get(attempt.access_key);
    let name = owner.map_or_else(|| Principal::default().name, |owner| owner.name.clone());
    Caller::user(account, &name)
}

/// 403, or 400 where the protocol says so, in AWS's words (O). `GetCallerIdentity` needs no permission (D), but a fault may deny it.
pub(crate) fn denied(settings: &Settings, account: &Account, attempt: Attempt) -> Refusal {
    let action = attempt.missing(settings.principals.get(attempt.owner()));
    let partition = &account.partition;
    let resource = match attempt.service {
        Service::ApiGateway => {
            let path = attempt.path.strip_prefix("/v2").unwrap_or(attempt.path);
            format!("arn:{partition}:apigateway:{}::{path}", attempt.region)
        }
        Service::Lambda => format!(
            "arn:{partition}:lambda:{}:{}:function:*",
            attempt.region, account.id
        ),
        Service::Iam | Service::Sts => format!("arn:{partition}:iam::{}:role/*", account.id),
        Service::Logs => permissions::logs_resource(account, attempt.region, attempt.target),
    };
    refusal(settings, account, attempt, &action, &resource)
}

fn refusal(
    settings: &Settings,
    account: &Account,
    attempt: Attempt,
    action: &str,
    resource: &str,
) -> Refusal {
    let user = caller(settings, account, attempt).arn;
    let code = match attempt.service {
        Service::ApiGateway | Service::Lambda | Service::Logs => "AccessDeniedException",
        Service::Iam | Service::Sts => "AccessDenied",
    };
    let text = format!(
        "User: {user} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
         allows the {action} action"
    );
    Refusal::new(forbidden(attempt.service), code, text)
}

/// awsJson has one status for all that is the caller's fault (O).
fn forbidden(service: Service) -> u16 {
    match service {
        Service::ApiGateway | Service::Lambda | Service::Iam | Service::Sts => 403,
        Service::Logs => 400,
    }
}

/// 429 in each service's words (D; of CloudWatch Logs O).
pub(crate) fn throttled(service: Service) -> Refusal {
    match service {
        Service::ApiGateway => Refusal::new(429, "TooManyRequestsException", "Too Many Requests"),
        Service::Lambda => Refusal::new(429, "TooManyRequestsException", "Rate exceeded"),
        Service::Iam | Service::Sts => Refusal::new(400, "Throttling", "Rate exceeded"),
        Service::Logs => Refusal::new(400, "ThrottlingException", "Rate exceeded"),
    }
}

fn expired(service: Service) -> Refusal {
    let code = match service {
        Service::ApiGateway | Service::Lambda | Service::Logs => "ExpiredTokenException",
        Service::Iam | Service::Sts => "ExpiredToken",
    };
    let text = "The security token included in the request is expired";
    Refusal::new(forbidden(service), code, text)
}

fn invalid(service: Service) -> Refusal {
    let code = match service {
        Service::ApiGateway | Service::Lambda | Service::Logs => "UnrecognizedClientException",
        Service::Iam | Service::Sts => "InvalidClientTokenId",
    };
    let text = "The security token included in the request is invalid.";
    Refusal::new(forbidden(service), code, text)
}

/// Refuses what was signed too long ago, or is dated in the future (texts O). Signatures are dated in whole seconds.
fn timely(service: Service, signed: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let span = SIGNATURE_MINUTES * 60_000;
    let now = now.before(now.0 % 1000);
    let (earliest, latest) = (now.before(span), now.after(span));
    let (when, limit, sign) = if signed < earliest {
        ("expired: {} is now earlier than", earliest, '-')
    } else if signed > latest {
        ("not yet current: {} is still later than", latest, '+')
    } else {
        return Ok(());
    };
    let code = match service {
        Service::ApiGateway | Service::Lambda | Service::Logs => "InvalidSignatureException",
        Service::Iam | Service::Sts => "SignatureDoesNotMatch",
    };
    let when = when.replace("{}", &signed.signed());
    let (limit, now) = (limit.signed(), now.signed());
    let text = format!("Signature {when} {limit} ({now} {sign} {SIGNATURE_MINUTES} min.)");
    Err(Refusal::new(forbidden(service), code, text))
}

fn allowed(principal: &Principal, attempt: Attempt) -> bool {
    admits(principal, &[attempt.action(), attempt.named()])
}

/// Whether one of an action's names is allowed and none is denied.
fn admits(principal: &Principal, names: &[String]) -> bool {
    let any = |patterns: &[String]| {
        patterns.iter().any(|pattern| {
            names
                .iter()
                .any(|name| matches(pattern.as_bytes(), name.as_bytes()))
        })
    };
    any(&principal.allow) && !any(&principal.deny)
}

/// `*` stands for any text.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => matches(rest, text),
        (Some((b'*', rest)), Some((_, shorter))) => matches(rest, text) || matches(pattern, shorter),
        (Some((wanted, rest)), Some((found, shorter))) => wanted == found && matches(rest, shorter),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    static NOTHING: Required = Required {
        own: None,
        needs: Vec::new(),
        reported: Vec::new(),
        tags: None,
    };

    /// These needs, and nothing else.
    fn needing(need: Need) -> Required {
        Required {
            needs: vec![need],
            ..Required::default()
        }
    }

    fn attempt(service: Service, operation: &'static str, verb: &'static str) -> Attempt<'static> {
        Attempt {
            service,
            operation,
            verb,
            path: "/v2/apis",
            target: None,
            required: &NOTHING,
            region: "eu-central-1",
            access_key: "AKIA",
            session: None,
            token: None,
            signed: None,
            now: Timestamp(0),
        }
    }

    fn account() -> Account {
        Account {
            id: "123456789012".into(),
            partition: "aws".into(),
        }
    }

    fn with(principal: Principal) -> Settings {
        Settings {
            principals: BTreeMap::from([("AKIA".to_owned(), principal)]),
            ..Settings::default()
        }
    }

    #[test]
    fn api_gateway_is_allowed_by_verb_and_by_operation() {
        let create = attempt(Service::ApiGateway, "CreateApi", "POST");
        for pattern in ["apigateway:POST", "apigateway:CreateApi", "apigateway:*", "*"] {
            let settings = with(Principal {
                deny: vec![pattern.into()],
                ..Principal::default()
            });
            let refusal = check(&settings, &account(), create).unwrap_err();
            assert_eq!(
                (refusal.status, refusal.code.as_str()),
                (403, "AccessDeniedException")
            );
            assert!(
                refusal
                    .message
                    .contains("is not authorized to perform: apigateway:POST on resource: ")
            );
        }
        let settings = with(Principal {
            deny: vec!["apigateway:GET".into()],
            ..Principal::default()
        });
        assert!(check(&settings, &account(), create).is_ok());
    }

    #[test]
    fn a_refused_tag_is_named_by_what_is_denied_of_it() {
        let tag = attempt(Service::ApiGateway, "TagResource", "POST");
        for (denied, named) in [
            ("apigateway:TagResource", "apigateway:TagResource"),
            ("apigateway:POST", "apigateway:POST"),
        ] {
            let settings = with(Principal {
                deny: vec![denied.into()],
                ..Principal::default()
            });
            let refusal = check(&settings, &account(), tag).unwrap_err();
            let text = format!("is not authorized to perform: {named} on resource: ");
            assert!(refusal.message.contains(&text), "{}", refusal.message);
        }
    }

    #[test]
    fn what_is_not_allowed_is_denied() {
        let settings = with(Principal {
            allow: vec!["iam:Get*".into()],
            ..Principal::default()
        });
        assert!(check(&settings, &account(), attempt(Service::Iam, "GetRole", "POST")).is_ok());
        let refusal = check(
            &settings,
            &account(),
            attempt(Service::Iam, "PutRolePolicy", "POST"),
        )
        .unwrap_err();
        assert_eq!(refusal.code, "AccessDenied");
        assert!(refusal.message.contains("iam:PutRolePolicy"));
    }

    #[test]
    fn the_callers_identity_needs_no_permission() {
        let settings = with(Principal {
            deny: vec!["*".into()],
            ..Principal::default()
        });
        let identity = attempt(Service::Sts, "GetCallerIdentity", "POST");
        assert!(check(&settings, &account(), identity).is_ok());
        let other = attempt(Service::Sts, "AssumeRole", "POST");
        assert_eq!(
            check(&settings, &account(), other).unwrap_err().code,
            "AccessDenied"
        );
    }

    #[test]
    fn a_role_is_handed_over_only_by_who_may_pass_it() {
        let role = "arn:aws:iam::123456789012:role/execution";
        let required = needing(Need::of(&["iam:PassRole"], role));
        let create = Attempt {
            required: &required,
            ..attempt(Service::Lambda, "CreateFunction", "POST")
        };
        let may = |allow: &[&str]| {
            with(Principal {
                allow: allow.iter().map(|action| (*action).to_owned()).collect(),
                ..Principal::default()
            })
        };
        assert!(
            check(
                &may(&["lambda:CreateFunction", "iam:PassRole"]),
                &account(),
                create
            )
            .is_ok()
        );
        let refusal = check(&may(&["lambda:CreateFunction"]), &account(), create).unwrap_err();
        assert_eq!(
            (refusal.status, refusal.code.as_str()),
            (403, "AccessDeniedException")
        );
        let text = format!("is not authorized to perform: iam:PassRole on resource: {role} because ");
        assert!(refusal.message.contains(&text), "{}", refusal.message);
        let refusal = check(&may(&["iam:PassRole"]), &account(), create).unwrap_err();
        assert!(refusal.message.contains("lambda:CreateFunction"));
    }

    #[test]
    fn one_of_several_permissions_is_enough_where_aws_says_so() {
        let group = "arn:aws:logs:eu-central-1:123456789012:log-group:g";
        let required = needing(Need::of(&["logs:TagResource", "logs:TagLogGroup"], group));
        let create = Attempt {
            required: &required,
            ..attempt(Service::Logs, "CreateLogGroup", "POST")
        };
        for (deny, allowed) in [
            ("logs:TagLogGroup", true),
            ("logs:TagResource", true),
            ("logs:Tag*", false),
        ] {
            let settings = with(Principal {
                deny: vec![deny.into()],
                ..Principal::default()
            });
            let refusal = check(&settings, &account(), create).err();
            let text = refusal.map(|refusal| refusal.message);
            let expected =
                "User with accountId: 123456789012 is not authorized to perform CreateLogGroup with Tags";
            assert_eq!(text.as_deref(), (!allowed).then_some(expected), "{deny}");
        }
    }

    #[test]
    fn a_refusal_of_logs_is_400_and_names_the_streams_or_the_tagged_arn() {
        let settings = with(Principal {
            allow: Vec::new(),
            ..Principal::default()
        });
        let arn = "arn:aws:logs:eu-central-1:123456789012:log-group:";
        let group = format!("{arn}/aws/lambda/hello");
        for (operation, target, resource) in [
            (
                "CreateLogGroup",
                Some("/aws/lambda/hello"),
                format!("{group}:log-stream:"),
            ),
            ("DescribeLogGroups", None, format!("{arn}:log-stream:")),
            ("TagResource", Some(group.as_str()), group.clone()),
        ] {
            let attempt = Attempt {
                target,
                ..attempt(Service::Logs, operation, "POST")
            };
            let refusal = check(&settings, &account(), attempt).unwrap_err();
            assert_eq!(
                (refusal.status, refusal.code.as_str()),
                (400, "AccessDeniedException")
            );
            let text = format!("to perform: logs:{operation} on resource: {resource} because ");
            assert!(refusal.message.contains(&text), "{}", refusal.message);
        }
    }

    #[test]
    fn a_sessions_key_is_as_good_as_its_token_and_its_time_and_may_do_what_its_role_may() {
        let role = "arn:aws:iam::123456789012:role/operator";
        let account = account();
        let session = Session {
            caller: Caller {
                principal: role.into(),
                ..Caller::user(&account, "session")
            },
            token: "token".into(),
            expires: Timestamp(1000),
        };
        let asked = |session, token, now| Attempt {
            access_key: "ASIA1",
            session,
            token,
            now: Timestamp(now),
            ..attempt(Service::Iam, "GetRole", "POST")
        };
        let denying = Settings {
            principals: BTreeMap::from([(
                role.to_owned(),
                Principal {
                    deny: vec!["iam:GetRole".into()],
                    ..Principal::default()
                },
            )]),
            ..Settings::default()
        };
        let open = Settings::default();
        for (settings, asked, answer) in [
            (&open, asked(Some(&session), Some("token"), 999), None),
            (
                &open,
                asked(Some(&session), Some("token"), 1000),
                Some("ExpiredToken"),
            ),
            (
                &open,
                asked(Some(&session), Some("other"), 999),
                Some("InvalidClientTokenId"),
            ),
            (
                &open,
                asked(Some(&session), None, 999),
                Some("InvalidClientTokenId"),
            ),
            (
                &open,
                asked(None, Some("token"), 999),
                Some("InvalidClientTokenId"),
            ),
            (
                &denying,
                asked(Some(&session), Some("token"), 999),
                Some("AccessDenied"),
            ),
        ] {
            let code = check(settings, &account, asked).err().map(|refusal| refusal.code);
            assert_eq!(code.as_deref(), answer);
        }
    }

    #[test]
    fn a_signature_is_good_for_five_minutes_before_and_after_it_was_made() {
        let strict = Settings {
            signatures_expire: true,
            ..Settings::default()
        };
        let (now, span) = (Timestamp(1_800_000_000_000), 300_000);
        let late = now.after(999);
        let refused = |settings: &Settings, service, signed| {
            let attempt = Attempt {
                signed: Some(signed),
                now: late,
                ..attempt(service, "GetApi", "GET")
            };
            check(settings, &account(), attempt).err()
        };
        let code = |service, signed| refused(&strict, service, signed).map(|refusal| refusal.code);
        assert_eq!(code(Service::ApiGateway, now.before(span)), None);
        assert_eq!(code(Service::ApiGateway, now.after(span)), None);
        let old = now.before(span + 1000);
        assert_eq!(
            code(Service::ApiGateway, old).as_deref(),
            Some("InvalidSignatureException")
        );
        assert_eq!(code(Service::Iam, old).as_deref(), Some("SignatureDoesNotMatch"));
        let text = |signed| refused(&strict, Service::Iam, signed).map(|refusal| refusal.message);
        assert_eq!(
            text(old).as_deref(),
            Some(
                "Signature expired: 20270115T075459Z is now earlier than 20270115T075500Z (20270115T080000Z - 5 min.)"
            )
        );
        assert_eq!(
            text(now.after(span + 1000)).as_deref(),
            Some(
                "Signature not yet current: 20270115T080501Z is still later than 20270115T080500Z \
                 (20270115T080000Z + 5 min.)"
            )
        );
        assert_eq!(refused(&Settings::default(), Service::Iam, old), None);
    }

    #[test]
    fn each_protocol_has_its_own_words_for_bad_keys() {
        let keys = BTreeSet::from(["AKIA".to_owned()]);
        let expired = Settings {
            expired_keys: keys.clone(),
            ..Settings::default()
        };
        let invalid = Settings {
            invalid_keys: keys,
            ..Settings::default()
        };
        for (service, gone, unknown) in [
            (
                Service::ApiGateway,
                "ExpiredTokenException",
                "UnrecognizedClientException",
            ),
            (Service::Iam, "ExpiredToken", "InvalidClientTokenId"),
            (
                Service::Logs,
                "ExpiredTokenException",
                "UnrecognizedClientException",
            ),
        ] {
            let attempt = attempt(service, "GetApi", "GET");
            assert_eq!(check(&expired, &account(), attempt).unwrap_err().code, gone);
            assert_eq!(check(&invalid, &account(), attempt).unwrap_err().code, unknown);
        }
    }
}
