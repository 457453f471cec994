//! What crosses HTTP about documentation.

use chrono::{DateTime, Utc};
use portal_derive::Read;
use serde::Serialize;

/// The documentation of an entity, opened at one page.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Documentation {
    /// The entity whose documentation this is: the one asked for, or the one
    /// that its annotation `backstage.io/techdocs-entity` names.
    pub entity_ref: String,
    /// `site_name` of its `mkdocs.yml`, else the entity's title.
    pub title: String,
    /// The folder or file it was read from, as its source names it.
    pub root: String,
    /// When it last changed.
    #[serde(deserialize_with = "crate::moment::utc")]
    pub changed_at: DateTime<Utc>,
    pub nav: Vec<NavItem>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<DocumentationFault>,
    pub page: DocumentationPage,
}

/// An entry of the navigation: a page, a link elsewhere, or a heading over others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NavItem {
    pub title: String,
    /// Path of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Address elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub items: Vec<NavItem>,
}

/// A file of the documentation that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentationFault {
    pub path: String,
    pub message: String,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentationPage {
    /// Path inside the documentation, e.g. `guides/retries.md`.
    pub path: String,
    pub title: String,
    /// Sanitised HTML; links to other pages lead to this interface.
    pub html: String,
    /// The headings below the title, for a table of contents.
    pub headings: Vec<Heading>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PageLink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PageLink>,
}

/// A heading of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heading {
    /// 2 or 3.
    pub level: u8,
    /// Fragment of the address.
    pub id: String,
    pub text: String,
}

/// A page before or after another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageLink {
    pub path: String,
    pub title: String,
}
