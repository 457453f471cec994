//! Entities over HTTP: lists, single ones, writes.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::harness::{component, group};
use crate::on_both;

fn api(name: &str) -> Value {
    json!({"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": {"name": name, "title": "The API"},
        "spec": {"type": "openapi", "lifecycle": "production", "owner": "team-a", "definition": "openapi: 3.1.0\n".repeat(200)}})
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| item["entity"]["metadata"]["name"].as_str().unwrap()).collect()
}

on_both!(a_list_can_be_in_the_order_of_the_last_change, portal, {
    for name in ["a", "b", "c"] {
        portal.store(&[component(name, "team-a")]).await;
    }
    let mut changed = component("a", "team-a");
    changed["metadata"]["title"] = json!("Changed");
    portal.store(&[changed]).await;
    for (sort, wanted) in [("-changed_at", ["a", "c", "b"]), ("changed_at", ["b", "c", "a"])] {
        let mut names = Vec::new();
        let mut path = format!("/api/v1/entities?filter=kind=component&sort={sort}&limit=1");
        loop {
            let page = portal.get(&path).await.json(200);
            names.push(page["items"][0]["entity"]["metadata"]["name"].as_str().unwrap().to_owned());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/entities?filter=kind=component&sort={sort}&limit=1&cursor={cursor}");
        }
        assert_eq!(names, wanted, "{sort}");
    }
    portal.restart().await;
    let list = portal.get("/api/v1/entities?filter=kind=component&sort=-changed_at").await.json(200);
    assert_eq!(list["items"][0]["entity"]["metadata"]["name"], "a", "the rows know it, too");
});

on_both!(a_stored_entity_is_in_the_list_with_facets_and_total, portal, {
    portal.store(&[component("booking", "team-a"), component("tracking", "team-b"), api("rates")]).await;
    let list = portal
        .get("/api/v1/entities?filter=kind=component&facet=kind&facet=relations.ownedBy&sort=-metadata.name")
        .await
        .json(200);
    assert_eq!(names(&list), ["tracking", "booking"]);
    assert_eq!(list["total"], 2);
    assert_eq!(list["facets"]["kind"], json!([{"value": "API", "count": 1}, {"value": "Component", "count": 2}]));
    assert_eq!(list["items"][0]["owner"]["entity_ref"], "group:default/team-b");
    assert_eq!(list["items"][0]["owner"]["exists"], false);
});

on_both!(cursors_walk_a_list_both_ways, portal, {
    let many: Vec<Value> = (0..25).map(|number| component(&format!("c{number:02}"), "team-a")).collect();
    portal.store(&many).await;
    let mut path = "/api/v1/entities?sort=metadata.name&limit=10".to_owned();
    let mut seen = Vec::new();
    let mut offsets = Vec::new();
    let last = loop {
        let list = portal.get(&path).await.json(200);
        seen.extend(names(&list).into_iter().map(str::to_owned));
        offsets.push(list["offset"].as_u64().unwrap());
        match list["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/entities?sort=metadata.name&limit=10&cursor={cursor}"),
            None => break list,
        }
    };
    assert_eq!(seen, (0..25).map(|number| format!("c{number:02}")).collect::<Vec<_>>());
    assert_eq!(offsets, [0, 10, 20]);
    let cursor = last["previous_cursor"].as_str().unwrap();
    let back = portal.get(&format!("/api/v1/entities?sort=metadata.name&limit=10&cursor={cursor}")).await.json(200);
    assert_eq!(names(&back)[0], "c10");
    assert_eq!(back["offset"], 10);
});

on_both!(an_entity_survives_whole_and_its_definition_comes_back, portal, {
    let mut entity = api("rates");
    entity["metadata"]["x-team"] = json!({"room": 4});
    portal.store(std::slice::from_ref(&entity)).await;
    let detail = portal.get("/api/v1/entities/API/default/Rates").await.json(200);
    assert_eq!(detail["entity"]["spec"], entity["spec"]);
    assert_eq!(detail["entity"]["metadata"]["x-team"], json!({"room": 4}));
    assert_eq!(detail["entity"]["metadata"]["uid"], detail["uid"]);
    assert_eq!(detail["relations"][0]["relation"], "ownedBy");
    assert_eq!(detail["provenance"]["source"], "the API");
});

on_both!(an_unchanged_write_writes_nothing, portal, {
    let first = portal.store(&[component("booking", "team-a")]).await;
    let again = portal.store(&[component("booking", "team-a")]).await;
    assert_eq!((first > 0, again), (true, 0));
    let changed = portal.store(&[component("booking", "team-b")]).await;
    assert!(changed > first);
    let history = portal.get("/api/v1/entities/component/default/booking/history").await.json(200);
    assert_eq!(history["total"], 2);
    assert_eq!(history["items"][0]["diff"], json!([{"pointer": "/spec/owner", "before": "team-a", "after": "team-b"}]));
});

on_both!(the_past_can_be_read, portal, {
    portal.store(&[component("booking", "team-a"), group("team-a", None)]).await;
    let then = portal.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    portal.clock.advance(chrono::Duration::days(1));
    portal.store(&[component("booking", "team-b"), component("later", "team-b")]).await;
    portal.delete("/api/v1/entities/group/default/team-a").await.is(204);
    let list = portal.get(&format!("/api/v1/entities?as_of={then}")).await.json(200);
    assert_eq!(names(&list), ["booking", "team-a"]);
    assert_eq!(list["items"][0]["entity"]["spec"]["owner"], "team-a");
    let old = portal.get(&format!("/api/v1/entities/component/default/booking?as_of={then}")).await.json(200);
    assert_eq!(
        old["owner"],
        json!({"entity_ref": "group:default/team-a", "title": "team-a", "subtype": "team", "exists": true})
    );
    assert_eq!(old["relations"][0]["target"]["exists"], true, "{old}");
    portal
        .get(&format!("/api/v1/entities/component/default/later?as_of={then}"))
        .await
        .problem(404, "entity_not_found");
    let diff = portal.get(&format!("/api/v1/entities/component/default/booking/diff?from={then}")).await.json(200);
    assert_eq!(diff["changes"][0]["pointer"], "/spec/owner");
    let graph = portal.get(&format!("/api/v1/entities/component/default/booking/graph?as_of={then}")).await.json(200);
    assert!(graph["edges"].to_string().contains("team-a"), "{graph}");
});

on_both!(a_list_can_be_taken_as_a_file, portal, {
    let mut entities: Vec<_> = (0..520).map(|number| component(&format!("c-{number:03}"), "team-a")).collect();
    entities[0]["metadata"]["description"] = json!("=HYPERLINK(\"x\"), said \"they\"");
    entities[1]["metadata"]["tags"] = json!(["go", "grpc"]);
    portal.store(&entities).await;
    let csv = portal.get("/api/v1/entities/export?filter=kind=component&sort=metadata.name").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"catalog.csv\"");
    let text = csv.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!((lines.len(), lines[521]), (522, ""));
    assert!(lines[0].starts_with("reference,kind,namespace,name,title,type,lifecycle,owner,system,tags,description"));
    assert!(lines[1].starts_with("component:default/c-000,Component,default,c-000,"), "{}", lines[1]);
    assert!(lines[1].contains(r#","'=HYPERLINK(""x""), said ""they""","#), "{}", lines[1]);
    assert!(lines[2].contains(",group:default/team-a,,go grpc,"), "{}", lines[2]);
    let lines =
        portal.get("/api/v1/entities/export?format=ndjson&sort=-metadata.name&fields=metadata.name").await.text();
    let items: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((items.len(), &items[0]["entity"]), (520, &json!({"metadata": {"name": "c-519"}})));
    let none = portal.get("/api/v1/entities/export?filter=kind=api").await.text();
    assert_eq!(none.lines().count(), 1);
    for (query, status) in [("format=xml", 400), ("fields=kind", 400), ("filter==", 400), ("limit=5", 400)] {
        portal.get(&format!("/api/v1/entities/export?{query}")).await.problem(status, "invalid_parameter");
    }
});

on_both!(the_impact_names_who_breaks_by_owner, portal, {
    let depends = |name: &str, owner: &str, on: &str| {
        let mut entity = component(name, owner);
        entity["spec"]["dependsOn"] = json!([format!("component:{on}")]);
        entity
    };
    portal
        .store(&[component("base", "team-a"), depends("middle", "team-b", "base"), depends("top", "team-b", "middle")])
        .await;
    let impact = portal.get("/api/v1/entities/component/default/base/impact").await.json(200);
    assert_eq!((&impact["total"], &impact["direct"], &impact["omitted"]), (&json!(2), &json!(1), &json!(0)));
    assert_eq!(impact["owners"][0]["owner"]["entity_ref"], "group:default/team-b");
    assert_eq!(impact["owners"][0]["entities"][1]["entity_ref"], "component:default/top");
    assert_eq!(impact["owners"][0]["entities"][1]["via"]["entity_ref"], "component:default/middle");
    let nearest = portal.get("/api/v1/entities/component/default/base/impact?limit=1").await.json(200);
    assert_eq!((&nearest["total"], &nearest["omitted"]), (&json!(2), &json!(1)));
    portal.get("/api/v1/entities/component/default/absent/impact").await.problem(404, "entity_not_found");
    portal.get("/api/v1/entities/component/default/base/impact?limit=0").await.problem(400, "invalid_parameter");
});

on_both!(bad_lines_of_a_bulk_harm_no_other, portal, {
    let good = component("good", "team-a").to_string();
    let body = format!("{good}\nnot json\n\n{{\"kind\":\"Component\"}}\n{good}\n");
    let request = Request::builder().method("POST").uri("/api/v1/entities/bulk").body(Body::from(body)).unwrap();
    let result = portal.send(request).await.json(207);
    let statuses: Vec<_> = result["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["line"].as_u64().unwrap(), item["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(statuses, [(1, 201), (2, 422), (4, 422), (5, 409)]);
    assert!(result["items"][2]["errors"].as_array().unwrap().len() > 1);
});

on_both!(a_repeated_idempotency_key_has_no_second_effect, portal, {
    let send = |body: Value| {
        let request = Request::builder().method("POST").uri("/api/v1/entities/bulk").header("idempotency-key", "k1");
        portal.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let first = send(component("booking", "team-a")).await.json(207);
    let second = send(component("booking", "team-a")).await.json(207);
    assert_eq!(first, second);
    send(component("booking", "team-b")).await.problem(422, "idempotency_key_reused");
});

on_both!(a_put_needs_the_version_it_was_made_for, portal, {
    let path = "/api/v1/entities/component/default/booking";
    let created = portal.put(path, &component("booking", "team-a")).await;
    created.is(201);
    let etag = created.headers["etag"].to_str().unwrap().to_owned();
    let put = |etag: &str, owner: &str| {
        let request = Request::builder()
            .method("PUT")
            .uri(path)
            .header("if-match", etag)
            .header("content-type", "application/json");
        portal.send(request.body(Body::from(component("booking", owner).to_string())).unwrap())
    };
    put(&etag, "team-b").await.is(200);
    put(&etag, "team-c").await.problem(412, "precondition_failed");
    portal.delete(path).await.is(204);
    portal.get(path).await.problem(404, "entity_not_found");
    portal.get(&format!("{path}/history")).await.json(200);
});

on_both!(bad_requests_are_named, portal, {
    for (path, status, code) in [
        ("/api/v1/entities?filtre=kind=x", 400, "invalid_parameter"),
        ("/api/v1/entities?filter==x", 400, "invalid_parameter"),
        ("/api/v1/entities?cursor=zzz", 400, "invalid_parameter"),
        ("/api/v1/entities?limit=501", 400, "invalid_parameter"),
        ("/api/v1/entities?sort=-", 400, "invalid_parameter"),
        ("/api/v1/entities?as_of=yesterday", 400, "invalid_parameter"),
        ("/api/v1/entities/component/default/nobody", 404, "entity_not_found"),
        ("/api/v1/nothing", 404, "unknown_route"),
    ] {
        portal.get(path).await.problem(status, code);
    }
    portal.post("/api/v1/kinds", &json!({})).await.problem(405, "method_not_allowed");
    portal.put("/api/v1/entities/component/default/x", &json!({"kind": 1})).await.problem(422, "invalid_entity");
    let text = |body: &'static str, kind: &'static str| {
        let request = Request::builder().method("POST").uri("/api/v1/entities/by-refs").header("content-type", kind);
        portal.send(request.body(Body::from(body)).unwrap())
    };
    text("{", "application/json").await.problem(400, "malformed_json");
    text("{}", "application/json").await.problem(422, "invalid_body");
    text("{}", "text/csv").await.problem(415, "unsupported_media_type");
    let deep = "[".repeat(100_000);
    let request = Request::builder()
        .method("PUT")
        .uri("/api/v1/entities/component/default/x")
        .header("content-type", "application/json");
    portal.send(request.body(Body::from(deep)).unwrap()).await.problem(400, "malformed_json");
    let huge = vec![b' '; 2 << 20];
    let request = Request::builder()
        .method("PUT")
        .uri("/api/v1/entities/component/default/x")
        .header("content-type", "application/json");
    portal.send(request.body(Body::from(huge)).unwrap()).await.problem(413, "too_large");
});

on_both!(validation_judges_without_storing, portal, {
    let yaml = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: a b\nspec:\n  type: service\n  lifecicle: production\n  owner: x\n";
    let request = Request::builder().method("POST").uri("/api/v1/entities/validate").body(Body::from(yaml)).unwrap();
    let verdicts = portal.send(request).await.json(200);
    assert_eq!(verdicts[0]["valid"], false);
    let text = verdicts.to_string();
    assert!(text.contains("/metadata/name") && text.contains("lifecycle"), "{text}");
    assert_eq!(portal.get("/api/v1/entities").await.json(200)["total"], 0);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_everything_again() {
    let mut portal = crate::harness::Portal::sqlite().await;
    portal.store(&[component("booking", "team-a"), api("rates")]).await;
    portal.restart().await;
    assert_eq!(portal.get("/api/v1/entities").await.json(200)["total"], 2);
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_on_postgres_sees_a_write_soon() {
    let Some(portal) = crate::harness::Portal::postgres().await else {
        return println!("skipped: PORTAL_TEST_POSTGRES is not set");
    };
    let (replica, _) = portal.replica().await;
    let seq = portal.store(&[component("booking", "team-a")]).await;
    assert!(replica.catalog.wait_for(seq).await);
    assert_eq!(replica.catalog.snapshot().index.len(), 1);
    replica.stop.cancel();
    portal.end().await;
}
