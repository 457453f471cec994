//! How many connections there are, in all and from one address.
//!
//! Whoever opens many and sends nothing fills up their own share only. A declared
//! proxy brings everybody, so that its connections are counted in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Of the files that the system lets a process open, the part that is for connections,
/// in percent; the rest is for the database, sources and the log.
const SHARE: u64 = 80;
/// Files that a process asks for at most.
const FILES: u64 = 65_536;

/// The connections of each address.
#[derive(Clone)]
pub struct Crowd {
    most: usize,
    proxies: Arc<[IpAddr]>,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection, until it is dropped.
pub struct Place(Option<(Crowd, IpAddr)>);

impl Crowd {
    pub fn new(most: usize, proxies: Arc<[IpAddr]>) -> Self {
        Self { most, proxies, counts: Arc::default() }
    }

    /// A place for one more connection from an address, if it has one left.
    pub fn admit(&self, address: IpAddr) -> Option<Place> {
        if self.proxies.contains(&address.to_canonical()) {
            return Some(Place(None));
        }
        let network = network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place(Some((self.clone(), network))))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((crowd, network)) = self.0.take() else { return };
        let mut counts = crowd.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

/// An address, or of IPv6 the network that one customer has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// How many connections the system has files for, out of so many wanted. Asks the
/// system for more files first.
pub fn within_files(wanted: usize) -> usize {
    let files = rlimit::increase_nofile_limit(FILES).unwrap_or(1024);
    wanted.min(usize::try_from(files * SHARE / 100).unwrap_or(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_share() {
        let proxy: IpAddr = "10.0.0.2".parse().unwrap();
        let crowd = Crowd::new(2, Arc::new([proxy]));
        let admit = |text: &str| crowd.admit(text.parse().unwrap());
        let (one, two) = (admit("192.0.2.1"), admit("::ffff:192.0.2.1"));
        assert!(one.is_some() && two.is_some() && admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some());
        drop(one);
        assert!(admit("192.0.2.1").is_some());
        // One network of IPv6 is one customer.
        let (_a, _b) = (admit("2001:db8::1"), admit("2001:db8::2"));
        assert!(admit("2001:db8::3").is_none() && admit("2001:db8:0:1::1").is_some());
        let many: Vec<_> = (0..50).map(|_| crowd.admit(proxy)).collect();
        assert!(many.iter().all(Option::is_some));
        drop((two, many));
        assert!(!crowd.counts.lock().unwrap().contains_key(&"192.0.2.1".parse().unwrap()));
    }
}
