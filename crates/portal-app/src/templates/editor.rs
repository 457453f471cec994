//! Writing a template: its text on the left, its form and a dry run on the right.

use std::collections::BTreeSet;

use maud::html;
use portal_core::access::Verb;
use portal_core::catalog::wire::EntityView;
use portal_core::problem::Problem;
use portal_core::templates::wire::{DryRunView, FormView, TemplatePreview};
use portal_core::yaml::to_yaml;
use serde_json::{Map, Value, json};

use super::answers::Asked;
use super::fields::fields;
use super::review::{outcome, steps};
use super::tree::content;
use crate::access::Question;
use crate::paths;
use crate::served::{Asking, Parts, Refusal, WHOLE};
use crate::ui::{Content, counted, denied, icon, with_code};
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

pub(crate) async fn editor(asking: &Asking<'_>) -> Result<Parts, Refusal> {
    let question = Question::of(asking.query);
    let asked = Asked::of(&question);
    let place = Some(question.value("place")).filter(|place| !place.is_empty());
    let text = match (question.value("text"), place) {
        ("", Some(place)) => written(asking, place).await?,
        ("", None) => EXAMPLE.to_owned(),
        (text, _) => text.replace("\r\n", "\n"),
    };
    let (_, reason) = denied(Verb::RunTemplates);
    let ask = async |values: &Map<String, Value>, dry_run: bool| {
        let body = json!({ "text": text, "values": values, "place": place, "dry_run": dry_run });
        asking.post::<TemplatePreview>("/api/v1/template-preview", &body).await
    };
    let preview = if reason.is_some() {
        None
    } else {
        let pages = match ask(&asked.rough(), false).await? {
            Ok(TemplatePreview { form: Some(form), .. }) => form.pages,
            _ => Vec::new(),
        };
        Some(ask(&asked.typed(&pages), true).await?)
    };
    let faults = match &preview {
        Some(Ok(preview)) => preview.faults.as_slice(),
        _ => &[],
    };
    let marked: BTreeSet<usize> = faults.iter().map(|fault| fault.line as usize).collect();
    let file: usize = question.value("file").parse().unwrap_or(0);
    let content = Content::from(html! {
        div class="stack" data-gap="5" {
            header class="page-head" {
                div class="lead" {
                    h1 tabindex="-1" { "Template editor" }
                    p class="sub" { "Write on the left, try out on the right. Nothing is stored, and nothing leaves the portal." }
                }
                div class="page-actions" {
                    a class="button" href="/api/v1/template-actions" rel="external" { (icon("list")) "Steps" }
                    button class="button needs-script" type="button" data-copy=(text) data-variant="primary" { (icon("copy")) "Copy YAML" }
                }
            }
            div class="callout needs-no-script" { (icon("info")) p { "Trying out while one types needs JavaScript. On the command line, " code { "portal template dry-run" } " does the same." } }
            @if let Some(reason) = &reason { div class="callout" { (icon("lock")) p { (reason) } } }
            form class="editor template-editor" data-preview="/fragments/templates/editor" method="post" action="/fragments/templates/editor" novalidate {
                @if let Some(place) = place { input type="hidden" name="place" value=(place); }
                input type="hidden" name="file" value=(file);
                div class="editor-text" {
                    (line_numbers(&text, &marked))
                    textarea class="textarea" name="text" aria-label="Template" spellcheck="false" autocomplete="off" autocapitalize="off" wrap="off" { "\n" (text) }
                }
                div class="editor-verdict stack" data-gap="4" role="region" aria-label="Preview" {
                    @match &preview {
                        Some(Ok(preview)) => { (previewed(preview, file)) },
                        Some(Err(problem)) => { (refused(problem)) },
                        None => {},
                    }
                }
            }
        }
    });
    Ok(vec![(WHOLE, content), ("title", Content::from(html! { span { "Template editor" } }))])
}

/// The text of a template of the catalog.
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

fn previewed(preview: &TemplatePreview, file: usize) -> Content {
    let TemplatePreview { faults, form, report } = preview;
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
        @match form {
            Some(form) => { (form_card(form)) },
            None => { p class="muted" { "The form appears when the text is a document of kind " code { "Template" } "." } },
        }
        @match report {
            Some(report) => { (outcome(report)) (files_card(report, file)) (steps(report)) },
            None => { @if form.is_some() { p class="muted" { "The dry run follows when nothing keeps the template from running and the answers are right." } } },
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
