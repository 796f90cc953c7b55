//! The complex routines: singular values, systems, least squares, eigenvectors.

use super::power_of_two_below;
use crate::Error;
use faer::linalg::solvers::{Solve, SolveLstsq};
use faer::{Mat, MatRef, Side};
use num_complex::Complex;

type C = Complex<f64>;

/// A thin singular value decomposition `m = u diag(s) v^H` over the complex numbers.
///
/// # Example
/// ```
/// use faer::mat;
/// use num_complex::Complex;
/// use wickring::linalg::complex_svd;
/// let m = mat![[Complex::new(0.0, 3.0), Complex::new(4.0, 0.0)]];
/// assert!((complex_svd("example", m.as_ref())?.s[0] - 5.0).abs() < 1e-14);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ComplexSvd {
    /// Left singular vectors, `rows x min(rows, cols)`.
    pub u: Mat<C>,
    /// Singular values, nonincreasing.
    pub s: Vec<f64>,
    /// Right singular vectors, `cols x min(rows, cols)`.
    pub v: Mat<C>,
}

/// Frobenius norm of a complex matrix, without overflow or underflow.
pub fn complex_frobenius(m: MatRef<'_, C>) -> f64 {
    let columns: Vec<f64> = (0..m.ncols())
        .map(|j| super::norm2(&Vec::from_iter(m.col(j).iter().flat_map(|z| [z.re, z.im]))))
        .collect();
    super::norm2(&columns)
}

/// A copy with the greatest part in `[1, 2)` and the power of two divided out.
pub(super) fn scaled(op: &'static str, m: MatRef<'_, C>) -> Result<(Mat<C>, f64), Error> {
    let mut max = 0.0f64;
    for j in 0..m.ncols() {
        for i in 0..m.nrows() {
            let z = m[(i, j)];
            if !(z.re.is_finite() && z.im.is_finite()) {
                let index = i + m.nrows() * j;
                return Err(Error::NonFinite { op, index });
            }
            max = max.max(z.re.abs()).max(z.im.abs());
        }
    }
    if max == 0.0 {
        return Ok((m.to_owned(), 1.0));
    }
    let power = power_of_two_below(max);
    let (first, second) = power.sqrt_power();
    let a = Mat::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] / first / second);
    Ok((a, power.value()))
}

/// Thin SVD of a complex matrix, guarded like [`thin_svd`](super::svd::thin_svd).
///
/// # Shapes
/// Any; `u` is `rows x k`, `v` is `cols x k`, `k = min(rows, cols)`.
///
/// # Errors
/// `NonFinite`; `Backend` when both routes fail.
///
/// # Complexity
/// `O(rows * cols * k)`.
pub fn complex_svd(op: &'static str, m: MatRef<'_, C>) -> Result<ComplexSvd, Error> {
    let routine = "complex_svd";
    let (a, power) = scaled(op, m)?;
    let norm = complex_frobenius(a.as_ref());
    let k = m.nrows().min(m.ncols());
    if norm == 0.0 {
        let unit = |n: usize| Mat::from_fn(n, k, |i, j| C::from(f64::from(u8::from(i == j))));
        let (u, v, s) = (unit(m.nrows()), unit(m.ncols()), vec![0.0; k]);
        return Ok(ComplexSvd { u, s, v });
    }
    let slack = 1e-12 * (m.nrows() + m.ncols()) as f64;
    let good = |svd: &ComplexSvd| {
        let us = Mat::from_fn(svd.u.nrows(), k, |i, j| svd.u[(i, j)] * svd.s[j]);
        let gap = &us * svd.v.adjoint() - &a;
        let gram = svd.v.adjoint() * &svd.v - Mat::<C>::identity(k, k);
        complex_frobenius(gap.as_ref()) <= slack * norm && complex_frobenius(gram.as_ref()) <= slack
    };
    let primary = a.thin_svd().ok().map(|f| ComplexSvd {
        u: f.U().to_owned(),
        s: f.S().column_vector().iter().map(|z| z.re).collect(),
        v: f.V().to_owned(),
    });
    let svd = match primary.filter(good) {
        Some(svd) => svd,
        None => fallback(&a)
            .filter(good)
            .ok_or(Error::Backend { op, routine })?,
    };
    let s = svd.s.iter().map(|x| x * power).collect();
    Ok(ComplexSvd { s, ..svd })
}

fn fallback(a: &Mat<C>) -> Option<ComplexSvd> {
    if a.nrows() >= a.ncols() {
        return one_sided(a.clone());
    }
    let swapped = one_sided(a.adjoint().to_owned())?;
    let (u, v) = (swapped.v, swapped.u);
    Some(ComplexSvd { u, v, ..swapped })
}

/// One-sided Jacobi over the complex numbers; `None` when 60 sweeps do not orthogonalise the columns.
fn one_sided(mut u: Mat<C>) -> Option<ComplexSvd> {
    let n = u.ncols();
    let mut v = Mat::<C>::identity(n, n);
    for sweep in 0..=60 {
        let mut done = true;
        for (p, q) in (1..n).flat_map(|q| (0..q).map(move |p| (p, q))) {
            let (mut x, mut y, mut z) = (0.0, 0.0, C::new(0.0, 0.0));
            for i in 0..u.nrows() {
                x += u[(i, p)].norm_sqr();
                y += u[(i, q)].norm_sqr();
                z += u[(i, p)].conj() * u[(i, q)];
            }
            let size = z.norm();
            if size == 0.0 || size <= 1e-15 * (x * y).sqrt() {
                continue;
            }
            done = false;
            // The phase makes the inner product real; then it is the real rotation.
            let phase = z / size;
            let zeta = (y - x) / (2.0 * size);
            let sign = if zeta < 0.0 { -1.0 } else { 1.0 };
            let t = sign / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
            let c = 1.0 / (1.0 + t * t).sqrt();
            let s = c * t;
            for w in [&mut u, &mut v] {
                for i in 0..w.nrows() {
                    let (wp, wq) = (w[(i, p)], w[(i, q)] * phase.conj());
                    w[(i, p)] = wp * c - wq * s;
                    w[(i, q)] = wp * s + wq * c;
                }
            }
        }
        if done {
            break;
        }
        if sweep == 60 {
            return None;
        }
    }
    let norms: Vec<f64> = (0..n)
        .map(|j| super::norm2(&Vec::from_iter(u.col(j).iter().flat_map(|z| [z.re, z.im]))))
        .collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    let s: Vec<f64> = order.iter().map(|&j| norms[j]).collect();
    let left = Mat::from_fn(u.nrows(), n, |i, k| {
        u[(i, order[k])] * if s[k] > 0.0 { 1.0 / s[k] } else { 0.0 }
    });
    let right = Mat::from_fn(n, n, |i, k| v[(i, order[k])]);
    Some(ComplexSvd {
        u: left,
        s,
        v: right,
    })
}

/// Solves `m x = rhs` for a square complex matrix, guarded like [`solve`](super::solve).
///
/// # Shapes
/// `m` is `n x n`, `rhs` is `n x k`.
///
/// # Errors
/// `Shape`, `NonFinite`; `Degenerate` when the backward error exceeds `1e-8`.
///
/// # Complexity
/// `O(n^3 + n^2 k)`.
pub fn complex_solve(
    op: &'static str,
    m: MatRef<'_, C>,
    rhs: MatRef<'_, C>,
) -> Result<Mat<C>, Error> {
    if m.nrows() != m.ncols() || m.nrows() != rhs.nrows() {
        let found = format!("{} x {} and {} rows", m.nrows(), m.ncols(), rhs.nrows());
        return Err(Error::shape(op, "a square matrix and as many rows", found));
    }
    let (a, power) = scaled(op, m)?;
    let (b, rhs_power) = scaled(op, rhs)?;
    let lu = a.partial_piv_lu();
    let mut x = lu.solve(&b);
    let gap = &b - &a * &x;
    x += lu.solve(&gap);
    let gap = complex_frobenius((&b - &a * &x).as_ref());
    let scale = complex_frobenius(a.as_ref()) * complex_frobenius(x.as_ref())
        + complex_frobenius(b.as_ref());
    let backward = if scale > 0.0 { gap / scale } else { gap };
    if backward <= 1e-8 {
        let factor = rhs_power / power;
        return Ok(Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
            x[(i, j)] * factor
        }));
    }
    let hypothesis = "a matrix that is not singular to working precision (backward error)";
    Err(Error::degenerate(op, hypothesis, backward))
}

/// One step of block inverse iteration: an orthonormal basis of the range of `(m - shift)^-1 start`.
///
/// The shift may be an eigenvalue to the last bit: it is moved by a rounding error of the norm, which
/// only lengthens the solution along the eigenspace sought.
///
/// # Shapes
/// `m` is `n x n`, `start` is `n x k`, `k <= n`.
///
/// # Errors
/// `NonFinite`; `Backend` when the factorisation breaks down for both shifts tried.
///
/// # Complexity
/// `O(n^3 + n^2 k)`.
pub fn inverse_iteration(
    op: &'static str,
    m: MatRef<'_, C>,
    shift: C,
    start: MatRef<'_, C>,
    steps: usize,
) -> Result<Mat<C>, Error> {
    let routine = "inverse_iteration";
    let n = m.nrows();
    let norm = complex_frobenius(m);
    for nudge in [4.0, 4096.0] {
        let moved = shift + C::new(norm * f64::EPSILON * nudge, 0.0);
        let a = Mat::from_fn(n, n, |i, j| {
            m[(i, j)] - if i == j { moved } else { C::new(0.0, 0.0) }
        });
        let lu = a.partial_piv_lu();
        let mut basis = start.to_owned();
        for _ in 0..steps {
            let x = lu.solve(&basis);
            let size = complex_frobenius(x.as_ref());
            if !(size > 0.0 && size.is_finite()) {
                basis = Mat::zeros(0, 0);
                break;
            }
            let unit = Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] / size);
            basis = unit.qr().compute_thin_Q();
        }
        if basis.nrows() == n && complex_frobenius(basis.as_ref()).is_finite() {
            return Ok(basis);
        }
    }
    Err(Error::Backend { op, routine })
}

/// Solves `m x = rhs` for a Hermitian positive definite matrix, or `None` when it is not definite.
///
/// # Complexity
/// `O(n^3 / 3 + n^2 k)`.
/// Here `n` is the number of rows and `k` the number of right-hand sides.
pub fn complex_cholesky_solve(m: MatRef<'_, C>, rhs: MatRef<'_, C>) -> Option<Mat<C>> {
    let x = m.llt(Side::Lower).ok()?.solve(rhs);
    complex_frobenius(x.as_ref()).is_finite().then_some(x)
}

/// Least squares over the complex numbers, guarded like [`lstsq`](super::solve::lstsq).
///
/// # Shapes
/// `m` is `rows x n` with `rows >= n`, `rhs` is `rows x k`; the result is `n x k`.
///
/// # Errors
/// `Shape`, `NonFinite`, `Backend`.
///
/// # Complexity
/// `O(rows * n^2 + rows * n * k)`.
pub fn complex_lstsq(
    op: &'static str,
    m: MatRef<'_, C>,
    rhs: MatRef<'_, C>,
) -> Result<Mat<C>, Error> {
    if m.nrows() < m.ncols() || m.nrows() != rhs.nrows() {
        let found = format!("{} x {} and {} rows", m.nrows(), m.ncols(), rhs.nrows());
        return Err(Error::shape(op, "a tall matrix and as many rows", found));
    }
    let (a, power) = scaled(op, m)?;
    let (b, rhs_power) = scaled(op, rhs)?;
    let qr = a.qr();
    let r = qr.thin_R();
    let diagonal = |i: usize| r[(i, i)].norm();
    let greatest = (0..r.ncols()).map(diagonal).fold(0.0, f64::max);
    let smallest = (0..r.ncols()).map(diagonal).fold(f64::INFINITY, f64::min);
    let x = if smallest > 1e-13 * greatest {
        qr.solve_lstsq(&b)
    } else {
        let svd = complex_svd(op, a.as_ref())?;
        let cut = 1e-13 * svd.s.first().copied().unwrap_or(0.0);
        let c = svd.u.adjoint() * &b;
        let inverse = |i: usize| if svd.s[i] > cut { 1.0 / svd.s[i] } else { 0.0 };
        let weighted = Mat::from_fn(c.nrows(), c.ncols(), |i, j| c[(i, j)] * inverse(i));
        &svd.v * weighted
    };
    let factor = rhs_power / power;
    Ok(Mat::from_fn(x.nrows(), x.ncols(), |i, j| {
        x[(i, j)] * factor
    }))
}

/// Eigenvalues of a general complex matrix, in the order of the backend.
///
/// Guards: scaling by a power of two, and the sum of the eigenvalues against the trace.
///
/// # Errors
/// `Shape` when `m` is not square, `NonFinite`, `Backend`.
///
/// # Complexity
/// `O(n^3)`.
/// Here `n` is the number of rows.
pub fn complex_eigenvalues(op: &'static str, m: MatRef<'_, C>) -> Result<Vec<C>, Error> {
    let routine = "complex_eigenvalues";
    let n = m.nrows();
    if n != m.ncols() {
        let found = format!("{n} x {}", m.ncols());
        return Err(Error::shape(op, "a square matrix", found));
    }
    let (a, power) = scaled(op, m)?;
    let failed = Error::Backend { op, routine };
    let values = a.eigenvalues().map_err(|_| failed.clone())?;
    let trace: C = (0..n).map(|i| a[(i, i)]).sum();
    let sum: C = values.iter().sum();
    // `!(<=)` so that NaN fails.
    let holds = (sum - trace).norm() <= 1e-9 * (n as f64 + 1.0) * complex_frobenius(a.as_ref());
    if !holds {
        return Err(failed);
    }
    Ok(values.into_iter().map(|z| z * power).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rows: usize, cols: usize) -> Mat<C> {
        Mat::from_fn(rows, cols, |i, j| {
            C::new(
                (1.3 * i as f64 + 0.7 * j as f64).sin(),
                ((i * j) as f64).cos(),
            )
        })
    }

    #[test]
    fn the_fallback_agrees_with_the_primary_route() {
        for (rows, cols) in [(5, 3), (3, 5), (4, 4)] {
            let a = sample(rows, cols);
            let slow = fallback(&a).unwrap();
            let fast = complex_svd("test", a.as_ref()).unwrap();
            for (x, y) in slow.s.iter().zip(&fast.s) {
                assert!((x - y).abs() <= 1e-13 * fast.s[0], "{x} {y}");
            }
        }
    }

    #[test]
    fn inverse_iteration_finds_a_multiple_eigenspace() {
        // diag(2, 2, -1) in a skew basis.
        let p = sample(3, 3);
        let d = Mat::from_fn(3, 3, |i, j| C::from([2.0, 2.0, -1.0][i] * p[(i, j)]));
        let a = complex_solve("test", p.as_ref(), d.as_ref()).unwrap();
        let start = Mat::from_fn(3, 2, |i, j| C::new(1.0 + i as f64, (i * j) as f64));
        let basis =
            inverse_iteration("test", a.as_ref(), C::new(2.0, 0.0), start.as_ref(), 2).unwrap();
        let gap = &a * &basis - Mat::from_fn(3, 2, |i, j| basis[(i, j)] * 2.0);
        assert!(complex_frobenius(gap.as_ref()) < 1e-12);
    }
}
