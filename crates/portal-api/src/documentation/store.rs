//! Queries on documentation.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use portal_core::documentation::wire::{DocumentationFault, NavItem};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::collect::{Site, SiteFile};
use crate::changes::{self, NewChange, Writing};
use crate::db::entity::{documentation, documentation_content, documentation_file, entity};
use crate::db::{DatabaseTransaction, DbError, DbResult};

/// Values of one `IN (…)`, and rows of one INSERT.
const CHUNK: usize = 100;
/// Precedes the reference in a subject of the feed.
pub const SUBJECT: &str = "documentation:";

/// The documentation of an entity, without its pages.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub root: String,
    pub hash: String,
    pub outline: Outline,
    pub changed_at: DateTime<Utc>,
}

/// What is kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    pub title: Option<String>,
    pub nav: Vec<NavItem>,
    #[serde(default)]
    pub faults: Vec<DocumentationFault>,
}

/// A file without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub path: String,
    pub title: Option<String>,
    pub media_type: String,
    pub hash: String,
}

pub async fn find<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Option<Stored>> {
    let Some(row) = documentation::Entity::find_by_id(entity_ref).one(db).await? else { return Ok(None) };
    let documentation::Model { root, hash, outline, changed_at, .. } = row;
    let outline = serde_json::from_str(&outline).map_err(|error| DbError::Unsupported(error.to_string()))?;
    Ok(Some(Stored { root, hash, outline, changed_at }))
}

/// The files of an entity's documentation by path.
pub async fn files<C: ConnectionTrait>(db: &C, entity_ref: &str) -> DbResult<Vec<StoredFile>> {
    let rows = documentation_file::Entity::find()
        .filter(documentation_file::Column::EntityRef.eq(entity_ref))
        .order_by_asc(documentation_file::Column::Path);
    let file = |row: documentation_file::Model| {
        let documentation_file::Model { path, title, media_type, hash, .. } = row;
        StoredFile { path, title, media_type, hash }
    };
    Ok(rows.all(db).await?.into_iter().map(file).collect())
}

pub async fn content<C: ConnectionTrait>(db: &C, hash: &str) -> DbResult<Option<Vec<u8>>> {
    Ok(documentation_content::Entity::find_by_id(hash).one(db).await?.map(|row| row.body))
}

/// A page as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    pub path: String,
    pub title: String,
    pub text: String,
}

/// The pages of an entity, for search, up to about so many bytes.
pub async fn texts<C: ConnectionTrait>(db: &C, entity_ref: &str, limit: usize) -> DbResult<Vec<PageText>> {
    let (mut pages, mut bytes) = (Vec::new(), 0);
    for StoredFile { path, title, media_type, hash } in files(db, entity_ref).await? {
        if media_type != "text/markdown" || bytes > limit {
            continue;
        }
        let text = content(db, &hash).await?.and_then(|body| String::from_utf8(body).ok()).unwrap_or_default();
        bytes += text.len();
        pages.push(PageText { path, title: title.unwrap_or_default(), text });
    }
    Ok(pages)
}

/// Which of these entities have documentation.
pub async fn documented<C: ConnectionTrait>(db: &C, refs: &[String]) -> DbResult<HashSet<String>> {
    let mut found = HashSet::new();
    for chunk in refs.chunks(CHUNK) {
        let rows = documentation::Entity::find()
            .select_only()
            .column(documentation::Column::EntityRef)
            .filter(documentation::Column::EntityRef.is_in(chunk));
        found.extend(rows.into_tuple::<String>().all(db).await?);
    }
    Ok(found)
}

/// What is known of a source's documentation: the hash of each entity's.
pub async fn known<C: ConnectionTrait>(db: &C, source_id: i64) -> DbResult<HashMap<String, String>> {
    use documentation::Column;
    let rows = documentation::Entity::find()
        .select_only()
        .columns([Column::EntityRef, Column::Hash])
        .filter(Column::SourceId.eq(source_id));
    Ok(rows.into_tuple::<(String, String)>().all(db).await?.into_iter().collect())
}

/// Which of these entities a source holds.
pub async fn held<C: ConnectionTrait>(db: &C, source_id: i64, refs: &[String]) -> DbResult<Vec<String>> {
    let mut held = Vec::with_capacity(refs.len());
    for chunk in refs.chunks(CHUNK) {
        let rows = entity::Entity::find()
            .select_only()
            .column(entity::Column::EntityRef)
            .filter(entity::Column::SourceId.eq(source_id))
            .filter(entity::Column::EntityRef.is_in(chunk));
        held.extend(rows.into_tuple::<String>().all(db).await?);
    }
    Ok(held)
}

/// Stores the documentation of an entity in place of what there was.
pub async fn put(
    txn: &DatabaseTransaction,
    writing: &Writing,
    source_id: i64,
    entity_ref: &str,
    site: &Site,
) -> DbResult<()> {
    let hash = site.hash();
    let outline = Outline { title: site.title.clone(), nav: site.nav.clone(), faults: site.faults.clone() };
    let outline = serde_json::to_string(&outline).map_err(|error| DbError::Unsupported(error.to_string()))?;
    // From here on no other process writes: what one takes away another may just use.
    changes::store::reserve(txn).await?;
    let before = clear(txn, &[entity_ref.to_owned()]).await?;
    for chunk in site.files.chunks(CHUNK) {
        let contents = chunk.iter().map(|file| documentation_content::ActiveModel {
            hash: Set(file.hash.clone()),
            body: Set(file.bytes.to_vec()),
        });
        documentation_content::Entity::insert_many(contents)
            .on_conflict(OnConflict::column(documentation_content::Column::Hash).do_nothing().to_owned())
            .exec_without_returning(txn)
            .await?;
        let files = chunk.iter().map(|file| {
            let SiteFile { path, title, media_type, hash, bytes: _ } = file;
            documentation_file::ActiveModel {
                entity_ref: Set(entity_ref.to_owned()),
                path: Set(path.clone()),
                title: Set(title.clone()),
                media_type: Set((*media_type).to_owned()),
                hash: Set(hash.clone()),
            }
        });
        documentation_file::Entity::insert_many(files).exec_without_returning(txn).await?;
    }
    let row = documentation::ActiveModel {
        entity_ref: Set(entity_ref.to_owned()),
        source_id: Set(source_id),
        root: Set(site.root.clone()),
        hash: Set(hash.clone()),
        outline: Set(outline),
        changed_at: Set(writing.at),
    };
    documentation::Entity::insert(row).exec_without_returning(txn).await?;
    forget_contents(txn, &before).await?;
    let document = serde_json::json!({ "root": site.root, "hash": hash, "files": site.files.len() }).to_string();
    append(txn, writing, &[entity_ref.to_owned()], "update", Some(&document)).await
}

/// Removes the documentation of entities; with `source_id`, what is of that source.
pub async fn remove(
    txn: &DatabaseTransaction,
    writing: &Writing,
    refs: &[String],
    source_id: Option<i64>,
) -> DbResult<()> {
    let mut documented = documentation::Entity::find()
        .select_only()
        .column(documentation::Column::EntityRef)
        .filter(documentation::Column::EntityRef.is_in(refs));
    if let Some(source_id) = source_id {
        documented = documented.filter(documentation::Column::SourceId.eq(source_id));
    }
    let documented: Vec<String> = documented.into_tuple().all(txn).await?;
    if documented.is_empty() {
        return Ok(());
    }
    changes::store::reserve(txn).await?;
    let before = clear(txn, &documented).await?;
    forget_contents(txn, &before).await?;
    append(txn, writing, &documented, "delete", None).await
}

async fn append(
    txn: &DatabaseTransaction,
    writing: &Writing,
    refs: &[String],
    operation: &'static str,
    document: Option<&str>,
) -> DbResult<()> {
    let change = |entity_ref: &String| NewChange {
        subject: format!("{SUBJECT}{entity_ref}"),
        operation,
        document: document.map(str::to_owned),
    };
    changes::store::append(txn, writing, refs.iter().map(change).collect()).await?;
    Ok(())
}

/// Answers the hashes of the contents that were used.
async fn clear(txn: &DatabaseTransaction, refs: &[String]) -> DbResult<Vec<String>> {
    let of = documentation_file::Column::EntityRef.is_in(refs);
    let used = documentation_file::Entity::find()
        .select_only()
        .column(documentation_file::Column::Hash)
        .filter(of.clone())
        .distinct();
    let used = used.into_tuple::<String>().all(txn).await?;
    documentation_file::Entity::delete_many().filter(of).exec(txn).await?;
    let sites = documentation::Entity::delete_many();
    sites.filter(documentation::Column::EntityRef.is_in(refs)).exec(txn).await?;
    Ok(used)
}

/// Removes those of the contents that no file has any more.
async fn forget_contents(txn: &DatabaseTransaction, hashes: &[String]) -> DbResult<()> {
    for chunk in hashes.chunks(CHUNK) {
        let used = documentation_file::Entity::find()
            .select_only()
            .column(documentation_file::Column::Hash)
            .filter(documentation_file::Column::Hash.is_in(chunk))
            .distinct();
        let used = used.into_tuple::<String>().all(txn).await?;
        let unused: Vec<&String> = chunk.iter().filter(|hash| !used.contains(hash)).collect();
        let unused = documentation_content::Column::Hash.is_in(unused);
        documentation_content::Entity::delete_many().filter(unused).exec(txn).await?;
    }
    Ok(())
}
