//! From answers to a repository and an entity, and what goes wrong on the way.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::Portal;
use crate::hostile::Hostile;
use crate::on_both;
use crate::sources::add;

const DESCRIPTOR: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${{ values.name }}\n  description: ${{ values.about | dump }}\nspec:\n  type: service\n  lifecycle: experimental\n  owner: team-a\n";

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A template with a skeleton, and a step after the usual ones.
fn template(steps: &Value) -> Value {
    json!({
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "service", "title": "A service"},
        "spec": {
            "type": "service",
            "owner": "team-a",
            "parameters": [{
                "title": "What it is",
                "required": ["name", "remote"],
                "properties": {
                    "name": {"type": "string", "pattern": "^[a-z-]+$"},
                    "about": {"type": "string", "default": "None"},
                    "remote": {"type": "string"},
                    "size": {"type": "integer", "minimum": 1, "default": 1},
                    "token": {"type": "string", "ui:field": "Secret"},
                },
            }],
            "steps": steps,
            "output": {"links": [
                {"title": "Repository", "url": "${{ steps.publish.output.remoteUrl }}"},
                {"title": "Catalog", "entityRef": "${{ steps.register.output.entityRef }}"},
            ]},
        },
    })
}

fn usual_steps() -> Value {
    json!([
        {"id": "fetch", "name": "Fetch", "action": "fetch:template", "input": {
            "url": "./skeleton", "values": {"name": "${{ parameters.name }}", "about": "${{ parameters.about }}"}}},
        {"id": "publish", "name": "Publish", "action": "publish:git", "input": {"remoteUrl": "${{ parameters.remote }}"}},
        {"id": "register", "name": "Register", "action": "catalog:register", "input": {
            "repoContentsUrl": "${{ steps.publish.output.repoContentsUrl }}"}},
    ])
}

/// A portal's source with this template.
pub async fn with_template(portal: &Portal, steps: &Value) -> PathBuf {
    let folder = portal.folder.join("templates");
    write(&folder, "catalog-info.yaml", template(steps).to_string());
    write(&folder, "skeleton/catalog-info.yaml", DESCRIPTOR);
    write(&folder, "skeleton/src/${{ values.name }}.txt", "this is ${{ values.name | upper }}\n");
    write(&folder, "skeleton/logo.png", [137, 80, 78, 71, 0, 1, 2]);
    write(&folder, "skeleton/run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(folder.join("skeleton/run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    add(portal, &json!({"type": "path", "target": folder.display().to_string()})).await;
    folder
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An empty bare repository behind `git http-backend`, and its address.
pub async fn repository(portal: &Portal, name: &str) -> (PathBuf, String) {
    let folder = portal.folder.join("repositories");
    let path = folder.join(name);
    std::fs::create_dir_all(&path).unwrap();
    git(&path, &["init", "-q", "--bare", "-b", "main"]);
    git(&path, &["config", "http.receivepack", "true"]);
    let server = Hostile::start().await;
    server.serve_repositories(folder);
    (path, server.url(&format!("/git/{name}")))
}

async fn start(portal: &Portal, values: Value) -> i64 {
    start_with(portal, values, json!({})).await
}

pub async fn start_with(portal: &Portal, values: Value, secrets: Value) -> i64 {
    let body = json!({"template": "service", "values": values, "secrets": secrets});
    let view = portal.post("/api/v1/runs", &body).await.json(202);
    view["id"].as_i64().unwrap()
}

pub async fn ended(portal: &Portal, id: i64) -> Value {
    for _ in 0..600 {
        let run = portal.get(&format!("/api/v1/runs/{id}")).await.json(200);
        let state = run["state"].as_str().unwrap().to_owned();
        if !["queued", "running", "waiting"].contains(&state.as_str()) {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("run {id} does not end: {}", portal.get(&format!("/api/v1/runs/{id}")).await.text());
}

pub async fn log(portal: &Portal, id: i64) -> String {
    let page = portal.get(&format!("/api/v1/runs/{id}/log")).await.json(200);
    assert_eq!(page["is_complete"], true);
    let lines = page["items"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

on_both!(answers_become_a_repository_and_an_entity, portal, {
    with_template(&portal, &usual_steps()).await;
    let (bare, url) = repository(&portal, "ledger.git").await;
    let id = start(&portal, json!({"name": "ledger", "about": "Counts \"money\"", "remote": url})).await;
    let run = ended(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}\n{}", log(&portal, id).await);
    assert_eq!(run["output"]["links"][0]["url"], url);
    assert_eq!(run["output"]["links"][1]["entityRef"], "component:default/ledger");
    assert_eq!(run["entities"][0]["entity_ref"], "component:default/ledger");
    assert_eq!(run["answers"]["size"], 1);
    assert_eq!(run["started_by"]["name"], "tester");

    let listed = git(&bare, &["ls-tree", "-r", "main"]);
    assert!(listed.contains("100755") && listed.contains("run.sh") && listed.contains("src/ledger.txt"), "{listed}");
    assert_eq!(git(&bare, &["show", "main:src/ledger.txt"]), "this is LEDGER");
    assert_eq!(git(&bare, &["log", "--format=%s %an", "main"]), "Initial commit tester");

    let entity = portal.get("/api/v1/entities/component/default/ledger").await.json(200);
    assert_eq!(entity["entity"]["metadata"]["description"], "Counts \"money\"");
    let made = portal.get("/api/v1/runs?entity=component:default/ledger").await.json(200);
    assert_eq!((&made["total"], &made["items"][0]["id"]), (&json!(1), &json!(id)));
    for (query, count) in
        [("about=component:default/ledger", 1), ("about=component:default/other", 0), ("user=user:default/ada", 0)]
    {
        let found = portal.get(&format!("/api/v1/runs?{query}")).await.json(200);
        assert_eq!(found["total"], count, "{query}");
    }
    for name in ["template", "action", "user", "entity", "target", "about"] {
        let refused = portal.get(&format!("/api/v1/runs?{name}=%3A")).await.json(422);
        assert_eq!(refused["errors"][0]["pointer"], name, "{refused}");
    }
    let templates = portal.get("/api/v1/templates").await.json(200);
    assert_eq!(templates["items"][0]["usage"]["success_rate"], 1.0);
    assert!(log(&portal, id).await.contains("pushing 4 files"), "{}", log(&portal, id).await);

    // Done once more, it finds what is there and does nothing twice.
    let again = ended(&portal, start(&portal, json!({"name": "other", "remote": url})).await).await;
    assert_eq!(
        (&again["state"], &again["error"]["code"], &again["error"]["step"]),
        (&json!("failed"), &json!("exists_already"), &json!("publish"))
    );
    assert_eq!(git(&bare, &["rev-list", "--count", "main"]), "1");
});

on_both!(a_dry_run_shows_everything_and_does_nothing, portal, {
    with_template(&portal, &usual_steps()).await;
    let (bare, url) = repository(&portal, "ledger.git").await;
    let body = json!({"values": {"name": "ledger", "remote": url}});
    let report = portal.post("/api/v1/templates/default/service/dry-run", &body).await.json(200);
    let paths: Vec<&str> =
        report["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["catalog-info.yaml", "logo.png", "run.sh", "src/ledger.txt"]);
    assert_eq!(report["files"][3]["text"], "this is LEDGER\n");
    assert_eq!(report["files"][1]["text"], Value::Null);
    assert_eq!(report["output"]["links"][1]["entityRef"], "component:default/ledger");
    assert_eq!(report["error"], Value::Null);
    assert_eq!(git(&bare, &["branch"]), "");
    portal.get("/api/v1/entities/component/default/ledger").await.is(404);
});

on_both!(wrong_answers_are_refused_where_they_stand, portal, {
    with_template(&portal, &usual_steps()).await;
    for (values, pointer) in [
        (json!({"remote": "x"}), "/values/name"),
        (json!({"name": "Not Allowed", "remote": "x"}), "/values/name"),
        (json!({"name": "a", "remote": "x", "size": "large"}), "/values/size"),
        (json!({"name": "a", "remote": "x", "size": 0}), "/values/size"),
        (json!({"name": "a", "remote": "x", "colour": "red"}), "/values/colour"),
        (json!({"name": ["a"], "remote": "x"}), "/values/name"),
    ] {
        let body = json!({"template": "template:default/service", "values": values});
        let problem = portal.post("/api/v1/runs", &body).await.problem(422, "invalid_answers");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    portal.post("/api/v1/runs", &json!({"template": "absent", "values": {}})).await.problem(404, "entity_not_found");
    portal.post("/api/v1/runs", &json!({"template": "component:default/x", "values": {}})).await.is(422);
    assert_eq!(portal.get("/api/v1/runs").await.json(200)["total"], 0);
    let question = json!({"values": {"name": "NO"}});
    let form = portal.post("/api/v1/templates/default/service/form", &question).await.json(200);
    assert_eq!(form["pages"][0]["fields"][0]["error"], "does not match `^[a-z-]+$`");
    assert_eq!(form["pages"][0]["fields"][3]["value"], 1);
});

on_both!(nothing_is_written_outside_of_the_workspace, portal, {
    let write =
        |path: &str| json!({"action": "roadiehq:utils:fs:write", "id": "w", "input": {"path": path, "content": "x"}});
    let folder = with_template(&portal, &json!([write("${{ parameters.about }}")])).await;
    for path in ["../x", "/etc/x", "a/../../x", ".git/config", "a/.git/hooks/post-commit"] {
        let run = ended(&portal, start(&portal, json!({"name": "a", "remote": "x", "about": path})).await).await;
        assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("path_denied")), "{run}");
    }
    assert!(!folder.join("../x").exists());
});

on_both!(steps_run_by_their_conditions, portal, {
    let log = |id: &str, condition: &str| json!({"action": "debug:log", "id": id, "if": condition, "input": {"message": format!("ran {id}")}});
    with_template(&portal, &json!([
        log("first", "${{ parameters.size == 1 }}"),
        log("never", "${{ parameters.size == 2 }}"),
        {"action": "debug:log", "id": "each", "each": "${{ [1, 2] }}", "input": {"message": "turn ${{ each.key }} ${{ each.value }}"}},
        {"action": "fs:rename", "id": "fails", "input": {"files": [{"from": "absent", "to": "b"}]}},
        log("after", "${{ true }}"),
        log("cleanup", "${{ always() }}"),
        log("sorry", "${{ failure() }}"),
    ])).await;
    let id = start(&portal, json!({"name": "a", "remote": "x"})).await;
    let run = ended(&portal, id).await;
    let states: Vec<&str> =
        run["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["succeeded", "skipped", "succeeded", "failed", "skipped", "succeeded", "succeeded"]);
    assert_eq!((&run["state"], &run["error"]["step"]), (&json!("failed"), &json!("fails")));
    let text = self::log(&portal, id).await;
    for line in ["ran first", "turn 0 1", "turn 1 2", "ran cleanup", "ran sorry"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(!text.contains("ran never") && !text.contains("ran after"), "{text}");
    // It fails again, and what belongs to a failure comes again; what came before does not.
    portal.post(&format!("/api/v1/runs/{id}/retry"), &json!({})).await.is(202);
    assert_eq!(ended(&portal, id).await["state"], "failed");
    let text = self::log(&portal, id).await;
    let count = |line: &str| text.matches(line).count();
    assert_eq!((count("ran first"), count("ran cleanup"), count("ran sorry")), (1, 2, 2), "{text}");
});

on_both!(a_run_is_stopped_and_goes_on_from_where_it_was, portal, {
    with_template(
        &portal,
        &json!([
            {"action": "debug:log", "id": "first", "input": {"message": "once only"}},
            {"action": "debug:wait", "id": "wait", "if": "${{ parameters.size == 1 }}", "input": {"seconds": 2}},
            {"action": "debug:log", "id": "last", "input": {"message": "the end"}},
        ]),
    )
    .await;
    let id = start(&portal, json!({"name": "a", "remote": "x"})).await;
    let path = format!("/api/v1/runs/{id}");
    while portal.get(&path).await.json(200)["steps"][1]["state"] != "running" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    portal.post(&format!("{path}/retry"), &json!({})).await.problem(409, "run_not_retryable");
    portal.post(&format!("{path}/cancel"), &json!({})).await.is(202);
    let run = ended(&portal, id).await;
    assert_eq!((&run["state"], &run["steps"][1]["state"]), (&json!("cancelled"), &json!("cancelled")), "{run}");
    portal.post(&format!("{path}/cancel"), &json!({})).await.problem(409, "run_ended");
    portal.post(&format!("{path}/retry"), &json!({})).await.is(202);
    let run = ended(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(log(&portal, id).await.matches("once only").count(), 1);
});

on_both!(a_key_starts_one_run, portal, {
    with_template(&portal, &json!([{"action": "debug:log", "input": {"message": "x"}}])).await;
    let body = json!({"template": "service", "values": {"name": "a", "remote": "x"}});
    let send = async || {
        let mut request = crate::harness::request(axum::http::Method::POST, "/api/v1/runs", None, Some(&body));
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        portal.send(request).await.json(202)["id"].clone()
    };
    assert_eq!(send().await, send().await);
    assert_eq!(portal.get("/api/v1/runs").await.json(200)["total"], 1);
});

on_both!(a_secret_is_sent_and_shown_nowhere, portal, {
    with_template(&portal, &json!([
        {"action": "debug:log", "id": "tells", "input": {"message": "the token is ${{ secrets.token }}, ${{ secrets.token | upper }}"}},
        {"action": "roadiehq:utils:serialize:json", "id": "json", "input": {"data": "${{ secrets.token }}"}},
        {"action": "catalog:fetch", "id": "fails", "input": {"entityRef": "component:${{ secrets.token }}"}},
    ])).await;
    let canary = "hunter2-canary-9f81";
    let body = json!({"template": "service", "values": {"name": "a", "remote": "x"}, "secrets": {"token": canary}});
    let id = portal.post("/api/v1/runs", &body).await.json(202)["id"].as_i64().unwrap();
    ended(&portal, id).await;
    for path in [
        format!("/api/v1/runs/{id}"),
        format!("/api/v1/runs/{id}/log"),
        "/api/v1/runs".to_owned(),
        "/api/v1/changes".to_owned(),
    ] {
        let text = portal.get(&path).await.text();
        assert!(!text.contains(canary) && !text.to_lowercase().contains(canary), "{path}: {text}");
    }
    assert!(log(&portal, id).await.contains("the token is ‹secret token›"), "{}", log(&portal, id).await);
    let row = portal_api::runs::store::find(portal.app.db.reader(), id).await.unwrap().unwrap();
    assert!(!format!("{row:?}").contains(canary));
});

on_both!(a_crash_loses_no_run_and_does_nothing_twice, portal, {
    with_template(
        &portal,
        &json!([
            {"action": "debug:log", "id": "first", "input": {"message": "once only"}},
            {"action": "fetch:template", "id": "fetch", "input": {"url": "./skeleton", "values": {"name": "a"}}},
            {"action": "debug:wait", "id": "wait", "input": {"seconds": 3}},
            {"action": "debug:log", "id": "last", "input": {"listWorkspace": true}},
        ]),
    )
    .await;
    let id = start(&portal, json!({"name": "a", "remote": "x"})).await;
    let path = format!("/api/v1/runs/{id}");
    while portal.get(&path).await.json(200)["steps"][2]["state"] != "running" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    portal.restart().await;
    // The lease of whoever is gone runs out.
    portal.clock.advance(chrono::TimeDelta::seconds(40));
    let run = ended(&portal, id).await;
    assert_eq!((&run["state"], &run["steps"][2]["attempts"]), (&json!("succeeded"), &json!(2)), "{run}");
    let text = log(&portal, id).await;
    assert_eq!(text.matches("once only").count(), 1, "{text}");
    assert!(text.contains("src/a.txt"), "{text}");
});

on_both!(a_request_is_sent_with_its_secrets, portal, {
    let server = Hostile::start().await;
    server.put("/hook", "{\"ticket\": 7}");
    with_template(&portal, &json!([
        {"action": "http:request", "id": "ask", "input": {
            "url": server.url("/hook"), "method": "GET", "params": {"a": "b c"},
            "headers": {"x-key": "key ${{ secrets.token }}"}}},
        {"action": "debug:log", "id": "tell", "input": {"message": "ticket ${{ steps.ask.output.body.ticket }} ${{ steps.ask.output.code }}"}},
        {"action": "http:request", "id": "refused", "if": "${{ parameters.size == 1 }}", "input": {"url": server.url("/absent"), "method": "POST"}},
    ])).await;
    let id = start_with(&portal, json!({"name": "a", "remote": "x", "size": 2}), json!({"token": "open-sesame"})).await;
    let run = ended(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(log(&portal, id).await.contains("ticket 7 200"));
    let sent = server.requests().into_iter().find(|request| request.path == "/hook").unwrap();
    assert_eq!((sent.headers["x-key"].as_str(), sent.query.as_str()), ("key open-sesame", "a=b+c"));
    let run = ended(&portal, start(&portal, json!({"name": "a", "remote": "x"})).await).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("refused")), "{run}");
});

on_both!(what_can_be_sent_once_only_ends_in_doubt, portal, {
    // A server that takes the request and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = taken.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut bytes = [0; 1024];
            let _ = stream.readable().await;
            let _ = stream.try_read(&mut bytes);
            drop(stream);
        }
    });
    with_template(&portal, &json!([
        {"action": "http:request", "id": "send", "input": {"url": format!("http://{address}/"), "method": "POST", "body": "x"}},
    ])).await;
    let run = ended(&portal, start(&portal, json!({"name": "a", "remote": "x"})).await).await;
    assert_eq!((&run["state"], &run["steps"][0]["state"]), (&json!("unknown"), &json!("unknown")), "{run}");
    assert_eq!(taken.load(std::sync::atomic::Ordering::SeqCst), 1, "it was sent once");
    assert_eq!(run["can"]["retry"], Value::Null);
});
