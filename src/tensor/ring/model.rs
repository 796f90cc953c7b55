//! The tensor ring: a periodic matrix product.

use crate::Error;
use crate::tensor::dense::{Tensor, TensorView};
use crate::tensor::scalar::Scalar;
use crate::tensor::scalar::{columns, norm};
use faer::{Mat, MatMut, MatRef};
use rand::Rng;

/// Entries of a difference that is formed piece by piece: half of a second-level cache.
const BLOCK: usize = 1 << 15;

/// Cores `G_k` of shape `R_k x n_k x R_{k+1}` (indices modulo the order `m`) standing for
/// `T[i_0, .., i_{m-1}] = Tr(G_0(i_0) G_1(i_1) .. G_{m-1}(i_{m-1}))`, where `G_k(i)` is the `R_k x R_{k+1}`
/// slice of core `k`.
///
/// The gauge is `G_k(i) -> L_k^-1 G_k(i) L_{k+1}` with invertible `L_k`: equal tensors may have different
/// cores, and `==` compares cores. [`TensorRing::distance`] compares tensors.
///
/// Invariant: at least one core, neighbouring ranks agree (the last closes on the first), no rank is zero,
/// every entry is finite.
///
/// # Example
/// ```
/// use wickring::tensor::{Tensor, TensorRing};
/// // Tr(G(i) G(j)) with G(0) = 1, G(1) = the swap: 2 when i = j, else 0.
/// let g = Tensor::from_vec(&[2, 2, 2], vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0])?;
/// let ring = TensorRing::new(vec![g.clone(), g])?;
/// assert_eq!(ring.entry(&[0, 0]), Some(2.0));
/// assert_eq!(ring.to_dense()?.as_slice(), &[2.0, 0.0, 0.0, 2.0]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TensorRing<T: Scalar = f64> {
    cores: Vec<Tensor<T>>,
}

impl<T: Scalar> TensorRing<T> {
    /// A ring from its cores.
    ///
    /// # Shapes
    /// Core `k` is `R_k x n_k x R_{k+1}`, and `R_m = R_0`.
    ///
    /// # Errors
    /// `InvalidInput` without cores, `Shape` when a core is not of order three, a rank is zero or neighbours
    /// disagree, `NonFinite` with the flat index in the first offending core.
    pub fn new(cores: Vec<Tensor<T>>) -> Result<Self, Error> {
        let op = "TensorRing::new";
        if cores.is_empty() {
            return Err(Error::invalid(op, "a ring needs at least one core"));
        }
        for (k, core) in cores.iter().enumerate() {
            let next = &cores[(k + 1) % cores.len()];
            let chained = core.order() == 3
                && next.order() == 3
                && core.dims()[2] == next.dims()[0]
                && core.dims()[0] > 0;
            if !chained {
                let expected = format!("core {k} of shape R_{k} x n x R_{} matching", k + 1);
                let found = format!("{:?} before {:?}", core.dims(), next.dims());
                return Err(Error::shape(op, expected, found));
            }
            if let Some(index) = core.as_slice().iter().position(|x| !x.finite()) {
                return Err(Error::NonFinite { op, index });
            }
        }
        Ok(Self { cores })
    }

    /// A ring with independent normal entries, scaled so that each core has mean square `1/R_k`.
    ///
    /// # Errors
    /// `Shape` when the numbers of dimensions and ranks differ or a rank is zero, `Overflow`.
    pub fn gaussian(dims: &[usize], ranks: &[usize], rng: &mut impl Rng) -> Result<Self, Error> {
        let op = "TensorRing::gaussian";
        if dims.len() != ranks.len() || dims.is_empty() || ranks.contains(&0) {
            let expected = "as many positive ranks as dimensions";
            return Err(Error::shape(op, expected, format!("{dims:?}, {ranks:?}")));
        }
        let mut cores = Vec::with_capacity(dims.len());
        for (k, &n) in dims.iter().enumerate() {
            let shape = [ranks[k], n, ranks[(k + 1) % ranks.len()]];
            let scale = T::from_real(1.0 / (ranks[k] as f64).sqrt());
            cores.push(Tensor::from_fn(&shape, |_| T::gaussian(rng) * scale)?);
        }
        Self::new(cores)
    }

    /// The ring whose cores are diagonal, `G_k(i) = diag(A_k[i, :])`: the sum of `R` products of factor
    /// columns (a CP model; put weights into one factor).
    ///
    /// # Shapes
    /// Factor `k` is `n_k x R`.
    ///
    /// # Errors
    /// As [`TensorRing::new`].
    pub fn from_cp_factors(factors: &[Mat<T>]) -> Result<Self, Error> {
        let mut cores = Vec::with_capacity(factors.len());
        for a in factors {
            let r = a.ncols();
            let entry = |i: &[usize]| {
                if i[0] == i[2] {
                    a[(i[1], i[0])]
                } else {
                    T::zero()
                }
            };
            cores.push(Tensor::from_fn(&[r, a.nrows(), r], entry)?);
        }
        Self::new(cores)
    }

    /// The cores.
    pub fn cores(&self) -> &[Tensor<T>] {
        &self.cores
    }

    /// The cores, given up.
    pub fn into_cores(self) -> Vec<Tensor<T>> {
        self.cores
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.cores.len()
    }

    /// The shape of the tensor.
    pub fn dims(&self) -> Vec<usize> {
        self.cores.iter().map(|g| g.dims()[1]).collect()
    }

    /// The ranks `R_0, .., R_{m-1}`.
    pub fn ranks(&self) -> Vec<usize> {
        self.cores.iter().map(|g| g.dims()[0]).collect()
    }

    /// Number of core entries.
    pub fn parameters(&self) -> usize {
        self.cores.iter().map(|g| g.as_slice().len()).sum()
    }

    /// Slice `G_k(i)` as a view.
    ///
    /// # Panics
    /// If `k` or `i` is out of range.
    pub fn slice(&self, k: usize, i: usize) -> MatRef<'_, T> {
        let core = &self.cores[k];
        let (r, n, s) = (core.dims()[0], core.dims()[1], core.dims()[2]);
        assert!(i < n, "slice {i} of a core of {n}");
        // Column b of the slice starts at r * (i + n * b).
        MatRef::from_column_major_slice(core.as_slice(), r * n, s).subrows(r * i, r)
    }

    /// One entry, without forming the tensor; `None` when the index is out of range or of wrong length.
    ///
    /// # Complexity
    /// `O(m R^3)`.
    /// Here `m` is the number of modes and `R` the greatest rank.
    pub fn entry(&self, index: &[usize]) -> Option<T> {
        let inside = index.len() == self.order()
            && index.iter().zip(&self.cores).all(|(&i, g)| i < g.dims()[1]);
        if !inside {
            return None;
        }
        let mut walk = self.slice(0, index[0]).to_owned();
        for (k, &i) in index.iter().enumerate().skip(1) {
            walk = T::product(walk.as_ref(), self.slice(k, i));
        }
        Some((0..walk.nrows()).map(|a| walk[(a, a)]).sum())
    }

    /// The tensor with some indices fixed: `None` in `fixed` keeps the mode, `Some(i)` fixes it.
    /// Only the kept modes are formed.
    ///
    /// # Errors
    /// `Shape` when the length of `fixed` is not the order or an index is out of range, `Overflow`.
    pub fn restrict(&self, fixed: &[Option<usize>]) -> Result<Tensor<T>, Error> {
        let op = "TensorRing::restrict";
        if fixed.len() != self.order() {
            let expected = format!("{} indices", self.order());
            return Err(Error::shape(op, expected, fixed.len().to_string()));
        }
        let mut cores = Vec::with_capacity(self.order());
        for (k, (core, f)) in self.cores.iter().zip(fixed).enumerate() {
            match *f {
                None => cores.push(core.clone()),
                Some(i) if i < core.dims()[1] => {
                    let shape = [core.dims()[0], 1, core.dims()[2]];
                    cores.push(Tensor::from_vec(&shape, columns(self.slice(k, i)))?);
                }
                Some(i) => {
                    let expected = format!("an index below {} in mode {k}", core.dims()[1]);
                    return Err(Error::shape(op, expected, i.to_string()));
                }
            }
        }
        let kept: Vec<usize> = (0..self.order()).filter(|&k| fixed[k].is_none()).collect();
        let dims: Vec<usize> = kept.iter().map(|&k| self.cores[k].dims()[1]).collect();
        Tensor::from_vec(&dims, Self { cores }.to_dense()?.into_vec())
    }

    /// The chain of the modes `first .. first + count` (cyclically) as one core: the grouped ring's core
    /// `R_first x (product of the dimensions) x R_{first + count}`. With `count` 0 it is the identity.
    ///
    /// # Errors
    /// `Overflow` when it has too many entries to address.
    ///
    /// # Complexity
    /// `O(P R^3)` for `P` the product of the dimensions.
    /// Here `R` is the greatest rank.
    pub fn chain(&self, first: usize, count: usize) -> Result<Tensor<T>, Error> {
        let m = self.order();
        let left = self.cores[first % m].dims()[0];
        let one = |i: &[usize]| if i[0] == i[2] { T::one() } else { T::zero() };
        let mut walk = match count {
            0 => return Tensor::from_fn(&[left, 1, left], one),
            _ => self.cores[first % m].clone(),
        };
        for k in first + 1..first + count {
            let next = &self.cores[k % m];
            let dims = [left, walk.dims()[1] * next.dims()[1], next.dims()[2]];
            let (a, b) = (walk.view().as_matrix(2), next.view().as_matrix(1));
            let mut data = vec![T::zero(); a.nrows() * b.ncols()];
            let dst = MatMut::from_column_major_slice_mut(&mut data, a.nrows(), b.ncols());
            T::product_into(dst, false, a, b);
            walk = Tensor::from_vec(&dims, data)?;
        }
        Ok(walk)
    }

    /// All entries.
    ///
    /// # Errors
    /// `Overflow` when the product of the dimensions is too large to address.
    ///
    /// # Complexity
    /// `O(N R^2)` for `N` entries, in one matrix product.
    /// Here `R` is the greatest rank.
    pub fn to_dense(&self) -> Result<Tensor<T>, Error> {
        let dims = self.dims();
        let half = self.order().div_ceil(2);
        let what = "number of entries";
        dims.iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .filter(|&n| n <= isize::MAX as usize / 16)
            .ok_or(Error::Overflow {
                op: "TensorRing::to_dense",
                what,
            })?;
        let left = bonds_last(&self.chain(0, half)?, false);
        let right = bonds_last(&self.chain(half, self.order() - half)?, true);
        let mut data = vec![T::zero(); left.nrows() * right.nrows()];
        let dst = MatMut::from_column_major_slice_mut(&mut data, left.nrows(), right.nrows());
        T::product_into(dst, false, left.as_ref(), right.transpose());
        Tensor::from_vec(&dims, data)
    }

    /// `||T - self|| / ||T||` over all entries, with `0/0 = 0`.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    ///
    /// # Complexity
    /// As [`TensorRing::to_dense`].
    pub fn rel_residual(&self, t: TensorView<'_, T>) -> Result<f64, Error> {
        if self.dims() != t.dims() {
            let (expected, found) = (format!("{:?}", self.dims()), format!("{:?}", t.dims()));
            return Err(Error::shape("TensorRing::rel_residual", expected, found));
        }
        let half = self.order().div_ceil(2);
        let left = bonds_last(&self.chain(0, half)?, false);
        let right = bonds_last(&self.chain(half, self.order() - half)?, true);
        // A few columns at a time: the difference stays in the cache.
        let rows = left.nrows().max(1);
        let width = (BLOCK / rows).max(1);
        let mut gap = vec![T::zero(); rows * width.min(right.nrows())];
        let mut parts = Vec::with_capacity(right.nrows().div_ceil(width));
        for (j, block) in t.as_slice().chunks(rows * width).enumerate() {
            let (gap, cols) = (&mut gap[..block.len()], block.len() / rows);
            let dst = MatMut::from_column_major_slice_mut(gap, rows, cols);
            let part = right.as_ref().subrows(j * width, cols);
            T::product_into(dst, false, left.as_ref(), part.transpose());
            gap.iter_mut().zip(block).for_each(|(x, &y)| *x -= y);
            parts.push(norm(gap));
        }
        let (gap, size) = (norm(&parts), norm(t.as_slice()));
        Ok(if size > 0.0 { gap / size } else { gap })
    }

    /// The same tensor with the modes turned: mode `k` of the result is mode `k + shift` of `self`.
    #[must_use]
    pub fn rotated(&self, shift: usize) -> Self {
        let mut cores = self.cores.clone();
        let m = cores.len();
        cores.rotate_left(shift % m);
        Self { cores }
    }

    /// The same ring over the complex numbers.
    pub fn to_complex(&self) -> TensorRing<num_complex::Complex<f64>> {
        let convert = |g: &Tensor<T>| {
            let data = g.as_slice().iter().map(|x| x.to_complex()).collect();
            Tensor::from_vec(g.dims(), data)
        };
        // The shapes are those of existing tensors, so no conversion can fail.
        let cores = self.cores.iter().filter_map(|g| convert(g).ok()).collect();
        TensorRing { cores }
    }

    /// Keeps the invariant for callers inside this module, which have just built matching cores.
    pub(in crate::tensor) fn from_chained(cores: Vec<Tensor<T>>) -> Self {
        Self { cores }
    }
}

/// A chain `a x p x b` as the matrix `p x (a, b)`, `a` fastest; with `swap`, `p x (b, a)`, `b` fastest.
pub(crate) fn bonds_last<T: Scalar>(chain: &Tensor<T>, swap: bool) -> Mat<T> {
    let (a, p, b) = (chain.dims()[0], chain.dims()[1], chain.dims()[2]);
    let data = chain.as_slice();
    let mut out = Mat::zeros(p, a * b);
    for (y, slab) in data.chunks_exact((a * p).max(1)).enumerate() {
        for x in 0..a {
            let column = if swap { y + b * x } else { x + a * y };
            let values = slab[x..].iter().step_by(a);
            let entries = out.col_mut(column).iter_mut();
            entries.zip(values).for_each(|(to, &from)| *to = from);
        }
    }
    out
}
