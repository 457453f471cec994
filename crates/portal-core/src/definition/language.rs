//! Which language a definition is written in.

/// A language that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// OpenAPI 3 and Swagger 2.
    OpenApi,
    AsyncApi,
    GraphQl,
    Proto,
}

impl Language {
    /// The text decides where it names its specification, else the type of the
    /// entity; `None` for what is not read.
    pub(super) fn of(kind: &str, text: &str) -> Option<Self> {
        named_in(text).or_else(|| Self::of_kind(kind))
    }

    fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind.trim().to_ascii_lowercase().as_str() {
            "openapi" | "swagger" => Self::OpenApi,
            "asyncapi" => Self::AsyncApi,
            "graphql" => Self::GraphQl,
            "grpc" | "proto" | "proto2" | "proto3" | "protobuf" => Self::Proto,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OpenApi => "OpenAPI",
            Self::AsyncApi => "AsyncAPI",
            Self::GraphQl => "GraphQL",
            Self::Proto => "Protocol Buffers",
        }
    }
}

fn named_in(text: &str) -> Option<Language> {
    let text = text.trim_start_matches('\u{feff}');
    let is_json = text.trim_start().starts_with('{');
    text.lines().find_map(|line| {
        let line = if is_json { line.trim_start_matches([' ', '\t', '{', ',']) } else { line };
        let (quoted, rest) = match line.strip_prefix(['"', '\'']) {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let end = rest.find(|next: char| !next.is_ascii_alphanumeric())?;
        let (word, rest) = rest.split_at(end);
        let rest = if quoted { rest.strip_prefix(['"', '\''])? } else { rest }.trim_start();
        // A version follows; a property of the same name has none.
        let is_version =
            || rest[1..].trim_start_matches([' ', '\t', '"', '\'']).starts_with(|next: char| next.is_ascii_digit());
        match (word, rest.bytes().next()?) {
            ("openapi" | "swagger", b':') if is_version() => Some(Language::OpenApi),
            ("asyncapi", b':') if is_version() => Some(Language::AsyncApi),
            ("syntax" | "edition", b'=') if !quoted => Some(Language::Proto),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, text: &str, expected: Option<Language>) {
        assert_eq!(Language::of(kind, text), expected, "{kind}: {text}");
    }

    #[test]
    fn the_text_decides_where_it_can() {
        check("graphql", "openapi: 3.1.0", Some(Language::OpenApi));
        check("other", "# note\n'swagger' : '2.0'", Some(Language::OpenApi));
        check("openapi", "{\n  \"info\": {},\n  \"asyncapi\": \"2.6.0\"}", Some(Language::AsyncApi));
        check("openapi", "{\"openapi\":\"3.0.0\"}", Some(Language::OpenApi));
        check("openapi", "// note\nsyntax = \"proto3\";", Some(Language::Proto));
    }

    #[test]
    fn otherwise_the_type_does() {
        check("OpenAPI", "paths: {}", Some(Language::OpenApi));
        check("grpc", "message A {}", Some(Language::Proto));
        check("graphql", "type Query { openapi: String }", Some(Language::GraphQl));
        check("graphql", "type Query {\n  openapi: String }", Some(Language::GraphQl));
        check("wsdl", "<definitions/>", None);
        check("jsonschema", "{\n \"properties\": {\n  \"swagger\": {}}}", None);
        check("", "", None);
    }
}
