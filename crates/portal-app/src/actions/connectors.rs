//! Platforms that actions work with, and what carries messages.

use maud::html;
use portal_core::access::Verb;
use portal_core::connectors::{ConnectorList, ConnectorState, ConnectorTest};
use serde_json::json;

use crate::access::Question;
use crate::paths;
use crate::served::{Asking, Refusal};
use crate::ui::{Content, denied, empty, icon};

pub(crate) async fn connectors(asking: &Asking<'_>) -> Result<Content, Refusal> {
    let question = Question::of(asking.query);
    let list: ConnectorList = asking.get(paths::API_CONNECTORS).await?;
    let (disabled, reason) = denied(Verb::WriteSources);
    let tested = question.value("test");
    let is_known = list.items.iter().any(|connector| connector.name == tested);
    let result = if is_known && reason.is_none() {
        let path = format!("{}/{}/test", paths::API_CONNECTORS, paths::escape(tested));
        Some(asking.post::<ConnectorTest>(&path, &json!({})).await?)
    } else {
        None
    };
    let channels = super::channels::cards(asking).await?;
    Ok(Content::from(html! {
        div class="stack" {
            @if list.items.is_empty() {
                section class="card" {
                    (empty("link", "No connectors yet".to_owned(), "Name a platform under [[connector]] in portal.toml: its address, its credential, its signing secret.",
                        html! { a class="button" href=(paths::API_DOCS) rel="external" { "API reference" } }))
                }
            } @else {
                section class="card" aria-labelledby="connectors" {
                    header class="card-head" { h2 id="connectors" { "Connectors " span class="count" { (list.items.len()) } } div class="push muted" { "kept in portal.toml" } }
                    ul class="list" {
                        @for connector in &list.items {
                            li data-key=(connector.name) {
                                (icon("link"))
                                div class="lines" {
                                    strong { (connector.name) " " span class="muted" { (connector.kind.as_str()) } }
                                    code class="breakable" { (connector.url) }
                                    span class="muted" {
                                        (if connector.has_credential { "Sends its credential" } else { "No credential" }) ", "
                                        (if connector.is_signed { "signs what it sends" } else { "signs nothing" }) ", "
                                        "at most " (connector.limit) " calls at a time"
                                    }
                                    (state(connector.state))
                                    @if connector.name == tested { @if let Some(Ok(result)) = &result { (outcome(result)) } }
                                }
                                form class="push" action=(paths::CONNECTORS) {
                                    input type="hidden" name="test" value=(connector.name);
                                    button class="button" data-size="sm" aria-disabled=[disabled] title=[reason.as_deref()] { "Test" span class="visually-hidden" { " " (connector.name) } }
                                }
                            }
                        }
                    }
                }
            }
            (channels)
        }
    }))
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

fn outcome(test: &ConnectorTest) -> Content {
    Content::from(html! {
        @match &test.fault {
            Some(fault) => { span class="status" data-tone="danger" { (icon("fail")) span class="breakable" { (fault) } } }
            None => { span class="status" data-tone="success" { (icon("pass")) "Answers, " (test.milliseconds) " ms" } }
        }
    })
}
