//! The frame around every page: navigation, top bar, messages.

mod crumbs;
mod focus;
mod nav;
mod not_found;
mod topbar;

use leptos::prelude::*;

use crate::ui::{Erase, toast_region};

pub(crate) use focus::focus_after_navigation;
pub(crate) use not_found::{NotFoundPage, not_found};

/// Puts a page into the frame.
#[component]
pub(crate) fn Frame(children: Children) -> impl IntoView {
    view! {
        <a class="skip-link" href="#content" rel="external">
            "Skip to content"
        </a>
        <div class="shell">
            {nav::navigation()}
            <div class="shell-main">
                {topbar::topbar()}
                <main class="page" id="content">
                    {children()}
                </main>
            </div>
        </div>
        {toast_region()}
    }
    .erase()
}
