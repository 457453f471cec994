//! Answers, by status.

use serde_json::Value;

use super::body::{contents, old_contents};
use super::parameters::header_rows;
use crate::definition::schema::{Flow, Scope};
use crate::definition::tree::{Lead, fields, text};
use crate::definition::wire::DefinitionPart;
use crate::definition::words::{long, short};

/// Answers of an operation that are looked at.
const ANSWERS: usize = 40;

/// The parts of the answers of an operation.
pub(super) fn parts<'a>(scope: &Scope<'a>, operation: &'a Value) -> Vec<DefinitionPart> {
    let mut parts = Vec::new();
    for (status, response) in fields(operation, "responses").filter(|(key, _)| !key.starts_with("x-")).take(ANSWERS) {
        let title = titled(status);
        match scope.tree.follow(response) {
            Lead::To(response) => add(scope, operation, &title, response, &mut parts),
            Lead::Outside(reference) => {
                parts.push(bare(&title, Some(format!("Defined in `{reference}`, which is not part of the text."))));
            }
            Lead::Nowhere => parts.push(bare(&title, None)),
        }
    }
    parts
}

fn add<'a>(scope: &Scope<'a>, operation: &'a Value, title: &str, response: &'a Value, parts: &mut Vec<DefinitionPart>) {
    let description = text(response, "description");
    let root = scope.tree.root();
    let contents = if root.get("swagger").is_some() {
        let examples = response.get("examples").unwrap_or(&Value::Null);
        old_contents(root, operation, "produces", response.get("schema"), examples)
    } else {
        contents(scope, response)
    };
    if contents.is_empty() {
        parts.push(bare(title, description.map(long)));
    }
    parts.extend(contents.iter().map(|content| content.part(scope, title, description, Flow::Out)));
    let headers = header_rows(scope, response);
    if !headers.is_empty() {
        parts.push(DefinitionPart { rows: headers, ..bare(&format!("{title} headers"), None) });
    }
}

/// A part with nothing but its title.
pub(super) fn bare(title: &str, description: Option<String>) -> DefinitionPart {
    DefinitionPart { title: title.to_owned(), label: None, description, rows: Vec::new(), example: None }
}

/// A status with its reason.
fn titled(status: &str) -> String {
    let status = status.trim();
    let reason = match status {
        "default" | "Default" => return "Any other status".to_owned(),
        "1XX" | "1xx" => "Informational",
        "2XX" | "2xx" => "Success",
        "3XX" | "3xx" => "Redirection",
        "4XX" | "4xx" => "Client error",
        "5XX" | "5xx" => "Server error",
        status => status.parse().ok().and_then(reason).unwrap_or_default(),
    };
    format!("{} {reason}", short(status, 40)).trim().to_owned()
}

/// The reasons of the registered statuses.
fn reason(status: u16) -> Option<&'static str> {
    Some(match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => return None,
    })
}
