//! Short messages: the result of a lone action.

use std::time::Duration;

use leptos::prelude::*;

use super::{Erase, icon};

const SHOWN: Duration = Duration::from_secs(6);

#[derive(Clone, PartialEq)]
struct Toast {
    id: u32,
    tone: &'static str,
    text: String,
}

/// The messages that are shown, newest last.
#[derive(Clone, Copy)]
pub(crate) struct Toasts(RwSignal<Vec<Toast>>);

impl Toasts {
    pub fn success(self, text: String) {
        self.show("success", text);
    }

    pub fn failure(self, text: String) {
        self.show("danger", text);
    }

    fn show(self, tone: &'static str, text: String) {
        let id = self.0.with_untracked(|toasts| toasts.last().map_or(0, |toast| toast.id + 1));
        self.0.update(|toasts| toasts.push(Toast { id, tone, text }));
        set_timeout(move || self.hide(id), SHOWN);
    }

    fn hide(self, id: u32) {
        self.0.update(|toasts| toasts.retain(|toast| toast.id != id));
    }
}

pub(crate) fn provide_toasts() {
    provide_context(Toasts(RwSignal::new(Vec::new())));
}

/// Where messages appear; always there, so that assistive technology watches it.
pub(crate) fn toast_region() -> AnyView {
    let toasts = expect_context::<Toasts>();
    let items = move || {
        let shown = toasts.0.get();
        shown
            .into_iter()
            .map(|Toast { id, tone, text }| {
                let symbol = if tone == "danger" { "fail" } else { "pass" };
                view! {
                    <div class="toast" data-tone=tone>
                        {icon(symbol)} <p class="body">{text}</p>
                        <button
                            class="button"
                            type="button"
                            data-variant="quiet"
                            data-size="sm"
                            data-icon-only
                            aria-label="Close message"
                            on:click=move |_| toasts.hide(id)
                        >
                            {icon("x")}
                        </button>
                    </div>
                }
            })
            .collect_view()
    };
    view! {
        <div class="toast-region" role="status" aria-live="polite">
            {items}
        </div>
    }
    .erase()
}
