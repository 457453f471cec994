//! A query to start from: the operation with its required arguments as
//! variables, and the plain fields of its answer.

use super::{Field, Kind, Source};

/// Arguments that are given, fields that are asked for, and levels of them.
const ARGUMENTS: usize = 12;
const FIELDS: usize = 24;
const LEVELS: usize = 3;

pub(super) fn example(source: &Source, verb: &str, field: &Field) -> String {
    let required: Vec<&Field> =
        field.arguments.iter().filter(|argument| argument.is_required()).take(ARGUMENTS).collect();
    let joined = |words: Vec<String>| if words.is_empty() { String::new() } else { format!("({})", words.join(", ")) };
    let variables = required.iter().map(|argument| format!("${}: {}", argument.name, argument.type_name)).collect();
    let arguments = required.iter().map(|argument| format!("{0}: ${0}", argument.name)).collect();
    let selection = selection(source, &field.named, 1, &mut FIELDS.clone());
    format!("{verb}{} {{\n  {}{}{selection}\n}}", joined(variables), field.name, joined(arguments))
}

/// The fields of a type in braces; nothing for a scalar. `left` is how many
/// fields may still be asked for.
fn selection(source: &Source, name: &str, level: usize, left: &mut usize) -> String {
    let composite = |name: &str| {
        let found = source.types.get(name)?;
        matches!(found.kind, Kind::Object | Kind::Interface | Kind::Union).then_some(found)
    };
    let Some(found) = composite(name) else { return String::new() };
    let indent = "  ".repeat(level + 1);
    let free = found.fields.iter().filter(|field| !field.arguments.iter().any(Field::is_required));
    let mut lines = Vec::new();
    for field in free.filter(|field| field.deprecated.is_none()) {
        if *left == 0 {
            break;
        }
        if composite(&field.named).is_none() || level < LEVELS {
            *left -= 1;
            lines.push(format!("{indent}{}{}", field.name, selection(source, &field.named, level + 1, left)));
        }
    }
    if lines.is_empty() {
        lines.push(format!("{indent}__typename"));
    }
    format!(" {{\n{}\n{}}}", lines.join("\n"), "  ".repeat(level))
}
