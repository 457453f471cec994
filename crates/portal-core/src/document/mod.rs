//! Multi-document YAML and JSON, read with the place of every key and value.
//!
//! YAML is read by the 1.2 core schema: `yes` and `2024-01-01` are strings,
//! `0755` is the integer 755, `<<` is an ordinary key. Every document stands on
//! its own: a broken one is a fault, its neighbours are read.

mod build;
pub mod edit;
mod place;
mod scalar;
mod split;
mod syntax;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::catalog::wire::Fault;

pub use build::escape;
pub use place::Spot;

/// What one input may cost before reading stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Of the input, and again of the text that aliases repeat.
    pub bytes: usize,
    pub documents: usize,
    /// Keys, values and containers of all documents; what an alias repeats counts again.
    pub nodes: usize,
    /// Containers inside one another.
    pub depth: usize,
    /// Uses of an anchor, in all documents.
    pub aliases: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 10 << 20, documents: 5_000, nodes: 1_000_000, depth: 64, aliases: 100 }
    }
}

/// Everything that could be read of one input, and what could not.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    pub documents: Vec<Document>,
    /// Index of the document, from 0, and what is wrong there. A document with
    /// a fault is not among `documents`.
    pub faults: Vec<(u32, Fault)>,
}

/// One document that is not empty.
#[derive(Debug, Clone)]
pub struct Document {
    /// From 0; empty documents count.
    pub index: u32,
    /// Line of the first key, from 1.
    pub line: u32,
    pub value: Value,
    places: place::Places,
}

impl Document {
    /// Line and column of the value at a JSON pointer, from 1; of its nearest
    /// ancestor when it is absent.
    pub fn position(&self, pointer: &str) -> (u32, u32) {
        self.place(pointer, Spot::Value)
    }

    /// As [`Document::position`], for the key or the value. The place of what is
    /// absent is the key it is missing under.
    pub fn place(&self, pointer: &str, spot: Spot) -> (u32, u32) {
        self.places.find(&self.value, pointer, spot)
    }
}

/// Reads all documents of an input.
///
/// Stops at the first document that exceeds the budget of the input as a whole
/// (bytes, documents, nodes, aliases); too much depth costs that document only.
pub fn read(bytes: &[u8], budget: &Budget) -> Reading {
    let mut reading = Reading::default();
    let refuse = |rule: &str, message: String, hint: &str| {
        let hint = Some(hint.to_owned());
        (0, Fault { line: 1, column: 1, pointer: String::new(), rule: rule.to_owned(), message, hint })
    };
    if bytes.len() > budget.bytes {
        let message = format!("the file has {} bytes, more than the {} that are read", bytes.len(), budget.bytes);
        reading.faults.push(refuse("too_large", message, "split it into several files"));
        return reading;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let message = "the file is UTF-16".to_owned();
        reading.faults.push(refuse("invalid_utf8", message, "save it as UTF-8"));
        return reading;
    }
    let mut meter = build::Meter::new(budget);
    let mut index = 0;
    for chunk in split::documents(bytes) {
        match build::read_chunk(&chunk, index, &mut meter, &mut reading) {
            build::Outcome::Read(documents) => index += documents,
            build::Outcome::OverBudget => break,
        }
    }
    reading
}
