//! Are the latents of the samples Gaussian?
//!
//! Noiseless samples give their latents away, so the hypothesis `x ~ N(0, I)` is tested where it is made:
//!
//! - Kolmogorov's distance between the distribution of `u.x` along several directions, and of `|x|^2`, and the normal and
//!   chi-squared laws (the variances are estimated from the same rows, which makes the test conservative);
//! - Mardia's kurtosis, `E |x|^4 = r (r + 2)`, and where signs are seen Mardia's skewness, `sum (E x_i x_j x_k)^2 = 0`.
//!
//! For even degrees the sign of `x` is not seen, and `|u.x|` is compared.
//!
//! Source: K. V. Mardia, *Measures of multivariate skewness and kurtosis with applications*, Biometrika 57 (1970).

use super::kurtosis;
use crate::Error;
use crate::fit::Check;
use crate::linalg::{norm2, symmetric_eigen};
use crate::poly::gaussian::{erf, normal_cdf};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Random directions, beside the axes.
const DIRECTIONS: usize = 8;
/// `2 exp(-2 t^2) = 6e-6`: with some fifteen statistics a correct model fails once in ten thousand tests.
const MAX_DISTANCE: f64 = 2.52;
/// Bound on z-scores of kurtosis and skewness, whose tails are heavier than normal.
const MAX_Z: f64 = 6.0;

/// What the latents of the samples tell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normality {
    /// The greatest Kolmogorov distance along a direction, in units of `1 / sqrt n`.
    directions: f64,
    /// That of the squared length.
    radius: f64,
    /// z-score of the kurtosis.
    kurtosis: f64,
    /// z-score of the skewness, if signs are seen.
    skewness: Option<f64>,
    /// Tests of fourth order.
    fourth: Vec<Check>,
}

impl Normality {
    /// Of latents (`r` entries a row) up to a linear change; `mean` says whether their mean is free too, `signs` whether
    /// their signs are seen.
    pub(crate) fn of(
        op: &'static str,
        rows: &[f64],
        r: usize,
        (mean, signs): (bool, bool),
        rng: &mut impl Rng,
    ) -> Result<Self, Error> {
        let x = standardised(
            op,
            MatRef::from_row_major_slice(rows, rows.len() / r, r),
            mean,
        )?;
        let n = x.nrows();
        let unit = (n as f64).sqrt();
        let mut worst = 0.0f64;
        for k in 0..DIRECTIONS + r {
            let mut u: Vec<f64> = (0..r)
                .map(|j| match k < r {
                    true => f64::from(u8::from(j == k)),
                    false => StandardNormal.sample(&mut *rng),
                })
                .collect();
            let length = norm2(&u);
            u.iter_mut().for_each(|x| *x /= length);
            let along = |i: usize| (0..r).map(|j| x[(i, j)] * u[j]).sum::<f64>();
            let distance = match signs {
                true => kolmogorov((0..n).map(along).collect(), normal_cdf),
                false => kolmogorov((0..n).map(|i| along(i).abs()).collect(), |s| {
                    erf(s / 2f64.sqrt())
                }),
            };
            worst = worst.max(distance);
        }
        let squares: Vec<f64> = (0..n)
            .map(|i| (0..r).map(|j| x[(i, j)].powi(2)).sum())
            .collect();
        let (size, k) = (n as f64, r as f64);
        let fourth = squares.iter().map(|s| s * s).sum::<f64>() / size;
        let expected = k * (k + 2.0) * (size - 1.0) / (size + 1.0);
        let kurtosis = (fourth - expected).abs() / (8.0 * k * (k + 2.0) / size).sqrt();
        Ok(Self {
            directions: worst * unit,
            radius: kolmogorov(squares, |s| chi_squared(r, s)) * unit,
            kurtosis,
            skewness: signs.then(|| skewness(&x)),
            fourth: kurtosis::checks(&x, rng),
        })
    }

    pub(crate) fn checks(self) -> Vec<Check> {
        let about = "latents of the samples are Gaussian";
        let mut all = vec![
            Check::sampling(
                "sample.axis-kolmogorov",
                format!(
                    "{about}: greatest Kolmogorov distance along a direction, in standard units"
                ),
                self.directions,
                MAX_DISTANCE,
            ),
            Check::sampling(
                "sample.radius-kolmogorov",
                format!("{about}: Kolmogorov distance of their squared length, in standard units"),
                self.radius,
                MAX_DISTANCE,
            ),
            Check::sampling(
                "sample.kurtosis",
                format!("{about}: z-score of their kurtosis"),
                self.kurtosis,
                MAX_Z,
            ),
        ];
        let skewness = self.skewness;
        all.extend(skewness.map(|z| {
            Check::sampling(
                "sample.skewness",
                format!("{about}: z-score of their skewness"),
                z,
                MAX_Z,
            )
        }));
        all.extend(self.fourth);
        all
    }
}

/// Rows with their own covariance made the identity.
fn standardised(op: &'static str, u: MatRef<'_, f64>, mean: bool) -> Result<Mat<f64>, Error> {
    let (n, r) = (u.nrows(), u.ncols());
    let hypothesis = "latents that fill their space (least eigenvalue of their covariance)";
    if n == 0 || r == 0 {
        return Err(Error::degenerate(op, hypothesis, 0.0));
    }
    let centre: Vec<f64> = (0..r)
        .map(|j| match mean {
            true => (0..n).map(|i| u[(i, j)]).sum::<f64>() / n as f64,
            false => 0.0,
        })
        .collect();
    let shifted = Mat::from_fn(n, r, |i, j| u[(i, j)] - centre[j]);
    let gram = shifted.transpose() * &shifted;
    let cov = Mat::from_fn(r, r, |i, j| 0.5 * (gram[(i, j)] + gram[(j, i)]) / n as f64);
    let e = symmetric_eigen(op, cov.as_ref())?;
    if !(e.values[0] > 1e-12 * e.values[r - 1]) {
        return Err(Error::degenerate(op, hypothesis, e.values[0]));
    }
    let root = Mat::from_fn(r, r, |i, j| e.vectors[(i, j)] / e.values[j].sqrt());
    Ok(shifted * root)
}

/// `n b_1 / 6` has about the chi-squared law with `r (r+1) (r+2) / 6` degrees of freedom, `b_1 = |E x x x|^2`; its cube root
/// is nearly normal (Wilson and Hilferty 1931).
fn skewness(x: &Mat<f64>) -> f64 {
    let (n, r) = (x.nrows(), x.ncols());
    let mut square = 0.0;
    for i in 0..r {
        for j in 0..r {
            let weight: Vec<f64> = (0..n).map(|k| x[(k, i)] * x[(k, j)]).collect();
            for l in 0..r {
                let third: f64 = (0..n).map(|k| weight[k] * x[(k, l)]).sum();
                square += (third / n as f64).powi(2);
            }
        }
    }
    let free = (r * (r + 1) * (r + 2)) as f64 / 6.0;
    let spread = 2.0 / (9.0 * free);
    ((n as f64 * square / (6.0 * free)).cbrt() - (1.0 - spread)) / spread.sqrt()
}

/// Greatest distance between the empirical distribution and `law`; NaN counts as far.
fn kolmogorov(mut values: Vec<f64>, law: impl Fn(f64) -> f64) -> f64 {
    if values.is_empty() || values.iter().any(|v| v.is_nan()) {
        return 1.0;
    }
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let gap = |(i, v): (usize, &f64)| {
        let p = law(*v);
        (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs())
    };
    values.iter().enumerate().map(gap).fold(0.0, f64::max)
}

/// The distribution function of the squared length of `N(0, I_r)`, by the finite sums for half-integers.
fn chi_squared(r: usize, s: f64) -> f64 {
    if !(s > 0.0) {
        return 0.0;
    }
    let half = s / 2.0;
    let (mut term, mut tail, mut power) = match r % 2 {
        0 => (1.0, 0.0, 0.0),
        _ => (half.sqrt() / (std::f64::consts::PI.sqrt() / 2.0), 0.0, 0.5),
    };
    // tail = sum half^k / Gamma(k + 1) over k < r/2, from k = 0 or k = 1/2.
    for _ in 0..r / 2 {
        tail += term;
        power += 1.0;
        term *= half / power;
    }
    let start = if r.is_multiple_of(2) {
        1.0
    } else {
        erf(half.sqrt())
    };
    (start - (-half).exp() * tail).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chi_squared_law_is_known_at_some_points() {
        // Medians of tables: 1, 2, 3, 4 degrees of freedom.
        for (r, median) in [
            (1, 0.454_936),
            (2, 1.386_294),
            (3, 2.365_974),
            (4, 3.356_694),
        ] {
            assert!((chi_squared(r, median) - 0.5).abs() < 1e-6, "{r}");
        }
        assert_eq!(chi_squared(3, -1.0), 0.0);
        assert!((chi_squared(5, 1e4) - 1.0).abs() < 1e-15);
    }
}
