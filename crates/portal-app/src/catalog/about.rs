//! Facts of an entity, as keys and values, and its links.

use leptos::prelude::*;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::{EntityLink, EntityView};
use serde_json::{Map, Value};

use super::kinds::{has_owner, kind_name};
use super::links::{entity_link, kind_of, owner_link, written_ref};
use super::query::{CatalogQuery, TAG};
use crate::ui::{Erase, icon, moment, safe_url};

/// Fields of `spec` that are shown elsewhere, or too long for a list.
const ELSEWHERE: [&str; 10] =
    ["type", "lifecycle", "owner", "system", "domain", "definition", "profile", "parent", "target", "subcomponentOf"];

pub(super) fn about(view: &EntityView, entity: &Entity) -> AnyView {
    let kind = kind_of(&view.entity_ref);
    let mut rows =
        vec![row("Kind", view! { {kind_name(kind)} }.erase()), row("Type", optional(entity.spec_str("type")))];
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
            view! { <a class="underlined" href=href rel="external">{email.to_owned()}</a> }.erase(),
        ));
    }
    rows.extend(entity.spec().into_iter().flat_map(other_fields));
    rows.push(row("Tags", tags(kind, entity)));
    rows.push(row("Reference", view! { <code>{view.entity_ref.clone()}</code> }.erase()));
    rows.push(row("Changed", moment(view.changed_at)));
    view! {
        <section class="card" aria-labelledby="about">
            <header class="card-head">
                <h2 id="about">"About"</h2>
            </header>
            <div class="card-body">
                <dl class="kv">{rows}</dl>
            </div>
            {annotations(entity)}
        </section>
        {links(entity)}
    }
    .erase()
}

fn row(label: &'static str, value: AnyView) -> AnyView {
    view! {
        <dt>{label}</dt>
        <dd>{value}</dd>
    }
    .erase()
}

fn optional(value: Option<&str>) -> AnyView {
    match value {
        Some(value) => view! { {value.to_owned()} }.erase(),
        None => view! { <span class="missing">"Not set"</span> }.erase(),
    }
}

/// Plain values that an organisation has added to the `spec`.
fn other_fields(spec: &Map<String, Value>) -> Vec<AnyView> {
    let shown = spec.iter().filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()));
    shown
        .filter_map(|(name, value)| {
            let text = plain(value)?;
            let row = view! {
                <dt>{name.clone()}</dt>
                <dd>{text}</dd>
            };
            Some(row.erase())
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

fn tags(kind: &str, entity: &Entity) -> AnyView {
    let tags: Vec<AnyView> = entity
        .tags()
        .map(|tag| {
            let mut query = CatalogQuery::read(&leptos_router::params::ParamsMap::new());
            kind.clone_into(&mut query.kind);
            let href = query.toggled(&TAG, tag).href();
            view! {
                <a class="tag" href=href>
                    {tag.to_owned()}
                </a>
            }
            .erase()
        })
        .collect();
    if tags.is_empty() {
        return view! { <span class="missing">"No tags"</span> }.erase();
    }
    view! { <span class="tags">{tags}</span> }.erase()
}

/// Labels and annotations are for tools; they are at hand, folded.
fn annotations(entity: &Entity) -> Option<AnyView> {
    let metadata = entity.metadata()?;
    let rows: Vec<AnyView> = ["labels", "annotations"]
        .into_iter()
        .filter_map(|field| metadata.get(field)?.as_object())
        .flatten()
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .map(|(key, value)| {
            view! {
                <dt>
                    <code>{key.clone()}</code>
                </dt>
                <dd>{value.to_owned()}</dd>
            }
            .erase()
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let count = match rows.len() {
        1 => "1 label or annotation".to_owned(),
        count => format!("{count} labels and annotations"),
    };
    let fold = view! {
        <details class="fold">
            <summary>{icon("chevron-right")} {count}</summary>
            <dl class="kv" data-stacked>
                {rows}
            </dl>
        </details>
    };
    Some(fold.erase())
}

fn links(entity: &Entity) -> Option<AnyView> {
    let links = entity.metadata()?.get("links")?.as_array()?;
    let items: Vec<AnyView> = links
        .iter()
        .filter_map(|link| {
            let text = |field: &str| link.get(field).and_then(Value::as_str);
            let url = safe_url(text("url")?)?;
            let title = text("title").unwrap_or(&url).to_owned();
            let kind = text("type").map(|kind| view! { <span class="meta">{kind.to_owned()}</span> });
            let item = view! {
                <li>
                    {icon("external")}
                    <div class="body">
                        <a class="truncate" href=url.clone() rel="external noreferrer">
                            {title}
                        </a>
                    </div>
                    {kind}
                </li>
            };
            Some(item.erase())
        })
        .collect();
    if items.is_empty() {
        return None;
    }
    let card = view! {
        <section class="card" aria-labelledby="links">
            <header class="card-head">
                <h2 id="links">"Links"</h2>
            </header>
            <div class="card-body" data-flush>
                <ul class="list" data-compact>
                    {items}
                </ul>
            </div>
        </section>
    };
    Some(card.erase())
}
