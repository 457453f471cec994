//! Names of files: a path inside the tree of a source, or a URL; and how a
//! relative target becomes one.

use portal_core::sources::wire::SourceType;
use url::Url;

use super::fetch::{FetchError, remote};
use portal_core::glob::{Glob, is_glob};

/// Where the files of a source lie, as far as resolving names needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// URL of the repository, for pages of itself.
    pub repository: Option<String>,
    /// A path may climb above the folder of the source, and placeholders may
    /// name other places: files on disk that the operator listed.
    pub open: bool,
}

impl Ground {
    /// Of a source of this type.
    pub fn of(source_type: SourceType, target: &str, trusted: bool) -> Self {
        let repository = (source_type == SourceType::Git).then(|| target.to_owned());
        Self { repository, open: source_type == SourceType::Path && trusted }
    }
}

/// Whether a file's name is a URL.
pub fn is_url(name: &str) -> bool {
    name.starts_with("https://") || name.starts_with("http://")
}

/// The file that `target` means when `base` names it.
///
/// # Errors
/// It is neither a path inside the source nor an HTTP(S) URL.
pub fn resolve(ground: &Ground, base: &str, target: &str) -> Result<String, FetchError> {
    let target = target.trim();
    let outside = || FetchError::Outside(target.chars().take(200).collect());
    if target.is_empty() || target.chars().any(char::is_control) {
        return Err(outside());
    }
    if is_url(base) {
        let base = Url::parse(base).map_err(|_| outside())?;
        let joined = base.join(target).map_err(|_| outside())?;
        return if is_url(joined.as_str()) { Ok(joined.into()) } else { Err(outside()) };
    }
    if target.contains("://") || target.starts_with("file:") {
        let url = Url::parse(target).map_err(|_| outside())?;
        if !is_url(url.as_str()) {
            return Err(outside());
        }
        let own = ground.repository.as_deref().and_then(|repository| remote::path_in(repository, &url));
        return Ok(own.unwrap_or_else(|| url.into()));
    }
    if target.starts_with('/') && ground.open {
        return Ok(target.to_owned());
    }
    let folder = match base.rsplit_once('/') {
        Some((folder, _)) if !target.starts_with('/') => folder,
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ if ground.open => parts.push(".."),
                _ => return Err(outside()),
            },
            part => parts.push(part),
        }
    }
    let absolute = if folder.starts_with('/') { "/" } else { "" };
    if parts.is_empty() { Err(outside()) } else { Ok(format!("{absolute}{}", parts.join("/"))) }
}

/// Whether `target` in `base` means `file`, or is a glob that matches it.
pub fn leads_to(ground: &Ground, base: &str, target: &str, file: &str) -> bool {
    resolve(ground, base, target).is_ok_and(|meant| {
        let glob = is_glob(&meant) && !is_url(&meant);
        meant == file || glob && Glob::new(&meant).is_ok_and(|glob| glob.matches(file))
    })
}

/// Whether a placeholder in `base` may read `file`: only inside the same
/// repository.
pub fn may_include(ground: &Ground, base: &str, file: &str) -> bool {
    match (Url::parse(base), Url::parse(file)) {
        (Ok(base), Ok(file)) if is_url(base.as_str()) && is_url(file.as_str()) => remote::same_repository(&base, &file),
        _ => !is_url(file) || ground.open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ground: &Ground, base: &str, target: &str, expected: Option<&str>) {
        assert_eq!(resolve(ground, base, target).ok().as_deref(), expected, "{target} in {base}");
    }

    #[test]
    fn targets_are_relative_to_the_file_that_names_them() {
        let git = Ground { repository: Some("https://github.com/o/r".to_owned()), open: false };
        check(&git, "a/b.yaml", "./c.yaml", Some("a/c.yaml"));
        check(&git, "a/b.yaml", "../c.yaml", Some("c.yaml"));
        check(&git, "a/b.yaml", "/c.yaml", Some("c.yaml"));
        check(&git, "a/b.yaml", "x/../c.yaml", Some("a/c.yaml"));
        check(&git, "b.yaml", "../c.yaml", None);
        check(&git, "b.yaml", "https://github.com/o/r/blob/main/x/y.yaml", Some("x/y.yaml"));
        check(&git, "b.yaml", "https://h/x.yaml", Some("https://h/x.yaml"));
        for hostile in ["file:///etc/passwd", "ftp://h/x", "ssh://h/x", "", "a\0b", "."] {
            check(&git, "b.yaml", hostile, None);
        }
    }

    #[test]
    fn listed_folders_may_be_left_and_urls_are_joined() {
        let disk = Ground { repository: None, open: true };
        check(&disk, "all.yaml", "../x.yaml", Some("../x.yaml"));
        check(&disk, "../y/all.yaml", "../x.yaml", Some("../x.yaml"));
        check(&disk, "all.yaml", "/srv/x.yaml", Some("/srv/x.yaml"));
        check(&disk, "/srv/a/b.yaml", "../x.yaml", Some("/srv/x.yaml"));
        let page = "https://github.com/o/r/blob/main/a/b.yaml";
        check(&disk, page, "./c.yaml", Some("https://github.com/o/r/blob/main/a/c.yaml"));
        check(&disk, page, "https://h/x.yaml", Some("https://h/x.yaml"));
        check(&disk, page, "file:///etc/passwd", None);
    }

    #[test]
    fn a_target_leads_to_a_file_or_to_those_of_its_glob() {
        let ground = Ground::of(SourceType::Git, "https://github.com/o/r", false);
        assert!(leads_to(&ground, "all.yaml", "./a/b.yaml", "a/b.yaml"));
        assert!(leads_to(&ground, "x/all.yaml", "../a/*.yaml", "a/b.yaml"));
        assert!(!leads_to(&ground, "x/all.yaml", "./a/*.yaml", "a/b.yaml"));
        assert!(!leads_to(&ground, "all.yaml", "../../b.yaml", "b.yaml"));
    }

    #[test]
    fn placeholders_stay_in_their_repository() {
        let closed = Ground { repository: Some("https://github.com/o/r".to_owned()), open: false };
        assert!(may_include(&closed, "a.yaml", "b.json"));
        assert!(!may_include(&closed, "a.yaml", "https://github.com/o/s/blob/main/b.json"));
        assert!(may_include(&Ground { repository: None, open: true }, "a.yaml", "https://h/b.json"));
        assert!(!may_include(&closed, "https://h/a.yaml", "https://i/b.json"));
        assert!(may_include(&closed, "https://h/a.yaml", "https://h/b.json"));
    }
}
