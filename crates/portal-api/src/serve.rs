//! The listening socket: connections with limits that a slow or greedy client
//! cannot pass, and an end that finishes what is under way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::http::crowd::{Crowd, within_files};
use crate::http::origin::{Encrypted, Peer};
use crate::http::tls::Tls;

/// Time for the head of a request to arrive.
const HEAD: Duration = Duration::from_secs(5);
/// Time for requests under way to finish after the signal to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Connections that are served at once.
pub struct Capacity {
    /// In all; more wait in the system's queue.
    pub connections: usize,
    /// Of one address; more are closed.
    pub crowd: Crowd,
    /// Without, it speaks plain HTTP.
    pub tls: Option<Tls>,
}

/// One connection.
struct Talk {
    router: Router,
    peer: SocketAddr,
    builder: auto::Builder<TokioExecutor>,
    watcher: Watcher,
}

impl Talk {
    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S, encrypted: bool) {
        let Self { router, peer, builder, watcher } = self;
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            if encrypted {
                request.extensions_mut().insert(Encrypted);
            }
            router.clone().oneshot(request)
        });
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error = %error, "a connection ended early");
        }
    }
}

/// Serves until `stop`, then lets requests under way finish.
pub async fn serve(listener: TcpListener, router: Router, capacity: Capacity, stop: CancellationToken) {
    let Capacity { connections, crowd, tls } = capacity;
    let permits = Arc::new(Semaphore::new(within_files(connections)));
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(100);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(100).max_header_list_size(16 << 10);
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = permits.clone().acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Most likely no file descriptor is free; one will be soon.
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = crowd.admit(peer.ip()) else {
            tracing::debug!(address = %peer.ip(), "an address has too many connections");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let talk = Talk { router: router.clone(), peer, builder: builder.clone(), watcher: graceful.watcher() };
        let acceptor = tls.as_ref().map(Tls::acceptor);
        tokio::spawn(async move {
            match acceptor {
                None => talk.over(stream, false).await,
                Some(acceptor) => match tokio::time::timeout(HEAD, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => talk.over(stream, true).await,
                    Ok(Err(error)) => tracing::debug!(error = %error, "a connection does not speak TLS"),
                    Err(_) => tracing::debug!("a connection took too long to speak TLS"),
                },
            }
            drop((place, permit));
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in {} s and were cut", DRAIN.as_secs());
    }
}
