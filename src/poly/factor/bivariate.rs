//! Hensel's lifting in one more variable, modulo a prime, with leading coefficients known beforehand.

use crate::poly::polynomial::univariate::{Dense, Field};

/// A polynomial in two variables: entry `[b][a]` belongs to `y^b x^a`.
pub(crate) type Grid = Vec<Dense>;

/// Factors of `f`, a polynomial in `x` and `y`, that are `starts` at `y = at` and have the given leading coefficients in `x`,
/// polynomials in `y`; `None` when there are none.
///
/// The product of what is returned is `f`: it agrees modulo `(y - at)^(d+1)`, `d` the degree of `f` in `y`, and has no
/// greater degree.
///
/// # Source
/// Wang 1978; the coefficient of each power of `y - at` gives one equation `sum s_i f/f_i = e`, solved modulo the starts.
pub(crate) fn lift(
    field: Field,
    f: &Grid,
    starts: &[Dense],
    leads: &[Dense],
    at: u64,
) -> Option<Vec<Grid>> {
    let f = shifted(field, f, at);
    let height = f.len();
    let degree = starts.iter().map(|g| g.len() - 1).sum::<usize>();
    let inverses = cofactor_inverses(field, starts)?;
    let mut factors = begun(field, (starts, leads), at, height)?;
    // partial[j] is the product of the first j + 1 factors.
    let mut partial: Vec<Grid> = vec![Vec::with_capacity(height); starts.len()];
    for k in 0..height {
        for j in 0..starts.len() {
            let next = match j {
                0 => factors[0][k].clone(),
                _ => convolved(field, &partial[j - 1], &factors[j], k),
            };
            partial[j].push(next);
        }
        let error = field.difference(&f[k], &partial[starts.len() - 1][k]);
        if error.is_empty() {
            continue;
        }
        if k == 0 || error.len() > degree {
            return None;
        }
        let mut delta = Dense::new();
        for j in 0..starts.len() {
            let step = field.remainder(&error, &starts[j]);
            let step = field.remainder(&field.product(&step, &inverses[j]), &starts[j]);
            let before = match j {
                0 => Dense::new(),
                _ => field.product(&partial[j - 1][0], &step),
            };
            delta = match j {
                0 => step.clone(),
                _ => field.sum(&field.product(&delta, &starts[j]), &before),
            };
            factors[j][k] = field.sum(&factors[j][k], &step);
            partial[j][k] = field.sum(&partial[j][k], &delta);
        }
    }
    let tall = |g: &Grid| g.iter().rposition(|row| !row.is_empty()).unwrap_or(0);
    if factors.iter().map(tall).sum::<usize>() >= height {
        return None;
    }
    let back = field.sub(0, at);
    Some(factors.iter().map(|g| shifted(field, g, back)).collect())
}

/// The factors as far as they are known: their starts and their leading coefficients.
fn begun(
    field: Field,
    (starts, leads): (&[Dense], &[Dense]),
    at: u64,
    height: usize,
) -> Option<Vec<Grid>> {
    let mut factors: Vec<Grid> = Vec::with_capacity(starts.len());
    for (g, lead) in starts.iter().zip(leads) {
        let lead = shifted_one(field, lead, at);
        if g.last() != lead.first() || lead.len() > height {
            return None;
        }
        let mut grid = vec![Dense::new(); height];
        grid[0].clone_from(g);
        for (row, &c) in grid.iter_mut().zip(&lead).skip(1).filter(|(_, c)| **c != 0) {
            row.resize(g.len() - 1, 0);
            row.push(c);
        }
        factors.push(grid);
    }
    Some(factors)
}

/// The inverse of the product of all other starts modulo each; `None` when two have a common factor.
fn cofactor_inverses(field: Field, starts: &[Dense]) -> Option<Vec<Dense>> {
    let mut inverses = Vec::with_capacity(starts.len());
    for (i, g) in starts.iter().enumerate() {
        let others = starts.iter().enumerate().filter(|(l, _)| *l != i);
        let others = others.fold(vec![1], |p, (_, h)| {
            field.remainder(&field.product(&p, h), g)
        });
        let (inverse, _) = field.bezout(&others, g);
        if field.remainder(&field.product(&inverse, &others), g) != [1] {
            return None;
        }
        inverses.push(inverse);
    }
    Some(inverses)
}

/// Coefficient `k` of the product of two series in `y`.
fn convolved(field: Field, f: &Grid, g: &Grid, k: usize) -> Dense {
    let mut sum = Dense::new();
    for b in 0..=k {
        if !f[k - b].is_empty() && !g[b].is_empty() {
            sum = field.sum(&sum, &field.product(&f[k - b], &g[b]));
        }
    }
    sum
}

/// `f(x, y + c)`, rows for all powers of `y` up to the degree of `f`.
fn shifted(field: Field, f: &Grid, c: u64) -> Grid {
    let width = f.iter().map(Vec::len).max().unwrap_or(0);
    let mut grid = vec![vec![0; width]; f.len()];
    for (row, from) in grid.iter_mut().zip(f) {
        row[..from.len()].copy_from_slice(from);
    }
    for a in 0..if c == 0 { 0 } else { width } {
        for low in 0..f.len() {
            for b in (low..f.len().saturating_sub(1)).rev() {
                let step = field.mul(c, grid[b + 1][a]);
                grid[b][a] = field.add(grid[b][a], step);
            }
        }
    }
    grid.into_iter().map(|row| field.trim(row)).collect()
}

fn shifted_one(field: Field, f: &[u64], c: u64) -> Dense {
    let grid: Grid = f.iter().map(|&x| field.trim(vec![x])).collect();
    let grid = shifted(field, &grid, c);
    field.trim(
        grid.iter()
            .map(|row| row.first().copied().unwrap_or(0))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Grid, lift};
    use crate::poly::polynomial::univariate::{Field, MERSENNE};

    fn product(field: Field, f: &Grid, g: &Grid) -> Grid {
        let mut h = vec![Vec::new(); f.len() + g.len() - 1];
        for (i, x) in f.iter().enumerate() {
            for (j, y) in g.iter().enumerate() {
                h[i + j] = field.sum(&h[i + j], &field.product(x, y));
            }
        }
        h
    }

    #[test]
    fn two_factors_come_back() {
        let field = Field { p: MERSENNE };
        // ((1 + y) x^2 + 3 y x + 5) (x + y^2 + 2) at y = 2.
        let f = vec![vec![5, 0, 1], vec![0, 3, 1]];
        let g = vec![vec![2, 1], vec![], vec![1]];
        let starts = [vec![5, 6, 3], vec![6, 1]];
        let leads = [vec![1, 1], vec![1]];
        let whole = product(field, &f, &g);
        let found = lift(field, &whole, &starts, &leads, 2).unwrap_or_default();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0][..2], f[..]);
        assert_eq!(found[1][..3], g[..]);
    }
}
