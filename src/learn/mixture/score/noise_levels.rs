//! The ladder of noise levels, and the noised rows that the denoiser is regressed on.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// Rows that share one generator: noise depends on a row's number, not on how rows arrive or on threads.
pub(in crate::learn::mixture) const ROWS_PER_STREAM: usize = 4096;
/// Added noise of the lowest level. Antithetic pairs make the regression as accurate at 0.02 as at 0.3.
const LOWEST: f64 = 0.08;
/// Added noise of the highest level over the largest signal variance: there the law is Gaussian to 1e-3.
const HIGHEST: f64 = 20.0;
/// Levels at least and at most.
const LEVELS: std::ops::RangeInclusive<usize> = 8..=28;

/// Geometric levels `t` of added noise, increasing; two for each factor of four by default.
pub(in crate::learn::mixture) fn levels(largest_signal: f64, count: Option<usize>) -> Vec<f64> {
    let top = HIGHEST * largest_signal.max(0.1);
    let octaves = (top / LOWEST).log2().ceil().max(1.0) as usize;
    let count = count.unwrap_or((octaves + 1).clamp(*LEVELS.start(), *LEVELS.end()));
    let last = count.saturating_sub(1).max(1) as f64;
    (0..count)
        .map(|i| LOWEST * (top / LOWEST).powf(i as f64 / last))
        .collect()
}

/// The generator of one stream: `seed` for the run, `level`, `stream` for the rows.
pub(in crate::learn::mixture) fn generator(seed: u64, level: u64, stream: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    for (place, word) in key
        .chunks_exact_mut(8)
        .zip([seed, level, stream, 0x6d69_7874_7572_6573])
    {
        place.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// So many antithetic pairs of each row and their targets, appended row by row.
///
/// `y = x +- sqrt(t) z` and the target `y -+ (1 + t)/sqrt(t) z = x -+ z/sqrt(t)`, whose conditional mean given
/// `y` is `m_T(y)` by Tweedie's formula. The two targets of a pair have opposite errors of size `1/sqrt(t)`,
/// which cancel in the regression as `t` falls.
pub(in crate::learn::mixture) fn noised(
    rows: &[f64],
    (dim, pairs): (usize, usize),
    t: f64,
    rng: &mut impl Rng,
    y: &mut Vec<f64>,
    target: &mut Vec<f64>,
) {
    let root = t.sqrt();
    let mut z = vec![0.0; dim];
    for point in 0..rows.len() / dim * pairs {
        let row = &rows[point / pairs * dim..(point / pairs + 1) * dim];
        z.fill_with(|| StandardNormal.sample(rng));
        for sign in [1.0, -1.0] {
            y.extend(row.iter().zip(&z).map(|(x, z)| x + sign * root * z));
            target.extend(row.iter().zip(&z).map(|(x, z)| x - sign * z / root));
        }
    }
}
