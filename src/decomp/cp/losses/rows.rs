//! The entries of each row of each mode, and the model there.
//!
//! ```text
//! dense:   m_ij = row_i . row_j of the Khatri-Rao product of the other modes, for every entry with weight
//! sparse:  the same at stored entries; of those that are not stored the Poisson loss is their model, and
//!          sum over all entries of the model = sum_r prod_m (column sum of component r in mode m)
//! ```
//!
//! Source: Chi and Kolda 2012 for the sum over all entries.

use super::entry_loss::EntryLoss;
use super::row_newton::{self, Expansion};
use crate::Error;
use crate::tensor::sparse_modes::SparseModes;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A factor row by row, `n x rank`.
pub(super) type ByRows = Vec<f64>;

/// Numbers in the product of the other factors: 2 GiB.
const MOST_NUMBERS: usize = 1 << 28;
/// Rows times components below which a second thread does not pay.
const FEW: usize = 1 << 12;

/// What is fitted, by which loss.
#[derive(Clone, Copy)]
pub(super) struct LossData<'a> {
    pub(super) loss: EntryLoss,
    pub(super) dims: &'a [usize],
    pub(super) entries: Entries<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Entries<'a> {
    /// Every entry, first index fastest, and the weights where they are not all one.
    Dense(&'a [f64], Option<&'a [f64]>),
    /// Stored entries; the others are counts of zero.
    Sparse(&'a SparseModes),
}

/// The rows of one mode, the other factors fixed.
pub(super) struct Rows<'a> {
    data: LossData<'a>,
    mode: usize,
    rank: usize,
    /// Rows of the Khatri-Rao product of the other modes; empty for sparse data.
    product: Vec<f64>,
    others: Vec<&'a [f64]>,
    /// Slope of what is not stored; empty for dense data.
    linear: Vec<f64>,
}

impl LossData<'_> {
    /// One descent of every row of every mode; the loss at the end, or nothing when `halt` was set in between: then the factors
    /// are those of no whole sweep.
    pub(super) fn sweep(
        &self,
        factors: &mut [ByRows],
        rank: usize,
        halt: &AtomicBool,
    ) -> Option<f64> {
        let mut total = f64::INFINITY;
        for mode in 0..factors.len() {
            let mut own = std::mem::take(&mut factors[mode]);
            let rows = Rows::of(*self, factors, mode, rank);
            let work = |(i, row): (usize, &mut [f64])| match halt.load(Ordering::Relaxed) {
                true => 0.0,
                false => row_newton::descend(&rows, i, row),
            };
            let values: Vec<f64> = match own.len() < FEW {
                true => own.chunks_exact_mut(rank).enumerate().map(work).collect(),
                false => own
                    .par_chunks_exact_mut(rank)
                    .enumerate()
                    .map(work)
                    .collect(),
            };
            drop(rows);
            factors[mode] = own;
            if halt.load(Ordering::Relaxed) {
                return None;
            }
            total = values.iter().sum();
        }
        Some(total)
    }

    /// The loss of a model.
    pub(super) fn value(&self, factors: &[ByRows], rank: usize) -> f64 {
        let rows = Rows::of(*self, factors, 0, rank);
        let value = |i: usize| rows.value(i, &factors[0][i * rank..(i + 1) * rank]);
        let values: Vec<f64> = (0..self.dims[0]).into_par_iter().map(value).collect();
        values.iter().sum()
    }

    /// The gradient, one mode after the other, rows contiguous.
    pub(super) fn gradient(&self, factors: &[ByRows], rank: usize) -> Vec<ByRows> {
        let mode = |m: usize| {
            let rows = Rows::of(*self, factors, m, rank);
            let row = |i: usize| {
                rows.expansion(i, &factors[m][i * rank..(i + 1) * rank])
                    .gradient
            };
            let all: Vec<Vec<f64>> = (0..self.dims[m]).into_par_iter().map(row).collect();
            all.concat()
        };
        (0..factors.len()).map(mode).collect()
    }
}

impl<'a> Rows<'a> {
    /// The rows of `mode`; the factor of that mode itself is not read.
    pub(super) fn of(data: LossData<'a>, factors: &'a [ByRows], mode: usize, rank: usize) -> Self {
        let others: Vec<&[f64]> = (0..factors.len())
            .filter(|&k| k != mode)
            .map(|k| factors[k].as_slice())
            .collect();
        let (mut product, mut linear) = (Vec::new(), Vec::new());
        match data.entries {
            Entries::Dense(..) => product = khatri_rao_rows(&others, rank),
            Entries::Sparse(_) => {
                linear = vec![1.0; rank];
                for f in &others {
                    let sums = column_sums(f, rank);
                    linear.iter_mut().zip(&sums).for_each(|(l, s)| *l *= s);
                }
            }
        }
        Self {
            data,
            mode,
            rank,
            product,
            others,
            linear,
        }
    }

    pub(super) fn nonnegative(&self) -> bool {
        self.data.loss.is_nonnegative()
    }

    /// Calls `each` with every entry of row `i`, its weight, and the product of the rows of the other factors.
    pub(super) fn visit(&self, i: usize, mut each: impl FnMut(f64, f64, &[f64])) {
        let rank = self.rank;
        match self.data.entries {
            Entries::Dense(t, weights) => {
                let stride: usize = self.data.dims[..self.mode].iter().product();
                let n = self.data.dims[self.mode];
                for (k, p) in self.product.chunks_exact(rank).enumerate() {
                    let at = k % stride + stride * (i + n * (k / stride));
                    let w = weights.map_or(1.0, |w| w[at]);
                    if w > 0.0 {
                        each(t[at], w, p);
                    }
                }
            }
            Entries::Sparse(modes) => {
                let (index, values) = modes.row(self.mode, i);
                let mut p = vec![0.0; rank];
                for (k, &x) in values.iter().enumerate() {
                    p.fill(1.0);
                    let at = &index[k * self.others.len()..(k + 1) * self.others.len()];
                    for (f, &j) in self.others.iter().zip(at) {
                        let row = &f[j as usize * rank..(j as usize + 1) * rank];
                        p.iter_mut().zip(row).for_each(|(p, a)| *p *= a);
                    }
                    each(x, 1.0, &p);
                }
            }
        }
    }

    /// Slope, in the model, of what the loss of an entry leaves to the linear part.
    fn apart(&self) -> f64 {
        f64::from(!self.linear.is_empty())
    }

    /// The loss of row `i` with `row` as the factor's row.
    pub(super) fn value(&self, i: usize, row: &[f64]) -> f64 {
        let (loss, apart) = (self.data.loss, self.apart());
        let mut total = self.linear.iter().zip(row).map(|(l, b)| l * b).sum();
        self.visit(i, |x, w, p| {
            let m = inner(row, p);
            total += w * (loss.excess(x, m) - apart * m);
        });
        total
    }

    /// Value, gradient and curvature of row `i`.
    pub(super) fn expansion(&self, i: usize, row: &[f64]) -> Expansion {
        let (rank, loss, apart) = (self.rank, self.data.loss, self.apart());
        let mut value = self.linear.iter().zip(row).map(|(l, b)| l * b).sum();
        let mut gradient = match self.linear.is_empty() {
            true => vec![0.0; rank],
            false => self.linear.clone(),
        };
        let mut curvature = vec![0.0; rank * rank];
        self.visit(i, |x, w, p| {
            let m = inner(row, p);
            value += w * (loss.excess(x, m) - apart * m);
            let (slope, bend) = loss.slopes(x, m);
            let (slope, bend) = (w * (slope - apart), w * bend);
            for (r, &a) in p.iter().enumerate() {
                gradient[r] += slope * a;
                let column = &mut curvature[r * rank..r * rank + r + 1];
                column
                    .iter_mut()
                    .zip(p)
                    .for_each(|(h, &b)| *h += bend * a * b);
            }
        });
        for r in 0..rank {
            for s in 0..r {
                curvature[s * rank + r] = curvature[r * rank + s];
            }
        }
        Expansion {
            value,
            gradient,
            curvature,
        }
    }
}

/// Refuses shapes and ranks whose factors, or products of all factors but one, no memory holds; sparse data need no products.
pub(super) fn check_size(
    op: &'static str,
    (dims, is_sparse): (&[usize], bool),
    rank: usize,
) -> Result<(), Error> {
    let factors = dims.iter().fold(0usize, |n, &d| n.saturating_add(d));
    let least = dims.iter().copied().min().unwrap_or(1).max(1);
    let all = dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    let product = if is_sparse { 0 } else { all / least };
    match factors.max(product).saturating_mul(rank) > MOST_NUMBERS {
        true => {
            let what = "numbers in the products of factors";
            Err(Error::limit(op, what, MOST_NUMBERS as u64))
        }
        false => Ok(()),
    }
}

pub(super) fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Sums of the columns of a factor by rows.
pub(super) fn column_sums(f: &[f64], rank: usize) -> Vec<f64> {
    let mut sums = vec![0.0; rank];
    for row in f.chunks_exact(rank) {
        sums.iter_mut().zip(row).for_each(|(s, a)| *s += a);
    }
    sums
}

/// Products of rows of all factors, the first index fastest.
fn khatri_rao_rows(factors: &[&[f64]], rank: usize) -> Vec<f64> {
    let mut out = vec![1.0; rank];
    for f in factors {
        let mut next = Vec::with_capacity(out.len() * f.len() / rank);
        for row in f.chunks_exact(rank) {
            for p in out.chunks_exact(rank) {
                next.extend(p.iter().zip(row).map(|(p, a)| p * a));
            }
        }
        out = next;
    }
    out
}
