//! Steps of platforms, each against a server that answers as the real one does. GitHub's is
//! judged by its own OpenAPI document.

mod kubernetes_validate;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri};
use chrono::{TimeDelta, Utc};
use portal_api::connectors::ConnectorConfig;
use portal_core::access::Role;
use portal_core::connectors::ConnectorKind;
use serde_json::{Value, json};

use crate::actions::{action, call, person, reaches, with_actions};
use crate::contract::Contract;
use crate::harness::{Portal, component, group, user};
use crate::runs::{ended, log};

/// One request, as it came.
#[derive(Debug, Clone)]
struct Sent {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: String,
}

impl Sent {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

type Reply = (u16, Vec<(&'static str, String)>, String);

fn ok(body: Value) -> Reply {
    (200, Vec::new(), body.to_string())
}

/// A platform: what it answers, by the requests before.
#[derive(Clone)]
struct Fake {
    sent: Arc<Mutex<Vec<Sent>>>,
    answer: fn(&[Sent], &Sent) -> Reply,
    /// Answers of these statuses come first.
    troubles: Arc<Mutex<Vec<u16>>>,
}

impl Fake {
    async fn start(answer: fn(&[Sent], &Sent) -> Reply) -> (Self, String) {
        let fake = Self { sent: Arc::default(), answer, troubles: Arc::default() };
        let own = fake.clone();
        let take = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let body = String::from_utf8_lossy(&body).into_owned();
            let query = uri.query().unwrap_or_default().to_owned();
            let sent = Sent { method, path: uri.path().to_owned(), query, headers, body };
            let trouble = {
                let mut troubles = own.troubles.lock().unwrap();
                (!troubles.is_empty()).then(|| troubles.remove(0))
            };
            let before = own.sent.lock().unwrap().clone();
            let (status, headers, body) = match trouble {
                Some(status) => {
                    (status, vec![("retry-after", "1".to_owned())], json!({"message": "trouble"}).to_string())
                }
                None => (own.answer)(&before, &sent),
            };
            own.sent.lock().unwrap().push(sent);
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
        (fake, url)
    }

    fn count(&self, method: &Method, part: &str) -> usize {
        self.sent.lock().unwrap().iter().filter(|one| one.method == *method && one.path.contains(part)).count()
    }

    fn first(&self, method: &Method, part: &str) -> Sent {
        let sent = self.sent.lock().unwrap();
        sent.iter().find(|one| one.method == *method && one.path.contains(part)).expect(part).clone()
    }
}

/// How often this was asked before.
fn before(sent: &[Sent], method: &Method, part: &str) -> usize {
    sent.iter().filter(|one| one.method == *method && one.path.ends_with(part)).count()
}

fn connector(kind: ConnectorKind, url: &str, credential: &str) -> ConnectorConfig {
    let file = std::env::temp_dir().join(format!("portal-credential-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, credential).unwrap();
    ConnectorConfig {
        name: kind.as_str().to_owned(),
        kind,
        url: url.to_owned(),
        credential: Some(format!("file:{}", file.display())),
        signing_secret: None,
        preset: None,
        contract: None,
        limit: 8,
        rest_seconds: 30,
    }
}

/// A portal with this platform and an action of one step on `ledger`.
async fn prepare(portal: &Portal, step: &str, input: Value) {
    portal.clock.advance(Utc::now() - portal.now());
    portal.store(&[group("team-a", None), user("ann", "team-a"), component("ledger", "team-a")]).await;
    let spec = json!({
        "owner": "team-a",
        "scope": {"kinds": ["Component"]},
        "steps": [{"id": "do", "action": step, "input": input}],
        "output": {"text": [{"title": "Result", "content": "${{ steps.do.output | dump }}"}]},
    });
    with_actions(portal, &[action("go", spec)]).await;
}

async fn begin(portal: &Portal) -> i64 {
    let body = json!({"action": "action:default/go", "entity": "component:default/ledger"});
    portal.post("/api/v1/runs", &body).await.json(202)["id"].as_i64().unwrap()
}

/// A test on both databases, with a platform of this kind and its credential.
macro_rules! on_platform {
    ($name:ident, $answer:ident, $kind:ident, $credential:literal, $portal:ident, $fake:ident, $body:block) => {
        mod $name {
            use super::*;
            async fn body($portal: Portal, #[allow(unused_variables)] $fake: Fake) {
                $body
                $portal.end().await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let (fake, url) = Fake::start($answer).await;
                let own = connector(ConnectorKind::$kind, &url, $credential);
                body(Portal::with(|config| config.connectors = vec![own]).await, fake).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                let (fake, url) = Fake::start($answer).await;
                let own = connector(ConnectorKind::$kind, &url, $credential);
                match Portal::postgres_with(|config| config.connectors = vec![own]).await {
                    Some(portal) => body(portal, fake).await,
                    None => println!("skipped: PORTAL_TEST_POSTGRES is not set"),
                }
            }
        }
    };
}

/// Lets time pass until it has ended.
async fn goes(portal: &Portal, id: i64) -> Value {
    for _ in 0..300 {
        let run = portal.get(&format!("/api/v1/runs/{id}")).await.json(200);
        if !["queued", "running", "waiting"].contains(&run["state"].as_str().unwrap()) {
            return run;
        }
        portal.clock.advance(TimeDelta::seconds(2));
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    panic!("run {id}: {}", portal.get(&format!("/api/v1/runs/{id}")).await.text());
}

fn output(run: &Value) -> Value {
    serde_json::from_str(run["output"]["text"][0]["content"].as_str().unwrap_or("null")).unwrap()
}

fn github(sent: &[Sent], now: &Sent) -> Reply {
    let base = "/repos/acme/ledger/actions";
    let looks = before(sent, &Method::GET, "/runs/77");
    let cancelled = before(sent, &Method::POST, "/cancel") > 0;
    let (status, conclusion) = match (looks, cancelled) {
        (_, true) => ("completed", json!("cancelled")),
        (0..2, _) => ("in_progress", Value::Null),
        _ if sent.iter().any(|one| one.body.contains("break")) => ("completed", json!("failure")),
        _ => ("completed", json!("success")),
    };
    let (code, answer) = match (now.method.as_str(), now.path.strip_prefix(base).unwrap_or_default()) {
        ("POST", "/workflows/deploy.yml/dispatches") => (
            200,
            json!({"workflow_run_id": 77, "run_url": "https://api.github.com/x", "html_url": "https://github.com/acme/ledger/actions/runs/77"}),
        ),
        ("GET", "/runs/77") => (
            200,
            json!({"id": 77, "status": status, "conclusion": conclusion, "html_url": "https://github.com/acme/ledger/actions/runs/77"}),
        ),
        ("GET", "/runs/77/jobs") => {
            let done = |number: usize| if looks > number { "completed" } else { "in_progress" };
            let steps = json!([
                {"name": "Checkout", "status": "completed", "conclusion": "success", "number": 1},
                {"name": "Deploy", "status": done(1), "conclusion": if looks > 1 { json!("success") } else { Value::Null }, "number": 2},
            ]);
            (
                200,
                json!({"total_count": 1, "jobs": [{"id": 5, "run_id": 77, "name": "deploy", "status": status, "conclusion": conclusion, "steps": steps}]}),
            )
        }
        ("POST", "/runs/77/cancel") => (202, json!({})),
        _ => (404, json!({"message": "Not Found"})),
    };
    if let Some(contract) = Contract::github() {
        let query = Some(now.query.as_str()).filter(|text| !text.is_empty());
        if let Err(strange) = contract.judge(now.method.as_str(), &now.path, query, &now.json()) {
            return (418, Vec::new(), json!({"message": strange}).to_string());
        }
    }
    (code, Vec::new(), answer.to_string())
}

on_platform!(a_workflow_of_github_is_followed_to_its_end, github, Github, "ghp_one", portal, fake, {
    let input =
        json!({"connector": "github", "repository": "acme/ledger", "workflow": "deploy.yml", "inputs": {"version": 2}});
    prepare(&portal, "github:workflow", input).await;
    let id = begin(&portal).await;
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    assert_eq!(output(&run)["runId"], 77);
    let written = log(&portal, id).await;
    for line in [
        "started `deploy.yml` on `main`, run 77",
        "deploy / Checkout: success",
        "deploy / Deploy: success",
        "deploy: success",
    ] {
        assert_eq!(written.matches(line).count(), 1, "{line}\n{written}");
    }
    assert_eq!(run["steps"][0]["links"][0]["url"], "https://github.com/acme/ledger/actions/runs/77");
    let sent = fake.first(&Method::POST, "/dispatches");
    assert_eq!(sent.headers["authorization"], "Bearer ghp_one");
    assert_eq!(sent.json(), json!({"ref": "main", "inputs": {"version": "2"}, "return_run_details": true}));
    assert_eq!(fake.count(&Method::POST, "/dispatches"), 1);

    // Cancelled here, it is cancelled there.
    fake.sent.lock().unwrap().clear();
    let id = begin(&portal).await;
    reaches(&portal, id, "waiting").await;
    portal.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})).await;
    let run = ended(&portal, id).await;
    assert_eq!(run["state"], "cancelled", "{run}");
    assert_eq!(fake.count(&Method::POST, "/runs/77/cancel"), 1);
    assert!(log(&portal, id).await.contains("workflow run 77 is cancelled"), "{}", log(&portal, id).await);
});

on_platform!(what_a_platform_cannot_answer_now_is_asked_again, github, Github, "ghp_one", portal, fake, {
    let input = json!({"connector": "github", "repository": "acme/ledger", "workflow": "deploy.yml", "inputs": {"how": "break"}});
    prepare(&portal, "github:workflow", input).await;
    let id = begin(&portal).await;
    reaches(&portal, id, "waiting").await;
    *fake.troubles.lock().unwrap() = vec![503, 429, 500, 502];
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(run["error"]["code"], "platform_failed", "{run}");
    assert!(run["error"]["message"].as_str().unwrap().contains("`failure`"), "{run}");
    assert_eq!(log(&portal, id).await.matches("it cannot be looked at now").count(), 1);
    assert_eq!(fake.count(&Method::POST, "/dispatches"), 1, "a look that fails starts nothing");

    // Refused at the beginning, nothing waits.
    *fake.troubles.lock().unwrap() = vec![422];
    let run = goes(&portal, begin(&portal).await).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("refused")), "{run}");

    // What never ends is given up, and stopped.
    fake.sent.lock().unwrap().clear();
    let id = begin(&portal).await;
    reaches(&portal, id, "waiting").await;
    portal.clock.advance(TimeDelta::hours(2));
    let run = goes(&portal, id).await;
    assert_eq!(run["error"]["code"], "too_long", "{run}");
    assert_eq!(fake.count(&Method::POST, "/runs/77/cancel"), 1);
});

fn gitlab(sent: &[Sent], now: &Sent) -> Reply {
    let base = "/api/v4/projects/acme%2Fledger";
    // Jobs are as they were when the pipeline was looked at.
    let looks = before(sent, &Method::GET, "/pipelines/9")
        - usize::from(before(sent, &Method::GET, "/pipelines/9") > 0 && !now.path.ends_with("/pipelines/9"));
    let status = if looks < 2 { "running" } else { "success" };
    let page = "https://gitlab.example/acme/ledger/-/pipelines/9";
    match (now.method.as_str(), now.path.strip_prefix(base).unwrap_or_default()) {
        ("POST", "/pipeline") => (201, Vec::new(), json!({"id": 9, "status": "created", "web_url": page}).to_string()),
        ("GET", "/pipelines/9") => ok(json!({"id": 9, "status": status, "web_url": page})),
        ("GET", "/pipelines/9/jobs") => {
            ok(json!([{"id": 31, "name": "deploy", "status": status, "allow_failure": false}]))
        }
        ("GET", "/jobs/31/trace") => {
            (200, Vec::new(), format!("one\ntwo\n{}", if looks >= 2 { "three" } else { "th" }))
        }
        ("POST", "/pipelines/9/cancel") => ok(json!({"id": 9, "status": "canceled"})),
        _ => (404, Vec::new(), json!({"message": "404 Project Not Found"}).to_string()),
    }
}

on_platform!(a_pipeline_of_gitlab_tells_what_it_prints, gitlab, Gitlab, "glpat-one", portal, fake, {
    prepare(
        &portal,
        "gitlab:pipeline",
        json!({"connector": "gitlab", "project": "acme/ledger", "variables": {"SIZE": "big"}}),
    )
    .await;
    let id = begin(&portal).await;
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    let written = log(&portal, id).await;
    for line in ["deploy | one", "deploy | two", "deploy | three", "deploy: running", "deploy: success"] {
        assert_eq!(written.matches(line).count(), 1, "{line}\n{written}");
    }
    let sent = fake.first(&Method::POST, "/pipeline");
    assert_eq!(sent.headers["private-token"], "glpat-one");
    let variables = sent.json()["variables"].clone();
    assert_eq!(variables[1], json!({"key": "SIZE", "value": "big"}));
    assert_eq!(
        (&variables[0]["key"], &variables[0]["value"]),
        (&json!("PORTAL_CALL"), &json!(format!("run_{id}_0_0_0")))
    );
});

fn jenkins(sent: &[Sent], now: &Sent) -> Reply {
    let has_crumb = now.headers.get("jenkins-crumb").is_some_and(|crumb| crumb == "c1")
        && now.headers.get("cookie").is_some_and(|cookie| cookie == "JSESSIONID=s1");
    let looks = before(sent, &Method::GET, "/12/api/json");
    let queued = before(sent, &Method::GET, "/queue/item/4/api/json");
    match (now.method.as_str(), now.path.as_str()) {
        ("GET", "/crumbIssuer/api/json") => (
            200,
            vec![("set-cookie", "JSESSIONID=s1; Path=/; HttpOnly".to_owned())],
            json!({"crumbRequestField": "Jenkins-Crumb", "crumb": "c1"}).to_string(),
        ),
        ("POST", _) if !has_crumb => (403, Vec::new(), "No valid crumb was included in the request".to_owned()),
        ("POST", "/job/team/job/deploy/buildWithParameters") => {
            (201, vec![("location", "http://jenkins.example/queue/item/4/".to_owned())], String::new())
        }
        ("GET", "/queue/item/4/api/json") if queued < 1 => ok(json!({"why": "Waiting for next available executor"})),
        ("GET", "/queue/item/4/api/json") => {
            ok(json!({"executable": {"number": 12, "url": "http://jenkins.example/job/team/job/deploy/12/"}}))
        }
        ("GET", "/job/team/job/deploy/12/api/json") => ok(
            json!({"building": looks < 2, "result": if looks < 2 { Value::Null } else { json!("SUCCESS") }, "url": "http://jenkins.example/job/team/job/deploy/12/"}),
        ),
        ("GET", "/job/team/job/deploy/12/logText/progressiveText") => {
            let all = "Started\nDeploying\nFinished: SUCCESS\n";
            let start: usize = now.query.trim_start_matches("start=").parse().unwrap();
            let end = if looks < 2 { 18 } else { all.len() };
            (200, vec![("x-text-size", end.to_string())], all[start..end].to_owned())
        }
        ("POST", "/queue/cancelItem") => (204, Vec::new(), String::new()),
        _ => (404, Vec::new(), "Not Found".to_owned()),
    }
}

on_platform!(a_build_of_jenkins_goes_from_the_queue_to_its_result, jenkins, Jenkins, "ann:11aa", portal, fake, {
    prepare(
        &portal,
        "jenkins:build",
        json!({"connector": "jenkins", "job": "team/deploy", "parameters": {"VERSION": "1 & 2"}}),
    )
    .await;
    let id = begin(&portal).await;
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    assert_eq!((&output(&run)["number"], &output(&run)["result"]), (&json!(12), &json!("SUCCESS")));
    let written = log(&portal, id).await;
    for line in
        ["Waiting for next available executor", "build 12 has begun", "Started", "Deploying", "Finished: SUCCESS"]
    {
        assert_eq!(written.matches(line).count(), 1, "{line}\n{written}");
    }
    let sent = fake.first(&Method::POST, "/buildWithParameters");
    assert_eq!(
        (sent.body.as_str(), sent.headers["authorization"].to_str().unwrap()),
        ("VERSION=1%20%26%202", "Basic YW5uOjExYWE=")
    );
});

fn cluster(sent: &[Sent], now: &Sent) -> Reply {
    if now.headers.get("authorization").is_none_or(|given| given != "Bearer sa-token") {
        return (401, Vec::new(), json!({"kind": "Status", "message": "Unauthorized"}).to_string());
    }
    let resource =
        |kind: &str, name: &str, namespaced: bool| json!({"kind": kind, "name": name, "namespaced": namespaced});
    let apps = "/apis/apps/v1/namespaces/shop/deployments/web";
    match (now.method.as_str(), now.path.as_str()) {
        ("GET", "/api/v1") => ok(
            json!({"resources": [resource("Namespace", "namespaces", false), resource("ConfigMap", "configmaps", true)]}),
        ),
        ("GET", "/apis/apps/v1") => ok(
            json!({"resources": [resource("Deployment", "deployments/scale", true), resource("Deployment", "deployments", true)]}),
        ),
        ("PATCH", path) => {
            assert_eq!(now.headers["content-type"], "application/apply-patch+yaml");
            let body = now.json();
            if body["spec"]["replicas"] == -1 {
                return (
                    422,
                    Vec::new(),
                    json!({"kind": "Status", "message": "spec.replicas: must be greater than or equal to 0"})
                        .to_string(),
                );
            }
            if body["metadata"]["name"] == "taken" && !now.query.contains("force=true") {
                return (
                    409,
                    Vec::new(),
                    json!({"kind": "Status", "message": "Apply failed with 1 conflict: conflict with \"helm\""})
                        .to_string(),
                );
            }
            // A namespace that is only tried is not there.
            let is_there =
                sent.iter().any(|one| one.path == "/api/v1/namespaces/shop" && !one.query.contains("dryRun"));
            if path.contains("/namespaces/shop/") && !is_there {
                return (
                    404,
                    Vec::new(),
                    json!({"kind": "Status", "message": "namespaces \"shop\" not found"}).to_string(),
                );
            }
            let mut stored = body;
            stored["metadata"]["uid"] = "u1".into();
            (201, Vec::new(), stored.to_string())
        }
        ("GET", path) if path == apps => {
            let ready = i64::from(before(sent, &Method::GET, "/deployments/web") > 1) * 2;
            ok(json!({"kind": "Deployment", "metadata": {"generation": 1}, "spec": {"replicas": 2},
                "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": ready}}))
        }
        ("GET", path) if path.starts_with("/api/v1/namespaces/shop") && !path.contains("/pods") => {
            ok(json!({"kind": "ConfigMap"}))
        }
        ("POST", "/apis/batch/v1/namespaces/shop/jobs") => (201, Vec::new(), now.body.clone()),
        ("GET", path) if path.starts_with("/apis/batch/v1/namespaces/shop/jobs/portal-run-") => {
            let looks = sent.iter().filter(|one| one.method == Method::GET && one.path == path).count();
            let done = json!([{"type": "Complete", "status": "True"}]);
            ok(json!({"kind": "Job", "status": {"conditions": if looks > 2 { done } else { json!([]) }}}))
        }
        ("GET", "/api/v1/namespaces/shop/pods") => {
            let looks = before(sent, &Method::GET, "/pods");
            let phase = ["Pending", "Running", "Running"].get(looks).copied().unwrap_or("Succeeded");
            ok(
                json!({"items": [{"metadata": {"name": "job-x1"}, "spec": {"containers": [{"name": "main"}]}, "status": {"phase": phase}}]}),
            )
        }
        ("GET", "/api/v1/namespaces/shop/pods/job-x1/log") => {
            let looks = before(sent, &Method::GET, "/log");
            (200, Vec::new(), if looks == 0 { "migrating\nha" } else { "migrating\nhalf\ndone\n" }.to_owned())
        }
        ("DELETE", _) => ok(json!({"kind": "Status", "status": "Success"})),
        _ => (
            404,
            Vec::new(),
            json!({"kind": "Status", "message": "the server could not find the requested resource"}).to_string(),
        ),
    }
}

const MANIFESTS: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: registry/web:1}]}\n";

on_platform!(manifests_are_tried_applied_and_waited_for, cluster, Kubernetes, "sa-token", portal, fake, {
    prepare(
        &portal,
        "kubernetes:apply",
        json!({"connector": "kubernetes", "namespace": "shop", "manifests": MANIFESTS}),
    )
    .await;
    let id = begin(&portal).await;
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    let objects = &output(&run)["objects"];
    assert_eq!(
        (&objects[1]["kind"], &objects[1]["namespace"], &objects[1]["uid"]),
        (&json!("Deployment"), &json!("shop"), &json!("u1"))
    );
    let written = log(&portal, id).await;
    for line in ["would take all 2", "Deployment web made", "Deployment web: 0 of 2 are ready", "Deployment web: ready"]
    {
        assert_eq!(written.matches(line).count(), 1, "{line}\n{written}");
    }
    // All are tried before any is applied.
    let sent = fake.sent.lock().unwrap().clone();
    let patches: Vec<bool> =
        sent.iter().filter(|one| one.method == Method::PATCH).map(|one| one.query.contains("dryRun=All")).collect();
    assert_eq!(patches, [true, true, false, false]);

    for (manifests, code, told) in [
        (
            json!([{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": -1}}]),
            "refused",
            "must be greater",
        ),
        (json!([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "taken"}}]), "conflict", "force"),
        (
            json!([{"apiVersion": "v1", "kind": "Secrets", "metadata": {"name": "a"}}]),
            "invalid_input",
            "no kind `Secrets`",
        ),
        (
            json!([{"apiVersion": "acme.dev/v1", "kind": "Thing", "metadata": {"name": "a"}}]),
            "invalid_input",
            "no API `acme.dev/v1`",
        ),
        (json!([{"kind": "Thing"}]), "invalid_input", "object 0: `metadata.name` is missing"),
        (json!("a: ["), "invalid_input", "line 1, column 5: not YAML"),
        (json!([]), "invalid_input", "0 objects"),
    ] {
        let applied = fake.count(&Method::PATCH, "");
        let input = json!({"connector": "kubernetes", "namespace": "shop", "manifests": manifests});
        let spec = json!({"owner": "team-a", "scope": {"kinds": ["Component"]}, "steps": [{"id": "do", "action": "kubernetes:apply", "input": input}]});
        let name = format!("bad-{}", uuid::Uuid::new_v4().simple());
        with_actions(&portal, &[action(&name, spec)]).await;
        let body = json!({"action": format!("action:default/{name}"), "entity": "component:default/ledger"});
        let id = portal.post("/api/v1/runs", &body).await.json(202)["id"].as_i64().unwrap();
        let run = goes(&portal, id).await;
        assert_eq!(run["error"]["code"], code, "{manifests}: {run}");
        assert!(run["error"]["message"].as_str().unwrap().contains(told), "{manifests}: {run}");
        assert!(fake.count(&Method::PATCH, "") <= applied + 1, "nothing is applied in earnest");
    }
});

on_platform!(a_job_of_a_cluster_prints_into_the_log, cluster, Kubernetes, "sa-token", portal, fake, {
    let input = json!({"connector": "kubernetes", "namespace": "shop", "image": "registry/migrate:1", "command": ["migrate"], "env": {"A": 1}});
    prepare(&portal, "kubernetes:job", input).await;
    let id = begin(&portal).await;
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    let written = log(&portal, id).await;
    for line in ["migrating", "half", "job-x1: running", "job-x1: succeeded"] {
        assert_eq!(written.matches(line).count(), 1, "{line}\n{written}");
    }
    let made = fake.first(&Method::POST, "/jobs").json();
    assert_eq!(made["metadata"]["name"], format!("portal-run-{id}-0-0-0"));
    assert_eq!(
        made["spec"]["template"]["spec"]["containers"][0],
        json!({"name": "main", "image": "registry/migrate:1", "command": ["migrate"], "env": [{"name": "A", "value": "1"}]})
    );

    fake.sent.lock().unwrap().clear();
    let id = begin(&portal).await;
    reaches(&portal, id, "waiting").await;
    portal.post(&format!("/api/v1/runs/{id}/cancel"), &json!({})).await;
    assert_eq!(ended(&portal, id).await["state"], "cancelled");
    assert_eq!(fake.count(&Method::DELETE, "/jobs/"), 1);
});

/// Plans `+ deployment`, and another thing when `drift` was said meanwhile.
fn orchestrator(sent: &[Sent], now: &Sent) -> Reply {
    let is_drifted = sent.iter().any(|one| one.path == "/drift");
    match (now.method.as_str(), now.path.as_str()) {
        ("POST", "/deployments") => {
            let key = now.headers["idempotency-key"].to_str().unwrap().to_owned();
            (201, Vec::new(), json!({"id": key}).to_string())
        }
        ("GET", path) => {
            let looks = sent.iter().filter(|one| one.path == path).count();
            let is_plan = path.contains("_plan_");
            let plan = if is_drifted { "~ replicas 1 -> 9" } else { "+ deployment ledger" };
            let status = if looks < 1 { "running" } else { "succeeded" };
            let log: Vec<&str> = if is_plan { vec!["planning"] } else { vec!["applying", "applied"] };
            ok(
                json!({"id": path, "status": status, "plan": plan, "log": log, "progress": 50, "outputs": {"host": "db.internal"}, "url": "https://orchestrator.example/d"}),
            )
        }
        _ => ok(json!({})),
    }
}

const SCORE: &str = "apiVersion: score.dev/v1b1\nmetadata:\n  name: ledger\ncontainers:\n  web:\n    image: .\n    variables: {DB: '${resources.db.host}'}\nresources:\n  db: {type: postgres}\n";

on_platform!(a_plan_is_agreed_to_and_exactly_that_is_deployed, orchestrator, Orchestrator, "o-token", portal, fake, {
    let input = json!({"connector": "orchestrator", "environment": "staging", "score": SCORE, "image": "registry/ledger:2", "approval": {"by": ["user:default/bob"]}});
    portal.store(&[user("bob", "team-a")]).await;
    prepare(&portal, "orchestrator:deploy", input).await;
    let bob = person(&portal, "bob", Role::Developer).await;
    let id = begin(&portal).await;
    let asked = async |wanted: usize| {
        for _ in 0..200 {
            let list = portal.get(&format!("/api/v1/approvals?run={id}")).await.json(200);
            if list["items"].as_array().unwrap().len() == wanted {
                return list["items"][0].clone();
            }
            portal.clock.advance(TimeDelta::seconds(2));
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        panic!("nobody is asked: {}", log(&portal, id).await);
    };
    let first = asked(1).await;
    assert_eq!(
        (&first["plan"], first["plan_hash"].as_str().unwrap().len()),
        (&json!("+ deployment ledger"), 64),
        "{first}"
    );
    let vote = |approval: &Value| format!("/api/v1/approvals/{}/votes", approval["id"]);
    // The world changes while they think.
    fake.sent.lock().unwrap().push(Sent {
        method: Method::POST,
        path: "/drift".to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: String::new(),
    });
    call(&portal, &bob, "POST", &vote(&first), &json!({"approves": true})).await.json(201);
    let second = asked(2).await;
    assert_eq!((&second["plan"], &second["state"]), (&json!("~ replicas 1 -> 9"), &json!("pending")));
    assert_eq!(fake.count(&Method::POST, "/deployments"), 2, "two plans, and nothing deployed");
    assert_eq!(call(&portal, &bob, "POST", &vote(&first), &json!({"approves": true})).await.status.as_u16(), 409);
    call(&portal, &bob, "POST", &vote(&second), &json!({"approves": true})).await.json(201);
    let run = goes(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    let put = output(&run);
    assert_eq!((&put["outputs"]["host"], &put["planHash"]), (&json!("db.internal"), &second["plan_hash"]));
    let sent = fake.sent.lock().unwrap().clone();
    let posts: Vec<Value> = sent.iter().filter(|one| one.path == "/deployments").map(Sent::json).collect();
    assert_eq!(
        posts.iter().map(|one| one["mode"].as_str().unwrap()).collect::<Vec<_>>(),
        ["plan", "plan", "plan", "deploy"]
    );
    assert_eq!(posts[3]["workload"]["containers"]["web"]["image"], "registry/ledger:2");
    assert_eq!(posts[3]["plan_id"], format!("run_{id}_0_0_0_plan_2"));
    let written = log(&portal, id).await;
    assert!(written.contains("the plan has changed since it was agreed to"), "{written}");
    assert_eq!(written.matches("applied").count(), 1, "{written}");
});

on_platform!(a_score_file_that_is_wrong_is_told_with_its_line, orchestrator, Orchestrator, "o-token", portal, fake, {
    let score = SCORE.replace("resources.db.host", "resources.cache.host");
    prepare(
        &portal,
        "orchestrator:deploy",
        json!({"connector": "orchestrator", "environment": "staging", "score": score}),
    )
    .await;
    let run = goes(&portal, begin(&portal).await).await;
    assert_eq!(run["error"]["code"], "invalid_score", "{run}");
    assert!(run["error"]["message"].as_str().unwrap().contains("line 7"), "{run}");
    assert_eq!(fake.count(&Method::POST, ""), 0);
});
