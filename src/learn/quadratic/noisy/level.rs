//! Observation noise: independent Gaussian errors on the outputs, in the same proportion to each one's spread.
//!
//! Such noise adds `s^2` to every eigenvalue of the correlation matrix and nothing to third cumulants. With more
//! outputs than a quadratic map can fill, the eigenvalues left over are `s^2`; with exactly as many, only how
//! far the samples lie from the variety tells.

use crate::Error;
use crate::fit::Check;
use crate::learn::quadratic::latent_rank::LatentRank;

/// A share of the standard deviation below which noise is called absent.
pub(in crate::learn) const ABSENT: f64 = 1e-5;

/// The key of the noise that a law includes, as a share of the standard deviation of each output.
pub(in crate::learn) const NOISE: &str = "quadratic.noise";

/// What the learner assumes about observation noise.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::Error;
/// use wickring::io::samples::Samples;
/// use wickring::learn::{Noise, Quadratic};
/// let samples = Samples::from_rows(1, (0..1000).map(f64::from).collect())?;
/// // More noise than signal is no share.
/// let learner = Quadratic::new().noise(Noise::Known(1.5));
/// let rng = &mut ChaCha8Rng::seed_from_u64(0);
/// let refused = learner.learn(&samples, rng, &mut wickring::run::unobserved);
/// assert!(matches!(refused, Err(Error::InvalidInput { .. })));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Noise {
    /// None: whatever noise there is makes the tests fail.
    #[default]
    Absent,
    /// Estimated from the eigenvalues of the covariance beyond those of the map; where there are none, by the refinement from
    /// the distance of the samples to their variety.
    Estimated,
    /// A standard deviation, as a share of that of each output, in `[0, 1)`.
    Known(f64),
}

impl Noise {
    /// A known share lies in `[0, 1)`.
    pub(in crate::learn) fn check(self) -> Result<(), Error> {
        match self {
            Self::Known(s) if !(0.0..1.0).contains(&s) => {
                let text =
                    format!("noise as a share of each standard deviation, in [0, 1), got {s}");
                Err(Error::invalid("Quadratic::learn", text))
            }
            Self::Absent | Self::Estimated | Self::Known(_) => Ok(()),
        }
    }

    /// The variance in units of the outputs' variance, from halved eigenvalues of their correlation matrix in
    /// falling order; zero when none is assumed.
    pub(in crate::learn) fn variance(
        self,
        values: &[f64],
        latent: &LatentRank,
    ) -> Result<f64, Error> {
        let op = "Quadratic::learn";
        self.check()?;
        let variance = match self {
            Self::Absent => return Ok(0.0),
            Self::Known(s) => s * s,
            Self::Estimated => {
                let found = left_over(values, latent);
                let text = "noise is estimated from spare outputs, and there are none: give its size, or more outputs";
                found.ok_or_else(|| Error::invalid(op, text))?
            }
        };
        if variance < 2.0 * values[latent.keep - 1] {
            return Ok(variance);
        }
        let hypothesis =
            "noise below the weakest direction of the outputs (noise variance over it)";
        Err(Error::degenerate(
            op,
            hypothesis,
            variance / (2.0 * values[latent.keep - 1]),
        ))
    }
}

/// Twice the mean of the eigenvalues that are left out; `None` when there are none.
pub(in crate::learn) fn left_over(values: &[f64], latent: &LatentRank) -> Option<f64> {
    let left = values.get(latent.keep..).filter(|l| !l.is_empty())?;
    Some(2.0 * left.iter().map(|v| v.max(0.0)).sum::<f64>() / left.len() as f64)
}

/// The noise that the samples show, as a note: from spare outputs, else from the distance to the variety of `r`
/// dimensions in `n`.
pub(in crate::learn) fn note(
    left_over: Option<f64>,
    residual: Option<f64>,
    r: usize,
    n: usize,
) -> Option<Check> {
    let (share, how) = match (left_over, residual) {
        // Their rounding is about 1e-16; single precision leaves 1e-7.
        (Some(v), _) => {
            let name = "observation noise by the eigenvalues left out, as a share of the standard deviation";
            return Some(Check::accuracy(
                "quadratic.noise-share",
                name,
                v.sqrt(),
                ABSENT,
            ));
        }
        // Of n coordinates r are fitted by the latents of each sample.
        (None, Some(e)) if n > r => (
            e * (n as f64 / (n - r) as f64).sqrt(),
            "distance to the variety",
        ),
        _ => return None,
    };
    let name = format!("observation noise by the {how}, as a share of the standard deviation");
    Some(Check::reported("quadratic.noise-share", name, share))
}
