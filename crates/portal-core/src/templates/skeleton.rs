//! `fetch:template`: a folder of files, their names and contents rendered with values.

use serde_json::{Map, Value};

use super::Trouble;
use super::language::{self, Context, Hosts, Style};
use super::workspace::{File, FilePath, Workspace};
use crate::glob::Glob;

/// How the files of a skeleton become those of a workspace.
#[derive(Debug, Clone, Default)]
pub struct Rendering {
    pub values: Map<String, Value>,
    /// Files whose content is copied; their names are rendered.
    pub copied: Vec<Glob>,
    /// Their names are copied as well.
    pub copies_names: bool,
    /// Only files with this ending are rendered, and lose it: `.njk`.
    pub extension: Option<String>,
    /// Values are called `cookiecutter`, and tags are `{{ }}`.
    pub cookiecutter: bool,
    pub trim_blocks: bool,
    pub lstrip_blocks: bool,
    /// Files that are there already are replaced.
    pub replaces: bool,
}

/// Reads the globs of `copyWithoutTemplating`. A name without a wildcard is a file, or a
/// folder with all that is in it.
///
/// # Errors
/// The first pattern that is not a glob.
pub fn globs(patterns: &[String]) -> Result<Vec<Glob>, Trouble> {
    let mut globs = Vec::new();
    for pattern in patterns {
        let within = format!("{}/**", pattern.trim_end_matches('/'));
        for pattern in [pattern.as_str(), &within] {
            let glob = Glob::new(pattern);
            let refused = |why| Trouble::new("invalid_input", format!("`{pattern}` is not a glob: {why}"));
            globs.push(glob.map_err(refused)?);
        }
    }
    Ok(globs)
}

/// Writes a skeleton into a folder of the workspace; answers the paths that were written.
///
/// # Errors
/// The first file whose name or content cannot be rendered or written, with its place.
pub fn write(
    skeleton: &Workspace,
    rendering: &Rendering,
    hosts: &Hosts,
    target: &FilePath,
    workspace: &mut Workspace,
) -> Result<Vec<FilePath>, Trouble> {
    let name = if rendering.cookiecutter { "cookiecutter" } else { "values" };
    let values: Map<String, Value> = [(name.to_owned(), Value::Object(rendering.values.clone()))].into_iter().collect();
    let context = Context { values: &values, functions: &[], hosts };
    let Rendering { cookiecutter, trim_blocks, lstrip_blocks, .. } = *rendering;
    let style = Style { cookiecutter, trim_blocks, lstrip_blocks };
    let mut written = Vec::new();
    for (source, file) in skeleton.files() {
        let copied = rendering.copied.iter().any(|glob| glob.matches(source.as_str()));
        let (is_rendered, source_name) = match &rendering.extension {
            Some(extension) => match source.as_str().strip_suffix(extension.as_str()) {
                Some(stem) => (true, stem),
                None => (false, source.as_str()),
            },
            None => (!copied, source.as_str()),
        };
        let name_style = Style { cookiecutter, ..Style::default() };
        let named = |text: &str| language::render(text, name_style, &context);
        let rendered_name = if copied && rendering.copies_names {
            source_name.to_owned()
        } else {
            named(source_name).map_err(|fault| stopped(&format!("the name `{source}`"), &fault))?
        };
        // A name, or a folder's, that renders to nothing leaves the file out.
        let has_gap = rendered_name.is_empty() || rendered_name.starts_with('/') || rendered_name.contains("//");
        if has_gap && source_name.split('/').any(|part| named(part).is_ok_and(|name| name.is_empty())) {
            continue;
        }
        let path = FilePath::file(&rendered_name)?.below(target);
        if workspace.get(&path).is_some() && !rendering.replaces {
            continue;
        }
        let content = match file.as_text().filter(|_| is_rendered) {
            Some(text) => {
                let rendered = language::render(text, style, &context);
                rendered.map_err(|fault| stopped(&format!("`{source}`"), &fault))?.into_bytes().into()
            }
            None => file.content.clone(),
        };
        workspace.write(path.clone(), File { content, executable: file.executable })?;
        written.push(path);
    }
    Ok(written)
}

fn stopped(what: &str, fault: &language::Fault) -> Trouble {
    let code = if fault.is_budget { "template_budget" } else { "template_error" };
    Trouble::new(code, format!("{what}, {fault}"))
}
