//! Reading the feed page by page.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use portal_core::access::{ActorId, Principal};
use portal_core::catalog::Entity;
use portal_core::catalog::wire::{ChangeList, ChangeView};
use portal_core::personal::wire::Mark;
use serde_json::Value;

use super::seeing::Seeing;
use super::store::{self, ChangeFilter};
use super::{Change, entity_subject};
use crate::access;
use crate::db::DbResult;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Authorized, ReadChanges};
use crate::http::cursor;
use crate::http::params::Params;
use crate::personal;
use crate::state::App;

/// Changes that are read at once when some are left out.
const BATCH: u64 = 500;

/// What changed, newest first.
///
/// Each item holds the state before and after and the fields that differ.
#[utoipa::path(
    get, path = "/changes", tag = "changes", operation_id = "list_changes",
    params(
        ("subject" = Option<String>, Query, description = "e.g. `entity:component:default/booking-api`", example = "entity:component:default/booking-api"),
        ("entity" = Option<String>, Query, description = "An entity's reference: short for `subject=entity:…`"),
        ("about" = Option<String>, Query, pattern = "^(entity|source|kind)$", description = "`entity`, `source` or `kind`: what the subject is", example = "entity"),
        ("actor" = Option<String>, Query, description = "Who made the change"),
        ("operation" = Option<String>, Query, description = "`create`, `update`, `delete`, `orphan`, `restore`, `stale`, …"),
        ("since" = Option<String>, Query, format = DateTime, description = "RFC 3339 time, inclusive"),
        ("until" = Option<String>, Query, format = DateTime, description = "RFC 3339 time, inclusive"),
        ("followed" = Option<bool>, Query, description = "Only of what the caller follows"),
        ("compact" = Option<bool>, Query, description = "Leaves `before` and `after` out; the fields that differ are named all the same"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 200, description = "1 to 200; 50 when absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of changes", body = ChangeList, example = json!({
        "items": [{"seq": 42, "at": "2026-11-17T09:00:00Z", "actor": "system", "cause": "source:1",
            "subject": "entity:component:default/booking-api", "title": "Booking API", "operation": "update", "before": null, "after": null,
            "diff": [{"pointer": "/spec/lifecycle", "before": "experimental", "after": "production"}]}],
        "next_cursor": null, "total": 1}))),
)]
pub async fn list_changes(
    auth: Authorized<ReadChanges>,
    State(app): State<App>,
    mut params: Params,
) -> ApiResult<Json<ChangeList>> {
    let subject = params.one("subject")?;
    let own = format!("person:{}", auth.principal.actor.0);
    if subject.as_deref().is_some_and(|subject| subject.starts_with("person:") && subject != own) {
        return Err(ApiError::Forbidden("what another person marked or saved is theirs".to_owned()));
    }
    let entity = params.chosen("entity")?;
    let about = params.one("about")?;
    if let Some(about) = about.as_deref().filter(|about| !["entity", "source", "kind"].contains(about)) {
        return Err(ApiError::parameter("about", format!("`{about}` is none of `entity`, `source` and `kind`")));
    }
    let among = match params.flag("followed")? {
        true => Some(followed(&app, &auth.principal.actor).await?),
        false => None,
    };
    let filter = ChangeFilter {
        among,
        about,
        subject: entity.map(|entity| entity_subject(&entity.to_lowercase())).or(subject),
        actor: params.chosen("actor")?,
        operation: params.one("operation")?,
        since: params.time("since")?,
        until: params.time("until")?,
    };
    let compact = params.flag("compact")?;
    let limit = params.number("limit", 50, 1..=200)?;
    let before = params.cursor::<i64>()?;
    params.finish()?;
    let mut list = page(&app, &auth.principal, &filter, before, limit).await?;
    if compact {
        for item in &mut list.items {
            (item.before, item.after) = (None, None);
        }
    }
    Ok(Json(list))
}

/// The subjects of what a person follows.
async fn followed(app: &App, actor: &ActorId) -> DbResult<Vec<String>> {
    let marks = personal::store::marks(app.db.reader(), actor).await?;
    let followed = marks.into_iter().filter(|mark| mark.mark == Mark::Follow);
    Ok(followed.map(|mark| entity_subject(&mark.entity_ref)).collect())
}

/// One page with its total, of what the caller may know.
pub async fn page(
    app: &App,
    principal: &Principal,
    filter: &ChangeFilter,
    before: Option<i64>,
    limit: u64,
) -> ApiResult<ChangeList> {
    let db = app.db.reader();
    let mut seeing = Seeing::new(app, principal);
    let (changes, total) = match seeing.is_restricted() {
        true => (seen(app, &mut seeing, filter, before, limit + 1).await?, count_seen(app, &mut seeing, filter).await?),
        false => (store::page(db, filter, before, limit + 1).await?, store::count(db, filter).await?),
    };
    let (changes, next_cursor) = cursor::page(changes, limit, |change| change.seq);
    let items = views(app, changes).await?;
    Ok(ChangeList { items, next_cursor, total })
}

/// Up to `limit` changes that the caller may know of, newest first.
async fn seen(
    app: &App,
    seeing: &mut Seeing,
    filter: &ChangeFilter,
    mut before: Option<i64>,
    limit: u64,
) -> DbResult<Vec<Change>> {
    let mut kept = Vec::new();
    loop {
        let batch = store::page(app.db.reader(), filter, before, BATCH).await?;
        let last = (batch.len() as u64) < BATCH;
        before = batch.last().map(|change| change.seq);
        for change in batch {
            if seeing.sees(&change.subject).await? {
                kept.push(change);
            }
            if kept.len() as u64 == limit {
                return Ok(kept);
            }
        }
        if last {
            return Ok(kept);
        }
    }
}

async fn count_seen(app: &App, seeing: &mut Seeing, filter: &ChangeFilter) -> DbResult<u64> {
    let mut total = 0;
    for (subject, count) in store::count_by_subject(app.db.reader(), filter).await? {
        if seeing.sees(&subject).await? {
            total += count.unsigned_abs();
        }
    }
    Ok(total)
}

/// Shows changes with what was before them.
pub async fn views(app: &App, changes: Vec<Change>) -> DbResult<Vec<ChangeView>> {
    let mut before = store::predecessors(app.db.reader(), &changes).await?;
    let actors: BTreeSet<&str> = changes.iter().map(|change| change.actor.0.as_str()).collect();
    let names = access::store::names(app.db.reader(), actors).await?;
    let views = changes.into_iter().map(|change| {
        let before = before.remove(&change.seq).and_then(|before| shown(before.document.as_deref()));
        let by = names.get(&change.actor.0).cloned();
        ChangeView { by, ..view(change, before) }
    });
    Ok(views.collect())
}

fn view(change: Change, before: Option<Value>) -> ChangeView {
    let Change { seq, at, actor, cause, subject, operation, document } = change;
    let after = shown(document.as_deref());
    let diff = match (&before, &after) {
        (Some(before), Some(after)) => portal_core::catalog::diff::diff(before, after),
        _ => Vec::new(),
    };
    let titled = after.as_ref().or(before.as_ref()).filter(|_| subject.starts_with("entity:"));
    let title = titled.and_then(Entity::title_in).map(str::to_owned);
    ChangeView { seq, at, actor, by: None, cause, subject, title, operation, before, after, diff }
}

/// What a reader cares about: of an entity's state its descriptor, else all.
pub fn shown(document: Option<&str>) -> Option<Value> {
    let mut state: Value = serde_json::from_str(document?).ok()?;
    Some(match state.get_mut("entity") {
        Some(entity) => entity.take(),
        None => state,
    })
}
