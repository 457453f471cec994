//! What a source would declare, before it is added.

use leptos::prelude::*;
use maud::html;
use portal_core::catalog::wire::{Finding, Proposal};
use portal_core::sources::wire::{PreviewDocument, SourcePreview};

use super::problem::problem_at;
use crate::catalog::{kind_icon, kind_name, kind_of};
use crate::ui::{Content, Erase, counted, icon, number};
use crate::validate::editor;

/// Good documents shown by name; more are counted.
const SHOWN: usize = 50;

/// `text` is that of the proposal, if there is one.
pub(super) fn preview_region(preview: RwSignal<Option<SourcePreview>>, text: RwSignal<String>) -> Option<AnyView> {
    let preview = preview.get()?;
    let heading = match (preview.total, preview.faulty) {
        _ if preview.proposal.is_some() => "It declares nothing yet".to_owned(),
        (0, _) => "It declares nothing".to_owned(),
        (total, 0) => format!("{} would appear", counted(total, "entity", "entities")),
        (total, faulty) => format!(
            "{} would appear, {} would not",
            counted(total.saturating_sub(faulty), "entity", "entities"),
            number(faulty)
        ),
    };
    let proposal = preview.proposal.as_ref().map(|proposal| proposed(proposal, text));
    let documents = (preview.total > 0).then(|| documents(&preview));
    let nothing = (preview.total == 0 && preview.proposal.is_none()).then(|| {
        Content::from(html! {
            p class="card-body" { "There is nothing to read at this place." }
        })
    });
    let view = view! {
        <section class="card" aria-labelledby="preview">
            <header class="card-head">
                <h2 id="preview" tabindex="-1">
                    {heading}
                </h2>
            </header>
            {proposal}
            {documents}
            {nothing}
        </section>
    };
    Some(view.erase())
}

fn documents(preview: &SourcePreview) -> Content {
    let faulty = preview.documents.iter().filter(|document| document.outcome != "new");
    let good: Vec<&PreviewDocument> = preview.documents.iter().filter(|document| document.outcome == "new").collect();
    let rest = preview.total.saturating_sub(preview.faulty).saturating_sub(good.len().min(SHOWN) as u64);
    Content::from(html! {
        div {
            @for document in faulty { (problems(document)) }
            ul class="list" data-compact {
                @for document in good.into_iter().take(SHOWN) { (row(document)) }
            }
            @if rest > 0 { div class="card-foot" { (number(rest)) " more" } }
        }
    })
}

fn row(document: &PreviewDocument) -> Content {
    let (entity_ref, title, subtype) = match &document.entity {
        Some(link) => (link.entity_ref.as_str(), link.title.as_str(), link.subtype.as_deref()),
        None => ("", document.file.as_str(), None),
    };
    let kind = kind_of(entity_ref);
    Content::from(html! {
        li {
            (icon(kind_icon(kind, subtype)))
            div class="body" {
                span { (title) }
                div class="meta" {
                    (kind_name(kind)) @if let Some(subtype) = subtype { " · " (subtype) }
                    ", from " code { (document.file) }
                }
            }
        }
    })
}

fn problems(document: &PreviewDocument) -> Content {
    let PreviewDocument { file, document: index, entity, outcome, faults } = document;
    let consequence = Content::from(html! {
        @if let Some(entity) = entity { code { (entity.entity_ref) } " " }
        (if outcome == "known" { "is in the catalog already." } else { "would not get into the catalog by this document." })
    });
    let problems = faults.iter().map(|fault| problem_at(file, *index, &fault.fault, &fault.excerpt, &consequence));
    Content::from(html! {
        div { @for problem in problems { (problem) } }
    })
}

/// A descriptor to begin with: to be changed, copied and committed.
fn proposed(proposal: &Proposal, text: RwSignal<String>) -> AnyView {
    let Proposal { file, found, .. } = proposal;
    let findings = found.iter().map(finding).collect::<Vec<Content>>();
    let intro = Content::from(html! {
        div class="stack" data-gap="2" {
            p {
                "There is no descriptor here. This one was made from what lies in it; change it, then commit it as "
                code { (file) }
                " and add the source."
            }
            @if !findings.is_empty() {
                details {
                    summary { "What it was made from" }
                    dl class="kv" { @for finding in &findings { (finding) } }
                }
            }
        }
    });
    view! {
        <div class="card-body stack">
            {intro}
            {editor(text)}
            <div class="row">
                <button class="button" type="button" data-copy=move || text.get()>
                    {icon("copy")}
                    "Copy the descriptor"
                </button>
            </div>
        </div>
    }
    .erase()
}

fn finding(finding: &Finding) -> Content {
    let Finding { what, value, file } = finding;
    Content::from(html! {
        dt { (what) }
        dd { (value) ", by " code { (file) } }
    })
}
