//! Gauges of rings: the canonical form, equality up to gauge, equal cores around the ring.

use super::model::TensorRing;
use crate::Error;
use crate::tensor::dense::Tensor;
use crate::tensor::scalar::Scalar;
use crate::tensor::scalar::columns;
use faer::{Mat, MatRef};

/// Squarings of the loop map: the second eigenvalue enters as its `2^SQUARINGS`-th power.
const SQUARINGS: usize = 40;

/// Gauges that carry one ring into another, as [`TensorRing::gauge_to`] finds them.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::tensor::TensorRing;
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let ring = TensorRing::<f64>::gaussian(&[5, 5, 5], &[2, 2, 2], &mut rng)?;
/// let found = ring.gauge_to(&ring.canonical()?)?;
/// assert!(found.mismatch < 1e-6 && found.uniqueness > 1e-6);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RingGauge<T> {
    /// One matrix for each bond: `other_k(i) = L_k^-1 self_k(i) L_{k+1}`.
    pub gauges: Vec<Mat<T>>,
    /// `max_k ||self_k L_{k+1} - L_k other_k|| / ||L_k other_k||`: zero exactly when they do.
    pub mismatch: f64,
    /// The second smallest singular value of the linear system whose null vector is the gauge: zero when
    /// the gauge is not unique up to a scalar.
    pub uniqueness: f64,
}

/// One core at every place: `T[i_0, .., i_{m-1}] = sign * Tr(A(i_0) .. A(i_{m-1}))`.
///
/// The sign is `-1` only for real rings of even order, where no real scalar can be spread over the cores.
///
/// # Example
/// ```
/// use wickring::tensor::{Tensor, UniformRing};
/// // A(0) = 1 and A(1) = the swap: the trace of two swaps is 2, of three it is 0.
/// let core = Tensor::from_vec(&[2, 2, 2], vec![1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0])?;
/// let ring = UniformRing { core, order: 3, sign: 1.0 }.to_ring()?;
/// assert_eq!((ring.entry(&[1, 0, 1]), ring.entry(&[1, 1, 1])), (Some(2.0), Some(0.0)));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct UniformRing<T: Scalar = f64> {
    /// `A`, of shape `R x n x R`.
    pub core: Tensor<T>,
    /// Number of places.
    pub order: usize,
    /// `1` or `-1`.
    pub sign: f64,
}

impl<T: Scalar> UniformRing<T> {
    /// The ring with the sign on its first core.
    ///
    /// # Errors
    /// As [`TensorRing::new`], for a core that is not square.
    pub fn to_ring(&self) -> Result<TensorRing<T>, Error> {
        let ring = TensorRing::new(vec![self.core.clone(); self.order])?;
        Ok(ring.scaled(T::from_real(self.sign)))
    }
}

/// `L G` for a core `G`, as a core.
fn left_times<T: Scalar>(l: MatRef<'_, T>, g: &Tensor<T>) -> Result<Tensor<T>, Error> {
    let p = T::product(l, g.view().as_matrix(1));
    Tensor::from_vec(&[l.nrows(), g.dims()[1], g.dims()[2]], columns(p.as_ref()))
}

/// `G L` for a core `G`, as a core.
fn times_right<T: Scalar>(g: &Tensor<T>, l: MatRef<'_, T>) -> Result<Tensor<T>, Error> {
    let p = T::product(g.view().as_matrix(2), l);
    Tensor::from_vec(&[g.dims()[0], g.dims()[1], l.ncols()], columns(p.as_ref()))
}

impl<T: Scalar> TensorRing<T> {
    /// The gauge that carries this ring into another one with the same tensor.
    ///
    /// `L_{k+1}` follows from `L_k` by least squares, so around the ring `L_0` is a fixed vector of a linear
    /// map; the answer is the best such vector, and `mismatch` tells whether it is one. Rings of the same
    /// tensor need not be gauge equivalent unless both are normal (no smaller invariant block).
    ///
    /// # Shapes
    /// Dimensions and ranks of both rings agree.
    ///
    /// # Errors
    /// `Shape`, `Backend`.
    ///
    /// # Complexity
    /// `O(m n R^5 + R^6)` for equal ranks `R`.
    /// Here `n` is the length of the longest mode and `m` the number of modes.
    pub fn gauge_to(&self, other: &Self) -> Result<RingGauge<T>, Error> {
        let op = "TensorRing::gauge_to";
        if self.dims() != other.dims() || self.ranks() != other.ranks() {
            let expected = format!("shape {:?} and ranks {:?}", self.dims(), self.ranks());
            let found = format!("{:?} and {:?}", other.dims(), other.ranks());
            return Err(Error::shape(op, expected, found));
        }
        let r = self.ranks()[0];
        let mut inverses = Vec::with_capacity(self.order());
        for g in self.cores() {
            inverses.push(pseudoinverse(op, g.view().as_matrix(2))?);
        }
        let around = |start: Mat<T>| -> Result<Vec<Mat<T>>, Error> {
            let mut gauges = vec![start];
            for (inverse, y) in inverses.iter().zip(other.cores()) {
                let last = gauges.last().map(|l| l.as_ref());
                let moved = left_times(last.unwrap_or(MatRef::from_ref(&T::one())), y)?;
                gauges.push(T::product(inverse.as_ref(), moved.view().as_matrix(2)));
            }
            Ok(gauges)
        };
        let mut system = Mat::<T>::zeros(r * r, r * r);
        for col in 0..r * r {
            let unit = Mat::from_fn(r, r, |i, j| {
                if i + r * j == col {
                    T::one()
                } else {
                    T::zero()
                }
            });
            if let Some(image) = around(unit)?.pop() {
                for row in 0..r * r {
                    system[(row, col)] = image[(row % r, row / r)];
                }
            }
            system[(col, col)] -= T::one();
        }
        let svd = T::svd(op, system.as_ref())?;
        let last = r * r - 1;
        let start = Mat::from_fn(r, r, |i, j| svd.v[(i + r * j, last)]);
        let mut gauges = around(start)?;
        gauges.truncate(self.order());
        let mismatch = self.mismatch(other, &gauges)?;
        let uniqueness = if r > 1 { svd.s[last - 1] } else { 1.0 };
        Ok(RingGauge {
            gauges,
            mismatch,
            uniqueness,
        })
    }

    /// By how much the gauges miss carrying this ring into `other`; see [`RingGauge::mismatch`].
    fn mismatch(&self, other: &Self, gauges: &[Mat<T>]) -> Result<f64, Error> {
        let mut mismatch = 0.0f64;
        for k in 0..self.order() {
            let next = &gauges[(k + 1) % gauges.len()];
            let mine = times_right(&self.cores()[k], next.as_ref())?;
            let theirs = left_times(gauges[k].as_ref(), &other.cores()[k])?;
            let gap = mine.as_slice().iter().zip(theirs.as_slice());
            let gap: f64 = gap.map(|(&x, &y)| (x - y).squared()).sum();
            let size: f64 = theirs.as_slice().iter().map(|y| y.squared()).sum();
            let ratio = (gap / size).sqrt();
            // A vanishing gauge is no gauge.
            mismatch = mismatch.max(if ratio.is_nan() { f64::INFINITY } else { ratio });
        }
        Ok(mismatch)
    }

    /// The same tensor with all cores equal, when there is such a ring: for a tensor that does not change when
    /// its modes are turned (a translation-invariant state).
    ///
    /// The ring and the ring turned by one place have the same tensor, so gauges `P_k` lead from one to the
    /// other; then `A(i) = G_0(i) P_0^-1` serves at every place, up to a scalar.
    ///
    /// # Shapes
    /// All dimensions agree and all ranks agree.
    ///
    /// # Errors
    /// `Shape`; `Degenerate` when the turned ring is not gauge equivalent (measured: the mismatch).
    pub fn to_uniform(&self) -> Result<UniformRing<T>, Error> {
        let op = "TensorRing::to_uniform";
        let turned = self.rotated(1);
        let gauge = self.gauge_to(&turned)?;
        let hypothesis = "a ring that is gauge equivalent to itself turned by one place (mismatch)";
        // Square root of the working precision: the gauge of an exact ring is far below, that of a tensor
        // that is not invariant is of order one.
        let found = gauge.mismatch <= 1e-7;
        let Some(p) = gauge.gauges.first().filter(|_| found) else {
            return Err(Error::degenerate(op, hypothesis, gauge.mismatch));
        };
        let identity = Mat::<T>::identity(p.nrows(), p.nrows());
        let inverse = T::solve(op, p.as_ref(), identity.as_ref())?;
        let core = times_right(&self.cores()[0], inverse.as_ref())?;
        let order = self.order();
        let ring = Self::new(vec![core; order])?;
        let scale = ring.inner(self)?.to_complex() / ring.inner(&ring)?.to_complex();
        let m = order as f64;
        let (root, sign) = match (T::COMPLEX || scale.re >= 0.0, order % 2 == 1) {
            (true, _) => (T::from_complex(scale.powf(1.0 / m)), 1.0),
            (false, true) => (T::from_real(-(-scale.re).powf(1.0 / m)), 1.0),
            (false, false) => (T::from_real((-scale.re).powf(1.0 / m)), -1.0),
        };
        let mut core = ring.into_cores().swap_remove(0);
        core.as_mut_slice().iter_mut().for_each(|x| *x *= root);
        Ok(UniformRing { core, order, sign })
    }

    /// The canonical gauge: `sum_i G_k(i)^H G_k(i) = c_k I` at every core, and the fixed point of the loop
    /// map from the right diagonal and nonincreasing at every bond. The same tensor up to rounding.
    ///
    /// For a normal ring (the loop map has one dominant eigenvalue, and its fixed points are definite) this
    /// gauge is unique up to diagonal phases when the diagonals have no repeated entries. Unlike for open
    /// chains the diagonals are not singular values of the tensor, and cutting them is no best approximation.
    ///
    /// # Errors
    /// `Degenerate` when a fixed point is singular to working precision: the ring is not normal (measured:
    /// the ratio of its extreme eigenvalues).
    ///
    /// # Complexity
    /// `O(m n R^4 + R^6)`.
    /// Here `n` is the length of the longest mode and `R` the greatest rank.
    ///
    /// # Accuracy
    /// Relative error about `eps * m * cond` with `cond` that of the fixed points.
    ///
    /// # Source
    /// The canonical form of translation-invariant matrix product states (Perez-Garcia, Verstraete, Wolf,
    /// Cirac 2007), carried over to cores that differ around the ring.
    pub fn canonical(&self) -> Result<Self, Error> {
        let op = "TensorRing::canonical";
        let base = self.balanced();
        let left = base.fixed_points(false)?;
        let mut gauges = Vec::with_capacity(left.len());
        for rho in &left {
            // rho = V D V^H; L = V D^-1/2 makes the new fixed point L^H rho L = I.
            let (vectors, values) = definite(op, rho)?;
            gauges.push(Mat::from_fn(rho.nrows(), rho.nrows(), |i, j| {
                vectors[(i, j)] * T::from_real(1.0 / values[j].sqrt())
            }));
        }
        let isometric = base.gauged(&gauges)?;
        // Squaring converges only when one eigenvalue dominates; a Jordan block or a tie shows here.
        let loss = isometric.isometry_loss();
        let hypothesis = "one dominant eigenvalue of the loop map (loss of isometry in its gauge)";
        let converged = loss <= 1e-7;
        if !converged {
            return Err(Error::degenerate(op, hypothesis, loss));
        }
        let mut unitary = Vec::with_capacity(left.len());
        for sigma in &isometric.fixed_points(true)? {
            unitary.push(definite(op, sigma)?.0);
        }
        Ok(isometric.gauged(&unitary)?.with_phases().balanced())
    }

    /// `max_k ||sum_i G_k(i)^H G_k(i) - c_k I|| / c_k` with `c_k` the mean of the diagonal.
    fn isometry_loss(&self) -> f64 {
        let mut worst = 0.0f64;
        for g in self.cores() {
            let m = g.view().as_matrix(2);
            let gram = T::adjoint_product(m, m);
            let n = gram.nrows();
            let mean = (0..n).map(|i| gram[(i, i)].real()).sum::<f64>() / n as f64;
            for (i, j) in (0..n).flat_map(|i| (0..n).map(move |j| (i, j))) {
                let wanted = T::from_real(if i == j { mean } else { 0.0 });
                let off = (gram[(i, j)] - wanted).squared().sqrt() / mean;
                worst = worst.max(if off.is_nan() { f64::INFINITY } else { off });
            }
        }
        worst
    }

    /// Positive fixed points of the loop map at every bond, of unit norm: `rho_{k+1} = sum G^H rho_k G`
    /// from the left, `sigma_k = sum G sigma_{k+1} G^H` from the right.
    fn fixed_points(&self, from_right: bool) -> Result<Vec<Mat<T>>, Error> {
        let m = self.order();
        let maps: Vec<Mat<T>> = (0..m).map(|k| self.transfer(k, self)).collect();
        let mut full = maps[0].clone();
        for e in &maps[1..] {
            full = T::product(full.as_ref(), e.as_ref());
        }
        for _ in 0..SQUARINGS {
            full = unit(T::product(full.as_ref(), full.as_ref()));
        }
        let r = self.ranks()[0];
        let seed = Mat::from_fn(
            r * r,
            1,
            |i, _| {
                if i % r == i / r { T::one() } else { T::zero() }
            },
        );
        // Transfers act on row vectors rho[(c, c')] from the left and on columns from the right.
        let mut at = vec![Mat::zeros(0, 0); m];
        let mut walk = if from_right {
            unit(T::product(full.as_ref(), seed.as_ref()))
        } else {
            unit(T::product(full.transpose(), seed.as_ref()))
        };
        for step in 0..m {
            let k = if from_right { (m - step) % m } else { step };
            let size = self.ranks()[k];
            at[k] = Mat::from_fn(size, size, |i, j| {
                // From the left rows are the conjugated index c, from the right the plain one c'.
                // Hermitian part: rounding must not leak into the eigenvectors.
                let (row, col) = if from_right { (j, i) } else { (i, j) };
                let (x, y) = (walk[(row + size * col, 0)], walk[(col + size * row, 0)]);
                (x + y.conjugate()) * T::from_real(0.5)
            });
            walk = if from_right {
                unit(T::product(maps[(k + m - 1) % m].as_ref(), walk.as_ref()))
            } else {
                unit(T::product(maps[k].transpose(), walk.as_ref()))
            };
        }
        Ok(at)
    }

    /// Chooses the phase of every bond index: the greatest entry of the core to its left becomes positive.
    /// Bond 0 is left as it is.
    fn with_phases(&self) -> Self {
        let mut cores = self.cores().to_vec();
        for k in 1..cores.len() {
            let (head, tail) = cores.split_at_mut(k);
            let (Some(left), Some(right)) = (head.last_mut(), tail.first_mut()) else {
                continue;
            };
            let rows = left.dims()[0] * left.dims()[1];
            let bond = right.dims()[0];
            for b in 0..bond {
                let column = &mut left.as_mut_slice()[rows * b..rows * (b + 1)];
                let pivot = column.iter().copied().fold(T::zero(), |best, x| {
                    // A margin, so that rounding does not choose between equal entries.
                    let larger = x.squared() > best.squared() * (1.0 + 1e-6);
                    if larger { x } else { best }
                });
                let size = pivot.squared().sqrt();
                if size == 0.0 {
                    continue;
                }
                let phase = pivot * T::from_real(1.0 / size);
                column.iter_mut().for_each(|x| *x *= phase.conjugate());
                let rest = right.as_mut_slice().iter_mut().skip(b).step_by(bond);
                rest.for_each(|x| *x *= phase);
            }
        }
        Self::from_chained(cores)
    }
}

/// Scaled to unit norm; zero stays zero.
fn unit<T: Scalar>(m: Mat<T>) -> Mat<T> {
    let size = crate::tensor::scalar::norm(&columns(m.as_ref()));
    let (a, b) = crate::linalg::reciprocal(if size > 0.0 { size } else { 1.0 });
    let (a, b) = (T::from_real(a), T::from_real(b));
    Mat::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] * a * b)
}

/// Eigenvectors and eigenvalues (nonincreasing) of a definite Hermitian matrix, of either sign.
fn definite<T: Scalar>(op: &'static str, m: &Mat<T>) -> Result<(Mat<T>, Vec<f64>), Error> {
    // For a definite matrix the singular value decomposition is the eigendecomposition.
    let svd = T::svd(op, m.as_ref())?;
    let first = svd.s.first().copied().unwrap_or(0.0);
    let last = svd.s.last().copied().unwrap_or(0.0);
    let hypothesis = "a normal ring: definite fixed points of its loop map (ratio of eigenvalues)";
    let aligned = T::adjoint_product(svd.u.as_ref(), svd.v.as_ref());
    let trace: f64 = (0..m.nrows()).map(|i| aligned[(i, i)].real()).sum();
    // u = v for a positive matrix: then the trace is the size.
    let positive = (trace.abs() - m.nrows() as f64).abs() <= 1e-6;
    if !(positive && last > 1e-13 * first) {
        let ratio = if first > 0.0 { last / first } else { 0.0 };
        return Err(Error::degenerate(op, hypothesis, ratio));
    }
    Ok((svd.u, svd.s))
}

fn pseudoinverse<T: Scalar>(op: &'static str, m: MatRef<'_, T>) -> Result<Mat<T>, Error> {
    let svd = T::svd(op, m)?;
    let cut = 1e-13 * svd.s.first().copied().unwrap_or(0.0);
    let weighted = Mat::from_fn(svd.v.nrows(), svd.s.len(), |i, j| {
        let inverse = if svd.s[j] > cut { 1.0 / svd.s[j] } else { 0.0 };
        svd.v[(i, j)] * T::from_real(inverse)
    });
    Ok(T::product(
        weighted.as_ref(),
        svd.u.adjoint().to_owned().as_ref(),
    ))
}
