//! From a request to its principal: the cookie of a session, a token, or neither.
//!
//! What the database says about a cookie or a token is kept in memory for as
//! long as nothing about accounts changes: a write of this process forgets it
//! all before it is answered, one of another process as soon as the change feed
//! tells of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use portal_core::access::{ActorId, Known, Principal, Role, Verb};
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::cookie::SESSION;
use super::jwt::{self, Claims, Parent};
use super::password::Brake;
use super::secret::Secret;
use super::store::{self, Account};
use crate::audit::{By, Entry, Outcome};
use crate::catalog::view::Snapshot;
use crate::config::AccessConfig;
use crate::db::entity::{api_token, session};
use crate::db::{DbError, Priority};
use crate::error::{ApiError, ApiResult};
use crate::http::context::RequestId;
use crate::http::origin::{Origin, Scheme};
use crate::state::App;

/// Groups above a person's own that are followed.
const LEVELS: usize = 32;
/// Between two looks at whether the credential of a stream has expired.
const EXPIRY_CHECK: Duration = Duration::from_secs(30);
/// Cookies and tokens that are kept in mind.
const REMEMBERED: usize = 10_000;
/// Longest time for which the database is not asked, in case a change was missed.
const TRUST: TimeDelta = TimeDelta::seconds(30);

/// Who is known, and how sessions live.
pub struct Identity {
    known: Mutex<HashMap<String, Found>>,
    /// Rises with each change of access, so that an answer that was read before
    /// is not remembered after.
    epoch: watch::Sender<u64>,
    pub brake: Brake,
    strangers: Strangers,
    guests: bool,
    pub session_life: TimeDelta,
    idle: TimeDelta,
}

/// How many refusals of strangers were logged in the current minute.
#[derive(Default)]
struct Strangers(Mutex<(i64, u32)>);

impl Strangers {
    const A_MINUTE: u32 = 60;

    fn admit(&self, now: DateTime<Utc>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.timestamp() / 60;
        if state.0 != minute {
            *state = (minute, 0);
        }
        state.1 += 1;
        state.1 <= Self::A_MINUTE
    }
}

/// What the database says about a cookie or a token.
#[derive(Debug, Clone)]
struct Found {
    account: Account,
    known: Known,
    role: Role,
    verbs: Option<Vec<Verb>>,
    expires_at: DateTime<Utc>,
    /// When it was last used, as the database knows it.
    seen_at: Option<DateTime<Utc>>,
    /// It ends when it is not used.
    idles: bool,
    asked_at: DateTime<Utc>,
    /// What a short-lived token says.
    claims: Option<Arc<Claims>>,
}

/// The hash of the cookie that came with a request.
#[derive(Debug, Clone)]
pub struct CurrentSession(pub String);

/// What a request was let in with.
#[derive(Debug, Clone)]
pub struct Credential {
    pub hash: String,
    pub known: Known,
    /// What a short-lived token says, once its signature was checked.
    claims: Option<Arc<Claims>>,
}

impl Identity {
    pub fn new(config: &AccessConfig, guests: bool) -> Self {
        Self {
            known: Mutex::default(),
            epoch: watch::Sender::new(0),
            brake: Brake::default(),
            strangers: Strangers::default(),
            guests,
            session_life: TimeDelta::hours(i64::from(config.session_hours)),
            idle: TimeDelta::hours(i64::from(config.idle_hours)),
        }
    }

    /// Whether anybody may look around.
    pub fn guests(&self) -> bool {
        self.guests
    }

    /// Whether one more failure of somebody unknown is logged: some in a minute are, so
    /// that whoever tries a lot does not fill the disk.
    pub fn logs_stranger(&self, now: DateTime<Utc>) -> bool {
        self.strangers.admit(now)
    }

    /// Asks the database again about everybody.
    pub fn forget(&self) {
        self.epoch.send_modify(|epoch| *epoch += 1);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remembered(&self, hash: &str, now: DateTime<Utc>) -> Option<Found> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(hash).filter(|found| now - found.asked_at < TRUST && now >= found.asked_at).cloned()
    }

    fn remember(&self, hash: &str, found: &Found, epoch: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.epoch.borrow() != epoch {
            return;
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(hash.to_owned(), found.clone());
    }
}

/// Forgets who is known whenever another process changes accounts.
pub async fn follow(app: App) {
    let mut changes = app.catalog.subscribe();
    loop {
        match app.stop.run_until_cancelled(changes.recv()).await {
            Some(Ok(change)) if change.subject.starts_with(super::SUBJECT) => app.identity.forget(),
            Some(Ok(_)) => {}
            Some(Err(tokio::sync::broadcast::error::RecvError::Lagged(_))) => app.identity.forget(),
            _ => return,
        }
    }
}

/// Waits until a credential opens nothing any more, for answers that do not end.
/// Without one it waits for ever.
pub async fn until_refused(app: App, credential: Option<Credential>) {
    let Some(credential) = credential else { return std::future::pending().await };
    let mut epoch = app.identity.epoch.subscribe();
    loop {
        // At once, too: it may have ended since the request was let in.
        if matches!(lookup(&app, &credential).await, Ok(None)) {
            return;
        }
        let _ = tokio::time::timeout(EXPIRY_CHECK, epoch.changed()).await;
    }
}

/// Who a credential opens the portal to by now, if still to anybody.
///
/// # Errors
/// The database does not answer.
pub async fn again(app: &App, credential: &Credential) -> ApiResult<Option<Principal>> {
    let found = lookup(app, credential).await?;
    Ok(found.map(|found| principal(&app.catalog.snapshot(), found)))
}

/// Puts the principal into the request; refuses tokens that are none.
pub async fn identify(app: App, mut request: Request, next: Next) -> Response {
    let origin = request.extensions().get::<Origin>().cloned().unwrap_or_default();
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let (principal, credential) = match resolve(&app, request.headers(), origin.scheme).await {
        Ok(found) => found,
        // Nobody can say what the credential opens: that is no fault of the caller.
        Err(error @ (ApiError::Unavailable(_) | ApiError::Internal(_))) => return error.into_response(),
        Err(error) => {
            let by = By::new(&Principal::nobody(), &request_id, &origin.address);
            refused(&app, by, request.uri().path(), &error.to_string());
            let slowed = app.usage.failed(&origin.address).err();
            return slowed.unwrap_or(error).into_response();
        }
    };
    let known = principal.has_account();
    let stale_cookie = credential.is_some() && !known;
    if let Some(credential) = credential {
        if credential.known == Known::Session {
            request.extensions_mut().insert(CurrentSession(credential.hash.clone()));
        }
        request.extensions_mut().insert(credential);
    }
    // Who is refused is logged; most are not, so that little is copied for it.
    let by = known.then(|| By::new(&principal, &request_id, &origin.address));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    request.extensions_mut().insert(principal);
    let mut response = next.run(request).await;
    if let Some(by) = by.filter(|_| response.status() == StatusCode::FORBIDDEN) {
        let problem = response.extensions().get::<portal_core::problem::Problem>();
        let reason = problem.map(|problem| problem.detail.clone()).unwrap_or_default();
        refused(&app, by, &format!("{method} {}", uri.path()), &reason);
    }
    // A cookie that opens nothing any more is taken back.
    if stale_cookie && !response.headers().contains_key(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, SESSION.clear(origin.scheme));
    }
    response
}

/// Logs a refusal, after the answer. Of callers that nobody knows only some are
/// logged, so that whoever tries many tokens does not fill the disk.
fn refused(app: &App, by: By, target: &str, reason: &str) {
    if by.actor == "nobody" && !app.identity.strangers.admit(app.clock.now()) {
        return;
    }
    let target: String = target.chars().take(300).collect();
    // A page says in its text why it shows less.
    let detail = if reason.is_empty() { Value::Null } else { json!({ "reason": reason }) };
    let entry = Entry { action: "refusal".to_owned(), target, outcome: Outcome::Refused, detail };
    let (app, at) = (app.clone(), app.clock.now());
    tokio::spawn(async move {
        let write = app.db.write(Priority::Background, move |txn| {
            Box::pin(async move { crate::audit::store::append(txn, &by, at, entry).await })
        });
        if let Err(error) = write.await {
            tracing::warn!(error = %error, "a refusal could not be logged");
        }
    });
}

async fn resolve(app: &App, headers: &HeaderMap, scheme: Scheme) -> ApiResult<(Principal, Option<Credential>)> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let token =
            text.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
        let Some(token) = token else {
            return Err(unknown("the header `Authorization` is not `Bearer` with a token"));
        };
        let credential = of_bearer(app, token.trim()).await?;
        let found = lookup(app, &credential).await?;
        let found = found.ok_or_else(|| unknown("the token is unknown, revoked or expired"))?;
        return Ok((principal(&app.catalog.snapshot(), found), Some(credential)));
    }
    let nobody = || if app.identity.guests { Principal::guest() } else { Principal::nobody() };
    let Some(value) = SESSION.read(headers, scheme) else { return Ok((nobody(), None)) };
    let credential = Credential { hash: Secret::sent(value).hash(), known: Known::Session, claims: None };
    let found = lookup(app, &credential).await?;
    let caller = found.map_or_else(nobody, |found| principal(&app.catalog.snapshot(), found));
    Ok((caller, Some(credential)))
}

/// An API token is known by its hash; what has two dots was signed by this portal.
async fn of_bearer(app: &App, token: &str) -> ApiResult<Credential> {
    let hash = Secret::sent(token).hash();
    if !jwt::looks_like_one(token) {
        return Ok(Credential { hash, known: Known::Token, claims: None });
    }
    // What is remembered was checked when it came first.
    let remembered = app.identity.remembered(&hash, app.clock.now()).and_then(|found| found.claims);
    let claims = match remembered {
        Some(claims) => claims,
        None => Arc::new(jwt::verified(app, token).await?),
    };
    Ok(Credential { hash, known: Known::Jwt, claims: Some(claims) })
}

fn unknown(detail: &str) -> ApiError {
    ApiError::Unauthenticated(detail.to_owned())
}

/// What a cookie or token opens, if it still does.
async fn lookup(app: &App, credential: &Credential) -> ApiResult<Option<Found>> {
    let Credential { hash, known, .. } = credential;
    let (known, now) = (*known, app.clock.now());
    let found = match app.identity.remembered(hash, now).filter(|found| found.known == known) {
        Some(found) => found,
        None => {
            let epoch = *app.identity.epoch.borrow();
            let Some(found) = ask(app, credential, now).await? else { return Ok(None) };
            app.identity.remember(hash, &found, epoch);
            found
        }
    };
    let idle = found.idles && found.seen_at.is_some_and(|seen| now - seen > app.identity.idle);
    if found.account.disabled || found.expires_at <= now || idle {
        return Ok(None);
    }
    if known != Known::Jwt && found.seen_at.is_none_or(|seen| now - seen >= store::SEEN_EVERY) {
        note_use(app, hash, &found, now);
    }
    Ok(Some(found))
}

async fn ask(app: &App, credential: &Credential, now: DateTime<Utc>) -> Result<Option<Found>, DbError> {
    let (db, hash) = (app.db.reader(), &credential.hash);
    let Some(claims) = &credential.claims else {
        return Ok(match credential.known {
            Known::Session => store::find_session(db, hash).await?.map(|found| of_session(found, now)),
            _ => store::find_token(db, hash).await?.map(|found| of_token(found, now)),
        });
    };
    // It may what it says, as long as what it was made from may, and never more.
    let parent = match &claims.parent {
        Parent::Session(id) => store::find_session_by_id(db, id).await?.map(|found| of_session(found, now)),
        Parent::Token(id) => store::find_token_by_id(db, id).await?.map(|found| of_token(found, now)),
        Parent::Ci(_) => store::account_by_id(db, &claims.sub).await?.map(|account| of_ci(account, now)),
    };
    let parent = parent.filter(|parent| parent.account.id == claims.sub);
    let end = DateTime::from_timestamp(claims.exp.saturating_add(jwt::LEEWAY), 0).unwrap_or(now);
    Ok(parent.map(|parent| Found {
        role: claims.role.at_most(parent.role),
        verbs: claims.verbs().ok().flatten().or_else(|| parent.verbs.clone()),
        known: Known::Jwt,
        expires_at: parent.expires_at.min(end),
        claims: Some(Arc::clone(claims)),
        ..parent
    }))
}

fn of_session((session, account): (session::Model, Account), now: DateTime<Utc>) -> Found {
    Found {
        role: store::role(&account.role),
        verbs: None,
        known: Known::Session,
        expires_at: session.expires_at,
        seen_at: Some(session.seen_at),
        idles: true,
        asked_at: now,
        claims: None,
        account,
    }
}

fn of_token((token, account): (api_token::Model, Account), now: DateTime<Utc>) -> Found {
    Found {
        // A token keeps the role it was made with, unless its account has less by now.
        role: store::role(&token.role).at_most(store::role(&account.role)),
        verbs: store::scopes(token.scopes.as_deref()),
        known: Known::Token,
        expires_at: token.expires_at,
        seen_at: token.used_at,
        idles: false,
        asked_at: now,
        claims: None,
        account,
    }
}

/// The account of CI jobs, which have nothing else that could be revoked.
fn of_ci(account: Account, now: DateTime<Utc>) -> Found {
    Found {
        role: store::role(&account.role),
        verbs: None,
        known: Known::Jwt,
        expires_at: DateTime::<Utc>::MAX_UTC,
        seen_at: None,
        idles: false,
        asked_at: now,
        claims: None,
        account,
    }
}

/// Notes that something was used; nobody waits for it.
fn note_use(app: &App, hash: &str, found: &Found, now: DateTime<Utc>) {
    let noted = Found { seen_at: Some(now), ..found.clone() };
    let epoch = *app.identity.epoch.borrow();
    app.identity.remember(hash, &noted, epoch);
    let (app, hash, known) = (app.clone(), hash.to_owned(), found.known);
    tokio::spawn(async move {
        let write = app.db.write(Priority::Background, move |txn| {
            Box::pin(async move {
                match known {
                    Known::Session => store::seen_session(txn, &hash, now).await,
                    _ => store::used_token(txn, &hash, now).await,
                }
            })
        });
        if let Err(error) = write.await {
            tracing::debug!(error = %error, "the use of a session or token could not be noted");
        }
    });
}

/// An account as it is when signed in with a browser.
pub fn as_account(snapshot: &Snapshot, account: Account) -> Principal {
    let role = store::role(&account.role);
    of_account(snapshot, account, Known::Session, role, None)
}

fn principal(snapshot: &Snapshot, found: Found) -> Principal {
    let Found { account, known, role, verbs, .. } = found;
    of_account(snapshot, account, known, role, verbs)
}

fn of_account(snapshot: &Snapshot, account: Account, known: Known, role: Role, verbs: Option<Vec<Verb>>) -> Principal {
    let user = account.user_ref.clone().unwrap_or_else(|| format!("user:default/{}", account.name));
    let user = snapshot.index.row_of(&user).is_some().then_some(user);
    let told = account.groups.as_deref().and_then(|groups| serde_json::from_str(groups).ok());
    let groups = groups(snapshot, user.as_deref(), told.unwrap_or_default());
    Principal { actor: ActorId(account.id), known, name: account.name, role, verbs, groups, user }
}

/// The groups of a user and those that a provider put them into, as far as the catalog
/// has them, and the groups above them.
fn groups(snapshot: &Snapshot, user: Option<&str>, told: Vec<String>) -> Vec<String> {
    let mut groups: Vec<String> = told;
    groups.retain(|group| snapshot.index.row_of(group).is_some());
    let mut level: Vec<String> = user.map(str::to_owned).into_iter().chain(groups.iter().cloned()).collect();
    for _ in 0..LEVELS {
        let mut above = Vec::new();
        for member in &level {
            let Some(row) = snapshot.index.row_of(member) else { continue };
            let edges = snapshot.index.edges(row, &Visibility::All).into_iter();
            let next = edges.filter(|(relation, _)| matches!(*relation, "memberOf" | "childOf"));
            above.extend(next.map(|(_, group)| group.to_owned()).filter(|group| !groups.contains(group)));
        }
        above.sort_unstable();
        above.dedup();
        if above.is_empty() {
            break;
        }
        groups.extend(above.iter().cloned());
        level = above;
    }
    groups.retain(|group| group.parse::<EntityRef>().is_ok_and(|group| group.kind().eq_ignore_ascii_case("group")));
    groups
}
