//! Reading one document over HTTP(S), within budget.

use std::fmt;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

use super::error::{EgressError, reason};
use super::{Egress, parse_url};

/// What to read.
#[derive(Clone)]
pub struct Fetch<'a> {
    pub url: &'a str,
    /// Entity tag of what the caller has.
    pub etag: Option<&'a str>,
    /// Value of the `Authorization` header; sent to the first origin only.
    pub authorization: Option<HeaderValue>,
    /// Bytes of the body after decompression, at most.
    pub limit: usize,
}

impl fmt::Debug for Fetch<'_> {
    /// Leaves the credential out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetch").field("url", &self.url).field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The caller's entity tag still holds.
    NotModified,
    Body {
        bytes: Bytes,
        etag: Option<String>,
    },
}

impl Egress {
    /// Reads a document through the gate.
    ///
    /// # Errors
    /// The gate refuses the URL or a redirect; the host does not answer, not in
    /// time, with another status than 200 or 304, or with too much.
    pub async fn get(&self, fetch: Fetch<'_>) -> Result<Answer, EgressError> {
        let mut url = parse_url(fetch.url)?;
        let first = url.origin();
        let mut left = self.policy.timeouts.total;
        for hop in 0..=self.policy.hops {
            let target = match self.check_url(url.clone()).await {
                Ok(target) if matches!(target.url.scheme(), "https" | "http") => target,
                Ok(target) => return Err(EgressError::Scheme(target.url.scheme().to_owned())),
                Err(error) if hop > 0 => return Err(refused(&url, &error.to_string())),
                Err(error) => return Err(error),
            };
            let mut headers = HeaderMap::new();
            if let Some(etag) = fetch.etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
                headers.insert(header::IF_NONE_MATCH, etag);
            }
            if let Some(authorization) = fetch.authorization.as_ref().filter(|_| url.origin() == first) {
                headers.insert(header::AUTHORIZATION, authorization.clone());
            }
            let client = self.client(&target)?;
            // Waiting for one's turn is no time of the host's.
            self.turn(&target.host).await?;
            let sending = client.get(target.url.clone()).headers(headers).send();
            let response = self.timed(&target.host, &mut left, sending).await?;
            let response = response.map_err(|error| self.transport(&target.host, &error))?;
            if let Some(location) = redirect(&response) {
                url = next(&url, &location)?;
                continue;
            }
            return self.timed(&target.host, &mut left, self.answer(&target.host, response, fetch.limit)).await?;
        }
        Err(refused(&url, &format!("more than {} redirects", self.policy.hops)))
    }

    /// Waits for a host at most as long as there is time left.
    pub(super) async fn timed<T>(
        &self,
        host: &str,
        left: &mut Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, EgressError> {
        let started = Instant::now();
        let result = tokio::time::timeout(*left, work).await;
        *left = left.saturating_sub(started.elapsed());
        result.map_err(|_| EgressError::Timeout { host: host.to_owned(), after: self.policy.timeouts.total })
    }

    async fn answer(&self, host: &str, mut response: reqwest::Response, limit: usize) -> Result<Answer, EgressError> {
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Ok(Answer::NotModified),
            status => {
                if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
                    self.pace.rest(host, response.headers());
                }
                return Err(EgressError::Status { host: host.to_owned(), status: status.as_u16() });
            }
        }
        let etag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let too_large = || EgressError::TooLarge { host: host.to_owned(), limit };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.transport(host, &error))? {
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer::Body { bytes: bytes.into(), etag })
    }

    pub(super) fn transport(&self, host: &str, error: &reqwest::Error) -> EgressError {
        let host = host.to_owned();
        if error.is_timeout() {
            let timeouts = self.policy.timeouts;
            return EgressError::Timeout {
                host,
                after: if error.is_connect() { timeouts.connect } else { timeouts.total },
            };
        }
        EgressError::Transport { host, reason: reason(error) }
    }
}

/// Where a response redirects to, if it does.
fn redirect(response: &reqwest::Response) -> Option<String> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    Some(location.to_owned())
}

fn next(from: &Url, location: &str) -> Result<Url, EgressError> {
    let to = from.join(location).map_err(|_| EgressError::Redirect {
        to: location.chars().take(200).collect(),
        reason: "it is not a URL".to_owned(),
    })?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(refused(&to, "it leaves https"));
    }
    Ok(to)
}

/// Names the place without its query, which may hold a token.
fn refused(to: &Url, reason: &str) -> EgressError {
    let mut shown = to.clone();
    shown.set_query(None);
    let _ = shown.set_password(None);
    EgressError::Redirect { to: shown.to_string().chars().take(200).collect(), reason: reason.to_owned() }
}
