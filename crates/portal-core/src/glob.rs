//! Globs over paths with `/`: `*` and `?` inside a segment, `**` for any number
//! of segments, `{a,b}` for either. Matching takes time linear in pattern times
//! path, whatever the pattern.

/// Alternatives that the braces of one pattern may spell, at most.
const ALTERNATIVES: usize = 64;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    /// One list of segments for each alternative.
    alternatives: Vec<Vec<String>>,
}

impl Glob {
    /// Reads a pattern; a leading `./` or `/` is dropped.
    ///
    /// # Errors
    /// Too long, unbalanced braces, or too many alternatives.
    pub fn new(pattern: &str) -> Result<Self, String> {
        if pattern.is_empty() || pattern.len() > 1024 || pattern.contains('\0') {
            return Err("a glob has 1 to 1024 characters".to_owned());
        }
        if pattern.contains(['[', ']', '\\']) {
            return Err("it knows `*`, `**`, `?` and `{a,b}` only".to_owned());
        }
        if pattern.split('/').any(|segment| segment == "..") {
            return Err("it cannot leave its folder by `..`".to_owned());
        }
        let expanded = expand(pattern)?;
        let alternatives = expanded
            .iter()
            .map(|text| {
                let text = text.strip_prefix("./").unwrap_or(text);
                text.split('/').filter(|segment| !segment.is_empty() && *segment != ".").map(str::to_owned).collect()
            })
            .collect();
        Ok(Self { alternatives })
    }

    pub fn matches(&self, path: &str) -> bool {
        let path: Vec<&str> = path.split('/').collect();
        self.alternatives.iter().any(|pattern| {
            wild(pattern, &path, |segment| segment == "**", |pattern, segment| matches_segment(pattern, segment))
        })
    }
}

/// Whether a text has characters that only a glob uses.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '{'])
}

/// Splits a glob into the folder before its first wildcard and the rest.
pub fn split_root(pattern: &str) -> (&str, &str) {
    let wildcard = pattern.find(['*', '?', '{']).unwrap_or(pattern.len());
    match pattern[..wildcard].rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => (".", pattern),
    }
}

fn matches_segment(pattern: &str, segment: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let segment: Vec<char> = segment.chars().collect();
    wild(&pattern, &segment, |star| *star == '*', |pattern, character| *pattern == '?' || pattern == character)
}

/// Matches a list against a pattern whose stars stand for any number of items;
/// going back to the last star only is enough.
fn wild<P, I>(pattern: &[P], items: &[I], star: impl Fn(&P) -> bool, one: impl Fn(&P, &I) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    while item < items.len() {
        match pattern.get(at) {
            Some(token) if star(token) => {
                resume = Some((at, item));
                at += 1;
            }
            Some(token) if one(token, &items[item]) => {
                at += 1;
                item += 1;
            }
            _ => match resume {
                Some((star_at, from)) => {
                    resume = Some((star_at, from + 1));
                    at = star_at + 1;
                    item = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(star)
}

fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(text) = open.pop() {
        if done.len() + open.len() >= ALTERNATIVES {
            return Err(format!("a glob may spell {ALTERNATIVES} alternatives"));
        }
        // The innermost braces first.
        let Some(end) = text.find('}') else {
            if text.contains('{') {
                return Err("`{` without `}`".to_owned());
            }
            done.push(text);
            continue;
        };
        let start = text[..end].rfind('{').ok_or("`}` without `{`")?;
        for choice in text[start + 1..end].split(',').rev() {
            open.push(format!("{}{choice}{}", &text[..start], &text[end + 1..]));
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(Glob::new(pattern).unwrap().matches(path), expected, "{pattern} on {path}");
    }

    #[test]
    fn globs_match_segments() {
        check("**/catalog-info.yaml", "catalog-info.yaml", true);
        check("**/catalog-info.yaml", "a/b/catalog-info.yaml", true);
        check("**/catalog-info.yaml", "a/my-catalog-info.yaml", false);
        check("*.yaml", "a.yaml", true);
        check("*.yaml", "a/b.yaml", false);
        check("./a/*/c.y?ml", "a/b/c.yaml", true);
        check("a/**/b/**/c", "a/x/b/y/z/c", true);
        check("a/**/b/**/c", "a/x/y/z/c", false);
        check("**", "a/b", true);
        check("**/*.{yaml,yml}", "x/y.yml", true);
        check("**/*.{yaml,yml}", "x/y.json", false);
        check("{a,b/{c,d}}/e", "b/d/e", true);
    }

    #[test]
    fn hostile_patterns_end_quickly() {
        let pattern = format!("{}b", "a*".repeat(400));
        check(&pattern, &"a".repeat(2000), false);
        let pattern = format!("{}x", "**/".repeat(300));
        check(&pattern, &"a/".repeat(500), false);
        assert!(Glob::new(&"{a,b}".repeat(20)).is_err());
        for bad in ["", "{a", "a}", "\0", "[", "svc-[ab]/*", "../*", "a/../b"] {
            assert!(Glob::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_root_of_a_glob_is_the_folder_before_its_wildcard() {
        assert_eq!(split_root("/srv/*/a.yaml"), ("/srv", "*/a.yaml"));
        assert_eq!(split_root("/*.yaml"), ("/", "*.yaml"));
        assert_eq!(split_root("*.yaml"), (".", "*.yaml"));
        assert_eq!(split_root("a/b*/c"), ("a", "b*/c"));
    }
}
