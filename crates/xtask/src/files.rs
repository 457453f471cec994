//! Files that are written only when their content changes, so that nothing
//! that depends on them is built again for nothing.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Twelve hexadecimal digits that change with the content. Good for telling
/// versions apart, not against an adversary.
pub fn content_hash(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        hasher.write_usize(part.len());
        hasher.write(part);
    }
    format!("{:012x}", hasher.finish() >> 16)
}

pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Returns whether the file had to be written.
pub fn write_if_changed(path: &Path, content: &[u8]) -> Result<bool> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

pub fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}

pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Every file below a folder, sorted, as paths relative to it. A folder that
/// is absent has none.
pub fn list(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot list {}", path.display())),
        };
        for entry in entries {
            let entry = entry?;
            let relative = folder.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true => folders.push(relative),
                false => found.push(relative),
            }
        }
    }
    found.sort();
    Ok(found)
}

/// `pkg/portal.js` on every system.
pub fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_content_and_on_where_parts_end() {
        assert_eq!(content_hash(&[b"ab"]).len(), 12);
        assert_eq!(content_hash(&[b"ab"]), content_hash(&[b"ab"]));
        assert_ne!(content_hash(&[b"ab", b"c"]), content_hash(&[b"a", b"bc"]));
    }

    #[test]
    fn equal_content_is_not_written_again() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("portal-xtask-files-{}", std::process::id()));
        let file = folder.join("a/b.txt");
        assert!(write_if_changed(&file, b"one")?);
        assert!(!write_if_changed(&file, b"one")?);
        assert!(write_if_changed(&file, b"two")?);
        assert_eq!(list(&folder)?, [PathBuf::from("a/b.txt")]);
        fs::remove_dir_all(&folder)?;
        assert!(list(&folder)?.is_empty());
        Ok(())
    }
}
