//! The order of a list: one field, one direction.

/// Sort by a field; ties keep the order of arrival, in the same direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Dotted path, lower-cased.
    pub field: String,
    pub descending: bool,
}

/// Why a text is not an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    #[error("`{0}` names no field to sort by")]
    NoField(String),
    #[error("`{0}` is neither `asc` nor `desc`")]
    Direction(String),
    /// Worded as Backstage does, which clients may look for.
    #[error("invalid order parameter `{0}`, expected \"<asc or desc>:<field name>\"")]
    Malformed(String),
}

impl Order {
    pub fn by(field: &str, descending: bool) -> Self {
        Self { field: field.to_lowercase(), descending }
    }

    /// Reads `field`, `-field` or `+field`: the `sort` parameter of `/api/v1`.
    ///
    /// # Errors
    /// No field is named.
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let text = text.trim();
        let (field, descending) = match text.strip_prefix('-') {
            Some(field) => (field, true),
            None => (text.strip_prefix('+').unwrap_or(text), false),
        };
        if field.trim().is_empty() {
            return Err(OrderError::NoField(text.to_owned()));
        }
        Ok(Self::by(field.trim(), descending))
    }

    /// Reads `field` or `field,asc`: the `orderField` parameter of `by-query`.
    ///
    /// # Errors
    /// No field, or another direction than `asc` and `desc`.
    pub fn parse_order_field(text: &str) -> Result<Self, OrderError> {
        let (field, direction) = text.split_once(',').unwrap_or((text, "asc"));
        let field = field.trim();
        if field.is_empty() {
            return Err(OrderError::NoField(text.to_owned()));
        }
        Ok(Self::by(field, descending(direction.trim())?))
    }

    /// Reads `asc:field`: the `order` parameter of `GET /entities`.
    ///
    /// # Errors
    /// Another form.
    pub fn parse_prefixed(text: &str) -> Result<Self, OrderError> {
        let malformed = || OrderError::Malformed(text.to_owned());
        let (direction, field) = text.split_once(':').ok_or_else(malformed)?;
        let descending = descending(direction).map_err(|_| malformed())?;
        if field.trim().is_empty() {
            return Err(malformed());
        }
        Ok(Self::by(field.trim(), descending))
    }
}

fn descending(direction: &str) -> Result<bool, OrderError> {
    match direction {
        "asc" => Ok(false),
        "desc" => Ok(true),
        other => Err(OrderError::Direction(other.to_owned())),
    }
}
