//! What the compatible routes share: parameters, selections and bodies.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use portal_core::catalog::query::{Filter, Predicate, Selection};
use serde_json::Value;

use crate::catalog::documents::Document;
use crate::catalog::prune::Fields;
use crate::error::{ApiError, ApiResult};
use crate::http::params::Params;

/// Filters and facets in one request, at most.
const MANY: usize = 200;

/// The `fields` parameter: comma lists, repeatable.
///
/// # Errors
/// 400 for a path with an index.
pub(super) fn fields(params: &mut Params) -> ApiResult<Fields> {
    let lists = params.all("fields");
    checked_fields(lists.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect())
}

/// # Errors
/// 400 for a path with an index.
pub(super) fn checked_fields(fields: Vec<String>) -> ApiResult<Fields> {
    let fields: Vec<String> =
        fields.into_iter().map(|field| field.trim().to_owned()).filter(|field| !field.is_empty()).collect();
    match fields.iter().find(|field| field.contains('[')) {
        Some(field) => Err(ApiError::parameter("fields", format!("`{field}` indexes a list, which is not supported"))),
        None => Ok(Fields::new(&fields)),
    }
}

/// The `filter` parameters and a predicate, as a selection.
///
/// # Errors
/// 400 for either that cannot be read.
pub(super) fn selection(filters: &[String], predicate: Option<&Value>) -> ApiResult<Selection> {
    if filters.len() > MANY {
        return Err(ApiError::parameter("filter", format!("at most {MANY} filters")));
    }
    let filter = Filter::parse(filters).map_err(|error| ApiError::parameter("filter", error.to_string()))?;
    let predicate = predicate.map(Predicate::parse).transpose();
    let predicate =
        predicate.map_err(|error| ApiError::bad("invalid_query", format!("Invalid filter predicate: {error}")))?;
    Ok(Selection { filter, predicate, ..Selection::default() })
}

/// A number of the query string that is not negative.
///
/// # Errors
/// 400 for anything else.
pub(super) fn count(params: &mut Params, name: &'static str) -> ApiResult<Option<usize>> {
    let Some(text) = params.all(name).into_iter().next_back() else { return Ok(None) };
    let number = text.trim().parse::<i64>().ok().and_then(|number| usize::try_from(number).ok());
    number.map(Some).ok_or_else(|| ApiError::parameter(name, format!("`{text}` is not a whole number ≥ 0")))
}

/// Appends a document, or the fields of it that were asked for.
pub(super) fn append(body: &mut Vec<u8>, document: Option<&Arc<Document>>, fields: &Fields) {
    match document {
        None => body.extend_from_slice(b"null"),
        Some(document) if fields.is_empty() => body.extend_from_slice(&document.json),
        Some(document) => body.extend_from_slice(fields.read(&document.json).to_string().as_bytes()),
    }
}

/// Appends a JSON list of documents.
pub(super) fn append_list<'a>(
    body: &mut Vec<u8>,
    documents: impl Iterator<Item = Option<&'a Arc<Document>>>,
    fields: &Fields,
) {
    body.push(b'[');
    for (position, document) in documents.enumerate() {
        if position > 0 {
            body.push(b',');
        }
        append(body, document, fields);
    }
    body.push(b']');
}

/// A body that is JSON already.
pub(super) fn json(body: impl Into<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body.into()).into_response()
}

/// The same, in pieces.
pub(super) fn json_stream(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}
