//! Lambda: functions, versions, aliases and resource policies.

mod checks;
mod function;
mod policy;
mod request;
mod shown;
mod tags;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use self::checks::SMALLEST_ARCHIVE;
use self::function::{Alias, Function};
pub(crate) use self::{
    function::AliasInput,
    policy::PermissionInput,
    request::Request,
    version::{FunctionInput, UpdateCodeInput},
};
use super::{
    Account, Env,
    arn::FunctionReference,
    deployment::FunctionView,
    error::Refusal,
    iam::Iam,
    json,
    paging::{PageRequest, page},
    time::Timestamp,
};

/// Lambda in one Region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lambda {
    pub(crate) functions: BTreeMap<String, Function>,
}

type Answer = Result<Value, Refusal>;

impl Lambda {
    /// Carries out one request. A refused request changes nothing.
    pub(crate) fn apply(&mut self, env: &mut Env, iam: &Iam, request: &Request) -> Answer {
        match request {
            Request::CreateFunction { input } => self.create(env, iam, input),
            Request::GetFunction { function, qualifier } => {
                let (found, qualifier) = self.find(env, function, qualifier.as_ref())?;
                found.described(env, qualifier.as_deref())
            }
            Request::GetFunctionConfiguration { function, qualifier } => {
                let (found, qualifier) = self.find(env, function, qualifier.as_ref())?;
                Ok(found.configuration(env, qualifier.as_deref()))
            }
            Request::UpdateFunctionCode { function, input } => {
                self.find_mut(env, function, None)?.0.update_code(env, input)
            }
            Request::UpdateFunctionConfiguration { function, input } => self
                .find_mut(env, function, None)?
                .0
                .update_configuration(env, iam, input),
            Request::DeleteFunction { function, qualifier } => self.delete(env, function, qualifier.as_ref()),
            Request::ListFunctions { page } => self.list(env, page),
            Request::TagResource { arn, tags } => self.tag(env, arn, tags),
            Request::UntagResource { arn, keys } => self.untag(env, arn, keys),
            Request::ListTags { arn } => self.list_tags(env, arn),
            Request::PublishVersion {
                function,
                description,
            } => self
                .find_mut(env, function, None)?
                .0
                .publish(env, description.as_ref()),
            Request::CreateAlias { function, input } => {
                self.find_mut(env, function, None)?.0.create_alias(env, input)
            }
            Request::GetAlias { function, name } => self.find(env, function, None)?.0.alias(name),
            Request::AddPermission {
                function,
                qualifier,
                input,
            } => {
                let (found, qualifier) = self.find_mut(env, function, qualifier.as_ref())?;
                found.add_permission(env, qualifier.as_deref(), input)
            }
            Request::GetPolicy { function, qualifier } => {
                let (found, qualifier) = self.find(env, function, qualifier.as_ref())?;
                found.policy(env, qualifier.as_deref())
            }
            Request::RemovePermission {
                function,
                qualifier,
                statement,
                revision,
            } => {
                let (found, qualifier) = self.find_mut(env, function, qualifier.as_ref())?;
                found.remove_permission(env, qualifier.as_deref(), statement, revision.as_ref())
            }
        }
    }

    /// What an invocation finds; `text` is a name or an ARN, a qualifier in it counts when none is given beside it.
    pub(crate) fn view(&self, text: &str, qualifier: Option<&str>, now: Timestamp) -> Option<FunctionView> {
        let reference = FunctionReference::parse(text)?;
        let qualifier = qualifier.map(str::to_owned).or(reference.qualifier);
        self.functions
            .get(&reference.name)?
            .view(qualifier.as_deref(), now)
    }

    /// The role that a function runs under.
    pub(crate) fn execution_role(&self, arn: &str, now: Timestamp) -> Option<String> {
        let reference = FunctionReference::parse(arn)?;
        let function = self.functions.get(&reference.name)?;
        let role = function.execution_role(reference.qualifier.as_deref(), now)?;
        Some(role.to_owned())
    }

    /// The resource policy that an invocation of this very ARN is decided by: each alias and version has its own,
    /// and that of the function does not cover them (D).
    pub(crate) fn effective_policy(&self, arn: &str) -> Option<Value> {
        let reference = FunctionReference::parse(arn)?;
        let qualifier = reference
            .qualifier
            .as_deref()
            .filter(|qualifier| *qualifier != "$LATEST");
        self.functions.get(&reference.name)?.policy_document(qualifier)
    }

    fn create(&mut self, env: &mut Env, iam: &Iam, input: &FunctionInput) -> Answer {
        let function = Function::create(env, iam, input)?;
        if self.functions.contains_key(&function.name) {
            let text = format!("Function already exist: {}", function.name);
            return Err(conflict(text));
        }
        let answer = function.configuration(env, None);
        self.functions.insert(function.name.clone(), function);
        Ok(answer)
    }

    fn delete(&mut self, env: &Env, function: &str, qualifier: Option<&String>) -> Answer {
        let (found, qualifier) = self.find_mut(env, function, qualifier)?;
        if let Some(qualifier) = qualifier {
            found.delete_version(&qualifier)?;
        } else {
            let name = found.name.clone();
            self.functions.remove(&name);
        }
        Ok(Value::Null)
    }

    fn list(&self, env: &Env, request: &PageRequest) -> Answer {
        let items = self.functions.values().map(|function| (function.birth, function));
        let page = page(env.settings, env.seed, env.now, request, items)
            .map_err(|_| invalid("Invalid Marker specified"))?;
        let functions: Vec<Value> = page
            .items
            .into_iter()
            .map(|function| function.configuration(env, None))
            .collect();
        let mut answer = json!({ "Functions": functions });
        if let (Some(next), Value::Object(members)) = (page.next, &mut answer) {
            members.insert("NextMarker".into(), next.into());
        }
        Ok(answer)
    }

    fn find(
        &self,
        env: &Env,
        text: &str,
        qualifier: Option<&String>,
    ) -> Result<(&Function, Option<String>), Refusal> {
        let (name, qualifier) = resolve(env, text, qualifier)?;
        let function = self
            .functions
            .get(&name)
            .ok_or_else(|| function_not_found(env.account, env.region, &name))?;
        function.check_qualifier(qualifier.as_deref())?;
        Ok((function, qualifier))
    }

    fn find_mut(
        &mut self,
        env: &Env,
        text: &str,
        qualifier: Option<&String>,
    ) -> Result<(&mut Function, Option<String>), Refusal> {
        let (name, qualifier) = resolve(env, text, qualifier)?;
        let missing = function_not_found(env.account, env.region, &name);
        let function = self.functions.get_mut(&name).ok_or(missing)?;
        function.check_qualifier(qualifier.as_deref())?;
        Ok((function, qualifier))
    }
}

/// Name, partial or full ARN, the qualifier in either place (D); of this account and Region (texts O).
fn resolve(env: &Env, text: &str, qualifier: Option<&String>) -> Result<(String, Option<String>), Refusal> {
    let reference = FunctionReference::parse(text).ok_or_else(|| {
        Refusal::new(
            400,
            "ValidationException",
            format!(
                "1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint"
            ),
        )
    })?;
    if let Some(region) = reference.region.filter(|region| region != env.region) {
        let text = format!(
            "Functions from '{region}' are not reachable in this region ('{}')",
            env.region
        );
        return Err(not_found(text));
    }
    if reference.account.is_some_and(|account| account != env.account.id) {
        let text = format!(
            "User: {} is not authorized to access function {text}",
            env.caller.arn
        );
        return Err(Refusal::new(403, "AccessDeniedException", text));
    }
    match (reference.qualifier, qualifier.cloned()) {
        (Some(inside), Some(beside)) if inside != beside => Err(invalid(
            "The derived qualifier from the function name does not match the specified qualifier.",
        )),
        (inside, beside) => Ok((reference.name, beside.or(inside))),
    }
}

fn function_not_found(account: &Account, region: &str, name: &str) -> Refusal {
    not_found(format!(
        "Function not found: {}",
        function_arn(account, region, name)
    ))
}

fn function_arn(account: &Account, region: &str, name: &str) -> String {
    format!(
        "arn:{}:lambda:{region}:{}:function:{name}",
        account.partition, account.id
    )
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "InvalidParameterValueException", message)
}

fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "ResourceConflictException", message)
}

fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "ResourceNotFoundException", message)
}

impl Alias {
    fn shown(&self) -> Answer {
        json(self)
    }
}
