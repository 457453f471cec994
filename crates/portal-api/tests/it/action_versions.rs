//! Actions that are kept in the portal: drafts, versions, and runs that try a text out.

use axum::http::Request;
use portal_core::access::Role;
use serde_json::{Value, json};

use crate::actions::{action, call, person, reaches, with_actions};
use crate::harness::{Portal, component, group, user};
use crate::on_both;
use crate::runs::{ended, log};

const VERSIONS: &str = "/api/v1/actions/default/hello/versions";
const DRAFT: &str = "/api/v1/actions/default/hello/draft";

fn hello(word: &str) -> String {
    format!(
        "# What is kept is what was written.\napiVersion: portal.dev/v1alpha1\nkind: Action\nmetadata: {{ name: hello }}\n\
         spec:\n  owner: team-a\n  steps:\n    - {{ id: say, action: debug:log, input: {{ message: {word} }} }}\n"
    )
}

async fn people(portal: &Portal) -> (String, String, String) {
    portal.store(&[group("team-a", None), group("team-b", None), user("ann", "team-a"), user("bob", "team-b")]).await;
    (
        person(portal, "ann", Role::Developer).await,
        person(portal, "bob", Role::Developer).await,
        person(portal, "max", Role::Maintainer).await,
    )
}

on_both!(a_draft_becomes_versions_that_can_come_back, portal, {
    let (ann, bob, _) = people(&portal).await;
    let stored = call(&portal, &ann, "PUT", DRAFT, &json!({"text": hello("one")})).await.json(200);
    assert_eq!((&stored["number"], &stored["state"], &stored["author"]), (&json!(1), &json!("draft"), &json!("ann")));
    assert_eq!(stored["text"], hello("one"));
    // Nobody else learns of it, and nobody runs it.
    assert_eq!(call(&portal, &bob, "GET", VERSIONS, &Value::Null).await.json(404)["code"], "action_not_found");
    assert_eq!(call(&portal, &bob, "GET", "/api/v1/action-drafts", &Value::Null).await.json(200)["total"], 0);
    assert_eq!(call(&portal, &ann, "GET", "/api/v1/action-drafts", &Value::Null).await.json(200)["total"], 1);
    call(&portal, &ann, "POST", "/api/v1/runs", &json!({"action": "hello"})).await.is(404);
    call(&portal, &bob, "PUT", DRAFT, &json!({"text": hello("mine")})).await.is(403);

    let published = call(&portal, &ann, "POST", &format!("{VERSIONS}/1/publish"), &json!({})).await.json(200);
    assert_eq!((&published["current"], &published["trusted"]), (&json!(true), &json!(false)));
    let run = call(&portal, &bob, "POST", "/api/v1/runs", &json!({"action": "hello"})).await.json(202);
    assert_eq!((&run["version"], &run["test"]), (&json!("v1"), &json!(false)));
    let first = run["id"].as_i64().unwrap();
    ended(&portal, first).await;

    // A second one; what ran keeps its own.
    call(&portal, &ann, "PUT", DRAFT, &json!({"text": hello("two")})).await.json(200);
    call(&portal, &ann, "PUT", DRAFT, &json!({"text": hello("three")})).await.json(200);
    call(&portal, &ann, "POST", &format!("{VERSIONS}/2/publish"), &json!({})).await.json(200);
    let run = call(&portal, &bob, "POST", "/api/v1/runs", &json!({"action": "hello"})).await.json(202);
    let second = run["id"].as_i64().unwrap();
    ended(&portal, second).await;
    assert!(log(&portal, first).await.contains("one"));
    assert!(log(&portal, second).await.contains("three"));

    // A draft is not forgotten over an earlier version.
    call(&portal, &ann, "PUT", DRAFT, &json!({"text": hello("four")})).await.json(200);
    let refused = call(&portal, &ann, "POST", &format!("{VERSIONS}/1/publish"), &json!({})).await.json(409);
    assert_eq!(refused["code"], "draft_in_the_way");
    call(&portal, &ann, "DELETE", DRAFT, &Value::Null).await.is(204);
    call(&portal, &ann, "DELETE", DRAFT, &Value::Null).await.is(404);
    let again = call(&portal, &ann, "POST", &format!("{VERSIONS}/1/publish"), &json!({})).await.json(200);
    assert_eq!(again["number"], 3);
    let list = call(&portal, &ann, "GET", VERSIONS, &Value::Null).await.json(200);
    let told: Vec<(&Value, &Value)> =
        list["items"].as_array().unwrap().iter().map(|one| (&one["number"], &one["current"])).collect();
    assert_eq!(told, [(&json!(3), &json!(true)), (&json!(2), &json!(false)), (&json!(1), &json!(false))]);
    let page = call(&portal, &ann, "GET", &format!("{VERSIONS}?limit=2"), &Value::Null).await.json(200);
    let next = page["next_cursor"].as_str().unwrap();
    let page = call(&portal, &ann, "GET", &format!("{VERSIONS}?limit=2&cursor={next}"), &Value::Null).await.json(200);
    assert_eq!((&page["items"][0]["number"], &page["total"]), (&json!(1), &json!(3)));
});

#[cfg(feature = "ui")]
on_both!(a_link_to_the_editor_changes_nothing, portal, {
    let (ann, ..) = people(&portal).await;
    let text: String = url::form_urlencoded::byte_serialize(hello("one").as_bytes()).collect();
    let sent = format!("text={text}&do=draft");
    let editor = "/fragments/actions/editor";
    let of_forms = "application/x-www-form-urlencoded";
    let ask = async |method: &str, path: String, body: String| {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {ann}"));
        portal.send_as_it_is(request.header("content-type", of_forms).body(body.into()).unwrap()).await
    };
    for path in [format!("{editor}?{sent}"), format!("/actions/editor?{sent}")] {
        ask("GET", path, String::new()).await.is(200);
        assert_eq!(call(&portal, &ann, "GET", "/api/v1/action-drafts", &Value::Null).await.json(200)["total"], 0);
    }
    ask("POST", editor.to_owned(), sent).await.is(200);
    assert_eq!(call(&portal, &ann, "GET", "/api/v1/action-drafts", &Value::Null).await.json(200)["total"], 1);
});

on_both!(what_is_no_action_is_not_kept, portal, {
    let (ann, _, max) = people(&portal).await;
    let twice = format!("{}---\n{}", hello("a"), hello("b"));
    for (text, wanted) in [
        (String::new(), "nothing in it"),
        ("kind: [".to_owned(), "not YAML"),
        ("kind: Component".to_owned(), "kind `Action`"),
        (twice, "more than one document"),
        (hello("a").replace("name: hello", "name: other"), "the path names `action:default/hello`"),
        ("kind: Action".to_owned(), "metadata.name"),
        (format!("# {}\n{}", "x".repeat(300 << 10), hello("a")), "at most 262144"),
    ] {
        let answer = call(&portal, &ann, "PUT", DRAFT, &json!({ "text": text })).await.json(422);
        assert_eq!(answer["errors"][0]["pointer"], "/text");
        assert!(answer.to_string().contains(wanted), "{wanted}: {answer}");
    }
    // A draft may have faults; it is not published with them.
    let broken = hello("a").replace("  owner", "  scop: {}\n  confirmation: ${{ oh\n  owner");
    call(&portal, &ann, "PUT", DRAFT, &json!({ "text": broken })).await.json(200);
    let refused = call(&portal, &ann, "POST", &format!("{VERSIONS}/1/publish"), &json!({})).await.json(422);
    let told: Vec<&str> =
        refused["errors"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    assert!(told.len() == 2 && told[0].starts_with("line 6: ") && told[1].starts_with("line 7: "), "{refused}");
    call(&portal, &ann, "POST", &format!("{VERSIONS}/7/publish"), &json!({})).await.is(404);
    call(&portal, &ann, "GET", &format!("{VERSIONS}/x"), &Value::Null).await.is(404);

    // Two who write at the same time.
    let seen = call(&portal, &ann, "GET", &format!("{VERSIONS}/1"), &Value::Null).await;
    let etag = seen.headers["etag"].clone();
    call(&portal, &max, "PUT", DRAFT, &json!({"text": hello("b")})).await.json(200);
    let request = Request::builder().method("PUT").uri(DRAFT).header("authorization", format!("Bearer {ann}"));
    let request = request.header("content-type", "application/json").header("if-match", etag);
    let stale = portal.send_as_it_is(request.body(json!({"text": hello("c")}).to_string().into()).unwrap()).await;
    stale.is(412);

    // What a source declares is changed there.
    with_actions(&portal, &[action("filed", json!({"owner": "team-a", "steps": [{"action": "debug:log"}]}))]).await;
    let text = hello("a").replace("name: hello", "name: filed");
    let path = "/api/v1/actions/default/filed/draft";
    let answer = call(&portal, &ann, "PUT", path, &json!({ "text": text })).await.json(409);
    assert_eq!(answer["code"], "declared_elsewhere");
});

on_both!(a_text_is_tried_out_by_those_who_may_change_it, portal, {
    let (ann, bob, max) = people(&portal).await;
    portal.store(&[component("pay", "team-a")]).await;
    let text = hello("entity").replace("  steps", "  scope: { kinds: [Component] }\n  steps");
    let body = json!({ "text": text, "entity": "component:default/pay" });
    let run = call(&portal, &ann, "POST", "/api/v1/runs", &body).await.json(202);
    assert_eq!(run["test"], true);
    ended(&portal, run["id"].as_i64().unwrap()).await;
    call(&portal, &bob, "POST", "/api/v1/runs", &body).await.is(403);
    let both = json!({ "text": text, "action": "hello" });
    assert_eq!(call(&portal, &ann, "POST", "/api/v1/runs", &both).await.json(422)["errors"][0]["pointer"], "/text");
    call(&portal, &ann, "POST", "/api/v1/runs", &json!({ "text": text })).await.is(422);

    // It counts for nothing.
    call(&portal, &ann, "PUT", DRAFT, &json!({ "text": text })).await.json(200);
    call(&portal, &ann, "POST", &format!("{VERSIONS}/1/publish"), &json!({})).await.json(200);
    assert_eq!(portal.get("/api/v1/actions/default/hello").await.json(200)["usage"]["runs"], 0);

    // Connectors are for what a maintainer has looked at.
    let calls = hello("x").replace("debug:log, input: { message: x }", "webhook, input: { connector: none }");
    let run = call(&portal, &ann, "POST", "/api/v1/runs", &json!({ "text": calls })).await.json(202);
    let run = reaches(&portal, run["id"].as_i64().unwrap(), "failed").await;
    assert_eq!(run["error"]["code"], "not_allowed", "{run}");
    let run = call(&portal, &max, "POST", "/api/v1/runs", &json!({ "text": calls })).await.json(202);
    let run = reaches(&portal, run["id"].as_i64().unwrap(), "failed").await;
    assert!(run["error"]["message"].as_str().unwrap().contains("there is no connector"), "{run}");
    // The same of what is published; another text takes the trust away.
    let trusted = async |wanted: bool| {
        let run = call(&portal, &ann, "POST", "/api/v1/runs", &json!({"action": "hello"})).await.json(202);
        let run = reaches(&portal, run["id"].as_i64().unwrap(), "failed").await;
        assert_eq!(run["error"]["code"] != "not_allowed", wanted, "{run}");
    };
    call(&portal, &ann, "PUT", DRAFT, &json!({ "text": calls })).await.json(200);
    call(&portal, &max, "POST", &format!("{VERSIONS}/2/publish"), &json!({})).await.json(200);
    trusted(true).await;
    let mut entity = portal.get("/api/v1/entities/action/default/hello").await.json(200)["entity"].take();
    entity.as_object_mut().unwrap().remove("relations");
    entity["metadata"] = json!({"name": "hello", "title": "Mine"});
    call(&portal, &ann, "PUT", "/api/v1/entities/action/default/hello", &entity).await.json(200);
    trusted(false).await;
});
