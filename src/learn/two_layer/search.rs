//! The three paths to a network, and which one is taken.

use super::OP;
use super::activation::PolynomialActivation;
use super::from_tensor::lift;
use super::learner::{Coefficients, Method};
use super::network::TwoLayerNetwork;
use super::regression::{HermiteFit, MOST_FEATURES};
use super::risk::{Point, Risk};
use super::sample::{Sample, low_degrees};
use crate::Error;
use crate::decomp::Overcomplete;
use crate::run::{Observer, Progress};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Relative squared error on the training samples below which a fit is exact and the search ends.
const EXACT: f64 = 1e-20;
/// Most features that are projected off the targets.
const MOST_LOW: usize = 2500;
/// Most features of the regression unless it is asked for.
const MOST_REGRESSION: usize = 4000;

/// What is asked for.
pub(super) struct Task<'a> {
    pub sigma: &'a PolynomialActivation,
    pub neurons: usize,
    pub method: Method,
    pub coefficients: Coefficients,
    pub starts: usize,
    pub iterations: usize,
}

/// What was found, in the coordinates of the sample.
pub(super) struct Found {
    pub point: Point,
    pub free: bool,
    pub method: Method,
    pub choice: String,
    /// Relative squared error on the samples set aside.
    pub held_out: f64,
    pub improper: Option<f64>,
    /// Relative squared errors of the descent.
    pub history: Vec<f64>,
    pub evaluations: usize,
    pub starts: usize,
    pub stopped: bool,
}

/// Runs the paths in their order until one is exact, and keeps the best on the samples set aside.
pub(super) fn search(
    task: &Task<'_>,
    train: &Sample,
    aside: &Sample,
    rng: &mut impl Rng,
    observe: Observer<'_>,
) -> Result<Found, Error> {
    let (paths, choice) = plan(task, train)?;
    let mut best: Option<Found> = None;
    let mut improper = None;
    for (k, &method) in paths.iter().enumerate() {
        let mut found = match method {
            Method::Risk => by_risk(task, train, aside, rng, observe)?,
            _ => by_tensor(task, method, train, aside, rng, observe)?,
        };
        improper = improper.or(found.improper);
        let better = best.as_ref().is_none_or(|b| found.held_out < b.held_out);
        let stop = found.stopped || found.history.last().is_some_and(|e| *e <= EXACT);
        if better {
            found.choice = match k {
                0 => choice.clone(),
                _ => format!("{choice}; that was not exact, {} was better", method.name()),
            };
            best = Some(found);
        }
        if stop {
            break;
        }
    }
    let mut best = best.ok_or(Error::Stopped { op: OP })?;
    best.improper = improper;
    Ok(best)
}

/// The paths in their order, and why.
fn plan(task: &Task<'_>, train: &Sample) -> Result<(Vec<Method>, String), Error> {
    let (n, d, m) = (train.len(), train.dim(), task.sigma.degree());
    let mut degrees = low_degrees(task.sigma);
    degrees.push(m);
    let p = HermiteFit::features(d, &degrees);
    let tensor = matches!(task.method, Method::Regression | Method::Moments);
    if tensor && m < 3 {
        let text = "the tensor paths need an activation of degree at least 3: a matrix has no unique \
                    decomposition (use the risk)";
        return Err(Error::invalid(OP, text));
    }
    if task.method == Method::Regression && (n < p || p > MOST_FEATURES) {
        let text = format!(
            "regression needs at least as many training samples as monomials and at most {MOST_FEATURES} of \
             these: {n} samples, {p} monomials"
        );
        return Err(Error::invalid(OP, text));
    }
    if task.method != Method::Auto {
        return Ok((vec![task.method], "as asked".into()));
    }
    let enough = m >= 3 && 10 * n >= 11 * p;
    Ok(if enough && p <= MOST_REGRESSION {
        let why = format!(
            "regression: {n} training samples determine all {p} polynomials, so the top tensor is exact up to \
             noise and its decomposition sees no samples"
        );
        (vec![Method::Regression, Method::Risk], why)
    } else {
        let few = if enough {
            "too many"
        } else {
            "too few samples for all"
        };
        let why = format!(
            "risk: {few} {p} polynomials ({n} training samples, {:.1} for each unknown); moments would be \
             noisier than the network",
            n as f64 / (task.neurons * d) as f64
        );
        (vec![Method::Risk], why)
    })
}

/// Descent on the risk of the top degree where the lower ones can be projected off, else of the network.
fn by_risk(
    task: &Task<'_>,
    train: &Sample,
    aside: &Sample,
    rng: &mut impl Rng,
    observe: Observer<'_>,
) -> Result<Found, Error> {
    let (n, d, r, m) = (train.len(), train.dim(), task.neurons, task.sigma.degree());
    let low = low_degrees(task.sigma);
    let p = HermiteFit::features(d, &low);
    let projected = m >= 3 && p <= MOST_LOW && (p + r * d) as f64 <= 0.85 * n as f64;
    let mut top = vec![0.0; m];
    top.push(task.sigma.leading());
    let monomial = PolynomialActivation::new(top)?;
    let inner = if projected {
        Sample::new(train.x.clone(), train.y.clone(), &low)?
    } else {
        train.clone()
    };
    let risk = Risk {
        sample: &inner,
        phi: if projected { &monomial } else { task.sigma },
    };
    let mut best: Option<Found> = None;
    let (mut evaluations, mut starts) = (0, 0);
    for k in 0..task.starts {
        let signs = start_signs(k, r, m, task.coefficients);
        let mut normal = || StandardNormal.sample(rng);
        let mut point = risk.small_start(r, &signs, &mut normal);
        let mut stopped = false;
        let mut step = 0;
        let trace = risk.descend(&mut point, task.iterations, &mut |error| {
            step += 1;
            let total = task.iterations as u64;
            let p = Progress::of("descent", step, total).with_figure(error.sqrt());
            stopped = stopped || observe(&p).is_break();
            stopped
        });
        starts += 1;
        let mut found = finish(task, point, projected, train, aside);
        evaluations += trace.evaluations + found.evaluations;
        let exact = found.history.last().is_some_and(|e| *e <= EXACT);
        found.history.splice(0..0, trace.errors);
        found.stopped = stopped;
        if best.as_ref().is_none_or(|b| found.held_out < b.held_out) {
            best = Some(found);
        }
        if exact || stopped {
            break;
        }
    }
    let mut best = best.ok_or(Error::Stopped { op: OP })?;
    (best.evaluations, best.starts) = (evaluations, starts);
    Ok(best)
}

/// Signs of the components of a start: an even power has them, and only free coefficients may be negative.
fn start_signs(k: usize, r: usize, m: usize, coefficients: Coefficients) -> Vec<f64> {
    let mixed = m.is_multiple_of(2) && coefficients == Coefficients::Free;
    let sign = |i: usize| match k % 3 {
        0 if mixed => [1.0, -1.0][i % 2],
        1 if mixed => -1.0,
        _ => 1.0,
    };
    (0..r).map(sign).collect()
}

/// The top tensor from all samples at once, and its decomposition.
fn by_tensor(
    task: &Task<'_>,
    method: Method,
    train: &Sample,
    aside: &Sample,
    rng: &mut impl Rng,
    observe: Observer<'_>,
) -> Result<Found, Error> {
    let (d, m) = (train.dim(), task.sigma.degree());
    let (x, y) = (train.x.as_ref(), &train.y);
    let mut degrees = low_degrees(task.sigma);
    degrees.push(m);
    let (fit, improper) = if method == Method::Moments {
        (HermiteFit::by_moments(x, y, &[m])?, None)
    } else {
        let fit = HermiteFit::by_least_squares(x, y, &degrees)?;
        let values = fit.evaluate(aside.x.as_ref())?;
        let gaps: Vec<f64> = aside.y.iter().zip(&values).map(|(y, v)| y - v).collect();
        (fit, Some(relative(&gaps, &aside.y)))
    };
    let tensor = fit.tensor(m)?.scaled(1.0 / task.sigma.leading());
    let engine = Overcomplete::new(task.neurons)
        .starts(task.starts.max(4))
        .max_iterations(task.iterations);
    let parts = engine.decompose_packed(&tensor, rng, observe)?;
    let r = task.neurons;
    let model = &parts.model;
    let (mut weights, mut signs) = (vec![0.0; r * d], vec![1.0; r]);
    for i in 0..r {
        let w = model.weights()[i];
        let length = w.abs().powf(1.0 / m as f64);
        signs[i] = if w < 0.0 { -1.0 } else { 1.0 };
        for (j, v) in model.vectors().column(i).iter().enumerate() {
            weights[i + r * j] = length * v;
        }
    }
    let point = Point {
        weights,
        coefficients: signs,
    };
    let mut found = finish(task, point, true, train, aside);
    found.method = method;
    found.improper = improper;
    found.starts = parts.work.starts;
    found.stopped = parts.status == crate::Status::Stopped;
    Ok(found)
}

/// Neurons from components, polished; with free coefficients where equal ones do not do.
fn finish(task: &Task<'_>, point: Point, tensor: bool, train: &Sample, aside: &Sample) -> Found {
    let risk = Risk {
        sample: train,
        phi: task.sigma,
    };
    let mut best: Option<Found> = None;
    let modes: &[bool] = match task.coefficients {
        Coefficients::Auto => &[false, true],
        Coefficients::Equal => &[false],
        Coefficients::Free => &[true],
    };
    for &free in modes {
        let mut at = if tensor {
            lift(&point, train, task.sigma, free)
        } else {
            point.clone()
        };
        let trace = risk.polish(&mut at, free, 60);
        let held_out = held_out_error(task.sigma, &at, train, aside);
        let exact = trace.errors.last().is_some_and(|e| *e <= EXACT);
        let found = Found {
            point: at,
            free,
            method: Method::Risk,
            choice: String::new(),
            held_out,
            improper: None,
            history: trace.errors,
            evaluations: trace.evaluations,
            starts: 1,
            stopped: false,
        };
        // Free coefficients must be worth their price.
        let worth = best.as_ref().is_none_or(|b| held_out < 0.9 * b.held_out);
        if worth {
            best = Some(found);
        }
        if exact {
            break;
        }
    }
    best.unwrap_or_else(|| Found {
        point,
        free: false,
        method: Method::Risk,
        choice: String::new(),
        held_out: f64::INFINITY,
        improper: None,
        history: Vec::new(),
        evaluations: 0,
        starts: 1,
        stopped: false,
    })
}

/// Mean square error on the samples set aside over the variance of their targets; infinite when it overflows.
fn held_out_error(sigma: &PolynomialActivation, at: &Point, train: &Sample, aside: &Sample) -> f64 {
    let rows: MatRef<'_, f64> = at.rows(train.dim());
    let weights: Mat<f64> = rows.to_owned();
    let network = TwoLayerNetwork::new(sigma.clone(), 0.0, at.coefficients.clone(), weights);
    let gaps = |s: &Sample| -> Option<Vec<f64>> {
        let values = network.as_ref().ok()?.evaluate(s.x.as_ref()).ok()?;
        Some(s.y.iter().zip(&values).map(|(y, v)| y - v).collect())
    };
    let (Some(here), Some(there)) = (gaps(train), gaps(aside)) else {
        return f64::INFINITY;
    };
    // The constant is that of the training samples.
    let mean = here.iter().sum::<f64>() / here.len().max(1) as f64;
    let left: Vec<f64> = there.iter().map(|g| g - mean).collect();
    relative(&left, &aside.y)
}

fn relative(gaps: &[f64], y: &[f64]) -> f64 {
    let mean = y.iter().sum::<f64>() / y.len().max(1) as f64;
    let spread: f64 = y.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = gaps.iter().map(|g| g * g).sum::<f64>() / spread.max(f64::MIN_POSITIVE);
    if error.is_nan() { f64::INFINITY } else { error }
}
