//! The egress gate against addresses in disguise, moving names and servers that
//! misbehave.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::HeaderValue;
use portal_api::egress::{Answer, Egress, EgressError, EgressPolicy, Fetch, Resolver, Timeouts};

use crate::hostile::Hostile;

/// Names with one answer each; anything else is a failing name server.
struct Names(Vec<(&'static str, &'static str)>);

#[async_trait::async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let known = self.0.iter().find(|(name, _)| *name == host);
        let (_, addresses) = known.ok_or_else(|| io::Error::other("server failure"))?;
        Ok(addresses.split(' ').map(|address| address.parse().unwrap()).collect())
    }
}

fn strict(names: &[(&'static str, &'static str)]) -> Egress {
    Egress::new(EgressPolicy::default(), Arc::new(Names(names.to_vec())))
}

/// Reaches loopback, waits a second at most.
fn lenient() -> Egress {
    patient(Duration::from_secs(1))
}

fn patient(total: Duration) -> Egress {
    let timeouts = Timeouts { connect: Duration::from_millis(500), total };
    let allow_private = vec!["127.0.0.1:*".parse().unwrap()];
    let policy = EgressPolicy { allow_private, timeouts, calls_per_second: 20, ..EgressPolicy::default() };
    Egress::new(policy, Arc::new(Names(vec![("files.test", "127.0.0.1"), ("other.test", "127.0.0.1")])))
}

fn fetch(url: &str) -> Fetch<'_> {
    Fetch { url, etag: None, authorization: None, limit: 1 << 20 }
}

#[tokio::test]
async fn private_addresses_are_refused_in_every_spelling() {
    let names = [
        ("localhost", "127.0.0.1"),
        ("localhost.localdomain", "127.0.0.1"),
        ("127.0.0.1.nip.test", "127.0.0.1"),
        ("intranet", "10.1.2.3"),
        ("mixed.test", "93.184.216.34 10.0.0.1"),
        ("six.test", "fd00::1"),
        ("mapped.test", "::ffff:169.254.169.254"),
        ("metadata.google.internal", "169.254.169.254"),
        ("xn--n1ae.test", "192.168.0.1"),
        ("0", "0.0.0.0"),
    ];
    let gate = strict(&names);
    let spellings = [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.0.0.1./",
        "http://127.000.000.001/",
        "http://0/",
        "http://0.0.0.0/",
        "http://10.0.0.1/",
        "http://10.1/",
        "http://0xa000001/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.0.1/",
        "http://3232235521/",
        "http://169.254.169.254/latest/meta-data",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://169.254.43518/",
        "http://0251.0376.0251.0376/",
        "http://100.64.0.1/",
        "http://192.0.2.1/",
        "http://198.18.0.1/",
        "http://203.0.113.1/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::1]/",
        "http://[::]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:a9fe:a9fe]/x.yaml",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://[2001:db8::1]/",
        "http://[2001::1]/",
        "http://[fec0::1]/",
        "http://１２７.０.０.１/",
        "http://①②⑦.⓪.⓪.①/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://localhost./",
        "http://intranet/",
        "http://mixed.test/",
        "http://six.test/",
        "http://mapped.test/",
        "http://metadata.google.internal/",
        "http://127.0.0.1.nip.test/",
        "https://intranet:443/",
        "http://к.test.invalid/",
        "ssh://git@127.0.0.1/r",
        "ssh://git@0x7f000001/r",
        "ssh://git@[::1]/r",
    ];
    assert!(spellings.len() >= 40);
    for spelling in spellings {
        let error = gate.check(spelling).await.expect_err(spelling);
        assert!(matches!(error.code(), "egress_denied" | "unresolvable_host"), "{spelling}: {error}");
    }
}

#[tokio::test]
async fn what_is_no_plain_url_is_refused() {
    let gate = strict(&[("public.test", "93.184.216.34")]);
    let refused = [
        ("http://127.0.0.1@public.test/", "invalid_url"),
        ("http://user:password@public.test/", "invalid_url"),
        ("http://[fe80::1%25eth0]/", "invalid_url"),
        ("http://[::1%lo]/", "invalid_url"),
        ("http:///x", "unresolvable_host"),
        ("http://public.test\\@127.0.0.1/", "invalid_url"),
        ("http://pub\nlic.test/", "invalid_url"),
        ("", "invalid_url"),
        ("//public.test/", "invalid_url"),
        ("file:///etc/passwd", "egress_denied"),
        ("gopher://public.test/", "egress_denied"),
        ("ftp://public.test/", "egress_denied"),
        ("dict://public.test:11211/", "egress_denied"),
        ("http://public.test:22222/", "egress_denied"),
        ("http://public.test:0/", "egress_denied"),
        ("http://public.test:6379/", "egress_denied"),
        ("javascript:alert(1)", "egress_denied"),
        ("http://public.test:99999/", "invalid_url"),
        ("http://256.256.256.256/", "invalid_url"),
        ("http://1.2.3.4.5/", "invalid_url"),
        ("http://unknown.test/", "unresolvable_host"),
    ];
    for (url, code) in refused {
        assert_eq!(gate.check(url).await.expect_err(url).code(), code, "{url}");
    }
    let target = gate.check("https://Public.TEST./a?b#c").await.unwrap();
    assert_eq!((target.host.as_str(), target.port), ("public.test", 443));
}

/// A name that is public when it is checked and private ever after.
struct Rebinding(AtomicUsize);

#[async_trait::async_trait]
impl Resolver for Rebinding {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(vec![if first { "192.0.2.1".parse().unwrap() } else { "127.0.0.1".parse().unwrap() }])
    }
}

#[tokio::test]
async fn a_name_that_moves_after_the_check_gains_nothing() {
    let canary = Hostile::start().await;
    canary.put("/secret", "secret");
    // The first answer is allowed here so that the check passes; nobody listens there.
    let policy = EgressPolicy {
        allow_private: vec![format!("192.0.2.1:{}", canary.address.port()).parse().unwrap()],
        timeouts: Timeouts { connect: Duration::from_millis(200), total: Duration::from_millis(400) },
        ..EgressPolicy::default()
    };
    let gate = Egress::new(policy, Arc::new(Rebinding(AtomicUsize::new(0))));
    let url = format!("http://moving.test:{}/secret", canary.address.port());
    for _ in 0..5 {
        gate.get(fetch(&url)).await.expect_err("the canary must not be reached");
    }
    assert!(canary.requests().is_empty());
}

#[tokio::test]
async fn documents_are_read_with_their_entity_tag() {
    let server = Hostile::start().await;
    server.put("/a.yaml", "kind: Component");
    let gate = lenient();
    let url = format!("http://files.test:{}/a.yaml", server.address.port());
    let Answer::Body { bytes, etag } = gate.get(fetch(&url)).await.unwrap() else { panic!("a body") };
    assert_eq!(&bytes[..], b"kind: Component");
    let etag = etag.unwrap();
    let again = gate.get(Fetch { etag: Some(&etag), ..fetch(&url) }).await.unwrap();
    assert_eq!(again, Answer::NotModified);
    assert_eq!(server.bodies(), 1);
    let error = gate.get(fetch(&server.url("/absent"))).await.unwrap_err();
    assert!(error.is_absent(), "{error}");
}

#[tokio::test]
async fn redirects_are_checked_hop_by_hop() {
    let server = Hostile::start().await;
    let other = Hostile::start().await;
    server.put("/a.yaml", "a");
    other.put("/b.yaml", "b");
    let gate = lenient();
    let to = |target: &str| {
        let query: String = url::form_urlencoded::byte_serialize(target.as_bytes()).collect();
        server.url(&format!("/redirect?to={query}"))
    };
    let denied = [
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://[::1]:1/",
        "file:///etc/passwd",
        "gopher://x/",
        "http://127.0.0.2/",
        "http://user@127.0.0.1/",
        "//169.254.169.254/",
        "http://unknown.test/",
        "http://",
    ];
    for target in denied {
        let error = gate.get(fetch(&to(target))).await.unwrap_err();
        assert_eq!(error.code(), "redirect_denied", "{target}: {error}");
    }
    let authorization = Some(HeaderValue::from_static("Bearer secret"));
    let hop = to(&other.url("/b.yaml"));
    assert!(gate.get(Fetch { authorization: authorization.clone(), ..fetch(&hop) }).await.is_ok());
    let hop = to("/a.yaml");
    assert!(gate.get(Fetch { authorization, ..fetch(&hop) }).await.is_ok());
    assert!(other.requests().iter().all(|request| !request.headers.contains_key("authorization")));
    assert!(
        server
            .requests()
            .iter()
            .any(|request| request.path == "/a.yaml" && request.headers.contains_key("authorization"))
    );
    // Three hops are followed, a circle is not.
    let three = to(&to(&to("/a.yaml")));
    assert!(gate.get(fetch(&three)).await.is_ok());
    let four = to(&three);
    assert_eq!(gate.get(fetch(&four)).await.unwrap_err().code(), "redirect_denied");
    let before = server.requests().len();
    let circle = server.url("/redirect?to=%2Fredirect%3Fto%3D%252Fredirect");
    assert!(gate.get(fetch(&circle)).await.is_err());
    assert!(server.requests().len() - before <= 4);
}

#[tokio::test]
async fn servers_that_misbehave_cost_bounded_time_and_memory() {
    let server = Hostile::start().await;
    // The budget of time is reached by those who waste it, the budget of bytes
    // long before it by those who send too many.
    let (short, long) = (Duration::from_secs(1), Duration::from_secs(60));
    let cases = [
        ("/hang", short, "timeout"),
        ("/drip", short, "timeout"),
        ("/endless", long, "too_large"),
        ("/liar", long, "too_large"),
        ("/bomb", long, "too_large"),
        ("/500", long, "bad_status"),
        ("/reset", long, "unreachable"),
    ];
    for (path, total, code) in cases {
        let error = patient(total).get(fetch(&server.url(path))).await.expect_err(path);
        assert_eq!(error.code(), code, "{path}: {error}");
    }
    let gate = lenient();
    let closed = gate.get(fetch("http://127.0.0.1:1/")).await.unwrap_err();
    assert_eq!(closed.code(), "unreachable");
    assert!(matches!(closed, EgressError::Transport { .. }));
}

#[tokio::test]
async fn a_host_is_asked_at_its_pace_and_left_alone_when_it_wants() {
    let (gate, hostile) = (lenient(), Hostile::start().await);
    hostile.put("/a.yaml", "a");
    let url = hostile.url("/a.yaml");
    let started = std::time::Instant::now();
    for _ in 0..30 {
        gate.get(fetch(&url)).await.unwrap();
    }
    // 20 at once, the others at 20 a second.
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());

    let busy = gate.get(fetch(&hostile.url("/busy"))).await.unwrap_err();
    assert_eq!(busy.code(), "bad_status");
    let before = hostile.requests().len();
    let resting = gate.get(fetch(&url)).await.unwrap_err();
    assert_eq!(resting.code(), "resting");
    assert!(resting.to_string().contains("left alone for"), "{resting}");
    assert_eq!(hostile.requests().len(), before);
}
