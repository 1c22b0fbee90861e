//! What a function's members may be. What the service model itself forbids is `ValidationException`, what Lambda finds out
//! later `InvalidParameterValueException`.

use std::{collections::BTreeMap, io::Cursor};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use zip::ZipArchive;

use super::invalid;
use crate::model::{Env, error::Refusal};

/// The runtimes of the service model (D).
const RUNTIMES: [&str; 46] = [
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "java8",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "dotnet6",
    "dotnet8",
    "dotnet10",
    "ruby2.5",
    "ruby2.7",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
    "go1.x",
    "provided",
    "provided.al2",
    "provided.al2023",
];
/// Names that Lambda sets itself (D: the guide on environment variables; those with a leading underscore are no names
/// anyway).
const RESERVED_VARIABLES: [&str; 19] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// The smallest archive that Lambda takes as code: one empty file, `index.mjs`.
pub const SMALLEST_ARCHIVE: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0index.mjs\
    PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\x80\x01\0\0\0\0index.mjs\
    PK\x05\x06\0\0\0\0\x01\0\x01\x007\0\0\0'\0\0\0\0\0";

/// 64 of `[a-zA-Z0-9-_]` (service model, D). That `CreateFunction` takes ARNs too is not modelled.
pub(super) fn name(name: &str) -> Result<(), Refusal> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || !name.chars().all(valid) {
        return Err(constraint(
            "functionName",
            name,
            "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+",
        ));
    }
    at_most("functionName", name, 64)
}

/// A role's ARN (service model, D); a name alone is the mistake that people make (O). One of another account cannot be
/// passed (O).
pub(super) fn role(env: &Env, arn: &str) -> Result<(), Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, resource] = parts.as_slice() else {
        return Err(no_role(arn));
    };
    let digits = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    if !digits || resource.strip_prefix("role/").is_none_or(str::is_empty) {
        return Err(no_role(arn));
    }
    if *account != env.account.id {
        let text = "Cross-account pass role is not allowed.";
        return Err(Refusal::new(403, "AccessDeniedException", text));
    }
    Ok(())
}

fn no_role(arn: &str) -> Refusal {
    let pattern = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";
    let text = format!("Member must satisfy regular expression pattern: {pattern}");
    constraint("role", arn, &text)
}

/// A runtime of the service model (D) that functions can still be given (D; the texts O).
pub(super) fn runtime(env: &Env, runtime: &str) -> Result<(), Refusal> {
    if !RUNTIMES.contains(&runtime) {
        let known = RUNTIMES.join(", ");
        return Err(invalid(format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{known}] \
             or be a valid ARN"
        )));
    }
    if env.settings.blocked_runtimes.contains(runtime) {
        return Err(invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions."
        )));
    }
    Ok(())
}

/// Up to 128 characters without white space (service model, D).
pub(super) fn handler(handler: &str) -> Result<(), Refusal> {
    if handler.is_empty() || handler.contains(char::is_whitespace) {
        let text = r"Member must satisfy regular expression pattern: [^\s]+";
        return Err(constraint("handler", handler, text));
    }
    at_most("handler", handler, 128)
}

/// Up to 256 characters (service model, D).
pub(super) fn description(description: &str) -> Result<(), Refusal> {
    at_most("description", description, 256)
}

/// Exactly one of two (service model, D).
pub(super) fn architectures(architectures: &[String]) -> Result<(), Refusal> {
    match architectures {
        [one] if one == "x86_64" || one == "arm64" => Ok(()),
        [_] => Err(constraint(
            "architectures",
            &format!("{architectures:?}"),
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]",
        )),
        _ => Err(constraint(
            "architectures",
            &format!("{architectures:?}"),
            "Member must have length equal to 1",
        )),
    }
}

/// Seconds or MiB within bounds (D).
pub(super) fn within(what: &str, value: i64, least: u32, most: u32) -> Result<u32, Refusal> {
    let (relation, bound) = match u32::try_from(value) {
        Ok(value) if value > most => ("less", most),
        Ok(value) if value >= least => return Ok(value),
        Ok(_) => ("greater", least),
        Err(_) if value > 0 => ("less", most),
        Err(_) => ("greater", least),
    };
    let text = format!("Member must have value {relation} than or equal to {bound}");
    Err(constraint(what, &value.to_string(), &text))
}

/// Names by the service model's pattern (D), none of Lambda's own (D, the text O), 4 KB in all (D; the text and
/// that JSON is measured O).
pub(super) fn environment(env: &Env, variables: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let valid = |name: &str| {
        let mut rest = name.chars();
        rest.next().is_some_and(|first| first.is_ascii_alphabetic())
            && name.len() > 1
            && rest.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !variables.keys().all(|name| valid(name)) {
        // The values are nobody's business.
        return Err(validation(
            "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must \
             satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
        ));
    }
    let unable = "Lambda was unable to configure your environment variables because the environment variables you have \
                  provided";
    let reserved: Vec<&str> = variables
        .keys()
        .map(String::as_str)
        .filter(|name| RESERVED_VARIABLES.contains(name))
        .collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "{unable} contains reserved keys that are currently not supported for modification. Reserved keys used in \
             this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = crate::model::json(variables)?.to_string();
    if measured.len() > env.settings.quotas.function_environment_bytes {
        return Err(invalid(format!(
            "{unable} exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok(())
}

/// The bytes of an archive with something in it (texts O).
pub(super) fn archive(env: &Env, zip: &str) -> Result<Vec<u8>, Refusal> {
    let code = BASE64
        .decode(zip)
        .map_err(|_| Refusal::new(400, "SerializationException", "ZipFile is not valid base64"))?;
    if code.len() > env.settings.quotas.function_zip_bytes {
        // Of the whole request, in base64.
        let most = env.settings.quotas.function_zip_bytes / 3 * 4;
        let text = format!("Request must be smaller than {most} bytes for the operation");
        return Err(Refusal::new(413, "RequestEntityTooLargeException", text));
    }
    if code.is_empty() {
        return Err(empty());
    }
    let Ok(archive) = ZipArchive::new(Cursor::new(code.as_slice())) else {
        return Err(invalid(
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ));
    };
    if archive.is_empty() {
        return Err(empty());
    }
    Ok(code)
}

fn empty() -> Refusal {
    invalid("Uploaded file must be a non-empty zip")
}

fn at_most(what: &str, value: &str, most: usize) -> Result<(), Refusal> {
    if value.chars().count() <= most {
        return Ok(());
    }
    let text = format!("Member must have length less than or equal to {most}");
    Err(constraint(what, value, &text))
}

/// The form of what the service model refuses (O).
pub(super) fn constraint(what: &str, value: &str, text: &str) -> Refusal {
    validation(format!(
        "1 validation error detected: Value '{value}' at '{what}' failed to satisfy constraint: {text}"
    ))
}

fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationException", message)
}
