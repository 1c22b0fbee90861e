//! A running sandbox, and the few calls that the tests make to it: as a client of AWS, and as a caller of an API.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";

/// An object with the members of another put in.
pub(crate) fn extended(mut object: Value, more: &Value) -> Value {
    object
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    object
}

/// Any signature will do.
fn credential(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// A client of a sandbox.
pub(crate) struct Aws {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Aws {
    pub(crate) fn at(authority: String) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            authority,
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Reply {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{}{path}", self.authority));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .client
            .request(request.body(Full::from(body)).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Reply {
            status,
            headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn signed(
        &self,
        service: &str,
        method: &str,
        path: &str,
        content_type: &str,
        body: String,
    ) -> Reply {
        let headers = [
            ("authorization", &*credential(service)),
            ("content-type", content_type),
        ];
        let reply = self.send(method, path, &headers, body).await;
        assert!(reply.status < 300, "{method} {path}: {reply:?}");
        reply
    }

    /// One call of API Gateway v2; `path` below `/v2/apis`.
    pub(crate) async fn gateway(&self, method: &str, path: &str, input: Value) -> Value {
        let path = format!("/v2/apis{path}");
        let reply = self
            .signed("apigateway", method, &path, "application/json", input.to_string())
            .await;
        if reply.body.is_empty() {
            Value::Null
        } else {
            reply.json()
        }
    }

    /// One call of IAM's query protocol.
    pub(crate) async fn iam(&self, action: &str, members: &[(&str, &str)]) {
        let mut form = format!("Action={action}&Version=2010-05-08");
        for (name, value) in members {
            form.extend(["&", name, "="]);
            form.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        self.signed("iam", "POST", "/", "application/x-www-form-urlencoded", form)
            .await;
    }

    /// One call of CloudWatch Logs.
    pub(crate) async fn logs(&self, operation: &str, input: Value) {
        let headers = [
            ("authorization", &*credential("logs")),
            ("x-amz-target", &format!("Logs_20140328.{operation}")),
        ];
        let reply = self.send("POST", "/", &headers, input.to_string()).await;
        assert!(reply.status < 300, "{operation}: {reply:?}");
    }

    /// Creates a Node function whose file `index.mjs` is `code`; gives its ARN.
    pub(crate) async fn function(&self, name: &str, code: &str) -> String {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive
            .start_file("index.mjs", SimpleFileOptions::default())
            .unwrap();
        archive.write_all(code.as_bytes()).unwrap();
        let zip = STANDARD.encode(archive.finish().unwrap().into_inner());
        let input = json!({
            "FunctionName": name, "Runtime": "nodejs24.x", "Handler": "index.handler", "Timeout": 20,
            "Role": format!("arn:aws:iam::{ACCOUNT}:role/execution"), "Code": {"ZipFile": zip},
        });
        let reply = self
            .signed(
                "lambda",
                "POST",
                "/2015-03-31/functions",
                "application/json",
                input.to_string(),
            )
            .await;
        reply.json()["FunctionArn"].as_str().unwrap().to_owned()
    }

    /// Changes the runtime of a function.
    pub(crate) async fn set_runtime(&self, function: &str, runtime: &str) {
        let path = format!("/2015-03-31/functions/{function}/configuration");
        let input = json!({"Runtime": runtime});
        self.signed("lambda", "PUT", &path, "application/json", input.to_string())
            .await;
    }

    /// Lets API Gateway invoke a function for everything of an API.
    pub(crate) async fn permit(&self, function: &str, api: &str) {
        let input = json!({
            "StatementId": api, "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
            "SourceArn": format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*"),
        });
        let path = format!("/2015-03-31/functions/{function}/policy");
        self.signed("lambda", "POST", &path, "application/json", input.to_string())
            .await;
    }

    /// Creates a role that a service may assume; gives its ARN.
    pub(crate) async fn role(&self, name: &str, service: &str) -> String {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        ]});
        let members = [
            ("RoleName", name),
            ("AssumeRolePolicyDocument", &trust.to_string()),
        ];
        self.iam("CreateRole", &members).await;
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    /// Writes the one inline policy of a role: it may do `actions`, one or a list, on `resource`.
    pub(crate) async fn allow(&self, role: &str, actions: &Value, resource: &str) {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resource}
        ]});
        let members = [
            ("RoleName", role),
            ("PolicyName", "p"),
            ("PolicyDocument", &policy.to_string()),
        ];
        self.iam("PutRolePolicy", &members).await;
    }

    /// Creates an API with further members; gives its id.
    pub(crate) async fn api(&self, more: Value) -> String {
        let input = json!({"name": "api", "protocolType": "HTTP"});
        self.gateway("POST", "", extended(input, &more)).await["apiId"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Creates a Lambda integration with further members; gives what a route's `target` has to be.
    pub(crate) async fn integration(&self, api: &str, function: &str, more: Value) -> String {
        let input = json!({"integrationType": "AWS_PROXY", "integrationUri": function, "payloadFormatVersion": "2.0"});
        let created = self
            .gateway("POST", &format!("/{api}/integrations"), extended(input, &more))
            .await;
        format!("integrations/{}", created["integrationId"].as_str().unwrap())
    }

    /// Creates a JWT authorizer on the `Authorization` header; gives its id.
    pub(crate) async fn authorizer(&self, api: &str, name: &str, issuer: &str) -> String {
        let input = json!({
            "name": name, "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": {"issuer": issuer, "audience": ["https://api.example"]},
        });
        let created = self.gateway("POST", &format!("/{api}/authorizers"), input).await;
        created["authorizerId"].as_str().unwrap().to_owned()
    }

    /// Creates a route with further members.
    pub(crate) async fn route(&self, api: &str, key: &str, target: &str, more: Value) {
        let input = json!({"routeKey": key, "target": target});
        self.gateway("POST", &format!("/{api}/routes"), extended(input, &more))
            .await;
    }

    /// Creates an auto-deployed stage.
    pub(crate) async fn stage(&self, api: &str, name: &str) {
        self.gateway(
            "POST",
            &format!("/{api}/stages"),
            json!({"stageName": name, "autoDeploy": true}),
        )
        .await;
    }

    /// Calls a deployed API by its host name.
    pub(crate) async fn call(&self, api: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let host = format!("{api}.execute-api.localhost");
        let mut all = vec![("host", host.as_str())];
        all.extend_from_slice(headers);
        self.send(method, path, &all, String::new()).await
    }
}
