//! Definitions of APIs: read, shown, tried.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{Path, Query, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::harness::Portal;
use crate::on_both;

const API: &str = "/api/v1/entities/api/default/bookings";

fn openapi(server: &str) -> String {
    format!(
        r##"openapi: 3.1.0
info: {{title: Bookings, version: "2", description: "Books **freight**. <script>alert(1)</script>"}}
servers: [{{url: "{server}/v2"}}]
tags: [{{name: Bookings}}]
components:
  securitySchemes:
    key: {{type: apiKey, in: header, name: X-Api-Key}}
  schemas:
    Booking:
      type: object
      required: [id]
      properties:
        id: {{type: string, format: uuid, description: "Its *number*"}}
        state: {{type: string, enum: [draft, booked]}}
        parent: {{$ref: "#/components/schemas/Booking"}}
paths:
  /bookings/{{id}}:
    get:
      operationId: find_booking
      tags: [Bookings]
      summary: One booking
      security: [{{key: []}}]
      parameters:
        - {{name: id, in: path, required: true, schema: {{type: string}}}}
        - {{name: expand, in: query, schema: {{type: string}}}}
      responses:
        "200": {{description: Found, content: {{application/json: {{schema: {{$ref: "#/components/schemas/Booking"}}}}}}}}
  /bookings:
    post:
      operationId: create_booking
      tags: [Bookings]
      requestBody:
        required: true
        content: {{application/json: {{schema: {{$ref: "#/components/schemas/Booking"}}}}}}
      responses: {{"201": {{description: Created}}}}
  /moved:
    get: {{operationId: moved, responses: {{"302": {{description: Elsewhere}}}}}}
  /long:
    get: {{operationId: long, responses: {{"200": {{description: Much}}}}}}
"##
    )
}

async fn declare(portal: &Portal, kind: &str, definition: &str) {
    let entity = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": {"name": "bookings"},
        "spec": {"type": kind, "lifecycle": "production", "owner": "team", "definition": definition},
    });
    portal.store(&[entity]).await;
}

on_both!(a_definition_is_read, portal, {
    declare(&portal, "openapi", &openapi("https://api.example.com")).await;
    let seen = portal.get(&format!("{API}/definition")).await.json(200);
    assert_eq!((&seen["title"], &seen["version"]), (&json!("Bookings"), &json!("2")));
    assert_eq!(seen["servers"][0]["url"], "https://api.example.com/v2");
    let html = seen["description"].as_str().unwrap();
    assert!(html.contains("<strong>freight</strong>") && !html.contains("script"), "{html}");
    let operations: Vec<&str> = seen["sections"][0]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation["name"].as_str().unwrap())
        .collect();
    assert_eq!(operations, ["/bookings/{id}", "/bookings"]);
    assert!(seen["operation"].is_null() && seen["text"].is_null());

    let id = seen["sections"][0]["operations"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("{API}/definition?operation={id}");
    let answer = portal.get(&path).await;
    let etag = answer.headers["etag"].to_str().unwrap().to_owned();
    let seen = answer.json(200)["operation"].take();
    assert_eq!(seen["link"]["verb"], "GET");
    let rows: Vec<Value> = seen["parts"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|part| part["rows"].as_array().cloned().unwrap_or_default())
        .collect();
    let row =
        |name: &str| rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name} in {rows:?}"));
    assert!(row("state")["facts"].to_string().contains("booked"));
    assert_eq!(seen["call"]["servers"], json!(["https://api.example.com/v2"]));
    let secret =
        seen["call"]["parameters"].as_array().unwrap().iter().find(|known| known["name"] == "X-Api-Key").unwrap();
    assert_eq!(secret["secret"], true);
    let again = Request::get(&path).header("if-none-match", &etag).body(Body::empty()).unwrap();
    portal.send(again).await.is(304);

    portal.get(&format!("{API}/definition?operation=nothing")).await.problem(404, "operation_not_found");
    let text = portal.get(&format!("{API}/definition?text=true")).await.json(200);
    assert!(text["text"].as_str().unwrap().starts_with("openapi: 3.1.0"));
    portal.get("/api/v1/entities/api/default/nothing/definition").await.problem(404, "entity_not_found");
});

on_both!(another_format_is_shown_as_it_is, portal, {
    declare(&portal, "wsdl", "<definitions/>").await;
    let seen = portal.get(&format!("{API}/definition")).await.json(200);
    assert_eq!((&seen["text"], &seen["specification"]), (&json!("<definitions/>"), &json!("wsdl")));
});

async fn echo(Path(id): Path<String>, Query(query): Query<HashMap<String, String>>, headers: HeaderMap) -> Json<Value> {
    let key = headers.get("x-api-key").map(|value| value.to_str().unwrap_or_default().to_owned());
    Json(json!({ "id": id, "query": query, "key": key, "cookie": headers.contains_key("cookie") }))
}

async fn create(request: Request) -> (StatusCode, String) {
    let kind = request.headers()["content-type"].to_str().unwrap_or_default().to_owned();
    (StatusCode::CREATED, kind)
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn booking_server() -> Router {
    Router::new()
        .route("/v2/bookings/{id}", get(echo))
        .route("/v2/bookings", post(create))
        .route("/v2/moved", get(|| async { (StatusCode::FOUND, [("location", "http://169.254.169.254/")]) }))
        .route("/v2/long", any(|| async { "x".repeat(400_000) }))
}

on_both!(an_operation_is_tried, portal, {
    let address = serve(booking_server()).await;
    declare(&portal, "openapi", &openapi(&format!("http://{address}"))).await;
    let path = format!("{API}/definition/call");
    let ids = portal.get(&format!("{API}/definition")).await.json(200);
    let id = |name: &str, verb: &str| {
        let sections = ids["sections"].as_array().unwrap();
        let mut operations = sections.iter().flat_map(|section| section["operations"].as_array().unwrap());
        let found = operations.find(|operation| operation["name"] == name && operation["verb"] == verb);
        found.unwrap_or_else(|| panic!("no {verb} {name}"))["id"].as_str().unwrap().to_owned()
    };
    let value = |place: &str, name: &str, value: &str| json!({"place": place, "name": name, "value": value});
    let find = id("/bookings/{id}", "GET");
    let values =
        json!([value("path", "id", "a/../b"), value("query", "expand", "x y"), value("header", "X-Api-Key", "s3cret")]);
    let seen = portal.post(&path, &json!({"operation": find, "parameters": values})).await.json(200);
    assert_eq!((&seen["status"], &seen["method"]), (&json!(200), &json!("GET")));
    let body: Value = serde_json::from_str(seen["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"id": "a/../b", "query": {"expand": "x y"}, "key": "s3cret", "cookie": false}));

    let refused = portal.post(&path, &json!({"operation": find, "parameters": []})).await.problem(422, "invalid_call");
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("`id` is required"), "{refused}");
    let elsewhere =
        json!({"operation": find, "server": "http://127.0.0.1:1", "parameters": [value("path", "id", "1")]});
    portal.post(&path, &elsewhere).await.problem(422, "invalid_call");

    let created = portal.post(&path, &json!({"operation": id("/bookings", "POST"), "body": "{}"})).await.json(200);
    assert_eq!((&created["status"], &created["body"]), (&json!(201), &json!("application/json")));
    // A redirect is an answer; nobody follows it to a private address.
    let moved = portal.post(&path, &json!({"operation": id("/moved", "GET")})).await.json(200);
    assert_eq!(moved["status"], 302);
    let long = portal.post(&path, &json!({"operation": id("/long", "GET")})).await.json(200);
    assert_eq!((&long["truncated"], &long["size"]), (&json!(true), &json!(262_144)));
    portal.post(&path, &json!({"operation": "nothing"})).await.problem(404, "operation_not_found");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_guards_what_is_tried() {
    let portal = Portal::with(|config| config.egress.allow_calls.clear()).await;
    let address = serve(booking_server()).await;
    declare(&portal, "openapi", &openapi(&format!("http://{address}"))).await;
    let seen = portal.get(&format!("{API}/definition")).await.json(200);
    let id = &seen["sections"][0]["operations"][0]["id"];
    let body = json!({"operation": id, "parameters": [{"place": "path", "name": "id", "value": "1"}]});
    let refused = portal.post(&format!("{API}/definition/call"), &body).await.problem(422, "egress_denied");
    assert!(refused["detail"].as_str().unwrap().contains("`egress.allow_calls`"), "{refused}");
    portal.end().await;
}
