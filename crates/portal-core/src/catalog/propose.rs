//! A descriptor for a repository that has none, from what lies in it.
//!
//! Everything is read off usual files: the manifest of a language says name and
//! description, `CODEOWNERS` the owner, a definition that it provides an API.
//! What cannot be told is left for a person, and says so.

use std::collections::BTreeMap;

use serde_json::Value;

use super::wire::{Finding, Proposal};
use crate::documentation::TECHDOCS_REF;

/// API definitions proposed, at most.
const APIS: usize = 5;
/// The owner that nobody has named.
const NOBODY: &str = "unknown";

/// Files whose contents tell something, among those of a repository.
pub fn wanted(files: &[String]) -> Vec<String> {
    let usual = [
        "Cargo.toml",
        "package.json",
        "go.mod",
        "pyproject.toml",
        "pom.xml",
        "README.md",
        "CODEOWNERS",
        ".github/CODEOWNERS",
        ".gitlab/CODEOWNERS",
        "docs/CODEOWNERS",
    ];
    usual.into_iter().filter(|name| files.iter().any(|file| file == name)).map(str::to_owned).collect()
}

/// What a repository of this name, with these files, may be described as.
/// `contents` has the text of those that are [`wanted`].
pub fn propose(name: &str, files: &[String], contents: &BTreeMap<String, String>) -> Proposal {
    let mut found = Vec::new();
    let mut note = |what: &str, value: &str, file: &str| {
        found.push(Finding { what: what.to_owned(), value: value.to_owned(), file: file.to_owned() });
    };
    let has = |name: &str| files.iter().any(|file| file == name);
    let manifest = Manifest::find(contents);
    let stated = manifest.as_ref().and_then(|manifest| Some((manifest.name.clone()?, manifest.file)));
    let own_name = match stated {
        Some((stated, file)) => {
            note("name", &stated, file);
            slug(&stated)
        }
        None => slug(name),
    };
    if let Some(manifest) = &manifest {
        note("language", manifest.language, manifest.file);
    }
    let (kind, why) = component_type(files, manifest.as_ref());
    note("type", kind, why);
    let readme = contents.get("README.md");
    let described = manifest.as_ref().and_then(|manifest| Some((manifest.description.clone()?, manifest.file)));
    let described = described.or_else(|| Some((first_paragraph(readme?)?, "README.md")));
    if let Some((text, file)) = &described {
        note("description", text, file);
    }
    let owner = owner(contents);
    if let Some((owner, file)) = &owner {
        note("owner", owner, file);
    }
    let documented = has("mkdocs.yml") || has("mkdocs.yaml");
    if documented {
        note("documentation", "dir:.", "mkdocs.yml");
    }
    let apis: Vec<(String, &str)> =
        files.iter().filter_map(|file| Some((file.clone(), definition(file)?))).take(APIS).collect();
    for (file, api_type) in &apis {
        note("API", api_type, file);
    }
    let api_names = api_names(&own_name, &apis);

    let owner = owner.map_or_else(|| NOBODY.to_owned(), |(owner, _)| owner);
    let mut text = String::new();
    let mut line = |text_of_line: &str| {
        text.push_str(text_of_line);
        text.push('\n');
    };
    line("apiVersion: backstage.io/v1alpha1");
    line("kind: Component");
    line("metadata:");
    line(&format!("  name: {own_name}"));
    if let Some((description, _)) = &described {
        line(&format!("  description: {}", scalar(description)));
    }
    if documented {
        line("  annotations:");
        line(&format!("    {TECHDOCS_REF}: dir:."));
    }
    if let Some(manifest) = &manifest {
        line(&format!("  tags: [{}]", manifest.language));
    }
    line("spec:");
    line(&format!("  type: {kind}"));
    line("  lifecycle: production");
    let missing = if owner == NOBODY { " # nobody could be found: name the team" } else { "" };
    line(&format!("  owner: {}{missing}", scalar(&owner)));
    if !apis.is_empty() {
        line("  providesApis:");
        api_names.iter().for_each(|name| line(&format!("    - {name}")));
    }
    for ((file, api_type), name) in apis.iter().zip(&api_names) {
        line("---");
        line("apiVersion: backstage.io/v1alpha1");
        line("kind: API");
        line("metadata:");
        line(&format!("  name: {name}"));
        line("spec:");
        line(&format!("  type: {api_type}"));
        line("  lifecycle: production");
        line(&format!("  owner: {}", scalar(&owner)));
        line("  definition:");
        line(&format!("    $text: {}", scalar(&format!("./{file}"))));
    }
    Proposal { file: "catalog-info.yaml".to_owned(), text, found }
}

/// The manifest of a language's build tool.
struct Manifest<'a> {
    file: &'a str,
    language: &'static str,
    name: Option<String>,
    description: Option<String>,
    text: &'a str,
}

impl<'a> Manifest<'a> {
    fn find(contents: &'a BTreeMap<String, String>) -> Option<Self> {
        let known = [
            ("Cargo.toml", "rust"),
            ("go.mod", "go"),
            ("pyproject.toml", "python"),
            ("pom.xml", "java"),
            ("package.json", "javascript"),
        ];
        let (file, language) = known.into_iter().find(|(file, _)| contents.contains_key(*file))?;
        let (file, text) = contents.get_key_value(file)?;
        let (name, description) = match file.as_str() {
            "package.json" => {
                let value: Value = serde_json::from_str(text).unwrap_or_default();
                let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
                (text("name"), text("description"))
            }
            "go.mod" => (text.lines().find_map(|line| line.strip_prefix("module ")).map(last_part), None),
            "pom.xml" => (element(text, "artifactId"), element(text, "description")),
            _ => (setting(text, "name"), setting(text, "description")),
        };
        let typed = language == "javascript" && text.contains("typescript");
        let language = if typed { "typescript" } else { language };
        let usable = |text: &String| !text.trim().is_empty();
        Some(Self { file, language, name: name.filter(usable), description: description.filter(usable), text })
    }
}

/// `key = "value"` of the section that describes a package.
fn setting(toml: &str, key: &str) -> Option<String> {
    let mut inside = false;
    for line in toml.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = matches!(line, "[package]" | "[project]" | "[tool.poetry]");
        } else if let Some(value) = line.strip_prefix(key).filter(|_| inside) {
            // Another key may begin with this one.
            let Some(value) = value.trim_start().strip_prefix('=').map(str::trim) else { continue };
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return value[1..].split(quote).next().map(str::to_owned);
        }
    }
    None
}

/// The text of the first element of this name outside of a parent's.
fn element(xml: &str, name: &str) -> Option<String> {
    let own = xml.split_once("</parent>").map_or(xml, |(_, rest)| rest);
    let (_, rest) = own.split_once(&format!("<{name}>"))?;
    rest.split('<').next().map(|text| text.trim().to_owned())
}

/// The type of a component, and the file that says so.
fn component_type<'f>(files: &'f [String], manifest: Option<&Manifest<'_>>) -> (&'static str, &'f str) {
    let find = |test: &dyn Fn(&str) -> bool| files.iter().find(|file| test(file)).map(String::as_str);
    let text = manifest.map_or("", |manifest| manifest.text);
    let page = find(&|file| matches!(file, "index.html" | "public/index.html" | "src/index.html"));
    let framework = ["\"next\"", "\"react-dom\"", "\"vue\"", "\"svelte\"", "\"@angular/core\""];
    if let Some(page) = page
        .or_else(|| find(&|file| file == "package.json").filter(|_| framework.iter().any(|name| text.contains(name))))
    {
        return ("website", page);
    }
    let runs = |file: &str| {
        matches!(file, "Dockerfile" | "Containerfile" | "Procfile" | "src/main.rs" | "main.go" | "score.yaml")
    };
    if let Some(file) = find(&runs).or_else(|| find(&|file| file.starts_with("cmd/") && file.ends_with("/main.go"))) {
        return ("service", file);
    }
    match find(&|file| {
        matches!(file, "src/lib.rs" | "setup.py" | "pyproject.toml" | "package.json" | "go.mod" | "pom.xml")
    }) {
        Some(file) => ("library", file),
        None => ("service", "nothing that would say otherwise"),
    }
}

/// Who owns everything, by the last rule that covers it.
fn owner(contents: &BTreeMap<String, String>) -> Option<(String, &'static str)> {
    let places = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
    let (place, text) = places.into_iter().find_map(|place| Some((place, contents.get(place)?)))?;
    let rule = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let pattern = words.next()?;
        let owner = words.find(|word| word.starts_with('@'))?;
        matches!(pattern, "*" | "/*" | "/" | "**").then(|| owner.to_owned())
    };
    let owner = text.lines().filter_map(rule).next_back()?;
    Some((slug(&last_part(&owner)), place)).filter(|(owner, _)| !owner.is_empty())
}

/// The type of the API that a file defines.
fn definition(file: &str) -> Option<&'static str> {
    let name = file.rsplit('/').next().unwrap_or_default().to_lowercase();
    let depth = file.matches('/').count();
    let (stem, extension) = name.rsplit_once('.')?;
    let document = matches!(extension, "yaml" | "yml" | "json");
    if depth > 3 || file.split('/').any(|part| matches!(part, "node_modules" | "vendor" | "target" | "test" | "tests"))
    {
        return None;
    }
    match stem {
        "openapi" | "swagger" if document => Some("openapi"),
        "asyncapi" if document => Some("asyncapi"),
        "schema" if matches!(extension, "graphql" | "graphqls") => Some("graphql"),
        _ if extension == "proto" => Some("grpc"),
        _ => None,
    }
}

/// A name for each API: that of the component, with what tells them apart.
fn api_names(component: &str, apis: &[(String, &str)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (file, api_type) in apis {
        let base = if apis.len() == 1 { format!("{component}-api") } else { format!("{component}-{api_type}") };
        let stem = slug(file.rsplit_once('.').map_or(file, |(stem, _)| stem));
        let name = if names.contains(&base) { format!("{component}-{stem}") } else { base };
        names.push(name.chars().take(63).collect::<String>().trim_end_matches('-').to_owned());
    }
    names
}

/// The first paragraph of prose in a README, in one line.
fn first_paragraph(markdown: &str) -> Option<String> {
    let is_prose = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && line.starts_with(|c: char| c.is_alphanumeric())
    };
    let lines: Vec<&str> = markdown.lines().skip_while(|line| !is_prose(line)).take_while(is_prose).collect();
    let text = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let text: String = text.chars().take(200).collect();
    (!text.is_empty()).then_some(text)
}

fn last_part(path: &str) -> String {
    path.trim()
        .trim_end_matches(".git")
        .trim_end_matches('/')
        .rsplit(['/', '@', ':'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A valid name: letters, digits and dashes, at most 63.
fn slug(text: &str) -> String {
    let text = last_part(text).to_lowercase();
    let dashed: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let parts: Vec<&str> = dashed.split('-').filter(|part| !part.is_empty()).collect();
    let slug: String = parts.join("-").chars().take(63).collect();
    let slug = slug.trim_end_matches('-').to_owned();
    if slug.is_empty() { "my-component".to_owned() } else { slug }
}

/// A YAML scalar on one line, quoted unless it is plain beyond doubt.
fn scalar(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | ','))
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.')
        && !text.ends_with(' ')
        && !matches!(text.to_lowercase().as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::KindRegistry;
    use crate::catalog::validate::verdicts;
    use crate::document::Budget;

    fn proposed(name: &str, files: &[(&str, &str)]) -> Proposal {
        let paths: Vec<String> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let contents = wanted(&paths)
            .into_iter()
            .map(|path| {
                let text = files.iter().find(|(known, _)| *known == path).map_or("", |(_, text)| text);
                (path, text.to_owned())
            })
            .collect();
        propose(name, &paths, &contents)
    }

    #[track_caller]
    fn check(name: &str, files: &[(&str, &str)], lines: &[&str]) {
        let Proposal { text, .. } = proposed(name, files);
        for line in lines {
            assert!(text.lines().any(|found| found.trim() == *line), "`{line}` in\n{text}");
        }
        // Placeholders are not filled in here; everything else must be valid.
        let filled = text.replace("definition:\n    $text:", "definition:");
        let verdicts = verdicts("x", filled.as_bytes(), &KindRegistry::built_in(), &Budget::default());
        assert!(verdicts.iter().all(|verdict| verdict.valid), "{verdicts:?}\n{text}");
    }

    #[test]
    fn a_service_in_rust_with_apis_and_owners() {
        let files = [
            (
                "Cargo.toml",
                "[package]\nname = \"rate_cards\"\ndescription = \"Prices: by lane\"\n[dependencies]\nname = \"no\"\n",
            ),
            ("src/main.rs", ""),
            ("api/openapi.yaml", ""),
            ("proto/rates.proto", ""),
            ("tests/openapi.yaml", ""),
            (
                ".github/CODEOWNERS",
                "# all\n* @kestrel/everyone\n*   @kestrel/Pricing @bo # us\n/docs @kestrel/writers\n",
            ),
            ("mkdocs.yml", ""),
        ];
        let lines = [
            "name: rate-cards",
            "description: \"Prices: by lane\"",
            "backstage.io/techdocs-ref: dir:.",
            "tags: [rust]",
            "type: service",
            "owner: pricing",
            "- rate-cards-openapi",
            "- rate-cards-grpc",
            "$text: ./api/openapi.yaml",
        ];
        check("whatever", &files, &lines);
        let found = proposed("whatever", &files).found;
        let owner = found.iter().find(|finding| finding.what == "owner").unwrap();
        assert_eq!((owner.value.as_str(), owner.file.as_str()), ("pricing", ".github/CODEOWNERS"));
    }

    #[test]
    fn other_languages_and_types() {
        check(
            "x",
            &[(
                "package.json",
                r#"{"name": "@kestrel/web-shop", "description": "Shop", "dependencies": {"react-dom": "1"}, "devDependencies": {"typescript": "5"}}"#,
            )],
            &["name: web-shop", "type: website", "tags: [typescript]"],
        );
        check(
            "x",
            &[("go.mod", "module github.com/kestrel/yard\n"), ("cmd/yard/main.go", "")],
            &["name: yard", "type: service", "tags: [go]"],
        );
        check("x", &[("pyproject.toml", "[project]\nname = 'lake'\n")], &["name: lake", "type: library"]);
        check(
            "x",
            &[(
                "pom.xml",
                "<project><parent><artifactId>up</artifactId></parent><artifactId>ledger</artifactId></project>",
            )],
            &["name: ledger", "tags: [java]"],
        );
    }

    #[test]
    fn with_nothing_to_go_by() {
        let lines = ["name: my-repo", "type: service", "owner: unknown # nobody could be found: name the team"];
        check("https://git.example/team/My_Repo.git", &[], &lines);
        check(
            "///",
            &[("README.md", "# Title\n\n[![b](c)](d)\n\nDoes\nthings.\n\nMore.")],
            &["name: my-component", "description: Does things."],
        );
        check("yes no", &[("package.json", "not json")], &["name: yes-no"]);
    }

    #[test]
    fn scalars_are_quoted_where_it_matters() {
        for (text, expected) in [
            ("plain words", "plain words"),
            ("a: b", "\"a: b\""),
            ("yes", "\"yes\""),
            ("- x", "\"- x\""),
            ("a \"b\"", r#""a \"b\"""#),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }
}
