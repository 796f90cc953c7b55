//! Greatest common divisors of sparse polynomials in several variables over a finite field: images in one variable at points of
//! geometric sequences, one more variable at a time.
//!
//! The first variable is the main one. Images are scaled so that their leading coefficient is the value of `gamma`, a multiple of
//! the leading coefficient of the divisor; so they are images of one polynomial, the divisor times a factor without the main
//! variable. Which monomials occur is learned from the variables before; values of the coefficients come from Vandermonde systems.
//!
//! Nothing is certain here: a luckless point can hide a monomial. Who calls divides.

use super::ground::Ground;
use crate::Error;
use crate::poly::polynomial::univariate::Dense;

/// A polynomial: rows of exponents, the main variable first, and coefficients.
pub(crate) struct Terms {
    pub(crate) n: usize,
    pub(crate) rows: Vec<u32>,
    pub(crate) values: Vec<u64>,
}

/// One coefficient of the divisor in the main variable: exponents of the other variables so far, and values.
#[derive(Clone, Default)]
pub(crate) struct Part {
    rows: Vec<Vec<u32>>,
    values: Vec<u64>,
}

/// The problem: `gamma` has the exponent 0 in the main variable.
pub(crate) struct Problem<'a, G: Ground> {
    pub(crate) field: &'a G,
    pub(crate) a: Terms,
    pub(crate) b: Terms,
    pub(crate) gamma: Terms,
    /// Bounds for the degrees of the divisor times its factor in the variables but the main one.
    pub(crate) bounds: Vec<u32>,
    pub(crate) check: &'a dyn Fn() -> Result<(), Error>,
}

/// Numbers that look random: Steele, Lea, Flood 2014 (splitmix).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
    /// A nonzero element.
    fn element(&mut self, size: u64) -> u64 {
        1 + self.next() % (size - 1)
    }
}

/// A greatest common divisor up to a factor, without inverses.
pub(crate) fn common<G: Ground>(
    field: &G,
    mut a: Dense,
    mut b: Dense,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Dense, Error> {
    if a.len() < b.len() {
        std::mem::swap(&mut a, &mut b);
    }
    let mut steps = 0;
    while b.len() > 1 {
        steps += a.len() * (a.len() - b.len() + 1);
        if steps > 1 << 18 {
            check()?;
            steps = 0;
        }
        field.pseudo_remainder(&mut a, &b);
        std::mem::swap(&mut a, &mut b);
    }
    Ok(if b.is_empty() { a } else { vec![1] })
}

/// The images of a polynomial in the main variable at the points of a geometric sequence.
struct Stream<'a> {
    terms: &'a Terms,
    now: Vec<u64>,
    ratio: &'a [u64],
    length: usize,
}

impl Stream<'_> {
    /// The image at the next point.
    fn image<G: Ground>(&mut self, field: &G) -> Dense {
        let mut f = vec![0; self.length];
        let rows = self.terms.rows.chunks(self.terms.n);
        for ((row, x), &r) in rows.zip(&mut self.now).zip(self.ratio) {
            let sum = &mut f[row[0] as usize];
            *sum = field.add(*sum, *x);
            *x = field.mul(*x, r);
        }
        field.trim(f)
    }
}

/// What does not change while the value of variable `k` does: the terms with the variables after it replaced, and the ratios of
/// the variables before it.
struct Stage {
    base: Vec<u64>,
    ratio: Vec<u64>,
}

impl Stage {
    fn new<G: Ground>(field: &G, f: &Terms, k: usize, point: &[u64], ratios: &[u64]) -> Self {
        let mut base = f.values.clone();
        let mut ratio = vec![1; base.len()];
        for v in 1..f.n {
            if v == k {
                continue;
            }
            let x = if v < k { ratios[v] } else { point[v] };
            let powers = powers(field, x, f, v);
            for (t, row) in f.rows.chunks(f.n).enumerate() {
                let y = powers[row[v] as usize];
                let list = if v < k { &mut ratio } else { &mut base };
                list[t] = field.mul(list[t], y);
            }
        }
        Self { base, ratio }
    }

    /// The sequence that begins at the first power of the ratios, with `x` for variable `k`.
    fn at<'a, G: Ground>(&'a self, field: &G, f: &'a Terms, k: usize, x: u64) -> Stream<'a> {
        let powers = if k < f.n {
            powers(field, x, f, k)
        } else {
            Vec::new()
        };
        let rows = f.rows.chunks(f.n);
        let each = rows
            .zip(&self.base)
            .zip(&self.ratio)
            .map(|((row, &c), &r)| {
                let c = field.mul(c, r);
                if k < f.n {
                    field.mul(c, powers[row[k] as usize])
                } else {
                    c
                }
            });
        let length = f.rows.chunks(f.n).map(|row| row[0] as usize + 1).max();
        Stream {
            terms: f,
            now: each.collect(),
            ratio: &self.ratio,
            length: length.unwrap_or(0),
        }
    }
}

fn powers<G: Ground>(field: &G, x: u64, f: &Terms, v: usize) -> Vec<u64> {
    let most = f.rows.chunks(f.n).map(|row| row[v]).max().unwrap_or(0);
    let mut list = vec![1];
    for k in 0..most as usize {
        list.push(field.mul(list[k], x));
    }
    list
}

impl<G: Ground> Problem<'_, G> {
    /// The coefficients of the divisor below the leading one in the main variable, with the variables before `k` as unknowns, `x`
    /// for variable `k` and the point for the rest. `parts` holds the monomials. `None` when a point is luckless.
    fn solved(
        &self,
        stages: &[Stage; 3],
        k: usize,
        x: u64,
        parts: &[Part],
        ratios: &[u64],
    ) -> Result<Option<Vec<Vec<u64>>>, Error> {
        let (field, degree) = (self.field, parts.len());
        let count = parts.iter().map(|p| p.rows.len()).max().unwrap_or(0).max(1);
        let [mut a, mut b, mut c] = [(0, &self.a), (1, &self.b), (2, &self.gamma)]
            .map(|(i, f)| stages[i].at(field, f, k, x));
        let mut samples: Vec<Dense> = vec![Dense::with_capacity(count); degree];
        for _ in 0..count {
            (self.check)()?;
            let f = common(field, a.image(field), b.image(field), self.check)?;
            let scale = c.image(field);
            let (Some(&top), [scale]) = (f.last(), scale.as_slice()) else {
                return Ok(None);
            };
            if f.len() != degree + 1 {
                return Ok(None);
            }
            let unit = field.mul(*scale, field.inv(top));
            for (list, &y) in samples.iter_mut().zip(&f) {
                list.push(field.mul(y, unit));
            }
        }
        let mut found = Vec::with_capacity(degree);
        for (part, list) in parts.iter().zip(&samples) {
            let values: Vec<u64> = part
                .rows
                .iter()
                .map(|row| {
                    let each = row.iter().enumerate().filter(|&(_, &e)| e > 0);
                    each.fold(1, |m, (v, &e)| field.mul(m, power(field, ratios[v + 1], e)))
                })
                .collect();
            let Some(solution) = vandermonde(field, &values, list) else {
                return Ok(None);
            };
            found.push(solution);
        }
        Ok(Some(found))
    }

    fn stages(&self, k: usize, point: &[u64], ratios: &[u64]) -> [Stage; 3] {
        [&self.a, &self.b, &self.gamma].map(|f| Stage::new(self.field, f, k, point, ratios))
    }

    fn random(&self, numbers: &mut Numbers) -> Vec<u64> {
        let size = self.field.size();
        (0..self.a.n).map(|_| numbers.element(size)).collect()
    }

    /// The coefficients of the divisor times its factor below the leading one, which is `gamma`; `None` when a point was luckless.
    ///
    /// # Errors
    /// What `check` says.
    ///
    /// # Complexity
    /// For `d` the greatest degree, `n` variables and `t` terms in the longest coefficient, `O(n d t)` images in one variable.
    ///
    /// # Source
    /// Zippel 1979; de Kleine, Monagan, Wittkopf 2005 (leading coefficients that are not one).
    pub(crate) fn interpolated(&self, numbers: &mut Numbers) -> Result<Option<Vec<Part>>, Error> {
        let (field, n) = (self.field, self.a.n);
        let point = self.random(numbers);
        let ones = vec![1; n];
        let stages = self.stages(0, &point, &ones);
        let [mut a, mut b, mut c] = [(0, &self.a), (1, &self.b), (2, &self.gamma)]
            .map(|(i, f)| stages[i].at(field, f, n, 1));
        let f = common(field, a.image(field), b.image(field), self.check)?;
        let scale = c.image(field);
        let (Some((&top, low)), [scale]) = (f.split_last(), scale.as_slice()) else {
            return Ok(None);
        };
        let unit = field.mul(*scale, field.inv(top));
        let mut parts: Vec<Part> = low
            .iter()
            .map(|&y| match y {
                0 => Part::default(),
                y => Part {
                    rows: vec![Vec::new()],
                    values: vec![field.mul(y, unit)],
                },
            })
            .collect();
        for k in 1..n {
            let ratios = self.random(numbers);
            let stages = self.stages(k, &point, &ratios);
            let mut columns = Columns::new(field, &parts, point[k]);
            for _ in 0..self.bounds[k - 1] {
                let x = numbers.element(field.size());
                if columns.points.contains(&x) {
                    return Ok(None);
                }
                let Some(found) = self.solved(&stages, k, x, &parts, &ratios)? else {
                    return Ok(None);
                };
                if !columns.add(field, x, &found) {
                    break;
                }
            }
            parts = columns.parts(&parts);
        }
        Ok(Some(parts))
    }

    /// The coefficients with the monomials that another prime showed.
    ///
    /// # Errors
    /// What `check` says.
    pub(crate) fn with_monomials(
        &self,
        parts: &[Part],
        numbers: &mut Numbers,
    ) -> Result<Option<Vec<Part>>, Error> {
        let n = self.a.n;
        let ratios = self.random(numbers);
        let stages = self.stages(n, &ratios, &ratios);
        let found = self.solved(&stages, n, 1, parts, &ratios)?;
        let join = |(part, values): (&Part, Vec<u64>)| Part {
            rows: part.rows.clone(),
            values,
        };
        Ok(found.map(|f| parts.iter().zip(f).map(join).collect()))
    }

    /// All terms, the leading coefficient included.
    pub(crate) fn terms(&self, parts: &[Part]) -> Vec<(Vec<u32>, u64)> {
        let mut all = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            for (row, &c) in part.rows.iter().zip(&part.values) {
                let key = std::iter::once(i as u32).chain(row.iter().copied());
                all.push((key.collect(), c));
            }
        }
        for (row, &c) in self.gamma.rows.chunks(self.gamma.n).zip(&self.gamma.values) {
            let mut row = row.to_vec();
            row[0] = parts.len() as u32;
            all.push((row, c));
        }
        all
    }
}

fn power<G: Ground>(field: &G, x: u64, mut e: u32) -> u64 {
    let (mut result, mut x) = (1, x);
    while e > 0 {
        if e & 1 == 1 {
            result = field.mul(result, x);
        }
        x = field.mul(x, x);
        e >>= 1;
    }
    result
}

/// Coefficients of all parts as polynomials in one more variable, interpolated by Newton's formula.
struct Columns {
    points: Vec<u64>,
    /// The product of `x - point`.
    modulus: Dense,
    columns: Vec<Vec<Dense>>,
}

impl Columns {
    fn new<G: Ground>(field: &G, parts: &[Part], x: u64) -> Self {
        let columns = parts
            .iter()
            .map(|p| p.values.iter().map(|&c| vec![c]).collect());
        Self {
            points: vec![x],
            modulus: vec![field.sub(0, x), 1],
            columns: columns.collect(),
        }
    }

    /// One more point; false when it changes nothing.
    fn add<G: Ground>(&mut self, field: &G, x: u64, values: &[Vec<u64>]) -> bool {
        let inverse = field.inv(field.value(&self.modulus, x));
        let mut changed = false;
        for (columns, values) in self.columns.iter_mut().zip(values) {
            for (f, &y) in columns.iter_mut().zip(values) {
                let step = field.mul(field.sub(y, field.value(f, x)), inverse);
                if step != 0 {
                    changed = true;
                    f.resize(self.modulus.len(), 0);
                    for (c, &m) in f.iter_mut().zip(&self.modulus) {
                        *c = field.add(*c, field.mul(step, m));
                    }
                }
            }
        }
        self.points.push(x);
        self.modulus = field.product(&self.modulus, &[field.sub(0, x), 1]);
        changed
    }

    /// The parts with the new variable.
    fn parts(self, old: &[Part]) -> Vec<Part> {
        let each = old.iter().zip(self.columns).map(|(part, columns)| {
            let mut new = Part::default();
            for (row, f) in part.rows.iter().zip(columns) {
                for (k, c) in f.into_iter().enumerate().filter(|&(_, c)| c != 0) {
                    let mut row = row.clone();
                    row.push(k as u32);
                    new.rows.push(row);
                    new.values.push(c);
                }
            }
            new
        });
        each.collect()
    }
}

/// The `c` with `sum_t c_t m_t^j = s_j` for `j = 1, 2, ..`; `None` when two of the `m` are equal.
///
/// # Complexity
/// `O(t^2)`.
/// Here `t` is the number of points.
fn vandermonde<G: Ground>(field: &G, m: &[u64], s: &[u64]) -> Option<Vec<u64>> {
    let mut sorted = m.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|w| w[0] == w[1]) {
        return None;
    }
    // The polynomial with the roots m.
    let mut all = vec![1];
    for &x in m {
        all = field.product(&all, &[field.sub(0, x), 1]);
    }
    let mut found = Vec::with_capacity(m.len());
    for &x in m {
        // Its quotient by z - x, against the samples and at x.
        let (mut q, mut sum, mut at) = (0, 0, 0);
        for i in (0..m.len()).rev() {
            q = field.add(all[i + 1], field.mul(q, x));
            sum = field.add(sum, field.mul(q, s[i]));
            at = field.add(q, field.mul(at, x));
        }
        // The first sample belongs to the first power.
        found.push(field.mul(sum, field.inv(field.mul(at, x))));
    }
    Some(found)
}
