//! Gaussian averages of polynomial activations, derived once over the rationals and compiled.
//!
//! For `z ~ N(0, C)` and a polynomial `g` the closed equations of online learning need
//!
//! ```text
//! I2(a,b) = E g(z_a) g(z_b)        J2(a,b) = E g'(z_a) g'(z_b)
//! K2(a,b) = E g''(z_a) g(z_b)      I4(a,b,c,d) = E g'(z_a) g'(z_b) g(z_c) g(z_d)
//! ```
//!
//! Each is a polynomial in the entries of `C`, by `E z_i f = sum_j C_ij E d_j f` (Wick). The polynomial is
//! formed with the entries as variables, written in whichever of `C_ii` and `C_ii - 1` takes fewer terms
//! (Hermite activations are short in the latter), and compiled.

use crate::Error;
use crate::poly::{Poly, Rational, Ring};
use crate::theory::straight_line::HornerProgram;
use std::collections::HashMap;

/// Terms that a derived average may have before it is refused.
const MAX_TERMS: usize = 100_000;

/// `E prod_i f_i(z_i)` for univariate polynomials `f_i`, as a polynomial in the entries of the covariance.
///
/// Variable `i + j*(j+1)/2` (for `i <= j`) is `C_ij`; see [`entry`].
///
/// # Shapes
/// `factors[i]` lists the coefficients of `f_i`, constant first.
///
/// # Errors
/// `LimitExceeded` when the result has more than 100 000 terms: the degree is too high.
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Rational};
/// use wickring::theory::{entry, symbolic_average};
/// let x = vec![Rational::from(0), Rational::from(1)];
/// // E z_0 z_1 = C_01
/// assert_eq!(symbolic_average(&[x.clone(), x])?, Poly::variable(entry(0, 1)));
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn symbolic_average(factors: &[Vec<Rational>]) -> Result<Poly<Rational>, Error> {
    let mut known = HashMap::new();
    let mut sum = Poly::zero();
    let mut exponents = vec![0usize; factors.len()];
    loop {
        let mut weight = Rational::from_i64(1);
        for (f, &e) in factors.iter().zip(&exponents) {
            match f.get(e) {
                Some(c) => weight *= c,
                None => weight = Rational::from_i64(0),
            }
        }
        if !num_traits::Zero::is_zero(&weight) {
            sum += &moment(&exponents, &mut known)?.scale(&weight);
        }
        // Odometer over all exponent vectors.
        let full = |i: &usize| exponents[*i] + 1 >= factors[*i].len();
        let Some(i) = (0..factors.len()).find(|i| !full(i)) else {
            return Ok(sum);
        };
        exponents[i] += 1;
        exponents[..i].fill(0);
    }
}

/// The variable that stands for `C_ij`.
pub fn entry(i: usize, j: usize) -> usize {
    let (low, high) = (i.min(j), i.max(j));
    low + high * (high + 1) / 2
}

/// `E prod z_i^e_i` in symbolic covariances.
fn moment(
    exponents: &[usize],
    known: &mut HashMap<Vec<usize>, Poly<Rational>>,
) -> Result<Poly<Rational>, Error> {
    if exponents.iter().sum::<usize>() % 2 == 1 {
        return Ok(Poly::zero());
    }
    let Some(i) = exponents.iter().position(|&e| e > 0) else {
        return Ok(Poly::constant(Rational::from_i64(1)));
    };
    if let Some(p) = known.get(exponents) {
        return Ok(p.clone());
    }
    let mut rest = exponents.to_vec();
    rest[i] -= 1;
    let mut sum = Poly::zero();
    for j in 0..rest.len() {
        if rest[j] == 0 {
            continue;
        }
        let mut fewer = rest.clone();
        fewer[j] -= 1;
        let times = Rational::from_i64(rest[j] as i64);
        let pair = Poly::variable(entry(i, j)).scale(&times);
        sum += &pair.checked_mul(&moment(&fewer, known)?)?;
    }
    if sum.len() > MAX_TERMS {
        return Err(Error::limit(
            "theory::symbolic_average",
            "terms",
            MAX_TERMS as u64,
        ));
    }
    known.insert(exponents.to_vec(), sum.clone());
    Ok(sum)
}

/// A compiled average together with the variables in which it is written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::theory) struct Average {
    code: HornerProgram,
    /// What is subtracted from the diagonal entries before the code runs: 0 or 1.
    pub(in crate::theory) shift: f64,
}

impl Average {
    /// Compiles the average of `factors` in the shorter of its two forms.
    pub(in crate::theory) fn of(factors: &[Vec<Rational>]) -> Result<Self, Error> {
        let raw = symbolic_average(factors)?;
        let inputs = factors.len() * (factors.len() + 1) / 2;
        let shifted = shift_diagonal(&raw, factors.len());
        if shifted.as_ref().is_some_and(|p| p.len() < raw.len()) {
            let code = HornerProgram::compile(&shifted.unwrap_or(raw), inputs)?;
            return Ok(Self { code, shift: 1.0 });
        }
        let code = HornerProgram::compile(&raw, inputs)?;
        Ok(Self { code, shift: 0.0 })
    }

    /// The straight-line code, in entries less `shift` on the diagonal.
    pub(in crate::theory) fn code(&self) -> &HornerProgram {
        &self.code
    }
}

/// `p` with `C_ii` replaced by `1 + C_ii`; `None` when the detour would be large.
fn shift_diagonal(p: &Poly<Rational>, size: usize) -> Option<Poly<Rational>> {
    if p.len() > 5_000 {
        return None;
    }
    let one = Rational::from_i64(1);
    let mut shifted = p.clone();
    for i in 0..size {
        // Taylor: p(x + 1) = sum_k p^(k)(x) / k!.
        let (mut derivative, mut factorial) = (shifted.clone(), one.clone());
        for k in 1.. {
            derivative = derivative.derivative(entry(i, i));
            if derivative.is_zero() {
                break;
            }
            factorial *= &Rational::from_i64(k);
            shifted += &derivative.scale(&factorial.recip()?);
        }
    }
    Some(shifted)
}

/// The coefficients of the derivative.
pub(in crate::theory) fn derivative(p: &[Rational]) -> Vec<Rational> {
    let scaled = |(k, c): (usize, &Rational)| {
        let mut c = c.clone();
        c *= &Rational::from_i64(k as i64);
        c
    };
    p.iter().enumerate().skip(1).map(scaled).collect()
}
