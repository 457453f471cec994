//! Where an entity comes from, in the annotations that Backstage's own
//! processors set. The README says which ones; what an author wrote there
//! about the place of the document is replaced, links that are given stay.

use std::path::Path;

use portal_core::catalog::Entity;
use portal_core::sources::wire::SourceType;
use serde_json::{Value, json};

use super::places::is_url;
use super::store::Source;
use portal_core::glob::{is_glob, split_root};

/// Annotations that the catalog sets and an author cannot.
pub const OWN: [&str; 2] = ["backstage.io/managed-by-location", "backstage.io/managed-by-origin-location"];

/// Says in the annotations which file of which source declares an entity.
pub fn annotate(entity: &mut Entity, source: &Source, file: &str) {
    let (location, origin) = match source.source_type {
        SourceType::Http => (format!("url:{file}"), format!("url:{}", source.target)),
        SourceType::Git if is_url(file) => (format!("url:{file}"), format!("url:{}", source.target)),
        SourceType::Git => (format!("url:{}", page(source, "blob", file)), format!("url:{}", source.target)),
        SourceType::Path => (format!("file:{}", on_disk(&source.target, file)), format!("file:{}", source.target)),
        SourceType::Sample => return,
    };
    let Some(metadata) = entity.0.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    let Some(annotations) = annotations.as_object_mut() else { return };
    for (name, value) in OWN.into_iter().zip([location, origin]) {
        annotations.insert(name.to_owned(), json!(value));
    }
    if source.source_type == SourceType::Git && is_url(&source.target) && !is_url(file) {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let links = [
            ("backstage.io/view-url", page(source, "blob", file)),
            ("backstage.io/source-location", format!("url:{}/", page(source, "tree", folder).trim_end_matches('/'))),
        ];
        for (name, value) in links {
            annotations.entry(name).or_insert_with(|| json!(value));
        }
    }
}

/// The page of a file or folder, as the large hosts of repositories name it.
fn page(source: &Source, view: &str, path: &str) -> String {
    let repository = source.target.trim_end_matches('/').trim_end_matches(".git");
    format!("{repository}/{view}/{}/{path}", source.branch.as_deref().unwrap_or("HEAD"))
}

/// The path of a file of a source on disk.
fn on_disk(target: &str, file: &str) -> String {
    if file.starts_with('/') {
        return file.to_owned();
    }
    let root = if is_glob(target) { Path::new(split_root(target).0) } else { Path::new(target) };
    // A source of one file is named by it.
    let root = if root.ends_with(file) { root.parent().unwrap_or(root) } else { root };
    root.join(file).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_on_disk_have_their_path() {
        assert_eq!(on_disk("/srv/catalog", "a/catalog-info.yaml"), "/srv/catalog/a/catalog-info.yaml");
        assert_eq!(on_disk("/srv/catalog/*.yaml", "b.yaml"), "/srv/catalog/b.yaml");
        assert_eq!(on_disk("/srv/catalog/b.yaml", "b.yaml"), "/srv/catalog/b.yaml");
        assert_eq!(on_disk("/srv/catalog", "/etc/other.yaml"), "/etc/other.yaml");
    }
}
