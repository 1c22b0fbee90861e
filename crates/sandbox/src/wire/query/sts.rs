//! STS on the wire.

use bytes::Bytes;

use super::Form;
use crate::model::{
    error::Refusal,
    sts::{Request, Terms},
};

pub(crate) fn decode(body: &Bytes) -> Result<Request, Refusal> {
    let form = Form::parse(body);
    let terms = || {
        Ok::<_, Refusal>(Terms {
            role_arn: form.required("RoleArn")?,
            session: form.required("RoleSessionName")?,
            seconds: form.number("DurationSeconds")?,
        })
    };
    match form.action().as_str() {
        "GetCallerIdentity" => Ok(Request::GetCallerIdentity),
        "AssumeRole" => Ok(Request::AssumeRole {
            terms: terms()?,
            external_id: form.optional("ExternalId"),
        }),
        "AssumeRoleWithWebIdentity" => Ok(Request::AssumeRoleWithWebIdentity {
            terms: terms()?,
            token: form.required("WebIdentityToken")?,
        }),
        other => Err(Refusal::not_modelled(&format!("sts:{other}"))),
    }
}
