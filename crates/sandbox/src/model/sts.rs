//! STS: who is calling, and the sessions of roles.
//!
//! Sources: the references of `AssumeRole`, `AssumeRoleWithWebIdentity` and `GetCallerIdentity` (D), IAM's page on the keys of
//! conditions of web identities (D); the texts are O. Providers of identities are not modelled: one is there if a trust
//! policy names it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Account, Claims, Described, Env, Timestamp,
    error::Refusal,
    iam::{Iam, Role},
    json,
};
use crate::data_plane::evaluation::{Assumer, may_assume};

/// How long a session lasts unless said otherwise, and at least, in seconds (D).
const SECONDS: u32 = 3600;
const LEAST_SECONDS: u32 = 900;

/// One request.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    GetCallerIdentity,
    AssumeRole {
        terms: Terms,
        external_id: Option<String>,
    },
    AssumeRoleWithWebIdentity {
        terms: Terms,
        token: String,
    },
}

/// Which session is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) role_arn: String,
    pub(crate) session: String,
    pub(crate) seconds: Option<u32>,
}

impl Request {
    pub(crate) fn describe(&self) -> Described<'_> {
        let (operation, target) = match self {
            Self::GetCallerIdentity => ("GetCallerIdentity", None),
            Self::AssumeRole { terms, .. } => ("AssumeRole", Some(terms)),
            Self::AssumeRoleWithWebIdentity { terms, .. } => ("AssumeRoleWithWebIdentity", Some(terms)),
        };
        Described {
            operation,
            target: target.map(|terms| terms.role_arn.as_str()),
            resource: None,
        }
    }

    pub(super) fn web_identity_token(&self) -> Option<&str> {
        match self {
            Self::AssumeRoleWithWebIdentity { token, .. } => Some(token),
            Self::GetCallerIdentity | Self::AssumeRole { .. } => None,
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    /// As `GetCallerIdentity` and messages name it: a user, or a session of a role.
    pub(crate) arn: String,
    /// As policies name it: the user or the role.
    pub(crate) principal: String,
    pub(crate) id: String,
}

impl Caller {
    pub(crate) fn user(account: &Account, name: &str) -> Self {
        let arn = format!("arn:{}:iam::{}:user/{name}", account.partition, account.id);
        Self {
            principal: arn.clone(),
            arn,
            id: "AIDASANDBOXCALLER0000".into(),
        }
    }
}

/// A session of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) caller: Caller,
    /// What has to come with its key.
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
}

/// Every session that was begun, by its access key.
#[derive(Clone, Debug, Default)]
pub(super) struct Sts {
    sessions: BTreeMap<String, Session>,
}

type Answer = Result<Value, Refusal>;

impl Sts {
    pub(super) fn session(&self, access_key: &str) -> Option<&Session> {
        self.sessions.get(access_key)
    }

    pub(super) fn apply(&mut self, env: &mut Env, iam: &Iam, request: &Request) -> Answer {
        match request {
            Request::GetCallerIdentity => Ok(json!({
                "Account": env.account.id,
                "Arn": env.caller.arn,
                "UserId": env.caller.id,
            })),
            Request::AssumeRole { terms, external_id } => {
                let external_id = external_id.iter().map(|id| ("sts:ExternalId", id.as_str()));
                let context: Vec<_> = external_id
                    .chain([("sts:RoleSessionName", terms.session.as_str())])
                    .collect();
                let role = assumable(
                    env,
                    iam,
                    terms,
                    Assumer::Identity(&env.caller.principal),
                    &context,
                );
                let role = role.ok_or_else(|| denied(env, terms))?;
                self.begin(env, role, terms)
            }
            Request::AssumeRoleWithWebIdentity { terms, .. } => self.with_web_identity(env, iam, terms),
        }
    }

    fn with_web_identity(&mut self, env: &mut Env, iam: &Iam, terms: &Terms) -> Answer {
        let missing = || Refusal::new(400, "InvalidIdentityToken", "No token was verified");
        let claims = env.web_identity.ok_or_else(missing)?.clone()?;
        let text = |name| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let (issuer, subject, audience) = (text("iss"), text("sub"), audience(&claims));
        let provider = issuer.strip_prefix("https://").unwrap_or(issuer);
        let arn = format!(
            "arn:{}:iam::{}:oidc-provider/{provider}",
            env.account.partition, env.account.id
        );
        let keys = ["sub", "aud"].map(|name| format!("{provider}:{name}"));
        let values = [subject, audience];
        let context: Vec<_> = keys.iter().map(String::as_str).zip(values).collect();
        let role = assumable(env, iam, terms, Assumer::Federated(&arn), &context).ok_or_else(|| {
            let text = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
            Refusal::new(403, "AccessDenied", text)
        })?;
        let mut answer = self.begin(env, role, terms)?;
        if let Value::Object(members) = &mut answer {
            members.insert("SubjectFromWebIdentityToken".into(), subject.into());
            members.insert("Audience".into(), audience.into());
            members.insert("Provider".into(), issuer.into());
        }
        Ok(answer)
    }

    fn begin(&mut self, env: &mut Env, role: &Role, terms: &Terms) -> Answer {
        let seconds = seconds(role, terms)?;
        let name = &terms.session;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=64).contains(&name.len()) || !name.chars().all(allowed) {
            return Err(validation(&format!("Value '{name}' at 'roleSessionName'")));
        }
        let Account {
            id: account,
            partition,
        } = env.account;
        let session = Session {
            caller: Caller {
                arn: format!("arn:{partition}:sts::{account}:assumed-role/{}/{name}", role.name),
                principal: terms.role_arn.clone(),
                id: format!("{}:{name}", role.id),
            },
            token: format!("sandbox-{}", env.ids.upper(32)),
            expires: env.now.after(u64::from(seconds) * 1000),
        };
        let key = format!("ASIA{}", env.ids.upper(16));
        let answer = json!({
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": "sandbox",
                "SessionToken": session.token,
                "Expiration": json(session.expires)?,
            },
            "AssumedRoleUser": { "AssumedRoleId": session.caller.id, "Arn": session.caller.arn },
        });
        self.sessions.insert(key, session);
        Ok(answer)
    }
}

/// The role, if it is there and its trust, as it has propagated, lets somebody assume it.
fn assumable<'a>(
    env: &Env,
    iam: &'a Iam,
    terms: &Terms,
    assumer: Assumer<'_>,
    context: &[(&str, &str)],
) -> Option<&'a Role> {
    let view = iam.effective_role(&terms.role_arn, env.now)?;
    let role = iam.role_of(&terms.role_arn)?;
    may_assume(&view, assumer, context).then_some(role)
}

/// Kubernetes writes its one audience as a list. Of several none is taken (I).
fn audience(claims: &Claims) -> &str {
    let audience = match claims.get("aud") {
        Some(Value::Array(list)) => match list.as_slice() {
            [only] => only.as_str(),
            _ => None,
        },
        Some(single) => single.as_str(),
        None => None,
    };
    audience.unwrap_or_default()
}

fn seconds(role: &Role, terms: &Terms) -> Result<u32, Refusal> {
    let seconds = terms.seconds.unwrap_or(SECONDS);
    if seconds < LEAST_SECONDS {
        return Err(validation(&format!("Value '{seconds}' at 'durationSeconds'")));
    }
    if seconds > role.max_session_duration {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(Refusal::new(400, "ValidationError", text));
    }
    Ok(seconds)
}

fn validation(what: &str) -> Refusal {
    let text = format!("1 validation error detected: {what} failed to satisfy constraint");
    Refusal::new(400, "ValidationError", text)
}

fn denied(env: &Env, terms: &Terms) -> Refusal {
    let text = format!(
        "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
        env.caller.arn, terms.role_arn
    );
    Refusal::new(403, "AccessDenied", text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        iam::{self, CreateRole},
        testing::Bench,
    };

    const ROLE: &str = "arn:aws:iam::123456789012:role/jwthttpapi/operator";
    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1";

    fn bench(principal: &Value, action: &str, condition: &Value) -> Bench {
        let mut bench = Bench::new(json!({}));
        let statement = json!({
            "Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition,
        });
        let input = CreateRole {
            name: "operator".into(),
            path: Some("/jwthttpapi/".into()),
            trust: json!({ "Statement": [statement] }).to_string(),
            ..CreateRole::default()
        };
        bench.iam(iam::Request::CreateRole { input }).unwrap();
        bench
    }

    fn terms() -> Terms {
        Terms {
            role_arn: ROLE.into(),
            session: "session".into(),
            seconds: None,
        }
    }

    fn assume(bench: &mut Bench, terms: Terms) -> Answer {
        let external_id = None;
        bench.sts(Request::AssumeRole { terms, external_id })
    }

    fn code(answer: Answer) -> (u16, String) {
        let refusal = answer.unwrap_err();
        (refusal.status, refusal.code)
    }

    #[test]
    fn a_role_is_assumed_by_whom_its_trust_names() {
        for (principal, holds) in [
            ("arn:aws:iam::123456789012:user/tester", true),
            ("arn:aws:iam::123456789012:root", true),
            ("123456789012", true),
            ("arn:aws:iam::123456789012:user/other", false),
            ("arn:aws:iam::210987654321:root", false),
        ] {
            let mut bench = bench(&json!({ "AWS": principal }), "sts:AssumeRole", &json!({}));
            let answer = assume(&mut bench, terms());
            assert_eq!(answer.is_ok(), holds, "{principal}: {answer:?}");
            if let Err(refusal) = answer {
                assert_eq!((refusal.status, refusal.code.as_str()), (403, "AccessDenied"));
                let said = format!("perform: sts:AssumeRole on resource: {ROLE}");
                assert!(refusal.message.ends_with(&said), "{}", refusal.message);
            }
        }
        let mut service = bench(
            &json!({"Service": "lambda.amazonaws.com"}),
            "sts:AssumeRole",
            &json!({}),
        );
        assert_eq!(code(assume(&mut service, terms())), (403, "AccessDenied".into()));
        assert_eq!(
            code(assume(&mut Bench::new(json!({})), terms())),
            (403, "AccessDenied".into())
        );
    }

    #[test]
    fn a_session_is_its_roles_without_the_path_and_ends() {
        let mut bench = bench(&json!({"AWS": "*"}), "sts:AssumeRole", &json!({}));
        let answer = assume(&mut bench, terms()).unwrap();
        let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
        let session = bench.world.session(key).unwrap();
        assert_eq!(
            session.caller.arn,
            "arn:aws:sts::123456789012:assumed-role/operator/session"
        );
        assert_eq!(session.caller.principal, ROLE);
        assert_eq!(session.expires, Timestamp(bench.now + 3_600_000));
        assert_eq!(answer["Credentials"]["SessionToken"], session.token);
    }

    #[test]
    fn a_session_lasts_no_longer_than_its_role_allows() {
        let mut bench = bench(&json!({"AWS": "*"}), "sts:AssumeRole", &json!({}));
        for (seconds, holds) in [(899, false), (900, true), (3600, true), (3601, false)] {
            let seconds = Some(seconds);
            let answer = assume(&mut bench, Terms { seconds, ..terms() });
            assert_eq!(answer.is_ok(), holds, "{seconds:?}: {answer:?}");
        }
        let session = "a b".into();
        let answer = assume(&mut bench, Terms { session, ..terms() });
        assert_eq!(code(answer), (400, "ValidationError".into()));
    }

    #[test]
    fn a_web_identity_is_held_against_the_conditions_of_the_trust() {
        let claims = |change: Value| {
            let mut claims = json!({
                "iss": "https://oidc.example/id/1", "sub": "system:serviceaccount:a:b", "aud": ["sts.amazonaws.com"],
            });
            claims
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            Some(Ok(claims.as_object().unwrap().clone()))
        };
        let condition = json!({"StringEquals": {
            "oidc.example/id/1:sub": "system:serviceaccount:a:b",
            "oidc.example/id/1:aud": "sts.amazonaws.com",
        }});
        let action = "sts:AssumeRoleWithWebIdentity";
        let mut bench = bench(&json!({ "Federated": PROVIDER }), action, &condition);
        for (change, holds) in [
            (json!({}), true),
            (json!({"aud": "sts.amazonaws.com"}), true),
            (json!({"sub": "system:serviceaccount:a:c"}), false),
            (json!({"aud": ["other"]}), false),
            (json!({"aud": ["sts.amazonaws.com", "other"]}), false),
            (json!({"iss": "https://oidc.example/id/2"}), false),
        ] {
            bench.web_identity = claims(change.clone());
            let token = "verified elsewhere".into();
            let answer = bench.sts(Request::AssumeRoleWithWebIdentity {
                terms: terms(),
                token,
            });
            match answer {
                Ok(answer) => {
                    assert!(holds, "{change}");
                    assert_eq!(answer["SubjectFromWebIdentityToken"], "system:serviceaccount:a:b");
                    assert_eq!(answer["Provider"], "https://oidc.example/id/1");
                }
                refused => {
                    assert!(!holds, "{change}");
                    assert_eq!(code(refused), (403, "AccessDenied".into()));
                }
            }
        }
        assert_eq!(code(assume(&mut bench, terms())), (403, "AccessDenied".into()));
    }
}
