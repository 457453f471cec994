//! The page for what is not there.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::document::set_page_status;
use crate::paths;
use crate::ui::{Erase, icon};

/// For an address that no page has.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    not_found("This page does not exist", "The address may be mistyped, or the page has moved.".to_owned())
}

/// For a thing that is not there.
pub(crate) fn not_found(title: &'static str, detail: String) -> AnyView {
    set_page_status(404);
    view! {
        <Title text=title />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">{title}</h1>
                <p class="sub">{detail}</p>
            </div>
        </header>
        <div class="row" data-wrap>
            <a class="button" href=paths::CATALOG>
                {icon("catalog")}
                "Open the catalog"
            </a>
            <a class="button" href=paths::SEARCH>
                {icon("search")}
                "Search"
            </a>
        </div>
    }
    .erase()
}
