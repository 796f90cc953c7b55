//! The log-density from the scores of all noise levels.

use super::denoiser::Denoiser;
use super::noise_levels::generator;
use crate::Error;
use crate::linalg;
use faer::Mat;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::{ParallelIterator, ParallelSlice};

const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;
/// Nodes of the trapezoidal rule for each factor of e in `t`.
const NODES_PER_E: f64 = 2.0;
/// Lowest `t` of the rule; below it the integrand is constant to this accuracy.
const LOWEST: f64 = 1e-3;
/// Below this `t` the noise moves no point far: a coarser rule will do.
const LITTLE: f64 = 0.05;
/// Points of the Gauss-Hermite rules in one dimension and along each of two: full, to compare with, and for little noise.
const LINE: [usize; 3] = [16, 11, 3];
const PLANE: [usize; 3] = [6, 5, 3];
/// Antithetic pairs in more dimensions.
const PAIRS: [usize; 3] = [64, 64, 16];
/// The generator of the pairs: the same for every row, model and run.
const STREAM: u64 = 0x6465_6e73_6974_7931;

/// Parts of the pairs whose means tell how far off the mean of all is.
const BATCHES: usize = 8;

/// A rule for expectations over standard normal points.
struct Rule {
    points: Vec<f64>,
    weights: Vec<f64>,
    /// Parts that are rules of their own: one, or [`BATCHES`].
    batches: usize,
}

impl Rule {
    /// Gauss and Hermite's, by the spectrum of the Jacobi matrix (Golub and Welsch 1969), in one or two dimensions.
    fn product(dim: usize, count: usize) -> Result<Self, Error> {
        let root = |i: usize, j: usize| match i.abs_diff(j) {
            1 => (i.max(j) as f64).sqrt(),
            _ => 0.0,
        };
        let jacobi = Mat::from_fn(count, count, root);
        let e = linalg::symmetric_eigen("ScoreModel::log_density", jacobi.as_ref())?;
        let weight = |k: usize| e.vectors[(0, k)] * e.vectors[(0, k)];
        let mut rule = Self {
            points: Vec::new(),
            weights: Vec::new(),
            batches: 1,
        };
        for i in 0..count.pow(dim as u32) {
            let places = (0..dim).map(|a| i / count.pow(a as u32) % count);
            rule.points.extend(places.clone().map(|k| e.values[k]));
            rule.weights.push(places.map(weight).product());
        }
        Ok(rule)
    }

    /// The first pairs of a fixed sequence of normal points, whose covariance is made exact.
    fn pairs(dim: usize, count: usize) -> Result<Self, Error> {
        let mut rng = generator(STREAM, 2, dim as u64);
        let z: Vec<f64> = (0..count * dim)
            .map(|_| StandardNormal.sample(&mut rng))
            .collect();
        let mut points: Vec<f64> = z
            .chunks_exact(dim)
            .flat_map(|z| z.iter().copied().chain(z.iter().map(|x| -x)))
            .collect();
        if count >= 2 * dim {
            let rows = Mat::from_fn(count, dim, |i, a| z[i * dim + a]);
            let second = rows.transpose() * &rows;
            let e = linalg::symmetric_eigen("ScoreModel::log_density", second.as_ref())?;
            let scale = |k: usize| (count as f64 / e.values[k].max(f64::MIN_POSITIVE)).sqrt();
            let white = Mat::from_fn(dim, dim, |a, b| {
                (0..dim)
                    .map(|k| e.vectors[(a, k)] * scale(k) * e.vectors[(b, k)])
                    .sum::<f64>()
            });
            for point in points.chunks_exact_mut(dim) {
                let z = point.to_vec();
                for (a, p) in point.iter_mut().enumerate() {
                    *p = (0..dim).map(|b| white[(a, b)] * z[b]).sum();
                }
            }
        }
        Ok(Self {
            points,
            weights: vec![0.5 / count as f64; 2 * count],
            batches: BATCHES,
        })
    }

    fn of(dim: usize, which: usize) -> Result<Self, Error> {
        match dim {
            1 => Self::product(1, LINE[which]),
            2 => Self::product(2, PLANE[which]),
            _ => Self::pairs(dim, PAIRS[which]),
        }
    }
}

/// `log p(x)` of each row of `x`, at noise level one and mean zero, and an estimate of the error of the two rules.
///
/// With `y = x + sqrt(t) z` and the score `s_T(y) = (m_T(y) - y) / T`, `T = 1 + t`, the heat equation gives
/// `d/dt E log p_T(y) = E[div s_T + |s_T|^2 / 2]` and Stein's lemma `E div s_T = E <s_T, z> / sqrt(t)`, so
/// `log p(x) = E log p_T(y) at the top - int_0^top E[<s_t, z>/sqrt(t) + |s_t|^2/2] dt`.
/// The same identity holds for the Gaussian with the same two moments; subtracting the two leaves a small
/// integrand that vanishes at the top, which is what is integrated, by the trapezoidal rule in `log t`. The expectation is
/// that of a rule of Gauss and Hermite in one and two dimensions, and a mean over fixed antithetic pairs in more; both
/// are the same for every row, so that a row has one density whatever stands beside it. The error is the distance to
/// every second node with a coarser rule, and the standard error of the mean over eight parts of the pairs.
///
/// # Source
/// The likelihood identity of arXiv 2504.05161, in heat-flow time; the Gaussian control is ours.
pub(in crate::learn::mixture) fn log_density(
    denoiser: &dyn Denoiser,
    spectrum: &[f64],
    top: f64,
    x: &[f64],
) -> Result<Vec<(f64, f64)>, Error> {
    let dim = denoiser.dim();
    if dim == 0 {
        return Ok(Vec::new());
    }
    let (low, high) = (LOWEST.ln(), (top - 1.0).max(2.0 * LOWEST).ln());
    // An even number, so that every second node is a rule.
    let nodes = 2 * (0.5 * (high - low) * NODES_PER_E).ceil().max(1.0) as usize;
    let step = (high - low) / nodes as f64;
    let rules = [Rule::of(dim, 0)?, Rule::of(dim, 1)?, Rule::of(dim, 2)?];
    let batches = rules[0].batches;
    let blocks: Vec<Vec<(f64, f64)>> = x
        .par_chunks(16 * dim)
        .map(|rows| {
            let count = rows.len() / dim;
            let mut fine = vec![0.0; count * batches];
            let mut coarse = vec![0.0; count];
            for node in 0..=nodes {
                let t = (low + node as f64 * step).exp();
                let inner = if node == 0 || node == nodes { 0.5 } else { 1.0 };
                // dt = t d(log t); the first node also stands for [0, LOWEST].
                let first = if node == 0 { t } else { 0.0 };
                let weight = |step: f64| inner * step * t + first;
                let little = t < LITTLE;
                let f = integrand(
                    denoiser,
                    spectrum,
                    rows,
                    &rules[if little { 2 } else { 0 }],
                    t,
                );
                for (sum, f) in fine.iter_mut().zip(&f) {
                    *sum += weight(step) * f;
                }
                if node % 2 == 0 {
                    let g = match little || batches > 1 {
                        true => f,
                        false => integrand(denoiser, spectrum, rows, &rules[1], t),
                    };
                    for (sum, g) in coarse.iter_mut().zip(g.chunks_exact(batches)) {
                        *sum += weight(2.0 * step) * g.iter().sum::<f64>();
                    }
                }
            }
            let each = rows
                .chunks_exact(dim)
                .zip(fine.chunks_exact(batches))
                .zip(&coarse);
            each.map(|((row, fine), coarse)| {
                let total: f64 = fine.iter().sum();
                let b = batches as f64;
                let spread = fine.iter().map(|f| (b * f - total).powi(2)).sum::<f64>();
                let error = (spread / (b * (b - 1.0).max(1.0))).sqrt() + (total - coarse).abs();
                (gaussian(row, spectrum) - total, error)
            })
            .collect()
        })
        .collect();
    Ok(blocks.concat())
}

/// `E[<s - g, z>/sqrt(t) + (|s|^2 - |g|^2)/2]` for each row, `g` the score of the Gaussian; the parts of the sum from each
/// batch of the rule.
fn integrand(
    denoiser: &dyn Denoiser,
    spectrum: &[f64],
    rows: &[f64],
    rule: &Rule,
    t: f64,
) -> Vec<f64> {
    let dim = spectrum.len();
    let (temperature, root) = (1.0 + t, t.sqrt());
    let mut y = Vec::with_capacity(rows.len() * rule.weights.len());
    for row in rows.chunks_exact(dim) {
        for z in rule.points.chunks_exact(dim) {
            y.extend(row.iter().zip(z).map(|(x, z)| x + root * z));
        }
    }
    let mut m = vec![0.0; y.len()];
    denoiser.evaluate(&y, temperature, &mut m, None);
    let size = rule.weights.len() / rule.batches;
    let mut sums = Vec::with_capacity(rows.len() / dim * rule.batches);
    let points = y.chunks_exact(dim).zip(m.chunks_exact(dim)).enumerate();
    for (i, (y, m)) in points {
        let k = i % rule.weights.len();
        if k.is_multiple_of(size) {
            sums.push(0.0);
        }
        let z = &rule.points[k * dim..(k + 1) * dim];
        let mut here = 0.0;
        for a in 0..dim {
            let s = (m[a] - y[a]) / temperature;
            let g = -y[a] / (spectrum[a] + t);
            here += (s - g) * z[a] / root + 0.5 * (s * s - g * g);
        }
        if let Some(sum) = sums.last_mut() {
            *sum += rule.weights[k] * here;
        }
    }
    sums
}

/// `log N(x; 0, diag(variances))`.
pub(in crate::learn::mixture) fn gaussian(x: &[f64], variances: &[f64]) -> f64 {
    let terms = x
        .iter()
        .zip(variances)
        .map(|(x, v)| x * x / v + v.ln() + LOG_TWO_PI);
    -0.5 * terms.sum::<f64>()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::learn::mixture::gaussian::GaussianMixture;
    use crate::learn::mixture::score::denoiser::Atoms;

    /// With exact scores the density is exact up to the rules, and the error is said.
    #[test]
    fn exact_scores_give_the_density() {
        for (dim, allowed) in [(1, 0.005), (2, 0.01), (4, 0.15)] {
            let at =
                |j: usize| (0..dim).map(move |a| if a == j % dim { 3.0 } else { -0.5 * j as f64 });
            let atoms = (0..3).map(|j| (1.0 + j as f64, at(j).collect::<Vec<f64>>()));
            let m = GaussianMixture::spherical(dim, atoms, 1.0).unwrap();
            let mut mean = vec![0.0; dim];
            for c in m.components() {
                mean.iter_mut()
                    .zip(&c.mean)
                    .for_each(|(m, x)| *m += c.weight * x);
            }
            let exact = Atoms::of(&m, &mean);
            let spread: Vec<f64> = (0..dim)
                .map(|a| {
                    let each = m.components().iter();
                    1.0 + each
                        .map(|c| c.weight * (c.mean[a] - mean[a]).powi(2))
                        .sum::<f64>()
                })
                .collect();
            let mut rng = generator(5, 0, 0);
            let x = m.sample(200, &mut rng);
            let inside: Vec<f64> = x
                .chunks_exact(dim)
                .flat_map(|r| {
                    r.iter()
                        .zip(&mean)
                        .map(|(x, m)| x - m)
                        .collect::<Vec<f64>>()
                })
                .collect();
            let got = log_density(&exact, &spread, 200.0, &inside).unwrap();
            let want = m.log_density(&x);
            let mut within = 0;
            let mut total = 0.0;
            for ((g, error), w) in got.iter().zip(&want) {
                total += (g - w).abs() / 200.0;
                within += usize::from((g - w).abs() <= 3.0 * error + 0.01);
            }
            assert!(total <= allowed, "{dim}: {total}");
            assert!(within >= 185, "{dim}: {within}");
        }
    }
}
