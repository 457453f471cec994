//! Filling a form, page by page. The server judges each answer while it is given.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::problem::Problem;
use portal_core::templates::wire::{FormField, FormPage, FormView, TemplateProblem, TemplateView};
use serde_json::{Map, Value, json};

use super::answers::{self, Asked};
use super::fields::{anchor, fields};
use super::review::review;
use crate::access::Question;
use crate::catalog::owner_link;
use crate::paths;
use crate::served::{Asking, Parts, Refusal, WHOLE};
use crate::ui::{Content, counted, denied, icon, markdown};

/// What the wizard shows: the form, and where in it one is.
pub(super) struct Wizard<'w> {
    pub template: &'w TemplateView,
    pub form: &'w FormView,
    pub path: String,
    /// The page that is shown; the number of pages for the review.
    pub page: usize,
}

pub(crate) async fn wizard(asking: &Asking<'_>, path: &str) -> Result<Parts, Refusal> {
    let api = format!("/api/v1{path}");
    let template: TemplateView = asking.get(&api).await?;
    let question = Question::of(asking.query);
    let asked = Asked::of(&question);
    // Only at the beginning: what is taken away again stays away.
    let entity = Some(question.value("for")).filter(|entity| !entity.is_empty() && question.value("page").is_empty());
    let form_of = async |values: &Map<String, Value>| {
        let body = json!({ "entity": entity, "values": values });
        let answer = asking.post::<FormView>(&format!("{api}/form"), &body).await?;
        answer.map_err(|problem: Problem| Refusal::from(problem))
    };
    let rough = form_of(&asked.rough()).await?;
    let values = asked.typed(&rough.pages);
    let form = form_of(&values).await?;
    let page = shown_page(&form, &asked, &question);
    let wizard = Wizard { template: &template, form: &form, path: path.to_owned(), page };
    let content = if template.broken {
        broken(&wizard)
    } else if page >= form.pages.len() {
        review(asking, &wizard, &question).await?
    } else {
        filling(&wizard, &asked)
    };
    let title = Content::from(html! { span { (format!("Create {}", template.title)) } });
    Ok(vec![(WHOLE, content), ("title", title)])
}

/// The page that was asked for, or the one before it that still has faults.
fn shown_page(form: &FormView, asked: &Asked, question: &Question) -> usize {
    let last = form.pages.len();
    let page = asked.page.min(last);
    match question.value("to") {
        "back" => (0..page).rev().find(|index| has_fields(&form.pages[*index])).unwrap_or(page),
        "next" => {
            let faulty = (0..=page).filter(|index| *index < last).find(|index| is_faulty(&form.pages[*index].fields));
            faulty.unwrap_or_else(|| (page + 1..last).find(|index| has_fields(&form.pages[*index])).unwrap_or(last))
        }
        text => {
            let to = text.parse::<usize>().unwrap_or(page).min(last);
            (0..to.min(last)).find(|index| is_faulty(&form.pages[*index].fields)).unwrap_or(to)
        }
    }
}

/// A page of which every field is hidden by conditions is passed over.
fn has_fields(page: &FormPage) -> bool {
    !page.fields.is_empty()
}

fn is_faulty(fields: &[FormField]) -> bool {
    fields.iter().any(|field| (field.error.is_some() && !is_asked_later(field)) || is_faulty(&field.fields))
}

/// Secrets are asked for when the run is started.
pub(crate) fn is_asked_later(field: &FormField) -> bool {
    use portal_core::templates::wire::Control;
    matches!(field.control, Control::Secret | Control::Password)
}

pub(super) fn head(wizard: &Wizard<'_>, lead: &str) -> Markup {
    let Wizard { template, .. } = wizard;
    html! {
        header class="page-head" {
            div class="lead" {
                h1 tabindex="-1" { "Create " (template.title) }
                div class="sub" { (markdown(lead)) }
            }
            div class="page-actions" {
                a class="button" href=(paths::template_editor(Some(&template.entity_ref))) { (icon("edit")) "Edit template" }
                a class="button" href=(paths::entity(&template.entity_ref)) { (icon("eye")) "About this template" }
            }
        }
        (stepper(wizard))
    }
}

fn stepper(wizard: &Wizard<'_>) -> Content {
    let Wizard { form, page, .. } = wizard;
    let visible: Vec<(usize, &str)> = form
        .pages
        .iter()
        .enumerate()
        .filter(|(_, page)| has_fields(page))
        .map(|(index, page)| (index, page.title.as_str()))
        .collect();
    let all: Vec<(usize, &str)> = visible.into_iter().chain([(form.pages.len(), "Review")]).collect();
    let here = all.iter().position(|(index, _)| index == page).unwrap_or(0);
    let back = |to: usize| at(wizard, to);
    Content::from(html! {
        ol class="stepper" aria-label=(format!("Progress, step {} of {}", here + 1, all.len())) {
            @for (number, (index, title)) in all.iter().enumerate() {
                @let state = if number < here { "done" } else { "todo" };
                li data-state=(state) aria-current=[(number == here).then_some("step")] {
                    span class="dot" { @if number < here { (icon("check")) } @else { (number + 1) } }
                    @if number < here { a class="step-name" href=(back(*index)) { (title) } span class="visually-hidden" { " done" } }
                    @else { span class="step-name" { (title) } }
                }
            }
        }
    })
}

/// The address of a page with the answers so far.
pub(super) fn at(wizard: &Wizard<'_>, page: usize) -> String {
    let rest = kept(&wizard.form.values).to_string();
    let number = page.to_string();
    paths::with_query(&wizard.path, [("page", number.as_str()), ("rest", rest.as_str())])
}

pub(super) fn kept(values: &Map<String, Value>) -> Value {
    Value::Object(values.clone())
}

fn filling(wizard: &Wizard<'_>, asked: &Asked) -> Content {
    let Wizard { template, form, path, page } = wizard;
    let shown = &form.pages[*page];
    let rest = answers::without(&form.values, &shown.fields);
    let is_sent = asked.is_sent(*page);
    let mut faults = Vec::new();
    if is_sent {
        collect(&shown.fields, &mut faults);
    }
    let is_first = !form.pages[..*page].iter().any(has_fields);
    let is_last = !form.pages[page + 1..].iter().any(has_fields);
    Content::from(html! {
        div class="stack" data-gap="5" {
            (head(wizard, template.description.as_deref().unwrap_or("Answers are checked while you give them.")))
            div class="wizard" {
                form action=(path) data-live data-draft=(path) novalidate {
                    input type="hidden" name="page" value=(page);
                    input type="hidden" name="rest" value=(Value::Object(rest));
                    @if is_sent { input type="hidden" name="sent" value=(page); }
                    // What the return key does.
                    button class="visually-hidden" name="to" value="next" tabindex="-1" aria-hidden="true" { "Continue" }
                    @if !faults.is_empty() {
                        div class="error-summary" role="alert" {
                            p class="row" { (icon("alert")) b { (counted(faults.len() as u64, "answer needs a change", "answers need a change")) } }
                            ul { @for (href, text) in &faults { li { a href=(href) { (text) } } } }
                        }
                    }
                    @if let Some(description) = &shown.description { div class="muted" { (markdown(description)) } }
                    (fields(&shown.fields, is_sent))
                    div class="form-foot" {
                        @if !is_first { button class="button" data-variant="quiet" name="to" value="back" { (icon("chevron-left")) (form.back_label) } }
                        span class="push" {}
                        button class="button" data-variant="primary" name="to" value="next" { (if is_last { form.review_label.as_str() } else { "Continue" }) }
                    }
                }
                (aside(wizard))
            }
        }
    })
}

fn collect(fields: &[FormField], faults: &mut Vec<(String, String)>) {
    for field in fields {
        if let Some(error) = field.error.as_ref().filter(|_| !is_asked_later(field)) {
            faults.push((anchor(field), format!("{} {error}", field.label).replace('`', "")));
        }
        collect(&field.fields, faults);
    }
}

fn aside(wizard: &Wizard<'_>) -> Content {
    let Wizard { template, form, .. } = wizard;
    let given: Vec<(String, String)> =
        form.pages.iter().flat_map(|page| &page.fields).flat_map(super::review::answers).collect();
    let (_, reason) = denied(Verb::RunTemplates);
    Content::from(html! {
        aside class="stack" data-gap="4" aria-label="So far" {
            section class="card" aria-labelledby="so-far" {
                header class="card-head" { h2 id="so-far" { "Your answers" } div class="push muted" { "kept in this address" } }
                div class="card-body" {
                    @if given.is_empty() { p class="muted" { "Nothing yet. What you answer appears here." } }
                    @else { dl class="kv" { @for (label, value) in &given { dt { (label) } dd class="breakable" { (value) } } } }
                }
            }
            section class="card" aria-labelledby="about-template" {
                header class="card-head" { h2 id="about-template" { "This template" } }
                div class="card-body stack" data-gap="2" {
                    (owner_link(template.owner.as_ref()))
                    p class="muted" {
                        (counted(template.usage.runs, "run", "runs"))
                        @if let Some(rate) = template.usage.success_rate { ", " (format!("{:.0} %", rate * 100.0)) " succeed" }
                    }
                    @if let Some(reason) = &reason { p class="muted" { (icon("lock")) " " (reason) } }
                    p { a class="underlined" href=(paths::runs_of(&template.entity_ref)) { "Runs of this template" } }
                }
            }
            @if !template.problems.is_empty() { (problems(&template.problems)) }
        }
    })
}

pub(crate) fn problems(problems: &[TemplateProblem]) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="remarks" {
            header class="card-head" { h2 id="remarks" { "Remarks for its author " span class="count" { (problems.len()) } } }
            ul class="list" data-compact {
                @for problem in problems.iter().take(20) {
                    li {
                        span class="status" data-tone=(if problem.is_error { "danger" } else { "warning" }) {
                            (icon(if problem.is_error { "fail" } else { "alert" }))
                            span class="visually-hidden" { (if problem.is_error { "Error" } else { "Warning" }) }
                        }
                        div class="lines" { span class="breakable" { (crate::ui::with_code(&problem.message)) } code class="muted breakable" { (problem.pointer) } }
                    }
                }
            }
        }
    })
}

fn broken(wizard: &Wizard<'_>) -> Content {
    Content::from(html! {
        div class="stack" data-gap="5" {
            header class="page-head" { div class="lead" { h1 tabindex="-1" { "Create " (wizard.template.title) } } }
            div class="callout" data-tone="danger" {
                (icon("fail"))
                div { p class="title" { "This template cannot run" } p { "Its author has to mend what is listed here first." } }
            }
            (problems(&wizard.template.problems))
        }
    })
}
