//! Dual kernels: `E[f(u) f(v)]` of two correlated normals, in closed form where there is one.

use super::activation::Activation;
use crate::Error;
use std::f64::consts::PI;

/// Degree of the Mehler series used where no closed form exists.
const SERIES_DEGREE: usize = 200;

/// The covariance of a pair of centred normals.
///
/// See [`dual_kernel`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairLaw {
    /// `E u^2`.
    pub uu: f64,
    /// `E u v`.
    pub uv: f64,
    /// `E v^2`.
    pub vv: f64,
}

impl PairLaw {
    /// A pair of standard normals of correlation `rho`.
    pub fn standard(rho: f64) -> Self {
        Self {
            uu: 1.0,
            uv: rho,
            vv: 1.0,
        }
    }

    fn check(&self, op: &'static str) -> Result<(), Error> {
        let Self { uu, uv, vv } = *self;
        if let Some(index) = [uu, uv, vv].iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        // A correlation may pass 1 by rounding of its three entries, not by more.
        if uu > 0.0 && vv > 0.0 && uv.abs() <= (uu * vv).sqrt() * (1.0 + 8.0 * f64::EPSILON) {
            return Ok(());
        }
        Err(Error::invalid(
            op,
            format!("needs positive variances and |uv| <= sqrt(uu vv), got {uu}, {uv}, {vv}"),
        ))
    }

    fn correlation(&self) -> f64 {
        (self.uv / (self.uu * self.vv).sqrt()).clamp(-1.0, 1.0)
    }

    /// The angle of the correlation, from the half-angle form: `acos` would lose half of the digits at both ends.
    fn angle(&self) -> f64 {
        let (u, v) = (self.uu.sqrt(), self.vv.sqrt());
        let scale = self.uv / (u * v);
        2.0 * (0.5 * (1.0 - scale))
            .max(0.0)
            .sqrt()
            .atan2((0.5 * (1.0 + scale)).max(0.0).sqrt())
    }
}

/// `E[f(u) f(v)]`: arc-cosine kernels for `relu` and `abs`, arcsine laws for `sign`, `step`, `erf`, exact sums
/// for polynomials, a Mehler series of degree 200 for the rest.
///
/// # Errors
/// `InvalidInput` when the pair is not a covariance with positive variances, `NonFinite`.
///
/// # Accuracy
/// Closed forms: a few ulp of the largest value the kernel takes on these variances, and relative for
/// `relu` also towards correlation -1. Series: the bound of [`super::series::HermiteSeries::mehler`].
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{Activation, PairLaw, dual_kernel};
/// // u and v independent: (E relu)^2 = 1 / (2 pi).
/// let k = dual_kernel(&Activation::Relu, PairLaw::standard(0.0))?;
/// assert!((k - 0.5 / std::f64::consts::PI).abs() < 1e-15);
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn dual_kernel(f: &Activation, pair: PairLaw) -> Result<f64, Error> {
    let op = "dual_kernel";
    pair.check(op)?;
    let deviations = pair.uu.sqrt() * pair.vv.sqrt();
    let rho = pair.correlation();
    Ok(match f {
        Activation::Relu => deviations / (2.0 * PI) * lune(PI - pair.angle()),
        Activation::Abs => {
            let angle = pair.angle();
            deviations / PI * (lune(PI - angle) + lune(angle))
        }
        Activation::Sign => 1.0 - 2.0 / PI * pair.angle(),
        Activation::Step => 0.5 - pair.angle() / (2.0 * PI),
        Activation::Erf => 2.0 / PI * (pair.uv / ((1.0 + pair.uu) * (1.0 + pair.vv)).sqrt()).asin(),
        Activation::Polynomial(a) => {
            let degree = a.len().saturating_sub(1);
            let (su, sv) = (
                f.hermite(degree, pair.uu.sqrt())?,
                f.hermite(degree, pair.vv.sqrt())?,
            );
            su.mehler(&sv, rho).0
        }
        _ => {
            let su = f.hermite(SERIES_DEGREE, pair.uu.sqrt())?;
            let sv = f.hermite(SERIES_DEGREE, pair.vv.sqrt())?;
            su.mehler(&sv, rho).0
        }
    })
}

/// `E[f'(u) f'(v)]`, the derivative of [`dual_kernel`] in `uv` (Price's theorem). For `sign` and `step` the
/// derivatives are point masses and the kernel is that of their distributional product, which is infinite
/// at correlation `+-1`.
///
/// # Errors
/// As [`dual_kernel`].
pub fn derivative_kernel(f: &Activation, pair: PairLaw) -> Result<f64, Error> {
    let op = "derivative_kernel";
    pair.check(op)?;
    let root = || (pair.uu * pair.vv - pair.uv * pair.uv).max(0.0).sqrt();
    Ok(match f {
        Activation::Relu => dual_kernel(&Activation::Step, pair)?,
        Activation::Abs => dual_kernel(&Activation::Sign, pair)?,
        Activation::Sign => 2.0 / PI / root(),
        Activation::Step => 0.5 / PI / root(),
        Activation::Erf => {
            let square = (1.0 + pair.uu) * (1.0 + pair.vv) - pair.uv * pair.uv;
            2.0 / PI / square.sqrt()
        }
        Activation::Polynomial(a) => {
            let slopes = a.iter().enumerate().skip(1).map(|(k, a)| k as f64 * a);
            dual_kernel(&Activation::Polynomial(slopes.collect()), pair)?
        }
        _ => {
            let (s, t) = (pair.uu.sqrt(), pair.vv.sqrt());
            let su = f.hermite(SERIES_DEGREE, s)?.derivative(s);
            let sv = f.hermite(SERIES_DEGREE, t)?.derivative(t);
            let rho = pair.correlation();
            su.iter()
                .zip(&sv)
                .rev()
                .fold(0.0, |sum, (a, b)| sum * rho + a * b)
        }
    })
}

/// `sin(p) - p cos(p)`, without cancellation for small `p`: the area that arc-cosine kernels measure.
fn lune(p: f64) -> f64 {
    if p > 0.5 {
        return p.sin() - p * p.cos();
    }
    // sum_{n>=1} (-1)^(n+1) 2n p^(2n+1) / (2n+1)!
    let square = p * p;
    let (mut power, mut sum) = (p, 0.0);
    for n in 1..12 {
        let n2 = f64::from(2 * n);
        power *= -square / (n2 * (n2 + 1.0));
        sum -= n2 * power;
    }
    sum
}

/// The general Mehler kernel `sum_m t^m / m! <H_m(x), H_m(y)>` over all Hermite tensors of dimension `d`, `|t| < 1`:
/// `(1-t^2)^(-d/2) exp((2 t <x,y> - t^2 (|x|^2 + |y|^2)) / (2 (1-t^2)))`.
///
/// # Errors
/// `Shape` when the points differ in dimension, `InvalidInput` when `|t| >= 1`, `NonFinite`.
pub fn mehler_kernel(x: &[f64], y: &[f64], t: f64) -> Result<f64, Error> {
    let op = "mehler_kernel";
    if x.len() != y.len() {
        return Err(Error::shape(
            op,
            format!("{} coordinates", x.len()),
            y.len().to_string(),
        ));
    }
    if let Some(index) = x.iter().chain(y).position(|v| !v.is_finite()) {
        return Err(Error::NonFinite { op, index });
    }
    let rest = (1.0 - t) * (1.0 + t);
    if !(t.abs() < 1.0) {
        return Err(Error::invalid(op, format!("needs |t| < 1, got {t}")));
    }
    let inner: f64 = x.iter().zip(y).map(|(a, b)| a * b).sum();
    let squares: f64 = x.iter().chain(y).map(|a| a * a).sum();
    let exponent =
        (2.0 * t * inner - t * t * squares) / (2.0 * rest) - 0.5 * x.len() as f64 * rest.ln();
    Ok(exponent.exp())
}

#[cfg(test)]
mod tests {
    use super::super::activation::Activation;
    use super::{PairLaw, derivative_kernel, dual_kernel};

    #[test]
    fn closed_forms_agree_with_the_mehler_series() -> Result<(), crate::Error> {
        let pair = PairLaw {
            uu: 0.8,
            uv: -0.5,
            vv: 1.7,
        };
        let rho = pair.correlation();
        for f in [
            Activation::Relu,
            Activation::Abs,
            Activation::Sign,
            Activation::Step,
            Activation::Erf,
        ] {
            let (su, sv) = (
                f.hermite(160, pair.uu.sqrt())?,
                f.hermite(160, pair.vv.sqrt())?,
            );
            let (series, bound) = su.mehler(&sv, rho);
            let closed = dual_kernel(&f, pair)?;
            assert!(
                (series - closed).abs() <= bound + 1e-14,
                "{f:?} {series} {closed} {bound}"
            );
            // Price: the derivative in uv is the kernel of the derivative.
            let h = 1e-5;
            let moved = |e: f64| {
                dual_kernel(
                    &f,
                    PairLaw {
                        uv: pair.uv + e,
                        ..pair
                    },
                )
            };
            let slope = (moved(h)? - moved(-h)?) / (2.0 * h);
            // Central difference: h^2 times a third derivative below 10, and rounding eps / h.
            assert!((slope - derivative_kernel(&f, pair)?).abs() < 1e-8, "{f:?}");
        }
        assert!(dual_kernel(&Activation::Relu, PairLaw::standard(1.1)).is_err());
        assert!(dual_kernel(&Activation::Relu, PairLaw::standard(f64::NAN)).is_err());
        assert_eq!(
            dual_kernel(&Activation::Relu, PairLaw::standard(-1.0))?,
            0.0
        );
        Ok(())
    }
}
