//! Verdicts as text and as SARIF.

use std::collections::BTreeSet;
use std::io::{self, Write};

use portal_core::catalog::validate;
use portal_core::catalog::wire::Fault;
use serde_json::{Value, json};

use super::{Judged, cannot_run};

/// Prints a line a fault, and a summary on standard error.
pub(super) fn text(judged: &Judged, out: &mut dyn Write) -> io::Result<()> {
    for verdict in &judged.verdicts {
        for fault in verdict.errors.iter().chain(&verdict.warnings) {
            writeln!(out, "{}", line(&verdict.file, fault))?;
        }
    }
    let invalid = judged.verdicts.iter().filter(|verdict| !verdict.valid).count();
    let mut summary = format!("{} documents in {} files, {invalid} invalid", judged.verdicts.len(), judged.files);
    let stuck = judged.verdicts.iter().filter(|verdict| cannot_run(verdict)).count();
    if stuck > 0 {
        summary.push_str(&format!(", {stuck} templates that cannot run"));
    }
    writeln!(io::stderr(), "{summary}")
}

/// `file:line:column: rule: message (hint)`, which editors can jump to.
pub(super) fn line(file: &str, fault: &Fault) -> String {
    let Fault { line, column, pointer: _, rule, message, hint } = fault;
    let hint = hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    // A document's own text may be in the message; one fault is one line.
    let text = format!("{message}{hint}").replace(['\n', '\r'], " ");
    format!("{file}:{line}:{column}: {rule}: {text}")
}

/// A SARIF 2.1.0 log with one run.
pub(super) fn sarif(judged: &Judged) -> Value {
    let faults = || {
        let all = judged.verdicts.iter();
        all.flat_map(|verdict| verdict.errors.iter().chain(&verdict.warnings).map(move |fault| (verdict, fault)))
    };
    let rules: BTreeSet<&str> = faults().map(|(_, fault)| fault.rule.as_str()).collect();
    let results: Vec<Value> = faults()
        .map(|(verdict, fault)| {
            let hint = fault.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            json!({
                "ruleId": fault.rule,
                "ruleIndex": rules.iter().position(|rule| *rule == fault.rule),
                "level": if fault.rule == validate::REMARK { "warning" } else { "error" },
                "message": { "text": format!("{}{hint}", fault.message) },
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": { "uri": uri(&verdict.file) },
                        "region": { "startLine": fault.line, "startColumn": fault.column },
                    },
                    "logicalLocations": [{ "fullyQualifiedName": fault.pointer }],
                }],
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "portal validate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({ "id": rule })).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    // An absolute path needs its scheme.
    if uri.starts_with('/') { format!("file://{uri}") } else { uri }
}
