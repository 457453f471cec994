//! The files that a run works on, in memory: nothing of it is a path of this machine, so
//! that no name in a template leads anywhere else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Trouble;
use crate::glob::Glob;

/// Files of one workspace.
pub const MOST_FILES: usize = 20_000;
/// Bytes of one workspace.
pub const MOST_BYTES: usize = 64 << 20;
/// Bytes of a path.
const LONGEST_PATH: usize = 1024;

/// A path within the workspace: relative, `/` between its parts, none of them `.`, `..` or `.git`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// Reads a path of a file.
    ///
    /// # Errors
    /// It is empty, absolute, leads out of the workspace or into `.git`.
    pub fn file(text: &str) -> Result<Self, Trouble> {
        let path = Self::folder(text)?;
        if path.0.is_empty() {
            return Err(denied(text, "names no file"));
        }
        Ok(path)
    }

    /// Reads a path of a file or a folder; the workspace itself is `.` or nothing.
    ///
    /// # Errors
    /// As [`FilePath::file`].
    pub fn folder(text: &str) -> Result<Self, Trouble> {
        if text.starts_with(['/', '\\']) || text.get(1..3).is_some_and(|part| part == ":\\" || part == ":/") {
            return Err(denied(text, "is absolute; paths are relative to the workspace"));
        }
        if text.len() > LONGEST_PATH {
            return Err(denied(text, "is too long"));
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        return Err(denied(text, "leads out of the workspace"));
                    }
                }
                _ if is_git(part) => return Err(denied(text, "leads into `.git`, which is written by git alone")),
                _ if part.len() > 255 || part.contains(|sign: char| sign.is_control() || sign == '\\') => {
                    return Err(denied(text, "has a part that cannot be a name"));
                }
                _ => parts.push(part),
            }
        }
        Ok(Self(parts.join("/")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This path below a folder.
    #[must_use]
    pub fn below(&self, folder: &FilePath) -> Self {
        match (folder.0.is_empty(), self.0.is_empty()) {
            (true, _) => self.clone(),
            (_, true) => folder.clone(),
            _ => Self(format!("{}/{}", folder.0, self.0)),
        }
    }

    /// The rest of this path below a folder, when it is there.
    pub fn within(&self, folder: &FilePath) -> Option<&str> {
        if folder.0.is_empty() {
            return Some(&self.0);
        }
        self.0.strip_prefix(&folder.0)?.strip_prefix('/')
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What file systems take for `.git`.
fn is_git(part: &str) -> bool {
    let trimmed = part.trim_end_matches(['.', ' ']);
    trimmed.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1")
}

fn denied(path: &str, why: &str) -> Trouble {
    let shown: String = path.chars().take(120).collect();
    Trouble::new("path_denied", format!("the path `{}` {why}", shown.escape_debug()))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub content: Arc<[u8]>,
    pub executable: bool,
}

impl File {
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into().into_bytes().into(), executable: false }
    }

    /// The content as text; `None` for what is binary.
    pub fn as_text(&self) -> Option<&str> {
        let head = &self.content[..self.content.len().min(8000)];
        if head.contains(&0) || head.starts_with(b"%PDF-") {
            return None;
        }
        std::str::from_utf8(&self.content).ok()
    }
}

/// Files by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    files: BTreeMap<FilePath, File>,
    bytes: usize,
}

impl Workspace {
    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// In the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&FilePath, &File)> {
        self.files.iter()
    }

    pub fn get(&self, path: &FilePath) -> Option<&File> {
        self.files.get(path)
    }

    /// Writes a file, whatever was there.
    ///
    /// # Errors
    /// The workspace would be too large, or a part of the path is a file, or the path a folder.
    pub fn write(&mut self, path: FilePath, file: File) -> Result<(), Trouble> {
        for (at, _) in path.0.match_indices('/') {
            let parent = FilePath(path.0[..at].to_owned());
            if self.files.contains_key(&parent) {
                return Err(Trouble::new("path_taken", format!("`{path}` cannot be written: `{parent}` is a file")));
            }
        }
        if self.is_folder(&path) {
            return Err(Trouble::new("path_taken", format!("`{path}` cannot be written: it is a folder")));
        }
        let before = self.files.get(&path).map_or(0, |file| file.content.len());
        let bytes = self.bytes - before + file.content.len();
        if bytes > MOST_BYTES {
            let message = format!("more than {} MB of files, at `{path}`", MOST_BYTES >> 20);
            return Err(Trouble::new("workspace_too_large", message));
        }
        if self.files.len() == MOST_FILES && !self.files.contains_key(&path) {
            return Err(Trouble::new("workspace_too_large", format!("more than {MOST_FILES} files, at `{path}`")));
        }
        self.bytes = bytes;
        self.files.insert(path, file);
        Ok(())
    }

    pub fn is_folder(&self, path: &FilePath) -> bool {
        path.0.is_empty() || self.below(path).next().is_some()
    }

    pub fn exists(&self, path: &FilePath) -> bool {
        self.files.contains_key(path) || self.is_folder(path)
    }

    /// What lies in a folder, at any depth, with its path from there.
    pub fn below<'w>(&'w self, folder: &'w FilePath) -> impl Iterator<Item = (&'w FilePath, &'w str)> {
        let from = if folder.0.is_empty() { String::new() } else { format!("{}/", folder.0) };
        let keys = self.files.range(FilePath(from.clone())..).map(|(path, _)| path);
        keys.take_while(move |path| path.0.starts_with(&from)).filter_map(|path| Some((path, path.within(folder)?)))
    }

    /// Removes a file, or a folder with everything in it; says how many files that were.
    pub fn remove(&mut self, path: &FilePath) -> usize {
        let mut gone: Vec<FilePath> = self.below(path).map(|(path, _)| path.clone()).collect();
        gone.extend(self.files.contains_key(path).then(|| path.clone()));
        for path in &gone {
            if let Some(file) = self.files.remove(path) {
                self.bytes -= file.content.len();
            }
        }
        gone.len()
    }

    /// Paths that match a glob.
    pub fn matching(&self, glob: &Glob) -> Vec<FilePath> {
        self.files.keys().filter(|path| glob.matches(&path.0)).cloned().collect()
    }

    /// All of it as bytes, for [`Workspace::from_bytes`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes + self.files.len() * 64);
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        for (path, file) in &self.files {
            bytes.extend(length(path.0.len()));
            bytes.extend(path.0.as_bytes());
            bytes.push(u8::from(file.executable));
            bytes.extend(length(file.content.len()));
            bytes.extend(&file.content[..]);
        }
        bytes
    }

    /// Reads what [`Workspace::to_bytes`] wrote; `None` for anything else.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut workspace = Workspace::default();
        let part = |bytes: &mut &[u8]| -> Option<Vec<u8>> {
            let (length, rest) = bytes.split_first_chunk::<4>()?;
            let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            *bytes = rest;
            Some(part.to_vec())
        };
        while !bytes.is_empty() {
            let path = FilePath::file(std::str::from_utf8(&part(&mut bytes)?).ok()?).ok()?;
            let (executable, rest) = bytes.split_first()?;
            bytes = rest;
            let content = part(&mut bytes)?.into();
            workspace.write(path, File { content, executable: *executable == 1 }).ok()?;
        }
        Some(workspace)
    }

    /// The part of it in a folder, as a workspace of its own.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn part(&self, folder: &FilePath) -> Result<Workspace, Trouble> {
        let mut part = Workspace::default();
        for (path, rest) in self.below(folder) {
            if let Some(file) = self.files.get(path) {
                part.write(FilePath(rest.to_owned()), file.clone())?;
            }
        }
        if part.is_empty() && !folder.0.is_empty() {
            return Err(Trouble::new("path_not_found", format!("there is no folder `{folder}` in the workspace")));
        }
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_workspace() {
        for (text, path) in [
            ("a", Some("a")),
            ("./a//b/", Some("a/b")),
            ("a/../b", Some("b")),
            (".gitignore", Some(".gitignore")),
            (".github/x", Some(".github/x")),
            ("", None),
            (".", None),
            ("../x", None),
            ("a/../../x", None),
            ("/etc/x", None),
            ("C:\\x", None),
            ("\\\\server\\x", None),
            (".git/config", None),
            ("a/.GIT/hooks/x", None),
            (".git./config", None),
            ("git~1/config", None),
            ("a\0b", None),
            ("a\\b", None),
        ] {
            assert_eq!(FilePath::file(text).ok().as_ref().map(FilePath::as_str), path, "{text:?}");
        }
        assert!(FilePath::file(&"a/".repeat(600)).is_err());
    }

    #[test]
    fn a_file_is_no_folder() {
        let path = |text: &str| FilePath::file(text).unwrap();
        let mut workspace = Workspace::default();
        workspace.write(path("a/b"), File::text("1")).unwrap();
        assert!(workspace.write(path("a"), File::text("2")).is_err());
        assert!(workspace.write(path("a/b/c"), File::text("2")).is_err());
        workspace.write(path("a.txt"), File::text("3")).unwrap();
        assert_eq!(workspace.below(&path("a")).map(|(_, rest)| rest).collect::<Vec<_>>(), ["b"]);
        assert_eq!(workspace.remove(&path("a")), 1);
        assert_eq!((workspace.len(), workspace.bytes), (1, 1));
    }

    #[test]
    fn a_workspace_is_read_back() {
        let mut workspace = Workspace::default();
        let executable = File { content: [0, 255, 10].into(), executable: true };
        workspace.write(FilePath::file("bin/tool").unwrap(), executable).unwrap();
        workspace.write(FilePath::file("ü").unwrap(), File::text("")).unwrap();
        let bytes = workspace.to_bytes();
        assert_eq!(Workspace::from_bytes(&bytes), Some(workspace));
        assert!((1..bytes.len()).filter(|end| Workspace::from_bytes(&bytes[..*end]).is_some()).count() <= 1);
    }

    #[test]
    fn a_workspace_has_limits() {
        let mut workspace = Workspace::default();
        let path = |text: &str| FilePath::file(text).unwrap();
        let large = File { content: vec![b'x'; MOST_BYTES].into(), executable: false };
        workspace.write(path("large"), large.clone()).unwrap();
        workspace.write(path("large"), large).unwrap();
        assert_eq!(workspace.write(path("one"), File::text("x")).unwrap_err().code, "workspace_too_large");
    }
}
