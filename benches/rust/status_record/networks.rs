//! Networks, from inputs and targets.

use super::Seen;
use super::zoo::{normal, one_of};
use faer::Mat;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use wickring::Error;
use wickring::learn::relu::{ReluLearner, ReluNetwork};
use wickring::learn::two_layer::{PolynomialActivation, TwoLayerLearner, TwoLayerNetwork};
use wickring::planted::relu::Story;

pub fn case(family: &str, planted: bool, _number: u64, g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    match (family, planted) {
        ("relu", true) => relu(g),
        ("relu", false) => relu_zoo(g),
        (_, true) => two_layer(g),
        (_, false) => two_layer_zoo(g),
    }
}

fn inputs(n: usize, d: usize, g: &mut ChaCha8Rng) -> Mat<f64> {
    Mat::from_fn(n, d, |_, _| normal(g))
}

/// Rows of length one.
fn weights(r: usize, d: usize, g: &mut ChaCha8Rng) -> Mat<f64> {
    let mut w = inputs(r, d, g);
    for i in 0..r {
        let length = (0..d).map(|j| w[(i, j)].powi(2)).sum::<f64>().sqrt();
        (0..d).for_each(|j| w[(i, j)] /= length);
    }
    w
}

/// Noise of a deviation that is a share of that of the targets: normal, t5 or uniform.
fn noise(y: &mut [f64], share: f64, kind: &str, g: &mut ChaCha8Rng) {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let size = share * (y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    for v in y {
        *v += size
            * match kind {
                "uniform" => 12f64.sqrt() * (g.random::<f64>() - 0.5),
                "t5" => {
                    let chi: f64 = (0..5).map(|_| normal(g).powi(2)).sum();
                    normal(g) / (chi / 5.0).sqrt() * 0.6f64.sqrt()
                }
                _ => normal(g),
            };
    }
}

const ACTIVATIONS: [&str; 6] = [
    "x^3-3*x",
    "x^4-6*x^2+3",
    "1-x+0.5*x^2+x^3",
    "x+x^2+x^4",
    "He5",
    "He6",
];
const SHARES: [(f64, &str); 5] = [
    (0.0, "none"),
    (0.1, "normal"),
    (0.3, "normal"),
    (0.2, "t5"),
    (0.2, "uniform"),
];

fn two_layer(g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    let sigma = one_of(&ACTIVATIONS, g);
    let activation = PolynomialActivation::parse(sigma)?;
    let high = activation.degree() >= 5;
    let d = if high {
        g.random_range(4..=6)
    } else {
        g.random_range(4..=10)
    };
    let r = g.random_range(2..=d.min(6));
    let (share, noisy) = one_of(&SHARES, g);
    let n = one_of(&[10, 20, 40], g) * r * d + 300;
    let hidden = TwoLayerNetwork::plain(activation.clone(), weights(r, d, g))?;
    let x = inputs(n, d, g);
    let mut y = hidden.evaluate(x.as_ref())?;
    noise(&mut y, share, noisy, g);
    let fit = TwoLayerLearner::new(activation, r).learn(x.as_ref(), &y, g);
    let kind = format!("{sigma} noise {share} {noisy} d{d} r{r} n{n}");
    Ok(Seen::of(kind, n, fit, |f| {
        hidden.test_error(&f.model.network).ok()
    }))
}

fn relu(g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    let (d, k) = (g.random_range(5..=15), g.random_range(2..=4));
    let (story, name) = one_of(
        &[
            (Story::Separated, "separated"),
            (Story::Separated, "separated"),
            (Story::Star, "star"),
            (Story::NearSame(0.3), "near"),
        ],
        g,
    );
    let (share, noisy) = one_of(&SHARES, g);
    let n = one_of(&[20, 40, 80], g) * k * d + 300;
    let hidden = story.plant(d, k, g)?;
    let x = inputs(n, d, g);
    let mut y = hidden.evaluate(x.as_ref())?;
    noise(&mut y, share, noisy, g);
    let fit = ReluLearner::new().learn(x.as_ref(), &y, g);
    let kind = format!("{name} noise {share} {noisy} d{d} k{k} n{n}");
    let fresh = inputs(4000, d, g);
    Ok(Seen::of(kind, n, fit, |f| {
        relative(
            &f.model.network,
            &hidden.evaluate(fresh.as_ref()).ok()?,
            &fresh,
        )
    }))
}

/// Mean square error of a relu network over the variance of the truth.
fn relative(network: &ReluNetwork, truth: &[f64], x: &Mat<f64>) -> Option<f64> {
    share(&network.evaluate(x.as_ref()).ok()?, truth)
}

fn share(found: &[f64], truth: &[f64]) -> Option<f64> {
    let n = truth.len() as f64;
    let mean = truth.iter().sum::<f64>() / n;
    let of = truth.iter().map(|t| (t - mean).powi(2)).sum::<f64>();
    Some(
        found
            .iter()
            .zip(truth)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            / of,
    )
}

type Target = fn(&[f64]) -> f64;

/// Functions of the values along the weights that no network of the kind gives.
const TARGETS: [(&str, Target); 9] = [
    ("sine", |z| z.iter().map(|z| (2.0 * z).sin()).sum()),
    ("tanh", |z| z.iter().map(|z| z.tanh()).sum()),
    ("cosine", |z| z.iter().map(|z| (2.0 * z).cos()).sum()),
    ("step", |z| {
        z.iter().map(|z| f64::from(u8::from(*z > 0.0))).sum()
    }),
    ("exponential", |z| z.iter().map(|z| (0.5 * z).exp()).sum()),
    ("products of sines", |z| z.iter().map(|z| z.sin()).product()),
    ("relu or quartic", |z| {
        z.iter()
            .map(|z| if *z > 0.5 { z * z } else { 0.1 * z })
            .sum()
    }),
    ("length", |z| z.iter().map(|z| z * z).sum::<f64>().sqrt()),
    ("bump", |z| z.iter().map(|z| (-z * z).exp()).sum()),
];

/// Targets of another kind: `(name, inputs, targets, truth at fresh inputs, fresh inputs)`.
struct Wrong {
    kind: String,
    x: Mat<f64>,
    y: Vec<f64>,
    fresh: Mat<f64>,
    truth: Vec<f64>,
    r: usize,
}

fn wrong(g: &mut ChaCha8Rng) -> Wrong {
    let (name, f) = one_of(&TARGETS, g);
    let (d, r) = (g.random_range(4..=8), g.random_range(2..=4));
    let n = one_of(&[600, 1500, 3000], g);
    let w = weights(r, d, g);
    let of = |x: &Mat<f64>| -> Vec<f64> {
        let z = x * w.transpose();
        (0..x.nrows())
            .map(|i| f(&(0..r).map(|j| z[(i, j)]).collect::<Vec<_>>()))
            .collect()
    };
    let (x, fresh) = (inputs(n, d, g), inputs(4000, d, g));
    let (mut y, truth) = (of(&x), of(&fresh));
    let (share, noisy) = one_of(
        &[(0.0, "none"), (0.0, "none"), (0.1, "normal"), (0.2, "t5")],
        g,
    );
    noise(&mut y, share, noisy, g);
    Wrong {
        kind: format!("{name} noise {share} d{d} r{r} n{n}"),
        x,
        y,
        fresh,
        truth,
        r,
    }
}

fn two_layer_zoo(g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    let w = wrong(g);
    let sigma = one_of(&ACTIVATIONS[..5], g);
    let fit =
        TwoLayerLearner::new(PolynomialActivation::parse(sigma)?, w.r).learn(w.x.as_ref(), &w.y, g);
    let kind = format!("{sigma} to {}", w.kind);
    Ok(Seen::of(kind, w.y.len(), fit, |f| {
        share(&f.model.network.evaluate(w.fresh.as_ref()).ok()?, &w.truth)
    }))
}

fn relu_zoo(g: &mut ChaCha8Rng) -> Result<Seen, Error> {
    let w = wrong(g);
    let fit = ReluLearner::new().learn(w.x.as_ref(), &w.y, g);
    Ok(Seen::of(w.kind, w.y.len(), fit, |f| {
        relative(&f.model.network, &w.truth, &w.fresh)
    }))
}
