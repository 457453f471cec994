//! The navigation: as a `mkdocs.yml` states it, or made from the files.

use std::collections::BTreeMap;

use serde_json::Value;

use super::links::is_markdown;
use super::wire::{NavItem, PageLink};

/// Levels of a navigation.
const DEPTH: usize = 6;

/// What a `mkdocs.yml` says, as far as it is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub site_name: Option<String>,
    /// Folder of the pages; `docs` when absent.
    pub docs_dir: String,
    /// Absent: made from the files.
    pub nav: Option<Vec<NavItem>>,
}

impl Settings {
    /// Reads the settings; what has another shape than expected counts as absent.
    pub fn read(mkdocs: &Value) -> Self {
        let text = |key: &str| mkdocs.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let nav = mkdocs.get("nav").and_then(Value::as_array).map(|entries| entries_of(entries, 0));
        Self {
            site_name: text("site_name").map(str::to_owned),
            docs_dir: text("docs_dir").and_then(inside).unwrap_or_else(|| "docs".to_owned()),
            nav: nav.filter(|nav| !nav.is_empty()),
        }
    }
}

/// A folder without `.` in its path; `None` when it climbs.
fn inside(folder: &str) -> Option<String> {
    let parts: Vec<&str> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// The entries of a `nav`: a path, `title: path`, `title: address` or
/// `title: [entries]`. A title that is missing is left empty.
fn entries_of(entries: &[Value], depth: usize) -> Vec<NavItem> {
    let mut items = Vec::new();
    for entry in entries {
        match entry {
            Value::String(target) => items.push(leaf(String::new(), target)),
            Value::Object(map) => {
                for (title, value) in map {
                    match value {
                        Value::String(target) => items.push(leaf(title.clone(), target)),
                        Value::Array(below) if depth < DEPTH => {
                            let items_below = entries_of(below, depth + 1);
                            items.push(NavItem { title: title.clone(), page: None, url: None, items: items_below });
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    items
}

fn leaf(title: String, target: &str) -> NavItem {
    let target = target.trim();
    let elsewhere = target.starts_with("https://") || target.starts_with("http://");
    let (page, url) = match elsewhere {
        true => (None, Some(target.to_owned())),
        false => (Some(target.trim_start_matches("./").trim_start_matches('/').to_owned()), None),
    };
    let title = if title.is_empty() && elsewhere { target.to_owned() } else { title };
    NavItem { title, page, url, items: Vec::new() }
}

/// Pages that an entry names and that do not exist.
pub fn missing(nav: &[NavItem], titles: &BTreeMap<String, String>) -> Vec<String> {
    let mut missing = Vec::new();
    for item in nav {
        missing.extend(item.page.clone().filter(|page| !titles.contains_key(page)));
        missing.extend(self::missing(&item.items, titles));
    }
    missing
}

/// A stated navigation with the pages that exist, each with a title.
pub fn completed(nav: Vec<NavItem>, titles: &BTreeMap<String, String>) -> Vec<NavItem> {
    let complete = |item: NavItem| {
        let NavItem { title, page, url, items } = item;
        let title = match (&page, title.is_empty()) {
            (Some(page), true) => titles.get(page).cloned()?,
            (Some(page), false) => titles.contains_key(page).then_some(title)?,
            (None, _) => title,
        };
        let items = completed(items, titles);
        let leads_somewhere = page.is_some() || url.is_some() || !items.is_empty();
        leads_somewhere.then_some(NavItem { title, page, url, items })
    };
    nav.into_iter().filter_map(complete).collect()
}

/// A navigation made from the pages: folders are headings, an index comes first.
pub fn from_pages(titles: &BTreeMap<String, String>) -> Vec<NavItem> {
    let paths: Vec<(Vec<&str>, &str)> = titles.keys().map(|path| (path.split('/').collect(), path.as_str())).collect();
    let borrowed: Vec<(&[&str], &str)> = paths.iter().map(|(parts, path)| (parts.as_slice(), *path)).collect();
    folder(&borrowed, titles)
}

fn folder(paths: &[(&[&str], &str)], titles: &BTreeMap<String, String>) -> Vec<NavItem> {
    let mut pages = Vec::new();
    let mut folders: BTreeMap<&str, Vec<(&[&str], &str)>> = BTreeMap::new();
    for (parts, path) in paths {
        match parts {
            [_] => pages.push(*path),
            [name, rest @ ..] => folders.entry(name).or_default().push((rest, path)),
            [] => {}
        }
    }
    pages.sort_by_key(|path| (!is_index(path), path.to_lowercase()));
    let pages = pages.into_iter().map(|path| NavItem {
        title: titles.get(path).cloned().unwrap_or_default(),
        page: Some(path.to_owned()),
        url: None,
        items: Vec::new(),
    });
    let below = folders.into_iter().map(|(name, paths)| NavItem {
        title: spoken(name),
        page: None,
        url: None,
        items: folder(&paths, titles),
    });
    pages.chain(below).collect()
}

/// Whether a page is the first of its folder.
pub fn is_index(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    is_markdown(&name) && (name.starts_with("index.") || name.starts_with("readme."))
}

/// A file's or folder's name as a title: `rate-cards.md` → `Rate cards`.
pub fn spoken(name: &str) -> String {
    let stem = if is_markdown(name) { name.rsplit_once('.').map_or(name, |(stem, _)| stem) } else { name };
    let words = stem.replace(['-', '_'], " ");
    let mut letters = words.trim().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The pages in reading order.
pub fn in_order(nav: &[NavItem]) -> Vec<PageLink> {
    let mut pages = Vec::new();
    for NavItem { title, page, items, .. } in nav {
        pages.extend(page.as_ref().map(|path| PageLink { path: path.clone(), title: title.clone() }));
        pages.extend(in_order(items));
    }
    pages
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn titles(pages: &[(&str, &str)]) -> BTreeMap<String, String> {
        pages.iter().map(|(path, title)| ((*path).to_owned(), (*title).to_owned())).collect()
    }

    fn shown(nav: &[NavItem]) -> Vec<String> {
        let mut lines = Vec::new();
        for NavItem { title, page, url, items } in nav {
            lines.push(format!("{title}: {}", page.as_ref().or(url.as_ref()).map_or("", |target| target)));
            lines.extend(shown(items).into_iter().map(|line| format!("  {line}")));
        }
        lines
    }

    #[test]
    fn a_stated_navigation_is_followed() {
        let mkdocs = json!({
            "site_name": " Booking ", "docs_dir": "pages/",
            "nav": [
                "index.md",
                {"Guides": [{"Retries": "guides/retries.md"}, "guides/absent.md", {"Empty": []}]},
                {"Runbook": "https://example.org/runbook"},
                7,
            ],
        });
        let Settings { site_name, docs_dir, nav } = Settings::read(&mkdocs);
        assert_eq!((site_name.as_deref(), docs_dir.as_str()), (Some("Booking"), "pages"));
        let titles = titles(&[("index.md", "Welcome"), ("guides/retries.md", "On retries")]);
        let nav = nav.unwrap();
        assert_eq!(missing(&nav, &titles), ["guides/absent.md"]);
        assert_eq!(
            shown(&completed(nav, &titles)),
            ["Welcome: index.md", "Guides: ", "  Retries: guides/retries.md", "Runbook: https://example.org/runbook"]
        );
    }

    #[test]
    fn settings_of_another_shape_count_as_absent() {
        let bare = Settings { site_name: None, docs_dir: "docs".to_owned(), nav: None };
        for mkdocs in [json!(null), json!([1]), json!({"nav": "x", "site_name": [], "docs_dir": 3}), json!({"nav": []})]
        {
            assert_eq!(Settings::read(&mkdocs), bare);
        }
    }

    #[test]
    fn the_folder_of_the_pages_is_below() {
        let docs_dir = |text: &str| Settings::read(&json!({ "docs_dir": text })).docs_dir;
        for (text, expected) in
            [("./pages/", "pages"), (".", ""), ("a/./b", "a/b"), ("../up", "docs"), ("a/../../b", "docs")]
        {
            assert_eq!(docs_dir(text), expected, "{text}");
        }
    }

    #[test]
    fn without_one_folders_are_headings() {
        let titles = titles(&[
            ("zebra.md", "Zebra"),
            ("index.md", "Start"),
            ("how-to/second.md", "Second"),
            ("how-to/README.md", "How to"),
        ]);
        let nav = from_pages(&titles);
        assert_eq!(
            shown(&nav),
            [
                "Start: index.md",
                "Zebra: zebra.md",
                "How to: ",
                "  How to: how-to/README.md",
                "  Second: how-to/second.md"
            ]
        );
        let order: Vec<String> = in_order(&nav).into_iter().map(|page| page.path).collect();
        assert_eq!(order, ["index.md", "zebra.md", "how-to/README.md", "how-to/second.md"]);
    }

    #[test]
    fn names_are_spoken() {
        assert_eq!(spoken("rate-cards.md"), "Rate cards");
        assert_eq!(spoken("v1.2_notes"), "V1.2 notes");
        assert_eq!(spoken(""), "");
    }
}
