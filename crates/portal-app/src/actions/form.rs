//! One action: its form, and what is about to happen, in words.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::actions::wire::{ActionForm, ActionView, TriggerList};
use portal_core::problem::Problem;
use portal_core::templates::wire::FormField;
use serde_json::{Map, Value, json};

use super::{triggers, usually};
use crate::access::Question;
use crate::catalog::{entity_link, owner_link};
use crate::paths;
use crate::served::{Asking, Parts, Refusal, WHOLE};
use crate::templates::answers::Asked;
use crate::templates::fields::{anchor, fields};
use crate::templates::{answers, is_asked_later, problems};
use crate::ui::{Content, EntityBox, counted, denied, icon, markdown, with_code};

/// What the page shows.
struct Page<'p> {
    action: &'p ActionView,
    path: &'p str,
    entity: &'p str,
    form: &'p ActionForm,
    is_sent: bool,
    /// When it starts by itself.
    by_itself: &'p Markup,
}

pub(crate) async fn form(asking: &Asking<'_>, path: &str) -> Result<Parts, Refusal> {
    let api = format!("/api/v1{path}");
    let question = Question::of(asking.query);
    let entity = question.value("entity");
    let title = |action: &ActionView| Content::from(html! { span { (action.title) } });
    let named = || (!entity.is_empty()).then_some(("entity", entity));
    let listed = asking.ask::<TriggerList>(&format!("{api}/triggers")).await?;
    let by_itself = listed.map_or_else(|_| html! {}, |listed| triggers::card(&listed, asking.now_ms()));
    let action = match asking.ask::<ActionView>(&paths::with_query(&api, named())).await? {
        Ok(action) => action,
        // The entity is not what was meant: it is asked for again.
        Err(problem) if !entity.is_empty() && problem.status == 422 => {
            let action: ActionView = asking.get(&api).await?;
            let parts = vec![
                ("title", title(&action)),
                (WHOLE, choosing(&action, path, entity, Some(&problem.detail), &by_itself)),
            ];
            return Ok(parts);
        }
        Err(problem) => return Err(problem.into()),
    };
    let heading = title(&action);
    if !action.kinds.is_empty() && (entity.is_empty() || (action.refusal.is_some() && !action.broken)) {
        let told = action.refusal.clone().filter(|_| !entity.is_empty());
        return Ok(vec![("title", heading), (WHOLE, choosing(&action, path, entity, told.as_deref(), &by_itself))]);
    }
    let asked = Asked::of(&question).without("entity");
    let form_of = async |values: &Map<String, Value>| {
        let body = json!({ "entity": (!entity.is_empty()).then_some(entity), "values": values });
        let answer = asking.post::<ActionForm>(&format!("{api}/form"), &body).await?;
        answer.map_err(|problem: Problem| Refusal::from(problem))
    };
    let rough = form_of(&asked.rough()).await?;
    let form = form_of(&asked.typed(&rough.form.pages)).await?;
    let page = Page { action: &action, path, entity, form: &form, is_sent: asked.is_sent(0), by_itself: &by_itself };
    let is_ready = question.value("to") == "next" && form.form.errors.is_empty();
    let content = if action.broken {
        broken(&action)
    } else if is_ready {
        confirming(&page)
    } else {
        filling(&page)
    };
    Ok(vec![("title", heading), (WHOLE, content)])
}

fn head(action: &ActionView, target: Option<Markup>) -> Markup {
    html! {
        header class="page-head" {
            div class="lead" {
                h1 tabindex="-1" { (action.title) }
                @if let Some(description) = &action.description { div class="sub" { (markdown(description)) } }
                div class="facts-strip" {
                    @if let Some(target) = target { span { "On " (target) } }
                    span { (owner_link(action.owner.as_ref())) }
                    @if let Some(seconds) = action.expected_seconds { span { (icon("clock")) (usually(seconds)) } }
                    span { (counted(action.usage.runs, "run", "runs")) }
                }
            }
            div class="page-actions" {
                a class="button" href=(paths::action_editor(Some(&action.entity_ref), "")) { (icon("edit")) "Edit action" }
                a class="button" href=(paths::with_query(paths::RUNS, [("action", action.entity_ref.as_str())])) { (icon("list")) "Runs" }
                a class="button" href=(paths::entity(&action.entity_ref)) { (icon("eye")) "About this action" }
            }
        }
    }
}

fn choosing(action: &ActionView, path: &str, entity: &str, problem: Option<&str>, by_itself: &Markup) -> Content {
    Content::from(html! {
        div class="stack" data-gap="5" {
            (head(action, None))
            div class="wizard" {
                form action=(path) novalidate {
                    div class="field" {
                        label for="f-entity" { "What is it run on?" }
                        span class="hint" { "A " (action.kinds.join(" or a ")) @if let Some(condition) = &action.condition { " for which " code { (condition) } " holds" } "." }
                        (EntityBox {
                            id: "f-entity",
                            name: "entity",
                            value: entity,
                            label: "Entities",
                            suggestions: paths::suggestions(action.kinds.iter().map(String::as_str)),
                            described: problem.map(|_| "f-entity-error"),
                            is_invalid: problem.is_some(),
                            ..EntityBox::default()
                        })
                        @if let Some(problem) = problem { span class="error" id="f-entity-error" { (icon("alert")) span { (with_code(problem)) } } }
                    }
                    div class="form-foot" { span class="push" {} button class="button" data-variant="primary" { "Continue" } }
                }
                @if !by_itself.0.is_empty() { aside class="stack" data-gap="4" aria-label="About this action" { (by_itself) } }
            }
        }
    })
}

fn target(page: &Page<'_>) -> Option<Markup> {
    page.form.target.as_ref().map(|target| html! { (entity_link(target)) })
}

fn all_fields<'p>(page: &Page<'p>) -> Vec<&'p FormField> {
    page.form.form.pages.iter().flat_map(|page| &page.fields).collect()
}

fn filling(page: &Page<'_>) -> Content {
    let Page { action, path, entity, form, is_sent, .. } = page;
    let faults: Vec<(String, String)> = all_fields(page)
        .into_iter()
        .filter(|field| *is_sent && !is_asked_later(field))
        .filter_map(|field| {
            Some((anchor(field), format!("{} {}", field.label, field.error.as_ref()?).replace('`', "")))
        })
        .collect();
    Content::from(html! {
        div class="stack" data-gap="5" {
            (head(action, target(page)))
            div class="wizard" {
                form action=(path) data-live data-draft=(path) novalidate {
                    input type="hidden" name="page" value="0";
                    @if !entity.is_empty() { input type="hidden" name="entity" value=(entity); }
                    @if *is_sent { input type="hidden" name="sent" value="0"; }
                    button class="visually-hidden" name="to" value="next" tabindex="-1" aria-hidden="true" { "Continue" }
                    @if !faults.is_empty() {
                        div class="error-summary" role="alert" {
                            p class="row" { (icon("alert")) b { (counted(faults.len() as u64, "answer needs a change", "answers need a change")) } }
                            ul { @for (href, text) in &faults { li { a href=(href) { (text) } } } }
                        }
                    }
                    @for shown in &form.form.pages {
                        @if form.form.pages.len() > 1 { h2 { (shown.title) } }
                        @if let Some(description) = &shown.description { div class="muted" { (markdown(description)) } }
                        (fields(&shown.fields, *is_sent))
                    }
                    @if all_fields(page).is_empty() { p class="muted" { "It asks nothing." } }
                    div class="form-foot" {
                        span class="push" {}
                        button class="button" data-variant="primary" name="to" value="next" { "Continue" }
                    }
                }
                (aside(page))
            }
        }
    })
}

fn aside(page: &Page<'_>) -> Markup {
    let Page { action, form, by_itself, .. } = page;
    html! {
        aside class="stack" data-gap="4" aria-label="What will happen" {
            section class="card" aria-labelledby="will-happen" {
                header class="card-head" { h2 id="will-happen" { "What will happen" } }
                div class="card-body stack" data-gap="3" {
                    @match &form.confirmation { Some(text) => { p { (with_code(text)) } }, None => { p { (action.title) } } }
                    @if let Some(approval) = &form.approval { p class="muted with-icon" { (icon("inbox")) span { "Needs " (approval) "." } } }
                    @if let Some(reason) = &form.refusal { p class="muted with-icon" { (icon("lock")) span { (with_code(reason)) } } }
                }
            }
            (by_itself)
            @if !action.problems.is_empty() { (problems(&action.problems)) }
        }
    }
}

fn confirming(page: &Page<'_>) -> Content {
    let Page { action, path, entity, form, .. } = page;
    let (disabled, reason) = denied(Verb::RunTemplates);
    let refusal = reason.or_else(|| form.refusal.clone());
    let disabled = disabled.or_else(|| form.refusal.as_ref().map(|_| "true"));
    let values = Value::Object(form.form.values.clone());
    let back = paths::with_query(path, [("entity", *entity), ("rest", values.to_string().as_str())]);
    let secrets: Vec<&FormField> = all_fields(page).into_iter().filter(|field| is_asked_later(field)).collect();
    let given: Vec<(String, String)> = all_fields(page).into_iter().flat_map(answers).collect();
    Content::from(html! {
        div class="stack" data-gap="5" {
            (head(action, target(page)))
            form class="card confirm" data-send="/api/v1/runs" data-done=(if form.approval.is_some() { "Asked for approval" } else { "Started" })
                data-goto="/runs/{id}" data-undraft=(path) aria-labelledby="confirm" {
                header class="card-head" { h2 id="confirm" { "Is this right?" } }
                div class="card-body stack" data-gap="4" {
                    p class="confirm-words" { @match &form.confirmation { Some(text) => { (with_code(text)) }, None => { (action.title) } } }
                    @if !given.is_empty() {
                        dl class="kv" { @for (label, value) in &given { dt { (label) } dd class="breakable" { (value) } } }
                    }
                    @if let Some(approval) = &form.approval { p class="muted with-icon" { (icon("inbox")) span { "It begins after " (approval) "." } } }
                    input type="hidden" name="action" value=(action.entity_ref);
                    @if !entity.is_empty() { input type="hidden" name="entity" value=(entity); }
                    input type="hidden" name="values" data-type="json" value=(values);
                    @for field in &secrets {
                        div class="field" {
                            label for=(format!("secret-{}", field.name)) { (field.label) }
                            input class="input" type="password" id=(format!("secret-{}", field.name)) name=(format!("secrets.{}", field.name)) autocomplete="off";
                            span class="hint" { "Kept sealed until the run has ended." }
                        }
                    }
                    @if let Some(reason) = &refusal { p class="muted with-icon" { (icon("lock")) span { (with_code(reason)) } } }
                }
                div class="card-foot row" {
                    a class="button" data-variant="quiet" href=(back) { (icon("chevron-left")) "Change" }
                    button class="button needs-script push" data-variant="primary" aria-disabled=[disabled] {
                        (icon("play"))
                        @if form.approval.is_some() { "Ask for approval" } @else { (form.form.create_label) }
                    }
                }
            }
        }
    })
}

fn broken(action: &ActionView) -> Content {
    Content::from(html! {
        div class="stack" data-gap="5" {
            (head(action, None))
            div class="callout" data-tone="danger" {
                (icon("fail"))
                div { p class="title" { "This action cannot run" } p { "Its author has to mend what is listed here first." } }
            }
            (problems(&action.problems))
        }
    })
}
