//! What a cluster is sent, judged by the schemas of Kubernetes itself, as the Python package
//! `kubernetes-validate` carries them; fields that Kubernetes does not know are refused, too.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::{Value, json};

use super::*;

/// What is wrong with a manifest; nothing where a cluster would take it.
fn judged(python: &OsStr, manifest: &Value) -> Option<String> {
    let script = "import sys, json, kubernetes_validate as judge; \
        judge.validate(json.loads(sys.argv[1]), judge.latest_version(), strict=True)";
    let output = Command::new(python).args(["-c", script, &manifest.to_string()]).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_are_what_kubernetes_takes() {
    let Some(python) = std::env::var_os("PORTAL_TEST_KUBERNETES_VALIDATE") else {
        println!("skipped: PORTAL_TEST_KUBERNETES_VALIDATE names no Python with `kubernetes-validate`");
        return;
    };
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]});
    let jobs = [
        json!({"image": "registry/migrate:1"}),
        json!({"image": "registry/migrate:1", "command": ["migrate", "--all"], "env": {"A": 1, "B": "two", "C": true},
            "serviceAccount": "migrator", "ttl": 60}),
        json!({"spec": {"backoffLimit": 2, "template": {"spec": pod}}}),
    ];
    let mut inputs: Vec<(&str, Value)> = jobs.into_iter().map(|input| ("kubernetes:job", input)).collect();
    inputs.push(("kubernetes:apply", json!({"manifests": MANIFESTS})));
    let mut judged_of = Vec::new();
    for (step, mut input) in inputs {
        input["connector"] = "kubernetes".into();
        input["namespace"] = "shop".into();
        let (fake, url) = Fake::start(cluster).await;
        let own = connector(ConnectorKind::Kubernetes, &url, "sa-token");
        let portal = Portal::with(|config| config.connectors = vec![own]).await;
        prepare(&portal, step, input).await;
        let run = goes(&portal, begin(&portal).await).await;
        assert_eq!(run["state"], "succeeded", "{run}");
        let sent = fake.sent.lock().unwrap().clone();
        for one in sent.iter().filter(|one| matches!(one.method, Method::PATCH | Method::POST)) {
            let manifest = one.json();
            assert_eq!(judged(&python, &manifest), None, "{} {}: {manifest}", one.method, one.path);
            judged_of.push(manifest["kind"].as_str().unwrap().to_owned());
        }
        portal.end().await;
    }
    assert_eq!(judged_of, ["Job", "Job", "Job", "Namespace", "Deployment", "Namespace", "Deployment"]);
    // The judge is awake.
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": {"spec": pod}}});
    assert_eq!(judged(&python, &job), None);
    job["spec"]["retries"] = 3.into();
    assert!(judged(&python, &job).unwrap().contains("retries"));
}
