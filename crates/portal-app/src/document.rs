//! The HTML document around the application. Only the server renders it; the
//! browser takes over inside `body`.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;
use portal_core::access::Verb;

use crate::App;
use crate::ui::public_file;

/// What the server tells every page about the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteInfo {
    /// The catalog is the sample organisation.
    pub sample: bool,
    /// Address of the JavaScript module.
    pub script: String,
    /// Address of the wasm.
    pub wasm: String,
    /// Address of the style sheet.
    pub styles: String,
    /// The change that the page has seen, so that its stream of changes begins there.
    pub seq: i64,
    pub caller: CallerInfo,
}

/// Whom the page is for. The browser finds it in the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerInfo {
    /// What they signed in as; absent for guests.
    pub name: Option<String>,
    /// Verbs that they are refused, with the reason.
    pub refused: BTreeMap<String, String>,
}

/// Who is signed in.
pub(crate) fn caller_name() -> Option<String> {
    #[cfg(feature = "hydrate")]
    return document().document_element().and_then(|root| root.get_attribute("data-caller"));
    #[cfg(not(feature = "hydrate"))]
    with_context(|site: &SiteInfo| site.caller.name.clone()).flatten()
}

/// Why the caller may not do this; nothing when they may.
pub(crate) fn refusal(verb: Verb) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        let text = document().document_element().and_then(|root| root.get_attribute("data-refused"));
        serde_json::from_str::<BTreeMap<String, String>>(&text?).ok()?.remove(verb.as_str())
    }
    #[cfg(not(feature = "hydrate"))]
    with_context(|site: &SiteInfo| site.caller.refused.get(verb.as_str()).cloned()).flatten()
}

impl Default for SiteInfo {
    fn default() -> Self {
        Self {
            sample: false,
            script: "/pkg/portal.js".to_owned(),
            wasm: "/pkg/portal_bg.wasm".to_owned(),
            styles: "/pkg/portal.css".to_owned(),
            seq: 0,
            caller: CallerInfo::default(),
        }
    }
}

/// Lets a page choose the HTTP status that it is answered with.
#[derive(Clone)]
pub struct PageStatus(Arc<dyn Fn(u16) + Send + Sync>);

impl PageStatus {
    pub fn new(set: impl Fn(u16) + Send + Sync + 'static) -> Self {
        Self(Arc::new(set))
    }
}

/// Answers the page with this status; without effect in the browser.
pub(crate) fn set_page_status(status: u16) {
    if let Some(PageStatus(set)) = use_context() {
        set(status);
    }
}

/// Whether the catalog is the sample organisation: from the context on the
/// server, from the document in the browser.
pub(crate) fn is_sample() -> bool {
    #[cfg(feature = "hydrate")]
    return document().document_element().is_some_and(|root| root.has_attribute("data-sample"));
    #[cfg(not(feature = "hydrate"))]
    use_context::<SiteInfo>().is_some_and(|site| site.sample)
}

/// The whole document. `options` come from the server integration, which wants
/// to hand them over; all addresses are in [`SiteInfo`].
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let _ = options;
    let SiteInfo { sample, script, wasm, styles, seq, caller } = use_context().unwrap_or_default();
    let refused = serde_json::to_string(&caller.refused).unwrap_or_default();
    let start =
        format!("import({script:?}).then(m => m.default({{ module_or_path: {wasm:?} }}).then(() => m.hydrate()))");
    view! {
        <!DOCTYPE html>
        <html lang="en" data-icons=public_file("icons.svg") data-sample=sample data-seq=(seq > 0).then_some(seq) data-caller=caller.name data-refused=refused>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href=public_file("favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=styles />
                // Runs before the first paint, so that a stored theme never flashes.
                <script src=public_file("theme.js") nonce=use_nonce()></script>
                <script src=public_file("page.js") nonce=use_nonce() defer></script>
                <link rel="modulepreload" href=script nonce=use_nonce() />
                // What is read comes before what brings it to life.
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="" fetchpriority="low" />
                <script type="module" nonce=use_nonce()>
                    {start}
                </script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
