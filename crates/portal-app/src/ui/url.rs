//! Addresses that authors of descriptors wrote.

/// The address, if it leads to a web page or a mailbox: a link must not run code.
pub(crate) fn safe_url(url: &str) -> Option<String> {
    let url = url.trim();
    let safe = ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    safe.then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_no_address() {
        for url in ["javascript:alert(1)", "JaVaScRiPt:x", " data:text/html,x", "vbscript:x", "//host", "é"] {
            assert_eq!(safe_url(url), None, "{url}");
        }
        assert_eq!(safe_url(" HTTPS://a/b ").as_deref(), Some("HTTPS://a/b"));
    }
}
