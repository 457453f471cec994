//! What a form that is sent as a query asks for.

use portal_core::percent;

/// The pairs of a query that have a value.
pub(crate) struct Question(Vec<(String, String)>);

impl Question {
    pub(crate) fn of(query: &str) -> Self {
        let text = |text: &str| percent::decode(&text.replace('+', " "));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(key, value)| (text(key), text(value))).filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The first value of a name, or nothing.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
