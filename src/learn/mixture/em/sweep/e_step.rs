//! The E-step of one block of rows: posterior shares and log densities, on vectors.
//!
//! Rows of a block are columns here, so that every inner loop runs along them; the instruction set is chosen
//! when the program runs. No operation is fused or reordered, so the bits do not depend on it.

use crate::learn::mixture::gaussian::GaussianMixture;
use faer::linalg::matmul::matmul;
use faer::traits::pulp::Arch;
use faer::{Accum, MatMut, MatRef, Par};

/// Rows handled together.
pub(in crate::learn::mixture) const BLOCK: usize = 256;
/// Loops run over multiples of this many rows.
const LANES: usize = 8;
/// From this many columns on, triangular solves are matrix products.
const WIDE: usize = 16;
/// The exponential of less is zero.
const UNDERFLOW: f64 = -708.0;

/// Buffers of one block of the E-step; coordinate `a` of row `i` lies at `a * BLOCK + i`.
pub(in crate::learn::mixture) struct Work {
    rows: usize,
    columns: Vec<f64>,
    /// Per coordinate: the block minus the mean of the component last asked for, see [`Work::centre`].
    pub(in crate::learn::mixture) centred: Vec<f64>,
    solved: Vec<f64>,
    shares: Vec<f64>,
    /// Of each row of the block.
    pub(in crate::learn::mixture) log_density: Vec<f64>,
    most: Vec<f64>,
    total: Vec<f64>,
}

/// Cholesky factor of one covariance.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::learn::mixture) struct Factor {
    /// Lower triangular, row by row; the diagonal holds reciprocals.
    pub(in crate::learn::mixture) lower: Vec<f64>,
    /// The inverse, row by row, from [`WIDE`] columns on; else empty.
    inverse: Vec<f64>,
    diagonal: bool,
    /// `log w - (n log 2 pi + log det Sigma) / 2`.
    log_scale: f64,
}

impl Work {
    pub(in crate::learn::mixture) fn new(dim: usize, components: usize) -> Self {
        Self {
            rows: 0,
            columns: vec![0.0; dim * BLOCK],
            centred: vec![0.0; dim * BLOCK],
            solved: vec![0.0; dim * BLOCK],
            shares: vec![0.0; components * BLOCK],
            log_density: vec![0.0; BLOCK],
            most: vec![0.0; BLOCK],
            total: vec![0.0; BLOCK],
        }
    }

    /// Posterior shares of component `j`.
    pub(in crate::learn::mixture) fn share(&self, j: usize) -> &[f64] {
        &self.shares[j * BLOCK..j * BLOCK + self.rows]
    }

    /// Makes `centred` the block minus `mean`.
    pub(in crate::learn::mixture) fn centre(&mut self, mean: &[f64]) {
        let lanes = self.rows.next_multiple_of(LANES).min(BLOCK);
        Arch::new().dispatch(
            #[inline(always)]
            || self.centre_lanes(mean, lanes),
        );
    }

    #[inline(always)]
    fn centre_lanes(&mut self, mean: &[f64], lanes: usize) {
        let columns = self.columns.chunks_exact(BLOCK).zip(mean);
        for (y, (x, mean)) in self.centred.chunks_exact_mut(BLOCK).zip(columns) {
            for (y, x) in y[..lanes].iter_mut().zip(&x[..lanes]) {
                *y = x - mean;
            }
        }
    }

    /// Rows so far from every component that all joint densities underflow: equal shares.
    fn mend(&mut self, components: usize) {
        for i in 0..self.rows {
            if self.most[i] == f64::NEG_INFINITY {
                self.log_density[i] = f64::NEG_INFINITY;
                (0..components).for_each(|j| self.shares[j * BLOCK + i] = 1.0 / components as f64);
            }
        }
    }
}

/// Log joint densities to posterior shares and log densities, by the log-sum-exp of each row; one component after the other at
/// distances of `stride`. Whole runs of shares below `exp(least)` of the greatest of their rows are set to zero, so where components
/// are far apart few exponentials are taken.
#[inline(always)]
pub(super) fn normalise(
    shares: &mut [f64],
    stride: usize,
    (most, total, log_density): (&mut [f64], &mut [f64], &mut [f64]),
    least: f64,
) {
    let lanes = most.len();
    most.fill(f64::NEG_INFINITY);
    for share in shares.chunks_exact(stride) {
        for (m, s) in most.iter_mut().zip(share) {
            *m = if *s > *m { *s } else { *m };
        }
    }
    total.fill(0.0);
    for share in shares.chunks_exact_mut(stride) {
        let runs = share[..lanes].chunks_exact_mut(LANES);
        let others = most.chunks_exact(LANES).zip(total.chunks_exact_mut(LANES));
        for (run, (m, t)) in runs.zip(others) {
            let gaps: [f64; LANES] = std::array::from_fn(|i| run[i] - m[i]);
            // Not a number counts as below.
            if gaps.iter().fold(false, |any, g| any | (*g > least)) {
                for i in 0..LANES {
                    run[i] = exp_negative(gaps[i]);
                    t[i] += run[i];
                }
            } else {
                run.fill(0.0);
            }
        }
    }
    for ((l, t), m) in log_density
        .iter_mut()
        .zip(total.iter_mut())
        .zip(most.iter())
    {
        *l = *m + log_moderate(*t);
        *t = 1.0 / *t;
    }
    for share in shares.chunks_exact_mut(stride) {
        for (s, t) in share.iter_mut().zip(total.iter()) {
            *s *= *t;
        }
    }
}

impl GaussianMixture {
    /// Posterior shares of the components and log densities of at most [`BLOCK`] rows.
    pub(in crate::learn::mixture) fn posterior(&self, rows: &[f64], work: &mut Work) {
        let (dim, count) = (self.dim(), (rows.len() / self.dim()).min(BLOCK));
        let lanes = count.next_multiple_of(LANES).min(BLOCK);
        work.rows = count;
        for (i, row) in rows.chunks_exact(dim).take(count).enumerate() {
            for (a, x) in row.iter().enumerate() {
                work.columns[a * BLOCK + i] = *x;
            }
        }
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (j, (c, factor)) in self.components().iter().zip(self.factors()).enumerate() {
                    work.centre_lanes(&c.mean, lanes);
                    let share = &mut work.shares[j * BLOCK..j * BLOCK + lanes];
                    factor.log_joint(&work.centred, &mut work.solved, share);
                }
                let (most, total) = (&mut work.most[..lanes], &mut work.total[..lanes]);
                let lines = (most, total, &mut work.log_density[..lanes]);
                normalise(&mut work.shares, BLOCK, lines, UNDERFLOW);
            },
        );
        work.mend(self.len());
    }
}

impl Factor {
    /// `lower` as in the field, of a covariance with logarithm of determinant `log_det`.
    pub(in crate::learn::mixture) fn new(lower: Vec<f64>, dim: usize, log_scale: f64) -> Self {
        let off = |i: usize| i % dim < i / dim && lower[i] != 0.0;
        let diagonal = !(0..dim * dim).any(off);
        let mut factor = Self {
            lower,
            inverse: Vec::new(),
            diagonal,
            log_scale,
        };
        if dim >= WIDE && !diagonal {
            factor.inverse = factor.inverse(dim);
        }
        factor
    }

    /// The inverse of the factor, row by row.
    pub(super) fn inverse(&self, dim: usize) -> Vec<f64> {
        if !self.inverse.is_empty() {
            return self.inverse.clone();
        }
        let mut columns = vec![0.0; dim * dim];
        (0..dim).for_each(|a| columns[a * dim + a] = 1.0);
        self.forward(&mut columns, dim, dim);
        columns
    }

    /// `log w - (n log 2 pi + log det Sigma) / 2`.
    pub(super) fn log_scale(&self) -> f64 {
        self.log_scale
    }

    /// Writes `log w + log N(x; mu, Sigma)` of each row.
    #[inline(always)]
    fn log_joint(&self, centred: &[f64], solved: &mut [f64], share: &mut [f64]) {
        let lanes = share.len();
        share.fill(0.0);
        if self.diagonal {
            let dim = centred.len() / BLOCK;
            for (a, y) in centred.chunks_exact(BLOCK).enumerate() {
                let reciprocal = self.lower[a * dim + a];
                for (s, y) in share.iter_mut().zip(y) {
                    let v = y * reciprocal;
                    *s += v * v;
                }
            }
            return share
                .iter_mut()
                .for_each(|s| *s = self.log_scale - 0.5 * *s);
        }
        if self.inverse.is_empty() {
            solved.copy_from_slice(centred);
            self.forward(solved, BLOCK, lanes);
        } else {
            let dim = centred.len() / BLOCK;
            let y = MatRef::from_column_major_slice(centred, BLOCK, dim).subrows(0, lanes);
            let out = MatMut::from_column_major_slice_mut(solved, BLOCK, dim);
            let out = out.subrows_mut(0, lanes);
            // The inverse by rows is its transpose by columns.
            let inverse = MatRef::from_column_major_slice(&self.inverse, dim, dim);
            matmul(out, Accum::Replace, y, inverse, 1.0, Par::Seq);
        }
        for solved in solved.chunks_exact(BLOCK) {
            for (s, v) in share.iter_mut().zip(&solved[..lanes]) {
                *s += v * v;
            }
        }
        for s in share.iter_mut() {
            *s = self.log_scale - 0.5 * *s;
        }
    }

    /// Solves `L y = v` in place for `lanes` right-hand sides, coordinate-major with the given stride.
    #[inline(always)]
    pub(in crate::learn::mixture) fn forward(&self, y: &mut [f64], stride: usize, lanes: usize) {
        let dim = y.len() / stride;
        for a in 0..dim {
            let (before, rest) = y.split_at_mut(a * stride);
            let current = &mut rest[..lanes];
            let first = if self.diagonal { a } else { 0 };
            for (b, known) in before.chunks_exact(stride).enumerate().skip(first) {
                let l = self.lower[a * dim + b];
                for (c, k) in current.iter_mut().zip(&known[..lanes]) {
                    *c -= l * k;
                }
            }
            let reciprocal = self.lower[a * dim + a];
            for c in current.iter_mut() {
                *c *= reciprocal;
            }
        }
    }

    /// Solves `L' y = v` in place.
    pub(in crate::learn::mixture) fn backward(&self, y: &mut [f64]) {
        let dim = y.len();
        for a in (0..dim).rev() {
            for b in a + 1..dim {
                y[a] -= self.lower[b * dim + a] * y[b];
            }
            y[a] *= self.lower[a * dim + a];
        }
    }
}

/// `exp(x)` for `x <= 0` within two units in the last place; zero below -708, NaN becomes a number.
///
/// `x = k log 2 + r` with `|r| <= log(2)/2`, where Taylor's polynomial of degree 12 is exact to 2e-16.
#[inline(always)]
fn exp_negative(x: f64) -> f64 {
    // 3 * 2^51: adding it leaves the nearest integer in the low bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    // log 2 in two pieces, the first with 21 trailing zeros.
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let inside = if x > -708.0 { x } else { -708.0 };
    let shifted = inside * std::f64::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = (inside - k * HIGH) - k * LOW;
    let mut p = 1.0 / 479_001_600.0;
    for c in [
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        p = p * r + c;
    }
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits()));
    if x > -708.0 { p * power } else { 0.0 }
}

/// `log(x)` for normal positive `x`, within a few units in the last place of `max(|log x|, log 2)`.
///
/// `x = 2^k m` with `m` in `[3/4, 3/2)`, and `log m = 2 atanh((m - 1) / (m + 1))` by its series in a square of
/// at most 1/25.
#[inline(always)]
fn log_moderate(x: f64) -> f64 {
    let bits = x.to_bits();
    // 1.5 has the mantissa bit 51 set: then the next power of two is nearer.
    let k = ((bits >> 52) & 0x7ff) + ((bits >> 51) & 1);
    let m = f64::from_bits(bits.wrapping_sub(k.wrapping_sub(1023) << 52));
    // An integer below 2^52 as a number, without a conversion that vectors lack.
    const TWO_52: f64 = 4_503_599_627_370_496.0;
    let exponent = f64::from_bits(k | TWO_52.to_bits()) - TWO_52 - 1023.0;
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let mut p = 1.0 / 23.0;
    for c in [
        1.0 / 21.0,
        1.0 / 19.0,
        1.0 / 17.0,
        1.0 / 15.0,
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        1.0 / 5.0,
        1.0 / 3.0,
        1.0,
    ] {
        p = p * q + c;
    }
    exponent * std::f64::consts::LN_2 + 2.0 * s * p
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Matrix products and triangular solves agree, in the E-step and in the sums of the M-step.
    #[test]
    fn wide_rows_are_handled_as_narrow_ones() {
        use super::super::m_step::{Scatter, statistics};
        use crate::learn::mixture::em::covariance_kind::CovarianceKind;
        use crate::learn::mixture::gaussian::Component;
        let (dim, n) = (20, 300);
        let entry = |i: usize| ((i * i + 3 * i) as f64 * 0.61).sin();
        let rows: Vec<f64> = (0..dim * n).map(entry).collect();
        let mut covariance = vec![0.0; dim * dim];
        for a in 0..dim {
            for b in 0..dim {
                let low_rank: f64 = (0..3).map(|k| entry(a + 40 * k) * entry(b + 40 * k)).sum();
                covariance[a * dim + b] = low_rank + f64::from(u8::from(a == b));
            }
        }
        let component = Component {
            weight: 1.0,
            mean: rows[..dim].to_vec(),
            covariance,
        };
        let m = GaussianMixture::new(dim, vec![component]).unwrap();
        let factor = &m.factors()[0];
        assert_eq!(factor.inverse.len(), dim * dim);
        for (row, got) in rows.chunks_exact(dim).zip(m.log_density(&rows)) {
            let mut y: Vec<f64> = row.iter().zip(&rows[..dim]).map(|(x, m)| x - m).collect();
            factor.forward(&mut y, 1, 1);
            let want = factor.log_scale - 0.5 * y.iter().map(|y| y * y).sum::<f64>();
            // The condition of the covariance is below 100.
            assert!((got - want).abs() <= 1e4 * f64::EPSILON * want.abs());
        }
        let mean = |a: usize| (0..n).map(|i| rows[i * dim + a]).sum::<f64>() / n as f64;
        let s = statistics(&rows, &m, Scatter::Full);
        let floor = crate::learn::mixture::em::floor::Floor::spherical(dim, 1e-9);
        let next = s.update(&m, CovarianceKind::Full, &floor).unwrap().mixture;
        for (a, b) in [(0, 0), (7, 3), (19, 18)] {
            let products =
                (0..n).map(|i| (rows[i * dim + a] - mean(a)) * (rows[i * dim + b] - mean(b)));
            let want = products.sum::<f64>() / n as f64;
            let got = next.components()[0].covariance[a * dim + b];
            assert!(
                (got - want).abs() <= 1e3 * f64::EPSILON,
                "{a} {b} {got} {want}"
            );
        }
    }

    #[test]
    fn logarithm_and_exponential_are_those_of_the_library() {
        for i in 0..20_000 {
            let x = -f64::from(i) * 0.0354;
            let (got, want) = (exp_negative(x), x.exp());
            // Arguments are exact to half a unit in the last place of x, which exp multiplies.
            let allowed = 3.0 * f64::EPSILON * want + f64::MIN_POSITIVE;
            assert!((got - want).abs() <= allowed, "{x} {got} {want}");
            let y = 1.0 + f64::from(i) * 0.01;
            let (got, want) = (log_moderate(y), y.ln());
            assert!(
                (got - want).abs() <= 4.0 * f64::EPSILON * want.max(0.7),
                "{y}"
            );
        }
        assert_eq!(exp_negative(f64::NEG_INFINITY), 0.0);
        assert_eq!((exp_negative(0.0), log_moderate(1.0)), (1.0, 0.0));
    }
}
