//! Laws of quadratic maps, and generators of planted ones.

use super::rings::random_symmetric_ring;
use crate::Error;
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
