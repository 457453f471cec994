//! What a source would declare, read as a pass reads it and stored nowhere.

use std::collections::{BTreeMap, HashMap};

use portal_core::catalog::propose::{propose, wanted};
use portal_core::catalog::wire::Proposal;

use super::super::fetch::{self, FetchError, Outcome, Request, Tree};
use super::super::reading::Judged;
use super::PassError;
use super::batch::FileResult;
use super::walk::{self, Sink};
use crate::state::App;

/// Bytes of a file that a proposal reads.
const READ: usize = 256 << 10;

/// A source that was looked at.
pub struct Preview {
    pub revision: Option<String>,
    pub files: Vec<Previewed>,
    /// When nothing declares anything.
    pub proposal: Option<Proposal>,
}

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
pub async fn read(app: &App, request: &Request) -> Result<Preview, FetchError> {
    let fetched = match fetch::fetch(&app.sources, request, None).await? {
        Outcome::Read(fetched) => *fetched,
        Outcome::NotModified => return Ok(Preview { revision: None, files: Vec::new(), proposal: None }),
    };
    let kinds = app.catalog.snapshot().kinds.clone();
    let mark = walk::mark(&kinds, request.trusted);
    let mut collected = Collected(Vec::new());
    let walked = walk::walk(&app.sources, request, &fetched, &HashMap::new(), kinds, &mark, &mut collected).await;
    match walked.map(|visited| visited.failure) {
        Ok(None) => {}
        Ok(Some(error)) => return Err(error),
        Err(error) => return Err(FetchError::Budget(error.to_string())),
    }
    let Collected(files) = collected;
    // A folder may have YAML in it that describes no entity.
    let described = files.iter().flat_map(|file| &file.documents).any(|document| document.entity_ref.is_some());
    let proposal = if described { None } else { proposal(&request.target, &fetched.tree).await? };
    Ok(Preview { revision: fetched.revision, files, proposal })
}

/// A descriptor for a repository or folder; behind a URL there is nothing to see.
async fn proposal(target: &str, tree: &Tree) -> Result<Option<Proposal>, FetchError> {
    if matches!(tree, Tree::Remote) {
        return Ok(None);
    }
    let files = tree.matching("**/*").await?;
    let mut contents = BTreeMap::new();
    for file in wanted(&files) {
        // What cannot be read tells nothing.
        if let Ok(bytes) = tree.read(&file).await {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(READ)]).into_owned();
            contents.insert(file, text);
        }
    }
    Ok(Some(propose(target, &files, &contents)))
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
