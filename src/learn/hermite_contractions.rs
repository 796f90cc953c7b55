//! Contractions of empirical Hermite tensors, streamed: the tensors themselves are never formed.
//!
//! With `|g| = 1`, `s = <g, x>` and `m = l - 2`,
//! `E[y H_l(x)][g^m, ., .] = E[y He_m(s) (x x' - I)] - m (g v' + v g') + m (m-1) E[y He_{m-2}(s)] g g'`,
//! `v = E[y He_{m-1}(s) x]`: one weighted Gram matrix, one vector, one number. Several directions and orders
//! share one pass over the samples.

use crate::Error;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, Mat, MatRef, Par};

const OP: &str = "HermiteContractions";
/// Rows of a block: a block of 50 columns and its weighted copy stay in the second-level cache.
const BLOCK: usize = 512;

/// Running sums for `E[y H_l(x)][g^(l-2), ., .]` over chosen unit vectors `g` and orders `l >= 2`.
///
/// # Example
/// ```
/// use faer::Mat;
/// use wickring::learn::HermiteContractions;
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
        let finite = |i: usize| y[i].is_finite() && (0..self.dim).all(|j| x[(i, j)].is_finite());
        if let Some(index) = (0..y.len()).find(|&i| !finite(i)) {
            return Err(Error::NonFinite { op: OP, index });
        }
        for start in (0..y.len()).step_by(BLOCK) {
            let rows = BLOCK.min(y.len() - start);
            self.absorb_block(x.subrows(start, rows), &y[start..start + rows]);
        }
        self.samples += y.len() as u64;
        Ok(())
    }

    fn absorb_block(&mut self, x: MatRef<'_, f64>, y: &[f64]) {
        let (n, d) = (y.len(), self.dim);
        // Contiguous columns, read once for all directions and orders.
        let block = Mat::from_fn(n, d, |i, j| x[(i, j)]);
        let mut weighted = Mat::<f64>::zeros(n, d);
        let top = self.orders.iter().copied().max().unwrap_or(2) as usize - 2;
        for (g, sums) in self
            .directions
            .iter()
            .zip(self.sums.chunks_mut(self.orders.len()))
        {
            let he = hermite_table(&block, g, y, top);
            for (&order, sum) in self.orders.iter().zip(sums) {
                let m = order as usize - 2;
                let weight = &he[m];
                for j in 0..d {
                    let scaled = weighted
                        .col_as_slice_mut(j)
                        .iter_mut()
                        .zip(block.col_as_slice(j));
                    scaled.zip(weight).for_each(|((out, x), w)| *out = w * x);
                }
                matmul(
                    sum.gram.as_mut(),
                    BlockStructure::TriangularLower,
                    Accum::Add,
                    block.transpose(),
                    BlockStructure::Rectangular,
                    weighted.as_ref(),
                    BlockStructure::Rectangular,
                    1.0,
                    Par::Seq,
                );
                sum.numbers[0] += weight.iter().sum::<f64>();
                if m >= 1 {
                    for (j, v) in sum.vector.iter_mut().enumerate() {
                        *v += block
                            .col_as_slice(j)
                            .iter()
                            .zip(&he[m - 1])
                            .map(|(x, w)| x * w)
                            .sum::<f64>();
                    }
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

/// `y He_k(<g, x>)` for `k = 0..=top` and every row.
fn hermite_table(block: &Mat<f64>, g: &[f64], y: &[f64], top: usize) -> Vec<Vec<f64>> {
    let mut s = vec![0.0; y.len()];
    for (j, g) in g.iter().enumerate() {
        s.iter_mut()
            .zip(block.col_as_slice(j))
            .for_each(|(s, x)| *s += g * x);
    }
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
