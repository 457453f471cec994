//! Times, durations and counts in words.
//!
//! Written by hand: the formatting of a date library is a noticeable part of a
//! small wasm. Ages are computed from the time at which the data was read, which
//! travels with the data, so that server and browser write the same.

use chrono::{DateTime, Utc};
use maud::html;

use super::Content;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `4 min ago`, a date beyond 30 days; the full time on hover.
pub(crate) fn ago(at: DateTime<Utc>, now_ms: i64) -> Content {
    let seconds = at.timestamp();
    stamp(seconds, age(now_ms / 1000 - seconds).unwrap_or_else(|| date(seconds)))
}

/// `25 Nov 2026, 14:05 UTC`.
pub(crate) fn moment(at: DateTime<Utc>) -> Content {
    let seconds = at.timestamp();
    stamp(seconds, full(seconds))
}

/// RFC 3339 in full, for an address.
pub(crate) fn exact(at: DateTime<Utc>) -> String {
    let seconds = rfc3339(at.timestamp());
    format!("{}.{:09}Z", seconds.trim_end_matches('Z'), at.timestamp_subsec_nanos())
}

fn stamp(seconds: i64, text: String) -> Content {
    Content::from(html! {
        time datetime=(rfc3339(seconds)) title=(full(seconds)) { (text) }
    })
}

/// `18 Nov 2026`, whenever that is; the full time on hover.
pub(crate) fn day(time: DateTime<Utc>) -> Content {
    stamp(time.timestamp(), date(time.timestamp()))
}

/// Ages up to 30 days; a clock that is a little off counts as now.
fn age(seconds: i64) -> Option<String> {
    Some(match seconds {
        ..5 => "just now".to_owned(),
        5..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        86_400..2_592_000 => format!("{} d ago", seconds / 86_400),
        _ => return None,
    })
}

/// `0.3 s`, `4.1 s`, `5 min 40 s`.
pub(crate) fn duration(milliseconds: i64) -> String {
    match milliseconds {
        ..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}

/// `1 source`, `12 480 sources`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// `12 480`: thousands apart by a space that does not break.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + 6);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

fn date(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{day} {} {year}", MONTHS[month - 1])
}

fn full(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    format!("{}, {:02}:{:02} UTC", date(seconds), of_day / 3600, of_day % 3600 / 60)
}

fn rfc3339(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day % 3600 / 60, of_day % 60)
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar.
/// Years begin in March here, so that the leap day comes last.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_match_the_library() {
        for seconds in [0, 951_782_400, 1_709_164_800, 1_795_000_000, 4_102_444_799, -1] {
            let expected = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap();
            assert_eq!(rfc3339(seconds), expected.to_rfc3339().replace("+00:00", "Z"));
        }
        assert_eq!(full(1_795_000_000), "18 Nov 2026, 11:06 UTC");
    }

    #[test]
    fn ages_end_after_thirty_days() {
        assert_eq!(age(-3).as_deref(), Some("just now"));
        assert_eq!(age(59).as_deref(), Some("59 s ago"));
        assert_eq!(age(86_399).as_deref(), Some("23 h ago"));
        assert_eq!(age(2_592_000), None);
    }

    #[test]
    fn durations_and_numbers_carry_units() {
        assert_eq!(duration(83), "83 ms");
        assert_eq!(duration(4_120), "4.1 s");
        assert_eq!(duration(340_000), "5 min 40 s");
        assert_eq!(number(12_480), "12\u{a0}480");
        assert_eq!(number(999), "999");
    }
}
