//! Planted tensors: models drawn at random with a known answer.

use crate::Error;
use crate::linalg::small;
use crate::tensor::{CpTensor, Factor, Tensor};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// A standard normal number.
pub fn gaussian(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A CP model with Gaussian factors.
///
/// # Errors
/// `Shape` when `dims` is empty.
pub fn gaussian_cp(dims: &[usize], rank: usize, rng: &mut impl Rng) -> Result<CpTensor, Error> {
    let mut factor = |n: usize| Factor::from_fn(n, rank, |_, _| gaussian(rng));
    CpTensor::from_factors(dims.iter().map(|&n| factor(n)).collect())
}

/// A CP model whose columns have the cosine `c` pairwise in every mode: orthonormal columns mixed by the
/// Cholesky factor of `(1 - c) I + c 1 1'`.
///
/// # Errors
/// `InvalidInput` when a dimension is below the rank or `c` is outside `[0, 1)`.
pub fn collinear_cp(
    dims: &[usize],
    rank: usize,
    c: f64,
    rng: &mut impl Rng,
) -> Result<CpTensor, Error> {
    let op = "collinear_cp";
    if dims.iter().any(|&n| n < rank) || !(0.0..1.0).contains(&c) {
        let requirement =
            format!("dimensions of at least {rank} and a cosine in [0, 1), got {dims:?} and {c}");
        return Err(Error::invalid(op, requirement));
    }
    let mut l: Vec<f64> = (0..rank * rank)
        .map(|k| if k % (rank + 1) == 0 { 1.0 } else { c })
        .collect();
    small::cholesky(&mut l, rank);
    let mut factors = Vec::with_capacity(dims.len());
    for &n in dims {
        let noise: Vec<f64> = (0..n * rank).map(|_| gaussian(rng)).collect();
        let q = Factor::new(n, rank, small::orthonormal(&noise, n, 1e-12))?;
        factors.push(Factor::from_fn(n, rank, |i, r| {
            (0..=r).map(|k| q.column(k)[i] * l[r + rank * k]).sum()
        }));
    }
    CpTensor::from_factors(factors)
}

/// `t + level * ||t|| * noise / ||noise||` with Gaussian noise.
///
/// # Errors
/// `Overflow` never in practice: the shape is that of `t`.
pub fn with_noise(t: &Tensor, level: f64, rng: &mut impl Rng) -> Result<Tensor, Error> {
    let noise: Vec<f64> = t.as_slice().iter().map(|_| gaussian(rng)).collect();
    let scale = level * t.view().norm() / crate::linalg::norm2(&noise);
    let data = t.as_slice().iter().zip(&noise).map(|(x, e)| x + scale * e);
    Tensor::from_vec(t.dims(), data.collect())
}
