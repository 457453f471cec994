//! Verdicts, stages and relations on every document of the corpus of real
//! descriptors, against what Backstage's own packages said.
//!
//! The corpus lies beside the checkout and is not part of it; without it the
//! test says so and passes.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::validate::{self, Stage};
use portal_core::catalog::{Entity, placeholders, relations};
use portal_core::document::{self, Budget, Document};
use portal_core::{definition, score};
use serde_json::Value;

#[test]
fn score_files_are_judged_as_by_their_schema() {
    let Some(corpus) = corpus() else { return };
    let manifest: Value = serde_json::from_slice(&fs::read(corpus.join("score_manifest.json")).unwrap()).unwrap();
    let (mut judged, mut wrong) = (0, Vec::new());
    for (file, records) in manifest["files"].as_object().unwrap() {
        let text = fs::read_to_string(corpus.join(file)).unwrap();
        let [record] = &records.as_array().unwrap()[..] else { continue };
        judged += 1;
        let read = score::read(&text);
        let slips = read.as_ref().err().map(|slips| slips.iter().map(ToString::to_string).collect::<Vec<_>>());
        if read.is_ok() != (record["verdict"] == "valid") {
            wrong.push(format!("{file}: {slips:?}"));
            continue;
        }
        let Ok(read) = read else { continue };
        let found = |value: &Value| -> Vec<String> {
            value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
        };
        let expected: Vec<&str> = record["containers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        if read["metadata"]["name"] != record["workload"] || found(&read["containers"]) != expected {
            wrong.push(format!("{file}: read otherwise"));
        }
    }
    assert!(judged >= 20 && wrong.is_empty(), "{judged} judged: {wrong:#?}");
}

#[test]
fn verdicts_stages_and_relations_equal_those_of_backstage() {
    let Some(corpus) = corpus() else { return };
    let manifest: Value = serde_json::from_slice(&fs::read(corpus.join("manifest.json")).unwrap()).unwrap();
    let kinds = KindRegistry::built_in();
    let (mut documents, mut wrong) = (0, Vec::new());
    for (file, record) in manifest["files"].as_object().unwrap() {
        let bytes = fs::read(corpus.join(file)).unwrap();
        let mut judged = judge(&corpus.join(file), &bytes, &kinds);
        for expected in record["entities"].as_array().unwrap() {
            documents += 1;
            let index = u32::try_from(expected["doc"].as_u64().unwrap()).unwrap();
            let stage = expected["stage"].as_str().unwrap_or_default();
            let verdict = format!("{} {stage}", expected["verdict"].as_str().unwrap());
            let (found, found_relations) = judged.remove(&index).unwrap_or_default();
            if found != verdict.trim() {
                wrong.push(format!("{file}#{index}: expected {verdict}, found {found}"));
            }
            let expected_relations: Vec<&str> =
                expected["relations"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if verdict.starts_with("valid") && found_relations != expected_relations {
                wrong.push(format!("{file}#{index}: expected {expected_relations:?}, found {found_relations:?}"));
            }
        }
        wrong.extend(judged.keys().map(|index| format!("{file}#{index}: no such document in the manifest")));
    }
    assert!(wrong.is_empty(), "{} of {documents} documents differ:\n{}", wrong.len(), wrong.join("\n"));
    println!("{documents} documents agree");
}

#[test]
fn faults_of_the_corpus_name_a_place_in_their_file() {
    let Some(corpus) = corpus() else { return };
    let manifest: Value = serde_json::from_slice(&fs::read(corpus.join("manifest.json")).unwrap()).unwrap();
    let kinds = KindRegistry::built_in();
    for file in manifest["files"].as_object().unwrap().keys() {
        let bytes = fs::read(corpus.join(file)).unwrap();
        let lines = String::from_utf8_lossy(&bytes).replace('\r', "\n").matches('\n').count() + 1;
        for verdict in validate::verdicts(file, &bytes, &kinds, &Budget::default()) {
            assert_eq!(verdict.valid, verdict.errors.is_empty(), "{file}");
            for fault in verdict.errors {
                assert!((1..=lines).contains(&(fault.line as usize)) && fault.column >= 1, "{file}: {fault:?}");
                assert!(fault.message.len() < 600 && !fault.message.ends_with('.'), "{file}: {fault:?}");
            }
        }
    }
}

/// Definitions of APIs, inline or in a file that is in the corpus.
#[test]
fn every_operation_of_a_definition_can_be_opened() {
    let Some(corpus) = corpus() else { return };
    let manifest: Value = serde_json::from_slice(&fs::read(corpus.join("manifest.json")).unwrap()).unwrap();
    let (mut definitions, mut operations) = (0, 0);
    for file in manifest["files"].as_object().unwrap().keys() {
        let path = corpus.join(file);
        for mut document in document::read(&fs::read(&path).unwrap(), &Budget::default()).documents {
            for placeholder in placeholders::find(&document.value) {
                if let Ok(text) = fs::read_to_string(path.with_file_name("").join(&placeholder.target)) {
                    placeholders::substitute(&mut document.value, &placeholder.pointer, Value::String(text));
                }
            }
            let spec = &document.value["spec"];
            let (kind, text) = (spec["type"].as_str().unwrap_or_default(), spec["definition"].as_str());
            let Some(outline) = text.and_then(|text| definition::read(kind, text)) else { continue };
            definitions += 1;
            for link in outline.links() {
                assert!(outline.operation(&link.id).is_some(), "{file}: {}", link.id);
                operations += 1;
            }
        }
    }
    println!("{definitions} definitions with {operations} operations");
    assert!(definitions > 0 && operations > 0);
}

/// Verdict and sorted relations of each document, with placeholders filled in
/// from the corpus, or with a stub where they name a file that is not in it.
fn judge(path: &Path, bytes: &[u8], kinds: &KindRegistry) -> BTreeMap<u32, (String, Vec<String>)> {
    let reading = document::read(bytes, &Budget::default());
    let broken = reading.faults.iter().map(|(index, _)| (*index, ("parse-error".to_owned(), Vec::new())));
    let mut judged: BTreeMap<_, _> = broken.collect();
    for document in reading.documents {
        let Document { index, mut value, .. } = document;
        for placeholder in placeholders::find(&value) {
            let target = path.with_file_name("").join(&placeholder.target);
            let text = fs::read_to_string(target).unwrap_or_else(|_| "stub".to_owned());
            assert!(placeholders::substitute(&mut value, &placeholder.pointer, Value::String(text)));
        }
        let verdict = match validate::stage(&value, kinds) {
            _ if !value.is_object() => "parse-error",
            None => "valid",
            Some(Stage::Envelope) => "invalid envelope",
            Some(Stage::Policy) => "invalid policy",
            Some(Stage::Kind) => "invalid kind",
            Some(Stage::Relations) => "invalid relations",
        };
        let mut relations: Vec<String> = relations::emitted(&Entity(value), kinds)
            .into_iter()
            .map(|relation| format!("{} {} {}", relation.source, relation.relation, relation.target))
            .collect();
        relations.sort();
        judged.insert(index, (verdict.to_owned(), relations));
    }
    judged
}

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if path.join("manifest.json").exists() {
        return Some(path);
    }
    println!("skipped: there is no corpus at {}", path.display());
    None
}
