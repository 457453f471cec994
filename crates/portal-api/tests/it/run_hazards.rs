//! What happens to runs while the world around them changes.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::harness::Portal;
use crate::hostile::Hostile;
use crate::on_both;
use crate::runs::{ended, log, start_with, with_template};
use crate::sources::{add, refresh};

on_both!(a_template_that_changes_meanwhile_changes_no_run, portal, {
    let steps = json!([
        {"action": "debug:wait", "id": "wait", "input": {"seconds": 2}},
        {"action": "debug:log", "id": "say", "input": {"message": "as it was"}},
    ]);
    let folder = with_template(&portal, &steps).await;
    let id = start_with(&portal, json!({"name": "a", "remote": "x"}), json!({})).await;
    let file = folder.join("catalog-info.yaml");
    let changed = std::fs::read_to_string(&file).unwrap().replace("as it was", "as it is now");
    std::fs::write(&file, changed).unwrap();
    let sources = portal.get("/api/v1/sources").await.json(200);
    let target = folder.display().to_string();
    let source = sources["items"].as_array().unwrap().iter().find(|source| source["target"] == target).unwrap();
    refresh(&portal, source["id"].as_i64().unwrap()).await;

    let run = ended(&portal, id).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let text = log(&portal, id).await;
    assert!(text.contains("as it was") && !text.contains("as it is now"), "{text}");
    let next = start_with(&portal, json!({"name": "b", "remote": "x"}), json!({})).await;
    ended(&portal, next).await;
    assert!(log(&portal, next).await.contains("as it is now"));
});

on_both!(two_portals_share_the_runs_and_one_goes_away, portal, {
    let steps = json!([
        {"action": "debug:log", "id": "first", "input": {"message": "once only"}},
        {"action": "debug:wait", "id": "wait", "input": {"seconds": 1}},
        {"action": "debug:log", "id": "last", "input": {"message": "the end"}},
    ]);
    with_template(&portal, &steps).await;
    let other = portal.replica().await;
    let mut ids = Vec::new();
    for letter in 'a'..='l' {
        ids.push(start_with(&portal, json!({"name": letter, "remote": "x"}), json!({})).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    portal.leave_to(other);
    portal.clock.advance(chrono::TimeDelta::seconds(40));
    for id in ids {
        let run = ended(&portal, id).await;
        assert_eq!(run["state"], "succeeded", "{run}");
        let text = log(&portal, id).await;
        assert_eq!((text.matches("once only").count(), text.matches("the end").count()), (1, 1), "{text}");
    }
});

on_both!(what_is_nested_without_end_is_refused, portal, {
    with_template(&portal, &json!([{"action": "debug:log", "input": {"message": "x"}}])).await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let values = format!(r#"{{"template": "service", "values": {{"name": {deep}, "remote": "x"}}}}"#);
    let answers = format!(r#"{{"values": {{"name": {deep}}}}}"#);
    let task = format!(r#"{{"templateRef": "service", "values": {{"name": {deep}}}}}"#);
    let template = format!(r#"{{"template": {{"kind": "Template", "spec": {deep}}}, "values": {{}}}}"#);
    for (path, body) in [
        ("/api/v1/runs", &values),
        ("/api/v1/templates/default/service/dry-run", &answers),
        ("/api/scaffolder/v2/tasks", &task),
        ("/api/scaffolder/v2/dry-run", &template),
    ] {
        let request = Request::post(path).header("content-type", "application/json");
        let answer = portal.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert!(answer.status.is_client_error(), "{path}: {} {}", answer.status, answer.text());
        assert!(answer.text().contains("nested") || answer.text().contains("recursion"), "{path}: {}", answer.text());
    }
    assert_eq!(portal.get("/api/v1/runs").await.json(200)["total"], 0);
});

/// A template that needs a secret, says it to a server, and puts out what it hears.
async fn with_secret(portal: &Portal, input: Value) {
    let folder = portal.folder.join("secret");
    std::fs::create_dir_all(&folder).unwrap();
    let template = json!({
        "apiVersion": "scaffolder.backstage.io/v1beta3", "kind": "Template", "metadata": {"name": "secret"},
        "spec": {
            "type": "service", "owner": "team-a",
            "parameters": [{"required": ["pw"], "properties": {
                "name": {"type": "string"},
                "pw": {"type": "string", "ui:field": "Secret", "minLength": 4},
            }}],
            "steps": [{"id": "say", "action": "http:request", "input": input}],
            "output": {"text": [{"title": "Heard", "content": "${{ steps.say.output.body | dump }} ${{ parameters.pw }}"}]},
        },
    });
    std::fs::write(folder.join("catalog-info.yaml"), template.to_string()).unwrap();
    add(portal, &json!({"type": "path", "target": folder.display().to_string()})).await;
}

on_both!(a_secret_is_asked_for_judged_and_never_kept_in_clear, portal, {
    let echo = Hostile::start().await;
    echo.put("/echo", r#"{"you": "said hunter2-x"}"#);
    let input = json!({"method": "GET", "url": format!("{}?q=${{{{ secrets.pw }}}}", echo.url("/echo"))});
    with_secret(&portal, input).await;
    let start = async |values: Value, secrets: Value, status| {
        let body = json!({"template": "secret", "values": values, "secrets": secrets});
        portal.post("/api/v1/runs", &body).await.json(status)
    };
    for (values, secrets, pointer) in [
        (json!({}), json!({}), "/secrets/pw"),
        (json!({}), json!({"pw": "abc"}), "/secrets/pw"),
        (json!({}), json!({"pw": 7}), "/secrets/pw"),
        (json!({}), json!({"pw": "hunter2-x", "zzz": "?"}), "/secrets/zzz"),
        (json!({"other": 1}), json!({"pw": "hunter2-x"}), "/values/other"),
    ] {
        let refused = start(values, secrets, 422).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        assert!(!refused.to_string().contains("abc") && !refused.to_string().contains("hunter2"));
    }
    // Where it does not belong it is a secret all the same.
    for (values, secrets) in [(json!({}), json!({"pw": "hunter2-x"})), (json!({"pw": "hunter2-x"}), json!({}))] {
        let run = start(values, secrets, 202).await;
        let run = ended(&portal, run["id"].as_i64().unwrap()).await;
        assert_eq!(run["state"], "succeeded", "{run}");
        let whole = format!("{run} {}", log(&portal, run["id"].as_i64().unwrap()).await);
        assert!(!whole.contains("hunter2") && whole.contains("said ‹secret pw›"), "{whole}");
    }
    let tried = portal.post("/api/v1/templates/default/secret/dry-run", &json!({"values": {"pw": "hunter2-x"}})).await;
    let tried = tried.json(200);
    assert!(tried["error"].is_null() && !tried.to_string().contains("hunter2"), "{tried}");
    let form = portal.post("/api/v1/templates/default/secret/form", &json!({"values": {"pw": "hunter2-x"}})).await;
    let form = form.json(200);
    assert!(form["errors"].as_array().unwrap().is_empty() && !form.to_string().contains("hunter2"), "{form}");
});

on_both!(links_out_of_a_source_are_not_followed, portal, {
    let folder =
        with_template(&portal, &json!([{"id": "f", "action": "fetch:plain", "input": {"url": "./skeleton"}}])).await;
    std::fs::write(portal.folder.join("outside.txt"), "nobody's business").unwrap();
    std::os::unix::fs::symlink(portal.folder.join("outside.txt"), folder.join("skeleton/link.txt")).unwrap();
    let run = ended(&portal, start_with(&portal, json!({"name": "a", "remote": "x"}), json!({})).await).await;
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["error"]["message"].as_str().unwrap().contains("link.txt"), "{run}");
});
