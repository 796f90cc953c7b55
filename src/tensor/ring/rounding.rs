//! Shortening rings, and leaving them for other formats.

use super::model::TensorRing;
use super::symmetric::SymmetricRing;
use crate::Error;
use crate::tensor::dense::Tensor;
use crate::tensor::scalar::Scalar;
use crate::tensor::scalar::columns;
use crate::tensor::train::TensorTrain;

impl<T: Scalar> TensorRing<T> {
    /// A ring of smaller ranks within `tolerance * ||self||` of this one.
    ///
    /// The ring is cut open at bond 0: with the closing index kept as an extra mode at both ends it is a
    /// train, and closing it again multiplies errors by at most `sqrt(R_0)`. So the train is rounded with the
    /// budget divided by that; then the ring is turned by half its length, so that bond 0 shrinks too.
    ///
    /// # Errors
    /// `InvalidInput` unless `0 <= tolerance < 1`; `Backend`.
    ///
    /// # Complexity
    /// `O(m n R^4)` for equal ranks.
    /// Here `n` is the length of the longest mode, `m` the number of modes and `R` the greatest rank.
    ///
    /// # Accuracy
    /// `||result - self|| <= tolerance * ||self||` up to rounding. Ranks are those of the open chain and may
    /// be larger than the least ones of a ring: a minimal ring of minimal ranks is left as it is.
    pub fn round(&self, tolerance: f64) -> Result<Self, Error> {
        let op = "TensorRing::round";
        if !(0.0..1.0).contains(&tolerance) {
            let requirement = format!("the tolerance must lie in 0..1, got {tolerance}");
            return Err(Error::invalid(op, requirement));
        }
        let m = self.order();
        let budget = 0.5 * tolerance * self.norm();
        let half = m / 2;
        let once = self.balanced().round_open(op, budget)?;
        let twice = once.rotated(half).balanced().round_open(op, budget)?;
        Ok(twice.rotated(m - half).balanced())
    }

    /// Rounds all bonds but bond 0, with an absolute budget for the tensor.
    fn round_open(&self, op: &'static str, budget: f64) -> Result<Self, Error> {
        let (m, outer) = (self.order(), self.ranks()[0]);
        let unit = Tensor::from_fn(&[1, outer, outer], |i| {
            if i[1] == i[2] { T::one() } else { T::zero() }
        })?;
        let closing = Tensor::from_vec(&[outer, outer, 1], unit.as_slice().to_vec())?;
        let mut cores = vec![unit];
        cores.extend(self.cores().iter().cloned());
        cores.push(closing);
        let cuts = (m + 1) as f64;
        let share = budget / (outer as f64 * cuts).sqrt();
        let mut cores = TensorTrain::new(cores)?
            .round_absolute(op, share)?
            .into_ring()
            .into_cores();
        // The outer cores are matrices; multiplied into their neighbours they restore the closing index.
        let (Some(last), first) = (cores.pop(), cores.remove(0)) else {
            return Ok(self.clone());
        };
        let absorbed = T::product(first.view().as_matrix(2), cores[0].view().as_matrix(1));
        let dims = [outer, cores[0].dims()[1], cores[0].dims()[2]];
        cores[0] = Tensor::from_vec(&dims, columns(absorbed.as_ref()))?;
        let end = cores.len() - 1;
        let absorbed = T::product(cores[end].view().as_matrix(2), last.view().as_matrix(1));
        let dims = [cores[end].dims()[0], cores[end].dims()[1], outer];
        cores[end] = Tensor::from_vec(&dims, columns(absorbed.as_ref()))?;
        Self::new(cores)
    }
}

impl TensorRing<f64> {
    /// The symmetric ring of order three as a ring with three equal cores.
    ///
    /// # Errors
    /// None for a valid symmetric ring; the constructor's are passed on.
    pub fn from_symmetric(ring: &SymmetricRing) -> Result<Self, Error> {
        let (r, d) = (ring.rank(), ring.outputs());
        let core = Tensor::from_fn(&[r, d, r], |i| ring.entry(i[1], i[0], i[2]))?;
        Self::new(vec![core; 3])
    }
}
