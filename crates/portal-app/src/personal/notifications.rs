//! What one was told.

use maud::html;
use portal_core::access::Verb;
use portal_core::actions::wire::ApprovalList;
use portal_core::personal::wire::{Notification, NotificationList, Severity};

use crate::access::Question;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, ago, counted, denied, empty, icon, number};

const API: &str = "/api/v1/notifications";

/// The bell in the bar on top, with how many are unread.
pub(crate) async fn bell(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let list: NotificationList = asking.get(&format!("{API}?unread=true&limit=1")).await?;
    let label = match list.unread {
        0 => "Notifications".to_owned(),
        count => format!("Notifications, {} unread", number(count)),
    };
    let shown = if list.unread > 99 { "99+".to_owned() } else { list.unread.to_string() };
    let mine = paths::with_query(paths::API_APPROVALS, [("mine", "true"), ("state", "pending"), ("limit", "1")]);
    let waiting = match denied(Verb::ReadRuns) {
        (_, Some(_)) => 0,
        (_, None) => asking.get::<ApprovalList>(&mine).await?.total,
    };
    Ok(Content::from(html! {
        span class="bells" {
        @if waiting > 0 {
            a class="button bell" href=(paths::APPROVALS) data-variant="quiet" data-size="sm" data-icon-only
                aria-label=(format!("Approvals, {} waiting for you", number(waiting))) {
                (icon("inbox"))
                span class="bell-count" aria-hidden="true" { (if waiting > 99 { "99+".to_owned() } else { waiting.to_string() }) }
            }
        }
        a class="button bell" href=(paths::NOTIFICATIONS) data-variant="quiet" data-size="sm" data-icon-only aria-label=(label) {
            (icon("bell"))
            @if list.unread > 0 { span class="bell-count" aria-hidden="true" { (shown) } }
        }
        }
    }))
}

pub(crate) async fn notifications(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let list: NotificationList = asking.get(&paths::with_query(API, question.pairs())).await?;
    let now = asking.now_ms();
    let only_unread = question.value("unread") == "true";
    let filters = || question.pairs().filter(|(key, _)| *key != "cursor");
    let older = list.next_cursor.as_deref();
    let older = older.map(|cursor| paths::with_query(paths::NOTIFICATIONS, filters().chain([("cursor", cursor)])));
    let (disabled, reason) = denied(Verb::Personalise);
    Ok(Content::from(html! {
        div class="stack" {
            div class="filter-bar" {
                form action=(paths::NOTIFICATIONS) data-live aria-label="Filter" {
                    select class="select filter-field" data-size="sm" name="unread" aria-label="Which" {
                        option value="" { "All" }
                        option value="true" selected[only_unread] { "Unread" }
                    }
                    noscript { button class="button" data-size="sm" { "Filter" } }
                }
                @if list.unread > 0 {
                    form class="push" data-send=(format!("{API}/read")) data-done="All read" {
                        button class="button needs-script" data-size="sm" aria-disabled=[disabled] title=[reason.as_deref()] { (icon("check")) "Mark all as read" }
                    }
                }
            }
            section class="card" aria-labelledby="list" {
                header class="card-head" {
                    h2 id="list" { "Notifications " span class="count" { (number(list.total)) } }
                    @if list.unread > 0 { span class="push muted" { (counted(list.unread, "unread", "unread")) } }
                }
                @if list.items.is_empty() && only_unread {
                    (empty("bell", "Nothing unread".to_owned(), "You have read all that you were told.", html! { a class="button" href=(paths::NOTIFICATIONS) { "Show all" } }))
                } @else if list.items.is_empty() {
                    (empty("bell", "Nothing yet".to_owned(), "What runs of templates tell you and your groups appears here.", html! { a class="button" href=(paths::TEMPLATES) { "Templates" } }))
                } @else {
                    ul class="list notifications" { @for one in &list.items { (line(one, now)) } }
                }
            }
            @if let Some(older) = &older { nav class="pagination" aria-label="Pages" { a class="button" href=(older) { "Older" } } }
        }
    }))
}

fn line(one: &Notification, now: i64) -> Content {
    let Notification { id, recipient, title, text, link, severity, topic, at, read } = one;
    let (tone, symbol, word) = match severity {
        Severity::Critical => ("danger", "fail", "Critical"),
        Severity::High => ("warning", "alert", "High"),
        Severity::Normal => ("info", "info", "Normal"),
        Severity::Low => ("neutral", "message", "Low"),
    };
    let to = if recipient == "*" {
        "everybody".to_owned()
    } else {
        recipient.rsplit('/').next().unwrap_or(recipient).to_owned()
    };
    Content::from(html! {
        li data-key=(id) data-unread[!read] {
            span class="status" data-tone=(tone) { (icon(symbol)) span class="visually-hidden" { (word) } }
            div class="lines" {
                @match link {
                    Some(link) => { a class="title breakable" href=(link) rel=[(!link.starts_with('/')).then_some("external noopener")] { (title) } },
                    None => { span class="title breakable" { (title) } },
                }
                @if let Some(text) = text { span class="breakable told" { (text) } }
                span class="meta" {
                    "To " (to) @if let Some(topic) = topic { ", " (topic) } ", " (ago(*at, now))
                }
            }
            @if !read {
                form data-send=(format!("{API}/read")) data-done="Read" {
                    input type="hidden" name="ids" data-type="json" value=(format!("[{id}]"));
                    button class="button needs-script" data-size="sm" data-variant="quiet" { (icon("check")) "Read" span class="visually-hidden" { " " (title) } }
                }
            }
        }
    })
}
