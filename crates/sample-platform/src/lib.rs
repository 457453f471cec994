//! A platform for trying actions out. It speaks the webhook contract of Portal as any
//! platform would: signed requests come in, reports go to the `callback_url` that comes
//! with them. Nothing is really made; what would be is kept in memory.

mod signature;
mod work;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// How a platform behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// `whsec_…`; what is not signed with it is refused.
    pub signing_secret: Option<String>,
    /// That the clocks of both sides may differ.
    pub tolerance: Duration,
    /// Between two reports.
    pub pace: Duration,
}

/// A running platform.
#[derive(Clone)]
pub struct Platform {
    options: Arc<Options>,
    kept: Arc<Mutex<Kept>>,
    client: reqwest::Client,
}

#[derive(Debug, Default)]
struct Kept {
    /// Requests by their ids: what is sent again is not done again.
    seen: BTreeMap<String, Value>,
    /// What was done, in its order: `database ledger`.
    effects: Vec<String>,
    /// What there is, by kind and name.
    things: BTreeMap<String, Value>,
    /// Operations that have failed once, as they do here.
    failed: Vec<String>,
}

impl Platform {
    /// # Errors
    /// No client for HTTP can be made.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        Ok(Self { options: Arc::new(options), kept: Arc::default(), client })
    }

    /// Answers until the process ends; tells where.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn serve(self, address: SocketAddr) -> anyhow::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/", get(show)).route("/{*operation}", post(receive)).with_state(self);
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok((address, serving))
    }

    /// What was done so far, each effect once.
    pub fn effects(&self) -> Vec<String> {
        self.kept().effects.clone()
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn show(State(platform): State<Platform>) -> Json<Value> {
    let kept = platform.kept();
    Json(json!({ "platform": "sample", "things": kept.things, "effects": kept.effects }))
}

async fn receive(
    State(platform): State<Platform>,
    Path(operation): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refused = |status: StatusCode, detail: String| (status, Json(json!({ "error": detail }))).into_response();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(secret) = &platform.options.signing_secret {
        let [id, time, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map(text);
        if let Err(fault) = signature::check((secret, platform.options.tolerance), id, time, signature, &body) {
            return refused(StatusCode::UNAUTHORIZED, fault.to_owned());
        }
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return refused(StatusCode::BAD_REQUEST, "the body is not JSON".to_owned());
    };
    let id = text("webhook-id").to_owned();
    let Some(plan) = work::plan(&operation, &message["data"]) else {
        return refused(StatusCode::NOT_FOUND, format!("there is no operation `{operation}`"));
    };
    let answer = json!({ "accepted": true, "id": id });
    if !id.is_empty() && platform.kept().seen.insert(id, message.clone()).is_some() {
        return (StatusCode::ACCEPTED, Json(answer)).into_response();
    }
    match message["callback_url"].as_str() {
        Some(callback) => {
            tokio::spawn(work::perform(platform.clone(), plan, callback.to_owned()));
            (StatusCode::ACCEPTED, Json(answer)).into_response()
        }
        None => match work::at_once(&platform, plan) {
            Ok(output) => (StatusCode::OK, Json(output)).into_response(),
            Err(fault) => refused(StatusCode::CONFLICT, fault),
        },
    }
}
