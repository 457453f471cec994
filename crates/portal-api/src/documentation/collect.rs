//! From a folder of Markdown to the documentation of an entity.
//!
//! With a `mkdocs.yml` its navigation and its folder count; without one, the
//! pages of the folder `docs`, else those of the folder itself. Behind a URL
//! nothing can be listed, so there the navigation names the pages.

use std::collections::BTreeMap;

use axum::body::Bytes;
use portal_core::document::{self, Budget};
use portal_core::documentation::links::{self, Target, image_type, is_markdown};
use portal_core::documentation::nav::{self, Settings};
use portal_core::documentation::wire::{DocumentationFault, NavItem};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::markdown;
use crate::sources::fetch::FetchError;
use crate::sources::places::is_url;

/// Pages of one documentation, and those of one behind a URL.
const PAGES: usize = 300;
const REMOTE_PAGES: usize = 50;
/// Images of one documentation.
const IMAGES: usize = 100;
/// Bytes of a page, of an image, and of all together.
const PAGE_LIMIT: usize = 1 << 20;
const IMAGE_LIMIT: usize = 2 << 20;
const TOTAL_LIMIT: usize = 20 << 20;
/// Faults told.
const FAULTS: usize = 20;

/// Reads the files of a source.
pub trait Files: Sync {
    fn read(&self, file: &str) -> impl Future<Output = Result<Bytes, FetchError>> + Send;

    /// The files that match a glob, sorted.
    fn matching(&self, pattern: &str) -> impl Future<Output = Result<Vec<String>, FetchError>> + Send;
}

/// Documentation as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Folder or file it was read from.
    pub root: String,
    pub title: Option<String>,
    pub nav: Vec<NavItem>,
    pub files: Vec<SiteFile>,
    pub faults: Vec<DocumentationFault>,
}

/// A page or an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFile {
    /// Path inside the documentation.
    pub path: String,
    /// Of a page.
    pub title: Option<String>,
    pub media_type: &'static str,
    /// SHA-256 of the content, in hex.
    pub hash: String,
    pub bytes: Bytes,
}

impl Site {
    /// Changes whenever anything of it does.
    pub fn hash(&self) -> String {
        let Self { root, title, nav, files, faults } = self;
        let files: Vec<_> = files.iter().map(|file| (&file.path, &file.hash)).collect();
        // The words of a fault may tell the time.
        let faults: Vec<_> = faults.iter().map(|fault| &fault.path).collect();
        let text = serde_json::to_vec(&(root, title, nav, files, faults)).unwrap_or_default();
        hex::encode(&Sha256::digest(text)[..16])
    }
}

/// Collects the documentation in a folder, or a single page.
///
/// # Errors
/// There is none, or nothing of it can be read.
pub async fn collect(files: &impl Files, root: &str) -> Result<Site, FetchError> {
    let mut collector = Collector { files, faults: Vec::new(), bytes: 0 };
    if is_markdown(root) {
        return collector.single(root).await;
    }
    let (mkdocs, settings) = collector.settings(root).await?;
    let folder = under(root, &settings.docs_dir);
    let pages = match (is_url(root), mkdocs) {
        (true, _) => collector.named_pages(&folder, root, &settings).await,
        (false, true) => collector.listed_pages(&folder, "**/*").await?,
        (false, false) => {
            let found = collector.listed_pages(&folder, "**/*").await?;
            if found.is_empty() { collector.listed_pages(root, "*").await? } else { found }
        }
    };
    let Some(first) = pages.first() else {
        return Err(FetchError::Absent(format!("{} with Markdown in it", shown(root))));
    };
    let base = first.base.clone();
    collector.site(root.to_owned(), &base, settings, pages).await
}

/// A page that was found, not read yet.
struct Found {
    /// The folder of the documentation.
    base: String,
    path: String,
}

struct Collector<'f, F> {
    files: &'f F,
    faults: Vec<DocumentationFault>,
    bytes: usize,
}

impl<F: Files> Collector<'_, F> {
    fn fault(&mut self, path: &str, message: String) {
        if self.faults.len() < FAULTS {
            self.faults.push(DocumentationFault { path: path.to_owned(), message });
        }
    }

    async fn single(self, root: &str) -> Result<Site, FetchError> {
        let (base, name) = root.rsplit_once('/').unwrap_or(("", root));
        let settings = Settings::read(&Value::Null);
        let found = Found { base: base.to_owned(), path: name.to_owned() };
        self.site(root.to_owned(), base, settings, vec![found]).await
    }

    /// The settings of a folder, and whether there are any.
    async fn settings(&mut self, root: &str) -> Result<(bool, Settings), FetchError> {
        for name in ["mkdocs.yml", "mkdocs.yaml"] {
            let file = under(root, name);
            match self.files.read(&file).await {
                Ok(bytes) => {
                    let reading = document::read(&bytes, &Budget::default());
                    for (_, fault) in reading.faults.iter().take(3) {
                        self.fault(name, format!("line {}: {}", fault.line, fault.message));
                    }
                    let value = reading.documents.into_iter().next().map(|document| document.value);
                    return Ok((true, Settings::read(&value.unwrap_or_default())));
                }
                Err(error) if error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        Ok((false, Settings::read(&Value::Null)))
    }

    async fn listed_pages(&mut self, base: &str, pattern: &str) -> Result<Vec<Found>, FetchError> {
        let mut paths = Vec::new();
        for extension in ["md", "markdown"] {
            let pattern = under(base, &format!("{pattern}.{extension}"));
            match self.files.matching(&pattern).await {
                Ok(found) => paths.extend(found),
                Err(error) if error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        paths.sort();
        let prefix = under(base, "");
        let inside = paths.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned);
        let found: Vec<Found> = inside.map(|path| Found { base: base.to_owned(), path }).collect();
        if found.len() > PAGES {
            self.fault(base, format!("{} pages; the first {PAGES} are shown", found.len()));
        }
        Ok(found.into_iter().take(PAGES).collect())
    }

    /// The pages that a navigation names, else the usual first one.
    async fn named_pages(&mut self, folder: &str, root: &str, settings: &Settings) -> Vec<Found> {
        let named = settings.nav.as_deref().map(nav::in_order).unwrap_or_default();
        if !named.is_empty() {
            // What is read is Markdown below the folder, whatever is named.
            let below = |path: &str| is_markdown(path) && !path.split('/').any(|part| part == "..");
            let named = named.into_iter().filter(|page| below(&page.path));
            let pages = named.map(|page| Found { base: folder.to_owned(), path: page.path });
            return pages.take(REMOTE_PAGES).collect();
        }
        for (base, path) in [(folder, "index.md"), (root, "README.md"), (root, "index.md")] {
            if self.files.read(&under(base, path)).await.is_ok() {
                return vec![Found { base: base.to_owned(), path: path.to_owned() }];
            }
        }
        Vec::new()
    }

    async fn site(
        mut self,
        root: String,
        base: &str,
        settings: Settings,
        found: Vec<Found>,
    ) -> Result<Site, FetchError> {
        let (mut files, mut titles, mut failure) = (Vec::new(), BTreeMap::new(), None);
        let mut images: Vec<(String, String)> = Vec::new();
        for Found { base, path } in found {
            let bytes = match self.content(&under(&base, &path), PAGE_LIMIT).await {
                Ok(bytes) => bytes,
                Err(error) if lasts(&error) => {
                    self.fault(&path, error.to_string());
                    failure = failure.or(Some(error));
                    continue;
                }
                // What cannot be read just now must not replace what could be.
                Err(error) => return Err(error),
            };
            let Ok(text) = std::str::from_utf8(&bytes) else {
                self.fault(&path, "it is not UTF-8 text".to_owned());
                continue;
            };
            let name = path.rsplit('/').next().unwrap_or_default();
            let title = markdown::title(text).unwrap_or_else(|| nav::spoken(name));
            images.extend(markdown::images(text).into_iter().map(|image| (path.clone(), image)));
            titles.insert(path.clone(), title.clone());
            files.push(file(path, Some(title), "text/markdown", bytes));
        }
        if let Some(failure) = failure.filter(|_| files.is_empty()) {
            return Err(failure);
        }
        self.images(base, images, &titles, &mut files).await?;
        let nav = match settings.nav {
            Some(nav) => {
                for page in nav::missing(&nav, &titles) {
                    self.fault(&page, "the navigation names it, but there is no such page".to_owned());
                }
                nav::completed(nav, &titles)
            }
            None => nav::from_pages(&titles),
        };
        Ok(Site { root, title: settings.site_name, nav, files, faults: self.faults })
    }

    async fn images(
        &mut self,
        base: &str,
        named: Vec<(String, String)>,
        titles: &BTreeMap<String, String>,
        files: &mut Vec<SiteFile>,
    ) -> Result<(), FetchError> {
        let mut seen = std::collections::BTreeSet::new();
        for (page, link) in named {
            if link.contains("://") || link.starts_with("data:") || link.starts_with("//") {
                continue;
            }
            let Target::File(path) = links::resolve(&page, &link, |path| titles.contains_key(path)) else {
                self.fault(&page, format!("the image `{link}` is outside of the documentation"));
                continue;
            };
            let Some(media_type) = image_type(&path).filter(|_| seen.insert(path.clone())) else { continue };
            if seen.len() > IMAGES {
                self.fault(&page, format!("more than {IMAGES} images; the others are left out"));
                return Ok(());
            }
            match self.content(&under(base, &path), IMAGE_LIMIT).await {
                Ok(bytes) => files.push(file(path, None, media_type, bytes)),
                Err(error) if lasts(&error) => self.fault(&page, format!("the image `{link}`: {error}")),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn content(&mut self, file: &str, limit: usize) -> Result<Bytes, FetchError> {
        let bytes = self.files.read(file).await?;
        if bytes.len() > limit {
            return Err(FetchError::Budget(format!("larger than {} KiB", limit >> 10)));
        }
        self.bytes += bytes.len();
        if self.bytes > TOTAL_LIMIT {
            return Err(FetchError::Budget(format!("the documentation is larger than {} MiB", TOTAL_LIMIT >> 20)));
        }
        Ok(bytes)
    }
}

/// Whether the next pass would fail in the same way.
fn lasts(error: &FetchError) -> bool {
    error.is_absent() || matches!(error, FetchError::Budget(_) | FetchError::Outside(_))
}

fn file(path: String, title: Option<String>, media_type: &'static str, bytes: Bytes) -> SiteFile {
    SiteFile { path, title, media_type, hash: hex::encode(Sha256::digest(&bytes)), bytes }
}

/// A path inside a folder; the top folder has no name.
pub fn under(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{}/{path}", folder.trim_end_matches('/')) }
}

fn shown(folder: &str) -> String {
    if folder.is_empty() { "a folder".to_owned() } else { format!("`{folder}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory(BTreeMap<&'static str, &'static str>);

    impl Files for Memory {
        async fn read(&self, file: &str) -> Result<Bytes, FetchError> {
            let text = self.0.get(file).ok_or_else(|| FetchError::Absent(file.to_owned()))?;
            Ok(Bytes::from_static(text.as_bytes()))
        }

        async fn matching(&self, pattern: &str) -> Result<Vec<String>, FetchError> {
            let glob = portal_core::glob::Glob::new(pattern).unwrap();
            Ok(self.0.keys().filter(|path| glob.matches(path)).map(|path| (*path).to_owned()).collect())
        }
    }

    async fn site(root: &str, files: &[(&'static str, &'static str)]) -> Result<Site, FetchError> {
        collect(&Memory(files.iter().copied().collect()), root).await
    }

    fn paths(site: &Site) -> Vec<&str> {
        site.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[tokio::test]
    async fn a_folder_with_settings() {
        let site = site(
            "booking",
            &[
                ("booking/mkdocs.yml", "site_name: Booking\nnav:\n  - Start: index.md\n  - gone.md\nmarkdown_extensions:\n  - x: !!python/name:y.z ''\n"),
                ("booking/docs/index.md", "# Welcome\n![flow](img/flow.svg) ![b](https://x.example/b.svg) ![up](../../x.png)"),
                ("booking/docs/img/flow.svg", "<svg/>"),
                ("booking/docs/deep/other.md", "no heading"),
                ("booking/README.md", "# Not this"),
            ],
        )
        .await
        .unwrap();
        assert_eq!(site.title.as_deref(), Some("Booking"));
        assert_eq!(paths(&site), ["deep/other.md", "index.md", "img/flow.svg"]);
        assert_eq!(nav::in_order(&site.nav).len(), 1);
        let faults: Vec<&str> = site.faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(faults, ["index.md", "gone.md"]);
    }

    #[tokio::test]
    async fn a_folder_without_settings_and_a_single_page() {
        let files = [
            ("a/README.md", "# A\n![x](x.png)"),
            ("a/x.png", "x"),
            ("a/src/notes.md", "n"),
            ("b/docs/z.md", "z"),
            ("b/README.md", "b"),
        ];
        assert_eq!(paths(&site("a", &files).await.unwrap()), ["README.md", "x.png"]);
        assert_eq!(paths(&site("b", &files).await.unwrap()), ["z.md"]);
        assert_eq!(paths(&site("a/README.md", &files).await.unwrap()), ["README.md", "x.png"]);
        assert!(site("c", &files).await.unwrap_err().is_absent());
        assert!(site("c.md", &files).await.unwrap_err().is_absent());
    }

    #[tokio::test]
    async fn the_top_folder_and_a_url() {
        let top = site("", &[("docs/index.md", "# T"), ("mkdocs.yml", "{")]).await.unwrap();
        assert_eq!((paths(&top), top.faults.len()), (vec!["index.md"], 1));
        let remote = site(
            "https://x.example/r",
            &[("https://x.example/r/mkdocs.yml", "nav: [a.md, b.md]"), ("https://x.example/r/docs/a.md", "a")],
        )
        .await
        .unwrap();
        assert_eq!((paths(&remote), remote.faults.len()), (vec!["a.md"], 2));
    }

    #[tokio::test]
    async fn the_hash_changes_with_the_content() {
        let hash = async |text| site("a", &[("a/README.md", text)]).await.unwrap().hash();
        assert_eq!(hash("a").await, hash("a").await);
        assert_ne!(hash("a").await, hash("b").await);
    }
}
