//! The Backstage-compatible catalog API: routes, codes and bodies.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, Portal};
use crate::on_both;

fn component(name: &str, spec_type: &str, tags: &[&str]) -> Value {
    json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "tags": tags, "annotations": {"example.com/dotted.key": name}},
        "spec": {"type": spec_type, "lifecycle": "production", "owner": "team-a"},
    })
}

/// Three components and the team that owns them.
async fn fill(portal: &Portal) {
    let group = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": {"name": "team-a", "title": "Team A"},
        "spec": {"type": "team", "children": []},
    });
    let mut third = component("Cargo", "website", &[]);
    third["metadata"]["title"] = json!("Cargo site");
    portal
        .store(&[
            group,
            component("alpha", "service", &["java", "edge"]),
            component("beta", "service", &["java"]),
            third,
        ])
        .await;
}

fn names(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

/// Checks Backstage's error body.
#[track_caller]
fn error(answer: &Answer, status: u16, name: &str) -> Value {
    let body = answer.json(status);
    assert_eq!(body["error"]["name"], name, "{body}");
    assert!(!body["error"]["message"].as_str().unwrap_or_default().is_empty(), "{body}");
    assert_eq!(body["response"]["statusCode"], status, "{body}");
    assert!(body["request"]["url"].as_str().unwrap().starts_with("/api/"), "{body}");
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/json"));
    body
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

on_both!(entities_are_listed_paged_and_pruned, portal, {
    fill(&portal).await;
    let all = portal.get("/api/catalog/entities?order=asc:metadata.name").await.json(200);
    assert_eq!(names(&all), ["alpha", "beta", "Cargo", "team-a"]);
    let owned = all[0]["relations"].as_array().unwrap();
    assert!(owned.contains(&json!({"type": "ownedBy", "targetRef": "group:default/team-a"})));

    let page = portal.get("/api/catalog/entities?order=desc:metadata.title&limit=3").await;
    assert_eq!(names(&page.json(200)), ["team-a", "Cargo", "alpha"], "those without a title are last");
    let link = page.headers["link"].to_str().unwrap();
    let path = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let rest = portal.get(&format!("/api/catalog{path}")).await;
    assert_eq!(names(&rest.json(200)), ["beta"]);
    assert!(!rest.headers.contains_key("link"));

    let fields = "fields=kind,metadata.annotations.example.com/dotted.key";
    let pruned = portal.get(&format!("/api/catalog/entities?filter=metadata.name=alpha&{fields}")).await.json(200);
    let annotations = json!({"annotations": {"example.com/dotted.key": "alpha"}});
    assert_eq!(pruned, json!([{"kind": "Component", "metadata": annotations}]));
    assert_eq!(portal.get("/api/catalog/entities?filter=kind=nothing").await.json(200), json!([]));
    error(&portal.get("/api/catalog/entities?order=metadata.name").await, 400, "InputError");
    error(&portal.get("/api/catalog/entities?fields=metadata.tags[0]").await, 400, "InputError");
    error(&portal.get("/api/catalog/entities?filter=%3Dvalue").await, 400, "InputError");
    error(&portal.get("/api/catalog/entities?after=nonsense!").await, 400, "InputError");
});

on_both!(pages_of_a_query_lead_on_by_both_verbs, portal, {
    fill(&portal).await;
    let path = "/api/catalog/entities/by-query?filter=kind%3Dcomponent&orderField=metadata.name,asc&limit=1";
    let first = portal.get(path).await.json(200);
    assert_eq!((names(&first["items"]), first["totalItems"].as_u64()), (vec!["alpha"], Some(3)));
    assert!(first["pageInfo"].get("prevCursor").is_none());
    let next = first["pageInfo"]["nextCursor"].as_str().unwrap();
    let by_get =
        portal.get(&format!("/api/catalog/entities/by-query?limit=2&cursor={}", escaped(next))).await.json(200);
    assert_eq!(names(&by_get["items"]), ["beta", "Cargo"]);
    assert!(by_get["pageInfo"].get("nextCursor").is_none());
    let body = json!({"cursor": next, "limit": 2, "fields": ["metadata.name"]});
    let by_post = portal.post("/api/catalog/entities/by-query", &body).await.json(200);
    assert_eq!(by_post["items"], json!([{"metadata": {"name": "beta"}}, {"metadata": {"name": "Cargo"}}]));
    let previous = by_get["pageInfo"]["prevCursor"].as_str().unwrap();
    let back =
        portal.get(&format!("/api/catalog/entities/by-query?limit=1&cursor={}", escaped(previous))).await.json(200);
    assert_eq!(back["items"], first["items"]);

    // The order field is missing on two of three.
    let titled =
        portal.get("/api/catalog/entities/by-query?filter=kind=component&orderField=metadata.title").await.json(200);
    assert_eq!((names(&titled["items"]), titled["totalItems"].as_u64()), (vec!["Cargo"], Some(1)));
    let counted = portal.get("/api/catalog/entities/by-query?limit=0").await.json(200);
    assert_eq!((counted["items"].clone(), counted["totalItems"].as_u64()), (json!([]), Some(4)));
    let uncounted = portal.get("/api/catalog/entities/by-query?totalItems=exclude").await.json(200);
    assert_eq!((uncounted["items"].as_array().unwrap().len(), uncounted["totalItems"].as_u64()), (4, Some(0)));
    let text = "fullTextFilterTerm=CAR&fullTextFilterFields=metadata.name,metadata.title";
    let found = portal.get(&format!("/api/catalog/entities/by-query?{text}")).await.json(200);
    assert_eq!(names(&found["items"]), ["Cargo"]);
    for bad in ["cursor=%7B%7D", "cursor=e30%3D", "limit=-1", "limit=x", "orderField=metadata.name,up", "totalItems=no"]
    {
        error(&portal.get(&format!("/api/catalog/entities/by-query?{bad}")).await, 400, "InputError");
    }
});

on_both!(predicates_select_and_their_faults_are_named, portal, {
    fill(&portal).await;
    let query = |query: Value| json!({"query": query, "orderBy": [{"field": "metadata.name", "order": "asc"}]});
    let cases = [
        (json!({"kind": "component", "spec.type": "SERVICE"}), vec!["alpha", "beta"]),
        (json!({"$not": {"metadata.tags": {"$contains": "java"}}}), vec!["Cargo", "team-a"]),
        (
            json!({"$any": [{"metadata.tags": {"$contains": "edge"}}, {"kind": {"$in": ["group"]}}]}),
            vec!["alpha", "team-a"],
        ),
        (json!({"metadata.name": {"$hasPrefix": "be"}}), vec!["beta"]),
        (json!({"metadata.title": {"$exists": true}}), vec!["Cargo", "team-a"]),
        (
            json!({"relations": {"$contains": {"type": "ownerOf", "targetRef": "component:default/beta"}}}),
            vec!["team-a"],
        ),
        (json!({"$all": []}), vec!["alpha", "beta", "Cargo", "team-a"]),
        (json!({"$any": []}), vec![]),
    ];
    for (predicate, expected) in cases {
        let answer = portal.post("/api/catalog/entities/by-query", &query(predicate.clone())).await.json(200);
        assert_eq!(names(&answer["items"]), expected, "{predicate}");
    }
    for bad in [json!("kind"), json!({"kind": null}), json!({"$nope": []}), json!({"kind": {"$in": "x"}})] {
        let answer = portal.post("/api/catalog/entities/by-query", &query(bad)).await;
        error(&answer, 400, "InputError");
    }
});

on_both!(entities_are_found_by_reference_name_and_uid, portal, {
    fill(&portal).await;
    let by_name = portal.get("/api/catalog/entities/by-name/COMPONENT/Default/ALPHA").await.json(200);
    assert_eq!(by_name["metadata"]["name"], "alpha");
    let uid = by_name["metadata"]["uid"].as_str().unwrap();
    let by_uid = portal.get(&format!("/api/catalog/entities/by-uid/{uid}")).await.json(200);
    assert_eq!(by_uid, by_name);
    let missing = portal.get("/api/catalog/entities/by-name/component/default/gone").await;
    let body = error(&missing, 404, "NotFoundError");
    assert_eq!(body["error"]["message"], "No entity named 'gone' found, with kind 'component' in namespace 'default'");
    error(&portal.get("/api/catalog/entities/by-uid/none").await, 404, "NotFoundError");

    let refs = json!({"entityRefs": ["component:default/beta", "component:default/Alpha", "component:default/gone", "group:default/team-a"]});
    let found = portal.post("/api/catalog/entities/by-refs", &refs).await.json(200);
    let found: Vec<_> =
        found["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str()).collect();
    assert_eq!(found, [Some("beta"), None, None, Some("team-a")]);
    let filtered = portal.post("/api/catalog/entities/by-refs?filter=kind=group", &refs).await.json(200);
    assert_eq!(filtered["items"][0], Value::Null);
    assert_eq!(filtered["items"][3]["kind"], "Group");
    let many: Vec<String> = (0..1000).map(|number| format!("component:default/{number:0>60}")).collect();
    let many = portal.post("/api/catalog/entities/by-refs", &json!({ "entityRefs": many })).await.json(200);
    assert_eq!(many["items"].as_array().unwrap().len(), 1000);

    let ancestry = portal.get("/api/catalog/entities/by-name/component/default/beta/ancestry").await.json(200);
    assert_eq!(ancestry["rootEntityRef"], "component:default/beta");
    assert_eq!(ancestry["items"][0]["entity"]["metadata"]["name"], "beta");
    error(&portal.get("/api/catalog/entities/by-name/component/default/gone/ancestry").await, 404, "NotFoundError");
});

on_both!(facets_count_in_the_authors_case, portal, {
    fill(&portal).await;
    let facets = portal.get("/api/catalog/entity-facets?facet=kind&facet=metadata.tags").await.json(200);
    let expected = json!({"facets": {
        "kind": [{"value": "Component", "count": 3}, {"value": "Group", "count": 1}],
        "metadata.tags": [{"value": "edge", "count": 1}, {"value": "java", "count": 2}],
    }});
    assert_eq!(facets, expected);
    let body = json!({"facets": ["spec.type"], "query": {"kind": "component"}});
    let facets = portal.post("/api/catalog/entity-facets", &body).await.json(200);
    assert_eq!(
        facets["facets"]["spec.type"],
        json!([{"value": "service", "count": 2}, {"value": "website", "count": 1}])
    );
    error(&portal.get("/api/catalog/entity-facets").await, 400, "InputError");
});

on_both!(a_removed_entity_is_gone_and_a_refresh_is_answered_200, portal, {
    fill(&portal).await;
    portal.post("/api/catalog/refresh", &json!({"entityRef": "component:default/alpha"})).await.is(200);
    error(
        &portal.post("/api/catalog/refresh", &json!({"entityRef": "component:default/gone"})).await,
        404,
        "NotFoundError",
    );
    error(&portal.post("/api/catalog/refresh", &json!({"entityRef": "alpha"})).await, 400, "InputError");
    let entity = portal.get("/api/catalog/entities/by-name/component/default/alpha").await.json(200);
    let path = format!("/api/catalog/entities/by-uid/{}", entity["metadata"]["uid"].as_str().unwrap());
    portal.delete(&path).await.is(204);
    portal.get(&path).await.is(404);
    portal.delete(&path).await.is(204);
});

on_both!(descriptors_are_judged_without_being_stored, portal, {
    let body = |entity: Value| json!({"entity": entity, "location": "url:https://git.example.com/catalog-info.yaml"});
    portal.post("/api/catalog/validate-entity", &body(component("good", "service", &[]))).await.is(200);
    let mut bad = component("bad name", "service", &[]);
    bad["spec"]["owner"] = Value::Null;
    let errors = portal.post("/api/catalog/validate-entity", &body(bad)).await.json(400);
    assert!(errors["errors"].as_array().unwrap().len() >= 2, "{errors}");
    assert!(errors["errors"][0]["message"].as_str().is_some());
    let elsewhere = json!({"entity": component("good", "service", &[]), "location": "file:/etc"});
    assert!(portal.post("/api/catalog/validate-entity", &elsewhere).await.json(400)["errors"].is_array());
    portal.get("/api/catalog/entities/by-name/component/default/good").await.is(404);

    let location = json!({"location": {"type": "url", "target": "https://github.com/kestrel/booking"}, "catalogFileName": "x.yaml"});
    let analysis = portal.post("/api/catalog/analyze-location", &location).await.json(200);
    assert_eq!(analysis["existingEntityFiles"], json!([]));
    let entity = &analysis["generateEntities"][0]["entity"];
    assert_eq!(entity["metadata"]["name"], "booking");
    assert_eq!(entity["metadata"]["annotations"]["github.com/project-slug"], "kestrel/booking");
    assert_eq!(entity["spec"], json!({"type": "other", "lifecycle": "unknown"}));
});

on_both!(every_failure_has_backstages_body, portal, {
    error(&portal.get("/api/catalog/no/such/route").await, 404, "NotFoundError");
    error(&portal.delete("/api/catalog/entities").await, 405, "NotFoundError");
    let request = |body: &'static str| {
        let request = Request::builder().method("POST").uri("/api/catalog/entities/by-refs");
        request.header("content-type", "application/json").body(Body::from(body)).unwrap()
    };
    error(&portal.send(request("{")).await, 400, "InputError");
    error(&portal.send(request("{\"entityRefs\": 1}")).await, 400, "InputError");
    // Backstage's client sends a content type on everything.
    let get = Request::builder().uri("/api/catalog/entities").header("content-type", "application/json");
    portal.send(get.body(Body::empty()).unwrap()).await.is(200);
});

on_both!(a_long_list_is_streamed_whole, portal, {
    let entities: Vec<Value> = (0..450).map(|number| component(&format!("c{number}"), "service", &[])).collect();
    portal.store(&entities).await;
    let all = portal.get("/api/catalog/entities?filter=kind=component").await.json(200);
    assert_eq!(all.as_array().unwrap().len(), 450);
});

/// Serves the same descriptor at every path, for as long as the test runs.
async fn descriptor_server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let text = component("buoy", "service", &[]).to_string();
    let router = axum::Router::new().fallback(move || {
        let text = text.clone();
        async move { text }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

on_both!(locations_are_added_found_moved_and_removed, portal, {
    let origin = descriptor_server().await;
    let target = format!("{origin}/catalog-info.yaml");
    let body = json!({"type": "url", "target": target});
    let dry = portal.post("/api/catalog/locations?dryRun=true", &body).await.json(201);
    assert_eq!((&dry["exists"], &dry["location"]["id"]), (&json!(false), &json!(format!("url:{target}"))));
    assert_eq!(names(&dry["entities"])[1..], ["buoy"]);
    assert_eq!(dry["entities"][0]["spec"], json!({"type": "url", "target": target}));
    assert_eq!(portal.get("/api/catalog/locations").await.json(200), json!([]));

    let location = portal.post("/api/catalog/locations", &body).await.json(201)["location"].clone();
    assert_eq!((&location["type"], &location["target"]), (&json!("url"), &json!(target)));
    let conflict = error(&portal.post("/api/catalog/locations", &body).await, 409, "ConflictError");
    assert_eq!(conflict["error"]["message"], format!("Location url:{target} already exists"));
    let again = portal.post("/api/catalog/locations?onConflict=refresh", &body).await.json(201);
    assert_eq!(again["location"], location);

    let id = location["id"].as_str().unwrap();
    let path = format!("/api/catalog/locations/{id}");
    assert_eq!(portal.get(&path).await.json(200), location);
    assert_eq!(portal.get("/api/catalog/locations").await.json(200), json!([{ "data": location }]));
    let (_, name) = location["entityRef"].as_str().unwrap().split_once('/').unwrap();
    let by_entity = portal.get(&format!("/api/catalog/locations/by-entity/Location/default/{name}")).await;
    assert_eq!(by_entity.json(200), location);
    let query = |query: Value| json!({ "query": query });
    let found = portal.post("/api/catalog/locations/by-query", &query(json!({"target": {"$hasPrefix": origin}}))).await;
    assert_eq!(found.json(200), json!({"items": [location], "totalItems": 1, "pageInfo": {}}));
    let empty = portal.post("/api/catalog/locations/by-query", &query(json!({"$all": []}))).await.json(200);
    assert_eq!(empty["totalItems"], 0);
    error(&portal.post("/api/catalog/locations/by-query", &query(json!({"kind": "x"}))).await, 400, "InputError");
    error(&portal.post("/api/catalog/locations/by-query", &json!({"cursor": "e30="})).await, 400, "InputError");

    let moved = json!({"type": "url", "target": format!("{origin}/moved.yaml")});
    let moved = portal.put(&path, &moved).await.json(200);
    assert_eq!(moved["target"], format!("{origin}/moved.yaml"));
    assert_eq!(moved["id"], location["id"]);
    let path = format!("/api/catalog/locations/{}", moved["id"].as_str().unwrap());
    assert_eq!(portal.get(&path).await.json(200), moved);
    portal.delete(&path).await.is(204);
    let gone = error(&portal.get(&path).await, 404, "NotFoundError");
    assert_eq!(gone["error"]["message"], format!("Found no location with ID {}", moved["id"].as_str().unwrap()));
    error(&portal.delete(&path).await, 404, "NotFoundError");
    error(&portal.get("/api/catalog/locations/by-entity/location/default/none").await, 404, "NotFoundError");
});

on_both!(only_reachable_urls_become_locations, portal, {
    let post = |location_type: &str, target: &str| json!({"type": location_type, "target": target});
    for (location_type, target) in
        [("file", "/etc/passwd"), ("url", "file:///etc/passwd"), ("url", "http://10.0.0.1/x"), ("url", "no")]
    {
        let answer = portal.post("/api/catalog/locations", &post(location_type, target)).await;
        error(&answer, 400, "InputError");
        error(
            &portal.post("/api/catalog/locations?dryRun=true", &post(location_type, target)).await,
            400,
            "InputError",
        );
    }
    error(
        &portal.post("/api/catalog/locations?onConflict=maybe", &post("url", "https://a.test")).await,
        400,
        "InputError",
    );
});
