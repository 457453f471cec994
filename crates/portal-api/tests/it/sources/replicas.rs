//! Two portals on one PostgreSQL share the reading of sources.

use std::collections::HashMap;

use super::*;

/// How often each entity was written, by reference.
async fn writes(portal: &Portal) -> HashMap<String, usize> {
    let changes = portal_api::changes::store::after(portal.app.db.reader(), 0, 1_000_000).await.unwrap();
    let mut counts = HashMap::new();
    for change in changes.into_iter().filter(|change| change.subject.starts_with("entity:")) {
        *counts.entry(change.subject).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_source_is_read_by_one_of_them() {
    let Some(portal) = Portal::postgres().await else {
        return println!("skipped: PORTAL_TEST_POSTGRES is not set");
    };
    let (replica, _) = portal.replica().await;
    let mut ids = Vec::new();
    for number in 0..12 {
        let files = folder(&portal).join(number.to_string());
        write(&files, "catalog-info.yaml", component(&format!("c-{number}")));
        ids.push(portal.post("/api/v1/sources", &path_source(&files)).await.json(201)["id"].as_i64().unwrap());
    }
    for id in &ids {
        until(&portal, *id, 1).await;
        assert_eq!(passes(&portal, *id).await.len(), 1);
    }
    // Both look at the schedule; what is due is read once more, and nothing is written.
    portal.clock.advance(chrono::Duration::hours(2));
    for app in [&portal.app, &replica] {
        jobs::enqueue_due(app, true).await.unwrap();
    }
    for id in &ids {
        let deadline = Instant::now() + Duration::from_secs(60);
        while view(&portal, *id).await["next_pass_at"].as_str().unwrap() < "2026-11-17T11:00:00" {
            assert!(Instant::now() < deadline, "source {id} is still due");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(refresh(&portal, *id).await["updated"], 0);
    }
    let written = writes(&portal).await;
    assert_eq!((written.len(), written.values().max()), (12, Some(&1)), "{written:?}");
    let seq = portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap();
    assert!(replica.catalog.wait_for(seq).await);
    assert_eq!(replica.catalog.snapshot().index.len(), 12);
    replica.stop.cancel();
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_that_lost_its_lease_writes_nothing() {
    let Some(portal) = Portal::postgres().await else {
        return println!("skipped: PORTAL_TEST_POSTGRES is not set");
    };
    let hostile = Hostile::start().await;
    hostile.put("/c.yaml", component("contested"));
    hostile.hold("/c.yaml");
    let source = json!({"type": "http", "target": hostile.url("/c.yaml")});
    let id = portal.post("/api/v1/sources", &source).await.json(201)["id"].as_i64().unwrap();
    while hostile.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The first process hangs past its lease; the second takes the source over.
    let (replica, _) = portal.replica().await;
    portal.clock.advance(chrono::Duration::seconds(31));
    until(&portal, id, 1).await;
    assert!(exists(&portal, "contested").await);
    hostile.put("/c.yaml", component("too-late"));
    hostile.release();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!exists(&portal, "too-late").await);
    assert_eq!(writes(&portal).await, HashMap::from([("entity:component:default/contested".to_owned(), 1)]));
    assert_eq!(view(&portal, id).await["state"], "ok");
    replica.stop.cancel();
    portal.end().await;
}
