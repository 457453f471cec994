//! The steps of actions: what is asked of platforms and of people, and what comes into the
//! catalog of it.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use chrono::{DateTime, Utc};
use portal_core::actions::approval::{Ask, Need, approver};
use portal_core::actions::definition::seconds;
use portal_core::actions::wire::{ApprovalState, CallbackReport, CallbackStatus};
use portal_core::connectors::ConnectorKind;
use portal_core::templates::Trouble;
use portal_core::templates::input::Input;
use serde_json::{Map, Value, json};

use super::{child, resources, update};
use crate::approvals::service as approving;
use crate::approvals::store::{self as approvals, NewApproval};
use crate::calls;
use crate::clock::later;
use crate::connectors::secrets::{self, SecretError};
use crate::connectors::{self, Connector, signature};
use crate::db::{DbError, Priority};
use crate::egress;
use crate::platforms;
use crate::runs::live::Live;
use crate::templates::perform::{Call, Log, Place, waits};

type Output = Result<Map<String, Value>, Trouble>;

/// Bytes of an answer that are kept.
const ANSWER: usize = 1 << 20;
/// Seconds that an answer may take to come, and an approval, where nothing is said.
const USUAL: u64 = 3600;
const DECIDED: u64 = 7 * 24 * 3600;

/// Does a step of actions; nothing for every other.
pub async fn act(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Option<Output> {
    Some(match call.action.id {
        "approval" => approval(live, call, log).await,
        "catalog:delete" => resources::delete(live, call, log).await,
        "catalog:resource" => resources::put(live, call, log).await,
        "catalog:update" => update::update(live, call, log).await,
        "condition" => condition(&call.input),
        "template" => child::run(live, call, log).await,
        "wait" => wait(live, call, log).await,
        "webhook" => webhook(live, call, log).await,
        other if platforms::kind_of(other).is_some() => platforms::follow(live, call, log).await,
        _ => return None,
    })
}

pub(crate) fn database<E: Into<DbError>>(error: E) -> Trouble {
    let error = error.into();
    // What passes is waited for; a row that it does not take is none of that.
    Trouble::new(if error.is_transient() { "database" } else { "database_error" }, error.to_string())
}

pub(super) fn wrong(name: &str, what: &str) -> Trouble {
    Trouble::new("invalid_input", format!("`{name}`: {what}"))
}

/// Seconds that an input names.
///
/// # Errors
/// It is no time.
pub(crate) fn time(input: &Input<'_>, name: &str) -> Result<Option<u64>, Trouble> {
    let text = match input.get(name) {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let wanted = || wrong(name, "write `90s`, `15m`, `24h` or `7d`, at most 90 days");
    seconds(&text).map(Some).ok_or_else(wanted)
}

/// The connector of a step.
///
/// # Errors
/// There is none of this name and kind, or the definition may not use any.
pub(crate) async fn connector(live: &Live, input: &Input<'_>, kind: ConnectorKind) -> Result<Connector, Trouble> {
    let name = input.must("connector")?;
    if !live.is_trusted {
        let message =
            "connectors are for definitions that a maintainer vouches for: of a trusted source, or published by one";
        return Err(Trouble::new("not_allowed", message));
    }
    let found = connectors::find(&live.app, name).await.map_err(database)?;
    if let Some(connector) = found.filter(|connector| connector.kind == kind) {
        return Ok(connector);
    }
    let all = connectors::all(&live.app).await.map_err(database)?;
    let fitting = all.iter().filter(|connector| connector.kind == kind);
    let names: Vec<&str> = fitting.map(|connector| connector.name.as_str()).collect();
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let message = format!("there is no connector `{name}` of the kind `{}`; there is {there}", kind.as_str());
    Err(wrong("connector", &message))
}

/// Signed as <https://www.standardwebhooks.com> says. A crash sends it again under the same
/// id; a retry after a failure has another.
async fn webhook(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let input = call.input;
    let connector = connector(live, &input, ConnectorKind::Webhook).await?;
    let is_later = input.flag("waitForCallback")?;
    let limit = time(&input, "timeout")?.unwrap_or(USUAL);
    let row = calls::open(live, call.place, later(live.app.clock.now(), limit)).await?;
    if let Some(report) = row.result.as_deref().and_then(|text| serde_json::from_str::<CallbackReport>(text).ok()) {
        return told(report);
    }
    let now = live.app.clock.now();
    if now >= row.deadline {
        return Err(Trouble::new("no_callback", format!("the platform told nothing of its end within {limit} s")));
    }
    if call.place.is_resumed {
        return Err(waits(row.deadline));
    }
    let mut body = json!({
        "type": input.text("type")?.unwrap_or("action.run"),
        "timestamp": row.created_at.to_rfc3339(),
        "data": input.get("body").cloned().unwrap_or_default(),
        "run": { "id": live.run_id, "title": live.title, "url": format!("{}/runs/{}", live.app.config.issuer(), live.run_id) },
        "requested_by": { "name": live.starter.name, "ref": live.starter.user },
    });
    if is_later {
        body["callback_url"] = calls::address(&live.app, &row)?.into();
        body["callback_expires_at"] = row.deadline.to_rfc3339().into();
    }
    let body = Bytes::from(live.reveal_in(&body).to_string());
    let id = calls::message_id(&row);
    let path = input.text("path")?.unwrap_or_default().trim_start_matches('/');
    let url = connectors::below(&connector.url, path).map_err(|text| Trouble::new("invalid_input", text))?;
    let headers = headers(live, &connector, &id, &body).await?;
    let sent = egress::Call { method: Method::POST, url, headers, body: Some(body), limit: ANSWER };
    let gate = live.app.gates.of(&connector);
    let sending = format!("sending `{id}` to {}, path `/{path}`", connector.name);
    let answer = match gate.send(&live.app, sent, || log(sending)).await {
        Ok(answer) => answer,
        Err(unanswered) => {
            unanswered.wait(&connector.name).into_iter().for_each(&mut *log);
            return Err(unanswered.trouble(&Method::POST));
        }
    };
    let code = answer.status.as_u16();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let said: String = text.chars().filter(|sign| !sign.is_control()).take(200).collect();
    match code {
        200..=299 => {}
        408 | 425 | 429 | 500..=599 => {
            return Err(Trouble::new("unavailable", format!("{} answered {code}: {said}", connector.name)));
        }
        _ => return Err(Trouble::new("refused", format!("{} answered {code}: {said}", connector.name))),
    }
    log(format!("answered {code}"));
    if is_later {
        return Err(waits(row.deadline));
    }
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok([("code".to_owned(), code.into()), ("body".to_owned(), body)].into_iter().collect())
}

async fn headers(live: &Live, connector: &Connector, id: &str, body: &[u8]) -> Result<HeaderMap, Trouble> {
    let credential = |text: String| Trouble::new("credential", format!("connector `{}`: {text}", connector.name));
    let told = |error: SecretError| credential(error.to_string());
    let token = connector.credential(&live.app).await.map_err(told)?;
    let mut headers = secrets::headers(connector.kind, token.as_ref()).map_err(|text| credential(text.to_owned()))?;
    match connector.signing_secret(&live.app).await.map_err(told)? {
        Some(key) => {
            let signed = signature::headers(id, live.app.clock.now(), body, &key);
            headers.extend(signed.map_err(|text| credential(text.to_owned()))?);
        }
        None => {
            let value = HeaderValue::from_str(id).map_err(|error| credential(error.to_string()))?;
            headers.insert("webhook-id", value);
        }
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(headers)
}

fn told(report: CallbackReport) -> Output {
    match report.status {
        CallbackStatus::Succeeded => {
            let mut output = report.output;
            if !report.links.is_empty() {
                output.entry("links").or_insert_with(|| json!(report.links));
            }
            Ok(output)
        }
        _ => Err(Trouble::new("platform_failed", report.message.unwrap_or_else(|| "the platform failed".to_owned()))),
    }
}

/// Goes on where something holds.
fn condition(input: &Input<'_>) -> Output {
    let holds = match input.get("holds") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty() && text != "false",
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(_) => true,
    };
    if holds {
        return Ok(Map::new());
    }
    let message = input.text("message")?.unwrap_or("the condition does not hold");
    Err(Trouble::new("condition_failed", message))
}

/// Lets time pass, whatever becomes of this process meanwhile.
async fn wait(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    let limit = time(&call.input, "for")?.ok_or_else(|| wrong("for", "is missing"))?;
    let row = calls::open(live, call.place, later(live.app.clock.now(), limit)).await?;
    if live.app.clock.now() >= row.deadline {
        return Ok(Map::new());
    }
    if !call.place.is_resumed {
        log(format!("waiting until {}", row.deadline.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    Err(waits(row.deadline))
}

/// What has come of asking people; what they did not agree to is an error.
pub(crate) enum Decision {
    /// Names of those who agreed.
    Approved(Vec<String>),
    /// Until when they are asked.
    Pending(DateTime<Utc>),
}

/// Asks people, and goes on when they have agreed.
async fn approval(live: &Live, call: Call<'_>, log: &mut Log<'_>) -> Output {
    match decided(live, &call.input, call.place, None, log).await? {
        Decision::Approved(names) => Ok([("approvedBy".to_owned(), names.into())].into_iter().collect()),
        Decision::Pending(until) => Err(waits(until)),
    }
}

/// Asks people about something, or about exactly this plan (its text, its hash): another plan
/// is another question, and what was said about the one before is void.
///
/// # Errors
/// They declined, or nobody agreed in time.
pub(crate) async fn decided(
    live: &Live,
    input: &Input<'_>,
    place: Place,
    plan: Option<(String, String)>,
    log: &mut Log<'_>,
) -> Result<Decision, Trouble> {
    let position = i32::try_from(place.position).unwrap_or(i32::MAX);
    let (hash, now) = (plan.as_ref().map(|(_, hash)| hash.clone()), live.app.clock.now());
    let known = approvals::of_step(live.app.db.reader(), live.run_id, position).await.map_err(database)?;
    let row = match known.filter(|row| row.plan_hash == hash) {
        Some(row) => row,
        None => {
            let new = NewApproval { plan, ..asked(live, input, position)? };
            log(format!("asking {}: {}", new.ask.approvers.join(", "), new.title));
            let (app, writing, requester) = (live.app.clone(), live.writing_now(), live.starter.name.clone());
            let work = live.app.db.write(Priority::Background, move |txn| {
                Box::pin(async move { approving::open(&app, txn, &writing, new, &requester).await })
            });
            work.await.map_err(database)?
        }
    };
    match approvals::state_of(&row) {
        ApprovalState::Approved => {
            let votes = approvals::votes(live.app.db.reader(), &[row.id]).await.map_err(database)?;
            let names: Vec<String> = votes.iter().map(approvals::voter).collect();
            log(format!("approved by {}", names.join(", ")));
            Ok(Decision::Approved(names))
        }
        ApprovalState::Pending if row.expires_at > now => Ok(Decision::Pending(row.expires_at)),
        ApprovalState::Declined => {
            let votes = approvals::votes(live.app.db.reader(), &[row.id]).await.map_err(database)?;
            let no = votes.into_iter().find(|vote| !vote.approves);
            let (name, comment) = no.map(|vote| (approvals::voter(&vote), vote.comment)).unwrap_or_default();
            let why = comment.map_or(String::new(), |comment| format!(": {comment}"));
            Err(Trouble::new("declined", format!("declined by {name}{why}")))
        }
        _ => {
            let id = row.id;
            let work = live.app.db.write(Priority::Background, move |txn| {
                Box::pin(async move { approvals::end(txn, id, ApprovalState::Expired, now).await })
            });
            work.await.map_err(database)?;
            Err(Trouble::new("approval_expired", "nobody agreed in time"))
        }
    }
}

fn asked(live: &Live, input: &Input<'_>, position: i32) -> Result<NewApproval, Trouble> {
    let read = |text: &String| approver(text).map_err(|message| wrong("by", &message));
    let mut approvers = input.texts("by")?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    approvers.sort();
    approvers.dedup();
    if approvers.is_empty() {
        return Err(wrong("by", "names nobody"));
    }
    // What was rendered may be a number as a text.
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).map(Value::from);
    let given = input.get("need").map(|value| number(value).unwrap_or_else(|| value.clone()));
    let need = Need::read(&given.unwrap_or_default()).ok_or_else(|| wrong("need", Need::WANTED))?;
    let at = live.app.clock.now();
    let expires = time(input, "expires")?.unwrap_or(DECIDED);
    Ok(NewApproval {
        run_id: live.run_id,
        position,
        title: input.text("title")?.unwrap_or(&live.title).to_owned(),
        ask: Ask { approvers, need, four_eyes: input.get("fourEyes") != Some(&Value::Bool(false)) },
        plan: None,
        at,
        expires_at: later(at, expires),
    })
}
