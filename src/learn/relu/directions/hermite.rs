//! Hermite moments of a relu network, and their contractions without forming `d^l` entries.
//!
//! With the unnormalised Hermite tensors `H_l` and unit `u`, `E[relu(<u,x>) H_l(x)] = rho_l u^l` with
//! `rho_0 = 1/sqrt(2 pi)`, `rho_1 = 1/2` and `rho_l = He_{l-2}(0)/sqrt(2 pi)` for `l >= 2`: zero for odd
//! `l >= 3`. An abs neuron has `2 rho_l` for even `l` and nothing for odd `l`.

use crate::linalg::norm2;
use faer::{Mat, MatRef};

/// The probabilists' Hermite polynomial `He_m(s)`; 0 for negative `m`.
pub fn hermite(m: i32, s: f64) -> f64 {
    let (mut previous, mut current) = (0.0, 1.0);
    if m < 0 {
        return 0.0;
    }
    for j in 0..m {
        (previous, current) = (current, s * current - f64::from(j) * previous);
    }
    current
}

/// `rho_l = E[relu(z) He_l(z)]`, `z` standard Gaussian.
///
/// ```
/// use wickring::learn::relu::relu_coefficient;
/// assert_eq!(relu_coefficient(1), 0.5);
/// assert_eq!(relu_coefficient(4), -relu_coefficient(2)); // He_2(0) = -1
/// assert_eq!(relu_coefficient(7), 0.0);
/// ```
pub fn relu_coefficient(l: u32) -> f64 {
    let unit = 1.0 / (2.0 * std::f64::consts::PI).sqrt();
    match l {
        0 => unit,
        1 => 0.5,
        _ => unit * hermite(l as i32 - 2, 0.0),
    }
}

/// `M_l(g) = mean y H_l(x)[g^(l-2), ., .]` with `g` normalised: for a sum of neurons `b_i relu(<u_i, x>)` its
/// expectation is `rho_l sum_i b_i <u_i, g>^(l-2) u_i u_i'`.
///
/// With `s = <g, x>`, `m = l - 2`:
/// `H_l[g^m] = He_m(s) (x x' - I) - m He_{m-1}(s) (g x' + x g') + m (m-1) He_{m-2}(s) g g'`.
///
/// # Shapes
/// `inputs` is `d x n` (samples are columns), `y` has `n` entries, `g` has `d`; the result is `d x d`. For
/// `l < 2` or `g = 0` the result is zero.
///
/// # Complexity
/// One weighted Gram matrix, `O(n d^2)`; memory `O(n d)`.
pub fn contraction(inputs: MatRef<'_, f64>, y: &[f64], g: &[f64], l: u32) -> Mat<f64> {
    let (d, n) = (inputs.nrows(), inputs.ncols());
    let norm = norm2(g);
    if l < 2 || n == 0 || norm == 0.0 {
        return Mat::zeros(d, d);
    }
    let m = l as i32 - 2;
    let unit = Mat::from_fn(d, 1, |i, _| g[i] / norm);
    let s = inputs.transpose() * &unit;
    let weigh = |order: i32| -> Vec<f64> {
        (0..n)
            .map(|j| y[j] * hermite(order, s[(j, 0)]) / n as f64)
            .collect()
    };
    let q = weigh(m);
    let weighted = Mat::from_fn(d, n, |i, j| q[j] * inputs[(i, j)]);
    let mut out = weighted * inputs.transpose();
    let mean: f64 = q.iter().sum();
    (0..d).for_each(|i| out[(i, i)] -= mean);
    if m >= 1 {
        let q = weigh(m - 1);
        let v = inputs * Mat::from_fn(n, 1, |j, _| q[j]);
        let cross = &unit * v.transpose();
        out -= (&cross + cross.transpose()) * faer::Scale(f64::from(m));
    }
    if m >= 2 {
        let mean: f64 = weigh(m - 2).iter().sum();
        out += &unit * unit.transpose() * faer::Scale(f64::from(m * (m - 1)) * mean);
    }
    out
}
