//! Looking at a source before it is added.

use serde_json::json;

use super::git::Repository;
use super::{add, component, folder, path_source, write};
use crate::on_both;

on_both!(a_source_is_looked_at_and_nothing_is_stored, portal, {
    let files = folder(&portal);
    write(&files, "old/catalog-info.yaml", component("held"));
    add(&portal, &path_source(&files.join("old"))).await;
    write(&files, "new/a/catalog-info.yaml", component("fresh"));
    write(&files, "new/b/catalog-info.yaml", component("held"));
    write(&files, "new/c/catalog-info.yaml", component("broken").replace("lifecycle", "lifecyle"));
    let before = portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap();
    let seen = portal.post("/api/v1/sources/preview", &path_source(&files.join("new"))).await.json(200);
    assert_eq!((seen["total"].as_u64(), seen["faulty"].as_u64()), (Some(3), Some(2)));
    let outcomes: Vec<(&str, &str)> = seen["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| (document["entity"]["entity_ref"].as_str().unwrap(), document["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("component:default/held", "known"),
        ("component:default/broken", "invalid"),
        ("component:default/fresh", "new"),
    ];
    assert_eq!(outcomes, expected);
    let fault = &seen["documents"][1]["faults"][0];
    assert_eq!(fault["line"], 7, "{fault}");
    assert!(fault["hint"].as_str().unwrap().contains("lifecycle"), "{fault}");
    assert!(!fault["excerpt"].as_array().unwrap().is_empty());
    assert!(seen["documents"][0]["faults"][0]["message"].as_str().unwrap().contains("source 1"));
    assert!(seen["proposal"].is_null());
    assert_eq!(portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap(), before);
    assert_eq!(portal.get("/api/v1/sources").await.json(200)["total"], 1);
});

on_both!(a_repository_without_descriptors_gets_a_proposal, portal, {
    let repository = Repository::new(&portal.folder, "rate-cards");
    repository.commit(&[
        ("Cargo.toml", "[package]\nname = \"rate-cards\"\ndescription = \"Prices by lane.\"\n"),
        ("src/main.rs", "fn main() {}\n"),
        (".github/CODEOWNERS", "* @kestrel/pricing\n"),
        ("openapi.yaml", "openapi: 3.1.0\ninfo: {title: Rates, version: '1'}\npaths: {}\n"),
    ]);
    let asked = json!({"type": "git", "target": format!("file://{}", repository.0.display())});
    let seen = portal.post("/api/v1/sources/preview", &asked).await.json(200);
    assert_eq!(seen["total"], 0);
    let text = seen["proposal"]["text"].as_str().unwrap().to_owned();
    for line in ["name: rate-cards", "type: service", "owner: pricing", "$text: ./openapi.yaml"] {
        assert!(text.contains(line), "{line} in {text}");
    }
    // Committed as it is, it is good.
    repository.commit(&[("catalog-info.yaml", &text)]);
    let seen = portal.post("/api/v1/sources/preview", &asked).await.json(200);
    assert_eq!((seen["total"].as_u64(), seen["faulty"].as_u64()), (Some(2), Some(0)), "{seen}");
});

on_both!(what_cannot_be_looked_at_says_why, portal, {
    for (asked, code) in [
        (json!({"type": "git", "target": "file:///nowhere/at/all"}), "unreadable_source"),
        (json!({"type": "path", "target": "/nowhere/at/all"}), "invalid_source"),
        (json!({"type": "http", "target": "https://169.254.169.254/x"}), "egress_denied"),
        (json!({"type": "git", "target": "https://x.example", "interval_seconds": 1}), "unresolvable_host"),
    ] {
        let problem = portal.post("/api/v1/sources/preview", &asked).await.problem(422, code);
        assert_eq!(problem["errors"][0]["pointer"], "/target", "{problem}");
    }
    portal.post("/api/v1/sources/preview", &json!({"type": "git"})).await.problem(422, "invalid_body");
});
