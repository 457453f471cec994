//! Every golden path that there is.

use maud::html;
use portal_core::templates::wire::{TemplateList, TemplateView};

use crate::access::Question;
use crate::catalog::owner_link;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, counted, empty, icon, markdown, number};

pub(crate) async fn gallery(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let list: TemplateList = asking.get(paths::API_TEMPLATES).await?;
    let (words, kind, owner) =
        (question.value("q").to_lowercase(), question.value("type").to_owned(), question.value("owner").to_owned());
    let shown: Vec<&TemplateView> = list.items.iter().filter(|one| fits(one, &words, &kind, &owner)).collect();
    let (now, entity) = (asking.now_ms(), question.value("for"));
    let mut types: Vec<&str> = list.items.iter().map(|one| one.template_type.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    let mut owners: Vec<(&str, &str)> = list
        .items
        .iter()
        .filter_map(|one| one.owner.as_ref())
        .map(|owner| (owner.entity_ref.as_str(), owner.title.as_str()))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    let (used, others): (Vec<&TemplateView>, Vec<&TemplateView>) = shown.iter().partition(|one| one.usage.runs > 0);
    Ok(Content::from(html! {
        div class="stack" data-gap="5" {
            @if !entity.is_empty() {
                div class="callout" data-tone="info" {
                    (icon("target"))
                    div { p class="title" { "For " a class="underlined" href=(paths::entity(entity)) { (entity) } } p { "Forms begin with what it can answer: itself, its owner, its system." } }
                    div class="actions" { a class="button" data-size="sm" href=(paths::TEMPLATES) { "Without it" } }
                }
            }
            form class="filter-bar" action=(paths::TEMPLATES) data-live aria-label="Filter" {
                span class="input-group filter-field" {
                    (icon("search"))
                    input class="input" data-size="sm" type="search" name="q" value=(question.value("q")) aria-label="Filter templates" placeholder="Filter templates";
                }
                select class="select filter-field" data-size="sm" name="type" aria-label="Type" {
                    option value="" { "Any type" }
                    @for one in types { option value=(one) selected[one == kind] { (one) } }
                }
                select class="select filter-field" data-size="sm" name="owner" aria-label="Owner" {
                    option value="" { "Any owner" }
                    @for (reference, title) in owners { option value=(reference) selected[reference == owner] { (title) } }
                }
                @if !entity.is_empty() { input type="hidden" name="for" value=(entity); }
                noscript { button class="button" data-size="sm" { "Filter" } }
                a class="button push" data-size="sm" href=(paths::template_editor(None)) { (icon("edit")) "Write one" }
                a class="button" data-size="sm" href=(paths::RUNS) { (icon("list")) "Runs" }
            }
            @if list.items.is_empty() {
                section class="card" {
                    (empty("template", "No templates yet".to_owned(),
                        "A template is an entity of kind Template. Add a source that declares one.",
                        html! { a class="button" href=(paths::NEW_SOURCE) { "Add source" } }))
                }
            } @else if shown.is_empty() {
                section class="card" {
                    (empty("template", "No template fits".to_owned(), "Take a filter away to see more.",
                        html! { a class="button" href=(paths::TEMPLATES) { "Show all" } }))
                }
            }
            @if !used.is_empty() { (group("used", "In use", &used, now, entity)) }
            @if !others.is_empty() { (group("others", if used.is_empty() { "All templates" } else { "Not used yet" }, &others, now, entity)) }
        }
    }))
}

fn fits(one: &TemplateView, words: &str, kind: &str, owner: &str) -> bool {
    let text = format!(
        "{} {} {} {}",
        one.title,
        one.entity_ref,
        one.description.as_deref().unwrap_or_default(),
        one.tags.join(" ")
    );
    let text = text.to_lowercase();
    words.split_whitespace().all(|word| text.contains(word))
        && (kind.is_empty() || one.template_type == kind)
        && (owner.is_empty() || one.owner.as_ref().is_some_and(|own| own.entity_ref == owner))
}

fn group(id: &str, title: &str, all: &[&TemplateView], now: i64, entity: &str) -> Content {
    Content::from(html! {
        section class="stack" data-gap="3" aria-labelledby=(id) {
            h2 id=(id) { (title) " " span class="count" { (all.len()) } }
            div class="template-grid" { @for one in all { (card(one, now, entity)) } }
        }
    })
}

fn card(one: &TemplateView, now: i64, entity: &str) -> Content {
    let TemplateView { entity_ref, title, description, template_type, owner, tags, usage, problems, broken } = one;
    let page = paths::with_query(&paths::template(entity_ref), (!entity.is_empty()).then_some(("for", entity)));
    Content::from(html! {
        article class="card template-card" data-key=(entity_ref) {
            h3 { (icon("template")) span class="truncate" title=(title) { (title) } }
            div class="template-about" { (markdown(description.as_deref().unwrap_or("No description."))) }
            div class="tags" {
                span class="tag" { (template_type) }
                @for tag in tags.iter().take(4) { span class="tag" { (tag) } }
            }
            div class="figures" {
                span { b { (number(usage.runs)) } (if usage.runs == 1 { "run" } else { "runs" }) }
                span { b { @match usage.success_rate { Some(rate) => { (format!("{:.0} %", rate * 100.0)) }, None => { "–" } } } "succeed" }
                span { b { @match usage.last_run_at { Some(at) => { (ago(at, now)) }, None => { "never" } } } "last run" }
            }
            (owner_link(owner.as_ref()))
            div class="row template-foot" {
                @if *broken {
                    span class="status" data-tone="danger" { (icon("fail")) "Cannot run" }
                } @else {
                    a class="button" data-size="sm" data-variant="primary" href=(&page) { "Use template" span class="visually-hidden" { " " (title) } }
                }
                @if !problems.is_empty() {
                    a class="status push" data-tone="warning" href=(page) { (icon("alert")) (counted(problems.len() as u64, "remark", "remarks")) }
                }
            }
        }
    })
}
