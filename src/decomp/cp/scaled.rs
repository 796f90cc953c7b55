//! A tensor at norm one, whatever its units, and the way back.

use crate::Error;
use crate::linalg::Scalar;
use crate::poly::Ring;
use crate::tensor::{CpTensor, Tensor, TensorView};

/// A tensor divided by a power of two and then by its norm.
pub(in crate::decomp) struct Scaled<T> {
    pub(in crate::decomp) data: Tensor<T>,
    /// The squared norm of `data`: one to rounding, or up to four where it was divided by a power of two only.
    pub(super) size: f64,
    norm: f64,
    /// Two normal powers of two whose product may be subnormal or huge.
    powers: (f64, f64),
}

impl<T: Scalar + Ring> Scaled<T> {
    /// `None` for the zero tensor.
    pub(in crate::decomp) fn of(t: TensorView<'_, T>) -> Result<Option<Self>, Error> {
        crate::memory::keep_freed_pages();
        let top = largest(t.as_slice());
        if top == 0.0 {
            return Ok(None);
        }
        let powers = crate::linalg::split_power_of_two(top);
        let near = |x: &T| x.scale(1.0 / powers.0).scale(1.0 / powers.1);
        let mut data: Vec<T> = t.as_slice().iter().map(near).collect();
        let norm = crate::linalg::small::norm_sq(&data).sqrt();
        data.iter_mut().for_each(|x| *x = x.scale(1.0 / norm));
        let data = Tensor::from_vec(t.dims(), data)?;
        Ok(Some(Self {
            data,
            size: 1.0,
            norm,
            powers,
        }))
    }

    /// `t` itself, divided by a power of two that brings its norm between one and two; `t` is left empty. `None`, and `t` as it
    /// was, for the zero tensor and where the division could not be undone exactly.
    pub(super) fn taken(t: &mut Tensor<T>) -> Option<Self> {
        let top = largest(t.as_slice());
        if !(top > 1e-100 && top < 1e100) {
            return None;
        }
        let norm = crate::linalg::small::norm_sq(t.as_slice()).sqrt();
        let powers = crate::linalg::split_power_of_two(norm);
        let down = 1.0 / (powers.0 * powers.1);
        let parts = |x: &T| [x.re().abs(), x.im().abs()];
        let least = f64::MIN_POSITIVE / down.min(1.0);
        if t.as_slice()
            .iter()
            .flat_map(parts)
            .any(|x| x > 0.0 && x < least)
        {
            return None;
        }
        let mut data = std::mem::replace(t, Tensor::empty());
        data.as_mut_slice()
            .iter_mut()
            .for_each(|x| *x = x.scale(down));
        let size = (norm * down).powi(2);
        Some(Self {
            data,
            size,
            norm: 1.0,
            powers,
        })
    }

    /// Gives the tensor back as it came.
    pub(super) fn give_back(self, t: &mut Tensor<T>) {
        let up = self.powers.0 * self.powers.1;
        *t = self.data;
        t.as_mut_slice().iter_mut().for_each(|x| *x = x.scale(up));
    }

    /// A real weight of the data as they came.
    pub(in crate::decomp) fn restore_weight(&self, w: f64) -> f64 {
        let w = w * self.norm * self.powers.0 * self.powers.1;
        w.clamp(-f64::MAX, f64::MAX)
    }

    /// The model of the data as they came.
    pub(super) fn restore(&self, model: CpTensor<T>) -> Result<CpTensor<T>, Error> {
        let (weights, factors) = model.into_parts();
        let weights = weights.into_iter().map(|w| self.restore_entry(w));
        CpTensor::new(weights.collect(), factors)
    }

    /// The model of the data at norm one, for a model of the data as they came.
    pub(super) fn shrink(&self, model: &CpTensor<T>) -> Result<CpTensor<T>, Error> {
        let near = |w: &T| w.scale(1.0 / self.powers.0).scale(1.0 / self.powers.1);
        let weights = model
            .weights()
            .iter()
            .map(|w| near(w).scale(1.0 / self.norm));
        CpTensor::new(weights.collect(), model.factors().to_vec())
    }

    /// An entry of a core or a weight of the data as they came.
    pub(crate) fn restore_entry(&self, w: T) -> T {
        let w = w.scale(self.norm).scale(self.powers.0).scale(self.powers.1);
        let clamp = |x: f64| x.clamp(-f64::MAX, f64::MAX);
        T::from_parts(clamp(w.re()), clamp(w.im()))
    }
}

/// The greatest modulus of a real or imaginary part, in eight running maxima so that the compiler may use
/// vector registers.
fn largest<T: Scalar>(x: &[T]) -> f64 {
    let mut top = [0.0f64; 8];
    let mut update = |k: usize, x: T| {
        let size = x.re().abs().max(x.im().abs());
        top[k] = if size > top[k] { size } else { top[k] };
    };
    let chunks = x.chunks_exact(8);
    chunks.remainder().iter().for_each(|&x| update(0, x));
    for chunk in chunks {
        chunk.iter().enumerate().for_each(|(k, &x)| update(k, x));
    }
    top.into_iter().fold(0.0, f64::max)
}
