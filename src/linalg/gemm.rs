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
