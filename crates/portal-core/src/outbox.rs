//! What crosses HTTP about messages that leave the portal, and the channels they take.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What carries messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ChannelKind {
    /// An incoming webhook of Slack: one of its channels.
    Slack,
    /// A webhook of Microsoft Teams: one of its channels or chats.
    Teams,
    /// SMTP: whoever a message names.
    Email,
}

impl ChannelKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Email => "email",
        }
    }
}

/// A channel, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelView {
    pub name: String,
    pub kind: ChannelKind,
    /// Messages that wait to be sent, or to be sent again.
    pub pending: u64,
    /// Messages that were given up.
    pub failed: u64,
}

/// All channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelList {
    pub items: Vec<ChannelView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// A message of a test that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelTest {
    /// The address that it went to, of e-mail.
    pub recipient: Option<String>,
    pub milliseconds: u64,
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MessageState {
    /// It is sent at `next_at`, or as soon as its channel is free.
    Pending,
    Sent,
    /// It is not sent any more, unless somebody asks for it.
    Failed,
}

impl MessageState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Sent, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A message that leaves the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageView {
    pub id: i64,
    /// Name of its channel.
    pub channel: String,
    /// The address that it goes to, of e-mail.
    pub recipient: Option<String>,
    pub title: String,
    pub link: Option<String>,
    pub state: MessageState,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub next_at: Option<DateTime<Utc>>,
    /// Why it was not sent the last time.
    pub error: Option<String>,
    /// The run that it is about.
    pub run_id: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageList {
    pub items: Vec<MessageView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}
