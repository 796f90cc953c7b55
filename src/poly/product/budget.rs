//! What an operation may cost before it must give up.

use crate::Error;
use crate::poly::coefficients::reducer::Reducer;
use std::time::Instant;

/// Limits on one operation that can explode.
///
/// Every limit is an upper bound that is checked before memory is taken or between blocks of work; an
/// operation that would pass one returns `LimitExceeded`, and one that is told to stop returns `Stopped`.
///
/// # Example
/// ```
/// use wickring::poly::{Budget, Poly, Rational, Vars};
/// let p = Poly::<Rational>::parse("x + y + z", &mut Vars::new())?;
/// let q = p.pow_within(20, &Budget::default())?;
/// assert!(q.mul_within(&q, &Budget::default().terms(100)).is_err());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    pub(crate) terms: usize,
    pub(crate) bits: u64,
    pub(crate) work: u64,
    pub(crate) deadline: Option<Instant>,
    pub(crate) stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

/// Terms of a result: 2^28 terms of 24 bytes are 6 GB.
const TERMS: usize = 1 << 28;
/// Bits of one coefficient.
const BITS: u64 = 1 << 32;
/// Products of coefficients.
const WORK: u64 = 1 << 42;

impl Default for Budget<'_> {
    fn default() -> Self {
        Self {
            terms: TERMS,
            bits: BITS,
            work: WORK,
            deadline: None,
            stop: None,
        }
    }
}

impl<'a> Budget<'a> {
    /// At most this many terms in any result. Default 2^28.
    #[must_use]
    pub fn terms(self, terms: usize) -> Self {
        Self { terms, ..self }
    }

    /// At most this many bits in all coefficients of a result together, where a bound is known
    /// beforehand. Default 2^32.
    #[must_use]
    pub fn bits(self, bits: u64) -> Self {
        Self { bits, ..self }
    }

    /// At most this many coefficient products in one multiplication or division. Default 2^42.
    #[must_use]
    pub fn work(self, work: u64) -> Self {
        Self { work, ..self }
    }

    /// Give up at this moment.
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Self {
        let deadline = Some(deadline);
        Self { deadline, ..self }
    }

    /// Give up when `stop` answers true; it is asked between blocks of work.
    #[must_use]
    pub fn stop(self, stop: &'a (dyn Fn() -> bool + Sync)) -> Self {
        let stop = Some(stop);
        Self { stop, ..self }
    }

    pub(crate) fn check_terms(&self, op: &'static str, terms: usize) -> Result<(), Error> {
        if terms > self.terms {
            return Err(Error::limit(op, "terms", self.terms as u64));
        }
        Ok(())
    }

    pub(crate) fn check_bits(&self, op: &'static str, bits: u64) -> Result<(), Error> {
        if bits > self.bits {
            return Err(Error::limit(op, "bits", self.bits));
        }
        Ok(())
    }

    pub(crate) fn check_work(
        &self,
        op: &'static str,
        left: usize,
        right: usize,
    ) -> Result<(), Error> {
        if (left as u64).saturating_mul(right as u64) > self.work {
            return Err(Error::limit(op, "coefficient products", self.work));
        }
        Ok(())
    }

    /// Whether the clock or the caller says stop.
    pub(crate) fn check_time(&self, op: &'static str) -> Result<(), Error> {
        let late = self.deadline.is_some_and(|d| Instant::now() >= d);
        if late || self.stop.is_some_and(|stop| stop()) {
            return Err(Error::Stopped { op });
        }
        Ok(())
    }
}

/// How a product is to be formed: within a budget, and perhaps modulo a prime.
pub(crate) struct Task<'a> {
    pub(crate) budget: Budget<'a>,
    /// Coefficients of the result are reduced before they are written.
    pub(crate) modulus: Option<&'a Reducer>,
}

impl<'a> Task<'a> {
    /// A product that is not reduced.
    pub(crate) fn exact(budget: &Budget<'a>) -> Self {
        Self {
            budget: *budget,
            modulus: None,
        }
    }
}
