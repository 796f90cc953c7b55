//! From the core back to the full space, and on to a stationary point.

use super::als::{STILL, SweepOptions, Watch, accelerated};
use super::checks::{MOST_GRADIENT, relative_gradient};
use super::compress::Compressed;
use super::gauss_newton::{LmOptions, Stop, downhill, refine};
use super::normal_equations::DENSE_LIMIT;
use super::search::EXACT;
use super::starts::start::Candidate;
use crate::Error;
use crate::linalg::Scalar;
use crate::poly::Ring;
use crate::tensor::{CpTensor, Factor, TensorView, residual_into, residual_norm};

/// Sweeps in the full space before cycles of Levenberg-Marquardt.
const FULL_SWEEPS: usize = 12;
/// Entries from which a sweep takes tens of milliseconds, and the relative gain of one at which they end there: what is left
/// to gain moves the factors by a thousandth of what noise does, and the gradient is measured afterwards.
const LARGE: usize = 1 << 20;
const SETTLED_LARGE: f64 = 1e-10;

/// Return to the full space: a few alternating sweeps, which suffice for well-conditioned models; then cycles
/// that project on the span of the factors and of the gradient and refine there, until a cycle no longer helps. At a stationary point the gradient vanishes and the span is that of the factors.
pub(super) fn full_space<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    best: &mut Candidate<T>,
    iterations: usize,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let large = t.as_slice().len() > LARGE;
    let sweeps = SweepOptions {
        still: if large { SETTLED_LARGE } else { STILL },
        ..SweepOptions::until_still(FULL_SWEEPS, EXACT)
    };
    best.factors = CpTensor::from_factors(std::mem::take(&mut best.factors))?.balanced();
    let swept = accelerated(t, &mut best.factors, &sweeps, watch)?;
    best.history.extend(&swept);
    let mut f = residual_norm(t, &best.factors)?;
    let still = swept
        .windows(2)
        .last()
        .is_none_or(|w| w[0] - w[1] <= sweeps.still.max(1e-11) * w[0]);
    if f <= EXACT || (still && swept.len() <= FULL_SWEEPS) {
        best.residual = f;
        return Ok(());
    }
    for _ in 0..20 {
        let model = CpTensor::from_factors(best.factors.clone())?;
        let factors = model.balanced();
        let (_, gradient) = downhill(t, &factors)?;
        let mut rest = gradient.as_slice();
        let mut spans = Vec::with_capacity(factors.len());
        for a in &factors {
            let (head, tail) = rest.split_at(a.as_slice().len());
            rest = tail;
            let data = [a.as_slice(), head].concat();
            spans.push(Factor::new(a.rows(), 2 * a.cols(), data)?);
        }
        let inner = Compressed::onto(t, &spans)?;
        let options = LmOptions {
            iterations,
            damping: 1e-6,
            ..LmOptions::default()
        };
        let run = refine(inner.core.view(), inner.restrict(&factors), &options, watch)?;
        let moved = inner.expand(&run.factors);
        let next = residual_norm(t, &moved)?;
        if !(next < f) {
            break;
        }
        let gain = (f - next) / f;
        best.factors = moved;
        f = next;
        best.history.push(f);
        best.budget_spent = run.stop == Stop::Budget;
        if gain < 1e-12 || inner.is_trivial() {
            break;
        }
    }
    best.residual = f;
    Ok(())
}

/// Goes on where the gradient is not yet small, as in pure noise, whose minima are shallow: steps that gain next to nothing
/// are taken too.
pub(super) fn settle<T: Scalar + Ring>(
    t: TensorView<'_, T>,
    best: &mut Candidate<T>,
    iterations: usize,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let unknowns: usize = best.factors.iter().map(|f| f.as_slice().len()).sum();
    if (unknowns > DENSE_LIMIT) || best.residual <= EXACT {
        return Ok(());
    }
    let mut gap = Vec::new();
    residual_into(t, &best.factors, &mut gap)?;
    if relative_gradient(t, &gap, &best.factors)? <= MOST_GRADIENT {
        return Ok(());
    }
    drop(gap);
    let options = LmOptions {
        iterations,
        decrease: 1e-14,
        damping: 1e-6,
        ..LmOptions::default()
    };
    let start = CpTensor::from_factors(best.factors.clone())?.balanced();
    let run = refine(t, start, &options, watch)?;
    let next = run.history.last().copied().unwrap_or(f64::NAN);
    if next < best.residual {
        best.factors = run.factors;
        best.residual = next;
        best.budget_spent = run.stop == Stop::Budget;
        best.history.extend(run.history.into_iter().skip(1));
    }
    Ok(())
}
