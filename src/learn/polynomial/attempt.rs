//! One reading of the span of the outputs, fitted: algebra, then the variety.

use super::OP;
use super::eigenfunctions::{EXACT_SUMS, Peeled};
use super::lie_algebra::LieAlgebra;
use super::reduction::{Reduction, tame};
use super::variety_fit::VarietyFit;
use crate::Error;
use crate::fit::Check;
use crate::run::Observer;
use crate::tensor::MonomialBasis;
use faer::Mat;
use rand::Rng;

/// Relative residual from the variety at which samples are noiseless: data rounded to single precision still are.
pub(super) const EXACT: f64 = 1e-6;
/// Readings of the span tried.
const READINGS: usize = 3;

/// One reading of the span, fitted.
pub(super) struct Attempt {
    pub(super) reduction: Reduction,
    pub(super) monomials: MonomialBasis,
    pub(super) fit: VarietyFit,
    pub(super) metric: Vec<f64>,
    /// Relative residual before noise was considered.
    pub(super) first: f64,
    pub(super) checks: Vec<Check>,
}

impl Attempt {
    /// The first reading that fits exactly, else the one that fits best, else why the likeliest does not.
    pub(super) fn best(
        readings: Vec<Reduction>,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let (mut best, mut refused): (Option<Self>, Option<Error>) = (None, None);
        for reduction in readings.into_iter().take(READINGS) {
            match Self::of(reduction, rng, observer) {
                Ok(attempt) => {
                    let done = attempt.first <= EXACT || attempt.fit.stopped;
                    if best.as_ref().is_none_or(|b| attempt.first < b.first) {
                        best = Some(attempt);
                    }
                    if done {
                        break;
                    }
                }
                Err(e @ (Error::Degenerate { .. } | Error::InvalidInput { .. })) => {
                    refused.get_or_insert(e);
                }
                Err(e) => return Err(e),
            }
        }
        match (best, refused) {
            (Some(best), _) => Ok(best),
            (None, Some(e)) => Err(e),
            (None, None) => Err(Error::Stopped { op: OP }),
        }
    }

    pub(super) fn of(
        reduction: Reduction,
        rng: &mut impl Rng,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        reduction.enough()?;
        let needs = reduction.needs;
        let monomials = MonomialBasis::homogeneous(needs.variables(), needs.degree)?;
        let mut white = scaled(&reduction.rows, &reduction.white);
        tame(&mut white);
        let algebra = LieAlgebra::of(white.as_ref(), &needs, rng)?;
        let peeled = Peeled::of(white.as_ref(), &algebra, &needs, EXACT_SUMS, rng)?;
        let mut fit = VarietyFit::of(
            white.as_ref(),
            &monomials,
            peeled.latents.as_ref(),
            &peeled.order,
            observer,
        )?;
        let first = fit.residual;
        let mut metric = reduction.white.clone();
        if first > EXACT && !fit.stopped {
            // Noise: every output counts as measured, so least squares in their own metric.
            let ones = vec![1.0; metric.len()];
            (fit, metric) = (refit(&reduction, &monomials, fit, observer)?, ones);
        }
        let mut checks = algebra.checks;
        checks.extend(peeled.checks);
        Ok(Self {
            reduction,
            monomials,
            fit,
            metric,
            first,
            checks,
        })
    }
}

/// The columns of `rows` times their factors.
fn scaled(rows: &Mat<f64>, factors: &[f64]) -> Mat<f64> {
    Mat::from_fn(rows.nrows(), rows.ncols(), |i, k| rows[(i, k)] * factors[k])
}

/// Fits again without whitening.
fn refit(
    reduction: &Reduction,
    monomials: &MonomialBasis,
    fit: VarietyFit,
    observer: Observer<'_>,
) -> Result<VarietyFit, Error> {
    let m = monomials.len();
    let c = Mat::from_fn(m, m, |k, l| fit.coefficients[(k, l)] / reduction.white[k]);
    VarietyFit::from_coefficients(reduction.rows.as_ref(), monomials, c, observer)
}
