//! CloudWatch Logs: log groups with retention and tags, and what functions write to them. "Service model" is botocore's `logs/2014-03-28`.

mod group;
mod request;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::{group::Group, request::Request};
use super::{Account, Env, error::Refusal, tags, time::Timestamp};

/// The days for which events can be kept (service model, D).
const RETENTIONS: [i64; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
/// Groups per page at most (service model, D).
const PAGE: usize = 50;

/// CloudWatch Logs in one Region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    pub(crate) groups: BTreeMap<String, Group>,
}

type Answer = Result<Value, Refusal>;

/// The members of `CreateLogGroup`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct CreateInput {
    pub(crate) log_group_name: String,
    tags: Option<BTreeMap<String, String>>,
    kms_key_id: Option<String>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

/// The members of `DescribeLogGroups`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DescribeInput {
    pub(crate) log_group_name_prefix: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    account_identifiers: Option<Vec<String>>,
    include_linked_accounts: Option<bool>,
}

/// What somebody who writes events may do on the way to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer {
    pub(crate) create_group: bool,
    pub(crate) create_stream: bool,
    pub(crate) put_events: bool,
}

impl Logs {
    /// Carries out one request. A refused request changes nothing.
    pub(crate) fn apply(&mut self, env: &Env, request: &Request) -> Answer {
        match request {
            Request::CreateLogGroup { input } => self.create(env, input),
            Request::DeleteLogGroup { group } => {
                check_name("logGroupName", group)?;
                self.groups.remove(group).ok_or_else(not_found)?;
                Ok(Value::Null)
            }
            Request::DescribeLogGroups { input } => self.describe(env, input),
            Request::PutRetentionPolicy { group, days } => {
                if !RETENTIONS.contains(days) {
                    // The text O.
                    return Err(invalid(format!(
                        "Invalid retention value. Valid values are: {RETENTIONS:?}"
                    )));
                }
                self.named(group)?.retention_in_days = Some(*days);
                Ok(Value::Null)
            }
            Request::DeleteRetentionPolicy { group } => {
                self.named(group)?.retention_in_days = None;
                Ok(Value::Null)
            }
            Request::ListTagsForResource { arn } => Ok(json!({ "tags": self.tagged(env, arn)?.tags })),
            Request::TagResource { arn, tags } => self.tag(env, arn, tags),
            Request::UntagResource { arn, keys } => {
                let group = self.tagged(env, arn)?;
                group.tags.retain(|key, _| !keys.contains(key));
                Ok(Value::Null)
            }
        }
    }

    /// Writes events as Lambda does (D): it makes the group and the stream unless they are there, and goes only
    /// as far as it may.
    pub(crate) fn write(
        &mut self,
        now: Timestamp,
        writer: Writer,
        (group, stream): (&str, &str),
        events: &[String],
    ) {
        if writer.create_group {
            self.groups
                .entry(group.to_owned())
                .or_insert_with(|| Group::new(group, now, BTreeMap::new()));
        }
        let Some(group) = self.groups.get_mut(group) else {
            return;
        };
        if writer.create_stream {
            group.streams.entry(stream.to_owned()).or_default();
        }
        if let (true, Some(stream)) = (writer.put_events, group.streams.get_mut(stream)) {
            stream.events += events.len();
            stream.bytes += events.iter().map(String::len).sum::<usize>();
        }
    }

    fn create(&mut self, env: &Env, input: &CreateInput) -> Answer {
        let name = &input.log_group_name;
        check_name("logGroupName", name)?;
        // Service model, D; the text I.
        if name.starts_with("aws/") {
            return Err(invalid("Log group names can't start with the string aws/"));
        }
        if input.kms_key_id.is_some() {
            return Err(Refusal::not_modelled("log groups with a KMS key"));
        }
        if input
            .log_group_class
            .as_deref()
            .is_some_and(|class| class != "STANDARD")
        {
            return Err(Refusal::not_modelled("log group classes other than STANDARD"));
        }
        if input.deletion_protection_enabled == Some(true) {
            return Err(Refusal::not_modelled("deletion protection of log groups"));
        }
        // A map of tags has between 1 and 50 (service model, D).
        if let Some(tags) = &input.tags {
            check_tags(tags)?;
            if tags.len() > env.settings.quotas.tags {
                let text = format!(
                    "Member must have length less than or equal to {}",
                    env.settings.quotas.tags
                );
                return Err(constraint("tags", &format!("{} tags", tags.len()), &text));
            }
        }
        if self.groups.contains_key(name) {
            // The text O.
            let text = "The specified log group already exists";
            return Err(Refusal::new(400, "ResourceAlreadyExistsException", text));
        }
        if self.groups.len() >= env.settings.quotas.log_groups {
            let text = "Resource limit exceeded.";
            return Err(Refusal::new(400, "LimitExceededException", text));
        }
        let group = Group::new(name, env.now, input.tags.clone().unwrap_or_default());
        self.groups.insert(name.clone(), group);
        Ok(Value::Null)
    }

    /// Sorted by name, whatever order other lists have, 50 at most (service model, D). That a new group may be missing
    /// for a while is I.
    fn describe(&self, env: &Env, input: &DescribeInput) -> Answer {
        input.check()?;
        let after = match &input.next_token {
            None => None,
            Some(token) => Some(read_token(token)?),
        };
        let limit = input.limit.and_then(|limit| usize::try_from(limit).ok());
        let size = limit.unwrap_or(PAGE).min(env.settings.page_size).max(1);
        let prefix = input.log_group_name_prefix.as_deref().unwrap_or_default();
        let mut found: Vec<&Group> = self
            .groups
            .values()
            .filter(|group| group.name.starts_with(prefix))
            .filter(|group| group.created.after(env.settings.list_lag_ms) <= env.now)
            .filter(|group| after.as_ref().is_none_or(|after| group.name > *after))
            .collect();
        let more = found.len() > size;
        found.truncate(size);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| BASE64.encode(&last.name));
        let groups: Vec<Value> = found
            .into_iter()
            .map(|group| group.described(env.account, env.region))
            .collect();
        let mut answer = json!({ "logGroups": groups });
        if let (Some(next), Value::Object(members)) = (next, &mut answer) {
            members.insert("nextToken".into(), next.into());
        }
        Ok(answer)
    }

    fn tag(&mut self, env: &Env, arn: &str, tags: &BTreeMap<String, String>) -> Answer {
        check_tags(tags)?;
        let group = self.tagged(env, arn)?;
        let mut merged = group.tags.clone();
        merged.extend(tags.clone());
        let most = env.settings.quotas.tags;
        if merged.len() > most {
            // Service model, D.
            let text = format!("A resource can have no more than {most} tags.");
            return Err(Refusal::new(400, "TooManyTagsException", text).with("resourceName", arn));
        }
        group.tags = merged;
        Ok(Value::Null)
    }

    fn named(&mut self, name: &str) -> Result<&mut Group, Refusal> {
        check_name("logGroupName", name)?;
        self.groups.get_mut(name).ok_or_else(not_found)
    }

    /// The tag operations take a group's ARN without `:*` (service model, D); with it they answer `ValidationException`
    /// (O: reports of `ListTagsForResource`), as to every other ARN that is none of a group here (I).
    fn tagged(&mut self, env: &Env, given: &str) -> Result<&mut Group, Refusal> {
        let malformed = || Refusal::new(400, "ValidationException", "Invalid resourceArn");
        let name = given
            .strip_prefix(&arn(env.account, env.region, ""))
            .ok_or_else(malformed)?;
        check_name("resourceArn", name).map_err(|_| malformed())?;
        self.groups.get_mut(name).ok_or_else(not_found)
    }
}

impl DescribeInput {
    fn check(&self) -> Result<(), Refusal> {
        let filtered = self.log_group_name_pattern.is_some()
            || self.log_group_identifiers.is_some()
            || self.log_group_class.is_some()
            || self.account_identifiers.is_some()
            || self.include_linked_accounts == Some(true);
        if filtered {
            return Err(Refusal::not_modelled(
                "DescribeLogGroups by anything but a prefix",
            ));
        }
        if let Some(prefix) = &self.log_group_name_prefix {
            check_name("logGroupNamePrefix", prefix)?;
        }
        match self.limit {
            Some(limit) if limit < 1 => {
                let text = "Member must have value greater than or equal to 1";
                Err(constraint("limit", &limit.to_string(), text))
            }
            Some(limit) if limit > 50 => {
                let text = "Member must have value less than or equal to 50";
                Err(constraint("limit", &limit.to_string(), text))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// A group's ARN without `:*` (service model, D).
pub(crate) fn arn(account: &Account, region: &str, group: &str) -> String {
    format!(
        "arn:{}:logs:{region}:{}:log-group:{group}",
        account.partition, account.id
    )
}

/// 1 to 512 of `[\.\-_/#A-Za-z0-9]` (service model, D).
fn check_name(member: &str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        let text = "Member must have length greater than or equal to 1";
        return Err(constraint(member, name, text));
    }
    if name.len() > 512 {
        let text = "Member must have length less than or equal to 512";
        return Err(constraint(member, name, text));
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || ".-_/#".contains(c);
    if !name.chars().all(valid) {
        let text = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+";
        return Err(constraint(member, name, text));
    }
    Ok(())
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if tags.is_empty() {
        let text = "Member must have length greater than or equal to 1";
        return Err(constraint("tags", "{}", text));
    }
    tags::flaw(tags).map_or(Ok(()), |flaw| Err(invalid(flaw)))
}

fn read_token(token: &str) -> Result<String, Refusal> {
    let name = BASE64
        .decode(token)
        .ok()
        .and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| invalid("The specified nextToken is invalid."))
}

/// The form of what the service model refuses (O).
fn constraint(member: &str, value: &str, text: &str) -> Refusal {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {text}"
    ))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterException", message)
}

/// The text O.
fn not_found() -> Refusal {
    Refusal::new(
        400,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}
