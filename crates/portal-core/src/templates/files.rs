//! The steps that work on the workspace and on values, and need nothing else.

use serde_json::{Map, Value};

use super::Trouble;
use super::archive;
use super::input::Input;
use super::jsonata;
use super::language::Hosts;
use super::skeleton::{self, Rendering};
use super::workspace::{File, FilePath, Workspace};
use crate::document::{self, Budget};
use crate::glob::Glob;
use crate::yaml::to_yaml;

type Output = Result<Map<String, Value>, Trouble>;

/// Does a step of this kind; nothing for every other.
pub fn run(
    action: &str,
    input: &Input<'_>,
    workspace: &mut Workspace,
    hosts: &Hosts,
    log: &mut dyn FnMut(String),
) -> Option<Output> {
    Some(match action {
        "catalog:write" => write_entity(input, workspace, log),
        "debug:log" => debug(input, workspace, log),
        "fs:delete" => delete(input, workspace, log),
        "fs:readdir" => read_folders(input, workspace),
        "fs:rename" => rename(input, workspace, log),
        "workspace:template" => template_folder(input, workspace, hosts, log),
        "roadiehq:utils:fs:append" => append(input, workspace),
        "roadiehq:utils:fs:parse" => parse(input, workspace),
        "roadiehq:utils:fs:replace" => replace(input, workspace, log),
        "roadiehq:utils:fs:write" => write(input, workspace),
        "roadiehq:utils:jsonata" => input.required("data").and_then(|data| question(input, data)),
        "roadiehq:utils:jsonata:json:transform" => question_file(input, workspace),
        "roadiehq:utils:jsonata:yaml:transform" => question_yaml(input, workspace),
        "roadiehq:utils:merge" => merge(input, workspace),
        "roadiehq:utils:serialize:json" => serialize_json(input),
        "roadiehq:utils:serialize:yaml" => input.required("data").and_then(|data| serialized(to_yaml(data))),
        "roadiehq:utils:zip" => zip(input, workspace, log),
        _ => return None,
    })
}

fn nothing() -> Output {
    Ok(Map::new())
}

fn output(name: &str, value: impl Into<Value>) -> Output {
    Ok([(name.to_owned(), value.into())].into_iter().collect())
}

fn serialized(text: String) -> Output {
    output("serialized", text)
}

/// How `fetch:template` and its kin render.
///
/// # Errors
/// A glob that is none.
pub fn rendering(input: &Input<'_>) -> Result<Rendering, Trouble> {
    let copied = input.texts("copyWithoutTemplating")?;
    let copied_whole = input.texts("copyWithoutRender")?;
    let extension = match input.get("templateFileExtension") {
        Some(Value::Bool(true)) => Some(".njk".to_owned()),
        Some(Value::String(text)) if text.starts_with('.') => Some(text.clone()),
        Some(Value::String(text)) if !text.is_empty() => Some(format!(".{text}")),
        _ => None,
    };
    let trims = input.flag("trimBlocks")?;
    Ok(Rendering {
        values: input.object("values")?.cloned().unwrap_or_default(),
        copied: skeleton::globs(if copied_whole.is_empty() { &copied } else { &copied_whole })?,
        copies_names: !copied_whole.is_empty(),
        extension,
        cookiecutter: input.flag("cookiecutterCompat")?,
        trim_blocks: trims,
        lstrip_blocks: trims || input.flag("lstripBlocks")?,
        replaces: input.flag("replace")?,
    })
}

fn template_folder(input: &Input<'_>, workspace: &mut Workspace, hosts: &Hosts, log: &mut dyn FnMut(String)) -> Output {
    let source = workspace.part(&input.folder("sourcePath")?)?;
    let target = input.folder("targetPath")?;
    let written = skeleton::write(&source, &rendering(input)?, hosts, &target, workspace)?;
    log(format!("wrote {} files", written.len()));
    nothing()
}

fn write_entity(input: &Input<'_>, workspace: &mut Workspace, log: &mut dyn FnMut(String)) -> Output {
    let entity = input.required("entity")?;
    let path = FilePath::file(input.text("filePath")?.unwrap_or("catalog-info.yaml"))?;
    log(format!("writing `{path}`"));
    workspace.write(path, File::text(to_yaml(entity)))?;
    nothing()
}

fn debug(input: &Input<'_>, workspace: &Workspace, log: &mut dyn FnMut(String)) -> Output {
    if let Some(message) = input.get("message") {
        log(message.as_str().map_or_else(|| message.to_string(), str::to_owned));
    }
    let shows = input.get("listWorkspace").filter(|value| *value != &Value::Bool(false));
    for (path, file) in workspace.files().filter(|_| shows.is_some()) {
        log(format!("{path} ({} bytes)", file.content.len()));
        if let (true, Some(text)) = (shows.is_some_and(|value| value == "with-contents"), file.as_text()) {
            log(text.to_owned());
        }
    }
    nothing()
}

fn delete(input: &Input<'_>, workspace: &mut Workspace, log: &mut dyn FnMut(String)) -> Output {
    for pattern in input.texts("files")? {
        let count = if crate::glob::is_glob(&pattern) {
            let glob = glob(&pattern)?;
            workspace.matching(&glob).iter().map(|path| workspace.remove(path)).sum()
        } else {
            workspace.remove(&FilePath::file(&pattern)?)
        };
        log(format!("removed {count} files of `{pattern}`"));
    }
    nothing()
}

fn glob(pattern: &str) -> Result<Glob, Trouble> {
    Glob::new(pattern).map_err(|why| Trouble::new("invalid_input", format!("`{pattern}` is not a glob: {why}")))
}

fn rename(input: &Input<'_>, workspace: &mut Workspace, log: &mut dyn FnMut(String)) -> Output {
    for item in input.objects("files")? {
        let (from, to) = (item.file("from")?, item.file("to")?);
        if !workspace.exists(&from) {
            return Err(Trouble::new("path_not_found", format!("there is no `{from}` in the workspace")));
        }
        if workspace.exists(&to) && !item.flag("overwrite")? {
            let message = format!("`{to}` is there already, and `overwrite` is not set");
            return Err(Trouble::new("path_taken", message));
        }
        let moved: Vec<(FilePath, File)> = match workspace.get(&from) {
            Some(file) => vec![(to.clone(), file.clone())],
            None => {
                let part = workspace.part(&from)?;
                part.files().map(|(path, file)| (path.below(&to), file.clone())).collect()
            }
        };
        workspace.remove(&from);
        workspace.remove(&to);
        log(format!("moved `{from}` to `{to}`"));
        for (path, file) in moved {
            workspace.write(path, file)?;
        }
    }
    nothing()
}

fn read_folders(input: &Input<'_>, workspace: &Workspace) -> Output {
    let is_recursive = input.flag("recursive")?;
    let (mut files, mut folders) = (Vec::new(), std::collections::BTreeSet::new());
    let described = |name: &str, path: &str| serde_json::json!({ "name": name, "path": path, "fullPath": path });
    for path in input.texts("paths")? {
        let folder = FilePath::folder(&path)?;
        for (full, rest) in workspace.below(&folder) {
            for (at, _) in rest.match_indices('/') {
                if is_recursive || !rest[..at].contains('/') {
                    let parent = &full.as_str()[..full.as_str().len() - rest.len() + at];
                    folders.insert(parent.to_owned());
                }
            }
            if is_recursive || !rest.contains('/') {
                let name = rest.rsplit('/').next().unwrap_or(rest);
                files.push(described(name, full.as_str()));
            }
        }
    }
    let folders: Vec<Value> =
        folders.iter().map(|path| described(path.rsplit('/').next().unwrap_or(path), path)).collect();
    Ok([("files".to_owned(), files.into()), ("folders".to_owned(), folders.into())].into_iter().collect())
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| serde_json::to_string_pretty(value).unwrap_or_default(), str::to_owned)
}

fn write(input: &Input<'_>, workspace: &mut Workspace) -> Output {
    let path = input.file("path")?;
    let mut content = text_of(input.required("content")?);
    if !input.flag("preserveFormatting")? {
        // JSON is laid out anew, other texts stay.
        if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(&content) {
            content = text_of(&json);
        }
    }
    workspace.write(path.clone(), File::text(content))?;
    output("path", path.as_str())
}

fn read<'w>(workspace: &'w Workspace, path: &FilePath) -> Result<&'w str, Trouble> {
    let absent = || Trouble::new("path_not_found", format!("there is no file `{path}` in the workspace"));
    let binary = || Trouble::new("invalid_input", format!("`{path}` is not text"));
    workspace.get(path).ok_or_else(absent)?.as_text().ok_or_else(binary)
}

fn append(input: &Input<'_>, workspace: &mut Workspace) -> Output {
    let path = input.file("path")?;
    let before = workspace.get(&path).map(|_| read(workspace, &path)).transpose()?.unwrap_or_default();
    let content = format!("{before}{}", text_of(input.required("content")?));
    workspace.write(path.clone(), File::text(content))?;
    output("path", path.as_str())
}

fn documents(path: &str, text: &str) -> Result<Vec<Value>, Trouble> {
    let reading = document::read(text.as_bytes(), &Budget::default());
    if let Some((_, fault)) = reading.faults.first() {
        let message = format!("`{path}`, line {}, column {}: {}", fault.line, fault.column, fault.message);
        return Err(Trouble::new("invalid_input", message));
    }
    Ok(reading.documents.into_iter().map(|document| document.value).collect())
}

fn parse(input: &Input<'_>, workspace: &Workspace) -> Output {
    let path = input.file("path")?;
    let text = read(workspace, &path)?;
    output(
        "content",
        match input.text("parser")? {
            None => text.into(),
            Some("json" | "yaml") => documents(path.as_str(), text)?.into_iter().next().unwrap_or_default(),
            Some("multiyaml") => documents(path.as_str(), text)?.into(),
            Some(other) => {
                let message = format!("`parser` is `json`, `yaml` or `multiyaml`, not `{other}`");
                return Err(Trouble::new("invalid_input", message));
            }
        },
    )
}

fn replace(input: &Input<'_>, workspace: &mut Workspace, log: &mut dyn FnMut(String)) -> Output {
    for item in input.objects("files")? {
        let pattern = item.must("file")?;
        let paths = if crate::glob::is_glob(pattern) {
            workspace.matching(&glob(pattern)?)
        } else {
            vec![FilePath::file(pattern)?]
        };
        let (find, by) = (item.must("find")?, item.text("replaceWith")?.unwrap_or_default());
        let regex = if item.flag("matchRegex")? {
            let regex = regex::RegexBuilder::new(find).size_limit(1 << 20).build();
            let refused = |_| Trouble::new("invalid_input", format!("`{find}` is not a regular expression"));
            Some(regex.map_err(refused)?)
        } else {
            None
        };
        for path in paths {
            let text = read(workspace, &path)?;
            let count =
                regex.as_ref().map_or_else(|| text.matches(find).count(), |regex| regex.find_iter(text).count());
            let size = text.len().saturating_add(count.saturating_mul(by.len()));
            if size > super::workspace::MOST_BYTES {
                return Err(Trouble::new("workspace_too_large", format!("`{path}` would have {size} bytes")));
            }
            let replaced =
                regex.as_ref().map_or_else(|| text.replace(find, by), |regex| regex.replace_all(text, by).into_owned());
            let executable = workspace.get(&path).is_some_and(|file| file.executable);
            workspace.write(path.clone(), File { executable, ..File::text(replaced) })?;
            log(format!("replaced {count} places in `{path}`"));
        }
    }
    nothing()
}

fn merge(input: &Input<'_>, workspace: &mut Workspace) -> Output {
    let path = input.file("path")?;
    let given = match input.required("content")? {
        Value::String(text) => documents("content", text)?.into_iter().next().unwrap_or_default(),
        other => other.clone(),
    };
    let is_json = path.as_str().ends_with(".json");
    let text = read(workspace, &path)?;
    let mut merged = documents(path.as_str(), text)?.into_iter().next().unwrap_or_default();
    merge_into(&mut merged, &given, input.flag("mergeArrays")?);
    let content = if is_json { text_of(&merged) } else { to_yaml(&merged) };
    workspace.write(path.clone(), File::text(content))?;
    output("path", path.as_str())
}

fn merge_into(into: &mut Value, from: &Value, joins_lists: bool) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(key) {
                    Some(own) => merge_into(own, value, joins_lists),
                    None => {
                        into.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(from)) if joins_lists => into.extend(from.iter().cloned()),
        (into, from) => *into = from.clone(),
    }
}

fn serialize_json(input: &Input<'_>) -> Output {
    let data = input.required("data")?;
    let indent = match input.get("space") {
        Some(Value::Number(width)) => " ".repeat(width.as_u64().unwrap_or(0).min(10) as usize),
        Some(Value::String(text)) => text.chars().take(10).collect(),
        _ => String::new(),
    };
    if indent.is_empty() {
        return serialized(data.to_string());
    }
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let written = serde::Serialize::serialize(data, &mut serde_json::Serializer::with_formatter(&mut bytes, formatter));
    written.map_err(|error| Trouble::new("invalid_input", error.to_string()))?;
    serialized(String::from_utf8_lossy(&bytes).into_owned())
}

fn question(input: &Input<'_>, data: &Value) -> Output {
    output("result", jsonata::evaluate(input.must("expression")?, data)?)
}

fn question_file(input: &Input<'_>, workspace: &Workspace) -> Output {
    let path = input.file("path")?;
    let data = documents(path.as_str(), read(workspace, &path)?)?.into_iter().next().unwrap_or_default();
    question(input, &data)
}

/// Unlike that of JSON, the answer is YAML unless a value is asked for.
fn question_yaml(input: &Input<'_>, workspace: &Workspace) -> Output {
    let mut answer = question_file(input, workspace)?;
    match input.text("as")? {
        None | Some("string") => {
            let text = to_yaml(&answer["result"]);
            answer["result"] = text.into();
            Ok(answer)
        }
        Some("object") => Ok(answer),
        Some(other) => Err(Trouble::new("invalid_input", format!("`as` is `string` or `object`, not `{other}`"))),
    }
}

fn zip(input: &Input<'_>, workspace: &mut Workspace, log: &mut dyn FnMut(String)) -> Output {
    let (path, target) = (input.folder("path")?, input.file("outputPath")?);
    let content = archive::zip(workspace, &path)?;
    log(format!("packed `{}` into `{target}`, {} bytes", input.must("path")?, content.len()));
    workspace.write(target.clone(), File { content: content.into(), executable: false })?;
    output("outputPath", target.as_str())
}
