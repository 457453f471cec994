//! Verdicts on the small catalogs of this repository, and on its sample
//! organisation.

use std::fs;
use std::path::{Path, PathBuf};

use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::validate;
use portal_core::document::Budget;
use serde_json::{Value, json};

#[test]
fn fixtures_have_the_verdicts_that_they_claim() {
    let fixtures = api_folder().join("tests/fixtures");
    let expected: Value = serde_json::from_slice(&fs::read(fixtures.join("expected.json")).unwrap()).unwrap();
    let catalog = fixtures.join("catalog");
    let mut found = Vec::new();
    for file in files(&catalog) {
        let name = file.strip_prefix(&catalog).unwrap().to_str().unwrap().to_owned();
        for verdict in
            validate::verdicts(&name, &fs::read(&file).unwrap(), &KindRegistry::built_in(), &Budget::default())
        {
            let rules: Vec<&str> = verdict.errors.iter().map(|fault| fault.rule.as_str()).collect();
            let document = verdict.document;
            found.push(json!({"file": name, "document": document, "valid": verdict.valid, "rules": rules}));
        }
    }
    let lines = |verdicts: &[Value]| verdicts.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(&found), lines(expected.as_array().unwrap()));
}

#[test]
fn the_sample_organisation_is_valid() {
    let mut entities = 0;
    for file in files(&api_folder().join("sample")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        // Skeletons of templates are not descriptors yet.
        let is_skeleton = file.components().any(|part| part.as_os_str() == "skeleton");
        if is_skeleton || matches!(name, "openapi.yaml" | "asyncapi.yaml") || !name.ends_with(".yaml") {
            continue;
        }
        let file_name = file.display().to_string();
        for verdict in
            validate::verdicts(&file_name, &fs::read(&file).unwrap(), &KindRegistry::built_in(), &Budget::default())
        {
            assert!(verdict.valid, "{verdict:?}");
            entities += 1;
        }
    }
    assert!(entities > 120, "{entities} entities");
}

fn api_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../portal-api")
}

/// All files below a folder, sorted by path.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
