//! Square loss: the fixed point is one scalar root and two linear equations, never iterated.

use super::task::{BatchPoint, Hats, Task};
use crate::fit::{Check, Evidence, Fit, Work};
use crate::{Error, Status};

const OP: &str = "theory::ridge";

/// What the labels are.
///
/// See [`ridge`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Labels {
    /// The teacher's field plus Gaussian noise of this variance.
    Values(f64),
    /// The sign of the teacher's field.
    Signs,
}

impl Labels {
    /// All of the labels that enters the equations: `E y^2` and the slope of `E[y | field]`.
    fn moments(self, task: &Task) -> Result<(f64, f64), Error> {
        match self {
            Self::Values(noise) if (0.0..=1e12).contains(&noise) => Ok((task.rho + noise, 1.0)),
            Self::Values(noise) => {
                let requirement = format!("noise must not be negative, got {noise}");
                Err(Error::invalid(OP, requirement))
            }
            Self::Signs => Ok((1.0, (2.0 / (std::f64::consts::PI * task.rho)).sqrt())),
        }
    }
}

/// Solves the equations of ridge regression on values or on signs.
///
/// With `Vh = alpha / (1 + V)` the susceptibility is the root of
/// `f(V) = mean_i w_i / (lambda + Vh w_i) - V`; `f(V)/V` decreases, and the root lies between `f(0)` and
/// `mean(w) / lambda`. Bisection of its logarithm ends in 64 halvings whatever `lambda`, also at
/// `alpha = 1`, where fixed-point iterations stall. Then `m` is explicit and `q` solves a linear equation.
///
/// # Errors
/// `InvalidInput`: `alpha` outside `1e-6..=1e6`, `lambda` outside `1e-12..=1e12`, negative noise.
///
/// # Complexity
/// `O(70 p)`.
/// Here `p` is the number of features.
///
/// # Accuracy
/// The certificate holds the relative residuals of the equations for `V` and `q`, at most `1e-12`.
///
/// # Example
/// ```
/// use wickring::theory::batch::{Labels, Task, ridge};
/// // Isotropic features that the teacher sees too: at alpha = 2 and small lambda V = 1/(alpha - 1).
/// let task = Task::from_spectrum(vec![1.0; 4], vec![0.5; 4], 0.5, 1.0)?;
/// let point = ridge(&task, Labels::Values(0.1), 2.0, 1e-10)?.converged()?;
/// assert!((point.v - 1.0).abs() < 1e-8);
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// The equations of Loureiro et al. 2021, section on ridge regression; the reduction is derived here.
pub fn ridge(
    task: &Task,
    labels: Labels,
    alpha: f64,
    lambda: f64,
) -> Result<Fit<BatchPoint>, Error> {
    Task::check_point(OP, alpha, lambda)?;
    let (square, slope) = labels.moments(task)?;
    let v = susceptibility(task, alpha, lambda);
    let hat_v = alpha / (1.0 + v);
    let hat_m = slope * alpha / task.gamma.sqrt() / (1.0 + v);
    let scale = alpha / (1.0 + v) / (1.0 + v);
    let hats = |q: f64| Hats {
        v: hat_v,
        q,
        m: hat_m,
    };
    let (_, _, m) = task.overlaps(hats(0.0), lambda);
    let resolvent = |w: f64| 1.0 / (lambda + hat_v * w);
    let response = scale * task.mean(|w, _| (w * resolvent(w)).powi(2));
    let bias = hat_m * hat_m * task.mean(|w, d| d * w * resolvent(w).powi(2));
    let q = (response * (square - 2.0 * slope * m) + bias) / (1.0 - response);
    let hat_q = scale * (square + q - 2.0 * slope * m);
    let error = match labels {
        Labels::Values(_) => task.rho + q - 2.0 * m,
        Labels::Signs => sign_error(q, m, task.rho),
    };
    let train = hat_q / alpha;
    let again = task.overlaps(hats(hat_q), lambda);
    let residual = relative(v, again.0).max(relative(q, again.1));
    let evidence = evidence(residual, response);
    let status = match evidence.holds() {
        true => Status::Converged,
        false => Status::IllConditioned,
    };
    Ok(Fit {
        model: BatchPoint {
            alpha,
            lambda,
            v,
            q,
            m,
            error,
            train,
        }
        .finite(OP)?,
        status,
        history: vec![residual],
        work: Work::default(),
        evidence,
    })
}

fn relative(a: f64, b: f64) -> f64 {
    if a == b {
        0.0
    } else {
        (a - b).abs() / a.abs().max(b.abs())
    }
}

fn evidence(residual: f64, response: f64) -> Evidence {
    Evidence {
        rel_residual: residual,
        condition: 1.0 / (1.0 - response),
        checks: vec![Check::accuracy(
            "batch.residual",
            "residual of the equations for V and q",
            residual,
            1e-12,
        )],
    }
}

/// The misclassified share of a student whose field has variance `q` and covariance `m` with the teacher's.
pub(super) fn sign_error(q: f64, m: f64, rho: f64) -> f64 {
    if q > 0.0 {
        (m / (q * rho).sqrt()).clamp(-1.0, 1.0).acos() / std::f64::consts::PI
    } else {
        0.5
    }
}

/// The root of `mean_i w_i / (lambda + alpha w_i / (1 + V)) = V`.
fn susceptibility(task: &Task, alpha: f64, lambda: f64) -> f64 {
    let image = |v: f64| task.mean(|w, _| w / (lambda + alpha * w / (1.0 + v)));
    let (mut low, mut high) = (image(0.0), task.mean(|w, _| w) / lambda);
    if high <= low {
        // Every eigenvalue is zero, or lambda is so large that both ends agree.
        return image(low);
    }
    for _ in 0..64 {
        let middle = low.sqrt() * high.sqrt();
        if image(middle) > middle {
            low = middle;
        } else {
            high = middle;
        }
    }
    // One step of the map shrinks what bisection in floats leaves.
    image(low.sqrt() * high.sqrt())
}
