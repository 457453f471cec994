//! A canary inside the network, and everything that makes the portal send a request:
//! in whatever spelling it is asked to, no packet reaches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Portal, component};

/// Listens on a port of both loopbacks and counts who connects.
struct Canary {
    port: u16,
    seen: Arc<AtomicUsize>,
}

impl Canary {
    async fn start() -> Self {
        let seen = Arc::new(AtomicUsize::new(0));
        let four = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = four.local_addr().unwrap().port();
        // Where there is no IPv6, nothing can be reached by it.
        let six = TcpListener::bind(("::1", port)).await.ok();
        for listener in [Some(four), six].into_iter().flatten() {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    seen.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { port, seen }
    }

    #[track_caller]
    fn is_untouched(&self, after: &str) {
        assert_eq!(self.seen.load(Ordering::Relaxed), 0, "the canary was reached by {after}");
    }
}

/// Loopback and what stands for it, in every spelling that a library may understand.
fn hosts() -> Vec<String> {
    let mut hosts: Vec<String> = [
        "127.0.0.1",
        "127.0.0.2",
        "127.1",
        "127.0.1",
        "127.255.255.254",
        "127.0.0.1.",
        "127.1.",
        "127.000.000.001",
        "2130706433",
        "2130706433.",
        "0x7f000001",
        "0X7F000001",
        "0x7F.0x0.0x0.0x1",
        "0x7f.1",
        "0x7f.0.1",
        "127.0x1",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.01",
        "00000177.0.0.1",
        "0177.1",
        "127.0.0.0x1",
        "127.0.0.01",
        "0",
        "0.",
        "0x0",
        "00",
        "0.0.0.0",
        "0.0.0",
        "0.0",
        "0x00000000",
        "000.000.000.000",
        "4294967296",
        "2130706433.0",
        "127.0.0.1.0",
        "256.127.0.1",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::0001]",
        "[0::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::FFFF:127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2002:7f00:0001::1]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[::1%25lo]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff01::1]",
        "[ff02::1]",
        "localhost",
        "LOCALHOST",
        "LocalHost",
        "localhost.",
        "localhost.localdomain",
        "ip6-localhost",
        "ip6-loopback",
        "a.localhost",
        "localhost%00",
        "localhost%2e",
        "%6c%6f%63%61%6c%68%6f%73%74",
        "%31%32%37.0.0.1",
        "127%2e0%2e0%2e1",
        "127.0.0.1%20",
        "127.0.0.1%23",
        "127.0.0.1%2f",
        "１２７.０.０.１",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127．0．0．1",
        "127｡0｡0｡1",
        "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
        "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
        "ｌｏｃａｌｈｏｓｔ",
        "lo\u{ad}calhost",
        "example.com@127.0.0.1",
        "example.com:80@127.0.0.1",
        "user:pass@127.0.0.1",
        "example.com%40@127.0.0.1",
        "@127.0.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:a9fe:a9fe]",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
    ]
    .map(str::to_owned)
    .to_vec();
    // By the name of this machine, which leads here as well.
    hosts.extend(
        std::fs::read_to_string("/etc/hostname")
            .ok()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty()),
    );
    hosts
}

/// Answers every request with a redirect to where its path says.
async fn redirector(asked: Arc<AtomicUsize>) -> u16 {
    async fn away(uri: Uri) -> (StatusCode, HeaderMap) {
        let first = uri.path().split('/').nth(1).unwrap_or_default();
        let to = HeaderValue::from_bytes(&hex::decode(first).unwrap_or_default());
        (StatusCode::FOUND, to.into_iter().map(|to| (header::LOCATION, to)).collect())
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(move |uri: Uri| {
        asked.fetch_add(1, Ordering::Relaxed);
        away(uri)
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_packet_reaches_what_is_inside() {
    let canary = Canary::start().await;
    let redirected = Arc::new(AtomicUsize::new(0));
    let redirects = redirector(Arc::clone(&redirected)).await;
    let portal = Portal::with(|config| {
        config.limits.reads_per_second = 0;
        config.limits.writes_per_second = 0;
        // The port is none of the obstacles, and one server inside is allowed.
        config.egress.ports = vec![canary.port];
        config.egress.allow_private = vec![format!("127.0.0.1:{redirects}")];
        config.egress.allow_calls = Vec::new();
        config.egress.calls_per_second = 10_000;
    })
    .await;
    let port = canary.port;
    let mut targets: Vec<String> = Vec::new();
    for host in hosts() {
        targets.push(format!("http://{host}:{port}/catalog-info.yaml"));
    }
    for odd in [
        "http:\\\\127.0.0.1",
        "http:/127.0.0.1",
        "http:127.0.0.1",
        "HTTP://127.0.0.1",
        "http:///127.0.0.1",
        " http://127.0.0.1",
        "http://\t127.0.0.1",
        "gopher://127.0.0.1",
        "ftp://127.0.0.1",
        "dict://127.0.0.1",
        "//127.0.0.1",
    ] {
        targets.push(format!("{odd}:{port}/x.yaml"));
    }
    assert!(targets.len() >= 100, "{}", targets.len());

    let mut asked = 0;
    for target in &targets {
        let encoded = hex::encode(target);
        let around = format!("http://127.0.0.1:{redirects}/{encoded}/catalog-info.yaml");
        let repository = format!("http://127.0.0.1:{redirects}/{encoded}/r.git");
        let git = target.replace("/catalog-info.yaml", "/r.git");
        for (path, body) in [
            ("/api/v1/sources/preview", json!({"type": "http", "target": target})),
            ("/api/v1/sources/preview", json!({"type": "git", "target": git})),
            (
                "/api/v1/sources/preview",
                json!({"type": "git", "target": format!("ssh://git@{}", git.trim_start_matches("http://"))}),
            ),
            ("/api/v1/sources/preview", json!({"type": "http", "target": around})),
            ("/api/v1/sources/preview", json!({"type": "git", "target": repository})),
            ("/api/v1/sources", json!({"type": "http", "target": target})),
            ("/api/catalog/locations?dryRun=true", json!({"type": "url", "target": target})),
            ("/api/catalog/analyze-location", json!({"location": {"type": "url", "target": target}})),
        ] {
            let answer = portal.post(path, &body).await;
            assert!(answer.status.as_u16() < 500, "{path} {body}: {}", answer.text());
            canary.is_untouched(&format!("{path} {body}"));
            asked += 1;
        }
    }

    // The way around was taken each time, as far as its first step.
    assert!(redirected.load(Ordering::Relaxed) >= 2 * targets.len(), "{redirected:?}");

    // What files of the catalog lead to.
    let folder = portal.folder.join("files");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, target) in targets.iter().enumerate() {
        let quoted = Value::from(target.as_str());
        let text = format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: l{number}\nspec:\n  type: url\n  targets: [{quoted}]\n---\n\
             apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: a{number}\nspec:\n  type: openapi\n  lifecycle: production\n  owner: team-a\n  definition:\n    $text: {quoted}\n"
        );
        std::fs::write(folder.join(format!("{number}.yaml")), text).unwrap();
    }
    crate::sources::add(&portal, &crate::sources::path_source(&folder)).await;
    canary.is_untouched("a file of the catalog");

    // Requests that people send to the servers of a definition.
    for (number, target) in targets.iter().enumerate() {
        let definition = json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "servers": [{"url": target}],
            "paths": {"/x": {"get": {"operationId": "x", "responses": {"200": {"description": "ok"}}}}}});
        let mut api = component(&format!("call-{number}"), "team-a");
        api["kind"] = json!("API");
        api["spec"]["type"] = json!("openapi");
        api["spec"]["definition"] = json!(definition.to_string());
        portal.store(&[api]).await;
        let path = format!("/api/v1/entities/api/default/call-{number}/definition/call");
        let answer = portal.post(&path, &json!({"operation": "x", "parameters": []})).await;
        assert!(answer.status.as_u16() < 500, "{target}: {}", answer.text());
        canary.is_untouched(&format!("a call to {target}"));
        asked += 1;
    }
    println!("{asked} requests with {} spellings, and as many in files: none reached the canary", targets.len());

    // The canary does sing.
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(canary.seen.load(Ordering::Relaxed) > 0);
    portal.end().await;
}
