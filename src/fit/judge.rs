//! The one rule that turns checks, and the way the work ended, into a status.

use super::check::{Check, Role};
use crate::error::Status;

/// How the work of an algorithm came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// It arrived where it meant to: a stationary point, an exact solution, the last step of a finite method.
    Arrived,
    /// Its budget of sweeps, steps or starts was spent.
    Budget,
    /// It could not go on: no step helped any more.
    Stuck,
    /// It was asked to stop.
    Stopped,
}

/// The only place in the crate where a [`Status`] is decided.
///
/// A run that was stopped says so. Otherwise everything that holds is `Converged`, and the first check that
/// fails decides: what is determined badly, or not alone, is `IllConditioned`; a spent budget is an
/// `IterationLimit`; all else `Stalled`. A method whose rule differs expresses it by *which* checks it hands
/// in, in which order and under which roles, not by another rule.
///
/// # Example
/// ```
/// use wickring::{Status, fit::{Check, Ended, judge}};
/// let fits = Check::accuracy("cp.residual", "relative residual", 1e-12, 1e-9);
/// let crowded = Check::conditioning("cp.cancellation", "cancellation", 500.0, 100.0);
/// assert_eq!(judge(&[fits.clone()], Ended::Budget), Status::Converged);
/// assert_eq!(judge(&[fits, crowded], Ended::Arrived), Status::IllConditioned);
/// ```
pub fn judge(checks: &[Check], ended: Ended) -> Status {
    if ended == Ended::Stopped {
        return Status::Stopped;
    }
    match checks.iter().find(|c| !c.holds()) {
        None => Status::Converged,
        Some(c) if matches!(c.role, Role::Conditioning | Role::Uniqueness) => {
            Status::IllConditioned
        }
        Some(_) if ended == Ended::Budget => Status::IterationLimit,
        Some(_) => Status::Stalled,
    }
}
