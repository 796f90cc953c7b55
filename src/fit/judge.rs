//! The one rule that turns checks, and the way the work ended, into a status.

use super::check::{Check, Role};
use crate::error::Status;

/// How the work of an algorithm came to its end.
///
/// See [`judge`] for an example.
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
        Some(c) if c.role == Role::Power => Status::Undecided,
        Some(_) if ended == Ended::Budget => Status::IterationLimit,
        Some(_) => Status::Stalled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule written out a second time, over every combination of failures and endings.
    #[test]
    fn the_first_failure_decides() {
        let roles = [
            Role::Accuracy,
            Role::Conditioning,
            Role::Uniqueness,
            Role::Search,
            Role::Sampling,
            Role::Power,
        ];
        let endings = [Ended::Arrived, Ended::Budget, Ended::Stuck, Ended::Stopped];
        for (failing, ended) in (0..1u32 << roles.len()).flat_map(|f| endings.map(|e| (f, e))) {
            let fails = |k: usize| failing >> k & 1 == 1;
            let check = |(k, role): (usize, &Role)| {
                let measured = if fails(k) { f64::NAN } else { 0.0 };
                Check::new(*role, "test.check", "a check", measured, 1.0)
            };
            let checks: Vec<Check> = roles.iter().enumerate().map(check).collect();
            let first = (0..roles.len()).find(|&k| fails(k));
            let expected = match (ended, first) {
                (Ended::Stopped, _) => Status::Stopped,
                (_, None) => Status::Converged,
                (_, Some(1 | 2)) => Status::IllConditioned,
                (_, Some(5)) => Status::Undecided,
                (Ended::Budget, _) => Status::IterationLimit,
                _ => Status::Stalled,
            };
            assert_eq!(judge(&checks, ended), expected, "{failing:b} {ended:?}");
        }
    }
}
