//! Greatest common divisors in one variable, by images modulo primes. No division verifies them: the cofactors are joined as well,
//! and products of numbers so small that agree modulo all primes are equal.

use super::by_floats;
use super::chinese::Chinese;
use super::sparse::common;
use crate::Error;
use crate::poly::coefficients::rational::{Integer, integer_gcd};
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::{Dense, Field, primes_below};
use crate::poly::product::budget::Budget;
use crate::poly::simd::floats::fused;
use dashu_int::ops::BitTest;

const OP: &str = "Poly::gcd";
/// Primes start below here.
const PRIMES: u64 = 1 << 62;

/// `[g, a / g, b / g]` modulo one prime, each scaled: the first to the leading coefficient `gamma`, the others so that products
/// with it are `gamma a` and `gamma b`.
type Image = [Dense; 3];

/// The greatest common divisor of primitive polynomials of positive degree, by what is fastest on this processor.
///
/// # Errors
/// `Stopped` when the budget ends.
pub(crate) fn gcd(
    a: &[Integer],
    b: &[Integer],
    budget: &Budget<'_>,
) -> Result<Vec<Integer>, Error> {
    match fused() {
        true => by_floats::gcd(a, b, budget),
        false => by_words(a, b, budget),
    }
}

/// The greatest common divisor of primitive polynomials of positive degree, constant coefficients first, primitive with a positive
/// leading coefficient.
///
/// # Complexity
/// `O(b n^2)` word operations for degree `n` and `b` words in a coefficient of the divisor or the cofactors.
///
/// # Source
/// Brown 1971; the verification is that of Collins' modular algorithm with cofactors (von zur Gathen, Gerhard, section 6.7).
pub(crate) fn by_words(
    a: &[Integer],
    b: &[Integer],
    budget: &Budget<'_>,
) -> Result<Vec<Integer>, Error> {
    let (Some(top_a), Some(top_b)) = (a.last(), b.last()) else {
        return Ok(vec![Integer::ONE]);
    };
    let gamma = integer_gcd(top_a, top_b);
    let bits = |f: &[Integer]| f.iter().map(BitTest::bit_len).max().unwrap_or(0);
    let first = (bits(a).min(bits(b)) + gamma.bit_len()) / 62 + 1;
    let mut images: Vec<Image> = Vec::new();
    let mut chinese = Chinese::default();
    let mut wanted = first;
    for p in primes_below(PRIMES) {
        budget.check_time(OP)?;
        let field = Field { p };
        if reduced(top_a, p) == 0 || reduced(top_b, p) == 0 {
            continue;
        }
        let [f, g] = [a, b].map(|f| f.iter().map(|c| reduced(c, p)).collect::<Dense>());
        let found = common(&field, f.clone(), g.clone(), &|| budget.check_time(OP))?;
        if found.len() == 1 {
            return Ok(vec![Integer::ONE]);
        }
        match images.first().map_or(0, |i| i[0].len()) {
            // All primes before were luckless, or this one is.
            0 => {}
            n if found.len() < n => {
                images.clear();
                chinese = Chinese::default();
                wanted = first;
            }
            n if found.len() > n => continue,
            _ => {}
        }
        let scale = reduced(&gamma, p);
        let monic = field.monic(&found);
        let cofactor = |f: &[u64]| field.divided(f, &monic).0;
        let parts = [field.scaled(&monic, scale), cofactor(&f), cofactor(&g)];
        images.push(parts);
        chinese.push(field);
        if chinese.len() < wanted {
            continue;
        }
        wanted = chinese.len() + 1 + chinese.len() / 4;
        if let Some(found) = verified(&images, &chinese, a, b, &gamma, budget)? {
            return Ok(found);
        }
    }
    Err(Error::limit(OP, "primes", PRIMES))
}

/// The divisor, when the products with the cofactors are known to be right.
fn verified(
    images: &[Image],
    chinese: &Chinese,
    a: &[Integer],
    b: &[Integer],
    gamma: &Integer,
    budget: &Budget<'_>,
) -> Result<Option<Vec<Integer>>, Error> {
    let modulus = chinese.modulus();
    let joined = |k: usize| -> Result<Vec<Integer>, Error> {
        let mut list = Vec::new();
        for i in 0..images[0][k].len() {
            if i % 64 == 0 {
                budget.check_time(OP)?;
            }
            let remainders = images.iter().map(|image| image[k].get(i).copied());
            list.push(chinese.integer(remainders.map(|r| r.unwrap_or(0))));
        }
        Ok(list)
    };
    let greatest = |f: &[Integer]| {
        f.iter()
            .map(|c| c * c.signum())
            .max()
            .unwrap_or(Integer::ZERO)
    };
    let divisor = joined(0)?;
    let size = greatest(&divisor);
    for (k, f) in [(1, a), (2, b)] {
        let cofactor = joined(k)?;
        // A coefficient of the product is a sum of so many products at most.
        let count = Integer::from(divisor.len().min(cofactor.len()));
        let most = count * &size * greatest(&cofactor) + gamma * greatest(f);
        if most + Integer::ONE > modulus {
            return Ok(None);
        }
    }
    let content = divisor
        .iter()
        .fold(Integer::ZERO, |g, c| integer_gcd(&g, c));
    let sign = divisor.last().map_or(Integer::ONE, |c| {
        Integer::from(if *c < Integer::ZERO { -1 } else { 1 })
    });
    let unit = content * sign;
    Ok(Some(divisor.iter().map(|c| c / &unit).collect()))
}
