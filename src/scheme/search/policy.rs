//! One walker: a walk, the best scheme it has seen, and the rule by which it leaves a plateau.

use super::flip_graph::Walk;
use super::vectors::{Dice, Vector};
use serde::{Deserialize, Serialize};

/// When to split terms, and whether to return to the best scheme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Policy {
    /// A plus transition after so many flips without a better scheme; 0 for none.
    plus_every: u64,
    /// How far above the best rank a walk may climb.
    margin: usize,
    /// Whether a walk that climbed that far begins again at its best scheme.
    falls_back: bool,
}

/// The rules that walkers follow in turn. No one of them is best for all formats.
pub(crate) const POLICIES: [Policy; 4] = [
    Policy {
        plus_every: 5_000,
        margin: 2,
        falls_back: true,
    },
    Policy {
        plus_every: 50_000,
        margin: 2,
        falls_back: false,
    },
    Policy {
        plus_every: 0,
        margin: 0,
        falls_back: false,
    },
    Policy {
        plus_every: 50_000,
        margin: 2,
        falls_back: true,
    },
];

/// A walk with its memory.
#[derive(Clone, Debug)]
pub(crate) struct Walker<V> {
    policy: usize,
    dice: Dice,
    pub(crate) now: Walk<V>,
    pub(crate) best: Walk<V>,
    /// Flips since the best rank went down.
    pub(crate) idle: u64,
}

/// A walker written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    policy: usize,
    dice: u64,
    idle: u64,
    now: Vec<[[u64; 2]; 3]>,
    best: Vec<[[u64; 2]; 3]>,
}

impl<V: Vector> Walker<V> {
    pub(crate) fn new(number: usize, seed: u64, start: &Walk<V>) -> Self {
        Self {
            policy: number % POLICIES.len(),
            dice: Dice::new(seed, number as u64),
            now: start.clone(),
            best: start.clone(),
            idle: 0,
        }
    }

    /// So many flips.
    pub(crate) fn advance(&mut self, flips: u64) {
        let policy = POLICIES[self.policy];
        // A walker that was written down and read again lists its pairs in this order too.
        self.now.find_pairs();
        self.best.find_pairs();
        for _ in 0..flips {
            let moved = self.now.flip(&mut self.dice);
            if self.now.rank() < self.best.rank() {
                self.best = self.now.clone();
                self.idle = 0;
                continue;
            }
            self.idle += 1;
            let due = policy.plus_every > 0 && self.idle.is_multiple_of(policy.plus_every);
            // Where nothing can be flipped, there is no other way out.
            let stuck = !moved && self.now.flippable() == 0;
            if due || stuck {
                self.leave(policy);
            }
        }
    }

    fn leave(&mut self, policy: Policy) {
        let (rank, best) = (self.now.rank(), self.best.rank());
        if rank == best {
            // Another scheme of the same rank, to come back to.
            self.best = self.now.clone();
        }
        if rank < best + policy.margin.max(1) {
            self.now.plus(&mut self.dice);
        } else if policy.falls_back || self.now.flippable() == 0 {
            self.now = self.best.clone();
            self.now.plus(&mut self.dice);
        }
    }

    /// Goes on from the best scheme of another walker.
    pub(crate) fn follow(&mut self, best: &Walk<V>) {
        self.now = best.clone();
        self.best = best.clone();
        self.idle = 0;
    }

    pub(crate) fn saved(&self) -> Saved {
        Saved {
            policy: self.policy,
            dice: self.dice.0,
            idle: self.idle,
            now: self.now.words(),
            best: self.best.words(),
        }
    }

    pub(crate) fn restored(saved: &Saved) -> Option<Self> {
        Some(Self {
            policy: saved.policy % POLICIES.len(),
            dice: Dice(saved.dice),
            now: Walk::from_words(&saved.now)?,
            best: Walk::from_words(&saved.best)?,
            idle: saved.idle,
        })
    }
}
