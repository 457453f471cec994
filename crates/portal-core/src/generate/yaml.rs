//! Generated entities as the YAML that people write.

use std::fmt::Write as _;

use serde_json::Value;

use crate::catalog::Entity;

/// One YAML document, with its marker.
pub fn to_yaml(entity: &Entity) -> String {
    let mut text = "---\n".to_owned();
    block(&entity.0, 0, &mut text);
    text
}

/// Writes a map or a list, whose lines start at `indent`.
fn block(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let _ = write!(text, "{:indent$}{key}:", "");
                inline(value, indent, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(text, "{:indent$}-", "");
                inline(item, indent, text);
            }
        }
        scalar => inline(scalar, indent, text),
    }
}

/// Writes what follows `key:` or `-`.
fn inline(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(fields) if fields.is_empty() => text.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            text.push('\n');
            block(value, indent + 2, text);
        }
        Value::String(long) if long.contains('\n') => {
            text.push_str(" |\n");
            for line in long.lines() {
                let _ = writeln!(text, "{:1$}{line}", "", indent + 2);
            }
        }
        // Quoted, so that no text reads as a number or a truth value.
        Value::String(_) => {
            let _ = writeln!(text, " {value}");
        }
        scalar => {
            let _ = writeln!(text, " {scalar}");
        }
    }
}

#[cfg(all(test, feature = "engine"))]
mod tests {
    use crate::document::{Budget, read};
    use crate::generate::{catalog, to_yaml};

    #[test]
    fn the_yaml_reads_as_the_entity_it_was_written_from() {
        let entities: Vec<_> = catalog(200, 3).collect();
        let text: String = entities.iter().map(to_yaml).collect();
        let reading = read(text.as_bytes(), &Budget::default());
        assert!(reading.faults.is_empty(), "{:?}", reading.faults);
        for (document, entity) in reading.documents.iter().zip(&entities) {
            assert_eq!(document.value, entity.0);
        }
        assert_eq!(reading.documents.len(), 200);
    }
}
