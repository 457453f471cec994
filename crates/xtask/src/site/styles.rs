//! Bundles and minifies `style/main.css` and what it imports.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::printer::PrinterOptions;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions};

use crate::files;

use super::state::State;

const OUTPUT: &str = "pkg/portal.css";

pub fn bundle(state: &mut State, folder: &Path, site: &Path) -> Result<((), &'static str)> {
    let main = folder.join("main.css");
    if !main.exists() {
        bail!("{} is missing: it imports the style sheets", main.display());
    }
    let input = fingerprint(folder)?;
    if state.is_current(site, "styles", &input) {
        return Ok(((), "up to date"));
    }
    files::write_if_changed(&site.join(OUTPUT), minified(&main)?.as_bytes())?;
    state.record("styles", &input, &[OUTPUT.to_owned()]);
    Ok(((), "bundled"))
}

fn fingerprint(folder: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for path in files::list(folder)? {
        parts.push(files::slashed(&path).into_bytes());
        parts.push(files::read(&folder.join(&path))?);
    }
    Ok(files::content_hash(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// No browser targets are given: what browsers support natively, as
/// `light-dark()` and nesting, is kept as it was written.
fn minified(main: &Path) -> Result<String> {
    let provider = FileProvider::new();
    let mut bundler = Bundler::new(&provider, None, ParserOptions::default());
    let mut sheet = bundler.bundle(main).map_err(|error| anyhow!("{error}"))?;
    sheet.minify(MinifyOptions::default()).map_err(|error| anyhow!("{error}"))?;
    let printed = sheet.to_css(PrinterOptions { minify: true, ..PrinterOptions::default() })?;
    Ok(printed.code)
}
