//! The form of a connector.

use maud::html;
use portal_core::access::Verb;
use portal_core::connectors::{ConnectorKind, ConnectorView};

use crate::paths;
use crate::ui::{Content, denied};

/// Names of presets, as the API knows them.
const PRESETS: [&str; 2] = ["portal", "stellwerk"];

/// What the form is for.
pub(super) enum Formed<'a> {
    New,
    Old(&'a ConnectorView),
}

pub(super) fn form(formed: Formed<'_>) -> Content {
    let old = match formed {
        Formed::New => None,
        Formed::Old(connector) => Some(connector),
    };
    let (disabled, reason) = denied(Verb::WriteSources);
    let path =
        if old.is_some() { format!("{}/{{name}}", paths::API_CONNECTORS) } else { paths::API_CONNECTORS.to_owned() };
    let (kind, limit, rest) =
        old.map_or((ConnectorKind::Webhook, 8, 30), |old| (old.kind, old.limit, old.rest_seconds));
    let contract =
        old.and_then(|old| old.contract.as_ref()).map(|contract| format!("{contract:#}")).unwrap_or_default();
    let preset = old.and_then(|old| old.preset.as_deref());
    Content::from(html! {
        section class="card" aria-labelledby="connector" {
            header class="card-head" {
                h2 id="connector" { @if let Some(old) = old { "Connector " code { (old.name) } } @else { "New connector" } }
                a class="push underlined" href=(paths::CONNECTORS) { "Close" }
            }
            div class="card-body" {
                form class="stack needs-script" data-send=(path) data-method=(if old.is_some() { "PATCH" } else { "POST" })
                    data-match=[old.and_then(|old| old.etag.as_deref())] aria-labelledby="connector"
                    data-done=(if old.is_some() { "The connector is changed" } else { "The connector is there; test it" }) {
                    div class="form-row" {
                        div class="field" {
                            label for="connector-name" { "Name" }
                            input class="input" id="connector-name" name="name" type="text" required maxlength="60" value=[old.map(|old| &old.name)]
                                readonly[old.is_some()] autocomplete="off" autocapitalize="none" spellcheck="false";
                        }
                        div class="field" {
                            label for="connector-kind" { "Kind" }
                            select class="select" id="connector-kind" name="kind" {
                                @for one in ConnectorKind::ALL { option value=(one.as_str()) selected[one == kind] { (one.as_str()) } }
                            }
                        }
                    }
                    div class="field" {
                        label for="connector-url" { "Address" }
                        input class="input" id="connector-url" name="url" type="url" required maxlength="2048" value=[old.map(|old| &old.url)]
                            placeholder="https://ci.example.com" autocomplete="off" spellcheck="false" aria-describedby="connector-url-hint";
                        span class="hint" id="connector-url-hint" { "Paths of steps are put behind it. A private address has to be allowed in portal.toml, under egress." }
                    }
                    (secret("credential", "Credential", old.is_some_and(|old| old.has_credential), "A token; for Jenkins user:token."))
                    (secret("signing_secret", "Signing secret", old.is_some_and(|old| old.is_signed), "whsec_ and Base64: signs what webhooks send."))
                    div class="form-row" {
                        div class="field" {
                            label for="connector-limit" { "Calls at a time" }
                            input class="input" id="connector-limit" name="limit" data-type="number" type="number" min="1" max="1000" value=(limit);
                        }
                        div class="field" {
                            label for="connector-rest" { "Seconds of rest after five failures" }
                            input class="input" id="connector-rest" name="rest_seconds" data-type="number" type="number" min="1" max="86400" value=(rest);
                        }
                    }
                    details class="disclosure" open[preset.is_some() || !contract.is_empty()] {
                        summary { "Orchestrators only: how it is talked to" }
                        div class="stack" {
                            div class="field" {
                                label for="connector-preset" { "Preset" span class="optional" { " optional" } }
                                select class="select" id="connector-preset" name="preset" data-type="json" {
                                    option value="null" selected[preset.is_none()] { "none" }
                                    @for one in PRESETS { option value=(one) selected[preset == Some(one)] { (one) } }
                                }
                            }
                            div class="field" {
                                label for="connector-contract" { "Contract" span class="optional" { " optional" } }
                                textarea class="textarea code-input" id="connector-contract" name="contract" data-type="json" rows="6"
                                    spellcheck="false" autocapitalize="none" aria-describedby="connector-contract-hint" { (contract) }
                                span class="hint" id="connector-contract-hint" { "JSON, in place of a preset; " code { "null" } " removes it." }
                            }
                        }
                    }
                    div { button class="button" data-variant="primary" aria-disabled=[disabled] title=[reason] { @if old.is_some() { "Save" } @else { "Add the connector" } } }
                }
                noscript { p class="muted" { "This form needs JavaScript. " code { "POST /api/v1/connectors" } " does the same." } }
            }
        }
    })
}

/// A box for a secret, which is never shown: left empty, what is there stays.
fn secret(name: &str, label: &str, is_kept: bool, hint: &str) -> Content {
    let (id, hint_id) = (format!("connector-{name}"), format!("connector-{name}-hint"));
    Content::from(html! {
        div class="field" {
            label for=(id) { (label) span class="optional" { " optional" } }
            input class="input" id=(id) name=(name) type="password" autocomplete="new-password" spellcheck="false"
                placeholder=[is_kept.then_some("kept as it is")] aria-describedby=(hint_id);
            span class="hint" id=(hint_id) { (hint) " Sealed, and never shown again." @if is_kept { " Left empty, the one that is there is kept." } }
            @if is_kept {
                label class="check" { input type="checkbox" name=(name) data-type="json" value="null"; "Remove the " (label.to_lowercase()) }
            }
        }
    })
}
