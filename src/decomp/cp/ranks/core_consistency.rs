//! Core consistency and Kruskal's condition: is this the right number of components, and are they unique?

use crate::Error;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::mode_product;
use crate::tensor::{CpTensor, Factor, Tensor, TensorView};
use faer::Mat;

const OP: &str = "core_consistency";
/// Entries of the core beyond which it is not formed.
const MOST_CORE: usize = 1 << 24;
/// Column subsets tried before a bound is used instead of the exact Kruskal rank.
const MOST_SUBSETS: usize = 20_000;

/// Core consistency in percent: with the factors of `model` as given, the least-squares Tucker core `G`
/// should be superdiagonal with ones; `100 (1 - ||G - I||^2 / R)`.
///
/// Near 100 the trilinear model is right, far below zero it has too many components. `None` when the core
/// has more than 2^24 entries, or when the columns of a factor are dependent: then the core is not unique,
/// and the superdiagonal one is not the shortest.
///
/// # Errors
/// `Shape` when the model does not fit.
///
/// # Complexity
/// `O(N R)`.
/// Here `N` is the number of entries.
///
/// # Source
/// Bro and Kiers 2003.
pub fn core_consistency<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    model: &CpTensor<T>,
) -> Result<Option<f64>, Error> {
    let gap = core_gap(t, model)?;
    Ok(gap.map(|g| 100.0 * (1.0 - g.squared / model.rank() as f64)))
}

/// How far the core is from a superdiagonal of ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoreGap {
    /// `||G - I||^2`.
    pub(super) squared: f64,
    /// What noise of variance one adds to it on average: `prod_m ||A_m^+||_F^2`.
    pub(super) of_noise: f64,
}

/// The gap behind [`core_consistency`]; `None` where that has none.
pub(super) fn core_gap<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    model: &CpTensor<T>,
) -> Result<Option<CoreGap>, Error> {
    let rank = model.rank();
    let size = (0..model.order()).try_fold(1usize, |n, _| n.checked_mul(rank));
    if t.dims() != model.dims() {
        let (expected, found) = (format!("{:?}", model.dims()), format!("{:?}", t.dims()));
        return Err(Error::shape(OP, expected, found));
    }
    if rank == 0 || size.is_none_or(|n| n > MOST_CORE) {
        return Ok(None);
    }
    let absorbed = model.canonical().absorbed();
    let inverses: Option<Vec<Mat<T>>> = absorbed.factors().iter().map(pseudoinverse).collect();
    let Some(inverses) = inverses else {
        return Ok(None);
    };
    let mut core: Option<Tensor<T>> = None;
    let mut of_noise = 1.0;
    // Weights go into the first factor, as is usual; elsewhere the off-diagonal entries scale differently.
    for (m, inverse) in inverses.iter().enumerate() {
        let view = core.as_ref().map_or(t, Tensor::view);
        core = Some(mode_product(view, inverse.as_ref(), m)?);
        let columns = inverse
            .col_iter()
            .map(|c| c.iter().map(|x| x.abs_sq()).sum::<f64>());
        of_noise *= columns.sum::<f64>();
    }
    let step = (0..model.order()).fold(0, |s, _| s * rank + 1);
    let mut squared = 0.0;
    for (i, &g) in core.iter().flat_map(|c| c.as_slice()).enumerate() {
        let on_diagonal = i % step == 0 && i / step < rank;
        let target = T::from_parts(f64::from(u8::from(on_diagonal)), 0.0);
        squared += (g - target).abs_sq();
    }
    Ok(Some(CoreGap { squared, of_noise }))
}

/// The Moore-Penrose inverse, `cols x rows`, by the normal equations of unit columns; `None` unless the columns are
/// independent to about seven digits.
fn pseudoinverse<T: Scalar>(f: &Factor<T>) -> Option<Mat<T>> {
    let n = f.cols();
    let lengths: Vec<f64> = (0..n).map(|r| f.column_norm(r)).collect();
    let mut unit = f.clone();
    (0..n).for_each(|r| unit.scale_column(r, 1.0 / lengths[r]));
    let mut cholesky = unit.gram();
    let definite = f.rows() >= n && small::cholesky(cholesky.as_mut_slice(), n);
    // The pivots of unit columns are their distances from the span of those before.
    if !definite || (0..n).any(|r| !(cholesky.column(r)[r].re() > 1e-7)) {
        return None;
    }
    let adjoint = Mat::from_fn(n, f.rows(), |r, i| unit.column(r)[i].conj());
    let mut inverse = T::general_solve(unit.gram().as_mat(), adjoint.as_ref())?;
    for i in 0..f.rows() {
        (0..n).for_each(|r| inverse[(r, i)] = inverse[(r, i)].scale(1.0 / lengths[r]));
    }
    Some(inverse)
}

/// The Kruskal rank of `f`: the greatest `k` such that every `k` columns are independent (to `1e-8`), and
/// whether it is exact or only a lower bound.
///
/// Exact for independent columns and when at most 20000 subsets decide; otherwise the bound
/// `1 + floor(1/mu)` from the greatest cosine `mu` of two columns.
pub fn kruskal_rank<T: Scalar>(f: &Factor<T>) -> (usize, bool) {
    let (rows, cols) = (f.rows(), f.cols());
    let mut unit = f.clone();
    for r in 0..cols {
        let length = unit.column_norm(r);
        if !(length > 0.0) {
            return (0, true);
        }
        unit.divide_column(r, length);
    }
    let mut tried = 0usize;
    for k in (1..=rows.min(cols)).rev() {
        match all_independent(&unit, k, &mut tried) {
            Some(true) => return (k, true),
            Some(false) => {}
            None => break,
        }
    }
    let gram = unit.gram();
    let mut top = 0.0f64;
    for r in 0..cols {
        (0..r).for_each(|s| top = top.max(gram.column(r)[s].abs()));
    }
    let bound = if top > 0.0 {
        (1.0 + 1.0 / top).floor() as usize
    } else {
        cols
    };
    (bound.min(rows).min(cols).max(1), false)
}

/// Whether every `k` columns are independent; `None` when the budget of subsets is spent.
fn all_independent<T: Scalar>(unit: &Factor<T>, k: usize, tried: &mut usize) -> Option<bool> {
    let cols = unit.cols();
    let mut chosen: Vec<usize> = (0..k).collect();
    loop {
        *tried += 1;
        if *tried > MOST_SUBSETS {
            return None;
        }
        let mut gram: Vec<T> = Vec::with_capacity(k * k);
        for &r in &chosen {
            gram.extend(
                chosen
                    .iter()
                    .map(|&s| T::dot(unit.column(s), unit.column(r))),
            );
        }
        let definite = small::cholesky(&mut gram, k);
        // The pivots are squared distances of a column from the span of those before it.
        if !definite || (0..k).any(|i| gram[i * (k + 1)].re() < 1e-8) {
            return Some(false);
        }
        // The next subset in lexicographic order.
        let Some(i) = (0..k).rev().find(|&i| chosen[i] < cols - k + i) else {
            return Some(true);
        };
        chosen[i] += 1;
        for j in i + 1..k {
            chosen[j] = chosen[j - 1] + 1;
        }
    }
}

/// `sum_m k_m - (2 R + m - 1)` with the Kruskal ranks `k_m`: nonnegative means that the components of an
/// exact decomposition are unique, negative decides nothing. With it, whether the ranks are exact.
///
/// # Source
/// Kruskal 1977; Sidiropoulos and Bro 2000 for more than three modes.
pub fn kruskal_slack<T: Scalar + Ring>(model: &CpTensor<T>) -> (i64, bool) {
    let ranks: Vec<(usize, bool)> = model.factors().iter().map(kruskal_rank).collect();
    let sum: usize = ranks.iter().map(|r| r.0).sum();
    let needed = 2 * model.rank() + model.order() - 1;
    (sum as i64 - needed as i64, ranks.iter().all(|r| r.1))
}
