//! Resultants by their values modulo primes and at points of a grid.

use crate::Error;
use crate::poly::coefficients::rational::Integer;
use crate::poly::factor::reduced;
use crate::poly::gcd::chinese::Chinese;
use crate::poly::polynomial::univariate::{Dense, Field, primes_below};
use crate::poly::polynomial::value::Poly;
use crate::poly::product::budget::Budget;
use dashu_int::ops::BitTest;

const OP: &str = "Poly::resultant";
/// Grids with more points are left to other methods.
const MAX_POINTS: u64 = 1 << 15;
/// Primes below this: residues have 62 bits.
const PRIMES: u64 = 1 << 62;

/// The exponents of one polynomial: that of the main variable and those of the others.
struct Shape {
    main: Vec<u32>,
    others: Vec<Vec<u32>>,
    degree: usize,
}

impl Shape {
    fn new(p: &Poly<Integer>, v: usize, others: &[usize]) -> Self {
        let at = |e: &[u32], v: usize| e.get(v).copied().unwrap_or(0);
        let rows: Vec<Vec<u32>> = p.iter().map(|t| t.0).collect();
        Self {
            main: rows.iter().map(|e| at(e, v)).collect(),
            others: rows
                .iter()
                .map(|e| others.iter().map(|&w| at(e, w)).collect())
                .collect(),
            degree: p.degree(v) as usize,
        }
    }

    /// A bound for the degree in the main variable and variable `k` together.
    fn joint(&self, k: usize) -> u64 {
        let each = self.main.iter().zip(&self.others);
        each.map(|(&x, e)| u64::from(x) + u64::from(e[k]))
            .max()
            .unwrap_or(0)
    }

    fn single(&self, k: usize) -> u64 {
        self.others
            .iter()
            .map(|e| u64::from(e[k]))
            .max()
            .unwrap_or(0)
    }

    /// The image in the main variable at a point given by powers of its coordinates.
    fn at(&self, field: Field, values: &[u64], point: &[&[u64]]) -> Dense {
        let mut f = vec![0; self.degree + 1];
        for ((&x, e), &c) in self.main.iter().zip(&self.others).zip(values) {
            let each = e.iter().zip(point).filter(|&(&k, _)| k > 0);
            let c = each.fold(c, |c, (&k, powers)| field.mul(c, powers[k as usize]));
            f[x as usize] = field.add(f[x as usize], c);
        }
        field.trim(f)
    }
}

/// The resultant of primitive polynomials of positive degrees in variable `v`; `None` where the grid would be too large.
///
/// # Complexity
/// For degree `n` and a bound of `b` bits, `O(b (n^2 + t))` word operations for each point of the grid, `t` the number of terms.
///
/// # Source
/// Collins 1971, "The calculation of multivariate polynomial resultants".
pub(crate) fn resultant(
    a: &Poly<Integer>,
    b: &Poly<Integer>,
    v: usize,
    budget: &Budget<'_>,
) -> Result<Option<Poly<Integer>>, Error> {
    let n = a.nvars().max(b.nvars());
    let others: Vec<usize> = (0..n)
        .filter(|&w| w != v && a.degree(w).max(b.degree(w)) > 0)
        .collect();
    let [f, g] = [a, b].map(|p| Shape::new(p, v, &others));
    let (x, y) = (f.degree as u64, g.degree as u64);
    let sides = (0..others.len()).map(|k| {
        // The resultant is isobaric: the indices of the coefficients in each product add up to x y.
        let plain = y * f.single(k) + x * g.single(k);
        plain.min(y * f.joint(k) + x * g.joint(k) - x * y) + 1
    });
    let sides: Vec<u64> = sides.collect();
    let points = sides.iter().try_fold(1u64, |n, &s| n.checked_mul(s));
    let Some(points) = points.filter(|&n| n <= MAX_POINTS) else {
        return Ok(None);
    };
    let sides: Vec<usize> = sides.iter().map(|&s| s as usize).collect();
    let bits = bound(a, &f, y) + bound(b, &g, x) + 2;
    budget.check_bits(OP, bits.saturating_mul(points))?;
    let grid = Grid { a, b, f, g, sides };
    let (mut found, mut chinese): (Vec<Vec<u64>>, _) = (Vec::new(), Chinese::default());
    let mut known = 0;
    for p in primes_below(PRIMES) {
        if known > bits {
            break;
        }
        let field = Field { p };
        found.push(grid.image(field, budget)?);
        chinese.push(field);
        known += 61;
    }
    let mut terms = Vec::new();
    for i in 0..points as usize {
        if i % 64 == 0 {
            budget.check_time(OP)?;
        }
        let c = chinese.integer(found.iter().map(|values| values[i]));
        if c != Integer::ZERO {
            let mut row = vec![0; n];
            let mut rest = i;
            for (&w, &side) in others.iter().zip(&grid.sides) {
                row[w] = (rest % side) as u32;
                rest /= side;
            }
            terms.push((row, c));
        }
    }
    Ok(Some(Poly::from_terms(terms)))
}

/// Bits of the part of Hadamard's bound that one polynomial gives, whose rows occur `times` times: on the torus a coefficient in
/// the main variable is at most the sum of its coefficients.
fn bound(p: &Poly<Integer>, shape: &Shape, times: u64) -> u64 {
    let mut sums = vec![Integer::ZERO; shape.degree + 1];
    for ((_, c), &k) in p.iter().zip(&shape.main) {
        sums[k as usize] += &c * c.signum();
    }
    let norm = sums.iter().fold(Integer::ZERO, |n, s| n + s * s);
    (norm.bit_len() as u64 * times).div_ceil(2)
}

struct Grid<'a> {
    a: &'a Poly<Integer>,
    b: &'a Poly<Integer>,
    f: Shape,
    g: Shape,
    /// Points for each of the other variables: 0, 1, ..
    sides: Vec<usize>,
}

impl Grid<'_> {
    /// The coefficients of the resultant modulo a prime, the exponent of the first variable running fastest.
    fn image(&self, field: Field, budget: &Budget<'_>) -> Result<Vec<u64>, Error> {
        let [u, w] = [self.a, self.b].map(|p| {
            let each = p.iter().map(|(_, c)| reduced(&c, field.p));
            each.collect::<Vec<u64>>()
        });
        // Powers of the points.
        let tables: Vec<Vec<Vec<u64>>> = (0..self.sides.len())
            .map(|k| {
                let most = self.f.single(k).max(self.g.single(k)) as usize;
                let powers = |x: u64| {
                    let mut list = vec![1; most + 1];
                    for i in 0..most {
                        list[i + 1] = field.mul(list[i], x);
                    }
                    list
                };
                (0..self.sides[k] as u64).map(powers).collect()
            })
            .collect();
        let count = self.sides.iter().product();
        let mut values = Vec::with_capacity(count);
        let (m, n) = (self.f.degree, self.g.degree);
        for i in 0..count {
            let mut rest = i;
            let point = tables.iter().zip(&self.sides).map(|(table, &side)| {
                let powers = table[rest % side].as_slice();
                rest /= side;
                powers
            });
            let point: Vec<&[u64]> = point.collect();
            let (f, g) = (self.f.at(field, &u, &point), self.g.at(field, &w, &point));
            let check = || budget.check_time(OP);
            values.push(formal(field, f, g, m, n, &check)?);
        }
        let mut stride = 1;
        for &side in &self.sides {
            budget.check_time(OP)?;
            interpolate(field, &mut values, side, stride);
            stride *= side;
        }
        Ok(values)
    }
}

/// Replaces the values at 0, 1, .. along one axis by coefficients (Newton).
fn interpolate(field: Field, values: &mut [u64], side: usize, stride: usize) {
    let inverses: Vec<u64> = (0..side as u64).map(|k| field.inv(k)).collect();
    let mut line = vec![0; side];
    for start in (0..values.len()).filter(|i| (i / stride).is_multiple_of(side)) {
        for (k, x) in line.iter_mut().enumerate() {
            *x = values[start + k * stride];
        }
        // Divided differences, then Horner's rule in the basis of products x (x - 1) ..
        for k in 1..side {
            for i in (k..side).rev() {
                line[i] = field.mul(field.sub(line[i], line[i - 1]), inverses[k]);
            }
        }
        for k in (0..side.saturating_sub(1)).rev() {
            for i in k..side - 1 {
                line[i] = field.sub(line[i], field.mul(k as u64, line[i + 1]));
            }
        }
        for (k, x) in line.iter().enumerate() {
            values[start + k * stride] = *x;
        }
    }
}

/// The resultant of polynomials that count as of degrees `m` and `n`, whatever their leading coefficients.
fn formal(
    field: Field,
    f: Dense,
    g: Dense,
    m: usize,
    n: usize,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<u64, Error> {
    if f.is_empty() || g.is_empty() {
        return Ok(0);
    }
    let (x, y) = (f.len() - 1, g.len() - 1);
    if x < m && y < n {
        return Ok(0);
    }
    // Sylvester's matrix has the missing leading coefficients as columns of zeros but for the other's.
    let factor = match x < m {
        true => {
            let power = field.pow(g[y], (m - x) as u64);
            if n % 2 == 1 && (m - x) % 2 == 1 {
                field.sub(0, power)
            } else {
                power
            }
        }
        false => field.pow(f[x], (n - y) as u64),
    };
    Ok(field.mul(factor, by_remainders(field, f, g, check)?))
}

/// The resultant by a remainder sequence without inverses.
fn by_remainders(
    field: Field,
    mut f: Dense,
    mut g: Dense,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<u64, Error> {
    let (mut above, mut below) = (1, 1);
    let negate = |x: u64, odd: bool| if odd { field.sub(0, x) } else { x };
    if f.len() < g.len() {
        above = negate(above, (f.len() - 1) * (g.len() - 1) % 2 == 1);
        std::mem::swap(&mut f, &mut g);
    }
    check()?;
    while g.len() > 1 {
        let (n, top) = (g.len() - 1, g[g.len() - 1]);
        let old = f.len() - 1;
        let steps = field.pseudo_remainder_of(&mut f, &g);
        // lead(g)^steps f = q g + r, and Res(f, g) = (-1)^(old n) lead(g)^(old - deg r) Res(g, r).
        below = field.mul(below, field.pow(top, (steps * n) as u64));
        if f.is_empty() {
            return Ok(0);
        }
        above = field.mul(above, field.pow(top, (old + 1 - f.len()) as u64));
        above = negate(above, old * n % 2 == 1);
        std::mem::swap(&mut f, &mut g);
        if n > 1000 {
            check()?;
        }
    }
    let Some(&last) = g.first() else {
        return Ok(0);
    };
    let last = field.pow(last, f.len() as u64 - 1);
    Ok(field.mul(field.mul(above, last), field.inv(below)))
}
