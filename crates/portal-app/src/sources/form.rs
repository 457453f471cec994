//! The form for a new source: its state, and what is sent.

use leptos::prelude::*;
use portal_core::sources::wire::{SourceCreate, SourceType};

use crate::api::Failure;

/// Shaped like the form: everything is text until it is sent.
#[derive(Clone, Copy)]
pub(super) struct SourceForm {
    pub source_type: RwSignal<SourceType>,
    pub target: RwSignal<String>,
    pub branch: RwSignal<String>,
    pub globs: RwSignal<String>,
    pub interval: RwSignal<String>,
    pub credential: RwSignal<String>,
    pub webhook_secret: RwSignal<String>,
    pub trusted: RwSignal<bool>,
}

impl SourceForm {
    pub fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            source_type: RwSignal::new(SourceType::Git),
            target: text(),
            branch: text(),
            globs: text(),
            interval: RwSignal::new("5".to_owned()),
            credential: text(),
            webhook_secret: text(),
            trusted: RwSignal::new(false),
        }
    }

    /// What is sent; fields that do not belong to the type stay out. A fault
    /// that only the form can have is named like one of the server.
    pub fn create(self) -> Result<SourceCreate, Failure> {
        let source_type = self.source_type.get_untracked();
        let git = source_type == SourceType::Git;
        let text = |signal: RwSignal<String>| {
            let text = signal.get_untracked().trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let fault = |pointer: &str, message: &str| Failure {
            status: 422,
            detail: "Some fields need another value.".to_owned(),
            request_id: String::new(),
            errors: vec![portal_core::problem::FieldError { pointer: pointer.to_owned(), message: message.to_owned() }],
        };
        let target = text(self.target).ok_or_else(|| fault("/target", "is empty; say what to read"))?;
        let minutes = text(self.interval).unwrap_or_else(|| "5".to_owned());
        let minutes: u32 = match minutes.parse() {
            Ok(minutes @ 1..=1440) => minutes,
            _ => return Err(fault("/interval_seconds", &format!("`{minutes}` is not between 1 and 1440 minutes"))),
        };
        let globs = text(self.globs).filter(|_| git).unwrap_or_default();
        let globs = globs.split([',', '\n']).map(str::trim).filter(|glob| !glob.is_empty()).map(str::to_owned);
        Ok(SourceCreate {
            source_type,
            target,
            branch: text(self.branch).filter(|_| git),
            globs: globs.collect(),
            trusted: self.trusted.get_untracked(),
            interval_seconds: Some(minutes * 60),
            credential: text(self.credential).filter(|_| source_type != SourceType::Path),
            webhook_secret: text(self.webhook_secret).filter(|_| git),
        })
    }
}
