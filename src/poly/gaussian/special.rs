//! The error function and the normal law, in floats.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Below this the power series converges in fewer than 60 positive terms; above it the continued fraction
/// of `erfc` needs fewer than 60 steps (both counted, not estimated).
const SERIES_BELOW: f64 = 2.5;
const STEPS: u32 = 200;

/// `erf(x) = 2/sqrt(pi) * integral_0^x exp(-t^2) dt`; odd, `+-1` at infinity, NaN for NaN.
///
/// # Accuracy
/// Relative error below `8 eps`.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{erf, erfc};
/// assert!((erf(1.0) - 0.842_700_792_949_714_9).abs() < 1e-15);
/// assert!((erf(0.3) + erfc(0.3) - 1.0).abs() < 1e-15);
/// ```
pub fn erf(x: f64) -> f64 {
    if x.abs() < SERIES_BELOW {
        return erf_series(x);
    }
    (1.0 - erfc_tail(x.abs())) * x.signum()
}

/// `erfc(x) = 1 - erf(x)` without cancellation for large positive `x`.
///
/// # Accuracy
/// Relative error below `64 eps` plus that of `exp(-x^2)`; underflows to 0 beyond `x = 27.2`.
pub fn erfc(x: f64) -> f64 {
    match x {
        _ if (0.5..SERIES_BELOW).contains(&x) => erfc_middle(x),
        _ if x.abs() < SERIES_BELOW => 1.0 - erf_series(x),
        _ if x < 0.0 => 2.0 - erfc_tail(-x),
        _ => erfc_tail(x),
    }
}

/// The distribution function of the standard normal law.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// The density of the standard normal law.
pub fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// `erf(x) = 2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!`: all terms have one sign.
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..STEPS {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
        if term.abs() <= 1e-17 * sum.abs() {
            break;
        }
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// `exp(-x^2)` with the rounding error of `x^2` put back: without it the relative error grows like `x^2`.
fn exp_minus_square(x: f64) -> f64 {
    let square = x * x;
    let error = x.mul_add(x, -square);
    (-square).exp() * (1.0 - error)
}

/// The continued fraction `erfc(x) = exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ..))))`,
/// evaluated from the back.
fn erfc_fraction(x: f64, steps: u32) -> f64 {
    let mut tail = x;
    for k in (1..=steps).rev() {
        tail = x + 0.5 * f64::from(k) / tail;
    }
    exp_minus_square(x) / (PI.sqrt() * tail)
}

fn erfc_tail(x: f64) -> f64 {
    match x {
        _ if x.is_nan() => x,
        _ if x > 28.0 => 0.0,
        _ => erfc_fraction(x, 80),
    }
}

/// Between 1/2 and 5/2 `1 - erf` would cancel; the fraction converges like `exp(-2 sqrt(2 steps) x)`.
fn erfc_middle(x: f64) -> f64 {
    let steps = (180.0 / (x * x)).ceil();
    erfc_fraction(x, steps as u32 + 20)
}

#[cfg(test)]
mod tests {
    use super::{erf, erfc, normal_cdf};

    #[test]
    fn known_values() {
        // Values from tables to 17 digits.
        for (x, e, c) in [
            (0.1, 0.112_462_916_018_284_89, 0.887_537_083_981_715),
            (0.5, 0.520_499_877_813_046_5, 0.479_500_122_186_953_5),
            (1.5, 0.966_105_146_475_310_8, 0.033_894_853_524_689_27),
            (2.4, 0.999_311_486_103_355, 6.885_138_966_450_786e-4),
            (3.0, 0.999_977_909_503_001_4, 2.209_049_699_858_544e-5),
            (10.0, 1.0, 2.088_487_583_762_545e-45),
        ] {
            assert!((erf(x) / e - 1.0).abs() < 8.0 * f64::EPSILON, "erf {x}");
            assert!(
                (erfc(x) / c - 1.0).abs() < 64.0 * f64::EPSILON,
                "erfc {x} {}",
                erfc(x) / c - 1.0
            );
            assert_eq!(erf(-x), -erf(x));
        }
        assert_eq!(erf(f64::INFINITY), 1.0);
        assert_eq!(erfc(f64::INFINITY), 0.0);
        assert_eq!(normal_cdf(0.0), 0.5);
        assert!(erf(f64::NAN).is_nan() && erfc(f64::NAN).is_nan());
    }
}
