//! The frame around every page: navigation, top bar, messages.

mod crumbs;
mod focus;
mod keys;
mod nav;
mod not_found;
mod palette;
mod topbar;

use leptos::prelude::*;

use self::palette::Palette;
use crate::ui::{Erase, toast_region};

pub(crate) use focus::focus_after_navigation;
pub(crate) use not_found::{NotFoundPage, not_found};

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
        {toast_region()}
    }
    .erase()
}
