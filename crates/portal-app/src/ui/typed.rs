//! What is typed, shown at once; the address follows when no more comes.
//!
//! A change of the address costs a browser more than the rows that answer a key: its own
//! interface, the history and the icon are written anew, beside the page. Safari refuses
//! more than a hundred of them in half a minute.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use leptos_router::params::ParamsMap;

use super::effect;

/// How long nothing is typed before the address says it.
const PAUSE: Duration = Duration::from_millis(300);

type Go = Arc<dyn Fn(&str) + Send + Sync>;

/// A text that the page answers before its address says it.
#[derive(Clone, Copy)]
pub(crate) struct Typed {
    params: Memo<ParamsMap>,
    ahead: RwSignal<Option<Ahead>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    go: StoredValue<Go>,
}

struct Ahead {
    text: String,
    /// What the address says meanwhile; whatever else it comes to say counts for more.
    on: ParamsMap,
    address: String,
}

pub(crate) fn use_typed() -> Typed {
    let navigate = use_navigate();
    let go = move |address: &str| {
        navigate(address, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    };
    let typed = Typed {
        params: use_query_map(),
        ahead: RwSignal::new(None),
        timer: StoredValue::new(None),
        go: StoredValue::new(Arc::new(go)),
    };
    effect(move |_| {
        typed.params.track();
        typed.ahead.set(None);
    });
    typed
}

impl Typed {
    /// What the address does not say yet. Tracks.
    pub fn text(self) -> Option<String> {
        let (params, ahead) = (self.params.read(), self.ahead.read());
        ahead.as_ref().filter(|ahead| ahead.on == *params).map(|ahead| ahead.text.clone())
    }

    /// Shows the answer to `text`, and goes to its `address` when nothing follows.
    pub(super) fn say(self, text: String, address: String) {
        self.ahead.set(Some(Ahead { text, on: self.params.get_untracked(), address }));
        if let Some(timer) = self.timer.get_value() {
            timer.clear();
        }
        self.timer.set_value(set_timeout_with_handle(move || self.settle(), PAUSE).ok());
    }

    /// Goes where the text leads, if the address does not say it yet.
    pub(super) fn settle(self) {
        // The page may be gone by now.
        let Some(params) = self.params.try_get_untracked() else { return };
        let address = self.ahead.try_with_untracked(|ahead| {
            ahead.as_ref().filter(|ahead| ahead.on == params).map(|ahead| ahead.address.clone())
        });
        if let (Some(Some(address)), Some(go)) = (address, self.go.try_get_value()) {
            go(&address);
        }
    }
}
