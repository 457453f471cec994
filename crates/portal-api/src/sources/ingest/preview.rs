//! What a source would declare, read as a pass reads it and stored nowhere.

use std::collections::HashMap;

use super::super::fetch::{self, FetchError, Outcome, Request};
use super::super::reading::Judged;
use super::PassError;
use super::batch::FileResult;
use super::walk::{self, Sink};
use crate::state::App;

/// A file and the verdicts on its documents.
pub struct Previewed {
    pub file: String,
    pub documents: Vec<Judged>,
}

/// Reads everything that `request` leads to: targets of locations and
/// placeholders as well.
///
/// # Errors
/// The place as a whole cannot be read.
pub async fn read(app: &App, request: &Request) -> Result<Vec<Previewed>, FetchError> {
    let fetched = match fetch::fetch(&app.sources, request, None).await? {
        Outcome::Read(fetched) => *fetched,
        Outcome::NotModified => return Ok(Vec::new()),
    };
    let kinds = app.catalog.snapshot().kinds.clone();
    let mark = walk::mark(&kinds, request.trusted);
    let mut collected = Collected(Vec::new());
    let walked = walk::walk(&app.sources, request, &fetched, &HashMap::new(), kinds, &mark, &mut collected).await;
    match walked.map(|visited| visited.failure) {
        Ok(None) => Ok(collected.0),
        Ok(Some(error)) => Err(error),
        Err(error) => Err(FetchError::Budget(error.to_string())),
    }
}

struct Collected(Vec<Previewed>);

impl Sink for Collected {
    async fn add(&mut self, file: FileResult) -> Result<(), PassError> {
        let FileResult { file, documents, .. } = file;
        self.0.push(Previewed { file, documents });
        Ok(())
    }

    fn pass_by(&mut self, _file: &str) {}
}
