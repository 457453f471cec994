//! Publishing to GitHub, GitLab and Gitea, against servers that answer as those do and
//! keep what they are given in real repositories.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use portal_api::config::TemplatesConfig;
use portal_api::templates::hosts::{HostConfig, Kind};
use serde_json::{Value, json};

use crate::contract::Contract;
use crate::harness::Portal;
use crate::runs::{ended, log, start_with, with_template};

/// A git host with an API.
#[derive(Clone)]
pub struct Host {
    pub url: String,
    kind: Kind,
    state: Arc<Mutex<Kept>>,
}

/// Status, body and headers.
type Fault = (u16, Value, Vec<(&'static str, &'static str)>);

#[derive(Default)]
struct Kept {
    folder: PathBuf,
    /// Method and path of each request, and its body.
    asked: Vec<(String, Value)>,
    /// What GitHub's own description of its API does not have.
    strange: Vec<String>,
    /// What the next requests are answered instead.
    faults: Vec<Fault>,
    blobs: Vec<Value>,
    branches: Vec<(String, String)>,
    pulls: Vec<Value>,
}

impl Host {
    pub async fn start(kind: Kind, folder: PathBuf) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        let host = Self { url, kind, state: Arc::new(Mutex::new(Kept { folder, ..Kept::default() })) };
        let router = Router::new().fallback(answer).with_state(host.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        host
    }

    fn fail(&self, status: u16, body: Value, headers: &[(&'static str, &'static str)]) {
        self.state.lock().unwrap().faults.push((status, body, headers.to_vec()));
    }

    pub fn asked(&self) -> Vec<(String, Value)> {
        self.state.lock().unwrap().asked.clone()
    }

    pub fn repository(&self, name: &str) -> PathBuf {
        self.state.lock().unwrap().folder.join(format!("{name}.git"))
    }

    pub fn make(&self, name: &str) -> Value {
        let path = self.repository(name);
        std::fs::create_dir_all(&path).unwrap();
        for arguments in [&["init", "-q", "--bare", "-b", "main"][..], &["config", "http.receivepack", "true"]] {
            assert!(Command::new("git").args(arguments).current_dir(&path).status().unwrap().success());
        }
        self.shown(name)
    }

    /// As the configuration of a portal names it.
    pub fn configured(&self) -> HostConfig {
        let name = self.url.trim_start_matches("http://").to_owned();
        HostConfig { name, kind: self.kind, api: Some(self.url.clone()), credential: None }
    }

    /// What GitHub's own description of its API does not have.
    pub fn strange(&self) -> Vec<String> {
        self.state.lock().unwrap().strange.clone()
    }

    fn shown(&self, name: &str) -> Value {
        let clone = format!("{}/git/{name}.git", self.url);
        json!({
            "id": 7, "name": name, "clone_url": clone, "http_url_to_repo": clone, "default_branch": "main",
            "html_url": format!("{}/acme/{name}", self.url), "web_url": format!("{}/acme/{name}", self.url),
        })
    }
}

async fn answer(State(host): State<Host>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let path = parts.uri.path().to_owned();
    if path.starts_with("/git/") || path.contains(".git/") {
        return backend(&host, &parts.method, &parts.uri, &parts.headers, &bytes).await;
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let token = ["authorization", "private-token"].iter().find_map(|name| parts.headers.get(*name)?.to_str().ok());
    if !token.is_some_and(|token| token.ends_with("t0ken")) {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({"message": "Bad credentials"}))).into_response();
    }
    let fault = {
        let mut kept = host.state.lock().unwrap();
        kept.asked.push((format!("{} {path}", parts.method), body.clone()));
        if parts.method == Method::POST && !kept.faults.is_empty() { Some(kept.faults.remove(0)) } else { None }
    };
    if let Some((status, body, headers)) = fault {
        let mut response = (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        return response;
    }
    let (status, answer) = api(&host, &parts.method, &path, &body);
    let answer = judged(&host, &parts, &body, status, answer);
    (StatusCode::from_u16(status).unwrap(), axum::Json(answer)).into_response()
}

/// The answer as GitHub would write it, to a request that it would take.
fn judged(host: &Host, parts: &axum::http::request::Parts, body: &Value, status: u16, answer: Value) -> Value {
    let Some(contract) = Contract::github().filter(|_| host.kind == Kind::Github) else { return answer };
    let judged = contract
        .judge(parts.method.as_str(), parts.uri.path(), parts.uri.query(), body)
        .and_then(|operation| if status < 400 { operation.answer(status, &answer) } else { Ok(answer.clone()) });
    judged.unwrap_or_else(|strange| {
        host.state.lock().unwrap().strange.push(strange);
        answer
    })
}

fn api(host: &Host, method: &Method, path: &str, body: &Value) -> (u16, Value) {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let exists = |name: &str| host.repository(name).exists();
    let absent = (404, json!({"message": "Not Found"}));
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["users", "acme"]) => (200, json!({"type": "Organization"})),
        ("GET", ["orgs", "acme"]) => (200, json!({"id": 1})),
        ("GET", ["namespaces", "acme"]) => (200, json!({"id": 42})),
        ("POST", ["orgs", "acme", "repos"] | ["projects"]) => (201, host.make(body["name"].as_str().unwrap())),
        ("GET", ["repos", "acme", name]) if exists(name) => (200, host.shown(name)),
        ("GET", ["projects", name]) if exists(name.trim_start_matches("acme%2F")) => {
            (200, host.shown(name.trim_start_matches("acme%2F")))
        }
        ("PUT", ["repos", "acme", _, "topics"]) => (200, body.clone()),
        ("PUT", ["repos", "acme", _, "branches", "main", "protection"]) => {
            (403, json!({"message": "Upgrade to GitHub Pro"}))
        }
        ("GET", ["repos", "acme", _, "pulls"]) => (200, host.state.lock().unwrap().pulls.clone().into()),
        ("GET", ["repos", "acme", _, "git", "ref", "heads", branch]) => {
            let kept = host.state.lock().unwrap();
            let found = kept.branches.iter().find(|(name, _)| name == branch).map(|(_, sha)| sha.clone());
            let sha = found.unwrap_or_else(|| if *branch == "main" { "b0".repeat(20) } else { String::new() });
            if sha.is_empty() { absent } else { (200, json!({"object": {"sha": sha}})) }
        }
        ("GET", ["repos", "acme", _, "git", "commits", _]) => (200, json!({"tree": {"sha": "a0".repeat(20)}})),
        ("POST", ["repos", "acme", _, "git", "blobs"]) => {
            let mut kept = host.state.lock().unwrap();
            kept.blobs.push(body.clone());
            (201, json!({"sha": format!("{:040}", kept.blobs.len())}))
        }
        ("POST", ["repos", "acme", _, "git", "trees" | "commits"]) => (201, json!({"sha": "c0".repeat(20)})),
        ("POST", ["repos", "acme", _, "git", "refs"]) => {
            let name = body["ref"].as_str().unwrap().trim_start_matches("refs/heads/").to_owned();
            let mut kept = host.state.lock().unwrap();
            if kept.branches.iter().any(|(own, _)| *own == name) {
                return (422, json!({"message": "Reference already exists"}));
            }
            kept.branches.push((name, body["sha"].as_str().unwrap().to_owned()));
            (201, json!({}))
        }
        ("POST", ["repos", "acme", name, "pulls"]) => {
            let pull = json!({"number": 12, "html_url": format!("{}/acme/{name}/pull/12", host.url)});
            host.state.lock().unwrap().pulls.push(pull.clone());
            (201, pull)
        }
        ("POST", ["repos", "acme", _, "pulls", "12", "requested_reviewers"]) => (201, json!({})),
        ("POST", ["repos", "acme", _, "actions", "workflows", "deploy.yaml", "dispatches"]) => (204, json!({})),
        ("GET", ["projects", _, "merge_requests"]) => (200, json!([])),
        ("POST", ["projects", _, "repository", "commits"]) => (201, json!({"id": "c0".repeat(20)})),
        ("POST", ["projects", _, "merge_requests"]) => {
            (201, json!({"web_url": "https://gitlab.example/acme/x/-/merge_requests/3"}))
        }
        _ => absent,
    }
}

async fn backend(host: &Host, method: &Method, uri: &axum::http::Uri, headers: &HeaderMap, body: &[u8]) -> Response {
    use tokio::io::AsyncWriteExt as _;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", host.state.lock().unwrap().folder.clone())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", uri.path().trim_start_matches("/git").trim_start_matches("/acme"))
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).await.unwrap();
    let output = child.wait_with_output().await.unwrap().stdout;
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(0);
    let head = String::from_utf8_lossy(&output[..split]).into_owned();
    let mut response = output[split + 4..].to_vec().into_response();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        if name == "Status" {
            *response.status_mut() = StatusCode::from_u16(value[..3].parse().unwrap()).unwrap();
        } else {
            let name: axum::http::HeaderName = name.parse().unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

/// A portal that knows a host of this kind, with a template that publishes there.
async fn portal(kind: Kind, steps: &Value) -> (Portal, Host) {
    let folder = std::env::temp_dir().join(format!("portal-host-{}", uuid::Uuid::new_v4().simple()));
    let host = Host::start(kind, folder).await;
    let configured = host.configured();
    let portal = Portal::with(|config| {
        config.templates =
            TemplatesConfig { local_repositories: true, host: vec![configured], ..TemplatesConfig::default() };
    })
    .await;
    with_template(&portal, steps).await;
    (portal, host)
}

fn steps(action: &str, input: Value) -> Value {
    let mut all = json!({"repoUrl": "${{ parameters.remote }}", "token": "${{ secrets.token }}"});
    all.as_object_mut().unwrap().extend(input.as_object().unwrap().clone());
    json!([
        {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": {"name": "ledger", "about": "x"}}},
        {"id": "publish", "action": action, "input": all},
    ])
}

async fn run(portal: &Portal, host: &Host, token: &str) -> Value {
    let remote = format!("{}?owner=acme&repo=ledger", host.url.trim_start_matches("http://"));
    let id = start_with(portal, json!({"name": "a", "remote": remote}), json!({"token": token})).await;
    let run = ended(portal, id).await;
    println!("{}", log(portal, id).await);
    assert_eq!(host.strange(), Vec::<String>::new());
    run
}

fn outputs(run: &Value) -> &Value {
    assert_eq!(run["state"], "succeeded", "{run}");
    &run["output"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_is_made_on_github() {
    let input = json!({"description": "A ledger", "topics": ["money"], "protectDefaultBranch": true, "repoVisibility": "internal"});
    let (portal, host) = portal(Kind::Github, &steps("publish:github", input)).await;
    outputs(&run(&portal, &host, "t0ken").await);
    let asked = host.asked();
    let (_, made) = asked.iter().find(|(what, _)| what == "POST /orgs/acme/repos").unwrap();
    assert_eq!(made["visibility"], "internal");
    assert_eq!((&made["description"], &made["private"]), (&json!("A ledger"), &json!(true)));
    assert!(
        asked.iter().any(|(what, body)| what == "PUT /repos/acme/ledger/topics" && body["names"] == json!(["money"]))
    );
    let shown = Command::new("git")
        .args(["ls-tree", "--name-only", "main"])
        .current_dir(host.repository("ledger"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("catalog-info.yaml"));
    // Another run finds a repository that holds something else.
    let again = run(&portal, &host, "t0ken").await;
    assert_eq!(again["error"]["code"], "exists_already", "{again}");
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_github_refuses_is_told_in_its_words() {
    let (portal, host) = portal(Kind::Github, &steps("publish:github", json!({}))).await;
    let refused = run(&portal, &host, "wrong").await;
    assert_eq!(refused["error"]["code"], "credential", "{refused}");
    for (status, body, code) in [
        (422, json!({"message": "Validation Failed", "errors": [{"message": "name is reserved"}]}), "refused"),
        (403, json!({"message": "Must have admin rights"}), "not_allowed"),
        (409, json!({"message": "Conflict"}), "exists_already"),
    ] {
        host.fail(status, body.clone(), &[]);
        let run = run(&portal, &host, "t0ken").await;
        assert_eq!(run["error"]["code"], code, "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains(body["message"].as_str().unwrap()), "{run}");
    }
    // Too often, in trouble: it is tried again, and goes well.
    host.fail(429, json!({}), &[("retry-after", "1")]);
    host.fail(500, json!({"message": "oops"}), &[]);
    let run = run(&portal, &host, "t0ken").await;
    assert_eq!((&run["state"], &run["steps"][1]["attempts"]), (&json!("succeeded"), &json!(2)), "{run}");
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_request_is_opened_once() {
    let input = json!({"branchName": "add-ledger", "title": "Add a ledger", "description": "Why", "targetPath": "services", "reviewers": ["kim"]});
    let (portal, host) = portal(Kind::Github, &steps("publish:github:pull-request", input)).await;
    host.make("ledger");
    outputs(&run(&portal, &host, "t0ken").await);
    outputs(&run(&portal, &host, "t0ken").await);
    let asked = host.asked();
    let count = |what: &str| asked.iter().filter(|(own, _)| own == what).count();
    assert_eq!((count("POST /repos/acme/ledger/pulls"), count("POST /repos/acme/ledger/git/blobs")), (1, 4));
    let (_, tree) = asked.iter().find(|(what, _)| what == "POST /repos/acme/ledger/git/trees").unwrap();
    let paths: Vec<&str> =
        tree["tree"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert!(paths.iter().all(|path| path.starts_with("services/")), "{paths:?}");
    assert!(tree["tree"].as_array().unwrap().iter().any(|entry| entry["mode"] == "100755"));
    assert_eq!(count("POST /repos/acme/ledger/pulls/12/requested_reviewers"), 1);
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_is_started_and_never_twice() {
    let input = json!({"workflowId": "deploy.yaml", "branchOrTagName": "main", "workflowInputs": {"to": "staging"}});
    let (portal, host) = portal(Kind::Github, &steps("github:actions:dispatch", input)).await;
    outputs(&run(&portal, &host, "t0ken").await);
    let asked = host.asked();
    let (_, sent) = asked.iter().find(|(what, _)| what.ends_with("/dispatches")).unwrap();
    assert_eq!(sent, &json!({"ref": "main", "inputs": {"to": "staging"}}));
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_is_made_on_gitlab_and_a_merge_request_opened() {
    let (gitlab, host) = portal(Kind::Gitlab, &steps("publish:gitlab", json!({"repoVisibility": "public"}))).await;
    outputs(&run(&gitlab, &host, "t0ken").await);
    let asked = host.asked();
    let (_, made) = asked.iter().find(|(what, _)| what == "POST /projects").unwrap();
    assert_eq!((&made["namespace_id"], &made["visibility"]), (&json!(42), &json!("public")));
    gitlab.end().await;
    let input = json!({"branchName": "add", "title": "Add"});
    let (gitlab, host) = portal(Kind::Gitlab, &steps("publish:gitlab:merge-request", input)).await;
    host.make("ledger");
    outputs(&run(&gitlab, &host, "t0ken").await);
    let asked = host.asked();
    let (_, commit) = asked.iter().find(|(what, _)| what.ends_with("/repository/commits")).unwrap();
    assert_eq!(commit["start_branch"], "main");
    assert_eq!(commit["actions"].as_array().unwrap().len(), 4);
    gitlab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_is_made_on_gitea() {
    let (portal, host) = portal(Kind::Gitea, &steps("publish:gitea", json!({"description": "A ledger"}))).await;
    outputs(&run(&portal, &host, "t0ken").await);
    assert!(
        host.asked().iter().any(|(what, body)| what == "POST /orgs/acme/repos" && body["description"] == "A ledger")
    );
    portal.end().await;
}
