//! The symmetric tensor ring of order three.

use crate::Error;
use crate::tensor::dense::{Tensor, TensorView};
use faer::{Mat, MatRef};

/// Symmetric matrices `Q_a` (`a < d`, each `r x r`) standing for the tensor
/// `T[a,b,c] = Tr(Q_a Q_b Q_c)` with its Gram matrix `S[a,b] = Tr(Q_a Q_b)`.
///
/// The gauge is `Q_a -> U Q_a U'` with one orthogonal `U`. Invariant: every `Q_a` is symmetric and finite.
/// Because the `Q_a` are symmetric, `T` is totally symmetric.
///
/// # Example
/// ```
/// use wickring::tensor::SymmetricRing;
/// let ring = SymmetricRing::new(2, vec![1.0, 0.0, 0.0, 2.0, 0.0, 1.0, 1.0, 0.0])?;
/// assert_eq!((ring.rank(), ring.outputs()), (2, 2));
/// assert_eq!(ring.to_dense()?.view().get(&[0, 0, 0]), Some(&9.0)); // 1^3 + 2^3
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricRing {
    rank: usize,
    /// `Q_a` flattened: `d` rows of `r*r` entries.
    cores: Vec<f64>,
}

impl SymmetricRing {
    /// A ring from its cores, `d` blocks of `r x r` entries each.
    ///
    /// # Errors
    /// `Shape` when the length is not a multiple of `r*r`, `NonFinite`, and `InvalidInput` when a core is
    /// not symmetric to the last bit.
    pub fn new(rank: usize, cores: Vec<f64>) -> Result<Self, Error> {
        let op = "SymmetricRing::new";
        let block = rank * rank;
        if block == 0 || !cores.len().is_multiple_of(block) {
            let expected = format!("a positive multiple of {rank}^2 entries");
            return Err(Error::shape(op, expected, cores.len().to_string()));
        }
        if let Some(index) = cores.iter().position(|x| !x.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        let ring = Self { rank, cores };
        for a in 0..ring.outputs() {
            for (i, j) in (0..rank).flat_map(|i| (0..i).map(move |j| (i, j))) {
                if ring.entry(a, i, j) != ring.entry(a, j, i) {
                    return Err(Error::invalid(op, format!("core {a} must be symmetric")));
                }
            }
        }
        Ok(ring)
    }

    /// The rank `r`: the size of each core.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The dimension `d` of each of the three modes.
    pub fn outputs(&self) -> usize {
        self.cores.len() / (self.rank * self.rank)
    }

    /// Entry `(i, j)` of core `a`.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn entry(&self, a: usize, i: usize, j: usize) -> f64 {
        self.cores[(a * self.rank + i) * self.rank + j]
    }

    /// Core `a` as a matrix.
    ///
    /// # Panics
    /// If `a` is out of range.
    pub fn core(&self, a: usize) -> Mat<f64> {
        Mat::from_fn(self.rank, self.rank, |i, j| self.entry(a, i, j))
    }

    /// All cores, `d` blocks of `r*r` entries.
    pub fn as_slice(&self) -> &[f64] {
        &self.cores
    }

    /// The Gram matrix `S[a,b] = Tr(Q_a Q_b)`, `d x d`. `O(d^2 r^2)`.
    pub fn gram(&self) -> Mat<f64> {
        let block = self.rank * self.rank;
        let q = MatRef::from_column_major_slice(&self.cores, block, self.outputs());
        q.transpose() * q
    }

    /// Slab `c` of the tensor: the `d x d` matrix `T[., ., c]`, symmetric up to rounding. `O(d^2 r^2)`.
    ///
    /// # Panics
    /// If `c` is out of range.
    pub fn slab(&self, c: usize) -> Mat<f64> {
        let (d, r) = (self.outputs(), self.rank);
        // The cores as columns, and side by side: because each is symmetric, the r x (d*r) matrix
        // [Q_0 | Q_1 | ..] is the same storage read column-major, and one product forms every Q_c Q_a.
        let wide = MatRef::from_column_major_slice(&self.cores, r, d * r);
        let products = self.core(c) * wide;
        let columns = Mat::from_fn(r * r, d, |ij, a| products[(ij % r, a * r + ij / r)]);
        let q = MatRef::from_column_major_slice(&self.cores, r * r, d);
        // Tr(Q_c Q_a Q_b) = sum_ij (Q_c Q_a)[i,j] Q_b[j,i], and Q_b is symmetric.
        columns.transpose() * q
    }

    /// The tensor `T[a,b,c] = Tr(Q_a Q_b Q_c)`, `d x d x d`.
    ///
    /// # Errors
    /// `Overflow` when `d^3` is too large to address.
    ///
    /// # Complexity
    /// `O(d^2 r^3 + d^3 r^2)` time, `O(d^3)` memory.
    /// Here `r` is the size of the cores.
    pub fn to_dense(&self) -> Result<Tensor, Error> {
        let d = self.outputs();
        let (op, what) = ("SymmetricRing::to_dense", "number of entries");
        let total = d.checked_mul(d).and_then(|n| n.checked_mul(d));
        let mut data = Vec::with_capacity(total.ok_or(Error::Overflow { op, what })?);
        for c in 0..d {
            let slab = self.slab(c);
            for b in 0..d {
                data.extend((0..d).map(|a| slab[(a, b)]));
            }
        }
        Tensor::from_vec(&[d, d, d], data)
    }

    /// `||T - to_dense()|| / ||T||`, with `0/0 = 0`.
    ///
    /// # Errors
    /// `Shape` when `t` is not `d x d x d`.
    pub fn rel_residual(&self, t: TensorView<'_>) -> Result<f64, Error> {
        let d = self.outputs();
        if t.dims() != [d, d, d] {
            let (expected, found) = (format!("[{d}, {d}, {d}]"), format!("{:?}", t.dims()));
            return Err(Error::shape("SymmetricRing::rel_residual", expected, found));
        }
        // Slab by slab, so that the model's tensor is never held whole.
        let gaps: Vec<f64> = (0..d)
            .map(|c| {
                let gap = self.slab(c) - t.last_slice(c).as_matrix(1);
                crate::linalg::frobenius(gap.as_ref())
            })
            .collect();
        let (gap, norm) = (crate::linalg::norm2(&gaps), t.norm());
        Ok(if norm > 0.0 { gap / norm } else { gap })
    }
}
