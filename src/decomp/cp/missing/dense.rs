//! The kernels over observed entries as products of matrices over all entries.
//!
//! With weights `w` (zero where nothing was measured), factors `A_m` and the pairwise products of columns
//! `P_m = [a_r .* a_s]_{r <= s}`, row `i` of mode `m` has the normal equations
//!
//! ```text
//! H_i = sum w k k'    row i of mttkrp(w, P, m), unpacked
//! b_i = sum w t k     row i of mttkrp(w .* t, A, m)
//! ```
//!
//! so a sweep is two dense products for each mode and no loop over entries. The block of the Gauss-Newton matrix of two
//! modes `k < l` is `A_k[i, s] A_l[j, r] V[i, j, (r, s)]`, where `V` contracts `w` with `P` over the other modes.
//!
//! # Complexity
//! `O(N R^2)` flops at the speed of matrix products for a sweep or a Gauss-Newton matrix of `N` entries, measured or not.
//!
//! Source: Tomasi and Bro 2005 for the equations; the pairwise columns are ours.

use super::observed::Rows;
use crate::Error;
use crate::tensor::{Factor, Tensor, TensorView, by_rows, khatri_rao, mttkrp, residual_into};

/// Data and weights in full.
pub(super) struct Dense {
    data: Tensor,
    weights: Tensor,
    /// `weights .* data`.
    weighted: Tensor,
}

impl Dense {
    /// `data` is zero where `weights` are.
    pub(super) fn of(data: TensorView<'_>, weights: TensorView<'_>) -> Self {
        let mut weighted = data.to_tensor();
        let pairs = weighted.as_mut_slice().iter_mut().zip(weights.as_slice());
        pairs.for_each(|(x, w)| *x *= w);
        Self {
            data: data.to_tensor(),
            weights: weights.to_tensor(),
            weighted,
        }
    }

    /// `sum w (t - model)^2`.
    pub(super) fn square(&self, rows: &Rows, rank: usize) -> Result<f64, Error> {
        let mut gap = Vec::new();
        residual_into(self.data.view(), &factors(rows, rank), &mut gap)?;
        let terms = gap.iter().zip(self.weights.as_slice());
        Ok(terms.map(|(g, w)| w * g * g).sum())
    }

    /// Matrices (lower triangles filled, `R x R` each) and right-hand sides of the rows of one mode.
    pub(super) fn of_mode(
        &self,
        rows: &Rows,
        rank: usize,
        mode: usize,
    ) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let x = factors(rows, rank);
        let products: Vec<Factor> = x.iter().map(pairs).collect();
        let packed = mttkrp(self.weights.view(), &products, mode)?;
        let rhs = mttkrp(self.weighted.view(), &x, mode)?;
        let n = packed.rows();
        let mut normal = vec![0.0; n * rank * rank];
        for (p, (r, s)) in indices(rank).enumerate() {
            for (i, &h) in packed.column(p).iter().enumerate() {
                normal[(i * rank + r) * rank + s] = h;
                normal[(i * rank + s) * rank + r] = h;
            }
        }
        Ok((normal, by_rows(&rhs)))
    }

    /// The gradient `J'e`, unknown `(k, i, r)` at `offset_k + i * rank + r`; and the lower triangle of `J'J` where a matrix
    /// is given.
    pub(super) fn normal(
        &self,
        rows: &Rows,
        rank: usize,
        matrix: Option<&mut Factor>,
    ) -> Result<Vec<f64>, Error> {
        let x = factors(rows, rank);
        let mut gap = Vec::new();
        residual_into(self.data.view(), &x, &mut gap)?;
        let terms = gap.iter_mut().zip(self.weights.as_slice());
        terms.for_each(|(g, w)| *g *= w);
        let gap = TensorView::new(self.data.dims(), &gap)?;
        let mut g = Vec::new();
        for mode in 0..x.len() {
            g.extend(by_rows(&mttkrp(gap, &x, mode)?));
        }
        let Some(h) = matrix else {
            return Ok(g);
        };
        let products: Vec<Factor> = x.iter().map(pairs).collect();
        let mut offset = 0;
        for k in 0..x.len() {
            self.diagonal(&products, (rank, k, offset), h)?;
            let mut other = offset + x[k].as_slice().len();
            for l in k + 1..x.len() {
                let v = self.pair(&products, k, l)?;
                fill(h, (&x[k], offset), (&x[l], other), &v);
                other += x[l].as_slice().len();
            }
            offset += x[k].as_slice().len();
        }
        Ok(g)
    }

    fn diagonal(
        &self,
        products: &[Factor],
        (rank, mode, offset): (usize, usize, usize),
        h: &mut Factor,
    ) -> Result<(), Error> {
        let packed = mttkrp(self.weights.view(), products, mode)?;
        for (p, (r, s)) in indices(rank).enumerate() {
            for (i, &value) in packed.column(p).iter().enumerate() {
                let at = offset + i * rank;
                h.column_mut(at + r)[at + s] = value;
                h.column_mut(at + s)[at + r] = value;
            }
        }
        Ok(())
    }

    /// `w` contracted with the pairwise columns over all modes but `k < l`: `(n_k n_l) x R(R+1)/2`.
    fn pair(&self, products: &[Factor], k: usize, l: usize) -> Result<Factor, Error> {
        let order = self.data.order();
        let rest: Vec<usize> = (0..order).filter(|&m| m != k && m != l).collect();
        let moved = self
            .weights
            .view()
            .permuted(&[&[k, l], rest.as_slice()].concat())?;
        let m = moved.view().as_matrix(2);
        let columns = match rest.as_slice() {
            [] => Factor::from_fn(1, products[k].cols(), |_, _| 1.0),
            _ => khatri_rao(&Vec::from_iter(rest.iter().map(|&m| &products[m])))?,
        };
        Ok(columns.left_mul(m))
    }
}

/// The block of modes `(k, l)` below the diagonal.
fn fill(h: &mut Factor, (a, from): (&Factor, usize), (b, to): (&Factor, usize), v: &Factor) {
    let (n, rank) = (a.rows(), a.cols());
    for (p, (r, s)) in indices(rank).enumerate() {
        let v = v.column(p);
        for (r, s) in [(r, s), (s, r)] {
            for i in 0..n {
                let column = h.column_mut(from + i * rank + r);
                for j in 0..b.rows() {
                    column[to + j * rank + s] = a.column(s)[i] * b.column(r)[j] * v[i + n * j];
                }
            }
            if r == s {
                break;
            }
        }
    }
}

/// The columns `a_r .* a_s`, `r <= s`.
fn pairs(a: &Factor) -> Factor {
    let rank = a.cols();
    let mut out = Factor::zeros(a.rows(), rank * (rank + 1) / 2);
    for (p, (r, s)) in indices(rank).enumerate() {
        let (x, y) = (a.column(r), a.column(s));
        let column = out.column_mut(p).iter_mut().zip(x.iter().zip(y));
        column.for_each(|(z, (x, y))| *z = x * y);
    }
    out
}

fn indices(rank: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rank).flat_map(move |s| (0..=s).map(move |r| (r, s)))
}

/// Factors of rows `i * rank + r`.
pub(super) fn factors(rows: &Rows, rank: usize) -> Vec<Factor> {
    let one = |f: &Vec<f64>| Factor::from_fn(f.len() / rank, rank, |i, r| f[i * rank + r]);
    rows.iter().map(one).collect()
}
