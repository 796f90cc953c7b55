//! Polynomial activations and their Hermite coefficients at any length of the weight.

use crate::Error;
use crate::poly::{Poly, Rational, Vars};

/// Greatest degree of an activation that is learnt.
pub const MAX_DEGREE: usize = 8;
/// Greatest degree of an activation that is evaluated.
const MAX_EVALUATED: usize = 64;

/// `sigma(z) = a_0 + a_1 z + .. + a_m z^m` with `a_m != 0`.
///
/// Invariant: between 1 and 65 finite coefficients, the last one not zero unless it is the only one.
///
/// For a weight of length `rho` the neuron has the expansion
///
/// ```text
/// sigma(<w, x>) = sum_k b_k(rho) <H_k(x), w^k>,     b_k(rho) = sum_j a_{k+2j} (k+2j)! / (k! j! 2^j) rho^{2j}
/// ```
///
/// with the unnormalised Hermite tensors `H_k`; the top coefficient `b_m = a_m` does not depend on `rho`.
#[derive(Clone, Debug, PartialEq)]
pub struct PolynomialActivation {
    coefficients: Vec<f64>,
}

impl PolynomialActivation {
    /// An activation from its coefficients, lowest first; zeros at the top are dropped.
    ///
    /// # Errors
    /// `InvalidInput` without coefficients or with a degree above 64, `NonFinite`.
    pub fn new(mut coefficients: Vec<f64>) -> Result<Self, Error> {
        let op = "PolynomialActivation::new";
        if let Some(index) = coefficients.iter().position(|a| !a.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        while coefficients.len() > 1 && coefficients.last() == Some(&0.0) {
            coefficients.pop();
        }
        if !(1..=MAX_EVALUATED + 1).contains(&coefficients.len()) {
            let found = coefficients.len();
            let text = format!("1 to {} coefficients, got {found}", MAX_EVALUATED + 1);
            return Err(Error::invalid(op, text));
        }
        Ok(Self { coefficients })
    }

    /// Reads a polynomial in one variable, such as `0.5*x - 3*x + x^3`.
    ///
    /// # Errors
    /// `Parse`; `InvalidInput` when there are several variables, or as [`PolynomialActivation::new`].
    ///
    /// # Example
    /// ```
    /// use wickring::learn::two_layer::PolynomialActivation;
    /// let sigma = PolynomialActivation::parse("x^3 - 3*x")?;
    /// assert_eq!(sigma.coefficients(), [0.0, -3.0, 0.0, 1.0]);
    /// assert_eq!(sigma.hermite(1.0), [0.0, 0.0, 0.0, 1.0]); // it is He_3
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let op = "PolynomialActivation::parse";
        let mut vars = Vars::new();
        let p = Poly::<Rational>::parse(text, &mut vars)?;
        if p.nvars() > 1 {
            return Err(Error::invalid(
                op,
                "a polynomial in one variable, as a0+a1*x+a2*x^2",
            ));
        }
        if p.total_degree() > MAX_EVALUATED as u64 {
            let found = p.total_degree();
            let text =
                format!("a polynomial of degree at most {MAX_EVALUATED}, got degree {found}");
            return Err(Error::invalid(op, text));
        }
        let degree = p.degree(0);
        Self::new((0..=degree).map(|k| p.coefficient(&[k]).to_f64()).collect())
    }

    /// The coefficients, lowest first.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The degree `m`.
    pub fn degree(&self) -> usize {
        self.coefficients.len() - 1
    }

    /// `a_m`.
    pub fn leading(&self) -> f64 {
        self.coefficients[self.degree()]
    }

    /// Whether only even or only odd powers occur.
    pub fn has_parity(&self) -> bool {
        let other = |k: usize| k % 2 != self.degree() % 2;
        let all = self.coefficients.iter().enumerate();
        all.filter(|(k, _)| other(*k)).all(|(_, a)| *a == 0.0)
    }

    /// `sigma(z)` and `sigma'(z)`.
    pub fn at(&self, z: f64) -> (f64, f64) {
        let start = (0.0, 0.0);
        let step = |(v, d): (f64, f64), a: &f64| (v * z + a, d * z + v);
        self.coefficients.iter().rev().fold(start, step)
    }

    /// `b_0(rho), .., b_m(rho)`.
    pub fn hermite(&self, rho: f64) -> Vec<f64> {
        let factorial = |k: usize| (1..=k).fold(1.0, |f, j| f * j as f64);
        let square = rho * rho;
        (0..=self.degree())
            .map(|k| {
                (0..=(self.degree() - k) / 2)
                    .map(|j| {
                        let l = k + 2 * j;
                        let share = factorial(l) / (factorial(k) * factorial(j));
                        self.coefficients[l] * share * (square / 2.0).powi(j as i32)
                    })
                    .sum()
            })
            .collect()
    }
}
