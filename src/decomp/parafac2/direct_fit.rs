//! Starts and their descent: bases by polar decompositions, then sweeps of CP on what they leave.
//!
//! ```text
//! for every slice: P_k <- polar factor of X_k A diag(C[k, ..]) F'     (exact, given the rest)
//! Y <- the R x J x K tensor with slices P_k' X_k
//! a few sweeps of least squares on Y for F, A, C
//! ```
//!
//! Sweeps are extrapolated and the extrapolation is withdrawn where the residual rises. Missing entries are filled with the
//! model before every round: a majoriser of the squares over what was observed.
//!
//! Source: Kiers, ten Berge, Bro 1999, section 3 (direct fitting); Bro 1998 (extrapolation).

use super::slices::{Slices, gap_of};
use crate::Error;
use crate::decomp::cp::als::solve_columns;
use crate::decomp::cp::normal_equations::hadamard_grams;
use crate::decomp::cp::starts::jennrich::normal;
use crate::decomp::extrapolation::{Swept, extrapolated};
use crate::linalg::{polar_orthogonal, small, symmetric_eigen};
use crate::tensor::{Factor, Tensor, mttkrp};
use faer::Mat;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::atomic::AtomicBool;

const OP: &str = "Parafac2::decompose";
/// Sweeps of CP for every round of bases: these cost far less.
const INNER: usize = 3;
/// Passes over the columns of nonnegative loadings in a sweep.
const PASSES: usize = 4;
/// The factors that all slices share, and loadings: `F`, `A`, `C`.
pub(super) type Parts = [Factor; 3];

/// One start at its end: the shared parts and the bases.
pub(super) type Ended = Swept<(Parts, Vec<Factor>)>;

/// Where to start: from the leading directions of the columns, or at random.
pub(super) fn start(
    x: &[Factor],
    rank: usize,
    (seed, spectral): (u64, bool),
) -> Result<Parts, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let width = x[0].cols();
    let core = Factor::from_fn(rank, rank, |i, r| f64::from(i == r));
    if !spectral {
        let shared = Factor::from_fn(width, rank, |_, _| normal(&mut rng));
        let loadings = Factor::from_fn(x.len(), rank, |_, _| 0.1 + rng.random::<f64>());
        return Ok([core, shared, loadings]);
    }
    let mut gram = Mat::zeros(width, width);
    for f in x {
        let g = f.gram();
        for j in 0..width {
            (0..width).for_each(|i| gram[(i, j)] += g.column(j)[i]);
        }
    }
    let found = symmetric_eigen(OP, gram.as_ref())?;
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| found.values[b].total_cmp(&found.values[a]));
    let shared = Factor::from_fn(width, rank, |j, r| match order.get(r) {
        Some(&k) => found.vectors[(j, k)],
        None => normal(&mut rng),
    });
    let loadings = Factor::from_fn(x.len(), rank, |_, _| 1.0);
    Ok([core, shared, loadings])
}

/// The data of a descent.
pub(super) struct Work<'a> {
    pub(super) slices: &'a Slices,
    /// The slices, or shorter ones that are as good.
    pub(super) x: &'a [Factor],
    pub(super) nonnegative: bool,
}

impl Work<'_> {
    /// `diag(C[k, ..])` taken into the columns of `f`.
    fn loaded(f: &Factor, loadings: &Factor, k: usize) -> Factor {
        let mut out = f.clone();
        (0..f.cols()).for_each(|r| out.scale_column(r, loadings.column(r)[k]));
        out
    }

    /// The slices, those with missing entries filled with the model.
    fn filled(&self, parts: &Parts, bases: &[Factor]) -> Option<Vec<Factor>> {
        self.slices.weights.as_ref()?;
        if bases.is_empty() {
            return None;
        }
        let one = |k: usize| {
            let left = Self::loaded(&parts[0].left_mul(bases[k].as_mat()), &parts[2], k);
            let mut gap = self.x[k].clone();
            gap_of(&self.x[k], &left, &parts[1], &mut gap);
            let pairs = gap.as_mut_slice().iter_mut().zip(self.x[k].as_slice());
            let pairs = pairs.enumerate();
            pairs.for_each(|(i, (g, x))| *g = x - (1.0 - self.slices.weight(k, i)) * *g);
            gap
        };
        Some((0..self.x.len()).map(one).collect())
    }

    /// The best bases for `parts`.
    fn bases(&self, x: &[Factor], parts: &Parts) -> Result<Vec<Factor>, Error> {
        let [core, shared, loadings] = parts;
        let one = |(k, x): (usize, &Factor)| {
            let right = Self::loaded(core, loadings, k);
            // X A diag(c) F'
            let inner = shared.left_mul(x.as_mat());
            let target = Factor::from_fn(right.cols(), right.rows(), |r, i| right.column(r)[i]);
            let target = target.left_mul(inner.as_mat());
            let (q, _, _) = polar_orthogonal(OP, target.as_mat())?;
            Ok(Factor::from_fn(q.nrows(), q.ncols(), |i, r| q[(i, r)]))
        };
        x.iter().enumerate().map(one).collect()
    }

    /// One round: bases, then sweeps of CP on the slices seen through them.
    fn round(&self, parts: &mut Parts, bases: &mut Vec<Factor>) -> Result<(), Error> {
        let filled = self.filled(parts, bases);
        let x = filled.as_deref().unwrap_or(self.x);
        *bases = self.bases(x, parts)?;
        let (rank, width) = (parts[0].cols(), parts[1].rows());
        let mut data = Vec::with_capacity(rank * width * x.len());
        for (p, x) in bases.iter().zip(x) {
            data.extend_from_slice(x.left_mul(p.as_mat().transpose()).as_slice());
        }
        let y = Tensor::from_vec(&[rank, width, x.len()], data)?;
        for _ in 0..INNER {
            for m in 0..3 {
                let mut target = mttkrp(y.view(), parts.as_slice(), m)?;
                let grams: Vec<Factor> = parts.iter().map(Factor::gram).collect();
                let gamma = hadamard_grams(&grams, rank, &[m]);
                if m == 2 && self.nonnegative {
                    nonnegative(&gamma, &target, &mut parts[2]);
                } else {
                    solve_columns(&gamma, &mut target);
                    parts[m] = target;
                }
            }
            balance(parts);
        }
        Ok(())
    }

    /// `sqrt(sum w gap^2)`.
    fn residual(&self, parts: &Parts, bases: &[Factor]) -> f64 {
        let one = |k: usize| {
            let left = Self::loaded(&parts[0].left_mul(bases[k].as_mat()), &parts[2], k);
            let mut gap = self.x[k].clone();
            gap_of(&self.x[k], &left, &parts[1], &mut gap);
            let entries = gap.as_slice().iter().enumerate();
            entries
                .map(|(i, g)| self.slices.weight(k, i) * g * g)
                .sum::<f64>()
        };
        (0..self.x.len()).map(one).sum::<f64>().sqrt()
    }
}

/// Every column of the loadings in turn, the best nonnegative one given the others.
fn nonnegative(gamma: &Factor, target: &Factor, x: &mut Factor) {
    let rank = gamma.cols();
    for r in (0..PASSES).flat_map(|_| 0..rank) {
        let own = gamma.column(r)[r];
        if !(own > 0.0) {
            x.column_mut(r).fill(0.0);
            continue;
        }
        let mut z = target.column(r).to_vec();
        for s in (0..rank).filter(|&s| s != r) {
            small::axpy(&mut z, -gamma.column(r)[s], x.column(s));
        }
        let pairs = x.column_mut(r).iter_mut().zip(&z);
        pairs.for_each(|(x, z)| *x = (z / own).max(0.0));
    }
}

/// Columns of one component with equal lengths in all three parts.
pub(super) fn balance(parts: &mut Parts) {
    for r in 0..parts[0].cols() {
        let lengths = parts.each_ref().map(|f| f.column_norm(r));
        let mean = lengths.iter().product::<f64>().cbrt();
        if mean > 0.0 && mean.is_finite() {
            let pairs = parts.iter_mut().zip(lengths);
            pairs.for_each(|(f, l)| f.scale_column(r, mean / l));
        }
    }
}

/// Descends in at most `rounds` rounds; ends early, where it is, when `halt` is set.
pub(super) fn descend(
    work: &Work<'_>,
    mut parts: Parts,
    rounds: usize,
    halt: &AtomicBool,
) -> Result<Ended, Error> {
    balance(&mut parts);
    let mut bases = Vec::new();
    work.round(&mut parts, &mut bases)?;
    let residual = work.residual(&parts, &bases);
    type At = (Parts, Vec<Factor>);
    let round = |(parts, bases): &mut At| {
        work.round(parts, bases)?;
        Ok(work.residual(parts, bases))
    };
    let further = |new: &At, old: &At, beta: f64| {
        let parts = ahead(&new.0, &old.0, beta, work.nonnegative);
        (parts, new.1.clone())
    };
    extrapolated(
        ((parts, bases), residual),
        (rounds, 0.98),
        round,
        further,
        halt,
    )
}

/// `x + beta (x - old)`; nonnegative loadings stay so.
fn ahead(x: &Parts, old: &Parts, beta: f64, nonnegative: bool) -> Parts {
    let mut out = x.clone();
    for (f, (x, old)) in out.iter_mut().zip(x.iter().zip(old)) {
        small::axpy(f.as_mut_slice(), beta, x.as_slice());
        small::axpy(f.as_mut_slice(), -beta, old.as_slice());
    }
    if nonnegative {
        out[2]
            .as_mut_slice()
            .iter_mut()
            .for_each(|c| *c = c.max(0.0));
    }
    out
}
