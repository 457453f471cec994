//! What a text matched: rows to count and filter, hits to show.

use std::sync::Arc;

use portal_core::documentation::wire::PageLink;
use portal_core::search::wire::Segment;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, TantivyDocument};

use super::document::StoredHit;
use super::evaluate::{Evaluation, Scored};
use super::highlight::{Highlighter, Passage};
use super::index::{SearchError, View};
use super::query::Query;
use super::schema::Fields;
use super::suggest;

/// Rows up to which matches are collected as bits.
const DENSE: u32 = 1 << 26;

/// The matches of one query in one state of the index.
pub struct Matches {
    view: Arc<View>,
    fields: Fields,
    query: Query,
    evaluation: Evaluation,
}

/// Where a page ended: pages continue after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Position {
    pub score: f32,
    pub row: u32,
}

/// A match, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub row: u32,
    pub score: f32,
    pub stored: StoredHit,
    pub title: Vec<Segment>,
    pub snippet: Vec<Segment>,
    pub matched_in: String,
    /// The page of the documentation that the snippet is from.
    pub page: Option<PageLink>,
}

impl Hit {
    pub fn position(&self) -> Position {
        Position { score: self.score, row: self.row }
    }
}

impl Matches {
    pub fn new(view: Arc<View>, fields: Fields, query: Query, evaluation: Evaluation) -> Self {
        Self { view, fields, query, evaluation }
    }

    /// The sequence of the state that was searched.
    pub fn seq(&self) -> i64 {
        self.view.seq
    }

    /// False when no entity has all words, and these have some.
    pub fn has_all_words(&self) -> bool {
        self.evaluation.all_words
    }

    /// Every row that matches.
    pub fn rows(&self) -> RoaringBitmap {
        let scored = &self.evaluation.scored;
        let Some(last) = scored.iter().map(|scored| scored.row).max() else { return RoaringBitmap::new() };
        if last > DENSE {
            return scored.iter().map(|scored| scored.row).collect();
        }
        let mut bits = vec![0_u8; last as usize / 8 + 1];
        for Scored { row, .. } in scored {
            bits[*row as usize / 8] |= 1 << (row % 8);
        }
        RoaringBitmap::from_lsb0_bytes(0, &bits)
    }

    /// The best hits among `allowed`, from `after` on.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn page(
        &self,
        limit: usize,
        after: Option<Position>,
        allowed: Option<&RoaringBitmap>,
    ) -> Result<Vec<Hit>, SearchError> {
        let best = best(&self.evaluation.scored, limit, after, allowed);
        best.into_iter().filter_map(|scored| self.hit(scored).transpose()).collect()
    }

    /// The hits of given rows, in their order: for lists that are sorted
    /// otherwise.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn hits_of(&self, rows: &[u32]) -> Result<Vec<Hit>, SearchError> {
        let wanted: RoaringBitmap = rows.iter().copied().collect();
        let mut found = Vec::with_capacity(rows.len());
        for scored in self.evaluation.scored.iter().filter(|scored| wanted.contains(scored.row)) {
            found.extend(self.hit(*scored)?);
        }
        let place = |hit: &Hit| rows.iter().position(|row| *row == hit.row);
        found.sort_by_key(place);
        Ok(found)
    }

    /// Queries that might have been meant, for words that nothing has.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn suggestions(&self, visible: Option<&RoaringBitmap>) -> Result<Vec<String>, SearchError> {
        let searcher = &self.view.searcher;
        Ok(suggest::other_queries(searcher, &self.fields, &self.query, &self.evaluation.found, visible)?)
    }

    /// `None` for a document whose stored part cannot be read.
    fn hit(&self, scored: Scored) -> Result<Option<Hit>, SearchError> {
        let document: TantivyDocument = self.view.searcher.doc(DocAddress::new(scored.segment, scored.doc))?;
        let text = |field| document.get_first(field).and_then(|value| value.as_str());
        let stored = text(self.fields.hit).and_then(|json| serde_json::from_str::<StoredHit>(json).ok());
        let Some(stored) = stored else { return Ok(None) };
        let long = [("documentation", text(self.fields.documentation)), ("definition", text(self.fields.definition))];
        Ok(Some(show(&Highlighter::new(&self.query, &self.evaluation.corrected), scored, stored, long)))
    }
}

/// Chooses what of a hit to quote.
fn show(highlighter: &Highlighter<'_>, scored: Scored, stored: StoredHit, long: [(&str, Option<&str>); 2]) -> Hit {
    let Scored { score, row, .. } = scored;
    let title = highlighter.whole(&stored.title, true);
    let name = highlighter.whole(&stored.name, true);
    let tags = highlighter.whole(&stored.tags.join(" "), false);
    let described = stored.description.as_deref().map(|text| highlighter.passage(text)).unwrap_or_default();
    let in_name = [("name", name.words), ("title", title.words), ("tags", tags.words)];
    let mut matched_in = in_name.iter().find(|(_, words)| *words > 0).map(|(field, _)| (*field).to_owned());
    // A passage elsewhere is quoted when it says more than the description.
    let mut best = ("description".to_owned(), described);
    let mut consider = |field: &str, passage: Passage| {
        if passage.words > best.1.words {
            best = (field.to_owned(), passage);
        }
    };
    if matched_in.is_none() || is_silent(&stored) {
        for detail in &stored.details {
            consider(&detail.name, highlighter.whole(&detail.value, false));
        }
    }
    if matched_in.is_none() {
        for (field, text) in long {
            consider(field, text.map(|text| highlighter.line(text)).unwrap_or_default());
        }
    }
    let mut page = None;
    if matched_in.is_none() && best.1.words > 0 {
        if best.0 == "documentation" {
            let mark = stored.pages.iter().rev().find(|mark| mark.line <= best.1.line);
            page = mark.map(|mark| mark.page.clone());
        }
        matched_in = Some(best.0);
    }
    Hit {
        row,
        score,
        title: title.segments,
        snippet: best.1.segments,
        matched_in: matched_in.unwrap_or_else(|| "name".to_owned()),
        page,
        stored,
    }
}

fn is_silent(stored: &StoredHit) -> bool {
    stored.description.as_deref().is_none_or(|description| description.trim().is_empty())
}

/// The best `limit` after a position: by score, then by row.
fn best(scored: &[Scored], limit: usize, after: Option<Position>, allowed: Option<&RoaringBitmap>) -> Vec<Scored> {
    if limit == 0 {
        return Vec::new();
    }
    let order = |a: &Scored, b: &Scored| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row));
    let after = after.map(|Position { score, row }| Scored { score, row, segment: 0, doc: 0 });
    let mut kept: Vec<Scored> = Vec::with_capacity(2 * limit);
    let mut worst: Option<Scored> = None;
    for candidate in scored {
        let too_late = worst.is_some_and(|worst| order(candidate, &worst).is_gt());
        let too_early = after.is_some_and(|after| order(candidate, &after).is_le());
        if too_late || too_early || allowed.is_some_and(|allowed| !allowed.contains(candidate.row)) {
            continue;
        }
        kept.push(*candidate);
        if kept.len() == 2 * limit {
            kept.select_nth_unstable_by(limit - 1, order);
            kept.truncate(limit);
            worst = kept.last().copied();
        }
    }
    kept.sort_unstable_by(order);
    kept.truncate(limit);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_cover_every_match_once_in_order(scores in prop::collection::vec(0_u8..6, 0..80), limit in 1_usize..9) {
            let scored: Vec<Scored> = scores
                .iter()
                .enumerate()
                .map(|(row, score)| Scored { score: f32::from(*score), row: row as u32, segment: 0, doc: 0 })
                .collect();
            let mut expected: Vec<(u8, u32)> = scores.iter().enumerate().map(|(row, score)| (*score, row as u32)).collect();
            expected.sort_by_key(|(score, row)| (std::cmp::Reverse(*score), *row));
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let page = best(&scored, limit, after, None);
                let Some(last) = page.last() else { break };
                after = Some(Position { score: last.score, row: last.row });
                seen.extend(page.iter().map(|scored| (scored.score as u8, scored.row)));
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
