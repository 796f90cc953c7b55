//! Improper learning: all polynomials of the degree, by least squares or by moments.
//!
//! With at least as many samples as monomials, least squares on Hermite features learns the polynomial exactly,
//! whatever the number of neurons: the hardness of two-layer networks is that of *proper* predictors. Its top
//! coefficients are the symmetric tensor `a_m sum_i c_i w_i^m`, up to rounding; moments estimate the same tensor
//! with the variance of `y H_m(x)` over `n`, which is hopeless beside least squares.

use super::sample::{count, features, monomials};
use crate::Error;
use crate::decomp::PackedForm;
use crate::linalg::{Scalar, cholesky_solve, norm2};
use faer::{Mat, MatRef};

/// Samples whose features are formed at a time.
const ROWS: usize = 512;
/// Most features: their Gram matrix takes half a gigabyte.
pub(super) const MOST_FEATURES: usize = 8192;

/// A polynomial in normalised Hermite polynomials, `sum_a c_a He_a(x) / sqrt(a!)`, of given degrees.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::learn::two_layer::HermiteFit;
/// let x = mat![[-1.0], [0.0], [1.0], [2.0]];
/// let y = [0.0, -1.0, 0.0, 3.0]; // x^2 - 1
/// let fit = HermiteFit::by_least_squares(x.as_ref(), &y, &[0, 1, 2])?;
/// assert!((fit.evaluate(mat![[3.0]].as_ref())?[0] - 8.0).abs() < 1e-10);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HermiteFit {
    dim: usize,
    degrees: Vec<usize>,
    coefficients: Vec<f64>,
}

impl HermiteFit {
    /// Number of features of the given degrees in `d` inputs; saturating.
    pub fn features(d: usize, degrees: &[usize]) -> usize {
        let all = degrees.iter().map(|&k| count(d, k));
        all.fold(0, usize::saturating_add)
    }

    /// Least squares on all features of the given degrees.
    ///
    /// # Shapes
    /// `x` is `n x d`, `y` has `n` entries, `n` at least the number of features.
    ///
    /// # Errors
    /// `Shape`; `LimitExceeded` beyond 8192 features; `Degenerate` with fewer samples than features or inputs
    /// that do not separate them; `NonFinite`.
    ///
    /// # Complexity
    /// `O(n p^2 + p^3)` for `p` features, memory `O(p^2)`.
    ///
    /// # Accuracy
    /// Two steps of refinement: without noise the error is that of rounding for Gaussian inputs and
    /// `n >= 1.1 p`.
    pub fn by_least_squares(
        x: MatRef<'_, f64>,
        y: &[f64],
        degrees: &[usize],
    ) -> Result<Self, Error> {
        let op = "HermiteFit::by_least_squares";
        let p = check(op, x, y, degrees)?;
        if y.len() < p {
            let hypothesis = "at least as many samples as polynomials (samples per polynomial)";
            return Err(Error::degenerate(op, hypothesis, y.len() as f64 / p as f64));
        }
        let mut gram = Mat::<f64>::zeros(p, p);
        each_block(x, degrees, |_, f| {
            f64::gemm(gram.as_mut(), true, f.transpose(), f, 1.0);
        });
        let mut fit = Self {
            dim: x.ncols(),
            degrees: degrees.to_vec(),
            coefficients: vec![0.0; p],
        };
        let first = norm2(&fit.pull_back(x, y));
        for _ in 0..4 {
            let values = fit.evaluate(x)?;
            let rest: Vec<f64> = y.iter().zip(&values).map(|(y, v)| y - v).collect();
            let slope = fit.pull_back(x, &rest);
            if norm2(&slope) <= 1e-15 * first {
                break;
            }
            let rhs = Mat::from_fn(p, 1, |i, _| slope[i]);
            let hypothesis = "inputs that tell all polynomials of the degree apart";
            let step = cholesky_solve(gram.as_ref(), rhs.as_ref());
            let step = step.ok_or_else(|| Error::degenerate(op, hypothesis, 0.0))?;
            let both = fit.coefficients.iter_mut().zip(step.col_as_slice(0));
            both.for_each(|(c, s)| *c += s);
        }
        Ok(fit)
    }

    /// The moments `c_a = mean of y He_a(x) / sqrt(a!)`, for standard normal inputs.
    ///
    /// # Shapes
    /// `x` is `n x d`, `y` has `n` entries.
    ///
    /// # Errors
    /// `Shape`, `LimitExceeded`, `NonFinite`.
    ///
    /// # Complexity
    /// `O(n p)`, memory `O(p)`.
    /// Here `p` is the number of features.
    pub fn by_moments(x: MatRef<'_, f64>, y: &[f64], degrees: &[usize]) -> Result<Self, Error> {
        let op = "HermiteFit::by_moments";
        let p = check(op, x, y, degrees)?;
        let empty = Self {
            dim: x.ncols(),
            degrees: degrees.to_vec(),
            coefficients: vec![0.0; p],
        };
        let sums = empty.pull_back(x, y);
        let n = y.len().max(1) as f64;
        Ok(Self {
            coefficients: sums.iter().map(|s| s / n).collect(),
            ..empty
        })
    }

    fn pull_back(&self, x: MatRef<'_, f64>, e: &[f64]) -> Vec<f64> {
        let mut sums = Mat::<f64>::zeros(self.coefficients.len(), 1);
        each_block(x, &self.degrees, |from, f| {
            let part = Mat::from_fn(f.nrows(), 1, |i, _| e[from + i]);
            f64::gemm(sums.as_mut(), true, f.transpose(), part.as_ref(), 1.0);
        });
        sums.col_as_slice(0).to_vec()
    }

    /// The values at the rows of `x`.
    ///
    /// # Errors
    /// `Shape` when `x` has another number of columns.
    pub fn evaluate(&self, x: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        if x.ncols() != self.dim {
            let expected = format!("samples with {} entries", self.dim);
            let found = x.ncols().to_string();
            return Err(Error::shape("HermiteFit::evaluate", expected, found));
        }
        let c = Mat::from_fn(self.coefficients.len(), 1, |i, _| self.coefficients[i]);
        let mut out = Vec::with_capacity(x.nrows());
        each_block(x, &self.degrees, |_, f| {
            out.extend_from_slice((f * &c).col_as_slice(0));
        });
        Ok(out)
    }

    /// The symmetric tensor `T` of a degree: the part of that degree is `<H_m(x), T>`.
    ///
    /// # Errors
    /// `InvalidInput` when the degree is not among those fitted or is not in `2..=8`.
    pub fn tensor(&self, degree: usize) -> Result<PackedForm, Error> {
        let op = "HermiteFit::tensor";
        let Some(at) = self.degrees.iter().position(|k| *k == degree) else {
            return Err(Error::invalid(
                op,
                format!("degree {degree} was not fitted"),
            ));
        };
        let first = Self::features(self.dim, &self.degrees[..at]);
        let lists = monomials(self.dim, degree);
        let factorial = |k: usize| (1..=k).map(|j| j as f64).product::<f64>();
        PackedForm::from_entries(degree, self.dim, |index| {
            let place = lists
                .binary_search_by(|l| l.as_slice().cmp(index))
                .unwrap_or(0);
            // c_a h_a = <H_m, T> restricted to a: T_a = c_a sqrt(a!) / m!.
            let powers = index
                .chunk_by(|a, b| a == b)
                .map(|run| factorial(run.len()));
            let root = powers.product::<f64>().sqrt();
            self.coefficients[first + place] * root / factorial(degree)
        })
    }
}

fn check(
    op: &'static str,
    x: MatRef<'_, f64>,
    y: &[f64],
    degrees: &[usize],
) -> Result<usize, Error> {
    if x.nrows() != y.len() {
        let expected = format!("{} targets", x.nrows());
        return Err(Error::shape(op, expected, y.len().to_string()));
    }
    let p = HermiteFit::features(x.ncols(), degrees);
    if p > MOST_FEATURES {
        return Err(Error::limit(op, "features", MOST_FEATURES as u64));
    }
    match y.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NonFinite { op, index }),
        None => Ok(p),
    }
}

/// Calls `f(first row, features)` for consecutive blocks of samples.
fn each_block(x: MatRef<'_, f64>, degrees: &[usize], mut f: impl FnMut(usize, MatRef<'_, f64>)) {
    for from in (0..x.nrows()).step_by(ROWS) {
        let rows = x.subrows(from, ROWS.min(x.nrows() - from));
        f(from, features(rows, degrees).as_ref());
    }
}
