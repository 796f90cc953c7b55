//! The canonical polyadic model: a sum of rank-one tensors.

use crate::Error;
use crate::poly::Ring;
use crate::tensor::dense::Tensor;
use crate::tensor::factor::Factor;
use crate::tensor::products::khatri_rao::khatri_rao;
use crate::tensor::products::mttkrp::{best_split, check_factors};

/// `T[i_0, .., i_{m-1}] = sum_r weights[r] * A_0[i_0, r] * .. * A_{m-1}[i_{m-1}, r]`, over any ring.
///
/// Invariant: at least one factor, and every factor has as many columns as there are weights. Columns may
/// have any scale; [`CpTensor::canonical`] fixes scale, sign and order.
///
/// # Example
/// ```
/// use wickring::tensor::{CpTensor, Factor};
/// let a = Factor::new(2, 1, vec![1.0, 2.0])?;
/// let t = CpTensor::new(vec![3.0], vec![a.clone(), a])?;
/// assert_eq!(t.to_dense()?.as_slice(), [3.0, 6.0, 6.0, 12.0]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CpTensor<T = f64> {
    weights: Vec<T>,
    factors: Vec<Factor<T>>,
}

impl<T> CpTensor<T> {
    /// A model from weights and factors.
    ///
    /// # Errors
    /// `Shape` when there is no factor or the numbers of columns differ.
    pub fn new(weights: Vec<T>, factors: Vec<Factor<T>>) -> Result<Self, Error> {
        let op = "CpTensor::new";
        if factors.is_empty() {
            return Err(Error::shape(op, "at least one factor", "none"));
        }
        if let Some(bad) = factors.iter().find(|f| f.cols() != weights.len()) {
            let expected = format!("{} columns in every factor", weights.len());
            return Err(Error::shape(op, expected, bad.cols().to_string()));
        }
        Ok(Self { weights, factors })
    }

    /// Number of components.
    pub fn rank(&self) -> usize {
        self.weights.len()
    }

    /// Number of modes.
    pub fn order(&self) -> usize {
        self.factors.len()
    }

    /// The shape of the tensor that the model stands for.
    pub fn dims(&self) -> Vec<usize> {
        self.factors.iter().map(Factor::rows).collect()
    }

    /// The weight of each component.
    pub fn weights(&self) -> &[T] {
        &self.weights
    }

    /// The factor matrices.
    pub fn factors(&self) -> &[Factor<T>] {
        &self.factors
    }

    /// Weights and factors, given up.
    pub fn into_parts(self) -> (Vec<T>, Vec<Factor<T>>) {
        (self.weights, self.factors)
    }
}

impl<T: Ring> CpTensor<T> {
    /// A model with unit weights.
    ///
    /// # Errors
    /// As [`CpTensor::new`].
    pub fn from_factors(factors: Vec<Factor<T>>) -> Result<Self, Error> {
        let rank = factors.first().map_or(0, Factor::cols);
        Self::new(vec![T::one(); rank], factors)
    }

    /// One entry; `O(order * rank)`. `None` when the index is out of range or of the wrong length.
    pub fn entry(&self, index: &[usize]) -> Option<T> {
        if index.len() != self.order() {
            return None;
        }
        let mut sum = T::zero();
        for (r, w) in self.weights.iter().enumerate() {
            let mut term = w.clone();
            for (f, &i) in self.factors.iter().zip(index) {
                term *= f.as_slice().get(f.rows() * r..f.rows() * (r + 1))?.get(i)?;
            }
            sum += &term;
        }
        let inside = self.factors.iter().zip(index).all(|(f, &i)| i < f.rows());
        inside.then_some(sum)
    }

    /// The tensor itself.
    ///
    /// # Errors
    /// `Overflow` when it is too large to address.
    ///
    /// # Complexity
    /// `O(N * rank)` for `N` entries; Khatri-Rao products of half the modes as memory.
    pub fn to_dense(&self) -> Result<Tensor<T>, Error> {
        let dims = self.dims();
        let split = best_split(&dims);
        let (left, right) = self.factors.split_at(split);
        let a = khatri_rao(&Vec::from_iter(left))?;
        let b = match right {
            [] => Factor::from_fn(1, self.rank(), |_, _| T::one()),
            many => khatri_rao(&Vec::from_iter(many))?,
        };
        let total = a.rows().checked_mul(b.rows());
        let total = total.filter(|&n| n <= isize::MAX as usize / 16);
        let what = "number of entries";
        let op = "CpTensor::to_dense";
        let mut data = vec![T::zero(); total.ok_or(Error::Overflow { op, what })?];
        for (j, column) in data.chunks_exact_mut(a.rows().max(1)).enumerate() {
            for (r, w) in self.weights.iter().enumerate() {
                let mut scale = w.clone();
                scale *= &b.column(r)[j];
                if scale.is_zero() {
                    continue;
                }
                for (x, y) in column.iter_mut().zip(a.column(r)) {
                    let mut term = y.clone();
                    term *= &scale;
                    *x += &term;
                }
            }
        }
        Tensor::from_vec(&dims, data)
    }

    /// The sum of two models of one shape: the components of both, side by side.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn add(&self, other: &Self) -> Result<Self, Error> {
        self.require_shape("CpTensor::add", other)?;
        let weights = [self.weights.as_slice(), other.weights.as_slice()].concat();
        let mut factors = Vec::with_capacity(self.order());
        for (a, b) in self.factors.iter().zip(&other.factors) {
            let data = [a.as_slice(), b.as_slice()].concat();
            factors.push(Factor::new(a.rows(), weights.len(), data)?);
        }
        Ok(Self { weights, factors })
    }

    /// The model of `c * T`.
    pub fn scaled(&self, c: &T) -> Self {
        let mut out = self.clone();
        out.weights.iter_mut().for_each(|w| *w *= c);
        out
    }

    /// The bilinear product `sum_i T[i] * S[i]`, without conjugation and without forming either tensor.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    ///
    /// # Complexity
    /// `O(sum(n_m) * rank * rank')`.
    pub fn bilinear(&self, other: &Self) -> Result<T, Error> {
        self.require_shape("CpTensor::bilinear", other)?;
        let mut sum = T::zero();
        for (r, wr) in self.weights.iter().enumerate() {
            for (s, ws) in other.weights.iter().enumerate() {
                let mut term = wr.clone();
                term *= ws;
                for (a, b) in self.factors.iter().zip(&other.factors) {
                    let mut dot = T::zero();
                    for (x, y) in a.column(r).iter().zip(b.column(s)) {
                        let mut product = x.clone();
                        product *= y;
                        dot += &product;
                    }
                    term *= &dot;
                }
                sum += &term;
            }
        }
        Ok(sum)
    }

    /// The Hadamard (entrywise) product: rank `rank * rank'`, weights and columns multiplied pairwise.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn hadamard(&self, other: &Self) -> Result<Self, Error> {
        self.require_shape("CpTensor::hadamard", other)?;
        let product = |x: &T, y: &T| {
            let mut p = x.clone();
            p *= y;
            p
        };
        let (outer, inner) = (&self.weights, &other.weights);
        let pairs = outer.iter().flat_map(|x| inner.iter().map(move |y| (x, y)));
        let weights: Vec<T> = pairs.map(|(x, y)| product(x, y)).collect();
        let k = other.rank().max(1);
        let mut factors = Vec::with_capacity(self.order());
        for (a, b) in self.factors.iter().zip(&other.factors) {
            let f = |i: usize, q: usize| product(&a.column(q / k)[i], &b.column(q % k)[i]);
            factors.push(Factor::from_fn(a.rows(), weights.len(), f));
        }
        Ok(Self { weights, factors })
    }

    /// The same tensor with unit weights: each weight moved into the first factor.
    pub fn absorbed(&self) -> Self {
        let mut factors = self.factors.clone();
        for (r, w) in self.weights.iter().enumerate() {
            factors[0].column_mut(r).iter_mut().for_each(|x| *x *= w);
        }
        let weights = vec![T::one(); self.rank()];
        Self { weights, factors }
    }

    fn require_shape(&self, op: &'static str, other: &Self) -> Result<(), Error> {
        check_factors(op, &self.dims(), &other.factors).map(|_| ())
    }
}
