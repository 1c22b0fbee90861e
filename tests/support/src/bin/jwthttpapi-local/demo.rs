//! The story that `make demo` tells. Whatever does not come as told ends it with an error.

use std::{collections::BTreeMap, time::Duration};

use jwthttpapi_test_support::{Answer, Error, JournalEntry, OPERATOR_ACCESS_KEY, deadline, places};
use serde_json::{Value, json};

use crate::{
    ground::{AUDIENCE, Ground, NAME, NAMESPACE},
    narrator::Narrator,
};

/// How long an auto-deployment may take until the data plane shows it.
const DEPLOYMENT: Duration = Duration::from_secs(15);
const SCOPE: &str = "hello:read";
const REQUESTED_AT: &str = "reconcile.jwthttpapi.dev/requestedAt";

/// What a creation of the example writes, in alphabetical order: one request for each thing of the article, and none refused.
const CREATION: [&str; 12] = [
    "CreateApi",
    "CreateAuthorizer",
    "CreateFunction",
    "CreateIntegration",
    "CreateLogGroup",
    "CreateRole",
    "CreateRole",
    "CreateRoute",
    "CreateStage",
    "PutRetentionPolicy",
    "PutRolePolicy",
    "PutRolePolicy",
];

/// Tells it.
pub(crate) fn run(narrator: &Narrator) -> Result<(), Error> {
    let ground = Ground::start(&places::repository().join(".local/demo"), narrator)?;
    let story = Story { ground, narrator };
    let before = story.ground.aws().state()?;
    let start = story.ground.aws().journal_mark()?;

    let api = story.create()?;
    let token = story.call_with_tokens(&api)?;
    story.ask_for_a_scope(&api, &token)?;
    story.break_and_repair(&api)?;
    story.delete(&before)?;
    story.count(start)
}

struct Story<'a> {
    ground: Ground,
    narrator: &'a Narrator,
}

impl Story<'_> {
    /// From a manifest to an API that is ready: its id.
    fn create(&self) -> Result<String, Error> {
        self.narrator.step("One object describes one JWT-protected API");
        let manifest = self.ground.example()?;
        self.narrator.command(&format!(
            "kubectl apply --namespace {NAMESPACE} -f examples/hello.yaml   # with the local issuer"
        ));
        self.narrator.tell(&manifest);
        let file = self.ground.cluster.directory().join("hello.yaml");
        std::fs::write(&file, manifest).map_err(|source| Error::File {
            path: file.clone(),
            source,
        })?;
        let mark = self.ground.aws().journal_mark()?;
        let applied =
            self.ground
                .cluster
                .kubectl(["apply", "-n", NAMESPACE, "-f", &file.display().to_string()])?;
        self.narrator.tell(&applied);
        self.narrator
            .tell("AWS needs a while until a new role works everywhere; Ready waits for that.");
        self.kubectl(&["wait", "--for=condition=Ready", &object(), "--timeout=60s"])?;
        self.kubectl(&["get", &object()])?;
        let writes = self.writes(mark)?;
        self.show(&writes);
        let mut written: Vec<String> = writes.iter().map(said).collect();
        written.sort();
        if written != CREATION {
            return Err(surprise(
                "the creation's writes",
                &CREATION.join(", "),
                &written.join(", "),
            ));
        }
        self.narrator.tell(&format!(
            "{} writes: the minimum, none of them refused.",
            written.len()
        ));
        let id = self.ground.cluster.kubectl([
            "get",
            &object(),
            "-n",
            NAMESPACE,
            "-o",
            "jsonpath={.status.apiId}",
        ])?;
        if id.is_empty() {
            Err(surprise("status.apiId", "an id", "nothing"))
        } else {
            Ok(id)
        }
    }

    /// No token, a wrong one and a good one: the good one.
    fn call_with_tokens(&self, api: &str) -> Result<String, Error> {
        self.narrator
            .step("Only a token of that issuer for that audience gets through");
        self.call(api, None, "no token", 401)?;
        let elsewhere = self.ground.token("https://elsewhere.example.com", None)?;
        self.call(api, Some(&elsewhere), "a token for another audience", 401)?;
        let good = self.ground.token(AUDIENCE, None)?;
        let answer = self.call(api, Some(&good), "a good token", 200)?;
        let said = answer.json()?;
        if said == json!({"hello": "alice"}) {
            Ok(good)
        } else {
            Err(surprise(
                "the function's answer",
                r#"{"hello":"alice"}"#,
                &answer.body,
            ))
        }
    }

    fn ask_for_a_scope(&self, api: &str, token: &str) -> Result<(), Error> {
        self.narrator
            .step("A change costs what it needs: asking for a scope is one write");
        let mark = self.ground.aws().journal_mark()?;
        let patch = json!({"spec": {"scopes": [SCOPE]}}).to_string();
        self.kubectl(&["patch", &object(), "--type=merge", "--patch", &patch])?;
        self.kubectl(&[
            "wait",
            "--for=jsonpath={.status.observedGeneration}=2",
            &object(),
            "--timeout=60s",
        ])?;
        self.kubectl(&["wait", "--for=condition=Ready", &object(), "--timeout=60s"])?;
        let writes = self.writes(mark)?;
        self.show(&writes);
        if writes.len() != 1 {
            return Err(surprise("writes to AWS", "1", &writes.len().to_string()));
        }
        self.call(api, Some(token), "the same token, which has no scope", 403)?;
        let scoped = self.ground.token(AUDIENCE, Some(SCOPE))?;
        self.call(api, Some(&scoped), "a token with the scope", 200)?;
        Ok(())
    }

    fn break_and_repair(&self, api: &str) -> Result<(), Error> {
        self.narrator.step("Somebody takes the lock off by hand");
        let aws = self.ground.aws();
        let routes = aws.aws("apigateway", "GET", &format!("/v2/apis/{api}/routes"), None)?;
        let route = routes.pointer("/items/0/routeId").and_then(Value::as_str);
        let route = route.ok_or_else(|| surprise("GetRoutes", "a route", &routes.to_string()))?;
        let open = json!({"authorizationType": "NONE", "authorizationScopes": []});
        self.narrator.command(&format!(
            "aws apigatewayv2 update-route --api-id {api} --route-id {route} --authorization-type NONE …"
        ));
        aws.aws(
            "apigateway",
            "PATCH",
            &format!("/v2/apis/{api}/routes/{route}"),
            Some(&open),
        )?;
        deadline::poll("the open route", DEPLOYMENT, || {
            Ok((aws.invoke(api, "GET", "/test", &[], None)?.status == 200).then_some(()))
        })?;
        self.call(api, None, "no token", 200)?;

        self.narrator
            .step("The operator is asked to look, and puts it right (unasked it looks every ten minutes)");
        let mark = aws.journal_mark()?;
        let now = now();
        self.kubectl(&[
            "annotate",
            &object(),
            &format!("{REQUESTED_AT}={now}"),
            "--overwrite",
        ])?;
        let handled = format!("--for=jsonpath={{.status.lastHandledReconcileAt}}={now}");
        self.kubectl(&["wait", &handled, &object(), "--timeout=60s"])?;
        self.kubectl(&["wait", "--for=condition=Ready", &object(), "--timeout=60s"])?;
        self.show(&self.writes(mark)?);
        self.call(api, None, "no token", 401)?;
        let scoped = self.ground.token(AUDIENCE, Some(SCOPE))?;
        self.call(api, Some(&scoped), "a token with the scope", 200)?;
        Ok(())
    }

    fn delete(&self, before: &Value) -> Result<(), Error> {
        self.narrator
            .step("Deleting the object deletes everything it made");
        self.kubectl(&["delete", &object(), "--timeout=60s"])?;
        let after = self.ground.aws().state()?;
        if after != *before {
            return Err(surprise(
                "the state of AWS",
                &before.to_string(),
                &after.to_string(),
            ));
        }
        self.narrator.tell("AWS is as it was before: empty.");
        Ok(())
    }

    /// How many calls of each operation the operator has made.
    fn count(&self, start: u64) -> Result<(), Error> {
        self.narrator.step("All of that took these AWS calls");
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let journal = self.ground.aws().journal(start)?;
        for entry in journal
            .iter()
            .filter(|entry| entry.access_key == OPERATOR_ACCESS_KEY)
        {
            *counts
                .entry(format!("{} {}", entry.service, entry.operation))
                .or_default() += 1;
        }
        for (operation, count) in &counts {
            self.narrator.tell(&format!("{count:4}  {operation}"));
        }
        self.narrator
            .tell(&format!("{:4}  in all", counts.values().sum::<u32>()));
        Ok(())
    }

    /// Calls the example's route, shows it, and insists on the status.
    fn call(&self, api: &str, token: Option<&str>, why: &str, expected: u16) -> Result<Answer, Error> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer
            .iter()
            .map(|bearer| ("authorization", bearer.as_str()))
            .collect();
        let answer = self.ground.aws().invoke(api, "GET", "/test", &headers, None)?;
        self.narrator.exchange(&format!("GET /test   ({why})"), &answer);
        if answer.status == expected {
            Ok(answer)
        } else {
            Err(surprise(
                why,
                &expected.to_string(),
                &format!("{} {}", answer.status, answer.body),
            ))
        }
    }

    fn kubectl(&self, args: &[&str]) -> Result<String, Error> {
        self.ground.kubectl(self.narrator, args)
    }

    fn writes(&self, since: u64) -> Result<Vec<JournalEntry>, Error> {
        Ok(self
            .ground
            .aws()
            .journal(since)?
            .into_iter()
            .filter(|entry| entry.mutating)
            .collect())
    }

    fn show(&self, writes: &[JournalEntry]) {
        for write in writes {
            let parts = [&write.target, &write.resource].map(Option::as_deref);
            let target = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
            self.narrator.tell(&format!(
                "AWS journal #{}: {} {} {target}",
                write.number,
                write.service,
                said(write)
            ));
        }
    }
}

/// The operation, and that it was refused.
fn said(write: &JournalEntry) -> String {
    match &write.error {
        Some(code) => format!("{} (refused: {code})", write.operation),
        None => write.operation.clone(),
    }
}

fn object() -> String {
    format!("jwthttpapi/{NAME}")
}

/// Any text that was not there before does.
fn now() -> String {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    since.as_millis().to_string()
}

fn surprise(what: &str, expected: &str, found: &str) -> Error {
    Error::Document {
        what: what.to_owned(),
        problem: format!("expected {expected}, found {found}"),
    }
}
