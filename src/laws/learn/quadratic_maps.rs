//! Laws of quadratic maps, and generators of planted ones.

use crate::Error;
use crate::laws::ring::planted::random_symmetric_ring;
use crate::tensor::QuadraticMap;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// A map with Gaussian entries: `Q_a` of variance about `1/r`, and with `general` standard Gaussian `b_a` and
/// `c_a`; without, both are zero.
///
/// # Errors
/// `Shape` when `rank` is 0.
pub fn random_quadratic_map(
    d: usize,
    rank: usize,
    general: bool,
    rng: &mut impl Rng,
) -> Result<QuadraticMap, Error> {
    let ring = random_symmetric_ring(d, rank, rng)?;
    let mut draw = |n: usize| -> Vec<f64> {
        let mut one = || {
            if general {
                StandardNormal.sample(&mut *rng)
            } else {
                0.0
            }
        };
        (0..n).map(|_| one()).collect()
    };
    let linear = draw(d * rank);
    let constant = draw(d);
    QuadraticMap::new(ring, linear, constant)
}

/// `n` samples of the map for `x` uniform on the sphere `|x|^2 = r`, row after row.
///
/// # Errors
/// None in practice.
pub fn sphere_samples(map: &QuadraticMap, n: usize, rng: &mut impl Rng) -> Result<Vec<f64>, Error> {
    let r = map.latent_dim();
    let mut rows = Vec::with_capacity(n * map.output_dim());
    for _ in 0..n {
        let u: Vec<f64> = (0..r).map(|_| StandardNormal.sample(&mut *rng)).collect();
        let scale = (r as f64).sqrt() / crate::linalg::norm2(&u).max(f64::MIN_POSITIVE);
        let z = map.eval(faer::Mat::from_fn(1, r, |_, j| u[j] * scale).as_ref())?;
        rows.extend((0..z.ncols()).map(|a| z[(0, a)]));
    }
    Ok(rows)
}

/// A degenerate map (every `Q_a` diagonal, Gaussian entries) plus `size` times one with Gaussian entries: the smoothed
/// setting, in which `size` decides how well the map can be told.
///
/// # Errors
/// `Shape` when `rank` is 0.
pub fn perturbed_quadratic_map(
    d: usize,
    rank: usize,
    size: f64,
    rng: &mut impl Rng,
) -> Result<QuadraticMap, Error> {
    let (base, change) = (
        random_symmetric_ring(d, rank, rng)?,
        random_symmetric_ring(d, rank, rng)?,
    );
    let block = rank * rank;
    let mixed = |k: usize| {
        let diagonal = (k % block).is_multiple_of(rank + 1);
        let kept = if diagonal { base.as_slice()[k] } else { 0.0 };
        kept + size * change.as_slice()[k]
    };
    let cores = (0..d * block).map(mixed).collect();
    let ring = crate::tensor::SymmetricRing::new(rank, cores)?;
    QuadraticMap::new(ring, vec![0.0; d * rank], vec![0.0; d])
}
