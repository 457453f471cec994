//! The invariants of the style guide, as a scan of the tree. They are mostly
//! absences, which nothing else would notice.
//!
//! Comments, and everything from a file's `#[cfg(test)]` on, are left out.

use std::path::{Path, PathBuf};

/// What must not stand where.
struct Rule {
    why: &'static str,
    /// Folders below `crates/`.
    folders: &'static [&'static str],
    /// Words that may not stand there, on their own or as the start of a path.
    words: &'static [&'static str],
    /// Files and folders below `crates/` where they may stand all the same.
    /// `*/name.rs` allows every file of that name.
    except: &'static [&'static str],
    /// Files that hold this are excepted as well.
    mark: Option<&'static str>,
}

const CORE: &[&str] = &["portal-core/src"];
const API: &[&str] = &["portal-api/src"];
const APP: &[&str] = &["portal-app/src"];
const PRODUCT: &[&str] = &["portal-core/src", "portal-api/src", "portal-app/src"];

const RULES: &[Rule] = &[
    Rule {
        why: "core does no IO: it is given data and answers data",
        folders: CORE,
        words: &[
            "std::fs",
            "std::net",
            "std::process",
            "std::env",
            "tokio",
            "reqwest",
            "axum",
            "sea_orm",
            "println!",
            "eprintln!",
        ],
        except: &[],
        mark: None,
    },
    Rule {
        why: "core works where it is called",
        folders: CORE,
        words: &["std::thread"],
        // A parser that needs a larger stack than callers have.
        except: &["portal-core/src/cel.rs"],
        mark: None,
    },
    Rule {
        why: "core has no clock and no randomness: time and ids are parameters",
        folders: CORE,
        words: &["Utc::now", "Local::now", "SystemTime", "Instant::now", "rand::", "new_v4", "getrandom"],
        except: &[],
        mark: None,
    },
    Rule {
        why: "the UI is a client of the API and never sees its crate",
        folders: APP,
        words: &["portal_api", "sea_orm", "axum"],
        except: &[],
        mark: None,
    },
    Rule {
        why: "the browser uses documented endpoints only, so there are no server functions",
        folders: APP,
        words: &["#[server", "server_fn", "ServerAction", "ServerMultiAction"],
        except: &[],
        mark: None,
    },
    Rule {
        why: "queries live in stores",
        folders: API,
        words: &["sea_orm", "sea_query", "sqlx"],
        except: &["portal-api/src/db/", "portal-api/src/jobs/queue.rs", "*/store.rs"],
        mark: None,
    },
    Rule {
        why: "status codes belong to handlers, extractors, middleware and the error type",
        folders: API,
        words: &["StatusCode"],
        except: &[
            "portal-api/src/error.rs",
            "portal-api/src/http/",
            "portal-api/src/router.rs",
            "portal-api/src/ui.rs",
            "portal-api/src/ui/",
            "portal-api/src/openapi.rs",
            "portal-api/src/health.rs",
            "portal-api/src/metrics.rs",
            // Middleware.
            "portal-api/src/access/identity.rs",
            "portal-api/src/backstage/errors.rs",
            // Pages.
            "portal-api/src/access/pages.rs",
            "portal-api/src/access/oidc/flow.rs",
            // What other servers answered.
            "portal-api/src/egress/",
        ],
        // Handlers.
        mark: Some("#[utoipa::path"),
    },
    Rule {
        why: "the environment is read in config.rs",
        folders: PRODUCT,
        words: &["env::var", "env::vars", "env::set_var", "std::env"],
        except: &["portal-api/src/config.rs"],
        mark: None,
    },
    Rule {
        why: "time comes from the clock that tests can set",
        folders: PRODUCT,
        words: &["Utc::now", "Local::now", "SystemTime::now"],
        except: &["portal-api/src/clock.rs"],
        mark: None,
    },
];

#[test]
fn the_invariants_of_the_style_guide_hold() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let mut broken = Vec::new();
    for rule in RULES {
        for file in rule.folders.iter().flat_map(|folder| rust_files(&crates.join(folder))) {
            let name = file.strip_prefix(&crates).unwrap().to_string_lossy().replace('\\', "/");
            if rule.except.iter().any(|pattern| allows(pattern, &name)) {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            if rule.mark.is_some_and(|mark| text.contains(mark)) {
                continue;
            }
            for (number, line) in code(&text) {
                if let Some(word) = rule.words.iter().find(|word| has_word(line, word)) {
                    broken.push(format!("crates/{name}:{number}: `{word}` ({})", rule.why));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{} broken invariants:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn the_scan_sees_code_and_only_code() {
    let text = "//! std::fs in words\nuse std::fs::File; // tokio\nlet url = \"https://example.com\";\n#[cfg(test)]\nuse tokio;\n";
    let lines: Vec<_> = code(text).collect();
    assert_eq!(lines.len(), 3);
    assert!(!has_word(lines[0].1, "std::fs"));
    assert!(has_word(lines[1].1, "std::fs") && !has_word(lines[1].1, "tokio"));
    assert!(!has_word("let axumatic = 1;", "axum") && has_word("use axum::Json;", "axum"));
    assert!(
        allows("*/store.rs", "portal-api/src/catalog/store.rs") && !allows("*/store.rs", "portal-api/src/restore.rs")
    );
    assert!(allows("*/handlers/", "portal-api/src/catalog/handlers/list.rs"));
}

fn allows(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(part) if part.ends_with('/') => name.contains(part),
        Some(ending) => name.ends_with(ending),
        None if pattern.ends_with('/') => name.starts_with(pattern),
        None => name == pattern,
    }
}

/// The lines of code with their numbers: no comments, nothing of the tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    lines
        .map(|line| line.find("//").filter(|at| !line[..*at].ends_with(':')).map_or(line, |at| &line[..at]))
        .zip(1..)
        .map(|(line, number)| (number, line))
}

fn has_word(line: &str, word: &str) -> bool {
    let is_inside = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let starts = !before.ends_with(is_inside) || !word.starts_with(is_inside);
        starts && (!after.starts_with(is_inside) || !word.ends_with(is_inside))
    })
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_none_or(|name| name != "tests.rs")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}
