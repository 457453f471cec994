//! Calling an API that the catalog describes, as whoever asks would call it.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};

use super::error::EgressError;
use super::{Egress, parse_url};

/// Longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to send.
pub struct Call {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    /// Bytes of the answer that are kept, after decompression; the rest is dropped.
    pub limit: usize,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Called {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The answer went on.
    pub truncated: bool,
    pub duration: Duration,
}

impl Egress {
    /// Sends one request through the gate. A redirect is an answer: it is not
    /// followed.
    ///
    /// # Errors
    /// The gate refuses the URL, or the host does not answer in time.
    pub async fn call(&self, call: Call) -> Result<Called, EgressError> {
        let Call { method, url, headers, body, limit } = call;
        let target = self.check_url(parse_url(&url)?).await?;
        if !matches!(target.url.scheme(), "https" | "http") {
            return Err(EgressError::Scheme(target.url.scheme().to_owned()));
        }
        let client = self.client(&target)?;
        // Somebody waits for the answer, and the turns of others are not theirs.
        let turn = tokio::time::timeout(PATIENCE, self.turn(&target.host)).await;
        turn.map_err(|_| EgressError::Busy { host: target.host.clone() })??;
        let started = Instant::now();
        let mut left = self.policy.timeouts.total;
        let mut request = client.request(method, target.url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let sent = self.timed(&target.host, &mut left, request.send()).await?;
        let mut response = sent.map_err(|error| self.transport(&target.host, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let reading = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| self.transport(&target.host, &error))? {
                let room = limit - bytes.len();
                bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return Ok((bytes, true));
                }
            }
            Ok((bytes, false))
        };
        let (bytes, truncated) = self.timed(&target.host, &mut left, reading).await??;
        Ok(Called { status, headers, body: bytes.into(), truncated, duration: started.elapsed() })
    }
}
