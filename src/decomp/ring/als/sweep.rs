//! One sweep of alternating least squares for rings: two passes over the data.
//!
//! The modes are cut into two halves. The data are contracted with the far half once, and every core of the
//! near half is updated from that (its normal equations come from transfer matrices); then the roles change.
//! A sweep therefore reads the tensor twice, whatever its order, and never permutes it. Transfer matrices are
//! kept for each core and renewed when it changes.

use super::chains::{Chain, Strip, around, slices, transfer, unsliced};
use crate::Error;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, bonds_last, columns, norm};
use faer::{Mat, MatMut, MatRef};
use std::mem::replace;
use std::ops::Range;

/// Damping of the normal equations relative to their mean diagonal. It acts on the correction only, so it
/// moves no fixed point.
const DAMPING: f64 = 1e-15;
/// Ratio of the norms of two cores beyond which the scale is spread evenly again.
const UNBALANCED: f64 = 10.0;
/// Below this the recurrence for the residual has lost half its digits, and entries are compared instead.
const DIRECT: f64 = 1e-5;
/// How often the damping is raised (by 1e3) when the matrix is not definite to working precision.
const RAISES: usize = 5;

/// Which linear solver updates a core.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::decomp::{CoreSolver, RingAls};
/// use wickring::tensor::TensorRing;
/// let mut rng = ChaCha8Rng::seed_from_u64(2);
/// let t = TensorRing::<f64>::gaussian(&[5, 6, 5], &[2, 2, 2], &mut rng)?.to_dense()?;
/// let fit = RingAls::new(&[2]).solver(CoreSolver::Qr).decompose(t.view(), &mut rng)?;
/// assert!(fit.evidence.rel_residual < 1e-6);
/// # Ok::<(), wickring::Error>(())
/// ```
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
pub(in crate::decomp::ring) struct Sweeper<'a, T: Scalar> {
    t: TensorView<'a, T>,
    cores: Vec<Tensor<T>>,
    transfers: Vec<Mat<T>>,
    split: usize,
    size: f64,
    solver: CoreSolver,
    room: Room<T>,
}

/// Buffers of a sweep.
struct Room<T> {
    /// The half of the cores that is contracted, or the cores before the one that is updated.
    run: Strip<T>,
    /// The data contracted with it.
    passed: Vec<T>,
    spare: Vec<T>,
}

impl<T: Scalar> Room<T> {
    fn empty() -> Self {
        Self {
            run: Strip::empty(),
            passed: Vec::new(),
            spare: Vec::new(),
        }
    }
}

impl<'a, T: Scalar> Sweeper<'a, T> {
    /// `ring` has the shape of `t`.
    pub(in crate::decomp::ring) fn new(
        t: TensorView<'a, T>,
        ring: TensorRing<T>,
        solver: CoreSolver,
    ) -> Self {
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
        let cores = ring.into_cores();
        let transfers = cores.iter().map(own_transfer).collect();
        Self {
            t,
            cores,
            transfers,
            split,
            size,
            solver,
            room: Room::empty(),
        }
    }

    /// The ring as it stands.
    ///
    /// # Errors
    /// `NonFinite` when an update has overflowed.
    pub(in crate::decomp::ring) fn ring(&self) -> Result<TensorRing<T>, Error> {
        TensorRing::new(self.cores.clone())
    }

    /// The two runs of modes that a sweep and a gradient go through.
    fn halves(&self) -> [Range<usize>; 2] {
        [0..self.split, self.split..self.cores.len()]
    }

    /// Updates every core once and returns the relative residual.
    pub(in crate::decomp::ring) fn sweep(&mut self, op: &'static str) -> Result<f64, Error> {
        let last = self.cores.len() - 1;
        let mut residual = f64::NAN;
        for near in self.halves() {
            if near.is_empty() {
                continue;
            }
            let mut room = replace(&mut self.room, Room::empty());
            if self.solver == CoreSolver::Normal {
                self.contract(near.clone(), &mut room);
            }
            for k in near.clone() {
                residual = match self.solver {
                    CoreSolver::Normal => self.update(op, k, near.clone(), &mut room, k == last)?,
                    CoreSolver::Qr => self.update_qr(op, k)?,
                };
            }
            self.room = room;
        }
        self.balance()?;
        let direct = residual.is_nan() || residual < DIRECT;
        if direct {
            residual = self.ring()?.rel_residual(self.t)?;
        }
        Ok(residual)
    }

    fn balance(&mut self) -> Result<(), Error> {
        let sizes = self.cores.iter().map(|g| norm(g.as_slice()));
        let (least, most) = sizes.fold((f64::INFINITY, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
        if most > UNBALANCED * least {
            self.cores = self.ring()?.balanced().into_cores();
            self.transfers = self.cores.iter().map(own_transfer).collect();
        }
        Ok(())
    }

    /// The data contracted with the conjugate of the half that `near` is not: rows run over the modes of
    /// `near`, columns over `(right bond, left bond)` of `near`, right bond fastest.
    fn contract(&self, near: Range<usize>, room: &mut Room<T>) {
        let m = self.cores.len();
        let (run, passed) = (&mut room.run, &mut room.passed);
        run.set(&self.cores, near.end % m, m - near.len());
        let whole = self.t.as_slice();
        let data = match (near.start, near.end == m) {
            // No far half: one column, for each pair of equal bonds.
            (0, true) => MatRef::from_column_major_slice(whole, whole.len(), 1),
            (0, false) => self.t.as_matrix(self.split),
            _ => self.t.as_matrix(self.split).transpose(),
        };
        let (rows, bonds) = (data.nrows(), run.left * run.right);
        // The order of the bonds is put right on the smaller side of the product.
        let early = run.size <= rows;
        if early {
            run.turned();
        }
        passed.resize(rows * bonds, T::zero());
        let far = MatRef::from_column_major_slice(&run.data, run.size, bonds);
        let dst = MatMut::from_column_major_slice_mut(passed, rows, bonds);
        T::product_into(dst, false, data, far);
        if !early {
            Strip::turn(passed, &mut room.spare, rows, run.right);
        }
    }

    /// `sum over all other indices of conj(the other cores) T` for core `k`, as [`slices`].
    fn right_side(&self, k: usize, near: Range<usize>, room: &mut Room<T>) -> Mat<T> {
        let (m, shape) = (self.cores.len(), self.shape(k));
        let [c, n, d] = shape;
        room.run.set(&self.cores, near.start, k - near.start);
        let (outer, before) = (room.run.left, room.run.size);
        // Rows d, columns (after, inner).
        let right = Chain::of(&self.cores, (k + 1) % m, near.end - k - 1);
        let closing: Vec<T> = right.data.iter().map(|x| x.conjugate()).collect();
        let behind = right.size * right.right;
        let closing = MatRef::from_column_major_slice(&closing, d, behind);
        let slab = before * n * behind;
        let mut total = vec![T::zero(); c * n * d];
        room.spare.resize(before * n * d, T::zero());
        for a in 0..outer {
            let block = &room.passed[a * slab..(a + 1) * slab];
            // A run that ends with core k has the identity there.
            let reduced: &[T] = if near.end == k + 1 {
                block
            } else {
                let block = MatRef::from_column_major_slice(block, before * n, behind);
                let dst = MatMut::from_column_major_slice_mut(&mut room.spare, before * n, d);
                T::product_into(dst, false, block, closing.transpose());
                &room.spare
            };
            if k == near.start {
                // The left run is the identity: a is the left bond.
                let column = total[a..].iter_mut().step_by(c);
                column.zip(reduced).for_each(|(x, &y)| *x = y);
                continue;
            }
            let reduced = MatRef::from_column_major_slice(reduced, before, n * d);
            let dst = MatMut::from_column_major_slice_mut(&mut total, c, n * d);
            T::product_into(dst, a > 0, room.run.slice(a).transpose(), reduced);
        }
        slices(&total, shape)
    }

    fn shape(&self, k: usize) -> [usize; 3] {
        let d = self.cores[k].dims();
        [d[0], d[1], d[2]]
    }

    /// The Gram matrix of the other cores around core `k`, rows and columns `(c, d)`, `c` fastest.
    fn normal_matrix(&self, k: usize) -> Mat<T> {
        let m = self.cores.len();
        let mut walk: Option<Mat<T>> = None;
        for step in 1..m {
            let e = &self.transfers[(k + step) % m];
            walk = Some(match walk {
                None => e.clone(),
                Some(w) => T::product(w.as_ref(), e.as_ref()),
            });
        }
        let [c, _, d] = self.shape(k);
        around(walk.as_ref(), c, d)
    }

    fn update(
        &mut self,
        op: &'static str,
        k: usize,
        near: Range<usize>,
        room: &mut Room<T>,
        measure: bool,
    ) -> Result<f64, Error> {
        let shape = self.shape(k);
        let normal = self.normal_matrix(k);
        let rhs = self.right_side(k, near, room);
        let old = slices(self.cores[k].as_slice(), shape);
        let mut gradient = rhs.clone();
        gradient -= T::product(normal.as_ref(), old.as_ref());
        let step = damped_solve(op, &normal, &gradient, DAMPING)?;
        let new = old + step;
        self.set(k, &new)?;
        if !measure {
            return Ok(f64::NAN);
        }
        // |T|^2 - 2 Re <rhs, G> + <G, N G>.
        let image = T::product(normal.as_ref(), new.as_ref());
        let mut square = self.size * self.size;
        for j in 0..new.ncols() {
            let entries = new.col(j).iter().zip(rhs.col(j).iter());
            for ((&g, &b), &h) in entries.zip(image.col(j).iter()) {
                square += (g.conjugate() * (h - b - b)).real();
            }
        }
        Ok((square.max(0.0)).sqrt() / self.size)
    }

    /// Replaces core `k`, given as [`slices`].
    fn set(&mut self, k: usize, new: &Mat<T>) -> Result<(), Error> {
        let shape = self.shape(k);
        self.cores[k] = Tensor::from_vec(&shape, unsliced(new, shape))?;
        self.transfers[k] = transfer(new, new, shape[0], shape[0]);
        Ok(())
    }

    fn update_qr(&mut self, op: &'static str, k: usize) -> Result<f64, Error> {
        let (m, shape) = (self.cores.len(), self.shape(k));
        let n = shape[1];
        // Rows: the other modes in the order of the chain after k; columns (c, d).
        let chain = self.ring()?.chain((k + 1) % m, m - 1)?;
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

    /// `J_k^H E` for every core, rows `(c, d)` and columns `i`, where `E` is a tensor of the same shape and
    /// `J_k` the derivative of the ring in core `k`.
    pub(in crate::decomp::ring) fn pulled(&self, e: TensorView<'_, T>) -> Vec<Mat<T>> {
        let other = Sweeper {
            t: e,
            cores: self.cores.clone(),
            transfers: Vec::new(),
            split: self.split,
            size: self.size,
            solver: self.solver,
            room: Room::empty(),
        };
        let mut room = Room::empty();
        let mut out = Vec::with_capacity(other.cores.len());
        for near in other.halves() {
            if near.is_empty() {
                continue;
            }
            other.contract(near.clone(), &mut room);
            for k in near.clone() {
                out.push(other.right_side(k, near.clone(), &mut room));
            }
        }
        out
    }

    /// The Gram matrices of all cores, as the updates use them.
    pub(in crate::decomp::ring) fn normal_matrices(&self) -> Vec<Mat<T>> {
        (0..self.cores.len())
            .map(|k| self.normal_matrix(k))
            .collect()
    }

    /// How far `residual` (the dense difference) is from being orthogonal to every direction in which a
    /// core can move: `max_k ||J_k^H E|| / (||E|| (tr J_k^H J_k)^(1/2))`. Zero at a stationary point, at most 1.
    pub(in crate::decomp::ring) fn slope(&self, residual: TensorView<'_, T>) -> f64 {
        let size = norm(residual.as_slice());
        if size == 0.0 {
            return 0.0;
        }
        let mut worst = 0.0f64;
        for (g, normal) in self.pulled(residual).iter().zip(self.normal_matrices()) {
            let trace: f64 = (0..normal.nrows()).map(|i| normal[(i, i)].real()).sum();
            let slope = norm(&columns(g.as_ref())) / (size * trace.sqrt());
            worst = worst.max(if slope.is_nan() { 1.0 } else { slope });
        }
        worst
    }
}

fn own_transfer<T: Scalar>(core: &Tensor<T>) -> Mat<T> {
    let shape = [core.dims()[0], core.dims()[1], core.dims()[2]];
    let rows = slices(core.as_slice(), shape);
    transfer(&rows, &rows, shape[0], shape[0])
}

/// `(normal + damping mean-diagonal)^-1 rhs`, the damping raised until the matrix is definite.
pub(in crate::decomp::ring) fn damped_solve<T: Scalar>(
    op: &'static str,
    normal: &Mat<T>,
    rhs: &Mat<T>,
    damping: f64,
) -> Result<Mat<T>, Error> {
    let size = normal.nrows();
    let mean = (0..size).map(|i| normal[(i, i)].real()).sum::<f64>() / size as f64;
    let mut damping = damping * mean;
    let mut damped = normal.clone();
    for _ in 0..RAISES {
        for i in 0..size {
            damped[(i, i)] = normal[(i, i)] + T::from_real(damping);
        }
        if let Some(step) = T::definite_solve(damped.as_ref(), rhs.as_ref()) {
            return Ok(step);
        }
        damping *= 1e3;
    }
    let routine = "normal equations of a core";
    Err(Error::Backend { op, routine })
}
