//! What is known about a two-layer network that was learnt, recomputed from samples and network alone.

use super::learner::TwoLayerMethod;
use super::network::TwoLayerNetwork;
use super::sample::count;
use super::search::{AGREED, Found};
use crate::Status;
use crate::fit::{Check, Ended, Role, judge};
use crate::stats::ResidualTest;
use serde_json::{Value, json};

/// Held-out relative error below which a network is called exact.
pub(super) const EXACT_ERROR: f64 = 1e-18;
/// Expected relative error of the function, due to label noise, up to which it counts as recovered.
const RECOVERED: f64 = 0.1;

/// The report of a fit.
///
/// See [`TwoLayerLearner::learn`](crate::learn::two_layer::TwoLayerLearner::learn) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct TwoLayerReport {
    /// The path that found the network.
    pub method: TwoLayerMethod,
    /// Why that path was taken.
    pub choice: String,
    /// Mean square error over the variance on samples that took no part in the fit; the network itself is
    /// refitted on all samples after that.
    pub held_out_error: f64,
    /// Number of held-out samples.
    pub held_out_samples: usize,
    /// The same for the best polynomial of the degree, where it was fitted: the improper learner.
    pub improper_error: Option<f64>,
    /// Error of the predictor `E y`, by definition 1: what a fit beyond reach is worth.
    pub trivial_error: f64,
    /// Whether the answer is that trivial predictor.
    pub declined: bool,
    /// Whether the held-out error is at the level of rounding.
    pub exact: bool,
    /// Estimated standard deviation of the label noise; `None` where the residual is not noise.
    pub noise: Option<f64>,
    /// Expected error of the function, relative to its variance, that this noise causes.
    pub expected_error: Option<f64>,
    /// What is left in the residual that depends on the inputs; `None` where it is rounding.
    pub left: Option<ResidualTest>,
    /// Share of the variance of the network by degree `0..=m` under standard normal inputs.
    pub spectrum: Vec<f64>,
    /// Neurons over the generic rank of the top tensor: from 1 on the weights are not unique.
    pub crowding: f64,
    /// Directions in which the weights move, to first order, without changing the function; `None` where that
    /// was not looked at.
    pub free_directions: Option<usize>,
    /// Samples used.
    pub samples: usize,
    /// Numbers fitted.
    pub parameters: usize,
    /// Starts tried.
    pub starts: usize,
    /// Why the network is not certified, and what to do; `None` when it is.
    pub reason: Option<String>,
}

/// What the verdict rests on.
pub(super) struct Subject<'a> {
    pub found: &'a Found,
    pub declined: bool,
    pub exact: bool,
    /// Number of held-out samples.
    pub held: usize,
    /// Relative residual on all samples after the last fit.
    pub residual: f64,
    /// Standard deviation of the targets.
    pub deviation: f64,
    pub samples: usize,
    pub parameters: usize,
    pub rounding: f64,
    /// Variance of the noise by the held-out samples, over that of the targets.
    pub unseen: f64,
    pub left: Option<ResidualTest>,
    pub free: Option<usize>,
    pub network: &'a TwoLayerNetwork,
}

/// Too few samples for so many parameters.
const CROWDED: &str = "two-layer.parameters-per-sample";
/// The error that is expected where no sample was held out.
const EXPECTED: &str = "two-layer.expected-error";
/// What depends on the inputs in the residual.
const STRUCTURE: &str = "two-layer.structure";
/// What could hide in the residual.
const MISSED: &str = "two-layer.missed-structure";

/// Too few starts ended at this network.
const DOUBT: &str = "two-layer.agreement";

/// Noise of a residual that passes for noise, and the error that it causes.
struct Noise {
    /// Variance over that of the targets.
    variance: f64,
    /// Expected relative error of the function.
    expected: f64,
    /// Variance of the function over that of the targets.
    explained: f64,
}

impl Noise {
    fn of(s: &Subject<'_>) -> Self {
        let n = s.samples as f64;
        let spare = s.samples.saturating_sub(s.parameters).max(1) as f64;
        let variance = s.residual * n / spare;
        let explained = (1.0 - variance).max(f64::MIN_POSITIVE);
        let expected = variance * s.parameters as f64 / n / explained;
        Self {
            variance,
            expected,
            explained,
        }
    }
}

/// Evidence, status and report.
pub(super) fn measured(s: &Subject<'_>) -> (Vec<Check>, Status, TwoLayerReport) {
    let noise = Noise::of(s);
    let structure = s.left.as_ref().is_some_and(ResidualTest::structure);
    let mut checks = vec![crowding(s)];
    if s.exact {
        checks.push(Check::sampling(
            "two-layer.held-out-error",
            "held-out relative error",
            s.found.held_out,
            EXACT_ERROR.max(s.rounding),
        ));
    } else if let Some(left) = &s.left {
        checks.extend(of_residual(left));
        if !structure {
            checks.extend(of_noise(s, &noise, left));
            checks.extend(left.doubtful().then(|| agreement(s.found)));
        }
    } else if !s.declined {
        let name = "structure that was not tested, relative to the function";
        checks.push(Check::power(MISSED, name, 1.0, RECOVERED));
    }
    checks.extend(uniqueness(s));
    let declined = f64::from(u8::from(s.declined));
    checks.push(Check::search(
        "two-layer.declined",
        "no network was found",
        declined,
        0.0,
    ));
    let status = judge(&checks, Ended::Arrived);
    let known = !(structure || s.declined);
    let report = TwoLayerReport {
        method: s.found.method,
        choice: s.found.choice.clone(),
        held_out_error: s.found.held_out,
        held_out_samples: s.held,
        improper_error: s.found.improper,
        trivial_error: 1.0,
        declined: s.declined,
        exact: s.exact,
        noise: known.then(|| noise.variance.sqrt() * s.deviation),
        expected_error: known.then_some(noise.expected),
        left: s.left.clone(),
        spectrum: s.network.spectrum(),
        crowding: crowded(s.network),
        free_directions: s.free,
        samples: s.samples,
        parameters: s.parameters,
        starts: s.found.starts,
        reason: reason(s, &checks),
    };
    (checks, status, report)
}

/// Where the residual is rounding, too few samples leave the network undetermined; under noise they blur it.
fn crowding(s: &Subject<'_>) -> Check {
    let role = if s.exact {
        Role::Conditioning
    } else {
        Role::Sampling
    };
    let share = s.parameters as f64 / s.samples as f64;
    let allowed = if s.exact { 0.95 } else { 0.5 };
    Check::new(role, CROWDED, "parameters per sample", share, allowed)
}

fn of_residual(left: &ResidualTest) -> [Check; 2] {
    let (z, degree) = left.greatest();
    let name = format!(
        "structure of degree {degree} left in the residual (deviations of {} permuted rows)",
        left.rows
    );
    let unequal = "rank correlation of the residual's size with the inputs (deviations)";
    [
        Check::sampling(STRUCTURE, name, z, left.bound),
        Check::reported("two-layer.unequal-noise", unequal, left.unequal),
    ]
}

/// Where the residual is in doubt, other starts tell whether the network is the best one.
fn agreement(found: &Found) -> Check {
    let name =
        "starts missing to those that end at the same network, where the residual is in doubt";
    let missing = AGREED.saturating_sub(found.agreed) as f64;
    Check::power(DOUBT, name, missing, 0.0)
}

fn of_noise(s: &Subject<'_>, noise: &Noise, left: &ResidualTest) -> [Check; 3] {
    let above = s.unseen / noise.variance.max(f64::MIN_POSITIVE);
    // Five deviations of a mean of squared residuals, whose tails are heavier than normal ones.
    let spread = 1.0 + 10.0 * (2.0 / s.held.max(1) as f64).sqrt();
    let m = s.network.activation().degree();
    let missed = left.visible.iter().take(m).copied().fold(0.0, f64::max);
    [
        Check::sampling(
            EXPECTED,
            "expected relative error of the function",
            noise.expected,
            RECOVERED,
        ),
        Check::sampling(
            "two-layer.held-out-above-noise",
            "held-out error above the noise",
            above,
            spread,
        ),
        Check::power(
            MISSED,
            "structure that the test would miss, relative to the function",
            missed * noise.variance / noise.explained,
            RECOVERED,
        ),
    ]
}

/// Whether the function tells its weights. That it does not is no fault of the function, which is what is learnt.
fn uniqueness(s: &Subject<'_>) -> Option<Check> {
    let free = s.free?;
    let name = if free > 0 {
        "weights not unique: directions in which they move without changing the function"
    } else {
        "directions in which the weights move without changing the function"
    };
    let key = "two-layer.uniqueness";
    Some(Check::uniqueness(key, name, free as f64, f64::INFINITY))
}

fn crowded(network: &TwoLayerNetwork) -> f64 {
    let (d, m) = (network.input_dim(), network.activation().degree());
    (network.neurons() * d) as f64 / count(d, m) as f64
}

/// What is wrong and what to do about it.
fn reason(s: &Subject<'_>, checks: &[Check]) -> Option<String> {
    if s.declined {
        let text = "no network was found that predicts better than the mean of the targets, which is what was \
                    written: bring more samples or ask for fewer neurons (from r of order d^(m/2) on no efficient \
                    method is known)";
        return Some(text.to_owned());
    }
    let failed = checks.iter().find(|e| !e.holds())?;
    let rows = s.samples as f64;
    let times = |factor: f64| format!("{:.1e} samples", rows * factor.max(1.0));
    let advice = match failed.key {
        CROWDED => {
            let wanted = times(failed.measured / failed.allowed);
            format!("bring {wanted} or more, or ask for fewer neurons")
        }
        EXPECTED => {
            let wanted = times(failed.measured / failed.allowed);
            format!("the noise is too large for so few samples: about {wanted} would do")
        }
        MISSED => {
            let wanted = times(failed.measured / failed.allowed);
            format!(
                "with so much noise these samples cannot show whether the network is right: about {wanted} would"
            )
        }
        DOUBT => format!(
            "the residual neither passes for noise nor shows that it is none, and {} starts did not agree: try \
             more starts or bring more samples",
            s.found.starts
        ),
        STRUCTURE if s.found.agreed >= AGREED => format!(
            "the residual depends on the inputs, and {} starts ended at this same network: the targets are \
             probably no sum of {} such neurons; try more neurons, free coefficients or another activation",
            s.found.agreed + 1,
            s.network.neurons()
        ),
        STRUCTURE => format!(
            "the residual depends on the inputs, so this is not noise: {} starts did not find a better network; \
             try more starts, more neurons, free coefficients or another activation",
            s.found.starts
        ),
        _ => "the error is greater on samples that were not fitted: bring more samples or ask for fewer neurons"
            .to_owned(),
    };
    let (name, measured, allowed) = (&failed.label, failed.measured, failed.allowed);
    Some(format!(
        "{name} is {measured:.3e}, allowed {allowed:.3e}: {advice}"
    ))
}

impl TwoLayerReport {
    /// The report as it stands in model files; `evidence` is listed with its bounds.
    pub fn to_json(&self, checks: &[Check]) -> Value {
        let test = |e: &Check| {
            let allowed = e.allowed.is_finite().then_some(e.allowed);
            json!({ "key": e.key, "name": e.label, "role": e.role.word(), "measured": e.measured, "allowed": allowed, "holds": e.holds() })
        };
        json!({
            "certified": self.reason.is_none(),
            "reason": self.reason,
            "method": self.method.name(),
            "choice": self.choice,
            "exact": self.exact,
            "declined": self.declined,
            "held_out": { "relative_error": self.held_out_error, "samples": self.held_out_samples },
            "improper_relative_error": self.improper_error,
            "trivial_relative_error": self.trivial_error,
            "noise": { "standard_deviation": self.noise, "expected_relative_error": self.expected_error },
            "structure_left": self.left.as_ref().map_or(&[][..], |l| &l.degrees),
            "residual_test": self.left.as_ref().map(|l| json!({
                "degrees": l.degrees,
                "along_weights": l.along,
                "allowed": l.bound,
                "rows": l.rows,
                "share_seen": l.visible,
                "unequal_noise": l.unequal,
            })),
            "spectrum": self.spectrum,
            "crowding": self.crowding,
            "weights": {
                "unique": self.free_directions.map(|f| f == 0),
                "free_directions": self.free_directions,
            },
            "samples": self.samples,
            "parameters": self.parameters,
            "starts": self.starts,
            "tests": checks.iter().map(test).collect::<Vec<_>>(),
        })
    }
}
