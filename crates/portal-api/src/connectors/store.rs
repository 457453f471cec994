//! Queries on connectors that are kept in the database.

use chrono::{DateTime, Utc};
use portal_core::connectors::ConnectorKind;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::secrets::Which;
use super::{ConnectorConfig, StoredConnector};
use crate::db::entity::connector::{ActiveModel, Column, Entity, Model};
use crate::db::{DatabaseTransaction, DbError, DbResult};

/// What the database says of a connector beside its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub credential: Option<Kept>,
    pub signing_secret: Option<Kept>,
    pub etag: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

/// A secret under its seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub sealed: String,
    pub set_at: DateTime<Utc>,
}

impl Stored {
    pub fn kept(&self, which: Which) -> Option<&Kept> {
        match which {
            Which::Credential => self.credential.as_ref(),
            Which::SigningSecret => self.signing_secret.as_ref(),
        }
    }

    pub fn keep(&mut self, which: Which, kept: Option<Kept>) {
        match which {
            Which::Credential => self.credential = kept,
            Which::SigningSecret => self.signing_secret = kept,
        }
    }
}

/// Every connector, by name.
pub async fn all<C: ConnectionTrait>(db: &C) -> DbResult<Vec<StoredConnector>> {
    Entity::find().order_by_asc(Column::Name).all(db).await?.into_iter().map(connector).collect()
}

pub async fn find<C: ConnectionTrait>(db: &C, name: &str) -> DbResult<Option<StoredConnector>> {
    Entity::find_by_id(name).one(db).await?.map(connector).transpose()
}

pub async fn count<C: ConnectionTrait>(db: &C) -> DbResult<u64> {
    Ok(Entity::find().count(db).await?)
}

pub async fn insert(txn: &DatabaseTransaction, connector: StoredConnector) -> DbResult<()> {
    Entity::insert(row(connector)?).exec_without_returning(txn).await?;
    Ok(())
}

pub async fn update(txn: &DatabaseTransaction, connector: StoredConnector) -> DbResult<()> {
    Entity::update(row(connector)?).exec(txn).await?;
    Ok(())
}

pub async fn remove(txn: &DatabaseTransaction, name: &str) -> DbResult<()> {
    Entity::delete_by_id(name).exec(txn).await?;
    Ok(())
}

/// Puts a secret under another seal, unless it was set anew since it was read.
pub async fn reseal(txn: &DatabaseTransaction, name: &str, which: Which, before: &str, sealed: String) -> DbResult<()> {
    let column = match which {
        Which::Credential => Column::Credential,
        Which::SigningSecret => Column::SigningSecret,
    };
    let rows = Entity::update_many().col_expr(column, sealed.into());
    rows.filter(Column::Name.eq(name)).filter(column.eq(before)).exec(txn).await?;
    Ok(())
}

fn row(StoredConnector { config, stored }: StoredConnector) -> DbResult<ActiveModel> {
    let ConnectorConfig { name, kind, url, credential: _, signing_secret: _, preset, contract, limit, rest_seconds } =
        config;
    let Stored { credential, signing_secret, etag, created_at, created_by, updated_at, updated_by } = stored;
    let unfit = |error: serde_json::Error| DbError::Unsupported(error.to_string());
    let kept = |kept: Option<Kept>| kept.map(|Kept { sealed, set_at }| (sealed, set_at)).unzip();
    let (credential, credential_set_at) = kept(credential);
    let (signing_secret, signing_secret_set_at) = kept(signing_secret);
    Ok(ActiveModel {
        name: Set(name),
        kind: Set(kind.as_str().to_owned()),
        url: Set(url),
        preset: Set(preset),
        contract: Set(contract.as_ref().map(serde_json::to_string).transpose().map_err(unfit)?),
        call_limit: Set(i32::try_from(limit).unwrap_or(i32::MAX)),
        rest_seconds: Set(i32::try_from(rest_seconds).unwrap_or(i32::MAX)),
        credential: Set(credential),
        credential_set_at: Set(credential_set_at),
        signing_secret: Set(signing_secret),
        signing_secret_set_at: Set(signing_secret_set_at),
        etag: Set(etag),
        created_at: Set(created_at),
        created_by: Set(created_by),
        updated_at: Set(updated_at),
        updated_by: Set(updated_by),
    })
}

fn connector(row: Model) -> DbResult<StoredConnector> {
    let Model { name, kind, url, preset, contract, call_limit, rest_seconds, etag, .. } = row;
    let unfit = |what: &str| DbError::Unsupported(format!("connector `{name}`: this program does not know {what}"));
    let known = ConnectorKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let kind = known.ok_or_else(|| unfit(&format!("the kind `{kind}`")))?;
    let contract = contract.map(|text| serde_json::from_str(&text)).transpose();
    let contract = contract.map_err(|error| unfit(&format!("its contract: {error}")))?;
    let kept = |sealed: Option<String>, at: Option<DateTime<Utc>>| Some(Kept { sealed: sealed?, set_at: at? });
    let stored = Stored {
        credential: kept(row.credential, row.credential_set_at),
        signing_secret: kept(row.signing_secret, row.signing_secret_set_at),
        etag,
        created_at: row.created_at,
        created_by: row.created_by,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
    };
    let config = ConnectorConfig {
        kind,
        url,
        credential: None,
        signing_secret: None,
        preset,
        contract,
        limit: usize::try_from(call_limit).unwrap_or_default(),
        rest_seconds: u32::try_from(rest_seconds).unwrap_or_default(),
        name,
    };
    Ok(StoredConnector { config, stored })
}
