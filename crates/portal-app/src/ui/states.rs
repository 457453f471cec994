//! What a region shows instead of its content: loading, empty, failed.

use leptos::prelude::*;

use super::{Erase, icon};
use crate::api::{Failure, Load};
use crate::document::set_page_status;

/// Bars of the height of table rows, while a region loads.
pub(crate) fn skeleton_rows(count: usize) -> AnyView {
    let rows = (0..count).map(|_| view! { <li><span class="skeleton"></span></li> }).collect_view();
    view! {
        <div class="card skeleton-card" aria-busy="true">
            <p class="visually-hidden" role="status">
                "Loading…"
            </p>
            <ul class="list" data-compact aria-hidden="true">
                {rows}
            </ul>
        </div>
    }
    .erase()
}

/// Nothing to show: what would be here, and what puts it there.
pub(crate) fn empty(symbol: &'static str, title: String, detail: AnyView, actions: AnyView) -> AnyView {
    view! {
        <div class="state" data-align="center">
            {icon(symbol)} <strong class="title">{title}</strong> <p>{detail}</p> <div class="actions">{actions}</div>
        </div>
    }
    .erase()
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
    view! {
        <div class="card">
            <div class="state" data-tone="danger" role="alert">
                {icon("alert")}
                <strong class="title">{format!("{what} could not be loaded")}</strong>
                <p>{failure.detail.clone()}</p>
                <div class="actions">
                    <button class="button" type="button" data-size="sm" on:click=move |_| load.retry()>
                        {icon("retry")}
                        "Retry"
                    </button>
                </div>
                {request}
            </div>
        </div>
    }
    .erase()
}
