//! Secrets planted wherever a portal is told one: afterwards they are nowhere that
//! somebody could read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, COOKIE};
use reqwest::{Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use crate::hostile::Hostile;

/// The secrets, by where they were planted. No two share a part that could be found by chance.
struct Planted(BTreeMap<&'static str, String>);

impl Planted {
    fn new(places: &[&'static str]) -> Self {
        let secret = |(number, place): (usize, &&'static str)| {
            let mut bytes = [0; 9];
            getrandom::fill(&mut bytes).unwrap();
            (*place, format!("canary{number:02}{}", hex::encode(bytes)))
        };
        Self(places.iter().enumerate().map(secret).collect())
    }

    fn get(&self, place: &str) -> &str {
        &self.0[place]
    }

    /// Adds one that the portal has made.
    fn add(&mut self, place: &'static str, secret: &str) {
        assert!(secret.len() >= 20, "{place}: {secret}");
        self.0.insert(place, secret.to_owned());
    }

    /// Nothing of them is in these bytes, as they are or in the usual disguises.
    #[track_caller]
    fn are_not_in(&self, bytes: &[u8], where_: &str) {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
        for (place, secret) in &self.0 {
            // Three letters from the front, so that Base64 of a longer text holds it as well.
            let within = |text: &str| STANDARD_NO_PAD.encode(text);
            let trimmed = &secret[..secret.len() - secret.len() % 3];
            let spellings = [
                secret.clone(),
                hex::encode(secret),
                within(trimmed),
                URL_SAFE_NO_PAD.encode(trimmed),
                secret.chars().rev().collect(),
            ];
            for spelling in spellings {
                let found = bytes.windows(spelling.len()).any(|window| window == spelling.as_bytes());
                assert!(!found, "the secret of {place} is in {where_}");
            }
        }
    }
}

/// The program as it runs in earnest.
struct Running {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn portal(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(data);
    command
}

async fn start(data: &Path, planted: &Planted) -> Running {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = data.join("../portal.log");
    let (out, err) =
        (std::fs::File::create(&log).unwrap(), std::fs::OpenOptions::new().append(true).open(&log).unwrap());
    let mut command = portal(data);
    command.args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(data);
    command.args(["--config", "../portal.toml"]).env("PORTAL_LOG", "debug");
    command.env("SOURCE_TOKEN", planted.get("a source's credential")).env("UNRELATED", planted.get("the environment"));
    command
        .env("HOOK_SECRET", planted.get("a webhook's secret"))
        .env("OIDC_SECRET", planted.get("a provider's client"));
    let child = command.stdout(Stdio::from(out)).stderr(Stdio::from(err)).spawn().unwrap();
    let running = Running { child, url: format!("http://127.0.0.1:{port}"), log };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !reqwest::get(format!("{}/readyz", running.url)).await.is_ok_and(|answer| answer.status() == 200) {
        assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&running.log).unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running
}

async fn text(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_secrets_are_nowhere() {
    let mut planted = Planted::new(&[
        "a source's credential",
        "a file with a credential",
        "a webhook's secret",
        "a provider's client",
        "the environment",
        "a file beside the descriptors",
        "a password",
        "a wrong password",
        "a new password",
        "a guessed token",
        "a basic password",
        "a token in the query",
        "a header of an API call",
        "a parameter of an API call",
        "a body of an API call",
        "a CI token",
        "a password in a URL",
        "a cookie of somebody else",
        "a header of the request",
        "a code of a sign-in",
        "a database's password",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let (data, files) = (folder.path().join("data"), folder.path().join("files"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::create_dir_all(&files).unwrap();
    let hostile = Hostile::start().await;
    let secret_file = folder.path().join("credential");
    std::fs::write(&secret_file, planted.get("a file with a credential")).unwrap();
    std::fs::write(files.join(".env"), planted.get("a file beside the descriptors")).unwrap();
    let api = json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "servers": [{"url": format!("http://{}", hostile.address)}],
        "paths": {"/500": {"post": {"operationId": "x", "parameters": [
            {"name": "X-Api-Key", "in": "header", "schema": {"type": "string"}}, {"name": "key", "in": "query", "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {}}}, "responses": {"200": {"description": "ok"}}}}}});
    let descriptor = json!({"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": {"name": "x"},
        "spec": {"type": "openapi", "lifecycle": "production", "owner": "team-a", "definition": api.to_string()}});
    std::fs::write(files.join("catalog-info.yaml"), descriptor.to_string()).unwrap();
    std::fs::write(
        folder.path().join("portal.toml"),
        format!(
            "[egress]\nallow_private = [\"127.0.0.1:*\"]\nallow_calls = [\"127.0.0.1:*\"]\n[limits]\nreads_per_second = 0\nwrites_per_second = 0\n\
             [[access.oidc]]\nname = \"company\"\nissuer = \"http://{0}\"\nclient_id = \"portal\"\nclient_secret = \"env:OIDC_SECRET\"\n\
             [[access.ci]]\nname = \"ci\"\nissuer = \"http://{0}\"\nclaims = {{ sub = \"x\" }}\naccount = \"ci\"\nrole = \"agent\"\n\
             [[source]]\ntype = \"path\"\ntarget = \"{1}\"\n\
             [[source]]\ntype = \"http\"\ntarget = \"http://{0}/busy\"\ncredential = \"env:SOURCE_TOKEN\"\nwebhook_secret = \"env:HOOK_SECRET\"\n\
             [[source]]\ntype = \"http\"\ntarget = \"http://{0}/500\"\ncredential = \"file:{2}\"\n",
            hostile.address,
            files.display(),
            secret_file.display(),
        ),
    )
    .unwrap();

    let made = portal(&data)
        .args(["token", "create", "--user", "admin", "--role", "admin", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    let admin = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    planted.add("the administrator's token", &admin);
    let running = start(&data, &planted).await;
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let ask = |method: Method, path: &str| client.request(method, format!("{}{path}", running.url));
    let as_admin = |method: Method, path: &str| ask(method, path).header(AUTHORIZATION, format!("Bearer {admin}"));

    // Signing in, by every way there is.
    as_admin(Method::POST, "/api/v1/accounts").json(&json!({"name": "kim", "role": "developer"})).send().await.unwrap();
    let (_, link) = text(as_admin(Method::POST, "/api/v1/accounts/kim/sign-in-link")).await;
    let link = serde_json::from_str::<Value>(&link).unwrap()["path"].as_str().unwrap().to_owned();
    let entered = ask(Method::POST, &link).send().await.unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    planted.add("a link", link.rsplit('/').next().unwrap());
    planted.add("a session", cookie.split_once('=').unwrap().1);
    let password = json!({"new": planted.get("a password")});
    let (status, _) = text(ask(Method::PUT, "/api/v1/session/password").header(COOKIE, &cookie).json(&password)).await;
    assert_eq!(status, 204);
    for secret in ["a wrong password", "a password"] {
        text(ask(Method::POST, "/api/v1/session").json(&json!({"name": "kim", "password": planted.get(secret)}))).await;
    }
    let change = json!({"current": planted.get("a password"), "new": planted.get("a new password")});
    let (status, _) = text(ask(Method::PUT, "/api/v1/session/password").header(COOKIE, &cookie).json(&change)).await;
    assert_eq!(status, 204);
    let (_, made) = text(as_admin(Method::POST, "/api/v1/tokens").json(&json!({"name": "for a script"}))).await;
    planted.add("a token", serde_json::from_str::<Value>(&made).unwrap()["token"].as_str().unwrap());
    let (_, short) = text(as_admin(Method::POST, "/api/v1/access-tokens").json(&json!({}))).await;
    planted
        .add("a short-lived token", serde_json::from_str::<Value>(&short).unwrap()["access_token"].as_str().unwrap());

    // What callers send without being asked, and what is refused.
    let bearer = format!("Bearer portal_{}", planted.get("a guessed token"));
    text(ask(Method::GET, "/api/v1/entities").header(AUTHORIZATION, bearer)).await;
    text(ask(Method::GET, "/api/v1/entities").basic_auth("kim", Some(planted.get("a basic password")))).await;
    text(ask(Method::GET, &format!("/api/v1/entities?token={}", planted.get("a token in the query")))).await;
    text(as_admin(Method::GET, &format!("/api/v1/entities?access_token={}", planted.get("a token in the query"))))
        .await;
    text(as_admin(Method::GET, "/api/v1/entities").header("x-secret", planted.get("a header of the request"))).await;
    text(as_admin(Method::GET, "/").header(COOKIE, format!("other={}", planted.get("a cookie of somebody else"))))
        .await;
    text(ask(
        Method::GET,
        &format!("/sign-in/with/company/callback?code={}&state=x", planted.get("a code of a sign-in")),
    ))
    .await;
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:jwt&subject_token=e.{}.x",
        planted.get("a CI token")
    );
    text(
        ask(Method::POST, "/api/v1/token-exchange")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form),
    )
    .await;
    let inside = format!("https://kim:{}@git.example.com/r.git", planted.get("a password in a URL"));
    for path in ["/api/v1/sources", "/api/v1/sources/preview"] {
        let (status, answer) = text(as_admin(Method::POST, path).json(&json!({"type": "git", "target": inside}))).await;
        assert!((400..500).contains(&status), "{answer}");
        planted.are_not_in(answer.as_bytes(), path);
    }
    let call = json!({"operation": "x", "body": planted.get("a body of an API call"), "parameters": [
        {"place": "header", "name": "X-Api-Key", "value": planted.get("a header of an API call")},
        {"place": "query", "name": "key", "value": planted.get("a parameter of an API call")}]});
    let (status, answer) =
        text(as_admin(Method::POST, "/api/v1/entities/api/default/x/definition/call").json(&call)).await;
    assert_eq!(status, 200, "{answer}");

    // Sources have been read, with their credentials and in vain.
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let (_, list) = text(as_admin(Method::GET, "/api/v1/sources")).await;
        let list: Value = serde_json::from_str(&list).unwrap();
        if list["items"].as_array().unwrap().iter().filter(|source| !source["failure"].is_null()).count() == 2 {
            break;
        }
        assert!(Instant::now() < deadline, "{list}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(planted.0.len() >= 25, "{}", planted.0.len());

    // Every answer of the API, every page, and what a browser loads.
    let (_, document) = text(as_admin(Method::GET, "/api/openapi.json")).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    let documented = document["paths"].as_object().unwrap().iter();
    let documented = documented.filter(|(path, item)| !item["get"].is_null() && !path.ends_with("/stream"));
    let mut paths: Vec<String> = documented
        .map(|(path, _)| {
            path.replace("{kind}", "api")
                .replace("{namespace}", "default")
                .replace("{name}", "x")
                .replace("{id}", "2")
                .replace("{uid}", "x")
        })
        .collect();
    paths.extend(
        [
            "/metrics",
            "/.well-known/jwks.json",
            "/",
            "/catalog",
            "/catalog/api/default/x?tab=definition",
            "/catalog/api/default/x?tab=history",
            "/admin/sources",
            "/admin/sources/2",
            "/admin/sources/3",
            "/admin/accounts",
            "/admin/policies",
            "/admin/audit",
            "/profile",
            "/sign-in",
            "/search?q=x",
            "/pkg/portal.js",
            "/pkg/portal_bg.wasm",
            "/page.js",
        ]
        .map(str::to_owned),
    );
    for path in &paths {
        let answer = as_admin(Method::GET, path).send().await.unwrap();
        let bytes = answer.bytes().await.unwrap();
        planted.are_not_in(&bytes, path);
    }
    // What the process was started with, and what it wrote.
    let arguments = std::fs::read(format!("/proc/{}/cmdline", running.child.id())).unwrap();
    planted.are_not_in(&arguments, "the arguments of the process");
    let refused = portal(&data)
        .arg("doctor")
        .env(
            "PORTAL_DATABASE_URL",
            format!("postgres://portal:{}@127.0.0.1:1/portal", planted.get("a database's password")),
        )
        .output()
        .unwrap();
    assert!(!refused.status.success());
    planted.are_not_in(&[refused.stdout, refused.stderr].concat(), "what `portal doctor` says");
    let log = running.log.clone();
    drop(running);
    let log = std::fs::read(log).unwrap();
    assert!(log.len() > 1000, "{}", String::from_utf8_lossy(&log));
    planted.are_not_in(&log, "the log");
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => planted.are_not_in(&std::fs::read(&path).unwrap(), &path.display().to_string()),
            }
        }
    }
}
