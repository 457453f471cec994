//! What a region shows instead of its content: loading, empty, failed.

use leptos::prelude::*;
use maud::html;

use super::{Content, Erase, icon, with_code};
use crate::api::{Failure, Load};
use crate::document::set_page_status;
use crate::paths;

/// Bars of the height of table rows, while a region loads.
pub(crate) fn skeleton_rows(count: usize) -> AnyView {
    Content::from(html! {
        div class="card skeleton-card" aria-busy="true" {
            p class="visually-hidden" role="status" { "Loading…" }
            ul class="list" data-compact aria-hidden="true" {
                @for _ in 0..count {
                    li { span class="skeleton" {} }
                }
            }
        }
    })
    .erase()
}

/// Nothing to show: what would be here, and what puts it there.
pub(crate) fn empty(symbol: &str, title: String, detail: impl maud::Render, actions: impl maud::Render) -> Content {
    Content::from(html! {
        div class="state" data-align="center" {
            (icon(symbol))
            strong class="title" { (title) }
            p { (detail) }
            div class="actions" { (actions) }
        }
    })
}

/// Could not be loaded: what happened, a way to try again, and the request id
/// for whoever looks into the log.
pub(crate) fn failed(what: &'static str, failure: &Failure, load: Load) -> AnyView {
    set_page_status(if failure.status == 0 { 502 } else { failure.status });
    let request = (!failure.request_id.is_empty()).then(|| {
        view! {
            <p class="subtle">
                "Request " <code>{failure.request_id.clone()}</code>
            </p>
        }
    });
    // A session may end while its page is open.
    let sign_in = (failure.status == 401).then(|| {
        Content::from(html! {
            a class="button" data-size="sm" data-variant="primary" href=(paths::SIGN_IN) rel="external" { "Sign in" }
        })
    });
    view! {
        <div class="card">
            <div class="state" data-tone="danger" role="alert">
                {icon("alert")}
                <strong class="title">{format!("{what} could not be loaded")}</strong>
                <p>{with_code(&failure.detail).erase()}</p>
                <div class="actions">
                    <button class="button" type="button" data-size="sm" on:click=move |_| load.retry()>
                        {icon("retry")}
                        "Retry"
                    </button>
                    {sign_in}
                </div>
                {request}
            </div>
        </div>
    }
    .erase()
}
