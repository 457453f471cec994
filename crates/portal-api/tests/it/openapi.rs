//! The OpenAPI document and the router are one.

use std::path::Path;

/// The committed document is what the router serves; `UPDATE_OPENAPI=1` writes it.
#[test]
fn the_committed_document_equals_the_router() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = portal_api::openapi::text().unwrap();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "openapi.json is out of date: run the test again with UPDATE_OPENAPI=1 and commit the file"
    );
}
