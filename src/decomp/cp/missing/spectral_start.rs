//! A start for incomplete tensors: spectra of the zero-filled unfoldings, then Jennrich's algorithm on the core.
//!
//! With a share `p` of the entries observed at random, the Gram matrix of a zero-filled unfolding has the expectation
//! `p^2 G` off its diagonal and `p G` on it, where `G` is that of the full tensor. Both are undone, the leading `R`
//! eigenvectors of each mode span about what its factor spans, and the zero-filled tensor over `p` projected on these spans
//! is a small complete tensor close to that of the truth.
//!
//! A start and nothing more: what is observed is not chosen at random in practice.
//!
//! Source: Montanari and Sun 2018 (spectral algorithms for tensor completion), for the Gram matrices; we correct the
//! diagonal by its expectation instead of dropping it.

use super::observed::Rows;
use crate::Error;
use crate::decomp::cp::starts::jennrich::algebraic_start;
use crate::linalg::Scalar;
use crate::tensor::{Factor, Tensor, TensorView, by_rows, mode_product, unfolding_gram};
use rand::Rng;

/// Modes longer than this have no eigenvectors taken of them.
const LONGEST: usize = 2000;

/// Factors by rows; `None` where the modes are too long or the core admits no algebraic start of this rank.
///
/// `data` is zero where nothing was observed, `share` the share of the entries that were.
pub(super) fn spectral_start(
    data: TensorView<'_>,
    rank: usize,
    share: f64,
    rng: &mut impl Rng,
) -> Result<Option<Rows>, Error> {
    let op = "CpMasked::decompose";
    if data.dims().iter().any(|&n| n > LONGEST) {
        return Ok(None);
    }
    let mut bases: Vec<Option<Factor>> = Vec::with_capacity(data.order());
    for (mode, &n) in data.dims().iter().enumerate() {
        if n <= rank {
            bases.push(None);
            continue;
        }
        let mut gram = unfolding_gram(data, mode)?;
        for i in 0..n {
            gram[(i, i)] *= share;
        }
        let (_, vectors) = f64::hermitian_eigen(op, gram.as_ref())?;
        let leading = Factor::from_fn(n, rank, |i, k| vectors[(i, n - 1 - k)]);
        bases.push(Some(leading));
    }
    let mut core: Option<Tensor> = None;
    for (mode, basis) in bases.iter().enumerate() {
        if let Some(u) = basis {
            let view = core.as_ref().map_or(data, Tensor::view);
            core = Some(mode_product(view, u.as_mat().transpose(), mode)?);
        }
    }
    let core = core.unwrap_or_else(|| data.to_tensor());
    let Some(mut small) = algebraic_start(op, core.view(), rank, rng)? else {
        return Ok(None);
    };
    if small
        .iter()
        .any(|f| f.as_slice().iter().any(|x| !x.is_finite()))
    {
        return Ok(None);
    }
    if let Some(first) = small.first_mut() {
        first.as_mut_slice().iter_mut().for_each(|x| *x /= share);
    }
    let full = bases.iter().zip(&small).map(|(u, f)| match u {
        Some(u) => by_rows(&f.left_mul(u.as_mat())),
        None => by_rows(f),
    });
    Ok(Some(full.collect()))
}
