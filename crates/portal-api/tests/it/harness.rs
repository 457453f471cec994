//! A portal in the test's process: a fresh database, the real router, a clock
//! that the test moves.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use http_body_util::BodyExt;
use portal_api::access::secret::Secret;
use portal_api::access::store::{self, NewToken};
use portal_api::clock::{Clock, ManualClock};
use portal_api::config::{Config, EgressConfig, Limits, TemplatesConfig};
use portal_api::db::{DatabaseUrl, Db, DbError, Priority};
use portal_api::router;
use portal_api::state::App;
use portal_core::access::Role;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Runs the body of a test once on each database.
///
/// ```ignore
/// on_both!(name_of_the_behaviour, portal, { portal.get("/readyz").await.ok(); });
/// ```
#[macro_export]
macro_rules! on_both {
    ($name:ident, $portal:ident, $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn body(#[allow(unused_mut)] mut $portal: $crate::harness::Portal) {
                $body
                $portal.end().await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                body($crate::harness::Portal::sqlite().await).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                match $crate::harness::Portal::postgres().await {
                    Some(portal) => body(portal).await,
                    None => println!("skipped: PORTAL_TEST_POSTGRES is not set"),
                }
            }
        }
    };
}

pub struct Portal {
    pub app: App,
    pub clock: ManualClock,
    pub folder: PathBuf,
    router: Router,
    /// Server and database to drop at the end.
    postgres: Option<(String, String)>,
}

/// An answer, with its body read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

/// What tests send that are not about access.
pub const TOKEN: &str = "portal_token-of-the-administrator-of-every-test";

static COUNTER: AtomicU32 = AtomicU32::new(0);

fn unique() -> String {
    format!("{}_{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

impl Portal {
    pub async fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("portal-it-{}", unique()));
        Self::open(folder.clone(), DatabaseUrl::in_data_dir(&folder), None).await
    }

    /// On SQLite, with another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::configured(None, change).await
    }

    /// The same on PostgreSQL; `None` where there is none.
    pub async fn postgres_with(change: impl FnOnce(&mut Config)) -> Option<Self> {
        let server = std::env::var("PORTAL_TEST_POSTGRES").ok()?;
        Some(Self::configured(Some(server), change).await)
    }

    async fn configured(server: Option<String>, change: impl FnOnce(&mut Config)) -> Self {
        let folder = std::env::temp_dir().join(format!("portal-it-{}", unique()));
        std::fs::create_dir_all(&folder).unwrap();
        let clock = ManualClock::new("2026-11-17T09:00:00Z".parse().unwrap());
        let (database, postgres) = match server {
            None => (DatabaseUrl::in_data_dir(&folder), None),
            Some(server) => {
                let name = format!("it_{}", unique());
                execute(&server, &format!("CREATE DATABASE {name}")).await;
                (DatabaseUrl::Postgres(with_database(&server, &name)), Some((server, name)))
            }
        };
        let mut config = config(&folder, database);
        change(&mut config);
        let (app, router) = start_configured(config, clock.clone()).await;
        Self { app, clock, folder, router, postgres }
    }

    /// Answers on the network as well.
    pub fn listen(&self, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let service = self.router.clone().into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
    }

    /// `None` where there is no PostgreSQL to test on.
    pub async fn postgres() -> Option<Self> {
        let server = std::env::var("PORTAL_TEST_POSTGRES").ok()?;
        let name = format!("it_{}", unique());
        execute(&server, &format!("CREATE DATABASE {name}")).await;
        let url = with_database(&server, &name);
        let folder = std::env::temp_dir().join(format!("portal-it-{}", unique()));
        Some(Self::open(folder, DatabaseUrl::Postgres(url), Some((server, name))).await)
    }

    async fn open(folder: PathBuf, database: DatabaseUrl, postgres: Option<(String, String)>) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let start: DateTime<Utc> = "2026-11-17T09:00:00Z".parse().unwrap();
        let clock = ManualClock::new(start);
        let (app, router) = start_portal(&folder, database, clock.clone()).await;
        Self { app, clock, folder, router, postgres }
    }

    /// Stops the portal and starts another on the same data.
    pub async fn restart(&mut self) {
        self.app.stop.cancel();
        let (app, router) = start_configured(Config::clone(&self.app.config), self.clock.clone()).await;
        self.app = app;
        self.router = router;
    }

    /// A second portal on the same database, as another replica would be.
    pub async fn replica(&self) -> (App, Router) {
        let folder = self.folder.join("replica");
        std::fs::create_dir_all(&folder).unwrap();
        let config = Config { data_dir: folder, ..Config::clone(&self.app.config) };
        start_configured(config, self.clock.clone()).await
    }

    /// Stops the portal, and asks a replica from now on.
    pub fn leave_to(&mut self, (app, router): (App, Router)) {
        self.app.stop.cancel();
        (self.app, self.router) = (app, router);
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    /// Sends a request as whoever it says.
    pub async fn send_as_it_is(&self, request: Request<Body>) -> Answer {
        send_as_it_is(&self.router, request).await
    }

    /// The status of an answer, which may be a stream without an end.
    pub async fn status(&self, request: Request<Body>) -> StatusCode {
        self.router.clone().oneshot(request).await.unwrap().status()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None::<&Value>).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None::<&Value>).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    #[allow(dead_code, reason = "for the tests of features that update in place")]
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.send(request(method, path, None, body)).await
    }

    /// Stores entities through the API and waits until they are visible.
    pub async fn store(&self, entities: &[Value]) -> i64 {
        let lines: Vec<String> = entities.iter().map(Value::to_string).collect();
        let request = Request::builder().method("POST").uri("/api/v1/entities/bulk");
        let answer = self.send(request.body(Body::from(lines.join("\n"))).unwrap()).await;
        let result = answer.json(207);
        for item in result["items"].as_array().unwrap() {
            assert!(item["status"].as_u64().unwrap() < 300, "{item}");
        }
        let seq = result["seq"].as_i64().unwrap_or(0);
        assert!(self.app.catalog.wait_for(seq).await);
        seq
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub async fn end(self) {
        self.app.stop.cancel();
        self.app.db.clone().close().await;
        if let Some((server, name)) = &self.postgres {
            execute(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Answer {
    /// The body as JSON, after checking the status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Checks that it is a problem with this code, and answers it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json(status);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{problem}");
        assert_eq!(problem["code"], code, "{problem}");
        assert!(!problem["request_id"].as_str().unwrap_or_default().is_empty(), "{problem}");
        problem
    }

    /// Checks the status of a problem, or of Backstage's error body.
    #[track_caller]
    pub fn problem_or_backstage(&self, status: u16) {
        let body = self.json(status);
        assert!(body["code"].is_string() || body["error"]["name"].is_string(), "{body}");
    }

    #[track_caller]
    pub fn is(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// A small valid component.
pub fn component(name: &str, owner: &str) -> Value {
    serde_json::json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": {"type": "service", "lifecycle": "production", "owner": owner},
    })
}

/// A team, below another one where it says so.
pub fn group(name: &str, parent: Option<&str>) -> Value {
    let mut group = serde_json::json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Group",
        "metadata": {"name": name},
        "spec": {"type": "team", "children": []},
    });
    if let Some(parent) = parent {
        group["spec"]["parent"] = parent.into();
    }
    group
}

/// A person in a team.
pub fn user(name: &str, team: &str) -> Value {
    serde_json::json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "User",
        "metadata": {"name": name},
        "spec": {"memberOf": [team]},
    })
}

/// A request that says who it is from with a header, if anybody.
pub fn request(method: Method, path: &str, from: Option<(&str, &str)>, body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some((header, value)) = from {
        request = request.header(header, value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap()
}

/// Sends a request as the administrator, unless it says who sends it.
pub async fn send(router: &Router, mut request: Request<Body>) -> Answer {
    if !request.headers().contains_key("authorization") {
        request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    }
    send_as_it_is(router, request).await
}

/// Sends a request with nothing added to it.
pub async fn send_as_it_is(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, bytes }
}

async fn start_portal(folder: &std::path::Path, database: DatabaseUrl, clock: ManualClock) -> (App, Router) {
    start_configured(config(folder, database), clock).await
}

fn config(folder: &std::path::Path, database: DatabaseUrl) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: folder.to_owned(),
        database,
        sample: false,
        sources: Vec::new(),
        egress: EgressConfig {
            allow_private: vec!["127.0.0.1:*".to_owned()],
            allow_calls: vec!["127.0.0.1:*".to_owned()],
            allow_file_git: true,
            calls_per_second: 10_000,
            ..Default::default()
        },
        platforms: Vec::new(),
        catalog: Default::default(),
        // Tests ask more in a moment than anybody does.
        limits: Limits { reads_per_second: 0, writes_per_second: 0, ..Limits::default() },
        access: Default::default(),
        proxy: Default::default(),
        templates: TemplatesConfig { local_repositories: true, ..Default::default() },
        runs: Default::default(),
        connectors: Vec::new(),
        channels: Vec::new(),
        approvals: Default::default(),
        credentials: Default::default(),
        tls: None,
    }
}

async fn start_configured(config: Config, clock: ManualClock) -> (App, Router) {
    let db = Db::open(&config.database).await.unwrap();
    let_the_administrator_in(&db, clock.now()).await;
    let app = App::start(db, Arc::new(clock), config, CancellationToken::new()).await.unwrap();
    portal_api::sources::configured::sync(&app).await.unwrap();
    portal_api::workers::start(&app).await.unwrap();
    let router = router::outer(&app);
    (app, router)
}

/// Writes no change, so that the feed of a test begins with what the test does.
async fn let_the_administrator_in(db: &Db, now: DateTime<Utc>) {
    let work = db.write(Priority::Interactive, move |txn| {
        Box::pin(async move {
            if store::account(txn, "tester").await?.is_some() {
                return Ok::<_, DbError>(());
            }
            let account = store::new_account("tester", "Tester", Role::Admin, None, now);
            store::add_account(txn, account.clone()).await?;
            let new = NewToken {
                account_id: account.id,
                name: "tests".to_owned(),
                role: Role::Admin,
                scopes: None,
                created_at: now,
                expires_at: now + TimeDelta::days(36_500),
            };
            store::add_token(txn, &Secret::sent(TOKEN), new).await?;
            Ok(())
        })
    });
    work.await.unwrap();
}

async fn execute(server: &str, sql: &str) {
    let connection = Database::connect(server).await.unwrap();
    connection.execute_raw(Statement::from_string(DbBackend::Postgres, sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

/// The server's URL with another database.
fn with_database(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(name);
    url.to_string()
}
