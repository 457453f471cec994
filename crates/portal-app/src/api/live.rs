//! Live pages: the change stream, as a counter that pages watch.
//!
//! One stream serves the page. It rests while the page is hidden, because a
//! browser opens only six connections to a server over HTTP/1.1 and forgotten
//! tabs would use them all up.

use leptos::prelude::*;

use super::Load;
use crate::ui::effect;

/// Counts changes since the page was opened.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    entities: RwSignal<u32>,
    sources: RwSignal<u32>,
    /// The stream is down: what is shown may be old.
    pub offline: RwSignal<bool>,
    /// While somebody removes what the page shows: it would only hear that it is gone.
    held: StoredValue<bool>,
}

impl Live {
    /// Loads again, quietly, when entities change.
    pub fn refresh_on_entities(load: Load) {
        if let Some(live) = use_context::<Self>() {
            refresh_on(live.entities, live.held, load);
        }
    }

    /// Something about entities changed that the stream does not tell this page.
    pub fn entities_changed(self) {
        self.entities.update(|count| *count += 1);
    }

    /// Loads nothing again until told otherwise, and then what was missed.
    pub fn hold(self, held: bool) {
        let was_held = self.held.get_value();
        self.held.set_value(held);
        if was_held && !held {
            self.sources.update(|count| *count += 1);
        }
    }

    /// Loads again, quietly, when sources or what they declare change.
    pub fn refresh_on_sources(load: Load) {
        if let Some(live) = use_context::<Self>() {
            refresh_on(live.sources, live.held, load);
        }
    }
}

fn refresh_on(count: RwSignal<u32>, held: StoredValue<bool>, load: Load) {
    effect(move |seen: Option<u32>| {
        let now = count.get();
        if seen.is_some_and(|seen| seen != now) && !held.get_value() {
            load.refresh();
        }
        now
    });
}

/// Makes [`Live`] available and, in the browser, opens the stream.
pub(crate) fn provide_live() {
    let live = Live {
        entities: RwSignal::new(0),
        sources: RwSignal::new(0),
        offline: RwSignal::new(false),
        held: StoredValue::new(false),
    };
    provide_context(live);
    #[cfg(feature = "hydrate")]
    effect(move |_| stream::open(live));
}

#[cfg(feature = "hydrate")]
mod stream {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;
    use web_sys::{EventSource, MessageEvent, VisibilityState};

    use super::Live;

    /// Changes come in bursts (a pass over a source); pages load again once.
    const SETTLE: Duration = Duration::from_millis(250);

    /// A stream that is not back after this long is down.
    const PATIENCE: Duration = Duration::from_secs(3);
    const REOPEN: Duration = Duration::from_secs(10);

    pub(super) fn open(live: Live) {
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new({
            let waiting = Rc::new(RefCell::new(false));
            move |event: MessageEvent| {
                // Only the subject matters: a pass touches entities and its source.
                let data = event.data().as_string().unwrap_or_default();
                let entities = event.type_() == "reset"
                    || ["entity", "documentation", "run", "notification"]
                        .iter()
                        .any(|about| data.contains(&format!("\"subject\":\"{about}:")));
                if !waiting.replace(true) {
                    let waiting = Rc::clone(&waiting);
                    set_timeout(move || settle(live, &waiting), SETTLE);
                }
                if entities {
                    live.entities.update_untracked(|count| *count += 1);
                }
                live.sources.update_untracked(|count| *count += 1);
            }
        });
        let on_message = on_message.into_js_value();
        let current = Rc::new(RefCell::new(None::<EventSource>));
        let is_up = {
            let current = Rc::clone(&current);
            // A stream that is open may not know yet that the network is gone.
            move || {
                let is_open = |source: &EventSource| source.ready_state() == EventSource::OPEN;
                window().navigator().on_line() && current.borrow().as_ref().is_none_or(is_open)
            }
        };
        let judge = {
            let is_up = is_up.clone();
            move || {
                if !is_up() {
                    live.offline.set(true);
                }
            }
        };
        let judge_soon = move || set_timeout(judge.clone(), PATIENCE);
        let on_error = Closure::<dyn FnMut()>::new(judge_soon.clone()).into_js_value();
        let on_open = Closure::<dyn FnMut()>::new(move || back(live)).into_js_value();
        // What came between the page and the stream is told first.
        let first = Rc::new(Cell::new(document().document_element().and_then(|root| root.get_attribute("data-seq"))));
        let adjust = move || {
            let visible = document().visibility_state() == VisibilityState::Visible;
            let mut current = current.borrow_mut();
            if !visible {
                if let Some(source) = current.take() {
                    source.close();
                }
            } else if current.as_ref().is_none_or(|source| source.ready_state() == EventSource::CLOSED)
                && let Ok(source) = EventSource::new(&match first.take() {
                    Some(seq) => format!("{}?after={seq}", crate::paths::CHANGE_STREAM),
                    None => crate::paths::CHANGE_STREAM.to_owned(),
                })
            {
                source.set_onerror(Some(on_error.unchecked_ref()));
                source.set_onopen(Some(on_open.unchecked_ref()));
                let handler = on_message.unchecked_ref();
                // A `reset` says that too much was missed to be told.
                for event in ["change", "reset"] {
                    let _ = source.add_event_listener_with_callback(event, handler);
                }
                *current = Some(source);
                return true;
            }
            false
        };
        adjust();
        // A browser gives up on a stream that is answered with an error.
        let again = adjust.clone();
        let look = move || {
            if !again() && is_up() {
                back(live);
            }
        };
        set_interval(look, REOPEN);
        // The network of this machine, which the stream may notice late.
        window_event_listener_untyped("offline", move |_| judge_soon());
        window_event_listener_untyped("online", move |_| back(live));
        let on_visibility = Closure::<dyn FnMut()>::new(move || {
            if adjust() {
                missed(live);
            }
        });
        let _ = document()
            .add_event_listener_with_callback("visibilitychange", on_visibility.into_js_value().unchecked_ref());
    }

    fn back(live: Live) {
        if live.offline.get_untracked() {
            live.offline.set(false);
            missed(live);
        }
    }

    /// What happened while nobody listened is not known.
    fn missed(live: Live) {
        live.entities.update(|count| *count += 1);
        live.sources.update(|count| *count += 1);
    }

    fn settle(live: Live, waiting: &RefCell<bool>) {
        waiting.replace(false);
        live.entities.notify();
        live.sources.notify();
    }
}
