//! The gate that every outbound fetch goes through.
//!
//! A URL is parsed once, its host resolved once, and the connection goes to an
//! address that was checked: nothing resolves the name a second time, so a name
//! that changes its answer between check and use gains nothing. Addresses that
//! do not belong to the public internet are refused unless the operator listed
//! them. Redirects are followed by hand, each hop through the same gate.
//!
//! Children that open connections themselves (git) get the checked address
//! pinned by their own options; [`Egress::check`] is their entry.

mod address;
mod call;
mod error;
mod fetch;
mod pace;
mod policy;
mod resolver;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

pub use address::is_special;
pub use call::{Call, Called};
pub use error::EgressError;
pub use fetch::{Answer, Fetch};
pub use pace::retry_after;
pub use policy::{AllowRule, EgressPolicy, Mirror, Timeouts};
pub use resolver::{Resolver, SystemResolver};
use url::{Host, Url};

use self::pace::Pace;

/// Clients kept for reuse; each is pinned to one host and its checked addresses.
const CLIENTS: usize = 64;

/// The gate; cheap to clone.
#[derive(Clone)]
pub struct Egress {
    policy: Arc<EgressPolicy>,
    resolver: Arc<dyn Resolver>,
    clients: Arc<Mutex<HashMap<ClientKey, reqwest::Client>>>,
    pace: Arc<Pace>,
}

type ClientKey = (String, u16, Vec<IpAddr>);

/// A URL that may be fetched, with the addresses to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub url: Url,
    /// Lower case, without brackets or a trailing dot.
    pub host: String,
    pub port: u16,
    /// Checked, and never empty.
    pub addresses: Vec<IpAddr>,
}

impl Target {
    /// The first checked address, for a child that takes only one.
    pub fn address(&self) -> IpAddr {
        // `check` refuses a name without addresses.
        self.addresses.first().copied().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
    }
}

impl Egress {
    pub fn new(policy: EgressPolicy, resolver: Arc<dyn Resolver>) -> Self {
        let pace = Arc::new(Pace::new(policy.calls_per_second));
        Self { policy: Arc::new(policy), resolver, clients: Arc::default(), pace }
    }

    pub fn policy(&self) -> &EgressPolicy {
        &self.policy
    }

    /// Parses a URL under the policy, without resolving its host: what can be
    /// told when a form is saved and no network is at hand.
    ///
    /// # Errors
    /// The text is no URL, or its scheme, port or literal address is refused.
    pub fn parse(&self, text: &str) -> Result<Url, EgressError> {
        let url = parse_url(text)?;
        let (host, port) = self.place(&url)?;
        if let Some(address) = literal(&url) {
            self.admit(&host, port, address)?;
        }
        Ok(url)
    }

    /// Waits until a host may be asked once more.
    ///
    /// # Errors
    /// It answered lately that it wants to be left alone.
    pub async fn turn(&self, host: &str) -> Result<(), EgressError> {
        self.pace.turn(host).await
    }

    /// Parses and resolves a URL and checks every address of its host.
    ///
    /// # Errors
    /// As [`Egress::parse`]; also when the name does not resolve, or when any
    /// of its addresses is refused.
    pub async fn check(&self, text: &str) -> Result<Target, EgressError> {
        self.check_url(parse_url(text)?).await
    }

    async fn check_url(&self, url: Url) -> Result<Target, EgressError> {
        let url = self.policy.mirrored(url);
        let (host, port) = self.place(&url)?;
        let addresses = match literal(&url) {
            Some(address) => vec![address],
            None => self.resolve(&host).await?,
        };
        for address in &addresses {
            self.admit(&host, port, *address)?;
        }
        Ok(Target { url, host, port, addresses })
    }

    /// Host and port of a URL whose scheme and port the policy admits.
    fn place(&self, url: &Url) -> Result<(String, u16), EgressError> {
        let port = match url.scheme() {
            "https" | "http" => url.port_or_known_default(),
            "ssh" => Some(url.port().unwrap_or(22)),
            other => return Err(EgressError::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() && url.scheme() != "ssh" || url.password().is_some() {
            return Err(EgressError::Credentials);
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        if host.is_empty() {
            return Err(EgressError::Malformed("it names no host".to_owned()));
        }
        let port = port.ok_or_else(|| EgressError::Malformed("it names no port".to_owned()))?;
        Ok((host, port))
    }

    fn admit(&self, host: &str, port: u16, address: IpAddr) -> Result<(), EgressError> {
        if self.policy.allows(host, port, address) {
            return Ok(());
        }
        if is_special(address) {
            return Err(EgressError::Denied { host: host.to_owned(), address });
        }
        if !self.policy.ports.contains(&port) {
            return Err(EgressError::Port { host: host.to_owned(), port });
        }
        Ok(())
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, EgressError> {
        let unresolved = |reason: String| EgressError::Unresolved { host: host.to_owned(), reason };
        let lookup = tokio::time::timeout(self.policy.timeouts.connect, self.resolver.resolve(host));
        let mut addresses = match lookup.await {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(error)) => return Err(unresolved(error.to_string())),
            Err(_) => return Err(unresolved("the name server did not answer in time".to_owned())),
        };
        let mut seen = std::collections::HashSet::new();
        addresses.retain(|address| seen.insert(*address));
        if addresses.is_empty() {
            return Err(unresolved("the name has no address".to_owned()));
        }
        Ok(addresses)
    }

    /// A client that can only connect to the addresses of `target`.
    fn client(&self, target: &Target) -> Result<reqwest::Client, EgressError> {
        let mut sorted = target.addresses.clone();
        sorted.sort_unstable();
        let key = (target.host.clone(), target.port, sorted);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let sockets: Vec<_> = target.addresses.iter().map(|address| SocketAddr::new(*address, target.port)).collect();
        // Both spellings of the name lead to the checked addresses; any other
        // name has no resolver at all.
        let failed = |error| EgressError::Transport { host: target.host.clone(), reason: error::reason(&error) };
        let mut builder = reqwest::Client::builder();
        for pem in &self.policy.certificates {
            for certificate in reqwest::Certificate::from_pem_bundle(pem).map_err(failed)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.policy.timeouts.connect)
            .timeout(self.policy.timeouts.total)
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .user_agent(concat!("portal/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(resolver::Nowhere)
            .resolve_to_addrs(&target.host, &sockets)
            .resolve_to_addrs(&format!("{}.", target.host), &sockets)
            .build()
            .map_err(failed)?;
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

fn parse_url(text: &str) -> Result<Url, EgressError> {
    // The URL standard drops tabs and line breaks silently; nobody writes them
    // by accident.
    if text.len() > 2048 || text.chars().any(|character| character.is_control() || character == '\\') {
        return Err(EgressError::Malformed("it is too long or has control characters".to_owned()));
    }
    Url::parse(text.trim()).map_err(|error| EgressError::Malformed(error.to_string()))
}

/// The address that a URL spells out. The parser has turned decimal, octal,
/// hexadecimal and short forms into one. `ssh` hosts are opaque to it, so they
/// are read here as the standard reads those of `http`.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(name) if url.scheme() == "ssh" => match Host::parse(name).ok()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        },
        Host::Domain(_) => None,
    }
}
