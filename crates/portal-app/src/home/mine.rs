//! What the caller owns and what is wrong with it, and what they have still to do
//! on their first day. The server writes it.

use maud::html;
use portal_core::access::wire::{Caller, TokenList};
use portal_core::catalog::wire::{EntityList, EntityView};
use portal_core::personal::wire::{Mark, MarkList};

use super::CHANGED;
use crate::catalog::{kind_icon, kind_of};
use crate::changes;
use crate::paths;
use crate::served::{Asking, Parts, Refusal, WHOLE};
use crate::ui::{Content, icon, number};

/// Owned entities that are shown.
const SHOWN: &str = "8";

/// What is the caller's, and what changed.
pub(crate) async fn written(asking: &Asking<'_>) -> Result<Parts, Refusal> {
    let marks: MarkList = asking.get(paths::API_MARKS).await?;
    let follows = marks.items.iter().any(|view| view.mark == Mark::Follow);
    Ok(vec![(WHOLE, mine(asking, &marks).await?), (CHANGED, changes::cards(asking, follows).await?)])
}

async fn mine(asking: &Asking<'_>, marks: &MarkList) -> Result<Content, Refusal> {
    let caller = asking.caller().await?;
    if caller.known == "guest" {
        return Ok(guest());
    }
    let owners: Vec<&str> = caller.user.iter().chain(&caller.groups).map(String::as_str).collect();
    let owned = match owners.is_empty() {
        true => None,
        false => Some(asking.get::<EntityList>(&owned_by(paths::API_ENTITIES, &owners)).await?),
    };
    let tokens = asking.get::<TokenList>("/api/v1/tokens").await.map_or(0, |tokens| tokens.total);
    let steps = steps(&caller, marks, tokens);
    Ok(Content::from(html! {
        div class="stack" {
            @if let Some(owned) = &owned { (owned_card(owned, &owners)) }
            @if steps.iter().any(|step| !step.done) { (checklist(&steps)) }
        }
    }))
}

/// What these own, what needs attention first.
fn owned_by(path: &str, owners: &[&str]) -> String {
    let filters = owners.iter().map(|owner| format!("relations.ownedBy={owner}")).collect::<Vec<_>>().join(",");
    paths::with_query(path, [("filter", filters.as_str()), ("sort", "metadata.name"), ("limit", SHOWN)])
}

fn guest() -> Content {
    Content::from(html! {
        div class="callout" data-tone="info" {
            (icon("eye"))
            div {
                p class="title" { "You look around as a guest" }
                p { "Everything can be read; to star, follow or change something, sign in." }
            }
            div class="actions" { a class="button" data-size="sm" href=(paths::SIGN_IN) rel="external" { "Sign in" } }
        }
    })
}

fn owned_card(owned: &EntityList, owners: &[&str]) -> Content {
    let all = paths::with_query(paths::CATALOG, owners.iter().map(|owner| ("owner", *owner)));
    Content::from(html! {
        section class="card" aria-labelledby="mine" {
            header class="card-head" {
                h2 id="mine" { "Yours " span class="count" { (number(owned.total)) } }
                div class="push" { a href=(all) { "All of it" } }
            }
            div class="card-body" data-flush {
                @if owned.items.is_empty() {
                    p class="card-body muted" { "Nothing yet. What names you or one of your groups as its owner stands here." }
                }
                ul class="list" data-compact { @for view in &owned.items { (line(view)) } }
            }
        }
    })
}

fn line(view: &EntityView) -> Content {
    let EntityView { entity_ref, entity, provenance, .. } = view;
    let title = entity["metadata"]["title"].as_str().or(entity["metadata"]["name"].as_str()).unwrap_or(entity_ref);
    let problem = match (provenance.stale, provenance.orphan_since) {
        (true, _) => Some("its document has an error"),
        (false, Some(_)) => Some("no source declares it"),
        (false, None) => None,
    };
    Content::from(html! {
        li {
            (icon(kind_icon(kind_of(entity_ref), entity["spec"]["type"].as_str())))
            div class="body" {
                a class="truncate" href=(paths::entity(entity_ref)) { (title) }
                @if let Some(problem) = problem { div class="meta" { span class="status" data-tone="warning" { (icon("alert")) (problem) } } }
            }
        }
    })
}

struct Step {
    done: bool,
    title: &'static str,
    how: &'static str,
    href: &'static str,
}

fn steps(caller: &Caller, marks: &MarkList, tokens: u64) -> [Step; 4] {
    let marked = |mark: Mark| marks.items.iter().any(|view| view.mark == mark);
    [
        Step {
            done: caller.user.is_some(),
            title: "Stand in the catalog",
            how: "as a User, so that your teams and what they own are known",
            href: paths::PROFILE,
        },
        Step {
            done: marked(Mark::Star),
            title: "Star what you work on",
            how: "it stands on this page",
            href: paths::CATALOG,
        },
        Step {
            done: marked(Mark::Follow),
            title: "Follow what you depend on",
            how: "its changes are told on this page",
            href: paths::CATALOG,
        },
        Step {
            done: tokens > 0,
            title: "Make a token for your scripts",
            how: "the API does what the pages do",
            href: paths::PROFILE,
        },
    ]
}

fn checklist(steps: &[Step]) -> Content {
    let done = steps.iter().filter(|step| step.done).count();
    Content::from(html! {
        section class="card" aria-labelledby="first-day" {
            header class="card-head" {
                h2 id="first-day" { "Your first day" }
                div class="push muted" { (done) " of " (steps.len()) }
            }
            div class="card-body" data-flush {
                ul class="list" data-compact {
                    @for step in steps {
                        li {
                            span class="status" data-tone=(if step.done { "success" } else { "neutral" }) {
                                (icon(if step.done { "pass" } else { "pending" }))
                                span class="visually-hidden" { (if step.done { "Done: " } else { "To do: " }) }
                            }
                            div class="body" {
                                a href=(step.href) { (step.title) }
                                div class="meta" { (step.how) }
                            }
                        }
                    }
                }
            }
        }
    })
}
