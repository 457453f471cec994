//! Every button there is; or those for one entity.

use maud::html;
use portal_core::access::Verb;
use portal_core::actions::wire::{ActionList, ActionVersion, ActionVersionList, ActionView};

use super::usually;
use crate::access::Question;
use crate::catalog::owner_link;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, counted, denied, empty, icon, markdown, with_code};

/// Instead of categories, where there are few actions.
const ALL: &str = "What you can do";

pub(crate) async fn gallery(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let (words, entity) = (question.value("q").to_lowercase(), question.value("entity"));
    let named = (!entity.is_empty()).then_some(("entity", entity));
    let list: ActionList = asking.get(&paths::with_query(paths::API_ACTIONS, named)).await?;
    let drafts: Vec<ActionVersion> = match denied(Verb::WriteCatalog).0 {
        None if entity.is_empty() && words.is_empty() => {
            asking.get::<ActionVersionList>(paths::API_ACTION_DRAFTS).await?.items
        }
        _ => Vec::new(),
    };
    let shown: Vec<&ActionView> = list.items.iter().filter(|one| fits(one, &words)).collect();
    let mut categories: Vec<&str> = shown.iter().map(|one| one.category.as_str()).collect();
    categories.dedup();
    // For one entity there are few.
    if !entity.is_empty() && !shown.is_empty() {
        categories = vec![ALL];
    }
    Ok(Content::from(html! {
        div class="stack" data-gap="5" {
            @if !entity.is_empty() {
                div class="callout" data-tone="info" {
                    (icon("target"))
                    div { p class="title" { "For " a class="underlined" href=(paths::entity(entity)) { (entity) } } p { "What is for other kinds of entities is not shown." } }
                    div class="actions" {
                        a class="button" data-size="sm" href=(paths::templates_for(entity)) { "Templates for it" }
                        a class="button" data-size="sm" href=(paths::ACTIONS) { "Show all" }
                    }
                }
            }
            form class="filter-bar" action=(paths::ACTIONS) data-live aria-label="Filter" {
                span class="input-group filter-field" {
                    (icon("search"))
                    input class="input" data-size="sm" type="search" name="q" value=(question.value("q")) aria-label="Filter actions" placeholder="Filter actions";
                }
                @if !entity.is_empty() { input type="hidden" name="entity" value=(entity); }
                noscript { button class="button" data-size="sm" { "Filter" } }
                a class="button push" data-size="sm" href=(paths::action_editor(None, entity)) { (icon("edit")) "Write one" }
                a class="button" data-size="sm" href=(paths::RUNS) { (icon("list")) "Runs" }
                a class="button" data-size="sm" href=(paths::APPROVALS) { (icon("inbox")) "Approvals" }
            }
            @if !drafts.is_empty() { (written(&drafts, asking.now_ms())) }
            @if list.items.is_empty() {
                section class="card" {
                    (empty("action", if entity.is_empty() { "No actions yet".to_owned() } else { "No action is for this".to_owned() },
                        "An action is an entity of kind Action. Add a source that declares one.",
                        html! { a class="button" href=(paths::NEW_SOURCE) { "Add source" } }))
                }
            } @else if shown.is_empty() {
                section class="card" {
                    (empty("action", "No action fits".to_owned(), "Take the filter away to see more.",
                        html! { a class="button" href=(paths::ACTIONS) { "Show all" } }))
                }
            }
            @for (number, category) in categories.iter().enumerate() {
                @let own: Vec<&&ActionView> = shown.iter().filter(|one| *category == ALL || one.category == *category).collect();
                section class="stack" data-gap="3" aria-labelledby=(format!("category-{number}")) {
                    h2 id=(format!("category-{number}")) { (category) " " span class="count" { (own.len()) } }
                    div class="template-grid" { @for one in own { (card(one, entity)) } }
                }
            }
        }
    }))
}

/// What is being written, for those who may go on with it.
fn written(drafts: &[ActionVersion], now: i64) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="drafts" {
            header class="card-head" { h2 id="drafts" { "Drafts " span class="count" { (drafts.len()) } } }
            ul class="list" {
                @for draft in drafts {
                    li data-key=(draft.action) {
                        (icon("edit"))
                        a class="underlined truncate" href=(paths::action_editor(Some(&draft.action), "")) { (draft.action.trim_start_matches("action:default/")) }
                        span class="muted push" { (draft.author) ", " (ago(draft.changed_at, now)) }
                    }
                }
            }
        }
    })
}

fn fits(one: &ActionView, words: &str) -> bool {
    let description = one.description.as_deref().unwrap_or_default();
    let text = format!("{} {} {} {} {}", one.title, one.entity_ref, one.category, description, one.tags.join(" "));
    let text = text.to_lowercase();
    words.split_whitespace().all(|word| text.contains(word))
}

fn card(one: &ActionView, entity: &str) -> Content {
    let ActionView { entity_ref, title, description, owner, kinds, approval, expected_seconds, usage, refusal, .. } =
        one;
    let page = paths::with_query(&paths::action(entity_ref), (!entity.is_empty()).then_some(("entity", entity)));
    Content::from(html! {
        article class="card template-card" data-key=(entity_ref) {
            h3 { (icon("action")) span class="truncate" title=(title) { (title) } }
            div class="template-about" { (markdown(description.as_deref().unwrap_or("No description."))) }
            div class="tags" {
                @for kind in kinds { span class="tag" { "on a " (kind) } }
                @if let Some(approval) = approval { span class="tag" { (if approval.contains(", when") { "may need approval" } else { "needs approval" }) } }
                @if let Some(seconds) = expected_seconds { span class="tag" { (usually(*seconds)) } }
            }
            (owner_link(owner.as_ref()))
            div class="row template-foot" {
                @match refusal {
                    Some(reason) => {
                        span class="muted action-refusal" { (icon("lock")) span { (with_code(reason)) } }
                    }
                    None => {
                        a class="button" data-size="sm" data-variant="primary" href=(page) { (icon("play")) "Run" span class="visually-hidden" { " " (title) } }
                    }
                }
                span class="push muted" { (counted(usage.runs, "run", "runs")) @if let Some(rate) = usage.success_rate { ", " (format!("{:.0} %", rate * 100.0)) " succeed" } }
            }
        }
    })
}
