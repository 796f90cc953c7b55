//! Polynomial activations and their Hermite coefficients at any length of the weight.

use crate::Error;
use crate::error::quoted;
use crate::poly::{Budget, Poly, Rational, Vars};

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

    /// Reads a polynomial in one variable, such as `0.5*x - 3*x + x^3` or `He3 - 0.5*He1`.
    ///
    /// The variable is one letter; `He0`, `He1`, .. are the probabilists' Hermite polynomials of it
    /// (`He2 = x^2 - 1`). No other name has a meaning here, so none is taken for a variable.
    ///
    /// # Errors
    /// `Parse`; `InvalidInput` when there are several variables, for any other name, or as
    /// [`PolynomialActivation::new`].
    ///
    /// # Example
    /// ```
    /// use wickring::learn::two_layer::PolynomialActivation;
    /// let sigma = PolynomialActivation::parse("x^3 - 3*x")?;
    /// assert_eq!(sigma.coefficients(), [0.0, -3.0, 0.0, 1.0]);
    /// assert_eq!(sigma.hermite(1.0), [0.0, 0.0, 0.0, 1.0]); // it is He_3
    /// assert_eq!(PolynomialActivation::parse("He3")?, sigma);
    /// assert!(PolynomialActivation::parse("tanh").is_err());
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let op = "PolynomialActivation::parse";
        if let Some(name) = called(text) {
            let text = format!(
                "'{name}(' is no part of a polynomial: write the coefficients, as a0+a1*x+a2*x^2, or Hermite \
                 polynomials without their variable, as He3-0.5*He1"
            );
            return Err(Error::invalid(op, text));
        }
        let mut vars = Vars::new();
        let p = Poly::<Rational>::parse(text, &mut vars)?;
        let orders = meanings(op, vars.names())?;
        let degree = |row: &[u32]| -> u64 {
            let each = row.iter().zip(&orders);
            each.map(|(&e, &k)| u64::from(e) * k.unwrap_or(1) as u64)
                .sum()
        };
        let found = p.terms().map(|(row, _)| degree(&row)).max().unwrap_or(0);
        if found > MAX_EVALUATED as u64 {
            let text =
                format!("a polynomial of degree at most {MAX_EVALUATED}, got degree {found}");
            return Err(Error::invalid(op, text));
        }
        let images: Vec<Poly<Rational>> = orders
            .iter()
            .map(|k| k.map_or_else(|| Poly::from_terms([(vec![1], Rational::from(1))]), hermite))
            .collect();
        let p = p.compose(&images, &Budget::default())?;
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

/// A name of letters and digits that stands right before an opening parenthesis.
fn called(text: &str) -> Option<&str> {
    let open = text.match_indices('(').map(|(at, _)| text[..at].trim_end());
    let word = |before: &'_ str| {
        let tail = |c: char| c.is_alphanumeric() || c == '_';
        before.trim_end_matches(tail).len()
    };
    open.map(|before| &before[word(before)..])
        .find(|name| name.starts_with(char::is_alphabetic))
}

/// What each name stands for: the order of a Hermite polynomial, or `None` for the variable.
fn meanings(op: &'static str, names: &[String]) -> Result<Vec<Option<usize>>, Error> {
    let mut variable: Option<&str> = None;
    let mut orders = Vec::with_capacity(names.len());
    for name in names {
        let order = name.strip_prefix("He").map(|k| k.trim_start_matches('_'));
        match order.and_then(|k| k.parse::<usize>().ok()) {
            Some(k) if k <= MAX_EVALUATED => orders.push(Some(k)),
            Some(k) => {
                let text = format!("He{k} is beyond the greatest degree, {MAX_EVALUATED}");
                return Err(Error::invalid(op, text));
            }
            None => {
                if name.chars().count() > 1 {
                    let text = format!(
                        "the name {} is not known: an activation is a polynomial in one variable of one letter, \
                         as a0+a1*x+a2*x^2, or of Hermite polynomials, as He3-0.5*He1 (relu has a learner of \
                         its own)",
                        quoted(name)
                    );
                    return Err(Error::invalid(op, text));
                }
                if variable.is_some() {
                    let text = "a polynomial in one variable, as a0+a1*x+a2*x^2";
                    return Err(Error::invalid(op, text));
                }
                variable = Some(name);
                orders.push(None);
            }
        }
    }
    Ok(orders)
}

/// `He_k`, by `He_{k+1} = x He_k - k He_{k-1}`.
fn hermite(k: usize) -> Poly<Rational> {
    let mut rows = [vec![1i64], vec![0, 1]].map(|r| r.into_iter().map(Rational::from).collect());
    for j in 1..k.max(1) {
        let [before, last]: [Vec<Rational>; 2] = rows;
        let mut next = vec![Rational::from(0)];
        next.extend(last.iter().cloned());
        let by = Rational::from(j as i64);
        for (n, b) in next.iter_mut().zip(&before) {
            *n -= &(b * &by);
        }
        rows = [last, next];
    }
    let [first, last] = rows;
    let row = if k == 0 { first } else { last };
    Poly::from_terms((0u32..).zip(row).map(|(e, c)| (vec![e], c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_or_refused() {
        let of = |text: &str| PolynomialActivation::parse(text);
        let same = |a: &str, b: &str| assert_eq!(of(a).ok(), of(b).ok(), "{a} against {b}");
        same("He3", "x^3-3*x");
        same("He5 - 2*He_1 + He0", "x^5-10*x^3+13*x+1");
        same("He6", "z^6-15*z^4+45*z^2-15");
        same("He2^2 + t", "t^4-2*t^2+1+t");
        assert!(of("He3").is_ok() && of("He2^2 + t").is_ok());
        let refused = [
            "tanh", "relu", "he3", "H3", "x1", "x*y", "sin(x)", "He3(x)", "He65", "He9^8", "xx",
            "0*gelu+x",
        ];
        for text in refused {
            let error = of(text).err().map(|e| e.to_string());
            assert!(error.is_some(), "{text}");
        }
        let words = of("tanh").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            words.contains("tanh") && words.contains("one variable"),
            "{words}"
        );
    }
}
