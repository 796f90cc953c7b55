//! `wickring.Poly`: exact polynomials over the rationals with names for their variables.

use crate::error::OrRaise;
use crate::observe::budgeted;
use crate::operand::{Operand, Poly, fraction, natural, product, rational};
use num_rational::BigRational;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyTypeError, PyValueError, PyZeroDivisionError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use wickring::poly::gaussian::HermiteExpansion;
use wickring::poly::{Poly as Inner, Rational, Vars};

#[pymethods]
impl Poly {
    /// Reads a polynomial such as `x^2*y/2 - 3` or `(x + y)**4`, or takes a number; `names` fixes the variables.
    #[new]
    #[pyo3(signature = (expression, names = None))]
    fn new(expression: &Bound<'_, PyAny>, names: Option<Vec<String>>) -> PyResult<Self> {
        let py = expression.py();
        if let Ok(p) = expression.cast::<Self>() {
            let p = p.get();
            let names = names.unwrap_or_else(|| p.names.clone());
            return Ok(Self::of(p.restricted(py, &names)?, names));
        }
        let Ok(text) = expression.extract::<String>() else {
            let c = rational(expression)?;
            return Ok(Self::of(Inner::constant(c), names.unwrap_or_default()));
        };
        let names = match names {
            Some(names) => names,
            None => {
                let mut found = Vars::new();
                budgeted(py, None, |b| {
                    Inner::<Rational>::parse_within(&text, &mut found, b)
                })?;
                let mut names = found.names().to_vec();
                names.sort_by(|a, b| natural(a).cmp(&natural(b)));
                names
            }
        };
        let mut vars = Vars::fixed(names.iter().cloned());
        let p = budgeted(py, None, |b| Inner::parse_within(&text, &mut vars, b))?;
        Ok(Self::of(p, names))
    }

    /// `{exponents: coefficient}` and the names of the variables; in one variable exponents may be ints.
    #[classmethod]
    fn from_dict(
        _: &Bound<'_, PyType>,
        terms: &Bound<'_, PyDict>,
        names: Vec<String>,
    ) -> PyResult<Self> {
        let mut all = Vec::new();
        for (exponents, coefficient) in terms {
            let e: Vec<u32> = match exponents.extract::<u32>() {
                Ok(k) => vec![k],
                Err(_) => exponents.extract()?,
            };
            if e.len() > names.len() && e[names.len()..].iter().any(|&k| k > 0) {
                let text = format!("{} exponents for {} names", e.len(), names.len());
                return Err(PyValueError::new_err(text));
            }
            all.push((e, rational(&coefficient)?));
        }
        Ok(Self::of(Inner::from_terms(all), names))
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn __str__(&self) -> String {
        self.p.display(&self.vars()).to_string()
    }
    fn __repr__(&self) -> String {
        format!("Poly('{}')", self.__str__())
    }
    fn to_latex(&self) -> String {
        self.p.to_latex(&self.vars())
    }
    fn _repr_latex_(&self) -> String {
        format!("${}$", self.to_latex())
    }
    fn to_python(&self) -> String {
        self.p.to_python(&self.vars())
    }

    fn __len__(&self) -> usize {
        self.p.len()
    }
    fn __bool__(&self) -> bool {
        !self.p.is_zero()
    }
    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        if self.p.is_constant() {
            return fraction(&self.p.coefficient(&[])).into_pyobject(py)?.hash();
        }
        let mut hasher = DefaultHasher::new();
        self.canonical(py)?.hash(&mut hasher);
        Ok(hasher.finish() as isize)
    }
    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (Operand::of(other), op) else {
            return Ok(py.NotImplemented());
        };
        let (a, b, _) = self.pair(py, other.get())?;
        let answer = (a == b) == matches!(op, CompareOp::Eq);
        Ok(answer.into_pyobject(py)?.to_owned().into_any().unbind())
    }
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>, Vec<String>))> {
        let parts = (slf.get().to_dict(slf.py())?, slf.get().names());
        Ok((slf.get_type().getattr("from_dict")?, parts))
    }

    fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |_, a, b| Ok(a + b))
    }
    fn __radd__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |_, a, b| Ok(a + b))
    }
    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |_, a, b| Ok(a - b))
    }
    fn __rsub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |_, a, b| Ok(b - a))
    }
    fn __mul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, product)
    }
    fn __rmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, product)
    }
    fn __neg__(&self) -> Self {
        self.same(-&self.p)
    }
    fn __pos__(&self) -> Self {
        self.same(self.p.clone())
    }
    fn __pow__(&self, py: Python<'_>, exponent: u32, modulo: Option<u32>) -> PyResult<Self> {
        if modulo.is_some() {
            return Err(PyTypeError::new_err(
                "powers modulo something are not offered",
            ));
        }
        let power = budgeted(py, None, |b| self.p.pow_within(exponent, b))?;
        Ok(self.same(power))
    }
    /// Division by a number; by a polynomial it must be exact.
    fn __truediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |py, a, b| {
            if b.is_zero() {
                return Err(PyZeroDivisionError::new_err("division by zero"));
            }
            let quotient = budgeted(py, None, |budget| a.divide_exact(b, budget))?;
            let inexact = || PyValueError::new_err("the division leaves a remainder");
            quotient.ok_or_else(inexact)
        })
    }

    /// `[(exponents, coefficient), ..]`, greatest term first.
    fn terms<'py>(&self, py: Python<'py>) -> PyResult<Vec<(Bound<'py, PyTuple>, BigRational)>> {
        let width = self.names.len();
        let term = |(mut e, c): (Vec<u32>, Rational)| {
            e.resize(width.max(e.len()), 0);
            Ok((PyTuple::new(py, e)?, fraction(&c)))
        };
        self.p.terms().map(term).collect()
    }
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (e, c) in self.terms(py)? {
            dict.set_item(e, c)?;
        }
        Ok(dict)
    }
    fn coefficient(&self, exponents: Vec<u32>) -> BigRational {
        fraction(&self.p.coefficient(&exponents))
    }
    /// The total degree, or that in one variable; 0 for zero.
    #[pyo3(signature = (name = None))]
    fn degree(&self, name: Option<&str>) -> PyResult<u64> {
        match name {
            None => Ok(self.p.total_degree()),
            Some(name) => Ok(self.p.degree(self.index(name)?).into()),
        }
    }
    #[pyo3(signature = (name, times = 1))]
    fn diff(&self, name: &str, times: u32) -> PyResult<Self> {
        let v = self.index(name)?;
        let mut p = self.p.clone();
        for _ in 0..times.min(p.degree(v).saturating_add(1)) {
            p = p.derivative(v);
        }
        Ok(self.same(p))
    }
    fn integrate(&self, py: Python<'_>, name: &str) -> PyResult<Self> {
        Ok(self.same(self.p.integral(self.index(name)?).or_raise(py)?))
    }
    /// Puts polynomials or numbers for variables: `p.subs({"x": Poly("y + 1"), "z": 2})`.
    fn subs(&self, py: Python<'_>, images: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut given = BTreeMap::new();
        for (name, image) in images {
            let name: String = name.extract()?;
            self.index(&name)?;
            let wrong = || PyTypeError::new_err("a Poly, an int or a Fraction is needed");
            given.insert(name, Operand::of(&image).ok_or_else(wrong)?);
        }
        let staying = self.names.iter().filter(|n| !given.contains_key(*n));
        let kept = Self::of(Inner::zero(), staying.cloned().collect());
        let all: Vec<&Self> = std::iter::once(&kept)
            .chain(given.values().map(Operand::get))
            .collect();
        let names = Self::union(&all);
        let mut puts = Vec::new();
        for name in &self.names {
            puts.push(match given.get(name) {
                Some(image) => image.get().within(py, &names)?,
                None => Inner::variable(names.iter().position(|n| n == name).unwrap_or(0)),
            });
        }
        let p = budgeted(py, None, |b| self.p.compose(&puts, b))?;
        Ok(Self::of(p, names))
    }

    #[pyo3(signature = (other, *, timeout = None))]
    fn gcd(&self, py: Python<'_>, other: &Self, timeout: Option<f64>) -> PyResult<Self> {
        let (a, b, names) = self.pair(py, other)?;
        Ok(Self::of(budgeted(py, timeout, |t| a.gcd(&b, t))?, names))
    }
    #[pyo3(signature = (other, *, timeout = None))]
    fn lcm(&self, py: Python<'_>, other: &Self, timeout: Option<f64>) -> PyResult<Self> {
        let (a, b, names) = self.pair(py, other)?;
        Ok(Self::of(budgeted(py, timeout, |t| a.lcm(&b, t))?, names))
    }
    /// `(constant, [(irreducible factor, multiplicity), ..])`.
    #[pyo3(signature = (*, timeout = None))]
    fn factor(
        &self,
        py: Python<'_>,
        timeout: Option<f64>,
    ) -> PyResult<(BigRational, Vec<(Self, u32)>)> {
        let found = budgeted(py, timeout, |t| self.p.factor(t))?;
        let factors = found.factors.into_iter().map(|(p, k)| (self.same(p), k));
        Ok((fraction(&found.unit), factors.collect()))
    }
    #[pyo3(signature = (*, timeout = None))]
    fn square_free_part(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Self> {
        Ok(self.same(budgeted(py, timeout, |t| self.p.square_free_part(t))?))
    }
    #[pyo3(signature = (other, name, *, timeout = None))]
    fn resultant(
        &self,
        py: Python<'_>,
        other: &Self,
        name: &str,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let (a, b, names) = self.pair(py, other)?;
        let whole = Self::of(a, names);
        let v = whole.index(name)?;
        Ok(whole.same(budgeted(py, timeout, |t| whole.p.resultant(&b, v, t))?))
    }
    #[pyo3(signature = (name, *, timeout = None))]
    fn discriminant(&self, py: Python<'_>, name: &str, timeout: Option<f64>) -> PyResult<Self> {
        let v = self.index(name)?;
        Ok(self.same(budgeted(py, timeout, |t| self.p.discriminant(v, t))?))
    }
    /// Real roots as `(low, high, multiplicity)`, ascending, each alone in an interval no wider than `2^-bits`.
    #[pyo3(signature = (bits = 60, *, timeout = None))]
    fn root_intervals(
        &self,
        py: Python<'_>,
        bits: u32,
        timeout: Option<f64>,
    ) -> PyResult<Vec<(BigRational, BigRational, u32)>> {
        let roots = budgeted(py, timeout, |t| self.p.real_roots(bits, t))?;
        let root =
            |r: &wickring::poly::RealRoot| (fraction(&r.low), fraction(&r.high), r.multiplicity);
        Ok(roots.iter().map(root).collect())
    }

    /// All real roots of a polynomial in one variable, ascending, as `wickring.Root`.
    #[pyo3(signature = (bits = 60, *, timeout = None))]
    fn roots<'py>(
        slf: &Bound<'py, Self>,
        bits: u32,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kwargs = PyDict::new(slf.py());
        kwargs.set_item("timeout", timeout)?;
        slf.py()
            .import("wickring._poly")?
            .getattr("roots")?
            .call((slf, bits), Some(&kwargs))
    }

    /// `E p` for variables of law `N(mean, cov)`; standard normal ones by default.
    #[pyo3(signature = (cov = None, mean = None))]
    fn expect(
        &self,
        cov: Option<&Bound<'_, PyAny>>,
        mean: Option<&Bound<'_, PyAny>>,
        py: Python<'_>,
    ) -> PyResult<BigRational> {
        let all = crate::gaussian::figures(py, self, 1, cov, mean, false)?;
        all.into_iter()
            .next()
            .ok_or_else(|| PyValueError::new_err("no moment"))
    }
    /// `[E p, E p^2, ..]` up to `order`.
    #[pyo3(signature = (order, cov = None, mean = None))]
    fn moments(
        &self,
        py: Python<'_>,
        order: u32,
        cov: Option<&Bound<'_, PyAny>>,
        mean: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<BigRational>> {
        crate::gaussian::figures(py, self, order, cov, mean, false)
    }
    /// The cumulants of `p` up to `order`.
    #[pyo3(signature = (order, cov = None, mean = None))]
    fn cumulants(
        &self,
        py: Python<'_>,
        order: u32,
        cov: Option<&Bound<'_, PyAny>>,
        mean: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<BigRational>> {
        crate::gaussian::figures(py, self, order, cov, mean, true)
    }
    /// The coefficients in the basis `He_a` of the given variance, as a polynomial: `x^2*y` stands for `He_2(x) He_1(y)`.
    #[pyo3(signature = (variance = None))]
    fn hermite(&self, py: Python<'_>, variance: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let s = variance.map_or(Ok(Rational::from(1)), rational)?;
        let h = py
            .detach(|| HermiteExpansion::from_poly_with_variance(&self.p, s))
            .or_raise(py)?;
        Ok(self.same(h.symbol().clone()))
    }
    /// From coefficients in the Hermite basis back to the polynomial.
    #[pyo3(name = "from_hermite", signature = (variance = None))]
    fn of_hermite(&self, py: Python<'_>, variance: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let s = variance.map_or(Ok(Rational::from(1)), rational)?;
        let p = py
            .detach(|| HermiteExpansion::from_symbol(self.p.clone(), s).to_poly())
            .or_raise(py)?;
        Ok(self.same(p))
    }

    /// Values at numbers or arrays, broadcast: `p(x, y)`, `p(x=.., y=..)`, or `p(points)` with a row for each point.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static CALL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = slf.py();
        let call = CALL.import(py, "wickring._poly", "call")?;
        call.call1((slf, args, kwargs))
    }
    fn _sympy_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("wickring._poly")?
            .getattr("to_sympy")?
            .call1((slf,))
    }

    /// Values of the compiled polynomial at columns of equal length.
    fn _eval<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<PyReadonlyArray1<'py, f64>>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let slices: Vec<&[f64]> = columns
            .iter()
            .map(|c| c.as_slice())
            .collect::<Result<_, _>>()?;
        let program = self.program(py)?;
        let values = py.detach(|| program.eval_batch(&slices)).or_raise(py)?;
        Ok(PyArray1::from_vec(
            py,
            values.into_iter().next().unwrap_or_default(),
        ))
    }
    fn _eval_exact(&self, point: Vec<Bound<'_, PyAny>>) -> PyResult<BigRational> {
        let point: Vec<Rational> = point.iter().map(rational).collect::<PyResult<_>>()?;
        Ok(fraction(&self.p.eval(&point)))
    }
}
