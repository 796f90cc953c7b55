//! The ranks of a ring from the ranks of its unfoldings.
//!
//! The unfolding that separates the modes `k .. l` (cyclically) from the others has rank `R_k R_l`, as long as
//! both sides have that many rows; otherwise it is full, and says only that `R_k R_l` is at least its size.
//! What counts as rank depends on the noise, and one noise level must serve for all unfoldings: white noise of
//! standard deviation `s` has singular values up to `s (sqrt(rows) + sqrt(columns))` in each of them. So every
//! end that a spectrum might have proposes a level, the level gives all ranks, and only levels whose ranks
//! factor over all unfoldings are kept. What lies behind an end must be as flat as white noise of that shape.
//! An accidental gap in one spectrum does not survive that. If a spectrum falls to rounding the data are exact,
//! and no other level is looked at.

use super::dominant_range::Range;
use super::factorings;
use super::factorings::Counts;
use crate::Error;
use crate::decomp::ring::algebraic::order_three::turned;
use crate::tensor::{Scalar, TensorView, norm};
use faer::MatRef;
use rand::Rng;

const OP: &str = "RingRanks::of";
/// Ratio of neighbouring singular values that may be an end. White noise alone has ratios near one at its
/// upper edge, `1 + O(n^(-2/3))`; the edge and the signal behind it are told apart safely from about 2 on.
const GAP: f64 = 2.0;
/// Support for each mode, in units of `ln gap`, from which a level is believed before the explanation that all
/// unfoldings are full: a square Gaussian core has an accidental gap above `g` with probability about `1 / g`,
/// so three modes leave one chance in 64.
const SUPPORT: f64 = 1.386;
/// How much less flat than the edges of white noise predict a tail may be: small spectra fluctuate.
const FLATNESS: f64 = 1.5;
/// Directions looked at in each unfolding: products of ranks up to this.
const WIDTH: usize = 144;
/// Solutions listed when the unfoldings do not decide.
const MAX_SOLUTIONS: usize = 8;
/// Of these, choices that are only not excluded.
const MAX_FULL: usize = 2;
/// Rounding of the data and of the SVD, in units of `eps` times root mean square entry, or of the norm.
const ROUNDING: f64 = 64.0;

/// The spectrum of one unfolding.
///
/// See [`RingRanks`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfoldingRank {
    /// First mode of the run.
    pub first: usize,
    /// Number of modes in the run.
    pub count: usize,
    /// Leading singular values, nonincreasing.
    pub spectrum: Vec<f64>,
    /// Singular values above the noise level of the first candidate.
    pub rank: usize,
    /// `s_rank / s_{rank+1}` with the second lifted to rounding, infinite when the unfolding is full.
    pub gap: f64,
    /// Whether no end was seen: the product of the ranks is at least `rank`.
    pub full: bool,
}

/// Ranks that explain all unfoldings, with the evidence.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::RingRanks;
/// use wickring::tensor::TensorRing;
/// let mut rng = ChaCha8Rng::seed_from_u64(3);
/// let t = TensorRing::<f64>::gaussian(&[9, 8, 9], &[2, 2, 2], &mut rng)?.to_dense()?;
/// let found = RingRanks::of(t.view(), &mut rng)?;
/// assert_eq!(found.candidates[0], [2, 2, 2]);
/// assert!(found.unfoldings.iter().all(|u| u.rank == 4)); // a product of two ranks
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RingRanks {
    /// Spectra of all runs of at most half the modes.
    pub unfoldings: Vec<UnfoldingRank>,
    /// Consistent choices of ranks, best supported first, then fewest parameters first; at most 8.
    pub candidates: Vec<Vec<usize>>,
    /// Whether the unfoldings show ends; if not, all are full, and the candidates are only not excluded.
    pub decided: bool,
}

/// Adds the rings of full unfoldings to the candidates, by the support of their noise levels; the counts of the first level
/// with enough of it.
fn by_support(
    dims: &[usize],
    spectra: &[Spectrum],
    exact: &[Counts],
    candidates: &mut Vec<Vec<usize>>,
) -> Option<Vec<Counts>> {
    let needed = SUPPORT * dims.len() as f64;
    let mut counts = None;
    let all = levels(spectra);
    let mut listed = |level: &[Counts], most: usize| {
        let found = factorings::rings(dims, level);
        for ranks in found.iter().take(most) {
            if !candidates.contains(ranks) {
                candidates.push(ranks.clone());
            }
        }
        !found.is_empty()
    };
    for (_, level) in all.iter().filter(|(support, _)| *support >= needed) {
        if listed(level, MAX_SOLUTIONS) && counts.is_none() {
            counts = Some(level.clone());
        }
    }
    listed(exact, MAX_FULL);
    for (_, level) in all.iter().filter(|(support, _)| *support < needed) {
        listed(level, MAX_FULL);
    }
    counts
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
    /// One QR of width at most 160 (or sketch of width 144) for each of about `m^2 / 2` unfoldings.
    pub fn of<T: Scalar>(t: TensorView<'_, T>, rng: &mut impl Rng) -> Result<Self, Error> {
        let m = t.order();
        if m < 3 || t.as_slice().is_empty() {
            let found = format!("{:?}", t.dims());
            return Err(Error::shape(OP, "at least three modes and an entry", found));
        }
        if let Some(index) = t.as_slice().iter().position(|x| !x.finite()) {
            return Err(Error::NonFinite { op: OP, index });
        }
        let mut spectra = Vec::new();
        for first in 0..m {
            let data = turned(t, first);
            for count in 1..=m / 2 {
                // Half-and-half cuts of an even order appear from both sides.
                if 2 * count == m && first >= count {
                    continue;
                }
                spectra.push(Spectrum::of(data.view(), first, count, rng)?);
            }
        }
        let dims = t.dims();
        let exact: Vec<Counts> = spectra.iter().map(|s| s.counts(0.0)).collect();
        let seen = exact.iter().any(|c| !c.full);
        let mut candidates = Vec::new();
        let counts;
        if seen {
            candidates = factorings::rings(dims, &exact);
            // Exact data that are no ring in general position may still be a train.
            candidates.extend(factorings::train(dims, &exact));
            counts = (!candidates.is_empty()).then_some(exact.clone());
        } else {
            counts = by_support(dims, &spectra, &exact, &mut candidates);
        }
        candidates.truncate(MAX_SOLUTIONS);
        let decided = counts.is_some();
        let shown = counts.unwrap_or(exact);
        if candidates.is_empty() {
            let hypothesis = "unfolding ranks that are products of ranks of a ring smaller than the tensor (rank of the first)";
            let rank = shown.first().map_or(0.0, |c| c.rank as f64);
            return Err(Error::degenerate(OP, hypothesis, rank));
        }
        let unfoldings = spectra.into_iter().zip(&shown);
        Ok(Self {
            unfoldings: unfoldings.map(|(s, c)| s.shown(c)).collect(),
            candidates,
            decided,
        })
    }
}

/// Singular values of one unfolding with what noise does to them.
struct Spectrum {
    first: usize,
    count: usize,
    values: Vec<f64>,
    /// Square roots of the numbers of rows and columns, and their sum: the upper edge of unit white noise.
    roots: [f64; 2],
    edge: f64,
    /// What rounding can pretend.
    floor: f64,
}

impl Spectrum {
    fn of<T: Scalar>(
        t: TensorView<'_, T>,
        first: usize,
        count: usize,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let m = t.as_matrix(count);
        let m = if m.nrows() <= m.ncols() {
            m
        } else {
            m.transpose()
        };
        let values = if m.nrows() <= WIDTH + 16 {
            accurate(m)?
        } else {
            let basis = Range::of(OP, m, WIDTH, rng)?.basis;
            accurate(T::adjoint_product(basis.as_ref(), m).as_ref())?
        };
        let roots = [m.nrows(), m.ncols()].map(|n| (n as f64).sqrt());
        let edge = roots[0] + roots[1];
        let mean = norm(t.as_slice()) / (t.as_slice().len() as f64).sqrt();
        let top = values.first().copied().unwrap_or(0.0);
        let floor = ROUNDING * f64::EPSILON * (mean * edge).max(top);
        Ok(Self {
            first,
            count,
            values,
            roots,
            edge,
            floor,
        })
    }

    /// Whether the values behind `k` are as flat as noise of the shape that is left.
    fn flat(&self, k: usize) -> bool {
        let (Some(&first), Some(&last)) = (self.values.get(k), self.values.last()) else {
            return true;
        };
        let left = |root: f64| (root * root - k as f64).max(0.0).sqrt();
        let (rows, cols) = (left(self.roots[0]), left(self.roots[1]));
        first * (cols - rows) <= FLATNESS * last * (cols + rows)
    }

    /// Logarithm of the gap at `k`, weighted by how many values stand behind it: one value says little.
    fn support(&self, k: usize) -> f64 {
        let behind = (self.values.len() - k) as f64;
        self.gap(k).ln() * (behind / 2.0).clamp(0.5, 2.0)
    }

    /// How many values exceed noise of standard deviation `level` and rounding.
    fn counts(&self, level: f64) -> Counts {
        let threshold = (level * self.edge).max(self.floor);
        let rank = self.values.iter().take_while(|&&s| s > threshold).count();
        let (first, count) = (self.first, self.count);
        let full = rank == self.values.len();
        Counts {
            first,
            count,
            rank,
            full,
        }
    }

    /// `s_k / s_{k+1}`, infinite at the end of a full spectrum.
    fn gap(&self, k: usize) -> f64 {
        match (k, self.values.get(k)) {
            (1.., Some(&next)) => self.values[k - 1] / next.max(self.floor),
            _ => f64::INFINITY,
        }
    }

    fn shown(self, c: &Counts) -> UnfoldingRank {
        let gap = self.gap(c.rank);
        UnfoldingRank {
            first: self.first,
            count: self.count,
            spectrum: self.values,
            rank: c.rank,
            gap,
            full: c.full,
        }
    }
}

/// Singular values of a wide matrix to rounding: those of the triangle of its adjoint.
fn accurate<T: Scalar>(m: MatRef<'_, T>) -> Result<Vec<f64>, Error> {
    let (_, r) = T::qr(OP, m.adjoint().to_owned().as_ref())?;
    Ok(T::svd(OP, r.as_ref())?.s)
}

/// The ranks at every noise level that an end of a spectrum proposes with their support, the sum over all gaps
/// that the level uses; best supported first.
fn levels(spectra: &[Spectrum]) -> Vec<(f64, Vec<Counts>)> {
    let mut found: Vec<(f64, Vec<Counts>)> = Vec::new();
    for s in spectra {
        for k in 1..s.values.len() {
            if s.gap(k) < GAP {
                continue;
            }
            let (above, below) = (s.values[k - 1] / s.edge, s.values[k] / s.edge);
            // Just above the noise, and halfway to the signal.
            for level in [1.2 * below, (above * below).sqrt()] {
                let counts: Vec<Counts> = spectra.iter().map(|s| s.counts(level)).collect();
                let open = || spectra.iter().zip(&counts).filter(|(_, c)| !c.full);
                let usable = |s: &Spectrum, k: usize| k > 0 && s.gap(k) >= GAP && s.flat(k);
                let clear = open().all(|(s, c)| usable(s, c.rank));
                let known = found.iter().any(|(_, other)| *other == counts);
                if clear && !known {
                    let support = open().map(|(s, c)| s.support(c.rank)).sum();
                    found.push((support, counts));
                }
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spectrum(first: usize, values: &[f64]) -> Spectrum {
        let values = values.to_vec();
        let roots = [values.len(), 100].map(|n| (n as f64).sqrt());
        Spectrum {
            first,
            count: 1,
            values,
            roots,
            edge: roots[0] + roots[1],
            floor: 1e-14,
        }
    }

    #[test]
    fn one_level_serves_all_unfoldings() {
        // The first spectrum has a gap inside, at a level that the second contradicts with its even decay.
        let spectra = [
            spectrum(0, &[5.0, 1.0, 0.9, 1e-3, 9e-4]),
            spectrum(1, &[4.0, 3.0, 2.5, 2.0, 1.1, 1e-3]),
        ];
        let found = levels(&spectra);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].1[0].rank, found[0].1[1].rank), (3, 5));
        assert!(levels(&[spectrum(0, &[3.0, 2.0, 1.5])]).is_empty());
        // A tail that decays is no noise, and one value behind a gap says little.
        let weak = levels(&[spectrum(0, &[3.0, 1.0, 0.4, 0.1])]);
        assert!(weak.iter().all(|(support, _)| *support < SUPPORT));
    }
}
