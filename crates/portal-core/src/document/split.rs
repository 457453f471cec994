//! Cuts an input at its document markers, so that a document that cannot be
//! parsed does not take the following ones with it.
//!
//! `---` and `...` at the start of a line end a document in every context of
//! YAML 1.2, quoted and block scalars included, so the cut needs no parser.

/// One document with its directives and comments.
#[derive(Debug)]
pub(super) struct Chunk<'a> {
    pub(super) bytes: &'a [u8],
    /// Lines of the input before this chunk.
    pub(super) line: u32,
    /// The document asks for YAML 1.1.
    pub(super) old_schema: bool,
}

/// The documents of an input, in order.
pub(super) fn documents(bytes: &[u8]) -> Documents<'_> {
    let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Documents { rest, line: 0 }
}

#[derive(Debug)]
pub(super) struct Documents<'a> {
    rest: &'a [u8],
    line: u32,
}

impl<'a> Iterator for Documents<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut at, mut lines) = (0, 0);
        // Directives and comments belong to the document that follows them.
        let mut preamble = true;
        let mut old_schema = false;
        while at < self.rest.len() {
            let line = &self.rest[at..];
            let length = line_length(line);
            if is_marker(line, b"---") {
                if !preamble {
                    break;
                }
                preamble = false;
            } else if is_marker(line, b"...") {
                at += length;
                lines += 1;
                break;
            } else if preamble {
                let text = line[..length].trim_ascii();
                if text.starts_with(b"%YAML") {
                    old_schema = text.ends_with(b"1.1");
                }
                preamble = text.is_empty() || text[0] == b'#' || line[0] == b'%';
            }
            at += length;
            lines += 1;
        }
        let (bytes, rest) = self.rest.split_at(at);
        let chunk = Chunk { bytes, line: self.line, old_schema };
        self.rest = rest;
        self.line += lines;
        Some(chunk)
    }
}

fn is_marker(line: &[u8], marker: &[u8]) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')))
}

/// Length with the line break: `\n`, `\r\n` or `\r`.
fn line_length(line: &[u8]) -> usize {
    match line.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(at) if line[at] == b'\r' && line.get(at + 1) == Some(&b'\n') => at + 2,
        Some(at) => at + 1,
        None => line.len(),
    }
}
