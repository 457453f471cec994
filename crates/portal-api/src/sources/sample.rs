//! The sample organisation inside the binary.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Bytes;

#[derive(rust_embed::Embed)]
#[folder = "sample/"]
struct Sample;

/// Every file of the sample organisation by its path.
pub fn files() -> BTreeMap<String, Bytes> {
    Sample::iter()
        .filter_map(|path| {
            let bytes = match Sample::get(&path)?.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            Some((path.into_owned(), bytes))
        })
        .collect()
}
