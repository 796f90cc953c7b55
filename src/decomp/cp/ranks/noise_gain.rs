//! What one more component gains from noise alone.
//!
//! The best rank-one tensor of a residual whose entries were given random signs: signs keep the size of every entry, and so
//! tails, unequal variances and gaps, and destroy whatever structure was left.
//!
//! Source: Hong, Sheng, Dobriban 2020 (permutation and sign-flip parallel analysis); the power method of De Lathauwer,
//! De Moor, Vandewalle 2000.

use crate::Error;
use crate::decomp::cp::starts::jennrich::normal;
use crate::linalg::{Scalar, small};
use crate::tensor::{Factor, Tensor, TensorView, mttkrp};
use rand::{Rng, RngExt};

/// Draws of signs; the greatest of eight exceeds a new draw with probability 8/9.
const FLIPS: usize = 8;
/// Entries, over all draws, that are read before fewer are made: eight draws up to two million entries.
const MOST_ENTRIES: usize = 1 << 24;
/// Starts and sweeps of the power method: more find no more in noise (13 x 12 x 14, 20 draws).
const STARTS: usize = 2;
const SWEEPS: usize = 15;
/// Relative growth of the greatest value below which sweeps end.
const STILL: f64 = 1e-4;
/// Modes shorter than this have no correlation worth measuring.
const SHORT: usize = 4;
/// Correlations of neighbours up to which the residual counts as rough.
const LEAST_CORRELATION: f64 = 0.05;

/// The greatest squared length of a best rank-one tensor among residuals with random signs.
///
/// # Complexity
/// `O(240 order N)` up to two million entries, less a draw beyond.
/// Here `N` is the number of entries.
pub(super) fn noise_gain<T: Scalar>(e: &Tensor<T>, rng: &mut impl Rng) -> Result<f64, Error> {
    let n = e.as_slice().len();
    let flips = (MOST_ENTRIES / n.max(1)).clamp(2, FLIPS);
    let mut flipped = e.clone();
    let mut top = 0.0f64;
    for _ in 0..flips {
        for chunk in flipped.as_mut_slice().chunks_mut(64) {
            let signs: u64 = rng.random();
            for (k, x) in chunk.iter_mut().enumerate() {
                if signs >> k & 1 == 1 {
                    *x = -*x;
                }
            }
        }
        let (length, _) = best_rank_one(flipped.view(), STARTS, SWEEPS, rng)?;
        top = top.max(length * length);
    }
    Ok(top)
}

/// The length of the best rank-one tensor found, and its factors with the length in the last.
pub(super) fn best_rank_one<T: Scalar>(
    t: TensorView<'_, T>,
    starts: usize,
    sweeps: usize,
    rng: &mut impl Rng,
) -> Result<(f64, Vec<Factor<T>>), Error> {
    let draw = |n: usize, rng: &mut _| {
        unit(Factor::from_fn(n, starts, |_, _| {
            T::from_parts(normal(rng), if T::COMPLEX { normal(rng) } else { 0.0 })
        }))
        .0
    };
    let mut factors: Vec<Factor<T>> = t.dims().iter().map(|&n| draw(n, rng)).collect();
    let mut lengths = vec![0.0f64; starts];
    let mut before = 0.0;
    for _ in 0..sweeps {
        for m in 0..factors.len() {
            let update = if T::COMPLEX {
                mttkrp(t, &Vec::from_iter(factors.iter().map(Factor::conj)), m)?
            } else {
                mttkrp(t, &factors, m)?
            };
            (factors[m], lengths) = unit(update);
        }
        let top = lengths.iter().copied().fold(0.0, f64::max);
        if top - before <= STILL * top {
            break;
        }
        before = top;
    }
    let best = (0..starts)
        .max_by(|&a, &b| lengths[a].total_cmp(&lengths[b]))
        .unwrap_or(0);
    let mut one: Vec<Factor<T>> = Vec::with_capacity(factors.len());
    for f in &factors {
        one.push(Factor::new(f.rows(), 1, f.column(best).to_vec())?);
    }
    if let Some(last) = one.last_mut() {
        last.scale_column(0, lengths[best]);
    }
    Ok((lengths[best], one))
}

/// The factor with unit columns, and their lengths; a column of zeros stays.
fn unit<T: Scalar>(mut f: Factor<T>) -> (Factor<T>, Vec<f64>) {
    let lengths: Vec<f64> = (0..f.cols())
        .map(|r| small::norm_sq(f.column(r)).sqrt())
        .collect();
    for (r, &l) in lengths.iter().enumerate() {
        if l > 0.0 {
            f.scale_column(r, 1.0 / l);
        }
    }
    (f, lengths)
}

/// How many times more a component gains from a residual that is smooth along modes than from one with independent
/// entries: `prod (1 + rho) / (1 - rho)` over modes whose neighbours correlate by `rho`. Entries that are exactly zero
/// were not observed.
pub(super) fn smoothness<T: Scalar>(e: &Tensor<T>) -> f64 {
    let data = e.as_slice();
    let least = LEAST_CORRELATION.max(4.0 / (data.len() as f64).sqrt());
    let (mut stride, mut out) = (1, 1.0);
    for &n in e.dims() {
        let (mut product, mut size) = (0.0, 0.0);
        for slab in data.chunks_exact(stride * n) {
            for (x, y) in slab.iter().zip(&slab[stride.min(slab.len())..]) {
                let (a, b) = (x.abs_sq(), y.abs_sq());
                if a > 0.0 && b > 0.0 {
                    product += (*x * y.conj()).re();
                    size += 0.5 * (a + b);
                }
            }
        }
        stride *= n;
        let rho = if size > 0.0 { product / size } else { 0.0 };
        if n >= SHORT && rho > least {
            let rho = rho.min(0.999);
            out *= (1.0 + rho) / (1.0 - rho);
        }
    }
    out
}
