//! The functions that an object owns, with every rule that `kubectl apply` can show at once.
//!
//! Lengths and counts are Lambda's quotas (D) or bounds of this project: twenty functions of 60 kB fit one
//! object of Kubernetes.

#![expect(clippy::doc_markdown, reason = "these texts are what kubectl explain shows")]
#![expect(
    unreachable_pub,
    reason = "the KubeSchema derive repeats each type inside a function body"
)]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// CommonJS assigns to `module.exports` or to something in `exports`, or hands them to `Object.assign` and its like. A line of a
/// comment or a text that begins so does neither, nor does a module that calls something of its own `exports`, as WebAssembly's
/// are. There are three rules, each as short as it can be, since the API server bounds what one of them may cost over twenty functions.
const COMMON_JS: &str = "the code of a Node.js function is an ES module; write export const handler = async (event) => ({...}) instead of exports.handler = ...";

/// A Lambda function of this object, with its log group and an execution role that may write to that group and nothing else.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!self.runtime.startsWith('nodejs') || !self.code.matches('(?m)^\\\\s*([^*/ ]([^/\\\\n]|/[^/*])*[^\\\\w$.\"\\'`])?exports *[.[][^<>!=;,(){}\\\\n]*=[^=>]')").message(COMMON_JS),
    validation = Rule::new("!self.runtime.startsWith('nodejs') || !self.code.matches('(?m)^\\\\s*([^*/ ]([^/\\\\n]|/[^/*])*[^\\\\w\"\\'`])?module[.]exports[^<>!=;,({\\\\n]*=[^=>]')").message(COMMON_JS),
    validation = Rule::new("!self.runtime.startsWith('nodejs') || !self.code.matches('(?m)^\\\\s*([^*/\\\\s]([^/\\\\n]|/[^/*])*\\\\W)?Object[.]\\\\w+[(] *(module[.])?exports *,')").message(COMMON_JS)
)]
pub struct Function {
    /// Name by which routes refer to it, 1 to 40 letters, digits, hyphens and underscores. In AWS it is
    /// `jwthttpapi-<hash>-<name>`; another name is another function.
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')").message("a function's name has letters, digits, hyphens and underscores only"))]
    pub name: String,

    /// Language and version.
    pub runtime: Runtime,

    /// MODULE.FUNCTION: the code becomes the file of that module (MODULE.mjs or MODULE.py), and FUNCTION is what it exports.
    #[schemars(length(min = 3, max = 128))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z0-9_-]+[.][A-Za-z_$][A-Za-z0-9_$]*$')").message("write the handler as MODULE.FUNCTION, such as index.handler"))]
    pub handler: String,

    /// Source of the module, up to 60,000 bytes in UTF-8: an ES module for Node.js, a module for Python. It is kept in Kubernetes
    /// as it is: no secrets.
    #[schemars(length(min = 1, max = 60000))]
    #[x_kube(validation = Rule::new("bytes(self).size() <= 60000").message("the code has more than 60,000 bytes, of which letters beyond ASCII take two to four each; make it shorter"))]
    pub code: String,

    /// Memory, 128 to 10240 MiB; the share of processors grows with it. Unless set: 128.
    #[serde(default, rename = "memoryMiB", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 128, max = 10240))]
    pub memory_mib: Option<i32>,

    /// Longest run, 1 to 900 seconds; API Gateway waits for 30 at most. Unless set: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 900))]
    pub timeout_seconds: Option<i32>,

    /// Environment variables, up to 4,096 bytes together with their names, written as JSON. They are plain text in Kubernetes and
    /// in AWS: no secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.size() <= 128 && k.matches('^[A-Za-z][A-Za-z0-9_]+$'))").message("an environment variable's name begins with a letter and has two or more letters, digits and underscores"),
        validation = Rule::new("self.all(k, !(k in ['AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_DEFAULT_REGION', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_INITIALIZATION_TYPE', 'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_LAMBDA_RUNTIME_API', 'AWS_REGION', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'LAMBDA_RUNTIME_DIR', 'LAMBDA_TASK_ROOT']))").message("Lambda sets this environment variable itself; choose another name")
    )]
    pub environment: BTreeMap<String, String>,

    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,

    /// How long logs are kept, in days: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
    /// 2922, 3288 or 3653. Unless set: 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self in [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]").message("CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days"))]
    pub log_retention_days: Option<i32>,
}

/// Language and version of a function: nodejs24.x, nodejs22.x, python3.14 or python3.13.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Runtime {
    /// Node.js 24.
    #[default]
    #[serde(rename = "nodejs24.x")]
    Nodejs24,
    /// Node.js 22.
    #[serde(rename = "nodejs22.x")]
    Nodejs22,
    /// Python 3.14.
    #[serde(rename = "python3.14")]
    Python314,
    /// Python 3.13.
    #[serde(rename = "python3.13")]
    Python313,
}

impl Runtime {
    /// The word that Lambda uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nodejs24 => "nodejs24.x",
            Self::Nodejs22 => "nodejs22.x",
            Self::Python314 => "python3.14",
            Self::Python313 => "python3.13",
        }
    }

    /// What a module's file ends in: `.mjs` makes Node.js take it for an ES module.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Nodejs24 | Self::Nodejs22 => "mjs",
            Self::Python314 | Self::Python313 => "py",
        }
    }
}

/// Processors of a function: x86_64 or arm64. Unless set: x86_64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// 64-bit x86.
    #[default]
    #[serde(rename = "x86_64")]
    X86,
    /// 64-bit Arm.
    #[serde(rename = "arm64")]
    Arm,
}

impl Architecture {
    /// The word that Lambda uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "arm64",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::to_value;

    #[test]
    fn words_for_lambda_are_the_words_of_the_spec() {
        for runtime in [
            Runtime::Nodejs24,
            Runtime::Nodejs22,
            Runtime::Python314,
            Runtime::Python313,
        ] {
            assert_eq!(to_value(runtime).unwrap(), runtime.as_str());
        }
        for architecture in [Architecture::X86, Architecture::Arm] {
            assert_eq!(to_value(architecture).unwrap(), architecture.as_str());
        }
    }

    #[test]
    fn only_node_needs_a_file_that_says_module() {
        assert_eq!(Runtime::Nodejs24.extension(), "mjs");
        assert_eq!(Runtime::Nodejs22.extension(), "mjs");
        assert_eq!(Runtime::Python314.extension(), "py");
        assert_eq!(Runtime::Python313.extension(), "py");
    }
}
