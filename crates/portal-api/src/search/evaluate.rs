//! Which entities match a query, and how well.
//!
//! tantivy holds the words and who has them; the scoring is our own. A catalog
//! is searched by name far more than by text, so a field's place in the ranking
//! is fixed (name before title before tags before description before
//! definition) and a word counts where it ranks best. Scores are added word by
//! word into an array over the segment's documents, which keeps one letter over
//! 100 000 entities within a few milliseconds: beginnings of names are terms
//! of their own, so nothing is expanded there.

use roaring::RoaringBitmap;
use tantivy::DocId;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::index::{InvertedIndexReader, SegmentReader};
use tantivy::postings::TermInfo;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption, Term};

use super::index::View;
use super::query::{Part, Query};
use super::schema::Fields;
use super::words::{ANCHOR, MAX_PREFIX};

/// A word with fewer hits than this is also looked for as a misspelling.
const RARE: usize = 10;
/// Words that an unfinished word may stand for in one long field. The shortest
/// come first; behind them are the compounds that occur once each.
const MAX_EXPANSIONS: usize = 128;
/// Words that a misspelling may stand for, and candidates looked at.
const MAX_CORRECTIONS: usize = 128;
const MAX_CANDIDATES: usize = 4096;

/// Gained by the only word of a name or title; half of it by one of two, …
const ALONE: u16 = 150;
const NAME: u16 = 1000;
const NAME_PREFIX: u16 = 700;
const TITLE: u16 = 600;
const TITLE_PREFIX: u16 = 450;
const TAG: u16 = 400;
const TAG_PREFIX: u16 = 280;
const DESCRIPTION: u16 = 200;
const DESCRIPTION_PREFIX: u16 = 120;
const TEXT: u16 = 110;
const TEXT_PREFIX: u16 = 95;
const DOCUMENTATION: u16 = 90;
const DOCUMENTATION_PREFIX: u16 = 70;
const DEFINITION: u16 = 65;
const DEFINITION_PREFIX: u16 = 50;
/// Added for the query as a whole.
const WHOLE_NAME: f32 = 4000.0;
const WHOLE_TITLE: f32 = 2500.0;
const NAME_BEGINS: f32 = 1500.0;
const TITLE_BEGINS: f32 = 500.0;
/// A finished word that only begins a name counts less than an unfinished one.
const ABBREVIATION: f32 = 0.7;

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Everything,
    /// Names, titles and tags: completions.
    Names,
}

/// One matching document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub score: f32,
    pub row: u32,
    pub segment: u32,
    pub doc: DocId,
}

/// What a query found.
#[derive(Debug, Default)]
pub struct Evaluation {
    pub scored: Vec<Scored>,
    /// False: no entity has all words, these have some.
    pub all_words: bool,
    /// For each word, whether misspellings of it were looked for.
    pub corrected: Vec<bool>,
    /// For each word, whether anything has it.
    pub found: Vec<bool>,
}

/// Evaluates a query among the rows that may be seen.
///
/// # Errors
/// The index cannot be read.
pub fn evaluate(
    view: &View,
    fields: &Fields,
    query: &Query,
    scope: Scope,
    visible: Option<&RoaringBitmap>,
) -> tantivy::Result<Evaluation> {
    let mut evaluation = Evaluation::default();
    let readers = view.searcher.segment_readers().iter().zip(&view.rows);
    let mut segments = readers
        .map(|(reader, rows)| Segment::open(reader, rows, fields, query.parts.len()))
        .collect::<tantivy::Result<Vec<_>>>()?;
    for part in &query.parts {
        let mut hits = 0;
        for segment in &mut segments {
            segment.gather(part, scope)?;
            hits += segment.touched.len();
        }
        let corrected = hits < RARE && part.tolerates_typo();
        if corrected {
            for segment in &mut segments {
                segment.correct(part, scope)?;
            }
        }
        let hits: usize = segments.iter_mut().map(Segment::keep).sum();
        evaluation.corrected.push(corrected);
        evaluation.found.push(hits > 0);
    }
    let total = view.searcher.num_docs().max(1) as f32;
    let rarities: Vec<f32> = (0..query.parts.len())
        .map(|index| {
            let hits: usize = segments.iter().map(|segment| segment.found[index].len()).sum();
            rarity(hits as f32, total)
        })
        .collect();
    for segment in &mut segments {
        segment.add_up(query, &rarities)?;
    }
    for all_words in [true, false] {
        evaluation.all_words = all_words;
        for (ord, segment) in segments.iter().enumerate() {
            segment.collect(ord as u32, query, all_words, visible, &mut evaluation.scored)?;
        }
        if !evaluation.scored.is_empty() {
            break;
        }
    }
    Ok(evaluation)
}

/// From 0.5 for a word that all have to 1 for a word that one has.
fn rarity(hits: f32, total: f32) -> f32 {
    0.5 + 0.5 * (1.0 + (total / hits.max(1.0)).max(1.0)).log2() / (1.0 + total).log2()
}

/// One segment of the index and the scores in it.
struct Segment<'s> {
    reader: &'s SegmentReader,
    rows: &'s [u32],
    fields: &'s Fields,
    /// The best weight of each document for the word at hand.
    best: Vec<u16>,
    /// The documents with one.
    touched: Vec<DocId>,
    /// For each word done, its documents and their weights.
    found: Vec<Vec<(DocId, u16)>>,
    totals: Vec<f32>,
    /// How many required words each document has.
    words: Vec<u8>,
}

/// Says that a document matches whatever words it has.
const MATCHES_AS_A_WHOLE: u8 = u8::MAX;

impl<'s> Segment<'s> {
    fn open(reader: &'s SegmentReader, rows: &'s [u32], fields: &'s Fields, parts: usize) -> tantivy::Result<Self> {
        let documents = reader.max_doc() as usize;
        Ok(Self {
            reader,
            rows,
            fields,
            best: vec![0; documents],
            touched: Vec::new(),
            found: Vec::with_capacity(parts),
            totals: vec![0.0; documents],
            words: vec![0; documents],
        })
    }

    /// Weighs the documents that have a word or, where it is open, begin with it.
    fn gather(&mut self, part: &Part, scope: Scope) -> tantivy::Result<()> {
        let fields = self.fields;
        let letters = part.text.chars().count();
        let name_lengths = self.reader.get_fieldnorms_reader(fields.name)?;
        let title_lengths = self.reader.get_fieldnorms_reader(fields.title)?;
        self.term(fields.name, &part.text, &Weigh::Short(NAME, ALONE, &name_lengths))?;
        self.term(fields.title, &part.text, &Weigh::Short(TITLE, ALONE, &title_lengths))?;
        let shortened = |weight: u16| if part.open { weight } else { (f32::from(weight) * ABBREVIATION) as u16 };
        if letters <= MAX_PREFIX {
            self.term(fields.name_prefix, &part.text, &Weigh::Short(shortened(NAME_PREFIX), ALONE, &name_lengths))?;
            self.term(fields.title_prefix, &part.text, &Weigh::Short(shortened(TITLE_PREFIX), ALONE, &title_lengths))?;
        } else if part.open {
            self.prefix(fields.name, &part.text, &Weigh::Short(NAME_PREFIX, ALONE, &name_lengths))?;
            self.prefix(fields.title, &part.text, &Weigh::Short(TITLE_PREFIX, ALONE, &title_lengths))?;
        }
        let short = [(fields.tags, TAG, TAG_PREFIX, 1)];
        let long = [
            (fields.description, DESCRIPTION, DESCRIPTION_PREFIX, 2),
            (fields.text, TEXT, TEXT_PREFIX, 2),
            (fields.documentation, DOCUMENTATION, DOCUMENTATION_PREFIX, 3),
            (fields.definition, DEFINITION, DEFINITION_PREFIX, 3),
        ];
        let long = if scope == Scope::Everything { &long[..] } else { &[] };
        for (field, whole, prefix, from_letters) in short.iter().chain(long) {
            self.term(*field, &part.text, &Weigh::Counted(*whole))?;
            if part.open && letters >= *from_letters {
                self.prefix(*field, &part.text, &Weigh::Flat(*prefix))?;
            }
        }
        Ok(())
    }

    /// Weighs the documents that have a word one edit away.
    fn correct(&mut self, part: &Part, scope: Scope) -> tantivy::Result<()> {
        let fields = self.fields;
        let neighbours = neighbours(self.reader, fields.vocabulary, &part.text, 1, part.open)?;
        let name_lengths = self.reader.get_fieldnorms_reader(fields.name)?;
        for neighbour in neighbours {
            self.term(fields.name, &neighbour, &Weigh::Short(40, 9, &name_lengths))?;
            self.term(fields.title, &neighbour, &Weigh::Flat(35))?;
            self.term(fields.tags, &neighbour, &Weigh::Flat(30))?;
            if scope == Scope::Everything {
                self.term(fields.description, &neighbour, &Weigh::Flat(25))?;
                self.term(fields.text, &neighbour, &Weigh::Flat(20))?;
            }
        }
        Ok(())
    }

    fn term(&mut self, field: Field, text: &str, weigh: &Weigh<'_>) -> tantivy::Result<()> {
        let index = self.reader.inverted_index(field)?;
        if let Some(info) = index.terms().get(text)? {
            self.weigh(&index, &info, weigh)?;
        }
        Ok(())
    }

    fn prefix(&mut self, field: Field, text: &str, weigh: &Weigh<'_>) -> tantivy::Result<()> {
        let index = self.reader.inverted_index(field)?;
        let mut terms = index.terms().range().ge(text).lt(beyond(text)).without_keys().into_stream()?;
        let mut expansions = 0;
        while expansions < MAX_EXPANSIONS && terms.advance() {
            expansions += 1;
            self.weigh(&index, terms.value(), weigh)?;
        }
        Ok(())
    }

    fn weigh(&mut self, index: &InvertedIndexReader, info: &TermInfo, weigh: &Weigh<'_>) -> tantivy::Result<()> {
        let option = match weigh {
            Weigh::Counted(_) => IndexRecordOption::WithFreqs,
            _ => IndexRecordOption::Basic,
        };
        let mut block = index.read_block_postings_from_terminfo(info, option)?;
        while block.block_len() > 0 {
            for (at, &doc) in block.docs().iter().enumerate() {
                let weight = match weigh {
                    Weigh::Flat(weight) => *weight,
                    Weigh::Short(weight, alone, lengths) => {
                        weight + alone / lengths.fieldnorm(doc).clamp(1, 1000) as u16
                    }
                    Weigh::Counted(weight) => weight + block.freq(at).min(5) as u16,
                };
                let best = &mut self.best[doc as usize];
                if *best == 0 {
                    self.touched.push(doc);
                }
                *best = weight.max(*best);
            }
            block.advance();
        }
        Ok(())
    }

    /// Ends a word; answers how many documents have it.
    fn keep(&mut self) -> usize {
        let best = &mut self.best;
        let found: Vec<(DocId, u16)> =
            self.touched.drain(..).map(|doc| (doc, std::mem::take(&mut best[doc as usize]))).collect();
        self.found.push(found);
        self.found.last().map_or(0, Vec::len)
    }

    fn add_up(&mut self, query: &Query, rarities: &[f32]) -> tantivy::Result<()> {
        for ((part, found), rarity) in query.parts.iter().zip(&self.found).zip(rarities) {
            for (doc, weight) in found {
                self.totals[*doc as usize] += f32::from(*weight) * rarity;
                self.words[*doc as usize] += u8::from(part.required);
            }
        }
        if query.whole.is_empty() {
            return Ok(());
        }
        let fields = self.fields;
        self.add_whole(fields.name_whole, &query.whole, WHOLE_NAME)?;
        self.add_whole(fields.title_whole, &query.whole, WHOLE_TITLE)?;
        if query.whole.chars().count() <= MAX_PREFIX {
            let anchored = format!("{ANCHOR}{}", query.whole);
            self.add_whole(fields.name_prefix, &anchored, NAME_BEGINS)?;
            self.add_whole(fields.title_prefix, &anchored, TITLE_BEGINS)?;
        }
        Ok(())
    }

    fn add_whole(&mut self, field: Field, text: &str, bonus: f32) -> tantivy::Result<()> {
        let index = self.reader.inverted_index(field)?;
        let Some(mut block) = index
            .terms()
            .get(text)?
            .map(|info| index.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic))
            .transpose()?
        else {
            return Ok(());
        };
        while block.block_len() > 0 {
            for doc in block.docs() {
                self.totals[*doc as usize] += bonus;
                self.words[*doc as usize] = MATCHES_AS_A_WHOLE;
            }
            block.advance();
        }
        Ok(())
    }

    fn collect(
        &self,
        ord: u32,
        query: &Query,
        all_words: bool,
        visible: Option<&RoaringBitmap>,
        scored: &mut Vec<Scored>,
    ) -> tantivy::Result<()> {
        let required = query.parts.iter().filter(|part| part.required).count() as u8;
        // Without a text, everything is listed.
        let needed = match (query.text.is_empty(), all_words) {
            (true, _) => 0,
            (false, true) => required.max(1),
            (false, false) => 1,
        };
        let alive = self.reader.alive_bitset();
        for (doc, words) in self.words.iter().enumerate() {
            let id = doc as DocId;
            if *words < needed || alive.is_some_and(|alive| !alive.is_alive(id)) {
                continue;
            }
            let row = self.rows[doc];
            if visible.is_some_and(|visible| !visible.contains(row)) {
                continue;
            }
            let share = if all_words { 1.0 } else { f32::from((*words).min(required)) / f32::from(required.max(1)) };
            scored.push(Scored { score: self.totals[doc] * share, row, segment: ord, doc: id });
        }
        Ok(())
    }
}

/// How a posting becomes a weight.
enum Weigh<'l> {
    Flat(u16),
    /// A word counts more in a shorter field; the second number is what it
    /// gains where it stands alone.
    Short(u16, u16, &'l FieldNormReader),
    /// A word counts a little more when it is there often.
    Counted(u16),
}

/// Words of a field within `edits` of a word; of an open word, also those
/// whose beginning is. The word itself and what it begins are left out.
pub fn neighbours(
    reader: &SegmentReader,
    field: Field,
    word: &str,
    edits: u8,
    open: bool,
) -> tantivy::Result<Vec<String>> {
    let term = Term::from_field_text(field, word);
    let query =
        if open { FuzzyTermQuery::new_prefix(term, edits, true) } else { FuzzyTermQuery::new(term, edits, true) };
    let index = reader.inverted_index(field)?;
    let mut terms = index.terms().search(query.automaton()?).into_stream()?;
    let mut found = Vec::new();
    let mut candidates = 0;
    while found.len() < MAX_CORRECTIONS && candidates < MAX_CANDIDATES && terms.advance() {
        candidates += 1;
        let Ok(candidate) = std::str::from_utf8(terms.key()) else { continue };
        if candidate != word && !(open && candidate.starts_with(word)) {
            found.push(candidate.to_owned());
        }
    }
    Ok(found)
}

/// The least key that no longer begins with `prefix`: no UTF-8 has this byte.
fn beyond(prefix: &str) -> Vec<u8> {
    [prefix.as_bytes(), &[0xff]].concat()
}
