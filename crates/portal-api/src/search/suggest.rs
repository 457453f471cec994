//! "Did you mean": words of the catalog that are near to a word nobody has.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use tantivy::Searcher;
use tantivy::schema::IndexRecordOption;

use super::edits::distance;
use super::evaluate::neighbours;
use super::query::Query;
use super::schema::{Fields, ROW};

/// Queries to offer, at most.
const OFFERS: usize = 3;
/// Words compared for each word, at most.
const COMPARED: usize = 12;

/// The query with each word that nothing has replaced by the nearest words
/// that a visible entity has.
///
/// # Errors
/// The index cannot be read.
pub fn other_queries(
    searcher: &Searcher,
    fields: &Fields,
    query: &Query,
    found: &[bool],
    visible: Option<&RoaringBitmap>,
) -> tantivy::Result<Vec<String>> {
    let mut offers = Vec::new();
    let missing = query.parts.iter().zip(found).filter(|(_, found)| !**found).map(|(part, _)| part);
    for part in missing {
        for word in nearest(searcher, fields, &part.text, visible)? {
            let offer = query.with(part, &word);
            if !offers.contains(&offer) {
                offers.push(offer);
            }
        }
    }
    offers.truncate(OFFERS);
    Ok(offers)
}

/// Up to [`OFFERS`] words, the nearest first, then the most frequent.
fn nearest(
    searcher: &Searcher,
    fields: &Fields,
    word: &str,
    visible: Option<&RoaringBitmap>,
) -> tantivy::Result<Vec<String>> {
    // Two edits make another word of a short one.
    let edits = match word.chars().count() {
        0..=2 => return Ok(Vec::new()),
        3..=4 => 1,
        _ => 2,
    };
    let mut frequencies: BTreeMap<String, u32> = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let terms = segment.inverted_index(fields.vocabulary)?;
        for neighbour in neighbours(segment, fields.vocabulary, word, edits, false)? {
            let hits = terms.terms().get(&neighbour)?.map_or(0, |info| info.doc_freq);
            *frequencies.entry(neighbour).or_default() += hits;
        }
    }
    let mut ranked: Vec<(usize, std::cmp::Reverse<u32>, String)> = frequencies
        .into_iter()
        .map(|(neighbour, hits)| (distance(word, &neighbour), std::cmp::Reverse(hits), neighbour))
        .collect();
    ranked.sort();
    let mut words = Vec::new();
    for (_, _, neighbour) in ranked.into_iter().take(COMPARED) {
        // Words of what the caller may not see are not told.
        if words.len() < OFFERS && is_visible(searcher, fields, &neighbour, visible)? {
            words.push(neighbour);
        }
    }
    Ok(words)
}

fn is_visible(
    searcher: &Searcher,
    fields: &Fields,
    word: &str,
    visible: Option<&RoaringBitmap>,
) -> tantivy::Result<bool> {
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(fields.vocabulary)?;
        let Some(info) = index.terms().get(word)? else { continue };
        let rows = segment.fast_fields().column_first_or_default::<u64>(ROW)?;
        let mut block = index.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
        while block.block_len() > 0 {
            let seen = |doc: u32| visible.is_none_or(|visible| visible.contains(rows.get_val(doc) as u32));
            if block.docs().iter().any(|doc| !segment.is_deleted(*doc) && seen(*doc)) {
                return Ok(true);
            }
            block.advance();
        }
    }
    Ok(false)
}
