//! What a run would do, before it is started.

use maud::html;
use portal_core::access::Verb;
use portal_core::runs::StepState;
use portal_core::templates::wire::{Control, DryRunView, FormField};
use serde_json::{Value, json};

use super::tree::{content, tree};
use super::wizard::{Wizard, at, head, is_asked_later, kept};
use crate::access::Question;
use crate::api::sentence;
use crate::runs::step_status;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, counted, denied, icon, with_code};

pub(super) async fn review(asking: &Asking<'_>, wizard: &Wizard<'_>, question: &Question) -> Result<Content, Refusal> {
    let body = json!({ "values": wizard.form.values });
    let (disabled, reason) = denied(Verb::RunTemplates);
    let report = match reason {
        Some(_) => None,
        None => Some(asking.post::<DryRunView>(&format!("/api/v1{}/dry-run", wizard.path), &body).await?),
    };
    let file = question.value("file").parse().unwrap_or(0);
    let query: Vec<(String, String)> =
        vec![("page".to_owned(), wizard.page.to_string()), ("rest".to_owned(), kept(&wizard.form.values).to_string())];
    let all: Vec<&FormField> = wizard.form.pages.iter().flat_map(|page| &page.fields).collect();
    let secrets: Vec<&&FormField> = all.iter().filter(|field| is_asked_later(field)).collect();
    let fault = report.as_ref().and_then(|report| report.as_ref().err());
    Ok(Content::from(html! {
        div class="stack" data-gap="5" {
            (head(wizard, "Nothing has been created yet. This is what the run will do."))
            div class="wizard" data-step="review" {
                div class="stack" data-gap="4" {
                    section class="card" aria-labelledby="answers" {
                        header class="card-head" { h2 id="answers" { "Answers" } div class="push" { a href=(at(wizard, 0)) { "Edit" } } }
                        div class="card-body" {
                            dl class="kv" {
                                @for (label, value) in all.iter().flat_map(|field| answers(field)) { dt { (label) } dd class="breakable" { (value) } }
                            }
                        }
                    }
                    form class="card" data-send="/api/v1/runs" data-done="Started" data-goto="/runs/{id}" data-undraft=(wizard.path) aria-labelledby="start" {
                        header class="card-head" { h2 id="start" { "Start" } }
                        div class="card-body stack" data-gap="3" {
                            input type="hidden" name="template" value=(wizard.template.entity_ref);
                            input type="hidden" name="values" data-type="json" value=(kept(&wizard.form.values));
                            @for field in &secrets {
                                div class="field" {
                                    label for=(format!("secret-{}", field.name)) { (field.label) }
                                    input class="input" type="password" id=(format!("secret-{}", field.name)) name=(format!("secrets.{}", field.name)) autocomplete="off";
                                    span class="hint" { "Kept sealed until the run has ended." }
                                }
                            }
                            @if let Some(reason) = &reason { p class="muted" { (icon("lock")) " " (reason) } }
                            button class="button needs-script" data-variant="primary" aria-disabled=[disabled] { (icon("play")) (wizard.form.create_label) }
                        }
                    }
                }
                div class="stack" data-gap="4" {
                    @if let Some(fault) = fault {
                        div class="callout" data-tone="danger" { (icon("fail")) div { p class="title" { "It cannot be tried out" } p { (with_code(&fault.detail)) } } }
                    }
                    @if let Some(Ok(report)) = &report { (outcome(report)) (files(report, file, wizard, &query)) (steps(report)) }
                }
            }
        }
    }))
}

pub(super) fn outcome(report: &DryRunView) -> Content {
    Content::from(match &report.error {
        Some(error) => html! {
            div class="callout" data-tone="warning" {
                (icon("alert"))
                div {
                    p class="title" { "The run would fail" @if let Some(step) = &error.step { " at step " code { (step) } } }
                    p { (with_code(&sentence(&error.message))) }
                }
            }
        },
        None => html! {
            div class="callout" data-tone="success" {
                (icon("pass"))
                div { p class="title" { "Tried out without a fault" } p { "Every step was run, except for what reaches out of the portal." } }
            }
        },
    })
}

fn files(report: &DryRunView, chosen: usize, wizard: &Wizard<'_>, query: &[(String, String)]) -> Content {
    let files = &report.files;
    let chosen = chosen.min(files.len().saturating_sub(1));
    Content::from(html! {
        section class="card" aria-labelledby="files" {
            header class="card-head" {
                h2 id="files" { "Files " span class="count" { (files.len()) } }
                @if let Some(repository) = &report.repository {
                    div class="push muted truncate" title=(repository.address) { "against " code { (repository.branch) } " of " (repository.address) }
                }
            }
            @if files.is_empty() { div class="card-body" { p class="muted" { "This template writes no files." } } }
            @else {
                div class="review-files" {
                    (tree(files, chosen, &wizard.path, query))
                    (content(&files[chosen]))
                }
            }
        }
    })
}

pub(super) fn steps(report: &DryRunView) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="steps" {
            header class="card-head" { h2 id="steps" { "Steps " span class="count" { (counted(report.steps.len() as u64, "step", "steps")) } } }
            ul class="list" data-compact {
                @for step in &report.steps {
                    li {
                        (step_status(step.state, true))
                        div class="lines" {
                            span { (step.name) " " code class="muted" { (step.action) } }
                            @if step.state != StepState::Skipped { @for line in step.log.iter().take(5) { span class="muted breakable" { (line) } } }
                        }
                    }
                }
            }
        }
    })
}

/// What was answered in a field, or in those that it holds, as far as it is shown.
pub(crate) fn answers(field: &FormField) -> Vec<(String, String)> {
    if !field.reviewed || field.control == Control::Hidden || is_asked_later(field) {
        return Vec::new();
    }
    let is_plain = |inner: &FormField| inner.fields.is_empty();
    match field.control {
        Control::List if field.fields.iter().all(is_plain) => answer(field).into_iter().collect(),
        Control::Group | Control::List if !field.masked => {
            let inner = field.fields.iter().flat_map(answers);
            inner.map(|(label, text)| (format!("{}: {label}", field.label), text)).collect()
        }
        _ => answer(field).into_iter().collect(),
    }
}

fn answer(field: &FormField) -> Option<(String, String)> {
    let text = |value: &Value| match value {
        _ if field.choices.iter().any(|choice| choice.value == *value) => {
            let chosen = field.choices.iter().find(|choice| choice.value == *value);
            chosen.map(|choice| choice.label.clone()).unwrap_or_default()
        }
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "Yes" } else { "No" }.to_owned(),
        other => other.to_string(),
    };
    let shown = match field.value.as_ref()? {
        Value::Null => return None,
        _ if field.masked => "••••••".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => text(other),
    };
    (!shown.is_empty()).then(|| (field.label.clone(), shown))
}
