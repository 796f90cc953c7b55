//! The least covariance that a sample can show, in the coordinates of a climb.
//!
//! An entry written to a step `h` carries a rounding of variance `h^2 / 12`, one written to the last bit that of its last
//! bit. A component whose rows all round to the same numbers has no variance at all, and the likelihood no bound: a
//! hundredth of that of the rounding is where it is stopped. It is so little because combinations of columns may be exact
//! up to the rounding of one of them (degrees of two scales), which is thin but no collapse. Nothing else bounds a
//! component from below: not its size beside the others, nor the unit of a column.

use super::coordinates::Coordinates;
use crate::Error;
use crate::linalg::{small, symmetric_eigen};
use faer::Mat;

/// Share of the variance of the rounding.
const SHARE: f64 = 0.01;
/// Share of a component's own variance below which the pivots of its covariance are rounding.
const OWN: f64 = 1e-14;
/// A pivot above this share of its diagonal entry is taken for a number.
const PIVOT: f64 = 32.0 * f64::EPSILON;

/// A positive semidefinite matrix that every covariance must exceed.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Floor {
    dim: usize,
    matrix: Vec<f64>,
}

impl Floor {
    /// A hundredth of the variances of the rounding of each column, seen in other coordinates.
    pub(in crate::learn::mixture) fn of_rounding(variances: &[f64], at: &Coordinates) -> Self {
        let dim = variances.len();
        let spread = Mat::from_fn(dim, dim, |k, a| {
            at.down(k, a) * (SHARE * variances[a]).sqrt()
        });
        let product = &spread * spread.transpose();
        let matrix = (0..dim * dim).map(|i| product[(i / dim, i % dim)]);
        Self {
            dim,
            matrix: matrix.collect(),
        }
    }

    /// The same share of variances of rounding, in the coordinates that they are given in.
    pub(in crate::learn::mixture) fn diagonal(variances: &[f64]) -> Self {
        let dim = variances.len();
        let mut matrix = vec![0.0; dim * dim];
        for (a, v) in variances.iter().enumerate() {
            matrix[a * dim + a] = (SHARE * v).max(f64::MIN_POSITIVE * 1e20);
        }
        Self { dim, matrix }
    }

    /// One variance in every direction.
    pub(in crate::learn::mixture) fn spherical(dim: usize, variance: f64) -> Self {
        let variance = variance.max(f64::MIN_POSITIVE * 1e20);
        let matrix = (0..dim * dim).map(|i| f64::from(u8::from(i / dim == i % dim)) * variance);
        Self {
            dim,
            matrix: matrix.collect(),
        }
    }

    /// The same in every direction: as large as the largest.
    pub(in crate::learn::mixture) fn rounded_up(&self) -> Self {
        let most = (0..self.dim).map(|a| self.matrix[a * self.dim + a]);
        Self::spherical(self.dim, most.fold(0.0, f64::max))
    }

    /// Mean variance over the coordinates.
    pub(in crate::learn::mixture) fn variance(&self) -> f64 {
        let sum: f64 = (0..self.dim).map(|a| self.matrix[a * self.dim + a]).sum();
        (sum / self.dim.max(1) as f64).max(f64::MIN_POSITIVE * 1e20)
    }

    /// Raises a covariance to the floor where it is below; says whether it was.
    ///
    /// What exceeds the floor stays as it is: in the coordinates where the floor is the identity, eigenvalues below one
    /// become one, the maximum of the likelihood under the constraint, in any coordinates alike.
    ///
    /// # Errors
    /// Those of a spectrum.
    pub(in crate::learn::mixture) fn raise(&self, covariance: &mut [f64]) -> Result<bool, Error> {
        if self.below(covariance) {
            return Ok(false);
        }
        let dim = self.dim;
        let mut lower = self.matrix.clone();
        for a in 0..dim {
            lower[a * dim + a] += OWN * covariance[a * dim + a].max(0.0) + f64::MIN_POSITIVE;
        }
        if !small::cholesky(&mut lower, dim) {
            // A floor that is all but singular: only its diagonal counts.
            lower.fill(0.0);
            for a in 0..dim {
                let own = self.matrix[a * dim + a] + OWN * covariance[a * dim + a].max(0.0);
                lower[a * dim + a] = own.max(f64::MIN_POSITIVE).sqrt();
            }
        }
        // The factor is stored by columns.
        let l = Mat::from_fn(
            dim,
            dim,
            |a, b| if b <= a { lower[b * dim + a] } else { 0.0 },
        );
        let c = Mat::from_fn(dim, dim, |a, b| covariance[a * dim + b]);
        let half = solve_lower(&l, c);
        let whole = solve_lower(&l, half.transpose().to_owned());
        let even = Mat::from_fn(dim, dim, |a, b| 0.5 * (whole[(a, b)] + whole[(b, a)]));
        let e = symmetric_eigen("Em::learn", even.as_ref())?;
        let turned = &l * &e.vectors;
        // A little more than one, so that the factorisation of the raised matrix succeeds.
        let raised = |k: usize| e.values[k].max(1.0 + 1e-6);
        for a in 0..dim {
            for b in 0..=a {
                let sum: f64 = (0..dim)
                    .map(|k| turned[(a, k)] * raised(k) * turned[(b, k)])
                    .sum();
                covariance[a * dim + b] = sum;
                covariance[b * dim + a] = sum;
            }
        }
        Ok(true)
    }

    /// Whether the floor is below the covariance, by Cholesky; much cheaper than a spectrum.
    fn below(&self, covariance: &[f64]) -> bool {
        let dim = self.dim;
        let mut lower: Vec<f64> = covariance
            .iter()
            .zip(&self.matrix)
            .map(|(c, f)| c - f)
            .collect();
        for a in 0..dim {
            for b in 0..=a {
                let dot: f64 = (0..b)
                    .map(|k| lower[a * dim + k] * lower[b * dim + k])
                    .sum();
                let rest = lower[a * dim + b] - dot;
                if a != b {
                    lower[a * dim + b] = rest / lower[b * dim + b];
                } else if rest > PIVOT * covariance[a * dim + a] {
                    lower[a * dim + a] = rest.sqrt();
                } else {
                    return false;
                }
            }
        }
        true
    }
}

/// `L^-1 m`.
fn solve_lower(l: &Mat<f64>, mut m: Mat<f64>) -> Mat<f64> {
    for j in 0..m.ncols() {
        for a in 0..l.nrows() {
            let known: f64 = (0..a).map(|b| l[(a, b)] * m[(b, j)]).sum();
            m[(a, j)] = (m[(a, j)] - known) / l[(a, a)];
        }
    }
    m
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is thinner than the floor is raised to it, what is wider stays, in skewed coordinates too.
    #[test]
    fn only_what_is_below_is_raised() {
        let floor = Floor {
            dim: 2,
            matrix: vec![1.0, 0.5, 0.5, 1.0],
        };
        let mut wide = vec![4.0, 1.0, 1.0, 3.0];
        let before = wide.clone();
        assert!(!floor.raise(&mut wide).unwrap());
        assert_eq!(wide, before);
        let mut thin = vec![1e-30, 0.0, 0.0, 5.0];
        assert!(floor.raise(&mut thin).unwrap());
        let excess = [thin[0] - 1.0, thin[1] - 0.5, thin[3] - 1.0];
        let least = excess[0].min(excess[0] * excess[2] - excess[1] * excess[1]);
        assert!(
            least > 0.0 && excess[0] < 0.5 && (thin[3] - 5.0).abs() < 0.5,
            "{thin:?}"
        );
        // A row repeated: no variance at all.
        let mut point = vec![0.0; 4];
        assert!(floor.raise(&mut point).unwrap());
        for (p, f) in point.iter().zip(&floor.matrix) {
            assert!((p - f).abs() < 1e-5, "{point:?}");
        }
        assert!(
            Floor::spherical(2, 1e-40)
                .raise(&mut [1.0, 1.0, 1.0, 1.0 + 1e-16])
                .unwrap()
        );
    }
}
