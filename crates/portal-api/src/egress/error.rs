//! Why a fetch did not happen, in words for whoever configured it.

use std::net::IpAddr;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    #[error("not a URL that can be fetched: {0}")]
    Malformed(String),
    #[error("`{0}` is not a scheme that can be fetched; use `https`")]
    Scheme(String),
    #[error("a URL must not carry a user or password; give the credential by reference, as `env:NAME` or `file:PATH`")]
    Credentials,
    #[error(
        "`{host}` leads to {address}, which is not a public address; list it under `egress.allow_private` to allow it"
    )]
    Denied { host: String, address: IpAddr },
    #[error(
        "port {port} of `{host}` is not allowed; list `{host}:{port}` under `egress.allow_private` or the port under `egress.ports`"
    )]
    Port { host: String, port: u16 },
    #[error("`{host}` does not resolve: {reason}")]
    Unresolved { host: String, reason: String },
    #[error("the redirect to `{to}` was refused: {reason}")]
    Redirect { to: String, reason: String },
    #[error("could not talk to `{host}`: {reason}")]
    Transport { host: String, reason: String },
    #[error("`{host}` did not answer completely within {} s", .after.as_secs())]
    Timeout { host: String, after: Duration },
    #[error("the answer of `{host}` is larger than {limit} bytes")]
    TooLarge { host: String, limit: usize },
    #[error("`{host}` is asked too often; try again in a moment")]
    Busy { host: String },
    #[error("`{host}` asked to be left alone for {seconds} s")]
    Resting { host: String, seconds: u64 },
    #[error("`{host}` answered {status}")]
    Status { host: String, status: u16 },
}

impl EgressError {
    /// Stable name of the fault, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Credentials => "invalid_url",
            Self::Scheme(_) | Self::Denied { .. } | Self::Port { .. } => "egress_denied",
            Self::Unresolved { .. } => "unresolvable_host",
            Self::Redirect { .. } => "redirect_denied",
            Self::Transport { .. } => "unreachable",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Busy { .. } => "busy",
            Self::Resting { .. } => "resting",
            Self::Status { .. } => "bad_status",
        }
    }

    /// Whether the answer was that there is nothing at this address.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }
}

/// The innermost cause of a failed request, without the URL.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    source.to_string()
}
