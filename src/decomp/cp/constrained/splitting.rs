//! A mode that is smooth and bounded, by alternating directions.
//!
//! Second differences tie all rows of a column together, and the set, the moduli and the length act on a second copy of the
//! factor. The multiplier is not kept from sweep to sweep: at the factor of the last sweep it is the slope of the smooth part,
//! which is exact at a fixed point, whatever lengths were moved meanwhile.
//!
//! Source: Huang, Sidiropoulos, Liavas 2016, algorithm 1 and equations (12) to (14); stops on both residuals after Boyd,
//! Parikh, Chu, Peleato, Eckstein 2011, section 3.3. Departure: the multiplier as above.

use super::nearest::nearest;
use super::penalty::Pull;
use super::rule::Set;
use super::smooth::{Bends, curvature};
use crate::linalg::small;
use crate::tensor::Factor;

/// Steps within one sweep.
const STEPS: usize = 40;
/// Both residuals, relatively, at which the steps end.
const CLOSE: f64 = 1e-9;

/// Replaces `x` by the minimiser over the set of
/// `1/2 tr(x gamma x') - <target, x>` and the pulls; what is returned lies in the set.
pub(super) fn split(
    (set, bends): (&Set, &Bends),
    gamma: &Factor,
    pulls: &[Pull],
    target: &Factor,
    x: &mut Factor,
) {
    let rank = gamma.cols();
    let trace: f64 = (0..rank).map(|r| gamma.column(r)[r] + pulls[r].ridge).sum();
    let rho = trace / rank as f64;
    if !(rho > 0.0) {
        x.as_mut_slice().fill(0.0);
        return;
    }
    let q: Vec<f64> = pulls.iter().map(|p| p.smooth).collect();
    let d: Vec<f64> = pulls.iter().map(|p| p.ridge + rho).collect();
    let mut dual = slope(gamma, pulls, target, x);
    dual.as_mut_slice().iter_mut().for_each(|u| *u /= rho);
    // `dual` is what stands between the copy without a set and the one in it.
    for _ in 0..STEPS {
        let mut right = target.clone();
        let both = x.as_slice().iter().zip(dual.as_slice());
        let right_side = right.as_mut_slice().iter_mut().zip(both);
        right_side.for_each(|(m, (x, u))| *m += rho * (x - u));
        let free = bends.solve(gamma, (&q, &d), &right);
        let before = x.clone();
        for r in 0..rank {
            let column = x.column_mut(r);
            let parts = free.column(r).iter().zip(dual.column(r));
            column
                .iter_mut()
                .zip(parts)
                .for_each(|(x, (a, u))| *x = a + u);
            nearest(set, (pulls[r].sparse / rho, pulls[r].group / rho), column);
        }
        let gaps = free.as_slice().iter().zip(x.as_slice());
        let pairs = dual.as_mut_slice().iter_mut().zip(gaps);
        pairs.for_each(|(u, (a, x))| *u += a - x);
        let primal = small::squared_distance(free.as_slice(), x.as_slice());
        let moved = small::squared_distance(x.as_slice(), before.as_slice());
        let (size, force) = (
            small::norm_sq(x.as_slice()),
            small::norm_sq(dual.as_slice()),
        );
        if primal <= CLOSE * CLOSE * size && moved <= CLOSE * CLOSE * (force + size) {
            break;
        }
    }
}

/// `target - x (gamma + diag(ridge)) - D'D x diag(smooth)`: the slope of the part without a set, downhill.
fn slope(gamma: &Factor, pulls: &[Pull], target: &Factor, x: &Factor) -> Factor {
    let mut out = target.clone();
    for (r, pull) in pulls.iter().enumerate() {
        let column = out.column_mut(r);
        for s in 0..pulls.len() {
            small::axpy(column, -gamma.column(r)[s], x.column(s));
        }
        small::axpy(column, -pull.ridge, x.column(r));
        if pull.smooth > 0.0 {
            small::axpy(column, -pull.smooth, &curvature(x.column(r)));
        }
    }
    out
}
