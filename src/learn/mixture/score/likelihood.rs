//! The log-density from the scores of all noise levels.

use super::denoiser::Denoiser;
use super::noise_levels::generator;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSlice};

const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;
/// Nodes of the trapezoidal rule for each factor of e in `t`.
const NODES_PER_E: f64 = 5.0;
/// Lowest `t` of the rule; below it the integrand is constant to this accuracy.
const LOWEST: f64 = 1e-3;

/// `log p(x)` of each row of `x`, at noise level one and mean zero.
///
/// With `y = x + sqrt(t) z` and the score `s_T(y) = (m_T(y) - y) / T`, `T = 1 + t`, the heat equation gives
/// `d/dt E log p_T(y) = E[div s_T + |s_T|^2 / 2]` and Stein's lemma `E div s_T = E <s_T, z> / sqrt(t)`, so
/// `log p(x) = E log p_T(y) at the top - int_0^top E[<s_t, z>/sqrt(t) + |s_t|^2/2] dt`.
/// The same identity holds for the Gaussian with the same two moments; subtracting the two leaves a small
/// integrand that vanishes at the top, which is what is integrated. The expectation is a mean over `pairs`
/// antithetic pairs, the same for every level.
///
/// # Source
/// The likelihood identity of arXiv 2504.05161, in heat-flow time; the Gaussian control is ours.
pub(in crate::learn::mixture) fn log_density(
    denoiser: &dyn Denoiser,
    spectrum: &[f64],
    top: f64,
    x: &[f64],
    pairs: usize,
    seed: u64,
) -> Vec<f64> {
    let dim = denoiser.dim();
    if dim == 0 {
        return Vec::new();
    }
    let (low, high) = (LOWEST.ln(), (top - 1.0).max(2.0 * LOWEST).ln());
    let nodes = ((high - low) * NODES_PER_E).ceil().max(2.0) as usize;
    let step = (high - low) / nodes as f64;
    let blocks: Vec<Vec<f64>> = x
        .par_chunks(16 * dim)
        .enumerate()
        .map(|(i, rows)| {
            let mut rng = generator(seed, 1, i as u64);
            let z: Vec<f64> = (0..pairs * dim)
                .map(|_| StandardNormal.sample(&mut rng))
                .collect();
            let mut total: Vec<f64> = rows
                .chunks_exact(dim)
                .map(|r| gaussian(r, spectrum))
                .collect();
            for node in 0..=nodes {
                let t = (low + node as f64 * step).exp();
                let inner = if node == 0 || node == nodes { 0.5 } else { 1.0 };
                // dt = t d(log t); the first node also stands for [0, LOWEST].
                let weight = inner * step * t + if node == 0 { t } else { 0.0 };
                for (sum, f) in total
                    .iter_mut()
                    .zip(integrand(denoiser, spectrum, rows, &z, t))
                {
                    *sum -= weight * f;
                }
            }
            total
        })
        .collect();
    blocks.concat()
}

/// `E[<s - g, z>/sqrt(t) + (|s|^2 - |g|^2)/2]` for each row, `g` the score of the Gaussian.
fn integrand(
    denoiser: &dyn Denoiser,
    spectrum: &[f64],
    rows: &[f64],
    z: &[f64],
    t: f64,
) -> Vec<f64> {
    let dim = spectrum.len();
    let (temperature, root) = (1.0 + t, t.sqrt());
    let pairs = z.len() / dim;
    let mut y = Vec::with_capacity(rows.len() * pairs * 2);
    for row in rows.chunks_exact(dim) {
        for noise in z.chunks_exact(dim) {
            for sign in [root, -root] {
                y.extend(row.iter().zip(noise).map(|(x, z)| x + sign * z));
            }
        }
    }
    let mut m = vec![0.0; y.len()];
    denoiser.evaluate(&y, temperature, &mut m, None);
    let per_row = pairs * 2 * dim;
    let means = y
        .chunks_exact(per_row)
        .zip(m.chunks_exact(per_row))
        .map(|(y, m)| {
            let mut sum = 0.0;
            for (k, (y, m)) in y.chunks_exact(dim).zip(m.chunks_exact(dim)).enumerate() {
                let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
                let noise = &z[k / 2 * dim..(k / 2 + 1) * dim];
                for a in 0..dim {
                    let s = (m[a] - y[a]) / temperature;
                    let g = -y[a] / (spectrum[a] + t);
                    sum += (s - g) * sign * noise[a] / root + 0.5 * (s * s - g * g);
                }
            }
            sum / (2 * pairs) as f64
        });
    means.collect()
}

/// `log N(x; 0, diag(variances))`.
pub(in crate::learn::mixture) fn gaussian(x: &[f64], variances: &[f64]) -> f64 {
    let terms = x
        .iter()
        .zip(variances)
        .map(|(x, v)| x * x / v + v.ln() + LOG_TWO_PI);
    -0.5 * terms.sum::<f64>()
}
