//! The two covariances through which data enter the theory, and how they are accumulated from samples.

use crate::Error;
use crate::linalg::{SymmetricEigen, frobenius, symmetric_eigen};
use crate::tensor::Tensor;
use faer::{Mat, MatRef};

/// `Omega = E x x'` and `Phi = E x c'` of centred inputs `x = G(c)` with standard Gaussian latents `c`.
///
/// Invariant: finite, `Omega` symmetric, `Phi` with as many rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariances {
    omega: Mat<f64>,
    phi: Mat<f64>,
}

impl Covariances {
    /// Takes the two matrices; `omega` is symmetrised when it is symmetric to one part in a million.
    ///
    /// # Shapes
    /// `omega` is `N x N`, `phi` is `N x D`, both at least 1.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`; `InvalidInput` when `omega` is not symmetric or has a negative diagonal entry.
    ///
    /// # Example
    /// ```
    /// use faer::mat;
    /// use wickring::theory::Covariances;
    /// let law = Covariances::new(mat![[1.0, 0.5], [0.5, 1.0]], mat![[0.8], [0.6]])?;
    /// assert_eq!((law.inputs(), law.latents()), (2, 1));
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn new(omega: Mat<f64>, phi: Mat<f64>) -> Result<Self, Error> {
        let op = "Covariances::new";
        let n = omega.nrows();
        if omega.ncols() != n || phi.nrows() != n || n == 0 || phi.ncols() == 0 {
            let found = format!(
                "{} x {} and {} x {}",
                n,
                omega.ncols(),
                phi.nrows(),
                phi.ncols()
            );
            return Err(Error::shape(op, "Omega N x N and Phi N x D", found));
        }
        require_finite(op, omega.as_ref())?;
        require_finite(op, phi.as_ref())?;
        let skew = frobenius((&omega - omega.transpose()).as_ref());
        let size = frobenius(omega.as_ref());
        // Both norms are finite: the entries are.
        if skew > 1e-6 * size {
            let requirement = format!("Omega must be symmetric, |Omega - Omega'| = {skew:.2e}");
            return Err(Error::invalid(op, requirement));
        }
        if let Some(i) = (0..n).find(|&i| omega[(i, i)] < 0.0) {
            let requirement = format!("Omega[{i}, {i}] = {:.3e} is negative", omega[(i, i)]);
            return Err(Error::invalid(op, requirement));
        }
        let omega = Mat::from_fn(n, n, |i, j| 0.5 * (omega[(i, j)] + omega[(j, i)]));
        Ok(Self { omega, phi })
    }

    /// The same from arrays as read from files.
    ///
    /// # Errors
    /// As [`Covariances::new`], and `Shape` when an array is not a matrix.
    pub fn from_tensors(omega: &Tensor, phi: &Tensor) -> Result<Self, Error> {
        let op = "Covariances::from_tensors";
        Self::new(matrix(op, omega)?, matrix(op, phi)?)
    }

    /// Number of inputs `N`.
    pub fn inputs(&self) -> usize {
        self.omega.nrows()
    }

    /// Number of latent variables `D`.
    pub fn latents(&self) -> usize {
        self.phi.ncols()
    }

    /// `E x x'`.
    pub fn omega(&self) -> MatRef<'_, f64> {
        self.omega.as_ref()
    }

    /// `E x c'`.
    pub fn phi(&self) -> MatRef<'_, f64> {
        self.phi.as_ref()
    }

    /// The largest eigenvalue of `Omega` by forty steps of power iteration: from below, to a few parts in a
    /// hundred even where the top of the spectrum is dense. For bounds and warnings.
    ///
    /// # Complexity
    /// `O(40 N^2)`.
    /// Here `N` is the number of inputs.
    pub fn largest_eigenvalue(&self) -> f64 {
        power_iteration(self.inputs(), |x| self.omega() * x)
    }

    /// How far `Omega - Phi Phi'` is from positive semidefinite: its most negative eigenvalue over the largest
    /// of `Omega`, estimated as [`Covariances::largest_eigenvalue`] is; 0 when there is none.
    ///
    /// No pair of variables with standard latents has a defect; covariances of `P` samples have one of order
    /// `sqrt(N / P)` where `Omega` is nearly singular.
    ///
    /// # Complexity
    /// `O(80 N (N + D))`.
    /// Here `D` is the number of latents.
    pub fn defect(&self) -> f64 {
        let top = self.largest_eigenvalue();
        let (omega, phi) = (self.omega(), self.phi());
        if top == 0.0 {
            // Inputs that do not vary cannot vary together with anything.
            return if phi.norm_max() > 0.0 {
                f64::INFINITY
            } else {
                0.0
            };
        }
        let rest = |x: &Mat<f64>| omega * x - phi * (phi.transpose() * x);
        // Shifted by what bounds the spectrum of Omega, the most negative eigenvalue is the largest.
        let shift = 1.05 * top;
        let turned = power_iteration(self.inputs(), |x| faer::Scale(shift) * &x - rest(&x));
        ((turned - shift) / top).max(0.0)
    }

    /// Eigenvalues (those that are negative by rounding or by sampling set to zero) and eigenvectors.
    ///
    /// # Errors
    /// `Degenerate` when an eigenvalue is below `-1e-5` of the largest (single precision leaves
    /// `1e-7 sqrt N`); `Backend`.
    ///
    /// # Complexity
    /// `O(N^3)`.
    pub fn spectrum(&self, op: &'static str) -> Result<SymmetricEigen, Error> {
        let mut eigen = symmetric_eigen(op, self.omega())?;
        let largest = eigen.values.last().copied().unwrap_or(0.0);
        let least = eigen.values.first().copied().unwrap_or(0.0);
        if least < -1e-5 * largest.max(f64::MIN_POSITIVE) {
            let hypothesis = "Omega positive semidefinite (smallest eigenvalue over the largest)";
            return Err(Error::degenerate(op, hypothesis, least / largest));
        }
        eigen.values.iter_mut().for_each(|x| *x = x.max(0.0));
        Ok(eigen)
    }
}

/// The largest eigenvalue of a symmetric map, by forty steps.
fn power_iteration(n: usize, map: impl Fn(Mat<f64>) -> Mat<f64>) -> f64 {
    // A start without symmetry of its own: orthogonal to no direction that data have.
    let mut x = Mat::from_fn(n, 1, |i, _| 1.0 + (1.0 + i as f64).sin());
    let mut top = 0.0;
    for _ in 0..40 {
        let norm = frobenius(x.as_ref());
        if !(norm > 0.0 && norm.is_finite()) {
            return top;
        }
        x = map(faer::Scale(1.0 / norm) * x);
        top = frobenius(x.as_ref());
    }
    top
}

/// Mergeable sums of a stream of pairs `(c, x)`.
///
/// Latents are standard Gaussian by assumption; their sample mean is removed from `Phi` all the same.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::theory::CovarianceStream;
/// let mut stream = CovarianceStream::new(1, 1);
/// stream.push(mat![[1.0, -1.0]].as_ref(), mat![[3.0, 1.0]].as_ref())?;
/// assert_eq!((stream.count(), stream.mean()), (2, vec![2.0]));
/// assert!(stream.finish()?.phi()[(0, 0)] > 0.0);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CovarianceStream {
    count: u64,
    sum_x: Vec<f64>,
    sum_c: Vec<f64>,
    xx: Mat<f64>,
    xc: Mat<f64>,
}

impl CovarianceStream {
    /// No samples yet, `n` inputs and `d` latents.
    pub fn new(n: usize, d: usize) -> Self {
        Self {
            count: 0,
            sum_x: vec![0.0; n],
            sum_c: vec![0.0; d],
            xx: Mat::zeros(n, n),
            xc: Mat::zeros(n, d),
        }
    }

    /// Adds a block of samples, one per column.
    ///
    /// # Shapes
    /// `x` is `N x b`, `c` is `D x b`.
    ///
    /// # Errors
    /// `Shape`, `NonFinite`.
    ///
    /// # Complexity
    /// `O(b N (N + D))`.
    pub fn push(&mut self, c: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Result<(), Error> {
        let op = "CovarianceStream::push";
        let (n, d) = (self.sum_x.len(), self.sum_c.len());
        if x.nrows() != n || c.nrows() != d || x.ncols() != c.ncols() {
            let found = format!(
                "{} x {} and {} x {}",
                x.nrows(),
                x.ncols(),
                c.nrows(),
                c.ncols()
            );
            return Err(Error::shape(
                op,
                format!("{n} and {d} rows, as many columns"),
                found,
            ));
        }
        require_finite(op, x)?;
        require_finite(op, c)?;
        self.xx += x * x.transpose();
        self.xc += x * c.transpose();
        for j in 0..x.ncols() {
            (0..n).for_each(|i| self.sum_x[i] += x[(i, j)]);
            (0..d).for_each(|i| self.sum_c[i] += c[(i, j)]);
        }
        self.count += x.ncols() as u64;
        Ok(())
    }

    /// Adds the sums of another stream of the same sizes.
    ///
    /// # Errors
    /// `Shape`.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if (self.sum_x.len(), self.sum_c.len()) != (other.sum_x.len(), other.sum_c.len()) {
            let sizes = |s: &Self| format!("{} inputs, {} latents", s.sum_x.len(), s.sum_c.len());
            return Err(Error::shape(
                "CovarianceStream::merge",
                sizes(self),
                sizes(other),
            ));
        }
        self.count += other.count;
        self.xx += &other.xx;
        self.xc += &other.xc;
        let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.sum_x, &other.sum_x);
        add(&mut self.sum_c, &other.sum_c);
        Ok(())
    }

    /// Samples seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of `x`.
    pub fn mean(&self) -> Vec<f64> {
        let n = self.count.max(1) as f64;
        self.sum_x.iter().map(|s| s / n).collect()
    }

    /// The covariances, with the sample means removed.
    ///
    /// # Errors
    /// `InvalidInput` with fewer than two samples.
    pub fn finish(&self) -> Result<Covariances, Error> {
        if self.count < 2 {
            return Err(Error::invalid(
                "CovarianceStream::finish",
                "at least two samples",
            ));
        }
        let (n, d) = (self.sum_x.len(), self.sum_c.len());
        let p = self.count as f64;
        let (x, c) = (&self.sum_x, &self.sum_c);
        let omega = Mat::from_fn(n, n, |i, j| (self.xx[(i, j)] - x[i] / p * x[j]) / p);
        let phi = Mat::from_fn(n, d, |i, j| (self.xc[(i, j)] - x[i] / p * c[j]) / p);
        Covariances::new(omega, phi)
    }
}

/// A matrix from a two-dimensional array.
pub(super) fn matrix(op: &'static str, t: &Tensor) -> Result<Mat<f64>, Error> {
    if t.order() != 2 {
        let found = format!("an array of order {}", t.order());
        return Err(Error::shape(op, "a matrix", found));
    }
    Ok(t.view().as_matrix(1).to_owned())
}

/// Refuses NaN and infinity.
pub(super) fn require_finite(op: &'static str, m: MatRef<'_, f64>) -> Result<(), Error> {
    for j in 0..m.ncols() {
        for i in 0..m.nrows() {
            if !m[(i, j)].is_finite() {
                let index = i + m.nrows() * j;
                return Err(Error::NonFinite { op, index });
            }
        }
    }
    Ok(())
}
