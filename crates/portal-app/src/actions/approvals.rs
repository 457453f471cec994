//! What waits for somebody to agree.

use maud::{Markup, html};
use portal_core::access::Verb;
use portal_core::actions::approval::Need;
use portal_core::actions::wire::{ApprovalList, ApprovalState, ApprovalView};

use super::delegations;
use crate::access::Question;
use crate::catalog::entity_link;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, denied, empty, icon, number};

pub(crate) async fn approvals(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    if let (_, Some(reason)) = denied(Verb::ReadRuns) {
        return Ok(Content::from(html! {
            section class="card" {
                (empty("lock", "Approvals are not shown to you".to_owned(), reason, html! { a class="button" href=(paths::SIGN_IN) rel="external" { "Sign in" } }))
            }
        }));
    }
    let (which, cursor) = (question.value("which"), question.value("cursor"));
    let mut pairs = match which {
        "decided" => vec![("mine", "true")],
        "all" => Vec::new(),
        _ => vec![("mine", "true"), ("state", "pending")],
    };
    if !cursor.is_empty() {
        pairs.push(("cursor", cursor));
    }
    let list: ApprovalList = asking.get(&paths::with_query(paths::API_APPROVALS, pairs)).await?;
    let delegations = delegations::card(asking).await?;
    let now = asking.now_ms();
    let older = list.next_cursor.as_deref();
    let older = older.map(|cursor| paths::with_query(paths::APPROVALS, [("which", which), ("cursor", cursor)]));
    Ok(Content::from(html! {
        div class="stack" {
            form class="filter-bar" action=(paths::APPROVALS) data-live aria-label="Filter" {
                select class="select filter-field" data-size="sm" name="which" aria-label="Which" {
                    option value="" { "Waiting for me" }
                    option value="decided" selected[which == "decided"] { "Mine, decided ones too" }
                    option value="all" selected[which == "all"] { "All that I may see" }
                }
                noscript { button class="button" data-size="sm" { "Filter" } }
                span class="push muted" { (number(list.total)) }
            }
            @if list.items.is_empty() {
                section class="card" data-key="none" {
                    (empty("inbox", "Nothing waits for you".to_owned(), "When somebody asks for something that you decide about, it is here.",
                        html! { a class="button" href=(paths::ACTIONS) { "See actions" } }))
                }
            }
            @for approval in &list.items { (decision(approval, now, true)) }
            @if let Some(older) = &older { nav class="pagination" data-key="older" aria-label="Pages" { a class="button" href=(older) { "Older" } } }
            @if let Some(delegations) = &delegations { (delegations) }
        }
    }))
}

fn of_state(state: ApprovalState) -> (&'static str, &'static str, &'static str) {
    match state {
        ApprovalState::Pending => ("warning", "pending", "Waits"),
        ApprovalState::Approved => ("success", "pass", "Approved"),
        ApprovalState::Declined => ("danger", "x", "Declined"),
        ApprovalState::Expired => ("neutral", "clock", "Expired"),
        ApprovalState::Withdrawn => ("neutral", "stop", "Withdrawn"),
    }
}

/// One approval, with the buttons that decide.
pub(crate) fn decision(approval: &ApprovalView, now: i64, links_run: bool) -> Content {
    let (tone, symbol, word) = of_state(approval.state);
    let heading = format!("approval-{}", approval.id);
    let is_open = approval.state == ApprovalState::Pending;
    Content::from(html! {
        section class="card approval" data-key=(approval.id) aria-labelledby=(heading) {
            header class="card-head" {
                h2 id=(heading) {
                    @if links_run { a href=(paths::run(approval.run_id)) { (approval.title) } } @else { "Approval" }
                }
                div class="push" { span class="status" data-tone=(tone) { (icon(symbol)) (word) } }
            }
            div class="card-body stack" data-gap="3" {
                div class="facts-strip" {
                    span { (icon("user")) (approval.requested_by.name) " asked " (ago(approval.created_at, now)) }
                    @if is_open { span { (icon("clock")) "until " (approval.expires_at.format("%Y-%m-%d %H:%M UTC")) } }
                    @if let Some(of) = &approval.on_behalf_of { span { (icon("group")) "you decide for " strong { (of.name) } } }
                    @if let Some(step) = &approval.step { span { "at step " code { (step) } } }
                }
                p class="approvers" {
                    (need(approval)) " "
                    @for (index, approver) in approval.approvers.iter().enumerate() { @if index > 0 { ", " } (entity_link(approver)) }
                    @if approval.four_eyes { span class="muted" { ", other than whoever asked" } }
                }
                @if let Some(plan) = approval.plan.as_ref().filter(|plan| !plan.is_empty()) {
                    details class="plan" open[is_open] {
                        summary { "The plan " code { (approval.plan_hash.as_deref().unwrap_or_default().chars().take(12).collect::<String>()) } }
                        pre tabindex="0" aria-label="Plan" { code { (plan) } }
                    }
                }
                @if !approval.votes.is_empty() {
                    ul class="list" data-compact {
                        @for vote in &approval.votes {
                            li {
                                span class="status" data-tone=(if vote.approves { "success" } else { "danger" }) {
                                    (icon(if vote.approves { "pass" } else { "x" }))
                                    span class="visually-hidden" { (if vote.approves { "Approved" } else { "Declined" }) }
                                }
                                div class="lines" {
                                    span { (vote.by.name) @if let Some(of) = &vote.on_behalf_of { " for " (of.name) } span class="muted" { " " (ago(vote.at, now)) } }
                                    @if let Some(comment) = &vote.comment { span class="breakable" { (comment) } }
                                }
                            }
                        }
                    }
                }
                @if is_open { (deciding(approval)) }
            }
        }
    })
}

fn need(approval: &ApprovalView) -> String {
    match approval.need {
        Need::Any => "Needs one of".to_owned(),
        Need::All => "Needs each of".to_owned(),
        Need::Count(count) => format!("Needs {count} people of"),
    }
}

fn deciding(approval: &ApprovalView) -> Markup {
    let (_, reason) = denied(Verb::RunTemplates);
    if let Some(reason) = reason.or_else(|| approval.refusal.clone()) {
        return html! { p class="muted with-icon" { (icon("lock")) span { (reason) } } };
    }
    let path = format!("{}/{}/votes", paths::API_APPROVALS, approval.id);
    let comment = format!("comment-{}", approval.id);
    let vote = |approves: bool, label: &str, done: &str, variant: &str| {
        html! {
            form data-send=(path) data-done=(done) class="vote" {
                input type="hidden" name="approves" data-type="json" value=(approves);
                @if approves {
                    input class="input" type="text" id=(comment) name="comment" maxlength="2000" aria-label="Comment" placeholder="Comment, if you like";
                } @else {
                    input class="input" type="text" name="comment" maxlength="2000" aria-label="Why not" placeholder="Why not";
                }
                button class="button needs-script" data-variant=(variant) { (icon(if approves { "check" } else { "x" })) (label) }
            }
        }
    };
    html! {
        div class="votes" {
            (vote(true, "Approve", "Approved", "primary"))
            (vote(false, "Decline", "Declined", "danger-quiet"))
        }
        @if approval.on_behalf_of.is_none() { (delegations::hand_on(approval)) }
    }
}
