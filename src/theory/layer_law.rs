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

use super::Covariances;
use super::generator::{GeneratorLaw, Layer};
use crate::Error;
use crate::poly::gaussian::{Activation, HermiteSeries, PairLaw, dual_kernel};
use faer::Mat;
use rayon::prelude::*;
use std::collections::HashMap;

/// Degree of the series where there is no closed kernel: rows of norm one in `D >= 10` dimensions have
/// correlations below 0.9 but for chance, and `0.9^60 = 2e-3` multiplies a squared coefficient.
const DEGREE: usize = 60;

/// Mean and covariance of what a layer passes on.
struct Hidden {
    mean: Vec<f64>,
    omega: Mat<f64>,
    phi: Mat<f64>,
    truncation: f64,
}

/// The law of the outputs of `layers` on standard Gaussian latents.
pub(super) fn law(layers: &[Layer]) -> Result<GeneratorLaw, Error> {
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
pub(super) fn mean(layers: &[Layer]) -> Result<Vec<f64>, Error> {
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
    centred: bool,
    series: Vec<HermiteSeries>,
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
        let centred = center.iter().all(|m: &f64| *m == 0.0);
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
            .map(|&i| series(&layer.activation, center[i], deviation[i]))
            .collect();
        let made = made.into_iter().collect::<Result<Vec<_>, _>>()?;
        let series = (0..n).map(|i| made[distinct[&key(i)]].clone()).collect();
        Ok(Self {
            image,
            covariance,
            deviation,
            centred,
            series,
        })
    }
}

/// The Hermite coefficients of `z -> sigma(m + s z)`.
fn series(f: &Activation, m: f64, s: f64) -> Result<HermiteSeries, Error> {
    if s == 0.0 {
        let value = f.eval(m);
        return Ok(HermiteSeries {
            coefficients: vec![value],
            second_moment: value * value,
            error: 0.0,
        });
    }
    if m == 0.0 {
        return f.hermite(DEGREE, s);
    }
    let kinks: &[f64] = match f {
        Activation::Erf | Activation::Tanh | Activation::Sigmoid | Activation::Polynomial(_) => &[],
        _ => &[-m],
    };
    HermiteSeries::from_fn(|x| f.eval(m + x), kinks, DEGREE, s)
}

fn propagate(layer: &Layer, below: &Hidden) -> Result<Hidden, Error> {
    let rows = Rows::of(layer, below)?;
    let (n, d) = (layer.weights.nrows(), below.phi.ncols());
    let closed = rows.centred && has_closed_kernel(&layer.activation);
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
    let (sum, bound) = a.mehler(b, uv / size);
    Ok((sum - means, bound + a.error + b.error))
}
