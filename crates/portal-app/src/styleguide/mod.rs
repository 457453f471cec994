//! Every component in every state, on one page: what designers look at and the
//! visual tests compare. It is written on the server only, so that it costs the
//! browser of other pages nothing; the scripts of the page are those of the
//! theme.

mod components;
mod data;
mod foundations;

use maud::{DOCTYPE, html};

use crate::document::SiteInfo;
use crate::ui::{Content, public_file};

/// The page as HTML. Its script carries `nonce`.
pub fn styleguide(site: &SiteInfo, nonce: &str) -> String {
    let sections = [
        ("Foundations", foundations::section()),
        ("Controls", components::controls()),
        ("Status", components::status()),
        ("Containers", components::containers()),
        ("States of a region", components::states()),
        ("Data", data::text()),
        ("Charts", data::charts()),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Style guide · Portal" }
                link rel="icon" href=(public_file("favicon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(site.styles);
                script src=(public_file("theme.js")) nonce=(nonce) {}
            }
            body data-hydrated {
                main class="page" {
                    header class="page-head" {
                        div class="lead" {
                            h1 { "Style guide" }
                            p class="sub" { "Every component in every state. What is not here is not part of the interface." }
                        }
                        div class="page-actions" {
                            button class="button" type="button" data-theme-toggle { "Switch the theme" }
                            a class="button" href="/" { "To the portal" }
                        }
                    }
                    @for (heading, section) in &sections {
                        section class="stack" aria-label=(heading) {
                            h2 { (heading) }
                            (section)
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// Components beside each other, each under its name.
fn specimens(specimens: &[(&str, Content)]) -> Content {
    Content::from(html! {
        div class="specimens" {
            @for (name, content) in specimens {
                section class="card specimen" aria-label=(name) {
                    h3 { (name) }
                    (content)
                }
            }
        }
    })
}
