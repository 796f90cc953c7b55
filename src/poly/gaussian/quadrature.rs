//! Quadrature: Gauss-Legendre, Gauss-Hermite, and expectations over the normal law by panels.
//!
//! Gauss-Hermite is exact for polynomials but wrong by 1e-3 for functions with a kink whatever its size;
//! panels of Gauss-Legendre that end at the kinks reach rounding error. Use [`gauss_hermite`] for
//! polynomials and [`NormalPanels`] for everything else.

use crate::Error;
use std::f64::consts::PI;

/// Largest rule on offer; the cost of a rule is quadratic in its size.
const MAX_NODES: usize = 2000;
/// Points of the Gauss-Legendre rule on each panel.
const PANEL_POINTS: usize = 24;
/// `|h_k(z)| sqrt(density)` is bounded, so the integrand of a Hermite coefficient falls like `exp(-z^2/4)`:
/// below 1e-20 beyond 14, which leaves room for polynomial growth of the function.
const CUT: f64 = 14.0;

/// Nodes and weights of the `n`-point Gauss-Legendre rule on `[-1, 1]`, ascending.
///
/// # Errors
/// `InvalidInput` when `n` is 0 or above 2000.
///
/// # Accuracy
/// Nodes and weights to a few units in the last place.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::gauss_legendre;
/// let (x, w) = gauss_legendre(3)?;
/// let integral: f64 = x.iter().zip(&w).map(|(x, w)| w * x.powi(4)).sum();
/// assert!((integral - 0.4).abs() < 1e-15);
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn gauss_legendre(n: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    check_size("gauss_legendre", n)?;
    let mut nodes = vec![0.0; n];
    let mut weights = vec![0.0; n];
    for i in 0..n.div_ceil(2) {
        // Tricomi's starting value lies in the basin of Newton's method for every n.
        let mut x = (PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..10 {
            let (p, dp) = legendre(n, x);
            let step = p / dp;
            (x, slope) = (x - step, dp);
            if step.abs() <= 1e-16 {
                break;
            }
        }
        if 2 * i + 1 == n {
            x = 0.0;
            slope = legendre(n, 0.0).1;
        }
        let w = 2.0 / ((1.0 - x * x) * slope * slope);
        (nodes[i], nodes[n - 1 - i]) = (-x, x);
        (weights[i], weights[n - 1 - i]) = (w, w);
    }
    Ok((nodes, weights))
}

/// `P_n(x)` and its derivative.
fn legendre(n: usize, x: f64) -> (f64, f64) {
    let (mut before, mut p) = (1.0, x);
    for k in 2..=n {
        let k = k as f64;
        (before, p) = (p, ((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k);
    }
    (p, n as f64 * (x * p - before) / (x * x - 1.0))
}

/// Nodes and weights of the `n`-point Gauss-Hermite rule for the standard normal law (weights sum to 1),
/// ascending.
///
/// Nodes are isolated by Sturm counts, so the rule is right for every `n`, where starting formulas and
/// eigenvalue methods lose the far nodes; weights that lie below the range of floats are 0.
///
/// # Errors
/// `InvalidInput` when `n` is 0 or above 2000.
///
/// # Complexity
/// `O(n^2)` times about 40 bisection steps.
///
/// # Accuracy
/// Nodes to a few ulp, weights to a relative error of about `n * eps`.
pub fn gauss_hermite(n: usize) -> Result<(Vec<f64>, Vec<f64>), Error> {
    check_size("gauss_hermite", n)?;
    let mut nodes = vec![0.0; n];
    let mut weights = vec![0.0; n];
    let edge = 2.0 * (n as f64).sqrt() + 1.0;
    for i in 0..n.div_ceil(2) {
        let x = if 2 * i + 1 == n {
            0.0
        } else {
            hermite_root(n, i, edge)
        };
        let w = Recurrence::at(n, x).weight();
        (nodes[i], nodes[n - 1 - i]) = (-x, x);
        (weights[i], weights[n - 1 - i]) = (w, w);
    }
    Ok((nodes, weights))
}

/// Root number `i` of `He_n`, counted from the greatest.
fn hermite_root(n: usize, i: usize, edge: f64) -> f64 {
    let (mut low, mut high) = (0.0, edge);
    // Bisect until the root is alone with room for Newton's method, then polish.
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if Recurrence::at(n, middle).roots_above > i {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut x = 0.5 * (low + high);
    for _ in 0..4 {
        let r = Recurrence::at(n, x);
        // h_n' = sqrt(n) h_{n-1}.
        let step = r.last / ((n as f64).sqrt() * r.before);
        let next = x - step;
        if next < low || next > high {
            break;
        }
        x = next;
    }
    x
}

/// The orthonormal Hermite functions at a point, scaled so that nothing overflows.
struct Recurrence {
    roots_above: usize,
    before: f64,
    last: f64,
    /// `sum_{k<n} h_k(x)^2` is `squares * exp(2 * log_scale)`.
    squares: f64,
    log_scale: f64,
}

impl Recurrence {
    fn at(n: usize, x: f64) -> Self {
        let (mut before, mut h) = (0.0, 1.0);
        let (mut squares, mut log_scale, mut changes) = (0.0, 0.0, 0);
        for k in 0..n {
            squares += h * h;
            let k = k as f64;
            let next = (x * h - k.sqrt() * before) / (k + 1.0).sqrt();
            // A change of sign between consecutive members is a root above x (Sturm).
            changes += usize::from((next < 0.0) != (h < 0.0));
            (before, h) = (h, next);
            if squares > 1e200 {
                (before, h, squares) = (before * 1e-100, h * 1e-100, squares * 1e-200);
                log_scale += 100.0 * std::f64::consts::LN_10;
            }
        }
        Self {
            roots_above: changes,
            before,
            last: h,
            squares,
            log_scale,
        }
    }

    fn weight(&self) -> f64 {
        // Multiplying by powers keeps the last digits that a large logarithm would lose.
        let steps = (self.log_scale / (100.0 * std::f64::consts::LN_10)).round() as i32;
        (0..steps).fold(1.0 / self.squares, |w, _| w * 1e-200)
    }
}

fn check_size(op: &'static str, n: usize) -> Result<(), Error> {
    if n == 0 || n > MAX_NODES {
        return Err(Error::invalid(
            op,
            format!("the number of nodes must be in 1..={MAX_NODES}, got {n}"),
        ));
    }
    Ok(())
}

/// Nodes and weights for `E f(z)`, `z ~ N(0, 1)`, on panels that end at given kinks.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::NormalPanels;
/// let rule = NormalPanels::new(&[0.0], 4)?;
/// let mean = rule.expectation(f64::abs); // sqrt(2 / pi)
/// assert!((mean * mean - 2.0 / std::f64::consts::PI).abs() < 1e-14);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct NormalPanels {
    /// Nodes, ascending.
    pub nodes: Vec<f64>,
    /// Weights; the normal density is included.
    pub weights: Vec<f64>,
}

impl NormalPanels {
    /// Every stretch between neighbouring kinks (and the ends at `+-14`) is cut into `panels` panels of
    /// 24 points, more for long stretches.
    ///
    /// # Errors
    /// `NonFinite` for a kink that is NaN or infinite; `InvalidInput` when `panels` is not in `1..=4096`
    /// or there are more than 1000 kinks.
    pub fn new(kinks: &[f64], panels: usize) -> Result<Self, Error> {
        let op = "NormalPanels::new";
        if let Some(index) = kinks.iter().position(|k| !k.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        if panels == 0 || panels > 4096 || kinks.len() > 1000 {
            return Err(Error::invalid(
                op,
                "needs 1..=4096 panels and at most 1000 kinks",
            ));
        }
        let mut ends: Vec<f64> = kinks.iter().copied().filter(|k| k.abs() < CUT).collect();
        ends.extend([-CUT, CUT]);
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        let (points, masses) = gauss_legendre(PANEL_POINTS)?;
        let (mut nodes, mut weights) = (Vec::new(), Vec::new());
        for pair in ends.windows(2) {
            let length = pair[1] - pair[0];
            let count = ((length / (2.0 * CUT) * panels as f64).ceil() as usize).max(1);
            for k in 0..count {
                let low = pair[0] + length * k as f64 / count as f64;
                let half = 0.5 * length / count as f64;
                for (x, w) in points.iter().zip(&masses) {
                    let z = low + half * (1.0 + x);
                    nodes.push(z);
                    weights.push(w * half * super::special::normal_density(z));
                }
            }
        }
        Ok(Self { nodes, weights })
    }

    /// `E f(z)`.
    pub fn expectation(&self, f: impl Fn(f64) -> f64) -> f64 {
        let pairs = self.nodes.iter().zip(&self.weights);
        pairs.map(|(&z, w)| w * f(z)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{NormalPanels, gauss_hermite};

    #[test]
    fn hermite_rules_integrate_polynomials_and_stay_ordered() -> Result<(), crate::Error> {
        for n in [1, 2, 5, 20, 63, 180, 400] {
            let (x, w) = gauss_hermite(n)?;
            assert!(x.windows(2).all(|p| p[0] < p[1]), "{n} nodes");
            let moment = |k: i32| -> f64 { x.iter().zip(&w).map(|(x, w)| w * x.powi(k)).sum() };
            let slack = 4.0 * n as f64 * f64::EPSILON;
            assert!((moment(0) - 1.0).abs() <= slack, "{n}");
            if n > 4 {
                assert!((moment(8) / 105.0 - 1.0).abs() <= 8.0 * slack, "{n}");
            }
        }
        assert!(gauss_hermite(0).is_err());
        Ok(())
    }

    #[test]
    fn panels_are_exact_at_a_kink() -> Result<(), crate::Error> {
        let rule = NormalPanels::new(&[0.3], 16)?;
        let z = rule.expectation(|z| (z - 0.3).max(0.0));
        let exact = super::super::special::normal_density(0.3)
            - 0.3 * (1.0 - super::super::special::normal_cdf(0.3));
        assert!((z - exact).abs() < 4.0 * f64::EPSILON);
        assert!(NormalPanels::new(&[f64::NAN], 16).is_err());
        Ok(())
    }
}
