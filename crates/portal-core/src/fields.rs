//! The fields of a JSON object, taken out one by one: what `#[derive(Read)]` of
//! `portal-derive` writes its code with.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Map, Value};

/// What is left of an object.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// A field; one that is absent counts as null.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Error> {
        self.take_with(name, T::deserialize)
    }

    pub(crate) fn take_or_default<T: DeserializeOwned + Default>(&mut self, name: &str) -> Result<T, Error> {
        self.take_with_or_default(name, T::deserialize)
    }

    pub(crate) fn take_with<T>(&mut self, name: &str, read: fn(Value) -> Result<T, Error>) -> Result<T, Error> {
        let value = self.0.remove(name);
        let absent = value.is_none();
        read(value.unwrap_or_default()).map_err(|error| fault(name, absent, &error))
    }

    pub(crate) fn take_with_or_default<T: Default>(
        &mut self,
        name: &str,
        read: fn(Value) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.0.contains_key(name) { self.take_with(name, read) } else { Ok(T::default()) }
    }

    /// What another struct's fields stand among.
    pub(crate) fn rest<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(Value::Object(self.0.clone()))
    }
}

#[inline(never)]
fn fault(name: &str, absent: bool, error: &Error) -> Error {
    if absent { Error::custom(format!("missing field `{name}`")) } else { Error::custom(format!("`{name}`: {error}")) }
}

#[cfg(test)]
mod tests {
    use portal_derive::Read;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Read)]
    struct Inner {
        name: String,
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, Read)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        items: Vec<Inner>,
        #[serde(default, deserialize_with = "crate::moment::utc_if_any")]
        at: Option<chrono::DateTime<chrono::Utc>>,
    }

    #[test]
    fn a_struct_is_read_as_serde_would() {
        let whole = json!({"name": "a", "type": "t", "items": [{"name": "b", "note": "c"}], "at": null, "other": 1});
        let read: Outer = serde_json::from_value(whole).unwrap();
        let items = vec![Inner { name: "b".to_owned(), note: Some("c".to_owned()) }];
        let inner = Inner { name: "a".to_owned(), note: None };
        assert_eq!(read, Outer { inner, kind: "t".to_owned(), items, at: None });
        let short: Outer = serde_json::from_str(r#"{"name": "a", "type": "t"}"#).unwrap();
        assert!(short.items.is_empty());
    }

    #[test]
    fn an_error_names_the_field() {
        let check = |value: Value, expected: &str| {
            let error = serde_json::from_value::<Outer>(value).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(json!({"name": "a"}), "missing field `type`");
        check(json!({"type": "t"}), "missing field `name`");
        check(json!({"name": "a", "type": 1}), "`type`: invalid type");
        check(json!({"name": "a", "type": "t", "items": [{}]}), "`items`: missing field `name`");
        check(json!([]), "invalid type");
    }
}
