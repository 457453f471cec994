//! What the operator allows beyond the public internet.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

/// The limits and exceptions of the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Hosts and networks that may be private.
    pub allow_private: Vec<AllowRule>,
    /// Ports of public hosts.
    pub ports: Vec<u16>,
    /// Origins that are read from another place.
    pub mirrors: Vec<Mirror>,
    /// Redirects to follow, at most.
    pub hops: usize,
    /// Calls to one host in a second; one second's worth may come at once.
    pub calls_per_second: u32,
    pub timeouts: Timeouts,
    /// Certificates (PEM) that are trusted beside the public ones.
    pub certificates: Vec<Vec<u8>>,
}

impl Default for EgressPolicy {
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            ports: vec![443, 80, 22],
            mirrors: Vec::new(),
            hops: 3,
            calls_per_second: 10,
            timeouts: Timeouts::default(),
            certificates: Vec::new(),
        }
    }
}

/// How long the gate waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a name server, and for a connection.
    pub connect: Duration,
    /// For a fetch in all, redirects and body included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// `https://github.com` read from `https://mirror.internal/github`: for places
/// that cannot reach the internet. The replacement goes through the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Scheme and host that are replaced.
    pub origin: Url,
    pub replacement: Url,
}

impl EgressPolicy {
    /// Whether the operator listed this place.
    pub(super) fn allows(&self, host: &str, port: u16, address: IpAddr) -> bool {
        self.allow_private.iter().any(|rule| rule.matches(host, port, address))
    }

    /// The URL to fetch instead, if its origin has a mirror.
    pub(super) fn mirrored(&self, url: Url) -> Url {
        let Some(mirror) = self.mirrors.iter().find(|mirror| mirror.origin.origin() == url.origin()) else {
            return url;
        };
        let mut replaced = mirror.replacement.clone();
        replaced.set_path(&format!("{}{}", mirror.replacement.path().trim_end_matches('/'), url.path()));
        replaced.set_query(url.query());
        replaced
    }
}

/// One entry of `allow_private`: `127.0.0.1:3000`, `10.0.0.0/8`, `[fd00::1]:80`,
/// `fd00::/8`, `git.internal` or `git.internal:8443`. Without a port, the usual
/// ones are meant; `:*` stands for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowRule {
    place: Place,
    port: Port,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    /// 443, 80 and 22.
    Usual,
    Any,
    One(u16),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Name(String),
    Network(IpAddr, u32),
}

impl AllowRule {
    fn matches(&self, host: &str, port: u16, address: IpAddr) -> bool {
        let port_matches = match self.port {
            Port::One(allowed) => port == allowed,
            Port::Usual => matches!(port, 443 | 80 | 22),
            Port::Any => true,
        };
        let place_matches = match &self.place {
            Place::Name(name) => name == host,
            Place::Network(network, length) => contains(*network, *length, address.to_canonical()),
        };
        port_matches && place_matches
    }
}

fn contains(network: IpAddr, length: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

impl FromStr for AllowRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed =
            || format!("`{text}` is neither a host, an address nor a network, such as `git.internal` or `10.0.0.0/8`");
        if let Some((network, length)) = text.split_once('/') {
            let network: IpAddr = network.parse().map_err(|_| malformed())?;
            let longest = if network.is_ipv4() { 32 } else { 128 };
            let length = length.parse().ok().filter(|length| *length <= longest).ok_or_else(malformed)?;
            return Ok(Self { place: Place::Network(network, length), port: Port::Usual });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { place: single(address), port: Port::Usual });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, "*")) => (host, Port::Any),
            Some((host, port)) => (host, Port::One(port.parse().map_err(|_| malformed())?)),
            None => (text, Port::Usual),
        };
        let place = match Host::parse(host).map_err(|_| malformed())? {
            Host::Domain(name) => Place::Name(name.trim_end_matches('.').to_ascii_lowercase()),
            Host::Ipv4(address) => single(IpAddr::V4(address)),
            Host::Ipv6(address) => single(IpAddr::V6(address)),
        };
        Ok(Self { place, port })
    }
}

fn single(address: IpAddr) -> Place {
    Place::Network(address, if address.is_ipv4() { 32 } else { 128 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: &str, host: &str, port: u16, address: &str, expected: bool) {
        let rule: AllowRule = rule.parse().unwrap();
        assert_eq!(rule.matches(host, port, address.parse().unwrap()), expected);
    }

    #[test]
    fn rules_name_hosts_addresses_and_networks() {
        check("127.0.0.1:3000", "localhost", 3000, "127.0.0.1", true);
        check("127.0.0.1:3000", "localhost", 3001, "127.0.0.1", false);
        check("127.0.0.1:3000", "localhost", 3000, "127.0.0.2", false);
        check("127.0.0.1:3000", "x", 3000, "::ffff:127.0.0.1", true);
        check("10.0.0.0/8", "x", 443, "10.200.1.1", true);
        check("10.0.0.0/8", "x", 8443, "10.200.1.1", false);
        check("10.0.0.0/8", "x", 443, "11.0.0.1", false);
        check("0.0.0.0/0", "x", 443, "127.0.0.1", true);
        check("git.internal", "git.internal", 443, "10.0.0.1", true);
        check("Git.Internal.:8443", "git.internal", 8443, "10.0.0.1", true);
        check("git.internal", "evil.git.internal", 443, "10.0.0.1", false);
        check("fd00::/8", "x", 443, "fd12::1", true);
        check("[::1]:80", "x", 80, "::1", true);
        check("::1", "x", 80, "::1", true);
        check("127.0.0.1:*", "x", 4711, "127.0.0.1", true);
    }

    #[test]
    fn malformed_rules_are_refused() {
        for text in ["10.0.0.0/33", "x/8", "host:port", "a b", "::/129", ""] {
            assert!(text.parse::<AllowRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mirror_replaces_the_origin_only() {
        let mirror = Mirror {
            origin: Url::parse("https://github.com").unwrap(),
            replacement: Url::parse("http://mirror.internal:8080/github").unwrap(),
        };
        let policy = EgressPolicy { mirrors: vec![mirror], ..EgressPolicy::default() };
        let url = |text: &str| policy.mirrored(Url::parse(text).unwrap()).to_string();
        assert_eq!(url("https://github.com/a/b?x=1"), "http://mirror.internal:8080/github/a/b?x=1");
        assert_eq!(url("https://github.com.evil/a"), "https://github.com.evil/a");
        assert_eq!(url("http://github.com/a"), "http://github.com/a");
    }
}
