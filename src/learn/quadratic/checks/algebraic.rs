//! A second opinion on whether samples lie on the variety of a quadratic map: the algebraic learner.
//!
//! The polish descends from the map of the moments and may stall; the Lie algebra of the variety does not search. When it
//! finds no such variety either, there is none, and what is left is noise or misfit.

use crate::Error;
use crate::io::samples::Samples;
use crate::learn::polynomial::learner::Polynomial;
use crate::learn::polynomial::requirements::Form;
use crate::run::Observer;
use crate::tensor::{PolynomialMap, QuadraticMap, SymmetricRing};
use rand::Rng;

/// Monomials up to which the second opinion is cheap beside the polish.
const MAX_MONOMIALS: usize = 28;

/// What the algebra says.
pub(in crate::learn) enum SecondOpinion {
    /// The samples lie on the variety of this map.
    Exact(QuadraticMap),
    /// They lie on none.
    None,
    /// Not asked: too large, or too few samples.
    Unasked,
}

impl SecondOpinion {
    pub(in crate::learn) fn of(
        samples: &Samples,
        (rank, general, holdout): (usize, bool, f64),
        tolerance: f64,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let variables = rank + usize::from(general);
        if variables * (variables + 1) / 2 > MAX_MONOMIALS {
            return Ok(Self::Unasked);
        }
        let form = if general {
            Form::General
        } else {
            Form::Homogeneous
        };
        let learner = Polynomial::new(2).latent(rank).form(form).holdout(holdout);
        // A few samples settle it when the answer is no.
        match learner.residual(samples, rng, observer) {
            Ok(residual) if residual <= tolerance => {}
            Ok(_) | Err(Error::Degenerate { .. }) => return Ok(Self::None),
            Err(Error::InvalidInput { .. }) => return Ok(Self::Unasked),
            Err(e) => return Err(e),
        }
        match learner.learn(samples, rng, observer) {
            Ok(fit) if fit.evidence.rel_residual <= tolerance => {
                Ok(Self::Exact(as_quadratic(&fit.model.map)?))
            }
            Ok(_) | Err(Error::Degenerate { .. }) => Ok(Self::None),
            Err(Error::InvalidInput { .. }) => Ok(Self::Unasked),
            Err(e) => Err(e),
        }
    }
}

/// A map of degree two in its own form.
fn as_quadratic(map: &PolynomialMap) -> Result<QuadraticMap, Error> {
    let (d, r) = (map.output_dim(), map.latent_dim());
    let (mut cores, mut linear, mut constant) =
        (vec![0.0; d * r * r], vec![0.0; d * r], vec![0.0; d]);
    for (k, e) in map.basis().exponents().iter().enumerate() {
        let hit: Vec<usize> = (0..r)
            .flat_map(|i| std::iter::repeat_n(i, e[i] as usize))
            .collect();
        for a in 0..d {
            let c = map.coefficients()[(a, k)];
            match hit[..] {
                [] => constant[a] += c,
                [i] => linear[a * r + i] += c,
                [i, j] if i == j => cores[(a * r + i) * r + i] += c,
                [i, j, ..] => {
                    cores[(a * r + i) * r + j] += 0.5 * c;
                    cores[(a * r + j) * r + i] += 0.5 * c;
                }
            }
        }
    }
    QuadraticMap::new(SymmetricRing::new(r, cores)?, linear, constant)
}
