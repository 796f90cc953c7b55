//! Second differences, and least squares with them.
//!
//! With `D` the second differences of `n` entries and `D'D = U diag(l) U'`, the equations of a smooth mode,
//!
//! ```text
//! A (Gamma + diag(d)) + D'D A diag(q) = M,
//! ```
//!
//! fall apart into one system of size `R` for every row of `U'A`.
//!
//! Source: Whittaker 1923 and Eilers 2003 (the penalty).

use super::super::als::solve_columns;
use crate::Error;
use crate::linalg::symmetric_eigen;
use crate::tensor::Factor;
use faer::Mat;

/// The sum of squared second differences.
pub(super) fn roughness(a: &[f64]) -> f64 {
    let bend = |w: &[f64]| w[0] - 2.0 * w[1] + w[2];
    a.windows(3).map(|w| bend(w).powi(2)).sum()
}

/// `D'D a`.
pub(super) fn curvature(a: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len()];
    for (i, w) in a.windows(3).enumerate() {
        let bend = w[0] - 2.0 * w[1] + w[2];
        out[i] += bend;
        out[i + 1] -= 2.0 * bend;
        out[i + 2] += bend;
    }
    out
}

/// The second differences of a mode, diagonalised.
pub(super) struct Bends {
    values: Vec<f64>,
    vectors: Factor,
}

impl Bends {
    /// Those of `n` rows.
    ///
    /// # Complexity
    /// `O(n^3)`.
    pub(super) fn of(op: &'static str, n: usize) -> Result<Self, Error> {
        let mut gram = Mat::zeros(n, n);
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit[j] = 1.0;
            let column = curvature(&unit);
            (0..n).for_each(|i| gram[(i, j)] = column[i]);
            unit[j] = 0.0;
        }
        let found = symmetric_eigen(op, gram.as_ref())?;
        let vectors = Factor::from_fn(n, n, |i, j| found.vectors[(i, j)]);
        let values = found.values.iter().map(|v| v.max(0.0)).collect();
        Ok(Self { values, vectors })
    }

    /// The solution `A` of `A (gamma + diag(d)) + D'D A diag(q) = m`.
    pub(super) fn solve(&self, gamma: &Factor, (q, d): (&[f64], &[f64]), m: &Factor) -> Factor {
        let rank = gamma.cols();
        let mut turned = m.left_mul(self.vectors.as_mat().transpose());
        for (i, &l) in self.values.iter().enumerate() {
            let mut system = gamma.clone();
            (0..rank).for_each(|r| system.column_mut(r)[r] += l * q[r] + d[r]);
            let mut row = Factor::from_fn(1, rank, |_, r| turned.column(r)[i]);
            solve_columns(&system, &mut row);
            (0..rank).for_each(|r| turned.column_mut(r)[i] = row.column(r)[0]);
        }
        turned.left_mul(self.vectors.as_mat())
    }
}
