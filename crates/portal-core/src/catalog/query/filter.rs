//! The `filter` parameter: `key`, `key=value`, commas for AND, repeated keys
//! for IN, repeated parameters for OR.

/// Clauses of which one must hold; no clause at all asks for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub any: Vec<Clause>,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clause {
    pub all: Vec<Condition>,
}

/// A key that exists, or has one of some values. Both are lower-cased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub key: String,
    /// `None` asks for the key's presence.
    pub values: Option<Vec<String>>,
}

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("`{0}` has a condition without a key; write `key` or `key=value`")]
    EmptyKey(String),
}

impl Filter {
    /// Reads the values of every `filter` parameter.
    ///
    /// # Errors
    /// A condition has no key.
    pub fn parse<T: AsRef<str>>(parameters: &[T]) -> Result<Self, FilterError> {
        let clauses = parameters.iter().map(|text| Clause::parse(text.as_ref()));
        // A parameter without any condition asks for nothing in particular;
        // Backstage ignores it.
        let any = clauses.filter(|clause| !matches!(clause, Ok(clause) if clause.all.is_empty()));
        Ok(Self { any: any.collect::<Result<_, _>>()? })
    }

    /// The same filter without conditions on `key`: what the other values of a
    /// facet would select.
    #[must_use]
    pub fn without(&self, key: &str) -> Self {
        let mut any: Vec<Clause> = self.any.clone();
        for clause in &mut any {
            clause.all.retain(|condition| condition.key != key);
        }
        // A clause that lost its last condition admits everything.
        if any.iter().any(|clause| clause.all.is_empty()) {
            any.clear();
        }
        Self { any }
    }
}

impl Clause {
    fn parse(text: &str) -> Result<Self, FilterError> {
        let mut all: Vec<Condition> = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = match part.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value.trim().to_lowercase())),
                None => (part, None),
            };
            if key.is_empty() {
                return Err(FilterError::EmptyKey(part.to_owned()));
            }
            let key = key.to_lowercase();
            let known = all.iter_mut().find(|condition| condition.key == key);
            match (known, value) {
                (Some(condition), Some(value)) => condition.values.get_or_insert_default().push(value),
                (Some(_), None) => {}
                (None, value) => all.push(Condition { key, values: value.map(|value| vec![value]) }),
            }
        }
        Ok(Self { all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parameters: &[&str], expected: &[&[(&str, &[&str])]]) {
        let filter = Filter::parse(parameters).unwrap();
        let found: Vec<Vec<(&str, Vec<&str>)>> = filter
            .any
            .iter()
            .map(|clause| {
                clause
                    .all
                    .iter()
                    .map(|condition| {
                        let values = condition.values.iter().flatten().map(String::as_str).collect();
                        (condition.key.as_str(), values)
                    })
                    .collect()
            })
            .collect();
        let expected: Vec<Vec<(&str, Vec<&str>)>> = expected
            .iter()
            .map(|clause| clause.iter().map(|(key, values)| (*key, values.to_vec())).collect())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn commas_and_repeats_and_parameters_combine() {
        check(&[], &[]);
        check(&["Kind = Component , metadata.tags.Java"], &[&[("kind", &["component"]), ("metadata.tags.java", &[])]]);
        check(&["kind=a,kind=B", "x=y=z"], &[&[("kind", &["a", "b"])], &[("x", &["y=z"])]]);
        check(&["kind="], &[&[("kind", &[""])]]);
        check(&["", " , "], &[]);
    }

    #[test]
    fn a_condition_needs_a_key() {
        assert!(Filter::parse(&["kind=a,=b"]).is_err());
    }

    #[test]
    fn a_facet_is_widened_by_its_own_conditions_only() {
        let filter = Filter::parse(&["kind=a,spec.type=b"]).unwrap();
        assert_eq!(filter.without("kind"), Filter::parse(&["spec.type=b"]).unwrap());
        assert_eq!(Filter::parse(&["kind=a", "spec.type=b"]).unwrap().without("kind"), Filter::default());
    }
}
