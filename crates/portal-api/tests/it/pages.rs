//! Pages as the server writes them.
#![cfg(feature = "ui")]

use std::sync::Arc;

use crate::harness::{Portal, component};

/// Signals of a page must outlive its rendering, on every thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_pages_at_once_are_all_written_to_their_end() {
    let portal = Portal::sqlite().await;
    let entities: Vec<_> = (0..40).map(|number| component(&format!("c-{number}"), "team-a")).collect();
    portal.store(&entities).await;
    let portal = Arc::new(portal);
    let paths =
        ["/catalog", "/", "/search?q=c-1", "/catalog/component/default/c-7", "/catalog?kind=api", "/admin/sources"];
    let readers = (0..16).map(|reader| {
        let portal = Arc::clone(&portal);
        tokio::spawn(async move {
            for round in 0..12 {
                let path = paths[(reader + round) % paths.len()];
                let answer = portal.get(path).await;
                assert_eq!(answer.status, 200, "{path}");
                let text = answer.text();
                assert!(text.contains("</html>") && text.ends_with("</script>"), "{path} is cut off");
            }
        })
    });
    for reader in readers.collect::<Vec<_>>() {
        reader.await.unwrap();
    }
    Arc::into_inner(portal).unwrap().end().await;
}

/// The title of a page stands in its head, where `</title>` ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_text_in_the_title_of_its_page() {
    let portal = Portal::sqlite().await;
    let mut hostile = component("hostile", "team-a");
    hostile["metadata"]["title"] = "</title><script>alert(1)</script>&lt;".into();
    portal.store(&[hostile]).await;
    let text = portal.get("/catalog/component/default/hostile").await.text();
    let title = "<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt; · Portal</title>";
    assert!(text.contains(title), "{}", &text[..text.len().min(2000)]);
    assert!(!text.contains("<script>alert"));
    portal.end().await;
}
