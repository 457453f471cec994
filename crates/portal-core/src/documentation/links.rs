//! Where a link in a page leads.

use crate::percent;

/// The target of a link, seen from the page that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Another page, or a place in one.
    Page { path: String, fragment: Option<String> },
    /// An image or another file beside the pages.
    File(String),
    /// A place on the same page.
    Here(String),
    /// Above the documentation, or nothing that can be read.
    Outside,
}

/// Reads a relative link of the page at `base`, a path inside the documentation.
///
/// MkDocs lets pages be named by file (`../retries.md`) and by address
/// (`../retries/`); `is_page` tells which paths are pages.
pub fn resolve(base: &str, link: &str, is_page: impl Fn(&str) -> bool) -> Target {
    let (path, fragment) = match link.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment.to_owned()).filter(|fragment| !fragment.is_empty())),
        None => (link, None),
    };
    let path = path.split('?').next().unwrap_or_default();
    if path.is_empty() {
        return fragment.map_or(Target::Outside, Target::Here);
    }
    let path = percent::decode(path);
    let Some(joined) = join(base, &path) else { return Target::Outside };
    let folder = joined.is_empty() || path.ends_with('/') || path == "." || path == "..";
    let named = if folder { Vec::new() } else { vec![joined.clone()] };
    let slash = if joined.is_empty() { String::new() } else { format!("{joined}/") };
    let candidates =
        named.into_iter().chain([format!("{joined}.md"), format!("{slash}index.md"), format!("{slash}README.md")]);
    for candidate in candidates {
        if is_page(&candidate) {
            return Target::Page { path: candidate, fragment };
        }
    }
    if is_markdown(&joined) || folder { Target::Outside } else { Target::File(joined) }
}

/// Whether a path is that of a page.
pub fn is_markdown(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    matches!(extension.as_deref(), Some("md" | "markdown"))
}

/// The media type of a file that pages may show; `None` for other files.
pub fn image_type(path: &str) -> Option<&'static str> {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())?;
    Some(match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "avif" => "image/avif",
        _ => return None,
    })
}

/// `None` when the path climbs above the documentation.
fn join(base: &str, path: &str) -> Option<String> {
    let folder = match base.rsplit_once('/') {
        Some((folder, _)) if !path.starts_with('/') => folder,
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [&str; 4] = ["index.md", "guides/retries.md", "guides/README.md", "a b.md"];

    #[track_caller]
    fn check(base: &str, link: &str, expected: &str) {
        let shown = match resolve(base, link, |path| PAGES.contains(&path)) {
            Target::Page { path, fragment: Some(fragment) } => format!("{path}#{fragment}"),
            Target::Page { path, fragment: None } => path,
            Target::File(path) => format!("file {path}"),
            Target::Here(fragment) => format!("#{fragment}"),
            Target::Outside => "outside".to_owned(),
        };
        assert_eq!(shown, expected, "{link} in {base}");
    }

    #[test]
    fn links_are_relative_to_their_page() {
        check("index.md", "guides/retries.md", "guides/retries.md");
        check("index.md", "guides/retries.md#why", "guides/retries.md#why");
        check("guides/retries.md", "../index.md", "index.md");
        check("guides/retries.md", "../", "index.md");
        check("index.md", "guides/retries/", "guides/retries.md");
        check("index.md", "guides/", "guides/README.md");
        check("index.md", "guides/retries", "guides/retries.md");
        check("index.md", "/index.md", "index.md");
        check("index.md", "a%20b.md?x=1", "a b.md");
        check("guides/retries.md", "#why", "#why");
        check("guides/retries.md", "../images/flow.svg", "file images/flow.svg");
    }

    #[test]
    fn what_is_not_there_is_outside() {
        check("index.md", "../catalog-info.yaml", "outside");
        check("index.md", "absent.md", "outside");
        check("index.md", "absent/", "outside");
        check("index.md", "", "outside");
        check("index.md", "#", "outside");
        check("index.md", "%zz%", "file %zz%");
    }
}
