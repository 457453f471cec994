//! When a schedule comes: five fields of cron in a time zone, with days on which the clock
//! is changed.
//!
//! A time that the clock leaps over comes once, right after the leap; one that it shows twice
//! comes once, the first time.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Minutes that a clock leaps over at once, at most: a whole day, as Samoa did.
const LEAP: i64 = 24 * 60;
/// Times that are passed over because they have come already, at most.
const PASSED: usize = 3 * 60;

/// A cron expression and the zone whose clock it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    cron: Cron,
    /// As the author wrote it.
    pub source: String,
    pub zone: Tz,
}

/// Why something is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("`{0}` is no schedule: five fields are minute, hour, day of the month, month and day of the week ({1})")]
    Cron(String, String),
    #[error("`{0}` never comes")]
    Never(String),
    #[error("there is no time zone `{0}`; write one of the IANA database, such as `Europe/Zurich` or `UTC`")]
    Zone(String),
}

impl Schedule {
    /// Five fields of cron, such as `0 7 * * 1-5`, and a zone of the IANA database.
    ///
    /// # Errors
    /// Either cannot be read, or the schedule never comes.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, ScheduleError> {
        let wrong = |reason: String| ScheduleError::Cron(cron.to_owned(), reason);
        let fields = cron.split_whitespace().count();
        if fields != 5 {
            return Err(wrong(format!("there are {fields}")));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| wrong(error.to_string()))?;
        let zone = zone.parse::<Tz>().map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        let schedule = Self { cron: parsed, source: cron.to_owned(), zone };
        match schedule.next_local(NaiveDateTime::default()) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never(cron.to_owned())),
        }
    }

    /// The first time that it comes after a moment.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut local = after.with_timezone(&self.zone).naive_local();
        for _ in 0..=PASSED {
            local = self.next_local(local)?;
            let instant = self.instant(local)?;
            if instant > after {
                return Some(instant);
            }
        }
        None
    }

    /// The first time on the clock's face after another, as if no clock were ever changed.
    fn next_local(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        self.cron.find_next_occurrence(&after.and_utc(), false).ok().map(|next| next.naive_utc())
    }

    /// The moment at which the clock shows a time, or leaps over it.
    fn instant(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let minutes = (0..=LEAP).map(|minutes| local + TimeDelta::minutes(minutes));
        let mut shown = minutes.filter_map(|local| self.zone.from_local_datetime(&local).earliest());
        shown.next().map(|moment| moment.with_timezone(&Utc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The times that come after the first moment and before the second, in UTC.
    fn between(cron: &str, zone: &str, from: &str, to: &str) -> Vec<String> {
        let schedule = Schedule::parse(cron, zone).unwrap();
        let mut times = Vec::new();
        let mut moment = at(from);
        while let Some(next) = schedule.next(moment) {
            assert!(next > moment, "{next} comes again");
            if next >= at(to) {
                break;
            }
            times.push(next.format("%dT%H:%M").to_string());
            moment = next;
        }
        times
    }

    #[test]
    fn times_come_as_the_clock_shows_them() {
        for (cron, zone, from, to, expected) in [
            (
                "0 7 * * 1-5",
                "Europe/Zurich",
                "2026-01-09T06:00:00Z",
                "2026-01-14T00:00:00Z",
                vec!["12T06:00", "13T06:00"],
            ),
            ("0 7 * * 1-5", "Europe/Zurich", "2026-07-10T04:59:59Z", "2026-07-11T00:00:00Z", vec!["10T05:00"]),
            ("30 23 * * *", "America/New_York", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", vec!["01T03:30"]),
            ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-03-01T00:00:00Z", vec!["29T00:00"]),
            (
                "*/20 * * * *",
                "UTC",
                "2026-01-01T00:00:00Z",
                "2026-01-01T01:10:00Z",
                vec!["01T00:20", "01T00:40", "01T01:00"],
            ),
        ] {
            assert_eq!(between(cron, zone, from, to), expected, "{cron} {zone}");
        }
    }

    /// On 2026-03-29 the clocks of Zurich go from 02:00 to 03:00, at 01:00 UTC.
    #[test]
    fn what_the_clock_leaps_over_comes_once_right_after() {
        for (cron, expected) in [
            ("30 2 * * *", vec!["28T01:30", "29T01:00", "30T00:30"]),
            ("0 3 * * *", vec!["28T02:00", "29T01:00", "30T01:00"]),
            ("30 2,3 * * *", vec!["28T01:30", "28T02:30", "29T01:00", "29T01:30", "30T00:30", "30T01:30"]),
        ] {
            let times = between(cron, "Europe/Zurich", "2026-03-28T00:00:00Z", "2026-03-30T02:00:00Z");
            assert_eq!(times, expected, "{cron}");
        }
        let times = between("*/20 * * * *", "Europe/Zurich", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z");
        assert_eq!(times, ["29T00:40", "29T01:00", "29T01:20"]);
        // A zone that loses a whole day.
        let times = between("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z");
        assert_eq!(times, ["29T22:00", "30T10:00", "30T22:00", "31T22:00"]);
    }

    /// On 2026-10-25 they go from 03:00 back to 02:00, at 01:00 UTC.
    #[test]
    fn what_the_clock_shows_twice_comes_once() {
        for (cron, expected) in [
            ("30 2 * * *", vec!["24T00:30", "25T00:30", "26T01:30"]),
            ("0 2 * * *", vec!["24T00:00", "25T00:00", "26T01:00"]),
            ("0 3 * * *", vec!["24T01:00", "25T02:00", "26T02:00"]),
        ] {
            let times = between(cron, "Europe/Zurich", "2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z");
            assert_eq!(times, expected, "{cron}");
        }
        let times = between("* * * * *", "Europe/Zurich", "2026-10-25T00:57:00Z", "2026-10-25T02:02:00Z");
        assert_eq!(times, ["25T00:58", "25T00:59", "25T02:00", "25T02:01"]);
        // Asked within the hour that is shown again.
        let times = between("30 2 * * *", "Europe/Zurich", "2026-10-25T01:10:00Z", "2026-10-26T12:00:00Z");
        assert_eq!(times, ["26T01:30"]);
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        for (cron, zone, expected) in [
            ("", "UTC", "five fields"),
            ("* * * *", "UTC", "there are 4"),
            ("0 0 7 * * *", "UTC", "there are 6"),
            ("@daily", "UTC", "there are 1"),
            ("61 * * * *", "UTC", "`61 * * * *`"),
            ("soon or later or so", "UTC", "no schedule"),
            ("0 0 30 2 *", "UTC", "never comes"),
            ("0 7 * * *", "Europe/Zürich", "`Europe/Zürich`"),
            ("0 7 * * *", "", "time zone"),
        ] {
            let error = Schedule::parse(cron, zone).unwrap_err().to_string();
            assert!(error.contains(expected), "{cron}: {error}");
        }
    }
}
