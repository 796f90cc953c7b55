//! Arithmetic on tensor rings: nothing here forms the tensor, except [`TensorRing::distance`] on small ones.

use super::model::TensorRing;
use super::model::bonds_last;
use crate::Error;
use crate::tensor::dense::Tensor;
use crate::tensor::scalar::Scalar;
use crate::tensor::scalar::{columns, norm};
use faer::Mat;

/// Dense tensors up to this many entries are formed where that gives full accuracy.
const SMALL: usize = 1 << 20;

impl<T: Scalar> TensorRing<T> {
    /// The transfer matrix of core `k` of two rings,
    /// `E[(c, c'), (d, d')] = sum_i conj(X_k[c, i, d]) Y_k[c', i, d']`, unprimed indices fastest.
    ///
    /// # Shapes
    /// `(R_k R'_k) x (R_{k+1} R'_{k+1})`; the dimensions of mode `k` must agree.
    ///
    /// # Panics
    /// If `k` is out of range or the dimensions of mode `k` differ.
    ///
    /// # Complexity
    /// `O(n R^4)`.
    /// Here `n` is the length of the longest mode.
    pub fn transfer(&self, k: usize, other: &Self) -> Mat<T> {
        let (x, y) = (&self.cores()[k], &other.cores()[k]);
        let (c, d) = (x.dims()[0], x.dims()[2]);
        let (c2, d2) = (y.dims()[0], y.dims()[2]);
        let e = T::adjoint_product(bonds_last(x, false).as_ref(), bonds_last(y, false).as_ref());
        Mat::from_fn(c * c2, d * d2, |row, col| {
            e[(row % c + c * (col % d), row / c + c2 * (col / d))]
        })
    }

    /// `<self, other> = sum conj(self) other`, by transfer matrices.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    ///
    /// # Complexity
    /// `O(m (n R^4 + R^6))` for equal ranks `R`.
    /// Here `n` is the length of the longest mode and `m` the number of modes.
    ///
    /// # Accuracy
    /// A relative rounding error of the product of the norms.
    pub fn inner(&self, other: &Self) -> Result<T, Error> {
        if self.dims() != other.dims() {
            let (expected, found) = (format!("{:?}", self.dims()), format!("{:?}", other.dims()));
            return Err(Error::shape("TensorRing::inner", expected, found));
        }
        let mut walk = self.transfer(0, other);
        for k in 1..self.order() {
            walk = T::product(walk.as_ref(), self.transfer(k, other).as_ref());
        }
        Ok((0..walk.nrows()).map(|i| walk[(i, i)]).sum())
    }

    /// Frobenius norm of the tensor.
    ///
    /// # Complexity
    /// As [`TensorRing::inner`].
    ///
    /// # Accuracy
    /// The square is exact up to rounding of `(sum of the products of |cores|)^2`: when the ring cancels
    /// (as a difference of equal tensors does), the result is only small, about `1e-8` of the parts.
    pub fn norm(&self) -> f64 {
        self.inner(self)
            .map_or(f64::NAN, |x| x.real().max(0.0).sqrt())
    }

    /// `||self - other||`. Up to 2^20 entries it is computed entry by entry and accurate to rounding;
    /// beyond, by inner products, with an absolute floor of about `1e-8` times the norms.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn distance(&self, other: &Self) -> Result<f64, Error> {
        let gap = self.add(&other.scaled(-T::one()))?;
        let entries = self
            .dims()
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d));
        if entries.is_some_and(|n| n <= SMALL) {
            let (x, y) = (self.to_dense()?, other.to_dense()?);
            let pairs = x.as_slice().iter().zip(y.as_slice());
            return Ok(norm(&Vec::from_iter(pairs.map(|(&a, &b)| a - b))));
        }
        Ok(gap.norm())
    }

    /// `factor * self`; core 0 carries the factor.
    #[must_use]
    pub fn scaled(&self, factor: T) -> Self {
        let mut cores = self.cores().to_vec();
        if let Some(first) = cores.first_mut() {
            first.as_mut_slice().iter_mut().for_each(|x| *x *= factor);
        }
        Self::from_chained(cores)
    }

    /// `self + other`: block-diagonal cores, ranks add.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    pub fn add(&self, other: &Self) -> Result<Self, Error> {
        self.combine("TensorRing::add", other, |x, y| {
            let (r, n, s) = (x.dims()[0], x.dims()[1], x.dims()[2]);
            let (r2, s2) = (y.dims()[0], y.dims()[2]);
            let (vx, vy) = (x.view(), y.view());
            Tensor::from_fn(&[r + r2, n, s + s2], |i| {
                let block = match (i[0] < r, i[2] < s) {
                    (true, true) => vx.get(i),
                    (false, false) => vy.get(&[i[0] - r, i[1], i[2] - s]),
                    _ => None,
                };
                block.copied().unwrap_or(T::zero())
            })
        })
    }

    /// The entrywise product `self * other`: Kronecker products of the slices, ranks multiply.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    pub fn hadamard(&self, other: &Self) -> Result<Self, Error> {
        self.combine("TensorRing::hadamard", other, |x, y| {
            let (r, n, s) = (x.dims()[0], x.dims()[1], x.dims()[2]);
            let (r2, s2) = (y.dims()[0], y.dims()[2]);
            let (dx, dy) = (x.as_slice(), y.as_slice());
            Tensor::from_fn(&[r * r2, n, s * s2], |i| {
                dx[i[0] % r + r * (i[1] + n * (i[2] % s))]
                    * dy[i[0] / r + r2 * (i[1] + n * (i[2] / s))]
            })
        })
    }

    fn combine(
        &self,
        op: &'static str,
        other: &Self,
        f: impl Fn(&Tensor<T>, &Tensor<T>) -> Result<Tensor<T>, Error>,
    ) -> Result<Self, Error> {
        if self.dims() != other.dims() {
            let (expected, found) = (format!("{:?}", self.dims()), format!("{:?}", other.dims()));
            return Err(Error::shape(op, expected, found));
        }
        let pairs = self.cores().iter().zip(other.cores());
        let cores = pairs.map(|(x, y)| f(x, y)).collect::<Result<_, _>>()?;
        Ok(Self::from_chained(cores))
    }

    /// The complex conjugate tensor.
    #[must_use]
    pub fn conjugated(&self) -> Self {
        let mut cores = self.cores().to_vec();
        for x in cores.iter_mut().flat_map(|g| g.as_mut_slice()) {
            *x = x.conjugate();
        }
        Self::from_chained(cores)
    }

    /// The gauge move `G_k(i) -> L_k^-1 G_k(i) L_{k+1}`: the same tensor.
    ///
    /// # Shapes
    /// `gauges` has one square `R_k x R_k` matrix for each bond.
    ///
    /// # Errors
    /// `Shape`; `Degenerate` when a matrix is singular to working precision; `NonFinite`.
    ///
    /// # Accuracy
    /// The tensor changes by about `eps * m * R * cond(L)` of the product of the core norms.
    pub fn gauged(&self, gauges: &[Mat<T>]) -> Result<Self, Error> {
        let op = "TensorRing::gauged";
        let fits = gauges.len() == self.order()
            && gauges
                .iter()
                .zip(self.ranks())
                .all(|(l, r)| l.nrows() == r && l.ncols() == r);
        if !fits {
            let expected = format!("square gauges of sizes {:?}", self.ranks());
            let found = Vec::from_iter(gauges.iter().map(|l| (l.nrows(), l.ncols())));
            return Err(Error::shape(op, expected, format!("{found:?}")));
        }
        let mut cores = Vec::with_capacity(self.order());
        for (k, g) in self.cores().iter().enumerate() {
            let dims = [g.dims()[0], g.dims()[1], g.dims()[2]];
            let right = T::product(
                g.view().as_matrix(2),
                gauges[(k + 1) % gauges.len()].as_ref(),
            );
            let right = Tensor::from_vec(&dims, columns(right.as_ref()))?;
            let both = T::solve(op, gauges[k].as_ref(), right.view().as_matrix(1))?;
            cores.push(Tensor::from_vec(&dims, columns(both.as_ref()))?);
        }
        Self::new(cores)
    }

    /// Spreads the scale of the tensor evenly: every core gets the same Frobenius norm.
    #[must_use]
    pub fn balanced(&self) -> Self {
        let norms: Vec<f64> = self.cores().iter().map(|g| norm(g.as_slice())).collect();
        // Logarithms, because the product of the norms may leave the exponent range.
        let mean = norms.iter().map(|x| x.ln()).sum::<f64>() / norms.len() as f64;
        if !mean.is_finite() {
            return self.clone();
        }
        let mut cores = self.cores().to_vec();
        for (g, x) in cores.iter_mut().zip(&norms) {
            let factor = T::from_real((mean - x.ln()).exp());
            g.as_mut_slice().iter_mut().for_each(|y| *y *= factor);
        }
        Self::from_chained(cores)
    }
}
