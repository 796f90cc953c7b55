//! The slices: scaled, compressed where they are tall and complete, filled with the model where entries are missing.

use crate::Error;
use crate::linalg::{small, split_power_of_two, thin_qr};
use crate::tensor::{Factor, TensorView};
use faer::MatMut;

/// Matrices of one width, of norm one together.
pub(super) struct Slices {
    pub(super) x: Vec<Factor>,
    /// Weights in `0..=1`, where not all entries count alike; values of weight zero are zero.
    pub(super) weights: Option<Vec<Factor>>,
    norm: f64,
    powers: (f64, f64),
}

/// Slices that are as good as the others for the descent, and the bases that lead back.
pub(super) struct Short {
    pub(super) x: Vec<Factor>,
    bases: Vec<Option<Factor>>,
}

impl Slices {
    /// `None` where everything is zero. The slices are finite where they have weight.
    pub(super) fn of(
        data: &[TensorView<'_>],
        weights: Option<&[TensorView<'_>]>,
    ) -> Result<Option<Self>, Error> {
        let weight = |k: usize, i: usize| weights.map_or(1.0, |w| w[k].as_slice()[i]);
        let mut x: Vec<Factor> = Vec::with_capacity(data.len());
        for (k, t) in data.iter().enumerate() {
            let known = t.as_slice().iter().enumerate();
            let known = known.map(|(i, &v)| if weight(k, i) > 0.0 { v } else { 0.0 });
            x.push(Factor::new(t.dims()[0], t.dims()[1], known.collect())?);
        }
        let all = x.iter().flat_map(|f| f.as_slice());
        let top = all.fold(0.0f64, |top, v| top.max(v.abs()));
        if top == 0.0 {
            return Ok(None);
        }
        let powers = split_power_of_two(top);
        let entries = x.iter_mut().flat_map(|f| f.as_mut_slice());
        entries.for_each(|v| *v = *v / powers.0 / powers.1);
        let norm = x.iter().map(|f| small::norm_sq(f.as_slice())).sum::<f64>();
        let norm = norm.sqrt();
        let entries = x.iter_mut().flat_map(|f| f.as_mut_slice());
        entries.for_each(|v| *v /= norm);
        let most = weights.map_or(1.0, |w| {
            let all = w.iter().flat_map(|w| w.as_slice());
            all.copied().fold(0.0, f64::max)
        });
        let scaled = |w: &TensorView<'_>| {
            let data = w.as_slice().iter().map(|w| w / most).collect();
            Factor::new(w.dims()[0], w.dims()[1], data)
        };
        let weights = weights.map(|w| w.iter().map(scaled).collect::<Result<_, _>>());
        Ok(Some(Self {
            x,
            weights: weights.transpose()?,
            norm,
            powers,
        }))
    }

    /// Numbers that grow with the data, as they came.
    pub(super) fn restore(&self, f: &mut Factor) {
        let back = |v: &mut f64| {
            *v = (*v * self.norm * self.powers.0 * self.powers.1).clamp(-f64::MAX, f64::MAX);
        };
        f.as_mut_slice().iter_mut().for_each(back);
    }

    /// `sqrt(sum w x^2)`.
    pub(super) fn size(&self) -> f64 {
        let one = |k: usize| {
            let entries = self.x[k].as_slice().iter().enumerate();
            let weighted = entries.map(|(i, v)| self.weight(k, i) * v * v);
            weighted.sum::<f64>()
        };
        (0..self.x.len()).map(one).sum::<f64>().sqrt()
    }

    pub(super) fn weight(&self, k: usize, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[k].as_slice()[i])
    }

    /// A tall complete slice is `Z R` with orthonormal columns in `Z`: whatever basis fits `R` best, `Z` times it fits the
    /// slice best.
    pub(super) fn short(&self, op: &'static str, rank: usize) -> Result<Short, Error> {
        let (mut x, mut bases) = (Vec::new(), Vec::new());
        for f in &self.x {
            if self.weights.is_some() || f.rows() <= f.cols() || f.cols() < rank {
                x.push(f.clone());
                bases.push(None);
                continue;
            }
            let (z, r) = thin_qr(op, f.as_mat())?;
            x.push(Factor::from_fn(r.nrows(), r.ncols(), |i, j| r[(i, j)]));
            bases.push(Some(Factor::from_fn(z.nrows(), z.ncols(), |i, j| {
                z[(i, j)]
            })));
        }
        Ok(Short { x, bases })
    }
}

impl Short {
    /// Bases of the slices themselves.
    pub(super) fn expand(&self, inner: Vec<Factor>) -> Vec<Factor> {
        let pairs = inner.into_iter().zip(&self.bases);
        let one = |(p, z): (Factor, &Option<Factor>)| match z {
            Some(z) => p.left_mul(z.as_mat()),
            None => p,
        };
        pairs.map(one).collect()
    }
}

/// `out <- x - left right'`.
pub(super) fn gap_of(x: &Factor, left: &Factor, right: &Factor, out: &mut Factor) {
    out.as_mut_slice().copy_from_slice(x.as_slice());
    let (rows, cols) = (x.rows(), x.cols());
    let dst = MatMut::from_column_major_slice_mut(out.as_mut_slice(), rows, cols);
    <f64 as crate::linalg::Scalar>::gemm(
        dst,
        true,
        left.as_mat(),
        right.as_mat().transpose(),
        -1.0,
    );
}
