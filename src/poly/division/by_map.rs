//! Exact division over any ring, by an ordered map of what is left of the dividend.

use crate::Error;
use crate::poly::coefficients::ring::Ring;
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use std::collections::BTreeMap;

const OP: &str = "Poly::divide_exact";

/// `a / b` for a nonzero `b`.
pub(crate) fn plain<C: Ring>(
    a: &Poly<C>,
    b: &Poly<C>,
    budget: &Budget<'_>,
) -> Result<Option<Poly<C>>, Error> {
    let n = a.nvars();
    let Some((lead, leading)) = b.leading_term() else {
        return Ok(None);
    };
    if b.nvars() > n {
        return Ok(None);
    }
    let padded = |mut e: Vec<u32>| {
        e.resize(n, 0);
        e
    };
    let lead = padded(lead);
    let tail: Vec<(Vec<u32>, C)> = b.iter().skip(1).map(|(e, c)| (padded(e), c)).collect();
    let bound: Vec<u32> = a.monomials().degrees();
    let mut left: BTreeMap<Vec<u32>, C> = a.iter().map(|(e, c)| (padded(e), c)).collect();
    let mut quotient = Vec::new();
    let mut work = 0u64;
    while let Some((e, c)) = left.pop_last() {
        let shifted = e.iter().zip(&lead).map(|(x, y)| x.checked_sub(*y));
        let Some(q) = shifted.collect::<Option<Vec<u32>>>() else {
            return Ok(None);
        };
        let Some(factor) = c.checked_div(&leading) else {
            return Ok(None);
        };
        for (f, d) in &tail {
            let sum: Option<Vec<u32>> = q.iter().zip(f).map(|(x, y)| x.checked_add(*y)).collect();
            // A term outside the box of the dividend can only be cancelled by luck; an exact quotient's
            // multiples stay inside, because degrees add.
            let Some(sum) = sum.filter(|s| s.iter().zip(&bound).all(|(x, y)| x <= y)) else {
                return Ok(None);
            };
            let mut product = factor.clone();
            product *= d;
            let slot = left.entry(sum).or_insert_with(C::zero);
            *slot -= &product;
        }
        // Zeros are dropped when they surface, which keeps the map simple.
        while left.last_key_value().is_some_and(|(_, c)| c.is_zero()) {
            left.pop_last();
        }
        quotient.push((q, factor));
        work += tail.len() as u64;
        if work > budget.work {
            return Err(Error::limit(OP, "coefficient products", budget.work));
        }
        budget.check_terms(OP, quotient.len().max(left.len()))?;
        if quotient.len() % 64 == 0 {
            budget.check_time(OP)?;
        }
    }
    Ok(Some(Poly::from_terms(quotient)))
}
