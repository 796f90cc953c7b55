//! White coordinates of a streamed sample, and its third cumulants as products with vectors.

use crate::Error;
use crate::decomp::{Contraction, JordanBasis};
use crate::io::samples::{Chunk, Samples};
use crate::learn::quadratic::noiseless::fit::EXACT;
use crate::linalg::small::{axpy, dot};
use crate::linalg::symmetric_product;
use crate::run::{Observer, Progress};
use crate::stats::split::Split;
use faer::{Mat, MatRef};
use rayon::prelude::*;

/// Stages of the work, as observers see them.
const CUMULANTS: &str = "third cumulants";
const SHARPENING: &str = "sharpening";
const OP: &str = "Quadratic::learn";
/// Rows of one block; blocks are the unit of parallel work, and their sums are added in order. A block of some hundred
/// columns stays in the second-level cache from its reading to its last use.
const BLOCK: usize = 512;
/// Blocks read before they are worked on side by side.
const BATCH: usize = 8;
/// Room for the rounding of a sample, in units of its standard deviation.
const ROUNDED: f64 = 1.3;

/// Rows of a sample in the coordinates `y = down' (scale * z - mean)`, for the columns that vary.
#[derive(Clone, Debug)]
pub(in crate::learn) struct WhiteRows {
    /// The columns that vary.
    pub(in crate::learn) active: Vec<usize>,
    /// What each active column is multiplied by.
    pub(in crate::learn) scale: Vec<f64>,
    /// Mean of the scaled columns.
    pub(in crate::learn) mean: Vec<f64>,
    /// `active x N`.
    pub(in crate::learn) down: Mat<f64>,
    /// Which rows are left for learning.
    pub(in crate::learn) split: Split,
    /// Relative distance from the variety of a map at which rows lie on it: rounding, of arithmetic and of the sample.
    pub(in crate::learn) exact: f64,
}

impl WhiteRows {
    /// The same rows, with room for rounding of the given standard deviation in each column of the sample; `unit` is the
    /// variance of a white coordinate.
    ///
    /// In white coordinates the rounding has the covariance `down' V down`; a fit that follows it leaves at most its trace.
    pub(in crate::learn) fn tolerating(self, rounding: &[f64], unit: f64) -> Self {
        let n = self.down.ncols();
        let variance = |(row, (&a, s)): (usize, (&usize, &f64))| {
            let v = (rounding[a] * s).powi(2);
            v * (0..n).map(|k| self.down[(row, k)].powi(2)).sum::<f64>()
        };
        let columns = self.active.iter().zip(&self.scale).enumerate();
        let trace: f64 = columns.map(variance).sum();
        let exact = EXACT.max(ROUNDED * (trace / (unit * n as f64)).sqrt());
        Self { exact, ..self }
    }

    /// The same for a single row, whose rounding may be several times the usual.
    pub(in crate::learn) fn exact_row(&self) -> f64 {
        if self.exact > EXACT {
            5.0 * self.exact
        } else {
            EXACT
        }
    }

    /// Appends the scaled active entries of the rows for learning.
    pub(in crate::learn) fn scaled(&self, chunk: &Chunk, out: &mut Vec<f64>) {
        let all = self.active.len() == chunk.columns;
        for (i, row) in chunk.data.chunks_exact(chunk.columns).enumerate() {
            if self.split.holds_out((chunk.first_row + i) as u64) {
                continue;
            }
            if all {
                // Every column varies: no gather.
                out.extend(row.iter().zip(&self.scale).map(|(x, s)| x * s));
            } else {
                let active = self.active.iter().zip(&self.scale);
                out.extend(active.map(|(&a, s)| row[a] * s));
            }
        }
    }

    /// The scaled active entries of the rows for learning, less their mean.
    pub(in crate::learn) fn centred(&self, chunk: &Chunk) -> Vec<f64> {
        self.centred_in_place(chunk.clone())
    }

    /// As [`Self::centred`], in the memory of the chunk.
    fn centred_in_place(&self, chunk: Chunk) -> Vec<f64> {
        let (columns, first) = (chunk.columns, chunk.first_row);
        let m = self.active.len();
        let mut rows = chunk.data;
        let mut kept = 0;
        for i in 0..rows.len() / columns.max(1) {
            if self.split.holds_out((first + i) as u64) {
                continue;
            }
            // Never to the right of where it stands.
            if m == columns {
                rows.copy_within(i * columns..(i + 1) * columns, kept * m);
            } else {
                for (j, &a) in self.active.iter().enumerate() {
                    rows[kept * m + j] = rows[i * columns + a];
                }
            }
            let row = rows[kept * m..(kept + 1) * m].iter_mut();
            for (x, (s, mu)) in row.zip(self.scale.iter().zip(&self.mean)) {
                *x = *x * s - mu;
            }
            kept += 1;
        }
        rows.truncate(kept * m);
        rows
    }

    /// Appends the white coordinates of the rows for learning. Every row is a sum of its own, in the order of the outputs, so
    /// that its bits do not depend on the rows beside it.
    pub(in crate::learn) fn white(&self, chunk: &Chunk, out: &mut Vec<f64>) {
        let rows = self.centred(chunk);
        let (m, n) = (self.active.len(), self.down.ncols());
        let mut down = Vec::with_capacity(m * n);
        (0..m).for_each(|a| down.extend((0..n).map(|k| self.down[(a, k)])));
        for row in rows.chunks_exact(m) {
            let from = out.len();
            out.resize(from + n, 0.0);
            let y = &mut out[from..];
            for (z, w) in row.iter().zip(down.chunks_exact(n.max(1))) {
                axpy(y, *z, w);
            }
        }
    }
}

/// `T(u, v, w) = E (u.y)(v.y)(w.y) / 8` over a streamed sample: never `N^3` numbers, one pass per product.
///
/// With about as many outputs as white coordinates, passes run over the centred outputs `z` themselves and the vectors are
/// moved instead (`u.y = (W u).z`): whitening every row would cost as much as most passes do.
pub(in crate::learn) struct WhiteStream<'a, 'b> {
    samples: &'a Samples,
    rows: &'a WhiteRows,
    observer: Observer<'b>,
    /// `W`, when passes run over outputs; none when they run over white rows.
    lift: Option<Mat<f64>>,
    /// Samples read, over all passes.
    pub(in crate::learn) read: u64,
}

impl<'a, 'b> WhiteStream<'a, 'b> {
    pub(in crate::learn) fn new(
        samples: &'a Samples,
        rows: &'a WhiteRows,
        observer: Observer<'b>,
    ) -> Self {
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

    /// `sum over blocks of f(rows)` divided by `8 n`, the blocks in order whatever the number of threads; rows one after
    /// another.
    fn average(
        &mut self,
        stage: &'static str,
        shape: (usize, usize),
        f: &(dyn Fn(&[f64]) -> Mat<f64> + Sync),
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
                let reached = batch.last().map(|c| c.first_row as u64);
                let parts: Vec<(usize, Mat<f64>)> = std::mem::take(&mut batch)
                    .into_par_iter()
                    .map(|chunk| {
                        let y = match &self.lift {
                            Some(_) => self.rows.centred_in_place(chunk),
                            None => {
                                let mut y = Vec::new();
                                self.rows.white(&chunk, &mut y);
                                y
                            }
                        };
                        (y.len() / width, f(&y))
                    })
                    .collect();
                for (rows, part) in parts {
                    count += rows;
                    sum += part;
                }
                if let Some(row) = reached {
                    let p = Progress::of(stage, row, total);
                    if (self.observer)(&p).is_break() {
                        return Err(Error::Stopped { op: OP });
                    }
                }
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

/// Columns are the rows of a block.
fn columns(rows: &[f64], width: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(rows, width, rows.len() / width)
}

impl Contraction for WhiteStream<'_, '_> {
    fn dim(&self) -> usize {
        self.rows.down.ncols()
    }

    fn contract(&mut self, v: &[f64]) -> Result<Mat<f64>, Error> {
        let mut one = self.contract_each(column(v).as_ref())?;
        one.pop().ok_or(Error::Stopped { op: OP })
    }

    fn contract_each(&mut self, v: MatRef<'_, f64>) -> Result<Vec<Mat<f64>>, Error> {
        let (n, many) = (self.width(), v.ncols());
        let v = self.lifted(v);
        let all = self.average(CUMULANTS, (n, n * many), &move |rows| {
            let y = columns(rows, n);
            let along = y.transpose() * &v;
            let mut out = Mat::<f64>::zeros(n, n * many);
            let mut weighted = vec![0.0; rows.len()];
            for k in 0..many {
                let each = weighted.chunks_exact_mut(n).zip(rows.chunks_exact(n));
                for ((to, row), w) in each.zip(along.col_as_slice(k)) {
                    to.iter_mut().zip(row).for_each(|(t, x)| *t = x * w);
                }
                let part = out.as_mut().subcols_mut(k * n, n);
                symmetric_product(part, columns(&weighted, n), y.transpose());
            }
            out
        })?;
        let part = |k: usize| {
            let lower = all.subcols(k * n, n);
            let l = Mat::from_fn(n, n, |i, j| lower[(i.max(j), i.min(j))]);
            // From both sides.
            let half = self.lowered(l).transpose().to_owned();
            self.lowered(half).transpose().to_owned()
        };
        Ok((0..many).map(part).collect())
    }

    fn square(&mut self, v: &[f64]) -> Result<Vec<f64>, Error> {
        let u = self.square_each(column(v).as_ref())?;
        Ok(u.col_as_slice(0).to_vec())
    }

    fn square_each(&mut self, v: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let (n, many) = (self.width(), v.ncols());
        let v = self.lifted(v);
        let u = self.average(CUMULANTS, (n, many), &move |rows| {
            let mut sum = Mat::zeros(n, many);
            for row in rows.chunks_exact(n) {
                for k in 0..many {
                    let along = dot(row, v.col_as_slice(k));
                    axpy(sum.col_as_slice_mut(k), along * along, row);
                }
            }
            sum
        })?;
        Ok(self.lowered(u))
    }

    fn products(&mut self, f: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        let m = f.ncols();
        let f = self.lifted(f);
        let n = self.width();
        let all = self.average(CUMULANTS, (n, m * (m + 1) / 2), &move |rows| {
            let y = columns(rows, n);
            let along = y.transpose() * &f;
            let mut pairs = Mat::zeros(y.ncols(), m * (m + 1) / 2);
            for j in 0..m {
                for i in 0..=j {
                    let out = pairs.col_as_slice_mut(j * (j + 1) / 2 + i);
                    let both = along.col_as_slice(i).iter().zip(along.col_as_slice(j));
                    out.iter_mut().zip(both).for_each(|(o, (a, b))| *o = a * b);
                }
            }
            y * pairs
        })?;
        Ok(self.lowered(all))
    }

    fn gradient(&mut self, b: MatRef<'_, f64>, jordan: &JordanBasis) -> Result<Mat<f64>, Error> {
        // sum_ij J_ijk (b_i.y)(b_j.y) is coordinate k of X^2 for the X with coordinates b'y: one pass, and
        // nothing of size N^3.
        let n = self.dim();
        let b = self.lifted(b);
        let width = self.width();
        let all = self.average(SHARPENING, (width, n), &move |rows| {
            let y = columns(rows, width);
            let x = b.transpose() * y;
            let mut squares = Mat::zeros(n, y.ncols());
            let mut scratch = Vec::new();
            for i in 0..y.ncols() {
                jordan.square(x.col_as_slice(i), &mut scratch, squares.col_as_slice_mut(i));
            }
            y * squares.transpose()
        })?;
        Ok(self.lowered(all))
    }

    fn trace(&mut self) -> Result<Vec<f64>, Error> {
        let w = self.lift.clone();
        let n = self.width();
        let t = self.average(CUMULANTS, (n, 1), &move |rows| {
            let y = columns(rows, n);
            let white = w.as_ref().map(|w| w.transpose() * y);
            let white = white.as_ref().map_or(y, Mat::as_ref);
            let mut sum = Mat::zeros(n, 1);
            for i in 0..y.ncols() {
                let size: f64 = white.col(i).iter().map(|x| x * x).sum();
                axpy(sum.col_as_slice_mut(0), size, &rows[i * n..(i + 1) * n]);
            }
            sum
        })?;
        Ok(self.lowered(t).col_as_slice(0).to_vec())
    }
}

fn column(v: &[f64]) -> Mat<f64> {
    Mat::from_fn(v.len(), 1, |i, _| v[i])
}
