//! Files behind URLs: the page of a git host becomes the address of its bytes,
//! and two URLs can be asked whether they lie in the same repository.

use url::Url;

/// Where a file of a git host lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedFile {
    /// Scheme, host and port.
    pub origin: String,
    /// `owner/repository`, lower case; deeper on hosts with nested groups.
    pub repository: String,
    /// Branch, tag or commit; the first segment when a name has slashes.
    pub revision: String,
    pub path: String,
}

/// Reads the URL of a page, or of raw content, on a known kind of git host.
pub fn hosted_file(url: &Url) -> Option<HostedFile> {
    let host = url.host_str()?;
    let segments: Vec<&str> = url.path_segments()?.collect();
    let file = |origin: String, repository: &[&str], rest: &[&str]| {
        let (revision, path) = rest.split_first()?;
        (!repository.is_empty()).then(|| HostedFile {
            origin,
            repository: repository.join("/").trim_end_matches(".git").to_lowercase(),
            revision: (*revision).to_owned(),
            path: path.join("/"),
        })
    };
    let origin = url.origin().ascii_serialization();
    if host == "raw.githubusercontent.com" {
        let rest = segments.get(2..)?;
        // `refs/heads/<branch>/…` is the long form.
        let rest = rest.strip_prefix(&["refs", "heads"]).unwrap_or(rest);
        return file("https://github.com".to_owned(), segments.get(..2)?, rest);
    }
    // GitLab: `/group/…/repository/-/blob/<revision>/<path>`.
    if let Some(dash) = segments.iter().position(|segment| *segment == "-") {
        let rest = segments.get(dash + 2..)?;
        return is_view(segments.get(dash + 1)?).then(|| file(origin, &segments[..dash], rest)).flatten();
    }
    let (repository, rest) = (segments.get(..2)?, segments.get(2..)?);
    match rest {
        // Gitea and Forgejo: `/owner/repository/{src,raw}/branch/<branch>/<path>`.
        ["src" | "raw", "branch" | "tag" | "commit", rest @ ..] => file(origin, repository, rest),
        // GitHub, and Bitbucket's cloud: `/owner/repository/{blob,tree,raw,src}/<revision>/<path>`.
        [view, rest @ ..] if is_view(view) || *view == "src" => file(origin, repository, rest),
        _ => None,
    }
}

fn is_view(segment: &str) -> bool {
    matches!(segment, "blob" | "tree" | "raw" | "edit")
}

/// The address of a file's bytes, for the URL of its page.
pub fn raw(url: &Url) -> Url {
    let mut raw = url.clone();
    let Some(segments) = url.path_segments().map(|segments| segments.collect::<Vec<_>>()) else { return raw };
    let Some(host) = url.host_str() else { return raw };
    if matches!(host, "github.com" | "www.github.com") {
        if let [owner, repository, "blob" | "tree" | "raw" | "edit", rest @ ..] = segments.as_slice() {
            let path = format!("/{owner}/{}/{}", repository.trim_end_matches(".git"), rest.join("/"));
            if raw.set_host(Some("raw.githubusercontent.com")).is_ok() {
                raw.set_path(&path);
                raw.set_query(None);
                raw.set_fragment(None);
            }
        }
        return raw;
    }
    let view = |segment: &str| matches!(segment, "blob" | "tree" | "edit");
    let replaced = if let Some(dash) = segments.iter().position(|segment| *segment == "-") {
        segments.get(dash + 1).is_some_and(|segment| view(segment)).then_some(dash + 1)
    } else {
        match segments.get(2..) {
            Some(["src", "branch" | "tag" | "commit", ..]) => Some(2),
            Some(["src", ..]) if host == "bitbucket.org" => Some(2),
            _ => None,
        }
    };
    if let Some(at) = replaced {
        let mut segments = segments;
        segments[at] = "raw";
        raw.set_path(&segments.join("/"));
    }
    raw
}

/// Whether two files may refer to each other by placeholder: both in one
/// repository of a known host, else on one origin.
pub fn same_repository(one: &Url, other: &Url) -> bool {
    match (hosted_file(one), hosted_file(other)) {
        (Some(one), Some(other)) => one.origin == other.origin && one.repository == other.repository,
        (None, None) => one.origin() == other.origin(),
        _ => false,
    }
}

/// The path inside a repository that a URL points at, if it is a page of that
/// repository.
pub fn path_in(repository: &str, url: &Url) -> Option<String> {
    let clone = Url::parse(repository).ok()?;
    let file = hosted_file(url)?;
    let name = clone.path().trim_matches('/').trim_end_matches(".git").to_lowercase();
    (clone.origin().ascii_serialization() == file.origin && name == file.repository).then_some(file.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn pages_lead_to_bytes() {
        let cases = [
            ("https://github.com/o/r/blob/main/a/b.yaml", "https://raw.githubusercontent.com/o/r/main/a/b.yaml"),
            ("https://github.com/o/r/tree/main/a.yaml", "https://raw.githubusercontent.com/o/r/main/a.yaml"),
            ("https://gitlab.com/g/s/r/-/blob/main/a.yaml", "https://gitlab.com/g/s/r/-/raw/main/a.yaml"),
            ("https://codeberg.org/o/r/src/branch/main/a.yaml", "https://codeberg.org/o/r/raw/branch/main/a.yaml"),
            ("https://bitbucket.org/o/r/src/main/a.yaml", "https://bitbucket.org/o/r/raw/main/a.yaml"),
            ("https://example.org/a.yaml?x=1", "https://example.org/a.yaml?x=1"),
        ];
        for (page, bytes) in cases {
            assert_eq!(raw(&url(page)).as_str(), bytes);
        }
    }

    #[test]
    fn files_of_one_repository_know_each_other() {
        let check = |one: &str, other: &str| same_repository(&url(one), &url(other));
        let here = "https://github.com/o/r/blob/main/a.yaml";
        assert!(check(here, "https://github.com/O/R/blob/other/b/c.json"));
        assert!(check(here, "https://raw.githubusercontent.com/o/r/main/b.json"));
        assert!(!check(here, "https://github.com/o/s/blob/main/b.json"));
        assert!(!check(here, "https://gitlab.com/o/r/-/blob/main/b.json"));
        assert!(!check(here, "https://httpbin.org/spec.json"));
        assert!(check("http://h:1/a.yaml", "http://h:1/b/c.yaml"));
        assert!(!check("http://h:1/a.yaml", "http://h:2/c.yaml"));
    }

    #[test]
    fn a_page_of_the_own_repository_is_a_path() {
        let here = |page: &str| path_in("https://github.com/o/r.git", &url(page));
        assert_eq!(here("https://github.com/o/r/blob/main/a/b.yaml").as_deref(), Some("a/b.yaml"));
        assert_eq!(here("https://github.com/o/s/blob/main/a/b.yaml"), None);
        assert_eq!(here("https://github.com/o/r"), None);
    }
}
