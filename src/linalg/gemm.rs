//! The matrix product into existing memory, compiled once.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// `dst = alpha * a * b`, or `dst += alpha * a * b` when `accumulate`; sequential.
///
/// # Panics
/// If the shapes do not go together.
#[inline(never)]
pub fn into(
    dst: MatMut<'_, f64>,
    accumulate: bool,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    alpha: f64,
) {
    let accum = if accumulate {
        Accum::Add
    } else {
        Accum::Replace
    };
    matmul(dst, accum, a, b, alpha, Par::Seq);
}

/// Columns of a panel of [`symmetric_product`].
const PANEL: usize = 48;

/// The lower triangle of `dst = a * b` where the product is known to be symmetric; what stands above the diagonal panels
/// stays. Sequential, about `2/3` of the work of a full product from three panels on.
///
/// # Panics
/// If the shapes do not go together.
pub fn symmetric_product(mut dst: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    let n = dst.nrows();
    for j in (0..n).step_by(PANEL) {
        let width = PANEL.min(n - j);
        let panel = dst.as_mut().submatrix_mut(j, j, n - j, width);
        into(panel, false, a.subrows(j, n - j), b.subcols(j, width), 1.0);
    }
}
