//! What the palette offers for a text.

use portal_core::access::Verb;
use portal_core::search::letters;
use portal_core::search::wire::Suggestion;

use crate::catalog::{kind_icon, kind_name, kind_of, kind_plural};
use crate::document::refusal;
use crate::paths;

/// Entities shown without a text.
const RECENT: usize = 6;

/// One line of the palette.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub group: &'static str,
    pub symbol: &'static str,
    /// Pieces, and whether each matches.
    pub title: Vec<(String, bool)>,
    /// What it is, in a few words.
    pub detail: String,
    /// The keys that do the same.
    pub keys: Option<&'static str>,
    pub action: Action,
}

/// What an entry does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Open(String),
    /// Clicks the first element that matches.
    Click(&'static str),
    Shortcuts,
}

/// A page or command that is always there.
struct Known {
    group: &'static str,
    symbol: &'static str,
    title: &'static str,
    /// More words by which it is found.
    words: &'static str,
    keys: Option<&'static str>,
    action: fn() -> Action,
    /// What one has to be allowed to find it here.
    verb: Option<Verb>,
}

/// A page without keys of its own.
const fn page(symbol: &'static str, title: &'static str, words: &'static str, action: fn() -> Action) -> Known {
    Known { group: PAGES, symbol, title, words, keys: None, action, verb: None }
}

fn open(path: &str) -> Action {
    Action::Open(path.to_owned())
}

const PAGES: &str = "Pages";
const COMMANDS: &str = "Commands";

const KNOWN: [Known; 21] = [
    Known {
        group: PAGES,
        symbol: "home",
        title: "Home",
        words: "start overview dashboard",
        keys: Some("g h"),
        action: || open(paths::HOME),
        verb: None,
    },
    Known {
        group: PAGES,
        symbol: "catalog",
        title: "Catalog",
        words: "components list services",
        keys: Some("g c"),
        action: || open(paths::CATALOG),
        verb: None,
    },
    Known {
        group: PAGES,
        symbol: "search",
        title: "Search",
        words: "find",
        keys: Some("g f"),
        action: || open(paths::SEARCH),
        verb: None,
    },
    page("template", "Templates", "golden paths create new scaffold", || open(paths::TEMPLATES)),
    page("action", "Actions", "self-service run deploy provision", || open(paths::ACTIONS)),
    Known { verb: Some(Verb::ReadRuns), ..page("list", "Runs", "tasks log jobs", || open(paths::RUNS)) },
    page("clock", "What changed", "history changes news added removed", || open(paths::CHANGES)),
    page("bell", "Notifications", "inbox told", || open(paths::NOTIFICATIONS)),
    page("check", "Approvals", "agree decide inbox", || open(paths::APPROVALS)),
    page("user", "Profile", "tokens sessions sign out me", || open(paths::PROFILE)),
    page("shield", "Access", "explain why permissions", || open(paths::ACCESS)),
    Known {
        verb: Some(Verb::ReadOperations),
        ..page("link", "Connectors", "admin platforms channels", || open(paths::CONNECTORS))
    },
    Known {
        verb: Some(Verb::ManageAccess),
        ..page("user", "Accounts", "admin people roles", || open(paths::ACCOUNTS))
    },
    Known { verb: Some(Verb::ManageAccess), ..page("lock", "Policies", "admin rules", || open(paths::POLICIES)) },
    Known { verb: Some(Verb::ReadAudit), ..page("shield", "Audit log", "admin who did what", || open(paths::AUDIT)) },
    Known {
        group: PAGES,
        symbol: "source",
        title: "Sources",
        words: "admin repositories passes errors",
        keys: Some("g o"),
        action: || open(paths::SOURCES),
        verb: None,
    },
    Known {
        group: PAGES,
        symbol: "terminal",
        title: "API reference",
        words: "openapi rest documentation",
        keys: None,
        action: || open(paths::API_DOCS),
        verb: None,
    },
    Known {
        group: COMMANDS,
        symbol: "plus",
        title: "Add a source",
        words: "new register repository folder import",
        keys: None,
        action: || open(paths::NEW_SOURCE),
        verb: None,
    },
    Known {
        group: COMMANDS,
        symbol: "pass",
        title: "Check a descriptor",
        words: "validate yaml catalog-info lint",
        keys: None,
        action: || open(paths::VALIDATE),
        verb: None,
    },
    Known {
        group: COMMANDS,
        symbol: "theme",
        title: "Switch the theme",
        words: "dark light mode appearance",
        keys: None,
        action: || Action::Click("[data-theme-toggle]"),
        verb: None,
    },
    Known {
        group: COMMANDS,
        symbol: "info",
        title: "Show keyboard shortcuts",
        words: "keys help",
        keys: Some("?"),
        action: || Action::Shortcuts,
        verb: None,
    },
];

/// Kinds with a list of their own.
const KINDS: [&str; 7] = ["component", "api", "resource", "system", "domain", "group", "user"];

/// The lines for a text: entities first, then pages and commands, then the search.
pub(super) fn entries(text: &str, found: &[Suggestion], recent: &[String]) -> Vec<Entry> {
    let text = text.trim();
    let mut entries: Vec<Entry> = Vec::new();
    if text.is_empty() {
        entries.extend(recent.iter().take(RECENT).map(|entity_ref| visited(entity_ref)));
    } else {
        entries.extend(found.iter().map(suggested));
    }
    let called = |entry: &Entry| {
        let title: String = entry.title.iter().map(|(piece, _)| piece.as_str()).collect();
        title.eq_ignore_ascii_case(text)
    };
    for group in [PAGES, COMMANDS] {
        let mut lines: Vec<(usize, Entry)> =
            KNOWN.iter().filter(|known| known.group == group).filter_map(|known| known_entry(known, text)).collect();
        if group == PAGES && !text.is_empty() {
            lines.extend(KINDS.iter().filter_map(|kind| kind_entry(kind, text)));
        }
        let length = |entry: &Entry| entry.title.iter().map(|(piece, _)| piece.len()).sum::<usize>();
        lines.sort_by_key(|(distance, entry)| (*distance, length(entry)));
        for (_, entry) in lines {
            // Who writes the whole name of a page means it.
            match called(&entry) {
                true => entries.insert(0, Entry { group: "Best match", ..entry }),
                false => entries.push(entry),
            }
        }
    }
    if !text.is_empty() {
        entries.push(Entry {
            group: "Search",
            symbol: "search",
            title: vec![(format!("All results for “{text}”"), false)],
            detail: String::new(),
            keys: None,
            action: Action::Open(paths::with_query(paths::SEARCH, [("q", text)])),
        });
    }
    entries
}

fn visited(entity_ref: &str) -> Entry {
    let kind = kind_of(entity_ref);
    let name = entity_ref.rsplit('/').next().unwrap_or(entity_ref);
    Entry {
        group: "Recent",
        symbol: kind_icon(kind, None),
        title: vec![(name.to_owned(), false)],
        detail: kind_name(kind),
        keys: None,
        action: Action::Open(paths::entity(entity_ref)),
    }
}

fn suggested(suggestion: &Suggestion) -> Entry {
    let Suggestion { link, kind, owner, title_segments, .. } = suggestion;
    let what = link.subtype.clone().unwrap_or_else(|| kind_name(&kind.to_ascii_lowercase()));
    let detail = owner.as_ref().map_or_else(|| what.clone(), |owner| format!("{what} · {}", owner.title));
    let title = if title_segments.is_empty() {
        vec![(link.title.clone(), false)]
    } else {
        title_segments.iter().map(|segment| (segment.text.clone(), segment.mark)).collect()
    };
    Entry {
        group: "Go to",
        symbol: kind_icon(kind_of(&link.entity_ref), link.subtype.as_deref()),
        title,
        detail,
        keys: None,
        action: Action::Open(paths::entity(&link.entity_ref)),
    }
}

fn known_entry(known: &Known, text: &str) -> Option<(usize, Entry)> {
    let Known { group, symbol, title, words, keys, action, verb } = known;
    if verb.is_some_and(|verb| refusal(verb).is_some()) {
        return None;
    }
    let (distance, title) = match fuzzy(title, text) {
        Some((distance, pieces)) => (distance, pieces),
        None => {
            let text = text.to_ascii_lowercase();
            words.split(' ').any(|word| word.starts_with(&text)).then(|| (50, vec![((*title).to_owned(), false)]))?
        }
    };
    Some((distance, Entry { group, symbol, title, detail: String::new(), keys: *keys, action: action() }))
}

fn kind_entry(kind: &str, text: &str) -> Option<(usize, Entry)> {
    let (distance, title) = fuzzy(&kind_plural(kind), text)?;
    let entry = Entry {
        group: PAGES,
        symbol: kind_icon(kind, None),
        title,
        detail: "in the catalog".to_owned(),
        keys: None,
        action: Action::Open(paths::with_query(paths::CATALOG, [("kind", kind)])),
    };
    Some((distance, entry))
}

/// Whether the letters of a text stand in a title as those of an abbreviation do: how far
/// apart and from its beginning, and the pieces to mark.
fn fuzzy(title: &str, text: &str) -> Option<(usize, Vec<(String, bool)>)> {
    let wanted: Vec<char> = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    if wanted.is_empty() {
        return Some((0, vec![(title.to_owned(), false)]));
    }
    let same = |letter: char, wanted: char| letter.eq_ignore_ascii_case(&wanted);
    let (_, last) = letters::fit(title, &wanted, same)?;
    let pieces = letters::marked(title, &wanted, same).into_iter().map(|segment| (segment.text, segment.mark));
    Some(((last + 1).saturating_sub(wanted.len()), pieces.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str) -> Vec<String> {
        let entries = entries(text, &[], &["component:default/booking-api".to_owned()]);
        entries.into_iter().map(|entry| entry.title.into_iter().map(|(piece, _)| piece).collect()).collect()
    }

    #[test]
    fn without_a_text_it_offers_what_was_visited_and_every_page() {
        assert_eq!(titles(" ")[..2], ["booking-api", "Home"]);
    }

    #[test]
    fn letters_in_order_are_enough() {
        assert_eq!(titles("addsrc")[0], "Add a source");
        assert_eq!(titles("dark")[0], "Switch the theme");
        assert_eq!(titles("runs")[0], "Runs", "a page that is called like this");
        assert_eq!(titles("api")[..2], ["APIs", "API reference"]);
        assert_eq!(titles("zzz"), ["All results for “zzz”"]);
    }

    #[test]
    fn matching_pieces_are_marked() {
        let pieces = fuzzy("Add a source", "as").unwrap().1;
        let marked: Vec<&str> = pieces.iter().filter(|(_, mark)| *mark).map(|(piece, _)| piece.as_str()).collect();
        assert_eq!(marked, ["a", "s"], "the closest");
        assert_eq!(fuzzy("Catalog", "og"), None);
    }
}
