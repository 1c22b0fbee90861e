//! STS on the wire.

use bytes::Bytes;

use super::Form;
use crate::model::{error::Refusal, sts::Request};

pub(crate) fn decode(body: &Bytes) -> Result<Request, Refusal> {
    let form = Form::parse(body);
    let role = || Ok::<_, Refusal>((form.required("RoleArn")?, form.required("RoleSessionName")?));
    match form.action().as_str() {
        "GetCallerIdentity" => Ok(Request::GetCallerIdentity),
        "AssumeRole" => role().map(|(role_arn, session)| Request::AssumeRole { role_arn, session }),
        "AssumeRoleWithWebIdentity" => {
            role().map(|(role_arn, session)| Request::AssumeRoleWithWebIdentity { role_arn, session })
        }
        other => Err(Refusal::not_modelled(&format!("sts:{other}"))),
    }
}
