//! Lists modulo one prime and their transforms, whatever the residues are.

use super::float_primes::FloatModulus;
use super::float_roots::FloatTransform;
use super::primes::{Prime, once};
use super::roots::{Patience, Transform, roots_for};
use crate::Error;
use crate::poly::simd::transforms;

/// Residues modulo one prime, and lists of them at the roots of unity, with a look at the clock before each transform.
pub(crate) trait Points {
    /// A residue.
    type Number: Copy + Default;

    fn is_zero(&self, x: Self::Number) -> bool;
    fn add(&self, x: Self::Number, y: Self::Number) -> Self::Number;
    fn negative(&self, x: Self::Number) -> Self::Number;
    fn mul(&self, x: Self::Number, y: Self::Number) -> Self::Number;
    fn inverse(&self, x: Self::Number) -> Self::Number;
    /// The values of a list, cut or filled up to `size` entries.
    fn forward(&self, f: &[Self::Number], size: usize) -> Result<Vec<Self::Number>, Error>;
    /// The list with these values.
    fn backward(&self, x: &mut [Self::Number]) -> Result<(), Error>;
    /// The product, value by value.
    fn multiply(&self, x: &mut [Self::Number], y: &[Self::Number]);
}

/// Residues in words.
pub(crate) struct Words<'a> {
    pub(crate) prime: &'a Prime,
    pub(crate) patience: &'a Patience<'a>,
    /// The operation that errors name.
    pub(crate) op: &'static str,
}

impl Words<'_> {
    fn transform(&self, size: usize, f: impl FnOnce(&Transform<'_>)) -> Result<(), Error> {
        self.patience.kept(self.op)?;
        let table = self.prime.table(roots_for(size));
        f(&Transform {
            prime: self.prime,
            table: &table,
            patience: self.patience,
        });
        self.patience.kept(self.op)
    }
}

impl Points for Words<'_> {
    type Number = u64;

    fn is_zero(&self, x: u64) -> bool {
        x == 0
    }
    fn add(&self, x: u64, y: u64) -> u64 {
        once(x + y, self.prime.p)
    }
    fn negative(&self, x: u64) -> u64 {
        once(self.prime.p - x, self.prime.p)
    }
    fn mul(&self, x: u64, y: u64) -> u64 {
        self.prime.mul(x, y)
    }
    fn inverse(&self, x: u64) -> u64 {
        self.prime.inv(x)
    }
    fn forward(&self, f: &[u64], size: usize) -> Result<Vec<u64>, Error> {
        let mut x = f.to_vec();
        x.resize(size, 0);
        self.transform(size, |t| t.forward(&mut x))?;
        Ok(x)
    }
    fn backward(&self, x: &mut [u64]) -> Result<(), Error> {
        self.transform(x.len(), |t| t.backward(x))
    }
    fn multiply(&self, x: &mut [u64], y: &[u64]) {
        let p = self.prime.p;
        for (x, &y) in x.iter_mut().zip(y) {
            *x = self.prime.montgomery(*x, once(once(y, 2 * p), p));
        }
    }
}

/// Floating-point residues.
pub(crate) struct Floats<'a> {
    pub(crate) prime: &'a FloatModulus,
    pub(crate) patience: &'a Patience<'a>,
    /// The operation that errors name.
    pub(crate) op: &'static str,
}

impl Floats<'_> {
    fn transform(&self, size: usize, f: impl FnOnce(&FloatTransform<'_>)) -> Result<(), Error> {
        self.patience.kept(self.op)?;
        let roots = self.prime.roots(roots_for(size) / 2);
        f(&FloatTransform {
            prime: self.prime,
            roots: &roots,
            patience: self.patience,
        });
        self.patience.kept(self.op)
    }
}

impl Points for Floats<'_> {
    type Number = f64;

    fn is_zero(&self, x: f64) -> bool {
        self.prime.field.settled(x) == 0.0
    }
    fn add(&self, x: f64, y: f64) -> f64 {
        self.prime.field.settled(x + y)
    }
    fn negative(&self, x: f64) -> f64 {
        -x
    }
    fn mul(&self, x: f64, y: f64) -> f64 {
        let field = self.prime.field;
        field.settled(field.mul(x, field.settled(y)))
    }
    fn inverse(&self, x: f64) -> f64 {
        let p = self.prime.p as i64;
        self.prime.inverse_of((x as i64).rem_euclid(p) as u64)
    }
    fn forward(&self, f: &[f64], size: usize) -> Result<Vec<f64>, Error> {
        let mut x = f.to_vec();
        x.resize(size, 0.0);
        self.transform(size, |t| t.forward(&mut x))?;
        Ok(x)
    }
    fn backward(&self, x: &mut [f64]) -> Result<(), Error> {
        self.transform(x.len(), |t| t.backward(x))
    }
    fn multiply(&self, x: &mut [f64], y: &[f64]) {
        transforms::multiply(self.prime.field, x, y);
    }
}
