//! Loading: one question to the API, its answer, and newer answers.
//!
//! The first answer is a resource, so that the server waits for it and the
//! browser finds it in the page. Later ones (another question, a live update)
//! arrive beside it, and an answer to an older question is dropped.
//!
//! Answers travel as text and are parsed where they are shown. That way there is
//! one kind of resource in the whole application, which keeps the wasm small, and
//! the server does not serialise what the API has serialised already. HTML that
//! the server has written stands in the page and does not travel a second time.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leptos::prelude::*;
use leptos::server::codee::string::FromToStringCodec;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Live;
use super::transport::{Api, ApiRequest, Failure, read_json, use_api};
use crate::ui::effect;

/// How long the network is away before the question is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// An answer as text, with the time at which it was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fetched {
    pub status: u16,
    now_ms: i64,
    /// The question it answers; empty when none was asked.
    pub question: String,
    pub body: String,
    /// Of the answers to one [`Load`], from 0; it does not travel.
    number: u32,
    /// What the server has written of the page itself, instead of a body. It stands
    /// in the page and does not travel either.
    parts: Option<Arc<Value>>,
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.status, self.now_ms, self.question, self.body)
    }
}

impl FromStr for Fetched {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(4, ' ');
        let status = parts.next().and_then(|part| part.parse().ok());
        let now_ms = parts.next().and_then(|part| part.parse().ok());
        match (status, now_ms, parts.next(), parts.next()) {
            (Some(status), Some(now_ms), Some(question), Some(body)) => {
                let (question, body) = (question.to_owned(), body.to_owned());
                Ok(Self { status, now_ms, question, body, ..Self::default() })
            }
            _ => Err("not an answer".to_owned()),
        }
    }
}

type Parsed = Arc<Mutex<Option<(u32, Arc<dyn Any + Send + Sync>)>>>;

/// A question and its latest answer. `None` as question loads nothing.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    question: Memo<Option<String>>,
    first: Resource<Fetched, FromToStringCodec>,
    latest: RwSignal<Option<Fetched>>,
    generation: StoredValue<u32>,
    /// The answer that [`Load::read_shared`] parsed last, by its number.
    parsed: StoredValue<Parsed>,
    /// A newer answer than the one shown is under way.
    pub pending: RwSignal<bool>,
    live: Option<Live>,
    /// The network was away when the question was asked last.
    away: StoredValue<bool>,
    api: StoredValue<Api>,
}

/// Asks the API for `question`, a path with its query, now and whenever it changes.
pub(crate) fn use_load(question: Memo<Option<String>>) -> Load {
    let api = use_api();
    let first = Resource::new_str(|| (), {
        let api = api.clone();
        move |()| ask(api.clone(), question.get_untracked())
    });
    watch(api, question, first, None)
}

/// Asks a question that `choose` reads off the answer to another one, again after
/// each answer to that: what it asks about may be gone by then.
pub(crate) fn use_load_after(before: Load, choose: fn(&Fetched) -> Option<String>) -> Load {
    let api = use_api();
    let first = Resource::new_str(|| (), {
        let api = api.clone();
        move |()| {
            let api = api.clone();
            async move {
                let question = choose(&before.first.await);
                ask(api, question).await
            }
        }
    });
    let question = Memo::new(move |_| {
        let latest = before.latest.with(|latest| latest.as_ref().map(choose));
        // The first answer never changes once it is there.
        let first = || untrack(|| before.first.with(|first| first.as_ref().and_then(choose)));
        latest.unwrap_or_else(first)
    });
    watch(api, question, first, Some(before))
}

fn watch(
    api: Api,
    question: Memo<Option<String>>,
    first: Resource<Fetched, FromToStringCodec>,
    before: Option<Load>,
) -> Load {
    let load = Load {
        question,
        first,
        latest: RwSignal::new(None),
        generation: StoredValue::new(0),
        parsed: StoredValue::new(Parsed::default()),
        pending: RwSignal::new(false),
        live: use_context(),
        away: StoredValue::new(false),
        api: StoredValue::new(api),
    };
    effect(move |asked: Option<Option<String>>| {
        if let Some(before) = before {
            before.latest.track();
        }
        let now = question.get();
        if let Some(asked) = asked {
            load.ask_again(asked != now);
        }
        now
    });
    load
}

impl Load {
    /// Asks the same question again, without showing that it does.
    pub fn refresh(self) {
        self.ask_again(false);
    }

    /// Asks the same question again, because someone wants to see it.
    pub fn retry(self) {
        self.ask_again(true);
    }

    fn ask_again(self, visible: bool) {
        let Some(generation) = self.generation.try_update_value(|generation| {
            *generation += 1;
            *generation
        }) else {
            return;
        };
        if visible {
            self.pending.set(true);
        }
        let asking = ask(self.api.get_value(), self.question.get_untracked());
        spawn_local(async move {
            let answer = asking.await;
            // The page may be gone, or may have asked something else since.
            if self.generation.try_get_value() == Some(generation) {
                // What there is stays while the network is away.
                let is_away = answer.status == 0 && self.is_answered();
                let was_away = self.away.try_update_value(|away| std::mem::replace(away, is_away));
                if let Some(live) = self.live.filter(|_| was_away != Some(is_away)) {
                    live.offline.set(is_away);
                }
                self.pending.set(is_away);
                if is_away {
                    set_timeout(move || self.persist(generation), AGAIN);
                    return;
                }
                self.latest.set(Some(Fetched { number: generation, ..answer }));
            }
        });
    }

    /// Asks again, unless something else has been asked since.
    fn persist(self, generation: u32) {
        if self.generation.try_get_value() == Some(generation) {
            self.ask_again(true);
        }
    }

    fn is_answered(self) -> bool {
        let latest = self.latest.with_untracked(|latest| latest.as_ref().map(|fetched| fetched.status));
        let first = || self.first.try_with_untracked(|first| first.as_ref().map(|fetched| fetched.status)).flatten();
        latest.or_else(first).is_some_and(|status| status != 0)
    }

    /// The latest answer and the time at which it was read, in milliseconds;
    /// `None` while there is none. After another question, the answer to the one
    /// before stays until the new one is there. Tracks, and belongs inside a
    /// `Suspense`.
    pub fn read<T: DeserializeOwned>(self) -> Option<Result<(T, i64), Failure>> {
        self.read_if(|_| true, parse)
    }

    /// Like [`Load::read`], for an answer that several regions show: it is
    /// parsed once.
    pub fn read_shared<T: DeserializeOwned + Send + Sync + 'static>(self) -> Option<Result<(Arc<T>, i64), Failure>> {
        self.read_if(
            |_| true,
            |fetched| {
                let parts = fetched.parts.clone().map(|parts| parts as Arc<dyn Any + Send + Sync>);
                if let Some(Ok(parts)) = parts.map(|parts| parts.downcast::<T>()) {
                    return Ok((parts, fetched.now_ms));
                }
                let parsed = self.parsed.get_value();
                let mut parsed = parsed.lock().unwrap_or_else(PoisonError::into_inner);
                let known = parsed.as_ref().filter(|(of, _)| *of == fetched.number);
                if let Some(Ok(value)) = known.map(|(_, value)| Arc::clone(value).downcast::<T>()) {
                    return Ok((value, fetched.now_ms));
                }
                let (value, now_ms) = parse::<T>(fetched)?;
                let value = Arc::new(value);
                *parsed = Some((fetched.number, Arc::clone(&value) as Arc<dyn Any + Send + Sync>));
                Ok((value, now_ms))
            },
        )
    }

    /// Like [`Load::read`], but `None` until the current question is answered.
    pub fn read_current<T: DeserializeOwned>(self) -> Option<Result<(T, i64), Failure>> {
        let question = self.question.get();
        self.read_if(|fetched| Some(&fetched.question) == question.as_ref(), parse)
    }

    fn read_if<T>(
        self,
        fits: impl Fn(&Fetched) -> bool,
        parse: impl Fn(&Fetched) -> Result<(T, i64), Failure>,
    ) -> Option<Result<(T, i64), Failure>> {
        let fits = |fetched: &&Fetched| !fetched.question.is_empty() && fits(fetched);
        // Both are tracked, whichever is shown.
        let first = self.first.try_with(|first| first.as_ref().filter(fits).map(&parse)).flatten();
        let latest = self.latest.with(|latest| latest.as_ref().map(|latest| fits(&latest).then(|| parse(latest))));
        latest.unwrap_or(first)
    }
}

fn parse<T: DeserializeOwned>(fetched: &Fetched) -> Result<(T, i64), Failure> {
    let Fetched { status, now_ms, body, .. } = fetched;
    if *status == 0 {
        return Err(Failure::unreachable(body));
    }
    if !(200..300).contains(status) {
        return Err(Failure::from_answer(*status, body.as_bytes()));
    }
    match read_json(if body.is_empty() { "null" } else { body }) {
        Ok(value) => Ok((value, *now_ms)),
        Err(error) => Err(Failure {
            status: *status,
            detail: format!("The answer could not be read: {error}. Reload the page."),
            request_id: String::new(),
            errors: Vec::new(),
        }),
    }
}

async fn ask(api: Api, question: Option<String>) -> Fetched {
    let now_ms = api.now_ms();
    let Some(question) = question else {
        return Fetched { status: 204, now_ms, ..Fetched::default() };
    };
    #[cfg(feature = "ssr")]
    if let Some(written) = crate::served::written_here(&api, &question).await {
        let (status, body, parts) = match written {
            Ok(parts) => (200, String::new(), Some(Arc::new(parts))),
            Err(answer) => (answer.status, String::from_utf8_lossy(&answer.body).into_owned(), None),
        };
        return Fetched { status, now_ms: api.now_ms(), question, body, parts, ..Fetched::default() };
    }
    match api.send(ApiRequest::get(question.clone())).await {
        Ok(answer) => Fetched {
            status: answer.status,
            now_ms: api.now_ms(),
            question,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
            ..Fetched::default()
        },
        Err(reason) => Fetched { now_ms, question, body: reason, ..Fetched::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_their_text_form() {
        for (question, body) in [("/api/v1/x?y=%20", "{\"a\": \"b c\"}"), ("", "")] {
            let (question, body) = (question.to_owned(), body.to_owned());
            let fetched = Fetched { status: 200, now_ms: 17, question, body, ..Fetched::default() };
            assert_eq!(fetched.to_string().parse(), Ok(fetched));
        }
    }

    #[test]
    fn what_stands_in_the_page_does_not_travel() {
        let parts = Some(Arc::new(serde_json::json!({"rows": "<table>"})));
        let question = "/fragments/catalog?q=a".to_owned();
        let fetched = Fetched { status: 200, now_ms: 17, question, parts, ..Fetched::default() };
        assert_eq!(fetched.to_string(), "200 17 /fragments/catalog?q=a ");
    }
}
