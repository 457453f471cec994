//! Self-service: from a button through an approval to something that is in the catalog and
//! goes again; and what goes wrong on the way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use chrono::{TimeDelta, Utc};
use portal_api::access::command;
use portal_api::connectors::ConnectorConfig;
use portal_core::access::Role;
use portal_core::connectors::ConnectorKind;
use sample_platform::{Options, Platform};
use serde_json::{Value, json};

use crate::harness::{Answer, Portal, component, group, user};
use crate::on_both;
use crate::runs::{ended, log};

const SECRET: &str = "whsec_cG9ydGFsIHNpZ25zIHdoYXQgaXQgc2VuZHM=";

/// A portal with a platform beside it, and an organisation: `ann` owns `ledger`, `bob` may
/// approve.
struct Scene {
    portal: Portal,
    platform: Platform,
    mute: Mute,
}

/// A platform that takes everything and says nothing.
#[derive(Clone, Default)]
pub struct Mute(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    /// Id and body of each request.
    sent: Vec<(String, Value)>,
    /// Headers and body of the last one, as they came.
    last: Option<(HeaderMap, String)>,
    answers: Vec<u16>,
}

impl Mute {
    pub async fn start(&self) -> String {
        let mute = self.clone();
        let take = async move |headers: HeaderMap, body: String| {
            let mut heard = mute.0.lock().unwrap();
            let id = headers["webhook-id"].to_str().unwrap().to_owned();
            heard.sent.push((id, serde_json::from_str(&body).unwrap()));
            heard.last = Some((headers, body));
            let status = if heard.answers.is_empty() { 202 } else { heard.answers.remove(0) };
            StatusCode::from_u16(status).unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    pub fn sent(&self) -> Vec<(String, Value)> {
        self.0.lock().unwrap().sent.clone()
    }

    /// What the next requests are answered; forgets those before.
    pub fn answer(&self, statuses: &[u16]) {
        *self.0.lock().unwrap() = Heard { answers: statuses.to_vec(), ..Heard::default() };
    }
}

async fn scenes() -> Vec<Scene> {
    let mut all = vec![scene(None, Duration::from_secs(30 * 86_400)).await];
    if let Ok(server) = std::env::var("PORTAL_TEST_POSTGRES") {
        all.push(scene(Some(server), Duration::from_secs(30 * 86_400)).await);
    } else {
        println!("skipped on PostgreSQL: PORTAL_TEST_POSTGRES is not set");
    }
    all
}

async fn scene(postgres: Option<String>, tolerance: Duration) -> Scene {
    let options = Options { signing_secret: Some(SECRET.to_owned()), pace: Duration::from_millis(20), tolerance };
    let platform = Platform::new(options).unwrap();
    let (address, _) = platform.clone().serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = Mute::default();
    let silent = mute.start().await;
    let own = format!("http://{}", listener.local_addr().unwrap());
    let file = std::env::temp_dir().join(format!("portal-signing-{}", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, SECRET).unwrap();
    let connector = |name: &str, url: String| ConnectorConfig {
        name: name.to_owned(),
        kind: ConnectorKind::Webhook,
        url,
        credential: None,
        signing_secret: Some(format!("file:{}", file.display())),
        preset: None,
        contract: None,
        limit: 8,
        rest_seconds: 30,
    };
    let change = |config: &mut portal_api::config::Config| {
        config.access.public_url = Some(own.clone());
        // As of `portal.toml`: what a connector leads to is open to connectors.
        config.egress.allow_private = Vec::new();
        config.platforms = vec![address.to_string(), silent.trim_start_matches("http://").to_owned()];
        config.connectors = vec![connector("platform", format!("http://{address}")), connector("mute", silent.clone())];
    };
    let portal = match postgres {
        None => Portal::with(change).await,
        Some(_) => Portal::postgres_with(change).await.unwrap(),
    };
    // Signatures are of this time.
    portal.clock.advance(Utc::now() - portal.now());
    portal.listen(listener);
    let entities = [
        group("team-a", None),
        group("platform", None),
        user("ann", "team-a"),
        user("bob", "platform"),
        component("ledger", "team-a"),
    ];
    portal.store(&entities).await;
    Scene { portal, platform, mute }
}

/// Somebody of the organisation, by their token.
pub async fn person(portal: &Portal, name: &str, role: Role) -> String {
    let db = &portal.app.db;
    command::create_token(db, name, Some(role), None, TimeDelta::days(30), portal.now()).await.unwrap()
}

pub async fn call(portal: &Portal, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
    let request = request.header("content-type", "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    portal.send_as_it_is(request.body(body).unwrap()).await
}

pub fn action(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "portal.dev/v1alpha1", "kind": "Action", "metadata": {"name": name, "title": name}, "spec": spec})
}

fn provision() -> Value {
    action(
        "provision",
        json!({
            "owner": "platform",
            "category": "Databases",
            "scope": {"kinds": ["Component"], "condition": "entity.spec.type == 'service'"},
            "confirmation": "Provision the database `${{ parameters.name }}` for ${{ entity.metadata.name }}",
            "approval": {"by": ["group:platform"], "expires": "24h"},
            "parameters": {"required": ["name"], "properties": {"name": {"type": "string", "pattern": "^[a-z-]+$"}}},
            "steps": [
                {"id": "make", "action": "webhook", "input": {
                    "connector": "platform", "path": "databases", "waitForCallback": true, "timeout": "1h",
                    "body": {"name": "${{ parameters.name }}"}}},
                {"id": "keep", "action": "catalog:resource", "input": {
                    "ttl": "7d", "cleanUp": {"action": "remove", "values": {}},
                    "entity": {"apiVersion": "backstage.io/v1alpha1", "kind": "Resource",
                        "metadata": {"name": "${{ parameters.name }}", "description": "at ${{ steps.make.output.host }}"},
                        "spec": {"type": "database", "owner": "team-a", "dependencyOf": ["component:${{ entity.metadata.name }}"]}}}},
            ],
            "output": {"text": [{"title": "Host", "content": "${{ steps.make.output.host }}"}]},
        }),
    )
}

fn remove() -> Value {
    action(
        "remove",
        json!({
            "owner": "platform",
            "scope": {"kinds": ["Resource"]},
            "steps": [
                {"id": "remove", "action": "webhook", "input": {
                    "connector": "platform", "path": "databases/delete", "waitForCallback": true,
                    "body": {"name": "${{ entity.metadata.name }}"}}},
                {"id": "forget", "action": "catalog:delete", "input": {"entityRef": "resource:${{ entity.metadata.name }}"}},
            ],
        }),
    )
}

/// Actions of a trusted source.
pub async fn with_actions(portal: &Portal, actions: &[Value]) {
    let folder = portal.folder.join(format!("actions-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    let text: Vec<String> = actions.iter().map(Value::to_string).collect();
    std::fs::write(folder.join("catalog-info.yaml"), text.join("\n---\n")).unwrap();
    crate::sources::add(portal, &json!({"type": "path", "target": folder.display().to_string(), "trusted": true}))
        .await;
}

pub async fn reaches(portal: &Portal, id: i64, wanted: &str) -> Value {
    for _ in 0..400 {
        let run = portal.get(&format!("/api/v1/runs/{id}")).await.json(200);
        if run["state"] == wanted {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("run {id} is not {wanted}: {}", portal.get(&format!("/api/v1/runs/{id}")).await.text());
}

on_both!(pickers_take_what_their_whole_filter_takes, portal, {
    portal.store(&[group("team-a", None), component("ledger", "team-a")]).await;
    let picker = |kind: &str| {
        json!({"type": "string", "ui:field": "EntityPicker",
            "ui:options": {"allowArbitraryValues": false, "catalogFilter": [{"kind": "Component", "spec.type": kind}]}})
    };
    let spec = json!({"parameters": {"properties": {"one": picker("service"), "other": picker("website")}}, "steps": [{"action": "debug:log"}]});
    with_actions(&portal, &[action("pick", spec)]).await;
    let ledger = "component:default/ledger";
    let body = json!({"values": {"one": ledger, "other": ledger}});
    let form = portal.post("/api/v1/actions/default/pick/form", &body).await.json(200);
    let told: Vec<&str> =
        form["form"]["errors"].as_array().unwrap().iter().filter_map(|one| one["pointer"].as_str()).collect();
    assert_eq!(told, ["/other"], "{form}");
    let empty = portal.post("/api/v1/actions/default/pick/form", &json!({"values": {"one": ""}})).await.json(200);
    assert_eq!(empty["form"]["errors"], json!([]), "{empty}");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_opens_its_place_to_nothing_else() {
    for Scene { portal, mute, .. } in scenes().await {
        let url = portal.app.config.connectors[1].url.clone();
        let input = json!({"method": "POST", "url": url, "body": {}});
        let spec = json!({"steps": [{"id": "ask", "action": "http:request", "input": input}]});
        with_actions(&portal, &[action("ask", spec)]).await;
        let ann = person(&portal, "ann", Role::Developer).await;
        let run = call(&portal, &ann, "POST", "/api/v1/runs", &json!({"action": "ask"})).await.json(202);
        let failed = reaches(&portal, run["id"].as_i64().unwrap(), "failed").await;
        assert!(failed["error"]["message"].as_str().unwrap().contains("egress.allow_private"), "{failed}");
        assert!(mute.sent().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_asked_for_approved_made_and_cleaned_up() {
    for Scene { portal, platform, .. } in scenes().await {
        with_actions(&portal, &[provision(), remove()]).await;
        let (ann, bob) = (person(&portal, "ann", Role::Developer).await, person(&portal, "bob", Role::Developer).await);

        let offered = call(&portal, &ann, "GET", "/api/v1/actions?entity=component:default/ledger", &Value::Null).await;
        let offered = offered.json(200);
        assert_eq!((&offered["total"], &offered["items"][0]["refusal"]), (&json!(1), &Value::Null), "{offered}");
        let question = json!({"entity": "component:ledger", "values": {"name": "ledger-db"}});
        let form = call(&portal, &ann, "POST", "/api/v1/actions/default/provision/form", &question).await.json(200);
        assert_eq!(form["confirmation"], "Provision the database `ledger-db` for ledger");
        assert!(form["approval"].as_str().unwrap().contains("group:default/platform"), "{form}");

        let create = json!({"action": "provision", "entity": "component:ledger", "values": {"name": "ledger-db"}});
        let run = call(&portal, &ann, "POST", "/api/v1/runs", &create).await.json(202);
        let id = run["id"].as_i64().unwrap();
        assert_eq!(
            (&run["state"], &run["target"]["entity_ref"]),
            (&json!("pending_approval"), &json!("component:default/ledger"))
        );
        assert_eq!(platform.effects(), Vec::<String>::new());

        // Who asked does not decide; who may is asked, and finds it.
        let waiting = call(&portal, &ann, "GET", &format!("/api/v1/approvals?run={id}"), &Value::Null).await.json(200);
        let approval = waiting["items"][0]["id"].as_i64().unwrap();
        let votes = format!("/api/v1/approvals/{approval}/votes");
        call(&portal, &ann, "POST", &votes, &json!({"approves": true})).await.problem(403, "forbidden");
        let inbox =
            call(&portal, &bob, "GET", "/api/v1/approvals?mine=true&state=pending", &Value::Null).await.json(200);
        assert_eq!((&inbox["total"], &inbox["items"][0]["refusal"]), (&json!(1), &Value::Null), "{inbox}");
        let told = call(&portal, &bob, "GET", "/api/v1/notifications", &Value::Null).await.json(200);
        assert!(told["items"][0]["title"].as_str().unwrap().contains("Provision the database"), "{told}");
        call(&portal, &bob, "GET", &format!("/api/v1/runs/{id}"), &Value::Null).await.is(200);
        let voted = call(&portal, &bob, "POST", &votes, &json!({"approves": true, "comment": "Fine"})).await.json(201);
        assert_eq!((&voted["state"], &voted["votes"][0]["comment"]), (&json!("approved"), &json!("Fine")));
        call(&portal, &bob, "POST", &votes, &json!({"approves": true})).await.problem(409, "approval_ended");

        let run = ended(&portal, id).await;
        let text = log(&portal, id).await;
        assert_eq!(run["state"], "succeeded", "{run}\n{text}");
        assert!(text.contains("starting PostgreSQL 17") && text.contains("first backup is done"), "{text}");
        assert_eq!(run["steps"][0]["progress"], 100);
        assert_eq!(run["output"]["text"][0]["content"], "ledger-db.db.kestrel.example");
        assert_eq!(platform.effects(), ["database ledger-db"]);
        let entity = portal.get("/api/v1/entities/resource/default/ledger-db").await.json(200);
        assert!(entity["entity"]["metadata"]["annotations"]["portal.dev/expires-at"].is_string(), "{entity}");
        assert_eq!(run["entities"][0]["entity_ref"], "resource:default/ledger-db");

        // It is kept longer, by those whose it is.
        let extend = "/api/v1/entities/resource/default/ledger-db/extend";
        call(&portal, &bob, "POST", extend, &json!({"ttl": "10d"})).await.problem(403, "forbidden");
        // A number needs its unit, and an end does not come nearer.
        for ttl in ["soon", "7", "1s"] {
            call(&portal, &ann, "POST", extend, &json!({"ttl": ttl})).await.problem(422, "invalid_field");
        }
        let kept = call(&portal, &ann, "POST", extend, &json!({"ttl": "10d"})).await.json(200);
        assert_eq!(kept["extensions"], 1);
        let ledger = "/api/v1/entities/component/default/ledger/extend";
        call(&portal, &ann, "POST", ledger, &json!({"ttl": "10d"})).await.problem(409, "does_not_expire");
        portal.clock.advance(TimeDelta::days(8));
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let entity = portal.get("/api/v1/entities/resource/default/ledger-db").await.json(200);
        assert_eq!(
            entity["entity"]["metadata"]["annotations"]["portal.dev/expires-at"].as_str().unwrap()[..10],
            kept["expires_at"].as_str().unwrap()[..10]
        );

        // Its time comes: it is cleaned up as it was made.
        portal.clock.advance(TimeDelta::days(8));
        for _ in 0..200 {
            if portal.get("/api/v1/entities/resource/default/ledger-db").await.status == 404 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        portal.get("/api/v1/entities/resource/default/ledger-db").await.is(404);
        assert_eq!(platform.effects(), ["database ledger-db", "database ledger-db removed"]);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_declined_or_too_late_does_nothing() {
    for Scene { portal, platform, .. } in scenes().await {
        with_actions(&portal, &[provision()]).await;
        let (ann, bob) = (person(&portal, "ann", Role::Developer).await, person(&portal, "bob", Role::Developer).await);
        let start = async || {
            let create = json!({"action": "provision", "entity": "component:ledger", "values": {"name": "ledger-db"}});
            let run = call(&portal, &ann, "POST", "/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
            let waiting = portal.get(&format!("/api/v1/approvals?run={run}")).await.json(200);
            (run, format!("/api/v1/approvals/{}/votes", waiting["items"][0]["id"]))
        };
        let (declined, votes) = start().await;
        call(&portal, &bob, "POST", &votes, &json!({"approves": false, "comment": "Too large"})).await.is(201);
        assert_eq!(portal.get(&format!("/api/v1/runs/{declined}")).await.json(200)["state"], "declined");
        let (cancelled, votes) = start().await;
        call(&portal, &ann, "POST", &format!("/api/v1/runs/{cancelled}/cancel"), &Value::Null).await.is(202);
        reaches(&portal, cancelled, "cancelled").await;
        call(&portal, &bob, "POST", &votes, &json!({"approves": true})).await.problem(409, "approval_ended");
        let (late, votes) = start().await;
        portal.clock.advance(TimeDelta::hours(25));
        let bob = person(&portal, "bob", Role::Developer).await;
        let answer = call(&portal, &bob, "POST", &votes, &json!({"approves": true})).await;
        assert!(["approval_expired", "approval_ended"].contains(&answer.json(409)["code"].as_str().unwrap()));
        reaches(&portal, late, "expired").await;
        assert_eq!(platform.effects(), Vec::<String>::new());
        portal.end().await;
    }
}

fn ask(limit: &str) -> Value {
    let input = json!({"connector": "mute", "path": "do", "waitForCallback": true, "timeout": limit,
        "body": {"password": "${{ secrets.password }}"}});
    let fields = json!({"password": {"type": "string", "ui:field": "Secret"}});
    action(
        "ask",
        json!({"parameters": {"properties": fields}, "steps": [{"id": "ask", "action": "webhook", "input": input}]}),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_taken_once_and_from_nobody_else() {
    for Scene { portal, mute, .. } in scenes().await {
        with_actions(&portal, &[ask("1h")]).await;
        let create = json!({"action": "ask", "values": {}, "secrets": {"password": "hunter2-x"}});
        let start = async || portal.post("/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
        let (id, other) = (start().await, start().await);
        reaches(&portal, id, "waiting").await;
        reaches(&portal, other, "waiting").await;
        let sent = mute.sent();
        let of = |id: i64| {
            sent.iter().find(|(_, body)| body["run"]["id"] == id).unwrap().1["callback_url"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let path = |url: String| url[url.find("/api/").unwrap()..].to_owned();
        let (own, others) = (path(of(id)), path(of(other)));
        assert_eq!(sent[0].1["data"]["password"], "hunter2-x");
        let tell = async |path: &str, report: Value| {
            let request = Request::post(path).header("content-type", "application/json");
            portal.send_as_it_is(request.body(Body::from(report.to_string())).unwrap()).await
        };
        let (number, query) = own.rsplit_once('/').unwrap().1.split_once('?').unwrap();
        let foreign = others.split_once('?').unwrap().1;
        let done = json!({"status": "succeeded", "output": {"a": 1}});
        for forged in [
            format!("/api/v1/callbacks/{number}"),
            format!("/api/v1/callbacks/{number}?{foreign}"),
            format!("/api/v1/callbacks/{number}?{}", query.replace("signature=", "signature=00")),
            format!("/api/v1/callbacks/{number}?{}", query.replace("expires=", "expires=9")),
            format!("/api/v1/callbacks/9999?{query}"),
            format!("/api/v1/callbacks/x?{query}"),
        ] {
            assert_eq!(tell(&forged, done.clone()).await.status, 401, "{forged}");
        }
        for (report, status) in [
            (json!({"status": "maybe"}), 422),
            (json!({"status": "running", "progress": 101}), 422),
            (json!({"status": "running", "links": [{"title": "x", "url": "javascript:alert(1)"}]}), 422),
            (json!({"status": "running", "log": vec!["x"; 501]}), 422),
            (json!({"status": "failed", "message": "bad\u{0}news"}), 422),
            (json!([]), 422),
        ] {
            assert_eq!(tell(&own, report.clone()).await.status, status, "{report}");
        }
        let link = json!({"title": "Job", "url": "https://ci.example/1"});
        let running = json!({"status": "running", "progress": 40, "log": ["says hunter2-x"], "links": [link]});
        tell(&own, running).await.is(200);
        let run = portal.get(&format!("/api/v1/runs/{id}")).await.json(200);
        assert_eq!((&run["steps"][0]["progress"], &run["steps"][0]["links"][0]["title"]), (&json!(40), &json!("Job")));
        tell(&own, done.clone()).await.is(200);
        // Sent again as it was, it was heard, also later; another end is not taken.
        tell(&own, done.clone()).await.is(200);
        tell(&own, json!({"status": "failed"})).await.is(409);
        assert_eq!(ended(&portal, id).await["state"], "succeeded");
        tell(&own, done).await.is(200);
        assert!(log(&portal, id).await.contains("says ‹secret password›"));
        tell(&own, json!({"status": "running"})).await.is(409);

        // The other one is never heard of.
        portal.clock.advance(TimeDelta::hours(2));
        let late = reaches(&portal, other, "failed").await;
        assert_eq!(late["error"]["code"], "no_callback", "{late}");
        tell(&others, json!({"status": "succeeded"})).await.is(409);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_over_there_is_told_and_tried_again() {
    for Scene { portal, platform, mute, .. } in scenes().await {
        let deploy = action(
            "deploy",
            json!({
                "scope": {"kinds": ["component"]},
                "parameters": {"properties": {"version": {"type": "string"}}},
                "steps": [{"id": "deploy", "action": "webhook", "input": {
                    "connector": "platform", "path": "deployments", "waitForCallback": true,
                    "body": {"name": "${{ entity.metadata.name }}", "version": "${{ parameters.version }}"}}}],
            }),
        );
        with_actions(&portal, &[deploy, ask("1h")]).await;
        let create = json!({"action": "deploy", "entity": "component:ledger", "values": {"version": "1-flaky"}});
        let id = portal.post("/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
        let run = ended(&portal, id).await;
        assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("platform_failed")), "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains("healthy"), "{run}");
        portal.post(&format!("/api/v1/runs/{id}/retry"), &Value::Null).await.is(202);
        let run = reaches(&portal, id, "succeeded").await;
        assert_eq!(platform.effects(), ["deployed ledger 1-flaky to staging"], "{run}");

        // In trouble for a moment: the same request comes again, under the same id.
        mute.answer(&[503, 429, 202]);
        let create = json!({"action": "ask"});
        let id = portal.post("/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
        reaches(&portal, id, "waiting").await;
        let sent = mute.sent();
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|(message, _)| *message == sent[0].0), "{sent:?}");
        mute.answer(&[400]);
        let id = portal.post("/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
        let refused = ended(&portal, id).await;
        assert_eq!(refused["error"]["code"], "refused", "{refused}");
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_is_told_which_rule_says_so() {
    for Scene { portal, .. } in scenes().await {
        let mut restricted = provision();
        restricted["metadata"]["name"] = "restricted".into();
        restricted["spec"]["policy"] =
            json!({"run": "caller.owns && parameters.name != 'root'", "message": "Owners only"});
        with_actions(&portal, &[restricted]).await;
        let (ann, bob) = (person(&portal, "ann", Role::Developer).await, person(&portal, "bob", Role::Developer).await);
        let viewer = person(&portal, "vic", Role::Viewer).await;
        let start = async |token: &str, entity: Value, name: &str| {
            let create = json!({"action": "restricted", "entity": entity, "values": {"name": name}});
            call(&portal, token, "POST", "/api/v1/runs", &create).await
        };
        let ledger = || json!("component:ledger");
        let refused = start(&bob, ledger(), "db").await.problem(403, "forbidden");
        assert!(refused["detail"].as_str().unwrap().contains("Owners only: the policy `caller.owns"), "{refused}");
        start(&ann, ledger(), "root").await.problem(403, "forbidden");
        start(&viewer, ledger(), "db").await.problem(403, "forbidden");
        for (entity, words) in [
            (json!("component:nobody"), "not in the catalog"),
            (json!("group:team-a"), "it is for component"),
            (Value::Null, "run on an entity"),
            (json!("a:b:c"), ""),
        ] {
            let refused = start(&ann, entity, "db").await.json(422);
            assert_eq!(refused["errors"][0]["pointer"], "/entity", "{refused}");
            assert!(refused["errors"][0]["message"].as_str().unwrap().contains(words), "{refused}");
        }
        let refused = start(&ann, ledger(), "No!").await.json(422);
        assert_eq!(refused["errors"][0]["pointer"], "/values/name", "{refused}");
        for body in
            [json!({}), json!({"action": "restricted", "template": "x"}), json!({"template": "x", "entity": "y"})]
        {
            call(&portal, &ann, "POST", "/api/v1/runs", &body).await.is(422);
        }
        start(&ann, ledger(), "db").await.is(202);
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_nobody_vetted_uses_no_connector() {
    for Scene { portal, platform, .. } in scenes().await {
        let folder = portal.folder.join("strange");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("catalog-info.yaml"), ask("1h").to_string()).unwrap();
        crate::sources::add(
            &portal,
            &json!({"type": "path", "target": folder.display().to_string(), "trusted": false}),
        )
        .await;
        let id = portal.post("/api/v1/runs", &json!({"action": "ask"})).await.json(202)["id"].as_i64().unwrap();
        let run = ended(&portal, id).await;
        assert_eq!(run["error"]["code"], "not_allowed", "{run}");
        assert_eq!(platform.effects(), Vec::<String>::new());
        portal.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_an_hour_off_is_told_by_the_platform() {
    let Scene { portal, platform, .. } = scene(None, Duration::from_secs(300)).await;
    portal.clock.advance(TimeDelta::hours(1));
    let restart =
        json!({"steps": [{"id": "r", "action": "webhook", "input": {"connector": "platform", "path": "restarts"}}]});
    with_actions(&portal, &[action("restart", restart)]).await;
    let id = portal.post("/api/v1/runs", &json!({"action": "restart"})).await.json(202)["id"].as_i64().unwrap();
    let run = ended(&portal, id).await;
    assert!(run["error"]["message"].as_str().unwrap().contains("another time"), "{run}");
    portal.clock.advance(TimeDelta::hours(-1));
    let id = portal.post("/api/v1/runs", &json!({"action": "restart"})).await.json(202)["id"].as_i64().unwrap();
    assert_eq!(ended(&portal, id).await["state"], "succeeded");
    assert_eq!(platform.effects(), ["restarted unnamed"]);
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_verify_with_the_reference_library() {
    let Some(python) = std::env::var_os("PORTAL_TEST_STANDARDWEBHOOKS") else {
        println!("skipped: PORTAL_TEST_STANDARDWEBHOOKS names no Python with `standardwebhooks`");
        return;
    };
    let Scene { portal, mute, .. } = scene(None, Duration::from_secs(300)).await;
    with_actions(&portal, &[ask("1h")]).await;
    let create = json!({"action": "ask", "secrets": {"password": "pass \"word\" ü"}});
    let id = portal.post("/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
    reaches(&portal, id, "waiting").await;
    let (headers, body) = mute.0.lock().unwrap().last.clone().unwrap();
    let headers: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    let verify = |body: &str| {
        let script = "import sys, json; from standardwebhooks import Webhook; \
            given = json.loads(sys.argv[1]); Webhook(given['secret']).verify(given['body'], given['headers'])";
        let given = json!({"secret": SECRET, "body": body, "headers": headers}).to_string();
        std::process::Command::new(&python).args(["-c", script, &given]).output().unwrap()
    };
    let output = verify(&body);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!verify(&format!("{body} ")).status.success());
    portal.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_nothing_that_is_waited_for() {
    for Scene { mut portal, platform, mute } in scenes().await {
        let chain = action(
            "chain",
            json!({"steps": [
                {"id": "rest", "action": "wait", "input": {"for": "2h"}},
                {"id": "agree", "action": "approval", "input": {"by": ["group:platform"], "title": "Go on?"}},
                {"id": "ask", "action": "webhook", "input": {"connector": "mute", "path": "do", "waitForCallback": true}},
                {"id": "restart", "action": "webhook", "input": {"connector": "platform", "path": "restarts"}},
            ]}),
        );
        with_actions(&portal, &[chain]).await;
        let bob = person(&portal, "bob", Role::Developer).await;
        let id = portal.post("/api/v1/runs", &json!({"action": "chain"})).await.json(202)["id"].as_i64().unwrap();
        reaches(&portal, id, "waiting").await;
        portal.restart().await;
        portal.clock.advance(TimeDelta::hours(3));
        let mut approval = Value::Null;
        for _ in 0..200 {
            approval =
                portal.get(&format!("/api/v1/approvals?run={id}&state=pending")).await.json(200)["items"][0].clone();
            if approval.is_object() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!((&approval["title"], &approval["step"]), (&json!("Go on?"), &json!("agree")));
        portal.restart().await;
        let votes = format!("/api/v1/approvals/{}/votes", approval["id"]);
        call(&portal, &bob, "POST", &votes, &json!({"approves": true})).await.is(201);
        for _ in 0..200 {
            if !mute.sent().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        portal.restart().await;
        let url = mute.sent()[0].1["callback_url"].as_str().unwrap().to_owned();
        let request = Request::post(&url[url.find("/api/").unwrap()..]).header("content-type", "application/json");
        let report = Body::from(json!({"status": "succeeded"}).to_string());
        portal.send_as_it_is(request.body(report).unwrap()).await.is(200);
        let run = ended(&portal, id).await;
        assert_eq!(run["state"], "succeeded", "{run}");
        // What was sent again was sent under the same id, and was done once.
        assert!(mute.sent().iter().all(|(message, _)| *message == mute.sent()[0].0));
        assert_eq!(platform.effects(), ["restarted unnamed"]);
        portal.end().await;
    }
}

/// A target that answers these bytes, and then more and more of them where it is told to.
async fn raw(answer: &'static str, floods: bool) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = vec![0; 64 << 10];
                let _ = stream.read(&mut read).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                while floods && stream.write_all(&[b'x'; 64 << 10]).await.is_ok() {}
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_misbehaves_harms_nobody() {
    for (answer, floods, state, told) in [
        // 10 GB: what is too much is not read.
        ("HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n", true, "succeeded", ""),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n",
            false,
            "failed",
            "answered 302",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\u{0}{[", false, "succeeded", ""),
        ("SSH-2.0-OpenSSH_9.2\r\n", false, "failed", ""),
    ] {
        let url = raw(answer, floods).await;
        let portal = Portal::with(|config| {
            config.connectors = vec![ConnectorConfig {
                name: "odd".to_owned(),
                kind: ConnectorKind::Webhook,
                url: url.clone(),
                credential: None,
                signing_secret: None,
                preset: None,
                contract: None,
                limit: 8,
                rest_seconds: 30,
            }];
        });
        let portal = portal.await;
        portal.store(&[group("team-a", None), component("ledger", "team-a")]).await;
        let spec =
            json!({"owner": "team-a", "steps": [{"id": "send", "action": "webhook", "input": {"connector": "odd"}}]});
        with_actions(&portal, &[action("send", spec)]).await;
        let id = portal.post("/api/v1/runs", &json!({"action": "action:default/send"})).await.json(202)["id"]
            .as_i64()
            .unwrap();
        for _ in 0..200 {
            if portal.get(&format!("/api/v1/runs/{id}")).await.json(200)["state"] == state {
                break;
            }
            portal.clock.advance(TimeDelta::seconds(5));
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let run = ended(&portal, id).await;
        assert_eq!(run["state"], state, "{answer}: {run}");
        if !told.is_empty() {
            assert!(run["error"]["message"].as_str().unwrap().contains(told), "{run}");
        }
        assert!(run.to_string().len() < 3 << 20, "{answer}");
        portal.end().await;
    }
}

// Somebody with two accounts is one person, and one who may only look decides nothing.
crate::on_both!(four_eyes_are_of_two_people, portal, {
    portal
        .store(&[group("team-a", None), group("platform", None), user("ann", "team-a"), user("bob", "platform")])
        .await;
    let approval = json!({"by": ["group:platform"], "need": 2, "fourEyes": true});
    let steps = json!([{"id": "say", "action": "debug:log", "input": {"message": "done"}}]);
    with_actions(&portal, &[action("deploy", json!({"owner": "team-a", "approval": approval, "steps": steps}))]).await;
    for (name, role) in [("bobby", "developer"), ("robert", "developer"), ("bob-reads", "viewer")] {
        let account = json!({"name": name, "role": role, "user": "user:default/bob"});
        portal.post("/api/v1/accounts", &account).await.is(201);
    }
    let token = async |name: &str, role| person(&portal, name, role).await;
    let (bobby, robert) = (token("bobby", Role::Developer).await, token("robert", Role::Developer).await);
    let (viewer, ann) = (token("bob-reads", Role::Viewer).await, token("ann", Role::Developer).await);
    let create = json!({"action": "deploy"});
    let vote = async |who: &str, id: i64, body: Value| {
        call(&portal, who, "POST", &format!("/api/v1/approvals/{id}/votes"), &body).await
    };
    let asked = async |who: &str| {
        let run = call(&portal, who, "POST", "/api/v1/runs", &create).await.json(202)["id"].as_i64().unwrap();
        let all = portal.get("/api/v1/approvals?state=pending").await.json(200);
        all["items"].as_array().unwrap().iter().find(|one| one["run_id"] == run).unwrap()["id"].as_i64().unwrap()
    };
    let own = asked(&bobby).await;
    assert!(vote(&robert, own, json!({"approves": true})).await.json(403)["detail"].to_string().contains("other than"));
    let id = asked(&ann).await;
    let told = vote(&bobby, id, json!({"approves": true, "comment": "a\u{0}b"})).await.json(422);
    assert_eq!(told["errors"][0]["pointer"], "/comment");
    vote(&viewer, id, json!({"approves": true})).await.is(403);
    let seen = call(&portal, &viewer, "GET", "/api/v1/approvals?mine=true", &Value::Null).await.json(200);
    assert_eq!(seen["total"], 0, "{seen}");
    vote(&bobby, id, json!({"approves": true})).await.is(201);
    vote(&robert, id, json!({"approves": true})).await.problem(409, "voted_already");
});

// What PostgreSQL cannot store harms neither a run nor what comes after it.
crate::on_both!(a_text_that_no_database_takes_stops_nothing, portal, {
    let mut odd = component("odd", "team-a");
    odd["metadata"]["title"] = "x\u{0}y".into();
    portal.store(&[group("team-a", None)]).await;
    let steps = json!([{"id": "say", "action": "debug:log", "input": {"message": "${{ entity.metadata.title }}"}}]);
    let on = json!([{"change": {"kinds": ["Component"]}}]);
    let spec = json!({
        "owner": "team-a", "scope": {"kinds": ["Component"]}, "steps": steps, "triggers": on,
        "confirmation": "Look at ${{ entity.metadata.title }}",
    });
    let text = action("look", spec).to_string();
    portal.put("/api/v1/actions/default/look/draft", &json!({"text": text})).await.is(200);
    portal.post("/api/v1/actions/default/look/versions/1/publish", &json!({})).await.is(200);
    portal.store(&[odd, component("even", "team-a")]).await;
    let done = async || portal.get("/api/v1/runs?action=look&state=succeeded").await.json(200)["total"] == 2;
    let mut looks = 0;
    while !done().await {
        looks += 1;
        assert!(looks < 200, "{}", portal.get("/api/v1/runs").await.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
});

crate::on_both!(an_action_runs_a_template_and_waits_for_it, portal, {
    portal.store(&[group("team-a", None)]).await;
    let template = json!({
        "apiVersion": "scaffolder.backstage.io/v1beta3", "kind": "Template", "metadata": {"name": "inner", "title": "Inner"},
        "spec": {
            "type": "service", "owner": "team-a",
            "parameters": {"required": ["name"], "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}}},
            "steps": [{"id": "say", "action": "debug:log", "input": {"message": "hello ${{ parameters.name }}"}}],
            "output": {"text": [{"title": "Said", "content": "hello ${{ parameters.name }}"}]},
        },
    });
    let outer = |name: &str, steps: Value| {
        let output =
            json!({"text": [{"title": "Inner", "content": "${{ steps.inner.output.output.text[0].content }}"}]});
        action(name, json!({"owner": "team-a", "steps": steps, "output": output}))
    };
    let step = |template: &str, value: &str| json!({"id": "inner", "action": "template", "input": {"template": template, "values": {"name": value}}});
    let all = [
        template,
        outer(
            "good",
            json!([{"id": "if", "action": "condition", "input": {"holds": "${{ 1 < 2 }}"}}, step("inner", "ledger")]),
        ),
        outer("wrong", json!([step("inner", "Not Right")])),
        outer("absent", json!([step("nowhere", "x")])),
        outer(
            "stops",
            json!([{"id": "if", "action": "condition", "input": {"holds": "${{ 1 > 2 }}", "message": "not on a Friday"}}, step("inner", "x")]),
        ),
    ];
    with_actions(&portal, &all).await;
    let go = async |name: &str| {
        let body = json!({"action": format!("action:default/{name}")});
        portal.post("/api/v1/runs", &body).await.json(202)["id"].as_i64().unwrap()
    };
    let id = go("good").await;
    for _ in 0..100 {
        portal.clock.advance(TimeDelta::seconds(3));
        if portal.get(&format!("/api/v1/runs/{id}")).await.json(200)["state"] == "succeeded" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let run = ended(&portal, id).await;
    assert_eq!(run["output"]["text"][0]["content"], "hello ledger", "{run}\n{}", log(&portal, id).await);
    let inner = portal.get("/api/v1/runs?template=inner").await.json(200);
    assert_eq!((&inner["total"], &inner["items"][0]["started_by"]["name"]), (&json!(1), &json!("tester")));
    for (name, code, told) in [
        ("wrong", "invalid_input", "does not match"),
        ("absent", "invalid_input", "nowhere"),
        ("stops", "condition_failed", "not on a Friday"),
    ] {
        let run = ended(&portal, go(name).await).await;
        assert_eq!(run["error"]["code"], code, "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains(told), "{run}");
    }
    assert_eq!(portal.get("/api/v1/runs?template=inner").await.json(200)["total"], 1);
});

crate::on_both!(an_action_is_tried_out_while_it_is_written, portal, {
    portal.store(&[group("team-a", None), component("ledger", "team-a")]).await;
    let spec = json!({
        "owner": "team-a",
        "scope": {"kinds": ["Component"], "condition": "entity.spec.type == 'service'"},
        "confirmation": "Do it to `${{ entity.metadata.name }}`",
        "approval": {"by": ["owner"]},
        "parameters": {"required": ["why"], "properties": {"why": {"type": "string"}}},
        "steps": [
            {"id": "say", "action": "debug:log", "input": {"message": "${{ entity.metadata.name }}: ${{ parameters.why }}"}},
            {"id": "send", "action": "webhook", "input": {"connector": "platform"}},
        ],
    });
    let text = action("draft", spec).to_string();
    let preview = async |entity: Option<&str>, values: Value| {
        let body = json!({"text": text, "entity": entity, "values": values, "dry_run": true});
        portal.post("/api/v1/template-preview", &body).await.json(200)
    };
    let bare = preview(None, json!({"why": "x"})).await;
    assert_eq!(
        (&bare["kinds"], &bare["report"], &bare["refusal"]),
        (&json!(["component"]), &Value::Null, &Value::Null),
        "{bare}"
    );
    let whole = preview(Some("component:default/ledger"), json!({"why": "x"})).await;
    assert_eq!(whole["confirmation"], "Do it to `ledger`", "{whole}");
    assert!(whole["approval"].as_str().unwrap().contains("team-a"), "{whole}");
    assert_eq!(whole["report"]["steps"][0]["log"][0], "ledger: x", "{whole}");
    assert_eq!(whole["report"]["steps"][1]["state"], "succeeded", "nothing is sent: {whole}");
    let faulty = preview(Some("component:default/ledger"), json!({})).await;
    assert_eq!((&faulty["report"], &faulty["form"]["errors"][0]["pointer"]), (&Value::Null, &json!("/why")));
    let unfit = preview(Some("group:default/team-a"), json!({"why": "x"})).await;
    assert!(unfit["refusal"].as_str().unwrap().contains("it is for component"), "{unfit}");
    let elsewhere = text.replace("\"platform\"", "\"nowhere\"");
    let remarked = portal.post("/api/v1/template-preview", &json!({"text": elsewhere})).await.json(200);
    let remark = remarked["faults"].as_array().unwrap().last().unwrap();
    assert_eq!(remark["message"], "the portal has no connector `nowhere`", "{remarked}");
    let body = json!({"text": text, "entity": "component:default/nobody", "values": {}});
    let absent = portal.post("/api/v1/template-preview", &body).await.json(422);
    assert_eq!(absent["errors"][0]["pointer"], "/entity", "{absent}");
});
