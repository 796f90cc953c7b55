//! The equations `sum_r a_r (x) b_r (x) c_r = T` of a small tensor: residual, gradient, normal matrix.

use crate::Error;
use crate::tensor::TensorView;

/// A tensor of order three and a number of terms. Unknowns are numbered mode by mode, term by term.
pub(in crate::decomp) struct CpSystem<'a> {
    pub(in crate::decomp) dims: [usize; 3],
    pub(in crate::decomp) rank: usize,
    pub(in crate::decomp) target: &'a [f64],
    /// Mode, row and term of each unknown.
    pub(in crate::decomp) place: Vec<(usize, usize, usize)>,
    /// Where each mode begins.
    pub(in crate::decomp) start: [usize; 4],
}

impl<'a> CpSystem<'a> {
    pub(in crate::decomp) fn new(
        op: &'static str,
        t: TensorView<'a>,
        rank: usize,
    ) -> Result<Self, Error> {
        let dims = <[usize; 3]>::try_from(t.dims());
        let dims =
            dims.map_err(|_| Error::shape(op, "a tensor of order 3", format!("{:?}", t.dims())))?;
        t.require_finite(op)?;
        let unknowns = rank.saturating_mul(dims.iter().sum());
        if rank == 0 || dims.contains(&0) || unknowns > 4000 {
            let wanted = "a rank of at least 1, no empty mode, and at most 4000 unknowns";
            return Err(Error::invalid(
                op,
                format!("needs {wanted}; rank {rank}, shape {dims:?}"),
            ));
        }
        let mut start = [0; 4];
        let mut place = Vec::with_capacity(unknowns);
        for (k, &n) in dims.iter().enumerate() {
            start[k + 1] = start[k] + n * rank;
            place.extend((0..rank).flat_map(|r| (0..n).map(move |i| (k, i, r))));
        }
        Ok(Self {
            dims,
            rank,
            target: t.as_slice(),
            place,
            start,
        })
    }

    pub(in crate::decomp) fn column<'x>(&self, x: &'x [f64], mode: usize, r: usize) -> &'x [f64] {
        let n = self.dims[mode];
        &x[self.start[mode] + r * n..][..n]
    }

    /// Model minus target, first index fastest.
    pub(in crate::decomp) fn gap(&self, x: &[f64], gap: &mut [f64]) {
        gap.iter_mut().zip(self.target).for_each(|(g, t)| *g = -t);
        let (n, m) = (self.dims[0], self.dims[1]);
        for r in 0..self.rank {
            let [a, b, c] = [0, 1, 2].map(|k| self.column(x, k, r));
            for (k, ck) in c.iter().enumerate().filter(|(_, c)| **c != 0.0) {
                for (j, bj) in b.iter().enumerate().filter(|(_, b)| **b != 0.0) {
                    let w = bj * ck;
                    let line = &mut gap[n * (j + m * k)..][..n];
                    line.iter_mut().zip(a).for_each(|(g, ai)| *g += ai * w);
                }
            }
        }
    }

    /// `J' gap`.
    pub(in crate::decomp) fn gradient(&self, x: &[f64], gap: &[f64], g: &mut [f64]) {
        let [n, m, p] = self.dims;
        g.fill(0.0);
        for r in 0..self.rank {
            let [a, b, c] = [0, 1, 2].map(|k| self.column(x, k, r));
            let [ga, gb, gc] = [0, 1, 2].map(|k| self.start[k] + r * self.dims[k]);
            for k in 0..p {
                for j in 0..m {
                    let line = &gap[n * (j + m * k)..][..n];
                    let along: f64 = line.iter().zip(a).map(|(e, ai)| e * ai).sum();
                    g[gb + j] += along * c[k];
                    g[gc + k] += along * b[j];
                    let w = b[j] * c[k];
                    let out = &mut g[ga..ga + n];
                    out.iter_mut().zip(line).for_each(|(g, e)| *g += e * w);
                }
            }
        }
    }

    /// Inner products of the columns of each mode, `rank x rank`.
    pub(in crate::decomp) fn grams(&self, x: &[f64]) -> [Vec<f64>; 3] {
        [0, 1, 2].map(|k| {
            let dot = |r: usize, s: usize| -> f64 {
                let (a, b) = (self.column(x, k, r), self.column(x, k, s));
                a.iter().zip(b).map(|(a, b)| a * b).sum()
            };
            let pairs = 0..self.rank * self.rank;
            pairs.map(|q| dot(q / self.rank, q % self.rank)).collect()
        })
    }

    /// The lower triangle of `J'J + shift` over the unknowns `free` (in order), column by column.
    ///
    /// The inner products of rank-one derivatives are products of Gram entries: the block of two terms is a
    /// multiple of the identity within a mode, and of rank one between two modes.
    pub(in crate::decomp) fn normal_matrix(
        &self,
        x: &[f64],
        free: &[usize],
        shift: f64,
        h: &mut [f64],
    ) {
        let (n, rank, gram) = (free.len(), self.rank, self.grams(x));
        let place = |p: usize| self.place[free[p]];
        let rows: Vec<usize> = free.iter().map(|&q| self.place[q].1).collect();
        // Runs of free unknowns of one column of one factor.
        let mut groups: Vec<(usize, usize, usize, usize)> = Vec::new();
        for p in 0..n {
            let (k, _, r) = place(p);
            match groups.last_mut() {
                Some(g) if (g.0, g.1) == (k, r) => g.3 = p + 1,
                _ => groups.push((k, r, p, p + 1)),
            }
        }
        for (first, &(l, s, begin, end)) in groups.iter().enumerate() {
            for q in begin..end {
                let column = &mut h[q * n..(q + 1) * n];
                for &(k, r, top, bottom) in &groups[first..] {
                    let out = &mut column[top..bottom];
                    if k == l {
                        let both =
                            gram[(k + 1) % 3][r * rank + s] * gram[(k + 2) % 3][r * rank + s];
                        for (h, i) in out.iter_mut().zip(&rows[top..bottom]) {
                            *h = if *i == rows[q] { both } else { 0.0 };
                        }
                    } else {
                        let w = self.column(x, l, r)[rows[q]] * gram[3 - k - l][r * rank + s];
                        let source = self.column(x, k, s);
                        if bottom - top == source.len() {
                            out.iter_mut().zip(source).for_each(|(h, v)| *h = w * v);
                        } else {
                            let rows = rows[top..bottom].iter();
                            out.iter_mut()
                                .zip(rows)
                                .for_each(|(h, &i)| *h = w * source[i]);
                        }
                    }
                }
                column[q] += shift;
            }
        }
    }
}
