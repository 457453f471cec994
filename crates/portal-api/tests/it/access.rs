//! Signing in and out, tokens, roles, and what is logged of it.

use axum::body::Body;
use axum::http::{Method, Request};
use chrono::TimeDelta;
use portal_api::access::{command, first_start};
use portal_api::audit::store::{Verdict, verify};
use portal_api::http::origin::Peer;
use portal_core::access::Role;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::harness::{Answer, Portal, component, group, request, user};
use crate::on_both;

/// Who sends a request.
enum As<'a> {
    Nobody,
    Token(&'a str),
    Cookie(&'a str),
}

async fn call(portal: &Portal, who: As<'_>, method: Method, path: &str, body: Option<Value>) -> Answer {
    let bearer;
    let from = match who {
        As::Nobody => None,
        As::Token(token) => {
            bearer = format!("Bearer {token}");
            Some(("authorization", bearer.as_str()))
        }
        As::Cookie(cookie) => Some(("cookie", cookie)),
    };
    portal.send_as_it_is(request(method, path, from, body.as_ref())).await
}

async fn get(portal: &Portal, who: As<'_>, path: &str) -> Answer {
    call(portal, who, Method::GET, path, None).await
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    set.split(';').next().unwrap().to_owned()
}

/// An account that is signed in, by its cookie.
async fn signed_in(portal: &Portal, name: &str, role: &str) -> String {
    portal.post("/api/v1/accounts", &json!({"name": name, "role": role})).await.is(201);
    let link = portal.post(&format!("/api/v1/accounts/{name}/sign-in-link"), &json!({})).await.json(201);
    let entered = call(portal, As::Nobody, Method::POST, link["path"].as_str().unwrap(), None).await;
    entered.is(303);
    cookie(&entered)
}

async fn token(portal: &Portal, name: &str, role: Role) -> String {
    let db = &portal.app.db;
    command::create_token(db, name, Some(role), None, TimeDelta::hours(1), portal.now()).await.unwrap()
}

on_both!(nobody_gets_in_without_signing_in, portal, {
    for path in [
        "/api/v1/entities",
        "/api/v1/sources",
        "/api/v1/changes",
        "/api/catalog/entities",
        "/metrics",
        "/api/v1/caller",
    ] {
        get(&portal, As::Nobody, path).await.problem_or_backstage(401);
    }
    get(&portal, As::Nobody, "/healthz").await.is(200);
    get(&portal, As::Nobody, "/readyz").await.is(200);
    get(&portal, As::Token("portal_made-up"), "/api/v1/entities").await.problem(401, "unauthenticated");
    let basic = Request::builder().uri("/api/v1/entities").header("authorization", "Basic a2ltOmtpbQ==");
    portal.send_as_it_is(basic.body(Body::empty()).unwrap()).await.problem(401, "unauthenticated");
    let page = get(&portal, As::Nobody, "/catalog?kind=api").await;
    page.is(303);
    assert_eq!(page.headers["location"], "/sign-in?return_to=%2Fcatalog%3Fkind%3Dapi");
    get(&portal, As::Nobody, "/sign-in").await.is(200);
});

on_both!(the_first_link_signs_the_administrator_in_once, portal, {
    let path = first_start::admin_link(&portal.app.db, false, portal.now()).await.unwrap();
    // Looking at it changes nothing.
    let shown = get(&portal, As::Nobody, &path).await;
    shown.is(200);
    let late = first_start::admin_link(&portal.app.db, false, portal.now()).await.unwrap();
    let entered = call(&portal, As::Nobody, Method::POST, &path, None).await;
    entered.is(303);
    assert_eq!(entered.headers["location"], "/profile");
    let cookie = cookie(&entered);
    let caller = get(&portal, As::Cookie(&cookie), "/api/v1/caller").await.json(200);
    assert_eq!((caller["role"].as_str(), caller["known"].as_str()), (Some("admin"), Some("session")));
    call(&portal, As::Nobody, Method::POST, &path, None).await.is(404);
    portal.clock.advance(TimeDelta::minutes(16));
    call(&portal, As::Nobody, Method::POST, &late, None).await.is(404);
});

on_both!(a_password_signs_in_and_guessing_is_slowed_down, portal, {
    let cookie = signed_in(&portal, "kim", "developer").await;
    let change = json!({"new": "a long password of mine"});
    call(&portal, As::Cookie(&cookie), Method::PUT, "/api/v1/session/password", Some(change)).await.is(204);
    let sign_in = |name: &str, password: &str| {
        let body = json!({"name": name, "password": password});
        call(&portal, As::Nobody, Method::POST, "/api/v1/session", Some(body))
    };
    let answer = sign_in("Kim ", "a long password of mine").await;
    answer.is(204);
    let cookie = self::cookie(&answer);
    get(&portal, As::Cookie(&cookie), "/api/v1/entities").await.is(200);
    // Somebody who does not exist is refused in the same words.
    let wrong = sign_in("kim", "wrong").await.problem(401, "unauthenticated");
    let unknown = sign_in("nobody-at-all", "wrong").await.problem(401, "unauthenticated");
    assert_eq!(wrong["detail"], unknown["detail"]);
    for _ in 0..4 {
        sign_in("kim", "wrong").await.is(401);
    }
    let slowed = sign_in("kim", "a long password of mine").await;
    slowed.problem(429, "too_many_requests");
    assert!(slowed.headers.contains_key("retry-after"));
    portal.clock.advance(TimeDelta::minutes(16));
    sign_in("kim", "a long password of mine").await.is(204);
    let wrong = json!({"current": "wrong", "new": "another long password"});
    let fault = call(&portal, As::Cookie(&cookie), Method::PUT, "/api/v1/session/password", Some(wrong)).await;
    assert_eq!(fault.problem(422, "invalid_field")["errors"][0]["pointer"], "/current");
});

on_both!(a_session_dies_within_one_request, portal, {
    let first = signed_in(&portal, "kim", "developer").await;
    let link = portal.post("/api/v1/accounts/kim/sign-in-link", &json!({})).await.json(201);
    let second = cookie(&call(&portal, As::Nobody, Method::POST, link["path"].as_str().unwrap(), None).await);
    let alive = |cookie: String| {
        let portal = &portal;
        async move { get(portal, As::Cookie(&cookie), "/api/v1/entities").await.status == 200 }
    };
    assert!(alive(first.clone()).await && alive(second.clone()).await);
    // Ended by its owner from elsewhere.
    let sessions = get(&portal, As::Cookie(&second), "/api/v1/sessions").await.json(200);
    let other = sessions["items"].as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/api/v1/sessions/{}", other["id"].as_str().unwrap());
    call(&portal, As::Cookie(&second), Method::DELETE, &path, None).await.is(204);
    assert!(!alive(first.clone()).await && alive(second.clone()).await);
    // Signed out.
    call(&portal, As::Cookie(&second), Method::DELETE, "/api/v1/session", None).await.is(204);
    assert!(!alive(second).await);
    // Not used for long, and too old.
    let third = signed_in(&portal, "lee", "developer").await;
    portal.clock.advance(TimeDelta::hours(71));
    assert!(alive(third.clone()).await);
    portal.clock.advance(TimeDelta::hours(73));
    assert!(!alive(third).await);
    let fourth = signed_in(&portal, "mia", "developer").await;
    for _ in 0..6 {
        portal.clock.advance(TimeDelta::hours(48));
        assert!(alive(fourth.clone()).await);
        // That it was used is noted after the answer.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    portal.clock.advance(TimeDelta::hours(49));
    assert!(!alive(fourth).await);
    // Its account is disabled, or has another role.
    let fifth = signed_in(&portal, "ned", "maintainer").await;
    let put = |name: &str| {
        let body = component(name, "team-a");
        call(&portal, As::Cookie(&fifth), Method::PUT, "/api/v1/entities/component/default/a", Some(body))
    };
    put("a").await.is(201);
    portal.patch("/api/v1/accounts/ned", &json!({"role": "viewer"})).await.is(200);
    put("a").await.problem(403, "forbidden");
    portal.patch("/api/v1/accounts/ned", &json!({"disabled": true})).await.is(200);
    assert!(!alive(fifth.clone()).await);
});

on_both!(another_replica_hears_of_it, portal, {
    let cookie = signed_in(&portal, "kim", "developer").await;
    let (app, router) = portal.replica().await;
    let ask = || {
        let request = Request::builder().uri("/api/v1/entities").header("cookie", &cookie);
        crate::harness::send_as_it_is(&router, request.body(Body::empty()).unwrap())
    };
    ask().await.is(200);
    portal.patch("/api/v1/accounts/kim", &json!({"disabled": true})).await.is(200);
    let seq = portal_api::changes::store::last_seq(portal.app.db.reader()).await.unwrap();
    assert!(app.catalog.wait_for(seq).await);
    for _ in 0..100 {
        if ask().await.status == 401 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    ask().await.is(401);
    app.stop.cancel();
});

on_both!(a_token_is_shown_once_and_does_what_it_says, portal, {
    let cookie = signed_in(&portal, "kim", "developer").await;
    let make = |body: Value| call(&portal, As::Cookie(&cookie), Method::POST, "/api/v1/tokens", Some(body));
    let made =
        make(json!({"name": "reads", "role": "viewer", "scopes": ["read_catalog"], "expires_days": 1})).await.json(201);
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("portal_"), "{text}");
    get(&portal, As::Token(text), "/api/v1/entities").await.is(200);
    let refused = get(&portal, As::Token(text), "/api/v1/changes").await.problem(403, "forbidden");
    assert!(refused["detail"].as_str().unwrap().contains("read_changes"), "{refused}");
    let listed = get(&portal, As::Cookie(&cookie), "/api/v1/tokens").await;
    assert!(!listed.text().contains(text), "{}", listed.text());
    let item = &listed.json(200)["items"][0];
    assert_eq!(item["hint"], text[..11]);
    // No more than its maker, in role and in scopes.
    make(json!({"name": "more", "role": "admin"})).await.problem(422, "invalid_field");
    make(json!({"name": ""})).await.problem(422, "invalid_field");
    make(json!({"name": "long", "expires_days": 400})).await.problem(422, "invalid_field");
    let maker = make(json!({"name": "maker", "scopes": ["manage_own_access"]})).await.json(201);
    let maker = maker["token"].as_str().unwrap();
    let wide = json!({"name": "wide", "scopes": ["read_catalog"]});
    call(&portal, As::Token(maker), Method::POST, "/api/v1/tokens", Some(wide)).await.problem(422, "invalid_field");
    let same =
        call(&portal, As::Token(maker), Method::POST, "/api/v1/tokens", Some(json!({"name": "same"}))).await.json(201);
    assert_eq!(same["scopes"], json!(["manage_own_access"]));
    // Revoked and expired.
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    call(&portal, As::Cookie(&cookie), Method::DELETE, &path, None).await.is(204);
    get(&portal, As::Token(text), "/api/v1/entities").await.problem(401, "unauthenticated");
    call(&portal, As::Cookie(&cookie), Method::DELETE, &path, None).await.problem(404, "token_not_found");
    let short = make(json!({"name": "short", "expires_days": 1})).await.json(201);
    let short = short["token"].as_str().unwrap();
    get(&portal, As::Token(short), "/api/v1/entities").await.is(200);
    portal.clock.advance(TimeDelta::days(1));
    get(&portal, As::Token(short), "/api/v1/entities").await.problem(401, "unauthenticated");
});

on_both!(a_token_of_the_command_line_keeps_to_its_account, portal, {
    let admin = token(&portal, "robot", Role::Developer).await;
    get(&portal, As::Token(&admin), "/api/v1/caller").await.is(200);
    let more =
        command::create_token(&portal.app.db, "robot", Some(Role::Admin), None, TimeDelta::hours(1), portal.now());
    assert!(more.await.unwrap_err().to_string().contains("`robot` is `developer`"));
    let odd = command::create_token(&portal.app.db, "Not a name", None, None, TimeDelta::hours(1), portal.now());
    assert!(odd.await.is_err());
    // Whoever loses a role loses it in their tokens.
    portal.patch("/api/v1/accounts/robot", &json!({"role": "viewer"})).await.is(200);
    let put = call(
        &portal,
        As::Token(&admin),
        Method::PUT,
        "/api/v1/entities/component/default/a",
        Some(component("a", "team-a")),
    );
    put.await.problem(403, "forbidden");
    // And gains none by it: a developer may what an auditor may not, and the other way round.
    let auditor = token(&portal, "ann", Role::Auditor).await;
    get(&portal, As::Token(&auditor), "/api/v1/audit").await.is(200);
    portal.patch("/api/v1/accounts/ann", &json!({"role": "developer"})).await.is(200);
    let caller = get(&portal, As::Token(&auditor), "/api/v1/caller").await.json(200);
    assert_eq!(caller["role"], "viewer");
    get(&portal, As::Token(&auditor), "/api/v1/audit").await.problem(403, "forbidden");
});

on_both!(developers_change_what_their_teams_own, portal, {
    let booking = group("booking", Some("product"));
    portal.store(&[group("product", None), booking, group("other", None), user("kim", "booking")]).await;
    portal.store(&[component("theirs", "other"), component("ours", "booking"), component("above", "product")]).await;
    let kim = token(&portal, "kim", Role::Developer).await;
    let caller = get(&portal, As::Token(&kim), "/api/v1/caller").await.json(200);
    assert_eq!(caller["groups"], json!(["group:default/booking", "group:default/product"]), "{caller}");
    let put = |name: &str, owner: &str| {
        let path = format!("/api/v1/entities/component/default/{name}");
        let body = component(name, owner);
        let (portal, kim) = (&portal, kim.as_str());
        async move { call(portal, As::Token(kim), Method::PUT, &path, Some(body)).await }
    };
    put("new", "booking").await.is(201);
    put("above", "booking").await.is(200);
    // Neither taken nor given away.
    for (name, owner) in [("theirs", "booking"), ("theirs", "other"), ("ours", "other"), ("foreign", "other")] {
        let problem = put(name, owner).await.problem(403, "forbidden");
        assert!(problem["detail"].as_str().unwrap().contains("group:default/other"), "{problem}");
    }
    let delete = |name: &str| {
        let path = format!("/api/v1/entities/component/default/{name}");
        let (portal, kim) = (&portal, kim.as_str());
        async move { call(portal, As::Token(kim), Method::DELETE, &path, None).await }
    };
    delete("theirs").await.problem(403, "forbidden");
    delete("new").await.is(204);
    let lines = format!("{}\n{}", component("bulk-ours", "booking"), component("bulk-theirs", "other"));
    let request =
        Request::builder().method("POST").uri("/api/v1/entities/bulk").header("authorization", format!("Bearer {kim}"));
    let result = portal.send_as_it_is(request.body(Body::from(lines)).unwrap()).await.json(207);
    assert_eq!((&result["items"][0]["status"], &result["items"][1]["status"]), (&json!(201), &json!(403)), "{result}");
    // Groups decide who may what: they are not for everybody to write.
    let own =
        call(&portal, As::Token(&kim), Method::PUT, "/api/v1/entities/group/default/mine", Some(group("mine", None)));
    own.await.problem(403, "forbidden");
    let kind = json!({"api_versions": ["example.com/v1"], "kind": "Robot", "plural": "robots", "schema": {"type": "object"}, "relation_fields": []});
    call(&portal, As::Token(&kim), Method::PUT, "/api/v1/kinds/Robot", Some(kind)).await.problem(403, "forbidden");
});

on_both!(a_source_reaches_no_further_than_who_adds_it, portal, {
    let kim = token(&portal, "kim", Role::Developer).await;
    for (extra, allowed) in [
        (json!({"type": "path", "target": "/etc/*.yaml"}), false),
        (json!({"type": "http", "target": "http://127.0.0.1:9/a.yaml", "credential": "env:HOME"}), false),
        (json!({"type": "http", "target": "http://127.0.0.1:9/a.yaml", "trusted": true}), false),
        (json!({"type": "http", "target": "http://127.0.0.1:9/a.yaml", "webhook_secret": "env:HOME"}), false),
        (json!({"type": "http", "target": "http://127.0.0.1:9/a.yaml"}), true),
    ] {
        let preview =
            call(&portal, As::Token(&kim), Method::POST, "/api/v1/sources/preview", Some(extra.clone())).await;
        assert_eq!(preview.status == 403, !allowed, "{extra}: {}", preview.text());
        let added = call(&portal, As::Token(&kim), Method::POST, "/api/v1/sources", Some(extra.clone())).await;
        assert_eq!(added.status.as_u16(), if allowed { 201 } else { 403 }, "{extra}: {}", added.text());
    }
});

on_both!(accounts_are_the_administrators, portal, {
    portal.post("/api/v1/accounts", &json!({"name": "kim", "role": "developer", "title": "Kim Doe"})).await.is(201);
    portal.post("/api/v1/accounts", &json!({"name": "kim", "role": "viewer"})).await.problem(409, "account_exists");
    for name in ["", "Kim", "-kim", "k m", "guest", "system", &"a".repeat(64)] {
        portal.post("/api/v1/accounts", &json!({"name": name, "role": "viewer"})).await.problem(422, "invalid_field");
    }
    let user = json!({"name": "lee", "role": "viewer", "user": "component:default/a"});
    portal.post("/api/v1/accounts", &user).await.problem(422, "invalid_field");
    let changed =
        portal.patch("/api/v1/accounts/kim", &json!({"title": "Kim", "user": "User:default/Kim"})).await.json(200);
    assert_eq!((changed["title"].as_str(), changed["user"].as_str()), (Some("Kim"), Some("user:default/kim")));
    portal.patch("/api/v1/accounts/nobody-here", &json!({})).await.problem(404, "account_not_found");
    // Somebody must stay.
    portal.delete("/api/v1/accounts/tester").await.problem(409, "last_admin");
    portal.patch("/api/v1/accounts/tester", &json!({"role": "viewer"})).await.problem(409, "last_admin");
    portal.patch("/api/v1/accounts/tester", &json!({"disabled": true})).await.problem(409, "last_admin");
    portal.get("/api/v1/accounts").await.is(200);
    portal.delete("/api/v1/accounts/kim").await.is(204);
    portal.delete("/api/v1/accounts/kim").await.problem(404, "account_not_found");
});

on_both!(everything_is_logged_and_the_log_cannot_be_changed, portal, {
    let cookie = signed_in(&portal, "kim", "developer").await;
    let wrong = json!({"name": "kim", "password": "wrong"});
    call(&portal, As::Nobody, Method::POST, "/api/v1/session", Some(wrong)).await.is(401);
    call(&portal, As::Cookie(&cookie), Method::GET, "/api/v1/accounts", None).await.problem(403, "forbidden");
    portal.store(&[component("a", "team-a")]).await;
    call(&portal, As::Cookie(&cookie), Method::DELETE, "/api/v1/session", None).await.is(204);
    // A refusal is logged after its answer.
    let mut log = Value::Null;
    for _ in 0..100 {
        log = portal.get("/api/v1/audit?limit=200").await.json(200);
        if log["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "refusal") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let lines: Vec<(String, String, String)> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap().to_owned();
            (text("name"), text("action"), text("outcome"))
        })
        .collect();
    for (name, action, outcome) in [
        ("tester", "account.create", "done"),
        ("tester", "account.link", "done"),
        ("kim", "sign_in", "done"),
        ("kim", "sign_in", "failed"),
        ("kim", "refusal", "refused"),
        ("tester", "entity.create", "done"),
        ("kim", "sign_out", "done"),
    ] {
        let found = lines.iter().any(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()) == (name, action, outcome));
        assert!(found, "{name} {action} {outcome}: {lines:#?}");
    }
    let filtered = portal.get("/api/v1/audit?actor=kim&action=sign&outcome=failed").await.json(200);
    assert_eq!(filtered["total"], 1, "{filtered}");
    let exported = portal.get("/api/v1/audit/export").await;
    assert_eq!(exported.text().lines().count() as u64, log["total"].as_u64().unwrap());
    let feed = portal.get("/api/v1/changes").await;
    assert!(!feed.text().contains("access:"), "{}", feed.text());

    let db = portal.app.db.reader();
    assert!(matches!(verify(db).await.unwrap(), Verdict::Whole { rows, .. } if rows >= 7));
    let tamper = |sql: &str| Statement::from_string(portal.app.db.backend(), sql.to_owned());
    db.execute_raw(tamper("UPDATE audit SET name = 'somebody' WHERE seq = 3")).await.unwrap();
    assert_eq!(verify(db).await.unwrap(), Verdict::Broken { seq: 3 });
    db.execute_raw(tamper("DELETE FROM audit WHERE seq = 2")).await.unwrap();
    assert_eq!(verify(db).await.unwrap(), Verdict::Broken { seq: 3 });
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_look_around_and_change_nothing() {
    let portal = Portal::with(|config| config.access.guests = Some(true)).await;
    portal.store(&[component("a", "team-a")]).await;
    get(&portal, As::Nobody, "/api/v1/entities/component/default/a").await.is(200);
    get(&portal, As::Nobody, "/catalog").await.is(200);
    let caller = get(&portal, As::Nobody, "/api/v1/caller").await.json(200);
    assert_eq!(caller["known"], "guest");
    assert_eq!(caller["can"]["write_catalog"]["allowed"], false);
    let put =
        call(&portal, As::Nobody, Method::PUT, "/api/v1/entities/component/default/b", Some(component("b", "team-a")));
    put.await.problem(401, "unauthenticated");
    let star = call(&portal, As::Nobody, Method::PUT, "/api/v1/marks/star/component/default/a", None);
    star.await.problem(401, "unauthenticated");
    get(&portal, As::Nobody, "/api/v1/audit").await.problem(401, "unauthenticated");
    portal.end().await;
}

/// A form of the sign-in page, as a browser posts it.
async fn post_form(portal: &Portal, body: &str) -> Answer {
    let request = Request::builder().method("POST").uri("/sign-in");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    portal.send_as_it_is(request.body(Body::from(body.to_owned())).unwrap()).await
}

on_both!(the_sign_in_page_leads_back_to_this_portal_only, portal, {
    let cookie = signed_in(&portal, "kim", "developer").await;
    let change = json!({"new": "a long password of mine"});
    call(&portal, As::Cookie(&cookie), Method::PUT, "/api/v1/session/password", Some(change)).await.is(204);
    for (return_to, expected) in
        [("%2Fcatalog%3Fq%3Da", "/catalog?q=a"), ("https%3A%2F%2Fevil.example", "/"), ("%2F%2Fevil.example", "/")]
    {
        let answer =
            post_form(&portal, &format!("name=kim&password=a+long+password+of+mine&return_to={return_to}")).await;
        answer.is(303);
        assert_eq!(answer.headers["location"], expected);
    }
    let wrong = post_form(&portal, "name=%3Cb%3Ekim&password=wrong").await;
    wrong.is(401);
    assert!(wrong.text().contains("The name or the password is wrong") && !wrong.text().contains("<b>kim"));
    // A page of another site cannot sign anybody in or out.
    let request = Request::builder()
        .method("POST")
        .uri("/sign-out")
        .header("sec-fetch-site", "cross-site")
        .header("cookie", &cookie);
    portal.send_as_it_is(request.body(Body::empty()).unwrap()).await.is(403);
    get(&portal, As::Cookie(&cookie), "/api/v1/entities").await.is(200);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_browsers_are_told_to_stay_there() {
    let portal = Portal::with(|config| config.proxy.trusted = vec!["127.0.0.1".parse().unwrap()]).await;
    for (peer, told) in [("127.0.0.1:9", Some("max-age=31536000")), ("192.0.2.7:9", None)] {
        let request = Request::builder().uri("/sign-in").header("x-forwarded-proto", "https");
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        let answer = portal.send_as_it_is(request).await;
        answer.is(200);
        let header = answer.headers.get("strict-transport-security").map(|header| header.to_str().unwrap());
        assert_eq!(header, told, "{peer}");
    }
    portal.end().await;
}
