//! One elimination modulo a prime, many right-hand sides.
//!
//! Rows are reduced downwards only and every multiplier stays in the place of the entry that it removed, so that
//! the matrix afterwards holds both triangular factors, as in the decomposition `P A = L E` of Jeannerod, Pernet and
//! Storjohann (2013). Columns are taken in their order: the first columns of the matrix become pivots.

use super::lines::Packed;
use crate::Error;
use std::marker::PhantomData;

/// Entries of a matrix at most.
const MAX_ENTRIES: usize = 1 << 31;

/// A matrix with its elimination.
pub(crate) struct Elimination<F> {
    words: Vec<u64>,
    /// Words of a row.
    stride: usize,
    columns: usize,
    /// The row of the matrix that stands in each place.
    order: Vec<usize>,
    /// The column of each pivot; pivot `k` is in place `k`.
    pivots: Vec<usize>,
    field: PhantomData<F>,
}

impl<F: Packed> Elimination<F> {
    /// Eliminates the matrix of `rows` rows with the entries `(row, column, value)`, values below the prime, asking `go_on`
    /// from time to time.
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        entries: impl Iterator<Item = (usize, usize, u8)>,
        go_on: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<Self, Error> {
        if rows.checked_mul(columns).is_none_or(|n| n > MAX_ENTRIES) {
            return Err(Error::limit(
                "lift",
                "entries of the Jacobian",
                MAX_ENTRIES as u64,
            ));
        }
        let stride = columns.div_ceil(64) * F::PLANES;
        let mut matrix = Self {
            words: vec![0; rows * stride],
            stride,
            columns,
            order: (0..rows).collect(),
            pivots: Vec::new(),
            field: PhantomData,
        };
        for (row, column, value) in entries {
            let row = &mut matrix.words[row * stride..][..stride];
            let sum = (F::get(row, column) + value % F::PRIME) % F::PRIME;
            F::set(row, column, sum);
        }
        for column in 0..columns {
            if column % 8 == 0 {
                go_on()?;
            }
            matrix.step(column);
        }
        Ok(matrix)
    }

    fn row(&self, place: usize) -> &[u64] {
        &self.words[place * self.stride..][..self.stride]
    }

    fn step(&mut self, column: usize) {
        let (k, stride) = (self.pivots.len(), self.stride);
        let found = (k..self.order.len()).find(|&i| F::get(self.row(i), column) != 0);
        let Some(found) = found else { return };
        if found != k {
            let (head, tail) = self.words.split_at_mut(found * stride);
            head[k * stride..][..stride].swap_with_slice(&mut tail[..stride]);
            self.order.swap(k, found);
        }
        self.pivots.push(column);
        let (head, tail) = self.words.split_at_mut((k + 1) * stride);
        let pivot = &head[k * stride..];
        // Nonzero elements of these fields are their own inverses.
        let inverse = F::get(pivot, column);
        for row in tail.chunks_exact_mut(stride) {
            let value = F::get(row, column);
            if value != 0 {
                let multiplier = value * inverse % F::PRIME;
                F::add_behind(row, pivot, F::PRIME - multiplier, column);
                F::set(row, column, multiplier);
            }
        }
    }

    /// The rank.
    #[cfg(test)]
    fn rank(&self) -> usize {
        self.pivots.len()
    }

    /// The columns without a pivot.
    pub(crate) fn free(&self) -> Vec<usize> {
        let mut free = vec![true; self.columns];
        self.pivots.iter().for_each(|&c| free[c] = false);
        (0..self.columns).filter(|&c| free[c]).collect()
    }

    /// `x` with `A x = right` and the given values of free columns, others zero; else the place of a row that cannot be met.
    pub(crate) fn solve(&self, right: &[u8], chosen: &[(usize, u8)]) -> Result<Vec<u8>, usize> {
        let p = F::PRIME;
        let mut forward = vec![0u64; self.stride];
        for (place, &row) in self.order.iter().enumerate() {
            let rest = (right[row] + p - F::dot(self.row(place), &forward)) % p;
            match self.pivots.get(place) {
                Some(&column) => F::set(&mut forward, column, rest),
                None if rest == 0 => (),
                None => return Err(place),
            }
        }
        let mut x = vec![0u64; self.stride];
        for &(column, value) in chosen {
            F::set(&mut x, column, value);
        }
        for (place, &column) in self.pivots.iter().enumerate().rev() {
            let row = self.row(place);
            let rest = (F::get(&forward, column) + p - F::dot(row, &x)) % p;
            // At its pivot the row still holds the pivot itself.
            F::set(&mut x, column, rest * F::get(row, column) % p);
        }
        Ok((0..self.columns).map(|c| F::get(&x, c)).collect())
    }

    /// The combination of rows of the matrix that became the zero row at `place`.
    pub(crate) fn combination(&self, place: usize) -> Vec<(usize, u8)> {
        let p = F::PRIME;
        let mut open = vec![0u64; self.stride];
        let copy = |open: &mut [u64], row: &[u64], factor: u8, until: usize| {
            for &column in &self.pivots[..until] {
                let c = (F::get(open, column) + factor * F::get(row, column)) % p;
                F::set(open, column, c);
            }
        };
        let mut found = vec![(self.order[place], 1)];
        copy(&mut open, self.row(place), 1, self.pivots.len());
        for k in (0..self.pivots.len()).rev() {
            let c = F::get(&open, self.pivots[k]);
            if c != 0 {
                found.push((self.order[k], p - c));
                copy(&mut open, self.row(k), p - c, k);
            }
        }
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::{Three, Two};
    use super::*;
    use crate::scheme::search::vectors::Dice;

    fn solves<F: Packed>() -> Result<(), Error> {
        let p = F::PRIME;
        let (mut met, mut refused) = (0, 0);
        for case in 0..300 {
            let mut dice = Dice::new(case, u64::from(p));
            let (n, m) = (1 + dice.below(90), 1 + dice.below(90));
            let sparse = 1 + dice.below(6);
            let mut a = vec![vec![0u8; m]; n];
            for entry in a.iter_mut().flatten() {
                if dice.below(sparse) == 0 {
                    *entry = dice.below(usize::from(p)) as u8;
                }
            }
            let listed = a.iter().enumerate();
            let listed =
                listed.flat_map(|(i, r)| r.iter().enumerate().map(move |(j, c)| (i, j, *c)));
            let e = Elimination::<F>::new(n, m, listed, &mut || Ok(()))?;
            let times = |x: &[u8]| -> Vec<u8> {
                let row = |r: &Vec<u8>| r.iter().zip(x).map(|(a, b)| u32::from(a * b)).sum::<u32>();
                a.iter().map(|r| (row(r) % u32::from(p)) as u8).collect()
            };
            let hidden: Vec<u8> = (0..m).map(|_| dice.below(usize::from(p)) as u8).collect();
            let right = times(&hidden);
            let free = e.free();
            assert_eq!(free.len() + e.rank(), m);
            let chosen: Vec<(usize, u8)> = free.iter().map(|&c| (c, hidden[c])).collect();
            assert_eq!(e.solve(&right, &chosen), Ok(hidden));
            let any: Vec<u8> = (0..n).map(|_| dice.below(usize::from(p)) as u8).collect();
            match e.solve(&any, &[]) {
                Ok(x) => {
                    assert_eq!(times(&x), any);
                    met += 1;
                }
                Err(place) => {
                    let y = e.combination(place);
                    for j in 0..m {
                        let sum: u32 = y.iter().map(|(i, c)| u32::from(c * a[*i][j])).sum();
                        assert_eq!(sum % u32::from(p), 0, "column {j}");
                    }
                    let sum: u32 = y.iter().map(|(i, c)| u32::from(c * any[*i])).sum();
                    assert_ne!(sum % u32::from(p), 0);
                    refused += 1;
                }
            }
        }
        assert!(met > 30 && refused > 30, "{met} met, {refused} refused");
        Ok(())
    }

    #[test]
    fn solutions_and_refusals_are_right() -> Result<(), Error> {
        solves::<Two>()?;
        solves::<Three>()
    }
}
