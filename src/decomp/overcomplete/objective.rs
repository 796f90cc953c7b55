//! `min || T - sum_r s_r x_r^m ||` with fixed signs: value, gradient, normal equations, all from Gram matrices.
//!
//! With `G = X X'` (rows `x_r`) and `S_r = T(x_r, .., x_r, .)`:
//!
//! ```text
//! f        = sum_rq s_r s_q G_rq^m - 2 sum_r s_r <S_r, x_r> + ||T||^2
//! grad_r f = 2 m s_r (sum_q s_q G_rq^(m-1) x_q - S_r)
//! (J'J V)_r = m (sum_q P_rq v_q + (m-1) sum_q K_rq <x_r, v_q> x_q),   P = s s' o G^(m-1), K = s s' o G^(m-2)
//! ```

use super::packed::PackedForm;
use crate::linalg::Scalar;
use crate::linalg::small::{axpy, dot, norm_sq};
use faer::{Mat, MatMut, MatRef};

/// A tensor of norm one and the signs of its components.
pub(super) struct Problem<'a> {
    pub form: &'a PackedForm,
    pub signs: &'a [f64],
}

/// The normal operator at a point, ready to be applied.
pub(super) struct Normal<'a> {
    x: MatRef<'a, f64>,
    p: Mat<f64>,
    k: Mat<f64>,
    order: f64,
}

impl Problem<'_> {
    pub fn rank(&self) -> usize {
        self.signs.len()
    }

    pub fn dim(&self) -> usize {
        self.form.dim()
    }

    /// The components as a matrix, one a row.
    pub fn rows<'x>(&self, x: &'x [f64]) -> MatRef<'x, f64> {
        MatRef::from_column_major_slice(x, self.rank(), self.dim())
    }

    /// Value and gradient.
    pub fn value(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (m, r, n) = (self.form.order() as i32, self.rank(), self.dim());
        let x = self.rows(x);
        let mut gram = x * x.transpose();
        let mut square = 0.0;
        for q in 0..r {
            for (g, s) in gram.col_as_slice_mut(q).iter_mut().zip(self.signs) {
                let power = g.powi(m - 1) * s * self.signs[q];
                square += *g * power;
                *g = power;
            }
        }
        let s = self.form.contract(x);
        let mut linear = 0.0;
        let mut out = MatMut::from_column_major_slice_mut(gradient, r, n);
        // The signs are in the powers already, those of rows included.
        f64::gemm(out.as_mut(), false, gram.as_ref(), x, 1.0);
        for i in 0..n {
            let parts = s.col_as_slice(i).iter().zip(x.col(i).iter());
            for (q, (s, x)) in parts.enumerate() {
                linear += self.signs[q] * s * x;
                out[(q, i)] = 2.0 * f64::from(m) * (out[(q, i)] - self.signs[q] * s);
            }
        }
        (square - 2.0 * linear + self.form.norm().powi(2)).max(0.0)
    }

    /// The residual tensor's norm and `J'` applied to it: exact where [`Problem::value`] cancels.
    pub fn residual(&self, x: &[f64]) -> (f64, Vec<f64>) {
        let rest = self.form.minus_powers(self.signs, self.rows(x));
        let s = rest.contract(self.rows(x));
        let m = self.form.order() as f64;
        let slope = (0..self.dim())
            .flat_map(|i| (0..self.rank()).map(move |q| (q, i)))
            .map(|(q, i)| m * self.signs[q] * s[(q, i)])
            .collect();
        (rest.norm(), slope)
    }

    /// The normal operator `J'J` at `x`.
    pub fn normal<'x>(&self, x: &'x [f64]) -> Normal<'x> {
        let (m, r) = (self.form.order() as i32, self.rank());
        let x = MatRef::from_column_major_slice(x, r, self.dim());
        let gram = x * x.transpose();
        let sign = |i: usize, j: usize| self.signs[i] * self.signs[j];
        Normal {
            x,
            p: Mat::from_fn(r, r, |i, j| sign(i, j) * gram[(i, j)].powi(m - 1)),
            k: Mat::from_fn(r, r, |i, j| sign(i, j) * gram[(i, j)].powi(m - 2)),
            order: f64::from(m),
        }
    }
}

impl Normal<'_> {
    /// `J'J v`.
    pub fn apply(&self, v: &[f64]) -> Vec<f64> {
        let (r, n) = (self.x.nrows(), self.x.ncols());
        let v = MatRef::from_column_major_slice(v, r, n);
        let mut cross = self.x * v.transpose();
        for q in 0..r {
            let weights = self.k.col_as_slice(q);
            for (c, k) in cross.col_as_slice_mut(q).iter_mut().zip(weights) {
                *c *= k;
            }
        }
        let mut out = vec![0.0; r * n];
        let mut to = MatMut::from_column_major_slice_mut(&mut out, r, n);
        let m = self.order;
        f64::gemm(to.as_mut(), false, self.p.as_ref(), v, m);
        f64::gemm(to.as_mut(), true, cross.as_ref(), self.x, m * (m - 1.0));
        out
    }

    /// `(J'J + damping)^-1 rhs` by conjugate gradients, to a relative residual `tol` or in `steps` steps.
    pub fn solve(&self, rhs: &[f64], damping: f64, tol: f64, steps: usize) -> Vec<f64> {
        let mut x = vec![0.0; rhs.len()];
        let mut rest = rhs.to_vec();
        let mut d = rest.clone();
        let mut size = norm_sq(&rest);
        let goal = tol * tol * size;
        for _ in 0..steps {
            if !(size > goal) {
                break;
            }
            let mut image = self.apply(&d);
            axpy(&mut image, damping, &d);
            let curvature = dot(&d, &image);
            if !(curvature > 0.0) {
                break;
            }
            let a = size / curvature;
            axpy(&mut x, a, &d);
            axpy(&mut rest, -a, &image);
            let next = norm_sq(&rest);
            let b = next / size;
            d.iter_mut().zip(&rest).for_each(|(d, r)| *d = b * *d + r);
            size = next;
        }
        x
    }

    /// Estimates of the extreme eigenvalues of `J'J`: power iteration, and inverse iteration by conjugate
    /// gradients; Rayleigh quotients, so the least one is estimated from above.
    pub fn extremes(&self) -> (f64, f64) {
        let mut v: Vec<f64> = (0..self.x.nrows() * self.x.ncols())
            // Any fixed vector without structure.
            .map(|k| ((k as f64 + 1.0) * 0.618_033_988_749_895).fract() - 0.5)
            .collect();
        let unit = |v: &mut Vec<f64>| {
            let length = norm_sq(v).sqrt().max(f64::MIN_POSITIVE);
            v.iter_mut().for_each(|x| *x /= length);
        };
        let mut low = v.clone();
        unit(&mut v);
        let mut top = 0.0;
        for _ in 0..30 {
            let mut w = self.apply(&v);
            top = dot(&v, &w);
            unit(&mut w);
            v = w;
        }
        unit(&mut low);
        for _ in 0..4 {
            low = self.solve(&low, 1e-13 * top, 1e-3, 300);
            unit(&mut low);
        }
        (dot(&low, &self.apply(&low)).max(0.0), top)
    }
}
