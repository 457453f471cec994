//! After navigation, focus goes to the heading of the new page, so that screen
//! readers announce it and the keyboard starts there.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;

/// Belongs inside the router; renders nothing.
pub(crate) fn focus_after_navigation() {
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            request_animation_frame(|| {
                let heading = document().query_selector("#content h1").ok().flatten();
                if let Some(heading) = heading.and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
                    let _ = heading.focus();
                }
                close_drawer();
            });
        }
        now
    });
}

fn close_drawer() {
    if let Ok(Some(nav)) = document().query_selector("#nav:popover-open")
        && let Ok(nav) = nav.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = nav.hide_popover();
    }
}
