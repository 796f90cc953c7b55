//! Hermite coefficients of activations with the irrational factor kept symbolic, and to any number of digits.

use super::activation::Activation;
use super::expansion::HermiteExpansion;
use crate::Error;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::polynomial::value::Poly;
use num_traits::One;

const OP: &str = "ExactCoefficient";
/// Most digits, and the largest degree of an exact series.
const MAX_DIGITS: u32 = 10_000;
const MAX_DEGREE: u32 = 10_000;

/// `a + b / sqrt(u pi)` with rational `a`, `b` and `u` in `{1, 2}`: the Hermite coefficient `E[f(z) He_k(z)]` of every activation
/// with a closed form.
///
/// # Example
/// ```
/// use wickring::poly::gaussian::{Activation, exact_hermite};
/// let relu = exact_hermite(&Activation::Relu, 4)?;
/// assert_eq!(relu[0].to_string(), "1/sqrt(2 pi)");
/// assert_eq!(relu[4].normalised_decimal(4, 20)?, "-0.081433751983819986931");
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactCoefficient {
    /// The rational part `a`.
    pub rational: Rational,
    /// The factor `b` of `1 / sqrt(u pi)`.
    pub irrational: Rational,
    /// `u`: 1 or 2.
    pub under_root: u32,
}

/// `E[f(z) He_k(z)]` for `k = 0..=degree`, exactly.
///
/// `relu`: `1/sqrt(2 pi)`, `1/2`, `He_{k-2}(0)/sqrt(2 pi)`; `step`: `1/2`, `He_{k-1}(0)/sqrt(2 pi)`; `|x| = 2 relu - x`,
/// `sign = 2 step - 1`; `erf(x/sqrt 2)`: `(-1/4)^j (2j)!/j! / sqrt(pi)` at `k = 2j + 1`; polynomials: rational, from the exact values
/// of their float coefficients.
///
/// # Errors
/// `InvalidInput` for an activation without a closed form, `NonFinite` for a coefficient that is not finite,
/// `LimitExceeded` above degree 10000.
pub fn exact_hermite(f: &Activation, degree: u32) -> Result<Vec<ExactCoefficient>, Error> {
    if degree > MAX_DEGREE {
        return Err(Error::limit("exact_hermite", "degree", MAX_DEGREE.into()));
    }
    let zero = Rational::default;
    let make = |rational, irrational, under_root| ExactCoefficient {
        rational,
        irrational,
        under_root,
    };
    let from = |k: u32, offset: u32| {
        if k >= offset {
            hermite_at_zero(k - offset)
        } else {
            zero()
        }
    };
    let half = Rational::new(1, 2).unwrap_or_default();
    let list = 0..=degree;
    Ok(match f {
        Activation::Relu | Activation::Abs => {
            let both = matches!(f, Activation::Abs);
            let factor = Rational::from(if both { 2 } else { 1 });
            let line = |k| match k {
                0 => make(zero(), factor.clone(), 2),
                1 if both => make(zero(), zero(), 2),
                1 => make(half.clone(), zero(), 2),
                k => make(zero(), &factor * &from(k, 2), 2),
            };
            list.map(line).collect()
        }
        Activation::Step | Activation::Sign => {
            let sign = matches!(f, Activation::Sign);
            let factor = Rational::from(if sign { 2 } else { 1 });
            let line = |k| match k {
                0 if sign => make(zero(), zero(), 2),
                0 => make(half.clone(), zero(), 2),
                k => make(zero(), &factor * &from(k, 1), 2),
            };
            list.map(line).collect()
        }
        Activation::Erf => {
            let quarter = Rational::new(1, 2).unwrap_or_default();
            // (-1/4)^j (2j)!/j! = He_{2j}(0) 2^{-j}.
            let line = |k: u32| match k % 2 {
                0 => make(zero(), zero(), 1),
                _ => make(zero(), &from(k, 1) * &quarter.pow(k / 2), 1),
            };
            list.map(line).collect()
        }
        Activation::Polynomial(a) => of_polynomial(a, degree)?,
        other => {
            return Err(Error::invalid(
                "exact_hermite",
                format!("{other:?} has no closed form; use HermiteSeries::from_fn"),
            ));
        }
    })
}

/// The coefficients of a polynomial, lowest power first.
fn of_polynomial(a: &[f64], degree: u32) -> Result<Vec<ExactCoefficient>, Error> {
    let exact: Option<Vec<Rational>> = a.iter().map(|&x| Rational::from_f64(x)).collect();
    let index = a.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let exact = exact.ok_or(Error::NonFinite {
        op: "exact_hermite",
        index,
    })?;
    let p = Poly::from_terms(
        exact
            .into_iter()
            .enumerate()
            .map(|(k, c)| (vec![k as u32], c)),
    );
    let h = HermiteExpansion::from_poly(&p)?;
    let mut factorial = Rational::from(1);
    let line = |k: u32| {
        factorial *= &Rational::from(i64::from(k.max(1)));
        ExactCoefficient {
            rational: &h.coefficient(&[k]) * &factorial,
            irrational: Rational::default(),
            under_root: 1,
        }
    };
    Ok((0..=degree).map(line).collect())
}

/// `He_n(0) = (-1)^(n/2) (n-1)!!` for even `n`, else 0.
pub fn hermite_at_zero(n: u32) -> Rational {
    if n % 2 == 1 {
        return Rational::default();
    }
    let odd = (1..n)
        .step_by(2)
        .fold(Integer::one(), |p, k| p * Integer::from(k));
    Rational::from(if n % 4 == 2 { -odd } else { odd })
}

impl ExactCoefficient {
    /// The nearest float, up to two ulp.
    pub fn to_f64(&self) -> f64 {
        let root = (f64::from(self.under_root) * std::f64::consts::PI).sqrt();
        self.rational.to_f64() + self.irrational.to_f64() / root
    }

    /// `(a + b / sqrt(u pi)) / sqrt(k!)`, the coefficient in the orthonormal basis, rounded to `digits` significant digits (ties to
    /// even cannot occur: the value is irrational or short).
    ///
    /// # Errors
    /// `LimitExceeded` for more than 10000 digits or a degree above 10000, `InvalidInput` when both parts are nonzero (no closed form has that).
    pub fn normalised_decimal(&self, k: u32, digits: u32) -> Result<String, Error> {
        if digits > MAX_DIGITS || digits == 0 || k > MAX_DEGREE {
            return Err(Error::limit(OP, "digits", MAX_DIGITS.into()));
        }
        let zero = Rational::default();
        let (part, under) = match (self.rational == zero, self.irrational == zero) {
            (true, true) => return Ok("0".to_owned()),
            (false, true) => (&self.rational, None),
            (true, false) => (&self.irrational, Some(self.under_root)),
            (false, false) => {
                return Err(Error::invalid(
                    OP,
                    "needs a value that is rational or a multiple of 1/sqrt(u pi)",
                ));
            }
        };
        // The value is sign * sqrt(n / d) with n, d integers but for pi.
        let factorial = (1..=k).fold(Integer::one(), |f, j| f * Integer::from(j));
        let numerator = part.numerator().clone() * part.numerator();
        let mut denominator = part.denominator().clone() * part.denominator() * factorial;
        // Enough guard digits for the size of the value and for pi.
        let size = decimal_length(&numerator).abs_diff(decimal_length(&denominator));
        let work = digits as usize + size + 30;
        let mut scaled = numerator * power_of_ten(2 * work);
        if let Some(u) = under {
            scaled *= power_of_ten(2 * work);
            denominator = denominator * Integer::from(u) * scaled_pi(2 * work);
        }
        let root = integer_sqrt(&(scaled / denominator));
        let sign = if part.signum() < 0 { "-" } else { "" };
        Ok(format!(
            "{sign}{}",
            significant(&root, work, digits as usize)
        ))
    }
}

impl std::fmt::Display for ExactCoefficient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let root = if self.under_root == 1 {
            "pi".to_owned()
        } else {
            format!("{} pi", self.under_root)
        };
        match (
            self.rational == Rational::default(),
            self.irrational == Rational::default(),
        ) {
            (_, true) => write!(f, "{}", self.rational),
            (true, false) => write!(f, "{}/sqrt({root})", self.irrational),
            (false, false) => write!(f, "{} + {}/sqrt({root})", self.rational, self.irrational),
        }
    }
}

fn power_of_ten(n: usize) -> Integer {
    Integer::from(10).pow(n)
}

fn decimal_length(value: &Integer) -> usize {
    value.to_string().trim_start_matches('-').len()
}

/// The integer part of the square root of a non-negative integer, by Newton's method from above.
fn integer_sqrt(value: &Integer) -> Integer {
    let mut x = power_of_ten(decimal_length(value).div_ceil(2));
    // From above Newton's method falls until it stands; the start is within a factor of ten.
    for _ in 0..200_000 {
        let next = (&x + value / &x) / Integer::from(2);
        if next >= x {
            break;
        }
        x = next;
    }
    x
}

/// `pi * 10^digits`, off by less than 10^10 units: Machin's formula with ten guard digits.
fn scaled_pi(digits: usize) -> Integer {
    let guard = power_of_ten(10);
    let unit = power_of_ten(digits + 10);
    (arctan_inverse(5, &unit) * Integer::from(16) - arctan_inverse(239, &unit) * Integer::from(4))
        / guard
}

/// `unit * arctan(1/q)`.
fn arctan_inverse(q: i64, unit: &Integer) -> Integer {
    let square = Integer::from(q * q);
    let mut power = unit / Integer::from(q);
    let mut sum = power.clone();
    let mut k = 1i64;
    while power != Integer::ZERO {
        power /= &square;
        k += 2;
        let term = &power / Integer::from(k);
        sum = if k % 4 == 3 { sum - term } else { sum + term };
    }
    sum
}

/// `value * 10^-scale` with the given number of significant digits, trailing zeros kept off.
fn significant(value: &Integer, scale: usize, digits: usize) -> String {
    let text = value.to_string();
    let drop = text.len().saturating_sub(digits);
    let rounded = (value + power_of_ten(drop) / Integer::from(2)) / power_of_ten(drop);
    let mut text = rounded.to_string();
    let places = scale - drop.min(scale);
    if text.len() <= places {
        text = format!("{}{text}", "0".repeat(places + 1 - text.len()));
    }
    let (whole, fraction) = text.split_at(text.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}
