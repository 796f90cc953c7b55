//! A tensor in bases of its dominant mode spaces, and rings moved between the two.

use super::ranks::dominant_range::Range;
use crate::Error;
use crate::tensor::{Scalar, Tensor, TensorRing, TensorView, columns};
use faer::{Mat, MatRef};
use rand::Rng;

const OP: &str = "RingAls::decompose";

/// A tensor in bases of its dominant mode spaces.
pub(super) struct Compressed<T> {
    pub(super) core: Tensor<T>,
    bases: Vec<Option<Mat<T>>>,
}

/// Directions kept beyond the rank of a mode: under noise the best ring leaves the dominant space slightly.
const MARGIN: usize = 2;

impl<T: Scalar> Compressed<T> {
    /// `None` when no mode would shrink.
    pub(super) fn of(
        t: TensorView<'_, T>,
        ranks: &[usize],
        rng: &mut impl Rng,
    ) -> Result<Option<Self>, Error> {
        let m = t.order();
        let mut dims = t.dims().to_vec();
        let mut data = t.as_slice().to_vec();
        let mut bases = Vec::with_capacity(m);
        for k in 0..m {
            // The current mode is always first; after the product it moves behind the others.
            let n = dims[0];
            let keep = ranks[k] * ranks[(k + 1) % m] + MARGIN;
            let unfolded = MatRef::from_column_major_slice(&data, n, data.len() / n);
            let moved = if 4 * keep <= 3 * n {
                let basis = Range::of(OP, unfolded, keep, rng)?.basis;
                let small = T::adjoint_product(basis.as_ref(), unfolded);
                bases.push(Some(basis));
                small.transpose().to_owned()
            } else {
                bases.push(None);
                unfolded.transpose().to_owned()
            };
            dims.rotate_left(1);
            dims[m - 1] = moved.ncols();
            data = columns(moved.as_ref());
        }
        if bases.iter().all(Option::is_none) {
            return Ok(None);
        }
        let core = Tensor::from_vec(&dims, data)?;
        Ok(Some(Self { core, bases }))
    }

    /// The best approximation of a ring of the whole tensor inside the bases.
    pub(super) fn reduce(&self, ring: &TensorRing<T>) -> Result<TensorRing<T>, Error> {
        let into =
            |basis: &Mat<T>, flat: &Mat<T>| T::adjoint_product(basis.as_ref(), flat.as_ref());
        self.moved(ring, into)
    }

    /// A ring of the core as a ring of the whole tensor.
    pub(super) fn expand(&self, ring: &TensorRing<T>) -> Result<TensorRing<T>, Error> {
        let out = |basis: &Mat<T>, flat: &Mat<T>| T::product(basis.as_ref(), flat.as_ref());
        self.moved(ring, out)
    }

    fn moved(
        &self,
        ring: &TensorRing<T>,
        f: impl Fn(&Mat<T>, &Mat<T>) -> Mat<T>,
    ) -> Result<TensorRing<T>, Error> {
        let mut cores = Vec::with_capacity(ring.order());
        for (g, basis) in ring.cores().iter().zip(&self.bases) {
            let Some(basis) = basis else {
                cores.push(g.clone());
                continue;
            };
            let full = f(basis, &crate::tensor::bonds_last(g, false));
            let (r, s) = (g.dims()[0], g.dims()[2]);
            cores.push(Tensor::from_fn(&[r, full.nrows(), s], |i| {
                full[(i[1], i[0] + r * i[2])]
            })?);
        }
        TensorRing::new(cores)
    }
}
