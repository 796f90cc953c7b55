//! Exact division of dense polynomials in one variable with word coefficients: the schoolbook's way, modulo `2^64`.

use super::keys::Box2;
use super::numbers::{Narrow, Numbers};
use crate::Error;
use crate::poly::coefficients::integers::Integers;
use crate::poly::monomials::packed::{Exps, Monomials};
use crate::poly::product::budget::Budget;

const OP: &str = "Poly::divide_exact";
/// Entries of quotient times divisor from which transforms are faster (bench `poly_families`).
const MOST: usize = 1 << 17;
/// Products between two looks at the clock.
const PATIENCE: usize = 1 << 16;

type Side<'a> = ((&'a Monomials, &'a [i64]), &'a Box2);

/// The quotient, or that there is none; `None` when this is not the way, or not certain.
pub(crate) fn integers(
    ((ma, a), da): Side<'_>,
    ((mb, b), db): Side<'_>,
    budget: &Budget<'_>,
) -> Result<Option<Option<(Monomials, Integers)>>, Error> {
    let (Exps::W1(x), Exps::W1(y)) = (&ma.exps, &mb.exps) else {
        return Ok(None);
    };
    let (&[low], &[high], &[least], &[most]) = (
        da.0.as_slice(),
        da.1.as_slice(),
        db.0.as_slice(),
        db.1.as_slice(),
    ) else {
        return Ok(None);
    };
    let (total, divisor) = ((high - low) as usize + 1, (most - least) as usize + 1);
    let entries = total - divisor + 1;
    let dense = b.len() * 2 >= divisor && a.len() * 4 >= total;
    if !dense || entries.saturating_mul(divisor) > MOST {
        return Ok(None);
    }
    let (mut rest, by) = (listed(x, a, low, total), listed(y, b, least, divisor));
    let (lead, tail) = (by[divisor - 1], &by[..divisor - 1]);
    let (mut words, mut values) = (Vec::new(), Vec::new());
    let mut exact = true;
    for k in (0..entries).rev() {
        let top = rest[k + divisor - 1];
        if top == 0 {
            continue;
        }
        let (Some(q), Some(0)) = (top.checked_div(lead), top.checked_rem(lead)) else {
            exact = false;
            break;
        };
        for (r, &c) in rest[k..].iter_mut().zip(tail) {
            *r = r.wrapping_sub(q.wrapping_mul(c));
        }
        words.push(u64::from(low - least) + k as u64);
        values.push(q);
        if (k * divisor).is_multiple_of(PATIENCE) {
            budget.check_time(OP)?;
        }
    }

    exact = exact && rest[..divisor - 1].iter().all(|&c| c == 0);
    if !(Narrow { a, b }).certain(&values) {
        return Ok(None);
    }
    if !exact {
        return Ok(Some(None));
    }
    let monomials = Monomials::from_words(1, words);
    Ok(Some(Some((monomials, Integers::I64(values)))))
}

/// Coefficients by exponents from `low` on.
fn listed(words: &[u64], values: &[i64], low: u32, size: usize) -> Vec<i64> {
    let mut list = vec![0; size];
    for (&word, &c) in words.iter().zip(values) {
        list[(word - u64::from(low)) as usize] = c;
    }
    list
}
