//! Sweeps that are extrapolated, and taken back where that went too far.
//!
//! ```text
//! far <- x
//! repeat
//!     next <- sweep(far)
//!     where its value is above that of x: next <- sweep(x), far <- next, beta halved
//!     elsewhere: far <- next + beta (next - x), beta grows
//!     x <- next
//! until five sweeps in a row gain a billionth
//! ```
//!
//! Source: Ang, Cohen, Gillis, Hien 2021.

use crate::Error;
use std::sync::atomic::{AtomicBool, Ordering};

/// Share of the value that a sweep must gain, and sweeps in a row that may gain less.
const GAIN: f64 = 1e-9;
const QUIET: usize = 5;
/// Value, for data of norm one, that nothing is better than.
const EXACT: f64 = 1e-14;

/// Where extrapolated sweeps ended.
pub(in crate::decomp) struct Swept<X> {
    pub(in crate::decomp) x: X,
    /// Values before the first sweep and after each.
    pub(in crate::decomp) history: Vec<f64>,
    /// Whether the sweeps ran out.
    pub(in crate::decomp) spent: bool,
}

impl<X> Swept<X> {
    /// The value at the end.
    pub(in crate::decomp) fn value(&self) -> f64 {
        self.history.last().copied().unwrap_or(f64::INFINITY)
    }
}

/// Sweeps from `x`, of that `value`, `most` times at most; ends early, where it is, when `halt` is set. `sweep` returns the
/// value after it, `ahead(new, old, beta)` is `new + beta (new - old)` made admissible, with `beta` up to `furthest`.
pub(in crate::decomp) fn extrapolated<X: Clone>(
    (mut x, value): (X, f64),
    (most, furthest): (usize, f64),
    mut sweep: impl FnMut(&mut X) -> Result<f64, Error>,
    ahead: impl Fn(&X, &X, f64) -> X,
    halt: &AtomicBool,
) -> Result<Swept<X>, Error> {
    let mut far = x.clone();
    let mut history = vec![value];
    let (mut before, mut beta, mut quiet, mut spent) = (value, 0.5f64, 0, true);
    for _ in 0..most {
        let mut next = far;
        let mut f = sweep(&mut next)?;
        if f <= before {
            beta = (beta * 1.05).min(furthest);
            far = ahead(&next, &x, beta);
        } else {
            next.clone_from(&x);
            f = sweep(&mut next)?;
            beta *= 0.5;
            far = next.clone();
        }
        if !f.is_finite() {
            break;
        }
        x = next;
        history.push(f);
        quiet = if before - f <= GAIN * before {
            quiet + 1
        } else {
            0
        };
        before = f;
        if quiet >= QUIET || f <= EXACT {
            spent = false;
            break;
        }
        if halt.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(Swept { x, history, spent })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gradient steps on `(x - 3)^2 / 2` of a tenth of the way; `ahead` that leaps far makes values rise.
    fn run(leap: f64, most: usize, halted: bool) -> Swept<f64> {
        let value = |x: f64| 0.5 * (x - 3.0) * (x - 3.0);
        let sweep = |x: &mut f64| {
            *x += 0.1 * (3.0 - *x);
            Ok(value(*x))
        };
        let ahead = |new: &f64, old: &f64, beta: f64| new + leap * beta * (new - old);
        let halt = AtomicBool::new(halted);
        extrapolated((0.0, value(0.0)), (most, 0.98), sweep, ahead, &halt).unwrap()
    }

    #[test]
    fn values_never_rise_however_far_the_extrapolation_leaps() {
        for leap in [0.0, 1.0, 30.0, -5.0] {
            let end = run(leap, 2000, false);
            assert!(end.history.windows(2).all(|w| w[1] <= w[0]), "leap {leap}");
            assert!(
                (end.x - 3.0).abs() < 1e-6 && !end.spent,
                "leap {leap}: {}",
                end.x
            );
        }
        assert!(run(1.0, 2000, false).history.len() < run(0.0, 2000, false).history.len());
    }

    #[test]
    fn budgets_and_wishes_to_stop_are_kept() {
        let end = run(1.0, 3, false);
        assert!(end.spent && end.history.len() == 4);
        assert_eq!(run(1.0, 2000, true).history.len(), 2);
    }
}
