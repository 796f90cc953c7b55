//! Finished starts of the exact search as lines of a checkpoint.

use super::rational_solve::exact_residual;
use super::system::CpSystem;
use crate::Error;
use crate::poly::Rational;
use crate::run::digest;

/// Columns of the three factors: mode, term, entry.
pub(super) type Columns = [Vec<Vec<Rational>>; 3];

/// How a start ended.
pub(super) struct Ended {
    /// Digest of the point where it began.
    pub(super) drawn: u64,
    /// Norm of the residual after the descent.
    pub(super) residual: f64,
    /// The best rational factors near it and their exact squared residual, where it solved the system.
    pub(super) rounded: Option<(Rational, Columns)>,
}

/// A digest of numbers, bit for bit.
pub(super) fn digest_of(numbers: &[f64]) -> u64 {
    let mut text = String::with_capacity(17 * numbers.len());
    for x in numbers {
        text += &format!("{:x} ", x.to_bits());
    }
    digest(&text)
}

impl Ended {
    /// Digest of the beginning and bits of the residual in hexadecimal; then, where it solved the system, the entries of
    /// the factors by mode, term and row.
    pub(super) fn write(&self) -> String {
        let mut line = format!("{:016x} {:016x}", self.drawn, self.residual.to_bits());
        for entry in self
            .rounded
            .iter()
            .flat_map(|(_, c)| c.iter().flatten().flatten())
        {
            line += &format!(" {entry}");
        }
        line
    }

    /// Reads what [`Ended::write`] wrote of a start at `x`. The residual of the factors is computed anew.
    ///
    /// # Errors
    /// `InvalidInput` when the start was another one, or the line is damaged.
    pub(super) fn read(
        line: &str,
        (system, target): (&CpSystem<'_>, &[Rational]),
        x: &[f64],
    ) -> Result<Self, Error> {
        let fault = |what: &str| Error::invalid("ExactCp::decompose_kept", what);
        let damaged = || fault("a start of the checkpoint is damaged");
        let mut words = line.split(' ');
        let mut bits = || u64::from_str_radix(words.next()?, 16).ok();
        let (drawn, residual) = (bits(), bits());
        let (drawn, residual) = drawn.zip(residual).ok_or_else(damaged)?;
        if drawn != digest_of(x) {
            return Err(fault("a checkpoint of the same seed, found one of another"));
        }
        let residual = f64::from_bits(residual);
        let entries: Result<Vec<Rational>, Error> = words.map(str::parse).collect();
        let entries = entries.map_err(|_| damaged())?;
        let sizes = system.dims;
        let expected = system.rank * sizes.iter().sum::<usize>();
        if !residual.is_finite() || !(entries.is_empty() || entries.len() == expected) {
            return Err(damaged());
        }
        let mut left = entries.into_iter();
        let mut column = |n: usize| left.by_ref().take(n).collect::<Vec<_>>();
        let rounded = (left_over(line) > 0)
            .then(|| sizes.map(|n| (0..system.rank).map(|_| column(n)).collect::<Vec<_>>()));
        let rounded = rounded.map(|c| (exact_residual(sizes, target, &c), c));
        Ok(Self {
            drawn,
            residual,
            rounded,
        })
    }
}

/// Words of a line after the first two.
fn left_over(line: &str) -> usize {
    line.split(' ').skip(2).count()
}
