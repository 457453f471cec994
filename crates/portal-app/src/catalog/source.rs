//! Where an entity comes from: its source, what is wrong there, its document.

use maud::html;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::{EntityView, Provenance};
use portal_core::sources::wire::SourceErrorView;
use serde_json::Value;

use super::entity_page::Tab;
use crate::paths;
use crate::sources::problem;
use crate::ui::{Content, ago, day, icon, moment, small_icon};
use portal_core::yaml::to_yaml;

/// The short answer, in the aside.
pub(super) fn source_card(provenance: &Provenance, entity_ref: &str, now_ms: i64) -> Content {
    Content::from(html! {
        section class="card" aria-labelledby="source" {
            header class="card-head" {
                h2 id="source" { "Source" }
                div class="push" {
                    a href=(Tab::Source.href(entity_ref)) { "Show document" }
                }
            }
            div class="card-body" { (facts(provenance, now_ms)) }
        }
    })
}

fn facts(provenance: &Provenance, now_ms: i64) -> Content {
    let Provenance { source_id, source, location, document, line, read_at, stale, orphan_since, orphan_until } =
        provenance;
    let source = match source_id {
        Some(id) => Content::from(html! {
            a class="underlined" href=(paths::source(*id)) { (source.clone()) }
        }),
        None => Content::from(html! {
            (source.clone())
        }),
    };
    let state = match (stale, orphan_since) {
        (true, _) => ("warning", "alert", "Last good version"),
        (false, Some(_)) => ("warning", "alert", "Orphan"),
        (false, None) => ("success", "pass", "Current"),
    };
    let (tone, symbol, label) = state;
    let part = (*document > 0).then(|| format!(", document {}", document + 1));
    Content::from(html! {
        dl class="kv" {
            dt { "Source" }
            dd { (source) }
            dt { "Document" }
            dd {
                code { (location) ":" (line) }
                @if let Some(part) = &part { (part) }
            }
            dt { "Last read" }
            dd { (ago(*read_at, now_ms)) }
            dt { "State" }
            dd {
                span class="status" data-tone=(tone) data-quiet[tone == "success"] {
                    (icon(symbol))
                    (label)
                }
            }
            @if let Some(until) = orphan_until {
                dt { "Removed on" }
                dd { (day(*until)) }
            }
        }
    })
}

/// The whole answer: state, errors with the offending lines, the document.
pub(super) fn source_tab(view: &EntityView, entity: &Entity, errors: &[SourceErrorView], now_ms: i64) -> Content {
    let problems: Vec<Content> = errors.iter().map(|error| problem(error, false)).collect();
    let problems = (!problems.is_empty()).then(|| {
        Content::from(html! {
            section class="card" aria-labelledby="problems" {
                header class="card-head" {
                    h2 id="problems" {
                        "Errors "
                        span class="count" { (problems.len()) }
                    }
                }
                div class="card-body" data-flush {
                    @for problem in &problems { (problem) }
                }
            }
        })
    });
    let edit = paths::with_query(&paths::entity(&view.entity_ref), [("tab", Tab::Source.name()), ("view", "edit")]);
    Content::from(html! {
        div class="split" {
            div class="stack" {
                @if let Some(problems) = &problems { (problems) }
                section class="card" aria-labelledby="document" {
                    header class="card-head" {
                        h2 id="document" { "Document" }
                        div class="push" {
                            "as the catalog keeps it"
                            a class="button" data-size="sm" href=(edit) { (icon("edit")) "Edit" }
                        }
                    }
                    (listing(&to_yaml(&authored(entity))))
                }
            }
            aside class="stack" aria-label="Provenance" {
                section class="card" aria-labelledby="provenance" {
                    header class="card-head" {
                        h2 id="provenance" { "Provenance" }
                    }
                    div class="card-body" { (facts(&view.provenance, now_ms)) }
                    div class="card-foot" {
                        (small_icon("commit"))
                        span {
                            "Changed "
                            (moment(view.changed_at))
                            ", change "
                            (view.changed_seq)
                        }
                    }
                }
            }
        }
    })
}

/// The document without what the catalog has added to it.
pub(super) fn authored(entity: &Entity) -> Value {
    let mut document = entity.0.clone();
    if let Some(document) = document.as_object_mut() {
        document.shift_remove("relations");
        document.shift_remove("status");
        if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("uid");
            metadata.shift_remove("etag");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                annotations
                    .retain(|name, _| !name.starts_with("backstage.io/managed-by-") && name != "backstage.io/orphan");
            }
        }
    }
    document
}

/// YAML with its keys set off. One element per line would be slow for long
/// definitions, so only the keys have one.
fn listing(yaml: &str) -> Content {
    let mut parts: Vec<Content> = Vec::new();
    let mut plain = String::new();
    // Lines of a block belong to the text, whatever they look like.
    let mut block_deeper_than: Option<usize> = None;
    for line in yaml.split_inclusive('\n') {
        let depth = line.len() - line.trim_start_matches(' ').len();
        if block_deeper_than.is_some_and(|outer| depth > outer || line.trim().is_empty()) {
            plain.push_str(line);
            continue;
        }
        block_deeper_than = None;
        let start = line.len() - line.trim_start_matches([' ', '-']).len();
        let key = line[start..]
            .find(':')
            .filter(|end| line[start + end..].starts_with(": ") || line[start + end..].trim_end() == ":");
        match key {
            Some(end) => {
                plain.push_str(&line[..start]);
                if !plain.is_empty() {
                    parts.push(Content::from(html! { (plain) }));
                    plain.clear();
                }
                parts.push(Content::from(html! {
                    span class="tok-key" { (line[start..start + end].to_owned()) }
                }));
                plain.push_str(&line[start + end..]);
            }
            None => plain.push_str(line),
        }
        let tail = line.trim_end();
        if [" |", " |-", " |+"].iter().any(|mark| tail.ends_with(mark)) {
            block_deeper_than = Some(depth);
        }
    }
    if !plain.is_empty() {
        parts.push(Content::from(html! { (plain) }));
    }
    Content::from(html! {
        pre class="listing" tabindex="0" aria-label="Document" {
            @for part in &parts { (part) }
        }
    })
}
