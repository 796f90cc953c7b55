//! The regularisation with the least generalisation error.

use super::task::BatchPoint;
use crate::Error;
use crate::fit::Fit;

/// Where to search.
///
/// # Example
/// ```
/// use wickring::theory::batch::{LambdaSearch, Labels, Task, best_lambda, ridge};
/// let task = Task::from_spectrum(vec![1.0; 4], vec![0.5; 4], 0.5, 1.0)?;
/// let at = |lambda| ridge(&task, Labels::Values(0.1), 2.0, lambda);
/// let best = best_lambda(LambdaSearch::default(), at)?.model;
/// assert!(best.error < at(10.0)?.model.error && best.error < at(1e-4)?.model.error);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LambdaSearch {
    /// Least regularisation.
    pub low: f64,
    /// Greatest regularisation.
    pub high: f64,
    /// Points of the first scan; domain `3..=1000`.
    pub scan: usize,
}

impl Default for LambdaSearch {
    /// `1e-8..=1e4`, 25 points.
    fn default() -> Self {
        Self {
            low: 1e-8,
            high: 1e4,
            scan: 25,
        }
    }
}

/// The point of least error over `lambda`: a logarithmic scan, then golden section around its least point.
///
/// The error of convex problems has one valley in practice; a second one narrower than the scan would be
/// missed. When the least error lies at an end of the range, the end is returned.
///
/// # Errors
/// `InvalidInput` for an empty range or a scan outside `3..=1000`; those of `solve`.
///
/// # Complexity
/// `scan + 45` solutions.
pub fn best_lambda(
    search: LambdaSearch,
    mut solve: impl FnMut(f64) -> Result<Fit<BatchPoint>, Error>,
) -> Result<Fit<BatchPoint>, Error> {
    let op = "theory::best_lambda";
    let LambdaSearch { low, high, scan } = search;
    let range = low > 0.0 && low < high && high.is_finite();
    if !range || !(3..=1000).contains(&scan) {
        let requirement = format!("0 < low < high and a scan of 3 to 1000 points, got {search:?}");
        return Err(Error::invalid(op, requirement));
    }
    let (from, to) = (low.ln(), high.ln());
    let at = |i: usize| from + (to - from) * i as f64 / (scan - 1) as f64;
    let mut best = solve(low)?;
    let mut place = 0;
    for i in 1..scan {
        let point = solve(at(i).exp())?;
        if point.model.error < best.model.error {
            (best, place) = (point, i);
        }
    }
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut left, mut right) = (at(place.saturating_sub(1)), at((place + 1).min(scan - 1)));
    for _ in 0..22 {
        let (a, b) = (
            right - golden * (right - left),
            left + golden * (right - left),
        );
        let (fa, fb) = (solve(a.exp())?, solve(b.exp())?);
        if fa.model.error <= fb.model.error {
            right = b;
        } else {
            left = a;
        }
        for point in [fa, fb] {
            if point.model.error < best.model.error {
                best = point;
            }
        }
    }
    Ok(best)
}
