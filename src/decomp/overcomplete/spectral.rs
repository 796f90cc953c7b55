//! Power iteration on form values, and the spectral method of random contractions: documented research options.

use super::landscape::distinct;
use super::packed::PackedForm;
use crate::Error;
use crate::linalg::{small, symmetric_eigen};
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Most rows of the matrix of [`spectral_components`]: `n <= 30`.
const MOST_ROWS: usize = 900;

/// Local maxima of `T(x, .., x)` on the sphere by shifted power iteration, the greatest values first: columns, with
/// their values.
///
/// `x <- (T(x, .., x, .) + shift x) / |.|` climbs for every shift above `(m-1)` times the norm of `T` and in practice
/// for much smaller ones. For random components it finds them while `r << n`; in the overcomplete regime it
/// finds next to none, which is why this is no decomposition.
///
/// # Shapes
/// The result is `n x k` with `k <= most`.
///
/// # Errors
/// `InvalidInput` for no starts or a shift that is not finite.
///
/// # Complexity
/// `O(steps starts n C(n+m-2, m-1))`.
///
/// # Source
/// Kolda and Mayo, Shifted power method for computing tensor eigenpairs (2011).
pub fn shifted_power(
    form: &PackedForm,
    shift: f64,
    starts: usize,
    steps: usize,
    most: usize,
    rng: &mut impl Rng,
) -> Result<(Mat<f64>, Vec<f64>), Error> {
    let op = "shifted_power";
    if starts == 0 || starts > 100_000 || !shift.is_finite() {
        let text = format!("1 to 100000 starts and a finite shift, got {starts} and {shift}");
        return Err(Error::invalid(op, text));
    }
    let mut x = Mat::<f64>::from_fn(starts, form.dim(), |_, _| StandardNormal.sample(rng));
    unit_rows(&mut x);
    for _ in 0..steps {
        let mut next = form.contract(x.as_ref());
        next += faer::Scale(shift) * &x;
        unit_rows(&mut next);
        let moved = (&next - &x).norm_max();
        x = next;
        if moved <= 1e-12 {
            break;
        }
    }
    Ok(pick(form, &x, most))
}

/// Components of a random overcomplete tensor of order three by a random contraction, for `r` up to `n^{4/3}` over
/// logarithms.
///
/// ```text
/// M = sum_{ij} <g, T(a_i, a_j)> (a_i (x) a_j)(a_i (x) a_j)',    M[(p,s),(q,t)] = sum_m T[m,p,s] (T_g T)[m,q,t]
/// ```
///
/// whose top eigenvectors, as matrices, have components as top eigenvectors; 30 power steps clean them up.
/// A documented research option: the descent of [`Overcomplete`](super::learner::Overcomplete) recovers more at every size
/// measured.
///
/// # Shapes
/// The result is `n x k` with `k <= rank`, and the values `T(v, v, v)`.
///
/// # Errors
/// `InvalidInput` for another order or `n > 30`; `Backend`.
///
/// # Complexity
/// `O(trials n^6)` time, `O(n^4)` memory.
///
/// # Source
/// Hopkins, Schramm, Shi and Steurer, Fast spectral algorithms from sum-of-squares proofs (2016), section on
/// overcomplete tensor decomposition. We differ: many eigenvectors of each contraction are used, not only the first.
pub fn spectral_components(
    form: &PackedForm,
    rank: usize,
    trials: usize,
    rng: &mut impl Rng,
) -> Result<(Mat<f64>, Vec<f64>), Error> {
    let op = "spectral_components";
    let n = form.dim();
    if form.order() != 3 || n * n > MOST_ROWS || trials == 0 || trials > 1000 {
        let text = format!(
            "order 3, dimension at most 30 and 1 to 1000 trials, got order {}, dimension {n}, {trials} trials",
            form.order()
        );
        return Err(Error::invalid(op, text));
    }
    // T_(1): rows m, columns (p, s).
    let flat = Mat::from_fn(n, n * n, |m, c| form.entry(&[m, c / n, c % n]));
    let mut found: Vec<Vec<f64>> = Vec::new();
    for _ in 0..trials {
        let g: Vec<f64> = (0..n).map(|_| StandardNormal.sample(rng)).collect();
        let slice = Mat::from_fn(n, n, |a, b| {
            (0..n).map(|k| g[k] * flat[(a, b * n + k)]).sum::<f64>()
        });
        let turned = &slice * &flat;
        let paired = flat.transpose() * &turned;
        // paired[(p,s),(q,t)]; rows of M are (p,q), columns (s,t).
        let m = Mat::from_fn(n * n, n * n, |row, col| {
            let (p, q, s, t) = (row / n, row % n, col / n, col % n);
            (paired[(p * n + s, q * n + t)] + paired[(s * n + p, t * n + q)]) / 2.0
        });
        let eigen = symmetric_eigen(op, m.as_ref())?;
        for c in (0..n * n).rev().take((2 * rank / 3 + 4).min(40)) {
            let v = &eigen.vectors;
            let shape = Mat::from_fn(n, n, |i, j| (v[(i * n + j, c)] + v[(j * n + i, c)]) / 2.0);
            let inner = symmetric_eigen(op, shape.as_ref())?;
            let far = if inner.values[0].abs() > inner.values[n - 1].abs() {
                0
            } else {
                n - 1
            };
            let vector: Vec<f64> = inner.vectors.col(far).iter().copied().collect();
            found.push(vector.iter().map(|x| -x).collect());
            found.push(vector);
        }
    }
    let mut x = Mat::from_fn(found.len(), n, |i, j| found[i][j]);
    for _ in 0..30 {
        x = form.contract(x.as_ref());
        unit_rows(&mut x);
    }
    Ok(pick(form, &x, rank))
}

fn unit_rows(x: &mut Mat<f64>) {
    let mut turned = x.transpose().to_owned();
    small::unit_columns(turned.as_mut());
    *x = turned.transpose().to_owned();
}

/// Distinct rows by falling form value, as columns.
fn pick(form: &PackedForm, x: &Mat<f64>, most: usize) -> (Mat<f64>, Vec<f64>) {
    let s = form.contract(x.as_ref());
    let values: Vec<f64> = (0..x.nrows())
        .map(|i| (0..x.ncols()).map(|j| s[(i, j)] * x[(i, j)]).sum())
        .collect();
    let columns = x.transpose().to_owned();
    let kept = distinct(&columns, &values, 0.96, most);
    let out = Mat::from_fn(x.ncols(), kept.len(), |i, c| columns[(i, kept[c])]);
    (out, kept.iter().map(|&k| values[k]).collect())
}
