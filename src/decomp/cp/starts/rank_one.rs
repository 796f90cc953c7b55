//! Best rank-one approximation by alternating contraction.

use crate::Error;
use crate::linalg::{Scalar, small};
use crate::tensor::{Factor, TensorView, mttkrp_all};

/// Vectors `x_m` with `T ~ x_0 (x) .. (x) x_{k-1}`, the length carried by the first.
///
/// Starts from the fibres through the entry of greatest modulus, exact for a tensor of rank one; a few
/// rounds of the higher-order power method then average out noise.
pub(in crate::decomp::cp) fn rank_one<T: Scalar>(
    t: TensorView<'_, T>,
    rounds: usize,
) -> Result<Vec<Factor<T>>, Error> {
    let dims = t.dims();
    let data = t.as_slice();
    let mut top = (0, -1.0);
    for (i, x) in data.iter().enumerate() {
        if x.abs_sq() > top.1 {
            top = (i, x.abs_sq());
        }
    }
    let mut factors = Vec::with_capacity(dims.len());
    let mut stride = 1;
    for &n in dims {
        let at = (top.0 / stride) % n.max(1);
        let base = top.0 - at * stride;
        let fibre: Vec<T> = (0..n).map(|i| data[base + i * stride]).collect();
        factors.push(unit(Factor::new(n, 1, fibre)?));
        stride *= n;
    }
    for _ in 0..rounds {
        for m in 0..dims.len() {
            let conj: Vec<_> = factors.iter().map(Factor::conj).collect();
            // All modes at once would be stale after the first update; the tensors here are tiny.
            let update = mttkrp_all(t, &conj)?.swap_remove(m);
            factors[m] = unit(update);
        }
    }
    let conj: Vec<_> = factors.iter().map(Factor::conj).collect();
    let first = mttkrp_all(t, &conj)?.swap_remove(0);
    factors[0] = first;
    Ok(factors)
}

fn unit<T: Scalar>(mut f: Factor<T>) -> Factor<T> {
    let length = small::norm_sq(f.as_slice()).sqrt();
    if length > 0.0 && length.is_finite() {
        f.divide_column(0, length);
    }
    f
}
