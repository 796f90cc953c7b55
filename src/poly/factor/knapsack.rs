//! Which modular factors belong together: a knapsack problem, solved by lattice reduction.
//!
//! For a factor `g` of `f` over the integers `f g'/g` has integer coefficients of bounded size, and it is the sum of
//! `f g_i'/g_i` over the modular factors `g_i` of `g`. So the vectors of zeros and ones that stand for factors are short in a
//! lattice, and rows that no short vector needs are removed until the columns that are left equal tell the factors apart
//! (van Hoeij 2002; Belabas, van Hoeij, Klueners, Steel 2009; the columns one after the other as Novocin did).

use super::integral::{Dense2, symmetric};
use super::lattice::Lattice;
use super::lift::{divide, least, multiply};
use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::product::budget::Budget;
use dashu_int::ops::{BitTest, UnsignedAbs};

const OP: &str = "Poly::factor";
/// Bits of information that a column brings, beyond its noise.
const WINDOW: usize = 22;

/// A factorisation modulo `p^k`.
pub(crate) struct Lifted<'a> {
    /// The polynomial, constant first.
    pub(crate) f: &'a [Integer],
    pub(crate) p: u64,
    /// `p^k`.
    pub(crate) m: &'a Integer,
    /// Monic factors, coefficients in `0..m`.
    pub(crate) parts: &'a [Dense2],
}

/// Bits that bound the coefficients of `f g'/g` for every factor `g`, one number a power of the variable.
///
/// The coefficient of `x^j` is a sum over roots `a` of `sum_{i>j} f_i a^(i-j-1)`, which is `-sum_{i<=j} f_i a^(i-j-1)`: whatever
/// the size of the root, one of the two is below its value at a radius chosen once. The least that the greatest term can be, over
/// all radii, is the value at `j + 1` of the concave hull of the logarithms of the coefficients.
fn derivative_bounds(f: &[Integer]) -> Vec<usize> {
    let n = f.len() - 1;
    let slack = 2.0 * ((n + 1) as f64).log2() + 2.0;
    let logs = f.iter().map(|c| c.unsigned_abs().bit_len() as f64);
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for (i, log) in logs.enumerate().filter(|(_, log)| *log > 0.0) {
        let point = (i as f64, log);
        while let [.., a, b] = hull.as_slice() {
            // The middle one stays when it is above the line from one to the other.
            if (b.1 - a.1) * (point.0 - a.0) > (point.1 - a.1) * (b.0 - a.0) {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    let mut side = 0;
    let bound = |j: usize| {
        let x = j as f64 + 1.0;
        while hull.get(side + 1).is_some_and(|b| b.0 < x) {
            side += 1;
        }
        let value = match (hull.get(side), hull.get(side + 1)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * ((x - a.0) / (b.0 - a.0)).max(0.0),
            (Some(a), None) => a.1,
            _ => 0.0,
        };
        (value + slack).max(1.0).ceil() as usize
    };
    (0..n).map(bound).collect()
}

/// The factorisation modulo the power of `p` must reach so many bits for the columns to tell anything.
pub(crate) fn wanted_bits(f: &[Integer], parts: usize) -> usize {
    let mut bounds = derivative_bounds(f);
    bounds.sort_unstable();
    // As many columns as there may be need of.
    let last = bounds.len().min(parts + 8) - 1;
    bounds[last] + WINDOW + noise(parts).ilog2() as usize + 2
}

/// Rounding errors of a column in a vector of zeros and ones are below this.
fn noise(parts: usize) -> i64 {
    parts as i64 + 2
}

/// `f g'/g` modulo `m` for each modular factor.
fn logarithmic_derivatives(of: &Lifted<'_>, budget: &Budget<'_>) -> Result<Vec<Dense2>, Error> {
    let f: Dense2 = of.f.iter().map(|c| least(c, of.m)).collect();
    let mut all = Vec::with_capacity(of.parts.len());
    for g in of.parts {
        budget.check_time(OP)?;
        // The divisor is monic, so the leading coefficient of `f` stays in the quotient.
        let (quotient, _) = divide(&f, g, of.m);
        let slope = g.iter().enumerate().skip(1);
        let slope: Dense2 = slope.map(|(i, c)| c * Integer::from(i) % of.m).collect();
        all.push(multiply(&quotient, &slope, of.m));
    }
    Ok(all)
}

/// Sets of modular factors, each of which makes a factor of `f`, as `accept` finds out; `None` when the columns do not tell.
///
/// # Errors
/// `Stopped`, and what `accept` says.
pub(crate) fn partition<T>(
    of: &Lifted<'_>,
    budget: &Budget<'_>,
    accept: &mut dyn FnMut(&[Vec<usize>]) -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let r = of.parts.len();
    let noise = noise(r);
    let bounds = derivative_bounds(of.f);
    let derivatives = logarithmic_derivatives(of, budget)?;
    let mut order: Vec<usize> = (0..bounds.len().saturating_sub(1)).collect();
    order.sort_by_key(|&j| bounds[j]);
    let unit = |i: usize| (0..r).map(|j| if i == j { noise } else { 0 }).collect();
    let mut lattice = Lattice {
        rows: (0..r).map(unit).collect(),
    };
    let check = || budget.check_time(OP);
    let (mut columns, mut tried) = (0i64, Vec::new());
    for j in order {
        budget.check_time(OP)?;
        let column = derivatives.iter().map(|d| d.get(j));
        let column: Vec<Integer> = column
            .map(|c| c.cloned().unwrap_or(Integer::ZERO))
            .collect();
        let Some((scaled, modulus)) = rounded(&column, bounds[j], of, noise) else {
            continue;
        };
        extend(&mut lattice, &scaled, modulus, noise);
        columns += 1;
        if !lattice.reduce(&check)? {
            return Ok(None);
        }
        // The squares of vectors that stand for factors.
        lattice.remove_long(noise * noise * (r as i64 + columns));
        let classes = equal_columns(&lattice, r);
        if classes.len() <= lattice.rows.len() && classes != tried {
            if let Some(found) = accept(&classes)? {
                return Ok(Some(found));
            }
            tried = classes;
        }
    }
    Ok(None)
}

/// A column without its lowest bits and its highest, and the modulus that is left of `m`; `None` when there is nothing
/// to learn from it.
fn rounded(
    column: &[Integer],
    bound: usize,
    of: &Lifted<'_>,
    noise: i64,
) -> Option<(Vec<i64>, i64)> {
    let wanted = bound + WINDOW + noise.ilog2() as usize;
    // The least power of p that is long enough.
    let exponent = (wanted as f64 / (of.p as f64).log2()) as usize;
    let mut q = Integer::from(of.p).pow(exponent.max(1));
    while q.bit_len() <= wanted && q < *of.m {
        q *= Integer::from(of.p);
    }
    let q = if q > *of.m { of.m.clone() } else { q };
    if q.bit_len() < bound + noise.ilog2() as usize + 8 {
        return None;
    }
    let half = Integer::ONE << (bound - 1);
    let round = |c: &Integer| {
        let magnitude: Integer = (Integer::from(c.unsigned_abs()) + &half) >> bound;
        let signed = if *c < Integer::ZERO {
            -magnitude
        } else {
            magnitude
        };
        i64::try_from(&signed).ok()
    };
    let scaled: Option<Vec<i64>> = column.iter().map(|c| round(&symmetric(c, &q))).collect();
    let scaled = scaled?;
    let learns = scaled.iter().any(|&c| c != 0);
    Some((scaled, round(&q)?)).filter(|_| learns)
}

/// One more column, and the row of its modulus.
fn extend(lattice: &mut Lattice, scaled: &[i64], modulus: i64, unit: i64) {
    for row in &mut lattice.rows {
        let products = row.iter().zip(scaled);
        let sum: i128 = products
            .map(|(&u, &c)| i128::from(u / unit) * i128::from(c))
            .sum();
        let mut entry = sum.rem_euclid(i128::from(modulus)) as i64;
        if entry > modulus / 2 {
            entry -= modulus;
        }
        row.push(entry);
    }
    let width = lattice.rows.first().map_or(1, Vec::len);
    let mut row = vec![0; width];
    row[width - 1] = modulus;
    lattice.rows.push(row);
}

/// The first `r` columns sorted into classes of equal ones.
fn equal_columns(lattice: &Lattice, r: usize) -> Vec<Vec<usize>> {
    let same = |i: usize, j: usize| lattice.rows.iter().all(|row| row[i] == row[j]);
    let mut classes: Vec<Vec<usize>> = Vec::new();
    for i in 0..r {
        match classes.iter_mut().find(|c| same(c[0], i)) {
            Some(class) => class.push(i),
            None => classes.push(vec![i]),
        }
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::{derivative_bounds, wanted_bits};
    use crate::poly::coefficients::rational::Integer;
    use crate::poly::factor::integral::quotient;
    use dashu_int::ops::{BitTest, UnsignedAbs};

    /// `f g'/g` stays below the bounds for products of known factors of very different sizes.
    #[test]
    fn derivatives_of_factors_stay_below_their_bounds() {
        let mut seed = 21u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 33
        };
        for round in 0..300 {
            let mut list = |n: u64| -> Vec<Integer> {
                let each = (0..=n).map(|_| {
                    let shift = next() as usize % 60;
                    Integer::from(next() as i64 - (1 << 30)) << (next() as usize % 2 * shift)
                });
                let mut all: Vec<Integer> = each.collect();
                all[0] += Integer::ONE << 62;
                all[n as usize] += Integer::ONE << 31;
                all
            };
            let (g, h) = (list(1 + round % 5), list(1 + round % 9));
            let product = |f: &[Integer], g: &[Integer]| {
                let mut h = vec![Integer::ZERO; f.len() + g.len() - 1];
                for (i, x) in f.iter().enumerate() {
                    for (j, y) in g.iter().enumerate() {
                        h[i + j] += x * y;
                    }
                }
                h
            };
            let f = product(&g, &h);
            assert_eq!(quotient(&f, &g), Some(h.clone()));
            let slope = g.iter().enumerate().skip(1);
            let slope: Vec<Integer> = slope.map(|(i, c)| c * Integer::from(i)).collect();
            let bounds = derivative_bounds(&f);
            let found = product(&h, &slope);
            for (c, bound) in found.iter().zip(&bounds) {
                assert!(c.clone().unsigned_abs().bit_len() <= *bound);
            }
            assert!(wanted_bits(&f, 3) > 22);
        }
    }
}
