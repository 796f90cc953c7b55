//! Order four as a landscape on the sphere: power iterations for many points at once.

use super::packed::PackedForm;
use super::signs::square_flattening;
use crate::Error;
use crate::linalg::{SymmetricEigen, symmetric_eigen};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// `x (x) x` for the columns of `x` (`n x k`), in the orthonormal basis of the symmetric matrices that
/// [`square_flattening`] uses: `n(n+1)/2 x k`.
pub(in crate::decomp) fn squares(x: MatRef<'_, f64>) -> Mat<f64> {
    let n = x.nrows();
    let mut out = Mat::zeros(n * (n + 1) / 2, x.ncols());
    for c in 0..x.ncols() {
        let mut row = 0;
        for i in 0..n {
            for j in i..n {
                let unit = if i == j {
                    1.0
                } else {
                    std::f64::consts::SQRT_2
                };
                out[(row, c)] = unit * x[(i, c)] * x[(j, c)];
                row += 1;
            }
        }
    }
    out
}

/// The symmetric matrix with those coordinates.
pub(in crate::decomp) fn unpacked(column: &[f64], n: usize) -> Mat<f64> {
    let mut out = Mat::zeros(n, n);
    let mut row = 0;
    for i in 0..n {
        for j in i..n {
            let unit = if i == j {
                1.0
            } else {
                std::f64::consts::FRAC_1_SQRT_2
            };
            out[(i, j)] = unit * column[row];
            out[(j, i)] = out[(i, j)];
            row += 1;
        }
    }
    out
}

/// `W_c x_c` for the matrices with coordinates `w_c` and the columns `x_c`.
fn applied(w: &Mat<f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    let n = x.nrows();
    let mut out = Mat::zeros(n, x.ncols());
    for c in 0..x.ncols() {
        let mut row = 0;
        for i in 0..n {
            out[(i, c)] += w[(row, c)] * x[(i, c)];
            row += 1;
            for j in i + 1..n {
                let v = std::f64::consts::FRAC_1_SQRT_2 * w[(row, c)];
                out[(i, c)] += v * x[(j, c)];
                out[(j, c)] += v * x[(i, c)];
                row += 1;
            }
        }
    }
    out
}

/// Columns of random unit vectors.
pub(in crate::decomp) fn unit_starts(n: usize, k: usize, rng: &mut impl Rng) -> Mat<f64> {
    let mut x = Mat::from_fn(n, k, |_, _| StandardNormal.sample(rng));
    crate::linalg::small::unit_columns(x.as_mut());
    x
}

/// The square flattening of a symmetric tensor of order four and its spectrum.
pub(in crate::decomp) fn flattening_spectrum(
    op: &'static str,
    form: &PackedForm,
) -> Result<SymmetricEigen, Error> {
    symmetric_eigen(op, square_flattening(form).as_ref())
}

/// A quadratic form on `x (x) x`: `f(x) = (x (x) x)' M (x (x) x)` with `M = B diag(w) B'`.
pub(in crate::decomp) struct Landscape {
    /// `n(n+1)/2 x r`.
    pub basis: Mat<f64>,
    /// `r` weights; one everywhere for a projection.
    pub weights: Vec<f64>,
}

impl Landscape {
    /// `M (x (x) x)` applied to `x`, and `f(x)`, for every column.
    pub fn gradient(&self, x: MatRef<'_, f64>) -> (Mat<f64>, Vec<f64>) {
        let z = squares(x);
        let mut inside = self.basis.transpose() * &z;
        let mut values = vec![0.0; x.ncols()];
        for (c, value) in values.iter_mut().enumerate() {
            for (v, w) in inside.col_as_slice_mut(c).iter_mut().zip(&self.weights) {
                *value += w * *v * *v;
                *v *= w;
            }
        }
        (applied(&(&self.basis * &inside), x), values)
    }

    /// Power iteration with a shift, `x <- (M(x (x) x) x + shift x) / |.|`, until nothing moves by more than `tol`
    /// or for `steps` steps; the values at the end.
    pub fn ascend(&self, x: &mut Mat<f64>, shift: f64, steps: usize, tol: f64) -> Vec<f64> {
        for _ in 0..steps {
            let (mut next, _) = self.gradient(x.as_ref());
            next += faer::Scale(shift) * &*x;
            crate::linalg::small::unit_columns(next.as_mut());
            let moved = (&next - &*x).norm_max();
            *x = next;
            if moved <= tol {
                break;
            }
        }
        self.gradient(x.as_ref()).1
    }
}

/// The columns of greatest value that are no two the same up to sign: `<x, y>^2 < apart`, at most `most`.
pub(in crate::decomp) fn distinct(
    x: &Mat<f64>,
    values: &[f64],
    apart: f64,
    most: usize,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    let mut kept: Vec<usize> = Vec::new();
    for c in order {
        let new = kept.iter().all(|&k| {
            let g: f64 = x
                .col(c)
                .iter()
                .zip(x.col(k).iter())
                .map(|(a, b)| a * b)
                .sum();
            g * g < apart
        });
        if new && values[c].is_finite() && kept.len() < most {
            kept.push(c);
        }
    }
    kept
}
