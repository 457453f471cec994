//! Which addresses are not the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of the IPv4 special-purpose registry, multicast and class E.
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

/// Networks inside the global unicast range that lead elsewhere: protocol
/// assignments with Teredo, documentation, 6to4, more documentation.
const SPECIAL_V6: [([u16; 2], u32); 4] =
    [([0x2001, 0], 23), ([0x2001, 0xdb8], 32), ([0x2002, 0], 16), ([0x3fff, 0], 20)];

/// Whether an address is anything but public unicast: loopback, private,
/// link-local, carrier-grade NAT, multicast, unspecified, documentation,
/// benchmarks, or an IPv6 form that embeds an IPv4 address.
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_special_v4(address),
        IpAddr::V6(address) => is_special_v6(address),
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    SPECIAL_V4.iter().any(|(network, length)| {
        let mask = u32::MAX << (32 - length);
        address.to_bits() & mask == u32::from_be_bytes(*network)
    })
}

fn is_special_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only 2000::/3 is global unicast. Everything else, from `::1` and mapped
    // addresses to NAT64 (64:ff9b::/96), unique local and multicast, is special.
    if segments[0] & 0xe000 != 0x2000 {
        return true;
    }
    let head = u32::from(segments[0]) << 16 | u32::from(segments[1]);
    SPECIAL_V6.iter().any(|(network, length)| {
        let mask = u32::MAX << (32 - length);
        head & mask == (u32::from(network[0]) << 16 | u32::from(network[1]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_unicast_is_ordinary() {
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
            "2003::1",
        ];
        for text in public {
            assert!(!is_special(text.parse().unwrap()), "{text}");
        }
        let special = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in special {
            assert!(is_special(text.parse().unwrap()), "{text}");
        }
    }
}
