//! What runs make: entities that the API owns, with an owner, and an end where they have
//! one, at which an action cleans them up.

use portal_core::catalog::validate::{nowhere, validate};
use portal_core::catalog::{Entity, EntityRef};
use portal_core::templates::Trouble;
use serde_json::{Map, Value, json};

use super::steps::{database, time, wrong};
use crate::catalog::permission;
use crate::catalog::service::{self, EntityDraft, Upserted};
use crate::catalog::view::Snapshot;
use crate::catalog::{lists, store};
use crate::clock::later;
use crate::db::{DbError, Priority};
use crate::expiry::{self, NewExpiry};
use crate::runs::live::Live;
use crate::runs::store as runs;
use crate::templates::perform::{Call, Log};

type Output = Result<Map<String, Value>, Trouble>;

/// The annotation that says when something goes.
pub const EXPIRES: &str = "portal.dev/expires-at";

/// Puts an entity into the catalog, with the rights of whoever started the run.
pub async fn put(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let input = call.input;
    let given = input.object("entity")?.ok_or_else(|| wrong("entity", "is missing"))?;
    let mut document = Value::Object(given.clone());
    let expires_at = time(&input, "ttl")?.map(|seconds| later(live.app.clock.now(), seconds));
    let clean_up = input.object("cleanUp")?.map(read_clean_up).transpose()?;
    if clean_up.is_some() && !live.is_trusted {
        let message = "`cleanUp` is for definitions of trusted sources: nobody is asked again";
        return Err(Trouble::new("not_allowed", message));
    }
    if let Some(at) = expires_at {
        document["metadata"]["annotations"][EXPIRES] = at.to_rfc3339().into();
    }
    let snapshot = live.app.catalog.snapshot();
    if let Some(fault) = validate(&document, &snapshot.kinds, &nowhere).into_iter().next() {
        return Err(wrong("entity", &format!("`{}` {}", fault.pointer, fault.message)));
    }
    let entity = Entity(document);
    let Some(reference) = entity.entity_ref() else { return Err(wrong("entity", "has no name")) };
    may_write(live, &snapshot, &reference, Some(&entity)).await?;
    let name = reference.to_string();
    log(format!("putting `{name}` into the catalog"));
    let draft =
        EntityDraft { entity, source_id: None, location: format!("run:{}", live.run_id), document_index: 0, line: 1 };
    let (writing, run_id, told) = (live.writing_now(), live.run_id, name.clone());
    let work = live.app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let done = service::upsert(txn, &writing, vec![draft]).await?;
            if !matches!(done.first(), Some(Upserted::Conflict { .. })) {
                runs::add_entity(txn, run_id, &told).await?;
                if let Some(expires_at) = expires_at {
                    let (action, answers) =
                        clean_up.map_or((None, Map::new()), |(action, answers)| (Some(action), answers));
                    let new = NewExpiry { entity_ref: told, run_id, expires_at, action, answers };
                    expiry::set(txn, new, writing.at).await?;
                }
            }
            Ok::<_, DbError>(done)
        })
    });
    match work.await.map_err(database)?.pop() {
        Some(Upserted::Conflict { source_id, location }) => {
            let owner = service::owner(source_id);
            return Err(Trouble::new("exists_already", format!("`{name}` is declared by {owner} at `{location}`")));
        }
        Some(Upserted::Created { seq } | Upserted::Updated { seq }) => {
            lists::wait(&live.app, seq).await.map_err(|error| Trouble::new("database", error.to_string()))?;
        }
        _ => {}
    }
    if let Some(at) = expires_at {
        log(format!("`{name}` goes at {}", at.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    let expires = expires_at.map(|at| at.to_rfc3339());
    Ok(json!({ "entityRef": name, "expiresAt": expires }).as_object().cloned().unwrap_or_default())
}

fn read_clean_up(fields: &Map<String, Value>) -> Result<(String, Map<String, Value>), Trouble> {
    let text = fields.get("action").and_then(Value::as_str).ok_or_else(|| wrong("cleanUp", "names no `action`"))?;
    let action = EntityRef::parse(text, Some("action"), EntityRef::DEFAULT_NAMESPACE);
    let action = action.map_err(|error| wrong("cleanUp", &error.to_string()))?;
    let values = fields.get("values").and_then(Value::as_object).cloned().unwrap_or_default();
    Ok((action.to_string(), values))
}

/// Takes an entity that the API owns out of the catalog; one that is gone stays so.
pub async fn delete(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let reference = EntityRef::parse(call.input.must("entityRef")?, None, EntityRef::DEFAULT_NAMESPACE);
    let reference = reference.map_err(|error| wrong("entityRef", &error.to_string()))?;
    let snapshot = live.app.catalog.snapshot();
    may_write(live, &snapshot, &reference, None).await?;
    let (name, writing) = (reference.to_string(), live.writing_now());
    let told = name.clone();
    let work = live.app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let Some(current) = store::by_ref(txn, &told).await? else { return Ok(Ok(false)) };
            if let Some(source_id) = current.source_id {
                return Ok(Err(source_id));
            }
            service::remove(txn, &writing, std::slice::from_ref(&told)).await?;
            expiry::store::forget(txn, &told).await?;
            Ok::<_, DbError>(Ok(true))
        })
    });
    match work.await.map_err(database)? {
        Ok(true) => log(format!("`{name}` is gone from the catalog")),
        Ok(false) => log(format!("`{name}` was gone already")),
        Err(id) => {
            let message = format!("`{name}` is declared by source {id}; take it out of its file");
            return Err(Trouble::new("not_allowed", message));
        }
    }
    Ok(Map::new())
}

/// That whoever started the run may write an entity: what it is now, and what it is to be.
pub(super) async fn may_write(
    live: &Live,
    snapshot: &Snapshot,
    reference: &EntityRef,
    draft: Option<&Entity>,
) -> Result<(), Trouble> {
    let decided = permission::may_write(&live.app, &live.starter, snapshot, reference, draft).await;
    decided.map_err(|error| Trouble::new("not_allowed", error.to_string()))
}
