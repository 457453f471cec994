//! The application: what every page shares, and which page an address shows.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, StaticSegment, path};

use crate::api::provide_live;
use crate::catalog::{CatalogListPage, EntityPage};
use crate::frame::{Frame, NotFoundPage, focus_after_navigation};
use crate::home::HomePage;
use crate::personal::provide_marking;
use crate::search::SearchPage;
use crate::served::{ServedPage, ServedWhole};
use crate::sources::{NewSourcePage, SourceListPage, SourcePage};
use crate::ui::{Erase, effect, provide_acting, provide_copying, provide_denying, provide_forms, provide_toasts};
use crate::validate::ValidatePage;

/// The whole interface. All pages are rendered in one piece on the server
/// (`SsrMode::Async`), so that they can be read without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    #[cfg(feature = "hydrate")]
    provide_context(crate::api::Api::new(crate::api::Browser));
    provide_live();
    provide_toasts();
    provide_denying();
    provide_copying();
    provide_marking();
    provide_acting();
    provide_forms();
    effect(|_| {
        // Tests wait for this mark before they click.
        if let Some(body) = document().body() {
            let _ = body.set_attribute("data-hydrated", "");
        }
    });
    let served = || view! { <ServedPage /> }.erase();
    let whole = || view! { <ServedWhole /> }.erase();
    let not_found = || view! { <NotFoundPage /> }.erase();
    view! {
        <Title formatter=title />
        <Router>
            {focus_after_navigation()}
            <Frame>
                <Routes fallback=not_found>
                    <Route path=StaticSegment("") view=|| view! { <HomePage /> }.erase() ssr=SsrMode::Async />
                    <Route path=path!("/catalog") view=|| view! { <CatalogListPage /> }.erase() ssr=SsrMode::Async />
                    <Route
                        path=path!("/catalog/:kind/:namespace/:name")
                        view=|| view! { <EntityPage /> }.erase()
                        ssr=SsrMode::Async
                    />
                    <Route path=path!("/search") view=|| view! { <SearchPage /> }.erase() ssr=SsrMode::Async />
                    <Route path=path!("/validate") view=|| view! { <ValidatePage /> }.erase() ssr=SsrMode::Async />
                    <Route path=path!("/admin/sources") view=|| view! { <SourceListPage /> }.erase() ssr=SsrMode::Async />
                    <Route path=path!("/admin/sources/new") view=|| view! { <NewSourcePage /> }.erase() ssr=SsrMode::Async />
                    <Route path=path!("/changes") view=served ssr=SsrMode::Async />
                    <Route path=path!("/templates") view=served ssr=SsrMode::Async />
                    <Route path=path!("/templates/:namespace/:name") view=whole ssr=SsrMode::Async />
                    <Route path=path!("/templates/editor") view=whole ssr=SsrMode::Async />
                    <Route path=path!("/actions/editor") view=whole ssr=SsrMode::Async />
                    <Route path=path!("/actions") view=served ssr=SsrMode::Async />
                    <Route path=path!("/actions/:namespace/:name") view=whole ssr=SsrMode::Async />
                    <Route path=path!("/approvals") view=served ssr=SsrMode::Async />
                    <Route path=path!("/admin/connectors") view=served ssr=SsrMode::Async />
                    <Route path=path!("/runs") view=served ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view=whole ssr=SsrMode::Async />
                    <Route path=path!("/notifications") view=served ssr=SsrMode::Async />
                    <Route path=path!("/profile") view=served ssr=SsrMode::Async />
                    <Route path=path!("/admin/accounts") view=served ssr=SsrMode::Async />
                    <Route path=path!("/admin/policies") view=served ssr=SsrMode::Async />
                    <Route path=path!("/access") view=served ssr=SsrMode::Async />
                    <Route path=path!("/admin/audit") view=served ssr=SsrMode::Async />
                    <Route path=path!("/admin/sources/:id") view=|| view! { <SourcePage /> }.erase() ssr=SsrMode::Async />
                </Routes>
            </Frame>
        </Router>
    }
}

fn title(text: String) -> String {
    // The library writes it into the head of the document as it is, and a name may
    // hold `</title>`; in the browser it is text and nothing else.
    #[cfg(not(feature = "hydrate"))]
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if text.is_empty() { "Portal".to_owned() } else { format!("{text} · Portal") }
}
