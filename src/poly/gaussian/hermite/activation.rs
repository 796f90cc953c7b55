//! Activations of neural networks: values, derivatives, closed-form Hermite coefficients.

use super::series::HermiteSeries;
use crate::Error;
use crate::poly::gaussian::special::erf;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

const OP: &str = "Activation::hermite";

/// A function of one variable whose Gaussian integrals are known in closed form, or [`Activation::Tanh`]
/// and [`Activation::Sigmoid`], which are integrated.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `|x|`.
    Abs,
    /// `-1`, `0` or `1`.
    Sign,
    /// 0 below 0, 1 above, 1/2 at 0.
    Step,
    /// `erf(x / sqrt(2))`.
    Erf,
    /// `a_0 + a_1 x + a_2 x^2 + ..`.
    Polynomial(Vec<f64>),
    /// `tanh(x)`.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

impl Activation {
    /// The activation of that name (`relu`, `abs`, `sign`, `step`, `erf`, `tanh`, `sigmoid`).
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "relu" => Self::Relu,
            "abs" => Self::Abs,
            "sign" => Self::Sign,
            "step" => Self::Step,
            "erf" => Self::Erf,
            "tanh" => Self::Tanh,
            "sigmoid" => Self::Sigmoid,
            _ => return None,
        })
    }

    /// The value at `x`.
    pub fn eval(&self, x: f64) -> f64 {
        match self {
            Self::Relu => x.max(0.0),
            Self::Abs => x.abs(),
            Self::Sign if x == 0.0 => 0.0,
            Self::Sign => x.signum(),
            Self::Step => 0.5 * (1.0 + Self::Sign.eval(x)),
            Self::Erf => erf(x * FRAC_1_SQRT_2),
            Self::Polynomial(a) => a.iter().rev().fold(0.0, |sum, a| sum * x + a),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => 0.5 * (1.0 + (0.5 * x).tanh()),
        }
    }

    /// The derivative at `x`; away from the jumps for `sign` and `step`, and the mean of both sides at a
    /// kink.
    pub fn derivative(&self, x: f64) -> f64 {
        match self {
            Self::Relu => Self::Step.eval(x),
            Self::Abs => Self::Sign.eval(x),
            Self::Sign | Self::Step => 0.0,
            Self::Erf => (2.0 / PI).sqrt() * (-0.5 * x * x).exp(),
            Self::Polynomial(a) => {
                let slopes = a.iter().enumerate().skip(1).rev();
                slopes.fold(0.0, |sum, (k, a)| sum * x + k as f64 * a)
            }
            Self::Tanh => {
                let t = x.tanh();
                1.0 - t * t
            }
            Self::Sigmoid => {
                let t = (0.5 * x).tanh();
                0.25 * (1.0 - t * t)
            }
        }
    }

    /// The orthonormal Hermite coefficients `a_k = E[f(s z) He_k(z)] / sqrt(k!)` for `k = 0..=degree`.
    ///
    /// # Errors
    /// `InvalidInput` when `scale` (the standard deviation `s`) is not positive and finite or the degree
    /// is above 1000 (only for `tanh` and `sigmoid`), `NonFinite` for a coefficient of a polynomial that is not
    /// finite.
    ///
    /// # Accuracy
    /// Closed forms: `k * eps` relative. `tanh`, `sigmoid`: 1e-14 absolute for `s <= 5`.
    ///
    /// # Example
    /// ```
    /// use wickring::poly::gaussian::Activation;
    /// let s = Activation::Sign.hermite(9, 1.0)?;
    /// assert_eq!(s.coefficients[2], 0.0);
    /// assert!((s.coefficients[1].powi(2) - 2.0 / std::f64::consts::PI).abs() < 1e-15);
    /// assert_eq!(s.second_moment, 1.0);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn hermite(&self, degree: usize, scale: f64) -> Result<HermiteSeries, Error> {
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(Error::invalid(
                OP,
                format!("the scale must be positive, got {scale}"),
            ));
        }
        let coefficients = match self {
            Self::Relu | Self::Abs => half_line(degree, scale, matches!(self, Self::Abs)),
            Self::Sign | Self::Step => jump(degree, matches!(self, Self::Sign)),
            Self::Erf => erf_coefficients(degree, scale),
            Self::Polynomial(a) => {
                if let Some(index) = a.iter().position(|x| !x.is_finite()) {
                    return Err(Error::NonFinite { op: OP, index });
                }
                polynomial_coefficients(a, degree, scale)
            }
            Self::Tanh | Self::Sigmoid => {
                return HermiteSeries::from_fn(|x| self.eval(x), &[], degree, scale);
            }
        };
        let second_moment = self.second_moment(scale);
        Ok(HermiteSeries {
            coefficients,
            second_moment,
            error: 0.0,
        })
    }

    /// `E f(s z)^2` of the closed forms.
    fn second_moment(&self, scale: f64) -> f64 {
        let s2 = scale * scale;
        match self {
            Self::Relu => 0.5 * s2,
            Self::Abs => s2,
            Self::Sign => 1.0,
            Self::Step => 0.5,
            Self::Erf => 2.0 / PI * (s2 / (1.0 + s2)).asin(),
            Self::Polynomial(a) => {
                let all = polynomial_coefficients(a, a.len().saturating_sub(1), scale);
                all.iter().map(|a| a * a).sum()
            }
            // Integrated, never asked for.
            Self::Tanh | Self::Sigmoid => f64::NAN,
        }
    }
}

/// `relu`: `He_{k-2}(0) / sqrt(2 pi k!)` for `k >= 2`; `|x| = 2 relu(x) - x`.
fn half_line(degree: usize, scale: f64, both: bool) -> Vec<f64> {
    let mut a = vec![0.0; degree + 1];
    let unit = scale / (2.0 * PI).sqrt() * if both { 2.0 } else { 1.0 };
    a[0] = unit;
    if let (Some(slot), false) = (a.get_mut(1), both) {
        *slot = 0.5 * scale;
    }
    // a_{k+2} / a_k = -(k-1) / sqrt((k+1)(k+2)); the step from 0 to 2 follows the same rule.
    for k in (0..degree.saturating_sub(1)).step_by(2) {
        let n = k as f64;
        a[k + 2] = -a[k] * (n - 1.0) / ((n + 1.0) * (n + 2.0)).sqrt();
    }
    a
}

/// `step`: `He_{k-1}(0) / sqrt(2 pi k!)` for `k >= 1`; `sign = 2 step - 1`.
fn jump(degree: usize, sign: bool) -> Vec<f64> {
    let mut a = vec![0.0; degree + 1];
    let unit = if sign { 2.0 } else { 1.0 } / (2.0 * PI).sqrt();
    a[0] = if sign { 0.0 } else { 0.5 };
    if let Some(slot) = a.get_mut(1) {
        *slot = unit;
    }
    for k in (1..degree.saturating_sub(1)).step_by(2) {
        let n = k as f64;
        a[k + 2] = -a[k] * n / ((n + 1.0) * (n + 2.0)).sqrt();
    }
    a
}

/// `erf(s z / sqrt 2)`: with `q = s^2 / (2 (1 + s^2))`, `E[f He_{2j+1}] = sqrt(2/pi) s / sqrt(1+s^2)
/// (-q)^j (2j)! / j!`, because `E f'(s (z + m))` is a Gaussian in `m`.
fn erf_coefficients(degree: usize, scale: f64) -> Vec<f64> {
    let mut a = vec![0.0; degree + 1];
    let share = scale / scale.hypot(1.0);
    if let Some(slot) = a.get_mut(1) {
        *slot = (2.0 / PI).sqrt() * share;
    }
    for k in (1..degree.saturating_sub(1)).step_by(2) {
        let n = k as f64;
        a[k + 2] = -a[k] * share * share * n / ((n + 1.0) * (n + 2.0)).sqrt();
    }
    a
}

/// `x^n = sum_k n! / (2^k k! (n-2k)!) He_{n-2k}`, one power at a time by `x h_k = sqrt(k+1) h_{k+1} +
/// sqrt(k) h_{k-1}` (Horner): all that is added has the sign of the coefficients of `f`.
fn polynomial_coefficients(a: &[f64], degree: usize, scale: f64) -> Vec<f64> {
    let mut h = vec![0.0; a.len().max(degree + 1) + 1];
    for (done, coefficient) in a.iter().rev().enumerate() {
        let mut raised = vec![0.0; h.len()];
        for k in 0..=done.min(h.len() - 2) {
            let x = scale * h[k];
            raised[k + 1] += x * ((k + 1) as f64).sqrt();
            if k > 0 {
                raised[k - 1] += x * (k as f64).sqrt();
            }
        }
        h = raised;
        h[0] += coefficient;
    }
    h.truncate(degree + 1);
    h
}

#[cfg(test)]
mod tests {
    use super::super::series::HermiteSeries;
    use super::Activation;

    #[test]
    fn closed_forms_agree_with_panels() -> Result<(), crate::Error> {
        let all = ["relu", "abs", "sign", "step", "erf"];
        let mut list: Vec<_> = all
            .iter()
            .filter_map(|n| Activation::from_name(n))
            .collect();
        assert_eq!(list.len(), all.len());
        list.push(Activation::Polynomial(vec![1.0, -0.5, 0.25, 2.0, -0.125]));
        for f in list {
            for scale in [0.3, 1.0, 2.5] {
                let closed = f.hermite(30, scale)?;
                let panels = HermiteSeries::from_fn(|x| f.eval(x), &[0.0], 30, scale)?;
                let size = closed.second_moment.sqrt();
                for (k, (a, b)) in closed
                    .coefficients
                    .iter()
                    .zip(&panels.coefficients)
                    .enumerate()
                {
                    assert!(
                        (a - b).abs() < 2e-14 * size,
                        "{f:?} at {scale}, {k}: {a} {b}"
                    );
                }
                let gap = (closed.second_moment - panels.second_moment).abs();
                // The density at z has a relative error of z^2 eps / 2, at most 98 eps at the cut.
                assert!(
                    gap < 100.0 * f64::EPSILON * closed.second_moment,
                    "{f:?} at {scale}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn short_series_and_bad_scales() -> Result<(), crate::Error> {
        for degree in 0..4 {
            for f in [
                Activation::Relu,
                Activation::Sign,
                Activation::Erf,
                Activation::Polynomial(vec![]),
            ] {
                assert_eq!(f.hermite(degree, 1.0)?.coefficients.len(), degree + 1);
                assert!(f.hermite(degree, 0.0).is_err() && f.hermite(degree, f64::NAN).is_err());
            }
        }
        Ok(())
    }
}
