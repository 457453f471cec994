//! Times as they cross HTTP: RFC 3339.
//!
//! chrono reads a dozen formats, of which the browser would carry all.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// For `deserialize_with`.
///
/// # Errors
/// The text is not a time.
pub fn utc<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
}

/// For `deserialize_with`, of a time that may be absent.
///
/// # Errors
/// The text is not a time.
pub fn utc_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
}

/// `2026-11-17T09:00:00.5Z`, or with an offset such as `+01:00`.
fn parse(text: &str) -> Option<DateTime<Utc>> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse::<u32>().ok()
    };
    let is = |at: usize, marks: &[u8]| text.as_bytes().get(at).is_some_and(|byte| marks.contains(byte));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    let rest = text.get(19..)?;
    let fraction = rest.strip_prefix('.').map_or("", |rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        &rest[..digits]
    });
    let dot = usize::from(!fraction.is_empty());
    // Nine digits of a second are read, more are cut.
    let padded: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let time = date.and_hms_nano_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, padded.parse().ok()?)?;
    let zone = &rest[dot + fraction.len()..];
    if zone.eq_ignore_ascii_case("z") {
        return Some(time.and_utc());
    }
    let (sign, zone) = (if zone.starts_with('-') { -1 } else { 1 }, zone.strip_prefix(['+', '-'])?);
    let (hours, minutes) = zone.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    let offset = FixedOffset::east_opt(sign * seconds)?;
    Some(offset.from_local_datetime(&time).single()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "2026",
            "2026-11-17",
            "2026-11-17T09:00:00",
            "2026-13-17T09:00:00Z",
            "2026-11-17T25:00:00Z",
            "2026-11-17T09:00:00+1",
            "2026-11-17T09:00:00+999999999:00",
            "x026-11-17T09:00:00Z",
            "2026-11-17T09:00:00.Z",
            "２026-11-17T09:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_are_read_as_chrono_reads_them(seconds in 0_i64..4_000_000_000, nanos in 0_u32..1_000_000_000, minutes in -700_i32..700) {
            let time = DateTime::from_timestamp(seconds, nanos).unwrap();
            let zone = FixedOffset::east_opt(minutes * 60).unwrap();
            for text in [time.to_rfc3339(), time.with_timezone(&zone).to_rfc3339(), time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)] {
                prop_assert_eq!(parse(&text), Some(time), "{}", text);
            }
        }
    }
}
