//! How the state of a source is shown.

use maud::html;
use portal_core::sources::wire::{SourceState, SourceType, SourceView};

use crate::ui::{Content, number};

/// Tone, symbol and words.
pub(super) fn state_words(source: &SourceView) -> (&'static str, &'static str, String) {
    match source.state {
        SourceState::New => ("neutral", "pending", "Not read yet".to_owned()),
        SourceState::Reading => ("info", "running", "Reading".to_owned()),
        SourceState::Ok => ("success", "pass", "Current".to_owned()),
        SourceState::Degraded if source.error_count == 1 => ("danger", "fail", "1 error".to_owned()),
        SourceState::Degraded => ("danger", "fail", format!("{} errors", number(source.error_count))),
        SourceState::Failed => ("warning", "alert", "Not read".to_owned()),
    }
}

/// The state with its symbol.
pub(crate) fn state_badge(source: &SourceView) -> Content {
    let (tone, symbol, words) = state_words(source);
    // What is normal needs no coloured word.
    let quiet = matches!(source.state, SourceState::New | SourceState::Reading | SourceState::Ok);
    let class = if source.state == SourceState::Reading { "icon spin" } else { "icon" };
    Content::from(html! {
        span class="status" data-tone=(tone) data-quiet[quiet] {
            svg class=(class) aria-hidden="true" {
                use href=(crate::ui::symbol(symbol)) {}
            }
            (words)
        }
    })
}

pub(super) fn type_icon(source_type: SourceType) -> &'static str {
    match source_type {
        SourceType::Path => "folder",
        SourceType::Git => "branch",
        SourceType::Http => "link",
        SourceType::Sample => "star",
    }
}

pub(super) fn type_name(source_type: SourceType) -> &'static str {
    match source_type {
        SourceType::Path => "Files on the server",
        SourceType::Git => "Git repository",
        SourceType::Http => "Document on the web",
        SourceType::Sample => "Sample organisation",
    }
}

/// How a source is called in sentences.
pub(super) fn source_name(source: &SourceView) -> String {
    match source.source_type {
        SourceType::Sample => "the sample organisation".to_owned(),
        _ => source.target.clone(),
    }
}

/// What of its target a source reads.
pub(super) fn reads(source: &SourceView) -> String {
    let branch = source.branch.as_deref();
    let globs = source.globs.join(", ");
    match source.source_type {
        SourceType::Git => {
            let globs = if globs.is_empty() { "**/catalog-info.yaml".to_owned() } else { globs };
            format!("{} · {globs}", branch.unwrap_or("default branch"))
        }
        _ => interval(source.interval_seconds),
    }
}

/// `every 5 min`.
pub(super) fn interval(seconds: u32) -> String {
    match seconds {
        3600 => "every hour".to_owned(),
        seconds if seconds % 3600 == 0 && seconds > 0 => format!("every {} h", seconds / 3600),
        seconds if seconds % 60 == 0 && seconds > 0 => format!("every {} min", seconds / 60),
        seconds => format!("every {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_use_the_largest_unit() {
        assert_eq!(interval(300), "every 5 min");
        assert_eq!(interval(3600), "every hour");
        assert_eq!(interval(7200), "every 2 h");
        assert_eq!(interval(90), "every 90 s");
    }
}
