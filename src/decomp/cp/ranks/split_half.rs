//! Split halves: the same components must be found in the even and in the odd slices of the longest mode.
//!
//! Source: Harshman and De Sarbo 1984.

use crate::Error;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Tensor, TensorView, best_assignment};

/// Slices that a mode must have to be halved.
const LEAST_SLICES: usize = 8;
/// Least cosine of matched columns of two halves that agree (Tucker's congruence of similar factors).
pub(super) const LEAST_COSINE: f64 = 0.85;

/// The longest mode, when it is long enough to be halved.
pub(super) fn halved_mode(dims: &[usize]) -> Option<usize> {
    let mode = (0..dims.len()).max_by_key(|&m| (dims[m], std::cmp::Reverse(m)))?;
    (dims[mode] >= LEAST_SLICES && dims.len() > 2).then_some(mode)
}

/// The slices of `mode` whose number has the given parity.
pub(super) fn half<T: Scalar>(
    t: TensorView<'_, T>,
    mode: usize,
    parity: usize,
) -> Result<Tensor<T>, Error> {
    let n = t.dims()[mode];
    let inner: usize = t.dims()[..mode].iter().product();
    let mut dims = t.dims().to_vec();
    dims[mode] = (n + 1 - parity) / 2;
    let mut data = Vec::with_capacity(t.as_slice().len() / 2 + inner);
    for slab in t.as_slice().chunks_exact(inner * n) {
        for k in (parity..n).step_by(2) {
            data.extend_from_slice(&slab[k * inner..(k + 1) * inner]);
        }
    }
    Tensor::from_vec(&dims, data)
}

/// The least cosine of two matched columns over all modes but `mode`.
pub(super) fn least_cosine<T: Scalar + Ring>(a: &CpTensor<T>, b: &CpTensor<T>, mode: usize) -> f64 {
    let rank = a.rank();
    let others = || (0..a.order()).filter(move |&m| m != mode);
    let cosine = |m: usize, r: usize, s: usize| {
        let (x, y) = (a.factors()[m].column(r), b.factors()[m].column(s));
        let size = (small::norm_sq(x) * small::norm_sq(y)).sqrt();
        if size > 0.0 {
            small::dot(x, y).abs() / size
        } else {
            0.0
        }
    };
    let pairs = best_assignment(rank, |r, s| others().map(|m| cosine(m, r, s)).product());
    let mut least = 1.0f64;
    for (r, &s) in pairs.iter().enumerate() {
        others().for_each(|m| least = least.min(cosine(m, r, s)));
    }
    least
}
