//! Singular values.

use super::{frobenius, jacobi, scaled};
use crate::Error;
use faer::{Mat, MatRef};

/// A thin singular value decomposition `m = u diag(s) v'`.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::linalg::thin_svd;
/// let svd = thin_svd("example", mat![[3.0, 0.0], [0.0, -4.0]].as_ref())?;
/// assert!((svd.s[0] - 4.0).abs() < 1e-14 && (svd.s[1] - 3.0).abs() < 1e-14);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Svd {
    /// Left singular vectors, `rows x min(rows, cols)`.
    pub u: Mat<f64>,
    /// Singular values, nonincreasing.
    pub s: Vec<f64>,
    /// Right singular vectors, `cols x min(rows, cols)`.
    pub v: Mat<f64>,
}

/// Thin SVD.
///
/// Guards: faer's SVD fails at scale 1e300, is silently wrong at 1e-300 and on some graded matrices, and
/// may report no convergence on ordinary input. The input is scaled, `u diag(s) v'` is compared with it,
/// and one-sided Jacobi takes over when the residual exceeds `1e-12 * (rows + cols)` of the norm.
///
/// # Shapes
/// Any; `u` is `rows x k`, `v` is `cols x k`, `k = min(rows, cols)`.
///
/// # Errors
/// `NonFinite` for a NaN or infinite entry; `Backend` when both routes fail.
///
/// # Complexity
/// `O(rows * cols * k)`.
pub fn thin_svd(op: &'static str, m: MatRef<'_, f64>) -> Result<Svd, Error> {
    let routine = "thin_svd";
    let (a, power) = scaled(op, m)?;
    let norm = frobenius(a.as_ref());
    if norm == 0.0 {
        let k = m.nrows().min(m.ncols());
        let unit = |n: usize| Mat::from_fn(n, k, |i, j| f64::from(u8::from(i == j)));
        let (u, v) = (unit(m.nrows()), unit(m.ncols()));
        return Ok(Svd {
            u,
            s: vec![0.0; k],
            v,
        });
    }
    let allowed = 1e-12 * (m.nrows() + m.ncols()) as f64 * norm;
    let good = |svd: &Svd| {
        let us = Mat::from_fn(svd.u.nrows(), svd.s.len(), |i, j| svd.u[(i, j)] * svd.s[j]);
        let gap = &us * svd.v.transpose() - &a;
        let gram = svd.v.transpose() * &svd.v;
        let k = svd.s.len();
        let loss = frobenius((gram - Mat::<f64>::identity(k, k)).as_ref());
        frobenius(gap.as_ref()) <= allowed && loss <= 1e-12 * (m.nrows() + m.ncols()) as f64
    };
    let primary = a.thin_svd().ok().map(|f| Svd {
        u: f.U().to_owned(),
        s: f.S().column_vector().iter().copied().collect(),
        v: f.V().to_owned(),
    });
    let svd = match primary.filter(good) {
        Some(svd) => svd,
        None => fallback(a.as_ref())
            .filter(good)
            .ok_or(Error::Backend { op, routine })?,
    };
    let s = svd.s.iter().map(|x| x * power).collect();
    Ok(Svd { s, ..svd })
}

fn fallback(a: MatRef<'_, f64>) -> Option<Svd> {
    if a.nrows() >= a.ncols() {
        let (u, s, v) = jacobi::one_sided(a)?;
        Some(Svd { u, s, v })
    } else {
        let (v, s, u) = jacobi::one_sided(a.transpose())?;
        Some(Svd { u, s, v })
    }
}

/// The orthogonal polar factor `u v'` of `m = u diag(s) v'`: the nearest matrix with orthonormal columns
/// (or rows), and the smallest and greatest singular value of `m`.
///
/// # Errors
/// As [`thin_svd`].
pub fn polar_orthogonal(
    op: &'static str,
    m: MatRef<'_, f64>,
) -> Result<(Mat<f64>, f64, f64), Error> {
    let svd = thin_svd(op, m)?;
    let last = svd.s.last().copied().unwrap_or(0.0);
    let first = svd.s.first().copied().unwrap_or(0.0);
    Ok((&svd.u * svd.v.transpose(), last, first))
}
