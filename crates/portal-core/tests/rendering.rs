//! The language of templates on real templates and on probes of every feature, against
//! what Backstage's own engines answered.
//!
//! The corpus lies beside the checkout and is not part of it; without it the test says so
//! and passes.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use portal_core::templates::language::{self, Context, HostKind, Hosts, Style};
use portal_core::templates::skeleton::{self, Rendering};
use portal_core::templates::workspace::{File, FilePath, Workspace};
use serde_json::{Map, Value};

#[test]
fn skeleton_files_render_as_in_backstage() {
    check("files.json", rendered);
}

#[test]
fn inputs_of_steps_keep_their_types_as_in_backstage() {
    check("steps.json", |case, context| language::fill(&case["template"], context).map(Option::unwrap_or_default));
}

#[test]
fn every_filter_tag_and_operator_answers_as_in_backstage() {
    check("features.json", rendered);
    check_part("features.json", "values", |case, context| {
        language::fill(&case["template"], context).map(Option::unwrap_or_default)
    });
}

#[test]
fn whole_skeletons_become_the_files_that_backstage_writes() {
    let Some(corpus) = corpus() else { return };
    let cases: Value = serde_json::from_slice(&fs::read(corpus.join("render/trees.json")).unwrap()).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let input = &case["input"];
        let patterns: Vec<String> = serde_json::from_value(input["copyWithoutTemplating"].clone()).unwrap_or_default();
        let rendering = Rendering {
            values: input["values"].as_object().unwrap().clone(),
            copied: skeleton::globs(&patterns).unwrap(),
            cookiecutter: input["cookiecutterCompat"] == true,
            trim_blocks: input["trimBlocks"] == true,
            lstrip_blocks: input["trimBlocks"] == true,
            ..Rendering::default()
        };
        let source = read(&corpus.join(case["source"].as_str().unwrap()));
        let target = FilePath::folder(input["targetPath"].as_str().unwrap_or(".")).unwrap();
        let mut workspace = Workspace::default();
        let written = skeleton::write(&source, &rendering, &hosts(), &target, &mut workspace);
        let mut found = BTreeMap::new();
        for (path, file) in workspace.files() {
            found.insert(path.as_str().to_owned(), file.clone());
        }
        for (path, expected) in case["expected_files"].as_object().unwrap() {
            let file = found.remove(path);
            let same = file.as_ref().is_some_and(|file| match expected["content"].as_str() {
                Some(content) => file.content[..] == *content.as_bytes(),
                None => Some(file.content.len() as u64) == expected["bytes"].as_u64(),
            });
            if !same {
                let content = file.map(|file| String::from_utf8_lossy(&file.content).into_owned());
                wrong.push(format!("{} {path}: {content:?}\n    {expected}\n    {written:?}", case["id"]));
            }
        }
        wrong.extend(found.keys().map(|path| format!("{} {path} is too many", case["id"])));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    println!("trees.json: {} cases agree", cases.len());
}

fn read(folder: &Path) -> Workspace {
    let mut workspace = Workspace::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            let content = fs::read(&path).unwrap().into();
            workspace.write(FilePath::file(name).unwrap(), File { content, executable: false }).unwrap();
        }
    }
    workspace
}

type Answer = Result<Value, language::Fault>;

fn rendered(case: &Value, context: &Context<'_>) -> Answer {
    let option = |name: &str| case["options"][name] == true;
    let cookiecutter = case["cookiecutterCompat"] == true || option("cookiecutterCompat");
    let style = Style { cookiecutter, trim_blocks: option("trimBlocks"), lstrip_blocks: option("lstripBlocks") };
    let text = case["template"].as_str().unwrap();
    language::render(text, style, context).map(Value::String)
}

fn check(file: &str, answer: impl Fn(&Value, &Context<'_>) -> Answer) {
    check_part(file, "cases", answer);
}

fn check_part(file: &str, part: &str, answer: impl Fn(&Value, &Context<'_>) -> Answer) {
    let Some(corpus) = corpus() else { return };
    let hosts = hosts();
    let cases: Value = serde_json::from_slice(&fs::read(corpus.join("render").join(file)).unwrap()).unwrap();
    let cases = cases[part].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let nothing = Map::new();
        let values = case["context"].as_object().unwrap_or(&nothing);
        let answer = answer(case, &Context { values, functions: &[], hosts: &hosts });
        if !is_right(case, &answer) {
            let id = case["id"].as_str().unwrap();
            let wanted = case.get("expected").or(case.get("expected_error"));
            wrong.push(format!("{id}\n  expected {}\n  answered {answer:?}", wanted.unwrap_or(&Value::Null)));
        }
    }
    assert!(wrong.is_empty(), "{file}: {} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{file}: {} cases agree", cases.len());
}

/// Either engine of Backstage is right; of what may not run, any answer is that shows nothing.
fn is_right(case: &Value, answer: &Answer) -> bool {
    if case.get("security").is_some() {
        return answer.as_ref().map_or(true, |text| text == "");
    }
    let fails = ["expected_error", "nunjitsu_error"].into_iter().any(|name| case.get(name).is_some());
    match answer {
        Ok(Value::Null) if case["expected_undefined"] == true => true,
        Ok(value) => ["expected", "nunjitsu"].into_iter().any(|name| case.get(name) == Some(value)),
        Err(_) => fails,
    }
}

fn hosts() -> Hosts {
    let mut hosts = Hosts::default();
    let more = [
        ("ghe.example.com", HostKind::GitHub),
        ("gitlab.example.com", HostKind::GitLab),
        ("bitbucket.example.com", HostKind::BitbucketServer),
        ("gerrit.example.com", HostKind::Gerrit),
        ("gitea.example.com", HostKind::Gitea),
    ];
    hosts.0.extend(more.map(|(name, kind)| (name.to_owned(), kind)));
    hosts
}

fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.exists() {
        println!("skipped: there is no corpus at {}", corpus.display());
        return None;
    }
    Some(corpus)
}
