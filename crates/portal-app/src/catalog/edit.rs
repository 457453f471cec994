//! Changing the document of an entity: as a difference to take along, since its
//! source is where it is written.

use leptos::prelude::*;
use maud::html;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::EntityView;
use portal_core::patch::{self, Line};

use super::entity_page::{Place, Tab};
use super::source::authored;
use crate::ui::{Content, Erase, effect, icon, safe_url};
use crate::validate::editor;
use portal_core::yaml::to_yaml;

/// The text that is being changed, and the document it began as. It belongs to the
/// page, so that nothing takes it away but the way to another entity.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    text: RwSignal<String>,
    base: StoredValue<String>,
}

pub(super) fn use_draft(place: Memo<Place>) -> Draft {
    let draft = Draft { text: RwSignal::new(String::new()), base: StoredValue::new(String::new()) };
    effect(move |before: Option<String>| {
        let now = place.with(|place| place.entity_ref.clone());
        if before.is_some_and(|before| before != now) {
            draft.begin(String::new());
        }
        now
    });
    draft
}

impl Draft {
    fn begin(self, document: String) {
        self.base.set_value(document.clone());
        self.text.set(document);
    }
}

pub(super) fn edit(view: &EntityView, entity: &Entity, draft: Draft) -> AnyView {
    let document = to_yaml(&authored(entity));
    // What nobody has touched follows the document; what somebody has stays.
    let untouched = draft.text.with_untracked(|text| *text == draft.base.get_value());
    if untouched {
        draft.begin(document.clone());
    }
    let moved_on = (draft.base.get_value() != document).then(|| {
        view! {
            <div class="callout" data-tone="warning">
                {icon("alert")}
                <p>"The document has changed since you began. What you see below is still the difference to what you began with."</p>
            </div>
        }
        .erase()
    });
    let path = path_of(&view.provenance.location);
    let edit_url = entity.annotation("backstage.io/edit-url").and_then(safe_url);
    let back = Tab::Source.href(&view.entity_ref);
    let change = move || change(&path, &draft.base.get_value(), &draft.text.read());
    view! {
        <div class="stack">
            <div class="callout">
                {icon("info")}
                <div>
                    <p>
                        "The document is written in " <code class="breakable">{view.provenance.location.clone()}</code>
                        ". Change it here, then make the same change there. The difference is that of the document as the catalog reads it: the file may be laid out otherwise."
                    </p>
                </div>
                <div class="actions">
                    {edit_url.map(|url| view! { <a class="button" data-size="sm" rel="external noreferrer" href=url>{icon("external")} "Edit the file"</a> })}
                    <a class="button" data-size="sm" href=back>
                        "Done"
                    </a>
                </div>
            </div>
            {moved_on} {editor(draft.text)} {change}
        </div>
    }
    .erase()
}

/// The path of a file, as far as its location tells.
fn path_of(location: &str) -> String {
    let path = location.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or(location, |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    if path.is_empty() { "catalog-info.yaml".to_owned() } else { path.to_owned() }
}

fn change(path: &str, before: &str, after: &str) -> Content {
    let hunks = patch::hunks(before, after, 3);
    let patch = patch::unified(path, before, after);
    Content::from(html! {
        section class="card" aria-labelledby="change" {
            header class="card-head" {
                h2 id="change" { "Change" }
                @if !hunks.is_empty() {
                    div class="push" {
                        button class="button" data-size="sm" type="button" data-copy=(patch) { (icon("copy")) "Copy the difference" }
                        button class="button" data-size="sm" type="button" data-copy=(after) { (icon("copy")) "Copy document" }
                    }
                }
            }
            @if hunks.is_empty() {
                p class="card-body muted" { "Nothing is changed yet." }
            } @else {
                div class="diff" tabindex="0" role="region" aria-label="What you changed" {
                    @for hunk in &hunks { (lines(hunk)) }
                }
            }
        }
    })
}

fn lines(hunk: &patch::Hunk<'_>) -> Content {
    let (mut before, mut after) = (hunk.before, hunk.after);
    let rows: Vec<_> = hunk
        .lines
        .iter()
        .map(|line| {
            let (op, sign, number, text) = match line {
                Line::Kept(text) => ("", "", after, text),
                Line::Removed(text) => ("del", "−", before, text),
                Line::Added(text) => ("add", "+", after, text),
            };
            before += usize::from(!matches!(line, Line::Added(_)));
            after += usize::from(!matches!(line, Line::Removed(_)));
            (op, sign, number, *text)
        })
        .collect();
    Content::from(html! {
        ol {
            @for (op, sign, number, text) in rows {
                li data-op=(op) {
                    span class="ln" { (number) }
                    span class="sign" { (sign) }
                    span class="src" { (text) }
                }
            }
        }
    })
}
