//! The rules of Lambda, one test each.

mod functions;
mod life;
mod members;
mod permissions;
mod tags;

use std::io::{Cursor, Write};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::Request;
use crate::model::{
    error::Refusal,
    iam,
    testing::{Bench, input},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/execution";

/// An archive of one file.
fn archive(content: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("index.mjs", SimpleFileOptions::default())
        .unwrap();
    writer.write_all(content.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

fn zip(content: &str) -> String {
    BASE64.encode(archive(content))
}

fn members() -> Value {
    json!({
        "FunctionName": "hello", "Runtime": "nodejs24.x", "Role": ROLE, "Handler": "index.handler",
        "Code": { "ZipFile": zip("1") },
    })
}

fn create(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.lambda(Request::CreateFunction {
        input: input(members),
    })
}

fn with_role(settings: Value) -> Bench {
    let mut bench = Bench::new(settings);
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole",
    }] });
    let input = iam::CreateRole {
        name: "execution".into(),
        trust: trust.to_string(),
        ..Default::default()
    };
    bench.iam(iam::Request::CreateRole { input }).unwrap();
    bench
}

fn with_function() -> Bench {
    let mut bench = with_role(json!({}));
    create(&mut bench, members()).unwrap();
    bench
}

fn read(bench: &mut Bench, function: &str, qualifier: Option<&str>) -> Result<Value, Refusal> {
    let (function, qualifier) = (function.to_owned(), qualifier.map(str::to_owned));
    bench.lambda(Request::GetFunctionConfiguration { function, qualifier })
}

fn add(bench: &mut Bench, qualifier: Option<&str>, id: &str) -> Result<Value, Refusal> {
    let input = input(json!({
        "StatementId": id, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:eu-central-1:123456789012:api/*/*",
    }));
    bench.lambda(Request::AddPermission {
        function: "hello".into(),
        qualifier: qualifier.map(str::to_owned),
        input,
    })
}

fn policy(bench: &mut Bench, qualifier: Option<&str>) -> Result<Value, Refusal> {
    bench.lambda(Request::GetPolicy {
        function: "hello".into(),
        qualifier: qualifier.map(str::to_owned),
    })
}

fn remove(bench: &mut Bench, statement: &str) -> Result<Value, Refusal> {
    let (function, statement) = ("hello".to_owned(), statement.to_owned());
    bench.lambda(Request::RemovePermission {
        function,
        qualifier: None,
        statement,
        revision: None,
    })
}

fn with_alias(bench: &mut Bench) {
    bench
        .lambda(Request::PublishVersion {
            function: "hello".into(),
            description: None,
        })
        .unwrap();
    let input = input(json!({ "Name": "live", "FunctionVersion": "1" }));
    bench
        .lambda(Request::CreateAlias {
            function: "hello".into(),
            input,
        })
        .unwrap();
}

fn update_code(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.lambda(Request::UpdateFunctionCode {
        function: "hello".into(),
        input: input(members),
    })
}

fn configure(bench: &mut Bench, members: Value) -> Result<Value, Refusal> {
    bench.lambda(Request::UpdateFunctionConfiguration {
        function: "hello".into(),
        input: input(members),
    })
}
