//! Marks and saved views over HTTP.

use axum::http::Method;
use serde_json::json;

use crate::harness::{Portal, component};
use crate::on_both;

async fn mark(portal: &Portal, method: Method, path: &str) -> crate::harness::Answer {
    portal.clock.advance(chrono::Duration::milliseconds(1));
    portal.call(method, &format!("/api/v1/marks/{path}"), None).await
}

on_both!(marks_are_set_listed_and_cleared, portal, {
    portal.store(&[component("one", "team-a"), component("two", "team-a")]).await;
    mark(&portal, Method::PUT, "star/component/default/one").await.is(204);
    mark(&portal, Method::PUT, "star/component/default/one").await.is(204);
    mark(&portal, Method::PUT, "follow/Component/default/two").await.is(204);
    let list = portal.get("/api/v1/marks").await.json(200);
    let shown: Vec<(&str, &str)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["mark"].as_str().unwrap(), item["entity_ref"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [("follow", "component:default/two"), ("star", "component:default/one")]);
    let one = portal.get("/api/v1/entities/component/default/one").await.json(200);
    assert_eq!(one["marks"], json!(["star"]));

    // What one follows has a feed of its own.
    let all = portal.get("/api/v1/changes?about=entity").await.json(200);
    let followed = portal.get("/api/v1/changes?about=entity&followed=true").await.json(200);
    assert_eq!((all["total"].as_u64(), followed["total"].as_u64()), (Some(2), Some(1)));
    assert_eq!(followed["items"][0]["subject"], "entity:component:default/two");

    // A mark outlives its entity, and says so.
    portal.delete("/api/v1/entities/component/default/one").await.is(204);
    let list = portal.get("/api/v1/marks").await.json(200);
    assert_eq!(list["items"][1]["exists"], false);
    mark(&portal, Method::DELETE, "star/component/default/one").await.is(204);
    mark(&portal, Method::DELETE, "star/component/default/one").await.is(204);
    assert_eq!(portal.get("/api/v1/marks").await.json(200)["total"], 1);
    mark(&portal, Method::PUT, "star/component/default/one").await.problem(404, "entity_not_found");
    mark(&portal, Method::PUT, "like/component/default/two").await.problem(404, "mark_not_found");
});

on_both!(views_are_saved_under_a_name, portal, {
    let view = json!({"name": " Our APIs ", "query": "kind=api&lifecycle=production", "shared": true});
    let saved = portal.post("/api/v1/views", &view).await.json(201);
    assert_eq!((saved["name"].as_str(), saved["own"].as_bool()), (Some("Our APIs"), Some(true)));
    portal.post("/api/v1/views", &view).await.problem(409, "view_exists");
    portal.post("/api/v1/views", &json!({"name": "", "query": ""})).await.problem(422, "invalid_field");
    portal.post("/api/v1/views", &json!({"name": "x", "query": "a#b"})).await.problem(422, "invalid_field");
    portal.post("/api/v1/views", &json!({"name": "x"})).await.problem(422, "invalid_body");
    let list = portal.get("/api/v1/views").await.json(200);
    assert_eq!(
        (list["total"].as_u64(), list["items"][0]["query"].as_str()),
        (Some(1), Some("kind=api&lifecycle=production"))
    );
    let path = format!("/api/v1/views/{}", saved["id"]);
    portal.delete(&path).await.is(204);
    portal.delete(&path).await.problem(404, "view_not_found");
    portal.delete("/api/v1/views/x").await.problem(404, "view_not_found");
});
