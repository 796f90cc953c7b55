//! Totally symmetric tensors in packed storage, and symmetric CP (Waring) models.

use crate::Error;
use crate::linalg::norm2;
use crate::tensor::cp::model::CpTensor;
use crate::tensor::dense::{Tensor, TensorView};
use crate::tensor::factor::Factor;

/// A totally symmetric tensor: one entry for each nondecreasing multi-index, last index slowest.
///
/// Invariant: `C(n + order - 1, order)` entries.
///
/// # Example
/// ```
/// use wickring::tensor::{SymmetricTensor, Tensor};
/// let t = Tensor::from_vec(&[2, 2], vec![1.0, 2.0, 4.0, 5.0])?;
/// let (s, deviation) = SymmetricTensor::symmetrised(t.view())?;
/// assert_eq!((s.as_slice(), deviation), (&[1.0, 3.0, 5.0][..], 1.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricTensor {
    n: usize,
    order: usize,
    entries: Vec<f64>,
}

/// All nondecreasing multi-indices, last index slowest.
fn indices(n: usize, order: usize) -> Vec<Vec<usize>> {
    let mut out = Vec::new();
    let mut index = vec![0; order];
    if n == 0 {
        return out;
    }
    loop {
        out.push(index.clone());
        // Nondecreasing: index[0] <= index[1] <= ..; advance the first that may grow.
        let grows = (0..order).find(|&k| index[k] < index.get(k + 1).copied().unwrap_or(n - 1));
        let Some(k) = grows else { return out };
        index[k] += 1;
        index[..k].fill(0);
    }
}

impl SymmetricTensor {
    /// The symmetric part of `t`, and the greatest deviation of an entry from it.
    ///
    /// # Errors
    /// `InvalidInput` when the dimensions differ or there is no mode.
    ///
    /// # Complexity
    /// `O(n^order)`.
    /// Here `n` is the dimension.
    pub fn symmetrised(t: TensorView<'_>) -> Result<(Self, f64), Error> {
        let op = "SymmetricTensor::symmetrised";
        let order = t.order();
        let n = t.dims().first().copied().unwrap_or(0);
        if order == 0 || n == 0 || t.dims().iter().any(|&m| m != n) {
            let requirement = format!("equal positive dimensions, got {:?}", t.dims());
            return Err(Error::invalid(op, requirement));
        }
        let packed = indices(n, order);
        let place =
            |sorted: &[usize]| packed.binary_search_by(|p| p.iter().rev().cmp(sorted.iter().rev()));
        let (mut sums, mut counts) = (vec![0.0; packed.len()], vec![0.0; packed.len()]);
        let mut homes = Vec::with_capacity(t.as_slice().len());
        let mut index = vec![0; order];
        for &x in t.as_slice() {
            let mut sorted = index.clone();
            sorted.sort_unstable();
            let home = place(&sorted).unwrap_or(0);
            sums[home] += x;
            counts[home] += 1.0;
            homes.push(home);
            for i in index.iter_mut() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        let entries: Vec<f64> = sums.iter().zip(&counts).map(|(s, c)| s / c).collect();
        let gaps = t
            .as_slice()
            .iter()
            .zip(&homes)
            .map(|(x, &h)| (x - entries[h]).abs());
        let worst = gaps.fold(0.0, f64::max);
        Ok((Self { n, order, entries }, worst))
    }

    /// The dimension of every mode.
    pub fn dim(&self) -> usize {
        self.n
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The entries at nondecreasing multi-indices.
    pub fn as_slice(&self) -> &[f64] {
        &self.entries
    }

    /// The full tensor.
    ///
    /// # Errors
    /// `Overflow` when it is too large to address.
    pub fn to_dense(&self) -> Result<Tensor, Error> {
        let packed = indices(self.n, self.order);
        Tensor::from_fn(&vec![self.n; self.order], |index| {
            let mut sorted = index.to_vec();
            sorted.sort_unstable();
            let at = packed.binary_search_by(|p| p.iter().rev().cmp(sorted.iter().rev()));
            at.map_or(0.0, |k| self.entries[k])
        })
    }
}

/// `T = sum_r weights[r] * v_r (x) .. (x) v_r` with `order` equal factors: a Waring decomposition of the form
/// `T(x, .., x) = sum_r weights[r] <v_r, x>^order`.
///
/// Invariant: as many weights as columns, `order >= 1`.
///
/// # Example
/// ```
/// use wickring::tensor::{Factor, SymmetricCp};
/// // 2 (x + y)^3
/// let form = SymmetricCp::new(3, vec![2.0], Factor::new(2, 1, vec![1.0, 1.0])?)?;
/// assert!(form.to_dense()?.as_slice().iter().all(|t| (t - 2.0).abs() < 1e-14));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricCp {
    order: usize,
    weights: Vec<f64>,
    vectors: Factor,
}

impl SymmetricCp {
    /// A model from weights and vectors (columns).
    ///
    /// # Errors
    /// `Shape` when the counts differ, `InvalidInput` when `order` is 0.
    pub fn new(order: usize, weights: Vec<f64>, vectors: Factor) -> Result<Self, Error> {
        let op = "SymmetricCp::new";
        if order == 0 {
            return Err(Error::invalid(op, "an order of at least 1"));
        }
        if weights.len() != vectors.cols() {
            let expected = format!("{} weights", vectors.cols());
            return Err(Error::shape(op, expected, weights.len().to_string()));
        }
        Ok(Self {
            order,
            weights,
            vectors,
        })
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Number of components.
    pub fn rank(&self) -> usize {
        self.weights.len()
    }

    /// The signed weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The vectors, one column per component.
    pub fn vectors(&self) -> &Factor {
        &self.vectors
    }

    /// The same tensor with unit vectors, components by falling modulus of weight. For even orders the sign
    /// of a vector is free: its entry of greatest modulus is made positive; for odd orders the weight is.
    pub fn canonical(&self) -> Self {
        let n = self.vectors.rows();
        let mut parts: Vec<(f64, Vec<f64>)> = Vec::with_capacity(self.rank());
        for (r, &w) in self.weights.iter().enumerate() {
            let length = self.vectors.column_norm(r);
            if !(length > 0.0) || w == 0.0 {
                let unit = (0..n).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect();
                parts.push((0.0, unit));
                continue;
            }
            let mut v: Vec<f64> = self.vectors.column(r).iter().map(|x| x / length).collect();
            let mut w = w * length.powi(self.order as i32);
            let top = v.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let lead = v
                .iter()
                .find(|x| x.abs() >= top * (1.0 - 1e-9))
                .copied()
                .unwrap_or(1.0);
            let flip = if self.order % 2 == 1 {
                w < 0.0
            } else {
                lead < 0.0
            };
            if flip {
                v.iter_mut().for_each(|x| *x = -*x);
                w = if self.order % 2 == 1 { -w } else { w };
            }
            parts.push((w, v));
        }
        parts.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let weights = parts.iter().map(|p| p.0).collect();
        let vectors = Factor::from_fn(n, parts.len(), |i, r| parts[r].1[i]);
        Self {
            order: self.order,
            weights,
            vectors,
        }
    }

    /// The same as a general CP model with equal factors.
    ///
    /// # Errors
    /// None in practice: the shapes agree by the invariant.
    pub fn to_cp(&self) -> Result<CpTensor, Error> {
        CpTensor::new(self.weights.clone(), vec![self.vectors.clone(); self.order])
    }

    /// The full tensor.
    ///
    /// # Errors
    /// `Overflow` when it is too large to address.
    pub fn to_dense(&self) -> Result<Tensor, Error> {
        self.to_cp()?.to_dense()
    }

    /// `||t - self|| / ||t||` with `0/0 = 0`.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn rel_residual(&self, t: TensorView<'_>) -> Result<f64, Error> {
        self.to_cp()?.rel_residual(t)
    }

    /// Root of the sum of squared weights (of unit vectors) over the norm of the model.
    pub fn cancellation(&self) -> f64 {
        let c = self.canonical();
        let gram = c.vectors.gram();
        let mut square = 0.0;
        for (r, w) in c.weights.iter().enumerate() {
            for (s, u) in c.weights.iter().enumerate() {
                square += w * u * gram.column(s)[r].powi(self.order as i32);
            }
        }
        let top = norm2(&c.weights);
        if top == 0.0 {
            1.0
        } else if square > 0.0 {
            top / square.sqrt()
        } else {
            f64::INFINITY
        }
    }
}
