//! The noise of a learned map, in the units of its outputs, and samples with it.

use crate::fit::Fit;
use crate::tensor::QuadraticMap;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// The standard deviation of the Gaussian noise on each output that the law of a learned map includes, in the units of the
/// outputs; zeros when none was allowed for.
///
/// The evidence of a fit has the noise as a share `s` of the standard deviation of an output, its own noise included; so
/// with variance `v` of the map it is `s (v / (1 - s^2))^(1/2)`.
///
/// # Example
/// ```
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::io::samples::Samples;
/// use wickring::laws::learn::quadratic_maps::random_quadratic_map;
/// use wickring::learn::{Quadratic, noise_of};
///
/// let mut rng = ChaCha8Rng::seed_from_u64(7);
/// let hidden = random_quadratic_map(3, 2, false, &mut rng)?;
/// let samples = Samples::from_rows(3, hidden.sample(2000, &mut rng))?;
/// let fit = Quadratic::new().learn(&samples, &mut rng, &mut wickring::run::unobserved)?;
/// assert_eq!(noise_of(&fit), [0.0; 3]);
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn noise_of(fit: &Fit<QuadraticMap>) -> Vec<f64> {
    let d = fit.model.output_dim();
    let Some(share) = fit.evidence.check(super::level::NOISE).map(|c| c.measured) else {
        return vec![0.0; d];
    };
    let one = |a: usize| {
        let mut w = vec![0.0; d];
        w[a] = 1.0;
        let variance = fit.model.combination(&w).cumulants(2)[1];
        share * (variance.max(0.0) / (1.0 - share * share).max(f64::EPSILON)).sqrt()
    };
    (0..d).map(one).collect()
}

/// Adds independent Gaussian noise to rows of samples, one standard deviation a column.
///
/// # Example
/// ```
/// # use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// let mut rows = vec![1.0, 2.0, 3.0, 4.0];
/// wickring::learn::add_noise(&mut rows, &[0.0, 0.5], &mut ChaCha8Rng::seed_from_u64(1));
/// assert!(rows[0] == 1.0 && rows[1] != 2.0);
/// ```
pub fn add_noise(rows: &mut [f64], noise: &[f64], rng: &mut impl Rng) {
    if noise.iter().all(|&s| s == 0.0) {
        return;
    }
    for row in rows.chunks_exact_mut(noise.len()) {
        for (z, s) in row.iter_mut().zip(noise) {
            let e: f64 = StandardNormal.sample(&mut *rng);
            *z += s * e;
        }
    }
}
