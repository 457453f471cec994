//! The whole corpus of real descriptors as one catalog, when it is at hand.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{add, errors, view};
use crate::harness::Portal;

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("shared/corpus"));
    beside.into_iter().find(|path| path.join("manifest.json").exists())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_on_the_corpus_are_those_of_its_manifest() {
    let Some(corpus) = corpus() else { return };
    let server = crate::hostile::Hostile::start().await;
    server.put("/httpbin/spec.json", "{}");
    let mirrors = [
        ("https://httpbin.org", "/httpbin"),
        ("https://github.com", "/github"),
        ("https://raw.githubusercontent.com", "/raw"),
        ("https://gitlab.cee.redhat.com", "/gitlab"),
    ];
    let mirrors = mirrors.map(|(origin, path)| (origin.to_owned(), server.url(path)));
    let portal = Portal::with(|config| config.egress.mirrors = mirrors.into_iter().collect()).await;
    let target = corpus.join("catalogs").display().to_string();
    let id =
        add(&portal, &json!({"type": "path", "target": target, "globs": ["**/*.{yaml,yml}"], "trusted": true})).await;
    let told = errors(&portal, id).await;
    let manifest: Value = serde_json::from_slice(&std::fs::read(corpus.join("manifest.json")).unwrap()).unwrap();
    let mut by_document: HashMap<(String, u64), Vec<&Value>> = HashMap::new();
    for error in &told {
        let key = (error["file"].as_str().unwrap().to_owned(), error["document"].as_u64().unwrap());
        by_document.entry(key).or_default().push(error);
    }
    // What is wrong beside the document itself: its neighbours, and where it leads.
    let beside = ["duplicate", "location_target", "location_cycle"];
    let (mut wrong, mut declared) = (Vec::new(), HashSet::new());
    for (file, record) in manifest["files"].as_object().unwrap() {
        let Some(path) = file.strip_prefix("catalogs/") else { continue };
        for document in record["entities"].as_array().into_iter().flatten() {
            let index = document["doc"].as_u64().unwrap();
            let valid = document["verdict"] == "valid";
            let faults = by_document.get(&(path.to_owned(), index)).cloned().unwrap_or_default();
            let faulty = faults.iter().any(|fault| !beside.contains(&fault["rule"].as_str().unwrap()));
            if valid == faulty {
                wrong.push(format!("{path} #{index}: {document} {faults:?}"));
            }
            if valid {
                declared.insert(document["ref"].as_str().unwrap_or_default().to_lowercase());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for entity_ref in &declared {
        let parsed: portal_core::catalog::EntityRef = entity_ref.parse().unwrap();
        assert!(portal.app.catalog.snapshot().index.row(&parsed).is_some(), "{entity_ref}");
    }
    assert_eq!(view(&portal, id).await["entity_count"].as_u64().unwrap(), declared.len() as u64);
    portal.end().await;
}
