//! Score: what a workload needs, whatever runs it. Version `score.dev/v1b1`, after the
//! specification of <https://github.com/score-spec/spec>.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::document::{self, Budget};

/// Something that is wrong in a Score file; line and column count from 1, where the file is
/// a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{pointer}: {message}", place(*line, *column))]
pub struct Slip {
    pub line: u32,
    pub column: u32,
    pub pointer: String,
    pub message: String,
}

fn place(line: u32, column: u32) -> String {
    if line == 0 { String::new() } else { format!("line {line}, column {column}: ") }
}

fn schema() -> &'static Validator {
    static READ: OnceLock<Validator> = OnceLock::new();
    READ.get_or_init(|| {
        let text = include_str!("v1b1.json");
        let schema: Value = serde_json::from_str(text).unwrap_or_default();
        let built = jsonschema::options().build(&schema);
        built.unwrap_or_else(|_| unreachable!("a test builds it"))
    })
}

/// Reads a Score file.
///
/// # Errors
/// All that is wrong, with its places.
pub fn read(text: &str) -> Result<Value, Vec<Slip>> {
    let reading = document::read(text.as_bytes(), &Budget::default());
    if let Some((_, fault)) = reading.faults.first() {
        let (line, column) = (fault.line, fault.column);
        return Err(vec![Slip { line, column, pointer: String::new(), message: fault.message.clone() }]);
    }
    let [one] = &reading.documents[..] else {
        let message = format!("a Score file is one document, and this is {}", reading.documents.len());
        return Err(vec![Slip { line: 1, column: 1, pointer: String::new(), message }]);
    };
    let mut slips = slips(&one.value);
    for slip in &mut slips {
        (slip.line, slip.column) = one.position(&slip.pointer);
    }
    if slips.is_empty() { Ok(one.value.clone()) } else { Err(slips) }
}

/// What is wrong with a Score file that was read, without lines.
pub fn slips(score: &Value) -> Vec<Slip> {
    let slip = |pointer: String, message: String| Slip { line: 0, column: 0, pointer, message };
    let mut found: Vec<Slip> = schema()
        .iter_errors(score)
        .map(|error| {
            let message: String = error.to_string().chars().take(200).collect();
            slip(error.instance_path().as_str().to_owned(), message)
        })
        .collect();
    if found.is_empty() {
        for (pointer, name) in unknown_resources(score) {
            found.push(slip(pointer, format!("there is no resource `{name}`")));
        }
    }
    found
}

/// Places that name a resource which the file does not ask for.
fn unknown_resources(score: &Value) -> Vec<(String, String)> {
    let known: BTreeSet<&str> =
        score["resources"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut found = Vec::new();
    walk(score, "", &mut |pointer, text| {
        for name in placeholders(text).into_iter().filter_map(|path| path.strip_prefix("resources.")) {
            let name = name.split('.').next().unwrap_or_default();
            if !known.contains(name) {
                found.push((pointer.to_owned(), name.to_owned()));
            }
        }
    });
    found
}

fn walk(value: &Value, pointer: &str, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(pointer, text),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{pointer}/{index}"), see));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, field)| walk(field, &format!("{pointer}/{}", document::escape(key)), see));
        }
        _ => {}
    }
}

/// What stands between `${` and `}`; `$${` is a dollar sign.
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let is_escaped = rest[..at].ends_with('$');
        rest = &rest[at + 2..];
        let Some(end) = rest.find('}') else { break };
        if !is_escaped {
            found.push(&rest[..end]);
        }
        rest = &rest[end + 1..];
    }
    found
}

/// Gives the containers an image that have `.`, which is said when it is deployed.
///
/// # Errors
/// There is one, and no image was said.
pub fn with_image(score: &mut Value, image: Option<&str>) -> Result<(), Slip> {
    for (name, container) in score["containers"].as_object_mut().into_iter().flatten() {
        if container["image"] == "." {
            let pointer = format!("/containers/{}/image", document::escape(name));
            let message = "is `.`, so the step has to say `image`".to_owned();
            container["image"] = image.ok_or(Slip { line: 0, column: 0, pointer, message })?.into();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = "apiVersion: score.dev/v1b1\nmetadata:\n  name: ledger\ncontainers:\n  web:\n    image: .\n    variables:\n      DB: ${resources.db.host}\nresources:\n  db:\n    type: postgres\n";

    #[test]
    fn a_score_file_is_read_with_its_places() {
        let mut score = read(GOOD).unwrap();
        assert!(
            with_image(&mut score.clone(), None).unwrap_err().to_string().starts_with("/containers/web/image: is `.`")
        );
        with_image(&mut score, Some("registry/ledger:1")).unwrap();
        assert_eq!(score["containers"]["web"]["image"], "registry/ledger:1");

        let told = |text: &str| read(text).unwrap_err().into_iter().map(|slip| slip.to_string()).collect::<Vec<_>>();
        let lost = told(&GOOD.replace("resources.db.host", "resources.cache.host"));
        assert_eq!(lost, ["line 8, column 11: /containers/web/variables/DB: there is no resource `cache`"]);
        for (from, to, place) in [
            ("name: ledger", "name: Ledger", "/metadata/name"),
            ("    image: .\n", "    picture: .\n", "/containers/web"),
            ("score.dev/v1b1", "score.dev/v2", "/apiVersion"),
            ("    type: postgres\n", "    class: big\n", "/resources/db"),
        ] {
            let told = told(&GOOD.replace(from, to));
            assert!(told.iter().all(|text| text.starts_with("line ")), "{told:?}");
            assert!(told.iter().any(|text| text.contains(&format!(": {place}: "))), "{to}: {told:?}");
        }
        assert!(told("a: [").len() == 1);
    }

    #[test]
    fn placeholders_are_found() {
        assert_eq!(placeholders("a ${x.y} $${no} ${z"), ["x.y"]);
        assert_eq!(slips(&json!({})).len(), 3);
    }
}
