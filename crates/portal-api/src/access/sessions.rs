//! Signing in and out, and one's own sessions.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::access::wire::{PasswordChange, SessionList, SignIn};
use serde_json::{Value, json};

use super::cookie::SESSION;
use super::identity::CurrentSession;
use super::secret::Secret;
use super::store::{self, Account, Visitor};
use super::{change_access, password, record};
use crate::audit::{By, Entry, Outcome};
use crate::changes::Writing;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::{Anybody, Authorized, ManageOwnAccess};
use crate::http::body::JsonBody;
use crate::http::context::RequestId;
use crate::http::origin::{Origin, Scheme};
use crate::http::params::Params;
use crate::state::App;

/// A visitor about to sign in.
pub struct Door<'a> {
    pub app: &'a App,
    pub request_id: String,
    pub origin: Origin,
    pub agent: String,
}

impl<'a> Door<'a> {
    pub fn new(app: &'a App, request_id: &RequestId, origin: Option<&Origin>, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        Self {
            app,
            request_id: request_id.0.clone(),
            origin: origin.cloned().unwrap_or_default(),
            agent: agent.chars().take(300).collect(),
        }
    }

    fn by(&self, account: Option<&Account>, name: &str) -> By {
        By {
            actor: account.map_or_else(|| "nobody".to_owned(), |account| account.id.clone()),
            name: name.chars().take(100).collect(),
            request_id: self.request_id.clone(),
            address: self.origin.address.clone(),
        }
    }

    /// The account with this name and password. Whether the name or the password
    /// is wrong, nobody learns, nor from the time that it takes.
    ///
    /// # Errors
    /// 401, or 429 after many failures.
    pub async fn check(&self, sign_in: SignIn) -> ApiResult<Account> {
        let SignIn { name, password } = sign_in;
        let name = name.trim().to_lowercase();
        let keys = password::keys(&name, &self.origin.address);
        self.app.identity.brake.check(&keys, self.app.clock.now())?;
        let account = store::account(self.app.db.reader(), &name).await?;
        let stored = account.as_ref().filter(|account| !account.disabled);
        let stored = stored.and_then(|account| account.password_hash.clone());
        if password::verify(password, stored).await? {
            self.app.identity.brake.succeeded(&keys);
            return account.ok_or_else(|| ApiError::Internal("a password of nobody".to_owned()));
        }
        self.app.identity.brake.failed(&keys, self.app.clock.now());
        self.log_failure(account.as_ref(), name, json!({ "with": "password" })).await?;
        Err(ApiError::Unauthenticated("the name or the password is wrong".to_owned()))
    }

    /// Logs that somebody tried to sign in and did not get in.
    pub async fn log_failure(&self, account: Option<&Account>, name: String, detail: Value) -> ApiResult<()> {
        let (by, at) = (self.by(account, &name), self.app.clock.now());
        let entry = Entry { action: "sign_in".to_owned(), target: name, outcome: Outcome::Failed, detail };
        let write = self.app.db.write(Priority::Interactive, move |txn| {
            Box::pin(async move { crate::audit::store::append(txn, &by, at, entry).await })
        });
        Ok(write.await?)
    }

    /// How a change is written that this visitor causes.
    pub fn writing(&self, account: Option<&Account>, name: &str) -> Writing {
        let by = self.by(account, name);
        Writing {
            actor: portal_core::access::ActorId(by.actor.clone()),
            cause: format!("request:{}", self.request_id),
            at: self.app.clock.now(),
            by: Some(by),
        }
    }

    /// Begins a session and answers the header that sets its cookie. `with` is what
    /// opened the door, for the log; `link` is used up with it.
    ///
    /// # Errors
    /// 401 when the link was used meanwhile.
    pub async fn enter(
        &self,
        account: Account,
        link: Option<Secret>,
        with: &str,
    ) -> ApiResult<axum::http::HeaderValue> {
        let app = self.app;
        let secret = Secret::random("")?;
        let life = app.identity.session_life;
        let set = SESSION.set(self.origin.scheme, secret.expose(), life);
        let visitor = Visitor { address: self.origin.address.clone(), agent: self.agent.clone() };
        let writing = self.writing(Some(&account), &account.name);
        let with = with.to_owned();
        let work = change_access(app, move |txn| {
            Box::pin(async move {
                if let Some(link) = link
                    && !store::take_link(txn, &link).await?
                {
                    return Err(ApiError::Unauthenticated("the link was used already".to_owned()));
                }
                store::begin_session(txn, &account.id, &secret, visitor, writing.at, life).await?;
                let entry = Entry::done("sign_in", account.name, json!({ "with": with }));
                record(txn, &writing, &account.id, entry).await?;
                Ok::<_, ApiError>(())
            })
        });
        work.await?;
        Ok(set)
    }
}

/// Signs in with a name and a password; the answer sets the cookie.
#[utoipa::path(
    post, path = "/session", tag = "access", operation_id = "create_session", security(()),
    request_body(content = SignIn, example = json!({"name": "kim", "password": "…"})),
    responses((status = 204, description = "Signed in", headers(("Set-Cookie" = String, description = "The session")))),
)]
pub async fn create_session(
    _anybody: Anybody,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    origin: Option<axum::Extension<Origin>>,
    headers: HeaderMap,
    JsonBody(sign_in): JsonBody<SignIn>,
) -> ApiResult<Response> {
    params.finish()?;
    let door = Door::new(&app, &request_id, origin.as_deref(), &headers);
    let account = door.check(sign_in).await?;
    let cookie = door.enter(account, None, "password").await?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Signs out: ends the session of the cookie that is sent.
#[utoipa::path(
    delete, path = "/session", tag = "access", operation_id = "delete_session", security(()),
    responses((status = 204, description = "Signed out, or was not signed in")),
)]
pub async fn delete_session(
    anybody: Anybody,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    session: Option<axum::Extension<CurrentSession>>,
    origin: Option<axum::Extension<Origin>>,
) -> ApiResult<Response> {
    params.finish()?;
    leave(&app, &anybody, &request_id, session.as_deref()).await?;
    let scheme = origin.map_or(Scheme::Http, |origin| origin.scheme);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, SESSION.clear(scheme))]).into_response())
}

/// Ends the session of a cookie, if it is one.
pub async fn leave(
    app: &App,
    caller: &Anybody,
    request_id: &RequestId,
    session: Option<&CurrentSession>,
) -> ApiResult<()> {
    let Some(CurrentSession(hash)) = session.cloned() else { return Ok(()) };
    let writing = caller.writing(app, request_id);
    let name = caller.principal.name.clone();
    let work = change_access(app, move |txn| {
        Box::pin(async move {
            if store::end_session(txn, &hash).await? {
                let account = writing.actor.0.clone();
                record(txn, &writing, &account, Entry::done("sign_out", name, Value::Null)).await?;
            }
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(())
}

/// Where the caller is signed in, newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "access", operation_id = "list_sessions",
    responses((status = 200, description = "All sessions", body = SessionList)),
)]
pub async fn list_sessions(
    auth: Authorized<ManageOwnAccess>,
    State(app): State<App>,
    params: Params,
    session: Option<axum::Extension<CurrentSession>>,
) -> ApiResult<Json<SessionList>> {
    params.finish()?;
    let current = session.as_ref().map(|session| session.0.0.as_str());
    let items = store::sessions(app.db.reader(), &auth.principal.actor.0, current).await?;
    let total = items.len() as u64;
    Ok(Json(SessionList { items, next_cursor: None, total }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "access", operation_id = "end_session",
    params(("id" = String, Path, example = "ses_0123456789abcdef")),
    responses((status = 204, description = "Ended")),
)]
pub async fn end_session(
    auth: Authorized<ManageOwnAccess>,
    State(app): State<App>,
    params: Params,
    Path(id): Path<String>,
    request_id: RequestId,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let writing = auth.writing(&app, &request_id);
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            let account = writing.actor.0.clone();
            if store::end_sessions(txn, &account, Some(&id)).await? == 0 {
                return Err(ApiError::not_found("session_not_found", format!("you have no session `{id}`")));
            }
            record(txn, &writing, &account, Entry::done("session.end", id, Value::Null)).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the caller's password, and ends their other sessions.
#[utoipa::path(
    put, path = "/session/password", tag = "access", operation_id = "change_password",
    request_body(content = PasswordChange, example = json!({"current": "…", "new": "…"})),
    responses((status = 204, description = "Changed")),
)]
pub async fn change_password(
    auth: Authorized<ManageOwnAccess>,
    State(app): State<App>,
    params: Params,
    request_id: RequestId,
    session: Option<axum::Extension<CurrentSession>>,
    JsonBody(change): JsonBody<PasswordChange>,
) -> ApiResult<StatusCode> {
    params.finish()?;
    let Some(axum::Extension(CurrentSession(current))) = session else {
        return Err(ApiError::Forbidden("a password is changed by whoever is signed in, not with a token".to_owned()));
    };
    let id = auth.principal.actor.0.clone();
    let gone = || ApiError::Unauthenticated("the account is gone".to_owned());
    let account = store::account_by_id(app.db.reader(), &id).await?.ok_or_else(gone)?;
    let keys = password::keys(&account.name, "session");
    if account.password_hash.is_some() {
        app.identity.brake.check(&keys, app.clock.now())?;
        if !password::verify(change.current.unwrap_or_default(), account.password_hash).await? {
            app.identity.brake.failed(&keys, app.clock.now());
            return Err(ApiError::field("/current", "this is not the password until now"));
        }
    }
    let hash = password::hash(change.new).await?;
    let writing = auth.writing(&app, &request_id);
    let work = change_access(&app, move |txn| {
        Box::pin(async move {
            store::set_password(txn, &id, hash).await?;
            store::end_other_sessions(txn, &id, &current).await?;
            record(txn, &writing, &id, Entry::done("password.change", account.name, Value::Null)).await?;
            Ok::<_, ApiError>(())
        })
    });
    work.await?;
    Ok(StatusCode::NO_CONTENT)
}
