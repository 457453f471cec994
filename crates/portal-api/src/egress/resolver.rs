//! Names to addresses, replaceable in tests.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Looks up the addresses of a host.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|socket| socket.ip()).collect())
    }
}

/// What a pinned client falls back to: nothing resolves.
pub(super) struct Nowhere;

impl reqwest::dns::Resolve for Nowhere {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let refusal = format!("`{}` was not checked", name.as_str());
        Box::pin(async move { Err(refusal.into()) })
    }
}
