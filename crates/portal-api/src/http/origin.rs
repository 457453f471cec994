//! Where a request comes from, and over what: as the socket says, or as a proxy
//! says that the configuration declares.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// How the browser reached the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    #[default]
    Http,
    Https,
}

/// The other end of the socket; the server puts it into each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Put into requests that came over the portal's own TLS.
#[derive(Debug, Clone, Copy)]
pub struct Encrypted;

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// An address, without a port; empty for calls inside the process.
    pub address: String,
    pub scheme: Scheme,
}

/// Puts the [`Origin`] into the request, and tells browsers that came over TLS to come
/// over nothing else. `proxies` are addresses whose
/// `X-Forwarded-*` headers are believed.
pub async fn note(proxies: Arc<[IpAddr]>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let own = if request.extensions().get::<Encrypted>().is_some() { Scheme::Https } else { Scheme::Http };
    let origin = judge(peer, own, request.headers(), &proxies);
    let scheme = origin.scheme;
    request.extensions_mut().insert(origin);
    let mut response = next.run(request).await;
    if scheme == Scheme::Https {
        let for_a_year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, for_a_year);
    }
    response
}

fn judge(peer: Option<IpAddr>, own: Scheme, headers: &HeaderMap, proxies: &[IpAddr]) -> Origin {
    let is_proxy = |address: &IpAddr| proxies.contains(&address.to_canonical());
    let Some(peer) = peer else { return Origin::default() };
    if !is_proxy(&peer) {
        return Origin { address: peer.to_canonical().to_string(), scheme: own };
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Each proxy adds the address that it sees at the end; what stands before the
    // last one that is not ours was written by the caller.
    let seen = text("x-forwarded-for").rsplit(',').map_while(|address| address.trim().parse::<IpAddr>().ok());
    let address = seen.filter(|address| !is_proxy(address)).map(|address| address.to_canonical()).next();
    let scheme = if text("x-forwarded-proto").eq_ignore_ascii_case("https") { Scheme::Https } else { Scheme::Http };
    Origin { address: address.unwrap_or(peer).to_string(), scheme }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_declared_proxies_are_believed() {
        let headers = |pairs: &[(&'static str, &str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
        };
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let told = [("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.0.0.1"), ("x-forwarded-proto", "https")];
        let far = judge(Some("192.0.2.9".parse().unwrap()), Scheme::Http, &headers(&told), &[proxy]);
        assert_eq!((far.address.as_str(), far.scheme), ("192.0.2.9", Scheme::Http));
        let near = judge(Some(proxy), Scheme::Http, &headers(&told), &[proxy]);
        assert_eq!((near.address.as_str(), near.scheme), ("192.0.2.7", Scheme::Https));
        let bare = judge(Some(proxy), Scheme::Http, &headers(&[("x-forwarded-for", "rubbish")]), &[proxy]);
        assert_eq!((bare.address.as_str(), bare.scheme), ("10.0.0.1", Scheme::Http));
    }
}
