//! Requests that a browser makes for somebody else, and problems on their way
//! through compression.

use axum::body::Body;
use axum::http::Request;

use crate::harness::component;
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
