//! What a straight-line program can be run over.

use super::black_box::residue;
use super::program::OP;
use crate::Error;
use crate::poly::coefficients::rational::Rational;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::univariate::Field;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;

/// Values and what the steps of a program do with them.
pub(super) trait Arithmetic {
    type Value: Clone;
    fn constant(&self, c: &Rational) -> Option<Self::Value>;
    fn variable(&self, index: usize) -> Self::Value;
    fn add(&self, a: Self::Value, b: Self::Value) -> Result<Self::Value, Error>;
    fn sub(&self, a: Self::Value, b: Self::Value) -> Result<Self::Value, Error>;
    fn mul(&self, a: Self::Value, b: Self::Value) -> Result<Self::Value, Error>;
    fn pow(&self, a: Self::Value, k: u32) -> Result<Self::Value, Error>;
}

/// Residues modulo a prime.
pub(super) struct Modular<'a> {
    pub(super) point: &'a [u64],
    pub(super) field: Field,
}

impl Arithmetic for Modular<'_> {
    type Value = u64;
    fn constant(&self, c: &Rational) -> Option<u64> {
        residue(c, self.field)
    }
    fn variable(&self, index: usize) -> u64 {
        self.point[index] % self.field.p
    }
    fn add(&self, a: u64, b: u64) -> Result<u64, Error> {
        Ok(self.field.add(a, b))
    }
    fn sub(&self, a: u64, b: u64) -> Result<u64, Error> {
        Ok(self.field.sub(a, b))
    }
    fn mul(&self, a: u64, b: u64) -> Result<u64, Error> {
        Ok(self.field.mul(a, b))
    }
    fn pow(&self, a: u64, k: u32) -> Result<u64, Error> {
        Ok(self.field.pow(a, k.into()))
    }
}

/// Elements of a ring.
pub(super) struct InRing<'a, C, F> {
    pub(super) point: &'a [C],
    pub(super) constant: F,
}

impl<C: Ring, F: Fn(&Rational) -> Option<C>> Arithmetic for InRing<'_, C, F> {
    type Value = C;
    fn constant(&self, c: &Rational) -> Option<C> {
        (self.constant)(c)
    }
    fn variable(&self, index: usize) -> C {
        self.point[index].clone()
    }
    fn add(&self, mut a: C, b: C) -> Result<C, Error> {
        a += &b;
        Ok(a)
    }
    fn sub(&self, mut a: C, b: C) -> Result<C, Error> {
        a -= &b;
        Ok(a)
    }
    fn mul(&self, mut a: C, b: C) -> Result<C, Error> {
        a *= &b;
        Ok(a)
    }
    fn pow(&self, a: C, mut k: u32) -> Result<C, Error> {
        let (mut result, mut base) = (C::one(), a);
        if C::EXACT {
            // One of the ring of the base: a residue's knows its prime.
            let mut zero = base.clone();
            zero -= &base;
            result += &zero;
        }
        while k > 0 {
            if k & 1 == 1 {
                result *= &base;
            }
            k >>= 1;
            if k > 0 {
                base *= &base.clone();
            }
        }
        Ok(result)
    }
}

/// Polynomials, multiplied out.
pub(super) struct Expanding<'a> {
    pub(super) budget: &'a Budget<'a>,
}

/// Summands before they are added up: twice as many as were left the last time.
const GATHER: usize = 1 << 12;

/// A sum that is added up when it is needed or has grown.
#[derive(Clone)]
pub(super) struct Parts {
    parts: Vec<Poly<Rational>>,
    held: usize,
    most: usize,
}

impl Parts {
    fn of(p: Poly<Rational>) -> Self {
        let held = p.len() + 1;
        Self {
            parts: vec![p],
            held,
            most: GATHER.max(2 * held),
        }
    }

    pub(super) fn together(mut self, budget: &Budget<'_>) -> Result<Poly<Rational>, Error> {
        let sum = match (self.parts.pop(), self.parts.is_empty()) {
            (Some(p), true) => p,
            (last, _) => {
                self.parts.extend(last);
                Poly::sum(self.parts)
            }
        };
        budget.check_terms(OP, sum.len())?;
        Ok(sum)
    }
}

impl Arithmetic for Expanding<'_> {
    type Value = Parts;
    fn constant(&self, c: &Rational) -> Option<Parts> {
        Some(Parts::of(Poly::constant(c.clone())))
    }
    fn variable(&self, index: usize) -> Parts {
        Parts::of(Poly::variable(index))
    }
    fn add(&self, a: Parts, b: Parts) -> Result<Parts, Error> {
        let (mut many, few) = match a.parts.len() >= b.parts.len() {
            true => (a, b),
            false => (b, a),
        };
        many.parts.extend(few.parts);
        many.held += few.held;
        match many.held > many.most {
            true => {
                self.budget.check_time(OP)?;
                many.together(self.budget).map(Parts::of)
            }
            false => Ok(many),
        }
    }
    fn sub(&self, a: Parts, mut b: Parts) -> Result<Parts, Error> {
        for p in &mut b.parts {
            *p = -std::mem::replace(p, Poly::zero());
        }
        self.add(a, b)
    }
    fn mul(&self, a: Parts, b: Parts) -> Result<Parts, Error> {
        let (a, b) = (a.together(self.budget)?, b.together(self.budget)?);
        a.mul_within(&b, self.budget).map(Parts::of)
    }
    fn pow(&self, a: Parts, k: u32) -> Result<Parts, Error> {
        let a = a.together(self.budget)?;
        // A number to a large power explodes in bits, not in terms.
        let bits = a.iter().map(|(_, c)| c.bits() as u64).max().unwrap_or(0);
        let bits = bits.saturating_sub(2).saturating_mul(k.into());
        self.budget.check_bits(OP, bits)?;
        a.pow_within(k, self.budget).map(Parts::of)
    }
}
