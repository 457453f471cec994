//! Writes to sources, and the rules for what may be saved.

use chrono::{DateTime, Utc};
use portal_core::problem::FieldError;
use portal_core::sources::wire::{SourceCreate, SourceOrigin, SourceState, SourceType, SourceUpdate};

use super::credential::CredentialRef;
use super::fetch::{self, Context, FetchError};
use super::store::{self, Source};
use super::{Trigger, jobs};
use crate::changes::{self, NewChange, Writing};
use crate::db::{DatabaseTransaction, DbError, DbResult};
use crate::error::{ApiError, ApiResult};
use portal_core::glob::Glob;

/// Seconds between passes, when a source names none.
pub const INTERVAL: u32 = 300;
const INTERVALS: std::ops::RangeInclusive<u32> = 60..=86_400;
const GLOBS: usize = 50;

/// A source to be stored, from what a client sent.
///
/// # Errors
/// 422 with every field that cannot be accepted.
pub async fn draft(context: &Context, create: SourceCreate, interval: u32, now: DateTime<Utc>) -> ApiResult<Source> {
    let SourceCreate { source_type, target, branch, globs, trusted, interval_seconds, credential, webhook_secret } =
        create;
    let target = target.trim().to_owned();
    let source = Source {
        id: 0,
        uid: uid(source_type, &target, branch.as_deref()),
        source_type,
        target,
        branch,
        globs,
        origin: SourceOrigin::Api,
        trusted,
        interval_seconds: interval_seconds.unwrap_or(interval),
        credential,
        webhook_secret,
        state: SourceState::New,
        failure: None,
        revision: None,
        read_at: None,
        next_pass_at: None,
        etag: new_etag(),
        created_at: now,
    };
    check(context, &source).await?;
    Ok(source)
}

/// A stored source with the changes that a client sent.
///
/// # Errors
/// 409 for a configured source, 422 with every field that cannot be accepted.
pub async fn amend(context: &Context, stored: &Source, update: SourceUpdate) -> ApiResult<Source> {
    require_own(stored, "changed")?;
    let SourceUpdate { target, branch, globs, trusted, interval_seconds, credential, webhook_secret } = update;
    let mut source = stored.clone();
    source.target = target.map_or(source.target, |target| target.trim().to_owned());
    source.branch = branch.unwrap_or(source.branch);
    source.globs = globs.unwrap_or(source.globs);
    source.trusted = trusted.unwrap_or(source.trusted);
    source.interval_seconds = interval_seconds.unwrap_or(source.interval_seconds);
    source.credential = credential.unwrap_or(source.credential);
    source.webhook_secret = webhook_secret.unwrap_or(source.webhook_secret);
    source.uid = uid(source.source_type, &source.target, source.branch.as_deref());
    if source != *stored {
        source.etag = new_etag();
        check(context, &source).await?;
    }
    Ok(source)
}

/// Refuses to touch what the configuration owns.
///
/// # Errors
/// 409 for such a source.
pub fn require_own(source: &Source, what: &str) -> ApiResult<()> {
    // The sample is there to be thrown away.
    if source.origin == SourceOrigin::Config && source.source_type != SourceType::Sample {
        return Err(ApiError::conflict(
            "configured_source",
            format!("source {} comes from the command line or `portal.toml`; it can only be {what} there", source.id),
        ));
    }
    Ok(())
}

/// Stores a new source and asks for its first pass; `None` when it exists.
///
/// # Errors
/// The database.
pub async fn add(
    txn: &DatabaseTransaction,
    writing: &Writing,
    mut source: Source,
    trigger: Trigger,
) -> DbResult<Option<i64>> {
    source.next_pass_at = Some(writing.at);
    let Some(id) = store::insert(txn, &source).await? else { return Ok(None) };
    source.id = id;
    changes::store::append(txn, writing, vec![change(&source, "create")?]).await?;
    jobs::ask(txn, id, trigger, writing.at).await?;
    Ok(Some(id))
}

/// Replaces what is configured about a source, and reads it again if that
/// changes what it declares.
///
/// # Errors
/// The database.
pub async fn replace(
    txn: &DatabaseTransaction,
    writing: &Writing,
    stored: &Source,
    mut source: Source,
) -> DbResult<()> {
    let place = |source: &Source| (source.target.clone(), source.branch.clone(), source.globs.clone(), source.trusted);
    let moved = place(stored) != place(&source) || stored.credential != source.credential;
    if moved {
        source.revision = None;
    }
    store::update(txn, &source).await?;
    changes::store::append(txn, writing, vec![change(&source, "update")?]).await?;
    if moved {
        jobs::ask(txn, source.id, Trigger::Manual, writing.at).await?;
    }
    Ok(())
}

/// Removes a source; its entities become orphans.
///
/// # Errors
/// The database.
pub async fn remove(txn: &DatabaseTransaction, writing: &Writing, source: &Source) -> DbResult<()> {
    if store::delete(txn, source.id).await? {
        let subject = format!("source:{}", source.id);
        changes::store::append(txn, writing, vec![NewChange { subject, operation: "delete", document: None }]).await?;
        jobs::retire(txn, source.id, writing.at).await?;
    }
    Ok(())
}

/// Takes over from the stored row what a configuration does not say.
pub fn keep_history(source: &mut Source, stored: &Source) {
    source.id = stored.id;
    source.state = stored.state;
    source.failure.clone_from(&stored.failure);
    source.revision.clone_from(&stored.revision);
    source.read_at = stored.read_at;
    source.next_pass_at = stored.next_pass_at;
    source.etag.clone_from(&stored.etag);
    source.created_at = stored.created_at;
}

/// The same place is the same source, whoever names it.
pub fn uid(source_type: SourceType, target: &str, branch: Option<&str>) -> String {
    let name = format!("{} {target} {}", source_type.as_str(), branch.unwrap_or_default());
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
}

pub fn new_etag() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..16].to_owned()
}

fn change(source: &Source, operation: &'static str) -> DbResult<NewChange> {
    let document = serde_json::json!({
        "id": source.id, "type": source.source_type, "target": source.target, "branch": source.branch,
        "globs": source.globs, "origin": source.origin, "trusted": source.trusted,
        "interval_seconds": source.interval_seconds, "credential": source.credential,
        "webhook_secret": source.webhook_secret,
    });
    let document = serde_json::to_string(&document).map_err(|error| DbError::Unsupported(error.to_string()))?;
    Ok(NewChange { subject: format!("source:{}", source.id), operation, document: Some(document) })
}

/// Judges every field; the target through the egress gate.
async fn check(context: &Context, source: &Source) -> ApiResult<()> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut code = "invalid_source";
    let mut fault = |pointer: &str, message: String| errors.push(FieldError { pointer: pointer.to_owned(), message });
    if let Err(error) = check_target(context, source).await {
        code = match error.code() {
            denied @ ("egress_denied" | "redirect_denied" | "unresolvable_host" | "path_denied") => denied,
            _ => code,
        };
        fault("/target", error.to_string());
    }
    if source.branch.is_some() && source.source_type != SourceType::Git {
        fault("/branch", "only git sources have a branch".to_owned());
    }
    if let Some(branch) = source.branch.as_deref().filter(|branch| !fetch::is_ref_name(branch)) {
        fault("/branch", format!("`{branch}` is not a name of a branch or tag"));
    }
    if source.globs.len() > GLOBS {
        fault("/globs", format!("at most {GLOBS} globs"));
    }
    if !source.globs.is_empty() && source.source_type == SourceType::Http {
        fault("/globs", "a document has no globs; name its URL".to_owned());
    }
    for (index, glob) in source.globs.iter().enumerate() {
        if let Err(reason) = Glob::new(glob) {
            fault(&format!("/globs/{index}"), format!("`{glob}` is not a glob: {reason}"));
        }
    }
    if !INTERVALS.contains(&source.interval_seconds) {
        fault("/interval_seconds", format!("`{}` is not between 60 and 86400", source.interval_seconds));
    }
    for (pointer, reference) in [("/credential", &source.credential), ("/webhook_secret", &source.webhook_secret)] {
        if let Some(Err(error)) = reference.as_deref().map(str::parse::<CredentialRef>) {
            fault(pointer, error.to_string());
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let first = errors.first().map(|error| format!("`{}`: {}", error.pointer, error.message)).unwrap_or_default();
    Err(ApiError::invalid(code, format!("the source cannot be saved: {first}"), errors))
}

async fn check_target(context: &Context, source: &Source) -> Result<(), FetchError> {
    if source.target.is_empty() || source.target.len() > 2048 || source.target.chars().any(char::is_control) {
        return Err(FetchError::Budget("a target has 1 to 2048 characters, without control characters".to_owned()));
    }
    match source.source_type {
        SourceType::Path => fetch::check_path_target(&source.target, source.trusted, &context.settings).await,
        SourceType::Git => fetch::check_git_target(context, &source.target).await,
        SourceType::Http => {
            let target = context.egress.check(&source.target).await?;
            match target.url.scheme() {
                "http" | "https" => Ok(()),
                other => Err(crate::egress::EgressError::Scheme(other.to_owned()).into()),
            }
        }
        SourceType::Sample => Err(FetchError::Budget("the sample is started with `--sample`".to_owned())),
    }
}
