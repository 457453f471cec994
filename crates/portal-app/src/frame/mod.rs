//! The frame around every page: navigation, top bar, messages.

mod crumbs;
mod focus;
mod keys;
mod nav;
mod not_found;
mod palette;
mod topbar;

use leptos::prelude::*;
use maud::html;

use self::palette::Palette;
use crate::api::Live;
use crate::ui::{Content, Erase, icon, revealed, toast_region};

pub(crate) use focus::focus_after_navigation;
pub(crate) use not_found::{NotFoundPage, not_found};

/// That the server does not answer, until it does.
fn offline_notice() -> AnyView {
    let live = expect_context::<Live>();
    let notice = move || {
        live.offline.get().then(|| {
            Content::from(html! {
                div class="offline" {
                    (icon("alert"))
                    p { strong { "The portal does not answer." } " What you see may be old; it is updated as soon as it is back." }
                }
            })
        })
    };
    view! { <div role="status">{notice}</div> }.erase()
}

/// Puts a page into the frame.
#[component]
pub(crate) fn Frame(children: Children) -> impl IntoView {
    let opened = Palette::new();
    keys::listen(opened);
    view! {
        <a class="skip-link" href="#content" rel="external">
            "Skip to content"
        </a>
        <div class="shell">
            {nav::navigation()}
            <div class="shell-main">
                {topbar::topbar(opened)}
                <main class="page" id="content">
                    {children()}
                </main>
            </div>
        </div>
        {palette::palette(opened)}
        {keys::shortcuts()}
        {offline_notice()}
        {revealed()}
        {toast_region()}
    }
    .erase()
}
