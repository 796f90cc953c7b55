//! Convex losses of the margin `u = y z` and their proximal steps.

use crate::Error;

/// The proximal step `u = argmin (u - a)^2 / (2 V) + l(u)` and what the equations need of it.
///
/// See [`Hinge`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prox {
    /// The minimiser.
    pub u: f64,
    /// `(u - a) / V = -l'(u)`, computed without cancellation.
    pub pull: f64,
    /// The derivative of `pull` in `a`; not positive.
    pub slope: f64,
}

/// A place on the axis of `a` where the proximal step bends, and the width over which it does.
///
/// See [`Hinge`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// Where.
    pub at: f64,
    /// Over what width; 0 for a kink.
    pub width: f64,
}

/// A convex, nonincreasing-or-not loss of the margin. Implement it for any other convex loss.
///
/// Law: `u - a = V pull`, `pull` in `-dl(u)`, and `slope` is the derivative of `pull` in `a`, for every finite
/// `a` and `V` in `1e-8..=1e12` (`laws::theory::prox_is_minimal`).
///
/// See [`Hinge`] for an example.
pub trait MarginLoss: Sync {
    /// A short name.
    fn name(&self) -> &'static str;
    /// `l(u)`.
    fn loss(&self, u: f64) -> f64;
    /// The proximal step at `a` with step length `v > 0`.
    fn prox(&self, a: f64, v: f64) -> Prox;
    /// Where the step bends as a function of `a`; the quadrature is refined there.
    fn features(&self, v: f64) -> Vec<Feature>;
    /// `(-l'(u), l''(u))` where the loss is smooth; `None` where Newton's method may not be used.
    fn derivatives(&self, u: f64) -> Option<(f64, f64)>;
}

/// `l(u) = log(1 + exp(-u))`.
///
/// See [`MarginLearner::predict`](super::MarginLearner::predict) for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logistic;

/// `1 / (1 + exp(u))`, without overflow.
pub(super) fn sigmoid_of_minus(u: f64) -> f64 {
    if u >= 0.0 {
        let e = (-u).exp();
        e / (1.0 + e)
    } else {
        1.0 / (1.0 + u.exp())
    }
}

impl MarginLoss for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn loss(&self, u: f64) -> f64 {
        (-u).max(0.0) + (-u.abs()).exp().ln_1p()
    }

    /// Newton's method on `phi(u) = u - a - V s(-u)`, which is concave for `u > 0` and convex for `u < 0`:
    /// from the point of `[a, a + V]` nearest to 0 every step stays on its side and is monotone, so no
    /// bracket is needed. (A bracketed variant cycles for large `V`.)
    fn prox(&self, a: f64, v: f64) -> Prox {
        let mut u = 0f64.max(a).min(a + v);
        for _ in 0..200 {
            let s = sigmoid_of_minus(u);
            let step = (u - a - v * s) / (1.0 + v * s * (1.0 - s));
            u -= step;
            if step.abs() <= 1e-15 * (1.0 + u.abs()) {
                break;
            }
        }
        let s = sigmoid_of_minus(u);
        let bend = s * (1.0 - s);
        Prox {
            u,
            pull: s,
            slope: -bend / (1.0 + v * bend),
        }
    }

    fn features(&self, v: f64) -> Vec<Feature> {
        // The step is near the identity above ln V and near a shift by V below -V - ln V: the corners lie
        // where V s(-u) and V s(u) pass one. Between them u grows like a logarithm from both ends.
        let (width, corner) = (1.0, v.ln_1p());
        let places = [0.0, corner, -v, -v - corner, -0.5 * v];
        places.map(|at| Feature { at, width }).to_vec()
    }

    fn derivatives(&self, u: f64) -> Option<(f64, f64)> {
        let s = sigmoid_of_minus(u);
        Some((s, s * (1.0 - s)))
    }
}

/// `l(u) = max(0, 1 - u)`.
///
/// # Example
/// ```
/// use wickring::theory::batch::{Hinge, MarginLoss};
/// // The least u^2 + max(0, 1 - u).
/// let step = Hinge.prox(0.0, 0.5);
/// assert_eq!((step.u, step.pull), (0.5, 1.0));
/// assert!(Hinge.features(0.5).iter().all(|kink| kink.width == 0.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hinge;

impl MarginLoss for Hinge {
    fn name(&self) -> &'static str {
        "hinge"
    }

    fn loss(&self, u: f64) -> f64 {
        (1.0 - u).max(0.0)
    }

    fn prox(&self, a: f64, v: f64) -> Prox {
        if a >= 1.0 {
            Prox {
                u: a,
                pull: 0.0,
                slope: 0.0,
            }
        } else if a <= 1.0 - v {
            Prox {
                u: a + v,
                pull: 1.0,
                slope: 0.0,
            }
        } else {
            Prox {
                u: 1.0,
                pull: (1.0 - a) / v,
                slope: -1.0 / v,
            }
        }
    }

    fn features(&self, v: f64) -> Vec<Feature> {
        let width = 0.0;
        [1.0, 1.0 - v].map(|at| Feature { at, width }).to_vec()
    }

    fn derivatives(&self, _: f64) -> Option<(f64, f64)> {
        None
    }
}

/// `l(u) = (1 - u)^2 / 2` for `u < 1`, else 0.
///
/// # Example
/// ```
/// use wickring::theory::batch::{MarginLoss, SquaredHinge};
/// assert_eq!(SquaredHinge.prox(0.0, 1.0).u, 0.5); // between 0 and the margin
/// assert_eq!(SquaredHinge.prox(3.0, 1.0).u, 3.0); // beyond it
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquaredHinge;

impl MarginLoss for SquaredHinge {
    fn name(&self) -> &'static str {
        "squared-hinge"
    }

    fn loss(&self, u: f64) -> f64 {
        0.5 * (1.0 - u).max(0.0).powi(2)
    }

    fn prox(&self, a: f64, v: f64) -> Prox {
        if a < 1.0 {
            return SquareLoss.prox(a, v);
        }
        Prox {
            u: a,
            pull: 0.0,
            slope: 0.0,
        }
    }

    fn features(&self, _: f64) -> Vec<Feature> {
        vec![Feature {
            at: 1.0,
            width: 0.0,
        }]
    }

    fn derivatives(&self, u: f64) -> Option<(f64, f64)> {
        Some(if u < 1.0 { (1.0 - u, 1.0) } else { (0.0, 0.0) })
    }
}

/// `l(u) = (1 - u)^2 / 2`: least squares on labels. [`super::ridge`] solves it without iteration.
///
/// # Example
/// ```
/// use wickring::theory::batch::{MarginLoss, SquareLoss};
/// assert_eq!(SquareLoss.prox(3.0, 1.0).u, 2.0); // halfway back to the margin
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquareLoss;

impl MarginLoss for SquareLoss {
    fn name(&self) -> &'static str {
        "square"
    }

    fn loss(&self, u: f64) -> f64 {
        0.5 * (1.0 - u) * (1.0 - u)
    }

    fn prox(&self, a: f64, v: f64) -> Prox {
        let pull = (1.0 - a) / (1.0 + v);
        Prox {
            // Two forms of one number, each without cancellation where it is used.
            u: if v < 1.0 { a + v * pull } else { 1.0 - pull },
            pull,
            slope: -1.0 / (1.0 + v),
        }
    }

    fn features(&self, _: f64) -> Vec<Feature> {
        Vec::new()
    }

    fn derivatives(&self, u: f64) -> Option<(f64, f64)> {
        Some((1.0 - u, 1.0))
    }
}

/// The loss of that name: `logistic`, `hinge`, `squared-hinge` or `square`.
///
/// # Errors
/// `InvalidInput` for any other name.
pub fn named_loss(name: &str) -> Result<&'static dyn MarginLoss, Error> {
    let known: [&'static dyn MarginLoss; 4] = [&Logistic, &Hinge, &SquaredHinge, &SquareLoss];
    let found = known.into_iter().find(|l| l.name() == name);
    found.ok_or_else(|| {
        let what = format!("logistic, hinge, squared-hinge or square, not {name}");
        Error::invalid("theory::named_loss", what)
    })
}
