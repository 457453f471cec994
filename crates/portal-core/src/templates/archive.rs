//! Archives of files of the workspace.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Trouble;
use super::workspace::{FilePath, Workspace};

/// A zip archive of a file, or of what is in a folder. The same files make the same bytes.
///
/// # Errors
/// There is nothing.
pub(super) fn zip(workspace: &Workspace, path: &FilePath) -> Result<Vec<u8>, Trouble> {
    let part = match workspace.get(path) {
        Some(file) => {
            let mut one = Workspace::default();
            one.write(FilePath::file(path.as_str().rsplit('/').next().unwrap_or_default())?, file.clone())?;
            one
        }
        None if path.as_str().is_empty() => workspace.clone(),
        None => workspace.part(path)?,
    };
    if part.is_empty() {
        return Err(Trouble::new("path_not_found", "the workspace is empty"));
    }
    let failed = |error: String| Trouble::new("invalid_input", format!("the archive cannot be written: {error}"));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, file) in part.files() {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(if file.executable { 0o755 } else { 0o644 });
        archive.start_file(name.as_str(), options).map_err(|error| failed(error.to_string()))?;
        archive.write_all(&file.content).map_err(|error| failed(error.to_string()))?;
    }
    Ok(archive.finish().map_err(|error| failed(error.to_string()))?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::super::workspace::File;
    use super::*;

    #[test]
    fn folders_and_files_are_packed_alike() {
        let mut workspace = Workspace::default();
        for (path, text) in [("README.md", "read"), ("src/main.rs", "fn main() {}"), ("src/deep/a.rs", "")] {
            workspace.write(FilePath::file(path).unwrap(), File::text(text)).unwrap();
        }
        let names = |path: &str| {
            let packed = zip(&workspace, &FilePath::folder(path).unwrap()).unwrap();
            assert_eq!(packed, zip(&workspace, &FilePath::folder(path).unwrap()).unwrap());
            let read = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
            let mut names: Vec<String> = read.file_names().map(|name| name.unwrap().into_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names("."), ["README.md", "src/deep/a.rs", "src/main.rs"]);
        assert_eq!(names("src"), ["deep/a.rs", "main.rs"]);
        assert_eq!(names("src/main.rs"), ["main.rs"]);
        assert_eq!(zip(&workspace, &FilePath::folder("nope").unwrap()).unwrap_err().code, "path_not_found");
    }
}
