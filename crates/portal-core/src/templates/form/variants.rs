//! `oneOf` and `anyOf` of objects that no field of theirs tells apart: somebody chooses.
//!
//! The choice stands beside the answers of its object, as `:oneOf:FIELD` or `:anyOf:FIELD` with
//! the number of the option; FIELD is the first that any option has, since an object may leave
//! several choices. It is asked and answered, and is no answer itself: without it the option
//! that fits what is there best is meant, as in react-jsonschema-form.

use serde_json::{Map, Value, json};

use super::resolve::followed;

/// Whether a name is that of a choice.
pub(super) fn is_choice(name: &str) -> bool {
    name.starts_with(":oneOf:") || name.starts_with(":anyOf:")
}

/// Options to choose from: objects, of which no field decides.
pub(super) struct Variants<'s> {
    options: Vec<&'s Value>,
}

impl<'s> Variants<'s> {
    pub(super) fn of(root: &'s Value, options: &'s Value) -> Option<Self> {
        let options: Vec<&Value> = options.as_array()?.iter().map(|option| followed(root, option)).collect();
        let fields = |option: &Value| option["properties"].as_object().into_iter().flatten().count();
        // A field tells options apart that says in more than one of them what it is.
        let decides = |option: &Value, name: &str| {
            let field = &option["properties"][name];
            field.get("const").is_some() || field.get("enum").is_some()
        };
        let tells_apart = |name: &str| options.iter().filter(|option| decides(option, name)).count() > 1;
        let is_open = |option: &&Value| {
            let mut names = option["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
            option.is_object() && option.get("const").is_none() && !names.any(|name| tells_apart(name))
        };
        let asks = options.iter().filter(|option| fields(option) > 0).count();
        let (all, open) = (options.len(), options.iter().filter(|option| is_open(option)).count());
        // One that has no fields is chosen by its title.
        let named = options.iter().filter(|option| fields(option) > 0 || option["title"].is_string()).count();
        (all > 1 && open == all && asks > 0 && named == all).then_some(Self { options })
    }

    fn fields(&self, index: usize) -> impl Iterator<Item = &'s String> + use<'s> {
        self.options[index]["properties"].as_object().into_iter().flat_map(|fields| fields.keys())
    }

    /// The name of the choice among the answers; `key` is `oneOf` or `anyOf`.
    pub(super) fn name(&self, key: &str) -> String {
        let first = (0..self.options.len()).find_map(|index| self.fields(index).next());
        format!(":{key}:{}", first.map_or("", String::as_str))
    }

    /// The option that was chosen, or else the one of which most is there.
    pub(super) fn picked(&self, key: &str, data: &Value) -> usize {
        let choice = &data[&self.name(key)];
        let number = choice.as_u64().or_else(|| choice.as_str()?.parse().ok());
        let chosen = number.and_then(|number| usize::try_from(number).ok()).filter(|index| *index < self.options.len());
        chosen.unwrap_or_else(|| {
            let there = |index: &usize| self.fields(*index).filter(|field| data.get(field.as_str()).is_some()).count();
            // Of those that are alike, the first.
            (0..self.options.len()).rev().max_by_key(there).unwrap_or_default()
        })
    }

    pub(super) fn option(&self, index: usize) -> &'s Value {
        self.options[index]
    }

    /// What asks for the choice, as a property; its default is what is meant now.
    pub(super) fn question(&self, picked: usize) -> Value {
        let label = |index: usize| {
            let title = self.options[index]["title"].as_str().map(str::to_owned);
            title.unwrap_or_else(|| self.fields(index).cloned().collect::<Vec<_>>().join(", "))
        };
        let numbers: Vec<usize> = (0..self.options.len()).collect();
        let labels: Vec<String> = numbers.iter().map(|index| label(*index)).collect();
        json!({ "type": "integer", "title": "One of", "enum": numbers, "enumNames": labels, "default": picked })
    }

    /// Fields that only options have that were not picked.
    pub(super) fn foreign(&self, picked: usize) -> impl Iterator<Item = String> {
        let others = (0..self.options.len()).filter(move |index| *index != picked);
        let foreign = others.flat_map(|index| self.fields(index));
        foreign.filter(move |field| !self.fields(picked).any(|own| own == *field)).cloned()
    }
}

/// The answers without choices.
pub(super) fn without(mut answers: Value) -> Value {
    drop_choices(&mut answers);
    answers
}

fn drop_choices(answers: &mut Value) {
    match answers {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let was_empty = value.as_object().is_some_and(Map::is_empty);
                drop_choices(value);
                // An object that held nothing but a choice was not answered.
                !is_choice(name) && (was_empty || value.as_object().is_none_or(|fields| !fields.is_empty()))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_choices),
        _ => {}
    }
}
