//! Greatest common divisors in one variable by images modulo primes below `2^50`, with vectors of floating-point numbers.
//!
//! Lists of coefficients go to their remainders and back many at a time: limbs of 48 bits by Horner's rule, remainders to digits
//! `d_0 + d_1 p_0 + d_2 p_0 p_1 + ..` of least size by Garner's.

use crate::Error;
use crate::poly::coefficients::rational::{Integer, integer_gcd};
use crate::poly::factor::reduced;
use crate::poly::polynomial::univariate::primes_below;
use crate::poly::product::budget::Budget;
use crate::poly::simd::floats::{FloatPrime, differ, divide, eliminate, horner, scale};
use dashu_int::ops::BitTest;
use dashu_int::{Sign, UBig};
use std::sync::{Mutex, PoisonError};

const OP: &str = "Poly::gcd";
/// Bits of a limb.
const LIMB: usize = 48;
/// Products of two entries between two looks at the clock.
const PATIENCE: usize = 1 << 20;

/// `[g, a / g, b / g]` modulo one prime, the first with leading coefficient one.
type FloatImage = [Vec<f64>; 3];

/// The prime number `k` of those below `2^50`, descending.
fn prime(k: usize) -> u64 {
    static FOUND: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    while found.len() <= k {
        let start = found.last().copied().unwrap_or(1 << 50);
        found.extend(primes_below(start).next());
    }
    found[k]
}

/// The greatest common divisor of primitive polynomials, as [`super::univariate::gcd`].
pub(crate) fn gcd(
    a: &[Integer],
    b: &[Integer],
    budget: &Budget<'_>,
) -> Result<Vec<Integer>, Error> {
    let (Some(top_a), Some(top_b)) = (a.last(), b.last()) else {
        return Ok(vec![Integer::ONE]);
    };
    let gamma = integer_gcd(top_a, top_b);
    let bits = [a, b].map(|f| f.iter().map(BitTest::bit_len).max().unwrap_or(0));
    let limbs = [Limbs::new(a, bits[0]), Limbs::new(b, bits[1])];
    let first = (bits[0].max(bits[1]) + 1) / 49 + 1;
    let mut wanted = first;
    let mut found: Vec<(u64, FloatImage)> = Vec::new();
    for k in 0.. {
        budget.check_time(OP)?;
        let p = prime(k);
        let field = FloatPrime::new(p);
        let [x, y] = [&limbs[0], &limbs[1]].map(|f| f.modulo(field, p));
        if x.last() == Some(&0.0) || y.last() == Some(&0.0) {
            continue;
        }
        let divisor = common(field, &x, &y, budget)?;
        if divisor.len() == 1 {
            return Ok(vec![Integer::ONE]);
        }
        match found.first().map_or(0, |(_, image)| image[0].len()) {
            // All primes before were luckless, or this one is.
            0 => {}
            n if divisor.len() < n => {
                found.clear();
                wanted = first;
            }
            n if divisor.len() > n => continue,
            _ => {}
        }
        let parts = [
            quotient(field, x, &divisor, budget)?,
            quotient(field, y, &divisor, budget)?,
        ];
        let [u, w] = parts;
        found.push((p, [divisor, u, w]));
        if found.len() < wanted {
            continue;
        }
        wanted = found.len() + 1 + found.len() / 4;
        if let Some(found) = verified(&found, bits, &gamma, budget)? {
            return Ok(found);
        }
    }
    Err(Error::limit(OP, "primes", 1 << 50))
}

/// The divisor modulo a prime, with leading coefficient one.
fn common(field: FloatPrime, x: &[f64], y: &[f64], budget: &Budget<'_>) -> Result<Vec<f64>, Error> {
    let (x, y) = if x.len() < y.len() { (y, x) } else { (x, y) };
    let (mut x, mut y) = (x.to_vec(), y.to_vec());
    let mut work = 0;
    while y.len() > 1 {
        // A sequence whose degrees fall by one takes one pass for each.
        while x.len() >= y.len() {
            let steps = PATIENCE / x.len() + 1;
            work += x.len() * steps.min(x.len() - y.len() + 1);
            if work > PATIENCE {
                budget.check_time(OP)?;
                work = 0;
            }
            eliminate(field, &mut x, &y, steps);
        }
        std::mem::swap(&mut x, &mut y);
    }
    if !y.is_empty() {
        return Ok(vec![1.0]);
    }
    let inverse = field.inv(x.last().copied().unwrap_or(1.0));
    scale(field, &mut x, inverse);
    Ok(x)
}

/// The exact quotient by a divisor with leading coefficient one.
fn quotient(
    field: FloatPrime,
    mut x: Vec<f64>,
    divisor: &[f64],
    budget: &Budget<'_>,
) -> Result<Vec<f64>, Error> {
    let n = divisor.len() - 1;
    let mut from = x.len().saturating_sub(n);
    let steps = 2 * (PATIENCE / divisor.len() + 1);
    while from > 1 {
        budget.check_time(OP)?;
        let to = from.saturating_sub(steps);
        divide(field, &mut x, divisor, to, from);
        // The last one may be left over: nothing is to be subtracted from it any more.
        from = to;
    }
    x.drain(..n.min(x.len()));
    Ok(x)
}

/// The divisor, when its products with the cofactors are known to be right: integers so small that agree modulo all primes.
fn verified(
    images: &[(u64, FloatImage)],
    bits: [usize; 2],
    gamma: &Integer,
    budget: &Budget<'_>,
) -> Result<Option<Vec<Integer>>, Error> {
    // All primes are above 2^49.99.
    let modulus = images.len() * 4999 / 100;
    if gamma.bit_len() + 2 > modulus {
        return Ok(None);
    }
    let scaled = |k: usize, by: &dyn Fn(u64, FloatPrime) -> f64| {
        let each = images.iter().map(|(p, image)| {
            let field = FloatPrime::new(*p);
            let mut list = image[k].clone();
            scale(field, &mut list, by(*p, field));
            list
        });
        each.collect::<Vec<_>>()
    };
    let primes: Vec<u64> = images.iter().map(|(p, _)| *p).collect();
    let residue = |c: &Integer, p: u64, field: FloatPrime| field.settled(reduced(c, p) as f64);
    let list = scaled(0, &|p, field| residue(gamma, p, field));
    let digits = Digits::new(&primes, list, budget)?;
    let divisor = digits.integers(budget)?;
    let mut content = Integer::ZERO;
    for c in &divisor {
        content = integer_gcd(&content, c);
        if content == Integer::ONE {
            break;
        }
    }
    if content == Integer::ZERO {
        return Ok(None);
    }
    let divisor: Vec<Integer> = match content == Integer::ONE {
        true => divisor,
        false => divisor.iter().map(|c| c / &content).collect(),
    };
    let size = divisor.iter().map(BitTest::bit_len).max().unwrap_or(0);
    let lead = divisor.last().cloned().unwrap_or(Integer::ONE);
    for (k, bits) in bits.into_iter().enumerate() {
        let list = scaled(k + 1, &|p, field| field.inv(residue(&lead, p, field)));
        let cofactor = Digits::new(&primes, list, budget)?;
        // A coefficient of the product is a sum of so many products at most.
        let count = divisor.len().min(cofactor.len()).ilog2() as usize + 1;
        if (size + cofactor.bits() + count).max(bits) + 1 > modulus {
            return Ok(None);
        }
    }
    Ok(Some(divisor))
}

/// Integers as limbs of 48 bits with their signs: a list for each place, the highest first.
struct Limbs(Vec<Vec<f64>>);

impl Limbs {
    fn new(f: &[Integer], bits: usize) -> Self {
        let places = bits.div_ceil(LIMB).max(1);
        let mut all = vec![vec![0.0; f.len()]; places];
        for (i, c) in f.iter().enumerate() {
            let (sign, words) = c.as_sign_words();
            let word = |k: usize| u128::from(words.get(k).copied().unwrap_or(0));
            for (place, list) in all.iter_mut().rev().enumerate() {
                let at = place * LIMB;
                if at >= 64 * words.len() {
                    break;
                }
                let both = word(at / 64) | word(at / 64 + 1) << 64;
                let limb = ((both >> (at % 64)) as u64 & ((1 << LIMB) - 1)) as f64;
                list[i] = if sign == Sign::Negative { -limb } else { limb };
            }
        }
        Self(all)
    }

    fn modulo(&self, field: FloatPrime, p: u64) -> Vec<f64> {
        let Some((first, rest)) = self.0.split_first() else {
            return Vec::new();
        };
        let mut list = first.clone();
        let step = field.settled(((1u64 << LIMB) % p) as f64);
        for limb in rest {
            horner(field, &mut list, step, limb);
        }
        if !rest.is_empty() {
            scale(field, &mut list, 1.0);
        }
        list
    }
}

/// Integers as digits of least size in the radix of some primes.
struct Digits {
    primes: Vec<u64>,
    lists: Vec<Vec<f64>>,
}

impl Digits {
    /// From remainders, one list a prime.
    fn new(primes: &[u64], mut lists: Vec<Vec<f64>>, budget: &Budget<'_>) -> Result<Self, Error> {
        for (k, &p) in primes.iter().enumerate().skip(1) {
            budget.check_time(OP)?;
            let field = FloatPrime::new(p);
            let (known, rest) = lists.split_at_mut(k);
            let mut value = known[k - 1].clone();
            let mut product = field.settled((primes[k - 1] % p) as f64);
            for j in (0..k - 1).rev() {
                let radix = field.settled((primes[j] % p) as f64);
                horner(field, &mut value, radix, &known[j]);
                product = field.settled(field.mul(product, radix));
            }
            differ(field, &mut value, field.inv(product), &rest[0]);
            rest[0] = value;
        }
        let primes = primes.to_vec();
        Ok(Self { primes, lists })
    }

    fn len(&self) -> usize {
        self.lists.first().map_or(0, Vec::len)
    }

    /// All are below two to this power.
    fn bits(&self) -> usize {
        for (k, list) in self.lists.iter().enumerate().rev() {
            let most = list.iter().fold(0.0, |m: f64, d| m.max(d.abs())) as u64;
            if most > 0 {
                // What the lower digits add is less than one more in this.
                return 50 * k + (most + 1).ilog2() as usize + 1;
            }
        }
        0
    }

    fn integers(&self, budget: &Budget<'_>) -> Result<Vec<Integer>, Error> {
        let mut found = Vec::with_capacity(self.len());
        for i in 0..self.len() {
            if i % 64 == 0 {
                budget.check_time(OP)?;
            }
            found.push(self.integer(i));
        }
        Ok(found)
    }

    fn integer(&self, i: usize) -> Integer {
        let digit = |k: usize| self.lists[k][i] as i64;
        let used = (0..self.lists.len()).rfind(|&k| digit(k) != 0);
        match used {
            None => return Integer::ZERO,
            Some(0) => return Integer::from(digit(0)),
            Some(1) => {
                let high = i128::from(digit(1)) * i128::from(self.primes[0]);
                return Integer::from(high + i128::from(digit(0)));
            }
            _ => {}
        }
        // The sign is that of the highest digit: then all steps stay positive.
        let top = used.unwrap_or(0);
        let negative = digit(top) < 0;
        let mut words = vec![digit(top).unsigned_abs()];
        words.reserve_exact(top * 50 / 64 + 2);
        for k in (0..top).rev() {
            let d = if negative { -digit(k) } else { digit(k) };
            step(&mut words, self.primes[k], d);
        }
        let magnitude = Integer::from(UBig::from_words(&words));
        if negative { -magnitude } else { magnitude }
    }
}

/// `x <- x p + d`, which stays positive.
fn step(x: &mut Vec<u64>, p: u64, d: i64) {
    let mut carry = i128::from(d);
    for word in x.iter_mut() {
        // The carry is above -2^51 and below 2^51.
        let product = u128::from(*word) * u128::from(p);
        let sum = product as i128 + carry;
        *word = sum as u64;
        carry = sum >> 64;
    }
    if carry > 0 {
        x.push(carry as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::super::univariate::by_words;
    use super::{gcd, prime};
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::factor::integral::{primitive, quotient};
    use crate::poly::product::budget::Budget;

    type List = Vec<Integer>;

    fn times(f: &[Integer], g: &[Integer]) -> List {
        let mut h = vec![Integer::ZERO; f.len() + g.len() - 1];
        for (i, x) in f.iter().enumerate() {
            for (j, y) in g.iter().enumerate() {
                h[i + j] += x * y;
            }
        }
        h
    }

    struct Random(u64);

    impl Random {
        fn word(&mut self) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            self.0 >> 20
        }

        fn list(&mut self, degree: usize, bits: usize) -> List {
            let each = (0..=degree).map(|i| {
                let full = (0..bits / 40 + 1).fold(Integer::ZERO, |c, _| {
                    (c << 40) + Integer::from(self.word() % (1 << 40))
                });
                let c = full % (Integer::ONE << bits);
                match (i == degree && c == Integer::ZERO, self.word() % 3) {
                    (true, _) => Integer::ONE,
                    (_, 0) => -c,
                    _ => c,
                }
            });
            primitive(&each.collect::<List>())
        }
    }

    /// Both algorithms agree, and what they find divides with cofactors that are coprime.
    fn agree(a: &[Integer], b: &[Integer]) -> usize {
        let budget = Budget::default();
        let found = gcd(a, b, &budget);
        assert_eq!(found, by_words(a, b, &budget));
        let Ok(found) = found else {
            unreachable!("no limit");
        };
        let (Some(u), Some(w)) = (quotient(a, &found), quotient(b, &found)) else {
            unreachable!("a divisor");
        };
        assert_eq!(gcd(&u, &w, &budget), Ok(vec![Integer::ONE]));
        found.len() - 1
    }

    #[test]
    fn divisors_come_back_at_all_sizes() {
        let mut random = Random(3);
        for round in 0..250 {
            let bits = [1, 2, 10, 47, 48, 49, 64, 100, 500][round % 9];
            let [d, e, f] = [(); 3].map(|()| random.word() as usize % 24);
            let g = random.list(d, bits);
            let more = [1, 10, 200][random.word() as usize % 3];
            let (u, w) = (random.list(e, more), random.list(f, bits));
            let (a, b) = (primitive(&times(&g, &u)), primitive(&times(&g, &w)));
            if a.len() > 1 && b.len() > 1 {
                assert!(agree(&a, &b) + 1 >= g.len());
                // One divides the other, and a square.
                assert_eq!(agree(&a, &primitive(&times(&a, &w))) + 1, a.len());
            }
        }
    }

    #[test]
    fn luckless_and_bad_primes_do_no_harm() {
        let mut random = Random(11);
        let at = |k: usize| Integer::from(prime(k));
        for round in 0..30 {
            let (g, u) = (random.list(4, 20), random.list(5 + round % 3, 30));
            // Modulo the first primes the cofactors are equal.
            let product = &at(0) * &at(1);
            let mut w: List = u
                .iter()
                .map(|c| c + &product * Integer::from(random.word() % 9))
                .collect();
            w[0] += &product;
            agree(&primitive(&times(&g, &u)), &primitive(&times(&g, &w)));
            // Modulo these a degree is lost.
            let mut v = u.clone();
            let top = v.len() - 1;
            v[top] = at(0) * at(round % 4);
            agree(&primitive(&times(&g, &u)), &primitive(&times(&g, &v)));
            // Coefficients near the edges of digits.
            let half = at(0) / Integer::from(2);
            let edge: List = (0..5)
                .map(|k| &half + Integer::from(k) - Integer::from(2))
                .collect();
            agree(&primitive(&times(&edge, &u)), &primitive(&times(&edge, &v)));
        }
    }
}
