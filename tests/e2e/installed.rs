//! The chart's life in a real API server, and charts of users that wait for their objects.

use crate::ground::{Ground, LIMIT, NAMESPACE, RELEASE, prompt, route};
use crate::role::SERVICE_ACCOUNT;
use jwthttpapi_test_support::{AuditEntry, Operator, deadline};
use serde_json::{Value, json};
use std::{fs, thread};

/// What makes up the operator's installation, beside its definition.
const PARTS: &str = "deployments,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings";

fn hello(ground: &Ground) -> Value {
    ground.spec(&json!({"routes": [route("GET /test", "hello")]}))
}

/// An object without what a verification leaves in it.
fn untouched(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["annotations", "managedFields", "resourceVersion"] {
        metadata.remove(field);
    }
    let status = object["status"].as_object_mut().unwrap();
    for answer in ["lastHandledReconcileAt", "lastVerifiedTime"] {
        status.remove(answer);
    }
    object
}

/// Ends an operator as a kubelet does: it gives the lease back.
fn stop(mut operator: Operator) {
    operator.process().terminate();
    assert_eq!(operator.process().wait(LIMIT).unwrap(), 0);
}

/// The names of what the release installed and did not leave behind.
fn parts(ground: &Ground) -> String {
    let label = format!("app.kubernetes.io/instance={RELEASE}");
    ground.kubectl(&["get", PARTS, "-A", "-l", &label, "-o", "name"])
}

#[test]
fn an_upgrade_leaves_objects_and_aws_alone_and_so_does_an_uninstall_which_takes_the_rights() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let clean = ground.state();
    let definition = || {
        ground.kubectl(&[
            "get",
            "crd",
            "jwthttpapis.jwthttpapi.dev",
            "-o",
            "jsonpath={.metadata.uid}",
        ])
    };
    let may_list = || {
        let answer = ground.cluster.kubectl([
            "auth",
            "can-i",
            "list",
            "jwthttpapis.jwthttpapi.dev",
            "-A",
            &format!("--as={SERVICE_ACCOUNT}"),
        ]);
        answer.is_ok_and(|answer| answer.trim() == "yes")
    };
    ground.free_lease();
    let operator = ground.operator(&["--leader-elect=true"]);
    ground.apply("hello", &hello(&ground));
    ground.ready("hello");
    let (object, aws, uid) = (untouched(ground.object("hello")), ground.state(), definition());
    let mark = ground.aws().journal_mark().unwrap();

    let container = ground.upgrade(&json!({"logLevel": "debug", "resync": "20m", "replicas": 2}));
    stop(operator);
    for flag in ["--log-level=debug", "--resync=20m"] {
        assert!(container.args.contains(&flag.to_owned()), "{:?}", container.args);
    }
    let operator = Operator::launch(ground.launch_of(&container, &["--leader-elect=true"])).unwrap();
    assert_eq!(untouched(ground.verified("hello", "1")), object);

    assert!(may_list() && !parts(&ground).is_empty());
    stop(operator);
    ground
        .cluster
        .helm(["uninstall", RELEASE, "--namespace", NAMESPACE])
        .unwrap();
    assert_eq!(parts(&ground), "");
    assert!(!may_list());
    assert_eq!(definition(), uid);
    assert_eq!(untouched(ground.object("hello")), object);

    // Installed again it looks after what it finds.
    let container = ground.upgrade(&json!({}));
    let _operator = Operator::launch(ground.launch_of(&container, &[])).unwrap();
    assert_eq!(untouched(ground.verified("hello", "2")), object);
    assert_eq!(definition(), uid);
    assert_eq!(ground.state(), aws);
    let writes: Vec<_> = ground
        .calls(mark)
        .into_iter()
        .filter(|call| call.mutating)
        .collect();
    assert!(writes.is_empty(), "{writes:#?}");
    ground.delete("hello");
    assert_eq!(ground.state(), clean);
}

/// A chart of a user's, with one object in it.
fn application(ground: &Ground) -> String {
    let chart = ground.directory().join("application");
    fs::create_dir_all(chart.join("templates")).unwrap();
    let object = json!({
        "apiVersion": "jwthttpapi.dev/v1alpha1", "kind": "JwtHttpApi", "metadata": {"name": "hello"}, "spec": hello(ground),
    });
    let about = json!({"apiVersion": "v2", "name": "application", "version": "1.0.0"});
    fs::write(chart.join("Chart.yaml"), about.to_string()).unwrap();
    fs::write(chart.join("templates/api.yaml"), object.to_string()).unwrap();
    chart.display().to_string()
}

#[test]
fn helm_waits_for_an_object_as_long_as_it_is_not_ready_and_no_longer() {
    let ground = Ground::new(&prompt());
    ground.functions(&["hello"]);
    let _operator = ground.operator(&[]);
    let chart = application(&ground);
    let hold = json!({"operation": "CreateApi", "times": null, "action": {"kind": "hold", "when": "before"}});
    ground.aws().add_fault(&hold).unwrap();
    let audit = ground.cluster.audit_mark().unwrap();
    let helms = |which: &dyn Fn(&AuditEntry) -> bool| -> Vec<AuditEntry> {
        let mut requests = ground.cluster.requests(audit, "admin").unwrap();
        requests.retain(|entry| entry.namespace == ground.namespace && which(entry));
        requests
    };
    let install = [
        "install",
        "application",
        &chart,
        "--namespace",
        &ground.namespace,
        "--wait",
        "--timeout=100s",
    ];
    thread::scope(|scope| {
        let helm = scope.spawn(|| ground.cluster.helm(install));
        let mut seen = ground.aws().wait(0, LIMIT).unwrap();
        while seen.held.is_empty() {
            assert!(!seen.timed_out);
            seen = ground.aws().wait(seen.last, LIMIT).unwrap();
        }
        deadline::poll("Helm's watch of the object", LIMIT, || {
            let watches = helms(&|entry| entry.verb == "watch" && entry.resource == "jwthttpapis");
            Ok((!watches.is_empty()).then_some(()))
        })
        .unwrap();
        let release = ground
            .cluster
            .helm(["status", "application", "-n", &ground.namespace, "-o", "json"]);
        let release: Value = serde_json::from_str(&release.unwrap()).unwrap();
        assert_eq!(release["info"]["status"], "pending-install");
        assert!(!helm.is_finished() && !ground.is_ready("hello"));

        // What is held never arrives: the operator finds that out, whether it still waits for the answer or not.
        ground.aws().release(None, true).unwrap();
        ground.aws().clear_faults().unwrap();
        helm.join().unwrap().unwrap();
    });
    assert!(ground.is_ready("hello"));
    // Ready is the last thing that is written about an object, and that an installation is done the last thing that Helm
    // writes.
    let statuses = ground.cluster.requests(audit, SERVICE_ACCOUNT).unwrap();
    let ready = statuses
        .iter()
        .rfind(|entry| entry.subresource == "status" && entry.verb == "patch");
    let releases = helms(&|entry| entry.resource == "secrets" && entry.verb == "update");
    let (ready, done) = (ready.unwrap(), releases.last().unwrap());
    // It was stored at some time between the two of its request, and Helm may hear of that before the answer is written down.
    assert!(ready.received <= done.received, "{ready:#?} {done:#?}");
}
