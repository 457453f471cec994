//! What crosses HTTP about the definition of an API: one shape for OpenAPI,
//! AsyncAPI, GraphQL and Protocol Buffers.

use portal_derive::Read;
use serde::{Deserialize, Serialize};

/// The definition of an API, opened at one of its operations or at its overview.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Definition {
    /// The specification it is written in, with its version: `OpenAPI 3.1.0`,
    /// `Swagger 2.0`, `AsyncAPI 2.6.0`, `GraphQL`, `proto3`.
    pub specification: String,
    /// What it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<DefinitionServer>,
    /// How a caller proves who it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security: Vec<SchemaRow>,
    pub sections: Vec<DefinitionSection>,
    /// What could not be read; the rest stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<DefinitionFault>,
    /// The operation that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationDetail>,
    /// As it was written: where it was asked for, and where it is not one that is
    /// read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Definition {
    /// One of which nothing but the format is known.
    pub fn of(specification: impl Into<String>) -> Self {
        Self {
            specification: specification.into(),
            title: None,
            version: None,
            description: None,
            servers: Vec::new(),
            security: Vec::new(),
            sections: Vec::new(),
            faults: Vec::new(),
            operation: None,
            text: None,
        }
    }
}

/// Where the API answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DefinitionServer {
    /// With the defaults of its variables filled in.
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A group of operations: a tag, a service, the queries, the schemas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DefinitionSection {
    pub title: String,
    /// Sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub operations: Vec<OperationLink>,
}

/// An operation, message or type in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationLink {
    /// Names it in an address; unique in the definition.
    pub id: String,
    /// `GET`, `SEND`, `RECEIVE`, `QUERY`, `MUTATION`, `RPC`, `SCHEMA`, `ENUM`, …
    pub verb: String,
    /// Path, channel, field, method or type.
    pub name: String,
    /// Plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
}

/// One operation, message or type in full.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationDetail {
    /// As in the list.
    pub link: OperationLink,
    /// Sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What goes in and what comes out, in the order of a call.
    pub parts: Vec<DefinitionPart>,
    /// How to call it over HTTP; OpenAPI only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
}

/// Parameters, a body, an answer, a message, the fields of a type.
#[derive(Debug, Clone, PartialEq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DefinitionPart {
    /// `Path parameters`, `Body`, `200 OK`, `Payload`, `Fields`, …
    pub title: String,
    /// A media type, or a type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<SchemaRow>,
    /// As its author gave it, else made up from the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// A parameter, a property, an argument, a field, a value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SchemaRow {
    /// How deep it lies below the part, from 0.
    #[serde(default)]
    pub depth: u8,
    pub name: String,
    /// In words: `string (uuid)`, `array of Booking`, `[Shipment!]!`.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub type_name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Limits in words: `one of a, b`, `at most 100`, `default 20`, `pattern ^[a-z]+$`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// The id of the operation that shows its type, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DefinitionFault {
    /// In the text of the definition, from 1; 0 when it is not known.
    #[serde(default)]
    pub line: u32,
    pub message: String,
}

/// What a call needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    /// In capitals.
    pub method: String,
    /// Absolute addresses that it can be sent to; the first is proposed.
    pub servers: Vec<String>,
    /// With its parameters in braces.
    pub path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<CallParameter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<CallBody>,
}

/// A value of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallParameter {
    pub name: String,
    /// `path`, `query` or `header`; what proves who calls is a parameter too.
    pub place: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// A secret, e.g. an API key: never proposed, never kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// What to propose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// The values it may have, where they are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// The body of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallBody {
    pub media_type: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What to propose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// A request to try an operation with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// Id of the operation.
    pub operation: String,
    /// One of the servers of the definition; its first one when absent.
    #[serde(default)]
    pub server: Option<String>,
    #[serde(default)]
    pub parameters: Vec<CallValue>,
    #[serde(default)]
    pub body: Option<String>,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallValue {
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    pub value: String,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallAnswer {
    pub method: String,
    /// What was asked.
    pub url: String,
    pub status: u16,
    /// The reason phrase of the status.
    pub reason: String,
    pub duration_ms: u64,
    pub headers: Vec<CallHeader>,
    /// Text; JSON with line breaks. `None` when it is no text.
    pub body: Option<String>,
    /// Bytes that were received.
    pub size: u64,
    /// The answer was longer than what is shown.
    pub truncated: bool,
}

/// A header of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Read)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallHeader {
    pub name: String,
    pub value: String,
}
