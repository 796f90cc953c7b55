//! The tensor train: an open chain, a ring with `R_0 = 1`.

use super::dense::{Tensor, TensorView};
use super::ring::model::TensorRing;
use super::scalar::Scalar;
use super::scalar::{columns, norm};
use crate::Error;
use faer::Mat;

/// Cores of shape `R_k x n_k x R_{k+1}` with `R_0 = R_m = 1`, standing for
/// `T[i_0, .., i_{m-1}] = G_0(i_0) .. G_{m-1}(i_{m-1})`.
///
/// Invariant: the cores form a [`TensorRing`] whose first rank is 1.
///
/// # Example
/// ```
/// use wickring::tensor::{Tensor, TensorTrain};
/// let ones = Tensor::from_vec(&[1, 2, 1], vec![1.0, 1.0])?;
/// let train = TensorTrain::new(vec![ones; 3])?;
/// let doubled = train.add(&train)?;
/// assert_eq!(doubled.ranks(), [1, 2, 2]);
/// assert_eq!(doubled.round(1e-12)?.ranks(), [1, 1, 1]);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TensorTrain<T: Scalar = f64> {
    ring: TensorRing<T>,
}

impl<T: Scalar> TensorTrain<T> {
    /// A train from its cores.
    ///
    /// # Errors
    /// As [`TensorRing::new`], and `Shape` when the first rank is not 1.
    pub fn new(cores: Vec<Tensor<T>>) -> Result<Self, Error> {
        let ring = TensorRing::new(cores)?;
        match ring.ranks().first() {
            Some(&1) => Ok(Self { ring }),
            first => {
                let found = format!("{first:?}");
                Err(Error::shape(
                    "TensorTrain::new",
                    "an outer rank of 1",
                    found,
                ))
            }
        }
    }

    /// The same chain as a ring whose first rank is 1.
    pub fn as_ring(&self) -> &TensorRing<T> {
        &self.ring
    }

    /// The ring, given up.
    pub fn into_ring(self) -> TensorRing<T> {
        self.ring
    }

    /// The train of the same tensor as a ring: ranks `1, R_0 R_1, .., R_0 R_{m-1}`. Round it to shorten.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn from_ring(ring: &TensorRing<T>) -> Result<Self, Error> {
        let (m, outer) = (ring.order(), ring.ranks()[0]);
        let mut cores = Vec::with_capacity(m);
        for (k, g) in ring.cores().iter().enumerate() {
            let (r, n, s) = (g.dims()[0], g.dims()[1], g.dims()[2]);
            let (first, last) = (k == 0, k + 1 == m);
            let rows = if first { 1 } else { outer * r };
            let cols = if last { 1 } else { outer * s };
            let v = g.view();
            // Bond indices are (a, c), a fastest, where a is the value of the closing bond.
            cores.push(Tensor::from_fn(&[rows, n, cols], |i| {
                let (a, c) = (i[0] % outer, i[0] / outer);
                let (b, d) = (i[2] % outer, i[2] / outer);
                let entry = |x: usize, y: usize| v.get(&[x, i[1], y]).copied();
                let value = match (first, last) {
                    (true, true) => (0..outer).map(|x| entry(x, x)).sum::<Option<T>>(),
                    (true, false) => entry(b, d),
                    (false, true) => entry(c, a),
                    (false, false) if a == b => entry(c, d),
                    (false, false) => None,
                };
                value.unwrap_or(T::zero())
            })?);
        }
        Self::new(cores)
    }

    /// The cores.
    pub fn cores(&self) -> &[Tensor<T>] {
        self.ring.cores()
    }

    /// The shape of the tensor.
    pub fn dims(&self) -> Vec<usize> {
        self.ring.dims()
    }

    /// The ranks `R_0 = 1, R_1, .., R_{m-1}`.
    pub fn ranks(&self) -> Vec<usize> {
        self.ring.ranks()
    }

    /// One entry, as [`TensorRing::entry`].
    pub fn entry(&self, index: &[usize]) -> Option<T> {
        self.ring.entry(index)
    }

    /// All entries.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn to_dense(&self) -> Result<Tensor<T>, Error> {
        self.ring.to_dense()
    }

    /// `||T - self|| / ||T||`, with `0/0 = 0`.
    ///
    /// # Errors
    /// `Shape`, `Overflow`.
    pub fn rel_residual(&self, t: TensorView<'_, T>) -> Result<f64, Error> {
        self.ring.rel_residual(t)
    }

    /// `<self, other>`.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn inner(&self, other: &Self) -> Result<T, Error> {
        self.ring.inner(&other.ring)
    }

    /// `factor * self`.
    #[must_use]
    pub fn scaled(&self, factor: T) -> Self {
        let ring = self.ring.scaled(factor);
        Self { ring }
    }

    /// `self + other`; inner ranks add.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    pub fn add(&self, other: &Self) -> Result<Self, Error> {
        let sum = self.ring.add(&other.ring)?;
        let m = self.dims().len();
        let mut cores = Vec::with_capacity(m);
        for (k, g) in sum.cores().iter().enumerate() {
            // The ring's sum has R_0 = 2 with block-diagonal ends; adding over that bond opens it again:
            // row 0 lives on the blocks of `self`, row 1 on those of `other`.
            let (n, v) = (g.dims()[1], g.view());
            let (first, last) = (k == 0, k + 1 == m);
            let rows = if first { 1 } else { g.dims()[0] };
            let cols = if last { 1 } else { g.dims()[2] };
            cores.push(Tensor::from_fn(&[rows, n, cols], |i| {
                let ends = |x: usize, open: bool| if open { 0..2 } else { x..x + 1 };
                let mut value = T::zero();
                for a in ends(i[0], first) {
                    for b in ends(i[2], last) {
                        value += v.get(&[a, i[1], b]).copied().unwrap_or(T::zero());
                    }
                }
                value
            })?);
        }
        Self::new(cores)
    }

    /// The entrywise product; ranks multiply.
    ///
    /// # Errors
    /// `Shape` when the shapes differ, `Overflow`.
    pub fn hadamard(&self, other: &Self) -> Result<Self, Error> {
        let ring = self.ring.hadamard(&other.ring)?;
        Ok(Self { ring })
    }

    /// The same tensor with every core but the last left-orthogonal, `sum_i G(i)^H G(i) = I`.
    ///
    /// # Errors
    /// `Backend`.
    ///
    /// # Complexity
    /// `O(m n R^3)`.
    /// Here `n` is the length of the longest mode, `m` the number of modes and `R` the greatest rank.
    pub fn left_orthogonal(&self) -> Result<Self, Error> {
        let (mut cores, exponent) = self.orthogonal_parts()?;
        if let Some(last) = cores.last_mut() {
            shift(last, exponent);
        }
        Self::new(cores)
    }

    /// Left-orthogonal cores whose last one has order one, and the power of two that they lack.
    fn orthogonal_parts(&self) -> Result<(Vec<Tensor<T>>, i32), Error> {
        let op = "TensorTrain::left_orthogonal";
        let mut cores = self.cores().to_vec();
        let mut exponent = 0;
        for k in 0..cores.len() {
            let e = exponent_of(norm(cores[k].as_slice()));
            shift(&mut cores[k], -e);
            exponent += e;
            if k + 1 == cores.len() {
                break;
            }
            let (q, r) = T::qr(op, cores[k].view().as_matrix(2))?;
            let dims = [cores[k].dims()[0], cores[k].dims()[1], q.ncols()];
            cores[k] = Tensor::from_vec(&dims, columns(q.as_ref()))?;
            let e = exponent_of(norm(cores[k + 1].as_slice()));
            shift(&mut cores[k + 1], -e);
            exponent += e;
            let p = T::product(r.as_ref(), cores[k + 1].view().as_matrix(1));
            let dims = [p.nrows(), cores[k + 1].dims()[1], cores[k + 1].dims()[2]];
            cores[k + 1] = Tensor::from_vec(&dims, columns(p.as_ref()))?;
        }
        Ok((cores, exponent))
    }

    /// Frobenius norm, accurate to rounding however much the cores cancel; infinite where it is beyond the exponent range.
    ///
    /// # Errors
    /// `Backend`.
    pub fn norm(&self) -> Result<f64, Error> {
        let (cores, exponent) = self.orthogonal_parts()?;
        Ok(cores
            .last()
            .map_or(0.0, |g| times(norm(g.as_slice()), exponent)))
    }

    /// The shortest train that the method finds within `tolerance * ||self||` of this one.
    ///
    /// # Errors
    /// `InvalidInput` unless `0 <= tolerance < 1`; `Backend`.
    ///
    /// # Complexity
    /// `O(m n R^3)`.
    /// Here `n` is the length of the longest mode and `R` the greatest rank.
    ///
    /// # Accuracy
    /// `||result - self|| <= tolerance * ||self||` up to rounding, and the error is at most `sqrt(m - 1)`
    /// times that of the best train of the resulting ranks. Norms are carried as powers of two, so that trains of any length
    /// pass whose cores are in range.
    ///
    /// # Source
    /// Oseledets 2011, algorithm 2.
    pub fn round(&self, tolerance: f64) -> Result<Self, Error> {
        self.round_to(tolerance, &[])
    }

    /// [`TensorTrain::round`] with bounds on the inner ranks `R_1, ..`, which may cost more than the tolerance; ranks beyond
    /// the list are free.
    ///
    /// # Errors
    /// As [`TensorTrain::round`], and `InvalidInput` for a bound of zero.
    pub fn round_to(&self, tolerance: f64, most: &[usize]) -> Result<Self, Error> {
        let op = "TensorTrain::round";
        if !(0.0..1.0).contains(&tolerance) || most.contains(&0) {
            let requirement = format!(
                "the tolerance must lie in 0..1 and ranks be at least 1, got {tolerance}, {most:?}"
            );
            return Err(Error::invalid(op, requirement));
        }
        let (unit, exponent) = self.unit()?;
        let size = unit.cores().last().map_or(0.0, |g| norm(g.as_slice()));
        let m = unit.cores().len();
        let budget = tolerance * size / ((m.max(2) - 1) as f64).sqrt();
        swept(op, unit, budget, most)?.times_two_to(exponent)
    }

    /// A left-orthogonal train of norm about one, and the exponent of the power of two that is missing.
    pub(crate) fn unit(&self) -> Result<(Self, i32), Error> {
        let (cores, exponent) = self.orthogonal_parts()?;
        Ok((Self::new(cores)?, exponent))
    }

    /// The train times a power of two, spread over the cores where one alone could not hold it.
    pub(crate) fn times_two_to(self, exponent: i32) -> Result<Self, Error> {
        let mut cores = self.ring.into_cores();
        let m = cores.len() as i32;
        let spread = exponent.abs() > 500;
        for (k, core) in (0..m).zip(&mut cores) {
            let share = exponent.div_euclid(m) + i32::from(k < exponent.rem_euclid(m));
            let own = if k == 0 { exponent } else { 0 };
            shift(core, if spread { share } else { own });
        }
        Self::new(cores)
    }

    /// Rounding with an absolute budget for each of the `m - 1` cuts.
    pub(super) fn round_absolute(&self, op: &'static str, budget: f64) -> Result<Self, Error> {
        let (unit, exponent) = self.unit()?;
        swept(op, unit, times(budget, -exponent), &[])?.times_two_to(exponent)
    }
}

/// The sweep of truncated SVDs from the last core to the first.
fn swept<T: Scalar>(
    op: &'static str,
    train: TensorTrain<T>,
    budget: f64,
    most: &[usize],
) -> Result<TensorTrain<T>, Error> {
    let mut cores = train.ring.into_cores();
    for k in (1..cores.len()).rev() {
        let svd = T::svd(op, cores[k].view().as_matrix(1))?;
        let keep = kept(&svd.s, budget);
        let keep = keep.min(most.get(k - 1).copied().unwrap_or(keep));
        let dims = [keep, cores[k].dims()[1], cores[k].dims()[2]];
        let v = svd.v.adjoint().to_owned();
        let rows = Mat::from_fn(keep, v.ncols(), |i, j| v[(i, j)]);
        let scaled = Mat::from_fn(svd.u.nrows(), keep, |i, j| {
            svd.u[(i, j)] * T::from_real(svd.s[j])
        });
        let left = T::product(cores[k - 1].view().as_matrix(2), scaled.as_ref());
        cores[k] = Tensor::from_vec(&dims, columns(rows.as_ref()))?;
        let dims = [cores[k - 1].dims()[0], cores[k - 1].dims()[1], keep];
        cores[k - 1] = Tensor::from_vec(&dims, columns(left.as_ref()))?;
    }
    TensorTrain::new(cores)
}

/// The binary exponent of a norm, 0 where there is none.
fn exponent_of(size: f64) -> i32 {
    if size.is_normal() {
        size.log2().floor() as i32
    } else {
        0
    }
}

/// `x 2^power` in steps that cannot overflow before the result does.
fn times(x: f64, power: i32) -> f64 {
    let half = power.clamp(-2000, 2000) / 2;
    let quarter = half / 2;
    let steps = [quarter, half - quarter, power.clamp(-2000, 2000) - half];
    steps.iter().fold(x, |x, &p| x * 2f64.powi(p))
}

fn shift<T: Scalar>(core: &mut Tensor<T>, power: i32) {
    if power != 0 {
        let factors = [power / 2, power - power / 2].map(|p| T::from_real(2f64.powi(p)));
        for x in core.as_mut_slice() {
            *x = *x * factors[0] * factors[1];
        }
    }
}

/// How many singular values must stay (at least one) so that the dropped ones have norm at most `budget`.
/// Values at the rounding level of the greatest are dropped even with a budget of zero.
pub(crate) fn kept(s: &[f64], budget: f64) -> usize {
    let floor = s.first().copied().unwrap_or(0.0) * f64::EPSILON * s.len() as f64;
    let budget = budget.max(floor);
    let mut keep = s.len();
    let mut dropped = 0.0f64;
    while keep > 1 {
        dropped = dropped.hypot(s[keep - 1]);
        // `!(<=)` keeps everything when a value is NaN.
        let small = dropped <= budget;
        if !small {
            break;
        }
        keep -= 1;
    }
    keep.max(1)
}
