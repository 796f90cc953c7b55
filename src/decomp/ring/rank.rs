//! The ranks of a ring from the ranks of its unfoldings.
//!
//! The unfolding that separates the modes `k .. l` (cyclically) from the others has rank `R_k R_l`, as long as
//! both sides have that many rows; otherwise it is full, and says only that `R_k R_l` is at least its size.
//! All such products together determine the ranks when enough of them are not full; a tensor whose unfolding
//! ranks are no such products is not a ring in general position.

use super::blocks::turned;
use super::range::Range;
use crate::Error;
use crate::tensor::{Scalar, TensorView};
use rand::Rng;

const OP: &str = "RingRanks::of";
/// Ratio of neighbouring singular values that counts as an end of the spectrum.
const GAP: f64 = 3.0;
/// Singular values below this share of the greatest are rounding of the Gram matrix.
const FLOOR: f64 = 3e-8;
/// Directions looked at in each unfolding: ranks up to `sqrt` of this.
const WIDTH: usize = 144;
/// Greatest rank considered.
const MAX_RANK: usize = 64;
/// Solutions listed when the unfoldings do not decide.
const MAX_SOLUTIONS: usize = 8;

/// The spectrum of one unfolding.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfoldingRank {
    /// First mode of the run.
    pub first: usize,
    /// Number of modes in the run.
    pub count: usize,
    /// Leading singular values, nonincreasing.
    pub spectrum: Vec<f64>,
    /// Where the spectrum ends, or its full length when it does not.
    pub rank: usize,
    /// `s_rank / s_{rank+1}`, infinite behind the last value.
    pub gap: f64,
    /// Whether no end was seen: the product of the ranks is at least `rank`.
    pub full: bool,
}

/// Ranks that explain all unfoldings, with the evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct RingRanks {
    /// Spectra of all runs of at most half the modes.
    pub unfoldings: Vec<UnfoldingRank>,
    /// Every consistent choice of ranks, fewest parameters first; at most 8.
    pub candidates: Vec<Vec<usize>>,
}

impl RingRanks {
    /// Measures the unfoldings and solves for the ranks.
    ///
    /// # Shapes
    /// Order at least 3.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`; `Degenerate` when no ranks up to 64 of a ring with fewer parameters than
    /// entries explain the unfoldings (measured: the rank of the first one).
    ///
    /// # Complexity
    /// One Gram matrix (or sketch of width 144) for each of about `m^2 / 2` unfoldings.
    pub fn of<T: Scalar>(t: TensorView<'_, T>, rng: &mut impl Rng) -> Result<Self, Error> {
        let m = t.order();
        if m < 3 || t.as_slice().is_empty() {
            let found = format!("{:?}", t.dims());
            return Err(Error::shape(OP, "at least three modes and an entry", found));
        }
        if let Some(index) = t.as_slice().iter().position(|x| !x.finite()) {
            return Err(Error::NonFinite { op: OP, index });
        }
        let mut unfoldings = Vec::new();
        for first in 0..m {
            let data = turned(t, first);
            for count in 1..=m / 2 {
                // Half-and-half cuts of an even order appear from both sides.
                if 2 * count == m && first >= count {
                    continue;
                }
                unfoldings.push(unfolding(data.view(), first, count, rng)?);
            }
        }
        let mut candidates = Vec::new();
        search(&unfoldings, m, &mut Vec::new(), &mut candidates);
        candidates.sort_by_key(|r: &Vec<usize>| {
            let core = |k: usize| r[k] * t.dims()[k] * r[(k + 1) % m];
            (0..m).map(core).sum::<usize>()
        });
        // Every tensor is a ring with as many parameters as entries: that explains nothing. Common scalars act
        // trivially, so the gauge has one dimension less than the sum of the squares.
        let entries = t.as_slice().len();
        candidates.retain(|r| {
            let core = |k: usize| r[k] * t.dims()[k] * r[(k + 1) % m];
            let gauge: usize = r.iter().map(|x| x * x).sum();
            (0..m).map(core).sum::<usize>() + 1 < entries + gauge
        });
        candidates.truncate(MAX_SOLUTIONS);
        if candidates.is_empty() {
            let hypothesis = "unfolding ranks that are products of ranks of a ring smaller than the tensor (rank of the first)";
            let rank = unfoldings.first().map_or(0.0, |u| u.rank as f64);
            return Err(Error::degenerate(OP, hypothesis, rank));
        }
        Ok(Self {
            unfoldings,
            candidates,
        })
    }
}

fn unfolding<T: Scalar>(
    t: TensorView<'_, T>,
    first: usize,
    count: usize,
    rng: &mut impl Rng,
) -> Result<UnfoldingRank, Error> {
    let m = t.as_matrix(count);
    let m = if m.nrows() <= m.ncols() {
        m
    } else {
        m.transpose()
    };
    let least = m.nrows();
    let mut spectrum = Range::of(OP, m, WIDTH.min(least), rng)?.spectrum;
    spectrum.truncate(least);
    let (rank, gap) = spectrum_end(&spectrum);
    let full = rank == spectrum.len();
    Ok(UnfoldingRank {
        first,
        count,
        spectrum,
        rank,
        gap,
        full,
    })
}

/// The place of the greatest ratio of neighbours, if it is a gap; the whole length otherwise.
fn spectrum_end(s: &[f64]) -> (usize, f64) {
    let top = s.first().copied().unwrap_or(0.0);
    let lifted = |x: f64| x.max(FLOOR * top);
    let mut best = (s.len(), GAP);
    for k in 1..s.len() {
        // Behind rounding there is nothing to compare.
        if s[k - 1] <= FLOOR * top {
            break;
        }
        let ratio = s[k - 1] / lifted(s[k]);
        if ratio > best.1 {
            best = (k, ratio);
        }
    }
    let gap = if best.0 == s.len() {
        f64::INFINITY
    } else {
        best.1
    };
    (best.0, gap)
}

/// Depth-first over the ranks in order; every unfolding between two assigned bonds must agree.
fn search(
    unfoldings: &[UnfoldingRank],
    m: usize,
    chosen: &mut Vec<usize>,
    found: &mut Vec<Vec<usize>>,
) {
    if chosen.len() == m {
        found.push(chosen.clone());
        return;
    }
    // Enough to see that the data do not decide; more would only cost time.
    if found.len() >= 4 * MAX_SOLUTIONS {
        return;
    }
    let k = chosen.len();
    for rank in 1..=MAX_RANK {
        chosen.push(rank);
        let agrees = unfoldings.iter().all(|u| {
            let (a, b) = (u.first, (u.first + u.count) % m);
            if a.max(b) != k {
                return true;
            }
            let product = chosen[a] * chosen[b];
            // A full unfolding of size s has least rank s when it is explained by the smallest ring.
            if u.full {
                product >= u.rank
            } else {
                product == u.rank
            }
        });
        if agrees {
            search(unfoldings, m, chosen, found);
        }
        chosen.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_spectrum_is_its_greatest_gap() {
        assert_eq!(spectrum_end(&[5.0, 4.0, 3.0, 1e-9, 1e-10]).0, 3);
        assert_eq!(spectrum_end(&[5.0, 4.0, 3.0, 2.0]).0, 4);
        assert_eq!(spectrum_end(&[5.0, 1.0, 0.9, 1e-3]).0, 3);
        assert_eq!(spectrum_end(&[]).0, 0);
    }
}
