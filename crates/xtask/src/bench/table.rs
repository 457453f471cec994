//! The figures, and how they are shown.

use std::time::Duration;

use serde_json::{Value, json};

/// What a figure counts, and which way is better.
#[derive(Clone, Copy, PartialEq)]
pub enum Unit {
    Seconds,
    Milliseconds,
    Megabytes,
    PerSecond,
    Number,
}

/// One line of the table.
pub struct Row {
    pub what: &'static str,
    pub unit: Unit,
    /// At most, or for rates at least.
    pub target: Option<f64>,
    pub sqlite: Option<f64>,
    pub postgres: Option<f64>,
    /// Backstage 1.55 as recorded, see [`crate::bench`].
    pub backstage: Option<f64>,
}

impl Row {
    pub fn new(what: &'static str, unit: Unit, target: Option<f64>, backstage: Option<f64>) -> Row {
        Row { what, unit, target, sqlite: None, postgres: None, backstage }
    }

    fn holds(&self, value: f64) -> bool {
        self.target.is_none_or(|target| if self.unit == Unit::PerSecond { value >= target } else { value <= target })
    }

    pub fn is_met(&self) -> bool {
        [self.sqlite, self.postgres].into_iter().flatten().all(|value| self.holds(value))
    }

    fn show(&self, value: Option<f64>) -> String {
        let Some(value) = value else { return "—".to_owned() };
        match self.unit {
            Unit::Seconds => format!("{value:.2} s"),
            Unit::Milliseconds if value >= 100.0 => format!("{} ms", thousands(value)),
            Unit::Milliseconds => format!("{value:.1} ms"),
            Unit::Megabytes => format!("{value:.0} MB"),
            Unit::PerSecond => format!("{}/s", thousands(value)),
            Unit::Number => format!("{}", (value * 1000.0).round() / 1000.0),
        }
    }

    fn show_measured(&self, value: Option<f64>) -> String {
        let mark = if value.is_some_and(|value| !self.holds(value)) { " ✗" } else { "" };
        self.show(value) + mark
    }

    fn show_target(&self) -> String {
        match self.target {
            None => "—".to_owned(),
            Some(_) if self.unit == Unit::PerSecond => format!("≥ {}", self.show(self.target)),
            Some(_) => format!("≤ {}", self.show(self.target)),
        }
    }
}

pub fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A Markdown table that also reads well in a terminal.
pub fn render(rows: &[Row]) -> String {
    let mut cells = vec![["what", "target", "SQLite", "PostgreSQL", "Backstage 1.55"].map(str::to_owned)];
    for row in rows {
        cells.push([
            row.what.to_owned(),
            row.show_target(),
            row.show_measured(row.sqlite),
            row.show_measured(row.postgres),
            row.show(row.backstage),
        ]);
    }
    let widths: Vec<usize> =
        (0..5).map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 5]| {
        let padded: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let mut text = line(&cells[0]);
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    text.push_str(&format!("| {} |\n", rule.join(" | ")));
    text.extend(cells[1..].iter().map(line));
    text
}

pub fn json(rows: &[Row]) -> Value {
    let rows = rows.iter().map(|row| {
        json!({
            "what": row.what,
            "target": row.show_target(),
            "sqlite": row.sqlite,
            "postgres": row.postgres,
            "backstage": row.backstage,
            "met": row.is_met(),
        })
    });
    Value::Array(rows.collect())
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_is_marked() {
        let mut row = Row::new("list", Unit::PerSecond, Some(4000.0), Some(186.0));
        (row.sqlite, row.postgres) = (Some(12345.4), Some(3999.0));
        assert!(!row.is_met());
        let text = render(&[row]);
        assert!(text.contains("| ≥ 4 000/s | 12 345/s | 3 999/s ✗  | 186/s "), "{text}");
    }

    #[test]
    fn a_limit_is_an_upper_bound_for_times() {
        let mut row = Row::new("start", Unit::Seconds, Some(1.0), None);
        row.sqlite = Some(0.4);
        assert!(row.is_met());
        row.sqlite = Some(1.4);
        assert!(!row.is_met());
    }

    #[test]
    fn numbers_have_no_more_digits_than_they_need() {
        let row = |unit| Row::new("rows visible", unit, Some(0.0), None);
        let show = |unit, value| row(unit).show(Some(value));
        assert_eq!(show(Unit::Milliseconds, 1597.0), "1 597 ms");
        assert_eq!(show(Unit::Milliseconds, 48.04), "48.0 ms");
        assert_eq!(show(Unit::Number, 7.0), "7");
        assert_eq!(row(Unit::Number).show_measured(Some(0.0034)), "0.003 ✗");
    }
}
