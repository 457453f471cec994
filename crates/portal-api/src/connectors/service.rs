//! Connectors that are kept in the database: what may be saved, and writing it.

use chrono::{DateTime, Utc};
use portal_core::connectors::{ConnectorCreate, ConnectorUpdate, SecretText};
use portal_core::problem::FieldError;
use serde_json::{Value, json};

use super::secrets::{self, Which};
use super::store::{self, Kept, Stored};
use super::{ConnectorConfig, StoredConnector, check, configured};
use crate::access::seal::Sealer;
use crate::audit::{self, Entry};
use crate::changes::{self, NewChange, Writing};
use crate::db::{DatabaseTransaction, Db, DbResult, Priority};
use crate::error::{ApiError, ApiResult};
use crate::platforms::Contract;
use crate::sources::service::new_etag;
use crate::state::App;

/// What is wrong with what a client sent, so far.
#[derive(Default)]
struct Slips(Vec<FieldError>);

impl Slips {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.to_owned(), message: message.into() });
    }

    fn contract(&mut self, value: Option<Value>) -> Option<Contract> {
        serde_json::from_value(value?).map_err(|error| self.add("/contract", format!("is no contract: {error}"))).ok()
    }
}

/// A connector to be stored, from what a client sent.
///
/// # Errors
/// 409 for a name of `portal.toml`, 422 with every field that cannot be accepted.
pub async fn draft(app: &App, create: ConnectorCreate, writing: &Writing) -> ApiResult<StoredConnector> {
    let ConnectorCreate { name, kind, url, preset, contract, limit, rest_seconds, credential, signing_secret } = create;
    require_own(app, &name)?;
    let mut slips = Slips::default();
    let config = ConnectorConfig {
        name,
        kind,
        url: url.trim().to_owned(),
        credential: None,
        signing_secret: None,
        preset,
        contract: slips.contract(contract),
        limit: limit.map_or(super::limit(), whole),
        rest_seconds: rest_seconds.map_or(super::rest_seconds(), seconds),
    };
    let by = who(writing);
    let mut stored = Stored {
        credential: None,
        signing_secret: None,
        etag: new_etag(),
        created_at: writing.at,
        created_by: by.clone(),
        updated_at: writing.at,
        updated_by: by,
    };
    keep(app, &config, &mut stored, [Some(credential), Some(signing_secret)], writing.at, &mut slips)?;
    check(app, &config, slips).await?;
    Ok(StoredConnector { config, stored })
}

/// A stored connector with the changes that a client sent; nothing where there are none.
///
/// # Errors
/// 422 with every field that cannot be accepted.
pub async fn amend(
    app: &App,
    current: &StoredConnector,
    update: ConnectorUpdate,
    writing: &Writing,
) -> ApiResult<Option<StoredConnector>> {
    let ConnectorUpdate { kind, url, preset, contract, limit, rest_seconds, credential, signing_secret } = update;
    let StoredConnector { config: before, stored: kept } = current;
    let (mut config, mut stored, mut slips) = (before.clone(), kept.clone(), Slips::default());
    config.kind = kind.unwrap_or(config.kind);
    config.url = url.map_or(config.url, |url| url.trim().to_owned());
    config.preset = preset.unwrap_or(config.preset);
    if let Some(contract) = contract {
        config.contract = slips.contract(contract);
    }
    config.limit = limit.map_or(config.limit, whole);
    config.rest_seconds = rest_seconds.map_or(config.rest_seconds, seconds);
    if goes_elsewhere(&before.url, &config.url) {
        // Whoever may change an address would else learn the secret that they may not read.
        for (given, is_kept, pointer) in [
            (credential.is_some(), kept.credential.is_some(), "/credential"),
            (signing_secret.is_some(), kept.signing_secret.is_some(), "/signing_secret"),
        ] {
            if is_kept && !given {
                slips.add(pointer, "write it again, or clear it: it does not go along to another host");
            }
        }
    }
    keep(app, &config, &mut stored, [credential, signing_secret], writing.at, &mut slips)?;
    if config == *before && stored == *kept && slips.0.is_empty() {
        return Ok(None);
    }
    (stored.etag, stored.updated_at, stored.updated_by) = (new_etag(), writing.at, who(writing));
    check(app, &config, slips).await?;
    Ok(Some(StoredConnector { config, stored }))
}

/// Whether an address is on another host, port or scheme than before.
fn goes_elsewhere(before: &str, after: &str) -> bool {
    let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
    origin(before) != origin(after)
}

/// Refuses names that `portal.toml` has.
///
/// # Errors
/// 409 for such a name.
pub fn require_own(app: &App, name: &str) -> ApiResult<()> {
    match configured(app, name) {
        None => Ok(()),
        Some(_) => Err(ApiError::conflict(
            "configured_connector",
            format!(
                "connector `{name}` comes from `portal.toml` and can only be changed there; another one needs another name"
            ),
        )),
    }
}

/// Stores a new connector.
///
/// # Errors
/// The database.
pub async fn add(txn: &DatabaseTransaction, writing: &Writing, connector: StoredConnector) -> DbResult<()> {
    let (name, detail) = (connector.config.name.clone(), json!({ "before": null, "after": about(&connector) }));
    store::insert(txn, connector).await?;
    record(txn, writing, "create", &name, detail).await
}

/// Stores a connector in the place of what it was.
///
/// # Errors
/// The database.
pub async fn replace(
    txn: &DatabaseTransaction,
    writing: &Writing,
    before: &StoredConnector,
    after: StoredConnector,
) -> DbResult<()> {
    let detail = json!({ "before": about(before), "after": about(&after) });
    store::update(txn, after).await?;
    record(txn, writing, "update", &before.config.name, detail).await
}

/// Removes a connector.
///
/// # Errors
/// The database.
pub async fn remove(txn: &DatabaseTransaction, writing: &Writing, connector: &StoredConnector) -> DbResult<()> {
    let name = &connector.config.name;
    store::remove(txn, name).await?;
    record(txn, writing, "delete", name, json!({ "before": about(connector), "after": null })).await
}

/// Seals every secret anew, with the first key of the sealer. Answers how many it sealed and
/// how many it could not open.
///
/// # Errors
/// The database does not answer.
pub async fn reseal(db: &Db, sealer: &Sealer) -> ApiResult<(u64, u64)> {
    let (mut sealed, mut foreign) = (0, 0);
    for StoredConnector { config, stored } in store::all(db.reader()).await? {
        for which in Which::ALL {
            let Some(kept) = stored.kept(which) else { continue };
            let (name, place, before) = (config.name.clone(), which.place(&config.name), kept.sealed.clone());
            let Ok(plain) = sealer.unseal(&place, &before) else {
                foreign += 1;
                continue;
            };
            let again = sealer.seal(&place, &plain).map_err(|error| ApiError::Internal(error.to_string()))?;
            let work = db.write(Priority::Interactive, move |txn| {
                Box::pin(async move { store::reseal(txn, &name, which, &before, again).await })
            });
            work.await?;
            sealed += 1;
        }
    }
    Ok((sealed, foreign))
}

/// Tells the feed and the log. Everybody may read the feed and not everybody connectors, so
/// that it tells the name and nothing more.
async fn record(
    txn: &DatabaseTransaction,
    writing: &Writing,
    operation: &'static str,
    name: &str,
    detail: Value,
) -> DbResult<()> {
    let change = NewChange { subject: format!("connector:{name}"), operation, document: None };
    let told = Writing { by: None, ..writing.clone() };
    changes::store::append(txn, &told, vec![change]).await?;
    match &writing.by {
        Some(by) => {
            let entry = Entry::done(format!("connector.{operation}"), name, detail);
            audit::store::append_reserved(txn, by, writing.at, entry).await
        }
        None => Ok(()),
    }
}

/// What the log tells of a connector: of its secrets, since when they are there.
fn about(StoredConnector { config, stored }: &StoredConnector) -> Value {
    let ConnectorConfig { name: _, kind, url, credential: _, signing_secret: _, preset, contract, limit, rest_seconds } =
        config;
    let set_at = |which| stored.kept(which).map(|kept| kept.set_at);
    json!({
        "kind": kind, "url": url, "preset": preset, "contract": contract, "limit": limit, "rest_seconds": rest_seconds,
        "credential_set_at": set_at(Which::Credential), "signing_secret_set_at": set_at(Which::SigningSecret),
    })
}

/// Seals the secrets that came, and takes away those that are `null`.
fn keep(
    app: &App,
    config: &ConnectorConfig,
    stored: &mut Stored,
    came: [Option<Option<SecretText>>; 2],
    at: DateTime<Utc>,
    slips: &mut Slips,
) -> ApiResult<()> {
    for (which, came) in Which::ALL.into_iter().zip(came) {
        let Some(came) = came else { continue };
        let Some(text) = came else {
            stored.keep(which, None);
            continue;
        };
        match secrets::given(which, config.kind, text) {
            Ok(secret) => {
                let sealed = app.sealer.seal(&which.place(&config.name), secret.expose().as_bytes());
                let sealed = sealed.map_err(|error| ApiError::Internal(format!("connector: {error:#}")))?;
                stored.keep(which, Some(Kept { sealed, set_at: at }));
            }
            Err(why) => slips.add(&format!("/{}", which.field()), why),
        }
    }
    Ok(())
}

/// The rules of `portal.toml`; and the address stays where egress lets it.
async fn check(app: &App, config: &ConnectorConfig, mut slips: Slips) -> ApiResult<()> {
    let mut code = "invalid_connector";
    let rules = check::slips(config);
    if !rules.iter().any(|slip| slip.pointer == "/url")
        && let Err(error) = app.platforms.check(&config.url).await
    {
        code = error.code();
        slips.add("/url", error.to_string());
    }
    slips.0.splice(..0, rules);
    let Some(first) = slips.0.first() else { return Ok(()) };
    let detail = format!("the connector cannot be saved: `{}`: {}", first.pointer, first.message);
    Err(ApiError::invalid(code, detail, slips.0))
}

fn who(writing: &Writing) -> String {
    writing.by.as_ref().map_or_else(|| writing.actor.0.clone(), |by| by.name.clone())
}

/// What is too much to be a number here is too much for the rules.
fn whole(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
