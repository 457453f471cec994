//! The token of a CI job for one of this portal's: OAuth 2.0 Token Exchange (RFC 8693).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portal_core::access::{Verb, narrowed};
use serde::Serialize;
use serde_json::json;

use super::ci::{CiConfig, Job};
use super::claims::Parent;
use super::handlers::{self, Grant, scope_text};
use crate::access::found_or_added;
use crate::access::store::{self, Account};
use crate::audit::{By, Entry, Outcome};
use crate::changes::Writing;
use crate::db::Priority;
use crate::error::{ApiError, ApiResult};
use crate::http::authorized::Anybody;
use crate::http::context::RequestId;
use crate::state::App;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const SUBJECT_TYPES: [&str; 2] = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];
const ISSUED_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Seconds that a job has with its token.
const LIFE: i64 = 600;

/// A token for a job (RFC 8693, section 2.2.1).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExchangedToken {
    pub access_token: String,
    pub issued_token_type: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Why there is none (RFC 6749, section 5.2).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OAuthError {
    /// `invalid_request`, `unsupported_grant_type`, `invalid_scope` or `invalid_grant`.
    pub error: String,
    pub error_description: String,
}

/// Exchanges the token of a CI job for one of this portal's.
///
/// `[[access.ci]]` in `portal.toml` says which issuers are trusted and which of their
/// jobs. A form with `grant_type`, `subject_token`, `subject_token_type` and, to ask
/// for less, `scope`.
#[utoipa::path(
    post, path = "/token-exchange", tag = "access", operation_id = "exchange_token", security(()),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        example = json!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=ey.ey.x&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt")),
    responses(
        (status = 200, description = "A token for ten minutes", body = ExchangedToken),
        (status = 400, description = "There is none", body = OAuthError),
    ),
)]
pub async fn exchange_token(
    anybody: Anybody,
    State(app): State<App>,
    request_id: RequestId,
    headers: HeaderMap,
    body: Bytes,
) -> ApiResult<Response> {
    let asked = match Asked::read(&headers, &body) {
        Ok(asked) => asked,
        Err((error, words)) => return Ok(refusal(error, &words)),
    };
    let now = app.clock.now();
    let writing = anybody.writing(&app, &request_id);
    let job = match app.ci.job(&asked.token, now).await {
        Ok(job) => job,
        Err(unwanted) => {
            let reason = unwanted.to_string();
            log_refusal(&app, writing, &reason).await?;
            return Ok(refusal("invalid_grant", &format!("the token is refused: {reason}")));
        }
    };
    let scopes = match narrowed(job.config.scopes.as_deref(), asked.scopes) {
        Ok(scopes) => scopes,
        Err(verb) => {
            let words = format!("these jobs are not given the scope `{}`", verb.as_str());
            return Ok(refusal("invalid_scope", &words));
        }
    };
    let account = entered(&app, writing, &job).await?;
    if account.disabled {
        return Ok(refusal("invalid_grant", "the account of these jobs is disabled"));
    }
    let role = job.config.role.at_most(store::role(&account.role));
    let grant = Grant {
        account: account.id,
        name: account.name,
        role,
        scopes,
        parent: Parent::Ci(job.config.name.clone()),
        audience: None,
        seconds: LIFE,
    };
    let (access_token, claims) = handlers::made(&app, grant).await?;
    let answer = ExchangedToken {
        access_token,
        issued_token_type: ISSUED_TYPE.to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: LIFE,
        scope: claims.scope,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// What a form asks for.
struct Asked {
    token: String,
    scopes: Option<Vec<Verb>>,
}

type Refused = (&'static str, String);

impl Asked {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refused> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(("invalid_request", "send a form: `application/x-www-form-urlencoded`".to_owned()));
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let value = |name: &str| {
            let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(("invalid_request", format!("`{name}` is given twice"))),
                (one, None) => Ok(one.filter(|text| !text.is_empty())),
            }
        };
        let needed = |name: &str| value(name)?.ok_or_else(|| ("invalid_request", format!("`{name}` is missing")));
        if needed("grant_type")? != GRANT {
            return Err(("unsupported_grant_type", format!("the one grant type is `{GRANT}`")));
        }
        if !SUBJECT_TYPES.contains(&needed("subject_token_type")?) {
            let types = SUBJECT_TYPES.join("` and `");
            return Err(("invalid_request", format!("the known types of `subject_token` are `{types}`")));
        }
        let scopes = value("scope")?.map(|text| {
            let verb = |word: &str| Verb::parse(word).ok_or(("invalid_scope", format!("there is no scope `{word}`")));
            text.split_whitespace().map(verb).collect::<Result<Vec<_>, _>>()
        });
        Ok(Self { token: needed("subject_token")?.to_owned(), scopes: scopes.transpose()? })
    }
}

/// The account of these jobs, made when there is none; its coming in is logged.
async fn entered(app: &App, writing: Writing, job: &Job<'_>) -> ApiResult<Account> {
    let CiConfig { name: issuer, account, role, scopes, .. } = job.config.clone();
    let subject = job.subject.clone();
    let work = app.db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            let found = found_or_added(txn, &writing, &account, &format!("CI: {issuer}"), role).await?;
            let detail = json!({ "issuer": issuer, "subject": subject, "scope": scope_text(scopes.as_deref()) });
            log(txn, &writing, &found, Entry::done("token.exchange", found.name.clone(), detail)).await?;
            Ok::<_, ApiError>(found)
        })
    });
    work.await
}

async fn log(
    txn: &crate::db::DatabaseTransaction,
    writing: &Writing,
    account: &Account,
    entry: Entry,
) -> crate::db::DbResult<()> {
    let Some(by) = &writing.by else { return Ok(()) };
    let by = By { actor: account.id.clone(), name: account.name.clone(), ..by.clone() };
    crate::audit::store::append(txn, &by, writing.at, entry).await
}

async fn log_refusal(app: &App, writing: Writing, reason: &str) -> ApiResult<()> {
    if !app.identity.logs_stranger(writing.at) {
        return Ok(());
    }
    let detail = json!({ "reason": reason });
    let entry = Entry { outcome: Outcome::Failed, ..Entry::done("token.exchange", "ci", detail) };
    let work = app.db.write(Priority::Background, move |txn| {
        Box::pin(async move {
            match &writing.by {
                Some(by) => crate::audit::store::append(txn, by, writing.at, entry).await,
                None => Ok(()),
            }
        })
    });
    Ok(work.await?)
}

fn refusal(error: &str, words: &str) -> Response {
    let body = OAuthError { error: error.to_owned(), error_description: words.to_owned() };
    (StatusCode::BAD_REQUEST, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
