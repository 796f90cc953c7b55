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

    /// The scaled active entries less their mean.
    fn centred(&self, chunk: &Chunk) -> Vec<f64> {
        let mut rows = Vec::with_capacity(chunk.data.len());
        self.scaled(chunk, &mut rows);
        for row in rows.chunks_exact_mut(self.active.len()) {
            row.iter_mut().zip(&self.mean).for_each(|(x, mu)| *x -= mu);
        }
        rows
    }

    /// Appends the white coordinates of the rows for learning.
    pub(super) fn white(&self, chunk: &Chunk, out: &mut Vec<f64>) {
        let rows = self.centred(chunk);
        let m = self.active.len();
        let z = MatRef::from_row_major_slice(&rows, rows.len() / m, m);
        let y = z * &self.down;
        for i in 0..y.nrows() {
            out.extend((0..y.ncols()).map(|k| y[(i, k)]));
        }
    }
}

/// `T(u, v, w) = E (u.y)(v.y)(w.y) / 8` over a streamed sample: never `N^3` numbers, one pass per product.
///
/// With about as many outputs as white coordinates, passes run over the centred outputs `z` themselves and the vectors are
/// moved instead (`u.y = (W u).z`): whitening every row would cost as much as most passes do.
pub(super) struct WhiteStream<'a, 'b> {
    samples: &'a Samples,
    rows: &'a WhiteRows,
    observer: Observer<'b>,
    /// `W`, when passes run over outputs; none when they run over white rows.
    lift: Option<Mat<f64>>,
    /// Samples read, over all passes.
    pub(super) read: u64,
}

impl<'a, 'b> WhiteStream<'a, 'b> {
    pub(super) fn new(samples: &'a Samples, rows: &'a WhiteRows, observer: Observer<'b>) -> Self {
        let (m, n) = (rows.down.nrows(), rows.down.ncols());
        let lift = (2 * m <= 3 * n).then(|| rows.down.clone());
        Self {
            samples,
            rows,
            observer,
            lift,
            read: 0,
        }
    }

    /// White vectors as vectors against the rows that passes run over.
    fn lifted(&self, v: MatRef<'_, f64>) -> Mat<f64> {
        self.lift.as_ref().map_or_else(|| v.to_owned(), |w| w * v)
    }

    /// Sums of those rows as sums of white rows.
    fn lowered(&self, m: Mat<f64>) -> Mat<f64> {
        self.lift
            .as_ref()
            .map_or_else(|| m.to_owned(), |w| w.transpose() * &m)
    }

    /// Entries of a row that passes run over.
    fn width(&self) -> usize {
        self.lift
            .as_ref()
            .map_or(self.rows.down.ncols(), Mat::nrows)
    }

    /// `sum over blocks of f(y)` divided by `8 n`, the blocks in order whatever the number of threads.
    fn average(
        &mut self,
        shape: (usize, usize),
        f: &(dyn Fn(MatRef<'_, f64>) -> Mat<f64> + Sync),
    ) -> Result<Mat<f64>, Error> {
        let width = self.width();
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
                        let y = match &self.lift {
                            Some(_) => self.rows.centred(chunk),
                            None => {
                                let mut y = Vec::new();
                                self.rows.white(chunk, &mut y);
                                y
                            }
                        };
                        let y = MatRef::from_row_major_slice(&y, y.len() / width, width);
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
        let v = self.lifted(column(v).as_ref());
        let n = self.width();
        let l = self.average((n, n), &move |y| {
            let along = y * &v;
            weighted(y, |i| along[(i, 0)]).transpose() * y
        })?;
        // From both sides.
        let half = self.lowered(l).transpose().to_owned();
        Ok(self.lowered(half).transpose().to_owned())
    }

    fn square(&mut self, v: &[f64]) -> Result<Vec<f64>, Error> {
        let v = self.lifted(column(v).as_ref());
        let u = self.average((self.width(), 1), &move |y| {
            let along = y * &v;
            let squares = Mat::from_fn(y.nrows(), 1, |i, _| along[(i, 0)] * along[(i, 0)]);
            y.transpose() * squares
        })?;
        Ok(self.lowered(u).col_as_slice(0).to_vec())
    }

    fn products(&mut self, f: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let m = f.ncols();
        let f = self.lifted(f);
        let all = self.average((self.width(), m * (m + 1) / 2), &move |y| {
            let along = y * &f;
            let mut pairs = Mat::zeros(y.nrows(), m * (m + 1) / 2);
            for j in 0..m {
                for i in 0..=j {
                    let col = j * (j + 1) / 2 + i;
                    (0..y.nrows()).for_each(|k| pairs[(k, col)] = along[(k, i)] * along[(k, j)]);
                }
            }
            y.transpose() * pairs
        })?;
        Ok(self.lowered(all))
    }

    fn gradient(&mut self, b: MatRef<'_, f64>, jordan: &JordanBasis) -> Result<Mat<f64>, Error> {
        // sum_ij J_ijk (b_i.y)(b_j.y) is coordinate k of X^2 for the X with coordinates b'y: one pass, and
        // nothing of size N^3.
        let n = self.dim();
        let b = self.lifted(b);
        let all = self.average((self.width(), n), &move |y| {
            let x = y * &b;
            let mut squares = Mat::zeros(y.nrows(), n);
            let (mut row, mut scratch, mut out) = (vec![0.0; n], Vec::new(), vec![0.0; n]);
            for i in 0..y.nrows() {
                (0..n).for_each(|k| row[k] = x[(i, k)]);
                jordan.square(&row, &mut scratch, &mut out);
                (0..n).for_each(|k| squares[(i, k)] = out[k]);
            }
            y.transpose() * squares
        })?;
        Ok(self.lowered(all))
    }

    fn trace(&mut self) -> Result<Vec<f64>, Error> {
        let w = self.lift.clone();
        let t = self.average((self.width(), 1), &move |rows| {
            let white = w.as_ref().map(|w| rows * w);
            let y = white.as_ref().map_or(rows, Mat::as_ref);
            let size = |i: usize| (0..y.ncols()).map(|j| y[(i, j)] * y[(i, j)]).sum::<f64>();
            rows.transpose() * Mat::from_fn(y.nrows(), 1, |i, _| size(i))
        })?;
        Ok(self.lowered(t).col_as_slice(0).to_vec())
    }
}

fn column(v: &[f64]) -> Mat<f64> {
    Mat::from_fn(v.len(), 1, |i, _| v[i])
}
