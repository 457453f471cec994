//! A search field that searches while one types.
//!
//! The address is the state: the field starts with what the address says, and
//! tells the page at every key ([`Typed`]); an answer that comes too late is dropped.
//! Typing before the page is hydrated is not lost. Without JavaScript, the form around
//! the field sends it.

use leptos::html::Input;
use leptos::prelude::*;

use super::typed::Typed;
use super::{Erase, effect, icon, is_typing};

/// A field inside its form. `hidden` are the other parameters of the address, and
/// `address` is where a text leads.
pub(crate) fn live_field(
    label: &'static str,
    placeholder: &'static str,
    action: &'static str,
    value: Memo<String>,
    hidden: Signal<Vec<(&'static str, String)>>,
    typed: Typed,
    address: impl Fn(&str) -> String + Clone + 'static,
) -> AnyView {
    let input = NodeRef::<Input>::new();
    let told = StoredValue::new(value.get_untracked());
    let tell = move || {
        if let Some(field) = input.try_get_untracked().flatten() {
            let text = field.value();
            if told.try_get_value().is_some_and(|told| told != text) {
                told.set_value(text.clone());
                let address = address(&text);
                typed.say(text, address);
            }
        }
    };
    let (tell_typed, tell_early) = (tell.clone(), tell.clone());
    effect(move |seen: Option<()>| {
        let value = value.get();
        let Some(field) = input.get() else { return };
        if seen.is_none() {
            if field.value() != value {
                tell_early();
            }
        } else if told.get_value() != value {
            // Back and forward, or a removed filter.
            told.set_value(value.clone());
            field.set_value(&value);
        }
    });
    focus_on_slash(input);
    let others = move || {
        let hidden = hidden.get();
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()
    };
    view! {
        <form
            class="live-field"
            role="search"
            aria-label=label
            action=action
            on:submit=move |event| {
                event.prevent_default();
                tell();
                typed.settle();
            }
        >
            <div class="input-group">
                {icon("search")}
                <input
                    node_ref=input
                    class="input"
                    type="search"
                    name="q"
                    aria-label=label
                    aria-keyshortcuts="/"
                    placeholder=placeholder
                    autocomplete="off"
                    value=value.get_untracked()
                    on:input=move |_| tell_typed()
                    // Before the page is left by a click, so that one comes back to it.
                    on:change=move |_| typed.settle()
                />
            </div>
            {others}
        </form>
    }
    .erase()
}

/// `/` outside of fields moves to this one.
fn focus_on_slash(input: NodeRef<Input>) {
    effect(move |_| {
        let handle = window_event_listener(leptos::ev::keydown, move |event| {
            if event.key() == "/"
                && !is_typing(&event)
                && !event.ctrl_key()
                && !event.meta_key()
                && let Some(field) = input.get_untracked()
            {
                event.prevent_default();
                let _ = field.focus();
                field.select();
            }
        });
        on_cleanup(move || handle.remove());
    });
}
