//! Policies: what they hide is as if it were not there, and what they refuse says so.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use chrono::TimeDelta;
use futures::StreamExt;
use portal_api::access::command;
use portal_core::access::Role;
use serde_json::{Value, json};

use crate::bearer::{call, get};
use crate::harness::{Answer, Portal, component, group, user};
use crate::on_both;

const PRIVATE: &str = "entity.metadata.labels.visibility == 'private' && !caller.owns";

async fn token(portal: &Portal, name: &str, role: Role) -> String {
    let db = &portal.app.db;
    command::create_token(db, name, Some(role), None, TimeDelta::hours(1), portal.now()).await.unwrap()
}

fn deny_reading(condition: &str) -> Value {
    json!({"effect": "deny", "verbs": ["read_catalog"], "condition": condition})
}

/// `hidden` is `team-a`'s and private, `opened` is `team-b`'s and names it; `owen` is
/// in the one team, `dora` in the other. `absent` has the same length as `hidden`.
async fn organisation(portal: &Portal) -> [String; 2] {
    let mut hidden = component("hidden", "team-a");
    hidden["metadata"]["labels"] = json!({"visibility": "private"});
    hidden["metadata"]["description"] = json!("the zanzibar ledger");
    hidden["metadata"]["tags"] = json!(["zanzibar"]);
    hidden["spec"]["dependsOn"] = json!(["component:plain", "component:opened"]);
    let mut opened = component("opened", "team-b");
    opened["spec"]["dependsOn"] = json!(["component:hidden", "component:absent"]);
    let people = [group("team-a", None), group("team-b", None), user("owen", "team-a"), user("dora", "team-b")];
    portal.store(&people).await;
    let seq = portal.store(&[hidden, opened, component("plain", "team-b")]).await;
    portal.get(&format!("/api/v1/search?q=plain&min_seq={seq}")).await.is(200);
    [token(portal, "owen", Role::Developer).await, token(portal, "dora", Role::Developer).await]
}

/// What an answer says, but for what differs between any two.
fn said(answer: &Answer, name: &str) -> String {
    let mut text = answer.text().replace(name, "NAME");
    if let Ok(mut body) = serde_json::from_slice::<Value>(&answer.bytes) {
        for field in ["request_id", "instance"] {
            if let Some(object) = body.as_object_mut() {
                object.remove(field);
            }
        }
        text = body.to_string().replace(name, "NAME");
    }
    format!("{} {text}", answer.status)
}

on_both!(a_private_entity_is_as_if_it_were_not_there, portal, {
    let [owen, dora] = organisation(&portal).await;
    let before = portal.now();
    portal.clock.advance(TimeDelta::minutes(1));
    let uid = portal.get("/api/v1/entities/component/default/hidden").await.json(200)["uid"].clone();
    portal.put("/api/v1/policies/private", &deny_reading(PRIVATE)).await.is(201);

    // Its owners see it as they always did.
    get(&portal, &owen, "/api/v1/entities/component/default/hidden").await.is(200);
    assert_eq!(get(&portal, &owen, "/api/v1/search?q=zanzibar").await.json(200)["total"], 1);

    // Every operation that names an entity answers as of one that never was.
    let document = portal_api::openapi::document();
    let document: Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let stores = method == "put" && path == "/api/v1/entities/{kind}/{namespace}/{name}";
            if !path.contains("{name}") || !path.contains("{namespace}") || stores {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let example = operation["requestBody"]["content"]["application/json"]["example"].clone();
            let body = Some(example).filter(|example| !example.is_null());
            let answer = async |name: &str| {
                let mut address = path.replace("{kind}", "component").replace("{namespace}", "default");
                address = address.replace("{name}", name).replace("{mark}", "star");
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let example = parameter["example"].as_str().unwrap_or("x");
                    address = address.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), example);
                }
                if path.ends_with("/diff") {
                    address = format!("{address}?from=2026-01-01T00:00:00Z");
                }
                said(&call(&portal, &dora, method.clone(), &address, body.clone()).await, name)
            };
            assert_eq!(answer("hidden").await, answer("absent").await, "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 15, "{asked} operations name an entity");

    // Every operation that lists things says nothing of it.
    for path in document["paths"].as_object().unwrap().keys().filter(|path| !path.contains('{')) {
        if document["paths"][path]["get"].is_null() || path.ends_with("/stream") {
            continue;
        }
        let text = get(&portal, &dora, path).await.text();
        // What `opened` itself says of it is no secret.
        assert!(!text.contains("zanzibar"), "{path}: {text}");
        let text = text.replace("component:hidden", "").replace("component:default/hidden", "");
        assert!(!text.contains("hidden"), "{path}: {text}");
    }
    for path in [
        "/api/v1/entities?filter=metadata.name=hidden",
        "/api/v1/entities?filter=metadata.labels.visibility",
        "/api/v1/entities?q=zanzibar",
        "/api/v1/entities?filter=relations.dependencyOf=component:default/hidden,metadata.name=plain",
        "/api/v1/search?q=zanzibar",
        "/api/v1/search?q=hidden&kind=component&facet=kind",
        "/api/v1/changes?entity=component:default/hidden",
    ] {
        let answer = get(&portal, &dora, path).await.json(200);
        let count = answer["total"].as_u64().unwrap();
        // `opened` names it, and is found by that.
        let expected = u64::from(path.contains("q=hidden"));
        assert!(count <= expected && !answer["items"].to_string().contains("zanzibar"), "{path}: {answer}");
        assert!(get(&portal, &owen, path).await.json(200)["total"].as_u64().unwrap() > 0, "{path}");
    }
    for (path, field) in [
        ("/api/v1/suggestions?q=hid", "items"),
        ("/api/v1/suggestions?q=zanz", "items"),
        ("/api/catalog/entities/by-query?filter=metadata.name=hidden", "items"),
        (
            "/api/catalog/entities/by-query?fullTextFilterTerm=zanzibar&fullTextFilterFields=metadata.description",
            "items",
        ),
        ("/api/search/query?term=zanzibar", "results"),
    ] {
        assert_eq!(get(&portal, &dora, path).await.json(200)[field], json!([]), "{path}");
        assert_ne!(get(&portal, &owen, path).await.json(200)[field], json!([]), "{path}");
    }
    let by_uid = format!("/api/catalog/entities/by-uid/{}", uid.as_str().unwrap());
    get(&portal, &dora, &by_uid).await.is(404);
    call(&portal, &dora, Method::DELETE, &by_uid, None).await.is(204);
    get(&portal, &owen, &by_uid).await.is(200);
    let refs = json!({"entity_refs": ["component:default/hidden", "component:default/plain"]});
    let batch = call(&portal, &dora, Method::POST, "/api/v1/entities/by-refs", Some(refs)).await.json(200);
    assert!(batch["items"][0].is_null() && batch["items"][1].is_object());

    // Nor do counts and relations of what is seen.
    let totals = async |token: &str| get(&portal, token, "/api/v1/entities?limit=0").await.json(200)["total"].clone();
    assert_eq!((totals(&owen).await, totals(&dora).await), (json!(7), json!(6)));
    let facets =
        get(&portal, &dora, "/api/v1/entities?limit=0&facet=relations.dependencyOf&facet=kind").await.json(200);
    assert_eq!(facets["facets"]["relations.dependencyOf"], json!([]), "{facets}");
    for path in ["/api/v1/entities/component/default/plain", "/api/catalog/entities/by-name/component/default/plain"] {
        let seen = get(&portal, &dora, path).await.text();
        assert!(!seen.contains("hidden"), "{path}: {seen}");
        assert!(get(&portal, &owen, path).await.text().contains("hidden"), "{path}");
    }
    let opened = get(&portal, &dora, "/api/v1/entities/component/default/opened").await.json(200);
    let relations = opened["relations"].as_array().unwrap();
    let ends = |relation: &str| -> Vec<(&str, bool)> {
        let of = relations.iter().filter(|item| item["relation"] == relation);
        of.map(|item| (item["target"]["entity_ref"].as_str().unwrap(), item["target"]["exists"].as_bool().unwrap()))
            .collect()
    };
    assert_eq!(ends("dependsOn"), [("component:default/absent", false), ("component:default/hidden", false)]);
    assert_eq!(ends("dependencyOf"), []);
    let graph = get(&portal, &dora, "/api/v1/entities/component/default/plain/graph?depth=3").await.json(200);
    let about = |name: &str| -> Vec<String> {
        let parts = graph["nodes"].as_array().unwrap().iter().chain(graph["edges"].as_array().unwrap());
        parts.map(Value::to_string).filter(|part| part.contains(name)).map(|part| part.replace(name, "NAME")).collect()
    };
    assert_eq!(about("hidden"), about("absent"), "{graph}");

    // Nor the past, now or after it is gone.
    let as_of = |path: &str| format!("{path}as_of={}", before.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    let past = get(&portal, &dora, &as_of("/api/v1/entities?")).await.json(200);
    assert_eq!(past["total"], 6);
    get(&portal, &dora, &as_of("/api/v1/entities/component/default/hidden?")).await.is(404);
    get(&portal, &owen, &as_of("/api/v1/entities/component/default/hidden?")).await.is(200);
    call(&portal, &owen, Method::DELETE, "/api/v1/entities/component/default/hidden", None).await.is(204);
    for token in [&dora, &owen] {
        let gone = get(&portal, token, "/api/v1/entities/component/default/hidden/history").await.status;
        let changes = get(&portal, token, "/api/v1/changes?entity=component:default/hidden").await.json(200);
        let known = token == &owen;
        assert_eq!(gone, if known { 200 } else { 404 });
        assert_eq!(changes["total"], if known { json!(2) } else { json!(0) });
    }
    let past = get(&portal, &dora, &as_of("/api/v1/entities?")).await.json(200);
    assert_eq!(past["total"], 6);

    // Without the policy all is as before.
    portal.delete("/api/v1/policies/private").await.is(204);
    get(&portal, &dora, "/api/v1/entities/component/default/hidden/history").await.is(200);
});

on_both!(the_stream_tells_nobody_of_what_is_hidden_from_them, portal, {
    let [owen, dora] = organisation(&portal).await;
    portal.put("/api/v1/policies/private", &deny_reading(PRIVATE)).await.is(201);
    let follow = async |token: &str, last: &str| {
        let request = Request::builder().uri("/api/v1/changes/stream").header("last-event-id", last);
        let request = request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        let router = portal_api::router::outer(&portal.app);
        tower::ServiceExt::oneshot(router, request).await.unwrap().into_body().into_data_stream()
    };
    let next = async |stream: &mut axum::body::BodyDataStream, until: &str| {
        let mut text = String::new();
        while !text.contains(until) {
            let piece = tokio::time::timeout(std::time::Duration::from_secs(10), stream.next()).await;
            text.push_str(&String::from_utf8_lossy(&piece.expect(until).unwrap().unwrap()));
        }
        text
    };
    let mut hers = follow(&dora, "0").await;
    let mut his = follow(&owen, "0").await;
    assert!(!next(&mut hers, "component:default/plain").await.contains("default/hidden"));
    assert!(next(&mut his, "component:default/plain").await.contains("default/hidden"));
    let mut hidden = component("hidden", "team-a");
    hidden["metadata"]["labels"] = json!({"visibility": "private"});
    call(&portal, &owen, Method::PUT, "/api/v1/entities/component/default/hidden", Some(hidden)).await.is(200);
    let mut plain = component("plain", "team-b");
    plain["metadata"]["title"] = json!("Plain");
    portal.store(&[plain]).await;
    assert!(!next(&mut hers, "component:default/plain").await.contains("default/hidden"));
    assert!(next(&mut his, "component:default/plain").await.contains("default/hidden"));
    // With other rules it is another catalog: pages are loaded anew.
    portal.delete("/api/v1/policies/private").await.is(204);
    next(&mut hers, "event: reset").await;
});

on_both!(errors_of_a_source_are_hidden_with_the_entity, portal, {
    let [owen, dora] = organisation(&portal).await;
    let folder = portal.folder.join("files");
    std::fs::create_dir_all(&folder).unwrap();
    let good = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: secret-file\n  labels:\n    visibility: private\nspec:\n  type: service\n  lifecycle: production\n  owner: team-a\n";
    std::fs::write(folder.join("secret.yaml"), good).unwrap();
    let source = crate::sources::add(&portal, &crate::sources::path_source(&folder)).await;
    portal.put("/api/v1/policies/private", &deny_reading(PRIVATE)).await.is(201);
    // One that was never good is judged by what can be read of it.
    let never = |labels: &str| {
        good.replace("secret-file", "never")
            .replace("  lifecycle: production\n", "")
            .replace("visibility: private", labels)
    };
    let faulty = [
        good.replace("lifecycle: production", "lifecycle: 7"),
        format!("{good}  - broken: ["),
        never("visibility: private"),
    ];
    for broken in faulty {
        std::fs::write(folder.join("secret.yaml"), broken).unwrap();
        crate::sources::refresh(&portal, source).await;
        for errors in [format!("/api/v1/sources/{source}/errors"), "/api/v1/source-errors?q=secret".to_owned()] {
            let seen = get(&portal, &dora, &errors).await.json(200);
            assert_eq!((&seen["items"], &seen["total"]), (&json!([]), &json!(0)), "{seen}");
            let seen = get(&portal, &owen, &errors).await.json(200);
            assert!(seen["total"].as_u64().unwrap() > 0, "{errors} {seen}");
        }
    }
});

on_both!(policies_allow_and_refuse_writes_and_say_so, portal, {
    let [owen, dora] = organisation(&portal).await;
    let write = |lifecycle: &str, team: &str| {
        let mut body = component("plain", team);
        body["spec"]["lifecycle"] = json!(lifecycle);
        Some(body)
    };
    let path = "/api/v1/entities/component/default/plain";
    call(&portal, &owen, Method::PUT, path, write("production", "team-b")).await.problem(403, "forbidden");
    let allow =
        json!({"effect": "allow", "verbs": ["write_catalog"], "condition": "entity.spec.lifecycle == 'experimental'"});
    portal.put("/api/v1/policies/sandbox", &allow).await.is(201);
    // What it is now and what it is to be must both be theirs to write.
    call(&portal, &owen, Method::PUT, path, write("experimental", "team-b")).await.is(403);
    call(&portal, &dora, Method::PUT, path, write("experimental", "team-b")).await.is(200);
    let mut titled = write("experimental", "team-b").unwrap();
    titled["metadata"]["title"] = json!("By Owen");
    call(&portal, &owen, Method::PUT, path, Some(titled)).await.is(200);

    // Beyond the index, with a message; administrators are bound as well.
    let freeze = json!({"effect": "deny", "verbs": ["write_catalog"], "message": "frozen until Monday",
        "condition": "relations.ownedBy.exists(owner, owner.endsWith('/team-b')) && size(entity.metadata.name) == 5"});
    portal.put("/api/v1/policies/freeze", &freeze).await.is(201);
    let refused = portal.put(path, &write("production", "team-b").unwrap()).await.problem(403, "forbidden");
    assert_eq!(refused["detail"], "the policy `freeze` says: frozen until Monday");
    portal.delete(path).await.problem(403, "forbidden");
    let bulk = Request::builder().method("POST").uri("/api/v1/entities/bulk");
    let line = write("production", "team-b").unwrap().to_string();
    let result = portal.send(bulk.body(Body::from(line)).unwrap()).await.json(207);
    assert_eq!(result["items"][0]["status"], 403);
    let log = portal.get("/api/v1/audit?action=refusal").await.json(200);
    assert!(log.to_string().contains("freeze"), "{log}");

    // Switched off it says nothing.
    let mut off = freeze.clone();
    off["enabled"] = json!(false);
    portal.put("/api/v1/policies/freeze", &off).await.is(200);
    portal.put(path, &write("production", "team-b").unwrap()).await.is(200);
});

on_both!(access_is_explained, portal, {
    let [owen, dora] = organisation(&portal).await;
    let explain = "/api/v1/access/explain?verb=write_catalog&entity=component:default/plain";
    let own = get(&portal, &dora, explain).await.json(200);
    assert_eq!((own["allowed"].as_bool(), own["account"].as_str()), (Some(true), Some("dora")));
    let other = get(&portal, &owen, explain).await.json(200);
    assert_eq!(other["allowed"], false);
    assert_eq!(other["roles"], json!(["maintainer", "admin"]));
    assert_eq!(other["owners"][0]["entity_ref"], "group:default/team-b");
    assert_eq!(other["accounts"], json!([]));
    assert!(other["reason"].as_str().unwrap().contains("group:default/team-b"), "{other}");
    portal.put("/api/v1/policies/private", &deny_reading(PRIVATE)).await.is(201);
    // An administrator asks for others, and about what is hidden from them.
    let hidden = "/api/v1/access/explain?verb=read_catalog&entity=component:default/hidden";
    get(&portal, &dora, hidden).await.problem(404, "entity_not_found");
    portal.get(hidden).await.problem(404, "entity_not_found");
    let theirs = format!("{PRIVATE} && caller.role != 'admin'");
    portal.put("/api/v1/policies/private", &deny_reading(&theirs)).await.is(200);
    let asked = portal.get(&format!("{hidden}&account=dora")).await.json(200);
    assert_eq!(asked["reason"], "the policy `private` says: you may not read the catalog");
    assert_eq!(asked["rules"][0], json!({"rule": "policy private", "effect": "deny", "words": "its condition holds"}));
    assert_eq!(asked["accounts"], json!(["owen", "tester"]));
    get(&portal, &dora, &format!("{explain}&account=owen")).await.problem(403, "forbidden");
    portal.get(&format!("{explain}&account=nobody-at-all")).await.problem(404, "account_not_found");
    get(&portal, &dora, "/api/v1/access/explain").await.is(400);
    get(&portal, &dora, "/api/v1/access/explain?verb=fly").await.is(400);
});

on_both!(what_is_no_policy_is_refused_at_its_place, portal, {
    let put = async |name: &str, body: Value| portal.put(&format!("/api/v1/policies/{name}"), &body).await;
    for (body, pointer, words) in [
        (deny_reading("size(entity.metadata.name) > 3"), "/condition", "line 1, column 28"),
        (deny_reading("entity.kind = 'API'"), "/condition", "column 13"),
        (deny_reading(&format!("{}true", "(".repeat(3000))), "/condition", "at most 2000"),
        (deny_reading(&format!("{}true", "(".repeat(1500))), "/condition", "column"),
        (json!({"effect": "deny", "verbs": [], "condition": "true"}), "/verbs", "at least one"),
        (json!({"effect": "deny", "verbs": ["read_audit"], "condition": "true"}), "/verbs", "read_audit"),
        (json!({"effect": "allow", "verbs": ["read_catalog"], "condition": "true"}), "/verbs", "already"),
    ] {
        let problem = put("a", body.clone()).await.problem(422, "invalid_field");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        assert!(problem["errors"][0]["message"].as_str().unwrap().contains(words), "{problem}");
    }
    for body in [
        json!({"effect": "maybe"}),
        json!([]),
        json!({"effect": "deny", "verbs": ["read_catalog"], "condition": "true", "x": 1}),
    ] {
        put("a", body).await.is(422);
    }
    put("a%20policy", deny_reading("false")).await.problem(422, "invalid_field");
    put("A-policy", deny_reading("false")).await.problem(422, "invalid_field");
    let stored = put("a", deny_reading("false")).await;
    stored.is(201);
    let with = async |method: Method, etag: &str| {
        let request = Request::builder().method(method).uri("/api/v1/policies/a").header("if-match", etag);
        let body = Body::from(deny_reading("false || false").to_string());
        portal.send(request.header("content-type", "application/json").body(body).unwrap()).await
    };
    with(Method::PUT, "\"other\"").await.is(412);
    with(Method::DELETE, "\"other\"").await.is(412);
    let etag = stored.headers["etag"].to_str().unwrap().to_owned();
    with(Method::PUT, &etag).await.is(200);
    with(Method::PUT, &etag).await.is(412);
    let list = portal.get("/api/v1/policies").await.json(200);
    assert_eq!((&list["total"], &list["items"][0]["condition"]), (&json!(1), &json!("false || false")));
    portal.delete("/api/v1/policies/b").await.problem(404, "policy_not_found");
    let log = portal.get("/api/v1/audit?action=policy.put").await.json(200);
    assert_eq!(log["total"], 2, "{log}");
});

on_both!(a_preview_says_whom_a_policy_affects, portal, {
    organisation(&portal).await;
    let preview = portal.post("/api/v1/policies/preview", &deny_reading(PRIVATE)).await.json(200);
    assert_eq!((&preview["total"], &preview["answered"]), (&json!(7), &json!(true)));
    let reach: BTreeSet<(String, u64)> = preview["callers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|caller| (caller["name"].as_str().unwrap().to_owned(), caller["entities"].as_u64().unwrap()))
        .collect();
    let expected = [("dora", 1), ("owen", 0), ("tester", 1)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(reach, expected.into());
    assert_eq!(preview["callers"][0]["examples"][0]["entity_ref"], "component:default/hidden");
    // It changed nothing.
    assert_eq!(portal.get("/api/v1/policies").await.json(200)["total"], 0);
    let one = json!({"effect": "deny", "verbs": ["write_catalog"], "condition": "size(entity.metadata.name) > 3"});
    let preview = portal.post("/api/v1/policies/preview", &one).await.json(200);
    assert_eq!((&preview["answered"], &preview["callers"]), (&json!(false), &json!([])));
    portal.post("/api/v1/policies/preview", &deny_reading("x")).await.problem(422, "invalid_field");
});

on_both!(a_policy_holds_on_every_replica_and_after_a_restart, portal, {
    let [_, dora] = organisation(&portal).await;
    let hidden = async |router: &axum::Router| {
        let request = Request::builder().uri("/api/v1/entities/component/default/hidden");
        let request = request.header("authorization", format!("Bearer {dora}")).body(Body::empty()).unwrap();
        crate::harness::send(router, request).await.status == 404
    };
    let (other, router) = portal.replica().await;
    assert!(!hidden(&router).await);
    portal.put("/api/v1/policies/private", &deny_reading(PRIVATE)).await.is(201);
    assert!(other.catalog.wait_for(portal.app.catalog.snapshot().seq).await);
    assert!(hidden(&router).await);
    other.stop.cancel();
    // As one that starts later.
    let (later, router) = portal.replica().await;
    assert!(hidden(&router).await);
    later.stop.cancel();
});
