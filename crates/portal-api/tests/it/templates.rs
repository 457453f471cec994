//! Every template of the corpus: it loads, its form can be filled with plausible answers,
//! and its dry run works, or names the step that is not the portal's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use portal_api::templates::dry_run::{self, Became};
use portal_api::templates::local::read_folder;
use portal_api::templates::perform::{Call, Log, Outside};
use portal_core::catalog::EntityRef;
use portal_core::document::{self, Budget};
use portal_core::problem::FieldError;
use portal_core::templates::definition::{self, Definition};
use portal_core::templates::plan::Scope;
use portal_core::templates::wire::{Control, FormField};
use portal_core::templates::workspace::{File, FilePath, Workspace};
use portal_core::templates::{Trouble, actions, form};
use serde_json::{Map, Value, json};

/// Templates of the corpus that run completely, and those that do with foreign steps stubbed.
const COMPLETE: usize = 53;

#[tokio::test]
async fn every_template_of_the_corpus_is_tried_out() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.join("templates.json").exists() {
        println!("skipped: there is no corpus at {}", corpus.display());
        return;
    }
    let list: Vec<Value> = serde_json::from_slice(&fs::read(corpus.join("templates.json")).unwrap()).unwrap();
    let (mut complete, mut stubbed, mut wrong) = (0, 0, Vec::new());
    for entry in &list {
        let repo = entry["repo"].as_str().unwrap().replace('/', "__");
        let path = corpus.join("templates").join(&repo).join(entry["path"].as_str().unwrap());
        let name = format!("{repo}/{}", entry["path"].as_str().unwrap());
        let reading = document::read(&fs::read(&path).unwrap(), &Budget::default());
        for document in reading.documents.iter().filter(|document| document.value["kind"] == "Template") {
            let (definition, findings) = definition::read(&document.value);
            if let Some(error) = findings.iter().find(|finding| finding.is_error) {
                wrong.push(format!("{name}: {}: {}", error.pointer, error.message));
                continue;
            }
            let (answers, faults) = plausible(&definition);
            if !faults.is_empty() {
                wrong.push(format!("{name}: cannot be answered: {faults:?}\n  {answers:?}"));
                continue;
            }
            let outside = Fixtures { folder: path.parent().unwrap().to_owned() };
            let foreign: BTreeSet<String> = definition
                .steps
                .iter()
                .map(|step| step.action.clone())
                .filter(|id| actions::find(id).is_none())
                .collect();
            let scope = || Scope {
                parameters: answers.clone(),
                user: json!({"ref": "user:default/kim", "entity": {"metadata": {"name": "kim"}, "spec": {"profile": {"email": "kim@example.com"}}}}),
                run: "dry-run".to_owned(),
                hosts: hosts(),
                ..Scope::default()
            };
            let report = dry_run::run(&definition, scope(), &outside, &BTreeSet::new()).await;
            match (&report.failure, foreign.is_empty()) {
                (None, true) => complete += 1,
                (None, false) => {
                    // Its foreign steps are behind conditions.
                    complete += 1;
                }
                (Some((step, trouble)), true) => wrong.push(format!("{name}: step {step}: {trouble}")),
                (Some((_, trouble)), false) => {
                    let named = foreign.iter().any(|id| trouble.message.contains(id.as_str()));
                    let report = dry_run::run(&definition, scope(), &outside, &foreign).await;
                    let says = report.steps.iter().any(|step| step.became == Became::Stubbed);
                    match (&report.failure, named && says) {
                        (None, true) => stubbed += 1,
                        (failure, _) => wrong.push(format!("{name}: {trouble}; stubbed: {failure:?}")),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{complete} complete, {stubbed} stubbed, {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((complete, complete + stubbed), (COMPLETE, 87));
    println!("{complete} templates run completely, {stubbed} with foreign steps stubbed");
}

fn hosts() -> portal_core::templates::language::Hosts {
    let mut hosts = portal_core::templates::language::Hosts::default();
    let more = [("gitea.example.com", portal_core::templates::language::HostKind::Gitea)];
    hosts.0.extend(more.map(|(name, kind)| (name.to_owned(), kind)));
    hosts
}

/// Answers that a person might give: defaults, first choices, and names that fit.
fn plausible(definition: &Definition) -> (Map<String, Value>, Vec<FieldError>) {
    let mut answers = Map::new();
    for _ in 0..8 {
        let pages = form::pages(&definition.pages, &answers);
        let mut changed = false;
        for field in pages.iter().flat_map(|page| &page.fields) {
            changed |= answer(field, &mut answers);
        }
        if !changed {
            break;
        }
    }
    let filled = form::with_defaults(&definition.pages, &answers);
    let faults = form::faults(&definition.pages, &filled);
    (filled, faults)
}

fn answer(field: &FormField, answers: &mut Map<String, Value>) -> bool {
    let known = answers.contains_key(&field.name)
        || (field.value.is_some() && field.error.is_none() && field.control != Control::Group);
    if known && field.error.is_none() {
        return false;
    }
    let value = guess(field);
    let changed = value.is_some() && answers.get(&field.name) != value.as_ref();
    if let Some(value) = value {
        answers.insert(field.name.clone(), value);
    }
    changed
}

fn guess(field: &FormField) -> Option<Value> {
    let first = field.choices.first().map(|choice| choice.value.clone());
    Some(match field.control {
        Control::Select | Control::Radio => first?,
        Control::Checkboxes => json!([first?]),
        Control::Checkbox | Control::YesNo => json!(true),
        Control::Number => json!(8),
        Control::Entity => json!("group:default/team-a"),
        Control::Entities => json!(["component:default/one"]),
        Control::Tags => json!(["one"]),
        Control::Repository => {
            let first = |option: &str, usual| field.options[option][0].as_str().unwrap_or(usual).to_owned();
            let (host, owner) = (first("allowedHosts", "github.com"), first("allowedOwners", "acme"));
            json!(format!("{host}?owner={owner}&repo={}", first("allowedRepos", "payment-svc")))
        }
        Control::List => json!([]),
        Control::Pairs => json!({}),
        Control::Group => {
            let mut inner = Map::new();
            for field in &field.fields {
                if let Some(value) = field.value.clone().or_else(|| guess(field)) {
                    inner.insert(field.name.clone(), value);
                }
            }
            Value::Object(inner)
        }
        _ => {
            let pattern = field.pattern.as_deref().and_then(|text| regex::Regex::new(text).ok());
            let fits = |text: &&str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
            let texts = [
                "payment-svc",
                "payment",
                "payment-job",
                "https://github.com/acme/payment.git",
                "com.example.payment",
                "1.0.0",
                "8080",
                "1Gi",
                "a@example.com",
                "https://example.com/x",
                "10.0.0.0/16",
                "PAYMENT",
                "Payment",
                "0 2 * * *",
                "100m",
            ];
            if field.error.as_deref().is_some_and(|error| error.contains("email")) {
                return Some(json!("a@example.com"));
            }
            json!(texts.into_iter().find(fits)?)
        }
    })
}

/// Skeletons beside the template; what lies elsewhere has one file.
struct Fixtures {
    folder: PathBuf,
}

#[async_trait]
impl Outside for Fixtures {
    async fn folder(&self, url: &str) -> Result<Workspace, Trouble> {
        if !url.contains("://")
            && let Ok(found) = read_folder(&self.folder.join(url))
        {
            return Ok(found);
        }
        let mut workspace = Workspace::default();
        for (name, text) in
            [("README.md", "# fixture\n"), ("pom.xml", "<project/>\n"), ("catalog-info.yaml", "kind: Component\n")]
        {
            workspace.write(FilePath::file(name)?, File::text(text))?;
        }
        Ok(workspace)
    }

    async fn file(&self, _url: &str) -> Result<File, Trouble> {
        Ok(File::text("fixture\n"))
    }

    async fn entity(&self, entity_ref: &EntityRef) -> Result<Option<Value>, Trouble> {
        Ok(Some(json!({"kind": entity_ref.kind(), "metadata": {"name": entity_ref.name()}, "spec": {}})))
    }

    async fn wait(&self, _time: Duration) {}

    async fn act(&self, _call: Call<'_>, _log: &mut Log<'_>) -> Result<Map<String, Value>, Trouble> {
        Ok(BTreeMap::<String, Value>::new().into_iter().collect())
    }
}
