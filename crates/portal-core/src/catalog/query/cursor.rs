//! Cursors of Backstage's `by-query`, before their base64: the question and a
//! place in its answer.
//!
//! Source: the fields are Backstage's, because its client looks for `query` to
//! decide between GET and POST. `filter` keeps the parameters as they came.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Filter, FullText, Missing, Order, Position, Predicate, Query, Selection, SortKey};

/// A list and a place in it, to go on from there.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// The `filter` parameters as they came.
    pub filter: Vec<String>,
    /// The predicate as it came.
    pub query: Option<Value>,
    pub order: Option<Order>,
    pub full_text: Option<FullText>,
    /// The page goes back from the place.
    pub is_previous: bool,
    pub place: SortKey,
    /// The total of the first page, in case a later page asks for none.
    pub total: u64,
}

/// The text is not a cursor that this portal gave out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed cursor, {0}")]
pub struct CursorError(pub String);

/// The JSON of a cursor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    order_fields: Vec<OrderField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    full_text_filter: Option<FullTextFilter>,
    order_field_values: (Option<String>, u32),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    filter: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<Value>,
    is_previous: bool,
    total_items: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderField {
    field: String,
    order: Direction,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FullTextFilter {
    term: String,
    fields: Vec<String>,
}

impl Cursor {
    pub fn to_json(&self) -> Vec<u8> {
        let Self { filter, query, order, full_text, is_previous, place, total } = self.clone();
        let direction = |descending| if descending { Direction::Desc } else { Direction::Asc };
        let wire = Wire {
            order_fields: order
                .into_iter()
                .map(|Order { field, descending }| OrderField { field, order: direction(descending) })
                .collect(),
            full_text_filter: full_text.map(|FullText { term, fields }| FullTextFilter { term, fields }),
            order_field_values: (place.value, place.row),
            filter,
            query,
            is_previous,
            total_items: total,
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// Reads what [`Cursor::to_json`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(json: &[u8]) -> Result<Self, CursorError> {
        let wire: Wire = serde_json::from_slice(json).map_err(|error| CursorError(error.to_string()))?;
        let Wire { order_fields, full_text_filter, order_field_values, filter, query, is_previous, total_items } = wire;
        let order = order_fields.into_iter().next();
        Ok(Self {
            filter,
            query,
            order: order.map(|OrderField { field, order }| Order::by(&field, matches!(order, Direction::Desc))),
            full_text: full_text_filter.map(|FullTextFilter { term, fields }| FullText { term, fields }),
            is_previous,
            place: SortKey { value: order_field_values.0, row: order_field_values.1 },
            total: total_items,
        })
    }

    /// The page that the cursor stands for.
    ///
    /// # Errors
    /// Its filter or predicate is not one.
    pub fn query(&self, limit: usize) -> Result<Query, CursorError> {
        let filter = Filter::parse(&self.filter).map_err(|error| CursorError(error.to_string()))?;
        let predicate = self.query.as_ref().map(Predicate::parse).transpose();
        let predicate = predicate.map_err(|error| CursorError(error.to_string()))?;
        let place = self.place.clone();
        Ok(Query {
            selection: Selection { within: None, filter, predicate, full_text: self.full_text.clone() },
            order: self.order.clone(),
            missing: Missing::Excluded,
            position: if self.is_previous { Position::Before(place) } else { Position::After(place) },
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cursor_survives_the_way_there_and_back() {
        let cursor = Cursor {
            filter: vec!["kind=component,spec.type=a".to_owned()],
            query: Some(json!({"kind": "component"})),
            order: Some(Order::by("metadata.name", true)),
            full_text: Some(FullText { term: "x".to_owned(), fields: vec!["metadata.name".to_owned()] }),
            is_previous: true,
            place: SortKey { value: Some("a".to_owned()), row: 7 },
            total: 12,
        };
        assert_eq!(Cursor::parse(&cursor.to_json()).unwrap(), cursor);
        assert!(cursor.query(20).is_ok());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "{}", "[]", "null", "{\"isPrevious\":true}", "\u{0}"] {
            assert!(Cursor::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
