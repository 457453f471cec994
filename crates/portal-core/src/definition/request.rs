//! The request that somebody fills in to try an operation: what it may say, and
//! where it goes. A caller chooses values, never an address.

use std::collections::HashSet;

use url::form_urlencoded;

use super::wire::{Call, CallParameter, CallRequest, CallValue};
use crate::percent;
use crate::problem::FieldError;

/// A request that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    pub method: String,
    pub url: String,
    /// The same without what is secret.
    pub shown_url: String,
    /// Names as the definition writes them.
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
}

/// Fills the values of a request into the call that a definition describes.
///
/// # Errors
/// Each value that is missing, unknown or cannot stand where it should.
pub fn prepare(call: &Call, request: &CallRequest) -> Result<Ready, Vec<FieldError>> {
    let CallRequest { operation: _, server, parameters, body } = request;
    let mut errors = Vec::new();
    let mut fault = |pointer: String, message: String| errors.push(FieldError { pointer, message });
    let server = match server {
        None => call.servers.first(),
        Some(server) => call.servers.iter().find(|known| *known == server),
    };
    if server.is_none() {
        let known = call.servers.join(", ");
        let message = match known.as_str() {
            "" => "the definition names no server with an absolute address".to_owned(),
            known => format!("is not a server of the definition; it names {known}"),
        };
        fault("/server".to_owned(), message);
    }
    let serializer = || form_urlencoded::Serializer::new(String::new());
    let (mut path, mut headers) = (call.path.clone(), vec![]);
    let (mut query, mut shown_query) = (serializer(), serializer());
    let mut given = HashSet::new();
    for (at, CallValue { name, place, value }) in parameters.iter().enumerate() {
        let pointer = format!("/parameters/{at}/value");
        let same = |known: &str| known == name || place == "header" && known.eq_ignore_ascii_case(name);
        let Some(known) = call.parameters.iter().find(|known| known.place == *place && same(&known.name)) else {
            fault(format!("/parameters/{at}/name"), format!("the operation has no {place} parameter `{name}`"));
            continue;
        };
        given.insert((known.place.as_str(), known.name.as_str()));
        match place.as_str() {
            "path" if matches!(value.as_str(), "" | "." | "..") => {
                fault(pointer, format!("`{name}` is part of the path, and cannot be `{value}`"));
            }
            "path" => path = path.replace(&format!("{{{name}}}"), &percent::encode(value, b"")),
            "header" if is_transport(&known.name) => {
                fault(pointer, format!("`{name}` is set by whoever sends the request"));
            }
            "header" if value.chars().any(|character| character.is_control() || !character.is_ascii()) => {
                fault(pointer, "a header takes printable ASCII".to_owned());
            }
            "header" => headers.push((known.name.clone(), value.clone())),
            _ => {
                query.append_pair(name, value);
                shown_query.append_pair(name, if known.secret { "…" } else { value });
            }
        }
    }
    // Without a credential the answer is a refusal, which is worth seeing, too.
    let described = |name: &str| call.parameters.iter().any(|known| known.place == "path" && known.name == name);
    for name in braces(&call.path).filter(|name| !described(name)) {
        fault("/operation".to_owned(), format!("the definition does not describe `{{{name}}}` of its path"));
    }
    let missing = |known: &&CallParameter| {
        known.required
            && !known.secret
            && !is_left_out(known)
            && !given.contains(&(known.place.as_str(), known.name.as_str()))
    };
    for known in call.parameters.iter().filter(missing) {
        fault("/parameters".to_owned(), format!("`{}` is required in the {}", known.name, known.place));
    }
    match (&call.body, body) {
        (None, Some(_)) => fault("/body".to_owned(), "the operation takes no body".to_owned()),
        (Some(known), None) if known.required => fault("/body".to_owned(), "the operation needs a body".to_owned()),
        (Some(known), Some(_)) => headers.push(("Content-Type".to_owned(), known.media_type.clone())),
        _ => {}
    }
    let Some(server) = server.filter(|_| errors.is_empty()) else { return Err(errors) };
    let join = |query: &str| {
        // A path may end in a query of its own, or in a fragment that nobody sends.
        let path = path.split('#').next().unwrap_or_default();
        let mark = if query.is_empty() {
            ""
        } else if path.contains('?') {
            "&"
        } else {
            "?"
        };
        format!("{}/{}{mark}{query}", server.trim_end_matches('/'), path.trim_start_matches('/'))
    };
    let (url, shown_url) = (join(&query.finish()), join(&shown_query.finish()));
    Ok(Ready { method: call.method.clone(), url, shown_url, headers, body: body.clone() })
}

/// The names in braces of a path.
fn braces(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
}

/// A header that the definition states and nobody fills in.
fn is_left_out(known: &CallParameter) -> bool {
    known.place == "header" && is_transport(&known.name)
}

/// Headers that say how a request travels, not what it asks.
pub(crate) fn is_transport(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    header.starts_with("proxy-")
        || matches!(
            header.as_str(),
            "host"
                | "connection"
                | "content-length"
                | "content-type"
                | "expect"
                | "keep-alive"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::wire::CallBody;

    fn call() -> Call {
        let parameter = |name: &str, place: &str, required| CallParameter {
            name: name.to_owned(),
            place: place.to_owned(),
            required,
            secret: false,
            example: None,
            options: Vec::new(),
        };
        Call {
            method: "POST".to_owned(),
            servers: vec!["https://api.example.com/v1/".to_owned(), "https://staging.example.com".to_owned()],
            path: "/bookings/{id}/lines".to_owned(),
            parameters: vec![
                parameter("id", "path", true),
                parameter("expand", "query", false),
                parameter("X-Api-Key", "header", false),
            ],
            body: Some(CallBody { media_type: "application/json".to_owned(), required: false, example: None }),
        }
    }

    fn request(values: &[(&str, &str, &str)]) -> CallRequest {
        let value = |(place, name, value): &(&str, &str, &str)| CallValue {
            name: (*name).to_owned(),
            place: (*place).to_owned(),
            value: (*value).to_owned(),
        };
        let parameters = values.iter().map(value).collect();
        CallRequest { operation: "add-line".to_owned(), server: None, parameters, body: None }
    }

    #[test]
    fn values_stand_where_they_belong() {
        let values = [
            ("path", "id", "a b/c?d"),
            ("query", "expand", "x&y"),
            ("query", "expand", "z"),
            ("header", "x-api-key", "k"),
        ];
        let ready = prepare(&call(), &CallRequest { body: Some("{}".to_owned()), ..request(&values) }).unwrap();
        assert_eq!(ready.url, "https://api.example.com/v1/bookings/a%20b%2Fc%3Fd/lines?expand=x%26y&expand=z");
        let headers = [("X-Api-Key", "k"), ("Content-Type", "application/json")];
        assert_eq!(ready.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((ready.method.as_str(), ready.body.as_deref()), ("POST", Some("{}")));
    }

    #[test]
    fn a_path_may_be_odd() {
        let parameters = |path: &str| Call { path: path.to_owned(), ..call() };
        let asked = [("path", "id", "1"), ("query", "expand", "x")];
        let url = |path: &str| prepare(&parameters(path), &request(&asked)).unwrap().url;
        assert_eq!(url("/b/{id}?action=add"), "https://api.example.com/v1/b/1?action=add&expand=x");
        assert_eq!(url("/b/{id}#add"), "https://api.example.com/v1/b/1?expand=x");
        let errors = prepare(&parameters("/b/{id}/{line}"), &request(&asked)).unwrap_err();
        assert!(errors[0].message.contains("`{line}`"), "{errors:?}");
    }

    #[test]
    fn what_is_secret_is_sent_and_not_shown() {
        let key = |place: &str, name: &str, secret| CallParameter {
            name: name.to_owned(),
            place: place.to_owned(),
            required: true,
            secret,
            example: None,
            options: Vec::new(),
        };
        let parameters =
            vec![key("path", "id", false), key("query", "key", true), key("header", "Content-Type", false)];
        let call = Call { parameters, ..call() };
        let ready = prepare(&call, &request(&[("path", "id", "1"), ("query", "key", "s3cret")])).unwrap();
        assert_eq!(ready.url, "https://api.example.com/v1/bookings/1/lines?key=s3cret");
        assert!(!ready.shown_url.contains("s3cret"), "{}", ready.shown_url);
        // Without it the answer is a refusal, which is worth seeing.
        prepare(&call, &request(&[("path", "id", "1")])).unwrap();
    }

    #[test]
    fn nobody_chooses_an_address() {
        let elsewhere =
            CallRequest { server: Some("https://evil.example".to_owned()), ..request(&[("path", "id", "1")]) };
        let check = |request: CallRequest, expected: &[(&str, &str)]| {
            let errors = prepare(&call(), &request).unwrap_err();
            for (pointer, words) in expected {
                let found = errors.iter().find(|error| error.pointer == *pointer).map(|error| error.message.as_str());
                assert!(found.is_some_and(|message| message.contains(words)), "{pointer}: {words}: {errors:?}");
            }
            assert_eq!(errors.len(), expected.len(), "{errors:?}");
        };
        check(elsewhere, &[("/server", "is not a server of the definition")]);
        check(request(&[("path", "id", "..")]), &[("/parameters/0/value", "part of the path")]);
        check(request(&[]), &[("/parameters", "`id` is required in the path")]);
        let host = [("path", "id", "1"), ("header", "Host", "evil"), ("header", "X-Api-Key", "a\r\nb")];
        check(
            request(&host),
            &[("/parameters/1/name", "no header parameter `Host`"), ("/parameters/2/value", "printable")],
        );
        let bodiless = Call { body: None, ..call() };
        let with_body = CallRequest { body: Some(String::new()), ..request(&[("path", "id", "1")]) };
        assert_eq!(prepare(&bodiless, &with_body).unwrap_err().len(), 1);
    }
}
