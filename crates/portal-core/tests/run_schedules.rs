//! The life of a run under every kind of trouble: holders that die between any two things
//! they do, leases that are lost while a step is under way, sinks that lose requests or
//! answers, answers that come later, cancellations and retries at any time. Each schedule is made from a seed and
//! can be replayed: `PORTAL_SEED=123 cargo test -p portal-core --test run_schedules`.
#![allow(clippy::print_stdout, reason = "says how many schedules were run")]

use std::collections::BTreeMap;

use portal_core::runs::{Outcome, Run, RunState, Step, StepState, Task};
use portal_core::templates::actions::Effect;

#[test]
fn no_schedule_breaks_a_promise() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("PORTAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PORTAL_SCHEDULES").unwrap_or(10_000),
    };
    let mut ended: BTreeMap<RunState, u64> = BTreeMap::new();
    for seed in seeds {
        *ended.entry(Schedule::new(seed).play()).or_default() += 1;
    }
    println!("{ended:?}");
}

/// A small generator of numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn in_a_hundred(&mut self, chances: u64) -> bool {
        self.roll(100) < chances
    }
}

/// What stands in the database, and who may write it.
struct Stored {
    run: Run,
    /// Grows whenever the run is taken.
    token: u64,
    retries: u32,
}

/// Somebody who works the run off, and may not know that it was taken away.
#[derive(Clone)]
struct Holder {
    token: u64,
    /// The step that it stored as begun and has not ended.
    busy: Option<usize>,
    asked: Option<Answer>,
}

#[derive(Clone, Copy)]
enum Answer {
    Done,
    Later,
    NotYet,
    ForNow,
    Lost,
}

struct Schedule {
    seed: u64,
    dice: Dice,
    stored: Stored,
    holders: Vec<Holder>,
    /// Effects outside, by step.
    effects: Vec<u32>,
    /// What the outside will tell of a step, and whether it has.
    told: Vec<Option<bool>>,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let count = 1 + dice.roll(6) as usize;
        let step = |dice: &mut Dice| Step {
            state: StepState::Pending,
            attempts: 0,
            effect: Effect::ALL[dice.roll(4) as usize],
            goes_on: dice.in_a_hundred(10),
        };
        let steps: Vec<Step> = (0..count).map(|_| step(&mut dice)).collect();
        let stored = Stored { run: Run::new(steps), token: 0, retries: 0 };
        Self { seed, dice, stored, holders: Vec::new(), effects: vec![0; count], told: vec![None; count] }
    }

    fn fail(&self, promise: &str) -> ! {
        panic!("seed {}: {promise}\n{:?}\neffects {:?}", self.seed, self.stored.run, self.effects)
    }

    fn play(mut self) -> RunState {
        for _ in 0..2_000 {
            if self.stored.run.state.is_final() {
                let again = self.stored.run.state.can_retry()
                    && self.stored.run.state != RunState::Unknown
                    && self.stored.retries < 2
                    && self.dice.in_a_hundred(20);
                if !again {
                    return self.check_the_end();
                }
                self.stored.run.retry().unwrap_or_else(|_| self.fail("a run that can be retried is"));
                self.stored.retries += 1;
            }
            self.something_happens();
        }
        self.fail("every run ends")
    }

    fn something_happens(&mut self) {
        // Somebody takes the run: nobody has it, or the lease of whoever has it ran out.
        if self.holders.is_empty() || self.dice.in_a_hundred(5) {
            self.stored.token += 1;
            self.holders.push(Holder { token: self.stored.token, busy: None, asked: None });
        }
        for step in 0..self.told.len() {
            let is_told = self.stored.run.steps[step].state == StepState::Waiting && self.dice.in_a_hundred(30);
            if is_told && self.told[step].is_none() {
                self.told[step] = Some(self.dice.in_a_hundred(80));
            }
        }
        if self.dice.in_a_hundred(3) {
            self.stored.run.cancel_requested |= !self.stored.run.state.is_final();
        }
        let who = self.dice.roll(self.holders.len() as u64) as usize;
        if self.dice.in_a_hundred(8) {
            // Dies, at whatever point it was.
            self.holders.remove(who);
            return;
        }
        let mut holder = self.holders[who].clone();
        let goes_on = self.works(&mut holder);
        if goes_on {
            self.holders[who] = holder;
        } else {
            self.holders.remove(who);
        }
    }

    /// One thing that a holder does; false when it stops.
    fn works(&mut self, holder: &mut Holder) -> bool {
        let holds = holder.token == self.stored.token;
        match (holder.busy, holder.asked) {
            // It asks the world, and does not know whether it still holds the run.
            (Some(step), None) => {
                holder.asked = Some(self.ask(step));
                true
            }
            (Some(step), Some(answer)) => {
                if !holds {
                    return false;
                }
                let outcome = match answer {
                    Answer::Done => Outcome::Done,
                    Answer::Later => Outcome::Waits,
                    Answer::NotYet => Outcome::Deferred,
                    Answer::ForNow if self.dice.in_a_hundred(30) => Outcome::Failed,
                    Answer::ForNow => Outcome::FailedForNow,
                    Answer::Lost => Outcome::Doubtful,
                };
                self.stored.run.end(step, outcome);
                (holder.busy, holder.asked) = (None, None);
                true
            }
            (None, _) => {
                if !holds {
                    return false;
                }
                match self.stored.run.next() {
                    Task::Begin(step) => {
                        if self.stored.run.steps[step].state == StepState::Succeeded {
                            self.fail("what succeeded is not done again");
                        }
                        if self.stored.run.steps[..step].iter().any(|step| step.state == StepState::Pending) {
                            self.fail("steps run in their order");
                        }
                        self.stored.run.begin(step);
                        holder.busy = Some(step);
                    }
                    Task::Resume(step) => match self.told[step] {
                        Some(true) => self.stored.run.end(step, Outcome::Done).map_or((), drop),
                        Some(false) => {
                            // What failed outside is another effect when it is tried again.
                            (self.told[step], self.effects[step]) = (None, 0);
                            self.stored.run.end(step, Outcome::Failed);
                        }
                        None => return false,
                    },
                    Task::Doubt(step) => {
                        self.stored.run.end(step, Outcome::Doubtful);
                    }
                    Task::Finish(state) => self.stored.run.finish(state),
                    Task::Nothing => return false,
                }
                true
            }
        }
    }

    /// The world: requests and answers get lost, and servers have their troubles.
    fn ask(&mut self, step: usize) -> Answer {
        let trouble = self.dice.roll(11);
        if trouble == 0 {
            return Answer::ForNow;
        }
        if trouble == 10 {
            // The other side is busy, and was not asked.
            return Answer::NotYet;
        }
        let arrives = trouble != 1;
        if arrives {
            match self.stored.run.steps[step].effect {
                Effect::None => {}
                // The other side knows the key, or is asked first.
                Effect::Idempotent | Effect::Lookup => self.effects[step] = 1,
                Effect::Once => self.effects[step] += 1,
            }
        }
        let is_later = matches!(self.stored.run.steps[step].effect, Effect::Idempotent | Effect::Lookup);
        match trouble {
            1 | 2 => Answer::Lost,
            3..5 if is_later => Answer::Later,
            _ => Answer::Done,
        }
    }

    fn check_the_end(self) -> RunState {
        let Run { state, steps, .. } = &self.stored.run;
        for (index, step) in steps.iter().enumerate() {
            let effects = self.effects[index];
            match step.state {
                StepState::Pending | StepState::Running | StepState::Waiting => {
                    self.fail("no step of an ended run is left open")
                }
                StepState::Succeeded if step.effect != Effect::None && effects != 1 => {
                    self.fail("what succeeded had its effect, once")
                }
                StepState::Unknown if step.effect != Effect::Once => self.fail("only what cannot be asked is unknown"),
                _ => {}
            }
            if step.effect != Effect::Once && effects > 1 {
                self.fail("no effect happens twice");
            }
            // A retry is a person's word; without one, whatever is sent once is sent once.
            if step.effect == Effect::Once && self.stored.retries == 0 && effects > 1 {
                self.fail("what can be sent once only is not sent twice");
            }
        }
        let is_in_doubt = steps.iter().any(|step| step.state == StepState::Unknown);
        if is_in_doubt != (*state == RunState::Unknown) {
            self.fail("a run is unknown when one of its steps is");
        }
        if *state == RunState::Succeeded && self.stored.run.has_failed() {
            self.fail("a run that succeeded has no failure");
        }
        *state
    }
}
