//! The log of a step while it runs: lines are collected, hidden secrets taken out, and
//! written in batches.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::store;
use crate::clock::Clock;
use crate::db::{DatabaseTransaction, Db, DbResult, Priority, storable};

/// Bytes of one line.
const LINE: usize = 4000;
/// Lines of one step.
const LINES: usize = 5000;

pub type Line = (Option<String>, DateTime<Utc>, String);

/// Where the lines of a step go.
#[derive(Clone)]
pub struct StepLog {
    run_id: i64,
    step: Option<String>,
    clock: Arc<dyn Clock>,
    /// Texts that are not shown, and what is shown instead.
    hidden: Arc<[(String, String)]>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<Line>,
    count: usize,
}

impl StepLog {
    pub fn new(run_id: i64, step: Option<String>, clock: Arc<dyn Clock>, hidden: Arc<[(String, String)]>) -> Self {
        Self { run_id, step, clock, hidden, waiting: Arc::default() }
    }

    pub fn line(&self, text: &str) {
        let at = self.clock.now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for line in hide(&self.hidden, text).split('\n') {
            waiting.count += 1;
            let line = match waiting.count.cmp(&LINES) {
                std::cmp::Ordering::Less => line.chars().take(LINE).collect(),
                std::cmp::Ordering::Equal => format!("more than {LINES} lines; the rest is left out"),
                std::cmp::Ordering::Greater => continue,
            };
            waiting.lines.push((self.step.clone(), at, line));
        }
    }

    /// Whether anything waits to be written.
    pub fn has_lines(&self) -> bool {
        !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).lines.is_empty()
    }

    /// What waits; it waits no longer.
    pub fn taken(&self) -> Vec<Line> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner).lines)
    }

    /// Writes what waits, in the transaction that ends the step.
    pub async fn flush_in(&self, txn: &DatabaseTransaction) -> DbResult<()> {
        for chunk in self.taken().chunks(400) {
            store::append_log(txn, self.run_id, chunk.to_vec()).await?;
        }
        Ok(())
    }

    /// Writes what waits now; what cannot be written waits on.
    pub async fn flush(&self, db: &Db) -> DbResult<()> {
        let mut lines = self.taken();
        while !lines.is_empty() {
            let rest = lines.split_off(lines.len().min(400));
            let (run_id, chunk) = (self.run_id, lines.clone());
            let written = db.write(Priority::Background, move |txn| {
                Box::pin(async move { store::append_log(txn, run_id, chunk).await })
            });
            if let Err(error) = written.await {
                lines.extend(rest);
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                lines.append(&mut waiting.lines);
                waiting.lines = lines;
                return Err(error);
            }
            lines = rest;
        }
        Ok(())
    }
}

/// A text without what is hidden.
pub fn hide(hidden: &[(String, String)], text: &str) -> String {
    let text = storable(text.to_owned());
    hidden.iter().fold(text, |text, (secret, shown)| text.replace(secret, shown))
}

/// A value in whose texts nothing is shown that is hidden.
pub fn hide_in(hidden: &[(String, String)], value: &mut Value) {
    match value {
        Value::String(text) => *text = hide(hidden, text),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_in(hidden, item)),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(name, mut field)| {
                    hide_in(hidden, &mut field);
                    (hide(hidden, &name), field)
                })
                .collect();
        }
        _ => {}
    }
}
