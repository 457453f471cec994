//! The fields of the index.

use tantivy::Index;
use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions};

use super::document::SearchDocument;
use super::words::Analysis;

/// Grows with every change of fields, analysis or stored shape; an index of
/// another version is built anew.
pub const VERSION: u32 = 2;

/// Handles on the fields.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// The entity's row, by which documents are matched to the catalog index.
    pub row: Field,
    /// The canonical reference, by which documents are replaced.
    pub entity_ref: Field,
    pub name: Field,
    /// The name as one word.
    pub name_whole: Field,
    /// Beginnings of the name and its parts.
    pub name_prefix: Field,
    pub title: Field,
    pub title_whole: Field,
    pub title_prefix: Field,
    pub tags: Field,
    pub description: Field,
    /// Kind, type, owner, labels, annotations, links, profile.
    pub text: Field,
    pub documentation: Field,
    pub definition: Field,
    /// The words of all fields above but the two long ones: the vocabulary in
    /// which misspelt words are looked up.
    pub vocabulary: Field,
    /// What a hit shows, as JSON.
    pub hit: Field,
}

/// Name of the one column, for readers that ask by name.
pub const ROW: &str = "row";

/// The schema and its handles.
pub fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let mut text = |name: &str, analysis: Analysis, record: IndexRecordOption, lengths: bool, stored: bool| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(analysis.name())
            .set_index_option(record)
            .set_fieldnorms(lengths);
        let options = TextOptions::default().set_indexing_options(indexing);
        builder.add_text_field(name, if stored { options.set_stored() } else { options })
    };
    let (basic, counted) = (IndexRecordOption::Basic, IndexRecordOption::WithFreqs);
    let name = text("name", Analysis::Words, basic, true, false);
    let name_whole = text("name_whole", Analysis::Squash, basic, false, false);
    let name_prefix = text("name_prefix", Analysis::Prefixes, basic, false, false);
    let title = text("title", Analysis::Words, basic, true, false);
    let title_whole = text("title_whole", Analysis::Squash, basic, false, false);
    let title_prefix = text("title_prefix", Analysis::Prefixes, basic, false, false);
    let tags = text("tags", Analysis::Words, basic, false, false);
    let description = text("description", Analysis::Words, counted, false, false);
    let other = text("text", Analysis::Words, basic, false, false);
    let documentation = text("documentation", Analysis::Words, counted, false, true);
    let definition = text("definition", Analysis::Words, counted, false, true);
    let vocabulary = text("vocabulary", Analysis::Parts, basic, false, false);
    let fields = Fields {
        row: builder.add_u64_field(ROW, FAST),
        entity_ref: builder.add_text_field("entity_ref", STRING),
        name,
        name_whole,
        name_prefix,
        title,
        title_whole,
        title_prefix,
        tags,
        description,
        text: other,
        documentation,
        definition,
        vocabulary,
        hit: builder.add_text_field("hit", STORED),
    };
    (builder.build(), fields)
}

/// Makes the analyses known to an index.
pub fn register(index: &Index) {
    for analysis in [Analysis::Words, Analysis::Parts, Analysis::Prefixes, Analysis::Squash] {
        index.tokenizers().register(analysis.name(), analysis);
    }
}

/// A document as the index takes it.
pub fn document(fields: &Fields, source: &SearchDocument) -> TantivyDocument {
    let SearchDocument { row, hit, documentation, definition } = source;
    let mut document = TantivyDocument::default();
    document.add_u64(fields.row, u64::from(*row));
    document.add_text(fields.entity_ref, &hit.entity_ref);
    for field in [fields.name, fields.name_whole, fields.name_prefix] {
        document.add_text(field, &hit.name);
    }
    // A title that only repeats the name adds nothing to be found by.
    if hit.title != hit.name {
        for field in [fields.title, fields.title_whole, fields.title_prefix] {
            document.add_text(field, &hit.title);
        }
        document.add_text(fields.vocabulary, &hit.title);
    }
    document.add_text(fields.vocabulary, &hit.name);
    let tags = hit.tags.iter().map(|tag| (fields.tags, tag));
    let details = hit.details.iter().map(|detail| (fields.text, &detail.value));
    for (field, value) in tags.chain(details) {
        document.add_text(field, value);
        document.add_text(fields.vocabulary, value);
    }
    if let Some(description) = &hit.description {
        document.add_text(fields.description, description);
        document.add_text(fields.vocabulary, description);
    }
    if let Some(documentation) = documentation {
        document.add_text(fields.documentation, documentation);
    }
    if let Some(definition) = definition {
        document.add_text(fields.definition, definition);
    }
    document.add_text(fields.hit, serde_json::to_string(hit).unwrap_or_default());
    document
}
