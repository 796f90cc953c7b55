//! The exact model that every tensor has when the rank reaches the product of all dimensions but one.

use crate::linalg::Scalar;
use crate::tensor::{Factor, TensorView};

/// One component for each fibre of the longest mode: the fibre there and unit vectors elsewhere, so that
/// nothing cancels; `None` when there are more fibres than components. Spare components are zero.
///
/// # Complexity
/// `O(R sum(n_m))`.
/// Here `R` is the number of components.
pub(in crate::decomp::cp) fn fibre_start<T: Scalar>(
    t: TensorView<'_, T>,
    rank: usize,
) -> Option<Vec<Factor<T>>> {
    let dims = t.dims();
    let (long, &n) = dims.iter().enumerate().max_by_key(|(_, n)| **n)?;
    let fibres = t.as_slice().len() / n.max(1);
    if fibres > rank {
        return None;
    }
    let mut factors: Vec<Factor<T>> = dims.iter().map(|&n| Factor::zeros(n, rank)).collect();
    let stride: usize = dims[..long].iter().product();
    for r in 0..rank {
        // The fibre number, read as an index into all modes but the long one.
        let (mut rest, mut base, mut step) = (r, 0, 1);
        for (m, &size) in dims.iter().enumerate() {
            if m != long {
                let i = if r < fibres { rest % size } else { 0 };
                factors[m].column_mut(r)[i] = T::one();
                base += i * step;
                rest /= size;
            }
            step *= size;
        }
        if r < fibres {
            let column = factors[long].column_mut(r);
            for (i, x) in column.iter_mut().enumerate() {
                *x = t.as_slice()[base + i * stride];
            }
        }
    }
    Some(factors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Tensor, residual_into};

    #[test]
    fn fibres_are_an_exact_model_whichever_mode_is_longest() {
        for dims in [&[4usize, 2, 3][..], &[2, 5, 3], &[2, 3, 4], &[3], &[2, 4]] {
            let number = |i: &[usize]| i.iter().fold(1.0, |x, &k| 3.0 * x + k as f64);
            let t = Tensor::from_fn(dims, number).unwrap_or_else(|_| unreachable!());
            let model = fibre_start(t.view(), 9).unwrap_or_default();
            let mut gap = Vec::new();
            assert!(residual_into(t.view(), &model, &mut gap).is_ok());
            assert!(gap.iter().all(|&x: &f64| x == 0.0), "{dims:?}");
        }
    }
}
