//! What is known about a network that was learnt, recomputed from the samples and the network alone.

use super::fit::absolute_values::{Forward, Kinks};
use super::fit::merge::wedge;
use super::inputs::InputCheck;
use super::sample::{Sample, mean_square};
use super::structure;
use crate::fit::{Check, Ended, Role, judge};
use crate::{Error, Status};

/// Held-out relative error below which a network is called exact.
pub(super) const EXACT_ERROR: f64 = 1e-18;
/// Expected relative error of the function, due to label noise, up to which it counts as recovered.
const RECOVERED: f64 = 0.1;

/// Error on samples that took no part in the fit of the network that was measured.
///
/// See [`ReluLearner::learn`](crate::learn::relu::ReluLearner::learn) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldOut {
    /// Mean square of the residual over the variance of the targets.
    pub relative_error: f64,
    /// Lower end of its 95% interval (normal approximation, at least 0).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Number of held-out samples.
    pub samples: usize,
}

/// Two neurons with too few samples between their kinks.
///
/// See [`ReluLearner::learn`](crate::learn::relu::ReluLearner::learn) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosePair {
    /// Index of one neuron.
    pub first: usize,
    /// Index of the other.
    pub second: usize,
    /// Angle between their lines, in whitened coordinates, in radians.
    pub angle: f64,
    /// Samples between the two kinks.
    pub samples_between: usize,
    /// Sample size at which about `3 r` samples would lie between them.
    pub samples_needed: f64,
}

/// The report of a fit.
///
/// See [`ReluLearner::learn`](crate::learn::relu::ReluLearner::learn) for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct ReluReport {
    /// Error of the fit without the held-out samples; the network itself is refitted on all samples after
    /// that. Held-out samples decide one thing: whether to join neurons with next to no samples in between.
    pub held_out: HeldOut,
    /// Whether the held-out error is at the level of rounding.
    pub exact: bool,
    /// Estimated standard deviation of the label noise, in units of the targets.
    pub noise: f64,
    /// Expected error of the function, relative to its variance, that this noise causes: `s^2 p / (n Var f)`.
    pub expected_error: f64,
    /// Held-out mean square over the value expected from the noise and the number of parameters; 1 when
    /// the fit is at the noise level.
    pub above_noise: f64,
    /// Two neurons closer than this angle have fewer than `3 r` samples between them.
    pub resolvable_angle: f64,
    /// Two neurons of median size and equal sign closer than this angle fit the samples no better than one.
    pub noise_angle: f64,
    /// Pairs closer than `resolvable_angle`.
    pub close_pairs: Vec<ClosePair>,
    /// Samples used.
    pub samples: usize,
    /// Numbers fitted.
    pub parameters: usize,
    /// What was measured about the inputs.
    pub inputs: InputCheck,
    /// Dimension in which the inputs live: less than their number when they are dependent.
    pub input_rank: usize,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// Why recovery is not certified; `None` when it is.
    pub reason: Option<String>,
}

/// What the assessment looks at.
pub(super) struct Subject<'a> {
    /// All samples; the first `held` were held out.
    pub all: &'a Sample,
    pub held: usize,
    /// Fitted without the held-out samples.
    pub before: &'a Kinks,
    /// Fitted on all samples.
    pub after: &'a Kinks,
    pub offsets: bool,
    /// Rounding of the targets relative to their deviation: they may stand on a large constant.
    pub rounding: f64,
    /// Unit of the targets.
    pub unit: f64,
    pub inputs: InputCheck,
    pub limit: usize,
}

/// The evidence, the report and the status they lead to.
pub(super) fn assess(subject: &Subject<'_>) -> Result<(ReluReport, Vec<Check>, Status), Error> {
    let (all, k) = (subject.all, subject.after.len());
    let (n, r) = (all.len(), all.dim());
    let parameters = r + 1 + k * if subject.offsets { r + 1 } else { r };
    let after = subject.after.forward(all);
    let variance = mean_square(&all.y).max(f64::MIN_POSITIVE);
    let held_out = held_out(subject, variance);
    let exact = held_out.relative_error <= EXACT_ERROR.max(subject.rounding);

    let spare = n.saturating_sub(parameters).max(1) as f64;
    let noise = after.mse * n as f64 / spare;
    let explained = (variance - noise).max(0.0);
    let expected_error = noise * parameters as f64 / n as f64 / explained;
    let trained = (n - subject.held) as f64;
    let expected_held = noise * (1.0 + parameters as f64 / trained) / variance;
    let above_noise = held_out.relative_error / expected_held.max(f64::MIN_POSITIVE);
    let resolvable_angle = resolvable_angle(r, n);
    let close_pairs = close_pairs(subject.after, &after, resolvable_angle, r);

    let mut checks = Vec::new();
    let sampled = (n as f64 / parameters as f64).min(f64::MAX);
    // An exact fit is its own evidence; what noise does to a fit is only known with samples to spare.
    let crowded = if exact { 0.8 } else { 0.2 };
    checks.push(Check::conditioning(
        CROWDED,
        "parameters per sample",
        1.0 / sampled,
        crowded,
    ));
    if exact {
        let name = "held-out relative error";
        let allowed = EXACT_ERROR.max(subject.rounding);
        checks.push(Check::sampling(
            "relu.held-out-error",
            name,
            held_out.relative_error,
            allowed,
        ));
    } else {
        let name = "expected relative error of the function";
        checks.push(Check::sampling(EXPECTED, name, expected_error, RECOVERED));
        let name = "structure that the tests would miss, relative to the function";
        let missed = structure::least_visible(n, r).min(1.0) * noise / explained;
        checks.push(Check::sampling(MISSED, name, missed, RECOVERED));
        // Five deviations of a mean of squared normal residuals.
        let spread = 1.0 + 5.0 * (2.0 / held_out.samples.max(1) as f64).sqrt();
        checks.push(Check::sampling(
            "relu.held-out-above-noise",
            "held-out error above the noise",
            above_noise,
            spread,
        ));
        checks.extend(structure::checks(all, &after.residual)?);
        let unresolved = close_pairs.len() as f64;
        checks.push(Check::conditioning(
            "relu.close-pairs",
            "pairs closer than the resolvable angle",
            unresolved,
            0.0,
        ));
    }
    let status = verdict(&checks, exact);
    let mut report = ReluReport {
        held_out,
        exact,
        noise: noise.sqrt() * subject.unit,
        expected_error,
        above_noise,
        resolvable_angle,
        noise_angle: noise_angle(subject.after, noise, r, n),
        close_pairs,
        samples: n,
        parameters,
        warnings: warnings(subject, r, n),
        inputs: subject.inputs.clone(),
        input_rank: r,
        reason: None,
    };
    report.reason = reason(&report, &checks, k, subject.limit);
    Ok((report, checks, status))
}

/// What a user should know beside the verdict.
fn warnings(subject: &Subject<'_>, r: usize, n: usize) -> Vec<String> {
    let mut warnings = subject.inputs.warnings();
    warnings.extend(subject.inputs.whitened(r, n));
    if subject.rounding > EXACT_ERROR {
        let digits = subject.rounding.sqrt();
        warnings.push(format!(
            "the targets are written to about {digits:.0e} of their deviation: smaller errors are rounding"
        ));
    }
    warnings
}

/// The angle at which about `3 r` of `n` samples lie between two kinks.
fn resolvable_angle(r: usize, n: usize) -> f64 {
    3.0 * std::f64::consts::PI * r as f64 / n as f64
}

/// Too few samples for so many parameters.
const CROWDED: &str = "relu.parameters-per-sample";
/// The error that is expected where no sample was held out.
const EXPECTED: &str = "relu.expected-error";
/// Structure in the residual that would not be seen.
const MISSED: &str = "relu.missed-structure";

fn verdict(checks: &[Check], exact: bool) -> Status {
    // A residual of rounding leaves one doubt only: whether the network is determined.
    let role = |c: &Check| if exact { Role::Conditioning } else { c.role };
    let checks = checks.iter().map(|c| Check {
        role: role(c),
        ..c.clone()
    });
    judge(&checks.collect::<Vec<_>>(), Ended::Arrived)
}

fn held_out(subject: &Subject<'_>, variance: f64) -> HeldOut {
    let held = subject.all.range(0, subject.held);
    let at = subject.before.forward(&held);
    let m = held.len().max(1) as f64;
    let spread = at
        .residual
        .iter()
        .map(|e| (e * e - at.mse).powi(2))
        .sum::<f64>()
        / m;
    let half = 1.96 * (spread / m).sqrt();
    HeldOut {
        relative_error: at.mse / variance,
        low: ((at.mse - half) / variance).max(0.0),
        high: (at.mse + half) / variance,
        samples: held.len(),
    }
}

fn close_pairs(kinks: &Kinks, at: &Forward, resolvable: f64, r: usize) -> Vec<ClosePair> {
    let mut out = Vec::new();
    for second in 0..kinks.len() {
        for first in 0..second {
            let angle = kinks.angle(first, second);
            if angle < resolvable {
                out.push(ClosePair {
                    first,
                    second,
                    angle,
                    samples_between: wedge(at, first, second),
                    samples_needed: 3.0 * std::f64::consts::PI * r as f64 / angle,
                });
            }
        }
    }
    out
}

/// Two neurons of size `b` at angle `t` differ from one of size `2 b` by `2 b^2 t^3 / (3 pi)` in mean square;
/// this is the `t` at which that equals the price `3 r s^2 / n` of a neuron.
fn noise_angle(kinks: &Kinks, noise: f64, r: usize, n: usize) -> f64 {
    let mut sizes: Vec<f64> = (0..kinks.len())
        .map(|i| crate::linalg::norm2(kinks.weight(i)))
        .collect();
    sizes.sort_by(f64::total_cmp);
    let Some(&size) = sizes.get(sizes.len() / 2) else {
        return 0.0;
    };
    let price = 3.0 * r as f64 * noise / n as f64;
    let angle = (price * 3.0 * std::f64::consts::PI / (2.0 * size * size)).cbrt();
    angle.min(std::f64::consts::FRAC_PI_2)
}

fn reason(report: &ReluReport, checks: &[Check], k: usize, limit: usize) -> Option<String> {
    let failed = checks.iter().find(|e| !e.holds())?;
    let crowded = failed.key == CROWDED;
    if let (false, false, Some(pair)) = (crowded, report.exact, report.close_pairs.first()) {
        let ClosePair {
            first,
            second,
            angle,
            samples_between,
            samples_needed,
        } = pair;
        return Some(format!(
            "neurons {first} and {second} are {angle:.2e} rad apart with {samples_between} samples between \
             them, below the resolvable {:.2e} rad: about {samples_needed:.0} samples would separate them",
            report.resolvable_angle
        ));
    }
    let (name, measured, allowed) = (&failed.label, failed.measured, failed.allowed);
    let odd = failed.key == structure::ODD;
    let wanted = report.samples as f64 * (measured / allowed).max(1.0);
    let advice = if crowded {
        format!("bring {wanted:.1e} samples or more, or ask for fewer neurons")
    } else if odd {
        "neurons through the origin have no odd part but the linear one: offsets inside neurons? (centre the \
         inputs, or allow offsets)"
            .to_owned()
    } else if failed.key == EXPECTED || failed.key == MISSED {
        let enough = if wanted.is_finite() {
            format!(" (about {wanted:.1e} would do)")
        } else {
            String::new()
        };
        format!(
            "the noise is too large for this many samples{enough}, or the targets do not depend on the inputs"
        )
    } else if k >= limit {
        "the targets are not a network with this many neurons: allow more".to_owned()
    } else {
        "the targets are not such a network with independent noise, or more samples are needed"
            .to_owned()
    };
    Some(format!(
        "{name} is {measured:.3e}, allowed {allowed:.3e}: {advice}"
    ))
}
