//! Eigenvalues, symmetric and general.

use super::{frobenius, jacobi, scaled};
use crate::Error;
use faer::{Mat, MatRef, Side};
use num_complex::Complex;

/// Eigenvalues and orthonormal eigenvectors of a symmetric matrix.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::linalg::symmetric_eigen;
/// let found = symmetric_eigen("example", mat![[2.0, 1.0], [1.0, 2.0]].as_ref())?;
/// assert!((found.values[0] - 1.0).abs() < 1e-14 && (found.values[1] - 3.0).abs() < 1e-14);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SymmetricEigen {
    /// Eigenvalues, nondecreasing.
    pub values: Vec<f64>,
    /// Column `j` belongs to `values[j]`.
    pub vectors: Mat<f64>,
}

/// Eigenvalues and eigenvectors of a general real matrix.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::linalg::eigen;
/// let turn = eigen("example", mat![[0.0, -1.0], [1.0, 0.0]].as_ref())?;
/// assert!(turn.values.iter().all(|l| l.re.abs() < 1e-14 && (l.im.abs() - 1.0).abs() < 1e-14));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Eigen {
    /// Eigenvalues, in the order of the backend.
    pub values: Vec<Complex<f64>>,
    /// Column `j` belongs to `values[j]`.
    pub vectors: Mat<Complex<f64>>,
}

/// Eigendecomposition of a symmetric matrix; only the lower triangle is read.
///
/// Guards: faer's symmetric solver loses accuracy at scale 1e-300 and may report no convergence. The
/// input is scaled and `A V - V D` recomputed; Jacobi on the shifted matrix takes over when it is not
/// small.
///
/// # Shapes
/// `m` is `n x n`.
///
/// # Errors
/// `Shape` when `m` is not square, `NonFinite`, `Backend` when both routes fail.
///
/// # Complexity
/// `O(n^3)`.
pub fn symmetric_eigen(op: &'static str, m: MatRef<'_, f64>) -> Result<SymmetricEigen, Error> {
    let routine = "symmetric_eigen";
    let n = square(op, m)?;
    let (lower, power) = scaled(op, m)?;
    let a = Mat::from_fn(
        n,
        n,
        |i, j| if i >= j { lower[(i, j)] } else { lower[(j, i)] },
    );
    let norm = frobenius(a.as_ref());
    if norm == 0.0 {
        let vectors = Mat::identity(n, n);
        return Ok(SymmetricEigen {
            values: vec![0.0; n],
            vectors,
        });
    }
    let good = |e: &SymmetricEigen| {
        let av = &a * &e.vectors;
        let vd = Mat::from_fn(n, n, |i, j| e.vectors[(i, j)] * e.values[j]);
        let gram = e.vectors.transpose() * &e.vectors - Mat::<f64>::identity(n, n);
        let slack = 1e-12 * (n as f64 + 1.0);
        frobenius((av - vd).as_ref()) <= slack * norm && frobenius(gram.as_ref()) <= slack
    };
    let primary = a
        .self_adjoint_eigen(Side::Lower)
        .ok()
        .map(|e| SymmetricEigen {
            values: e.S().column_vector().iter().copied().collect(),
            vectors: e.U().to_owned(),
        });
    let eigen = match primary.filter(good) {
        Some(e) => e,
        None => by_jacobi(&a, norm)
            .filter(good)
            .ok_or(Error::Backend { op, routine })?,
    };
    let values = eigen.values.iter().map(|x| x * power).collect();
    Ok(SymmetricEigen { values, ..eigen })
}

/// Shifting by the norm makes the matrix positive definite, so singular vectors are eigenvectors.
fn by_jacobi(a: &Mat<f64>, norm: f64) -> Option<SymmetricEigen> {
    let n = a.nrows();
    let shifted = Mat::from_fn(n, n, |i, j| {
        a[(i, j)] + if i == j { 2.0 * norm } else { 0.0 }
    });
    let (_, s, v) = jacobi::one_sided(shifted.as_ref())?;
    let values = s.iter().rev().map(|x| x - 2.0 * norm).collect();
    let vectors = Mat::from_fn(n, n, |i, j| v[(i, n - 1 - j)]);
    Some(SymmetricEigen { values, vectors })
}

/// Eigendecomposition of a general real matrix.
///
/// Guards: faer's `eigen` returns `Ok` with a residual of order one for matrices scaled by 1e-15 or less,
/// and leaves residuals above 1e-11 on some graded ones. The input is scaled and `A V - V D` recomputed;
/// a second attempt runs on the transpose-balanced matrix.
///
/// # Shapes
/// `m` is `n x n`.
///
/// # Errors
/// `Shape` when `m` is not square, `NonFinite`, `Backend` when no attempt has a relative residual of at
/// most `1e-9 * n`.
///
/// # Complexity
/// `O(n^3)`.
pub fn eigen(op: &'static str, m: MatRef<'_, f64>) -> Result<Eigen, Error> {
    let routine = "eigen";
    let n = square(op, m)?;
    let (a, power) = scaled(op, m)?;
    let norm = frobenius(a.as_ref());
    if norm == 0.0 {
        let one = |i, j| Complex::new(f64::from(u8::from(i == j)), 0.0);
        let values = vec![Complex::new(0.0, 0.0); n];
        return Ok(Eigen {
            values,
            vectors: Mat::from_fn(n, n, one),
        });
    }
    let good = |e: &Eigen| residual(&a, e) <= 1e-9 * n as f64 * norm;
    let primary = run(&a).filter(good);
    let eigen = match primary {
        Some(e) => e,
        None => balanced(&a)
            .filter(good)
            .ok_or(Error::Backend { op, routine })?,
    };
    let values = eigen.values.iter().map(|x| x * power).collect();
    Ok(Eigen { values, ..eigen })
}

/// Eigenvalues of a general real matrix, in the order of the backend.
///
/// Guards: scaling by a power of two, and the sum of the eigenvalues against the trace.
///
/// # Errors
/// `Shape` when `m` is not square, `NonFinite`, `Backend`.
///
/// # Complexity
/// `O(n^3)`.
/// Here `n` is the number of rows.
pub fn eigenvalues(op: &'static str, m: MatRef<'_, f64>) -> Result<Vec<Complex<f64>>, Error> {
    let routine = "eigenvalues";
    let n = square(op, m)?;
    let (a, power) = scaled(op, m)?;
    let failed = Error::Backend { op, routine };
    let values = a.eigenvalues().map_err(|_| failed.clone())?;
    let trace: f64 = (0..n).map(|i| a[(i, i)]).sum();
    let sum: Complex<f64> = values.iter().sum();
    // The same bound as for complex matrices; `!(<=)` so that NaN fails.
    let holds = (sum - trace).norm() <= 1e-9 * (n as f64 + 1.0) * frobenius(a.as_ref());
    if !holds {
        return Err(failed);
    }
    Ok(values.into_iter().map(|z| z * power).collect())
}

fn run(a: &Mat<f64>) -> Option<Eigen> {
    let e = a.eigen().ok()?;
    Some(Eigen {
        values: e.S().column_vector().iter().copied().collect(),
        vectors: e.U().to_owned(),
    })
}

/// Greatest column norm of `A V - V D` with unit columns of `V`; infinite when a column vanishes.
fn residual(a: &Mat<f64>, e: &Eigen) -> f64 {
    let n = a.nrows();
    let mut worst = 0.0f64;
    for j in 0..n {
        let column: f64 = (0..n).map(|i| e.vectors[(i, j)].norm_sqr()).sum();
        if !(column > 0.0 && column.is_finite()) {
            return f64::INFINITY;
        }
        let mut gap = 0.0;
        for i in 0..n {
            let av: Complex<f64> = (0..n).map(|k| e.vectors[(k, j)] * a[(i, k)]).sum();
            gap += (av - e.vectors[(i, j)] * e.values[j]).norm_sqr();
        }
        worst = worst.max((gap / column).sqrt());
    }
    worst
}

/// Diagonal similarity by powers of two that equalises row and column norms (Parlett and Reinsch 1969).
fn balanced(a: &Mat<f64>) -> Option<Eigen> {
    let n = a.nrows();
    let mut b = a.clone();
    let mut scale = vec![1.0f64; n];
    for _ in 0..20 {
        for i in 0..n {
            let off = |f: &dyn Fn(usize) -> f64| -> f64 {
                (0..n).filter(|&j| j != i).map(|j| f(j).abs()).sum()
            };
            let (row, col) = (off(&|j| b[(i, j)]), off(&|j| b[(j, i)]));
            if row == 0.0 || col == 0.0 {
                continue;
            }
            let f = super::power_of_two_below((row / col).sqrt()).value();
            scale[i] *= f;
            for j in 0..n {
                b[(i, j)] /= f;
                b[(j, i)] *= f;
            }
        }
    }
    let e = run(&b)?;
    let vectors = Mat::from_fn(n, n, |i, j| e.vectors[(i, j)] * scale[i]);
    Some(Eigen { vectors, ..e })
}

fn square(op: &'static str, m: MatRef<'_, f64>) -> Result<usize, Error> {
    if m.nrows() == m.ncols() {
        return Ok(m.nrows());
    }
    let found = format!("{} x {}", m.nrows(), m.ncols());
    Err(Error::shape(op, "a square matrix", found))
}
