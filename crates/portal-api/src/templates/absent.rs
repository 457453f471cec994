//! What a template or an action names that the portal does not have: told to whoever writes
//! it, since it may come later.

use portal_core::actions::approval::approver;
use portal_core::catalog::EntityRef;
use portal_core::catalog::index::Visibility;
use portal_core::catalog::validate;
use portal_core::catalog::wire::Fault;
use portal_core::document::Document;
use portal_core::templates::language::is_literal;
use serde_json::Value;

use crate::catalog::view::Snapshot;
use crate::connectors;
use crate::error::ApiResult;
use crate::state::App;

/// # Errors
/// The database.
pub async fn remarks(
    app: &App,
    snapshot: &Snapshot,
    visibility: &Visibility,
    document: &Document,
) -> ApiResult<Vec<Fault>> {
    let connectors = connectors::all(app).await?;
    let is_there = |reference: &str| snapshot.index.row_of(reference).is_some_and(|row| visibility.admits(row));
    let mut remarks = Vec::new();
    let mut tell = |pointer: String, message: String| {
        let (line, column) = document.position(&pointer);
        let rule = validate::REMARK.to_owned();
        remarks.push(Fault { line, column, pointer, rule, message, hint: None });
    };
    let spec = &document.value["spec"];
    let mut kinds = vec![(&spec["scope"]["kinds"], "/spec/scope/kinds".to_owned())];
    for (index, trigger) in spec["triggers"].as_array().into_iter().flatten().enumerate() {
        let at = format!("/spec/triggers/{index}");
        kinds.push((&trigger["change"]["kinds"], format!("{at}/change/kinds")));
        if let Some(of) = trigger["run"]["of"].as_str()
            && let Ok(reference) = EntityRef::parse(of, None, EntityRef::DEFAULT_NAMESPACE)
            && !is_there(&reference.to_string())
        {
            tell(format!("{at}/run/of"), format!("`{reference}` is not in the catalog"));
        }
    }
    for (kinds, at) in kinds {
        for (pointer, text) in texts(kinds, &at).filter(|(_, text)| snapshot.kinds.get(text).is_none()) {
            tell(pointer, format!("there is no kind `{text}`"));
        }
    }
    let mut asked = vec![(&spec["approval"]["by"], "/spec/approval/by".to_owned())];
    for (index, step) in spec["steps"].as_array().into_iter().flatten().enumerate() {
        let (input, at) = (&step["input"], format!("/spec/steps/{index}/input"));
        if step["action"] == "approval" {
            asked.push((&input["by"], format!("{at}/by")));
        }
        let named = |field: &str| input[field].as_str().filter(|name| is_literal(name));
        if let Some(name) = named("connector").filter(|name| !connectors.iter().any(|one| one.name == *name)) {
            tell(format!("{at}/connector"), format!("the portal has no connector `{name}`"));
        }
        if let Some(name) = named("channel").filter(|name| !app.config.channels.iter().any(|one| one.name == *name)) {
            tell(format!("{at}/channel"), format!("the portal has no channel `{name}`"));
        }
    }
    for (by, at) in asked {
        for (pointer, text) in texts(by, &at).filter(|(_, text)| *text != "owner") {
            if let Ok(reference) = approver(text)
                && !is_there(&reference)
            {
                tell(pointer, format!("`{reference}` is not in the catalog, so that nobody can agree for it"));
            }
        }
    }
    Ok(remarks)
}

/// The texts of a list that are not worked out later, with their places.
fn texts<'v>(list: &'v Value, at: &str) -> impl Iterator<Item = (String, &'v str)> + use<'v> {
    let at = at.to_owned();
    let listed = list.as_array().into_iter().flatten().enumerate();
    let text = move |(index, one): (usize, &'v Value)| Some((format!("{at}/{index}"), one.as_str()?));
    listed.filter_map(text).filter(|(_, text)| is_literal(text))
}
