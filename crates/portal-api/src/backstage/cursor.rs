//! Base64 as the client's `atob` reads it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{ApiError, ApiResult};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A filter of a thousand values fits.
const LONGEST: usize = 256 * 1024;

pub(super) fn encode(json: &[u8]) -> String {
    ENGINE.encode(json)
}

/// # Errors
/// 400 for what is no base64.
pub(super) fn decode(cursor: &str) -> ApiResult<Vec<u8>> {
    if cursor.len() > LONGEST {
        return Err(malformed("it is too long"));
    }
    ENGINE.decode(cursor).map_err(|_| malformed("it is not base64"))
}

pub(super) fn malformed(reason: &str) -> ApiError {
    ApiError::bad("invalid_cursor", format!("Malformed cursor, {reason}"))
}
