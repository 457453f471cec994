//! Writing a template: its text on the left, its form and a dry run on the right.

use std::collections::BTreeSet;

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::catalog::wire::EntityView;
use portal_core::problem::Problem;
use portal_core::templates::wire::{DryRunView, FormView, TemplatePreview};
use portal_core::yaml::to_yaml;
use serde_json::{Map, Value, json};

use super::answers::Asked;
use super::fields::fields;
use super::keeping::{self, Kept};
use super::review::{outcome, steps};
use super::tree::content;
use crate::access::Question;
use crate::paths;
use crate::served::{Asking, Parts, Refusal, WHOLE};
use crate::ui::{Content, EntityBox, counted, denied, icon, with_code};
use crate::validate::{fault_line, line_numbers};

/// What one starts with.
const EXAMPLE: &str = "apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata:
  name: my-template
  title: My template
  description: What it makes, in a sentence.
spec:
  type: service
  owner: my-team
  parameters:
    - title: What it is
      required: [name]
      properties:
        name:
          title: Name
          type: string
          default: ledger
          pattern: \"^[a-z-]+$\"
  steps:
    - id: readme
      name: Write the README
      action: roadiehq:utils:fs:write
      input:
        path: README.md
        content: \"# ${{ parameters.name | capitalize }}\"
";

const EXAMPLE_ACTION: &str = "apiVersion: portal.dev/v1alpha1
kind: Action
metadata:
  name: my-action
  title: My action
  description: What it does, in a sentence.
spec:
  owner: my-team
  category: Operations
  scope:
    kinds: [Component]
  confirmation: Do it to `${{ entity.metadata.name }}`
  parameters:
    required: [reason]
    properties:
      reason:
        title: Reason
        type: string
        default: to try it
  steps:
    - id: tell
      name: Tell
      action: debug:log
      input:
        message: ${{ entity.metadata.name }}, ${{ parameters.reason }}
";

pub(crate) async fn editor(asking: &Asking<'_>, of_actions: bool) -> Result<Parts, Refusal> {
    let question = Question::of(asking.query);
    // What it is run on is no answer of the form, nor is what is done with the text.
    let asked = ["entity", "do", "etag", "version"].into_iter().fold(Asked::of(&question), Asked::without);
    let place = Some(question.value("place")).filter(|place| !place.is_empty());
    let (text, etag) = match (question.value("text"), place) {
        ("", None) if of_actions => (EXAMPLE_ACTION.to_owned(), String::new()),
        ("", Some(place)) => match keeping::text_of(asking, place, question.value("version")).await? {
            Some(found) => found,
            None => (written(asking, place).await?, String::new()),
        },
        ("", None) => (EXAMPLE.to_owned(), String::new()),
        (text, _) => (text.replace("\r\n", "\n"), question.value("etag").to_owned()),
    };
    let is_action = text.lines().any(|line| line.trim_end() == "kind: Action");
    let title = if is_action { "Action editor" } else { "Template editor" };
    let on = question.value("entity");
    let entity = Some(on).filter(|on| is_action && !on.is_empty());
    let (_, reason) = denied(Verb::RunTemplates);
    let ask = async |values: &Map<String, Value>, dry_run: bool| {
        let body = json!({ "text": text, "values": values, "place": place, "entity": entity, "dry_run": dry_run });
        asking.post::<TemplatePreview>("/api/v1/template-preview", &body).await
    };
    let mut kept = Kept::default();
    let preview = if reason.is_some() {
        None
    } else {
        let (pages, entity_ref) = match ask(&asked.rough(), false).await? {
            Ok(TemplatePreview { form: Some(form), entity_ref, .. }) => (form.pages, entity_ref),
            _ => (Vec::new(), None),
        };
        let values = asked.typed(&pages);
        if is_action {
            kept = keeping::kept(asking, &question, entity_ref, (&text, &values), etag).await?;
        }
        Some(ask(&values, true).await?)
    };
    let faults = match &preview {
        Some(Ok(preview)) => preview.faults.as_slice(),
        _ => &[],
    };
    let marked: BTreeSet<usize> = faults.iter().map(|fault| fault.line as usize).collect();
    let file: usize = question.value("file").parse().unwrap_or(0);
    let address = if of_actions { "/fragments/actions/editor" } else { "/fragments/templates/editor" };
    let content = Content::from(html! {
        div class="stack" data-gap="5" {
            header class="page-head" {
                div class="lead" {
                    h1 tabindex="-1" { (title) }
                    p class="sub" {
                        "Write on the left, try out on the right. Nothing leaves the portal"
                        @if is_action { " until you run or publish it." } @else { ", and nothing is stored." }
                    }
                }
                div class="page-actions" {
                    a class="button" href="/api/v1/template-actions" rel="external" { (icon("list")) "Steps" }
                    button class="button needs-script" type="button" data-copy=(text) data-variant=[(!is_action).then_some("primary")] { (icon("copy")) "Copy YAML" }
                }
            }
            div class="callout needs-no-script" { (icon("info")) p { "Trying out while one types needs JavaScript. On the command line, " code { "portal template dry-run" } " does the same." } }
            @if let Some(reason) = &reason { div class="callout" { (icon("lock")) p { (reason) } } }
            form class="editor template-editor" data-preview=(address) method="post" action=(address) novalidate {
                @if is_action { (kept.tools(asking.now_ms())) }
                @if let Some(place) = place { input type="hidden" name="place" value=(place); }
                input type="hidden" name="file" value=(file);
                div class="editor-text" {
                    (line_numbers(&text, &marked))
                    textarea class="textarea" name="text" aria-label=(if is_action { "Action" } else { "Template" }) spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" { "\n" (text) }
                }
                div class="editor-verdict stack" data-gap="4" role="region" aria-label="Preview" {
                    @let kinds = match &preview { Some(Ok(preview)) => preview.kinds.as_slice(), _ => &[] };
                    // Something that is not there is still to be changed.
                    @if !kinds.is_empty() || entity.is_some() { (run_on(kinds, on)) }
                    @match &preview {
                        Some(Ok(preview)) => { (previewed(preview, file, is_action)) },
                        Some(Err(problem)) => { (refused(problem)) },
                        None => {},
                    }
                    (kept.list(asking.now_ms()))
                }
            }
        }
    });
    Ok(vec![(WHOLE, content), ("title", Content::from(html! { span { (title) } }))])
}

/// What an action is tried out on.
fn run_on(kinds: &[String], entity: &str) -> Markup {
    html! {
        div class="field" {
            label for="f-entity" { "Run on" }
            (EntityBox {
                id: "f-entity",
                name: "entity",
                value: entity,
                label: "Entities",
                suggestions: paths::suggestions(kinds.iter().map(String::as_str)),
                ..EntityBox::default()
            })
        }
    }
}

/// The text of a template or an action of the catalog.
async fn written(asking: &Asking<'_>, place: &str) -> Result<String, Refusal> {
    let view: EntityView = asking.get(&paths::api_entity(place)).await?;
    let mut entity = view.entity;
    if let Some(fields) = entity.as_object_mut() {
        fields.remove("relations");
        fields.remove("status");
    }
    if let Some(metadata) = entity["metadata"].as_object_mut() {
        for own in ["uid", "etag"] {
            metadata.remove(own);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|name, _| !name.starts_with("backstage.io/managed-by"));
        }
        if metadata.get("annotations").and_then(Value::as_object).is_some_and(Map::is_empty) {
            metadata.remove("annotations");
        }
    }
    Ok(to_yaml(&entity))
}

fn refused(problem: &Problem) -> Content {
    Content::from(html! {
        div class="callout" data-tone="danger" { (icon("fail")) p { (with_code(&problem.detail)) } }
    })
}

fn previewed(preview: &TemplatePreview, file: usize, is_action: bool) -> Content {
    let TemplatePreview { faults, form, report, confirmation, approval, refusal, kinds, .. } = preview;
    let verdict = match faults.len() {
        0 => "Nothing to mend".to_owned(),
        count => counted(count as u64, "line to look at", "lines to look at"),
    };
    Content::from(html! {
        section class="card" aria-labelledby="faults" {
            header class="card-head" { h2 id="faults" { (verdict) } }
            p class="visually-hidden" role="status" { (verdict) }
            @if !faults.is_empty() {
                div class="card-body" { @for fault in faults { (fault_line(fault)) } }
            }
        }
        @if confirmation.is_some() || approval.is_some() || refusal.is_some() {
            section class="card" aria-labelledby="says" {
                header class="card-head" { h2 id="says" { "What it says" } }
                div class="card-body stack" data-gap="3" {
                    @if let Some(text) = confirmation { p { (with_code(text)) } }
                    @if let Some(approval) = approval { p class="muted with-icon" { (icon("inbox")) span { "Needs " (approval) "." } } }
                    @if let Some(reason) = refusal { p class="muted with-icon" { (icon("lock")) span { (with_code(reason)) } } }
                }
            }
        }
        @match form {
            Some(form) => { (form_card(form)) },
            None => { p class="muted" { "The form appears when the text is a document of kind " code { "Template" } " or " code { "Action" } "." } },
        }
        @match report {
            Some(report) => { (outcome(report)) @if !is_action || !report.files.is_empty() { (files_card(report, file)) } (steps(report)) },
            None => { @if form.is_some() { p class="muted" { @if kinds.is_empty() { "The dry run follows when nothing keeps it from running and the answers are right." } @else { "The dry run follows when there is something to run it on, nothing keeps it from running, and the answers are right." } } } },
        }
    })
}

fn form_card(form: &FormView) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="form" {
            header class="card-head" { h2 id="form" { "Form" } div class="push muted" { (counted(form.pages.len() as u64, "page", "pages")) } }
            div class="card-body stack" data-gap="4" {
                @for page in &form.pages {
                    h3 { (page.title) }
                    @if page.fields.is_empty() { p class="muted" { "No field is shown for these answers." } }
                    (fields(&page.fields, true))
                }
                @if form.pages.is_empty() { p class="muted" { "It asks nothing." } }
            }
        }
    })
}

fn files_card(report: &DryRunView, file: usize) -> Content {
    let files = &report.files;
    let chosen = file.min(files.len().saturating_sub(1));
    Content::from(html! {
        section class="card" aria-labelledby="files" {
            header class="card-head" { h2 id="files" { "Files " span class="count" { (files.len()) } } }
            @if files.is_empty() { div class="card-body" { p class="muted" { "This template writes no files." } } }
            @else {
                ul class="tree" aria-label="Files" {
                    @for (index, file) in files.iter().enumerate() {
                        li { button type="button" data-file=(index) aria-current=[(index == chosen).then_some("true")] { (icon("file")) span class="truncate" { (file.path) } } }
                    }
                }
                (content(&files[chosen]))
            }
        }
    })
}
