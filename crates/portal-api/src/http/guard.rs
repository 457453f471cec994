//! Requests that a browser makes for somebody else are refused.
//!
//! A browser sends the cookie of a session along with what any page asks it to
//! send, and every page that somebody opens can reach a portal on their machine.
//! So a browser's write must come from the portal's own pages, and the name
//! under which a browser reached it must be one of ours; otherwise a page could
//! point its own name here and read everything. Programs are not concerned:
//! they send neither `Origin` nor `Sec-Fetch-Site`, and the address they called.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Passes what may be answered on. `hosts` are names beside this machine's own.
pub async fn check(hosts: Arc<[String]>, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    if !is_text(request.uri().path()) {
        return ApiError::bad("malformed_path", "the path is not UTF-8, or holds a NUL").into_response();
    }
    match judge(request.method(), request.headers(), authority, &hosts) {
        Ok(()) => next.run(request).await,
        Err(reason) => ApiError::Forbidden(reason).into_response(),
    }
}

fn judge(method: &Method, headers: &HeaderMap, authority: Option<&str>, hosts: &[String]) -> Result<(), String> {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap_or_default());
    // Requests without a name come from programs; browsers always send one.
    let host = text(header::HOST).or(authority);
    if let Some(host) = host
        && !is_ours(name_of(host), hosts)
    {
        let host: String = host.chars().take(100).collect();
        return Err(format!("`{host}` is not a name of this portal; list it as `hosts` under [limits] in portal.toml"));
    }
    if method.is_safe() {
        return Ok(());
    }
    let foreign = match text(header::HeaderName::from_static("sec-fetch-site")) {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => text(header::ORIGIN).is_some_and(|origin| {
            let origin = origin.split_once("://").map(|(_, origin)| origin);
            origin.is_none() || origin != host
        }),
    };
    if foreign {
        return Err("the request comes from a page of another site".to_owned());
    }
    Ok(())
}

/// Whether a path is UTF-8 behind its percent signs.
fn is_text(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail.get(..2).filter(|_| *first == b'%').and_then(|pair| hex::decode(pair).ok());
        match pair {
            Some(byte) => {
                decoded.extend(byte);
                rest = &tail[2..];
            }
            None => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    // PostgreSQL stores no NUL, and nothing here is named with one.
    std::str::from_utf8(&decoded).is_ok_and(|text| !text.contains('\0'))
}

/// The host of `host:port`, without the brackets of an IPv6 address.
fn name_of(authority: &str) -> &str {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[') {
        Some(address) => address.split_once(']').map_or(address, |(address, _)| address),
        None => authority.split_once(':').map_or(authority, |(name, _)| name),
    }
}

fn is_ours(name: &str, hosts: &[String]) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || hosts.iter().any(|host| host.eq_ignore_ascii_case(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, pairs: &[(&str, &str)], allowed: bool) {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let hosts = ["portal.example.com".to_owned()];
        assert_eq!(judge(&method, &headers, None, &hosts).is_ok(), allowed, "{method} {pairs:?}");
    }

    #[test]
    fn paths_are_text() {
        for path in ["/", "/a%20b", "/%C3%A9", "/%", "/%zz", "/%4"] {
            assert!(is_text(path), "{path}");
        }
        for path in ["/%FF", "/a/%C3/b", "/%E0%A4%A", "/a%00"] {
            assert!(!is_text(path), "{path}");
        }
    }

    #[test]
    fn programs_pass() {
        check(Method::POST, &[("host", "127.0.0.1:7070")], true);
        check(Method::POST, &[], true);
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused() {
        for host in ["localhost", "localhost:7070", "[::1]:7070", "127.0.0.5", "LOCALHOST.", "a.localhost:1"] {
            check(Method::GET, &[("host", host)], true);
        }
        check(Method::GET, &[("host", "Portal.example.com")], true);
        for host in ["evil.example", "127.0.0.1.evil.example:7070", "localhost.evil.example", "10.0.0.1", "", "[::2]"] {
            check(Method::GET, &[("host", host)], false);
        }
    }

    #[test]
    fn pages_of_other_sites_cannot_write() {
        let host = ("host", "127.0.0.1:7070");
        check(Method::POST, &[host, ("sec-fetch-site", "same-origin")], true);
        check(Method::POST, &[host, ("sec-fetch-site", "none")], true);
        for site in ["cross-site", "same-site", ""] {
            check(Method::POST, &[host, ("sec-fetch-site", site)], false);
            check(Method::GET, &[host, ("sec-fetch-site", site)], true);
        }
        check(Method::DELETE, &[host, ("origin", "http://127.0.0.1:7070")], true);
        for origin in ["http://evil.example", "null", "http://127.0.0.1:8080", "http://127.0.0.1"] {
            check(Method::DELETE, &[host, ("origin", origin)], false);
        }
    }
}
