//! Levenberg-Marquardt for the CP model, on data scaled to norm one.

use super::als::Watch;
use super::normal_equations::{Normal, Workspace, hadamard_grams};
use crate::Error;
use crate::linalg::{Scalar, small};
use crate::tensor::{Factor, TensorView, mttkrp_all, residual_into, residual_norm};

/// Why an inner iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The residual is rounding.
    Exact,
    /// Further steps change the residual by less than the tolerance, or the goal is reached.
    Stationary,
    /// The budget ran out, or the run was ended from outside.
    Budget,
    /// No damping gives a decrease.
    Stuck,
}

/// What an inner iteration needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct LmOptions {
    /// Iterations.
    pub(super) iterations: usize,
    /// Relative decrease of the squared residual below which two iterations in a row end the run.
    pub(super) decrease: f64,
    /// Residual at which the fit counts as exact.
    pub(super) exact: f64,
    /// First damping, relative to the scale of the normal matrix.
    pub(super) damping: f64,
    /// A residual that another start has reached: at this one the run has shown that it agrees.
    pub(super) goal: f64,
}

impl Default for LmOptions {
    fn default() -> Self {
        Self {
            iterations: 200,
            decrease: 1e-9,
            exact: 2e-15,
            damping: 1e-3,
            goal: 0.0,
        }
    }
}

/// The result of an inner iteration.
#[derive(Clone, Debug)]
pub(super) struct LmRun<T> {
    pub(super) factors: Vec<Factor<T>>,
    /// Residual norm before the first and after each iteration.
    pub(super) history: Vec<f64>,
    pub(super) stop: Stop,
}

/// Minimises `||t - [[A_0, .., A_{m-1}]]||` from `start`; the damping follows Nielsen 1999.
///
/// Where we differ from the textbook: the residual tensor is formed at every trial (one matrix product),
/// because the usual recurrence from inner products loses everything below `1e-8`; and the damping never
/// exceeds a multiple of the squared residual once steps succeed, which restores quadratic convergence on
/// exact data (Fan and Yuan 2005).
pub(super) fn refine<T: Scalar>(
    t: TensorView<'_, T>,
    start: Vec<Factor<T>>,
    options: &LmOptions,
    watch: Watch<'_>,
) -> Result<LmRun<T>, Error> {
    let mut factors = start;
    let mut residual = Vec::new();
    residual_into(t, &factors, &mut residual)?;
    let mut f = small::norm_sq(&residual);
    let mut history = vec![f.sqrt()];
    let (mut mu, mut growth) = (f64::NAN, 2.0);
    let mut quiet = 0;
    let mut stop = Stop::Budget;
    let mut trial_residual = Vec::new();
    let mut space = Workspace::new();
    for _ in 0..options.iterations {
        if f.sqrt() <= options.exact {
            stop = Stop::Exact;
            break;
        }
        if watch(f.sqrt()).is_break() {
            break;
        }
        let gradient = descent(t.dims(), &residual, &factors)?;
        let at = std::mem::take(&mut factors);
        let normal = Normal::within(&at, &mut space);
        let scale = normal.scale();
        if mu.is_nan() {
            mu = options.damping * scale;
        }
        let mut accepted = None;
        for _ in 0..10 {
            let Some(p) = normal.solve(&gradient, mu, &mut space) else {
                mu = (mu * 8.0).max(1e-15 * scale);
                continue;
            };
            let trial = moved(&at, &p);
            residual_into(t, &trial, &mut trial_residual)?;
            let next = small::norm_sq(&trial_residual);
            // ||e||^2 - ||e + J p||^2 = <p, g> + mu ||p||^2
            let predicted = small::dot(&p, &gradient).re() + mu * small::norm_sq(&p);
            let rho = (f - next) / predicted;
            if next < f && rho > 0.0 {
                let shrink = (1.0 - (2.0 * rho - 1.0).powi(3)).max(0.2);
                mu = (mu * shrink).max(1e-16 * scale);
                growth = 2.0;
                quiet = if f - next <= options.decrease * f {
                    quiet + 1
                } else {
                    0
                };
                std::mem::swap(&mut residual, &mut trial_residual);
                f = next;
                if rho > 0.5 {
                    mu = mu.min(scale * f.sqrt());
                }
                accepted = Some(trial);
                break;
            }
            mu *= growth;
            growth *= 2.0;
        }
        history.push(f.sqrt());
        normal.recycle(&mut space);
        let moved_on = accepted.is_some();
        factors = accepted.unwrap_or(at);
        if !moved_on {
            stop = if f.sqrt() <= 1e3 * options.exact {
                Stop::Exact
            } else {
                Stop::Stuck
            };
            break;
        }
        if quiet >= 2 || f.sqrt() <= options.goal {
            stop = Stop::Stationary;
            break;
        }
    }
    Ok(LmRun {
        factors,
        history,
        stop,
    })
}

/// `J^H e` for the residual `e = t - model`: the direction of steepest descent.
pub(super) fn descent<T: Scalar>(
    dims: &[usize],
    residual: &[T],
    factors: &[Factor<T>],
) -> Result<Vec<T>, Error> {
    let view = TensorView::new(dims, residual)?;
    let parts = if T::COMPLEX {
        let conj: Vec<_> = factors.iter().map(Factor::conj).collect();
        mttkrp_all(view, &conj)?
    } else {
        mttkrp_all(view, factors)?
    };
    let total = parts.iter().map(|p| p.as_slice().len()).sum();
    let mut g = Vec::with_capacity(total);
    parts.iter().for_each(|p| g.extend_from_slice(p.as_slice()));
    Ok(g)
}

/// Entries up to which a residual is formed beside the data.
const FORMED: usize = 1 << 20;

/// The norm of the residual and the direction of steepest descent.
///
/// Small residuals are formed. The direction at a large tensor is the difference of its products and those of the model, right
/// to the rounding of the data instead of that of the residual.
pub(super) fn downhill<T: Scalar>(
    t: TensorView<'_, T>,
    factors: &[Factor<T>],
) -> Result<(f64, Vec<T>), Error> {
    if t.as_slice().len() <= FORMED {
        let mut gap = Vec::new();
        residual_into(t, factors, &mut gap)?;
        let size = small::norm_sq(&gap).sqrt();
        return Ok((size, descent(t.dims(), &gap, factors)?));
    }
    let mut g = descent(t.dims(), t.as_slice(), factors)?;
    let grams: Vec<Factor<T>> = factors.iter().map(Factor::gram).collect();
    let mut rest = g.as_mut_slice();
    for (m, f) in factors.iter().enumerate() {
        let (part, tail) = rest.split_at_mut(f.as_slice().len());
        rest = tail;
        let gamma = hadamard_grams(&grams, f.cols(), &[m]);
        for (r, column) in part.chunks_exact_mut(f.rows().max(1)).enumerate() {
            for s in 0..f.cols() {
                small::axpy(column, -gamma.column(s)[r], f.column(s));
            }
        }
    }
    Ok((residual_norm(t, factors)?, g))
}

/// `factors + p`.
fn moved<T: Scalar>(factors: &[Factor<T>], p: &[T]) -> Vec<Factor<T>> {
    let mut out = factors.to_vec();
    let mut rest = p;
    for f in &mut out {
        let (head, tail) = rest.split_at(f.as_slice().len());
        f.as_mut_slice()
            .iter_mut()
            .zip(head)
            .for_each(|(x, &d)| *x += d);
        rest = tail;
    }
    out
}
