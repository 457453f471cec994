//! What the YAML parser says, in the words of whoever wrote the file.

/// Part of the parser's message, then ours, then the way out.
const SAYINGS: [(&str, &str, &str); 18] = [
    ("tab", "a tab stands where YAML allows only spaces", "indent with spaces"),
    (
        "unknown anchor",
        "the alias has no anchor",
        "define it with `&name` before, or quote a text that starts with `*`",
    ),
    ("unknown escape", "there is no such escape", "use single quotes where `\\` means itself"),
    ("hexadecimal", "the escape has too few digits", "use single quotes where `\\` means itself"),
    ("Unicode character", "the escape is not a character", "write the character itself"),
    (
        "mapping values are not allowed",
        "a `key: value` cannot stand here",
        "quote a text that contains `: `, or check the indentation",
    ),
    ("mapping keys are not allowed", "a key cannot stand here", "check the indentation"),
    ("block sequence entries", "a list item cannot stand here", "start the list on a new line"),
    ("unexpected character", "a text cannot start with this character", "quote it"),
    ("plain scalar cannot start", "a text cannot start with this character", "quote it"),
    ("indentation in quoted scalar", "the quoted text goes on in a line that is not indented", "close the quote"),
    ("found unexpected end of stream", "the quote is never closed", "close it"),
    ("document indicator", "the quote is not closed before the document ends", "close it"),
    (
        "trailing content after double-quoted",
        "there is text after the closing quote",
        "escape quotes inside the text as `\\\"`",
    ),
    ("',' or '}'", "the mapping in braces is not closed", "separate its fields with `,` and end it with `}`"),
    ("',' or ']'", "the list in brackets is not closed", "separate its items with `,` and end it with `]`"),
    (
        "did not find expected key",
        "this is not a key of the mapping above",
        "check the indentation and the quotes before it",
    ),
    ("simple key expect", "a key must be on one line and end with `:`", "check the line before for a missing `:`"),
];

/// Message and hint for what the parser said.
pub(super) fn explained(said: &str) -> (String, Option<&'static str>) {
    match SAYINGS.iter().find(|(part, _, _)| said.contains(part)) {
        Some((_, message, hint)) => ((*message).to_owned(), Some(hint)),
        None => (format!("not YAML: {said}"), None),
    }
}
