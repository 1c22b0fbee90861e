//! One log group.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Account, error::Refusal, json as shown, time::Timestamp};

/// A log group with all that `DeleteLogGroup` takes along.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) retention_in_days: Option<i64>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) streams: BTreeMap<String, Stream>,
}

/// What was written to a log stream.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stream {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Group {
    pub(super) fn new(name: &str, created: Timestamp, tags: BTreeMap<String, String>) -> Self {
        Self {
            name: name.to_owned(),
            created,
            retention_in_days: None,
            tags,
            streams: BTreeMap::new(),
        }
    }

    /// As `DescribeLogGroups` shows it: `arn` ends in `:*`, `logGroupArn` does not; `retentionInDays` is absent while
    /// events never expire (service model, D). AWS counts `storedBytes` with a delay (O), which is not modelled.
    pub(super) fn described(&self, account: &Account, region: &str) -> Value {
        let arn = super::arn(account, region, &self.name);
        let mut answer = json!({
            "logGroupName": self.name,
            "creationTime": self.created.0,
            "metricFilterCount": 0,
            "arn": format!("{arn}:*"),
            "storedBytes": self.streams.values().map(|stream| stream.bytes).sum::<usize>(),
            "logGroupClass": "STANDARD",
            "logGroupArn": arn,
        });
        if let (Some(days), Value::Object(members)) = (self.retention_in_days, &mut answer) {
            members.insert("retentionInDays".into(), days.into());
        }
        answer
    }

    /// Everything about the group in one value.
    pub(crate) fn state(&self, account: &Account, region: &str) -> Result<Value, Refusal> {
        let mut state = self.described(account, region);
        if let Value::Object(members) = &mut state {
            members.insert("tags".into(), shown(&self.tags)?);
            members.insert("logStreams".into(), shown(&self.streams)?);
        }
        Ok(state)
    }
}
