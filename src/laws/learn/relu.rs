//! Laws of narrow relu networks: normal forms, moments, equivariance, honesty.

use crate::Error;
use crate::Status;
use crate::fit::Fit;
use crate::io::model::{Header, ModelFile};
use crate::laws::broken::{Broken, check, within};
use crate::laws::bytes::Bytes;
use crate::learn::Predictor;
use crate::learn::relu::hermite;
use crate::learn::relu::{
    Learned, Neuron, Rectifier, ReluLearner, ReluNetwork, contraction, relu_coefficient,
};
use crate::poly::Rational;
use faer::{Mat, MatRef};
use num_traits::{One, Zero};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn failed(law: &'static str, e: &Error) -> Broken {
    Broken {
        law,
        measured: f64::NAN,
        allowed: 0.0,
        case: e.to_string(),
    }
}

/// Both normal forms are the same function: `relu(z) = (|z| + z) / 2` and `|z| = 2 relu(z) - z`.
///
/// Rounding: `k + 2` products of size `|coefficient| (|w|.|x| + |o|)` are added in another order.
///
/// # Errors
/// [`Broken`] at the first row of `x` where they differ.
pub fn normal_forms_agree(network: &ReluNetwork, x: MatRef<'_, f64>) -> Result<(), Broken> {
    let law = "relu::normal_forms_agree";
    let (abs, relu) = (network.to_abs(), network.to_relu());
    let pure = |n: &ReluNetwork, a: Rectifier| n.neurons().iter().all(|m| m.activation == a);
    check(law, pure(&abs, Rectifier::Abs), || {
        "an abs form with a relu".into()
    })?;
    check(law, pure(&relu, Rectifier::Relu), || {
        "a relu form with an abs".into()
    })?;
    for i in 0..x.nrows() {
        let row: Vec<f64> = x.row(i).iter().copied().collect();
        let size = |n: &Neuron| {
            let terms = n.weight.iter().zip(&row).map(|(w, x)| (w * x).abs());
            n.coefficient.abs() * (terms.sum::<f64>() + n.offset.abs())
        };
        let linear = network
            .linear()
            .iter()
            .zip(&row)
            .map(|(w, x)| (w * x).abs());
        let scale = network.constant().abs()
            + linear.sum::<f64>()
            + network.neurons().iter().map(size).sum::<f64>();
        let terms = (row.len() + 2) * (network.neurons().len() + 2);
        let allowed = 8.0 * f64::EPSILON * terms as f64 * scale;
        let here = network.at(&row);
        within(law, (abs.at(&row) - here).abs(), allowed)?;
        within(law, (relu.at(&row) - here).abs(), allowed)?;
    }
    Ok(())
}

/// The exact identity behind the normal forms, over the rationals: for every `b`, `c`, `z`,
/// `b |z| + c z = (b + c) relu(z) + (b - c) relu(-z)`.
///
/// # Errors
/// [`Broken`] when it does not hold.
pub fn abs_is_two_relus(b: &Rational, c: &Rational, z: &Rational) -> Result<(), Broken> {
    let zero = Rational::zero();
    let relu = |z: &Rational| if *z > zero { z.clone() } else { zero.clone() };
    let minus = &zero - z;
    let abs = &relu(z) + &relu(&minus);
    let left = &(b * &abs) + &(c * z);
    let right = &(&(b + c) * &relu(z)) + &(&(b - c) * &relu(&minus));
    check("relu::abs_is_two_relus", left == right, || {
        format!("b = {b}, c = {c}, z = {z}")
    })
}

/// `He_{m+1} = z He_m - m He_{m-1}` over the rationals agrees with [`hermite`], whose values at small integers
/// are exact integers.
///
/// # Errors
/// [`Broken`] at the first degree where they differ.
pub fn hermite_recurrence(z: i64) -> Result<(), Broken> {
    let (mut before, mut now) = (Rational::zero(), Rational::one());
    let point = Rational::from(z);
    for m in 0..=10i32 {
        let value = Rational::from_f64(hermite(m, z as f64));
        check(
            "relu::hermite_recurrence",
            value.as_ref() == Some(&now),
            || format!("He_{m}({z})"),
        )?;
        let next = &(&point * &now) - &(&Rational::from(i64::from(m)) * &before);
        (before, now) = (now, next);
    }
    Ok(())
}

/// Parseval for relu: `sum_l rho_l^2 / l! = E relu(z)^2 = 1/2`; the tail after degree `2 m` is below
/// `1 / (2 pi m)` because `rho_l^2 / l! ~ l^(-5/2)`.
///
/// # Errors
/// [`Broken`] when the partial sum leaves that bracket.
pub fn relu_parseval(m: u32) -> Result<(), Broken> {
    let law = "relu::relu_parseval";
    let (mut sum, mut factorial) = (0.0, 1.0);
    for l in 0..=2 * m.clamp(1, 40) {
        factorial *= f64::from(l.max(1));
        sum += relu_coefficient(l).powi(2) / factorial;
    }
    within(law, sum, 0.5 * (1.0 + 8.0 * f64::EPSILON))?;
    within(
        law,
        0.5 - sum,
        1.0 / (2.0 * std::f64::consts::PI * f64::from(m.clamp(1, 40))),
    )
}

/// [`contraction`] against the definition: the Hermite tensor of order 4 contracted entry by entry, for one
/// sample `x` with label `y`.
///
/// `H_4[a,b,c,e] = x_a x_b x_c x_e - sum over pairs (6) d_ab x_c x_e + sum over pairings (3) d_ab d_ce`.
///
/// # Errors
/// [`Broken`] when an entry differs by more than rounding.
pub fn contraction_is_the_tensor(x: &[f64], y: f64, g: &[f64]) -> Result<(), Broken> {
    let law = "relu::contraction_is_the_tensor";
    let d = x.len();
    let norm = crate::linalg::norm2(g);
    if d == 0 || g.len() != d || norm == 0.0 {
        return Ok(());
    }
    let inputs = Mat::from_fn(d, 1, |i, _| x[i]);
    let fast = contraction(inputs.as_ref(), &[y], g, 4);
    let delta = |i: usize, j: usize| f64::from(u8::from(i == j));
    let entry = |i: [usize; 4]| -> f64 {
        let [a, b, c, e] = i;
        let pairs = [
            (a, b, c, e),
            (a, c, b, e),
            (a, e, b, c),
            (b, c, a, e),
            (b, e, a, c),
            (c, e, a, b),
        ];
        let one: f64 = pairs
            .iter()
            .map(|&(p, q, r, s)| delta(p, q) * x[r] * x[s])
            .sum();
        let two = delta(a, b) * delta(c, e) + delta(a, c) * delta(b, e) + delta(a, e) * delta(b, c);
        x[a] * x[b] * x[c] * x[e] - one + two
    };
    let size = 1.0 + crate::linalg::norm2(x).powi(4);
    for c in 0..d {
        for e in 0..d {
            let mut slow = 0.0;
            for a in 0..d {
                for b in 0..d {
                    slow += y * g[a] / norm * g[b] / norm * entry([a, b, c, e]);
                }
            }
            let allowed = 64.0 * f64::EPSILON * (d * d) as f64 * size * y.abs();
            within(law, (slow - fast[(c, e)]).abs(), allowed)?;
        }
    }
    Ok(())
}

/// What is done to a problem and, in the same way, to its solution.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::laws::learn::relu::{Change, learner_is_equivariant};
/// use wickring::learn::relu::ReluLearner;
/// use wickring::planted::relu::{Story, draw};
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let (x, y) = draw(&Story::Separated.plant(2, 1, &mut rng)?, 100, 0.0, &mut rng)?;
/// let learner = ReluLearner::new();
/// assert!(learner_is_equivariant(&learner, x.as_ref(), &y, &Change::Scale(2.0), 1e-6).is_ok());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Change {
    /// Targets times a number other than 0.
    Scale(f64),
    /// Targets plus a number.
    Shift(f64),
    /// Inputs times an invertible matrix, `x -> x m`.
    Inputs(Mat<f64>),
}

/// Learning commutes with a change of the problem: the network learnt from the changed samples, evaluated at
/// changed inputs, is the changed network, to `allowed` of the targets' deviation in mean square. Only for
/// samples that determine the network (noiseless, certified); statuses must agree in any case.
///
/// # Errors
/// [`Broken`] with the relative mean square distance.
pub fn learner_is_equivariant(
    learner: &ReluLearner,
    x: MatRef<'_, f64>,
    y: &[f64],
    change: &Change,
    allowed: f64,
) -> Result<(), Broken> {
    let law = "relu::learner_is_equivariant";
    let learn = |x: MatRef<'_, f64>, y: &[f64]| -> Result<Fit<Learned>, Broken> {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        learner.learn(x, y, &mut rng).map_err(|e| failed(law, &e))
    };
    let plain = learn(x, y)?;
    let (changed_x, changed_y) = match change {
        Change::Scale(c) => (x.to_owned(), y.iter().map(|v| v * c).collect()),
        Change::Shift(c) => (x.to_owned(), y.iter().map(|v| v + c).collect()),
        Change::Inputs(m) => (x * m, y.to_vec()),
    };
    let changed = learn(changed_x.as_ref(), &changed_y)?;
    check(law, plain.status == changed.status, || {
        format!(
            "{} became {} under {change:?}",
            plain.status, changed.status
        )
    })?;
    let evaluate = |fit: &Fit<Learned>, x: MatRef<'_, f64>| {
        fit.model.network.evaluate(x).map_err(|e| failed(law, &e))
    };
    let (before, after) = (
        evaluate(&plain, x)?,
        evaluate(&changed, changed_x.as_ref())?,
    );
    let back = |v: f64| match change {
        Change::Scale(c) => v / c,
        Change::Shift(c) => v - c,
        Change::Inputs(_) => v,
    };
    let mean = y.iter().sum::<f64>() / y.len().max(1) as f64;
    let variance: f64 = y.iter().map(|v| (v - mean).powi(2)).sum();
    let gap: f64 = before
        .iter()
        .zip(&after)
        .map(|(b, a)| (b - back(*a)).powi(2))
        .sum();
    within(law, gap / variance, allowed)
}

/// A fit keeps its word: `Converged` exactly when every bound of its certificate holds and the report gives
/// no reason against it; the certificate's residual is that of the network on the samples.
///
/// # Errors
/// [`Broken`] naming what does not fit together.
pub fn fit_keeps_its_word(fit: &Fit<Learned>, x: MatRef<'_, f64>, y: &[f64]) -> Result<(), Broken> {
    let law = "relu::fit_keeps_its_word";
    let holds = fit.evidence.holds();
    let reason = &fit.model.report.reason;
    if fit.status != Status::Stopped {
        check(law, (fit.status == Status::Converged) == holds, || {
            format!("{} although the evidence says {holds}", fit.status)
        })?;
        check(law, reason.is_none() == holds, || {
            format!("evidence {holds}, reason {reason:?}")
        })?;
    }
    check(law, fit.history.len() == fit.work.sweeps + 1, || {
        "history and sweeps".into()
    })?;
    let values = fit.model.network.evaluate(x).map_err(|e| failed(law, &e))?;
    let mean = y.iter().sum::<f64>() / y.len().max(1) as f64;
    let centred: Vec<f64> = y.iter().map(|v| v - mean).collect();
    let gaps: Vec<f64> = values.iter().zip(y).map(|(v, y)| v - y).collect();
    let (gap, size) = (crate::linalg::norm2(&gaps), crate::linalg::norm2(&centred));
    let size = size.max(mean.abs() * f64::EPSILON * 8.0 * (y.len() as f64).sqrt());
    let rel = if size > 0.0 { gap / size } else { gap };
    // The network went through the whitening and back; that costs the condition number at most.
    let largest = y.iter().fold(0.0f64, |m, v| m.max(v.abs())) * (y.len() as f64).sqrt();
    let rounding =
        1e3 * f64::EPSILON * fit.evidence.condition * (1.0 + largest / size.max(f64::MIN_POSITIVE));
    within(law, (rel - fit.evidence.rel_residual).abs(), rounding)
}

/// A network survives its model file bit by bit, and the predictor read from it is the same function.
///
/// # Errors
/// [`Broken`] when it does not.
pub fn model_file_round_trip(network: &ReluNetwork) -> Result<(), Broken> {
    let law = "relu::model_file_round_trip";
    let header = Header {
        schema: String::new(),
        seed: 1,
        status: Status::Converged,
        inputs: Vec::new(),
        report: serde_json::Value::Null,
    };
    let text = network.to_model(header).to_json();
    let file = ModelFile::from_json(&text).map_err(|e| failed(law, &e))?;
    let back = ReluNetwork::from_model(&file).map_err(|e| failed(law, &e))?;
    check(law, back == *network, || text.clone())?;
    let predictor = Predictor::from_model(&file).map_err(|e| failed(law, &e))?;
    let row = Mat::from_fn(1, network.input_dim(), |_, j| 1.0 / (j as f64 + 1.0));
    let (here, there) = (
        network.evaluate(row.as_ref()),
        predictor.evaluate(row.as_ref()),
    );
    check(law, here.ok() == there.ok(), || {
        "predictor and network differ".into()
    })
}

/// A small network from bytes: up to 4 neurons in up to 4 inputs, of either kind, some with offsets.
pub fn network_from(bytes: &mut Bytes<'_>) -> Option<ReluNetwork> {
    let (d, k) = (1 + bytes.below(4), bytes.below(5));
    let numbers =
        |n: usize, bytes: &mut Bytes<'_>| (0..n).map(|_| bytes.finite()).collect::<Vec<f64>>();
    let neurons = (0..k)
        .map(|_| Neuron {
            coefficient: bytes.finite(),
            weight: numbers(d, bytes),
            offset: if bytes.byte().is_multiple_of(4) {
                bytes.finite()
            } else {
                0.0
            },
            activation: if bytes.byte().is_multiple_of(2) {
                Rectifier::Relu
            } else {
                Rectifier::Abs
            },
        })
        .collect();
    let linear = numbers(d, bytes);
    ReluNetwork::new(bytes.finite(), linear, neurons).ok()
}

/// Fuzz body: bytes as a model file, as a network, and as samples for the learner. Nothing panics, and what is
/// learnt keeps its word.
pub fn fuzz_relu(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(file) = ModelFile::from_json(text)
    {
        let _ = Predictor::from_model(&file);
    }
    let mut bytes = Bytes::new(data);
    if let Some(network) = network_from(&mut bytes) {
        assert_eq!(model_file_round_trip(&network), Ok(()));
    }
    let (n, d) = (2 + bytes.below(60), 1 + bytes.below(3));
    let x = Mat::from_fn(n, d, |_, _| bytes.any_float());
    let y: Vec<f64> = (0..n).map(|_| bytes.any_float()).collect();
    let learner = ReluLearner::new().neurons(bytes.below(4));
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    if let Ok(fit) = learner.learn(x.as_ref(), &y, &mut rng) {
        assert_eq!(fit.status == Status::Converged, fit.evidence.holds());
    }
}
