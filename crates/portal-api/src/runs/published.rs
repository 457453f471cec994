//! What a repository holds that a step would publish to, for a dry run to compare with.

use portal_core::sources::wire::SourceType;
use portal_core::templates::Trouble;
use portal_core::templates::workspace::FilePath;

use super::live::{Live, files_of, trouble};
use crate::sources::fetch::{self, Outcome, Request};
use crate::templates::hosts;
use crate::templates::perform::{Call, Published};

/// The files of the repository; nothing where it is not there yet, or is empty.
///
/// # Errors
/// It cannot be read.
pub(super) async fn read(live: &Live, call: &Call<'_>) -> Result<Option<Published>, Trouble> {
    if live.anonymous && call.action.id != "publish:git" {
        return Ok(None);
    }
    let (address, branch, secret) = if call.action.id == "publish:git" {
        let address = call.input.must("remoteUrl")?.to_owned();
        let secret = match live.secret(&call.input, "token")? {
            Some(secret) => Some(secret),
            None => match live.credential(&address).await? {
                Some(reference) => {
                    let known = reference.resolve(live.app.sources.variable).await;
                    Some(known.map_err(|error| Trouble::new("credential", error.to_string()))?)
                }
                None => None,
            },
        };
        let branch = call.input.text("defaultBranch")?.unwrap_or("main").to_owned();
        (address, branch, secret)
    } else {
        match hosts::find(live, call).await? {
            Some(found) => (found.address, found.branch, Some(found.secret)),
            None => return Ok(None),
        }
    };
    let request = Request {
        source_type: SourceType::Git,
        target: address.clone(),
        branch: Some(branch.clone()),
        globs: vec!["**".to_owned()],
        trusted: false,
        credential: None,
    };
    match fetch::fetch_with(&live.app.sources, &request, secret, None).await {
        Ok(Outcome::Read(fetched)) => {
            let files = files_of(&fetched.tree, &FilePath::folder("")?).await?;
            Ok(Some(Published { address, branch, files }))
        }
        Ok(Outcome::NotModified) => Ok(None),
        // A branch that is not there yet has nothing to compare with.
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(trouble(&error)),
    }
}
