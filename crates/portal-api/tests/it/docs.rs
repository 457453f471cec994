//! The API reference.

use crate::harness::Portal;

#[tokio::test]
async fn the_reference_is_served_with_all_its_parts_and_nothing_else() {
    let portal = Portal::sqlite().await;
    let page = portal.get("/api/docs").await;
    page.is(200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let mut seen = vec!["/api/docs".to_owned()];
    let mut texts = vec![page.text()];
    // Every file that the page or one of its modules names.
    while let Some(text) = texts.pop() {
        assert!(!text.contains("src=\"http") && !text.contains("from \"http") && !text.contains("url(http"), "{text}");
        let quoted = text.split('"').skip(1).step_by(2);
        for file in quoted.filter(|name| name.ends_with(".js") || name.ends_with(".css")) {
            let path = format!("/api/docs/{}", file.trim_start_matches("/api/docs/").trim_start_matches("./"));
            if seen.contains(&path) {
                continue;
            }
            let answer = portal.get(&path).await;
            answer.is(200);
            let expected =
                if path.ends_with(".css") { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
            assert_eq!(answer.headers["content-type"], expected, "{path}");
            texts.push(answer.text());
            seen.push(path);
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    portal.get("/api/docs/other.js").await.problem(404, "unknown_route");
    portal.end().await;
}
