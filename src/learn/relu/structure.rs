//! Is anything left in the residual but noise? Tests of the hypothesis that it is independent of the inputs.

use super::directions::subspace::{SIGNIFICANT, loudest};
use super::sample::Sample;
use crate::Error;
use crate::fit::Check;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

/// Highest degree that is tested.
pub(super) const DEGREES: usize = 6;
/// Samples that enter the pairwise statistic; its cost is their square.
const PAIRED: usize = 4000;
/// Samples of a first look.
const GLANCED: usize = 1000;
/// Pairs whose kernels are formed together.
const LANES: usize = 8;
/// Samples per task of that statistic.
const BLOCK: usize = 250;
/// Standard deviations that a statistic may reach by chance. The statistics are degenerate U-statistics with
/// tails heavier than normal, hence more than the 4 or 5 that normal tails would ask for; a judgement, not a
/// calibration.
const ALLOWED: f64 = 6.0;

/// For each degree `m = 1..=6` the statistic `sum_{i<j} e_i e_j <H_m(x_i), H_m(x_j)> / m!`, which estimates the
/// residual's variance in degree `m`, in units of its standard deviation when `e` is independent of `x`.
///
/// The kernel comes from Mehler's generating function `sum_m t^m f_m = (1 - t^2)^(-d/2)
/// exp((2 t c - t^2 q) / (2 (1 - t^2)))` with `c = <x, x'>`, `q = |x|^2 + |x'|^2`, whose logarithmic derivative
/// gives `(m+1) f_{m+1} = c f_m + (d - q + 2(m-1)) f_{m-1} + c f_{m-2} - (d + m - 3) f_{m-3}`.
///
/// Only the first `most` samples enter.
pub(super) fn degrees(sample: &Sample, residual: &[f64], most: usize) -> [f64; DEGREES] {
    let n = sample.len().min(most);
    let d = sample.dim();
    let x = sample.inputs().subcols(0, n);
    let squares: Vec<f64> = (0..n)
        .map(|j| (0..d).map(|i| x[(i, j)] * x[(i, j)]).sum())
        .collect();
    let block = |b: usize| {
        let (from, m) = (b * BLOCK, BLOCK.min(n - b * BLOCK));
        let products = x.subcols(0, from + m).transpose() * x.subcols(from, m);
        let (mut sums, mut variances) = ([0.0; DEGREES], [0.0; DEGREES]);
        for j in 0..m {
            let column = &products.col_as_slice(j)[..from + j];
            let (q, e) = (squares[from + j], residual[from + j]);
            for (at, c) in column.chunks(LANES).enumerate() {
                let first = at * LANES;
                let mut lanes = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
                for (l, &c) in c.iter().enumerate() {
                    lanes.0[l] = c;
                    lanes.1[l] = squares[first + l] + q;
                    // Lanes past the end keep weight zero.
                    lanes.2[l] = residual[first + l] * e;
                }
                let f = kernels(lanes.0, lanes.1, d as f64);
                for m in 0..DEGREES {
                    for (f, w) in f[m].iter().zip(&lanes.2) {
                        sums[m] += w * f;
                        variances[m] += (w * f) * (w * f);
                    }
                }
            }
        }
        (sums, variances)
    };
    let blocks: Vec<_> = (0..n.div_ceil(BLOCK)).into_par_iter().map(block).collect();
    let (mut sums, mut variances) = ([0.0; DEGREES], [0.0; DEGREES]);
    for (s, v) in blocks {
        for m in 0..DEGREES {
            sums[m] += s[m];
            variances[m] += v[m];
        }
    }
    std::array::from_fn(|m| {
        let sd = variances[m].sqrt();
        if sd > 0.0 { sums[m] / sd } else { 0.0 }
    })
}

/// The least share of the residual's variance in degree 2 that `n` samples in `d` dimensions reveal: the
/// statistic of [`degrees`] is about `share * n / sqrt(2 binomial(d + 1, 2))`.
pub(super) fn least_visible(n: usize, d: usize) -> f64 {
    let (n, d) = (n.min(PAIRED) as f64, d as f64);
    ALLOWED * (d * (d + 1.0)).sqrt() / n
}

/// `<H_m(x), H_m(x')> / m!` for `m = 1..=6` from `c = <x, x'>` and `q = |x|^2 + |x'|^2`, for several pairs.
pub(super) fn kernels<const L: usize>(c: [f64; L], q: [f64; L], d: f64) -> [[f64; L]; DEGREES] {
    // Three zeros stand for the coefficients of negative index.
    let mut f = [[0.0; L]; DEGREES + 4];
    f[3] = [1.0; L];
    for m in 0..DEGREES {
        let at = m + 3;
        let m = m as f64;
        for l in 0..L {
            f[at + 1][l] = (c[l] * (f[at][l] + f[at - 2][l])
                + (d - q[l] + 2.0 * (m - 1.0)) * f[at - 1][l]
                - (d + m - 3.0) * f[at - 3][l])
                / (m + 1.0);
        }
    }
    std::array::from_fn(|m| f[m + 4])
}

/// Whether any of the tests of [`evidence`] fails; stops at the first, the cheap ones come first.
pub(super) fn visible(sample: &Sample, residual: &[f64]) -> Result<bool, Error> {
    // Written so that NaN counts as visible.
    let seen = |most: usize| {
        let z = degrees(sample, residual, most);
        z.iter().any(|&z| !(z <= ALLOWED))
    };
    let (loud, allowed) = loudness(sample, residual)?;
    Ok(!(loud <= allowed) || seen(GLANCED) || seen(PAIRED))
}

/// Structure in the degrees three and five, which no network through the origin has.
pub(super) const ODD: &str = "relu.odd-structure";
/// Structure in the other degrees.
const EVEN: &str = "relu.structure";

/// The tests as evidence: one per degree, one for the spectra of label transforms of the residual.
pub(super) fn checks(sample: &Sample, residual: &[f64]) -> Result<Vec<Check>, Error> {
    let mut found: Vec<Check> = degrees(sample, residual, PAIRED)
        .into_iter()
        .enumerate()
        .map(|(m, z)| {
            let key = if m == 2 || m == 4 { ODD } else { EVEN };
            let name = format!("structure of degree {} in the residual (deviations)", m + 1);
            Check::sampling(key, name, z, ALLOWED)
        })
        .collect();
    let (loud, allowed) = loudness(sample, residual)?;
    let name = "dependence of the residual's size on a direction (of the noise edge)";
    found.push(Check::sampling("relu.residual-size", name, loud, allowed));
    Ok(found)
}

/// Beyond so many edges no order of a residual comes by chance.
const DOUBTFUL: f64 = 2.0 * SIGNIFICANT;
/// Orders of the residual that a doubtful statistic is held against.
const ORDERS: usize = 59;
/// How far beyond the greatest of them structure begins.
const BEYOND: f64 = 1.15;

/// The greatest eigenvalue of a transform of the residual, in edges, and what it may be by chance.
fn loudness(sample: &Sample, residual: &[f64]) -> Result<(f64, f64), Error> {
    let loud = loudest(sample, residual)?;
    let allowed = match loud > SIGNIFICANT && loud <= DOUBTFUL {
        true => loud_by_chance(sample, residual, loud)?,
        false => SIGNIFICANT,
    };
    Ok((loud, allowed))
}

/// What a residual of this law shows where it is independent of the inputs: 1.15 times the greatest of some orders
/// of its entries, each as likely as the one seen, and the edge's own bound at least. The first order that reaches
/// what was `seen` ends it.
fn loud_by_chance(sample: &Sample, residual: &[f64], seen: f64) -> Result<f64, Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(residual.len() as u64);
    let mut order = residual.to_vec();
    let mut bound = SIGNIFICANT;
    for _ in 0..ORDERS {
        order.shuffle(&mut rng);
        bound = bound.max(BEYOND * loudest(sample, &order)?);
        if bound >= seen {
            break;
        }
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;
    use rand_distr::{Distribution, StandardNormal};

    /// In few dimensions the edge of a random matrix is no bound: one noise in four was taken for structure.
    #[test]
    fn noise_of_one_input_is_not_structure() -> Result<(), Error> {
        let (mut refused, mut seen) = (0, 0);
        for seed in 0..100 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
            let x = Mat::from_fn(1, 300, |_, _| normal());
            let noise: Vec<f64> = (0..300).map(|_| normal()).collect();
            let growing = (0..300)
                .map(|j| noise[j] * (0.2 + x[(0, j)].abs()))
                .collect();
            for (e, count) in [(noise, &mut refused), (growing, &mut seen)] {
                let sample = Sample::new(x.as_ref(), e);
                let holds = checks(&sample, &sample.y)?;
                let size = holds.iter().filter(|c| c.key == "relu.residual-size");
                *count += size.filter(|c| !c.holds()).count();
            }
        }
        assert!(
            refused <= 2 && seen >= 95,
            "{refused} of 100, {seen} of 100"
        );
        Ok(())
    }
}
