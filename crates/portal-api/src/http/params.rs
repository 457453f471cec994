//! Query parameters, read strictly: a parameter that nobody reads is an error,
//! because a misspelt filter would otherwise answer the wrong question.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::cursor;
use crate::error::{ApiError, ApiResult};

/// The parameters of a request, taken one by one.
#[derive(Debug, Clone, Default)]
pub struct Params {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
}

/// What a value has to be that is one of several.
pub fn one_of<const N: usize>(names: [&str; N]) -> String {
    format!("must be one of {}", names.join(", "))
}

impl Params {
    /// Reads a query string; `+` and `%20` are spaces. What is not UTF-8, or a
    /// NUL, which PostgreSQL cannot take, becomes U+FFFD.
    pub fn parse(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.replace('\0', "\u{fffd}"))).collect();
        Self { pairs, known: Vec::new() }
    }

    /// Every value of a repeatable parameter, in order.
    pub fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let mut values = Vec::new();
        self.pairs.retain_mut(|(key, value)| {
            let taken = key == name;
            if taken {
                values.push(std::mem::take(value));
            }
            !taken
        });
        values
    }

    /// The one value of a parameter.
    ///
    /// # Errors
    /// It is given twice.
    pub fn one(&mut self, name: &'static str) -> ApiResult<Option<String>> {
        let mut values = self.all(name);
        if values.len() > 1 {
            return Err(ApiError::parameter(name, "may be given once"));
        }
        Ok(values.pop())
    }

    /// The same, where nothing between `=` and `&` is nothing at all.
    ///
    /// # Errors
    /// Given more than once.
    pub fn chosen(&mut self, name: &'static str) -> ApiResult<Option<String>> {
        Ok(self.one(name)?.filter(|text| !text.is_empty()))
    }

    /// Where a page of a list goes on; nothing where it begins.
    ///
    /// # Errors
    /// Given more than once, or no cursor of such a list.
    pub fn cursor<T: DeserializeOwned>(&mut self) -> ApiResult<Option<T>> {
        self.chosen("cursor")?.map(|text| cursor::decode(&text)).transpose()
    }

    /// The sequence of a change.
    ///
    /// # Errors
    /// Not a whole number, or negative.
    pub fn sequence(&mut self, name: &'static str) -> ApiResult<Option<i64>> {
        let seq = self.optional(name, 0..=i64::MAX.unsigned_abs())?;
        Ok(seq.and_then(|seq| i64::try_from(seq).ok()))
    }

    /// A number within bounds.
    ///
    /// # Errors
    /// Not a number, or out of bounds.
    pub fn number(
        &mut self,
        name: &'static str,
        default: u64,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> ApiResult<u64> {
        Ok(self.optional(name, bounds)?.unwrap_or(default))
    }

    /// The same, where absence means something of its own.
    ///
    /// # Errors
    /// Not a number, or out of bounds.
    pub fn optional(&mut self, name: &'static str, bounds: std::ops::RangeInclusive<u64>) -> ApiResult<Option<u64>> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let message = || format!("`{text}` is not a number from {} to {}", bounds.start(), bounds.end());
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| ApiError::parameter(name, message()))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// Another value.
    pub fn flag(&mut self, name: &'static str) -> ApiResult<bool> {
        match self.one(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(ApiError::parameter(name, format!("`{other}` is neither `true` nor `false`"))),
        }
    }

    /// An RFC 3339 time.
    ///
    /// # Errors
    /// Another format.
    pub fn time(&mut self, name: &'static str) -> ApiResult<Option<DateTime<Utc>>> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        DateTime::parse_from_rfc3339(&text)
            .map(|time| Some(time.to_utc()))
            .map_err(|_| ApiError::parameter(name, format!("`{text}` is not a time like 2026-11-17T09:00:00Z")))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A parameter was not read by anybody.
    pub fn finish(self) -> ApiResult<()> {
        let Some((name, _)) = self.pairs.first() else { return Ok(()) };
        let known = self.known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = if known.is_empty() { "there are none here".to_owned() } else { format!("known are {known}") };
        Err(ApiError::parameter(name, format!("unknown parameter; {hint}")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unread_parameters_are_refused_by_name() {
        let mut params = Params::parse("limit=5&filtre=x&tag=a&tag=b+c");
        assert_eq!(params.number("limit", 20, 0..=100).unwrap(), 5);
        assert_eq!(params.all("tag"), ["a", "b c"]);
        let error = params.finish().unwrap_err().to_string();
        assert!(error.contains("filtre") && error.contains("`limit`"), "{error}");
    }

    #[test]
    fn numbers_stay_in_bounds() {
        for bad in ["limit=-1", "limit=x", "limit=101", "limit=1&limit=2"] {
            assert!(Params::parse(bad).number("limit", 20, 0..=100).is_err(), "{bad}");
        }
    }
}
