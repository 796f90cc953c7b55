//! Three small stories about networks: `cargo run --release --example network_demos`.
//!
//! 1. The second-order Taylor expansion in the weights beats the first-order one (the tangent kernel) as the network
//!    widens, and is exact for quadratic activations.
//! 2. A network whose moments of low degree all vanish: no polynomial of low degree does better than the mean, and yet
//!    it is learnt exactly.
//! 3. One gradient step of bounded length flips the sign of a random network at almost every input.

use faer::{Mat, MatRef};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use std::io::Write;
use wickring::Error;
use wickring::learn::relu::ReluLearner;
use wickring::learn::two_layer::HermiteFit;
use wickring::planted::relu::{Story, draw};

/// Value and first two derivatives.
pub type Jet = fn(f64) -> [f64; 3];

/// `tanh` with its derivatives.
pub fn tanh(z: f64) -> [f64; 3] {
    let t = z.tanh();
    let d = 1.0 - t * t;
    [t, d, -2.0 * t * d]
}

/// `z^2 - z` with its derivatives.
pub fn quadratic(z: f64) -> [f64; 3] {
    [z * z - z, 2.0 * z - 1.0, 2.0]
}

fn normal(rows: usize, cols: usize, rng: &mut ChaCha8Rng) -> Mat<f64> {
    Mat::from_fn(rows, cols, |_, _| StandardNormal.sample(rng))
}

/// Root mean square remainders of the linear and the quadratic expansion of `m^(-1/2) sum a_i sigma(<w_i, x>)` in the
/// weights, relative to the network, for a step of Frobenius norm 3.
pub fn taylor_remainders(sigma: Jet, d: usize, m: usize, seed: u64) -> [f64; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (w, step) = (normal(m, d, &mut rng), normal(m, d, &mut rng));
    let step = faer::Scale(3.0 / step.norm_l2()) * &step;
    let outer = normal(m, 1, &mut rng);
    let x = faer::Scale((d as f64).sqrt().recip()) * &normal(d, 200, &mut rng);
    let (z, moved) = (&w * &x, &step * &x);
    let (mut size, mut gaps) = (0.0, [0.0; 2]);
    for c in 0..x.ncols() {
        let mut sums = [0.0; 4];
        for i in 0..m {
            let (a, z, h) = (outer[(i, 0)], z[(i, c)], moved[(i, c)]);
            let [value, first, second] = sigma(z);
            sums[0] += a * sigma(z + h)[0];
            sums[1] += a * value;
            sums[2] += a * first * h;
            sums[3] += a * second * h * h / 2.0;
        }
        let [exact, value, linear, square] = sums;
        size += exact * exact;
        gaps[0] += (exact - value - linear).powi(2);
        gaps[1] += (exact - value - linear - square).powi(2);
    }
    gaps.map(|g| (g / size).sqrt())
}

/// Relative test errors on a star of `k` neurons (its moments of degree below `k` vanish): of the best polynomial of
/// degree below `k`, and of the learner.
pub fn invisible_network(d: usize, k: usize, n: usize, seed: u64) -> Result<[f64; 2], Error> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let truth = Story::Star.plant(d, k, &mut rng)?;
    let (x, y) = draw(&truth, n, 0.0, &mut rng)?;
    let (fresh, values) = draw(&truth, 5000, 0.0, &mut rng)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let size: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    let error = |found: Vec<f64>| -> f64 {
        let gaps = found.iter().zip(&values).map(|(a, b)| (a - b).powi(2));
        gaps.sum::<f64>() / size
    };
    let degrees: Vec<usize> = (0..k).collect();
    let polynomial = HermiteFit::by_least_squares(x.as_ref(), &y, &degrees)?;
    let fit = ReluLearner::new()
        .neurons(k)
        .learn(x.as_ref(), &y, &mut rng)?;
    let learned = fit.model.network.evaluate(fresh.as_ref())?;
    Ok([error(polynomial.evaluate(fresh.as_ref())?), error(learned)])
}

/// Share of random inputs of length `sqrt d` whose sign flips under the step `-2 f grad / |grad|^2`, and the median
/// length of the steps, for a random `tanh` network of `m` neurons.
pub fn one_gradient_step(d: usize, m: usize, inputs: usize, seed: u64) -> [f64; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let w = faer::Scale((d as f64).sqrt().recip()) * &normal(m, d, &mut rng);
    let outer = normal(m, 1, &mut rng);
    let at = |x: MatRef<'_, f64>| -> (f64, Mat<f64>) {
        let z = &w * x;
        let jets: Vec<[f64; 3]> = (0..m).map(|i| tanh(z[(i, 0)])).collect();
        let unit = (m as f64).sqrt().recip();
        let value = (0..m).map(|i| unit * outer[(i, 0)] * jets[i][0]).sum();
        let slopes = Mat::from_fn(m, 1, |i, _| unit * outer[(i, 0)] * jets[i][1]);
        (value, w.transpose() * &slopes)
    };
    let (mut flips, mut lengths) = (0, Vec::new());
    for _ in 0..inputs {
        let x = normal(d, 1, &mut rng);
        let x = faer::Scale((d as f64).sqrt() / x.norm_l2()) * &x;
        let (value, gradient) = at(x.as_ref());
        let step = -2.0 * value / gradient.squared_norm_l2();
        let moved = &x + faer::Scale(step) * &gradient;
        flips += usize::from(at(moved.as_ref()).0 * value < 0.0);
        lengths.push(step.abs() * gradient.norm_l2());
    }
    lengths.sort_by(f64::total_cmp);
    [flips as f64 / inputs as f64, lengths[inputs / 2]]
}

#[allow(dead_code)] // the tests include this file as a module
fn main() -> Result<(), Error> {
    let mut text = String::from("remainder of the expansion in the weights (linear, quadratic)\n");
    for m in [100, 400, 1600, 6400] {
        let [one, two] = taylor_remainders(tanh, 20, m, 0);
        text += &format!("  {m:>5} neurons: {one:.1e} {two:.1e}\n");
    }
    let [one, two] = taylor_remainders(quadratic, 20, 400, 0);
    text += &format!("  quadratic activation: {one:.1e} {two:.1e}\n");
    let [polynomial, learned] = invisible_network(10, 4, 5000, 0)?;
    text += &format!(
        "star of four: polynomials of degree below 4 have error {polynomial:.3}, the learner {learned:.1e}\n"
    );
    for d in [100, 400, 1600] {
        let [rate, length] = one_gradient_step(d, 2 * d, 100, 0);
        text += &format!(
            "one gradient step, d = {d}: {rate:.2} of the signs flip, by steps of {length:.2} of {:.0}\n",
            (d as f64).sqrt()
        );
    }
    // A closed pipe is no reason to fail.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(())
}
