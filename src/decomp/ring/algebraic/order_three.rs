//! A ring as one of order three: compressing, solving for the three grouped cores, cutting them up again.

use super::decomposition::OP;
use super::grouping::Plan;
use super::pencil::Pencil;
use super::real_gauge::real_core;
use crate::Error;
use crate::decomp::ring::ranks::dominant_range::Range;
use crate::decomp::ring::svd::cut;
use crate::fit::Check;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, columns};
use faer::{Mat, MatRef};
use rand::Rng;

/// A tensor compressed in the two outer runs of its plan.
pub(in crate::decomp::ring) struct Problem<T> {
    plan: Plan,
    dims: Vec<usize>,
    ranks: Vec<usize>,
    /// Bases of the outer runs, and the compressed tensor `R_a R_b x n x R_c R_a`.
    first: Mat<T>,
    last: Mat<T>,
    small: Tensor<T>,
    pub(in crate::decomp::ring) checks: Vec<Check>,
    pub(in crate::decomp::ring) condition: f64,
}

/// One draw's answer.
pub(in crate::decomp::ring) struct Attempt<T: Scalar> {
    pub(in crate::decomp::ring) ring: TensorRing<T>,
    pub(in crate::decomp::ring) rel_residual: f64,
    pub(in crate::decomp::ring) checks: Vec<Check>,
}

impl<T: Scalar> Problem<T> {
    pub(in crate::decomp::ring) fn new(
        t: TensorView<'_, T>,
        ranks: &[usize],
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let (dims, m) = (t.dims().to_vec(), t.order());
        if m < 3 {
            // Orders one and two are rings of order three with a mode of size one in the middle.
            return Self::short(t, ranks, rng);
        }
        let room = "room for the ranks: runs of modes at least as large as products of their ranks (ratio)";
        let plan = Plan::choose(&dims, ranks).map_err(|lack| Error::degenerate(OP, room, lack))?;
        let turned = turned(t, plan.first);
        Self::compress(turned.view(), plan, dims, ranks.to_vec(), rng)
    }

    /// `T = A B` or `T = Tr A`: the middle core is the identity.
    fn short(t: TensorView<'_, T>, ranks: &[usize], rng: &mut impl Rng) -> Result<Self, Error> {
        let (n, rest) = (t.dims()[0], t.as_slice().len() / t.dims()[0]);
        let (a, b) = (ranks[0], ranks[ranks.len() - 1]);
        let plan = Plan {
            first: 0,
            counts: [1, 0, ranks.len() - 1],
            sizes: [n, 1, rest],
            ranks: [a, b, b],
        };
        let room = "room for the ranks: modes at least as large as products of their ranks (ratio)";
        let lack = (a * b) as f64 / n.min(rest) as f64;
        // A matrix of full rank is a ring of any larger ranks, but not in general position.
        if ranks.len() > 1 && lack > 1.0 {
            return Err(Error::degenerate(OP, room, lack));
        }
        Self::compress(t, plan, t.dims().to_vec(), ranks.to_vec(), rng)
    }

    fn compress(
        t: TensorView<'_, T>,
        plan: Plan,
        dims: Vec<usize>,
        ranks: Vec<usize>,
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let [na, nb, nc] = plan.sizes;
        let [ra, rb, rc] = plan.ranks;
        let data = t.as_slice();
        let front = MatRef::from_column_major_slice(data, na, nb * nc);
        let first = Range::of(OP, front, ra * rb, rng)?;
        let inside = T::adjoint_product(first.basis.as_ref(), front);
        let half = columns(inside.as_ref());
        let rows = first.basis.ncols();
        let back = MatRef::from_column_major_slice(&half, rows * nb, nc);
        let last = Range::of(OP, back.transpose(), rc * ra, rng)?;
        let conjugate = Mat::from_fn(nc, last.basis.ncols(), |i, j| {
            last.basis[(i, j)].conjugate()
        });
        let small = T::product(back, conjugate.as_ref());
        let kept = last.basis.ncols();
        let small = Tensor::from_vec(&[rows, nb, kept], columns(small.as_ref()))?;
        let weakest = first.strength().min(last.strength());
        let hypothesis =
            "unfoldings of rank R_k R_l (ratio of the last singular value to the first)";
        // Rounding of the data is all there is below this.
        if dims.len() > 2 && weakest <= 64.0 * f64::EPSILON {
            return Err(Error::degenerate(OP, hypothesis, weakest));
        }
        let checks = vec![
            Check::reported(
                "ring.tail-first",
                "singular values behind the rank, first run",
                first.tail(),
            ),
            Check::reported(
                "ring.tail-last",
                "singular values behind the rank, last run",
                last.tail(),
            ),
        ];
        Ok(Self {
            plan,
            dims,
            ranks,
            first: first.basis,
            last: last.basis,
            small,
            checks,
            condition: 1.0 / weakest.max(f64::MIN_POSITIVE),
        })
    }

    pub(in crate::decomp::ring) fn attempt(
        &self,
        t: TensorView<'_, T>,
        rng: &mut impl Rng,
    ) -> Result<Attempt<T>, Error> {
        let mut checks = Vec::new();
        let grouped = if self.dims.len() < 3 {
            self.short_cores()?
        } else {
            let core = self.outer_core(rng, &mut checks)?;
            self.other_cores(core, rng)?
        };
        let mut cores = Vec::with_capacity(self.dims.len());
        let mut at = self.plan.first;
        for (core, &count) in grouped.into_iter().zip(&self.plan.counts) {
            self.split(core, at, count, &mut cores, rng)?;
            at += count;
        }
        let m = self.dims.len();
        let ring = TensorRing::new(cores)?;
        let ring = ring.rotated((m - self.plan.first % m) % m).balanced();
        let rel_residual = ring.rel_residual(t)?;
        Ok(Attempt {
            ring,
            rel_residual,
            checks,
        })
    }

    /// The core of the first run in its compressed basis, square with columns `(b, a)`.
    fn outer_core(&self, rng: &mut impl Rng, checks: &mut Vec<Check>) -> Result<Mat<T>, Error> {
        let (rows, nb, cols) = (
            self.small.dims()[0],
            self.small.dims()[1],
            self.small.dims()[2],
        );
        let data = self.small.as_slice();
        let slices: Vec<Mat<T>> = (0..nb)
            .map(|j| Mat::from_fn(rows, cols, |i, k| data[i + rows * (j + nb * k)]))
            .collect();
        let bonds = self.plan.bonds();
        let pencil = Pencil::solve(OP, &slices, bonds, rng)?;
        checks.push(Check::reported(
            "ring.eigenvalue-overlap",
            "overlap of the eigenvalue groups",
            pencil.overlap,
        ));
        if T::COMPLEX {
            return Ok(Mat::from_fn(rows, rows, |i, j| {
                T::from_complex(pencil.core[(i, j)])
            }));
        }
        let real = real_core(OP, &pencil.core, bonds.outer, rng)?;
        checks.push(Check::reported(
            "ring.imaginary-part",
            "imaginary part dropped with the real gauge",
            real.imaginary,
        ));
        Ok(Mat::from_fn(rows, rows, |i, j| {
            T::from_real(real.core[(i, j)])
        }))
    }

    /// With `A` known, `A^-1 T` holds `B_j C_k` in rows `(b, a)`; as rows `(b, j)`, columns `(k, a)` it has
    /// rank `R_c`.
    fn other_cores(&self, a: Mat<T>, rng: &mut impl Rng) -> Result<[Tensor<T>; 3], Error> {
        let [ra, rb, rc] = self.plan.ranks;
        let [na, nb, nc] = self.plan.sizes;
        let (rows, kept) = (self.small.dims()[0], self.small.dims()[2]);
        let rest = T::solve(OP, a.as_ref(), self.small.view().as_matrix(1))?;
        let wide = Mat::from_fn(rb * nb, kept * ra, |bj, ka| {
            let (b, j, k, x) = (bj % rb, bj / rb, ka % kept, ka / kept);
            rest[(b * ra + x, j + nb * k)]
        });
        let middle = Range::of(OP, wide.as_ref(), rc, rng)?.basis;
        let tail = T::adjoint_product(middle.as_ref(), wide.as_ref());
        let first = T::product(self.first.as_ref(), a.as_ref());
        let data = columns(middle.as_ref());
        // A bond wider than its matrix (a core of deficient rank) is filled with zeros.
        let width = middle.ncols();
        let second = Tensor::from_fn(&[rb, nb, rc], |i| {
            let inside = i[2] < width;
            if inside {
                data[i[0] + rb * (i[1] + nb * i[2])]
            } else {
                T::zero()
            }
        })?;
        let out = Tensor::from_fn(&[ra, na, rb], |i| first[(i[1], i[2] * ra + i[0])])?;
        // C[c, k, a] = sum_k' last[k, k'] tail[c, (k', a)].
        let by_k = Mat::from_fn(kept, rc * ra, |k, ca| {
            let (c, x) = (ca % rc, ca / rc);
            if c < width {
                tail[(c, k + kept * x)]
            } else {
                T::zero()
            }
        });
        let third = T::product(self.last.as_ref(), by_k.as_ref());
        let third = Tensor::from_fn(&[rc, nc, ra], |i| third[(i[1], i[0] + rc * i[2])])?;
        debug_assert_eq!(rows, ra * rb);
        Ok([out, second, third])
    }

    /// Orders one and two: `T = first * small * last'` is already a product.
    fn short_cores(&self) -> Result<[Tensor<T>; 3], Error> {
        let [ra, rb, _] = self.plan.ranks;
        let [na, _, nc] = self.plan.sizes;
        let one = |i: &[usize]| if i[0] == i[2] { T::one() } else { T::zero() };
        let middle = Tensor::from_fn(&[rb, 1, rb], one)?;
        if self.dims.len() == 1 {
            // T = Tr G with G(i) = diag(T_i, 0, ..).
            let scale = self.small.as_slice().first().copied().unwrap_or(T::zero());
            let first = Tensor::from_fn(&[ra, na, ra], |i| {
                let corner = i[0] == 0 && i[2] == 0;
                if corner {
                    self.first[(i[1], 0)] * scale * self.last[(0, 0)]
                } else {
                    T::zero()
                }
            })?;
            let last = Tensor::from_fn(&[ra, 1, ra], one)?;
            return Ok([first, middle, last]);
        }
        let width = self.first.ncols();
        let right = T::product(
            self.small.view().as_matrix(1),
            self.last.transpose().to_owned().as_ref(),
        );
        let first = Tensor::from_fn(&[ra, na, rb], |i| {
            let column = i[2] * ra + i[0];
            if column < width {
                self.first[(i[1], column)]
            } else {
                T::zero()
            }
        })?;
        let last = Tensor::from_fn(&[rb, nc, ra], |i| {
            let row = i[0] * ra + i[2];
            if row < right.nrows() {
                right[(row, i[1])]
            } else {
                T::zero()
            }
        })?;
        Ok([first, middle, last])
    }

    /// Cuts the core of a run of modes into one core for each, at the known ranks.
    fn split(
        &self,
        core: Tensor<T>,
        at: usize,
        count: usize,
        out: &mut Vec<Tensor<T>>,
        rng: &mut impl Rng,
    ) -> Result<(), Error> {
        let m = self.dims.len();
        if count == 0 {
            return Ok(());
        }
        let mut rest = core;
        for k in at..at + count - 1 {
            rest = cut(rest, self.dims[k % m], self.ranks[(k + 1) % m], out, rng)?;
        }
        out.push(rest);
        Ok(())
    }
}

/// The tensor with its first `shift` modes moved behind the others.
pub(in crate::decomp::ring) fn turned<T: Scalar>(t: TensorView<'_, T>, shift: usize) -> Tensor<T> {
    if shift == 0 {
        return t.to_tensor();
    }
    let m = t.as_matrix(shift);
    let mut dims = t.dims().to_vec();
    dims.rotate_left(shift);
    let data = columns(m.transpose());
    // The number of entries is that of `t`.
    Tensor::from_vec(&dims, data).unwrap_or_else(|_| t.to_tensor())
}
