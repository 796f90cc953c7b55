//! Rows that learn and rows that judge.

use crate::learn::mixture::input_check::first_of_equals;
use rand::{Rng, RngExt};

/// One row in so many judges.
const SHARE: usize = 5;
/// Rows that judge, and rows that learn in the contest, at most.
const MOST_HELD: usize = 1000;
const MOST_LEARN: usize = 20_000;
/// Fewer rows than this cannot spare any.
const LEAST: usize = 50;

/// A sample cut in two, row-major both.
pub(in crate::learn::mixture) struct Split {
    /// Rows that learn.
    pub(in crate::learn::mixture) learn: Vec<f64>,
    /// Rows that judge; copies of one row are all on one side.
    pub(in crate::learn::mixture) held: Vec<f64>,
}

impl Split {
    /// `None` when there are fewer than 50 different rows.
    pub(in crate::learn::mixture) fn of(
        rows: &[f64],
        dim: usize,
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let first = first_of_equals(rows, dim);
        let mut leaders: Vec<u32> = (0u32..)
            .zip(&first)
            .filter(|(i, f)| i == *f)
            .map(|(i, _)| i)
            .collect();
        if leaders.len() < LEAST {
            return None;
        }
        for i in (1..leaders.len()).rev() {
            leaders.swap(i, rng.random_range(0..=i));
        }
        let held = (leaders.len() / SHARE).min(MOST_HELD);
        let mut place = vec![u32::MAX; first.len()];
        for (rank, leader) in (0u32..).zip(&leaders) {
            place[*leader as usize] = rank;
        }
        let mut split = Self {
            learn: Vec::new(),
            held: Vec::new(),
        };
        // In random order: rows of a file may come in turns.
        let mut order: Vec<u32> = (0..first.len() as u32).collect();
        order.sort_unstable_by_key(|i| (place[first[*i as usize] as usize], *i));
        for i in order {
            let i = i as usize;
            let row = &rows[i * dim..(i + 1) * dim];
            if (place[first[i] as usize] as usize) < held {
                // One copy judges once.
                if first[i] as usize == i {
                    split.held.extend_from_slice(row);
                }
            } else if split.learn.len() < MOST_LEARN * dim {
                split.learn.extend_from_slice(row);
            }
        }
        Some(split)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn copies_of_a_row_stay_together_and_no_row_is_lost() {
        let rows: Vec<f64> = (0..300).map(|i| f64::from(i % 100)).collect();
        let split = Split::of(&rows, 1, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!((split.held.len(), split.learn.len()), (20, 240));
        assert!(split.held.iter().all(|x| !split.learn.contains(x)));
        let few: Vec<f64> = (0..300).map(|i| f64::from(i % 49)).collect();
        assert!(Split::of(&few, 1, &mut ChaCha8Rng::seed_from_u64(1)).is_none());
    }
}
