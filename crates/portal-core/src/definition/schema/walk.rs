//! The rows of a schema: its properties, and theirs, one below the other.

use serde_json::Value;

use super::types::own_name;
use super::{Flow, Scope, Shape};
use crate::definition::rows::{Rows, row};
use crate::definition::tree::{fields, local};
use crate::definition::wire::SchemaRow;
use crate::definition::words::{about, short, shown};

/// Types inside one another that have no rows of their own, e.g. lists of lists.
const OPEN: usize = 24;

/// Adds rows for schemas.
pub(in crate::definition) struct Walk<'s, 'a, 'r> {
    pub(in crate::definition) scope: &'s Scope<'a>,
    pub(in crate::definition) flow: Flow,
    pub(in crate::definition) rows: &'r mut Rows,
    /// References whose insides are being shown.
    open: Vec<String>,
}

impl<'a> Scope<'a> {
    /// The rows of a schema as a part: its properties, or one row named `name`
    /// for what has none.
    pub(in crate::definition) fn rows(&self, name: &str, schema: &'a Value, flow: Flow) -> Vec<SchemaRow> {
        let shape = self.shape(schema);
        self.purse.fitted(|rows| {
            let mut walk = Walk::new(self, flow, rows);
            match shape.has_properties() && shape.elsewhere.is_none() {
                true => walk.inside(0, &shape),
                false => walk.field(0, name, schema, false, None),
            }
        })
    }
}

impl<'s, 'a, 'r> Walk<'s, 'a, 'r> {
    pub(in crate::definition) fn new(scope: &'s Scope<'a>, flow: Flow, rows: &'r mut Rows) -> Self {
        Self { scope, flow, rows, open: Vec::new() }
    }

    /// Adds a row, and the rows of what is inside. A description given here
    /// goes before that of the schema.
    pub(in crate::definition) fn field(
        &mut self,
        depth: u8,
        name: &str,
        schema: &'a Value,
        required: bool,
        description: Option<&str>,
    ) {
        let shape = self.scope.shape(schema);
        self.shaped(depth, name, &shape, required, description, None);
    }

    fn shaped(
        &mut self,
        depth: u8,
        name: &str,
        shape: &Shape<'a>,
        required: bool,
        description: Option<&str>,
        fact: Option<String>,
    ) {
        // The name of an alternative says its type already.
        let is_named = shape.name.as_deref() == Some(name);
        let type_name = if is_named { self.scope.plain_type(shape) } else { self.scope.type_name(shape) };
        let type_name = if is_named && type_name == "any" { String::new() } else { type_name };
        let mut facts: Vec<String> = fact.into_iter().chain(self.scope.facts(shape)).collect();
        let link = self.scope.link(shape).or_else(|| self.item_link(shape));
        let is_cut = !self.rows.reaches(depth + 1) || self.is_open(shape);
        if is_cut && link.is_none() && shape.has_properties() {
            facts.push("its properties are not shown".to_owned());
        }
        self.rows.push(SchemaRow {
            type_name,
            required,
            deprecated: shape.is_set("deprecated"),
            description: description.or_else(|| shape.text("description")).map(about),
            facts,
            link,
            ..row(depth, name)
        });
        if !is_cut {
            self.inside(depth + 1, shape);
        }
    }

    /// The link of what a list or a map is of.
    fn item_link(&self, shape: &Shape<'a>) -> Option<String> {
        let mut of = shape.items().or_else(|| shape.additional().filter(|_| !shape.has_properties()))?;
        for _ in 0..4 {
            let shape = self.scope.shape(of);
            if let Some(link) = self.scope.link(&shape) {
                return Some(link);
            }
            of = shape.items()?;
        }
        None
    }

    fn is_open(&self, shape: &Shape<'_>) -> bool {
        self.open.len() >= OPEN || shape.pointers.iter().any(|pointer| self.open.contains(pointer))
    }

    /// Adds the rows of what is inside a schema.
    pub(in crate::definition) fn inside(&mut self, depth: u8, shape: &Shape<'a>) {
        if !self.rows.reaches(depth) || self.is_open(shape) {
            return;
        }
        let before = self.open.len();
        self.open.extend(shape.pointers.iter().cloned());
        // What has no name counts as well, so that lists of lists come to an end.
        self.open.push(String::new());
        if let Some(items) = shape.items() {
            self.inside(depth, &self.scope.shape(items));
        }
        self.properties(depth, shape);
        self.other_properties(depth, shape);
        self.alternatives(depth, shape);
        self.open.truncate(before);
    }

    fn properties(&mut self, depth: u8, shape: &Shape<'a>) {
        let (properties, total) = (shape.properties(), shape.count_of_properties());
        for (index, (name, schema, required)) in properties.iter().enumerate() {
            if self.rows.is_full() {
                self.rows.skip(total - index);
                return;
            }
            let shape = self.scope.shape(schema);
            if self.flow.has(&shape) {
                self.shaped(depth, name, &shape, *required, None, None);
            }
        }
        let places = shape.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
        for (index, schema) in places.enumerate() {
            if self.rows.is_full() {
                self.rows.skip(1);
                return;
            }
            self.field(depth, &format!("[{index}]"), schema, false, None);
        }
    }

    fn other_properties(&mut self, depth: u8, shape: &Shape<'a>) {
        for (pattern, schema) in shape.maps("patternProperties") {
            if self.rows.is_full() {
                self.rows.skip(1);
                return;
            }
            self.field(depth, &format!("/{}/", short(pattern, 80)), schema, false, None);
        }
        match shape.additional() {
            Some(values) if shape.has_properties() => self.field(depth, "any other key", values, false, None),
            // The row above says that it is a map of these.
            Some(values) => self.inside(depth, &self.scope.shape(values)),
            None => {}
        }
    }

    fn alternatives(&mut self, depth: u8, shape: &Shape<'a>) {
        let Some((_, alternatives)) = shape.alternatives() else { return };
        if self.rows.is_full() {
            self.rows.skip(alternatives.len());
            return;
        }
        let shapes: Vec<Shape<'a>> = alternatives.iter().map(|schema| self.scope.shape(schema)).collect();
        let has_rows = |shape: &Shape<'_>| {
            let is_container =
                shape.items().is_some() || shape.additional().is_some() || shape.alternatives().is_some();
            own_name(shape).is_some() || shape.has_properties() || is_container
        };
        if !shapes.iter().any(has_rows) {
            return;
        }
        for (index, alternative) in shapes.iter().enumerate() {
            if self.rows.is_full() {
                self.rows.skip(alternatives.len() - index);
                return;
            }
            let name = self.alternative_name(alternative).unwrap_or_else(|| format!("alternative {}", index + 1));
            let fact = told_apart(shape, alternative);
            self.shaped(depth, &name, alternative, false, None, fact);
        }
    }

    /// The name of an alternative, or the property that has one value in it:
    /// `type: card`.
    fn alternative_name(&self, alternative: &Shape<'a>) -> Option<String> {
        let only = |schema: &'a Value| {
            let shape = self.scope.shape(schema);
            let listed = || shape.get("enum")?.as_array().filter(|values| values.len() == 1)?.first();
            shape.get("const").or_else(listed).map(shown)
        };
        let mut properties = alternative.maps("properties").take(20);
        own_name(alternative)
            .or_else(|| properties.find_map(|(name, schema)| Some(format!("{name}: {}", only(schema)?))))
    }
}

/// `when type is card`: how the discriminator names an alternative.
fn told_apart(shape: &Shape<'_>, alternative: &Shape<'_>) -> Option<String> {
    let discriminator = shape.get("discriminator")?;
    let property = discriminator.as_str().or_else(|| discriminator.get("propertyName")?.as_str())?;
    let (pointer, name) = (alternative.pointer.as_deref()?, alternative.name.as_deref()?);
    let leads_there = |target: &Value| {
        let target = target.as_str().unwrap_or_default();
        target == name || local(target).is_some_and(|target| target == pointer)
    };
    let mapped = fields(discriminator, "mapping").take(400).find(|(_, target)| leads_there(target));
    let value = mapped.map_or(name, |(value, _)| value);
    Some(format!("when {} is {}", short(property, 80), short(value, 80)))
}
