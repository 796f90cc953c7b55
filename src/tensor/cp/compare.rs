//! Canonical form of a CP model and comparison of two.

use super::model::CpTensor;
use crate::Error;
use crate::linalg::{Scalar, norm2, small};
use crate::poly::Ring;
use crate::tensor::assignment::best_assignment;
use crate::tensor::dense::TensorView;
use crate::tensor::factor::Factor;
use crate::tensor::products::mttkrp::residual_into;

/// Triples (component of one model, of the other, score).
type Matching = Vec<(usize, usize, f64)>;

impl<T: Scalar + Ring> CpTensor<T> {
    /// The same tensor with unit columns, weights real, nonnegative where signs allow and nonincreasing.
    ///
    /// The phase rule: in every factor but the last the entry of greatest modulus (the first of those
    /// within rounding) is real and positive; what remains goes into the last factor, and from there into
    /// the weight if the weight can be made positive by it, which it always can. A component that
    /// vanishes gets weight zero and unit first coordinates.
    pub fn canonical(&self) -> Self {
        let order = self.order();
        let mut parts: Vec<(f64, Vec<Vec<T>>)> = (0..self.rank())
            .map(|r| self.canonical_component(r))
            .collect();
        // Equal weights are ordered by the first factor, so that the form does not depend on the input order.
        parts.sort_by(|a, b| {
            let later = |x: &T, y: &T| y.re().total_cmp(&x.re());
            let columns = |p: &(f64, Vec<Vec<T>>)| p.1.first().cloned().unwrap_or_default();
            b.0.total_cmp(&a.0).then_with(|| {
                let pairs = columns(a).into_iter().zip(columns(b));
                pairs
                    .map(|(x, y)| later(&x, &y))
                    .find(|o| o.is_ne())
                    .unwrap_or(std::cmp::Ordering::Equal)
            })
        });
        let weights = parts.iter().map(|p| T::from_parts(p.0, 0.0)).collect();
        let factors = (0..order).map(|m| {
            let rows = self.factors()[m].rows();
            Factor::from_fn(rows, parts.len(), |i, r| parts[r].1[m][i])
        });
        let factors = factors.collect();
        Self::new(weights, factors).unwrap_or_else(|_| self.clone())
    }

    fn canonical_component(&self, r: usize) -> (f64, Vec<Vec<T>>) {
        let mut weight = self.weights()[r];
        let mut columns = Vec::with_capacity(self.order());
        // The weight is collected as a logarithm: the product of many long columns may leave the range.
        let mut log_weight = 0.0f64;
        for f in self.factors() {
            let length = f.column_norm(r);
            let mut column: Vec<T> = f.column(r).to_vec();
            if length > 0.0 {
                // In two steps, because 1/length may overflow when the length is subnormal.
                let half = length.sqrt();
                column
                    .iter_mut()
                    .for_each(|x| *x = x.scale(1.0 / half).scale(1.0 / half));
                let phase = phase_of(&column);
                column.iter_mut().for_each(|x| *x *= phase.conj());
                weight *= phase;
                log_weight += length.ln();
            } else {
                weight = T::zero();
            }
            columns.push(column);
        }
        let modulus = Scalar::abs(weight);
        if modulus > 0.0 && log_weight.is_finite() {
            let phase = direction(weight, modulus);
            if let Some(last) = columns.last_mut() {
                last.iter_mut().for_each(|x| *x *= phase);
            }
            let plain: f64 = self.factors().iter().map(|f| f.column_norm(r)).product();
            let product = modulus * plain;
            let safe = product.is_finite() && product > f64::MIN_POSITIVE;
            let weight = if safe {
                product
            } else {
                (modulus.ln() + log_weight).exp()
            };
            return (weight.min(f64::MAX), columns);
        }
        for column in &mut columns {
            column.iter_mut().for_each(|x| *x = T::zero());
            if let Some(first) = column.first_mut() {
                *first = T::one();
            }
        }
        (0.0, columns)
    }

    /// `<self, other> = sum_i conj(T[i]) S[i]`.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn inner(&self, other: &Self) -> Result<T, Error> {
        let conj = self.factors().iter().map(Factor::conj).collect();
        let weights = self.weights().iter().map(|w| w.conj()).collect();
        Self::new(weights, conj)?.bilinear(other)
    }

    /// `||self||` from Gram matrices; accurate to `sqrt(eps)` of the greatest component under cancellation.
    pub fn norm(&self) -> f64 {
        self.inner(self)
            .map_or(f64::NAN, |x| x.re().max(0.0).sqrt())
    }

    /// `||t - self|| / ||t||` with `0/0 = 0`, computed entry by entry and not from inner products, which
    /// lose everything below `1e-8`.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    ///
    /// # Complexity
    /// `O(N * rank)` time, `O(N)` memory for `N` entries.
    pub fn rel_residual(&self, t: TensorView<'_, T>) -> Result<f64, Error> {
        let balanced = self.balanced();
        let mut gap = Vec::new();
        residual_into(t, &balanced, &mut gap)?;
        let gap = norm2(&Vec::from_iter(gap.iter().map(|x| x.abs())));
        let norm = norm2(&Vec::from_iter(t.as_slice().iter().map(|x| x.abs())));
        Ok(if norm > 0.0 { gap / norm } else { gap })
    }

    /// Factors of unit-weight components whose columns have equal lengths in every mode.
    pub fn balanced(&self) -> Vec<Factor<T>> {
        let canonical = self.canonical();
        let order = self.order() as f64;
        let mut factors = canonical.factors().to_vec();
        for (r, w) in canonical.weights().iter().enumerate() {
            let root = w.re().powf(1.0 / order);
            // The root is rounded; the first factor takes the exact quotient so that the product is `w`.
            let rest = root.powi(self.order() as i32 - 1);
            let first = if rest > 0.0 { w.re() / rest } else { 0.0 };
            for (m, f) in factors.iter_mut().enumerate() {
                f.scale_column(r, if m == 0 { first } else { root });
            }
        }
        factors
    }

    /// Factor match score with another model of the same shape: components are matched one to one so that
    /// the mean of the products of cosines, over the modes, is greatest. 1 means equal up to weights.
    ///
    /// With a different number of components the smaller set is matched and the mean is over the larger.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    ///
    /// # Complexity
    /// `O(sum(n_m) R^2 + R^3)`.
    /// Here `R` is the number of components.
    pub fn match_score(&self, other: &Self) -> Result<f64, Error> {
        let pairs = self.matching(other)?;
        let total: f64 = pairs.iter().map(|&(_, _, s)| s).sum();
        let n = pairs.len();
        Ok(if n == 0 { 1.0 } else { total / n as f64 })
    }

    /// The matching behind [`CpTensor::match_score`]: as many triples (component of `self`, of `other`, score)
    /// as the greater of the two ranks; an index beyond a rank stands for no partner, with score 0.
    ///
    /// # Errors
    /// `Shape` when the shapes differ.
    pub fn matching(&self, other: &Self) -> Result<Matching, Error> {
        crate::tensor::products::mttkrp::check_factors(
            "CpTensor::matching",
            &self.dims(),
            other.factors(),
        )?;
        let n = self.rank().max(other.rank());
        let cosines = |r: usize, s: usize| {
            if r >= self.rank() || s >= other.rank() {
                return 0.0;
            }
            let pairs = self.factors().iter().zip(other.factors());
            pairs
                .map(|(a, b)| Scalar::abs(cosine(a.column(r), b.column(s))))
                .product()
        };
        let table: Vec<f64> = (0..n * n).map(|k| cosines(k / n, k % n)).collect();
        let p = best_assignment(n, |r, s| table[r * n + s]);
        let pairs = p.iter().enumerate().map(|(r, &s)| (r, s, table[r * n + s]));
        Ok(pairs.collect())
    }

    /// The greatest sum of moduli of weights over the norm of the model: 1 when nothing cancels, large when
    /// components diverge against each other.
    pub fn cancellation(&self) -> f64 {
        let c = self.canonical();
        let squares: f64 = c.weights().iter().map(|w| w.re() * w.re()).sum();
        let norm = c.norm();
        if squares == 0.0 {
            1.0
        } else if norm > 0.0 {
            squares.sqrt() / norm
        } else {
            f64::INFINITY
        }
    }
}

/// `<x, y> / (||x|| ||y||)`, zero when either vanishes.
pub(crate) fn cosine<T: Scalar>(x: &[T], y: &[T]) -> T {
    let (a, b) = (small::norm_sq(x), small::norm_sq(y));
    let scale = a.sqrt() * b.sqrt();
    if scale > 0.0 && scale.is_finite() {
        small::dot(x, y).scale(1.0 / scale)
    } else {
        T::zero()
    }
}

/// The number of modulus one in the direction of `z`, whose modulus is positive; a subnormal one is first brought into range,
/// exactly, because its reciprocal would overflow.
fn direction<T: Scalar>(z: T, modulus: f64) -> T {
    if (1.0 / modulus).is_finite() {
        return z.scale(1.0 / modulus);
    }
    let z = z.scale(2f64.powi(500));
    z.scale(1.0 / z.abs())
}

/// The phase of the first entry whose modulus is within `1e-9` of the greatest.
fn phase_of<T: Scalar>(column: &[T]) -> T {
    let greatest = column.iter().map(|x| x.abs()).fold(0.0, f64::max);
    let lead = column.iter().find(|x| x.abs() >= greatest * (1.0 - 1e-9));
    match lead {
        Some(x) if x.abs() > 0.0 => x.scale(1.0 / x.abs()),
        _ => T::one(),
    }
}
