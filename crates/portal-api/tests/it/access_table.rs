//! Who may call what: every documented operation by eight callers. A new
//! operation without a row fails, and so does one that answers otherwise.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use portal_api::access::command;
use portal_core::access::Role;
use serde_json::Value;

use crate::harness::{Portal, component, group, user};

/// Nobody, a viewer, a developer of the team that owns `booking-api`, one of
/// another team, a maintainer, an administrator, an auditor, an agent.
const CALLERS: [(&str, Option<Role>); 8] = [
    ("", None),
    ("vera", Some(Role::Viewer)),
    ("owen", Some(Role::Developer)),
    ("dora", Some(Role::Developer)),
    ("mats", Some(Role::Maintainer)),
    ("anna", Some(Role::Admin)),
    ("aron", Some(Role::Auditor)),
    ("agent", Some(Role::Agent)),
];

/// `y` is let in (whatever it is answered then), `.` is refused (403), `-` must
/// sign in (401); in the order of [`CALLERS`].
const TABLE: &str = include_str!("access_table.txt");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_lets_in_whom_the_table_says() {
    let portal = Portal::sqlite().await;
    let people =
        [group("team-booking", None), group("team-b", None), user("owen", "team-booking"), user("dora", "team-b")];
    portal.store(&people).await;
    let mut tokens = Vec::new();
    for (name, role) in CALLERS {
        tokens.push(match role {
            None => None,
            role => Some(
                command::create_token(&portal.app.db, name, role, None, TimeDelta::days(1), portal.now())
                    .await
                    .unwrap(),
            ),
        });
    }
    let document = portal_api::openapi::document();
    let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let mut row = String::new();
            for token in &tokens {
                if path.starts_with("/api/v1/entities/{kind}") && method != "get" {
                    portal.store(&[component("booking-api", "team-booking")]).await;
                }
                let status = portal.status(request(path, method, operation, token.as_deref())).await.as_u16();
                // A wrong password is refused whoever sends it; that nobody is kept
                // from trying is what counts here.
                let public = path == "/api/v1/session";
                row.push(match status {
                    401 if !public => '-',
                    403 => '.',
                    500.. => panic!("{method} {path} answers {status}"),
                    _ => 'y',
                });
            }
            found.insert(format!("{} {path}", method.to_uppercase()), row);
        }
    }
    let actual = found.iter().fold(String::new(), |mut text, (operation, row)| {
        let _ = writeln!(text, "{row} {operation}");
        text
    });
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, actual_lines) = (lines(TABLE), lines(&actual));
    let missing: Vec<_> = expected.iter().filter(|line| !actual_lines.contains(line)).collect();
    let surprising: Vec<_> = actual_lines.iter().filter(|line| !expected.contains(line)).collect();
    assert!(
        missing.is_empty() && surprising.is_empty(),
        "the table says {missing:#?}\nbut the portal does {surprising:#?}"
    );
    portal.end().await;
}

/// A request with the examples of the document.
fn request(path: &str, method: &str, operation: &Value, token: Option<&str>) -> Request<Body> {
    let mut address = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten().filter(|item| item["in"] == "path") {
        let example = match &parameter["example"] {
            Value::String(text) => text.clone(),
            Value::Null => "x".to_owned(),
            other => other.to_string(),
        };
        address = address.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), &example);
    }
    let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(address);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let (kind, example) = operation["requestBody"]["content"]
        .as_object()
        .and_then(|content| content.iter().next())
        .map_or(("application/json", Value::Null), |(kind, content)| (kind.as_str(), content["example"].clone()));
    let body = match example {
        Value::Null => Body::empty(),
        Value::String(text) => Body::from(text),
        other => Body::from(other.to_string()),
    };
    request.header("content-type", kind).body(body).unwrap()
}
