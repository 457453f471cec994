//! A text of YAML with the verdict on it, line by line, as one types.

use std::collections::BTreeSet;
use std::time::Duration;

use leptos::html::Textarea;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use maud::html;
use portal_core::catalog::wire::{DocumentVerdict, Fault};

use crate::api::{ApiRequest, Failure, Method, exchange, sentence, use_api};
use crate::catalog::{kind_icon, kind_name};
use crate::paths;
use crate::ui::{Content, Erase, closest, counted, effect, icon, with_code};

/// Time after the last key before the text is judged.
const PAUSE: Duration = Duration::from_millis(150);

type Verdict = Option<Result<Vec<DocumentVerdict>, Failure>>;

/// The editor; what is typed is in `text`.
pub(crate) fn editor(text: RwSignal<String>) -> AnyView {
    let verdict = RwSignal::new(None::<Result<Vec<DocumentVerdict>, Failure>>);
    judge_while_typing(text, verdict);
    let area = NodeRef::<Textarea>::new();
    // What was typed before the page was live counts.
    effect(move |seen: Option<()>| {
        let area = area.get();
        if let Some(area) = area.filter(|_| seen.is_none() || text.read_untracked().is_empty()) {
            let typed = area.value();
            if typed != *text.read_untracked() {
                text.set(typed);
            }
        }
    });
    let lines = move || line_numbers(&text.read(), &marked(&verdict.read()));
    let show = move |event| {
        let Some(line) = closest(&event, "[data-line]").and_then(|button| button.get_attribute("data-line")) else {
            return;
        };
        if let (Some(area), Ok(line)) = (area.get_untracked(), line.parse::<usize>()) {
            let (from, to) = text.with_untracked(|text| range_of(text, line));
            let _ = area.focus();
            let _ = area.set_selection_range(from, to);
        }
    };
    view! {
        <div class="editor">
            <div class="editor-text">
                {lines}
                <textarea
                    node_ref=area
                    class="textarea"
                    aria-label="Descriptor"
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                    wrap="off"
                    placeholder="apiVersion: backstage.io/v1alpha1"
                    on:input:target=move |event| text.set(event.target().value())
                >
                    {text.get_untracked()}
                </textarea>
            </div>
            <div class="editor-verdict" role="region" aria-label="Verdict" on:click=move |event| show(event.into())>
                {move || shown(&verdict.read())}
            </div>
        </div>
    }
    .erase()
}

/// Asks for a verdict a while after the last key; only the answer to the newest
/// question counts.
fn judge_while_typing(text: RwSignal<String>, verdict: RwSignal<Verdict>) {
    let api = use_api();
    let asked = StoredValue::new(0_u32);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    effect(move |_| {
        text.track();
        let api = api.clone();
        asked.update_value(|asked| *asked += 1);
        let turn = asked.get_value();
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        let judge = move || {
            // The page may be gone by now.
            let Some(body) = text.try_get_untracked() else { return };
            if body.trim().is_empty() {
                return verdict.set(None);
            }
            spawn_local(async move {
                let path = paths::API_VALIDATE.to_owned();
                let request = ApiRequest { method: Method::Post, path, body: Some(body.into_bytes()), if_match: None };
                let answer = exchange::<Vec<DocumentVerdict>>(&api, request).await;
                if asked.try_get_value() == Some(turn) {
                    verdict.set(Some(answer.map(Option::unwrap_or_default)));
                }
            });
        };
        timer.set_value(set_timeout_with_handle(judge, PAUSE).ok());
    });
}

fn marked(verdict: &Verdict) -> BTreeSet<usize> {
    let Some(Ok(verdicts)) = verdict else { return BTreeSet::new() };
    verdicts
        .iter()
        .flat_map(|verdict| verdict.errors.iter().chain(&verdict.warnings))
        .map(|fault| fault.line as usize)
        .collect()
}

/// The numbers beside the text.
pub(crate) fn line_numbers(text: &str, marked: &BTreeSet<usize>) -> Content {
    let count = text.split('\n').count();
    Content::from(html! {
        ol class="editor-lines" aria-hidden="true" {
            @for line in 1..=count { li data-mark[marked.contains(&line)] { (line) } }
        }
    })
}

/// Where a line stands, in the units of the browser: UTF-16.
fn range_of(text: &str, line: usize) -> (u32, u32) {
    let length = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
    let mut from = 0;
    for (index, content) in text.split('\n').enumerate() {
        if index + 1 == line {
            return (from, from + length(content));
        }
        from += length(content) + 1;
    }
    (from, from)
}

fn shown(verdict: &Verdict) -> Content {
    let verdicts = match verdict {
        None => {
            return Content::from(html! {
                p class="muted" { "The verdict appears here while you type. It is that of " code { "portal validate" } "." }
            });
        }
        Some(Err(failure)) => {
            return Content::from(html! {
                p { (icon("fail")) (failure.detail) }
            });
        }
        Some(Ok(verdicts)) => verdicts,
    };
    let faults: usize = verdicts.iter().map(|verdict| verdict.errors.len()).sum();
    let summary = match faults {
        0 => format!("{} would be taken in.", counted(verdicts.len() as u64, "document", "documents")),
        faults => format!("{} to mend.", counted(faults as u64, "fault", "faults")),
    };
    Content::from(html! {
        div class="stack" data-gap="2" {
            p class="title" role="status" { (summary) }
            ul class="list" data-inset data-compact {
                @for verdict in verdicts { (document(verdict)) }
            }
        }
    })
}

fn document(verdict: &DocumentVerdict) -> Content {
    let DocumentVerdict { document, entity_ref, kind, valid, errors, warnings, .. } = verdict;
    let name = entity_ref.clone().unwrap_or_else(|| format!("Document {}", document + 1));
    let kind = kind.as_deref().unwrap_or_default().to_ascii_lowercase();
    let symbol = if *valid { kind_icon(&kind, None) } else { "fail" };
    Content::from(html! {
        li {
            span data-tone=(if *valid { "success" } else { "danger" }) { (icon(symbol)) }
            div class="body" {
                code { (name) }
                @if *valid { div class="meta" { (kind_name(&kind)) ", as it should be" } }
                @for fault in errors.iter().chain(warnings) { (fault_line(fault)) }
            }
        }
    })
}

/// A fault, and the button that leads to its line.
pub(crate) fn fault_line(fault: &Fault) -> Content {
    Content::from(html! {
        div class="meta fault" {
            button type="button" data-line=(fault.line) { "Line " (fault.line) }
            div {
                (with_code(&sentence(&fault.message)))
                @if let Some(hint) = &fault.hint { " " (with_code(&sentence(hint))) }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_in_utf_16() {
        let text = "a: 1\nb: \"ä😀\"\nc";
        assert_eq!(range_of(text, 1), (0, 4));
        assert_eq!(range_of(text, 2), (5, 13));
        assert_eq!(range_of(text, 3), (14, 15));
        assert_eq!(range_of(text, 9), (16, 16));
    }
}
