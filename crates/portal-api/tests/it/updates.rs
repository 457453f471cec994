//! `catalog:update`: an entity is changed where it is kept, by those who may, and by a pull
//! request where that is a repository.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_api::config::TemplatesConfig;
use portal_api::templates::hosts::Kind;
use portal_core::access::Role;
use serde_json::{Value, json};

use crate::actions::{action, call, person, with_actions};
use crate::harness::{Portal, component, group, user};
use crate::hosts::Host;
use crate::on_both;
use crate::runs::{ended, log};
use crate::sources::{add, path_source, refresh};

const FIELDS: [&str; 8] = ["entity", "annotations", "labels", "tags", "owner", "lifecycle", "title", "description"];

/// An action that changes what it is asked to.
fn change() -> Value {
    let mut input = json!({"token": "${{ secrets.token }}"});
    for name in FIELDS {
        input[name] = format!("${{{{ parameters.{name} }}}}").into();
    }
    let any = |name: &str| match name {
        "annotations" | "labels" => json!({"type": "object", "additionalProperties": true}),
        "tags" => json!({"type": "array", "items": {"type": "string"}}),
        _ => json!({"type": "string"}),
    };
    let mut properties: serde_json::Map<String, Value> =
        FIELDS.into_iter().map(|name| (name.to_owned(), any(name))).collect();
    properties.insert("token".to_owned(), json!({"type": "string", "ui:field": "Secret"}));
    action(
        "change",
        json!({
            "parameters": {"required": ["entity"], "properties": properties},
            "steps": [{"id": "update", "action": "catalog:update", "input": input}],
            "output": {"text": [{"title": "Output", "content": "${{ steps.update.output | dump }}"}]},
        }),
    )
}

/// Runs the action as somebody; answers the run, its step's output and its log.
async fn changed(portal: &Portal, token: &str, values: Value) -> (Value, Value, String) {
    let body = json!({"action": "change", "values": values, "secrets": {"token": "t0ken"}});
    let run = call(portal, token, "POST", "/api/v1/runs", &body).await.json(202);
    let id = run["id"].as_i64().unwrap();
    let run = ended(portal, id).await;
    let output = run["output"]["text"][0]["content"].as_str().unwrap_or("null");
    let output = serde_json::from_str(output).unwrap();
    let text = log(portal, id).await;
    (run, output, text)
}

/// What the dry run of the step says.
async fn tried(portal: &Portal, values: Value) -> Value {
    let mut template = change();
    template["kind"] = "Action".into();
    let body = json!({"text": template.to_string(), "values": values, "dry_run": true});
    portal.post("/api/v1/template-preview", &body).await.json(200)["report"]["steps"][0].clone()
}

on_both!(what_the_api_owns_is_changed_in_the_catalog, portal, {
    portal.store(&[group("team-a", None), group("team-b", None), user("ann", "team-a"), user("bob", "team-b")]).await;
    let mut ledger = component("ledger", "team-a");
    ledger["metadata"]["annotations"] = json!({"a/b": "1", "gone": "x"});
    ledger["spec"]["definition"] = "x".repeat(3000).into();
    portal.store(&[ledger]).await;
    with_actions(&portal, &[change()]).await;
    let (ann, bob) = (person(&portal, "ann", Role::Developer).await, person(&portal, "bob", Role::Developer).await);
    let values = json!({"entity": "component:ledger", "annotations": {"a/b": "2", "new": "y", "gone": null},
        "tags": ["money"], "lifecycle": "deprecated", "description": "Counts"});
    let dry = tried(&portal, values.clone()).await;
    let lines = dry["log"].to_string();
    assert!(lines.contains("-    gone: x") && lines.contains("+  description: Counts"), "{dry}");
    let (run, output, text) = changed(&portal, &ann, values.clone()).await;
    assert_eq!(output, json!({"entityRef": "component:default/ledger", "changed": true}), "{run}\n{text}");
    let view = portal.get("/api/v1/entities/component/default/ledger").await.json(200);
    let metadata = &view["entity"]["metadata"];
    assert_eq!(
        (&metadata["annotations"], &metadata["tags"], &view["entity"]["spec"]["lifecycle"]),
        (&json!({"a/b": "2", "new": "y"}), &json!(["money"]), &json!("deprecated")),
        "{view}"
    );
    assert_eq!(view["entity"]["spec"]["definition"].as_str().unwrap().len(), 3000);
    let history = portal.get("/api/v1/entities/component/default/ledger/history").await.json(200);
    assert_eq!((&history["items"].as_array().unwrap().len(), &history["items"][0]["by"]), (&2, &json!("ann")));

    // Once more, it says so already.
    let (_, output, text) = changed(&portal, &ann, values).await;
    assert_eq!((&output["changed"], text.contains("says so already")), (&json!(false), true), "{text}");
    let history = portal.get("/api/v1/entities/component/default/ledger/history").await.json(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 2);

    // Nobody changes what is another's, or gives away what is theirs.
    for (token, owner) in [(&bob, "team-a"), (&bob, "team-b"), (&ann, "team-b")] {
        let (run, ..) =
            changed(&portal, token, json!({"entity": "component:ledger", "owner": owner, "title": "T"})).await;
        assert_eq!(run["error"]["code"], "not_allowed", "{run}");
    }
    for (values, code, part) in [
        (json!({"entity": "component:nobody", "title": "T"}), "entity_not_found", "the catalog has no"),
        (json!({"entity": "component:", "title": "T"}), "invalid_input", "`entity`"),
        (json!({"entity": "component:ledger"}), "invalid_input", "nothing is to be changed"),
        (json!({"entity": "component:ledger", "tags": ["Not A Tag"]}), "invalid_input", "`/metadata/tags/0`"),
        (json!({"entity": "component:ledger", "annotations": {"a": ["b"]}}), "invalid_input", "must be a text"),
    ] {
        let (run, ..) = changed(&portal, &ann, values).await;
        assert_eq!(run["error"]["code"], code, "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains(part), "{run}");
    }
});

on_both!(where_the_portal_cannot_write_it_says_who_can, portal, {
    let folder = portal.folder.join("kept");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("catalog-info.yaml"), component("kept", "team-a").to_string()).unwrap();
    let source = add(&portal, &path_source(&folder)).await;
    with_actions(&portal, &[change()]).await;
    let ann = person(&portal, "ann", Role::Admin).await;
    let values = json!({"entity": "component:kept", "owner": "team-b"});
    let (run, ..) = changed(&portal, &ann, values.clone()).await;
    let message = run["error"]["message"].as_str().unwrap();
    assert_eq!(run["error"]["code"], "not_writable", "{run}");
    for part in [&format!("source {source}"), &folder.display().to_string(), "catalog-info.yaml", "change it there"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(tried(&portal, values.clone()).await["state"], "failed");
    // Nor where nobody keeps it any more.
    std::fs::write(folder.join("catalog-info.yaml"), "").unwrap();
    refresh(&portal, source).await;
    let (run, ..) = changed(&portal, &ann, values).await;
    assert!(run["error"]["message"].as_str().unwrap().contains("no source declares"), "{run}");
});

const FILE: &str = "\
# Everything of the ledger
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: ledger   # never changes
  annotations:
    # where it is watched
    grafana/dashboard: \"one\"   # the old one
spec:
  type: service
  owner: team-a # see the handbook
  lifecycle: production
---
# The API of it
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: ledger-api }
spec:
  type: openapi
  lifecycle: production
  owner: team-a
  definition:
    $text: ./openapi.yaml
";

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A portal with a source in a repository of a host, which holds [`FILE`].
async fn with_repository(kind: Kind, postgres: bool) -> Option<(Portal, Host)> {
    let folder = std::env::temp_dir().join(format!("portal-update-{}", uuid::Uuid::new_v4().simple()));
    let host = Host::start(kind, folder.join("host")).await;
    host.make("ledger");
    let work = folder.join("work");
    std::fs::create_dir_all(work.join("services")).unwrap();
    std::fs::write(work.join("services/catalog-info.yaml"), FILE).unwrap();
    std::fs::write(work.join("services/openapi.yaml"), "openapi: 3.1.0\n").unwrap();
    git(&work, &["init", "-q", "-b", "main"]);
    git(&work, &["add", "."]);
    git(&work, &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "start"]);
    git(&work, &["push", "-q", &host.repository("ledger").display().to_string(), "main"]);
    let configured = host.configured();
    let change = |config: &mut portal_api::config::Config| {
        config.templates = TemplatesConfig { host: vec![configured], ..TemplatesConfig::default() };
    };
    let portal = if postgres { Portal::postgres_with(change).await? } else { Portal::with(change).await };
    add(&portal, &json!({"type": "git", "target": format!("{}/acme/ledger.git", host.url)})).await;
    with_actions(&portal, &[self::change()]).await;
    portal.store(&[group("team-a", None), user("ann", "team-a"), group("team-b", None), user("bob", "team-b")]).await;
    Some((portal, host))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_repository_keeps_is_changed_by_a_pull_request() {
    for postgres in [false, true] {
        let Some((portal, host)) = with_repository(Kind::Github, postgres).await else { continue };
        let (ann, bob) = (person(&portal, "ann", Role::Developer).await, person(&portal, "bob", Role::Developer).await);
        let values =
            json!({"entity": "component:ledger", "owner": "team-b", "annotations": {"grafana/dashboard": "two"}});
        let (run, output, text) = changed(&portal, &ann, values.clone()).await;
        let url = format!("{}/acme/ledger/pull/12", host.url);
        assert_eq!(
            (&output["pullRequestUrl"], &output["remoteUrl"], &output["pullRequestNumber"], &output["changed"]),
            (&json!(url), &json!(url), &json!(12), &json!(true)),
            "{run}\n{text}"
        );
        assert!(text.contains("-  owner: team-a # see the handbook\n+  owner: team-b # see the handbook"), "{text}");
        let asked = host.asked();
        let sent =
            |what: &str| asked.iter().filter(|(own, _)| own == what).map(|(_, body)| body.clone()).collect::<Vec<_>>();
        let blobs = sent("POST /repos/acme/ledger/git/blobs");
        assert_eq!(blobs.len(), 1);
        let expected = FILE.replacen("owner: team-a #", "owner: team-b #", 1).replace("\"one\"", "\"two\"");
        let content = STANDARD.decode(blobs[0]["content"].as_str().unwrap()).unwrap();
        assert_eq!(String::from_utf8(content).unwrap(), expected);
        let tree = &sent("POST /repos/acme/ledger/git/trees")[0];
        assert_eq!(tree["tree"][0]["path"], "services/catalog-info.yaml");
        // On top of the commit that was read.
        let commit = &sent("POST /repos/acme/ledger/git/commits")[0];
        let head = std::fs::read_to_string(host.repository("ledger").join("refs/heads/main")).unwrap();
        assert_eq!(commit["parents"], json!([head.trim()]));
        let pull = &sent("POST /repos/acme/ledger/pulls")[0];
        assert_eq!(
            (&pull["title"], &pull["base"]),
            (&json!("Change owner and annotations of component:default/ledger"), &json!("main"))
        );
        let description = pull["body"].as_str().unwrap();
        assert!(description.contains("ann asks for this") && description.contains(&format!("/runs/{}", run["id"])));
        assert_eq!(host.strange(), Vec::<String>::new());
        // The catalog follows the repository, and not the request.
        let view = portal.get("/api/v1/entities/component/default/ledger").await.json(200);
        assert_eq!(view["entity"]["spec"]["owner"], "team-a");

        // What it says already is no request, nor is what somebody may not change.
        let (_, output, _) = changed(&portal, &ann, json!({"entity": "api:ledger-api", "owner": "team-a"})).await;
        assert_eq!(output, json!({"entityRef": "api:default/ledger-api", "changed": false}));
        let (run, ..) = changed(&portal, &bob, values).await;
        assert_eq!(run["error"]["code"], "not_allowed", "{run}");
        let (run, ..) = changed(&portal, &ann, json!({"entity": "api:ledger-api", "tags": ["Bad Tag"]})).await;
        assert_eq!(run["error"]["code"], "invalid_input", "{run}");
        assert_eq!(host.asked().iter().filter(|(what, _)| what.ends_with("/git/blobs")).count(), 1);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_moved_on_is_told_and_a_dry_run_shows_the_lines() {
    let (portal, host) = with_repository(Kind::Gitlab, false).await.unwrap();
    let ann = person(&portal, "ann", Role::Developer).await;
    let body = json!({"values": {"entity": "component:ledger", "owner": "team-b"}});
    let template = json!({
        "apiVersion": "scaffolder.backstage.io/v1beta3", "kind": "Template", "metadata": {"name": "change"},
        "spec": {"type": "x", "owner": "team-a",
            "parameters": [{"title": "x", "properties": {"entity": {"type": "string"}, "owner": {"type": "string"}}}],
            "steps": [{"id": "update", "action": "catalog:update", "input": {
                "entity": "${{ parameters.entity }}", "owner": "${{ parameters.owner }}"}}]},
    });
    with_actions(&portal, &[template]).await;
    let report = call(&portal, &ann, "POST", "/api/v1/templates/default/change/dry-run", &body).await.json(200);
    let lines = report["steps"][0]["log"].to_string();
    assert!(lines.contains("--- a/services/catalog-info.yaml") && lines.contains("+  owner: team-b # see"), "{report}");
    assert!(host.asked().is_empty(), "{:?}", host.asked());

    let values = json!({"entity": "component:ledger", "owner": "team-b"});
    let (run, output, text) = changed(&portal, &ann, values.clone()).await;
    assert_eq!(output["pullRequestUrl"], "https://gitlab.example/acme/x/-/merge_requests/3", "{run}\n{text}");
    let asked = host.asked();
    let (_, commit) = asked.iter().find(|(what, _)| what.ends_with("/repository/commits")).unwrap();
    assert_eq!((&commit["actions"][0]["action"], &commit["start_branch"]), (&json!("update"), &Value::Null));
    assert_eq!(commit["start_sha"].as_str().unwrap().len(), 40);

    // The entity is declared elsewhere by now, or in a way that cannot be changed alone.
    let work = portal.folder.join("again");
    git(
        Path::new("/tmp"),
        &["clone", "-q", &host.repository("ledger").display().to_string(), &work.display().to_string()],
    );
    for (text, part) in [
        (
            FILE.replace("owner: team-a #", "owner: &team team-a #")
                .replace("lifecycle: production\n---", "lifecycle: *team\n---"),
            "change it by hand",
        ),
        (FILE.replace("name: ledger ", "name: renamed "), "does not declare `component:default/ledger` any more"),
    ] {
        std::fs::write(work.join("services/catalog-info.yaml"), text).unwrap();
        git(&work, &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qam", "other"]);
        git(&work, &["push", "-q", "origin", "main"]);
        let (run, ..) = changed(&portal, &ann, values.clone()).await;
        assert_eq!(run["error"]["code"], "not_writable", "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains(part), "{run}");
    }
    portal.end().await;
}
