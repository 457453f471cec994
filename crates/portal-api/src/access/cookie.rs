//! Cookies that are bound to this host where browsers allow it.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use chrono::TimeDelta;

use crate::http::origin::Scheme;

/// A cookie by its names. Over TLS the name binds it to this host and path; browsers
/// refuse such a name on plain HTTP, which is for loopback only.
pub struct Cookie {
    bound: &'static str,
    plain: &'static str,
}

/// Of a session.
pub const SESSION: Cookie = Cookie { bound: "__Host-portal", plain: "portal_session" };
/// Of a sign-in that is under way at a provider.
pub const PENDING: Cookie = Cookie { bound: "__Host-portal-oidc", plain: "portal_oidc" };

impl Cookie {
    fn name(&self, scheme: Scheme) -> &'static str {
        match scheme {
            Scheme::Https => self.bound,
            Scheme::Http => self.plain,
        }
    }

    /// Its value, as a browser sent it.
    pub fn read<'h>(&self, headers: &'h HeaderMap, scheme: Scheme) -> Option<&'h str> {
        let name = self.name(scheme);
        let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// The header that sets it for a while.
    pub fn set(&self, scheme: Scheme, value: &str, life: TimeDelta) -> HeaderValue {
        let (name, seconds) = (self.name(scheme), life.num_seconds());
        let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        // It is made of characters that headers may have.
        let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }

    /// The header that takes it back.
    pub fn clear(&self, scheme: Scheme) -> HeaderValue {
        self.set(scheme, "", TimeDelta::zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_bound_to_the_scheme() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=b; portal_session=plain"));
        headers.append(COOKIE, HeaderValue::from_static("__Host-portal=bound"));
        assert_eq!(SESSION.read(&headers, Scheme::Http), Some("plain"));
        assert_eq!(SESSION.read(&headers, Scheme::Https), Some("bound"));
        assert_eq!(SESSION.read(&HeaderMap::new(), Scheme::Http), None);
        let gone = SESSION.clear(Scheme::Https);
        assert_eq!(gone, "__Host-portal=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
    }
}
