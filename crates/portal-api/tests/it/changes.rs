//! The change feed over HTTP.

use axum::body::Body;
use axum::http::Request;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::harness::{TOKEN, component};
use crate::on_both;

on_both!(the_feed_lists_and_filters_changes, portal, {
    portal.store(&[component("booking", "team-a"), component("tracking", "team-a")]).await;
    portal.store(&[component("booking", "team-b")]).await;
    let feed = portal.get("/api/v1/changes?limit=2").await.json(200);
    assert_eq!((feed["total"].as_u64(), feed["items"][0]["operation"].as_str()), (Some(3), Some("update")));
    let cursor = feed["next_cursor"].as_str().unwrap();
    let rest = portal.get(&format!("/api/v1/changes?limit=2&cursor={cursor}")).await.json(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    let one = portal.get("/api/v1/changes?entity=Component:default/tracking").await.json(200);
    assert_eq!(one["total"], 1);
    portal.get("/api/v1/changes?since=never").await.problem(400, "invalid_parameter");
});

on_both!(the_stream_replays_what_was_missed_and_goes_on, portal, {
    let first = portal.store(&[component("booking", "team-a")]).await;
    portal.store(&[component("tracking", "team-a")]).await;
    let request = Request::builder().uri("/api/v1/changes/stream").header("last-event-id", first.to_string());
    let request = request.header("authorization", format!("Bearer {TOKEN}"));
    let router = portal_api::router::outer(&portal.app);
    let response = tower::ServiceExt::oneshot(router, request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let mut text = String::new();
    portal.store(&[component("later", "team-a")]).await;
    while !text.contains("later") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(5), body.next()).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
    }
    assert!(text.contains("tracking") && !text.contains("booking"), "{text}");
});

on_both!(changes_are_narrowed_by_what_they_are_about, portal, {
    portal.store(&[component("booking", "team-a")]).await;
    portal
        .post("/api/v1/sources", &json!({"type": "path", "target": portal.folder.display().to_string()}))
        .await
        .json(201);
    let list = portal.get("/api/v1/changes?about=entity&compact=true").await.json(200);
    assert_eq!(list["total"], 1);
    let change = &list["items"][0];
    assert_eq!((&change["subject"], &change["after"]), (&json!("entity:component:default/booking"), &Value::Null));
    assert!(portal.get("/api/v1/changes?about=source").await.json(200)["total"].as_u64().unwrap() >= 1);
    portal.get("/api/v1/changes?about=everything").await.problem(400, "invalid_parameter");
});
