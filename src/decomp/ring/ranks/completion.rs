//! Ranks of a ring of which only part of the entries is known.
//!
//! Unfoldings with gaps have no spectra, so the entries held out decide: equal ranks grow until prediction
//! stops improving. If the observed entries are then reproduced exactly, the completed tensor has unfoldings
//! again, and these say which of the ranks can be smaller.

use super::from_unfoldings::RingRanks;
use crate::decomp::ring::als::completion::{HELD_ERROR, RingCompletion};
use crate::fit::{Check, Fit};
use crate::run::Observer;
use crate::tensor::{Scalar, TensorRing, TensorView};
use crate::{Error, Status};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Equal ranks that are tried at most.
const MAX_RANK: usize = 8;
/// Share of the observed entries that a ring may have as parameters where the entries choose it.
const FREEDOM: f64 = 0.7;
/// Random starts for each rank while choosing.
const PROBES: usize = 3;
/// Ranks in a row that predict worse than the best before the search ends.
const PATIENCE: usize = 2;

/// One rank that was tried.
struct Trial<T: Scalar> {
    held: f64,
    fit: Fit<TensorRing<T>>,
}

/// The error on held-out entries at each rank.
fn notes<T: Scalar>(trials: &[Trial<T>]) -> Vec<Check> {
    (1..)
        .zip(trials)
        .map(|(rank, x)| {
            Check::reported(
                "ring.held-out-at-rank",
                format!("held-out error at rank {rank}"),
                x.held,
            )
        })
        .collect()
}

impl RingCompletion {
    /// The ranks that the unfoldings of a model show behind noise.
    fn behind_noise<T: Scalar>(
        &self,
        model: &TensorRing<T>,
        rng: &mut impl Rng,
    ) -> Result<Option<Vec<usize>>, Error> {
        // White noise of ten times the tolerance hides what the fit has left over behind the ranks.
        let mut full = model.to_dense()?;
        let entries = full.as_slice().len() as f64;
        let level = T::from_real(10.0 * self.tol * model.norm() / entries.sqrt());
        for x in full.as_mut_slice() {
            *x += level * T::gaussian(rng);
        }
        let smaller = RingRanks::of(full.view(), rng).ok();
        Ok(smaller.and_then(|found| found.candidates.into_iter().next()))
    }

    pub(in crate::decomp::ring) fn choose<T: Scalar>(
        &self,
        t: TensorView<'_, T>,
        observed: &[bool],
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Fit<TensorRing<T>>, Error> {
        // Every rank sees the same entries held out.
        let seed = rng.next_u64();
        let mut run = |ranks: Vec<usize>, starts: usize| {
            let ranks = Some(ranks);
            let one = Self {
                ranks,
                starts,
                ..self.clone()
            };
            one.search(t, observed, &mut ChaCha8Rng::seed_from_u64(seed), observer)
        };
        let seen = observed.iter().filter(|&&o| o).count();
        let mut trials: Vec<Trial<T>> = Vec::new();
        let mut worse = 0;
        for rank in 1..=MAX_RANK {
            let parameters = (rank * rank * t.dims().iter().sum::<usize>()) as f64;
            if rank > 1 && parameters > FREEDOM * seen as f64 {
                break;
            }
            let fit = run(vec![rank], self.starts.min(PROBES))?;
            let held = held_error(&fit);
            let best = trials.iter().map(|x| x.held).fold(f64::INFINITY, f64::min);
            worse = if held < best { 0 } else { worse + 1 };
            let done = self.exact(&fit) || fit.status == Status::Stopped || worse >= PATIENCE;
            trials.push(Trial { held, fit });
            if done {
                break;
            }
        }
        let notes = notes(&trials);
        let chosen = chosen(&trials, seen, |fit| self.exact(fit));
        let none = Error::degenerate("RingCompletion::decompose", "a rank to try", 0.0);
        let mut fit = trials.into_iter().nth(chosen).ok_or(none)?.fit;
        let settled = matches!(fit.status, Status::Converged | Status::Stopped);
        if !settled && self.starts > PROBES {
            let again = run(vec![chosen + 1], self.starts)?;
            if again.evidence.rel_residual < fit.evidence.rel_residual {
                fit = again;
            }
        }
        if self.exact(&fit) && t.order() >= 3 && chosen > 0 {
            let smaller = self.behind_noise(&fit.model, rng)?;
            if let Some(ranks) = smaller.filter(|ranks| *ranks != fit.model.ranks()) {
                let other = run(ranks, self.starts)?;
                let fewer = other.model.parameters() < fit.model.parameters();
                if fewer && self.exact(&other) {
                    fit = other;
                }
            }
        }
        fit.evidence.checks.extend(notes);
        Ok(fit)
    }

    /// Whether the observed entries are reproduced to the tolerance, with evidence.
    fn exact<T: Scalar>(&self, fit: &Fit<TensorRing<T>>) -> bool {
        fit.status == Status::Converged && fit.evidence.rel_residual <= self.tol
    }
}

fn held_error<T: Scalar>(fit: &Fit<TensorRing<T>>) -> f64 {
    let found = fit.evidence.check(HELD_ERROR).map(|c| c.measured);
    found.filter(|x| x.is_finite()).unwrap_or(f64::INFINITY)
}

/// The exact one, or the first whose prediction is within one standard error of the best.
fn chosen<T: Scalar>(
    trials: &[Trial<T>],
    seen: usize,
    exact: impl Fn(&Fit<TensorRing<T>>) -> bool,
) -> usize {
    if let Some(k) = trials.iter().position(|x| exact(&x.fit)) {
        return k;
    }
    let best = trials.iter().map(|x| x.held).fold(f64::INFINITY, f64::min);
    // The relative standard error of a root mean square over a twentieth of the entries.
    let deviation = (10.0 / seen.max(1) as f64).sqrt();
    let good = |x: &Trial<T>| x.held <= best * (1.0 + deviation);
    trials.iter().position(good).unwrap_or(0)
}
