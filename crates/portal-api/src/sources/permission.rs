//! What a source may reach depends on who adds it.

use portal_core::access::Verb;
use portal_core::sources::wire::{SourceCreate, SourceType};

use crate::error::ApiResult;
use crate::http::authorized::{AddSources, Authorized};

/// That the caller may add such a source. One that reads the server's own files,
/// carries the server's credentials or is trusted reaches further than what is
/// public, and is for those who may change all sources.
///
/// # Errors
/// The decision's reason.
pub fn check_reach(auth: &Authorized<AddSources>, create: &SourceCreate) -> ApiResult<()> {
    let local = create.source_type == SourceType::Path;
    if local || create.trusted || create.credential.is_some() || create.webhook_secret.is_some() {
        auth.also(Verb::WriteSources)?;
    }
    Ok(())
}
