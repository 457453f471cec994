//! What the index costs at 100 000 entities: its memory is held, its times are
//! printed (`--nocapture`), since a machine under load proves nothing.
#![cfg(all(feature = "engine", feature = "generate"))]

use std::time::{Duration, Instant};

use portal_core::catalog::Entity;
use portal_core::catalog::index::{CatalogIndex, RowChange, Values, Visibility};
use portal_core::catalog::kinds::KindRegistry;
use portal_core::catalog::query::{Filter, FullText, Missing, Order, Query, Selection};
use portal_core::catalog::relations::emitted;
use serde_json::json;

const ENTITIES: usize = 100_000;

fn upsert(id: u32, entity: Entity, kinds: &KindRegistry) -> RowChange {
    let relations = emitted(&entity, kinds);
    let uid = format!("{id:08x}-0000-4000-8000-{:012x}", u64::from(id) * 2_654_435_761);
    RowChange::Upsert { id, uid, changed_seq: i64::from(id), entity, relations }
}

fn build(count: usize, kinds: &KindRegistry) -> CatalogIndex {
    let mut index = CatalogIndex::new();
    let mut batch = Vec::new();
    for (id, entity) in (1..).zip(portal_core::generate::catalog(count, 42)) {
        batch.push(upsert(id, entity, kinds));
        if batch.len() == 500 {
            index.apply(std::mem::take(&mut batch));
        }
    }
    index.apply(batch);
    index
}

/// Resident bytes of this process, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn fastest<T>(times: usize, mut work: impl FnMut(usize) -> T) -> Duration {
    let once = |round| {
        let started = Instant::now();
        let result = work(round);
        let elapsed = started.elapsed();
        drop(result);
        elapsed
    };
    let mut durations: Vec<Duration> = (0..times).map(once).collect();
    durations.sort();
    durations[times / 2]
}

/// One test, because a second one beside it would blur both figures.
#[test]
fn a_hundred_thousand_entities_are_small_and_change_quickly() {
    let kinds = KindRegistry::built_in();
    let before = resident();
    let started = Instant::now();
    let mut index = build(ENTITIES, &kinds);
    let built = started.elapsed();
    assert_eq!(index.len(), ENTITIES);
    let mut report = vec![format!("built in {built:?}")];
    if let (Some(before), Some(after)) = (before, resident()) {
        let each = after.saturating_sub(before) / ENTITIES as u64;
        report.push(format!("{each} bytes an entity"));
        assert!(each <= 2048, "the index takes {each} bytes an entity, more than 2048");
    }

    let entities: Vec<Entity> = portal_core::generate::catalog(ENTITIES, 42).skip(60_000).take(50).collect();
    let snapshot = index.clone();
    let change = fastest(50, |round| {
        let mut entity = entities[round].clone();
        entity.0["metadata"]["description"] = json!(format!("changed {round}"));
        entity.0["spec"]["lifecycle"] = json!("retired");
        entity.0["spec"]["dependsOn"] = json!(["component:default/other"]);
        // A snapshot is alive, as in the server: nothing may change in place.
        let before = index.clone();
        index.apply(vec![upsert(60_001 + u32::try_from(round).unwrap(), entity, &kinds)]);
        before
    });
    report.push(format!("one change {change:?}"));
    assert_eq!(snapshot.len(), ENTITIES);

    let by = |filter: &[&str], order: Option<&str>, term: Option<&str>| Query {
        selection: Selection {
            within: None,
            filter: Filter::parse(filter).unwrap(),
            predicate: None,
            full_text: term.map(FullText::of_catalog),
        },
        order: order.map(|field| Order::by(field, false)),
        missing: Missing::Excluded,
        limit: 20,
        ..Query::default()
    };
    let facets = ["kind", "spec.type", "spec.lifecycle", "relations.ownedby"].map(str::to_owned);
    for (name, query) in [
        ("all", by(&[], None, None)),
        ("sorted", by(&[], Some("metadata.name"), None)),
        ("filtered", by(&["kind=component,spec.type=service"], None, None)),
        ("filtered, sorted", by(&["kind=component,spec.lifecycle=production"], Some("metadata.name"), None)),
        ("rare, sorted", by(&["kind=component,metadata.tags.rust,spec.type=mobile-app"], Some("metadata.name"), None)),
        ("text", by(&["kind=component"], Some("metadata.name"), Some("booking"))),
    ] {
        let paged = fastest(30, |_| index.page(&query, &Visibility::All));
        let counted =
            fastest(10, |_| index.facets_sideways(&facets, &query.selection, &Visibility::All, Values::Frequent(100)));
        report.push(format!("{name}: page {paged:?}, 4 facets {counted:?}"));
    }
    let fresh = fastest(10, |round| {
        let term = ["an", "ser", "ing", "book", "team", "zon", "wea", "sur", "tic", "ref"][round];
        index.page(&by(&[], Some("metadata.name"), Some(term)), &Visibility::All)
    });
    report.push(format!("new text: page {fresh:?}"));
    eprintln!("{}", report.join("\n"));
}
