//! The Gauss-Newton normal equations of a CP model, from Gram matrices alone.
//!
//! With `Gamma^(a)[r,s] = prod_{m != a} <A_m[:,r], A_m[:,s]>` and `Gamma^(ab)` the product without `a` and
//! `b`, the Jacobian `J` of the model in all its factors has
//!
//! ```text
//! (J^H J)[(a,i,r),(a,j,s)] = delta_ij Gamma^(a)[r,s]
//! (J^H J)[(a,i,r),(b,j,s)] = Gamma^(ab)[r,s] A_a[i,s] conj(A_b[j,r])
//! ```
//!
//! so neither `J` nor anything of the size of the data is formed. Small systems are assembled and solved by
//! Cholesky, large ones by conjugate gradients preconditioned with the blocks `Gamma^(a) + mu I`.
//!
//! Source: Tomasi and Bro 2006; Phan, Tichavsky, Cichocki 2013; Sorber, Van Barel, De Lathauwer 2013.

use crate::linalg::{Scalar, small};
use crate::tensor::Factor;
use faer::MatMut;

/// Unknowns up to which the system is assembled: beyond, its Cholesky factorisation costs more than the
/// products with the data (measured on 2 x 100 ms budgets; not sensitive).
pub(super) const DENSE_LIMIT: usize = 1500;

/// Operations of one linearisation and one solution, roughly.
pub(super) fn unknowns_cost(dims: &[usize], rank: usize) -> f64 {
    let unknowns = dims.iter().map(|&n| n as f64).sum::<f64>() * rank as f64;
    if unknowns <= DENSE_LIMIT as f64 {
        unknowns.powi(3) / 3.0 + 10.0 * unknowns.powi(2)
    } else {
        100.0 * 2.0 * dims.len() as f64 * unknowns * rank as f64
    }
}

/// Grams of the factors and their products, for one linearisation.
pub(super) struct Normal<'a, T> {
    factors: &'a [Factor<T>],
    grams: Vec<Factor<T>>,
    rank: usize,
    offsets: Vec<usize>,
    dense: Option<Factor<T>>,
}

/// Memory that survives a linearisation: the assembled matrix and its damped copy.
pub(super) struct Workspace<T> {
    matrix: Option<Factor<T>>,
    damped: Vec<T>,
}

impl<T> Workspace<T> {
    /// No memory yet.
    pub(super) fn new() -> Self {
        let (matrix, damped) = (None, Vec::new());
        Self { matrix, damped }
    }
}

impl<'a, T: Scalar> Normal<'a, T> {
    /// The normal equations at `factors`.
    pub(super) fn at(factors: &'a [Factor<T>]) -> Self {
        Self::within(factors, &mut Workspace::new())
    }

    /// The normal equations at `factors`, in memory from an earlier linearisation of the same shape.
    pub(super) fn within(factors: &'a [Factor<T>], space: &mut Workspace<T>) -> Self {
        let grams: Vec<_> = factors.iter().map(Factor::gram).collect();
        let rank = factors.first().map_or(0, Factor::cols);
        let mut offsets = vec![0];
        for f in factors {
            offsets.push(offsets[offsets.len() - 1] + f.rows() * rank);
        }
        let mut normal = Self {
            factors,
            grams,
            rank,
            offsets,
            dense: None,
        };
        if normal.unknowns() <= DENSE_LIMIT {
            let n = normal.unknowns();
            let old = space.matrix.take().filter(|m| m.rows() == n);
            normal.dense = Some(normal.assemble(old.unwrap_or_else(|| Factor::zeros(n, n))));
        }
        normal
    }

    /// Number of unknowns.
    pub(super) fn unknowns(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    /// The greatest diagonal entry: the scale of the damping.
    pub(super) fn scale(&self) -> f64 {
        greatest_diagonal(&self.grams, self.rank)
    }

    /// The same from the lengths of the columns alone.
    pub(super) fn scale_of(factors: &[Factor<T>]) -> f64 {
        let rank = factors.first().map_or(0, Factor::cols);
        let mut top = 0.0f64;
        for r in 0..rank {
            let squares: Vec<f64> = factors
                .iter()
                .map(|f| small::norm_sq(f.column(r)))
                .collect();
            for a in 0..squares.len() {
                let others = squares.iter().enumerate().filter(|(m, _)| *m != a);
                top = top.max(others.map(|(_, x)| x).product());
            }
        }
        top
    }

    /// Entrywise product of the Grams of all modes but those in `skip`.
    fn hadamard(&self, skip: &[usize]) -> Factor<T> {
        hadamard_grams(&self.grams, self.rank, skip)
    }

    /// Fills the lower triangle: the same entries are written whatever `h` held before, the others stay zero.
    fn assemble(&self, mut h: Factor<T>) -> Factor<T> {
        for a in 0..self.factors.len() {
            let g = self.hadamard(&[a]);
            let rows = self.factors[a].rows();
            for s in 0..self.rank {
                for i in 0..rows {
                    let column = h.column_mut(self.offsets[a] + s * rows + i);
                    for r in s..self.rank {
                        column[self.offsets[a] + r * rows + i] = g.column(s)[r];
                    }
                }
            }
            // Below the diagonal: rows of later modes `b`, columns of mode `a`.
            for b in a + 1..self.factors.len() {
                let g = self.hadamard(&[a, b]);
                let fb = &self.factors[b];
                for s in 0..self.rank {
                    for j in 0..rows {
                        let column = h.column_mut(self.offsets[a] + s * rows + j);
                        let block = &mut column[self.offsets[b]..self.offsets[b + 1]];
                        for (r, target) in block.chunks_exact_mut(fb.rows()).enumerate() {
                            // H[(b,i,r),(a,j,s)] = Gamma^(ab)[r,s] A_b[i,s] conj(A_a[j,r])
                            let f = g.column(s)[r] * self.factors[a].column(r)[j].conj();
                            for (x, &y) in target.iter_mut().zip(fb.column(s)) {
                                *x = f * y;
                            }
                        }
                    }
                }
            }
        }
        h
    }

    /// Solves `(J^H J + mu I) p = g`, or `None` when the matrix is not definite to working precision.
    pub(super) fn solve(&self, g: &[T], mu: f64, space: &mut Workspace<T>) -> Option<Vec<T>> {
        let Some(h) = &self.dense else {
            return self.conjugate_gradients(g, mu);
        };
        let n = g.len();
        space.damped.clear();
        space.damped.extend_from_slice(h.as_slice());
        (0..n).for_each(|i| space.damped[i * (n + 1)] += T::from_parts(mu, 0.0));
        let mut p = g.to_vec();
        let matrix = MatMut::from_column_major_slice_mut(&mut space.damped, n, n);
        T::definite_solve_in_place(matrix, &mut p).then_some(p)
    }

    /// Gives the memory back for the next linearisation.
    pub(super) fn recycle(self, space: &mut Workspace<T>) {
        space.matrix = self.dense;
    }

    /// `(J^H J + mu I) v`, in `O(sum(n_m) R^2)`.
    fn times(&self, v: &[T], mu: f64) -> Vec<T> {
        let order = self.factors.len();
        let part = |m: usize| &v[self.offsets[m]..self.offsets[m + 1]];
        // W_b[r,s] = <A_b[:,r], V_b[:,s]>
        let cross: Vec<Factor<T>> = (0..order)
            .map(|b| {
                let rows = self.factors[b].rows();
                Factor::from_fn(self.rank, self.rank, |r, s| {
                    small::dot(
                        self.factors[b].column(r),
                        &part(b)[rows * s..rows * (s + 1)],
                    )
                })
            })
            .collect();
        let mut out: Vec<T> = v.iter().map(|x| x.scale(mu)).collect();
        for a in 0..order {
            let rows = self.factors[a].rows();
            let g = self.hadamard(&[a]);
            let mut mixed = Factor::<T>::zeros(self.rank, self.rank);
            for b in (0..order).filter(|&b| b != a) {
                let gab = self.hadamard(&[a, b]);
                let pairs = gab.as_slice().iter().zip(cross[b].as_slice());
                for (x, (&g, &w)) in mixed.as_mut_slice().iter_mut().zip(pairs) {
                    *x += g * w;
                }
            }
            let target = &mut out[self.offsets[a]..self.offsets[a + 1]];
            for r in 0..self.rank {
                let y = &mut target[rows * r..rows * (r + 1)];
                for s in 0..self.rank {
                    small::axpy(y, g.column(s)[r], &part(a)[rows * s..rows * (s + 1)]);
                    small::axpy(y, mixed.column(s)[r], self.factors[a].column(s));
                }
            }
        }
        out
    }

    fn conjugate_gradients(&self, g: &[T], mu: f64) -> Option<Vec<T>> {
        let blocks = self.block_factors(mu)?;
        let precondition = |x: &[T]| -> Vec<T> {
            let mut z = x.to_vec();
            for (a, l) in blocks.iter().enumerate() {
                let rows = self.factors[a].rows();
                let part = &mut z[self.offsets[a]..self.offsets[a + 1]];
                small::solve_right(l, self.rank, part, rows);
            }
            z
        };
        let mut x = vec![T::zero(); g.len()];
        let mut r = g.to_vec();
        let mut z = precondition(&r);
        let mut p = z.clone();
        let mut rz = small::dot(&r, &z).re();
        let start = rz;
        // A truncated step is still a descent direction; 100 products cost less than one with the data
        // for tensors large enough to come here.
        for _ in 0..100 {
            if !(rz > 1e-12 * start) {
                break;
            }
            let hp = self.times(&p, mu);
            let curvature = small::dot(&p, &hp).re();
            if !(curvature > 0.0) {
                return None;
            }
            let step = T::from_parts(rz / curvature, 0.0);
            small::axpy(&mut x, step, &p);
            small::axpy(&mut r, -step, &hp);
            z = precondition(&r);
            let next = small::dot(&r, &z).re();
            let beta = next / rz;
            for (p, &z) in p.iter_mut().zip(&z) {
                *p = z + p.scale(beta);
            }
            rz = next;
        }
        x.iter().all(|v| v.is_finite()).then_some(x)
    }

    /// Cholesky factors of `conj(Gamma^(a)) + mu I`: `V Gamma'` acts from the right on rows.
    fn block_factors(&self, mu: f64) -> Option<Vec<Vec<T>>> {
        (0..self.factors.len())
            .map(|a| {
                let mut g: Vec<T> = self
                    .hadamard(&[a])
                    .as_slice()
                    .iter()
                    .map(|x| x.conj())
                    .collect();
                let floor = 1e-12
                    * (0..self.rank)
                        .map(|r| g[r * (self.rank + 1)].re())
                        .fold(0.0, f64::max);
                for r in 0..self.rank {
                    g[r * (self.rank + 1)] += T::from_parts(mu + floor, 0.0);
                }
                small::cholesky(&mut g, self.rank).then_some(g)
            })
            .collect()
    }

    /// The matrix itself, when it is small enough to be formed.
    pub(super) fn into_dense(self) -> Option<Factor<T>> {
        self.dense
    }
}

/// The greatest diagonal entry of all `Gamma^(a)`: the longest column of the Jacobian, squared.
fn greatest_diagonal<T: Scalar>(grams: &[Factor<T>], rank: usize) -> f64 {
    let mut top = 0.0f64;
    for a in 0..grams.len() {
        let g = hadamard_grams(grams, rank, &[a]);
        (0..rank).for_each(|r| top = top.max(g.column(r)[r].re()));
    }
    top
}

/// Entrywise product of Gram matrices, without the modes in `skip`.
pub(in crate::decomp) fn hadamard_grams<T: Scalar>(
    grams: &[Factor<T>],
    rank: usize,
    skip: &[usize],
) -> Factor<T> {
    let mut out = Factor::from_fn(rank, rank, |_, _| T::one());
    for (_, g) in grams.iter().enumerate().filter(|(m, _)| !skip.contains(m)) {
        for (x, &y) in out.as_mut_slice().iter_mut().zip(g.as_slice()) {
            *x *= y;
        }
    }
    out
}
