//! From the top tensor's components to neurons of the activation.

use super::activation::PolynomialActivation;
use super::risk::Point;
use super::sample::{Sample, count};
use crate::linalg::cholesky_solve;
use crate::linalg::small::norm_sq;
use faer::Mat;

/// Most entries of the table of powers at the samples: 160 MB.
const MOST_ENTRIES: usize = 20_000_000;

/// Neurons whose top tensor is `sum_i s_i u_i^m` for the components `u_i` (rows) and signs `s_i` of `at`.
///
/// With equal coefficients the lengths belong to the weights; with free ones they come from the lower powers of the
/// activation, and where these do not tell, the weights have unit length and `c_i = s_i |u_i|^m`. For even degrees the components know their weights up to sign; where the activation has
/// odd powers the signs are those of the best coefficients of the odd parts.
pub(super) fn lift(at: &Point, sample: &Sample, sigma: &PolynomialActivation, free: bool) -> Point {
    let (r, d) = (at.neurons(), sample.dim());
    let m = sigma.degree() as i32;
    let mut out = at.clone();
    if free {
        for i in 0..r {
            let length = (0..d)
                .map(|j| at.weights[i + r * j].powi(2))
                .sum::<f64>()
                .sqrt();
            if length > 0.0 {
                (0..d).for_each(|j| out.weights[i + r * j] /= length);
                out.coefficients[i] = at.coefficients[i] * length.powi(m);
            }
        }
        if rescale(&mut out, sample, sigma) {
            return out;
        }
    } else {
        // A negative component of odd degree is one of the opposite weight.
        for i in 0..r {
            if m % 2 == 1 && out.coefficients[i] < 0.0 {
                (0..d).for_each(|j| out.weights[i + r * j] *= -1.0);
            }
            out.coefficients[i] = 1.0;
        }
    }
    if m % 2 == 0 && !sigma.has_parity() {
        orient(&mut out, sample, sigma);
    }
    out
}

/// Lengths of the weights and coefficients from the best coefficients of the powers of `<w_i, x>`, of unit weights.
///
/// The power `j` has the coefficient `c_i a_j rho_i^j`: those of the top degree and of the next lower one that the
/// activation has give both. False, and nothing changed, where that lower power does not tell the neurons apart
/// (more of them than symmetric tensors of its degree have entries) or there is none.
fn rescale(at: &mut Point, sample: &Sample, sigma: &PolynomialActivation) -> bool {
    let (n, r, d, m) = (sample.len(), at.neurons(), sample.dim(), sigma.degree());
    let powers: Vec<usize> = (1..=m)
        .rev()
        .filter(|&j| sigma.coefficients()[j] != 0.0)
        .collect();
    let Some(&lower) = powers.get(1) else {
        return false;
    };
    let columns = r * powers.len();
    if count(d, lower) < r || columns >= n || n * columns > MOST_ENTRIES {
        return false;
    }
    let z = &sample.x * at.rows(d).transpose();
    let mut table = Mat::from_fn(n, columns, |k, c| z[(k, c % r)].powi(powers[c / r] as i32));
    let mut sizes = Vec::with_capacity(columns);
    for c in 0..columns {
        let column = table.col_as_slice_mut(c);
        sample.project(column);
        let size = norm_sq(column).sqrt().max(f64::MIN_POSITIVE);
        column.iter_mut().for_each(|v| *v /= size);
        sizes.push(size);
    }
    let mut target = sample.y.clone();
    sample.project(&mut target);
    let mut gram = table.transpose() * &table;
    // Powers below the two used may be dependent; they are only in the way.
    (0..columns).for_each(|c| gram[(c, c)] += 1e-11);
    let target = Mat::from_fn(n, 1, |k, _| target[k]);
    let rhs = table.transpose() * &target;
    let Some(best) = cholesky_solve(gram.as_ref(), rhs.as_ref()) else {
        return false;
    };
    let share = |p: usize, i: usize| {
        let c = p * r + i;
        best[(c, 0)] / sizes[c] / sigma.coefficients()[powers[p]]
    };
    for i in 0..r {
        let (top, below) = (share(0, i), share(1, i));
        let ratio = top / below;
        let gap = (m - lower) as f64;
        let rho = ratio.abs().powf(1.0 / gap);
        let odd = (m - lower) % 2 == 1;
        if !(rho > 1e-3 && rho < 1e3) || (ratio < 0.0 && !odd) {
            continue;
        }
        let rho = if ratio < 0.0 { -rho } else { rho };
        (0..d).for_each(|j| at.weights[i + r * j] *= rho);
        at.coefficients[i] = top / rho.powi(m as i32);
    }
    true
}

/// Turns the weights around whose odd part the targets want with a minus sign.
fn orient(at: &mut Point, sample: &Sample, sigma: &PolynomialActivation) {
    let (r, d) = (at.neurons(), sample.dim());
    let z = &sample.x * at.rows(d).transpose();
    let mut rest = sample.y.clone();
    let mut odd = Mat::zeros(sample.len(), r);
    for i in 0..r {
        let c = at.coefficients[i];
        for (k, e) in rest.iter_mut().enumerate() {
            let (plus, minus) = (sigma.at(z[(k, i)]).0, sigma.at(-z[(k, i)]).0);
            *e -= c * (plus + minus) / 2.0;
            odd[(k, i)] = c * (plus - minus) / 2.0;
        }
    }
    let mut gram = odd.transpose() * &odd;
    let ridge = 1e-9 * (0..r).map(|i| gram[(i, i)]).sum::<f64>() / r.max(1) as f64;
    (0..r).for_each(|i| gram[(i, i)] += ridge);
    let rest = Mat::from_fn(rest.len(), 1, |k, _| rest[k]);
    let rhs = odd.transpose() * &rest;
    let Some(best) = cholesky_solve(gram.as_ref(), rhs.as_ref()) else {
        return;
    };
    for i in 0..r {
        if best[(i, 0)] < 0.0 {
            (0..d).for_each(|j| at.weights[i + r * j] *= -1.0);
        }
    }
}

/// The mean of the residual when it matters beside the targets, else 0.
pub(super) fn constant(residual_mean: f64, y: &[f64]) -> f64 {
    let size = (norm_sq(y) / y.len().max(1) as f64).sqrt();
    if residual_mean.abs() > 1e-9 * size {
        residual_mean
    } else {
        0.0
    }
}
