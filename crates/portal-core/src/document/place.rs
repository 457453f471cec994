//! Where the keys and values of a document stand.

use serde_json::Value;

/// Which end of a field a place names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    Key,
    Value,
}

/// Line and column, from 1; columns count characters.
pub(super) type Position = (u32, u32);

/// One value, with the key it stands under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) key: Position,
    pub(super) value: Position,
    /// Marks of the value and all that is inside it.
    pub(super) size: u32,
}

/// The marks of a document in the order of its text: each value before what is
/// inside it. A flat list costs one allocation where a map by pointer would
/// cost one a value.
#[derive(Debug, Clone)]
pub(super) struct Places(pub(super) Vec<Mark>);

impl Places {
    pub(super) fn find(&self, root: &Value, pointer: &str, spot: Spot) -> Position {
        let (mut at, mut value) = (0, root);
        for token in pointer.split('/').skip(1) {
            match self.step(at, value, token) {
                Some(next) => (at, value) = next,
                None => return self.0.get(at).map_or((1, 1), |mark| mark.key),
            }
        }
        self.0.get(at).map_or((1, 1), |mark| if spot == Spot::Key { mark.key } else { mark.value })
    }

    /// The mark and the value of one child.
    fn step<'a>(&self, at: usize, value: &'a Value, token: &str) -> Option<(usize, &'a Value)> {
        let (position, child) = match value {
            Value::Object(map) => {
                let key = token.replace("~1", "/").replace("~0", "~");
                let position = map.keys().position(|candidate| *candidate == key)?;
                (position, map.get(&key)?)
            }
            Value::Array(items) => {
                let position = token.parse().ok()?;
                (position, items.get(position)?)
            }
            _ => return None,
        };
        let mut at = at + 1;
        for _ in 0..position {
            at += self.0.get(at)?.size as usize;
        }
        Some((at, child))
    }
}
