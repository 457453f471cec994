//! One platform in trouble holds up nobody else: how many calls to it are under way, and
//! when it is left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use portal_api::connectors::ConnectorConfig;
use portal_core::connectors::ConnectorKind;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::actions::{Mute, action, reaches, with_actions};
use crate::harness::Portal;
use crate::runs::ended;

/// How many connections a target has that takes everything and never answers.
async fn hanging() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let open = Arc::new(AtomicUsize::new(0));
    let counted = open.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move { while stream.read(&mut [0; 4096]).await.is_ok_and(|size| size > 0) {} });
        }
    });
    (url, open)
}

/// Portals with a connector `hang`, two calls at a time, and `well`.
async fn portals(hang: &str, well: &str) -> Vec<Portal> {
    let connector = |name: &str, url: &str, limit| ConnectorConfig {
        preset: None,
        contract: None,
        name: name.to_owned(),
        kind: ConnectorKind::Webhook,
        url: url.to_owned(),
        credential: None,
        signing_secret: None,
        limit,
        rest_seconds: 30,
    };
    let change = |config: &mut portal_api::config::Config| {
        config.connectors = vec![connector("hang", hang, 2), connector("well", well, 8)];
    };
    let mut all = vec![Portal::with(change).await];
    all.extend(Portal::postgres_with(change).await);
    for portal in &all {
        let asks = |name: &str| {
            let step = json!({"id": "ask", "action": "webhook", "input": {"connector": name}});
            action(name, json!({"owner": "platform", "steps": [step]}))
        };
        with_actions(portal, &[asks("hang"), asks("well")]).await;
    }
    all
}

async fn start(portal: &Portal, name: &str) -> i64 {
    portal.post("/api/v1/runs", &json!({"action": name})).await.json(202)["id"].as_i64().unwrap()
}

async fn state(portal: &Portal, name: &str) -> Value {
    let list = portal.get("/api/v1/connectors").await.json(200);
    list["items"].as_array().unwrap().iter().find(|connector| connector["name"] == name).unwrap()["state"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_hangs_takes_its_own_places_only() {
    let well = Mute::default();
    let url = well.start().await;
    let (hang, connections) = hanging().await;
    for portal in portals(&hang, &url).await {
        let before = connections.load(Ordering::SeqCst);
        well.answer(&[]);
        let mut hangs = Vec::new();
        for _ in 0..40 {
            hangs.push(start(&portal, "hang").await);
        }
        // More than all workers, of which it holds two.
        let id = start(&portal, "well").await;
        assert_eq!(ended(&portal, id).await["state"], "succeeded");
        let run = reaches(&portal, hangs[39], "waiting").await;
        let step = &run["steps"][0];
        assert_eq!((&step["state"], &step["attempts"], &step["error"]), (&json!("pending"), &json!(0), &Value::Null));
        let mut waiting = 0;
        for _ in 0..200 {
            waiting = portal.get("/api/v1/runs?state=waiting&limit=1").await.json(200)["total"].as_u64().unwrap();
            if waiting == 38 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(waiting, 38, "two calls are under way");
        assert_eq!(connections.load(Ordering::SeqCst) - before, 2);
        // It waits in the database, and can be stopped at once.
        portal.post(&format!("/api/v1/runs/{}/cancel", hangs[39]), &Value::Null).await.is(202);
        reaches(&portal, hangs[39], "cancelled").await;
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_in_trouble_rests_and_is_tried_again() {
    let mute = Mute::default();
    let url = mute.start().await;
    for portal in portals("http://127.0.0.1:9", &url).await {
        mute.answer(&[503; 5]);
        assert_eq!(state(&portal, "well").await, "ready");
        let mut all = Vec::new();
        for _ in 0..5 {
            all.push(start(&portal, "well").await);
        }
        for id in &all {
            reaches(&portal, *id, "waiting").await;
        }
        assert_eq!(state(&portal, "well").await, "resting");
        // Somebody who comes meanwhile is not let through, and it is no attempt of theirs.
        let late = start(&portal, "well").await;
        assert_eq!(reaches(&portal, late, "waiting").await["steps"][0]["attempts"], 0);
        assert_eq!(mute.sent().len(), 5, "it is left alone");
        portal.clock.advance(TimeDelta::seconds(16));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!((mute.sent().len(), state(&portal, "well").await), (5, json!("resting")));
        // One call tries; it fails, and the rest begins anew.
        mute.answer(&[503]);
        portal.clock.advance(TimeDelta::seconds(16));
        for _ in 0..200 {
            if !mute.sent().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!((mute.sent().len(), state(&portal, "well").await), (1, json!("resting")));
        for id in all.into_iter().chain([late]) {
            for _ in 0..30 {
                portal.clock.advance(TimeDelta::seconds(4));
                tokio::time::sleep(Duration::from_millis(100)).await;
                if portal.get(&format!("/api/v1/runs/{id}")).await.json(200)["state"] == "succeeded" {
                    break;
                }
            }
            assert_eq!(ended(&portal, id).await["state"], "succeeded");
        }
        assert_eq!((mute.sent().len(), state(&portal, "well").await), (7, json!("ready")));
        portal.end().await;
    }
}
