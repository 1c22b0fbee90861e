//! The functions that an object owns: their code, configuration, role and log group.

use super::Builder;
use crate::api::{self, Reason};
use crate::model::desired::Role;
use crate::model::document::Document;
use crate::model::function::{Code, Configuration, Function, LogGroup};
use crate::model::name::{self, FunctionArn};
use serde_json::Value;
use std::collections::BTreeMap;

/// Lambda's limit for all environment variables of a function, in bytes (D, Lambda quotas). Its refusal quotes them as JSON, which
/// is what it seems to measure (O).
const ENVIRONMENT_LIMIT: usize = 4_096;

impl Builder<'_> {
    /// All of them, by their names in AWS.
    pub(super) fn functions(&mut self, tags: &BTreeMap<String, String>) -> BTreeMap<String, Function> {
        let mut functions = BTreeMap::new();
        for wanted in &self.spec.functions {
            let path = format!("spec.functions[{}]", wanted.name);
            let name = name::function_name(self.owner, &wanted.name);
            self.check_environment(&path, &wanted.environment);
            let Some(function) = self.own_function(&path, &name, wanted, tags) else {
                continue;
            };
            if functions.insert(name, function).is_some() {
                self.violate(
                    path,
                    Reason::InvalidSpec,
                    "two functions have this name; keep one of them",
                );
            }
        }
        functions
    }

    fn own_function(
        &mut self,
        path: &str,
        name: &str,
        wanted: &api::Function,
        tags: &BTreeMap<String, String>,
    ) -> Option<Function> {
        let architecture = wanted.architecture.unwrap_or_default();
        let packed = Code::pack(&wanted.code, &wanted.handler, wanted.runtime, architecture);
        let code = match packed {
            Ok(code) => code,
            Err(error) => {
                let message = format!("the code cannot be packed ({error}); make it shorter");
                self.violate(format!("{path}.code"), Reason::InvalidSpec, message);
                return None;
            }
        };
        let arn = match FunctionArn::of_name(self.place, name, None) {
            Ok(arn) => arn,
            Err(error) => {
                self.violate(format!("{path}.name"), Reason::InvalidSpec, error.to_string());
                return None;
            }
        };
        let log_group = name::log_group(name);
        let role = name::execution_role_name(self.owner, &self.place.region, &wanted.name)
            .under(&self.policy.role_path);
        let role = Role {
            function: Some(name.to_owned()),
            arn: self.place.role_arn(&role),
            name: role,
            trust: Document::execution_trust(),
            policy: Document::write_logs(&self.place.log_group_arn(&log_group)),
            boundary: self.policy.permissions_boundary.clone(),
            tags: tags.clone(),
        };
        Some(Function {
            name: wanted.name.clone(),
            arn,
            code,
            configuration: Configuration {
                runtime: wanted.runtime.as_str().to_owned(),
                handler: wanted.handler.clone(),
                role: role.arn.clone(),
                memory: wanted.memory_mib.unwrap_or(Configuration::MEMORY),
                timeout: wanted.timeout_seconds.unwrap_or(Configuration::TIMEOUT),
                environment: wanted.environment.clone(),
            },
            role,
            log_group: LogGroup {
                name: log_group,
                retention_days: Some(wanted.log_retention_days.unwrap_or(LogGroup::RETENTION)),
                tags: tags.clone(),
            },
            tags: tags.clone(),
        })
    }

    fn check_environment(&mut self, path: &str, environment: &BTreeMap<String, String>) {
        let members = environment.iter();
        let members = members.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
        let size = Value::Object(members.collect()).to_string().len();
        if size > ENVIRONMENT_LIMIT {
            let message = format!(
                "the environment has {size} bytes as JSON and Lambda allows {ENVIRONMENT_LIMIT}; shorten or remove variables"
            );
            self.violate(format!("{path}.environment"), Reason::InvalidSpec, message);
        }
    }
}
