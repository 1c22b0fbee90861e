//! What AWS looks like: SDK answers made into the core's observations.
//!
//! An API is read by `GetApi` and four paged lists that go out together. What AWS fills in by itself is given its default when it is
//! absent (O), so that nothing reads as drift which is none.

mod api_gateway;
mod iam;
mod lambda;
mod logs;
mod owned;

use super::Session;
use super::fault::{Class, Fault};
use super::operation::Operation;
use futures::future::BoxFuture;
use jwthttpapi_core::model::function::LogGroup;
use jwthttpapi_core::model::name::{FunctionArn, ROLE_POLICY, RoleName};
use jwthttpapi_core::model::observed::{self, FunctionPolicy};
use jwthttpapi_core::planted;
use std::collections::{BTreeMap, BTreeSet};

pub(super) use api_gateway::created;
pub(super) use lambda::state;

/// Everything in an API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Children {
    /// Authorizers.
    pub authorizers: Vec<observed::Authorizer>,
    /// Integrations.
    pub integrations: Vec<observed::Integration>,
    /// Routes.
    pub routes: Vec<observed::Route>,
    /// Stages.
    pub stages: Vec<observed::Stage>,
}

impl Children {
    /// The settings of an API with these as its children.
    #[must_use]
    pub fn within(self, settings: observed::Api) -> observed::Api {
        observed::Api {
            authorizers: self.authorizers,
            integrations: self.integrations,
            routes: self.routes,
            stages: self.stages,
            ..settings
        }
    }
}

/// How much of an API is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Settings and all children, by five reads.
    Whole,
    /// Settings and integrations, by two reads: an API that is to go, and the functions that it reached.
    Integrations,
    /// Settings alone, by one read.
    Settings,
}

/// Policies that others put on a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// ARNs of managed policies.
    pub managed: BTreeSet<String>,
    /// Names of inline policies.
    pub inline: BTreeSet<String>,
}

/// An API in the list of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedApi {
    /// Id.
    pub id: String,
    /// When it was made, in a form that sorts as text.
    pub created: String,
    /// All tags.
    pub tags: BTreeMap<String, String>,
}

impl Session {
    /// Settings of an API, without its children; none when there is no such API.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn api(&self, id: &str) -> Result<Option<observed::Api>, Fault> {
        self.observe(id, Extent::Settings).await
    }

    /// An API as far as asked for, by reads that go out together; none when there is no such API.
    ///
    /// # Errors
    /// When AWS does not say, or the API vanishes meanwhile.
    pub async fn observe(&self, id: &str, extent: Extent) -> Result<Option<observed::Api>, Fault> {
        let children = async {
            match extent {
                Extent::Whole => api_gateway::children(self, id).await,
                Extent::Integrations => Ok(Children {
                    integrations: api_gateway::integrations(self, id).await?,
                    ..Children::default()
                }),
                Extent::Settings => Ok(Children::default()),
            }
        };
        let (settings, children) = futures::join!(api_gateway::settings(self, id), children);
        match found(settings)? {
            Some(settings) => Ok(Some(children?.within(settings))),
            None => Ok(None),
        }
    }

    /// The children of an API, by four reads that go out together: what is left to see after a creation whose answer showed the
    /// settings. None when there is no such API; four lists that answer show that there is one.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn children(&self, id: &str) -> Result<Option<Children>, Fault> {
        found(api_gateway::children(self, id).await)
    }

    /// A stage; none when there is no such stage or API.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn stage(&self, id: &str, name: &str) -> Result<Option<observed::Stage>, Fault> {
        found(api_gateway::stage(self, id, name).await)
    }

    /// Every API of the account and Region, in no order.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn apis(&self) -> Result<Vec<ListedApi>, Fault> {
        api_gateway::apis(self).await
    }

    /// A role and its inline policy, by two reads that go out together; none when there is no such role.
    ///
    /// # Errors
    /// When AWS does not say, or what it says cannot be read.
    pub async fn role(&self, name: &RoleName) -> Result<Option<observed::Role>, Fault> {
        let (role, policy) = futures::join!(iam::role(self, name), iam::policy(self, name));
        match found(role)? {
            Some(role) => Ok(Some(observed::Role {
                policy: found(policy)?,
                ..role
            })),
            None => Ok(None),
        }
    }

    /// What others put on a role beside the operator's one inline policy, by two lists that go out together.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn attachments(&self, name: &RoleName) -> Result<Attachments, Fault> {
        let (managed, inline) = futures::join!(iam::attached(self, name), iam::inline(self, name));
        let inline = found(inline)?.into_iter().flatten();
        Ok(Attachments {
            managed: found(managed)?.into_iter().flatten().collect(),
            inline: inline.filter(|policy| policy != ROLE_POLICY).collect(),
        })
    }

    /// A function with its configuration and its tags; none when there is no such function.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn own_function(&self, name: &str) -> Result<Option<observed::Function>, Fault> {
        found(lambda::own(self, name).await)
    }

    /// Log groups whose names begin so, without their tags.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn log_groups(&self, prefix: &str) -> Result<Vec<LogGroup>, Fault> {
        logs::groups(self, prefix).await
    }

    /// The tags of a log group; none when there is no such log group.
    ///
    /// # Errors
    /// When AWS does not say.
    pub async fn log_group_tags(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Fault> {
        found(logs::tags(self, name).await)
    }

    /// A function, and its policy if asked for: one read for a function that exists and, if asked for, has a policy.
    ///
    /// # Errors
    /// When AWS does not say, or what it says cannot be read.
    pub async fn function(&self, arn: &FunctionArn, with_policy: bool) -> Result<FunctionPolicy, Fault> {
        if with_policy && let Some(policy) = found(lambda::policy(self, arn).await)? {
            return Ok(FunctionPolicy::Policy(policy));
        }
        // One code says that there is no policy and that there is no function (D).
        Ok(match found(lambda::exists(self, arn).await)? {
            None => FunctionPolicy::Missing,
            Some(()) if with_policy => FunctionPolicy::Policy(serde_json::json!({})),
            Some(()) => FunctionPolicy::Exists,
        })
    }
}

/// None for what AWS says is missing.
fn found<T>(answer: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.class == Class::Missing => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// One page and where the next begins.
type Page<T> = (Option<Vec<T>>, Option<String>);

/// Every page of a list. The page size is AWS's own: which sizes it takes is not documented.
async fn pages<'a, T>(
    operation: Operation,
    fetch: impl Fn(Option<String>) -> BoxFuture<'a, Result<Page<T>, Fault>>,
) -> Result<Vec<T>, Fault> {
    let mut items = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let (page, token) = fetch(next.clone()).await?;
        items.extend(page.into_iter().flatten());
        planted!(FirstPageOnly => {
            return Ok(items);
        });
        match token.filter(|token| !token.is_empty()) {
            None => return Ok(items),
            // A list that never ends would hold the reconcile for ever.
            Some(token) if next.as_ref() == Some(&token) => {
                return Err(Fault::unreadable(operation, "a next page"));
            }
            Some(token) => next = Some(token),
        }
    }
}
