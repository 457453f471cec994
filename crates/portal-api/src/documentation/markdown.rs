//! Markdown as HTML that is safe to show, as headings, and as plain text.
//!
//! CommonMark with tables, footnotes, task lists and the callouts of MkDocs and
//! GitHub. Whatever HTML a page holds passes the sanitiser last, so that a page
//! can neither run anything, nor load anything from elsewhere, nor take the
//! classes and ids of the interface.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative, UrlRelativeEvaluate};
use portal_core::documentation::links::{self, Target};
use portal_core::documentation::wire::Heading;
use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{admonitions, highlight};

/// Precedes every id of a page, to tell them from those of the interface.
pub const ID_PREFIX: &str = "doc-";

/// Where a page stands, for its links.
pub trait Surroundings: Send + Sync {
    /// Path of the page.
    fn path(&self) -> &str;

    fn is_page(&self, path: &str) -> bool;

    /// Address of another page, without fragment.
    fn page(&self, path: &str) -> String;

    /// Address of an image; `None` when there is none of this name.
    fn file(&self, path: &str) -> Option<String>;
}

/// A page, rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub html: String,
    pub headings: Vec<Heading>,
}

/// Renders a page, without its title: headings are one level down, because the
/// title stands above.
pub fn render(text: &str, place: &impl Surroundings) -> Rendered {
    written(text, place, false)
}

/// Renders a passage that stands among others: all of its headings are text, and
/// none has an id.
pub fn render_passage(text: &str, place: &impl Surroundings) -> String {
    written(text, place, true).html
}

fn written(text: &str, place: &impl Surroundings, is_passage: bool) -> Rendered {
    let mut page = Page { is_passage, ..Page::default() };
    let expanded = admonitions::expand(text);
    let mut events = parser(&expanded);
    while let Some(event) = events.next() {
        page.take(event, &mut events);
    }
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, page.events.into_iter());
    let html = sanitiser(place).clean(&html).to_string();
    Rendered { html, headings: page.headings }
}

/// The title of a page: `title` of its front matter, else its first heading of
/// the first level.
pub fn title(text: &str) -> Option<String> {
    let mut events = parser(text);
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => {
                if let Some(Event::Text(matter)) = events.next() {
                    let stated = matter.lines().find_map(|line| line.strip_prefix("title:"));
                    let stated = stated.map(|title| title.trim().trim_matches(['"', '\'']).to_owned());
                    if let Some(stated) = stated.filter(|title| !title.is_empty()) {
                        return Some(stated);
                    }
                }
            }
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
                return Some(plain(&heading(&mut events))).filter(|title| !title.is_empty());
            }
            _ => {}
        }
    }
    None
}

/// What a page says, one passage a line, for search.
pub fn passages(text: &str) -> Vec<String> {
    let (mut passages, mut passage, mut hidden) = (Vec::new(), String::new(), 0);
    for event in parser(text) {
        match event {
            Event::Start(Tag::MetadataBlock(_)) => hidden += 1,
            Event::End(TagEnd::MetadataBlock(_)) => hidden -= 1,
            Event::Text(text) | Event::Code(text) if hidden == 0 => passage.push_str(&text.replace('\n', " ")),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::TableCell) => passage.push(' '),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::CodeBlock
                | TagEnd::Item
                | TagEnd::TableRow
                | TagEnd::TableHead,
            ) => {
                let done = std::mem::take(&mut passage);
                passages.extend(Some(done.trim().to_owned()).filter(|passage| !passage.is_empty()));
            }
            _ => {}
        }
    }
    passages
}

/// Images that a page names, as they are written.
pub fn images(text: &str) -> Vec<String> {
    let image = |event: Event<'_>| match event {
        Event::Start(Tag::Image { dest_url, .. }) => vec![dest_url.into_string()],
        Event::Html(html) | Event::InlineHtml(html) => sources(&html),
        _ => Vec::new(),
    };
    parser(text).flat_map(image).collect()
}

/// The values of `src` in a piece of HTML.
fn sources(html: &str) -> Vec<String> {
    let value = |rest: &str| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split(quote).next().map(str::to_owned)
    };
    html.split("src=").skip(1).filter_map(value).collect()
}

fn parser(text: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_GFM;
    Parser::new_ext(text, options)
}

/// The events of a heading, whose start was read, up to its end.
fn heading<'e>(events: &mut Parser<'e>) -> Vec<Event<'e>> {
    events.take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).collect()
}

fn plain(events: &[Event<'_>]) -> String {
    let text = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => text.to_string(),
        Event::SoftBreak | Event::HardBreak => " ".to_owned(),
        _ => String::new(),
    };
    events.iter().map(text).collect::<String>().trim().to_owned()
}

/// What is gathered while a page is read.
#[derive(Default)]
struct Page<'e> {
    events: Vec<Event<'e>>,
    headings: Vec<Heading>,
    ids: HashMap<String, usize>,
    /// A heading or a text was read already.
    begun: bool,
    /// It is one of several on a page of the interface.
    is_passage: bool,
    /// For each quotation around, whether it is a callout.
    quotes: Vec<bool>,
    /// Blocks around.
    depth: usize,
    /// Tags of the page's own HTML so far.
    tags: usize,
}

/// Blocks in each other that are shown as such; deeper ones lose their frame.
const DEPTH: usize = 40;
/// Tags of a page's own HTML; behind them it is text. Unclosed ones are opened
/// again in each paragraph, which multiplies.
const TAGS: usize = 500;

impl<'e> Page<'e> {
    fn take(&mut self, event: Event<'e>, events: &mut Parser<'e>) {
        let opens = matches!(&event, Event::Start(tag) if !matches!(tag, Tag::Heading { .. } | Tag::CodeBlock(_)));
        self.depth += usize::from(opens);
        let too_deep = self.depth > DEPTH && matches!(event, Event::Start(_) | Event::End(_));
        self.depth -= usize::from(matches!(event, Event::End(_)));
        if too_deep && !matches!(event, Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_))) {
            return;
        }
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                self.tags += html.matches('<').count();
                self.events.push(if self.tags > TAGS { Event::Text(html) } else { Event::Html(html) });
            }
            Event::Start(Tag::Heading { level, id, .. }) => {
                let inside = heading(events);
                self.heading(level, id.map(|id| id.into_string()), inside);
            }
            Event::Start(Tag::CodeBlock(kind)) => self.code(&kind, events),
            Event::Start(Tag::BlockQuote(kind)) => {
                self.quotes.push(kind.is_some());
                match kind {
                    Some(kind) => self.events.push(Event::Html(callout(kind).into())),
                    None => self.events.push(Event::Start(Tag::BlockQuote(None))),
                }
            }
            Event::End(TagEnd::BlockQuote(kind)) => match self.quotes.pop() {
                Some(true) => self.events.push(Event::Html("</div>".into())),
                _ => self.events.push(Event::End(TagEnd::BlockQuote(kind))),
            },
            Event::TaskListMarker(done) => self.events.push(Event::Text(if done { "☑ " } else { "☐ " }.into())),
            other => {
                self.begun |= matches!(other, Event::Text(_));
                self.events.push(other);
            }
        }
    }

    fn heading(&mut self, level: HeadingLevel, id: Option<String>, inside: Vec<Event<'e>>) {
        let text = plain(&inside);
        // The title of the page, which is shown above.
        if level == HeadingLevel::H1 && !self.is_passage && !self.begun && self.headings.is_empty() {
            self.begun = true;
            return;
        }
        self.begun = true;
        let shown = (level as u8).clamp(1, 5) + 1;
        if self.is_passage {
            // Below the headings of the page around it.
            let shown = shown.clamp(4, 6);
            self.events.push(Event::Html(format!("<h{shown}>").into()));
            self.events.extend(inside);
            self.events.push(Event::Html(format!("</h{shown}>\n").into()));
            return;
        }
        let id = self.unique(id.unwrap_or_else(|| slug(&text)));
        let level = (level as u8).clamp(1, 5);
        if (2..=3).contains(&level) && !text.is_empty() {
            self.headings.push(Heading { level, id: format!("{ID_PREFIX}{id}"), text });
        }
        self.events.push(Event::Html(format!("<h{shown} id=\"{id}\">").into()));
        self.events.extend(inside);
        self.events.push(Event::Html(format!("</h{shown}>\n").into()));
    }

    fn unique(&mut self, id: String) -> String {
        let before = self.ids.entry(id.clone()).or_default();
        *before += 1;
        if *before == 1 { id } else { format!("{id}-{}", *before - 1) }
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>, events: &mut Parser<'e>) {
        let mut code = String::new();
        for event in events.by_ref() {
            match event {
                Event::Text(text) => code.push_str(&text),
                Event::End(TagEnd::CodeBlock) => break,
                _ => {}
            }
        }
        let language = match kind {
            CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        let html = format!("<pre><code>{}</code></pre>\n", highlight::highlight(language, &code));
        self.begun = true;
        self.events.push(Event::Html(html.into()));
    }
}

fn callout(kind: BlockQuoteKind) -> String {
    let name = match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    };
    let class = if name == "Caution" { "danger" } else { admonitions::class(name) };
    format!("<div class=\"admonition {class}\"><p class=\"admonition-title\">{name}</p>\n")
}

/// The fragment that MkDocs and GitHub give a heading.
fn slug(text: &str) -> String {
    let kept =
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
    let slug = kept.split_whitespace().collect::<Vec<_>>().join("-");
    if slug.is_empty() { "section".to_owned() } else { slug }
}

/// Classes that a page may set, by element.
fn may_have(element: &str, class: &str) -> bool {
    match element {
        "span" => class.starts_with("hl-"),
        "div" | "details" => {
            matches!(
                class,
                "admonition" | "note" | "tip" | "warning" | "danger" | "important" | "tabbed" | "footnote-definition"
            )
        }
        "p" => class == "admonition-title",
        "sup" => class == "footnote-definition-label",
        _ => false,
    }
}

fn sanitiser<'a>(place: &'a impl Surroundings) -> Builder<'a> {
    let mut builder = Builder::default();
    builder
        .url_schemes(HashSet::from(["https", "http", "mailto"]))
        .id_prefix(Some(ID_PREFIX))
        .add_tag_attributes("span", ["class"])
        .add_tag_attributes("div", ["class"])
        .add_tag_attributes("details", ["class", "open"])
        .add_tag_attributes("p", ["class"])
        .add_tag_attributes("img", ["width", "height"])
        .set_tag_attribute_value("img", "loading", "lazy")
        // What is wider than the page scrolls, with the keyboard too.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .attribute_filter(filtered);
    for heading in ["h1", "h2", "h3", "h4", "h5", "h6"] {
        builder.add_tag_attributes(heading, ["id"]);
    }
    builder.add_tag_attributes("sup", ["id", "class"]).add_tag_attributes("a", ["id"]);
    builder.url_relative(UrlRelative::Custom(Box::new(Relative(place))));
    builder
}

fn filtered<'u>(element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
    match (element, attribute) {
        (_, "class") => {
            let kept: Vec<&str> = value.split_whitespace().filter(|class| may_have(element, class)).collect();
            (!kept.is_empty()).then(|| Cow::Owned(kept.join(" ")))
        }
        // Loading from elsewhere would tell a stranger who reads what; the
        // alternative text stays.
        ("img", "src") => url::Url::parse(value).is_err().then_some(Cow::Borrowed(value)),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Leads relative addresses to the interface.
struct Relative<'a, S>(&'a S);

impl<'a, S: Surroundings> UrlRelativeEvaluate<'a> for Relative<'a, S> {
    fn evaluate<'u>(&self, url: &'u str) -> Option<Cow<'u, str>> {
        let Self(place) = self;
        let address = match links::resolve(place.path(), url, |path| place.is_page(path)) {
            Target::Page { path, fragment: None } => place.page(&path),
            Target::Page { path, fragment: Some(fragment) } => {
                format!("{}#{ID_PREFIX}{fragment}", place.page(&path))
            }
            Target::Here(fragment) => format!("#{ID_PREFIX}{fragment}"),
            Target::File(path) => place.file(&path)?,
            Target::Outside => return None,
        };
        Some(Cow::Owned(address))
    }
}

#[cfg(test)]
mod tests;
