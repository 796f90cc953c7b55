//! The three paths to a network, and which one is taken.

use super::OP;
use super::activation::PolynomialActivation;
use super::descents::Descents;
use super::from_tensor::lift;
use super::learner::{Coefficients, TwoLayerMethod};
use super::network::TwoLayerNetwork;
use super::regression::{HermiteFit, MOST_FEATURES};
use super::risk::{Point, Risk};
use super::sample::{Sample, low_degrees};
use super::watch::Watch;
use crate::Error;
use crate::decomp::Overcomplete;
use crate::stats::{ResidualTest, residual_test};
use faer::{Mat, MatRef};
use rand::Rng;

/// Relative squared error on the training samples below which a fit is exact and the search ends.
const EXACT: f64 = 1e-20;
/// Most features of the regression unless it is asked for.
const MOST_REGRESSION: usize = 4000;

/// What is asked for.
pub(super) struct Task<'a> {
    pub sigma: &'a PolynomialActivation,
    pub neurons: usize,
    pub method: TwoLayerMethod,
    pub coefficients: Coefficients,
    pub starts: usize,
    pub iterations: usize,
}

/// What was found, in the coordinates of the sample.
pub(super) struct Found {
    pub point: Point,
    pub free: bool,
    pub method: TwoLayerMethod,
    pub choice: String,
    /// Relative squared error on the samples set aside.
    pub held_out: f64,
    pub improper: Option<f64>,
    /// Relative squared errors of the descent.
    pub history: Vec<f64>,
    pub evaluations: usize,
    pub starts: usize,
    /// Further starts that ended at the same residual.
    pub agreed: usize,
}

impl Found {
    /// The mean of the targets, before anything is found.
    pub fn nothing(task: &Task<'_>, train: &Sample) -> Self {
        let r = task.neurons;
        Self {
            point: Point {
                weights: vec![0.0; r * train.dim()],
                coefficients: vec![1.0; r],
            },
            free: false,
            method: TwoLayerMethod::Risk,
            choice: String::new(),
            held_out: f64::INFINITY,
            improper: None,
            history: Vec::new(),
            evaluations: 0,
            starts: 0,
            agreed: 0,
        }
    }

    /// The relative squared error on the training samples.
    pub fn residual(&self) -> f64 {
        self.history.last().copied().unwrap_or(f64::INFINITY)
    }

    /// Whether nothing but rounding is left there.
    pub fn exact(&self) -> bool {
        self.residual() <= EXACT
    }
}

/// Starts on top of those asked for while something is left in the residual, for each of these.
const MORE: usize = 8;
/// Starts that end where the best one ended: from then on the residual is that of the best network.
pub(super) const AGREED: usize = 4;
/// Work that further starts may take in any case, as evaluations times samples times weights.
const WORK: f64 = 4e9;

/// Runs the paths in their order until one is exact, keeps the best on the samples set aside, and goes on with
/// more starts while that one leaves something that depends on the inputs.
pub(super) fn search(
    task: &Task<'_>,
    train: &Sample,
    aside: &Sample,
    rng: &mut impl Rng,
    watch: &mut Watch<'_>,
) -> Result<Found, Error> {
    let (paths, choice) = plan(task, train)?;
    let mut best = Found::nothing(task, train);
    let mut improper = None;
    let mut starts = 0;
    for (k, &method) in paths.iter().enumerate() {
        let mut found = match method {
            TwoLayerMethod::Risk => Descents::prepared(task, train, aside)?.first(rng, watch),
            _ => by_tensor(task, method, train, aside, rng, watch)?,
        };
        improper = improper.or(found.improper);
        starts += found.starts;
        if k == 0 || found.held_out < best.held_out {
            found.choice = match k {
                0 => choice.clone(),
                _ => format!("{choice}; that was not exact, {} was better", method.name()),
            };
            best = found;
        }
        if watch.stopped || best.exact() {
            break;
        }
    }
    best.starts = starts;
    best.improper = improper;
    if paths.contains(&TwoLayerMethod::Risk) && !best.exact() && !watch.stopped {
        more(task, (train, aside), &mut best, rng, watch)?;
    }
    Ok(best)
}

/// Further starts while the residual depends on the inputs: until one is exact or leaves nothing, several have
/// ended at the best one, or the budget is spent.
fn more(
    task: &Task<'_>,
    (train, aside): (&Sample, &Sample),
    best: &mut Found,
    rng: &mut impl Rng,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    if !left_on(task, train, best, rng)? {
        return Ok(());
    }
    let descents = Descents::prepared(task, train, aside)?;
    let unit = (train.len() * train.dim() * task.neurons) as f64;
    let most = (WORK / unit).max(best.evaluations as f64);
    let mut spent = 0;
    for k in task.starts..task.starts * (1 + MORE) {
        if spent as f64 > most || best.agreed >= AGREED || watch.stopped {
            break;
        }
        let found = descents.start(k, rng, watch);
        spent += found.evaluations;
        best.starts += 1;
        let (new, old) = (found.residual(), best.residual());
        if (new - old).abs() <= 1e-6 * old {
            best.agreed += 1;
        }
        if found.held_out < best.held_out && new < old * (1.0 - 1e-6) {
            let (choice, improper, starts) = (best.choice.clone(), best.improper, best.starts);
            *best = Found {
                choice: format!("{choice}; start {} left least", k + 1),
                improper,
                starts,
                ..found
            };
            if best.exact() || !left_on(task, train, best, rng)? {
                break;
            }
        }
    }
    best.evaluations += spent;
    Ok(())
}

/// Whether the training residual of a network may depend on the inputs: in doubt, more starts cost only time.
fn left_on(
    task: &Task<'_>,
    train: &Sample,
    found: &Found,
    rng: &mut impl Rng,
) -> Result<bool, Error> {
    let risk = Risk {
        sample: train,
        phi: task.sigma,
    };
    let residual = risk.residual(&found.point);
    if residual.iter().any(|e| !e.is_finite()) {
        return Ok(true);
    }
    let left = left_in(train, &residual, &found.point, task.sigma, rng)?;
    Ok(left.is_some_and(|l| l.doubtful()))
}

/// The test of a residual in every degree that matters; `None` with too few samples for any.
pub(super) fn left_in(
    sample: &Sample,
    residual: &[f64],
    at: &Point,
    sigma: &PolynomialActivation,
    rng: &mut impl Rng,
) -> Result<Option<ResidualTest>, Error> {
    if residual.len() < 8 {
        return Ok(None);
    }
    let top = (sigma.degree() + 3).max(8);
    let directions = at.rows(sample.dim());
    residual_test(sample.x.as_ref(), residual, directions, top, rng).map(Some)
}

/// The paths in their order, and why.
fn plan(task: &Task<'_>, train: &Sample) -> Result<(Vec<TwoLayerMethod>, String), Error> {
    let (n, d, m) = (train.len(), train.dim(), task.sigma.degree());
    let mut degrees = low_degrees(task.sigma);
    degrees.push(m);
    let p = HermiteFit::features(d, &degrees);
    let tensor = matches!(
        task.method,
        TwoLayerMethod::Regression | TwoLayerMethod::Moments
    );
    if tensor && m < 3 {
        let text = "the tensor paths need an activation of degree at least 3: a matrix has no unique \
                    decomposition (use the risk)";
        return Err(Error::invalid(OP, text));
    }
    if task.method == TwoLayerMethod::Regression && (n < p || p > MOST_FEATURES) {
        let text = format!(
            "regression needs at least as many training samples as monomials and at most {MOST_FEATURES} of \
             these: {n} samples, {p} monomials"
        );
        return Err(Error::invalid(OP, text));
    }
    if task.method != TwoLayerMethod::Auto {
        return Ok((vec![task.method], "as asked".into()));
    }
    let enough = m >= 3 && 10 * n >= 11 * p;
    Ok(if enough && p <= MOST_REGRESSION {
        let why = format!(
            "regression: {n} training samples determine all {p} polynomials, so the top tensor is exact up to \
             noise and its decomposition sees no samples"
        );
        (vec![TwoLayerMethod::Regression, TwoLayerMethod::Risk], why)
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
        (vec![TwoLayerMethod::Risk], why)
    })
}

/// The top tensor from all samples at once, and its decomposition.
fn by_tensor(
    task: &Task<'_>,
    method: TwoLayerMethod,
    train: &Sample,
    aside: &Sample,
    rng: &mut impl Rng,
    watch: &mut Watch<'_>,
) -> Result<Found, Error> {
    let (d, m) = (train.dim(), task.sigma.degree());
    let (x, y) = (train.x.as_ref(), &train.y);
    let mut degrees = low_degrees(task.sigma);
    degrees.push(m);
    let (fit, improper) = if method == TwoLayerMethod::Moments {
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
    let parts = engine.decompose_packed(&tensor, rng, watch.observer())?;
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
    watch.heard(parts.status == crate::Status::Stopped);
    let mut found = finish(task, point, true, (train, aside), watch);
    found.method = method;
    found.improper = improper;
    found.starts = parts.work.starts;
    Ok(found)
}

/// Neurons from components, polished; with free coefficients where equal ones do not do.
pub(super) fn finish(
    task: &Task<'_>,
    point: Point,
    tensor: bool,
    (train, aside): (&Sample, &Sample),
    watch: &mut Watch<'_>,
) -> Found {
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
        let trace = risk.polish(&mut at, free, 60, watch);
        let held_out = held_out_error(task.sigma, &at, train, aside);
        let exact = trace.errors.last().is_some_and(|e| *e <= EXACT);
        let found = Found {
            point: at,
            free,
            method: TwoLayerMethod::Risk,
            choice: String::new(),
            held_out,
            improper: None,
            history: trace.errors,
            evaluations: trace.evaluations,
            starts: 1,
            agreed: 0,
        };
        // Free coefficients must be worth their price.
        let worth = best.as_ref().is_none_or(|b| held_out < 0.9 * b.held_out);
        if worth {
            best = Some(found);
        }
        if exact || watch.stopped {
            break;
        }
    }
    best.unwrap_or_else(|| Found::nothing(task, train))
}

/// Mean square error on the samples set aside over the variance of their targets; infinite when it overflows.
fn held_out_error(sigma: &PolynomialActivation, at: &Point, train: &Sample, aside: &Sample) -> f64 {
    held_out_gaps(sigma, at, train, aside).map_or(f64::INFINITY, |gaps| relative(&gaps, &aside.y))
}

/// Errors on the samples set aside; `None` when they overflow.
pub(super) fn held_out_gaps(
    sigma: &PolynomialActivation,
    at: &Point,
    train: &Sample,
    aside: &Sample,
) -> Option<Vec<f64>> {
    let rows: MatRef<'_, f64> = at.rows(train.dim());
    let weights: Mat<f64> = rows.to_owned();
    let network = TwoLayerNetwork::new(sigma.clone(), 0.0, at.coefficients.clone(), weights);
    let gaps = |s: &Sample| -> Option<Vec<f64>> {
        let values = network.as_ref().ok()?.evaluate(s.x.as_ref()).ok()?;
        Some(s.y.iter().zip(&values).map(|(y, v)| y - v).collect())
    };
    let (here, there) = (gaps(train)?, gaps(aside)?);
    // The constant is that of the training samples.
    let mean = here.iter().sum::<f64>() / here.len().max(1) as f64;
    Some(there.iter().map(|g| g - mean).collect())
}

fn relative(gaps: &[f64], y: &[f64]) -> f64 {
    let mean = y.iter().sum::<f64>() / y.len().max(1) as f64;
    let spread: f64 = y.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = gaps.iter().map(|g| g * g).sum::<f64>() / spread.max(f64::MIN_POSITIVE);
    if error.is_nan() { f64::INFINITY } else { error }
}
