//! The page on which a descriptor is checked before it is committed.

use leptos::prelude::*;
use leptos_meta::Title;

use super::editor;
use crate::paths;
use crate::ui::{Erase, icon};

/// What one starts with.
const EXAMPLE: &str = "apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: my-service
  description: What it does, in a sentence.
spec:
  type: service
  lifecycle: production
  owner: my-team
";

#[component]
pub(crate) fn ValidatePage() -> impl IntoView {
    let text = RwSignal::new(EXAMPLE.to_owned());
    view! {
        <Title text="Check a descriptor" />
        <header class="page-head">
            <div class="lead">
                <h1 tabindex="-1">"Check a descriptor"</h1>
                <p class="sub">
                    "Paste a catalog-info.yaml, or write one. It is judged by the rules of the catalog, and stored nowhere."
                </p>
            </div>
            <div class="page-actions">
                <button class="button needs-script" type="button" data-copy=move || text.get()>
                    {icon("copy")}
                    "Copy"
                </button>
                <a class="button" data-variant="primary" href=paths::NEW_SOURCE>
                    {icon("plus")}
                    "Add source"
                </a>
            </div>
        </header>
        <div class="callout needs-no-script">
            {icon("info")}
            <p>"Checking while one types needs JavaScript. On the command line, " <code>"portal validate PATH"</code>
                " says the same."</p>
        </div>
        {editor(text)}
    }
    .erase()
}
