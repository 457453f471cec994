//! Software templates: definitions, their forms, their steps and what they write.

pub mod actions;
#[cfg(feature = "engine")]
mod archive;
#[cfg(feature = "engine")]
pub mod definition;
#[cfg(feature = "engine")]
pub mod files;
#[cfg(feature = "engine")]
pub mod form;
#[cfg(feature = "engine")]
pub mod input;
#[cfg(feature = "engine")]
mod jsonata;
#[cfg(feature = "engine")]
pub mod language;
#[cfg(feature = "engine")]
pub mod plan;
#[cfg(feature = "engine")]
pub mod secrets;
#[cfg(feature = "engine")]
pub mod skeleton;
pub mod wire;
#[cfg(feature = "engine")]
pub mod workspace;

/// Why a step, or a whole run, ended: a code for programs, and what happened, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    pub code: &'static str,
    pub message: String,
}

impl Trouble {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
