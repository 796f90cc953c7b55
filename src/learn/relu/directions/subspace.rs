//! Where the neurons live: the span of the weights, from moments of the labels.
//!
//! `E[phi(y) (x x' - I)]` has its range in the span of the weights for every function `phi` (the part of
//! `x` orthogonal to the span is independent of `y`). `phi(y) = y` is the correlational choice and sees
//! only the degree-2 part of `f`, which cancelling neurons erase; `|y|`, `y^2`, tails and `1/(c + |y|)`
//! see the same span where it does not.

use super::hermite::contraction;
use crate::Error;
use crate::learn::relu::OP;
use crate::learn::relu::fit::absolute_values::Kinks;
use crate::learn::relu::sample::Sample;
use crate::linalg::symmetric_eigen;
use faer::{Mat, MatRef};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Eigenvalues over this many edges of pure noise are taken for signal (tuned by measurement).
pub(in crate::learn::relu) const SIGNIFICANT: f64 = 1.25;
/// The same when nothing is significant.
const FAINT: f64 = 0.85;

/// Directions in which the labels depend on the inputs, strongest first.
#[derive(Clone, Debug)]
pub(in crate::learn::relu) struct Span {
    /// Orthonormal columns, `d x d`.
    pub basis: Mat<f64>,
    /// Accumulated squared eigenvalues, nonincreasing.
    pub strength: Vec<f64>,
}

impl Span {
    /// Number of directions that carry anything beyond `1e-6` of the strongest.
    pub fn rank(&self) -> usize {
        let cut = (1e-6 * self.strength.first().copied().unwrap_or(0.0)).max(1e-12);
        self.strength.iter().filter(|&&s| s > cut).count()
    }

    /// Number of directions before the greatest relative drop in strength, if there is one to a twentieth.
    pub fn rank_by_gap(&self) -> Option<usize> {
        let ratio = |i: usize| self.strength[i] / self.strength[i - 1];
        let last = self.rank().min(self.strength.len());
        let gap = (1..last).min_by(|&a, &b| ratio(a).total_cmp(&ratio(b)))?;
        (ratio(gap) < 0.05).then_some(gap)
    }

    /// The first `r` directions.
    pub fn first(&self, r: usize) -> MatRef<'_, f64> {
        self.basis.as_ref().subcols(0, r.min(self.basis.ncols()))
    }
}

/// Zero mean and unit variance; `None` when there is no variance to speak of.
fn standardised(v: &[f64]) -> Option<Vec<f64>> {
    let n = v.len().max(1) as f64;
    let mean = v.iter().sum::<f64>() / n;
    let sd = (v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
    (sd > 1e-12).then(|| v.iter().map(|x| (x - mean) / sd).collect())
}

fn quantile(v: &[f64], q: f64) -> f64 {
    let mut sorted = v.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (q * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// Functions of the standardised labels `e`; the first is `e` itself, the only correlational one.
fn transforms(e: &[f64], correlational: bool) -> Vec<Vec<f64>> {
    let mut phis = vec![e.to_vec()];
    if !correlational {
        let a: Vec<f64> = e.iter().map(|x| x.abs()).collect();
        let (tail, high, low) = (quantile(&a, 0.9), quantile(e, 0.9), quantile(e, 0.1));
        let of = |f: &dyn Fn(f64) -> f64| e.iter().map(|&x| f(x)).collect::<Vec<f64>>();
        let step = |b: bool| f64::from(u8::from(b));
        phis.push(of(&|x| x.abs().min(3.0)));
        phis.push(of(&|x| x.abs().min(3.0).powi(2)));
        phis.push(of(&|x| step(x.abs() > tail)));
        phis.push(of(&|x| step(x > high)));
        phis.push(of(&|x| step(x < low)));
        phis.push(of(&|x| x.tanh()));
        phis.push(of(&|x| 1.0 / (0.05 + x.abs())));
    }
    phis.iter().filter_map(|p| standardised(p)).collect()
}

/// `mean phi_j(x) x x'` for several weights at once, in one pass over the samples.
fn weighted_grams(sample: &Sample, weights: &[Vec<f64>]) -> Vec<Mat<f64>> {
    let d = sample.dim();
    let mut grams = vec![Mat::<f64>::zeros(d, d); weights.len()];
    let scale = 1.0 / sample.len().max(1) as f64;
    sample.sum_chunks(
        |x, from, _| {
            let x = x.subrows(0, d);
            let of = |phi: &Vec<f64>| {
                let weighted = Mat::from_fn(d, x.ncols(), |i, j| phi[from + j] * x[(i, j)]);
                weighted * x.transpose()
            };
            weights.iter().map(of).collect::<Vec<_>>()
        },
        |parts| {
            for (g, p) in grams.iter_mut().zip(parts) {
                *g += p;
            }
        },
    );
    for g in &mut grams {
        *g *= faer::Scale(scale);
    }
    grams
}

/// Adds `q f(ev) q'` over eigenpairs of `m`.
fn add_filtered(
    total: &mut Mat<f64>,
    m: MatRef<'_, f64>,
    filter: impl Fn(f64) -> f64,
) -> Result<(), Error> {
    let eigen = symmetric_eigen(OP, m)?;
    let d = m.nrows();
    let scaled = Mat::from_fn(d, d, |i, j| eigen.vectors[(i, j)] * filter(eigen.values[j]));
    *total += &scaled * eigen.vectors.transpose();
    Ok(())
}

/// The greatest eigenvalue that pure noise gives a transform's matrix, `2 sqrt(d/n) + d/n`, times what a
/// heavy-tailed transform adds to it (tuned by measurement).
fn edge(sample: &Sample, phi: &[f64]) -> f64 {
    let ratio = sample.dim() as f64 / sample.len() as f64;
    let sizes: Vec<f64> = phi.iter().map(|x| x.abs()).collect();
    (2.0 * ratio.sqrt() + ratio) * (quantile(&sizes, 0.999) / 6.0).max(1.0)
}

/// The greatest eigenvalue of any transform of `labels`, in units of its edge; 0 for constant labels.
pub(in crate::learn::relu) fn loudest(sample: &Sample, labels: &[f64]) -> Result<f64, Error> {
    let Some(e) = standardised(labels) else {
        return Ok(0.0);
    };
    let phis = transforms(&e, false);
    let mut loud = 0.0f64;
    for (phi, gram) in phis.iter().zip(weighted_grams(sample, &phis)) {
        let eigen = symmetric_eigen(OP, gram.as_ref())?;
        let greatest = eigen.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        loud = loud.max(greatest / edge(sample, phi));
    }
    Ok(loud)
}

/// The span of the neurons behind the labels `sample.y`, whose linear part has been removed; eigenvalues
/// count when they exceed 1.25 edges, or, where none does, 0.85 edges.
///
/// # Complexity
/// `O(n d^2 m + d^3 m)` with `m = 8` transforms, or 9 matrices when `correlational`.
/// Here `n` is the number of samples and `d` the number of inputs.
pub(in crate::learn::relu) fn span(
    sample: &Sample,
    correlational: bool,
    rng: &mut impl Rng,
) -> Result<Span, Error> {
    let d = sample.dim();
    let mut total = Mat::<f64>::zeros(d, d);
    if let Some(e) = standardised(&sample.y) {
        let phis = transforms(&e, correlational);
        let grams = weighted_grams(sample, &phis);
        let nothing = |total: &Mat<f64>| (0..d).all(|i| total[(i, i)] == 0.0);
        // Below the edge a single eigenvector is mostly noise, but transforms agree on the signal and not
        // on the noise: worth a try when there is nothing better.
        for over in [SIGNIFICANT, FAINT] {
            if nothing(&total) {
                for (phi, gram) in phis.iter().zip(&grams) {
                    let cut = over * edge(sample, phi);
                    add_filtered(&mut total, gram.as_ref(), |ev| {
                        if ev.abs() > cut { ev * ev } else { 0.0 }
                    })?;
                }
            }
        }
        if correlational || nothing(&total) {
            add_contractions(&mut total, sample, &e, rng)?;
        }
    }
    let eigen = symmetric_eigen(OP, total.as_ref())?;
    let basis = Mat::from_fn(d, d, |i, j| eigen.vectors[(i, d - 1 - j)]);
    let strength = eigen.values.iter().rev().map(|v| v.max(0.0)).collect();
    Ok(Span { basis, strength })
}

/// The paper's contractions `M_l(g)`, `l = 4, 6`, in four random directions. Their noise is not known in
/// closed form, so each is weighed by eight times its median eigenvalue.
fn add_contractions(
    total: &mut Mat<f64>,
    sample: &Sample,
    e: &[f64],
    rng: &mut impl Rng,
) -> Result<(), Error> {
    let d = sample.dim();
    for _ in 0..4 {
        let g: Vec<f64> = (0..d).map(|_| rng.sample(StandardNormal)).collect();
        for order in [4, 6] {
            let m = contraction(sample.inputs(), e, &g, order);
            let eigen = symmetric_eigen(OP, m.as_ref())?;
            let sizes: Vec<f64> = eigen.values.iter().map(|v| v.abs()).collect();
            let unit = (8.0 * quantile(&sizes, 0.5)).max(f64::MIN_POSITIVE);
            add_filtered(total, m.as_ref(), |ev| (ev / unit) * (ev / unit))?;
        }
    }
    Ok(())
}

/// The span of the neurons found and of what the residual adds: directions of the residual's span that
/// stand out from the neurons' own by more than `0.05`, `limit` in all.
pub(in crate::learn::relu) fn widened(
    kinks: &Kinks,
    residual: &Span,
    limit: usize,
) -> Result<Mat<f64>, Error> {
    let d = residual.basis.nrows();
    let extra = residual.rank().min(limit.max(1));
    let k = kinks.len();
    let columns = Mat::from_fn(d, k + extra, |i, j| {
        if j < k {
            let norm = crate::linalg::norm2(&kinks.weight(j)[..d]);
            kinks.weights[(i, j)] / norm.max(f64::MIN_POSITIVE)
        } else {
            residual.basis[(i, j - k)]
        }
    });
    let svd = crate::linalg::thin_svd(OP, columns.as_ref())?;
    let r = svd
        .s
        .iter()
        .filter(|&&s| s > 0.05)
        .count()
        .clamp(1, limit.max(1).min(d));
    Ok(svd.u.as_ref().subcols(0, r).to_owned())
}
