//! Polynomials as data (serde) and as source text of other systems.

use super::vars::Vars;
use crate::poly::coefficients::rational::{Integer, Rational};
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Display;
use std::str::FromStr;

/// `[[exponents, "coefficient"], ..]`, greatest term first.
type Terms = Vec<(Vec<u32>, String)>;

fn to_terms<C: Ring + Display>(p: &Poly<C>) -> Terms {
    p.terms().map(|(e, c)| (e, c.to_string())).collect()
}

fn from_terms<C: Ring + FromStr>(terms: Terms) -> Result<Poly<C>, String> {
    let read = |(e, c): (Vec<u32>, String)| {
        // Decimal text is read in more than linear time: a megabyte is a million digits.
        let value = if c.len() > 1_000_000 {
            None
        } else {
            c.parse().ok()
        };
        let value =
            value.ok_or_else(|| format!("a coefficient, found {}", crate::error::quoted(&c)));
        if e.len() > 4096 {
            return Err("at most 4096 variables".to_owned());
        }
        value.map(|v| (e, v))
    };
    let terms = terms
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Poly::from_terms(terms))
}

macro_rules! as_data {
    ($($c:ty),*) => {$(
        impl Serialize for Poly<$c> {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                to_terms(self).serialize(s)
            }
        }
        impl<'de> Deserialize<'de> for Poly<$c> {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                from_terms(Terms::deserialize(d)?).map_err(D::Error::custom)
            }
        }
    )*};
}
as_data!(Integer, Rational);

/// Signed terms with the coefficient written by `number` and a factor by `power`.
fn written(
    p: &Poly<Rational>,
    vars: &Vars,
    times: &str,
    number: impl Fn(&Rational) -> String,
    power: impl Fn(&str, u32) -> String,
) -> String {
    let mut text = String::new();
    for (n, (e, c)) in p.terms().enumerate() {
        text += match (n, c.signum() < 0) {
            (0, true) => "-",
            (0, false) => "",
            (_, true) => " - ",
            (_, false) => " + ",
        };
        let size = c.abs();
        let mut factors = Vec::new();
        let constant = e.iter().all(|&k| k == 0);
        if constant || size != Rational::from(1) {
            factors.push(number(&size));
        }
        for (v, &k) in e.iter().enumerate().filter(|&(_, &k)| k > 0) {
            factors.push(power(&vars.name(v), k));
        }
        text += &factors.join(times);
    }
    if text.is_empty() {
        "0".to_owned()
    } else {
        text
    }
}

impl Poly<Rational> {
    /// LaTeX source: `\frac{1}{2} x^{2} y - 1`; names of several letters are set upright.
    pub fn to_latex(&self, vars: &Vars) -> String {
        let number = |c: &Rational| match c.is_integer() {
            true => c.to_string(),
            false => format!("\\frac{{{}}}{{{}}}", c.numerator(), c.denominator()),
        };
        let power = |name: &str, k: u32| {
            let safe = name.replace('_', "\\_");
            let name = if name.len() == 1 {
                safe
            } else {
                format!("\\mathrm{{{safe}}}")
            };
            if k == 1 {
                name
            } else {
                format!("{name}^{{{k}}}")
            }
        };
        written(self, vars, " ", number, power)
    }

    /// A Python expression with exact values: `Fraction(1, 2)*x**2*y - 1` (from `fractions`).
    pub fn to_python(&self, vars: &Vars) -> String {
        let number = |c: &Rational| match c.is_integer() {
            true => c.to_string(),
            false => format!("Fraction({}, {})", c.numerator(), c.denominator()),
        };
        let power = |name: &str, k: u32| match k {
            1 => name.to_owned(),
            k => format!("{name}**{k}"),
        };
        written(self, vars, "*", number, power)
    }
}

#[cfg(test)]
mod tests {
    use super::super::vars::Vars;
    use crate::poly::coefficients::rational::Rational;
    use crate::poly::polynomial::value::Poly;

    #[test]
    fn data_and_source_text() -> Result<(), Box<dyn std::error::Error>> {
        let mut vars = Vars::new();
        let p = Poly::<Rational>::parse("x^2*y/2 - 1 - 3*y1", &mut vars)?;
        assert_eq!(
            p.to_latex(&vars),
            "\\frac{1}{2} x^{2} y - 3 \\mathrm{y1} - 1"
        );
        assert_eq!(p.to_python(&vars), "Fraction(1, 2)*x**2*y - 3*y1 - 1");
        let text = serde_json::to_string(&p)?;
        assert_eq!(serde_json::from_str::<Poly<Rational>>(&text)?, p);
        assert!(serde_json::from_str::<Poly<Rational>>("[[[1],\"1/0\"]]").is_err());
        Ok(())
    }
}
