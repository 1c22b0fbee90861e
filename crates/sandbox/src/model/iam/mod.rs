//! IAM: roles with inline policies, attachments and tags.

mod document;
mod policy;
mod propagation;
mod request;
mod role;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::propagation::Propagation;
pub(crate) use self::{
    request::Request,
    role::{CreateRole, Role, Tag},
};
use super::{
    Env,
    error::Refusal,
    json,
    paging::{PageRequest, page},
    replica::Replica,
};

/// IAM of the account; it knows no Regions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Iam {
    /// By the name in lower case, since names are unique ignoring case (D).
    pub(crate) roles: Roles,
    replica: Replica<Roles>,
    propagation: Propagation,
}

type Roles = BTreeMap<String, Role>;

type Answer = Result<Value, Refusal>;

impl Iam {
    /// A role by its ARN, as it is stored.
    pub(crate) fn role_of(&self, arn: &str) -> Option<&Role> {
        self.roles.values().find(|role| role.arn == arn)
    }

    /// The ARN of the role of that name.
    pub(crate) fn arn(&self, name: &str) -> Option<String> {
        find(&self.roles, name).ok().map(|role| role.arn.clone())
    }

    /// The policy that bounds the role of that name.
    pub(crate) fn boundary(&self, name: &str) -> Option<&String> {
        find(&self.roles, name).ok()?.boundary()
    }

    /// Carries out one request. A refused request changes nothing.
    pub(crate) fn apply(&mut self, env: &mut Env, request: &Request) -> Answer {
        match request {
            Request::CreateRole { input } => self.create_role(env, input),
            Request::GetRole { role } => Ok(json!({ "Role": self.shown(env, role)?.shown(true)? })),
            Request::ListRoles { path_prefix, page } => self.list_roles(env, path_prefix.as_deref(), page),
            Request::DeleteRole { role } => self.delete_role(env, role),
            Request::UpdateAssumeRolePolicy { role, document } => {
                self.write(env, role, |role, env| role.set_trust(env, document))
            }
            Request::PutRolePolicy {
                role,
                policy,
                document,
            } => self.write(env, role, |role, env| role.put_policy(env, policy, document)),
            Request::DeleteRolePolicy { role, policy } => {
                self.write(env, role, |role, _| role.delete_policy(policy))
            }
            Request::GetRolePolicy { role, policy } => self.shown(env, role)?.inline_policy(policy),
            Request::ListRolePolicies { role, page } => {
                let names = self.shown(env, role)?.inline_policy_names();
                list(env, page, "PolicyNames", names)
            }
            Request::AttachRolePolicy { role, arn } => self.write(env, role, |role, _| role.attach(arn)),
            Request::DetachRolePolicy { role, arn } => self.write(env, role, |role, _| role.detach(arn)),
            Request::ListAttachedRolePolicies { role, page } => {
                let attached = self.shown(env, role)?.attachments();
                list(env, page, "AttachedPolicies", attached)
            }
            Request::PutRolePermissionsBoundary { role, arn } => {
                self.write(env, role, |role, _| role.set_boundary(Some(arn)))
            }
            Request::DeleteRolePermissionsBoundary { role } => {
                self.write(env, role, |role, _| role.set_boundary(None))
            }
            Request::TagRole { role, tags } => self.write(env, role, |role, env| role.tag(env, tags)),
            Request::UntagRole { role, keys } => self.write(env, role, |role, _| role.untag(keys)),
            Request::ListRoleTags { role, page } => {
                let tags = self.shown(env, role)?.shown_tags();
                list(env, page, "Tags", tags)
            }
            Request::ListInstanceProfilesForRole { role, page } => {
                self.shown(env, role)?;
                list(env, page, "InstanceProfiles", Vec::new())
            }
        }
    }

    fn create_role(&mut self, env: &mut Env, input: &CreateRole) -> Answer {
        let key = input.name.to_ascii_lowercase();
        let role = Role::create(env, input)?;
        if self.roles.contains_key(&key) {
            let text = format!("Role with name {} already exists.", input.name);
            return Err(Refusal::new(409, "EntityAlreadyExists", text));
        }
        if self.roles.len() >= env.settings.quotas.roles {
            let text = format!(
                "Cannot exceed quota for RolesPerAccount: {}",
                env.settings.quotas.roles
            );
            return Err(Refusal::new(409, "LimitExceeded", text));
        }
        self.propagation.record(env, &role.arn, Some(role.view()));
        let answer = json!({ "Role": role.shown(true)? });
        self.keep(env);
        self.roles.insert(key, role);
        Ok(answer)
    }

    /// Inline policies and attachments have to go first (D).
    fn delete_role(&mut self, env: &Env, name: &str) -> Answer {
        let role = find(&self.roles, name)?;
        role.check_deletable()?;
        let arn = role.arn.clone();
        self.propagation.record(env, &arn, None);
        self.keep(env);
        self.roles.remove(&name.to_ascii_lowercase());
        Ok(json!({}))
    }

    /// Changes a copy of the role, so that a refused change leaves no trace, and lets the change propagate.
    fn write(
        &mut self,
        env: &mut Env,
        name: &str,
        change: impl FnOnce(&mut Role, &mut Env) -> Result<(), Refusal>,
    ) -> Answer {
        let mut role = find(&self.roles, name)?.clone();
        let before = role.view();
        change(&mut role, env)?;
        self.keep(env);
        if role.view() != before {
            self.propagation.record(env, &role.arn, Some(role.view()));
        }
        self.roles.insert(name.to_ascii_lowercase(), role);
        Ok(json!({}))
    }

    fn list_roles(&self, env: &Env, prefix: Option<&str>, request: &PageRequest) -> Answer {
        let items = self.replica.shown(env.now, &self.roles).values();
        let items = items.filter(|role| role.path.starts_with(prefix.unwrap_or("/")));
        let items = items.map(|role| (role.birth, role));
        let page = page(env.settings, env.seed, env.now, request, items).map_err(|_| bad_marker())?;
        // ListRoles does not return tags (D).
        let roles: Result<Vec<Value>, Refusal> =
            page.items.into_iter().map(|role| role.shown(false)).collect();
        Ok(truncatable("Roles", &roles?, page.next))
    }

    /// The role as reads show it.
    fn shown(&self, env: &Env, name: &str) -> Result<&Role, Refusal> {
        find(self.replica.shown(env.now, &self.roles), name)
    }

    /// What reads go on showing for a while, before a change.
    fn keep(&mut self, env: &Env) {
        let lag = env.settings.read_lag_ms;
        self.replica.keep(env.now, lag, &self.roles);
    }
}

/// Looked up in the case it was created with.
fn find<'a>(roles: &'a Roles, name: &str) -> Result<&'a Role, Refusal> {
    let role = roles.get(&name.to_ascii_lowercase());
    role.filter(|role| role.name == name).ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchEntity",
            format!("The role with name {name} cannot be found."),
        )
    })
}

/// Names, tags and attachments: small lists that are paged by their position.
fn list(env: &Env, request: &PageRequest, member: &str, items: Vec<Value>) -> Answer {
    let size = request
        .max_results
        .unwrap_or(env.settings.page_size)
        .min(env.settings.page_size)
        .max(1);
    let start = match &request.token {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| bad_marker())?,
    };
    let end = start.saturating_add(size);
    let next = (end < items.len()).then(|| end.to_string());
    let items: Vec<Value> = items.into_iter().skip(start).take(size).collect();
    Ok(truncatable(member, &items, next))
}

fn truncatable(member: &str, items: &[Value], next: Option<String>) -> Value {
    let mut answer = json!({ member: items, "IsTruncated": next.is_some() });
    if let (Some(next), Value::Object(members)) = (next, &mut answer) {
        members.insert("Marker".into(), next.into());
    }
    answer
}

fn bad_marker() -> Refusal {
    Refusal::new(400, "ValidationError", "Invalid Marker.")
}

fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", message)
}

impl Role {
    /// Everything about the role in one value.
    pub(crate) fn state(&self) -> Answer {
        let mut state = self.shown(true)?;
        if let Value::Object(members) = &mut state {
            members.insert("AssumeRolePolicyDocument".into(), self.view().trust);
            members.insert("InlinePolicies".into(), json(self.parsed_policies())?);
            members.insert("AttachedPolicies".into(), json(self.attachments())?);
        }
        Ok(state)
    }
}
