//! Polynomials as text that reads back.

use super::vars::Vars;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use std::fmt;

/// A polynomial together with the names of its variables.
pub(in crate::poly) struct Shown<'a, C: Ring> {
    pub(in crate::poly) poly: &'a Poly<C>,
    pub(in crate::poly) vars: &'a Vars,
}

impl<C: Ring + fmt::Display> fmt::Display for Shown<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.poly.is_zero() {
            return f.write_str("0");
        }
        for (n, (exponents, coefficient)) in self.poly.terms().enumerate() {
            let text = coefficient.to_string();
            // A coefficient that is itself a sum needs brackets; a leading minus becomes the sign of the term.
            let compound = text.chars().skip(1).any(|c| matches!(c, '+' | '-' | ' '));
            let (negative, size) = match text.strip_prefix('-') {
                Some(rest) if !compound => (true, rest),
                _ => (false, text.as_str()),
            };
            f.write_str(match (n, negative) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            })?;
            let mut factors = Vec::new();
            let constant = exponents.iter().all(|&e| e == 0);
            if compound {
                factors.push(format!("({size})"));
            } else if constant || size != "1" {
                factors.push(size.to_owned());
            }
            for (i, &e) in exponents.iter().enumerate().filter(|&(_, &e)| e > 0) {
                let name = self.vars.name(i);
                factors.push(if e == 1 { name } else { format!("{name}^{e}") });
            }
            f.write_str(&factors.join("*"))?;
        }
        Ok(())
    }
}
