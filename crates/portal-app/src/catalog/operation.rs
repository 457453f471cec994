//! One operation, message or type of a definition: what goes in, what comes out.

use maud::{PreEscaped, html};
use portal_core::definition::wire::{DefinitionPart, OperationDetail, SchemaRow};

use super::definition::named;
use crate::ui::{Content, icon};

/// The head of an operation, and its parts.
pub(super) fn operation(detail: &OperationDetail, link: &dyn Fn(&str) -> String) -> (Content, Content) {
    let OperationDetail { link: known, description, parts, call: _ } = detail;
    let head = Content::from(html! {
        article class="card docs-page" aria-labelledby="operation" {
            h2 id="operation" { (named(known)) }
            @if known.deprecated { span class="chip" data-tone="warning" { (icon("flag")) "deprecated" } }
            @if let Some(summary) = &known.summary { p class="definition-summary" { (summary) } }
            @if let Some(description) = description { div class="prose" { (PreEscaped(description)) } }
        }
    });
    let parts = Content::from(html! {
        div class="stack" {
            @for (at, DefinitionPart { title, label, description, rows, example }) in parts.iter().enumerate() {
                @let id = format!("part-{at}");
                section class="card" aria-labelledby=(id) {
                    header class="card-head" {
                        h3 id=(id) { (title) }
                        @if let Some(label) = label { code class="push muted" { (label) } }
                    }
                    @if let Some(description) = description { div class="prose definition-words" { (PreEscaped(description)) } }
                    @if !rows.is_empty() { (rows_table(title, rows, link)) }
                    @if let Some(example) = example {
                        details class="definition-example" open[rows.is_empty()] {
                            summary { "Example" }
                            pre class="listing" tabindex="0" aria-label={ "Example of " (title) } { (example) }
                        }
                    }
                }
            }
        }
    });
    (head, parts)
}

/// Parameters, properties or fields with their types and limits.
pub(super) fn rows_table(label: &str, rows: &[SchemaRow], link: &dyn Fn(&str) -> String) -> Content {
    Content::from(html! {
        ul class="schema" aria-label=(label) {
            @for SchemaRow { depth, name, type_name, required, deprecated, description, facts, link: to } in rows {
                li data-depth=(depth.min(&8)) {
                    p {
                        code class="schema-name" data-deprecated=[deprecated.then_some("")] { (name) }
                        @if let Some(to) = to { " " a class="schema-type" href=(link(to)) { (type_name) } } @else { " " span class="schema-type" { (type_name) } }
                        @if *required { " " span class="schema-required" { "required" } }
                        @if *deprecated { " " span class="missing" { "deprecated" } }
                    }
                    @if !facts.is_empty() { p class="schema-facts" { (facts.join(" · ")) } }
                    @if let Some(description) = description { div class="prose" { (PreEscaped(description)) } }
                }
            }
        }
    })
}
