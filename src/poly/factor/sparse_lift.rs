//! Factors in several variables modulo a prime, one variable after the other: at random points all variables but two are
//! numbers, lifting needs two only, and the coefficients follow by interpolation on the monomials known from one variable less
//! (Monagan and Tuncer 2016; Chen and Monagan 2020).

use super::bivariate::{Grid, lift};
use super::modular::Check;
use crate::Error;
use crate::poly::gcd::prime_image::Image;
use crate::poly::polynomial::univariate::{Dense, Field};
use std::collections::BTreeMap;

/// A factorisation at a point, to be lifted. Variable 0 is the main one, the point gives values for the others.
pub(crate) struct Start<'a> {
    pub(crate) field: Field,
    /// The polynomial.
    pub(crate) whole: &'a Image,
    /// Its factors at the point, in variable 0.
    pub(crate) factors: &'a [Dense],
    /// Their leading coefficients in variable 0, polynomials in all variables of exponent zero there.
    pub(crate) leads: &'a [Image],
    pub(crate) point: &'a [u64],
    /// Where the random points begin.
    pub(crate) seed: u64,
}

/// A polynomial at the powers of a point: the powers of two variables stay.
struct Walk {
    /// Exponents of the two, the ratio from one power to the next, the value.
    terms: Vec<(usize, usize, u64, u64)>,
    width: usize,
    height: usize,
}

impl Walk {
    /// Variables 1.. go along `along`, the one after them stays, and those beyond take their values from `point`.
    fn new(field: Field, p: &Image, along: &[u64], point: &[u64]) -> Self {
        let stays = along.len() + 1;
        let mut joined: BTreeMap<(usize, usize, Vec<u32>), u64> = BTreeMap::new();
        for (e, &c) in p {
            let at = |v: usize| e.get(v).copied().unwrap_or(0);
            let mut value = c;
            for v in stays + 1..e.len() {
                value = field.mul(value, field.pow(point[v - 1], u64::from(e[v])));
            }
            let moving = (1..stays).map(at).collect();
            let entry = joined.entry((at(0) as usize, at(stays) as usize, moving));
            let sum = entry.or_insert(0);
            *sum = field.add(*sum, value);
        }
        let mut walk = Self {
            terms: Vec::with_capacity(joined.len()),
            width: 0,
            height: 0,
        };
        for ((a, b, e), c) in joined {
            let powers = e.iter().zip(along);
            let ratio = powers.fold(1, |m, (&k, &x)| field.mul(m, field.pow(x, u64::from(k))));
            walk.terms.push((a, b, ratio, field.mul(c, ratio)));
            walk.width = walk.width.max(a + 1);
            walk.height = walk.height.max(b + 1);
        }
        walk
    }

    /// The values at the point where it stands, first at the first power; the next call is for the next power.
    fn next(&mut self, field: Field) -> Grid {
        let mut grid = vec![vec![0; self.width]; self.height];
        for (a, b, ratio, value) in &mut self.terms {
            let cell = &mut grid[*b][*a];
            *cell = field.add(*cell, *value);
            *value = field.mul(*value, *ratio);
        }
        grid.into_iter().map(|row| field.trim(row)).collect()
    }

    fn next_row(&mut self, field: Field) -> Dense {
        self.next(field).into_iter().next().unwrap_or_default()
    }

    fn next_column(&mut self, field: Field) -> Dense {
        let grid = self.next(field);
        let firsts = grid.iter().map(|row| row.first().copied().unwrap_or(0));
        field.trim(firsts.collect())
    }
}

/// The factors with all variables; `None` when the factors at the point are no images of factors, or a random point was bad.
///
/// # Errors
/// What `check` says.
pub(crate) fn all_variables(
    start: &Start<'_>,
    check: Check<'_>,
) -> Result<Option<Vec<Image>>, Error> {
    let each = start.factors.iter().map(|g| {
        let terms = g.iter().enumerate().filter(|(_, c)| **c != 0);
        terms.map(|(a, &c)| (vec![a as u32], c)).collect()
    });
    let mut known: Vec<Image> = each.collect();
    let mut state = start.seed | 1;
    for j in 1..=start.point.len() {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            2 + state % (start.field.p - 2)
        };
        let along: Vec<u64> = (1..j).map(|_| next()).collect();
        match one_more(start, &known, &along, check)? {
            Some(more) => known = more,
            None => return Ok(None),
        }
    }
    Ok(Some(known))
}

/// Factors in one more variable than `known`.
fn one_more(
    start: &Start<'_>,
    known: &[Image],
    along: &[u64],
    check: Check<'_>,
) -> Result<Option<Vec<Image>>, Error> {
    let field = start.field;
    let nodes: Vec<_> = known.iter().map(|g| supports(field, g, along)).collect();
    let sizes = nodes.iter().flat_map(|n| n.values().map(|s| s.0.len()));
    let count = sizes.max().unwrap_or(1);
    let mut whole = Walk::new(field, start.whole, along, start.point);
    let walk = |p: &Image| Walk::new(field, p, along, start.point);
    let mut starts: Vec<Walk> = known.iter().map(walk).collect();
    let mut leads: Vec<Walk> = start.leads.iter().map(walk).collect();
    let mut images: Vec<Vec<Grid>> = Vec::with_capacity(count);
    for _ in 0..count {
        check()?;
        let f = whole.next(field);
        let at: Vec<Dense> = starts.iter_mut().map(|w| w.next_row(field)).collect();
        let top: Vec<Dense> = leads.iter_mut().map(|w| w.next_column(field)).collect();
        let same = at.iter().zip(known).all(|(g, k)| g.len() == degree(k) + 1);
        let lifted = match same {
            true => lift(field, &f, &at, &top, start.point[along.len()]),
            false => None,
        };
        match lifted {
            Some(lifted) => images.push(lifted),
            None => return Ok(None),
        }
    }
    let mut all = Vec::with_capacity(known.len());
    for (i, nodes) in nodes.iter().enumerate() {
        check()?;
        let grids: Vec<&Grid> = images.iter().map(|g| &g[i]).collect();
        match interpolated(field, nodes, &grids) {
            Some(found) => all.push(found),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn degree(p: &Image) -> usize {
    p.last_key_value().map_or(0, |(e, _)| e[0] as usize)
}

/// For each power of the main variable the monomials in the others, their values, and the exponents.
type Nodes = BTreeMap<usize, (Vec<u64>, Vec<Vec<u32>>)>;

fn supports(field: Field, p: &Image, along: &[u64]) -> Nodes {
    let mut nodes = Nodes::new();
    for e in p.keys() {
        let powers = e[1..].iter().zip(along);
        let value = powers.fold(1, |m, (&k, &x)| field.mul(m, field.pow(x, u64::from(k))));
        let (values, exponents) = nodes.entry(e[0] as usize).or_default();
        values.push(value);
        exponents.push(e[1..].to_vec());
    }
    nodes
}

/// The polynomial with these monomials that has the values of the grids at the powers `1, 2, ..` of the point.
fn interpolated(field: Field, nodes: &Nodes, grids: &[&Grid]) -> Option<Image> {
    let height = grids.iter().map(|g| g.len()).max()?;
    let width = grids.iter().flat_map(|g| g.iter().map(Vec::len)).max()?;
    let mut found = Image::new();
    for a in 0..width {
        let value = |g: &Grid, b: usize| {
            let row = g.get(b).and_then(|row| row.get(a));
            row.copied().unwrap_or(0)
        };
        let Some((values, exponents)) = nodes.get(&a) else {
            if (0..height).any(|b| grids.iter().any(|g| value(g, b) != 0)) {
                return None;
            }
            continue;
        };
        let rows = vandermonde(field, values)?;
        for (row, e) in rows.iter().zip(exponents) {
            for b in 0..height {
                let terms = row.iter().zip(grids);
                let c = terms.fold(0, |s, (&m, g)| field.add(s, field.mul(m, value(g, b))));
                if c != 0 {
                    let mut key = vec![a as u32];
                    key.extend(e);
                    key.push(b as u32);
                    found.insert(key, c);
                }
            }
        }
    }
    Some(found)
}

/// The inverse of the matrix `v_s^t` with rows `t = 1, 2, ..`: row `s` of the inverse is `M(z)/(z - v_s)` over `v_s` times its value
/// there, `M` the product of all `z - v_s`; `None` when two nodes are equal.
fn vandermonde(field: Field, nodes: &[u64]) -> Option<Vec<Dense>> {
    let mut master = vec![1];
    for &v in nodes {
        master = field.product(&master, &[field.sub(0, v), 1]);
    }
    let mut rows = Vec::with_capacity(nodes.len());
    for &v in nodes {
        let n = nodes.len();
        let mut row = vec![0; n];
        let mut carry = 0;
        for k in (0..n).rev() {
            carry = field.add(master[k + 1], field.mul(carry, v));
            row[k] = carry;
        }
        let scale = field.mul(v, field.value(&row, v));
        if scale == 0 {
            return None;
        }
        let scale = field.inv(scale);
        row.iter_mut().for_each(|c| *c = field.mul(*c, scale));
        rows.push(row);
    }
    Some(rows)
}
