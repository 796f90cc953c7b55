//! Rings that are sums of products: the gauge that makes every slice diagonal.
//!
//! A CP model is the ring whose slices are `diag(a_k(i))`; in another gauge its slices are
//! `L_k diag(a_k(i)) L_{k+1}^-1`. Two combinations `X`, `Y` of the slices of one core then give
//! `X Y^-1 = L_k diag(x / y) L_k^-1`, whose eigenvectors are the gauge at that bond; one combination of each
//! further core carries it around the ring. What is left off the diagonal decides whether there is one.

use super::model::TensorRing;
use crate::Error;
use crate::linalg::inverse_iteration;
use crate::tensor::dense::Tensor;
use crate::tensor::scalar::Scalar;
use crate::tensor::scalar::columns;
use faer::Mat;
use num_complex::Complex;

const OP: &str = "TensorRing::to_cp_factors";
/// Imaginary share of an eigenvalue that rounding explains in a real ring; a pair that is really complex
/// belongs to a CP model over the complex numbers only.
const IMAGINARY: f64 = 1e-6;
/// Steps of inverse iteration at an eigenvalue.
const STEPS: usize = 3;

impl<T: Scalar> TensorRing<T> {
    /// The factors of a CP model with the same tensor, when one gauge makes every slice diagonal:
    /// factor `k` is `n_k x R`.
    ///
    /// # Shapes
    /// All ranks agree.
    ///
    /// # Errors
    /// `Shape` when the ranks differ; `Degenerate` when no gauge is found that makes the slices diagonal
    /// (measured: the least share of a core left off the diagonal over the bonds tried, 1 where no gauge
    /// could be formed). A real ring whose terms are complex is refused: convert it with
    /// [`to_complex`](TensorRing::to_complex) first. Terms that are parallel in every mode are not told apart.
    ///
    /// # Complexity
    /// `O(m (R^3 + n R^3))` for each of the `m` bonds that may have to be tried.
    /// Here `n` is the length of the longest mode.
    pub fn to_cp_factors(&self, tolerance: f64) -> Result<Vec<Mat<T>>, Error> {
        let r = self.ranks()[0];
        if self.ranks().iter().any(|&x| x != r) {
            let found = format!("{:?}", self.ranks());
            return Err(Error::shape(OP, "equal ranks", found));
        }
        // A diagonal form is left as it stands, whatever its terms.
        let mut least = off_diagonal(self.cores(), r);
        if least <= tolerance {
            return Ok(diagonals(self.cores(), r));
        }
        let m = self.order();
        for bond in 0..m {
            let turned = self.rotated(bond);
            // A combination that is singular or defective at this bond may not be so at another.
            let Ok(mut cores) = diagonalised(turned.cores(), r) else {
                continue;
            };
            let share = off_diagonal(&cores, r);
            least = least.min(share);
            if share <= tolerance {
                cores.rotate_right(bond);
                return Ok(diagonals(&cores, r));
            }
        }
        let hypothesis =
            "a gauge that makes all slices diagonal (least share left off the diagonal)";
        Err(Error::degenerate(OP, hypothesis, least))
    }
}

/// The cores in the gauge that the first one asks for.
fn diagonalised<T: Scalar>(cores: &[Tensor<T>], r: usize) -> Result<Vec<Tensor<T>>, Error> {
    let identity = Mat::from_fn(r, r, |i, j| if i == j { T::one() } else { T::zero() });
    let (x, y) = (combined(&cores[0], 1.0), combined(&cores[0], 2.0));
    let inverse = T::solve(OP, y.as_ref(), identity.as_ref())?;
    let vectors = eigenvectors(&T::product(x.as_ref(), inverse.as_ref()))?;
    let mut left = T::solve(OP, vectors.as_ref(), identity.as_ref())?;
    let mut out = Vec::with_capacity(cores.len());
    for (k, core) in cores.iter().enumerate() {
        let n = core.dims()[1];
        let last = k + 1 == cores.len();
        let mut next = T::product(left.as_ref(), combined(core, 2.0).as_ref());
        let right = if last {
            vectors.clone()
        } else {
            // In the gauge sought this combination is diagonal: its rows are those of the next gauge.
            for i in 0..r {
                let size: f64 = (0..r).map(|j| next[(i, j)].squared()).sum();
                let scale = T::from_real(1.0 / size.sqrt());
                (0..r).for_each(|j| next[(i, j)] *= scale);
            }
            T::solve(OP, next.as_ref(), identity.as_ref())?
        };
        let moved = T::product(left.as_ref(), core.view().as_matrix(1));
        let moved = Tensor::from_vec(&[r, n, r], columns(moved.as_ref()))?;
        let done = T::product(moved.view().as_matrix(2), right.as_ref());
        out.push(Tensor::from_vec(&[r, n, r], columns(done.as_ref()))?);
        left = next;
    }
    Ok(out)
}

/// A fixed combination of the slices of a core, without symmetry.
fn combined<T: Scalar>(core: &Tensor<T>, which: f64) -> Mat<T> {
    let (l, n, r) = (core.dims()[0], core.dims()[1], core.dims()[2]);
    let data = core.as_slice();
    let weight = |i: usize| T::from_real((which * (1.0 + 1.7 * i as f64)).sin() + 0.1);
    Mat::from_fn(l, r, |a, b| {
        (0..n).map(|i| weight(i) * data[a + l * (i + n * b)]).sum()
    })
}

/// A basis of eigenvectors for distinct eigenvalues, over the scalars of the matrix.
fn eigenvectors<T: Scalar>(m: &Mat<T>) -> Result<Mat<T>, Error> {
    let r = m.nrows();
    let values = T::eigenvalues(OP, m.as_ref())?;
    let size = values.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let imaginary = values.iter().map(|z| z.im.abs()).fold(0.0, f64::max);
    let real = T::COMPLEX || imaginary <= IMAGINARY * size;
    if !real {
        let hypothesis = "terms over the scalars of the ring (imaginary share of an eigenvalue)";
        return Err(Error::degenerate(OP, hypothesis, imaginary / size));
    }
    let complex = Mat::from_fn(r, r, |i, j| m[(i, j)].to_complex());
    let start = Mat::from_fn(r, 1, |i, _| Complex::new(1.0 + 0.3 * (i as f64).sin(), 0.0));
    let mut out = Mat::zeros(r, r);
    for (j, &value) in values.iter().enumerate() {
        let v = inverse_iteration(OP, complex.as_ref(), value, start.as_ref(), STEPS)?;
        // The phase of an eigenvector is free: that of its greatest entry makes real ones real.
        let greatest = (0..r)
            .map(|i| v[(i, 0)])
            .max_by(|a, b| a.norm().total_cmp(&b.norm()));
        let phase = greatest.map_or(Complex::new(1.0, 0.0), |z| z.conj() / z.norm());
        for i in 0..r {
            out[(i, j)] = T::from_complex(v[(i, 0)] * phase);
        }
    }
    Ok(out)
}

/// The greatest share of a core off the diagonal.
fn off_diagonal<T: Scalar>(cores: &[Tensor<T>], r: usize) -> f64 {
    let mut worst = 0.0f64;
    for g in cores {
        let (mut off, mut all) = (0.0, 0.0);
        for (flat, x) in g.as_slice().iter().enumerate() {
            let (a, b) = (flat % r, flat / (r * g.dims()[1]));
            all += x.squared();
            off += if a == b { 0.0 } else { x.squared() };
        }
        let share = if all > 0.0 { (off / all).sqrt() } else { 0.0 };
        worst = worst.max(if share.is_nan() { 1.0 } else { share });
    }
    worst
}

/// The diagonals of the slices, `n_k x R`.
fn diagonals<T: Scalar>(cores: &[Tensor<T>], r: usize) -> Vec<Mat<T>> {
    let factor = |g: &Tensor<T>| {
        let (n, data) = (g.dims()[1], g.as_slice());
        Mat::from_fn(n, r, |i, a| data[a + r * (i + n * a)])
    };
    cores.iter().map(factor).collect()
}
