//! What searches from several starts have in common: the domains of their options, the starts, and how many agree.

use crate::Error;
use crate::run::{Observer, Progress, side_by_side};
use std::sync::atomic::AtomicBool;

/// Starts that run side by side: a fixed number, so that the answer does not depend on the number of threads.
const BATCH: usize = 4;

/// What such a search may spend, and what it must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::decomp) struct Effort {
    pub(in crate::decomp) rank: usize,
    pub(in crate::decomp) starts: usize,
    pub(in crate::decomp) iterations: usize,
    /// The relative residual asked for.
    pub(in crate::decomp) tol: Option<f64>,
}

impl Effort {
    /// Refuses what lies outside the domains: `1..=most_rank` components, `1..=10000` starts, `1..=1000000` iterations, a
    /// tolerance that is finite and positive.
    pub(in crate::decomp) fn check(&self, op: &'static str, most_rank: usize) -> Result<(), Error> {
        let ranges = [
            ("rank", self.rank, most_rank),
            ("starts", self.starts, 10_000),
            ("max_iterations", self.iterations, 1_000_000),
        ];
        for (name, value, top) in ranges {
            if value == 0 || value > top {
                let requirement = format!("{name} must be in 1..={top}, got {value}");
                return Err(Error::invalid(op, requirement));
            }
        }
        match self.tol {
            Some(tol) if !(tol > 0.0 && tol.is_finite()) => {
                let requirement = format!("tol must be finite and positive, got {tol}");
                Err(Error::invalid(op, requirement))
            }
            _ => Ok(()),
        }
    }
}

/// One start for each of `seeds`, [`BATCH`] at a time, in their order, and whether the observer broke: then starts that had
/// not begun are missing.
pub(in crate::decomp) fn all_starts<S: Sync, E: Send>(
    seeds: &[S],
    observer: Observer<'_>,
    one: impl Fn(&S, &AtomicBool) -> Result<E, Error> + Sync,
) -> Result<(Vec<E>, bool), Error> {
    let mut done: Vec<E> = Vec::with_capacity(seeds.len());
    for batch in seeds.chunks(BATCH) {
        let p = Progress::of("starts", done.len() as u64, seeds.len() as u64);
        let (runs, halted) = side_by_side(batch, &p, observer, &one);
        for run in runs {
            done.push(run?);
        }
        let p = Progress::of("starts", done.len() as u64, seeds.len() as u64);
        if halted || observer(&p).is_break() {
            return Ok((done, true));
        }
    }
    Ok((done, false))
}

/// The start that ended lowest.
///
/// # Errors
/// `Stopped` where none has ended.
pub(in crate::decomp) fn least<E>(
    op: &'static str,
    done: Vec<E>,
    value: impl Fn(&E) -> f64,
) -> Result<E, Error> {
    let best = done
        .into_iter()
        .min_by(|a, b| value(a).total_cmp(&value(b)));
    best.ok_or(Error::Stopped { op })
}

/// How many starts ended within `share` of the least value and `floor`, and how many more should have: two, all that were
/// made where that is fewer, one where the fit is `exact`.
pub(in crate::decomp) fn agreement(
    ends: &[f64],
    (share, floor): (f64, f64),
    exact: bool,
) -> (usize, usize) {
    let top = ends.iter().copied().fold(f64::INFINITY, f64::min);
    let near = top * (1.0 + share) + floor;
    let agreeing = ends.iter().filter(|&&f| f <= near).count();
    let wanted = if exact { 1 } else { ends.len().min(2) };
    (agreeing, wanted.saturating_sub(agreeing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow::{Break, Continue};

    #[test]
    fn starts_keep_their_order_and_end_with_the_batch_in_which_the_observer_broke() {
        let seeds: Vec<usize> = (0..10).collect();
        let one = |&seed: &usize, _: &AtomicBool| Ok(seed * seed);
        let all = all_starts(&seeds, &mut |_| Continue(()), one);
        assert_eq!(all, Ok((seeds.iter().map(|k| k * k).collect(), false)));
        let stop = &mut |p: &Progress| match p.done >= 4 {
            true => Break(()),
            false => Continue(()),
        };
        assert_eq!(all_starts(&seeds, stop, one), Ok((vec![0, 1, 4, 9], true)));
    }

    #[test]
    fn one_start_is_all_that_can_agree_and_two_are_asked_for() {
        let near = (1e-4, 0.0);
        assert_eq!(agreement(&[0.5], near, false), (1, 0));
        assert_eq!(agreement(&[0.5, 0.4], near, false), (1, 1));
        assert_eq!(agreement(&[0.4, 0.5, 0.400_01], near, false), (2, 0));
        assert_eq!(agreement(&[0.0, 0.5], near, true), (1, 0));
    }

    #[test]
    fn options_outside_their_domains_are_named() {
        let good = Effort {
            rank: 3,
            starts: 1,
            iterations: 1,
            tol: Some(1e-3),
        };
        assert_eq!(good.check("op", 3), Ok(()));
        let bad = [
            Effort { rank: 4, ..good },
            Effort { rank: 0, ..good },
            Effort { starts: 0, ..good },
            Effort {
                starts: 10_001,
                ..good
            },
            Effort {
                iterations: 0,
                ..good
            },
            Effort {
                iterations: 1_000_001,
                ..good
            },
            Effort {
                tol: Some(0.0),
                ..good
            },
            Effort {
                tol: Some(f64::NAN),
                ..good
            },
        ];
        for effort in bad {
            assert!(effort.check("op", 3).is_err(), "{effort:?}");
        }
    }
}
