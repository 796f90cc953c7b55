//! What the reverse chain and the likelihood need: the mean of the signal given a noised point.

use super::level::Level;
use crate::learn::mixture::gaussian::GaussianMixture;
use serde::{Deserialize, Serialize};

/// `m_T(y) = E[mu | mu + sqrt(T) z = y]` for every `T > 1`, in coordinates where the noise level is one and
/// the law has mean zero.
pub(in crate::learn::mixture) trait Denoiser: Sync {
    /// Number of coordinates.
    fn dim(&self) -> usize;
    /// Writes `m_T` of each row of `y`, and its Jacobian when asked.
    fn evaluate(&self, y: &[f64], temperature: f64, out: &mut [f64], jacobian: Option<&mut [f64]>);
}

/// Learned levels with linear interpolation of `m` in `log t` between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::learn::mixture) struct Ladder {
    pub(in crate::learn::mixture) dim: usize,
    /// By increasing temperature; not empty unless `dim` is 0.
    pub(in crate::learn::mixture) levels: Vec<Level>,
}

impl Denoiser for Ladder {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(
        &self,
        y: &[f64],
        temperature: f64,
        out: &mut [f64],
        mut jacobian: Option<&mut [f64]>,
    ) {
        let log_t = |level: &Level| (level.temperature - 1.0).ln();
        let at = (temperature - 1.0).max(f64::MIN_POSITIVE).ln();
        let above = self
            .levels
            .iter()
            .position(|l| log_t(l) >= at)
            .unwrap_or(self.levels.len());
        let (low, high) = match (above.checked_sub(1), self.levels.get(above)) {
            (None, Some(only)) => return only.evaluate(y, out, jacobian),
            (Some(i), None) => return self.levels[i].evaluate(y, out, jacobian),
            (Some(i), Some(high)) => (&self.levels[i], high),
            (None, None) => return out.fill(0.0),
        };
        let w = (at - log_t(low)) / (log_t(high) - log_t(low));
        if w > 1.0 - 1e-9 {
            return high.evaluate(y, out, jacobian);
        }
        low.evaluate(y, out, jacobian.as_deref_mut());
        let mut upper = vec![0.0; out.len()];
        let mut upper_jacobian = vec![0.0; jacobian.as_ref().map_or(0, |j| j.len())];
        let asked = jacobian.is_some();
        high.evaluate(y, &mut upper, asked.then_some(&mut upper_jacobian[..]));
        let mix = |a: &mut [f64], b: &[f64]| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += w * (b - *a));
        };
        mix(out, &upper);
        if let Some(jacobian) = jacobian {
            mix(jacobian, &upper_jacobian);
        }
    }
}

/// The exact denoiser of a discrete `Q`: weights and atoms.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::learn::mixture) struct Atoms {
    pub(in crate::learn::mixture) dim: usize,
    /// Logarithms of the weights.
    pub(in crate::learn::mixture) log_weights: Vec<f64>,
    /// The atoms, one after the other.
    pub(in crate::learn::mixture) means: Vec<f64>,
}

impl Atoms {
    /// The means of `mixture`, shifted by `-centre`; its covariances are taken to be the identity.
    pub(in crate::learn::mixture) fn of(mixture: &GaussianMixture, centre: &[f64]) -> Self {
        let components = mixture.components();
        let shifted = |m: &[f64]| {
            m.iter()
                .zip(centre)
                .map(|(m, c)| m - c)
                .collect::<Vec<f64>>()
        };
        Self {
            dim: mixture.dim(),
            log_weights: components.iter().map(|c| c.weight.ln()).collect(),
            means: components.iter().flat_map(|c| shifted(&c.mean)).collect(),
        }
    }
}

impl Denoiser for Atoms {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(
        &self,
        y: &[f64],
        temperature: f64,
        out: &mut [f64],
        mut jacobian: Option<&mut [f64]>,
    ) {
        let dim = self.dim;
        let mut share = vec![0.0; self.log_weights.len()];
        for (i, (row, m)) in y
            .chunks_exact(dim)
            .zip(out.chunks_exact_mut(dim))
            .enumerate()
        {
            let mut most = f64::NEG_INFINITY;
            for ((s, atom), w) in share
                .iter_mut()
                .zip(self.means.chunks_exact(dim))
                .zip(&self.log_weights)
            {
                let gap: f64 = row.iter().zip(atom).map(|(a, b)| (a - b) * (a - b)).sum();
                *s = w - gap / (2.0 * temperature);
                most = most.max(*s);
            }
            share.iter_mut().for_each(|s| *s = (*s - most).exp());
            let total: f64 = share.iter().sum();
            m.fill(0.0);
            for (s, atom) in share.iter().zip(self.means.chunks_exact(dim)) {
                m.iter_mut()
                    .zip(atom)
                    .for_each(|(m, a)| *m += s / total * a);
            }
            if let Some(jacobian) = jacobian.as_deref_mut() {
                // The Jacobian is the posterior covariance over T.
                let j = &mut jacobian[i * dim * dim..(i + 1) * dim * dim];
                j.fill(0.0);
                for (s, atom) in share.iter().zip(self.means.chunks_exact(dim)) {
                    for a in 0..dim {
                        for b in 0..dim {
                            j[a * dim + b] +=
                                s / total * (atom[a] - m[a]) * (atom[b] - m[b]) / temperature;
                        }
                    }
                }
            }
        }
    }
}
