//! The input of a step, read by name and type.

use serde_json::{Map, Value};

use super::Trouble;
use super::workspace::FilePath;

/// The rendered input of one step.
#[derive(Debug, Clone, Copy)]
pub struct Input<'i>(pub &'i Map<String, Value>);

fn wrong(name: &str, wanted: &str, found: &Value) -> Trouble {
    let found: String = found.to_string().chars().take(80).collect();
    Trouble::new("invalid_input", format!("`{name}` must be {wanted}, and is {found}"))
}

impl<'i> Input<'i> {
    /// A value that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'i Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// # Errors
    /// It is missing.
    pub fn required(&self, name: &str) -> Result<&'i Value, Trouble> {
        self.get(name).ok_or_else(|| Trouble::new("invalid_input", format!("`{name}` is missing")))
    }

    /// # Errors
    /// It is not a text.
    pub fn text(&self, name: &str) -> Result<Option<&'i str>, Trouble> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, "a text", other)),
        }
    }

    /// A text that is there and not empty.
    ///
    /// # Errors
    /// It is missing, empty or not a text.
    pub fn must(&self, name: &str) -> Result<&'i str, Trouble> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Trouble::new("invalid_input", format!("`{name}` is missing")))
    }

    /// # Errors
    /// It is neither true nor false.
    pub fn flag(&self, name: &str) -> Result<bool, Trouble> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    /// # Errors
    /// It is not a number of 0 or more.
    pub fn amount(&self, name: &str) -> Result<Option<f64>, Trouble> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => {
                let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
                number
                    .filter(|number| *number >= 0.0)
                    .map(Some)
                    .ok_or_else(|| wrong(name, "a number of 0 or more", value))
            }
        }
    }

    /// # Errors
    /// It is not an object.
    pub fn object(&self, name: &str) -> Result<Option<&'i Map<String, Value>>, Trouble> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(fields)),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }

    /// The texts of a list, or the one text; nothing where it is missing.
    ///
    /// # Errors
    /// It holds something else.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Trouble> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(items)) => {
                let text =
                    |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| wrong(name, "a list of texts", item));
                items.iter().map(text).collect()
            }
            Some(other) => Err(wrong(name, "a list of texts", other)),
        }
    }

    /// The objects of a list.
    ///
    /// # Errors
    /// It is missing, or holds something else.
    pub fn objects(&self, name: &str) -> Result<Vec<Input<'i>>, Trouble> {
        let value = self.required(name)?;
        let items = value.as_array().ok_or_else(|| wrong(name, "a list", value))?;
        let one = |item: &'i Value| item.as_object().map(Input).ok_or_else(|| wrong(name, "a list of objects", item));
        items.iter().map(one).collect()
    }

    /// The path of a file.
    ///
    /// # Errors
    /// It is missing, or leads out of the workspace.
    pub fn file(&self, name: &str) -> Result<FilePath, Trouble> {
        FilePath::file(self.must(name)?)
    }

    /// The path of a folder; the workspace itself where it is missing.
    ///
    /// # Errors
    /// It leads out of the workspace.
    pub fn folder(&self, name: &str) -> Result<FilePath, Trouble> {
        FilePath::folder(self.text(name)?.unwrap_or_default())
    }
}
