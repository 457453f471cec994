//! Who decides about approvals in whose place: while somebody is away, or about one approval.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::actions::wire::{ApprovalView, DelegationList, DelegationView};

use crate::api::Method;
use crate::catalog::entity_link;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Act, Content, EntityBox, act_button, denied, icon};

/// The card of what one has handed on, and what was handed to one; nothing for those who do
/// not decide.
pub(super) async fn card(asking: &Asking<'_>) -> Result<Option<Content>, Refusal> {
    let (disabled, _) = denied(Verb::RunTemplates);
    if disabled.is_some() {
        return Ok(None);
    }
    let list: DelegationList = asking.get(paths::API_DELEGATIONS).await?;
    let is_away = list.items.iter().any(|one| one.own && one.approval.is_none());
    Ok(Some(Content::from(html! {
        // What is being written there stays, whatever comes above it.
        section class="card" data-key="away" aria-labelledby="away" {
            header class="card-head" { h2 id="away" { "While you are away" } }
            @if !list.items.is_empty() { ul class="list" { @for one in &list.items { (line(one)) } } }
            @if !is_away {
                div class="card-body stack" data-gap="3" {
                    p class="muted" { "Somebody else decides in your place until you are back. What others have handed to you stays with you." }
                    form class="delegate" data-send=(paths::API_DELEGATIONS) data-done="Handed on" {
                        (delegate("away"))
                        div class="field" {
                            label for="away-until" { "Until the end of" }
                            input class="input" type="date" id="away-until" name="until" required;
                        }
                        div class="field" {
                            label for="away-reason" { "Reason" }
                            input class="input" type="text" id="away-reason" name="reason" maxlength="500" placeholder="If you like";
                        }
                        button class="button needs-script" { (icon("group")) "Hand on" }
                    }
                }
            }
        }
    })))
}

/// The form that lets somebody else decide about one approval.
pub(super) fn hand_on(approval: &ApprovalView) -> Markup {
    let id = format!("hand-on-{}", approval.id);
    html! {
        details class="hand-on needs-script" {
            summary { "Let somebody else decide" span class="visually-hidden" { " about " (approval.title) } }
            form class="delegate" data-send=(paths::API_DELEGATIONS) data-done="Handed on" {
                input type="hidden" name="approval" data-type="json" value=(approval.id);
                (delegate(&id))
                button class="button" { (icon("group")) "Hand on" }
            }
        }
    }
}

/// The box that finds whoever is to decide.
fn delegate(id: &str) -> Markup {
    let field = format!("{id}-delegate");
    html! {
        div class="field" {
            label for=(field) { "Who decides" }
            (EntityBox {
                id: &field,
                name: "delegate",
                label: "Users",
                suggestions: paths::suggestions(["user"]),
                is_required: true,
                ..EntityBox::default()
            })
        }
    }
}

fn line(one: &DelegationView) -> Content {
    let DelegationView { id, from, to, approval, reason, until, own, .. } = one;
    let end = Act {
        method: Method::Delete,
        path: format!("{}/{id}", paths::API_DELEGATIONS),
        needs: Verb::RunTemplates,
        label: if *own { "Take back" } else { "Give back" },
        about: if *own { format!("what {} has", to.title) } else { format!("what {} has handed to you", from.name) },
        confirm: "",
        done: if *own { "You decide again".to_owned() } else { "Given back".to_owned() },
    };
    Content::from(html! {
        li data-key=(id) {
            (icon("group"))
            div class="lines" {
                span {
                    @if *own { (entity_link(to)) " decides for you" } @else { "You stand in for " strong { (from.name) } }
                    @if approval.is_some() { " about one approval" }
                }
                span class="muted breakable" {
                    "until " (until.format("%Y-%m-%d %H:%M UTC"))
                    @if let Some(reason) = reason { ", " (reason) }
                }
            }
            div class="push" { (act_button(end)) }
        }
    })
}
