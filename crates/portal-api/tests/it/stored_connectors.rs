//! Connectors that are set up in the portal itself: what is saved, what is kept under seal,
//! and that a change holds everywhere.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, StatusCode};
use portal_api::access::seal::Sealer;
use portal_api::connectors::ConnectorConfig;
use portal_core::access::Role;
use portal_core::connectors::ConnectorKind;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::actions::{action, call, person, with_actions};
use crate::harness::{Answer, Portal};
use crate::runs::ended;

const SECRET: &str = "whsec_cG9ydGFsIHNpZ25zIHdoYXQgaXQgc2VuZHM=";

/// A platform that takes everything, and what it was sent.
#[derive(Clone, Default)]
struct Platform {
    heard: Arc<Mutex<Vec<HeaderMap>>>,
    /// Answers of these statuses come first.
    troubles: Arc<Mutex<Vec<u16>>>,
}

impl Platform {
    async fn start(&self) -> String {
        let own = self.clone();
        let take = async move |headers: HeaderMap| {
            own.heard.lock().unwrap().push(headers);
            own.troubles.lock().unwrap().pop().map_or(StatusCode::OK, |status| StatusCode::from_u16(status).unwrap())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
        url
    }

    /// A header of the last request.
    fn last(&self, name: &str) -> Option<String> {
        let heard = self.heard.lock().unwrap();
        heard.last().unwrap().get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

/// Every text of the row of a connector.
async fn row(portal: &Portal, name: &str) -> String {
    let db = portal.app.db.reader();
    let sql = format!("SELECT credential, signing_secret, url, contract, kind FROM connector WHERE name = '{name}'");
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    let column = |name: &str| row.try_get::<Option<String>>("", name).unwrap().unwrap_or_default();
    ["credential", "signing_secret", "url", "contract", "kind"].map(column).join("\n")
}

async fn run(portal: &Portal) -> Value {
    let id = portal.post("/api/v1/runs", &json!({"action": "action:default/ask"})).await.json(202)["id"].as_i64();
    ended(portal, id.unwrap()).await
}

async fn with_ask(portal: &Portal) {
    let step = json!({"id": "ask", "action": "webhook", "input": {"connector": "ci"}});
    with_actions(portal, &[action("ask", json!({"owner": "platform", "steps": [step]}))]).await;
}

fn errors(answer: &Answer, code: &str) -> Vec<String> {
    let problem = answer.problem(422, code);
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

async fn change(portal: &Portal, method: Method, path: &str, etag: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header("if-match", format!("\"{etag}\""));
    let request = request.header("content-type", "application/json").body(body.to_string().into());
    portal.send(request.unwrap()).await
}

crate::on_both!(one_that_was_added_is_used_and_its_secrets_stay_under_seal, portal, {
    let platform = Platform::default();
    let url = platform.start().await;
    with_ask(&portal).await;
    let told = run(&portal).await["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("there is no connector `ci` of the kind `webhook`; there is none"), "{told}");
    let body =
        json!({"name": "ci", "kind": "webhook", "url": url, "credential": "hunter2-of-ci", "signing_secret": SECRET});
    let answer = portal.post("/api/v1/connectors", &body).await;
    let view = answer.json(201);
    assert_eq!(answer.headers["location"], "/api/v1/connectors/ci");
    assert_eq!(answer.headers["etag"], format!("\"{}\"", view["etag"].as_str().unwrap()));
    assert_eq!((&view["origin"], &view["limit"], &view["rest_seconds"]), (&json!("api"), &json!(8), &json!(30)));
    assert_eq!((&view["has_credential"], &view["is_signed"]), (&json!(true), &json!(true)));
    assert_eq!((&view["credential_set_at"], &view["created_by"]), (&view["created_at"], &json!("tester")));
    assert_eq!(view["used_by"], json!(["action:default/ask"]));
    portal.post("/api/v1/connectors", &body).await.problem(409, "connector_exists");
    let found = run(&portal).await;
    assert_eq!(found["state"], "succeeded", "{found}");
    assert_eq!(platform.last("authorization").as_deref(), Some("Bearer hunter2-of-ci"));
    assert!(platform.last("webhook-signature").unwrap().starts_with("v1,"));
    let test = portal.post("/api/v1/connectors/ci/test", &Value::Null).await.json(200);
    assert_eq!((&test["is_well"], &test["status"]), (&json!(true), &json!(200)), "{test}");
    assert_eq!(portal.get("/api/v1/connectors/ci").await.json(200)["tested"], test);

    // What is left out stays, also a secret.
    let before = row(&portal, "ci").await;
    let other = json!({"limit": 3, "rest_seconds": 5});
    let changed = portal.patch("/api/v1/connectors/ci", &other).await.json(200);
    assert_eq!((&changed["limit"], &changed["has_credential"]), (&json!(3), &json!(true)));
    assert_ne!(changed["etag"], view["etag"]);
    assert_eq!(row(&portal, "ci").await, before);
    assert_eq!(portal.patch("/api/v1/connectors/ci", &other).await.json(200)["etag"], changed["etag"]);
    // Another one is used from the next call on, and `null` takes it away.
    portal.patch("/api/v1/connectors/ci", &json!({"credential": "hunter3-of-ci"})).await.is(200);
    run(&portal).await;
    assert_eq!(platform.last("authorization").as_deref(), Some("Bearer hunter3-of-ci"));
    // It does not go along to another host.
    let elsewhere = json!({"url": "http://127.0.0.1:1/elsewhere"});
    assert_eq!(errors(&portal.patch("/api/v1/connectors/ci", &elsewhere).await, "invalid_connector")[0], "/credential");
    let bare = portal.patch("/api/v1/connectors/ci", &json!({"credential": null})).await.json(200);
    assert_eq!((&bare["has_credential"], &bare["credential_set_at"]), (&json!(false), &Value::Null));
    assert_eq!(bare["is_signed"], true);
    run(&portal).await;
    assert_eq!(platform.last("authorization"), None);

    // Nobody gets to read them: not in the database, not in answers, not in feed or log.
    let mut all = vec![before.clone(), row(&portal, "ci").await];
    for path in ["/api/v1/connectors", "/api/v1/connectors/ci", "/api/v1/changes?limit=200", "/api/v1/audit?limit=200"]
    {
        all.push(portal.get(path).await.text());
    }
    for text in &all {
        assert!(!text.contains("hunter") && !text.contains("whsec_") && !text.contains("cG9ydGFs"), "{text}");
    }
    assert!(before.lines().take(2).all(|sealed| sealed.starts_with("1.")), "{before}");
    assert!(!all[4].contains(&url), "the feed, which everybody may read, tells the name only");
    assert!(all[4].contains("connector:ci") && all[5].contains(&url), "{}", all[5]);
    for action in ["connector.create", "connector.update"] {
        assert!(all[5].contains(action), "{}", all[5]);
    }
});

crate::on_both!(one_that_is_changed_meanwhile_or_used_is_not_overwritten_or_removed, portal, {
    let platform = Platform::default();
    let url = platform.start().await;
    with_ask(&portal).await;
    let path = "/api/v1/connectors/ci";
    let body = json!({"name": "ci", "kind": "webhook", "url": url});
    let first = portal.post("/api/v1/connectors", &body).await.json(201)["etag"].as_str().unwrap().to_owned();
    let second = change(&portal, Method::PATCH, path, &first, &json!({"limit": 2})).await.json(200);
    let second = second["etag"].as_str().unwrap();
    change(&portal, Method::PATCH, path, &first, &json!({"limit": 4})).await.problem(412, "precondition_failed");
    change(&portal, Method::DELETE, path, &first, &Value::Null).await.problem(412, "precondition_failed");
    assert_eq!(portal.get(path).await.json(200)["limit"], 2);
    let told = change(&portal, Method::DELETE, path, second, &Value::Null).await.problem(409, "connector_in_use");
    assert!(told["detail"].as_str().unwrap().contains("`action:default/ask`"), "{told}");
    portal.delete(&format!("{path}?force=true")).await.is(204);
    portal.delete(path).await.problem(404, "connector_not_found");
    portal.get(path).await.problem(404, "connector_not_found");
    portal.patch(path, &json!({})).await.problem(404, "connector_not_found");
    portal.post(&format!("{path}/test"), &Value::Null).await.problem(404, "connector_not_found");
    assert!(portal.get("/api/v1/audit").await.text().contains("connector.delete"));
    assert!(run(&portal).await["error"]["message"].as_str().unwrap().contains("there is no connector `ci`"));
    // One that nobody names goes without a word, and its name is free.
    portal.post("/api/v1/connectors", &json!({"name": "spare", "kind": "gitlab", "url": url})).await.is(201);
    portal.delete("/api/v1/connectors/spare").await.is(204);
    portal.post("/api/v1/connectors", &json!({"name": "spare", "kind": "github", "url": url})).await.is(201);
});

// An action that the portal keeps uses a connector as one of a trusted source does, once
// somebody published it who may write sources.
crate::on_both!(a_published_action_keeps_its_connector, portal, {
    let url = Platform::default().start().await;
    portal.store(&[crate::harness::group("team-a", None), crate::harness::user("ann", "team-a")]).await;
    let ann = person(&portal, "ann", Role::Developer).await;
    let (max, path) = (person(&portal, "max", Role::Maintainer).await, "/api/v1/connectors/ci");
    call(&portal, &max, "POST", "/api/v1/connectors", &json!({"name": "ci", "kind": "webhook", "url": url}))
        .await
        .is(201);
    let step = json!({"id": "ask", "action": "webhook", "input": {"connector": "ci"}});
    let text = action("ask", json!({"owner": "team-a", "steps": [step]})).to_string();
    for (who, number, users) in [(&ann, 1, json!([])), (&max, 2, json!(["action:default/ask"]))] {
        call(&portal, who, "PUT", "/api/v1/actions/default/ask/draft", &json!({"text": text})).await.is(200);
        let publish = format!("/api/v1/actions/default/ask/versions/{number}/publish");
        call(&portal, who, "POST", &publish, &json!({})).await.is(200);
        assert_eq!(call(&portal, &max, "GET", path, &Value::Null).await.json(200)["used_by"], users, "{number}");
    }
    let told = call(&portal, &max, "DELETE", path, &Value::Null).await.problem(409, "connector_in_use");
    assert!(told["detail"].as_str().unwrap().contains("`action:default/ask`"), "{told}");
});

crate::on_both!(what_cannot_be_saved_is_told_at_its_field, portal, {
    let path = "/api/v1/connectors";
    let good = json!({"name": "ci", "kind": "webhook", "url": "http://127.0.0.1:9"});
    for (change, code, pointers) in [
        (json!({"name": "a b"}), "invalid_connector", &["/name"][..]),
        (json!({"name": ""}), "invalid_connector", &["/name"]),
        (json!({"url": "ci"}), "invalid_connector", &["/url"]),
        (json!({"url": "https://a:b@ci.example.com"}), "invalid_connector", &["/url"]),
        (json!({"limit": 0, "rest_seconds": 1_000_000}), "invalid_connector", &["/limit", "/rest_seconds"]),
        (json!({"limit": u64::MAX}), "invalid_connector", &["/limit"]),
        (json!({"preset": "portal"}), "invalid_connector", &["/preset"]),
        (json!({"kind": "orchestrator", "preset": "x"}), "invalid_connector", &["/preset"]),
        (json!({"kind": "orchestrator", "contract": {"start": "/"}}), "invalid_connector", &["/contract"]),
        (json!({"kind": "orchestrator", "contract": "start"}), "invalid_connector", &["/contract"]),
        (json!({"credential": "env:CI_TOKEN"}), "invalid_connector", &["/credential"]),
        (json!({"credential": "file:/etc/passwd"}), "invalid_connector", &["/credential"]),
        (json!({"credential": "two\nlines"}), "invalid_connector", &["/credential"]),
        (json!({"kind": "jenkins", "credential": "hunter2"}), "invalid_connector", &["/credential"]),
        (json!({"signing_secret": "hunter2"}), "invalid_connector", &["/signing_secret"]),
        (json!({"name": "?", "credential": ""}), "invalid_connector", &["/name", "/credential"]),
        (json!({"credential": 424_242}), "invalid_body", &["/credential"]),
        (json!({"kind": "ftp"}), "invalid_body", &["/kind"]),
        (json!({"password": "hunter2"}), "invalid_body", &["/password"]),
        // What `[egress]` does not allow.
        (json!({"url": "http://169.254.169.254/latest"}), "egress_denied", &["/url"]),
        (json!({"url": "http://10.0.0.1:8080"}), "egress_denied", &["/url"]),
        (json!({"url": "http://[::1]:9"}), "egress_denied", &["/url"]),
        (json!({"url": "http://0x7f.1.2.3"}), "", &[]),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = portal.post(path, &body).await;
        if code.is_empty() {
            assert!(answer.status.as_u16() < 500, "{change}");
            continue;
        }
        assert_eq!(errors(&answer, code), pointers, "{change}");
        let text = answer.text();
        assert!(!text.contains("hunter2") && !text.contains("424242"), "{text}");
    }
    portal.post(path, &good).await.is(201);
    let own = format!("{path}/ci");
    for (body, code, pointer) in [
        (json!({"url": "http://192.168.1.1"}), "egress_denied", "/url"),
        (json!({"limit": 0}), "invalid_connector", "/limit"),
        (json!({"credential": ""}), "invalid_connector", "/credential"),
        (json!({"contract": {"start": 1}}), "invalid_connector", "/contract"),
        (json!({"name": "other"}), "invalid_body", "/name"),
    ] {
        assert_eq!(errors(&portal.patch(&own, &body).await, code)[0], pointer, "{body}");
    }
    let told = portal.patch(&own, &json!({"url": "http://192.168.1.1"})).await.text();
    assert!(told.contains("egress.allow_private"), "the way out is told: {told}");
    // A whole contract is taken, and comes back.
    let contract = json!({"start": "/d", "body": {}, "id": "/id", "status": "/d/${{ id }}", "state": "/s", "succeeded": ["ok"], "failed": []});
    let body = json!({"kind": "orchestrator", "contract": contract});
    let view = portal.patch(&own, &body).await.json(200);
    assert_eq!((&view["contract"]["start"], &view["kind"]), (&json!("/d"), &json!("orchestrator")));
    assert_eq!(portal.patch(&own, &json!({"contract": null, "preset": "portal"})).await.json(200)["preset"], "portal");
});

/// A portal with `platform` in `portal.toml`, which leads nowhere.
async fn configured() -> Vec<Portal> {
    let change = |config: &mut portal_api::config::Config| {
        config.connectors = vec![ConnectorConfig {
            name: "platform".to_owned(),
            kind: ConnectorKind::Webhook,
            url: "http://127.0.0.1:9".to_owned(),
            credential: None,
            signing_secret: None,
            preset: None,
            contract: None,
            limit: 8,
            rest_seconds: 30,
        }];
    };
    let mut all = vec![Portal::with(change).await];
    all.extend(Portal::postgres_with(change).await);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_of_the_configuration_are_shown_and_left_alone() {
    for portal in configured().await {
        let path = "/api/v1/connectors/platform";
        let body = json!({"name": "platform", "kind": "webhook", "url": "http://127.0.0.1:9"});
        let told = portal.post("/api/v1/connectors", &body).await.problem(409, "configured_connector");
        assert!(told["detail"].as_str().unwrap().contains("`portal.toml`"), "{told}");
        portal.patch(path, &json!({"limit": 1})).await.problem(409, "configured_connector");
        portal.delete(&format!("{path}?force=true")).await.problem(409, "configured_connector");
        let view = portal.get(path).await.json(200);
        assert_eq!(
            (&view["origin"], &view["etag"], &view["hides_stored"]),
            (&json!("config"), &Value::Null, &json!(false))
        );
        // One that was there before its name came into the file is hidden, and can go.
        let db = &portal.app.db;
        let sql = "INSERT INTO connector (name, kind, url, call_limit, rest_seconds, etag, created_at, created_by, updated_at, updated_by) \
                   VALUES ('platform', 'webhook', 'http://127.0.0.1:8', 8, 30, 'x', CURRENT_TIMESTAMP, 'a', CURRENT_TIMESTAMP, 'a')";
        let statement = Statement::from_string(db.reader().get_database_backend(), sql);
        let work = db.write(portal_api::db::Priority::Interactive, move |txn| {
            Box::pin(async move { txn.execute_raw(statement).await.map(drop).map_err(portal_api::db::DbError::from) })
        });
        work.await.unwrap();
        let list = portal.get("/api/v1/connectors").await.json(200);
        assert_eq!((&list["total"], &list["items"][0]["url"]), (&json!(1), &json!("http://127.0.0.1:9")));
        assert_eq!(list["items"][0]["hides_stored"], true);
        portal.delete(path).await.is(204);
        assert_eq!(portal.get(path).await.json(200)["hides_stored"], false);
        // Maintainers set connectors up; auditors see them; others do not know of them.
        let ben = person(&portal, "ben", Role::Maintainer).await;
        let ada = person(&portal, "ada", Role::Auditor).await;
        let dev = person(&portal, "dev", Role::Developer).await;
        let new = json!({"name": "new", "kind": "webhook", "url": "http://127.0.0.1:9"});
        for (token, method, status) in
            [(&dev, "GET", 403), (&dev, "POST", 403), (&ada, "GET", 200), (&ada, "POST", 403), (&ben, "POST", 201)]
        {
            call(&portal, token, method, "/api/v1/connectors", if method == "GET" { &Value::Null } else { &new })
                .await
                .is(status);
        }
        portal.end().await;
    }
}

crate::on_both!(a_change_holds_on_every_replica_and_the_gate_begins_anew, portal, {
    let platform = Platform::default();
    let url = platform.start().await;
    let folder = portal.folder.join("replica");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(portal.folder.join("seal.key"), folder.join("seal.key")).unwrap();
    let (other, router) = portal.replica().await;
    let there = async |method: Method, path: &str, body: &Value| {
        let request = crate::harness::request(method, path, None, Some(body));
        crate::harness::send(&router, request).await
    };
    with_ask(&portal).await;
    let body = json!({"name": "ci", "kind": "webhook", "url": url, "credential": "hunter2", "limit": 1});
    portal.post("/api/v1/connectors", &body).await.is(201);
    let path = "/api/v1/connectors/ci";
    assert_eq!(there(Method::POST, &format!("{path}/test"), &Value::Null).await.json(200)["is_well"], true);
    assert_eq!(platform.last("authorization").as_deref(), Some("Bearer hunter2"));
    there(Method::PATCH, path, &json!({"credential": "hunter3"})).await.is(200);
    portal.post(&format!("{path}/test"), &Value::Null).await.is(200);
    assert_eq!(platform.last("authorization").as_deref(), Some("Bearer hunter3"));
    other.stop.cancel();

    // Five failures in a row, and it rests; changed, it is asked again at once.
    *platform.troubles.lock().unwrap() = vec![503; 5];
    let mut ids = Vec::new();
    for _ in 0..5 {
        let body = json!({"action": "action:default/ask"});
        ids.push(portal.post("/api/v1/runs", &body).await.json(202)["id"].as_i64().unwrap());
    }
    for _ in 0..400 {
        if portal.get(path).await.json(200)["state"] == "resting" {
            break;
        }
        portal.clock.advance(chrono::TimeDelta::milliseconds(300));
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(portal.get(path).await.json(200)["state"], "resting");
    portal.patch(path, &json!({"limit": 8})).await.is(200);
    assert_eq!(portal.get(path).await.json(200)["state"], "ready");
    assert_eq!(run(&portal).await["state"], "succeeded");

    // With another key, a process says so and sends nothing, until everything is sealed with it.
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let old = std::fs::read_to_string(portal.folder.join("seal.key")).unwrap();
    std::fs::write(folder.join("seal.key"), key).unwrap();
    let (strange, router) = portal.replica().await;
    let test = async || {
        let request = crate::harness::request(Method::POST, &format!("{path}/test"), None, Some(&Value::Null));
        crate::harness::send(&router, request).await.json(200)["fault"].clone()
    };
    assert!(test().await.as_str().unwrap().contains("set it again"));
    let before = row(&portal, "ci").await;
    let both = Sealer::of(&format!("{key}\n{old}")).unwrap();
    assert_eq!(portal_api::connectors::reseal(&portal.app.db, &both).await.unwrap(), (1, 0));
    assert_ne!(row(&portal, "ci").await, before);
    assert_eq!(test().await, Value::Null);
    assert_eq!(platform.last("authorization").as_deref(), Some("Bearer hunter3"));
    strange.stop.cancel();
});

/// A target that answers a byte a second, for ever.
async fn dripping() -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
                while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            });
        }
    });
    url
}

crate::on_both!(a_target_that_drips_is_cut_off, portal, {
    with_ask(&portal).await;
    let body = json!({"name": "ci", "kind": "webhook", "url": dripping().await});
    portal.post("/api/v1/connectors", &body).await.is(201);
    let began = std::time::Instant::now();
    let id = portal.post("/api/v1/runs", &json!({"action": "action:default/ask"})).await.json(202)["id"].clone();
    let path = format!("/api/v1/runs/{id}");
    let mut step = Value::Null;
    while step["error"].is_null() && began.elapsed().as_secs() < 30 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        step = portal.get(&path).await.json(200)["steps"][0].clone();
    }
    assert_eq!(step["error"], "`127.0.0.1` did not answer completely within 15 s", "{step}");
    assert!((10..25).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    portal.post(&format!("{path}/cancel"), &Value::Null).await.is(202);
});
