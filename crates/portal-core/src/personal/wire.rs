//! What crosses HTTP about a person's own things.

use chrono::{DateTime, Utc};
use portal_derive::Read;
use serde::{Deserialize, Serialize};

use crate::catalog::wire::EntityLink;

/// How a person has marked an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Mark {
    /// Near at hand: it stands on the first page.
    Star,
    /// Its changes are told on the first page.
    Follow,
}

impl Mark {
    pub const ALL: [Self; 2] = [Self::Star, Self::Follow];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Star => "star",
            Self::Follow => "follow",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == text)
    }
}

/// A marked entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarkView {
    pub mark: Mark,
    #[serde(flatten)]
    pub link: EntityLink,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub at: DateTime<Utc>,
}

/// The caller's marks, newest first, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MarkList {
    pub items: Vec<MarkView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// A list as somebody wants to find it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedView {
    pub id: i64,
    pub name: String,
    /// Query of the page's address, e.g. `kind=api&lifecycle=production`.
    pub query: String,
    /// Everybody sees it.
    pub shared: bool,
    /// It is the caller's, who may remove it.
    pub own: bool,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub created_at: DateTime<Utc>,
}

/// The caller's views and the shared ones, by name, all on one page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedViewList {
    pub items: Vec<SavedView>,
    pub next_cursor: Option<String>,
    pub total: u64,
}

/// A view to be saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedViewCreate {
    /// 1 to 80 characters.
    pub name: String,
    /// At most 2000 characters.
    pub query: String,
    #[serde(default)]
    pub shared: bool,
}

/// How much a notification matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Severity {
    Critical,
    High,
    Normal,
    Low,
}

impl Severity {
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == text)
    }
}

/// What somebody, a group of theirs or everybody was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    pub id: i64,
    /// Reference of the user or group it went to; `*` is everybody.
    pub recipient: String,
    pub title: String,
    pub text: Option<String>,
    /// A path of the portal, or an address of http or https.
    pub link: Option<String>,
    pub severity: Severity,
    pub topic: Option<String>,
    #[serde(deserialize_with = "crate::moment::utc")]
    pub at: DateTime<Utc>,
    /// By the caller.
    pub read: bool,
}

/// Notifications, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationList {
    pub items: Vec<Notification>,
    pub next_cursor: Option<String>,
    pub total: u64,
    /// How many of all the caller has not read.
    pub unread: u64,
}

/// Which notifications have been read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationsRead {
    /// All of them when empty or absent.
    #[serde(default)]
    pub ids: Vec<i64>,
}
