//! What an algorithm consumed.

/// What an algorithm consumed; never wall time, so that equal runs compare equal.
///
/// See [`RingQueries::decompose`](crate::decomp::RingQueries::decompose), which counts the entries that it looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Sweeps or iterations of the outer loop.
    pub sweeps: usize,
    /// Samples read, counted once for each pass.
    pub samples: u64,
    /// Independent starts tried.
    pub starts: usize,
}
