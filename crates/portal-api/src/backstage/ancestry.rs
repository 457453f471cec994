//! Where an entity comes from: the `Location` entities that lead to its file.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use portal_core::catalog::Entity;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::query::{Filter, Selection};

use super::entities::{RefPath, named, no_entity_named};
use super::read;
use crate::catalog::documents::Document;
use crate::catalog::view::Snapshot;
use crate::error::ApiResult;
use crate::http::authorized::{Authorized, ReadCatalog};
use crate::sources::places::{Ground, leads_to};
use crate::sources::{reading, store};
use crate::state::App;

/// The entity, then the locations that lead to it, theirs, and so on. A source
/// is no entity, so that it is nobody's parent.
#[utoipa::path(
    get, path = "/entities/by-name/{kind}/{namespace}/{name}/ancestry", tag = "backstage",
    operation_id = "get_entity_ancestry_by_name",
    params(
        ("kind" = String, Path, example = "component"), ("namespace" = String, Path, example = "default"), ("name" = String, Path, example = "booking-api"),
    ),
    responses((status = 200, description = "`{rootEntityRef, items: [{entity, parentEntityRefs}]}`", body = Object)),
)]
pub async fn get_entity_ancestry_by_name(
    auth: Authorized<ReadCatalog>,
    State(app): State<App>,
    Path(parts): RefPath,
) -> ApiResult<Response> {
    let snapshot = app.catalog.snapshot();
    let visibility = auth.visibility(&snapshot);
    let row = named(&snapshot.index, &parts, &visibility).ok_or_else(|| no_entity_named(&parts))?;
    let found = app.catalog.documents.get(&app.db, &snapshot.index, &visibility, &[row]).await?;
    let Some(document) = found.into_iter().flatten().next() else { return Err(no_entity_named(&parts)) };
    let items = ancestry(&app, &snapshot, &visibility, document.clone()).await?;
    let root = serde_json::Value::from(document.entity_ref.as_str());
    let mut body = format!("{{\"rootEntityRef\":{root},\"items\":[").into_bytes();
    for (position, (document, parents)) in items.iter().enumerate() {
        body.extend_from_slice(if position == 0 { b"{\"entity\":" } else { b",{\"entity\":" });
        body.extend_from_slice(&document.json);
        body.extend_from_slice(b",\"parentEntityRefs\":");
        body.extend_from_slice(serde_json::Value::from(parents.as_slice()).to_string().as_bytes());
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(read::json(body))
}

type Item = (Arc<Document>, Vec<String>);

/// Each entity once, with its parents, nearest first.
async fn ancestry(
    app: &App,
    snapshot: &Snapshot,
    visibility: &Visibility,
    root: Arc<Document>,
) -> ApiResult<Vec<Item>> {
    let Some(source_id) = root.source_id else { return Ok(vec![(root, Vec::new())]) };
    let Some(source) = store::find(app.db.reader(), source_id).await? else { return Ok(vec![(root, Vec::new())]) };
    let ground = Ground::of(source.source_type, &source.target, source.trusted);
    let locations = locations(app, snapshot, visibility, source_id).await?;
    let parents_of = |file: &str| -> Vec<&Arc<Document>> {
        let leads = |(location, targets): &&(Arc<Document>, Vec<String>)| {
            targets.iter().any(|target| leads_to(&ground, &location.location, target, file))
        };
        locations.iter().filter(leads).map(|(location, _)| location).collect()
    };
    // Many entities share a file.
    let mut known: HashMap<String, Vec<&Arc<Document>>> = HashMap::new();
    let mut seen = BTreeSet::from([root.entity_ref.clone()]);
    let mut open = VecDeque::from([root]);
    let mut items = Vec::new();
    while let Some(document) = open.pop_front() {
        let parents = known.entry(document.location.clone()).or_insert_with(|| parents_of(&document.location));
        let others: BTreeMap<&str, &Arc<Document>> = parents
            .iter()
            .filter(|parent| parent.entity_ref != document.entity_ref)
            .map(|parent| (parent.entity_ref.as_str(), *parent))
            .collect();
        let names = others.keys().map(|name| (*name).to_owned()).collect();
        open.extend(others.into_values().filter(|parent| seen.insert(parent.entity_ref.clone())).cloned());
        items.push((document, names));
    }
    Ok(items)
}

/// The locations that a source declares, with their targets.
async fn locations(
    app: &App,
    snapshot: &Snapshot,
    visibility: &Visibility,
    source_id: i64,
) -> ApiResult<Vec<(Arc<Document>, Vec<String>)>> {
    let filter = Filter::parse(&["kind=location"]).unwrap_or_default();
    let selection = Selection { filter, ..Selection::default() };
    let rows: Vec<u32> = snapshot.index.select(&selection, visibility).iter().collect();
    let found = app.catalog.documents.get(&app.db, &snapshot.index, visibility, &rows).await?;
    let own = found.into_iter().flatten().filter(|document| document.source_id == Some(source_id));
    Ok(own
        .map(|document| {
            let entity = Entity(serde_json::from_slice(&document.json).unwrap_or_default());
            let targets = reading::location_targets(&entity, &|_, _| (0, 0));
            (document, targets.into_iter().map(|target| target.target).collect())
        })
        .collect())
}
