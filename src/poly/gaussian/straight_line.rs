//! Polynomials compiled to straight-line code over floats: symbolic once, evaluated often.

use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::polynomial::value::Poly;
use std::collections::BTreeMap;

const OP: &str = "StraightLine::compile";
/// Most instructions: a program is meant to stay in the cache.
const MAX_STEPS: usize = 1 << 20;

/// Several polynomials as one list of multiplications, in which every monomial (and every monomial on the way to it) is formed
/// once, and one weighted sum for each polynomial. Meant for moments as polynomials in the entries of a covariance, which an
/// integrator asks for at every step.
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Rational, Vars};
/// use wickring::poly::gaussian::StraightLine;
/// let mut vars = Vars::new();
/// let p = Poly::<Rational>::parse("1/2*x^2*y - 3*x + 1", &mut vars)?;
/// let program = StraightLine::compile(&[&p, &p.derivative(0)])?;
/// let mut values = [0.0; 2];
/// program.eval(&[2.0, 5.0], &mut Vec::new(), &mut values)?;
/// assert_eq!(values, [5.0, 7.0]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StraightLine {
    nvars: usize,
    /// Register `1 + nvars + k` is the product of two earlier ones; register 0 is one, the next are the arguments.
    products: Vec<(usize, usize)>,
    /// For each polynomial its coefficients with the registers they weight.
    sums: Vec<Vec<(f64, usize)>>,
}

impl StraightLine {
    /// The program for all the polynomials; coefficients are rounded to the nearest float once.
    ///
    /// # Errors
    /// `LimitExceeded` when more than 2^20 multiplications would be needed.
    pub fn compile(polynomials: &[&Poly<Rational>]) -> Result<Self, Error> {
        let nvars = polynomials.iter().map(|p| p.nvars()).max().unwrap_or(0);
        let mut program = Self {
            nvars,
            products: Vec::new(),
            sums: Vec::new(),
        };
        let mut known: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
        for p in polynomials {
            let mut sum = Vec::with_capacity(p.len());
            for (e, c) in p.iter() {
                let register = program.register(&e, &mut known)?;
                sum.push((c.to_f64(), register));
            }
            program.sums.push(sum);
        }
        Ok(program)
    }

    /// The register of a monomial: built up one variable at a time, shared with every other monomial on the way.
    fn register(
        &mut self,
        exponents: &[u32],
        known: &mut BTreeMap<Vec<u32>, usize>,
    ) -> Result<usize, Error> {
        let mut at = 0;
        let mut partial = vec![0; exponents.len()];
        for (i, &k) in exponents.iter().enumerate() {
            for _ in 0..k {
                partial[i] += 1;
                // Keys carry no trailing zeros: the same monomial has one key.
                let key = partial[..=i].to_vec();
                at = match known.get(&key) {
                    Some(&register) => register,
                    None if at == 0 => 1 + i,
                    None => {
                        if self.products.len() >= MAX_STEPS {
                            return Err(Error::limit(OP, "multiplications", MAX_STEPS as u64));
                        }
                        self.products.push((at, 1 + i));
                        self.nvars + self.products.len()
                    }
                };
                known.insert(key, at);
            }
        }
        Ok(at)
    }

    /// Number of multiplications of registers.
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether no product of registers is needed.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// The values at a point; `scratch` is reused between calls and may start empty.
    ///
    /// # Errors
    /// `Shape` when the point has too few coordinates or `values` not one slot for each polynomial.
    ///
    /// # Accuracy
    /// `(degree + terms) * eps` times the sum of the sizes of the terms.
    pub fn eval(
        &self,
        point: &[f64],
        scratch: &mut Vec<f64>,
        values: &mut [f64],
    ) -> Result<(), Error> {
        if point.len() < self.nvars || values.len() != self.sums.len() {
            let found = format!("{} and {}", point.len(), values.len());
            return Err(Error::shape(
                "StraightLine::eval",
                format!("{} coordinates and {} slots", self.nvars, self.sums.len()),
                found,
            ));
        }
        scratch.clear();
        scratch.push(1.0);
        scratch.extend_from_slice(&point[..self.nvars]);
        for &(a, b) in &self.products {
            scratch.push(scratch[a] * scratch[b]);
        }
        for (value, sum) in values.iter_mut().zip(&self.sums) {
            *value = sum.iter().map(|&(c, r)| c * scratch[r]).sum();
        }
        Ok(())
    }
}
