//! How often one caller may ask.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use chrono::TimeDelta;
use portal_api::access::command;
use portal_api::http::origin::Peer;
use portal_core::access::Role;

use crate::harness::{Answer, Portal};

async fn ask(portal: &Portal, method: &str, path: &str, token: Option<&str>, from: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let peer: SocketAddr = format!("{from}:4000").parse().unwrap();
    portal.send_as_it_is(request.extension(Peer(peer)).body(Body::empty()).unwrap()).await
}

fn number(headers: &HeaderMap, name: &str) -> u32 {
    headers[name].to_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_caller_is_slowed_down_and_the_others_are_not() {
    let portal = Portal::with(|config| {
        config.limits.reads_per_second = 20;
        config.limits.writes_per_second = 2;
        config.access.guests = Some(true);
    })
    .await;
    let token = async |name: &str| {
        let (db, life) = (&portal.app.db, TimeDelta::hours(1));
        command::create_token(db, name, Some(Role::Developer), None, life, portal.now()).await.unwrap()
    };
    let (kim, alex) = (token("kim").await, token("alex").await);
    let (here, there) = ("192.0.2.1", "192.0.2.2");

    // Every answer says how much is left.
    let first = ask(&portal, "GET", "/api/v1/entities", Some(&kim), here).await;
    assert_eq!((number(&first.headers, "ratelimit-limit"), number(&first.headers, "ratelimit-reset")), (40, 1));
    assert_eq!(number(&first.headers, "ratelimit-remaining"), 39);
    let mut slowed = None;
    for _ in 0..200 {
        let answer = ask(&portal, "GET", "/api/v1/entities", Some(&kim), here).await;
        if answer.status != 200 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("nobody slows down two hundred reads at once");
    slowed.problem(429, "too_many_requests");
    assert!(number(&slowed.headers, "retry-after") >= 1);
    // It is the account that counts, not the address; and reads are not writes.
    ask(&portal, "GET", "/api/v1/entities", Some(&kim), there).await.is(429);
    ask(&portal, "GET", "/api/v1/entities", Some(&alex), here).await.is(200);
    ask(&portal, "DELETE", "/api/v1/marks/star/component/default/x", Some(&kim), here).await.is(204);
    let writes = async |token: &str| {
        let mut done = 0;
        for _ in 0..40 {
            done += u32::from(
                ask(&portal, "DELETE", "/api/v1/marks/star/component/default/x", Some(token), here).await.status == 204,
            );
        }
        done
    };
    let done = writes(&alex).await;
    assert!((20..40).contains(&done), "{done}");

    // Whoever is not known is counted by address.
    while ask(&portal, "GET", "/api/v1/entities", None, here).await.status == 200 {}
    ask(&portal, "GET", "/api/v1/entities", None, there).await.is(200);
    ask(&portal, "GET", "/healthz", None, there).await.is(200);

    // Guessing is slowed down first of all, and hinders nobody else.
    let mut refused = Vec::new();
    for attempt in 0..60 {
        let answer =
            ask(&portal, "GET", "/api/v1/entities", Some(&format!("portal_guess-{attempt}")), "192.0.2.3").await;
        refused.push(answer.status.as_u16());
    }
    assert!(refused.starts_with(&[401; 20]) && refused.ends_with(&[429; 10]), "{refused:?}");
    ask(&portal, "GET", "/api/v1/entities", Some("portal_guess"), "192.0.2.4").await.is(401);
    ask(&portal, "GET", "/api/v1/entities", Some(&token("robin").await), "192.0.2.3").await.is(200);
    portal.end().await;
}
