//! The definition of an API, as its author wrote it.

use leptos::prelude::*;
use portal_core::catalog::Entity;

use crate::ui::{Erase, empty};

pub(super) fn definition(entity: &Entity) -> AnyView {
    let Some(text) = entity.spec_str("definition") else {
        return empty(
            "api",
            "No definition".to_owned(),
            "A definition stands in spec.definition of the descriptor, or is read by $text from a file beside it."
                .erase(),
            ().erase(),
        );
    };
    let kind = entity.spec_str("type").unwrap_or("text").to_owned();
    let lines = text.lines().count();
    view! {
        <section class="card" aria-labelledby="definition">
            <header class="card-head">
                <h2 id="definition">"Definition"</h2>
                <div class="push">{format!("{kind}, {lines} lines")}</div>
            </header>
            <pre class="listing" tabindex="0" aria-label="Definition">
                {text.to_owned()}
            </pre>
        </section>
    }
    .erase()
}
