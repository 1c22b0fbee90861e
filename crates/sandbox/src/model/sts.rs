//! STS: who is calling, and sessions that are as good as any other key.

use serde_json::{Value, json};

use super::{Described, Env, error::Refusal, json};

/// One request.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    GetCallerIdentity,
    AssumeRole { role_arn: String, session: String },
    AssumeRoleWithWebIdentity { role_arn: String, session: String },
}

impl Request {
    pub(crate) fn describe(&self) -> Described<'_> {
        let (operation, target) = match self {
            Self::GetCallerIdentity => ("GetCallerIdentity", None),
            Self::AssumeRole { role_arn, .. } => ("AssumeRole", Some(role_arn)),
            Self::AssumeRoleWithWebIdentity { role_arn, .. } => ("AssumeRoleWithWebIdentity", Some(role_arn)),
        };
        Described {
            operation,
            target: target.map(String::as_str),
            resource: None,
        }
    }
}

/// Carries out one request. Neither trust nor web tokens are checked: sessions only have to be there for tests of
/// credential chains.
pub(crate) fn apply(env: &mut Env, request: &Request) -> Result<Value, Refusal> {
    match request {
        Request::GetCallerIdentity => Ok(json!({
            "Account": env.account.id,
            "Arn": env.caller_arn(),
            "UserId": "AIDASANDBOXCALLER0000",
        })),
        Request::AssumeRole { role_arn, session } => assume(env, role_arn, session),
        Request::AssumeRoleWithWebIdentity { role_arn, session } => {
            let mut answer = assume(env, role_arn, session)?;
            if let Value::Object(members) = &mut answer {
                members.insert("SubjectFromWebIdentityToken".into(), "sandbox".into());
            }
            Ok(answer)
        }
    }
}

fn assume(env: &mut Env, role_arn: &str, session: &str) -> Result<Value, Refusal> {
    let malformed = || Refusal::new(400, "ValidationError", format!("{role_arn} is invalid"));
    let name = role_arn
        .rsplit('/')
        .next()
        .filter(|_| role_arn.contains(":role/"))
        .ok_or_else(malformed)?;
    let assumed = format!(
        "arn:{}:sts::{}:assumed-role/{name}/{session}",
        env.account.partition, env.account.id
    );
    Ok(json!({
        "Credentials": {
            "AccessKeyId": format!("ASIA{}", env.ids.upper(16)),
            "SecretAccessKey": "sandbox",
            "SessionToken": "sandbox",
            "Expiration": json(env.now.after(3_600_000))?,
        },
        "AssumedRoleUser": { "AssumedRoleId": format!("AROASANDBOXROLE000000:{session}"), "Arn": assumed },
    }))
}
