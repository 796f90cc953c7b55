//! Quadrature under a Gaussian with places that need finer panels.

use crate::Error;
use crate::poly::gaussian::gauss_legendre;

/// Beyond this many standard deviations the normal law has a mass of `1e-19`.
const REACH: f64 = 9.0;
/// Points of each panel: exact to rounding for what varies over a panel's width.
const POINTS: usize = 12;

/// Composite Gauss-Legendre rules for the standard normal law.
#[derive(Clone, Debug)]
pub(super) struct PanelRule {
    points: Vec<f64>,
    masses: Vec<f64>,
    /// Largest width of a panel.
    width: f64,
}

impl PanelRule {
    /// Panels of at most `width` standard deviations.
    pub(super) fn new(width: f64) -> Result<Self, Error> {
        let (points, masses) = gauss_legendre(POINTS)?;
        Ok(Self {
            points,
            masses,
            width,
        })
    }

    /// `sum weight * f(xi)` over panels that shrink geometrically towards each `(place, width)`.
    ///
    /// `f` adds its share to `sum`, so that several integrals are computed in one pass.
    pub(super) fn sum<const M: usize>(
        &self,
        places: &[(f64, f64)],
        f: &mut dyn FnMut(f64) -> [f64; M],
    ) -> [f64; M] {
        let steps = (2.0 * REACH / self.width).ceil() as i64;
        let mut edges: Vec<f64> = (0..=steps)
            .map(|i| -REACH + 2.0 * REACH * i as f64 / steps as f64)
            .collect();
        for &(at, width) in places {
            if at.abs() >= REACH {
                continue;
            }
            edges.push(at);
            if width > 0.0 {
                let mut reach = width.max(1e-9);
                while reach < 2.0 * self.width {
                    edges.extend([at - reach, at + reach]);
                    reach *= 2.0;
                }
            }
        }
        edges.retain(|e| e.abs() <= REACH);
        edges.sort_by(f64::total_cmp);
        let mut total = [0.0; M];
        for pair in edges.windows(2) {
            let half = 0.5 * (pair[1] - pair[0]);
            if half <= 1e-15 {
                continue;
            }
            for (x, mass) in self.points.iter().zip(&self.masses) {
                let xi = pair[0] + half * (1.0 + x);
                let density = (-0.5 * xi * xi).exp() / (2.0 * std::f64::consts::PI).sqrt();
                let values = f(xi);
                for (t, v) in total.iter_mut().zip(values) {
                    *t += mass * half * density * v;
                }
            }
        }
        total
    }
}
