//! How AWS refuses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An error answer, before a protocol gives it its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// Members of the error's shape beside code and message.
    pub(crate) details: BTreeMap<&'static str, String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: BTreeMap::new(),
        }
    }

    pub(crate) fn with(mut self, member: &'static str, value: impl Into<String>) -> Self {
        self.details.insert(member, value.into());
        self
    }

    /// 501: something that AWS can do and the sandbox does not. Never a made-up success.
    pub(crate) fn not_modelled(what: &str) -> Self {
        Self::new(
            501,
            "SandboxNotModelled",
            format!("the sandbox does not model {what}"),
        )
    }
}

/// 409 or 400: the two answers that were seen for the deletion of something in use (O).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum InUseStatus {
    /// 409 `ConflictException`.
    Conflict,
    /// 400 `BadRequestException`.
    BadRequest,
}

impl TryFrom<u16> for InUseStatus {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, Self::Error> {
        match status {
            409 => Ok(Self::Conflict),
            400 => Ok(Self::BadRequest),
            other => Err(format!("{other} is neither 409 nor 400")),
        }
    }
}

impl From<InUseStatus> for u16 {
    fn from(status: InUseStatus) -> Self {
        match status {
            InUseStatus::Conflict => 409,
            InUseStatus::BadRequest => 400,
        }
    }
}
