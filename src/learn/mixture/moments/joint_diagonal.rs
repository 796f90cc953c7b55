//! One rotation for several symmetric matrices: the orthogonal decomposition of a whitened tensor.

use faer::Mat;

/// Sweeps at most; convergence is quadratic near the end.
const MAX_SWEEPS: usize = 100;

/// What [`joint_diagonal`] found.
pub(in crate::learn::mixture) struct JointDiagonal {
    /// Orthogonal; its columns are the common eigenvectors, as nearly as there are any.
    pub(in crate::learn::mixture) vectors: Mat<f64>,
    /// Sum of squares off the diagonals that is left, over all matrices.
    pub(in crate::learn::mixture) rest: f64,
}

/// Rotates the square matrices `slices` (symmetric, one size) to be as diagonal as possible at once, from
/// `start` (orthogonal).
///
/// Each plane rotation minimises the sum of squares off the diagonals: with `h = (a_pp - a_qq, 2 a_pq)` for each
/// matrix and `g = sum h h'` the angle is `atan2(2 g_12, g_11 - g_22 + |.|) / 2`.
///
/// # Source
/// Cardoso and Souloumiac 1996, real symmetric case.
pub(in crate::learn::mixture) fn joint_diagonal(
    slices: &[Mat<f64>],
    start: Mat<f64>,
) -> JointDiagonal {
    let mut vectors = start;
    let k = vectors.ncols();
    let mut turned: Vec<Mat<f64>> = slices
        .iter()
        .map(|s| vectors.transpose() * s * &vectors)
        .collect();
    for _ in 0..MAX_SWEEPS {
        let mut largest = 0.0f64;
        for q in 1..k {
            for p in 0..q {
                let (mut difference, mut cross) = (0.0, 0.0);
                for a in &turned {
                    let (x, y) = (a[(p, p)] - a[(q, q)], 2.0 * a[(p, q)]);
                    difference += x * x - y * y;
                    cross += 2.0 * x * y;
                }
                let angle = 0.25 * cross.atan2(difference);
                if angle == 0.0 || !angle.is_finite() {
                    continue;
                }
                largest = largest.max(angle.abs());
                let (s, c) = angle.sin_cos();
                rotate_columns(&mut vectors, p, q, c, s);
                for a in &mut turned {
                    rotate_columns(a, p, q, c, s);
                    for j in 0..k {
                        let (x, y) = (a[(p, j)], a[(q, j)]);
                        a[(p, j)] = c * x + s * y;
                        a[(q, j)] = c * y - s * x;
                    }
                }
            }
        }
        // Below this a rotation changes nothing but the last digits.
        if largest < 1e-14 {
            break;
        }
    }
    let mut rest = 0.0;
    for a in &turned {
        for i in 0..k {
            for j in (0..k).filter(|&j| j != i) {
                rest += a[(i, j)] * a[(i, j)];
            }
        }
    }
    JointDiagonal { vectors, rest }
}

fn rotate_columns(m: &mut Mat<f64>, p: usize, q: usize, c: f64, s: f64) {
    for i in 0..m.nrows() {
        let (x, y) = (m[(i, p)], m[(i, q)]);
        m[(i, p)] = c * x + s * y;
        m[(i, q)] = c * y - s * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Matrices with common eigenvectors: nothing is left, and the eigenvectors come back up to sign and order.
    #[test]
    fn common_eigenvectors_are_found() {
        // Two Householder reflections make an orthogonal matrix without zeros.
        let reflect = |v: [f64; 3]| {
            let n: f64 = v.iter().map(|x| x * x).sum();
            Mat::from_fn(3, 3, |i, j| {
                f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / n
            })
        };
        let o = reflect([1.0, 2.0, 3.0]) * reflect([3.0, -1.0, 0.5]);
        // The first two agree on one eigenvalue; only together do the slices tell the vectors apart.
        let values = [[1.0, 1.0, -2.0], [0.3, 4.0, 4.0]];
        let slices: Vec<Mat<f64>> = values
            .iter()
            .map(|d| {
                Mat::from_fn(3, 3, |i, j| {
                    (0..3).map(|c| o[(i, c)] * d[c] * o[(j, c)]).sum()
                })
            })
            .collect();
        let found = joint_diagonal(&slices, Mat::identity(3, 3));
        assert!(found.rest <= 1e-26, "{}", found.rest);
        let overlap = found.vectors.transpose() * &o;
        for i in 0..3 {
            let best = (0..3).fold(0.0f64, |m, j| m.max(overlap[(i, j)].abs()));
            assert!(best >= 1.0 - 1e-13, "{overlap:?}");
        }
    }
}
