//! Factors of distinct degrees modulo a prime.
//!
//! Modulo small primes the lists are of floating-point numbers, several of which are handled at once.

use super::modular::Check;
use crate::Error;
use crate::poly::polynomial::univariate::{Dense, Field, add_multiple};
use crate::poly::simd::short_floats::{
    LONGEST, SHORT, ShortPrime, combine, eliminate_short, multiply, reduce,
};

/// Whether lists of floating-point numbers serve.
fn short(field: Field, f: &[u64]) -> Option<ShortPrime> {
    let serves = field.p < SHORT && f.len() <= LONGEST + 1 && f.len() > 2;
    serves.then(|| ShortPrime::new(field.p))
}

/// The monic greatest common divisor.
pub(crate) fn gcd(field: Field, f: &[u64], g: &[u64]) -> Dense {
    match short(field, f).filter(|_| g.len() <= LONGEST + 1) {
        Some(own) => gcd_of_floats(own, field, own.floats(f), own.floats(g)),
        None => field.gcd(f, g),
    }
}

fn gcd_of_floats(own: ShortPrime, field: Field, mut x: Vec<f64>, mut y: Vec<f64>) -> Dense {
    while !y.is_empty() {
        eliminate_short(own, &mut x, &y);
        std::mem::swap(&mut x, &mut y);
    }
    field.monic(&own.words(&x))
}

/// `base^exponent mod f` for a monic `f`, the exponent as little-endian words.
///
/// # Errors
/// What `check` says, which is asked once a bit.
pub(crate) fn power_mod(
    field: Field,
    base: &[u64],
    exponent: &[u64],
    f: &[u64],
    check: Check<'_>,
) -> Result<Dense, Error> {
    let Some(own) = short(field, f) else {
        return field.power_mod(base, exponent, f, check);
    };
    let f = own.floats(f);
    let mut base = own.floats(base);
    reduce(own, &mut base, &f);
    let (mut result, mut product) = (vec![1.0], Vec::new());
    let mut begun = false;
    for word in exponent.iter().rev() {
        for bit in (0..64).rev() {
            let one = word >> bit & 1 == 1;
            if begun {
                check()?;
                multiply(own, &result, &result, &mut product);
                reduce(own, &mut product, &f);
                std::mem::swap(&mut result, &mut product);
            }
            begun |= one;
            if one {
                multiply(own, &result, &base, &mut product);
                reduce(own, &mut product, &f);
                std::mem::swap(&mut result, &mut product);
            }
        }
    }
    Ok(own.words(&result))
}

/// For every degree that occurs the product of the irreducible factors of this degree.
///
/// The powers `x^(p^d)` come from the matrix of Frobenius' map; differences `x^(p^d) - x` are multiplied by blocks, so that
/// there is one greatest common divisor a block.
pub(crate) fn by_degree(
    field: Field,
    f: &[u64],
    check: Check<'_>,
) -> Result<Vec<(usize, Dense)>, Error> {
    if let Some(own) = short(field, f) {
        return by_degree_in_floats(own, field, f, check);
    }
    let mut found = Vec::new();
    let mut rest = f.to_vec();
    let x: Dense = vec![0, 1];
    let mut power = field.remainder(&x, f);
    let mut degree = 0;
    let frobenius = Frobenius::new(field, f, check)?;
    while rest.len() > 2 * (degree + 1) {
        let mut block = Vec::new();
        let mut product: Dense = vec![1];
        while block.len() < BLOCK && rest.len() > 2 * (degree + 1) {
            check()?;
            degree += 1;
            power = frobenius.of(&power, check)?;
            let difference = field.difference(&power, &x);
            product = field.remainder(&field.product(&product, &difference), &rest);
            block.push((degree, difference));
        }
        let mut common = field.gcd(&rest, &product);
        if common.len() == 1 {
            continue;
        }
        rest = field.divided(&rest, &common).0;
        for (degree, difference) in block {
            check()?;
            let equal = field.gcd(&common, &field.remainder(&difference, &common));
            if equal.len() > 1 {
                common = field.divided(&common, &equal).0;
                found.push((degree, equal));
            }
        }
    }
    if rest.len() > 1 {
        found.push((rest.len() - 1, field.monic(&rest)));
    }
    Ok(found)
}

/// Degrees whose differences are multiplied together.
const BLOCK: usize = 12;
/// Beyond this degree the matrix of Frobenius' map would take too much memory.
const MATRIX: usize = 2000;

/// The map `g -> g^p` modulo `f`.
struct Frobenius<'a> {
    field: Field,
    f: &'a [u64],
    /// Row `i` is `x^(p i)` modulo `f`, of full length; empty when `f` is too long.
    rows: Vec<u64>,
}

impl<'a> Frobenius<'a> {
    fn new(field: Field, f: &'a [u64], check: Check<'_>) -> Result<Self, Error> {
        let n = f.len().saturating_sub(1);
        let mut rows = Vec::new();
        if (4..=MATRIX).contains(&n) && field.p < 1 << 28 {
            rows.reserve_exact(n * n);
            let step = match field.p > 2 * n as u64 {
                true => Some(field.power_mod(&[0, 1], &[field.p], f, check)?),
                false => None,
            };
            let mut row: Dense = vec![1];
            for _ in 0..n {
                check()?;
                rows.extend_from_slice(&row);
                rows.resize(rows.len() + n - row.len(), 0);
                row = match &step {
                    Some(h) => field.remainder(&field.product(&row, h), f),
                    None => shifted(field, row, f),
                };
            }
        }
        Ok(Self { field, f, rows })
    }

    fn of(&self, g: &[u64], check: Check<'_>) -> Result<Dense, Error> {
        let field = self.field;
        if self.rows.is_empty() {
            return field.power_mod(g, &[field.p], self.f, check);
        }
        let n = self.f.len() - 1;
        let mut sum = vec![0u64; n];
        // So many products of residues fit a word.
        let fit = ((1u64 << 63) / (field.p * field.p)) as usize;
        for (i, &c) in g.iter().enumerate() {
            if i % fit == fit - 1 {
                sum.iter_mut().for_each(|s| *s %= field.p);
            }
            add_multiple(&mut sum, &self.rows[i * n..(i + 1) * n], c);
        }
        sum.iter_mut().for_each(|s| *s %= field.p);
        Ok(field.trim(sum))
    }
}

/// `x^p g` modulo a monic `f`.
fn shifted(field: Field, g: Dense, f: &[u64]) -> Dense {
    let n = f.len() - 1;
    let mut row = g;
    row.resize(n, 0);
    for _ in 0..field.p {
        let top = row[n - 1];
        row.copy_within(..n - 1, 1);
        row[0] = 0;
        if top != 0 {
            add_multiple(&mut row, &f[..n], field.p - top);
            row.iter_mut().for_each(|c| *c %= field.p);
        }
    }
    field.trim(row)
}

/// [`by_degree`] modulo a small prime.
fn by_degree_in_floats(
    own: ShortPrime,
    field: Field,
    f: &[u64],
    check: Check<'_>,
) -> Result<Vec<(usize, Dense)>, Error> {
    let mut found = Vec::new();
    let (mut rest, mut modulus) = (f.to_vec(), own.floats(f));
    let frobenius = FloatFrobenius::new(own, field, f, check)?;
    let mut power = own.floats(&field.remainder(&[0, 1], f));
    let mut degree = 0;
    let mut scratch = Vec::new();
    while rest.len() > 2 * (degree + 1) {
        let mut block: Vec<(usize, Vec<f64>)> = Vec::new();
        let mut product = vec![1.0];
        while block.len() < BLOCK && rest.len() > 2 * (degree + 1) {
            check()?;
            degree += 1;
            power = frobenius.of(power, check)?;
            let mut difference = power.clone();
            difference.resize(difference.len().max(2), 0.0);
            difference[1] = own.settled(difference[1] - 1.0);
            while difference.last() == Some(&0.0) {
                difference.pop();
            }
            // Of small degree once much has been split off.
            let mut reduced = difference.clone();
            reduce(own, &mut reduced, &modulus);
            multiply(own, &product, &reduced, &mut scratch);
            reduce(own, &mut scratch, &modulus);
            std::mem::swap(&mut product, &mut scratch);
            block.push((degree, difference));
        }
        let mut common = gcd_of_floats(own, field, modulus.clone(), product);
        if common.len() == 1 {
            continue;
        }
        rest = field.divided(&rest, &common).0;
        modulus = own.floats(&rest);
        for (degree, mut difference) in block {
            check()?;
            let open = own.floats(&common);
            reduce(own, &mut difference, &open);
            let equal = gcd_of_floats(own, field, open, difference);
            if equal.len() > 1 {
                common = field.divided(&common, &equal).0;
                found.push((degree, equal));
            }
            if common.len() == 1 {
                break;
            }
        }
    }
    if rest.len() > 1 {
        found.push((rest.len() - 1, field.monic(&rest)));
    }
    Ok(found)
}

/// The map `g -> g^p` modulo `f`, as [`Frobenius`].
struct FloatFrobenius {
    own: ShortPrime,
    p: u64,
    field: Field,
    f: Vec<u64>,
    /// Row `i` is `x^(p i)` modulo `f`, of full length; residues are below `2^20`, so short numbers hold them.
    rows: Vec<f32>,
}

impl FloatFrobenius {
    fn new(own: ShortPrime, field: Field, f: &[u64], check: Check<'_>) -> Result<Self, Error> {
        let n = f.len() - 1;
        let mut rows = Vec::new();
        if n <= MATRIX {
            let g = own.floats(f);
            rows.reserve_exact(n * n);
            // Shifts by p cost p n, a product and its remainder three times n^2 at most.
            let step = match field.p > 3 * n as u64 {
                true => Some(own.floats(&power_mod(field, &[0, 1], &[field.p], f, check)?)),
                false => None,
            };
            let (mut row, mut next) = (vec![1.0], Vec::new());
            for _ in 0..n {
                check()?;
                rows.extend(row.iter().map(|&c| c as f32));
                rows.resize(rows.len() + n - row.len(), 0.0);
                match &step {
                    Some(h) => multiply(own, &row, h, &mut next),
                    None => {
                        next.clear();
                        next.resize(field.p as usize, 0.0);
                        next.extend_from_slice(&row);
                    }
                }
                reduce(own, &mut next, &g);
                std::mem::swap(&mut row, &mut next);
            }
        }
        Ok(Self {
            own,
            p: field.p,
            field,
            f: f.to_vec(),
            rows,
        })
    }

    fn of(&self, g: Vec<f64>, check: Check<'_>) -> Result<Vec<f64>, Error> {
        if self.rows.is_empty() {
            let power = power_mod(self.field, &self.own.words(&g), &[self.p], &self.f, check)?;
            return Ok(self.own.floats(&power));
        }
        let mut sum = vec![0.0; self.f.len() - 1];
        combine(self.own, &g, &self.rows, &mut sum);
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::{by_degree, gcd, power_mod};
    use crate::poly::polynomial::univariate::Field;

    /// Factors of distinct degrees by the definition: common divisors with `x^(p^d) - x`.
    #[test]
    fn degrees_are_those_of_the_definition() {
        let mut seed = 9u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        };
        let check = || Ok(());
        for p in [2, 3, 5, 11, 61, 1009, 1_048_573, 2_097_143] {
            let field = Field { p };
            for _ in 0..12 {
                let n = 1 + next() as usize % 30;
                let f: Vec<u64> = (0..n).map(|_| next() % p).chain([1]).collect();
                let slope = field.derivative(&f);
                assert_eq!(gcd(field, &f, &slope), field.gcd(&f, &slope));
                if field.gcd(&f, &slope).len() > 1 {
                    continue;
                }
                let mut wanted = Vec::new();
                let (mut rest, mut power) = (f.clone(), field.remainder(&[0, 1], &f));
                for d in 1..=n {
                    let by = field.power_mod(&power, &[p], &f, &check);
                    assert_eq!(power_mod(field, &power, &[p], &f, &check), by);
                    power = by.unwrap_or_default();
                    let common = field.gcd(&rest, &field.difference(&power, &[0, 1]));
                    if common.len() > 1 {
                        rest = field.divided(&rest, &common).0;
                        wanted.push((d, common));
                    }
                }
                let mut found = by_degree(field, &f, &check).unwrap_or_default();
                found.sort();
                assert_eq!(found, wanted, "{p} {f:?}");
            }
        }
    }
}
