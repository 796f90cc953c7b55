//! Contractions of empirical Hermite tensors, streamed: the tensors themselves are never formed.
//!
//! With `|g| = 1`, `s = <g, x>` and `m = l - 2`,
//! `E[y H_l(x)][g^m, ., .] = E[y He_m(s) (x x' - I)] - m (g v' + v g') + m (m-1) E[y He_{m-2}(s)] g g'`,
//! `v = E[y He_{m-1}(s) x]`: one weighted Gram matrix, one vector, one number. Several directions and orders
//! share one pass over the samples.

use crate::Error;
use faer::linalg::matmul::matmul;
use faer::reborrow::{Reborrow, ReborrowMut};
use faer::{Accum, ColMut, ColRef, Mat, MatRef, Par};

const OP: &str = "HermiteContractions";
/// Rows of a block: with its weighted copy it stays in the second-level cache up to a few hundred columns.
const BLOCK: usize = 256;
/// Columns of a panel of the lower triangle.
const PANEL: usize = 24;

/// Running sums for `E[y H_l(x)][g^(l-2), ., .]` over chosen unit vectors `g` and orders `l >= 2`.
///
/// # Example
/// ```
/// use faer::Mat;
/// use wickring::stats::HermiteContractions;
/// // One sample x = (1, 2), y = 1: H_2 = x x' - I.
/// let x = Mat::from_fn(1, 2, |_, j| (j + 1) as f64);
/// let mut sums = HermiteContractions::new(2, vec![vec![1.0, 0.0]], vec![2])?;
/// sums.absorb(x.as_ref(), &[1.0])?;
/// let m = sums.contraction(0, 0)?;
/// assert_eq!((m[(0, 0)], m[(0, 1)], m[(1, 1)]), (0.0, 2.0, 3.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HermiteContractions {
    dim: usize,
    directions: Vec<Vec<f64>>,
    orders: Vec<u32>,
    samples: u64,
    /// One for each direction and order, directions slowest.
    sums: Vec<Sums>,
}

#[derive(Clone, Debug)]
struct Sums {
    /// `sum y He_m(s) x x'`, lower triangle.
    gram: Mat<f64>,
    /// `sum y He_{m-1}(s) x`.
    vector: Vec<f64>,
    /// `sum y He_m(s)` and `sum y He_{m-2}(s)`.
    numbers: [f64; 2],
}

impl HermiteContractions {
    /// Empty sums for samples in `dim` dimensions.
    ///
    /// # Errors
    /// `InvalidInput` for no direction or order, an order below 2 or above 64, or a direction that is not of unit length to 1e-12; `Shape` when a
    /// direction has another dimension.
    pub fn new(dim: usize, directions: Vec<Vec<f64>>, orders: Vec<u32>) -> Result<Self, Error> {
        if directions.is_empty()
            || orders.is_empty()
            || orders.iter().any(|l| !(2..=64).contains(l))
        {
            return Err(Error::invalid(
                OP,
                "needs at least one direction and orders in 2..=64",
            ));
        }
        for g in &directions {
            if g.len() != dim {
                return Err(Error::shape(
                    OP,
                    format!("directions of {dim} entries"),
                    g.len().to_string(),
                ));
            }
            // The contraction formula holds for unit vectors only; NaN fails the comparison.
            let gap = (g.iter().map(|x| x * x).sum::<f64>() - 1.0).abs();
            if !(gap <= 1e-12) {
                return Err(Error::invalid(
                    OP,
                    format!("needs unit directions, got |g|^2 - 1 = {gap:.3e}"),
                ));
            }
        }
        let empty = Sums {
            gram: Mat::zeros(dim, dim),
            vector: vec![0.0; dim],
            numbers: [0.0; 2],
        };
        let sums = vec![empty; directions.len() * orders.len()];
        Ok(Self {
            dim,
            directions,
            orders,
            samples: 0,
            sums,
        })
    }

    /// Adds samples: the rows of `x`, with their labels.
    ///
    /// # Shapes
    /// `x` is `n x dim`, `y` has `n` entries.
    ///
    /// # Errors
    /// `Shape`; `NonFinite` with the row of the first value that is not finite (nothing of the call is then kept).
    ///
    /// # Complexity
    /// `n d^2 / 2` multiply-adds for each direction and order, as symmetric products of blocks; `O(d^2)` memory
    /// each, whatever `n`.
    pub fn absorb(&mut self, x: MatRef<'_, f64>, y: &[f64]) -> Result<(), Error> {
        if x.ncols() != self.dim || x.nrows() != y.len() {
            let found = format!("{} x {} and {}", x.nrows(), x.ncols(), y.len());
            return Err(Error::shape(
                OP,
                format!("n x {} samples and n labels", self.dim),
                found,
            ));
        }
        // Sums of this call alone: a value that is not finite in a late block then leaves `self` as it was.
        let mut call = Self {
            samples: y.len() as u64,
            ..Self::new(self.dim, self.directions.clone(), self.orders.clone())?
        };
        let mut scratch = Scratch::new(self.dim, y.len().min(BLOCK));
        for start in (0..y.len()).step_by(BLOCK) {
            let rows = BLOCK.min(y.len() - start);
            let (block, labels) = (x.subrows(start, rows), &y[start..start + rows]);
            call.absorb_block(block, labels, &mut scratch);
        }
        // A value that is not finite reaches the diagonal of every Gram matrix whatever its weight: the values are
        // looked at one by one only then.
        if !call.is_finite() {
            return Err(match first_not_finite(x, y) {
                Some(index) => Error::NonFinite { op: OP, index },
                None => Error::Overflow {
                    op: OP,
                    what: "sum of products",
                },
            });
        }
        self.merge(&call)
    }

    fn is_finite(&self) -> bool {
        self.sums.iter().all(|sum| {
            (0..self.dim).all(|j| sum.gram[(j, j)].is_finite() && sum.vector[j].is_finite())
                && sum.numbers.iter().all(|x| x.is_finite())
        })
    }

    fn absorb_block(&mut self, x: MatRef<'_, f64>, y: &[f64], scratch: &mut Scratch) {
        let (n, d) = (y.len(), self.dim);
        // Columns as slices: the caller's own where they are contiguous, else one copy for all directions and orders.
        let block = if x.row_stride() == 1 {
            x
        } else {
            scratch.block.as_mut().subrows_mut(0, n).copy_from(x);
            scratch.block.as_ref().subrows(0, n)
        };
        let top = self.orders.iter().copied().max().unwrap_or(2) as usize - 2;
        let directions = self.directions.iter();
        for (g, sums) in directions.zip(self.sums.chunks_mut(self.orders.len())) {
            let he = hermite_table(block, g, y, top);
            for (&order, sum) in self.orders.iter().zip(sums) {
                let m = order as usize - 2;
                let mut weighted = scratch.weighted.as_mut().subrows_mut(0, n);
                for j in 0..d {
                    if let (Some(out), Some(x)) = (
                        weighted.rb_mut().col_mut(j).try_as_col_major_mut(),
                        block.col(j).try_as_col_major(),
                    ) {
                        scale_into(out.as_slice_mut(), x.as_slice(), &he[m]);
                    }
                }
                // Column panels of the lower triangle: two thirds of the products of the whole square.
                for j in (0..d).step_by(PANEL) {
                    let width = PANEL.min(d - j);
                    matmul(
                        sum.gram.as_mut().submatrix_mut(j, j, d - j, width),
                        Accum::Add,
                        block.subcols(j, d - j).transpose(),
                        weighted.rb().subcols(j, width),
                        1.0,
                        Par::Seq,
                    );
                }
                sum.numbers[0] += he[m].iter().sum::<f64>();
                if m >= 1 {
                    matmul(
                        ColMut::from_slice_mut(&mut sum.vector).as_mat_mut(),
                        Accum::Add,
                        block.transpose(),
                        ColRef::from_slice(&he[m - 1]).as_mat(),
                        1.0,
                        Par::Seq,
                    );
                }
                if m >= 2 {
                    sum.numbers[1] += he[m - 2].iter().sum::<f64>();
                }
            }
        }
    }

    /// Adds the sums of another part of the same sample.
    ///
    /// # Errors
    /// `InvalidInput` when directions or orders differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if self.directions != other.directions || self.orders != other.orders {
            return Err(Error::invalid(
                OP,
                "merges sums of the same directions and orders only",
            ));
        }
        for (a, b) in self.sums.iter_mut().zip(&other.sums) {
            a.gram += &b.gram;
            a.vector
                .iter_mut()
                .zip(&b.vector)
                .for_each(|(x, y)| *x += y);
            a.numbers
                .iter_mut()
                .zip(b.numbers)
                .for_each(|(x, y)| *x += y);
        }
        self.samples += other.samples;
        Ok(())
    }

    /// Number of samples so far.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The mean of `y H_l(x)[g^(l-2), ., .]` for direction number `direction` and order number `order`, a symmetric `d x d` matrix.
    ///
    /// # Errors
    /// `InvalidInput` when an index is out of range or no sample was added.
    pub fn contraction(&self, direction: usize, order: usize) -> Result<Mat<f64>, Error> {
        let known = direction < self.directions.len() && order < self.orders.len();
        if !known || self.samples == 0 {
            return Err(Error::invalid(
                OP,
                "needs samples, and a direction and an order that were asked for",
            ));
        }
        let sum = &self.sums[direction * self.orders.len() + order];
        let g = &self.directions[direction];
        let m = f64::from(self.orders[order] - 2);
        let scale = 1.0 / self.samples as f64;
        Ok(Mat::from_fn(self.dim, self.dim, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            let identity = if i == j { sum.numbers[0] } else { 0.0 };
            let cross = g[i] * sum.vector[j] + g[j] * sum.vector[i];
            scale
                * (sum.gram[(i, j)] - identity - m * cross
                    + m * (m - 1.0) * sum.numbers[1] * g[i] * g[j])
        }))
    }
}

/// Buffers of a call, reused by its blocks.
struct Scratch {
    block: Mat<f64>,
    weighted: Mat<f64>,
}

impl Scratch {
    fn new(dim: usize, rows: usize) -> Self {
        Self {
            block: Mat::zeros(rows, dim),
            weighted: Mat::zeros(rows, dim),
        }
    }
}

/// The first row with a value that is not finite.
fn first_not_finite(x: MatRef<'_, f64>, y: &[f64]) -> Option<usize> {
    let finite = |i: usize| y[i].is_finite() && (0..x.ncols()).all(|j| x[(i, j)].is_finite());
    (0..y.len()).find(|&i| !finite(i))
}

/// `out = x .* w`. Out of line: inside the loops above it is not turned into vector code.
#[inline(never)]
fn scale_into(out: &mut [f64], x: &[f64], w: &[f64]) {
    let pairs = out.iter_mut().zip(x).zip(w);
    pairs.for_each(|((out, x), w)| *out = x * w);
}

/// `y He_k(<g, x>)` for `k = 0..=top` and every row.
fn hermite_table(block: MatRef<'_, f64>, g: &[f64], y: &[f64], top: usize) -> Vec<Vec<f64>> {
    let mut s = vec![0.0; y.len()];
    matmul(
        ColMut::from_slice_mut(&mut s).as_mat_mut(),
        Accum::Replace,
        block,
        ColRef::from_slice(g).as_mat(),
        1.0,
        Par::Seq,
    );
    let mut table = vec![y.to_vec()];
    for k in 0..top {
        let next = (0..y.len()).map(|i| {
            let before = if k > 0 { table[k - 1][i] } else { 0.0 };
            s[i] * table[k][i] - k as f64 * before
        });
        let next = next.collect();
        table.push(next);
    }
    table
}
