//! Facts of an entity, as keys and values, and its links.

use maud::html;
use portal_core::access::Verb;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::{EntityLink, EntityView, MadeBy};
use serde_json::{Map, Value};

use super::kinds::{has_owner, kind_name};
use super::links::{entity_link, kind_of, owner_link, written_ref};
use super::query::{CatalogQuery, TAG};
use crate::paths;
use crate::ui::{Content, counted, icon, moment, safe_url};

/// Fields of `spec` that are shown elsewhere, or too long for a list.
const ELSEWHERE: [&str; 10] =
    ["type", "lifecycle", "owner", "system", "domain", "definition", "profile", "parent", "target", "subcomponentOf"];

pub(super) fn about(view: &EntityView, entity: &Entity, made_by: Option<&MadeBy>) -> Content {
    let kind = kind_of(&view.entity_ref);
    let mut rows = vec![
        row(
            "Kind",
            Content::from(html! {
                (kind_name(kind))
            }),
        ),
        row("Type", optional(entity.spec_str("type"))),
    ];
    if has_owner(kind) {
        rows.push(row("Owner", owner_link(view.owner.as_ref())));
    }
    if let Some(system) = &view.system {
        rows.push(row("System", entity_link(system)));
    }
    for (field, label, kind) in [("domain", "Domain", "domain"), ("parent", "Part of", "group")] {
        let link = entity.spec_str(field).and_then(|text| written_ref(text, kind, entity.namespace()));
        rows.extend(link.map(|link: EntityLink| row(label, entity_link(&link))));
    }
    if matches!(kind, "component" | "api") {
        rows.push(row("Lifecycle", optional(entity.spec_str("lifecycle"))));
    }
    let profile = entity.spec().and_then(|spec| spec.get("profile")?.as_object());
    if let Some(email) = profile.and_then(|profile| profile.get("email")?.as_str()) {
        let href = safe_url(&format!("mailto:{email}"));
        rows.push(row(
            "Email",
            Content::from(html! {
                a class="underlined" href=[href] rel="external" { (email.to_owned()) }
            }),
        ));
    }
    rows.extend(entity.spec().into_iter().flat_map(other_fields));
    rows.push(row("Tags", tags(kind, entity)));
    rows.push(row(
        "Reference",
        Content::from(html! {
            code { (view.entity_ref.clone()) }
        }),
    ));
    rows.extend(made_by.map(|MadeBy { run, title, behind, .. }| {
        row(
            "Made by",
            Content::from(html! {
                a class="underlined" href=(paths::run(*run)) { (title) " #" (run) }
                @if *behind > 0 { span class="muted" { ", " (counted(*behind, "change", "changes")) " of the template since" } }
            }),
        )
    }));
    rows.push(row("Changed", moment(view.changed_at)));
    let question = [("verb", Verb::WriteCatalog.as_str()), ("entity", view.entity_ref.as_str())];
    rows.push(row(
        "Access",
        Content::from(html! {
            a class="underlined" href=(paths::with_query(paths::ACCESS, question)) { "Who may change it" }
        }),
    ));
    Content::from(html! {
        div class="stack" {
            section class="card" aria-labelledby="about" {
                header class="card-head" {
                    h2 id="about" { "About" }
                }
                div class="card-body" {
                    dl class="kv" {
                        @for row in &rows { (row) }
                    }
                }
                @if let Some(annotations) = annotations(entity) { (annotations) }
            }
            @if let Some(links) = links(entity) { (links) }
        }
    })
}

fn row(label: &'static str, value: Content) -> Content {
    Content::from(html! {
        dt { (label) }
        dd { (value) }
    })
}

fn optional(value: Option<&str>) -> Content {
    match value {
        Some(value) => Content::from(html! {
            (value.to_owned())
        }),
        None => Content::from(html! {
            span class="missing" { "Not set" }
        }),
    }
}

/// Plain values that an organisation has added to the `spec`.
fn other_fields(spec: &Map<String, Value>) -> Vec<Content> {
    let shown = spec.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()));
    shown
        .filter_map(|(name, value)| {
            let text = plain(value)?;
            let row = Content::from(html! {
                dt { (name.clone()) }
                dd { (text) }
            });
            Some(row)
        })
        .collect()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.len() <= 200 => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn tags(kind: &str, entity: &Entity) -> Content {
    let tags: Vec<Content> = entity
        .tags()
        .map(|tag| {
            let mut query = CatalogQuery::read(&leptos_router::params::ParamsMap::new());
            kind.clone_into(&mut query.kind);
            let href = query.toggled(&TAG, tag).href();
            Content::from(html! {
                a class="tag" href=(href) { (tag.to_owned()) }
            })
        })
        .collect();
    if tags.is_empty() {
        return Content::from(html! {
            span class="missing" { "No tags" }
        });
    }
    Content::from(html! {
        span class="tags" {
            @for tag in &tags { (tag) }
        }
    })
}

/// Labels and annotations are for tools; they are at hand, folded.
fn annotations(entity: &Entity) -> Option<Content> {
    let metadata = entity.metadata()?;
    let rows: Vec<Content> = ["labels", "annotations"]
        .into_iter()
        .filter_map(|field| metadata.get(field)?.as_object())
        .flatten()
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .map(|(key, value)| {
            Content::from(html! {
                dt {
                    code { (key.clone()) }
                }
                dd { (value.to_owned()) }
            })
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let count = match rows.len() {
        1 => "1 label or annotation".to_owned(),
        count => format!("{count} labels and annotations"),
    };
    let fold = Content::from(html! {
        details class="fold" {
            summary {
                (icon("chevron-right"))
                (count)
            }
            dl class="kv" data-stacked {
                @for row in &rows { (row) }
            }
        }
    });
    Some(fold)
}

fn links(entity: &Entity) -> Option<Content> {
    let links = entity.metadata()?.get("links")?.as_array()?;
    let items: Vec<Content> = links
        .iter()
        .filter_map(|link| {
            let text = |field: &str| link.get(field).and_then(Value::as_str);
            let url = safe_url(text("url")?)?;
            let title = text("title").unwrap_or(&url).to_owned();
            let kind = text("type").map(|kind| {
                Content::from(html! {
                    span class="meta" { (kind.to_owned()) }
                })
            });
            let item = Content::from(html! {
                li {
                    (icon("external"))
                    div class="body" {
                        a class="truncate" href=(&url) rel="external noreferrer" { (title) }
                    }
                    @if let Some(kind) = &kind { (kind) }
                }
            });
            Some(item)
        })
        .collect();
    if items.is_empty() {
        return None;
    }
    let card = Content::from(html! {
        section class="card" aria-labelledby="links" {
            header class="card-head" {
                h2 id="links" { "Links" }
            }
            div class="card-body" data-flush {
                ul class="list" data-compact {
                    @for item in &items { (item) }
                }
            }
        }
    });
    Some(card)
}
