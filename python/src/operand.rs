//! The class `wickring.Poly` and how operands with different variables come together.

use crate::error::OrRaise;
use crate::observe::budgeted;
use num_rational::BigRational;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::sync::OnceLock;
use wickring::poly::{Compiled, Poly as Inner, Rational, Vars};

/// A polynomial and the names of its variables, in the order of its exponents.
#[pyclass(frozen, module = "wickring._native")]
pub struct Poly {
    pub p: Inner<Rational>,
    pub names: Vec<String>,
    compiled: OnceLock<Compiled>,
}

/// `x2` before `x10`: letters, then the number at the end.
pub fn natural(name: &str) -> (&str, usize, &str) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[stem.len()..].trim_start_matches('0');
    (stem, number.len(), number)
}

/// An exact number.
pub fn rational(x: &Bound<'_, PyAny>) -> PyResult<Rational> {
    let value: BigRational = x.extract().map_err(|_| {
        let text =
            format!("an int or a Fraction is needed, got {x}: Fraction(x) of a float is exact");
        PyTypeError::new_err(text)
    })?;
    Ok(Rational::from(value))
}

/// The number as a `Fraction`.
pub fn fraction(x: &Rational) -> BigRational {
    BigRational::from(x)
}

impl Poly {
    /// A polynomial with names for at least its variables.
    pub fn of(p: Inner<Rational>, names: Vec<String>) -> Self {
        let compiled = OnceLock::new();
        Self { p, names, compiled }
    }

    /// Another polynomial in the same variables.
    pub fn same(&self, p: Inner<Rational>) -> Self {
        Self::of(p, self.names.clone())
    }

    /// The names, as texts need them.
    pub fn vars(&self) -> Vars {
        Vars::fixed(self.names.iter().cloned())
    }

    /// The number of the variable `name`.
    pub fn index(&self, name: &str) -> PyResult<usize> {
        let found = self.names.iter().position(|n| n == name);
        found.ok_or_else(|| {
            PyKeyError::new_err(format!("no variable {name} among {:?}", self.names))
        })
    }

    /// The polynomial in variables numbered as in `names`, which holds all of its own.
    pub fn within(&self, py: Python<'_>, names: &[String]) -> PyResult<Inner<Rational>> {
        if names.starts_with(&self.names) {
            return Ok(self.p.clone());
        }
        let place = |n: &String| names.iter().position(|m| m == n).unwrap_or(names.len());
        let places: Vec<usize> = self.names.iter().map(place).collect();
        self.p.renamed(&places).or_raise(py)
    }

    /// As [`Poly::within`] for names that may lack some, which must then not occur.
    pub fn restricted(&self, py: Python<'_>, names: &[String]) -> PyResult<Inner<Rational>> {
        for (name, degree) in self.names.iter().zip(self.p.degrees()) {
            if degree > 0 && !names.contains(name) {
                return Err(PyKeyError::new_err(format!(
                    "{name} occurs and is not among {names:?}"
                )));
            }
        }
        self.within(py, names)
    }

    /// All names of several polynomials, those of the first one first.
    pub fn union(all: &[&Self]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in all.iter().flat_map(|p| &p.names) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Text that is the same for equal polynomials whatever the order of their variables.
    pub fn canonical(&self, py: Python<'_>) -> PyResult<String> {
        let degrees = self.p.degrees();
        let used = |i: usize| degrees.get(i).is_some_and(|&k| k > 0);
        let mut names: Vec<String> = self.names.clone();
        names.sort_by_key(|n| !self.index(n).is_ok_and(used));
        let count = (0..self.names.len()).filter(|&i| used(i)).count();
        names[..count].sort();
        let p = self.within(py, &names)?;
        Ok(p.display(&Vars::fixed(names)).to_string())
    }

    /// The polynomial compiled, once.
    pub fn program(&self, py: Python<'_>) -> PyResult<&Compiled> {
        if self.compiled.get().is_none() {
            let made = self.p.compile().or_raise(py)?;
            let _ = self.compiled.set(made);
        }
        let absent = || PyValueError::new_err("no program");
        self.compiled.get().ok_or_else(absent)
    }
}

/// The other operand: a polynomial, or a number as a constant; `None` for anything else.
pub enum Operand<'py> {
    Poly(Bound<'py, Poly>),
    Number(Box<Poly>),
}

impl<'py> Operand<'py> {
    /// See [`Operand`].
    pub fn of(x: &Bound<'py, PyAny>) -> Option<Self> {
        if let Ok(p) = x.cast::<Poly>() {
            return Some(Self::Poly(p.clone()));
        }
        let c = x.extract::<BigRational>().ok()?;
        let constant = Poly::of(Inner::constant(Rational::from(c)), Vec::new());
        Some(Self::Number(Box::new(constant)))
    }

    /// The polynomial.
    pub fn get(&self) -> &Poly {
        match self {
            Self::Poly(p) => p.get(),
            Self::Number(p) => p,
        }
    }
}

/// Products of more terms than this are formed where Ctrl-C is heard.
const LONG: usize = 1 << 16;

impl Poly {
    /// `f` of two operands in one order of variables, or `NotImplemented`.
    pub fn combine<'py>(
        &self,
        other: &Bound<'py, PyAny>,
        f: impl FnOnce(Python<'py>, &Inner<Rational>, &Inner<Rational>) -> PyResult<Inner<Rational>>,
    ) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Some(other) = Operand::of(other) else {
            return Ok(py.NotImplemented());
        };
        let names = Self::union(&[self, other.get()]);
        let (a, b) = (self.within(py, &names)?, other.get().within(py, &names)?);
        let p = Self::of(f(py, &a, &b)?, names);
        Ok(Py::new(py, p)?.into_any())
    }

    /// Two polynomials in one order of variables.
    pub fn pair(
        &self,
        py: Python<'_>,
        other: &Self,
    ) -> PyResult<(Inner<Rational>, Inner<Rational>, Vec<String>)> {
        let names = Self::union(&[self, other]);
        Ok((self.within(py, &names)?, other.within(py, &names)?, names))
    }
}

/// A product; a long one can be stopped by Ctrl-C.
pub fn product(
    py: Python<'_>,
    a: &Inner<Rational>,
    b: &Inner<Rational>,
) -> PyResult<Inner<Rational>> {
    if a.len().saturating_mul(b.len()) < LONG {
        return a.mul_within(b, &Default::default()).or_raise(py);
    }
    budgeted(py, None, |budget| a.mul_within(b, budget))
}
