//! Requests that a browser makes for somebody else, and problems on their way
//! through compression.

use axum::body::Body;
use axum::http::Request;
use futures::StreamExt;

use crate::harness::{TOKEN, component};
use crate::on_both;

on_both!(a_page_of_another_site_can_neither_write_nor_read, portal, {
    let body = component("planted", "team-a").to_string();
    let write = |header: &'static str, value: &'static str| {
        Request::builder()
            .method("POST")
            .uri("/api/v1/entities/bulk")
            .header("host", "127.0.0.1:7070")
            .header(header, value)
            .body(Body::from(body.clone()))
            .unwrap()
    };
    portal.send(write("sec-fetch-site", "cross-site")).await.problem(403, "forbidden");
    portal.send(write("origin", "https://evil.example")).await.problem(403, "forbidden");
    portal.get("/api/v1/entities/component/default/planted").await.problem(404, "entity_not_found");
    portal.send(write("sec-fetch-site", "same-origin")).await.is(207);
    let rebound = Request::builder().uri("/api/v1/entities").header("host", "evil.example:7070");
    portal.send(rebound.body(Body::empty()).unwrap()).await.problem(403, "forbidden");
});

on_both!(a_problem_is_readable_by_clients_that_take_compression, portal, {
    let request = Request::builder().uri("/api/v1/entities?nonsense=1").header("accept-encoding", "gzip, br");
    let answer = portal.send(request.body(Body::empty()).unwrap()).await;
    answer.problem(400, "invalid_parameter");
    assert!(answer.headers.get("content-encoding").is_none(), "{:?}", answer.headers);
});

on_both!(rubbish_in_an_address_is_answered_shortly, portal, {
    portal.get("/api/v1/entities/component/default/%FF").await.problem(400, "malformed_path");
    let long = "a".repeat(5000);
    let problem = portal.get(&format!("/api/v1/entities?limit={long}")).await.problem(400, "invalid_parameter");
    assert!(problem.to_string().len() < 2000, "{problem}");
    for number in 0..50 {
        let request = Request::builder().method(format!("MADEUP{number}").as_str()).uri("/api/v1/entities");
        portal.send(request.body(Body::empty()).unwrap()).await.problem(405, "method_not_allowed");
    }
    let metrics = portal.get("/metrics").await.text();
    assert!(!metrics.contains("MADEUP") && metrics.contains("method=\"other\""), "{metrics}");
});

on_both!(a_cursor_belongs_to_its_list, portal, {
    portal.store(&[component("a", "team-a"), component("b", "team-a"), component("c", "team-b")]).await;
    let page = portal.get("/api/v1/entities?sort=metadata.name&limit=1").await.json(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    portal.get(&format!("/api/v1/entities?sort=metadata.name&limit=2&fields=kind&cursor={cursor}")).await.is(200);
    for other in ["sort=-metadata.name", "sort=metadata.name&filter=spec.owner=team-a", "sort=metadata.name&q=a", ""] {
        portal.get(&format!("/api/v1/entities?{other}&cursor={cursor}")).await.problem(400, "invalid_parameter");
    }
});

on_both!(the_tag_of_a_page_is_good_for_a_write, portal, {
    portal.store(&[component("a", "team-a")]).await;
    let path = "/api/v1/entities/component/default/a";
    let tag = portal.get(path).await.headers["etag"].clone();
    let put = |tag: axum::http::HeaderValue, owner: &str| {
        let request = Request::builder().method("PUT").uri(path).header("content-type", "application/json");
        request.header("if-match", tag).body(Body::from(component("a", owner).to_string())).unwrap()
    };
    portal.send(put(tag.clone(), "team-b")).await.is(200);
    portal.send(put(tag, "team-c")).await.problem(412, "precondition_failed");
});

on_both!(a_streamed_list_may_be_asked_again_after_its_end, portal, {
    portal.store(&[component("a", "team-a"), component("b", "team-a")]).await;
    for path in ["/api/catalog/entities", "/api/catalog/entities?filter=kind=none"] {
        let request = Request::builder().uri(path).header("authorization", format!("Bearer {TOKEN}"));
        let request = request.body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(portal_api::router::outer(&portal.app), request).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            bytes.extend(chunk.unwrap());
        }
        assert!(body.next().await.is_none());
        serde_json::from_slice::<Vec<serde_json::Value>>(&bytes).unwrap();
    }
});
