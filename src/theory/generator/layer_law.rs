//! Covariances of a layered generator, layer by layer.
//!
//! If the inputs of a layer are Gaussian with mean `mu` and covariance `Omega`, its pre-activations are
//! `m_i + s_i z_i` with correlations `g_ij`, and by Mehler's formula, with the orthonormal Hermite
//! coefficients `a_k(i)` of `z -> sigma(m_i + s_i z)`,
//!
//! ```text
//! mean_i = a_0(i),   Omega'_ij = sum_{k>=1} a_k(i) a_k(j) g_ij^k,   Phi' = diag(a_1(i)/s_i) W Phi
//! ```
//!
//! For the first layer the inputs are Gaussian and this is exact, for every activation and any norms of the
//! rows; published code keeps the term `k = 1` only. Later layers are Gaussian in the limit of wide layers.

use super::layers::{GeneratorLaw, Layer};
use crate::Error;
use crate::poly::gaussian::{Activation, HermiteSeries, PairLaw, dual_kernel};
use crate::theory::covariance::Covariances;
use faer::Mat;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Degree of the series where there is no closed kernel: rows of norm one in `D >= 10` dimensions have
/// correlations below 0.9 but for chance, and `0.9^60 = 2e-3` multiplies a squared coefficient.
const DEGREE: usize = 60;
/// Degree for the pairs whose first series was cut too early: steep activations on nearly parallel rows.
const LONG_DEGREE: usize = 400;
/// Truncation, relative to the second moments, beyond which a pair takes the longer way.
const NEGLIGIBLE: f64 = 1e-14;

/// Mean and covariance of what a layer passes on.
struct Hidden {
    mean: Vec<f64>,
    omega: Mat<f64>,
    phi: Mat<f64>,
    truncation: f64,
}

/// The law of the outputs of `layers` on standard Gaussian latents.
pub(in crate::theory) fn law(layers: &[Layer]) -> Result<GeneratorLaw, Error> {
    let mut hidden = latents(layers);
    for layer in layers {
        hidden = propagate(layer, &hidden)?;
    }
    Ok(GeneratorLaw {
        covariances: Covariances::new(hidden.omega, hidden.phi)?,
        mean: hidden.mean,
        exact: layers.len() == 1,
        truncation: hidden.truncation,
    })
}

/// The mean of the outputs alone: no covariance of the last layer is formed.
pub(in crate::theory) fn mean(layers: &[Layer]) -> Result<Vec<f64>, Error> {
    let outputs = layers.last().map_or(0, |l| l.weights.nrows());
    if layers.iter().all(|l| is_odd(&l.activation)) {
        return Ok(vec![0.0; outputs]);
    }
    let Some((last, before)) = layers.split_last() else {
        return Ok(Vec::new());
    };
    let mut hidden = latents(layers);
    for layer in before {
        hidden = propagate(layer, &hidden)?;
    }
    let rows = Rows::of(last, &hidden)?;
    Ok(rows.series.iter().map(|s| coefficient(s, 0)).collect())
}

fn latents(layers: &[Layer]) -> Hidden {
    let d = layers.first().map_or(0, |l| l.weights.ncols());
    Hidden {
        mean: vec![0.0; d],
        omega: Mat::identity(d, d),
        phi: Mat::identity(d, d),
        truncation: 0.0,
    }
}

fn is_odd(f: &Activation) -> bool {
    match f {
        Activation::Sign | Activation::Erf | Activation::Tanh => true,
        Activation::Polynomial(a) => a.iter().step_by(2).all(|c| *c == 0.0),
        _ => false,
    }
}

fn coefficient(s: &HermiteSeries, k: usize) -> f64 {
    s.coefficients.get(k).copied().unwrap_or(0.0)
}

/// Pre-activations of a layer and the Hermite series of each row.
struct Rows {
    image: Mat<f64>,
    covariance: Mat<f64>,
    deviation: Vec<f64>,
    center: Vec<f64>,
    series: Vec<HermiteSeries>,
    /// Series of degree [`LONG_DEGREE`], made when a pair asks for it.
    long: Vec<OnceLock<Result<HermiteSeries, Error>>>,
}

impl Rows {
    fn of(layer: &Layer, below: &Hidden) -> Result<Self, Error> {
        let w = &layer.weights;
        let n = w.nrows();
        let image = w * &below.phi;
        let covariance = w * &below.omega * w.transpose();
        let deviation: Vec<f64> = (0..n).map(|i| covariance[(i, i)].max(0.0).sqrt()).collect();
        let center: Vec<f64> = (0..n)
            .map(|i| {
                below
                    .mean
                    .iter()
                    .enumerate()
                    .map(|(j, m)| w[(i, j)] * m)
                    .sum()
            })
            .collect();
        // Rows of one norm share a series; their computed norms differ in the last bits.
        let key = |i: usize| {
            (
                (deviation[i] * 2f64.powi(44)).round() as u64,
                center[i].to_bits(),
            )
        };
        let mut distinct: HashMap<(u64, u64), usize> = HashMap::new();
        let mut firsts = Vec::new();
        for i in 0..n {
            distinct.entry(key(i)).or_insert_with(|| {
                firsts.push(i);
                firsts.len() - 1
            });
        }
        let made: Vec<Result<HermiteSeries, Error>> = firsts
            .par_iter()
            .map(|&i| series(&layer.activation, center[i], deviation[i], DEGREE))
            .collect();
        let made = made.into_iter().collect::<Result<Vec<_>, _>>()?;
        let series = (0..n).map(|i| made[distinct[&key(i)]].clone()).collect();
        Ok(Self {
            image,
            covariance,
            deviation,
            center,
            series,
            long: (0..n).map(|_| OnceLock::new()).collect(),
        })
    }

    fn long(&self, f: &Activation, i: usize) -> Result<&HermiteSeries, Error> {
        let make = || series(f, self.center[i], self.deviation[i], LONG_DEGREE);
        self.long[i]
            .get_or_init(make)
            .as_ref()
            .map_err(Clone::clone)
    }
}

/// The Hermite coefficients of `z -> sigma(m + s z)`.
fn series(f: &Activation, m: f64, s: f64, degree: usize) -> Result<HermiteSeries, Error> {
    if s == 0.0 {
        let value = f.eval(m);
        return Ok(HermiteSeries {
            coefficients: vec![value],
            second_moment: value * value,
            error: 0.0,
        });
    }
    if m == 0.0 {
        return f.hermite(degree, s);
    }
    let kinks: &[f64] = if is_smooth(f) { &[] } else { &[-m] };
    HermiteSeries::from_fn(|x| f.eval(m + x), kinks, degree, s)
}

fn is_smooth(f: &Activation) -> bool {
    use Activation::{Erf, Polynomial, Sigmoid, Tanh};
    matches!(f, Erf | Tanh | Sigmoid | Polynomial(_))
}

fn propagate(layer: &Layer, below: &Hidden) -> Result<Hidden, Error> {
    let rows = Rows::of(layer, below)?;
    let (n, d) = (layer.weights.nrows(), below.phi.ncols());
    let centred = rows.center.iter().all(|m| *m == 0.0);
    let closed = centred && has_closed_kernel(&layer.activation);
    let lines: Vec<Result<(Vec<f64>, f64), Error>> = (0..n)
        .into_par_iter()
        .map(|i| {
            let mut worst = 0.0f64;
            let entry = |j: usize| {
                let (value, bound) = pair(&layer.activation, &rows, closed, i, j)?;
                worst = worst.max(bound);
                Ok(value)
            };
            let line = (0..=i).map(entry).collect::<Result<Vec<_>, Error>>()?;
            Ok((line, worst))
        })
        .collect();
    let mut omega = Mat::zeros(n, n);
    let mut truncation = below.truncation;
    for (i, line) in lines.into_iter().enumerate() {
        let (line, worst) = line?;
        truncation = truncation.max(worst);
        for (j, value) in line.into_iter().enumerate() {
            omega[(i, j)] = value;
            omega[(j, i)] = value;
        }
    }
    let slope = |i: usize| {
        let s = rows.deviation[i];
        if s > 0.0 {
            coefficient(&rows.series[i], 1) / s
        } else {
            0.0
        }
    };
    Ok(Hidden {
        mean: rows.series.iter().map(|s| coefficient(s, 0)).collect(),
        omega,
        phi: Mat::from_fn(n, d, |i, j| slope(i) * rows.image[(i, j)]),
        truncation,
    })
}

fn has_closed_kernel(f: &Activation) -> bool {
    matches!(
        f,
        Activation::Sign | Activation::Step | Activation::Erf | Activation::Relu | Activation::Abs
    )
}

/// `Cov(sigma_i, sigma_j)` and a bound on its truncation.
fn pair(
    f: &Activation,
    rows: &Rows,
    closed: bool,
    i: usize,
    j: usize,
) -> Result<(f64, f64), Error> {
    let (a, b) = (&rows.series[i], &rows.series[j]);
    let means = coefficient(a, 0) * coefficient(b, 0);
    if i == j {
        return Ok(((a.second_moment - means).max(0.0), a.error));
    }
    let size = rows.deviation[i] * rows.deviation[j];
    if size == 0.0 {
        return Ok((0.0, 0.0));
    }
    // Rounding may carry a correlation past one.
    let uv = rows.covariance[(i, j)].clamp(-size, size);
    if closed {
        let law = PairLaw {
            uu: rows.deviation[i].powi(2),
            uv,
            vv: rows.deviation[j].powi(2),
        };
        return Ok((dual_kernel(f, law)? - means, 0.0));
    }
    let negligible = NEGLIGIBLE * (a.second_moment * b.second_moment).sqrt();
    let rho = uv / size;
    let (mut sum, mut bound) = a.mehler(b, rho);
    if bound > negligible && 1.0 - rho.abs() < 4.0 * f64::EPSILON {
        return Ok((parallel(f, rows, i, j, rho.signum())? - means, negligible));
    }
    if bound > negligible {
        (sum, bound) = rows.long(f, i)?.mehler(rows.long(f, j)?, rho);
    }
    Ok((sum - means, bound + a.error + b.error))
}

/// `E f(u) f(v)` for pre-activations that are the same variable up to sign and scale: one integral.
fn parallel(f: &Activation, rows: &Rows, i: usize, j: usize, sign: f64) -> Result<f64, Error> {
    let (a, b) = (rows.deviation[i], sign * rows.deviation[j]);
    let (m, n) = (rows.center[i], rows.center[j]);
    let kinks: &[f64] = if is_smooth(f) { &[] } else { &[-m / a, -n / b] };
    let product = |z: f64| f.eval(m + a * z) * f.eval(n + b * z);
    Ok(HermiteSeries::from_fn(product, kinks, 0, 1.0)?.coefficients[0])
}
