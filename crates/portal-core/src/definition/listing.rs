//! The list of a definition while it is made: sections, operations, their ids.

use std::collections::HashMap;

use super::wire::{DefinitionSection, OperationLink};
use super::words;

/// Sections, and what each id stands for.
#[derive(Debug)]
pub(super) struct Listing<T> {
    sections: Vec<DefinitionSection>,
    targets: HashMap<String, T>,
    /// The number that the next operation of the same name gets.
    next: HashMap<String, usize>,
}

impl<T> Listing<T> {
    pub(super) fn new() -> Self {
        Self { sections: Vec::new(), targets: HashMap::new(), next: HashMap::new() }
    }

    /// Adds a section and gives its index. It is not listed while it is empty.
    pub(super) fn section(&mut self, title: &str, description: Option<&str>) -> usize {
        let description = description.map(str::to_owned);
        self.sections.push(DefinitionSection { title: title.to_owned(), description, operations: Vec::new() });
        self.sections.len() - 1
    }

    /// Adds an operation to a section and gives its id, which is made of `name`.
    pub(super) fn add(&mut self, section: usize, name: &str, link: Draft<'_>, target: T) -> String {
        let Draft { verb, title, summary, deprecated } = link;
        let id = self.unique(words::slug(name));
        let summary = summary.and_then(words::summary);
        let (verb, name) = (verb.to_owned(), title.to_owned());
        let link = OperationLink { id: id.clone(), verb, name, summary, deprecated };
        self.sections[section].operations.push(link);
        self.targets.insert(id.clone(), target);
        id
    }

    fn unique(&mut self, slug: String) -> String {
        let slug = if slug.is_empty() { "operation".to_owned() } else { slug };
        if !self.targets.contains_key(&slug) {
            return slug;
        }
        let next = self.next.entry(slug.clone()).or_insert(2);
        loop {
            let id = format!("{slug}-{next}");
            *next += 1;
            if !self.targets.contains_key(&id) {
                return id;
            }
        }
    }

    /// The sections that have operations, and what the ids stand for.
    pub(super) fn finish(self) -> (Vec<DefinitionSection>, HashMap<String, T>) {
        let sections = self.sections.into_iter().filter(|section| !section.operations.is_empty()).collect();
        (sections, self.targets)
    }
}

/// What a list says about an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'a> {
    pub(super) verb: &'a str,
    pub(super) title: &'a str,
    /// Markdown; its first line is shown.
    pub(super) summary: Option<&'a str>,
    pub(super) deprecated: bool,
}
