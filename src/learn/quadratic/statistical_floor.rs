//! The error that no estimator of a quadratic map can undercut.

use crate::linalg::norm2;
use crate::tensor::QuadraticMap;

/// The statistical floor of the relative parameter error from `n` samples,
/// `((r + 2 + tau) / 2n)^(1/2)` with `tau = sum (Tr Q_a)^2 / sum |Q_a|^2`: the error of the maximum-likelihood
/// estimate, which is that of estimating the covariance of `x` from observed `x`.
pub fn statistical_floor(map: &QuadraticMap, n: usize) -> f64 {
    let (d, r) = (map.output_dim(), map.latent_dim());
    let ring = map.quadratic();
    let trace = |a: usize| (0..r).map(|i| ring.entry(a, i, i)).sum::<f64>();
    let traces: Vec<f64> = (0..d).map(trace).collect();
    let norm = norm2(ring.as_slice());
    let tau = if norm > 0.0 {
        (norm2(&traces) / norm).powi(2)
    } else {
        0.0
    };
    ((r as f64 + 2.0 + tau) / (2.0 * n as f64)).sqrt()
}
