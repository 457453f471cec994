//! The end of a run's log, read once for all who follow it in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portal_core::runs::wire::LogLine;
use tokio::sync::watch;

use super::store::{self, Stored};
use crate::db::DbResult;
use crate::state::App;

/// Lines of one read.
pub const LINES: u64 = 500;
/// Lines that are kept; whoever is further behind reads the database.
const KEPT: usize = 2000;
/// How often it is looked for lines that another process wrote.
const LOOK: Duration = Duration::from_secs(1);
/// Commits come in bursts, and most are of something else.
const SETTLE: Duration = Duration::from_millis(50);

/// What is known of the end of a log.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The newest lines, oldest first.
    pub lines: Arc<[LogLine]>,
    /// Lines up to this sequence are in the database only.
    pub floor: i64,
    /// The run, once it has ended and `lines` has its last line.
    pub ended: Option<Arc<Stored>>,
    /// The database does not answer, or the run is gone.
    pub is_lost: bool,
}

/// The logs that are followed in this process.
#[derive(Debug, Default)]
pub struct Tails(Mutex<HashMap<i64, watch::Sender<Seen>>>);

impl Tails {
    /// The tail of a run's log. Whoever is the first to follow begins after `last`.
    pub fn of(&self, app: &App, run_id: i64, last: i64) -> watch::Receiver<Seen> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = all.get(&run_id) {
            return tail.subscribe();
        }
        let start = Seen { lines: Arc::from([]), floor: last, ended: None, is_lost: false };
        let (tail, receiver) = watch::channel(start);
        all.insert(run_id, tail.clone());
        let app = app.clone();
        tokio::spawn(async move {
            read(&app, run_id, last, &tail).await;
        });
        receiver
    }

    /// Ends a tail that nobody follows any more; false where somebody has come meanwhile.
    fn end(&self, run_id: i64, tail: &watch::Sender<Seen>, is_over: bool) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let may = is_over || tail.receiver_count() == 0;
        if may {
            all.remove(&run_id);
        }
        may
    }
}

async fn read(app: &App, run_id: i64, mut last: i64, tail: &watch::Sender<Seen>) {
    let mut commits = app.db.commits();
    loop {
        commits.mark_unchanged();
        let Ok(Some((lines, ended))) = look(app, run_id, last).await else {
            tail.send_modify(|seen| seen.is_lost = true);
            app.tails.end(run_id, tail, true);
            return;
        };
        let is_all = (lines.len() as u64) < LINES;
        last = lines.last().map_or(last, |line| line.seq);
        let is_over = ended.is_some();
        if is_over || !lines.is_empty() {
            tail.send_modify(|seen| seen.add(lines, ended));
        }
        if is_over {
            app.tails.end(run_id, tail, true);
            return;
        }
        if !is_all {
            continue;
        }
        tokio::select! {
            () = app.stop.cancelled() => {
                tail.send_modify(|seen| seen.is_lost = true);
                return;
            }
            () = tail.closed() => if app.tails.end(run_id, tail, false) { return },
            _ = commits.changed() => tokio::time::sleep(SETTLE).await,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The lines after a sequence, and the run where it has ended with them; nothing where it is
/// gone.
async fn look(app: &App, run_id: i64, last: i64) -> DbResult<Option<(Vec<LogLine>, Option<Arc<Stored>>)>> {
    let db = app.db.reader();
    // First how it is, then its lines: those of an ended run are all there.
    let Some(state) = store::state(db, run_id).await? else { return Ok(None) };
    let lines = store::log_after(db, run_id, last, LINES).await?;
    let is_over = state.is_final() && (lines.len() as u64) < LINES;
    let ended = if is_over { store::find(db, run_id).await?.map(Arc::new) } else { None };
    Ok(Some((lines, ended)))
}

impl Seen {
    fn add(&mut self, new: Vec<LogLine>, ended: Option<Arc<Stored>>) {
        let all = self.lines.len() + new.len();
        let drop = all.saturating_sub(KEPT).min(self.lines.len());
        if let Some(dropped) = drop.checked_sub(1).and_then(|index| self.lines.get(index)) {
            self.floor = dropped.seq;
        }
        self.lines = self.lines[drop..].iter().cloned().chain(new).collect();
        self.ended = ended;
    }

    /// The lines after a sequence; nothing where some of them are not kept.
    pub fn after(&self, last: i64) -> Option<&[LogLine]> {
        let from = self.lines.partition_point(|line| line.seq <= last);
        (last >= self.floor).then(|| &self.lines[from..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(range: std::ops::Range<i64>) -> Vec<LogLine> {
        let line = |seq| LogLine { seq, at: chrono::DateTime::UNIX_EPOCH, step: None, text: seq.to_string() };
        range.map(line).collect()
    }

    #[test]
    fn the_newest_lines_are_kept() {
        let mut seen = Seen { lines: Arc::from([]), floor: 10, ended: None, is_lost: false };
        assert_eq!(seen.after(10).map(<[_]>::len), Some(0));
        assert!(seen.after(9).is_none());
        seen.add(lines(11..511), None);
        assert_eq!(seen.after(10).map(<[_]>::len), Some(500));
        assert_eq!(seen.after(510).map(<[_]>::len), Some(0));
        for start in (511..3011).step_by(500) {
            seen.add(lines(start..start + 500), None);
        }
        assert_eq!(seen.lines.len(), KEPT);
        assert_eq!((seen.floor, seen.lines[0].seq), (1010, 1011));
        assert!(seen.after(1009).is_none());
        assert_eq!(seen.after(1010).map(<[_]>::len), Some(KEPT));
    }
}
