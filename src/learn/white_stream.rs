//! White coordinates of a streamed sample, and its third cumulants as products with vectors.

use super::split::Split;
use crate::Error;
use crate::decomp::{Contraction, JordanBasis};
use crate::io::samples::{Chunk, Samples};
use crate::observe::{Observer, Progress};
use faer::{Mat, MatRef};
use rayon::prelude::*;

const OP: &str = "Quadratic::learn";
/// Rows of one block; blocks are the unit of parallel work, and their sums are added in order.
const BLOCK: usize = 2048;
/// Blocks read before they are worked on side by side.
const BATCH: usize = 8;

/// Rows of a sample in the coordinates `y = down' (scale * z - mean)`, for the columns that vary.
#[derive(Clone, Debug)]
pub(super) struct WhiteRows {
    /// The columns that vary.
    pub(super) active: Vec<usize>,
    /// What each active column is multiplied by.
    pub(super) scale: Vec<f64>,
    /// Mean of the scaled columns.
    pub(super) mean: Vec<f64>,
    /// `active x N`.
    pub(super) down: Mat<f64>,
    /// Which rows are left for learning.
    pub(super) split: Split,
}

impl WhiteRows {
    /// Appends the scaled active entries of the rows for learning.
    pub(super) fn scaled(&self, chunk: &Chunk, out: &mut Vec<f64>) {
        for (i, row) in chunk.data.chunks_exact(chunk.columns).enumerate() {
            if !self.split.holds_out((chunk.first_row + i) as u64) {
                out.extend(
                    self.active
                        .iter()
                        .zip(&self.scale)
                        .map(|(&a, s)| row[a] * s),
                );
            }
        }
    }

    /// Appends the white coordinates of the rows for learning.
    pub(super) fn white(&self, chunk: &Chunk, out: &mut Vec<f64>) {
        let mut rows = Vec::with_capacity(chunk.data.len());
        self.scaled(chunk, &mut rows);
        let m = self.active.len();
        for row in rows.chunks_exact_mut(m) {
            row.iter_mut().zip(&self.mean).for_each(|(x, mu)| *x -= mu);
        }
        let z = MatRef::from_row_major_slice(&rows, rows.len() / m, m);
        let y = z * &self.down;
        for i in 0..y.nrows() {
            out.extend((0..y.ncols()).map(|k| y[(i, k)]));
        }
    }
}

/// `T(u, v, w) = E (u.y)(v.y)(w.y) / 8` over a streamed sample: never `N^3` numbers, one pass per product.
pub(super) struct WhiteStream<'a, 'b> {
    samples: &'a Samples,
    rows: &'a WhiteRows,
    observer: Observer<'b>,
    /// Samples read, over all passes.
    pub(super) read: u64,
}

impl<'a, 'b> WhiteStream<'a, 'b> {
    pub(super) fn new(samples: &'a Samples, rows: &'a WhiteRows, observer: Observer<'b>) -> Self {
        Self {
            samples,
            rows,
            observer,
            read: 0,
        }
    }

    /// `sum over blocks of f(y)` divided by `8 n`, the blocks in order whatever the number of threads.
    fn average(
        &mut self,
        shape: (usize, usize),
        f: &(dyn Fn(MatRef<'_, f64>) -> Mat<f64> + Sync),
    ) -> Result<Mat<f64>, Error> {
        let n = self.rows.down.ncols();
        let mut sum = Mat::<f64>::zeros(shape.0, shape.1);
        let mut count = 0usize;
        let mut batch: Vec<Chunk> = Vec::with_capacity(BATCH);
        let total = self.samples.rows() as u64;
        let mut chunks = self.samples.chunks(BLOCK);
        loop {
            let chunk = chunks.next().transpose()?;
            let last = chunk.is_none();
            batch.extend(chunk);
            if last || batch.len() == BATCH {
                let parts: Vec<(usize, Mat<f64>)> = batch
                    .par_iter()
                    .map(|chunk| {
                        let mut y = Vec::new();
                        self.rows.white(chunk, &mut y);
                        let y = MatRef::from_row_major_slice(&y, y.len() / n, n);
                        (y.nrows(), f(y))
                    })
                    .collect();
                for (rows, part) in parts {
                    count += rows;
                    sum += part;
                }
                if let Some(c) = batch.last() {
                    let p = Progress::of("third cumulants", c.first_row as u64, total);
                    if (self.observer)(&p).is_break() {
                        return Err(Error::Stopped { op: OP });
                    }
                }
                batch.clear();
            }
            if last {
                break;
            }
        }
        self.read += total;
        let factor = 1.0 / (8.0 * count as f64);
        Ok(Mat::from_fn(shape.0, shape.1, |i, j| sum[(i, j)] * factor))
    }
}

fn weighted(y: MatRef<'_, f64>, w: impl Fn(usize) -> f64) -> Mat<f64> {
    Mat::from_fn(y.nrows(), y.ncols(), |i, j| y[(i, j)] * w(i))
}

impl Contraction for WhiteStream<'_, '_> {
    fn dim(&self) -> usize {
        self.rows.down.ncols()
    }

    fn contract(&mut self, v: &[f64]) -> Result<Mat<f64>, Error> {
        let n = self.dim();
        let v = v.to_vec();
        self.average((n, n), &move |y| {
            let along = y * faer::ColRef::from_slice(&v);
            weighted(y, |i| along[i]).transpose() * y
        })
    }

    fn square(&mut self, v: &[f64]) -> Result<Vec<f64>, Error> {
        let n = self.dim();
        let v = v.to_vec();
        let u = self.average((n, 1), &move |y| {
            let along = y * faer::ColRef::from_slice(&v);
            let squares = Mat::from_fn(y.nrows(), 1, |i, _| along[i] * along[i]);
            y.transpose() * squares
        })?;
        Ok((0..n).map(|i| u[(i, 0)]).collect())
    }

    fn products(&mut self, f: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let (n, m) = (self.dim(), f.ncols());
        let f = f.to_owned();
        self.average((n, m * (m + 1) / 2), &move |y| {
            let along = y * &f;
            let mut pairs = Mat::zeros(y.nrows(), m * (m + 1) / 2);
            for j in 0..m {
                for i in 0..=j {
                    let col = j * (j + 1) / 2 + i;
                    (0..y.nrows()).for_each(|k| pairs[(k, col)] = along[(k, i)] * along[(k, j)]);
                }
            }
            y.transpose() * pairs
        })
    }

    fn gradient(&mut self, b: MatRef<'_, f64>, jordan: &JordanBasis) -> Result<Mat<f64>, Error> {
        // sum_ij J_ijk (b_i.y)(b_j.y) is coordinate k of X^2 for the X with coordinates b'y: one pass, and
        // nothing of size N^3.
        let n = self.dim();
        let b = b.to_owned();
        self.average((n, n), &move |y| {
            let x = y * &b;
            let mut squares = Mat::zeros(y.nrows(), n);
            let (mut row, mut scratch, mut out) = (vec![0.0; n], Vec::new(), vec![0.0; n]);
            for i in 0..y.nrows() {
                (0..n).for_each(|k| row[k] = x[(i, k)]);
                jordan.square(&row, &mut scratch, &mut out);
                (0..n).for_each(|k| squares[(i, k)] = out[k]);
            }
            y.transpose() * squares
        })
    }

    fn trace(&mut self) -> Result<Vec<f64>, Error> {
        let n = self.dim();
        let t = self.average((n, 1), &|y| {
            let size = |i: usize| (0..y.ncols()).map(|j| y[(i, j)] * y[(i, j)]).sum::<f64>();
            y.transpose() * Mat::from_fn(y.nrows(), 1, |i, _| size(i))
        })?;
        Ok((0..n).map(|i| t[(i, 0)]).collect())
    }
}
