//! Backstage's scaffolder routes, on the templates and runs of the portal.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::Portal;
use crate::on_both;
use crate::runs::{ended, with_template};

fn steps(seconds: u32) -> Value {
    json!([
        {"id": "fetch", "name": "Fetch", "action": "fetch:template", "input": {
            "url": "./skeleton", "values": {"name": "${{ parameters.name }}", "about": "${{ parameters.about }}"}}},
        {"id": "wait", "name": "Wait", "action": "debug:wait", "input": {"seconds": seconds}},
        {"id": "say", "name": "Say", "action": "debug:log", "input": {"message": "made ${{ parameters.name }}"}},
    ])
}

async fn scaffold(portal: &Portal, values: Value) -> String {
    let body = json!({"templateRef": "template:default/service", "values": values});
    let made = portal.post("/api/scaffolder/v2/tasks", &body).await.json(201);
    made["id"].as_str().unwrap().to_owned()
}

on_both!(a_client_of_backstage_starts_and_follows_a_task, portal, {
    with_template(&portal, &steps(0)).await;
    let schema = "/api/scaffolder/v2/templates/default/template/service/parameter-schema";
    let schema = portal.get(schema).await.json(200);
    assert_eq!(schema["title"], "A service");
    assert_eq!(schema["steps"][0]["title"], "What it is");
    assert_eq!(schema["steps"][0]["schema"]["properties"]["size"]["minimum"], 1);

    let actions = portal.get("/api/scaffolder/v2/actions").await.json(200);
    let fetch = actions.as_array().unwrap().iter().find(|action| action["id"] == "fetch:template").unwrap();
    assert_eq!(fetch["schema"]["input"]["required"], json!(["url"]), "{fetch}");

    let id = scaffold(&portal, json!({"name": "ledger", "remote": "x"})).await;
    ended(&portal, id.parse().unwrap()).await;
    let task = portal.get(&format!("/api/scaffolder/v2/tasks/{id}")).await.json(200);
    assert_eq!((&task["id"], &task["status"]), (&json!(id), &json!("completed")), "{task}");
    assert_eq!(task["spec"]["parameters"], json!({"name": "ledger", "about": "None", "remote": "x", "size": 1}));
    assert_eq!(task["spec"]["templateInfo"]["entityRef"], "template:default/service");
    assert_eq!(task["spec"]["steps"][2]["id"], "say");

    let stream = portal.get(&format!("/api/scaffolder/v2/tasks/{id}/eventstream")).await.text();
    let data: Vec<Value> = stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert!(stream.contains("event: completion"), "{stream}");
    let (last, logged) = data.split_last().unwrap();
    assert_eq!((&last["type"], &last["taskId"]), (&json!("completion"), &json!(id)));
    assert!(logged.iter().any(|event| event["body"]["message"] == "made ledger" && event["body"]["stepId"] == "say"));
    assert!(data.is_sorted_by_key(|event| event["id"].as_i64()), "{data:?}");

    let known = logged.last().unwrap()["id"].as_i64().unwrap();
    let polled = portal.get(&format!("/api/scaffolder/v2/tasks/{id}/events?after={known}")).await.json(200);
    assert_eq!((polled.as_array().unwrap().len(), &polled[0]["type"]), (1, &json!("completion")), "{polled}");
});

on_both!(tasks_are_listed_cancelled_and_retried, portal, {
    with_template(&portal, &steps(30)).await;
    let id = scaffold(&portal, json!({"name": "ledger", "remote": "x"})).await;
    let cancelled = portal.post(&format!("/api/scaffolder/v2/tasks/{id}/cancel"), &json!({})).await.json(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(ended(&portal, id.parse().unwrap()).await["state"], "cancelled");
    let stream = portal.get(&format!("/api/scaffolder/v2/tasks/{id}/eventstream")).await.text();
    assert!(stream.contains("event: cancelled"), "{stream}");
    let again = portal.post(&format!("/api/scaffolder/v2/tasks/{id}/retry"), &json!({})).await.json(201);
    assert_eq!(again["id"], id);
    let other = scaffold(&portal, json!({"name": "other", "remote": "x"})).await;

    let listed = portal.get("/api/scaffolder/v2/tasks?limit=1&order=desc:created_at").await.json(200);
    assert_eq!((&listed["totalTasks"], &listed["tasks"][0]["id"]), (&json!(2), &json!(other)));
    let second = portal.get("/api/scaffolder/v2/tasks?limit=1&offset=1").await.json(200);
    assert_eq!(second["tasks"][0]["id"], id);
    let none = portal.get("/api/scaffolder/v2/tasks?status=completed").await.json(200);
    assert_eq!(none, json!({"tasks": [], "totalTasks": 0}));
    let nobodys = portal.get("/api/scaffolder/v2/tasks?createdBy=user:default/nobody").await.json(200);
    assert_eq!(nobodys["totalTasks"], 0);
    portal.get("/api/scaffolder/v2/tasks?status=sleeping").await.is(400);
    for task in [id, other] {
        portal.post(&format!("/api/scaffolder/v2/tasks/{task}/cancel"), &json!({})).await.is(200);
        ended(&portal, task.parse().unwrap()).await;
    }
});

on_both!(a_log_ends_with_the_token_it_is_followed_with, portal, {
    with_template(&portal, &steps(30)).await;
    let id = scaffold(&portal, json!({"name": "ledger", "remote": "x"})).await;
    for path in [format!("/api/scaffolder/v2/tasks/{id}/eventstream"), format!("/api/v1/runs/{id}/log/stream")] {
        let made = portal.post("/api/v1/tokens", &json!({"name": "follower"})).await.json(201);
        let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
        let request = Request::get(&path).header("authorization", bearer).body(Body::empty()).unwrap();
        let response = portal_api::router::outer(&portal.app).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        portal.delete(&format!("/api/v1/tokens/{}", made["id"].as_str().unwrap())).await.is(204);
        let rest = tokio::time::timeout(Duration::from_secs(10), to_bytes(response.into_body(), usize::MAX)).await;
        let rest = rest.expect("the stream goes on without a token").unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("cancelled"));
    }
    portal.post(&format!("/api/scaffolder/v2/tasks/{id}/cancel"), &json!({})).await.is(200);
    ended(&portal, id.parse().unwrap()).await;
});

on_both!(what_is_wrong_with_a_task_is_told_as_backstage_tells_it, portal, {
    with_template(&portal, &steps(0)).await;
    let body = json!({"templateRef": "template:default/service", "values": {"name": "No Spaces", "size": 0}});
    let wrong = portal.post("/api/scaffolder/v2/tasks", &body).await.json(400);
    let errors = wrong["errors"].as_array().unwrap();
    let of = |name: &str| errors.iter().find(|error| error["path"] == json!([name])).unwrap();
    assert_eq!(of("name")["property"], "instance.name");
    assert!(of("size")["stack"].as_str().unwrap().starts_with("instance.size "), "{wrong}");

    let absent = portal.post("/api/scaffolder/v2/tasks", &json!({"templateRef": "template:default/absent"})).await;
    assert_eq!(absent.json(404)["error"]["name"], "NotFoundError");
    assert_eq!(portal.get("/api/scaffolder/v2/tasks/77").await.json(404)["error"]["name"], "NotFoundError");
    let secret = json!({"templateRef": "template:default/service", "values": {}, "secrets": {"token": 1}});
    assert_eq!(portal.post("/api/scaffolder/v2/tasks", &secret).await.json(400)["error"]["name"], "InputError");
    assert_eq!(portal.get("/api/scaffolder/v2/tasks").await.json(200)["totalTasks"], 0);
});

on_both!(a_template_that_is_being_written_is_tried_without_effect, portal, {
    let template = json!({
        "apiVersion": "scaffolder.backstage.io/v1beta3", "kind": "Template", "metadata": {"name": "draft"},
        "spec": {"type": "service", "parameters": [{"required": ["name"], "properties": {"name": {"type": "string"}}}],
            "steps": [
                {"id": "fetch", "action": "fetch:template", "input": {
                    "url": "./skeleton", "values": {"name": "${{ parameters.name }}"}}},
                {"id": "publish", "action": "publish:git", "input": {"remoteUrl": "https://git.example.com/a/b.git"}},
            ],
            "output": {"text": [{"title": "Made", "content": "${{ parameters.name }}"}]}},
    });
    let contents = json!([{"path": "skeleton/${{ values.name }}.md", "base64Content": STANDARD.encode("# ${{ values.name | upper }}\n")}]);
    let body = json!({"template": template, "values": {"name": "ledger"}, "directoryContents": contents});
    let tried = portal.post("/api/scaffolder/v2/dry-run", &body).await.json(200);
    let made = &tried["directoryContents"][0];
    assert_eq!((&made["path"], &made["executable"]), (&json!("ledger.md"), &json!(false)), "{tried}");
    assert_eq!(made["base64Content"], STANDARD.encode("# LEDGER\n"));
    assert_eq!(tried["output"]["text"][0]["content"], "ledger");
    assert_eq!(tried["steps"][1]["action"], "publish:git");
    assert_eq!(portal.get("/api/v1/runs").await.json(200)["total"], 0);

    for (pointer, wrong) in [
        ("/values", json!({"template": template, "values": {}})),
        (
            "/directoryContents/0",
            json!({"template": template, "values": {"name": "a"},
            "directoryContents": [{"path": "../a", "base64Content": ""}]}),
        ),
        (
            "/directoryContents/0",
            json!({"template": template, "values": {"name": "a"},
            "directoryContents": [{"path": "a", "base64Content": "§"}]}),
        ),
        (
            "/template/spec",
            json!({"template": {"apiVersion": "scaffolder.backstage.io/v1beta3", "kind": "Template",
            "metadata": {"name": "t"}, "spec": {"steps": 1}}}),
        ),
        ("step `fetch`", json!({"template": template, "values": {"name": "a"}})),
    ] {
        let told = portal.post("/api/scaffolder/v2/dry-run", &wrong).await;
        assert!(told.json(400)["error"]["message"].as_str().unwrap().contains(pointer), "{}", told.text());
    }
});
