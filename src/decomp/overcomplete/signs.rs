//! The signs of the weights of an even-order tensor, by the law of inertia.

use super::packed::PackedForm;
use crate::Error;
use crate::linalg::symmetric_eigen;
use faer::Mat;

/// Largest square flattening that is diagonalised.
const MOST_ROWS: usize = 2500;

/// The symmetric square flattening of a form of order four on the pairs `i <= j`, in an orthonormal basis of the
/// symmetric matrices: entry `T[i,j,k,l]` times `sqrt 2` for each pair of different indices.
///
/// # Shapes
/// `n(n+1)/2` square; rows `(i, j)` with `i <= j`, `j` fastest.
pub(super) fn square_flattening(form: &PackedForm) -> Mat<f64> {
    let n = form.dim();
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
    let scale = |(i, j): (usize, usize)| {
        if i == j {
            1.0
        } else {
            std::f64::consts::SQRT_2
        }
    };
    let mut m = Mat::zeros(pairs.len(), pairs.len());
    for (b, &right) in pairs.iter().enumerate() {
        for (a, &left) in pairs.iter().enumerate().skip(b) {
            let x = form.entry(&[left.0, left.1, right.0, right.1]) * scale(left) * scale(right);
            m[(a, b)] = x;
            m[(b, a)] = x;
        }
    }
    m
}

/// One sign for each of `rank` components.
///
/// For odd orders a sign belongs to the vector: all are positive. For order four the flattening is
/// `sum_r w_r u_r u_r'` with independent `u_r = v_r (x) v_r` as long as `rank <= n(n+1)/2`, so as many of its
/// `rank` eigenvalues of greatest modulus are negative as there are negative weights (Sylvester). For more
/// components, and for orders six and eight, both signs are dealt out alternately if the form takes both.
///
/// # Errors
/// `Backend`.
pub(super) fn signs(form: &PackedForm, rank: usize) -> Result<Vec<f64>, Error> {
    let n = form.dim();
    let rows = n * (n + 1) / 2;
    if form.order() % 2 == 1 {
        return Ok(vec![1.0; rank]);
    }
    if form.order() == 4 && rows <= MOST_ROWS {
        let eigen = symmetric_eigen("Overcomplete::decompose", square_flattening(form).as_ref())?;
        let mut values = eigen.values;
        values.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
        let top = values.first().map_or(0.0, |v| v.abs());
        values.truncate(rank);
        // Below this the tensor has fewer components than asked for; spare ones get the common sign.
        values.retain(|v| v.abs() > 1e-12 * top);
        let negative = values.iter().filter(|v| **v < 0.0).count();
        let spare = rank - values.len();
        let negative = if 2 * negative > values.len() {
            negative + spare
        } else {
            negative
        };
        return Ok((0..rank)
            .map(|k| if k < negative { -1.0 } else { 1.0 })
            .collect());
    }
    let axes = Mat::from_fn(n, n, |i, j| f64::from(u8::from(i == j)));
    let on_axes = form.contract(axes.as_ref());
    let mixed = (0..n).any(|i| on_axes[(i, i)] < 0.0) && (0..n).any(|i| on_axes[(i, i)] > 0.0);
    let all_negative = (0..n).all(|i| on_axes[(i, i)] <= 0.0);
    let sign = |k: usize| {
        if all_negative || (mixed && k % 2 == 1) {
            -1.0
        } else {
            1.0
        }
    };
    Ok((0..rank).map(sign).collect())
}
