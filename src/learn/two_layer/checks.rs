//! What is known about a two-layer network that was learnt, recomputed from samples and network alone.

use super::learner::Method;
use crate::Status;
use crate::fit::{Check, Ended, Role, judge};
use serde_json::{Value, json};

/// Held-out relative error below which a network is called exact.
pub(super) const EXACT_ERROR: f64 = 1e-18;
/// Expected relative error of the function, due to label noise, up to which it counts as recovered.
const RECOVERED: f64 = 0.1;

/// The report of a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The path that found the network.
    pub method: Method,
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
    /// Estimated standard deviation of the label noise.
    pub noise: f64,
    /// Expected error of the function, relative to its variance, that this noise causes.
    pub expected_error: f64,
    /// What is left in the residual by degree `1..=m`, in deviations of independent noise.
    pub structure: Vec<f64>,
    /// Share of the variance of the network by degree `0..=m` under standard normal inputs.
    pub spectrum: Vec<f64>,
    /// Neurons over the generic rank of the top tensor: from 1 on the weights are not unique.
    pub crowding: f64,
    /// Samples used.
    pub samples: usize,
    /// Numbers fitted.
    pub parameters: usize,
    /// Starts tried.
    pub starts: usize,
    /// Why the network is not certified; `None` when it is.
    pub reason: Option<String>,
}

/// The figures that the verdict rests on.
pub(super) struct Figures {
    pub held_out: f64,
    pub held_samples: usize,
    /// Relative residual on all samples after the last fit.
    pub residual: f64,
    pub samples: usize,
    pub parameters: usize,
    pub rounding: f64,
    pub structure: Vec<f64>,
    pub declined: bool,
}

/// Evidence, status and reason.
pub(super) fn measured(f: &Figures) -> (Vec<Check>, Status, Option<String>) {
    let exact = f.held_out <= EXACT_ERROR.max(f.rounding);
    let spare = f.samples.saturating_sub(f.parameters).max(1) as f64;
    let noise = f.residual * f.samples as f64 / spare;
    let explained = (1.0 - noise).max(f64::MIN_POSITIVE);
    let expected = noise * f.parameters as f64 / f.samples as f64 / explained;
    // Where the residual is rounding, too few samples leave the network undetermined; under noise they blur it.
    let crowding = if exact {
        Role::Conditioning
    } else {
        Role::Sampling
    };
    let mut checks = vec![Check::new(
        crowding,
        CROWDED,
        "parameters per sample",
        f.parameters as f64 / f.samples as f64,
        if exact { 0.95 } else { 0.5 },
    )];
    if exact {
        let allowed = EXACT_ERROR.max(f.rounding);
        checks.push(Check::sampling(
            "two-layer.held-out-error",
            "held-out relative error",
            f.held_out,
            allowed,
        ));
    } else {
        let name = "expected relative error of the function";
        checks.push(Check::sampling(EXPECTED, name, expected, RECOVERED));
        let trained = (f.samples - f.held_samples).max(1) as f64;
        let above = f.held_out / (noise * (1.0 + f.parameters as f64 / trained));
        // Five deviations of a mean of squared residuals, whose tails are heavier than normal ones.
        let spread = 1.0 + 10.0 * (2.0 / f.held_samples.max(1) as f64).sqrt();
        checks.push(Check::sampling(
            "two-layer.held-out-above-noise",
            "held-out error above the noise",
            above,
            spread,
        ));
        for (k, s) in f.structure.iter().enumerate() {
            let name = format!(
                "structure of degree {} left in the residual (deviations)",
                k + 1
            );
            checks.push(Check::sampling("two-layer.structure", name, *s, 6.0));
        }
    }
    let declined = f64::from(u8::from(f.declined));
    let declined = Check::search("two-layer.declined", "no network was found", declined, 0.0);
    let status = judge(&[checks.as_slice(), &[declined]].concat(), Ended::Arrived);
    let reason = if f.declined {
        Some(
            "no network was found that predicts better than the mean of the targets: more samples or fewer \
             neurons are needed (from r of order d^(m/2) on no efficient method is known)"
                .to_owned(),
        )
    } else {
        checks.iter().find(|e| !e.holds()).map(|e| {
            let (name, measured, allowed) = (&e.label, e.measured, e.allowed);
            let advice = if e.key == CROWDED {
                "bring more samples or ask for fewer neurons"
            } else if e.key == EXPECTED {
                "the noise is too large for this many samples, or the fit is no optimum"
            } else {
                "the targets are no such network with independent noise, or the search ended in a local minimum: \
                 more samples, more starts or another method may help"
            };
            format!("{name} is {measured:.3e}, allowed {allowed:.3e}: {advice}")
        })
    };
    (checks, status, reason)
}

/// Too few samples for so many parameters.
const CROWDED: &str = "two-layer.parameters-per-sample";
/// The error that is expected where no sample was held out.
const EXPECTED: &str = "two-layer.expected-error";

impl Report {
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
            "structure_left": self.structure,
            "spectrum": self.spectrum,
            "crowding": self.crowding,
            "samples": self.samples,
            "parameters": self.parameters,
            "starts": self.starts,
            "tests": checks.iter().map(test).collect::<Vec<_>>(),
        })
    }
}
