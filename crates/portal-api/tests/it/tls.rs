//! TLS of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portal_api::http::crowd::Crowd;
use portal_api::http::tls::{Tls, TlsConfig};
use portal_api::serve::{Capacity, serve};
use reqwest::{Certificate, Client, Version, redirect};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::harness::Portal;

/// A certificate for `localhost` and its key, in files.
fn certificate(portal: &Portal) -> (TlsConfig, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = TlsConfig { certificate: portal.folder.join("tls.crt"), key: portal.folder.join("tls.key") };
    std::fs::write(&config.certificate, made.cert.pem()).unwrap();
    std::fs::write(&config.key, made.signing_key.serialize_pem()).unwrap();
    (config, made.cert.pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_over_tls_and_says_so() {
    let portal = Portal::sqlite().await;
    portal.post("/api/v1/accounts", &json!({"name": "kim", "role": "developer"})).await.is(201);
    let link = portal.post("/api/v1/accounts/kim/sign-in-link", &json!({})).await.json(201);
    let (config, pem) = certificate(&portal);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let tls = Some(Tls::open(&config).unwrap());
    let capacity = Capacity { connections: 100, crowd: Crowd::new(100, Arc::new([])), tls };
    let server = tokio::spawn(serve(listener, portal_api::router::outer(&portal.app), capacity, stop.clone()));
    let root = Certificate::from_pem(pem.as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([root]).redirect(redirect::Policy::none()).build().unwrap();
    let url = format!("https://localhost:{}", address.port());

    let answer = client.get(format!("{url}/healthz")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().contains("max-age"));
    // Browsers keep a cookie of this name for TLS and this host alone.
    let entered = client.post(format!("{url}{}", link["path"].as_str().unwrap())).send().await.unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-portal=") && cookie.contains("Secure"), "{cookie}");

    // Who does not speak TLS is not answered, and who says nothing is not waited for.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    let began = Instant::now();
    let mut silent = TcpStream::connect(address).await.unwrap();
    let _ = silent.read_to_end(&mut Vec::new()).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // A certificate that nobody has signed is not accepted by others.
    assert!(Client::new().get(format!("{url}/healthz")).send().await.is_err());
    stop.cancel();
    let _ = tokio::time::timeout(Duration::from_secs(30), server).await;
    portal.end().await;
}

#[tokio::test]
async fn files_that_are_no_certificate_are_named() {
    let portal = Portal::sqlite().await;
    let (config, _) = certificate(&portal);
    let (other, _) = {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = portal.folder.join("other.key");
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (key, ())
    };
    let rubbish = portal.folder.join("rubbish");
    std::fs::write(&rubbish, "no certificate").unwrap();
    for (certificate, key, named) in [
        (portal.folder.join("absent"), config.key.clone(), "absent"),
        (rubbish.clone(), config.key.clone(), "rubbish"),
        (config.certificate.clone(), rubbish.clone(), "rubbish"),
        (config.certificate.clone(), other, "tls.crt"),
    ] {
        let error = Tls::open(&TlsConfig { certificate, key }).err().map(|error| format!("{error:#}")).unwrap();
        assert!(error.contains(named) && error.contains("[tls]"), "{error}");
    }
    portal.end().await;
}
