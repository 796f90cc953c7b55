//! Exact division over the integers, block by block.

use super::map;
use crate::Error;
use crate::poly::integers::Integers;
use crate::poly::monomials::Monomials;
use crate::poly::{Budget, Integer, Poly};

/// `a / b` for a nonzero `b`.
pub(crate) fn over_integers(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    budget: &Budget<'_>,
) -> Result<Option<Poly<Integer>>, Error> {
    let (left, right) = ((a.monomials(), a.store()), (b.monomials(), b.store()));
    let quotient = integers(left, right, budget)?;
    Ok(quotient.map(|(monomials, store)| Poly::from_parts(monomials, store)))
}

/// `a / b` in parts.
pub(crate) fn integers(
    (ma, a): (&Monomials, &Integers),
    (mb, b): (&Monomials, &Integers),
    budget: &Budget<'_>,
) -> Result<Option<(Monomials, Integers)>, Error> {
    let a = Poly::<Integer>::from_parts(ma.clone(), a.clone());
    let b = Poly::<Integer>::from_parts(mb.clone(), b.clone());
    let quotient = map::plain(&a, &b, budget)?;
    Ok(quotient.map(|q| (q.monomials().clone(), q.store().clone())))
}
