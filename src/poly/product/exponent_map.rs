//! Products whose exponents fit no machine word.

use super::budget::Budget;
use super::cells::Terms;
use super::column::Column;
use crate::Error;
use crate::poly::monomials::packed::Monomials;
use std::collections::BTreeMap;

/// The product by an ordered map of whole exponent vectors.
pub(crate) fn mapped<T: Terms>(
    a: &Monomials,
    b: &Monomials,
    terms: &T,
    budget: &Budget<'_>,
) -> Result<(Monomials, T::Column), Error> {
    let op = "Poly::mul_within";
    let n = a.nvars.max(b.nvars);
    let mut sums: BTreeMap<Vec<u32>, T::Cell> = BTreeMap::new();
    let (mut x, mut y) = (vec![0; n], vec![0; n]);
    for i in 0..a.len() {
        a.row(i, &mut x);
        for j in 0..b.len() {
            b.row(j, &mut y);
            let sum = x.iter().zip(&y).map(|(&p, &q)| p.checked_add(q));
            let what = "exponent";
            let key = sum.collect::<Option<Vec<_>>>();
            let key = key.ok_or(Error::Overflow { op, what })?;
            let cell = sums.entry(key).or_insert_with(|| terms.zero());
            terms.add(cell, i, j);
        }
        budget.check_terms(op, sums.len())?;
        budget.check_time(op)?;
    }
    sums.retain(|_, cell| !T::is_zero(cell));
    let count = sums.len();
    let (mut rows, mut values) = (Vec::with_capacity(count * n), T::Column::default());
    values.reserve(count);
    for (key, cell) in sums.into_iter().rev() {
        rows.extend(key);
        terms.put(cell, &mut values);
    }
    Ok((Monomials::from_rows(n, rows, count), values))
}
