//! One sweep of alternating least squares for rings: two passes over the data.
//!
//! The modes are cut into two halves. The data are contracted with the far half once, and every core of the
//! near half is updated from that (its normal equations come from transfer matrices); then the roles change.
//! A sweep therefore reads the tensor twice, whatever its order, and never permutes it.

use crate::Error;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, bonds_last, columns, norm};
use faer::{Mat, MatRef};

/// Damping of the normal equations relative to their mean diagonal. It acts on the correction only, so it
/// moves no fixed point.
const DAMPING: f64 = 1e-15;
/// How often the damping is raised (by 1e3) when the matrix is not definite to working precision.
const RAISES: usize = 5;

/// Which linear solver updates a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CoreSolver {
    /// Normal equations by Cholesky: fast, accurate to the square of the condition number of the other
    /// cores, which the next sweep corrects.
    #[default]
    Normal,
    /// QR of the explicit design matrix: about `R^2` times the memory of the unfolding, and slower.
    Qr,
}

/// A ring being fitted to a tensor.
pub(super) struct Sweeper<'a, T: Scalar> {
    t: TensorView<'a, T>,
    ring: TensorRing<T>,
    split: usize,
    size: f64,
    solver: CoreSolver,
}

impl<'a, T: Scalar> Sweeper<'a, T> {
    /// `ring` has the shape of `t`.
    pub(super) fn new(t: TensorView<'a, T>, ring: TensorRing<T>, solver: CoreSolver) -> Self {
        let m = t.order();
        // Halves of similar size make both passes matrix products of good shape.
        let total = (t.as_slice().len() as f64).ln();
        let mut rows = 0.0;
        let mut split = (1, f64::INFINITY);
        for k in 1..m {
            rows += (t.dims()[k - 1] as f64).ln();
            let off = (2.0 * rows - total).abs();
            if off < split.1 {
                split = (k, off);
            }
        }
        let (split, size) = (split.0.min(m), norm(t.as_slice()));
        Self {
            t,
            ring,
            split,
            size,
            solver,
        }
    }

    pub(super) fn ring(&self) -> &TensorRing<T> {
        &self.ring
    }

    pub(super) fn into_ring(self) -> TensorRing<T> {
        self.ring
    }

    /// Updates every core once and returns the relative residual.
    pub(super) fn sweep(&mut self, op: &'static str) -> Result<f64, Error> {
        let m = self.ring.order();
        let mut residual = f64::NAN;
        for near in [0..self.split, self.split..m] {
            if near.is_empty() {
                continue;
            }
            let passed = self.contracted(near.clone())?;
            for k in near.clone() {
                residual = match self.solver {
                    CoreSolver::Normal => self.update(op, k, near.clone(), &passed)?,
                    CoreSolver::Qr => self.update_qr(op, k)?,
                };
            }
        }
        self.ring = self.ring.balanced();
        // The recurrence cancels below about 1e-8; there the residual is computed from the entries.
        let direct = residual.is_nan() || residual < 1e-5;
        if direct {
            residual = self.ring.rel_residual(self.t)?;
        }
        Ok(residual)
    }

    /// The data contracted with the conjugate of the half that `near` is not: rows run over the modes of
    /// `near`, columns over `(right bond, left bond)` of `near`, right bond fastest.
    fn contracted(&self, near: std::ops::Range<usize>) -> Result<Vec<T>, Error> {
        let m = self.ring.order();
        let far = self.ring.chain(near.end % m, m - near.len())?;
        let mut far = bonds_last(&far, false);
        for j in 0..far.ncols() {
            far.col_mut(j).iter_mut().for_each(|x| *x = x.conjugate());
        }
        let data = self.t.as_matrix(self.split);
        let passed = if near.start == 0 && near.end == m {
            // No far half: one column, for each pair of equal bonds.
            let entries = MatRef::from_column_major_slice(self.t.as_slice(), data.nrows(), 1);
            T::product(entries, far.as_ref())
        } else if near.start == 0 {
            T::product(data, far.as_ref())
        } else {
            T::product(data.transpose(), far.as_ref())
        };
        Ok(columns(passed.as_ref()))
    }

    /// `sum over all other indices of conj(the other cores) T`, in the layout of core `k`.
    fn right_side(
        &self,
        k: usize,
        near: std::ops::Range<usize>,
        passed: &[T],
    ) -> Result<Tensor<T>, Error> {
        let core = &self.ring.cores()[k];
        let (c, n, d) = (core.dims()[0], core.dims()[1], core.dims()[2]);
        let m = self.ring.order();
        let left = self.ring.chain(near.start, k - near.start)?;
        let right = self.ring.chain((k + 1) % m, near.end - k - 1)?;
        let (outer, before) = (left.dims()[0], left.dims()[1]);
        let (after, inner) = (right.dims()[1], right.dims()[2]);
        let slab = before * n * after * inner;
        let mut total = Mat::<T>::zeros(c, n * d);
        let right = right.view().as_matrix(1).adjoint().to_owned();
        for a in 0..outer {
            let block = &passed[a * slab..(a + 1) * slab];
            let block = MatRef::from_column_major_slice(block, before * n, after * inner);
            let reduced = T::product(block, right.as_ref());
            let reduced = columns(reduced.as_ref());
            let reduced = MatRef::from_column_major_slice(&reduced, before, n * d);
            // Slice a of the left chain, `before x c`.
            let l = left.as_slice();
            let l = Mat::from_fn(before, c, |p, x| l[a + outer * (p + before * x)]);
            total += T::adjoint_product(l.as_ref(), reduced);
        }
        Tensor::from_vec(&[c, n, d], columns(total.as_ref()))
    }

    /// The Gram matrix of the other cores around core `k`, rows and columns `(c, d)`, `c` fastest.
    fn normal_matrix(&self, k: usize) -> Mat<T> {
        let m = self.ring.order();
        let core = &self.ring.cores()[k];
        let (c, d) = (core.dims()[0], core.dims()[2]);
        let mut walk: Option<Mat<T>> = None;
        for step in 1..m {
            let e = self.ring.transfer((k + step) % m, &self.ring);
            walk = Some(match walk {
                None => e,
                Some(w) => T::product(w.as_ref(), e.as_ref()),
            });
        }
        Mat::from_fn(c * d, c * d, |i, j| {
            let (c1, d1, c2, d2) = (i % c, i / c, j % c, j / c);
            match &walk {
                Some(w) => w[(d1 + d * d2, c1 + c * c2)],
                None if c1 == d1 && c2 == d2 => T::one(),
                None => T::zero(),
            }
        })
    }

    fn update(
        &mut self,
        op: &'static str,
        k: usize,
        near: std::ops::Range<usize>,
        passed: &[T],
    ) -> Result<f64, Error> {
        let right = self.right_side(k, near, passed)?;
        let normal = self.normal_matrix(k);
        let rhs = bonds_last(&right, false).transpose().to_owned();
        let old = bonds_last(&self.ring.cores()[k], false)
            .transpose()
            .to_owned();
        let gradient = &rhs - T::product(normal.as_ref(), old.as_ref());
        let size = normal.nrows();
        let mean = (0..size).map(|i| normal[(i, i)].real()).sum::<f64>() / size as f64;
        let mut damping = DAMPING * mean;
        let mut step = None;
        for _ in 0..RAISES {
            let mut damped = normal.clone();
            for i in 0..size {
                damped[(i, i)] += T::from_real(damping);
            }
            step = T::definite_solve(damped.as_ref(), gradient.as_ref());
            if step.is_some() {
                break;
            }
            damping *= 1e3;
        }
        let routine = "normal equations of a core";
        let step = step.ok_or(Error::Backend { op, routine })?;
        let new = old + step;
        // |T|^2 - 2 Re <rhs, G> + <G, N G>.
        let image = T::product(normal.as_ref(), new.as_ref());
        let mut square = self.size * self.size;
        for j in 0..new.ncols() {
            for i in 0..size {
                let g = new[(i, j)];
                square -= 2.0 * (rhs[(i, j)].conjugate() * g).real();
                square += (g.conjugate() * image[(i, j)]).real();
            }
        }
        self.set(k, &new)?;
        Ok((square.max(0.0)).sqrt() / self.size)
    }

    /// Installs core `k` from rows `(c, d)` and columns `i`.
    fn set(&mut self, k: usize, rows: &Mat<T>) -> Result<(), Error> {
        let mut cores = self.ring.cores().to_vec();
        let c = cores[k].dims()[0];
        let shape = cores[k].dims().to_vec();
        cores[k] = Tensor::from_fn(&shape, |i| rows[(i[0] + c * i[2], i[1])])?;
        self.ring = TensorRing::new(cores)?;
        Ok(())
    }

    fn update_qr(&mut self, op: &'static str, k: usize) -> Result<f64, Error> {
        let (m, n) = (self.ring.order(), self.ring.cores()[k].dims()[1]);
        // Rows: the other modes in the order of the chain after k; columns (c, d).
        let chain = self.ring.chain((k + 1) % m, m - 1)?;
        let design = bonds_last(&chain, true);
        let inner: usize = self.t.dims()[..k].iter().product();
        let outer: usize = self.t.dims()[k + 1..].iter().product();
        let data = self.t.as_slice();
        let rhs = Mat::from_fn(inner * outer, n, |row, i| {
            let (o, a) = (row % outer, row / outer);
            data[a + inner * (i + n * o)]
        });
        if design.nrows() < design.ncols() {
            let expected = format!("at least {} entries in each slice", design.ncols());
            return Err(Error::shape(op, expected, design.nrows().to_string()));
        }
        let new = T::lstsq(op, design.as_ref(), rhs.as_ref())?;
        let gap = &rhs - T::product(design.as_ref(), new.as_ref());
        self.set(k, &new)?;
        Ok(norm(&columns(gap.as_ref())) / self.size)
    }

    /// How far `residual` (the dense difference) is from being orthogonal to every direction in which a
    /// core can move: `max_k ||J_k^H E|| / (||E|| (tr J_k^H J_k)^(1/2))`. Zero at a stationary point, at most 1.
    pub(super) fn slope(&self, residual: TensorView<'a, T>) -> Result<f64, Error> {
        let m = self.ring.order();
        let size = norm(residual.as_slice());
        if size == 0.0 {
            return Ok(0.0);
        }
        let other = Self {
            t: residual,
            ring: self.ring.clone(),
            ..*self
        };
        let mut worst = 0.0f64;
        for near in [0..self.split, self.split..m] {
            if near.is_empty() {
                continue;
            }
            let passed = other.contracted(near.clone())?;
            for k in near.clone() {
                let g = other.right_side(k, near.clone(), &passed)?;
                let normal = other.normal_matrix(k);
                let trace: f64 = (0..normal.nrows()).map(|i| normal[(i, i)].real()).sum();
                let slope = norm(g.as_slice()) / (size * trace.sqrt());
                worst = worst.max(if slope.is_nan() { 1.0 } else { slope });
            }
        }
        Ok(worst)
    }
}
