//! The web interface: pages that the server renders and the browser hydrates.
//!
//! The interface is a client of the documented REST API and of nothing else. It
//! reaches it through [`api::Transport`], which it finds in context: `fetch` in
//! the browser, the router in process during server rendering.
//!
//! # Mounting
//! A server mounts the interface with `leptos_axum`. For every request, and for
//! the generation of the route list, its context closure provides:
//!
//! ```ignore
//! provide_context(Api::new(transport));            // impl Transport
//! provide_context(SiteInfo { sample, ..SiteInfo::default() });
//! // Pages that find nothing answer 404:
//! let response = use_context::<ResponseOptions>();
//! provide_context(PageStatus::new(move |status| {
//!     if let (Some(response), Ok(status)) = (&response, StatusCode::from_u16(status)) {
//!         response.set_status(status);
//!     }
//! }));
//! ```
//!
//! `LeptosOptions` need `output_name = "portal"` and `site_pkg_dir = "pkg"`. The
//! page asks for [`SiteInfo::script`], [`SiteInfo::wasm`] and [`SiteInfo::styles`]
//! (`/pkg/portal.js`, `/pkg/portal_bg.wasm`, `/pkg/portal.css` unless set; give
//! them `?v=…` to cache them forever), and for `/theme.js`, `/page.js`, `/icons.svg` and
//! `/favicon.svg` of `public/`, as [`address_files`] says. Scripts carry the nonce
//! of `leptos::nonce`; no element has a `style` attribute, so the policy may be
//! `default-src 'self'; script-src 'nonce-…' 'strict-dynamic' 'wasm-unsafe-eval'`.

#![recursion_limit = "256"]

#[cfg(not(erase_components))]
compile_error!("build with `--cfg erase_components`, as .cargo/config.toml does; RUSTFLAGS replaces what is set there");

#[cfg(feature = "ssr")]
mod access;
#[cfg(feature = "ssr")]
mod actions;
pub mod api;
mod app;
mod catalog;
#[cfg(feature = "ssr")]
mod changes;
mod document;
mod frame;
mod home;
mod paths;
mod personal;
#[cfg(feature = "ssr")]
mod runs;
mod search;
mod served;
mod sources;
#[cfg(feature = "ssr")]
mod styleguide;
#[cfg(feature = "ssr")]
mod templates;
mod ui;
mod validate;

#[cfg(feature = "ssr")]
pub use access::{SignInLinkPage, SignInPage, sign_in_link_page, sign_in_page};
pub use app::App;
pub use document::{CallerInfo, PageStatus, SiteInfo, shell};
#[cfg(feature = "ssr")]
pub use served::{FRAGMENTS, written};
#[cfg(feature = "ssr")]
pub use styleguide::styleguide;
pub use ui::address_files;

/// Takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    served::keep_title();
    leptos::mount::hydrate_body(App);
}
