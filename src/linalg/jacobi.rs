//! One-sided Jacobi: slow, simple and accurate; the route of last resort.

use faer::{Mat, MatRef};

/// Sweeps before giving up; quadratic convergence needs about six.
const MAX_SWEEPS: usize = 60;

/// Thin SVD of `a` (`m >= n`) by one-sided Jacobi rotations: `a = U diag(s) V'`, `s` nonincreasing.
///
/// Returns `None` when the sweeps did not make the columns orthogonal. Columns of `U` that belong to zero
/// singular values are zero: the caller completes them if it needs to.
pub(super) fn one_sided(a: MatRef<'_, f64>) -> Option<(Mat<f64>, Vec<f64>, Mat<f64>)> {
    let (m, n) = (a.nrows(), a.ncols());
    let mut u = a.to_owned();
    let mut v = Mat::<f64>::identity(n, n);
    let mut done = n < 2;
    for _ in 0..MAX_SWEEPS {
        if done {
            break;
        }
        done = true;
        for q in 1..n {
            for p in 0..q {
                let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
                for i in 0..m {
                    x += u[(i, p)] * u[(i, p)];
                    y += u[(i, q)] * u[(i, q)];
                    z += u[(i, p)] * u[(i, q)];
                }
                if z.abs() <= 1e-15 * (x * y).sqrt() || z == 0.0 {
                    continue;
                }
                done = false;
                let zeta = (y - x) / (2.0 * z);
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let t = if zeta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (1.0 + t * t).sqrt();
                let s = c * t;
                for w in [&mut u, &mut v] {
                    for i in 0..w.nrows() {
                        let (wp, wq) = (w[(i, p)], w[(i, q)]);
                        w[(i, p)] = c * wp - s * wq;
                        w[(i, q)] = s * wp + c * wq;
                    }
                }
            }
        }
    }
    if !done {
        return None;
    }
    let norms: Vec<f64> = (0..n)
        .map(|j| super::norm2(&Vec::from_iter(u.col(j).iter().copied())))
        .collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| norms[j].total_cmp(&norms[i]));
    let s: Vec<f64> = order.iter().map(|&j| norms[j]).collect();
    let left = Mat::from_fn(m, n, |i, k| {
        if s[k] > 0.0 {
            u[(i, order[k])] / s[k]
        } else {
            0.0
        }
    });
    let right = Mat::from_fn(n, n, |i, k| v[(i, order[k])]);
    Some((left, s, right))
}
