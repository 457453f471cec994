//! The documentation of a source's entities: which lies where, and what of it
//! changed.
//!
//! An entity names its folder with an annotation. One that does not has the
//! README beside its descriptor.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use portal_core::catalog::EntityRef;
use portal_core::documentation::has_readme;
use url::Url;

use super::super::fetch::{FetchError, Fetched, Request, remote};
use super::super::links::Documented;
use super::super::places::{self, Ground, is_url};
use super::super::store::{self, KnownFile};
use super::load::Loader;
use super::{Pass, PassError};
use crate::documentation::collect::{self, Files, Site, under};
use crate::documentation::store as documentation;

/// Entities whose documentation is removed in one write.
const ROWS: usize = 250;
/// Folders with documentation in one source, at most.
const ROOTS: usize = 5_000;
/// How a README is called.
const NAMES: [&str; 3] = ["README.md", "readme.md", "Readme.md"];

/// Collects the documentation of everything that the source declares, and
/// writes what differs from what is stored. Answers whether all of it could be
/// read; what could not stays as it was.
pub(super) async fn update(
    pass: &mut Pass<'_>,
    request: &Request,
    fetched: &Fetched,
    files: &HashMap<String, KnownFile>,
) -> Result<bool, PassError> {
    let app = pass.app;
    let (db, id) = (app.db.reader(), pass.source.id);
    let loader = Loader::new(&app.sources, request, &fetched.tree, fetched.secret.as_ref());
    let ground = Ground::of(request.source_type, &request.target, request.trusted);
    let known = documentation::known(db, id).await?;
    let readmes = readmes(&loader, files.keys()).await;
    let stated = files.values().any(|file| !file.links.documentation.is_empty());
    if known.is_empty() && !stated && readmes.found.is_empty() {
        return Ok(readmes.failed.is_empty());
    }
    let declared: HashMap<String, String> =
        store::declared(db, id).await?.into_iter().map(|(entity_ref, file, _)| (entity_ref, file)).collect();
    let mut complete = readmes.failed.is_empty();
    // Documentation whose entity has none any more, as far as that is certain.
    let mut gone: HashSet<String> = known.keys().cloned().collect();
    gone.retain(|entity_ref| declared.get(entity_ref).is_none_or(|file| !readmes.failed.contains(folder(file))));
    for (root, entities) in roots(&ground, files, &readmes, &declared).into_iter().take(ROOTS) {
        let site = match collect::collect(&loader, &root).await {
            Ok(site) => site,
            Err(error) if error.is_absent() => continue,
            Err(error) => {
                tracing::warn!(source.id = id, root, error = %error, "could not read documentation");
                gone.retain(|entity_ref| !entities.contains(entity_ref));
                complete = false;
                continue;
            }
        };
        for entity_ref in &entities {
            gone.remove(entity_ref);
        }
        let hash = site.hash();
        let changed = entities.into_iter().filter(|entity_ref| known.get(entity_ref) != Some(&hash));
        let changed: Vec<String> = changed.collect();
        for entity_ref in documentation::held(db, id, &changed).await? {
            put(pass, entity_ref, site.clone()).await?;
        }
    }
    // An entity whose document is broken now keeps its last good version, and this too.
    let gone: Vec<String> = gone.into_iter().collect();
    let held: HashSet<String> = documentation::held(db, id, &gone).await?.into_iter().collect();
    let gone: Vec<String> =
        gone.into_iter().filter(|entity_ref| declared.contains_key(entity_ref) || !held.contains(entity_ref)).collect();
    for chunk in gone.chunks(ROWS) {
        pass.open().await?;
        let (chunk, writing) = (chunk.to_vec(), pass.writing.clone());
        let work = pass.write(move |txn| {
            Box::pin(async move { Ok(documentation::remove(txn, &writing, &chunk, Some(id)).await?) })
        });
        work.await?;
    }
    Ok(complete)
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

/// The folders and files with documentation, and the entities it is of. A
/// document counts where the source's reference is declared.
fn roots(
    ground: &Ground,
    files: &HashMap<String, KnownFile>,
    readmes: &Readmes,
    declared: &HashMap<String, String>,
) -> BTreeMap<String, Vec<String>> {
    let mut roots: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut stated = HashSet::new();
    for (file, KnownFile { links, .. }) in files {
        for Documented { entity_ref, target } in &links.documentation {
            if declared.get(entity_ref) != Some(file) {
                continue;
            }
            stated.insert(entity_ref.as_str());
            if let Ok(root) = root(ground, file, target) {
                roots.entry(root).or_default().push(entity_ref.clone());
            }
        }
    }
    for (entity_ref, file) in declared {
        let silent = !stated.contains(entity_ref.as_str()) && is_about(entity_ref);
        if let Some(readme) = readmes.found.get(folder(file)).filter(|_| silent) {
            roots.entry(readme.clone()).or_default().push(entity_ref.clone());
        }
    }
    roots
}

/// The READMEs beside descriptors.
struct Readmes {
    /// By folder.
    found: HashMap<String, String>,
    /// Folders in which it could not be told.
    failed: HashSet<String>,
}

async fn readmes(loader: &Loader<'_>, files: impl Iterator<Item = &String>) -> Readmes {
    let mut folders = BTreeSet::new();
    for file in files {
        // Behind a URL there is only a folder on hosts whose addresses are known.
        if !is_url(file) || Url::parse(file).is_ok_and(|url| remote::hosted_file(&url).is_some()) {
            folders.insert(folder(file));
        }
    }
    let mut readmes = Readmes { found: HashMap::new(), failed: HashSet::new() };
    for folder in folders {
        // Every name is a request, behind a URL.
        let names = if is_url(folder) { &NAMES[..1] } else { &NAMES[..] };
        for name in names {
            let file = under(folder, name);
            match loader.read(&file).await {
                Ok(_) => {
                    readmes.found.insert(folder.to_owned(), file);
                    break;
                }
                Err(error) if error.is_absent() => {}
                Err(_) => {
                    readmes.failed.insert(folder.to_owned());
                }
            }
        }
    }
    readmes
}

/// Whether a README beside its descriptor is about this entity.
fn is_about(entity_ref: &str) -> bool {
    entity_ref.parse::<EntityRef>().is_ok_and(|entity_ref| has_readme(entity_ref.kind()))
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
    // As placeholders: a descriptor must not show what another repository keeps.
    if !places::may_include(ground, file, &inside) {
        return Err(FetchError::Outside(place.chars().take(200).collect()));
    }
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
            ("a/info.yaml", "url:https://github.com/o/s/tree/main/b", None),
            ("https://h.example/x/info.yaml", "url:https://i.example/y", None),
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
        assert!(is_about("component:default/a") && !is_about("group:default/a") && !is_about("x"));
    }
}
