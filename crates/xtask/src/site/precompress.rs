//! Writes `.br` and `.gz` beside every file that shrinks, so that the server
//! compresses nothing while it answers.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::files;

use super::Profile;
use super::state::State;

/// The others (images, fonts) are compressed formats already.
const EXTENSIONS: [&str; 9] = ["css", "html", "js", "json", "map", "svg", "txt", "wasm", "xml"];

pub fn precompress(
    state: &mut State,
    site: &Path,
    names: &BTreeSet<String>,
    profile: Profile,
) -> Result<((), &'static str)> {
    let quality = if profile == Profile::Release { 11 } else { 5 };
    let mut todo = Vec::new();
    for name in names.iter().filter(|name| compresses(name)) {
        let content = files::read(&site.join(name))?;
        let input = format!("{}, quality {quality}", files::content_hash(&[&content]));
        if !state.is_current(site, &step(name), &input) {
            todo.push((name, content, input));
        }
    }
    if todo.is_empty() {
        return Ok(((), "up to date"));
    }
    let results = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((name, content, input)) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let written = write_both(site, name, content, quality);
                    results.lock().expect("no thread panics").push((name, input, written));
                }
            });
        }
    });
    for (name, input, written) in results.into_inner().expect("no thread panics") {
        state.record(&step(name), input, &written?);
    }
    Ok(((), "compressed"))
}

fn step(name: &str) -> String {
    format!("compress {name}")
}

fn compresses(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| EXTENSIONS.iter().any(|extension| found == *extension))
}

fn write_both(site: &Path, name: &str, content: &[u8], quality: i32) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for (suffix, compressed) in [("br", brotli(content, quality)?), ("gz", gzip(content, quality)?)] {
        let name = format!("{name}.{suffix}");
        if compressed.len() < content.len() {
            files::write_if_changed(&site.join(&name), &compressed)?;
            written.push(name);
        } else {
            files::remove(&site.join(&name))?;
        }
    }
    Ok(written)
}

fn brotli(content: &[u8], quality: i32) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams { quality, lgwin: 22, size_hint: content.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(content: &[u8], quality: i32) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(if quality > 9 { 9 } else { 6 }));
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_compressed_and_images_are_not() {
        assert!(compresses("pkg/portal.css"));
        assert!(compresses("icons.svg"));
        assert!(!compresses("logo.png"));
        assert!(!compresses("LICENSE"));
    }

    #[test]
    fn compressed_text_is_smaller() -> Result<()> {
        let text = b"a portal, a portal, a portal, a portal, a portal, a portal, a portal".as_slice();
        assert!(brotli(text, 11)?.len() < text.len());
        assert!(gzip(text, 11)?.len() < text.len());
        Ok(())
    }
}
