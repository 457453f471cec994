//! Platforms that actions work with, and what carries messages.

use maud::html;
use portal_core::access::Verb;
use portal_core::connectors::{ConnectorList, ConnectorOrigin, ConnectorState, ConnectorTest, ConnectorView};

use super::connector_form::{Formed, form};
use crate::access::Question;
use crate::api::Method;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Act, Content, act_button, ago, counted, denied, empty, icon};

pub(crate) async fn connectors(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let list: ConnectorList = asking.get(paths::API_CONNECTORS).await?;
    let edited = list.items.iter().find(|connector| connector.name == question.value("edit"));
    let edited = edited.filter(|connector| connector.origin == ConnectorOrigin::Api);
    let formed = match edited {
        Some(connector) => Some(Formed::Old(connector)),
        None => (!question.value("new").is_empty()).then_some(Formed::New),
    };
    let channels = super::channels::cards(asking).await?;
    let now = asking.now_ms();
    Ok(Content::from(html! {
        div class="stack" {
            @if let Some(formed) = formed { (form(formed)) }
            @if list.items.is_empty() {
                section class="card" {
                    (empty("link", "No connectors yet".to_owned(), "Add the platforms that actions work with: an address, and a credential that only the portal reads. Those under [[connector]] in portal.toml are shown here too.",
                        html! { (adding()) }))
                }
            } @else {
                section class="card" aria-labelledby="connectors" {
                    header class="card-head" {
                        h2 id="connectors" { "Connectors " span class="count" { (list.items.len()) } }
                        div class="push" { (adding()) }
                    }
                    ul class="list" { @for connector in &list.items { (line(connector, now)) } }
                }
            }
            (channels)
        }
    }))
}

fn adding() -> Content {
    let (disabled, reason) = denied(Verb::WriteSources);
    let place = paths::with_query(paths::CONNECTORS, [("new", "yes")]);
    Content::from(html! {
        a class="button" data-size="sm" href=(place) aria-disabled=[disabled] title=[reason] { (icon("plus")) "Add connector" }
    })
}

fn line(connector: &ConnectorView, now: i64) -> Content {
    let ConnectorView { name, kind, url, preset, contract, limit, rest_seconds, origin, .. } = connector;
    let is_own = *origin == ConnectorOrigin::Api;
    Content::from(html! {
        li class="access-line" data-key=(name) {
            (icon("link"))
            div class="lines" {
                span {
                    strong { (name) } " " span class="muted" { (kind.as_str()) }
                    @if !is_own { " " span class="tag" { "from portal.toml" } }
                }
                code class="breakable" { (url) }
                span class="muted" { (secrets(connector, now)) }
                span class="muted" {
                    "At most " (counted(*limit, "call", "calls")) " at a time, rests for " (rest_seconds) " s"
                    @if let Some(preset) = preset { ", speaks " code { (preset) } }
                    @if contract.is_some() { ", speaks its own contract" }
                }
                @if let (Some(at), Some(by)) = (connector.updated_at, &connector.updated_by) {
                    span class="muted" { "Changed " (ago(at, now)) " by " (by) }
                }
                (users(connector))
                @if connector.hides_stored {
                    span class="status" data-tone="warning" { (icon("alert")) "One of this name is kept in the portal too, and is not used" }
                }
                (state(connector.state))
                @if let Some(test) = &connector.tested { (outcome(test, now)) }
            }
            div class="actions" { (buttons(connector, is_own)) }
        }
    })
}

fn buttons(connector: &ConnectorView, is_own: bool) -> Content {
    let name = &connector.name;
    let own = format!("{}/{}", paths::API_CONNECTORS, paths::escape(name));
    let test = Act {
        method: Method::Post,
        path: format!("{own}/test"),
        needs: Verb::WriteSources,
        label: "Test",
        about: name.clone(),
        confirm: "",
        done: format!("{name} answers"),
    };
    let is_used = is_own && (!connector.used_by.is_empty() || connector.used_by_hidden > 0);
    let remove = Act {
        method: Method::Delete,
        path: if is_used { format!("{own}?force=true") } else { own },
        needs: Verb::WriteSources,
        label: if is_own { "Delete" } else { "Delete the other" },
        about: name.clone(),
        confirm: if is_used { "Delete although it is used" } else { "Delete for good" },
        done: format!("Deleted {name}"),
    };
    let (disabled, reason) = denied(Verb::WriteSources);
    let edit = paths::with_query(paths::CONNECTORS, [("edit", name.as_str())]);
    Content::from(html! {
        (act_button(test))
        @if is_own {
            a class="button" data-size="sm" href=(edit) aria-disabled=[disabled] title=[reason] { "Edit" span class="visually-hidden" { " " (name) } }
        }
        @if is_own || connector.hides_stored { (act_button(remove)) }
    })
}

fn secrets(connector: &ConnectorView, now: i64) -> Content {
    let ConnectorView { has_credential, credential_set_at, is_signed, signing_secret_set_at, .. } = connector;
    Content::from(html! {
        @if *has_credential { "Sends its credential" } @else { "No credential" }
        @if let Some(at) = credential_set_at { " (set " (ago(*at, now)) ")" }
        ", " @if *is_signed { "signs what it sends" } @else { "signs nothing" }
        @if let Some(at) = signing_secret_set_at { " (set " (ago(*at, now)) ")" }
    })
}

/// Who would fail without it.
fn users(connector: &ConnectorView) -> Content {
    let ConnectorView { used_by, used_by_hidden, .. } = connector;
    Content::from(html! {
        @if !used_by.is_empty() || *used_by_hidden > 0 {
            span class="muted breakable" {
                "Used by "
                @for (position, user) in used_by.iter().enumerate() {
                    @if position > 0 { ", " }
                    a class="underlined" href=(paths::entity(user)) title=(user) { (user.rsplit('/').next().unwrap_or(user)) }
                }
                @if *used_by_hidden > 0 {
                    @if !used_by.is_empty() { " and " }
                    (used_by_hidden) " that you do not see"
                }
            }
        }
    })
}

/// What stands in the way of calls, where something does.
fn state(state: ConnectorState) -> Content {
    Content::from(html! {
        @match state {
            ConnectorState::Ready => {}
            ConnectorState::Resting => { span class="status" data-tone="danger" { (icon("fail")) "Does not answer; left alone for a while" } }
            ConnectorState::Trying => { span class="status" data-tone="warning" { (icon("clock")) "Did not answer; the next call tries again" } }
        }
    })
}

fn outcome(test: &ConnectorTest, now: i64) -> Content {
    Content::from(html! {
        @match &test.fault {
            Some(fault) => { span class="status" data-tone="danger" { (icon("fail")) span class="breakable" { (fault) } } }
            None => { span class="status" data-tone="success" { (icon("pass")) span { "Answers, " (test.milliseconds) " ms" } } }
        }
        span class="muted" { "Tested " (ago(test.at, now)) @if let Some(status) = test.status { ", answered " (status) } }
    })
}
