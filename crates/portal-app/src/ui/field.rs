//! Fields of forms: label, hint, control and error, tied together.

use leptos::prelude::*;

use super::{Erase, small_icon};

/// How a text field introduces itself.
pub(crate) struct TextField {
    /// Id of the control, and the pointer under which the server names its faults.
    pub name: &'static str,
    pub label: &'static str,
    pub hint: Signal<&'static str>,
    pub optional: bool,
}

/// A line of text.
pub(crate) fn text_field(field: TextField, value: RwSignal<String>, error: Signal<Option<String>>) -> AnyView {
    let TextField { name, label, hint, optional } = field;
    let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
    let described = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || if error.with(Option::is_some) { format!("{error_id} {hint_id}") } else { hint_id.clone() }
    };
    let optional = optional.then(|| view! { <span class="optional">" optional"</span> });
    view! {
        <div class="field">
            <label for=name>{label} {optional}</label>
            <span class="hint" id=hint_id>
                {move || hint.get()}
            </span>
            <input
                class="input"
                id=name
                name=name
                type="text"
                autocomplete="off"
                spellcheck="false"
                aria-describedby=described
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                value=value.get_untracked()
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            />
            {move || field_error(&error_id, error.get())}
        </div>
    }
    .erase()
}

/// The error of a field, below its control.
pub(crate) fn field_error(id: &str, error: Option<String>) -> Option<AnyView> {
    let id = id.to_owned();
    error.map(|error| {
        view! {
            <span class="error" id=id>
                {small_icon("fail")}
                {error}
            </span>
        }
        .erase()
    })
}
