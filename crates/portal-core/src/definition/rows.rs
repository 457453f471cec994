//! Rows of a part, within a budget.

use std::cell::Cell;

use super::wire::SchemaRow;
use super::words;

/// Rows of a part.
const PART: usize = 400;
/// Rows of an operation, after which its parts are kept to `SCARCE`.
const OPERATION: usize = 2_000;
const SCARCE: usize = 20;
/// Properties that are looked at for a part, hidden ones too.
const STEPS: usize = 20_000;
/// Levels of a part.
const DEPTH: u8 = 8;
/// Characters of a name.
const NAME: usize = 120;

/// Bytes of the examples of an operation.
const EXAMPLES: usize = 2 << 20;

/// What one operation has cost.
#[derive(Debug, Default)]
pub(super) struct Purse {
    rows: Cell<usize>,
    examples: Cell<usize>,
}

impl Purse {
    /// The rows of a part, as deep as its budget allows: a first property with
    /// hundreds of others inside does not hide its neighbours.
    pub(super) fn fitted(&self, fill: impl Fn(&mut Rows)) -> Vec<SchemaRow> {
        let limit = OPERATION.saturating_sub(self.rows.get()).clamp(SCARCE, PART);
        for deepest in (0..DEPTH).rev() {
            let mut rows = Rows { rows: Vec::new(), limit, deepest, left_out: 0, steps: 0 };
            fill(&mut rows);
            if rows.left_out == 0 || deepest == 0 {
                self.rows.set(self.rows.get() + rows.rows.len());
                return rows.finish();
            }
        }
        Vec::new()
    }

    /// Whether there is room for one more example.
    pub(super) fn affords(&self, example: &str) -> bool {
        self.examples.set(self.examples.get() + example.len());
        self.examples.get() <= EXAMPLES
    }
}

/// The rows of one attempt.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<SchemaRow>,
    limit: usize,
    deepest: u8,
    left_out: usize,
    /// How often it was asked whether there is room.
    steps: usize,
}

impl Rows {
    pub(super) fn push(&mut self, row: SchemaRow) {
        match self.rows.len() < self.limit {
            true => self.rows.push(row),
            false => self.left_out += 1,
        }
    }

    /// Whether rows may be added at a depth.
    pub(super) fn reaches(&self, depth: u8) -> bool {
        depth <= self.deepest && (self.left_out == 0 || self.deepest == 0)
    }

    /// Whether nothing more can be added; what is left out is only counted.
    pub(super) fn is_full(&mut self) -> bool {
        self.steps += 1;
        self.rows.len() >= self.limit || self.steps > STEPS
    }

    /// Counts rows that are not even made.
    pub(super) fn skip(&mut self, count: usize) {
        self.left_out += count;
    }

    fn finish(self) -> Vec<SchemaRow> {
        let Self { mut rows, left_out, .. } = self;
        if left_out > 0 {
            rows.push(row(0, &format!("… and {left_out} more")));
        }
        rows
    }
}

/// A row with nothing but its name.
pub(super) fn row(depth: u8, name: &str) -> SchemaRow {
    SchemaRow {
        depth,
        name: words::short(name, NAME),
        type_name: String::new(),
        required: false,
        deprecated: false,
        description: None,
        facts: Vec::new(),
        link: None,
    }
}
