//! The definitions of the sample organisation can be shown.

#![cfg(feature = "engine")]

use std::fs;
use std::path::{Path, PathBuf};

use portal_core::definition::read;

#[test]
fn definitions_of_the_sample_have_operations_and_no_fault() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../portal-api/sample");
    let (mut folders, mut read_files) = (vec![sample], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match kind_of(&path) {
                _ if path.is_dir() => folders.push(path),
                Some(kind) => {
                    check(kind, &path);
                    read_files += 1;
                }
                None => {}
            }
        }
    }
    assert!(read_files >= 20, "{read_files} files");
}

fn kind_of(path: &Path) -> Option<&'static str> {
    Some(match (path.file_name()?.to_str()?, path.extension()?.to_str()?) {
        ("openapi.yaml", _) => "openapi",
        ("asyncapi.yaml", _) => "asyncapi",
        (_, "proto") => "grpc",
        (_, "graphql") => "graphql",
        _ => return None,
    })
}

#[track_caller]
fn check(kind: &str, path: &PathBuf) {
    let outline = read(kind, &fs::read_to_string(path).unwrap()).unwrap();
    let name = path.display();
    assert_eq!(outline.definition().faults, [], "{name}");
    let ids: Vec<String> = outline.links().map(|link| link.id.clone()).collect();
    assert!(!ids.is_empty(), "{name}");
    for id in ids {
        let detail = outline.operation(&id).unwrap();
        assert!(!detail.parts.is_empty() || detail.link.verb == "SCALAR", "{name}: {id} shows nothing");
    }
}
