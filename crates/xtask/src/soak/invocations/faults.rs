//! The plan of faults: what happens to which replica, and for how long. It follows from a
//! seed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::random::Random;

use super::proxy::Mode;
use super::replicas::COUNT;

/// After which the work of a silent replica is taken over.
pub const LEASE: Duration = Duration::from_secs(3);
/// Invocations for which there is one round of faults.
const ROUND: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `kill -9`, and a start.
    Kill,
    /// `SIGSTOP` for longer than the lease, and `SIGCONT`.
    Stop,
    /// A partition from PostgreSQL.
    Database(Mode),
    /// A partition from the sink.
    Sink(Mode),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub replica: usize,
    pub time: Duration,
}

/// Rounds of two kills, a stop, two partitions from PostgreSQL and one from the sink, in any
/// order.
pub fn plan(random: &mut Random, invocations: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..invocations.div_ceil(ROUND) {
        let mode = |random: &mut Random| [Mode::Refuse, Mode::Swallow, Mode::Stall][random.range(0, 3) as usize];
        let mut round = vec![
            (Kind::Kill, 0, 500),
            (Kind::Kill, 0, 500),
            (Kind::Stop, 3500, 5500),
            (Kind::Database(mode(random)), 1500, 5000),
            (Kind::Database(mode(random)), 1500, 5000),
            (Kind::Sink(mode(random)), 1000, 4000),
        ];
        while !round.is_empty() {
            let (kind, least, most) = round.swap_remove(random.range(0, round.len() as u64) as usize);
            let replica = random.range(0, COUNT as u64) as usize;
            faults.push(Fault { kind, replica, time: Duration::from_millis(random.range(least, most)) });
        }
    }
    faults
}

/// How many of each there are.
pub fn counted(faults: &[Fault]) -> Value {
    let count = |is: fn(&Kind) -> bool| faults.iter().filter(|fault| is(&fault.kind)).count();
    json!({
        "kills": count(|kind| matches!(kind, Kind::Kill)),
        "stops": count(|kind| matches!(kind, Kind::Stop)),
        "partitions": count(|kind| matches!(kind, Kind::Database(_) | Kind::Sink(_))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_plan_and_stops_outlast_the_lease() {
        let draw = |seed| plan(&mut Random::new(seed), 1000);
        let faults = draw(7);
        assert_eq!(faults, draw(7));
        assert_ne!(faults, draw(8));
        assert_eq!(counted(&faults), json!({ "kills": 8, "stops": 4, "partitions": 12 }));
        assert!(faults.iter().filter(|fault| fault.kind == Kind::Stop).all(|fault| fault.time > LEASE));
    }
}
