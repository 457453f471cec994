//! After navigation, focus goes to the heading of the new page, so that screen
//! readers announce it and the keyboard starts there.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;

use crate::ui::effect;

/// Belongs inside the router; renders nothing.
pub(crate) fn focus_after_navigation() {
    let path = use_location().pathname;
    effect(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            request_animation_frame(|| {
                focus_heading();
                close_drawer();
            });
            // The heading of a page that waits for its data is replaced when the
            // data arrives, and focus falls back to the body.
            for wait in [100, 300, 800, 2000, 4000] {
                set_timeout(
                    || {
                        let active = document().active_element();
                        if active.is_none_or(|element| element.tag_name() == "BODY") {
                            focus_heading();
                        }
                    },
                    std::time::Duration::from_millis(wait),
                );
            }
        }
        now
    });
}

fn focus_heading() {
    // A form may say where one begins.
    let first = |selector| document().query_selector(selector).ok().flatten();
    let heading = first("#content [data-autofocus]").or_else(|| first("#content h1"));
    if let Some(heading) = heading.and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = heading.focus();
    }
}

fn close_drawer() {
    if let Ok(Some(nav)) = document().query_selector("#nav:popover-open")
        && let Ok(nav) = nav.dyn_into::<web_sys::HtmlElement>()
    {
        let _ = nav.hide_popover();
    }
}
