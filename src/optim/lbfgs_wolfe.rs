//! L-BFGS with a strong Wolfe line search, for objectives that start near a saddle.
//!
//! Near the origin a sum of powers has no positive curvature along the way out, so a search that only backtracks
//! crawls; this one lengthens its steps until the slope has fallen, as the strong Wolfe conditions ask.

use crate::linalg::small::{axpy, dot, norm_sq};
use std::collections::VecDeque;

/// Pairs of steps and gradient differences that are remembered.
const MEMORY: usize = 20;
/// Sufficient decrease and sufficient flattening (Nocedal and Wright, the usual values).
const DECREASE: f64 = 1e-4;
const FLATTEN: f64 = 0.9;
/// Evaluations of one line search.
const SEARCH: usize = 20;

/// Where a descent ended.
#[derive(Clone, Debug)]
pub(crate) struct Descent {
    /// The value before the first step and after each.
    pub values: Vec<f64>,
    /// Evaluations of the function.
    pub evaluations: usize,
    /// Whether the budget of steps ended it.
    pub spent: bool,
}

/// A function: returns the value at a point and writes the gradient.
pub(crate) type Objective<'a> = &'a mut dyn FnMut(&[f64], &mut [f64]) -> f64;

/// Minimises `f` from `x` in at most `steps` steps; `done` sees the values so far and may end it.
///
/// Source: Liu and Nocedal 1989; line search after Nocedal and Wright, Numerical Optimization, algorithms 3.5
/// and 3.6.
pub(crate) fn descend(
    x: &mut [f64],
    steps: usize,
    f: Objective<'_>,
    done: &mut dyn FnMut(&[f64]) -> bool,
) -> Descent {
    let mut g = vec![0.0; x.len()];
    let mut out = Descent {
        values: vec![f(x, &mut g)],
        evaluations: 1,
        spent: false,
    };
    let mut pairs = Pairs::default();
    for _ in 0..steps {
        if done(&out.values) || !(norm_sq(&g) > 0.0) {
            return out;
        }
        let mut d = pairs.direction(&g);
        if !(dot(&d, &g) < 0.0) {
            pairs = Pairs::default();
            d = g.iter().map(|v| -v).collect();
        }
        let value = out.values[out.values.len() - 1];
        let mut line = Line {
            f,
            x,
            d: &d,
            value,
            slope: dot(&d, &g),
            evaluations: 0,
        };
        // Without curvature to go by the first step moves by a tenth of the point's own length.
        let first = if pairs.list.is_empty() {
            (0.1 * norm_sq(line.x).sqrt() / norm_sq(&d).sqrt()).max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        let found = line.search(first);
        out.evaluations += line.evaluations;
        let Some(step) = found else {
            if pairs.list.is_empty() {
                return out;
            }
            pairs = Pairs::default();
            continue;
        };
        let s: Vec<f64> = d.iter().map(|v| step.at * v).collect();
        let y: Vec<f64> = step.gradient.iter().zip(&g).map(|(a, b)| a - b).collect();
        axpy(x, 1.0, &s);
        pairs.push(s, y);
        g = step.gradient;
        out.values.push(step.value);
    }
    out.spent = !done(&out.values);
    out
}

/// The remembered steps, gradient differences and `1 / <s, y>`.
#[derive(Default)]
struct Pairs {
    list: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
}

impl Pairs {
    fn push(&mut self, s: Vec<f64>, y: Vec<f64>) {
        let sy = dot(&s, &y);
        if sy > 1e-12 * norm_sq(&s).sqrt() * norm_sq(&y).sqrt() {
            if self.list.len() == MEMORY {
                self.list.pop_front();
            }
            self.list.push_back((s, y, 1.0 / sy));
        }
    }

    /// Minus the inverse Hessian approximation times the gradient.
    fn direction(&self, g: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = g.iter().map(|v| -v).collect();
        let mut alphas = Vec::with_capacity(self.list.len());
        for (s, y, rho) in self.list.iter().rev() {
            let a = rho * dot(s, &q);
            axpy(&mut q, -a, y);
            alphas.push(a);
        }
        if let Some((_, y, rho)) = self.list.back() {
            let scale = 1.0 / (rho * norm_sq(y));
            q.iter_mut().for_each(|v| *v *= scale);
        }
        for ((s, y, rho), a) in self.list.iter().zip(alphas.iter().rev()) {
            let b = rho * dot(y, &q);
            axpy(&mut q, a - b, s);
        }
        q
    }
}

/// A point of the line search.
#[derive(Clone)]
struct Point {
    at: f64,
    value: f64,
    slope: f64,
    gradient: Vec<f64>,
}

struct Line<'a, 'f> {
    f: &'a mut (dyn FnMut(&[f64], &mut [f64]) -> f64 + 'f),
    x: &'a [f64],
    d: &'a [f64],
    value: f64,
    slope: f64,
    evaluations: usize,
}

impl Line<'_, '_> {
    fn point(&mut self, at: f64) -> Point {
        let mut trial = self.x.to_vec();
        axpy(&mut trial, at, self.d);
        let mut gradient = vec![0.0; trial.len()];
        let value = (self.f)(&trial, &mut gradient);
        self.evaluations += 1;
        let slope = dot(&gradient, self.d);
        Point {
            at,
            value,
            slope,
            gradient,
        }
    }

    fn lower(&self, p: &Point) -> bool {
        p.value <= self.value + DECREASE * p.at * self.slope
    }

    fn flat(&self, p: &Point) -> bool {
        p.slope.abs() <= -FLATTEN * self.slope
    }

    /// A step that satisfies the strong Wolfe conditions; failing that the best one that decreases enough.
    fn search(&mut self, first: f64) -> Option<Point> {
        let mut before = Point {
            at: 0.0,
            value: self.value,
            slope: self.slope,
            gradient: Vec::new(),
        };
        let mut at = first;
        while self.evaluations < SEARCH {
            let p = self.point(at);
            if !self.lower(&p) || (before.at > 0.0 && p.value >= before.value) {
                return self.zoom(before, p);
            }
            if self.flat(&p) {
                return Some(p);
            }
            if p.slope >= 0.0 {
                return self.zoom(p, before);
            }
            at *= 3.0;
            before = p;
        }
        (before.at > 0.0).then_some(before)
    }

    /// Shrinks the interval between `low` (the better end) and `high`.
    fn zoom(&mut self, mut low: Point, mut high: Point) -> Option<Point> {
        while self.evaluations < SEARCH {
            let width = high.at - low.at;
            let inside = cubic_minimum(&low, &high)
                .map(|t| (t - low.at) / width)
                .filter(|s| s.is_finite())
                .map_or(0.5, |s| s.clamp(0.1, 0.9));
            let p = self.point(low.at + inside * width);
            if !self.lower(&p) || p.value >= low.value {
                high = p;
                continue;
            }
            if self.flat(&p) {
                return Some(p);
            }
            if p.slope * width >= 0.0 {
                high = low;
            }
            low = p;
        }
        (low.at > 0.0).then_some(low)
    }
}

/// The minimiser of the cubic through values and slopes at both ends.
fn cubic_minimum(a: &Point, b: &Point) -> Option<f64> {
    if !(a.value.is_finite() && b.value.is_finite() && b.slope.is_finite()) {
        return None;
    }
    let h = b.at - a.at;
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.at - b.at);
    let root = d1 * d1 - a.slope * b.slope;
    if !(root >= 0.0) {
        return None;
    }
    let d2 = root.sqrt().copysign(h);
    Some(b.at - h * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_and_a_saddle() {
        // Rosenbrock: minimum 0 at (1, 1).
        let mut x = [-1.2, 1.0];
        let mut f = |x: &[f64], g: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        };
        let run = descend(&mut x, 200, &mut f, &mut |v| v[v.len() - 1] < 1e-24);
        assert!(
            !run.spent && (x[0] - 1.0).abs() < 1e-8 && (x[1] - 1.0).abs() < 1e-8,
            "{x:?}"
        );
        // x^4 - x^3 from next to its flat inflection: minimum at 3/4.
        let mut x = [1e-4];
        let mut f = |x: &[f64], g: &mut [f64]| {
            g[0] = 4.0 * x[0].powi(3) - 3.0 * x[0] * x[0];
            x[0].powi(4) - x[0].powi(3)
        };
        let run = descend(&mut x, 60, &mut f, &mut |_| false);
        assert!(
            (x[0] - 0.75).abs() < 1e-6,
            "{x:?} after {}",
            run.evaluations
        );
    }
}
