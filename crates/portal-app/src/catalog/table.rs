//! The table of the list: its columns depend on the kind.

use maud::html;
use portal_core::catalog::Entity;
use portal_core::catalog::wire::{EntityLink, EntityView};
use serde_json::Value;

use super::kinds::{has_owner, kind_name};
use super::links::{entity_link, kind_of, owner_link, written_ref};
use super::query::CatalogQuery;
use crate::paths;
use crate::ui::{Content, ago, small_icon};

/// One row, taken apart.
struct Row {
    entity_ref: String,
    entity: Entity,
    owner: Option<EntityLink>,
    system: Option<EntityLink>,
    mark: Option<&'static str>,
    changed_at: chrono::DateTime<chrono::Utc>,
}

pub(super) struct Column {
    /// By which it is hidden.
    pub name: &'static str,
    pub head: &'static str,
    /// When it leaves as the table narrows (`p2` last), and how wide it is.
    class: &'static str,
    /// Name of the order in the address.
    sort: Option<&'static str>,
    cell: fn(&Row, i64) -> Content,
}

const NAME: Column = Column { name: "name", head: "Name", class: "col-name", sort: Some("name"), cell: name_cell };
const KIND: Column = Column { name: "kind", head: "Kind", class: "p2 col-short", sort: None, cell: kind_cell };
const DESCRIPTION: Column =
    Column { name: "description", head: "Description", class: "p4 col-text", sort: None, cell: description_cell };
const OWNER: Column =
    Column { name: "owner", head: "Owner", class: "p2 col-owner", sort: Some("owner"), cell: owner_cell };
const SYSTEM: Column =
    Column { name: "system", head: "System", class: "p3 col-link", sort: Some("system"), cell: system_cell };
const TYPE: Column = Column { name: "type", head: "Type", class: "p3 col-short", sort: Some("type"), cell: type_cell };
const LIFECYCLE: Column = Column {
    name: "lifecycle",
    head: "Lifecycle",
    class: "p3 col-short",
    sort: Some("lifecycle"),
    cell: lifecycle_cell,
};
const TAGS: Column = Column { name: "tags", head: "Tags", class: "p4 col-link", sort: None, cell: tags_cell };
const DOMAIN: Column = Column { name: "domain", head: "Domain", class: "p3 col-link", sort: None, cell: domain_cell };
const PARENT: Column = Column { name: "parent", head: "Part of", class: "p3 col-link", sort: None, cell: parent_cell };
const EMAIL: Column = Column { name: "email", head: "Email", class: "p3 col-text", sort: None, cell: email_cell };
const TEAMS: Column = Column { name: "teams", head: "Member of", class: "p2 col-text", sort: None, cell: teams_cell };
const TARGET: Column = Column { name: "target", head: "Target", class: "p3 col-text", sort: None, cell: target_cell };
const CHANGED: Column =
    Column { name: "changed", head: "Changed", class: "p2 col-time num", sort: Some("changed"), cell: changed_cell };

pub(super) fn columns(kind: &str) -> &'static [Column] {
    match kind {
        "component" | "api" => &[NAME, DESCRIPTION, OWNER, SYSTEM, TYPE, LIFECYCLE, TAGS, CHANGED],
        "resource" => &[NAME, DESCRIPTION, OWNER, SYSTEM, TYPE, TAGS, CHANGED],
        "system" => &[NAME, DESCRIPTION, OWNER, DOMAIN, TAGS, CHANGED],
        "domain" => &[NAME, DESCRIPTION, OWNER, TAGS, CHANGED],
        "group" => &[NAME, DESCRIPTION, TYPE, PARENT, TAGS, CHANGED],
        "user" => &[NAME, TEAMS, EMAIL, CHANGED],
        "location" => &[NAME, TYPE, TARGET, CHANGED],
        _ => &[NAME, KIND, DESCRIPTION, OWNER, TYPE, TAGS, CHANGED],
    }
}

pub(super) fn entity_table(query: &CatalogQuery, items: &[EntityView], caption: &str, now_ms: i64) -> Content {
    let columns = columns(&query.kind);
    let heads = columns.iter().map(|column| head(query, column)).collect::<Vec<Content>>();
    let rows = items
        .iter()
        .map(|view| {
            let row = row(view);
            let cells = columns
                .iter()
                .map(|column| {
                    Content::from(html! {
                        td class=(column.class) data-column=(column.name) { ((column.cell)(&row, now_ms)) }
                    })
                })
                .collect::<Vec<Content>>();
            Content::from(html! {
                tr data-key=(row.entity_ref) {
                    td class="col-check needs-script" {
                        input type="checkbox" data-select=(row.entity_ref) aria-label=(format!("Select {}", row.entity.display_title()));
                    }
                    @for cell in &cells { (cell) }
                }
            })
        })
        .collect::<Vec<Content>>();
    Content::from(html! {
        div class="table-wrap" {
            table class="table" {
                caption class="visually-hidden" { (caption) }
                thead {
                    tr {
                        th scope="col" class="col-check needs-script" {
                            input type="checkbox" data-select="" aria-label="Select all on this page";
                        }
                        @for head in &heads { (head) }
                    }
                }
                tbody {
                    @for row in &rows { (row) }
                }
            }
        }
    })
}

fn row(view: &EntityView) -> Row {
    let EntityView { entity_ref, entity, owner, system, changed_at, provenance, .. } = view.clone();
    let mark = match (provenance.stale, provenance.orphan_since) {
        (true, _) => Some("Stale"),
        (false, Some(_)) => Some("Orphan"),
        (false, None) => None,
    };
    Row { entity_ref, entity: Entity(entity), owner, system, mark, changed_at }
}

fn head(query: &CatalogQuery, column: &Column) -> Content {
    let Column { name, head, class, sort, .. } = column;
    let Some(sort) = *sort else {
        return Content::from(html! {
            th scope="col" class=(*class) data-column=(*name) { (*head) }
        });
    };
    let (current, backwards) = query.sort;
    let here = current == sort;
    let order = here.then_some(if backwards { "descending" } else { "ascending" });
    let arrow = here.then(|| small_icon(if backwards { "arrow-down" } else { "arrow-up" }));
    // What changed last is what one looks for first; of everything else, what is first.
    let turned = if here { !backwards } else { sort == "changed" };
    let href = query.with_sort(sort, turned).href();
    Content::from(html! {
        th scope="col" class=(*class) data-column=(*name) aria-sort=[order] {
            a class="sort" href=(href) data-noscroll {
                (*head)
                @if let Some(arrow) = &arrow { (arrow) }
            }
        }
    })
}

fn name_cell(row: &Row, _: i64) -> Content {
    let kind = kind_of(&row.entity_ref);
    let subtype = row.entity.spec_str("type");
    let title = row.entity.display_title().to_owned();
    let owner = row.owner.as_ref().map(|owner| owner.title.clone());
    let second = match (owner, subtype) {
        (Some(owner), Some(subtype)) => format!("{owner} · {subtype}"),
        (Some(text), None) => text,
        (None, subtype) => subtype.map_or_else(|| kind_name(kind), str::to_owned),
    };
    let mark = row.mark.map(|mark| {
        Content::from(html! {
            span class="status" data-tone="warning" {
                (small_icon("alert"))
                (mark)
            }
        })
    });
    let link =
        EntityLink { entity_ref: row.entity_ref.clone(), title, subtype: subtype.map(str::to_owned), exists: true };
    Content::from(html! {
        div class="cell" {
            (entity_link(&link))
            @if let Some(mark) = &mark { (mark) }
        }
        span class="sub" {
            (second)
            @if row.entity.spec_str("lifecycle") == Some("deprecated") { " · " (deprecated()) }
        }
    })
}

fn deprecated() -> Content {
    Content::from(html! {
        span class="status" data-tone="warning" { (small_icon("flag")) "deprecated" }
    })
}

fn kind_cell(row: &Row, _: i64) -> Content {
    text(Some(&kind_name(kind_of(&row.entity_ref))), "")
}

fn description_cell(row: &Row, _: i64) -> Content {
    match row.entity.description() {
        Some(description) => Content::from(html! {
            span class="muted" title=(description.to_owned()) { (description.to_owned()) }
        }),
        None => text(None, "No description"),
    }
}

fn owner_cell(row: &Row, _: i64) -> Content {
    if has_owner(kind_of(&row.entity_ref)) { owner_link(row.owner.as_ref()) } else { text(None, "Not applicable") }
}

fn system_cell(row: &Row, _: i64) -> Content {
    match &row.system {
        Some(system) if system.exists => plain_link(system),
        Some(system) => entity_link(system),
        None => text(None, "No system"),
    }
}

fn type_cell(row: &Row, _: i64) -> Content {
    text(row.entity.spec_str("type"), "Not set")
}

fn lifecycle_cell(row: &Row, _: i64) -> Content {
    match row.entity.spec_str("lifecycle") {
        Some("deprecated") => deprecated(),
        lifecycle => text(lifecycle, "Not set"),
    }
}

fn tags_cell(row: &Row, _: i64) -> Content {
    let tags = row.entity.tags().collect::<Vec<_>>().join(", ");
    text(Some(&tags).filter(|tags| !tags.is_empty()).map(String::as_str), "No tags")
}

fn domain_cell(row: &Row, _: i64) -> Content {
    reference(row, "domain", "domain", "No domain")
}

fn parent_cell(row: &Row, _: i64) -> Content {
    reference(row, "parent", "group", "Top level")
}

fn reference(row: &Row, field: &str, kind: &str, absent: &'static str) -> Content {
    let written = row.entity.spec_str(field);
    match written.and_then(|written| written_ref(written, kind, row.entity.namespace())) {
        Some(link) => plain_link(&link),
        None => text(written, absent),
    }
}

fn email_cell(row: &Row, _: i64) -> Content {
    let email = row.entity.spec().and_then(|spec| spec.get("profile")?.get("email")?.as_str());
    text(email, "Not set")
}

fn teams_cell(row: &Row, _: i64) -> Content {
    let teams = row.entity.spec().and_then(|spec| spec.get("memberOf")?.as_array());
    let links: Vec<Content> = teams
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|team| written_ref(team, "group", row.entity.namespace()))
        .map(|link| plain_link(&link))
        .collect();
    if links.is_empty() {
        text(None, "No team")
    } else {
        Content::from(html! {
            div class="cell" {
                @for link in &links { (link) }
            }
        })
    }
}

fn target_cell(row: &Row, _: i64) -> Content {
    text(row.entity.spec_str("target"), "Not set")
}

fn changed_cell(row: &Row, now_ms: i64) -> Content {
    Content::from(html! {
        span class="muted" { (ago(row.changed_at, now_ms)) }
    })
}

fn plain_link(link: &EntityLink) -> Content {
    Content::from(html! {
        a class="muted" href=(paths::entity(&link.entity_ref)) title=(&link.title) {
            (link.title.clone())
        }
    })
}

fn text(value: Option<&str>, absent: &'static str) -> Content {
    match value {
        Some(value) => Content::from(html! {
            span title=(value.to_owned()) { (value.to_owned()) }
        }),
        None => Content::from(html! {
            span class="missing" { (absent) }
        }),
    }
}
