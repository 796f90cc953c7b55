//! Cholesky in memory that is used again, for the thousands of small systems of a damped Gauss-Newton method.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::{factor, solve};
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Conj, MatMut, MatRef, Par};

/// Working memory for [`CholeskySpace::factor`] and its companions; it grows to the largest size seen.
///
/// # Example
/// ```
/// use wickring::linalg::CholeskySpace;
/// let mut space = CholeskySpace::default();
/// let (mut a, mut x) = ([4.0, 2.0, 2.0, 5.0], [8.0, 9.0]);
/// assert!(space.factor(&mut a, 2) && space.solve(&a, &mut x));
/// assert!((x[0] - 1.375).abs() < 1e-14 && (x[1] - 1.25).abs() < 1e-14);
/// ```
#[derive(Default)]
pub struct CholeskySpace {
    memory: Option<(usize, MemBuffer)>,
}

impl CholeskySpace {
    fn stack(&mut self, n: usize) -> &mut MemBuffer {
        let enough = self.memory.as_ref().is_some_and(|(size, _)| *size >= n);
        let fresh = || {
            let factor = factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, Default::default());
            let solve = solve::solve_in_place_scratch::<f64>(n, 1, Par::Seq);
            MemBuffer::new(factor.or(solve))
        };
        let old = self.memory.take().filter(|_| enough);
        &mut self.memory.insert(old.unwrap_or_else(|| (n, fresh()))).1
    }

    /// Replaces the lower triangle of the symmetric `a` (`n x n`, column by column) by its Cholesky factor;
    /// false when `a` is not positive definite. The upper triangle is not read.
    ///
    /// # Complexity
    /// `n^3 / 3`.
    pub fn factor(&mut self, a: &mut [f64], n: usize) -> bool {
        let stack = MemStack::new(self.stack(n));
        let a = MatMut::from_column_major_slice_mut(a, n, n);
        let plain = Default::default();
        factor::cholesky_in_place(a, plain, Par::Seq, stack, Default::default()).is_ok()
    }

    /// Replaces `rhs` by the solution of `L L' x = rhs`, `l` from [`CholeskySpace::factor`]; false when it
    /// is not finite.
    pub fn solve(&mut self, l: &[f64], rhs: &mut [f64]) -> bool {
        let n = rhs.len();
        let stack = MemStack::new(self.stack(n));
        let l = MatRef::from_column_major_slice(l, n, n);
        let x = MatMut::from_column_major_slice_mut(rhs, n, 1);
        solve::solve_in_place_with_conj(l, Conj::No, x, Par::Seq, stack);
        rhs.iter().all(|v| v.is_finite())
    }

    /// The diagonal of `(L L')^-1`: squared lengths of the columns of `L^-1`.
    pub fn inverse_diagonal(&mut self, l: &[f64], n: usize) -> Vec<f64> {
        let mut inverse = vec![0.0; n * n];
        let l = MatRef::from_column_major_slice(l, n, n);
        let out = MatMut::from_column_major_slice_mut(&mut inverse, n, n);
        invert_lower_triangular(out, l, Par::Seq);
        let columns = inverse.chunks_exact(n.max(1)).enumerate();
        // Above the diagonal the memory is not written.
        columns
            .map(|(j, c)| c[j..].iter().map(|v| v * v).sum())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_system_is_solved_and_an_indefinite_one_refused() {
        let a = [4.0, 2.0, f64::NAN, 3.0];
        let mut space = CholeskySpace::default();
        // Column by column, with rubbish above the diagonal.
        let mut l = [a[0], a[1], a[2], a[3]];
        assert!(space.factor(&mut l, 2));
        let mut x = [8.0, 7.0];
        assert!(space.solve(&l, &mut x));
        assert!((x[0] - 1.25).abs() < 1e-15 && (x[1] - 1.5).abs() < 1e-15);
        // The inverse of [[4, 2], [2, 3]] is [[3, -2], [-2, 4]] / 8.
        let d = space.inverse_diagonal(&l, 2);
        assert!((d[0] - 0.375).abs() < 1e-15 && (d[1] - 0.5).abs() < 1e-15);
        assert!(!space.factor(&mut [1.0, 2.0, 0.0, 1.0], 2));
    }
}
