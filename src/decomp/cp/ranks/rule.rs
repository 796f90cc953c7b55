//! Which number of components the table speaks for.
//!
//! A component is *detected* when the squared residual falls by more than noise alone could make it fall: 1.4 times the best
//! rank-one tensor in the residual under random signs, more where the residual is smooth. A number of components is
//! *trilinear* when the core of its model is superdiagonal as far as noise lets it be. The greatest number that is both is
//! chosen. Counting parameters (AIC, cross-validation by leverage) fails here: a component too many gains the best rank-one
//! energy of the noise, about `sigma^2 (sum_m sqrt(n_m))^2`, not `sigma^2` for each parameter.
//!
//! Measured on 68 planted tensors of 3 to 5 modes, 0 to 6 components, 0.1 to 30% noise, cosines up to 0.9: 67 right; core
//! consistency with a gain of 5%: 50.

use super::core_consistency::core_gap;
use super::noise_gain::{noise_gain, smoothness};
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::poly::Ring;
use crate::tensor::{CpTensor, Tensor, TensorView};
use rand::Rng;

/// How far above the greatest of eight draws of noise a gain must be (measured: 1.1 claims noise in one table of ten).
const CLEAR: f64 = 1.4;
/// Core consistency, in percent, of a model that is trilinear beyond doubt.
const CONSISTENT: f64 = 80.0;
/// How many times more than noise on average the core may be away from superdiagonal.
const CORE_OF_NOISE: f64 = 3.0;
/// Where noise alone moves the core by this many times its own size, its shape says nothing.
const POWERLESS: f64 = 1e4;
/// Components that outweigh the model this many times are not believed.
const MOST_CANCELLATION: f64 = 30.0;
/// Smoothness of a residual, as a factor of the gain, from which it is not noise.
const SMOOTH: f64 = 2.0;
/// Correlation of the sizes of residual and model from which noise grows with the signal.
const GROWS: f64 = 0.3;

/// What speaks for and against one number of components, on data of norm one.
///
/// See [`RankTable`](super::table::RankTable) for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankEvidence {
    /// Fall of the squared residual from the best fit with fewer components, for each component more, as a share of the data's
    /// squared norm.
    pub gain: f64,
    /// What a component gains from the residual under random signs.
    pub noise_gain: f64,
    /// How many times more a component gains because the residual is smooth along modes; 1 when it is rough.
    pub smoothness: f64,
    /// Distance of the core from superdiagonal over what noise alone makes of it, where it can be formed.
    pub core_ratio: Option<f64>,
    /// Core consistency in percent, where it can be formed.
    pub core_consistency: Option<f64>,
    /// Correlation of the sizes of the residual and of the model.
    pub grows: f64,
    /// Whether the core can tell at all.
    core_tells: bool,
    /// Whether there is no core to be looked at, above the length of a mode, though there are three modes or more.
    coreless: bool,
    /// Cancellation between the components.
    cancellation: f64,
}

/// The best fit with fewer components. A search that did not find the minimum at one number must not make the next one
/// look good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Best {
    square: f64,
    rank: usize,
}

impl Best {
    /// Without any component the data are the residual.
    pub(super) fn nothing(square: f64) -> Self {
        Self { square, rank: 0 }
    }

    /// How far the squared residual falls for each component more.
    fn gain(&self, square: f64, rank: usize) -> f64 {
        (self.square - square) / rank.saturating_sub(self.rank).max(1) as f64
    }

    /// Takes note of the next fit; one that is no better leaves the comparison where it was.
    pub(super) fn improve(&mut self, square: f64, rank: usize) {
        if square < self.square {
            *self = Self { square, rank };
        }
    }
}

impl RankEvidence {
    /// What there is to say about a component of the zero tensor.
    pub(super) const NONE: Self = Self {
        gain: 0.0,
        noise_gain: 0.0,
        smoothness: 1.0,
        core_ratio: None,
        core_consistency: None,
        grows: 0.0,
        core_tells: false,
        coreless: false,
        cancellation: 1.0,
    };

    /// Whether the last component gains more than noise could.
    pub fn is_detected(&self) -> bool {
        self.gain > CLEAR * self.noise_gain * self.smoothness
    }

    /// As [`RankEvidence::is_detected`], taking the residual for rough.
    pub fn is_detected_if_rough(&self) -> bool {
        self.gain > CLEAR * self.noise_gain
    }

    /// Whether the core is superdiagonal as far as noise lets it be, and no components cancel.
    pub fn is_trilinear(&self) -> bool {
        let consistent = self.core_consistency.is_none_or(|c| c >= CONSISTENT);
        let by_noise = self.core_ratio.is_none_or(|r| r <= CORE_OF_NOISE);
        self.can_be_told()
            && self.cancellation <= MOST_CANCELLATION
            && (!self.core_tells || consistent || by_noise)
    }

    /// Whether anything tells components from what the model misses: a smooth residual is no noise, and above the length of a
    /// mode there is no core.
    pub(super) fn can_be_told(&self) -> bool {
        !self.coreless || self.smoothness <= SMOOTH
    }

    /// Whether the noise grows with the signal, so that a component may stand for its unevenness.
    pub fn noise_grows(&self) -> bool {
        self.grows > GROWS
    }

    /// Evidence for `model` of `data` (of norm one, zero where nothing was observed), with the best fit of fewer components
    /// `before`; the residual comes back too.
    pub(super) fn of<T: Scalar + Ring>(
        data: TensorView<'_, T>,
        weights: Option<TensorView<'_>>,
        model: &CpTensor<T>,
        before: &Best,
        rng: &mut impl Rng,
    ) -> Result<(Self, Tensor<T>), Error> {
        let dense = model.to_dense()?;
        let (residual, filled, observed) = residual_of(data, weights, &dense)?;
        let square = small::norm_sq(residual.as_slice());
        let modes = data.dims().iter().filter(|&&n| n > 1);
        let unknowns: usize = 1 + modes.map(|&n| n - 1).sum::<usize>();
        let free = observed as f64 - (model.rank() * unknowns) as f64;
        // Gaps thin out the noise that a rank-one tensor can meet, but it is also only compared there.
        let thinned = data.as_slice().len() as f64 / observed as f64;
        let noise = if free > 0.0 {
            noise_gain(&residual, rng)? * thinned * observed as f64 / free
        } else {
            f64::INFINITY
        };
        let gap = match &filled {
            Some(f) => core_gap(f.view(), model)?,
            None => core_gap(data, model)?,
        };
        let rank = model.rank() as f64;
        let of_noise = gap.map(|g| g.of_noise * square / free.max(1.0));
        let real_modes = data.dims().iter().filter(|&&n| n > 1).count();
        let evidence = Self {
            gain: before.gain(square, model.rank()),
            noise_gain: noise,
            smoothness: smoothness(&residual),
            core_ratio: gap.zip(of_noise).map(|(g, n)| g.squared / n),
            core_consistency: gap.map(|g| 100.0 * (1.0 - g.squared / rank)),
            grows: correlation(residual.as_slice(), dense.as_slice()),
            coreless: real_modes > 2 && data.dims().iter().any(|&n| n > 1 && n < model.rank()),
            core_tells: real_modes > 2 && of_noise.is_some_and(|n| n <= POWERLESS * rank),
            cancellation: model.cancellation(),
        };
        Ok((evidence, residual))
    }
}

/// The weighted residual, the data with the model in the gaps (where there are weights), and the number of entries seen.
#[allow(clippy::type_complexity)]
fn residual_of<T: Scalar>(
    data: TensorView<'_, T>,
    weights: Option<TensorView<'_>>,
    model: &Tensor<T>,
) -> Result<(Tensor<T>, Option<Tensor<T>>, usize), Error> {
    let mut residual = data.to_tensor();
    let pairs = residual.as_mut_slice().iter_mut().zip(model.as_slice());
    pairs.for_each(|(x, &m)| *x -= m);
    let Some(weights) = weights else {
        let seen = data.as_slice().len();
        return Ok((residual, None, seen));
    };
    let mut filled = data.to_tensor();
    let mut seen = 0;
    for (k, &w) in weights.as_slice().iter().enumerate() {
        let x = &mut residual.as_mut_slice()[k];
        *x = x.scale(w.sqrt());
        if w > 0.0 {
            seen += 1;
        } else {
            filled.as_mut_slice()[k] = model.as_slice()[k];
        }
    }
    Ok((residual, Some(filled), seen))
}

/// The correlation of the moduli of two arrays, where the first is not exactly zero.
fn correlation<T: Scalar>(x: &[T], y: &[T]) -> f64 {
    let pairs = || {
        let seen = x.iter().zip(y).filter(|(x, _)| x.abs_sq() > 0.0);
        seen.map(|(x, y)| (x.abs(), y.abs()))
    };
    let n = pairs().count().max(1) as f64;
    let (a, b) = pairs().fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        xx += (x - a) * (x - a);
        yy += (y - b) * (y - b);
        xy += (x - a) * (y - b);
    }
    if xx * yy > 0.0 {
        xy / (xx * yy).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::Best;

    #[test]
    fn a_search_that_failed_does_not_make_the_next_number_look_good() {
        let mut best = Best::nothing(1.0);
        best.improve(0.3, 1);
        assert_eq!(best.gain(0.2, 2), 0.3 - 0.2);
        // Two components are no better than one: three are held against one, and share what they gain.
        best.improve(0.5, 2);
        assert_eq!(best.gain(0.1, 3), (0.3 - 0.1) / 2.0);
    }
}
