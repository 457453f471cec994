//! The fields of a form, each as its kind of control.

use maud::{Markup, Render as _, html};
use portal_core::templates::wire::{Choice, Control, FormField};
use serde_json::Value;

use crate::access::Question;
use crate::paths;
use crate::ui::{Content, EntityBox, icon, markdown, with_code};

/// All fields of a page. Faults are told where the page was sent, or where something
/// has been answered.
pub(crate) fn fields(all: &[FormField], is_sent: bool) -> Markup {
    html! { @for field in all { (one(field, is_sent)) } }
}

fn id(field: &FormField) -> String {
    format!("f{}", field.pointer.replace('/', "-").replace('~', "_"))
}

pub(crate) fn anchor(field: &FormField) -> String {
    format!("#{}", id(field))
}

/// What is told of a field that nobody has answered would only disturb.
fn told(field: &FormField, is_sent: bool) -> Option<&str> {
    field.error.as_deref().filter(|_| is_sent || field.value.is_some())
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(", "),
        Some(other) => other.to_string(),
    }
}

fn one(field: &FormField, is_sent: bool) -> Markup {
    let own = id(field);
    let error = told(field, is_sent);
    let hint_id = format!("{own}-hint");
    let error_id = format!("{own}-error");
    let described = [field.help.is_some().then_some(&*hint_id), error.map(|_| &*error_id)];
    let described: Vec<&str> = described.into_iter().flatten().collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    let parts = Parts { field, id: &own, described: described.as_deref(), invalid: error.map(|_| "true") };
    let label = html! {
        (field.label)
        @if !field.required { span class="optional" { " optional" } }
    };
    let help = html! {
        @if let Some(help) = &field.help { div class="hint" id=(hint_id) { (markdown(help)) } }
    };
    let fault = html! {
        @if let Some(error) = error {
            span class="error" id=(error_id) { (icon("alert")) span { (with_code(error)) } }
        }
        @if let Some(hint) = &field.hint { div class="hint" { (markdown(hint)) } }
    };
    match field.control {
        Control::Hidden => html! { input type="hidden" name=(field.pointer) value=(text(field.value.as_ref())); },
        // Asked for at the end, and never part of an address.
        Control::Secret | Control::Password => html! {
            div class="field" {
                span class="label" { (field.label) }
                span class="hint" { (icon("lock")) " Asked for when you start the run, and not kept with the answers." }
            }
        },
        Control::Checkbox => html! {
            div class="field" id=(own) {
                input type="hidden" name="box" value=(field.pointer);
                label class="check" {
                    input type="checkbox" name=(field.pointer) value="true" checked[field.value == Some(Value::Bool(true))]
                        disabled[field.disabled] aria-describedby=[&described];
                    span { (field.label) @if let Some(help) = &field.help { span class="note" id=(hint_id) { (with_code(help)) } } }
                }
                (fault)
            }
        },
        Control::Repository => html! {
            fieldset class="field form-group" id=(own) aria-describedby=[&described] {
                legend { (label) }
                (help)
                (repository(&parts))
                (fault)
            }
        },
        Control::Radio | Control::YesNo | Control::Checkboxes => html! {
            fieldset class="field" id=(own) aria-describedby=[&described] {
                legend { (label) }
                (help)
                (choices(field))
                (fault)
            }
        },
        Control::Group => html! {
            fieldset class="field form-group" id=(own) {
                legend { (field.label) }
                (help)
                div class="stack" { (fields(&field.fields, is_sent)) }
                (fault)
            }
        },
        Control::List => html! {
            fieldset class="field form-group" id=(own) {
                legend { (label) }
                (help)
                @for item in &field.fields {
                    div class="form-item" {
                        (one(item, is_sent))
                        button class="button" data-size="sm" data-variant="quiet" name="remove" value=(item.pointer) formnovalidate {
                            (icon("x")) span class="visually-hidden" { "Remove " (item.label) " of " (field.label) }
                        }
                    }
                }
                div { button class="button" data-size="sm" name="add" value=(field.pointer) formnovalidate { (icon("plus")) "Add" span class="visually-hidden" { " to " (field.label) } } }
                (fault)
            }
        },
        _ => html! {
            div class="field" {
                label for=(own) { (label) }
                (help)
                (control(&parts))
                (fault)
            }
        },
    }
}

struct Parts<'f> {
    field: &'f FormField,
    id: &'f str,
    described: Option<&'f str>,
    invalid: Option<&'f str>,
}

fn control(parts: &Parts<'_>) -> Content {
    let Parts { field, id, described, invalid } = *parts;
    let FormField { pointer, placeholder, disabled, autofocus, .. } = field;
    let value = text(field.value.as_ref());
    Content::from(match field.control {
        Control::Select => html! {
            select class="select" id=(id) name=(pointer) aria-describedby=[described] aria-invalid=[invalid] disabled[*disabled] {
                option value="" { "Choose…" }
                @for Choice { value: own, label } in &field.choices {
                    option value=(text(Some(own))) selected[text(Some(own)) == value && !value.is_empty()] { (label) }
                }
            }
        },
        Control::TextArea => html! {
            textarea class="textarea" id=(id) name=(pointer) rows=[field.rows] placeholder=[placeholder.as_deref()]
                aria-describedby=[described] aria-invalid=[invalid] readonly[*disabled] { (value) }
        },
        Control::Pairs => html! {
            textarea class="textarea" id=(id) name=(pointer) rows=(field.rows.unwrap_or(4)) placeholder=(placeholder.as_deref().unwrap_or("name: value, each on a line of its own"))
                aria-describedby=[described] aria-invalid=[invalid] readonly[*disabled] { (super::answers::pairs_text(field.value.as_ref())) }
        },
        Control::Entity | Control::Entities => EntityBox {
            id,
            name: pointer,
            value: &value,
            label: &field.label,
            suggestions: paths::suggestions_within(field.kinds.iter().map(String::as_str), &field.filters),
            placeholder: placeholder.as_deref(),
            described,
            is_invalid: invalid.is_some(),
            is_read_only: *disabled,
            ..EntityBox::default()
        }
        .render(),
        Control::Number
            if field.input.as_deref() == Some("range") && field.minimum.is_some() && field.maximum.is_some() =>
        {
            html! {
                div class="range" {
                    input type="range" id=(id) name=(pointer) min=[field.minimum] max=[field.maximum] step=[field.step]
                        value=(if value.is_empty() { field.minimum.unwrap_or_default().to_string() } else { value.clone() })
                        aria-describedby=[described] aria-invalid=[invalid] disabled[*disabled];
                    output for=(id) { @if value.is_empty() { "–" } @else { (value) } }
                }
            }
        }
        Control::Number => html! {
            input class="input" type="text" inputmode="decimal" id=(id) name=(pointer) value=(value) placeholder=[placeholder.as_deref()]
                aria-describedby=[described] aria-invalid=[invalid] readonly[*disabled] autocomplete="off";
        },
        _ => html! {
            input class="input" type=(field.input.as_deref().unwrap_or("text")) id=(id) name=(pointer) value=(value) placeholder=(placeholder.as_deref().unwrap_or(example(field)))
                aria-describedby=[described] aria-invalid=[invalid] readonly[*disabled] data-autofocus[*autofocus] autocomplete="off";
        },
    })
}

/// Host, owner and name of a repository, each as a control of its own.
fn repository(parts: &Parts<'_>) -> Content {
    let Parts { field, id, invalid, .. } = *parts;
    let value = text(field.value.as_ref());
    let (host, query) = value.split_once('?').unwrap_or((value.as_str(), ""));
    let query = Question::of(query);
    let allowed = |name: &str| -> Vec<&str> {
        field.options[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let one = |part: &str, label: &str, value: &str, choices: &[&str], hint: &str| {
        let (id, name) = (format!("{id}-{part}"), format!("{}:{part}", field.pointer));
        html! {
            div class="field" {
                label for=(id) { (label) }
                @if choices.is_empty() {
                    input class="input" type="text" id=(id) name=(name) value=(value) placeholder=(hint) autocomplete="off"
                        aria-invalid=[invalid] readonly[field.disabled];
                } @else {
                    select class="select" id=(id) name=(name) aria-invalid=[invalid] disabled[field.disabled] {
                        @if choices.len() > 1 { option value="" { "Choose…" } }
                        @for choice in choices { option value=(choice) selected[*choice == value] { (choice) } }
                    }
                }
            }
        }
    };
    let owner =
        ["owner", "workspace", "organization"].map(|name| query.value(name)).into_iter().find(|own| !own.is_empty());
    Content::from(html! {
        div class="form-row" {
            (one("repo-host", "Host", host, &allowed("allowedHosts"), "github.com"))
            (one("repo-owner", "Owner", owner.unwrap_or_default(), &allowed("allowedOwners"), "team"))
            (one("repo-name", "Repository", query.value("repo"), &allowed("allowedRepos"), "name"))
        }
    })
}

fn example(field: &FormField) -> &'static str {
    match field.control {
        Control::Tags => "one, another",
        _ => "",
    }
}

fn choices(field: &FormField) -> Content {
    let is_list = field.control == Control::Checkboxes;
    let yes_no =
        [("Yes", true), ("No", false)].map(|(label, value)| Choice { value: value.into(), label: label.to_owned() });
    let all = if field.control == Control::YesNo { &yes_no[..] } else { &field.choices[..] };
    let is_chosen = |value: &Value| match &field.value {
        Some(Value::Array(chosen)) if is_list => chosen.contains(value),
        chosen => chosen.as_ref() == Some(value),
    };
    Content::from(html! {
        div class="choice-cards" {
            @if is_list { input type="hidden" name="box" value=(format!("{}[]", field.pointer)); }
            @for Choice { value, label } in all {
                label class="choice-card" {
                    input type=(if is_list { "checkbox" } else { "radio" }) name=(field.pointer) value=(text(Some(value)))
                        checked[is_chosen(value)] disabled[field.disabled];
                    b { (label) }
                }
            }
        }
    })
}
