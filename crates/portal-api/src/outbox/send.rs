//! Sending one message, whatever carries it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::config::{ChannelConfig, Way};
use super::store::MessageRow;
use super::{mail, post};
use crate::state::App;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'l> {
    pub recipient: Option<&'l str>,
    pub title: &'l str,
    pub text: Option<&'l str>,
    pub link: Option<&'l str>,
    /// The same whenever it is sent again.
    pub key: &'l str,
    pub at: DateTime<Utc>,
}

impl<'l> Letter<'l> {
    pub fn of(row: &'l MessageRow) -> Self {
        Self {
            recipient: row.recipient.as_deref(),
            title: &row.title,
            text: row.text.as_deref(),
            link: row.link.as_deref(),
            key: &row.dedupe_key,
            at: row.created_at,
        }
    }
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Without the secret of its channel.
    pub message: String,
    /// Sending it again would lead to the same.
    pub is_final: bool,
    /// How long the other side wants to be left alone.
    pub after: Option<Duration>,
}

impl Fault {
    /// It may be sent later.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_final: false, after: None }
    }

    pub fn last(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_final: true, after: None }
    }
}

/// Sends a message once.
///
/// # Errors
/// It was not taken, or nobody knows whether it was.
pub async fn send(app: &App, channel: &ChannelConfig, letter: Letter<'_>) -> Result<(), Fault> {
    // Checked when the portal started.
    let way = channel.way().map_err(|error| Fault::last(format!("{error:#}")))?;
    match way {
        Way::Slack(credential) => post::send(app, &credential, post::slack(letter)).await,
        Way::Teams(credential) => post::send(app, &credential, post::teams(letter)).await,
        Way::Email(smtp) => mail::send(app, smtp, letter).await,
    }
}
