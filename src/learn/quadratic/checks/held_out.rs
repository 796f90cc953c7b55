//! Does the model describe samples that it has not seen?
//!
//! Along each of several directions `w` the held-out values `s = w.z` are compared with the law of the model,
//! which is known in closed form: its cumulants `k_2`, `k_3` (polynomial in the entries), and its
//! characteristic function at three frequencies. The second is the sharper test: its statistics are bounded,
//! so their standard errors can be trusted for heavy tails too, and it sees every moment.

use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::run::{Observer, Progress};
use crate::stats::split::Split;
use crate::tensor::QuadraticMap;
use faer::{Mat, MatRef};

const OP: &str = "Quadratic::learn";
const ROWS: usize = 4096;
/// Frequencies in units of one over the standard deviation.
const FREQUENCIES: [f64; 3] = [0.4, 1.0, 2.0];
/// Central moments up to this order are needed for the standard errors.
const POWERS: usize = 6;
/// Bound on each z-score of the characteristic function. Its statistics are bounded and their variance is that of the law,
/// not of the sample, in which few rows of heavy tails show too little spread: one of 120 normal ones exceeds this with
/// probability 8e-4.
const MAX_Z: f64 = 4.5;
/// What a deviation needs beyond the bound to exceed it nine times in ten, in standard errors; variances of the statistics are at
/// most 1/2.
const SEEN: f64 = 1.28;
/// Bound on the z-scores of cumulants, whose standard errors are themselves uncertain under heavy tails.
const MAX_CUMULANT_Z: f64 = 7.0;

/// The comparison of a quadratic map with held-out samples.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::learn) struct HoldoutTest {
    /// Samples compared.
    pub count: u64,
    /// Greatest z-score of a second cumulant.
    pub second: f64,
    /// Greatest z-score of a third cumulant.
    pub third: f64,
    /// Greatest z-score of the characteristic function.
    pub characteristic: f64,
    /// The difference of characteristic functions along a direction that so many rows would have shown nine times in ten.
    pub detectable: f64,
    /// Relative residual of the second and third cumulants along all directions, each in units of its own
    /// power of the standard deviation.
    pub rel_residual: f64,
}

impl HoldoutTest {
    /// Compares `map` with the rows that `split` holds out, along the columns of `directions` (`d x m`).
    ///
    /// `inflation` is the variance of a statistic that comes from the error of the model itself, in units of
    /// its sampling variance on the held-out rows; `noise` is the standard deviation of Gaussian noise on each
    /// output that the law includes.
    pub(in crate::learn) fn run(
        map: &QuadraticMap,
        samples: &Samples,
        split: Split,
        directions: MatRef<'_, f64>,
        (inflation, noise): (f64, &[f64]),
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let laws = Laws::of(map, directions, noise)?;
        let sums = laws.gather(samples, split, observer)?;
        Ok(laws.compare(&sums, inflation))
    }

    /// The test as evidence with its bounds.
    pub fn checks(&self) -> Vec<Check> {
        vec![
            Check::reported(
                "quadratic.held-out-samples",
                "held-out samples",
                self.count as f64,
            ),
            Check::sampling(
                "quadratic.held-out-second",
                "held-out second cumulants: greatest z-score",
                self.second,
                MAX_CUMULANT_Z,
            ),
            Check::sampling(
                "quadratic.held-out-third",
                "held-out third cumulants: greatest z-score",
                self.third,
                MAX_CUMULANT_Z,
            ),
            Check::sampling(
                "quadratic.held-out-characteristic",
                "held-out characteristic function: greatest z-score",
                self.characteristic,
                MAX_Z,
            ),
            Check::reported(
                "quadratic.held-out-detectable",
                "difference of characteristic functions that so many held-out rows would have shown, nine times in ten",
                self.detectable,
            ),
        ]
    }
}

/// The law of the model along each direction, standardised to mean zero and variance one.
struct Laws {
    /// `d x m`, divided by the standard deviations.
    weights: Mat<f64>,
    shift: Vec<f64>,
    third: Vec<f64>,
    /// Variances of a second and of a third sample cumulant, times the number of samples, under the law.
    spread: Vec<[f64; 2]>,
    /// Real and imaginary part at each frequency, and the variances of cosine and sine under the law, direction after
    /// direction.
    characteristic: Vec<[f64; 4]>,
}

/// Sums over held-out rows, for each direction.
struct Sums {
    count: u64,
    /// Power sums of orders `1..=POWERS`.
    powers: Vec<[f64; POWERS]>,
    /// Sums of cosine and sine at each frequency.
    waves: Vec<[f64; 2]>,
}

impl Laws {
    fn of(map: &QuadraticMap, directions: MatRef<'_, f64>, noise: &[f64]) -> Result<Self, Error> {
        let (d, m) = (directions.nrows(), directions.ncols());
        let mut laws = Self {
            weights: Mat::zeros(d, m),
            shift: Vec::with_capacity(m),
            third: Vec::with_capacity(m),
            spread: Vec::with_capacity(m),
            characteristic: Vec::with_capacity(m * FREQUENCIES.len()),
        };
        for k in 0..m {
            let w: Vec<f64> = (0..d).map(|a| directions[(a, k)]).collect();
            let mut form = map.combination(&w);
            let cumulants = form.cumulants(POWERS);
            let extra: f64 = w.iter().zip(noise).map(|(w, s)| (w * s).powi(2)).sum();
            let sd = (cumulants[1].max(0.0) + extra).sqrt();
            if !(sd > 0.0) {
                let hypothesis =
                    "a model whose outputs vary (standard deviation along a test direction)";
                return Err(Error::degenerate(OP, hypothesis, sd));
            }
            form.constant -= cumulants[0];
            let at: Vec<f64> = FREQUENCIES.iter().map(|t| t / sd).collect();
            let twice: Vec<f64> = at.iter().map(|t| 2.0 * t).collect();
            let (once, twice) = (form.characteristic(&at)?, form.characteristic(&twice)?);
            let damped = once.iter().zip(&twice).zip(&at).map(|((c, c2), t)| {
                let c = c * (-0.5 * t * t * extra).exp();
                let re2 = c2.re * (-2.0 * t * t * extra).exp();
                // cos^2 = (1 + cos 2) / 2, sin^2 = (1 - cos 2) / 2.
                let cosine = 0.5 * (1.0 + re2) - c.re * c.re;
                let sine = 0.5 * (1.0 - re2) - c.im * c.im;
                [c.re, c.im, cosine, sine]
            });
            laws.characteristic.extend(damped);
            laws.third.push(cumulants[2] / sd.powi(3));
            // Cumulants from the third on do not see the noise; the variance is one.
            let unit = |k: usize| cumulants[k - 1] / sd.powi(k as i32);
            let (k3, k4, k6) = (unit(3), unit(4), unit(6));
            let m4 = k4 + 3.0;
            let m6 = k6 + 15.0 * k4 + 10.0 * k3 * k3 + 15.0;
            laws.spread.push([m4 - 1.0, m6 - k3 * k3 + 9.0 - 6.0 * m4]);
            laws.shift.push(cumulants[0] / sd);
            (0..d).for_each(|a| laws.weights[(a, k)] = w[a] / sd);
        }
        Ok(laws)
    }

    fn gather(
        &self,
        samples: &Samples,
        split: Split,
        observer: Observer<'_>,
    ) -> Result<Sums, Error> {
        let m = self.shift.len();
        let mut sums = Sums {
            count: 0,
            powers: vec![[0.0; POWERS]; m],
            waves: vec![[0.0; 2]; m * FREQUENCIES.len()],
        };
        let total = samples.rows() as u64;
        for chunk in samples.chunks(ROWS) {
            let chunk = chunk?;
            let p = Progress::of("held-out test", chunk.first_row as u64, total);
            if observer(&p).is_break() {
                return Err(Error::Stopped { op: OP });
            }
            let d = chunk.columns;
            let mut rows = Vec::new();
            for (i, row) in chunk.data.chunks_exact(d).enumerate() {
                if split.holds_out((chunk.first_row + i) as u64) {
                    rows.extend_from_slice(row);
                }
            }
            let n = rows.len() / d;
            let s = MatRef::from_row_major_slice(&rows, n, d) * &self.weights;
            sums.count += n as u64;
            for k in 0..m {
                for i in 0..n {
                    let x = s[(i, k)] - self.shift[k];
                    let mut power = 1.0;
                    for slot in &mut sums.powers[k] {
                        power *= x;
                        *slot += power;
                    }
                    for (f, t) in FREQUENCIES.iter().enumerate() {
                        let (sin, cos) = (t * x).sin_cos();
                        let w = &mut sums.waves[k * FREQUENCIES.len() + f];
                        w[0] += cos;
                        w[1] += sin;
                    }
                }
            }
        }
        Ok(sums)
    }

    fn compare(&self, sums: &Sums, inflation: f64) -> HoldoutTest {
        let n = sums.count as f64;
        let z = |gap: f64, variance: f64| {
            let error = (variance.max(0.0) * (1.0 + inflation) / n).sqrt();
            // A statistic without any spread must be met exactly, up to rounding.
            if error > 1e-12 {
                gap.abs() / error
            } else if gap.abs() < 1e-9 {
                0.0
            } else {
                f64::INFINITY
            }
        };
        let (mut second, mut third, mut characteristic) = (0.0f64, 0.0f64, 0.0f64);
        let (mut gaps, mut norms) = (0.0, 0.0);
        for (k, powers) in sums.powers.iter().enumerate() {
            let m = central(powers, n);
            let k3 = m[3];
            // The variances of the law or those of the sample, whichever is greater: few samples of heavy tails show
            // less spread than they have, and outliers more.
            let variance = (m[4] - m[2] * m[2]).max(self.spread[k][0]);
            second = worst(second, z(m[2] - 1.0, variance));
            let variance = m[6] - m[3] * m[3] + 9.0 * m[2].powi(3) - 6.0 * m[4] * m[2];
            third = worst(
                third,
                z(k3 - self.third[k], variance.max(self.spread[k][1])),
            );
            gaps += (m[2] - 1.0).powi(2) + (k3 - self.third[k]).powi(2);
            norms += m[2].powi(2) + k3.powi(2);
            for f in 0..FREQUENCIES.len() {
                let w = sums.waves[k * FREQUENCIES.len() + f];
                let law = self.characteristic[k * FREQUENCIES.len() + f];
                for part in 0..2 {
                    let gap = w[part] / n - law[part];
                    characteristic = worst(characteristic, z(gap, law[part + 2]));
                }
            }
        }
        let rel_residual = if norms > 0.0 {
            (gaps / norms).sqrt()
        } else {
            f64::NAN
        };
        HoldoutTest {
            count: sums.count,
            second,
            third,
            characteristic,
            detectable: (MAX_Z + SEEN) * (0.5 * (1.0 + inflation) / n).sqrt(),
            rel_residual,
        }
    }
}

/// The greater of the two; NaN stays.
fn worst(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

/// Central moments of orders `0..=POWERS` from power sums.
fn central(powers: &[f64; POWERS], n: f64) -> [f64; POWERS + 1] {
    let raw = |k: usize| if k == 0 { 1.0 } else { powers[k - 1] / n };
    let mean = raw(1);
    let mut out = [0.0; POWERS + 1];
    for (order, slot) in out.iter_mut().enumerate() {
        let mut binomial = 1.0;
        for j in 0..=order {
            *slot += binomial * raw(order - j) * (-mean).powi(j as i32);
            binomial = binomial * (order - j) as f64 / (j + 1) as f64;
        }
    }
    out
}
