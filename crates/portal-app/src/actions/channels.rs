//! What carries messages that leave the portal, and those that did not arrive.

use maud::html;
use portal_core::access::Verb;
use portal_core::outbox::{ChannelKind, ChannelList, ChannelView, MessageList, MessageView};

use crate::api::Method;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Act, Content, act_button, ago, denied, icon, number};

/// Failed messages that are shown.
const SHOWN: &str = "20";

/// The card of the channels, and that of failed messages where there are any to see.
pub(super) async fn cards(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let channels: ChannelList = asking.get(paths::API_CHANNELS).await?;
    let failed: Option<MessageList> = match denied(Verb::ReadAudit) {
        (None, _) => {
            let pairs = [("state", "failed"), ("limit", SHOWN)];
            Some(asking.get(&paths::with_query(paths::API_MESSAGES, pairs)).await?)
        }
        _ => None,
    };
    let failed = failed.filter(|list| !list.items.is_empty());
    let now = asking.now_ms();
    Ok(Content::from(html! {
        section class="card" aria-labelledby="channels" {
            header class="card-head" { h2 id="channels" { "Channels " span class="count" { (channels.items.len()) } } div class="push muted" { "kept in portal.toml" } }
            @if channels.items.is_empty() {
                div class="card-body" {
                    p class="muted" { "Nothing leaves the portal. Name Slack, Teams or a mail server under " code { "[[channel]]" } " in portal.toml." }
                }
            } @else {
                ul class="list" { @for channel in &channels.items { (line(channel)) } }
            }
        }
        @if let Some(list) = &failed {
            section class="card" aria-labelledby="failed-messages" {
                header class="card-head" { h2 id="failed-messages" { "Messages that failed " span class="count" { (number(list.total)) } } }
                ul class="list" { @for message in &list.items { (failure(message, now)) } }
            }
        }
    }))
}

fn line(channel: &ChannelView) -> Content {
    let ChannelView { name, kind, pending, failed } = channel;
    let (done, what) = match kind {
        ChannelKind::Email => ("Sent, look into your mailbox", "E-mail"),
        ChannelKind::Slack => ("Sent, look into the channel", "Slack"),
        ChannelKind::Teams => ("Sent, look into the channel", "Microsoft Teams"),
    };
    let test = Act {
        method: Method::Post,
        path: format!("{}/{}/test", paths::API_CHANNELS, paths::escape(name)),
        needs: Verb::WriteSources,
        label: "Test",
        about: name.clone(),
        confirm: "",
        done: done.to_owned(),
    };
    Content::from(html! {
        li data-key=(name) {
            (icon("inbox"))
            div class="lines" {
                strong { (name) " " span class="muted" { (what) } }
                @if *failed > 0 { span class="status" data-tone="danger" { (icon("fail")) (number(*failed)) " failed" } }
                @if *pending > 0 { span class="status" data-tone="warning" { (icon("pending")) (number(*pending)) " to be sent" } }
                @if *failed == 0 && *pending == 0 { span class="status" data-tone="success" { (icon("pass")) "Nothing waits" } }
            }
            div class="push" { (act_button(test)) }
        }
    })
}

fn failure(message: &MessageView, now: i64) -> Content {
    let MessageView { id, channel, recipient, title, error, created_at, run_id, .. } = message;
    let retry = Act {
        method: Method::Post,
        path: format!("{}/{id}/retry", paths::API_MESSAGES),
        needs: Verb::WriteSources,
        label: "Retry",
        about: title.clone(),
        confirm: "",
        done: "It is being sent again".to_owned(),
    };
    Content::from(html! {
        li data-key=(id) {
            (icon("inbox"))
            div class="lines" {
                strong class="breakable" { (title) }
                span class="muted" {
                    (channel)
                    @if let Some(recipient) = recipient { " to " span class="breakable" { (recipient) } }
                    ", " (ago(*created_at, now))
                    @if let Some(run) = run_id { ", of " a href=(paths::run(*run)) { "run " (run) } }
                }
                @if let Some(error) = error { span class="status" data-tone="danger" { (icon("fail")) span class="breakable" { (error) } } }
            }
            div class="push" { (act_button(retry)) }
        }
    })
}
