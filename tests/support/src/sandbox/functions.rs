//! Lambda functions that exist before an operator does anything, and the role that they run under.

use std::io::{Cursor, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{ACCOUNT, SandboxClient};
use crate::Error;

/// The role of all functions made here; Lambda wants one that it may assume.
const ROLE: &str = "functions";

impl SandboxClient {
    /// Creates a function of the files `(name, content)`: its ARN.
    ///
    /// # Errors
    ///
    /// AWS refuses it.
    pub fn create_function(
        &self,
        name: &str,
        runtime: &str,
        handler: &str,
        files: &[(&str, &str)],
    ) -> Result<String, Error> {
        self.create_function_role()?;
        let answer = self.aws(
            "lambda",
            "POST",
            "/2015-03-31/functions",
            Some(&json!({
                "FunctionName": name, "Runtime": runtime, "Handler": handler,
                "Role": format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"),
                "Code": {"ZipFile": STANDARD.encode(archive(files)?)},
            })),
        )?;
        let arn = answer.get("FunctionArn").and_then(Value::as_str);
        arn.map(str::to_owned)
            .ok_or_else(|| Error::document("CreateFunction's answer", answer.to_string()))
    }

    /// Makes sure of the functions' role.
    fn create_function_role(&self) -> Result<(), Error> {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"},
        }]});
        let form = [
            ("Action", "CreateRole"),
            ("Version", "2010-05-08"),
            ("RoleName", ROLE),
            ("AssumeRolePolicyDocument", &trust.to_string()),
        ];
        let answer = self.query("iam", &form)?;
        // 409: it was made for an earlier function.
        if [200, 409].contains(&answer.status) {
            Ok(())
        } else {
            Err(Error::document(
                "CreateRole",
                format!("{} {}", answer.status, answer.body),
            ))
        }
    }
}

/// A function's archive.
fn archive(files: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let failed = |error: String| Error::document("the function's archive", error);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in files {
        writer
            .start_file(*name, options)
            .map_err(|error| failed(error.to_string()))?;
        writer
            .write_all(content.as_bytes())
            .map_err(|error| failed(error.to_string()))?;
    }
    Ok(writer
        .finish()
        .map_err(|error| failed(error.to_string()))?
        .into_inner())
}
