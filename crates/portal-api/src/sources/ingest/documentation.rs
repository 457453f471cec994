//! The documentation of a source's entities: which lies where, and what of it
//! changed.
//!
//! An entity names its folder with an annotation. One that does not has the
//! README beside its descriptor.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use portal_core::catalog::EntityRef;
use url::Url;

use super::super::fetch::{FetchError, Fetched, Request, remote};
use super::super::links::Documented;
use super::super::places::{self, Ground, is_url};
use super::super::store::{self, KnownFile};
use super::load::Loader;
use super::{Pass, PassError};
use crate::documentation::collect::{self, Files, Site, under};
use crate::documentation::store as documentation;

/// Kinds that a README beside their descriptor says nothing about.
const WITHOUT_README: [&str; 3] = ["user", "group", "location"];
/// Entities whose documentation is removed in one write.
const ROWS: usize = 250;

/// Collects the documentation of everything that the source declares, and
/// writes what differs from what is stored.
pub(super) async fn update(
    pass: &mut Pass<'_>,
    request: &Request,
    fetched: &Fetched,
    files: &HashMap<String, KnownFile>,
) -> Result<(), PassError> {
    let loader = Loader::new(&pass.app.sources, request, &fetched.tree, fetched.secret.as_ref());
    let ground = Ground::of(request.source_type, &request.target, request.trusted);
    let id = pass.source.id;
    let known = documentation::known(pass.app.db.reader(), id).await?;
    let mut absent: HashSet<String> = known.keys().cloned().collect();
    for (root, entities) in roots(pass, &loader, &ground, files).await? {
        let site = match collect::collect(&loader, &root).await {
            Ok(site) => site,
            // What is not there any more goes; what cannot be read now stays.
            Err(error) => {
                if !error.is_absent() {
                    tracing::warn!(source.id = id, root, error = %error, "could not read documentation");
                    absent.retain(|entity_ref| !entities.contains(entity_ref));
                }
                continue;
            }
        };
        for entity_ref in &entities {
            absent.remove(entity_ref);
        }
        let hash = site.hash();
        let changed = entities.into_iter().filter(|entity_ref| known.get(entity_ref) != Some(&hash));
        let changed: Vec<String> = changed.collect();
        for entity_ref in documentation::held(pass.app.db.reader(), id, &changed).await? {
            put(pass, entity_ref, site.clone()).await?;
        }
    }
    let absent: Vec<String> = absent.into_iter().collect();
    for chunk in absent.chunks(ROWS) {
        pass.open().await?;
        let (chunk, writing) = (chunk.to_vec(), pass.writing.clone());
        let work =
            pass.write(move |txn| Box::pin(async move { Ok(documentation::remove(txn, &writing, &chunk).await?) }));
        work.await?;
    }
    Ok(())
}

async fn put(pass: &mut Pass<'_>, entity_ref: String, site: Site) -> Result<(), PassError> {
    pass.open().await?;
    pass.tally.files += 1;
    let (id, writing) = (pass.source.id, pass.writing.clone());
    let work = pass.write(move |txn| {
        Box::pin(async move { Ok(documentation::put(txn, &writing, id, &entity_ref, &site).await?) })
    });
    work.await
}

/// The folders and files with documentation, and the entities it is of.
async fn roots(
    pass: &Pass<'_>,
    loader: &Loader<'_>,
    ground: &Ground,
    files: &HashMap<String, KnownFile>,
) -> Result<BTreeMap<String, Vec<String>>, PassError> {
    let mut roots: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut stated = HashSet::new();
    for (file, KnownFile { links, .. }) in files {
        for Documented { entity_ref, target } in &links.documentation {
            stated.insert(entity_ref.as_str());
            if let Ok(root) = root(ground, file, target) {
                roots.entry(root).or_default().push(entity_ref.clone());
            }
        }
    }
    let readmes = readmes(loader, files.keys()).await;
    if readmes.is_empty() {
        return Ok(roots);
    }
    for (entity_ref, file, _) in store::declared(pass.app.db.reader(), pass.source.id).await? {
        let silent = !stated.contains(entity_ref.as_str()) && has_readme(&entity_ref);
        if let Some(readme) = readmes.get(folder(&file)).filter(|_| silent) {
            roots.entry(readme.clone()).or_default().push(entity_ref);
        }
    }
    Ok(roots)
}

/// The READMEs beside descriptors, by folder.
async fn readmes(loader: &Loader<'_>, files: impl Iterator<Item = &String>) -> HashMap<String, String> {
    let mut folders = BTreeSet::new();
    for file in files {
        // Behind a URL there is only a folder on hosts whose addresses are known.
        if !is_url(file) || Url::parse(file).is_ok_and(|url| remote::hosted_file(&url).is_some()) {
            folders.insert(folder(file));
        }
    }
    let mut found = HashMap::new();
    for folder in folders {
        for name in ["README.md", "readme.md", "Readme.md"] {
            let file = under(folder, name);
            if loader.read(&file).await.is_ok() {
                found.insert(folder.to_owned(), file);
                break;
            }
            if is_url(folder) {
                break;
            }
        }
    }
    found
}

fn has_readme(entity_ref: &str) -> bool {
    let kind = entity_ref.parse::<EntityRef>().map(|entity_ref| entity_ref.kind().to_owned());
    kind.is_ok_and(|kind| !WITHOUT_README.contains(&kind.as_str()))
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder or file that an annotation in `file` names: `dir:` is relative to
/// that file, `url:` an address; the older `github:` and `gitlab:` are the same.
fn root(ground: &Ground, file: &str, target: &str) -> Result<String, FetchError> {
    let place = match target.split_once(':') {
        Some(("dir" | "url" | "github" | "gitlab", place)) => place.trim(),
        _ => return Err(FetchError::Outside(target.chars().take(200).collect())),
    };
    // The name of a file in it, since the folder of the source itself has none.
    let inside = places::resolve(ground, file, &format!("{}/_", place.trim_end_matches('/')))?;
    Ok(inside.strip_suffix('_').unwrap_or(&inside).trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_name_folders() {
        let git = Ground { repository: Some("https://github.com/o/r".to_owned()), open: false };
        let root = |file: &str, target: &str| root(&git, file, target).ok();
        let cases = [
            ("a/info.yaml", "dir:.", Some("a")),
            ("info.yaml", "dir:.", Some("")),
            ("info.yaml", "dir:./", Some("")),
            ("a/info.yaml", "dir:../handbook/", Some("handbook")),
            ("a/info.yaml", "dir:guide.md", Some("a/guide.md")),
            ("a/info.yaml", "url:https://github.com/o/r/tree/main/b", Some("b")),
            ("a/info.yaml", "url:https://github.com/o/s/tree/main/b", Some("https://github.com/o/s/tree/main/b")),
            ("https://h.example/x/info.yaml", "dir:./docs", Some("https://h.example/x/docs")),
            ("a/info.yaml", "dir:../../up", None),
            ("a/info.yaml", "url:file:///etc", None),
            ("a/info.yaml", "elsewhere", None),
        ];
        for (file, target, expected) in cases {
            assert_eq!(root(file, target).as_deref(), expected, "{target} in {file}");
        }
    }

    #[test]
    fn people_and_places_have_no_readme() {
        assert!(has_readme("component:default/a") && !has_readme("group:default/a") && !has_readme("x"));
    }
}
