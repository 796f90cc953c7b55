//! The learned generative model: sampling, scores, denoising, log-densities.

use super::denoiser::{Denoiser, Ladder};
use super::likelihood;
use super::reverse_chain::Chain;
use crate::Error;
use crate::learn::mixture::subspace::Subspace;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// A law `P = Q * N(0, sigma^2 I)` given by the denoisers of a ladder of noise levels in the subspace where it
/// is not pure noise.
///
/// See [`Diffusion::learn`](crate::learn::mixture::Diffusion::learn) for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreModel {
    pub(in crate::learn::mixture) subspace: Subspace,
    pub(in crate::learn::mixture) ladder: Ladder,
}

impl ScoreModel {
    /// Number of dimensions.
    pub fn dim(&self) -> usize {
        self.subspace.dim()
    }

    /// Dimension of the subspace where the law is not pure noise.
    pub fn rank(&self) -> usize {
        self.subspace.rank()
    }

    /// The noise level `sigma`.
    pub fn noise(&self) -> f64 {
        self.subspace.sigma
    }

    /// The mean of the sample.
    pub fn mean(&self) -> &[f64] {
        &self.subspace.centre
    }

    /// Total variances of the learned levels, `sigma^2 T`, increasing.
    pub fn temperatures(&self) -> Vec<f64> {
        let s2 = self.noise() * self.noise();
        self.ladder
            .levels
            .iter()
            .map(|l| l.temperature * s2)
            .collect()
    }

    /// Cells, largest degree of the denoiser and coefficients at each learned level.
    pub fn shape(&self) -> Vec<(usize, usize, usize)> {
        let levels = self.ladder.levels.iter();
        let degree = |l: &super::level::Level| l.pieces.iter().map(|p| p.degree).max().unwrap_or(1);
        levels
            .map(|l| (l.pieces.len(), degree(l) - 1, l.coefficients()))
            .collect()
    }

    fn top(&self) -> f64 {
        self.ladder.levels.last().map_or(1.0, |l| l.temperature)
    }

    /// Draws `count` rows, row-major, by the reverse chain.
    ///
    /// # Errors
    /// `InvalidInput` when the chain has no step.
    ///
    /// # Complexity
    /// `O(count * steps * coefficients per cell * rank)`, in parallel over fixed blocks of rows.
    pub fn sample(
        &self,
        count: usize,
        chain: Chain,
        rng: &mut impl Rng,
    ) -> Result<Vec<f64>, Error> {
        chain.check()?;
        let (spectrum, top) = (&self.subspace.spectrum, self.top());
        let u = chain.run(&self.ladder, spectrum, top, count, rng)?;
        let wanted = if self.rank() == self.dim() {
            0
        } else {
            count * self.dim()
        };
        let noise: Vec<f64> = (0..wanted).map(|_| StandardNormal.sample(rng)).collect();
        let rows = self.subspace.leave(&u, &noise, count);
        if rows.iter().all(|x| x.is_finite()) {
            return Ok(rows);
        }
        Err(Error::Overflow {
            op: "ScoreModel::sample",
            what: "a drawn row",
        })
    }

    /// `E[mu | x]` for each row `x = mu + noise` of total noise variance `variance`, row-major.
    ///
    /// # Errors
    /// `InvalidInput` when `variance` is below that of the noise; `Shape`; `NonFinite`.
    pub fn denoise(&self, rows: &[f64], variance: f64) -> Result<Vec<f64>, Error> {
        self.check(rows)?;
        let u = self.subspace.enter(rows);
        let m = self.denoised_inside(&u, self.relative(variance)?);
        Ok(self.subspace.leave(&m, &[], rows.len() / self.dim()))
    }

    /// `grad log p` of the law with noise of total variance `variance`, at each row.
    ///
    /// # Errors
    /// As [`ScoreModel::denoise`].
    pub fn score(&self, rows: &[f64], variance: f64) -> Result<Vec<f64>, Error> {
        let m = self.denoise(rows, variance)?;
        Ok(m.iter()
            .zip(rows)
            .map(|(m, x)| (m - x) / variance)
            .collect())
    }

    /// `log p(x)` of the data's law at each row, from the scores of all levels.
    ///
    /// # Errors
    /// `Shape`; `NonFinite`; `Backend`.
    ///
    /// # Accuracy
    /// That of the learned scores, and the error of the quadrature, see [`ScoreModel::log_density_with_error`].
    pub fn log_density(&self, rows: &[f64]) -> Result<Vec<f64>, Error> {
        let both = self.log_density_with_error(rows)?;
        Ok(both.into_iter().map(|(l, _)| l).collect())
    }

    /// [`ScoreModel::log_density`] with an estimate of the error of the quadrature at each row. No random numbers are
    /// drawn and rows do not influence each other: a row has the same bits alone and among others.
    ///
    /// # Errors
    /// As [`ScoreModel::log_density`].
    ///
    /// # Complexity
    /// Some eight hundred evaluations of the denoiser for each row in two dimensions, two thousand in more.
    pub fn log_density_with_error(&self, rows: &[f64]) -> Result<Vec<(f64, f64)>, Error> {
        self.check(rows)?;
        let (dim, rank) = (self.dim(), self.rank());
        let u = self.subspace.enter(rows);
        let spectrum = &self.subspace.spectrum;
        let inside = if rank == 0 {
            vec![(0.0, 0.0); rows.len() / dim]
        } else {
            likelihood::log_density(&self.ladder, spectrum, self.top(), &u)?
        };
        let log_volume = dim as f64 * self.noise().ln();
        let log_two_pi = likelihood::gaussian(&[0.0], &[1.0]);
        let rows = rows.chunks_exact(dim).enumerate();
        Ok(rows
            .map(|(i, row)| {
                let outside = self.subspace.outside(row, &u[i * rank..(i + 1) * rank]);
                let (inside, error) = inside[i];
                let flat = (dim - rank) as f64 * log_two_pi - log_volume;
                (inside - 0.5 * outside + flat, error)
            })
            .collect())
    }

    /// Denoised rows inside the subspace, at a relative temperature.
    pub(in crate::learn::mixture) fn denoised_inside(
        &self,
        u: &[f64],
        temperature: f64,
    ) -> Vec<f64> {
        let mut m = vec![0.0; u.len()];
        if self.rank() > 0 {
            self.ladder.evaluate(u, temperature, &mut m, None);
        }
        m
    }

    fn relative(&self, variance: f64) -> Result<f64, Error> {
        let relative = variance / (self.noise() * self.noise());
        if relative.is_finite() && relative >= 1.0 - 1e-9 {
            return Ok(relative.max(1.0));
        }
        let least = self.noise() * self.noise();
        let requirement = format!("a noise variance of at least {least}, got {variance}");
        Err(Error::invalid("ScoreModel::denoise", requirement))
    }

    fn check(&self, rows: &[f64]) -> Result<(), Error> {
        let op = "ScoreModel::score";
        if !rows.len().is_multiple_of(self.dim()) {
            let (expected, found) = (format!("rows of {} entries", self.dim()), rows.len());
            return Err(Error::shape(op, expected, found.to_string()));
        }
        match rows.iter().position(|x| !x.is_finite()) {
            Some(index) => Err(Error::NonFinite { op, index }),
            None => Ok(()),
        }
    }
}
