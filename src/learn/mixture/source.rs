//! Samples that are read more than once and need not fit in memory.

use crate::Error;
use crate::io::samples::Samples;
use crate::run::Observer;

/// What is called with each batch of rows, row-major.
pub type Batch<'a> = &'a mut dyn FnMut(&[f64]) -> Result<(), Error>;

/// What is called with each block and the number of its first row.
pub(super) type NumberedBatch<'a> = &'a mut dyn FnMut(usize, &[f64]) -> Result<(), Error>;

/// A sample that can be read from its beginning as often as needed, in batches of whole rows.
///
/// How rows are cut into batches does not influence results.
///
/// See [`InMemory`] for an example.
pub trait SampleSource {
    /// Number of columns.
    fn dim(&self) -> usize;
    /// Reads everything once, in order.
    ///
    /// # Errors
    /// Those of reading, and those that `each` returns.
    fn pass(&mut self, each: Batch<'_>) -> Result<(), Error>;
}

/// Rows in memory as a source.
///
/// # Example
/// ```
/// use wickring::learn::mixture::{InMemory, SampleSource};
/// let mut rows = InMemory { rows: &[1.0, 2.0, 3.0, 4.0], dim: 2 };
/// let mut sum = 0.0;
/// rows.pass(&mut |batch| {
///     sum += batch.iter().sum::<f64>();
///     Ok(())
/// })?;
/// assert_eq!(sum, 10.0);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InMemory<'a> {
    /// Row-major entries.
    pub rows: &'a [f64],
    /// Number of columns.
    pub dim: usize,
}

impl SampleSource for InMemory<'_> {
    fn dim(&self) -> usize {
        self.dim
    }
    fn pass(&mut self, each: Batch<'_>) -> Result<(), Error> {
        each(self.rows)
    }
}

/// Rows that are read from files at a time.
const CHUNK: usize = 8192;

/// Files of rows, read again for each pass.
impl SampleSource for Samples {
    fn dim(&self) -> usize {
        self.columns()
    }
    fn pass(&mut self, each: Batch<'_>) -> Result<(), Error> {
        for chunk in self.chunks(CHUNK) {
            each(&chunk?.data)?;
        }
        Ok(())
    }
}

/// Cuts whatever batches arrive into blocks of exactly `rows` rows (the last may be shorter) and hands each to
/// `each` with the number of its first row.
pub(super) fn in_blocks(
    source: &mut dyn SampleSource,
    rows: usize,
    observer: Observer<'_>,
    each: NumberedBatch<'_>,
) -> Result<(), Error> {
    let size = rows * source.dim();
    let mut pending: Vec<f64> = Vec::new();
    let mut first = 0;
    source.pass(&mut |batch: &[f64]| {
        let mut rest = batch;
        while !rest.is_empty() {
            // A full block that lies in one piece is used where it lies.
            if pending.is_empty() && rest.len() >= size {
                let (block, tail) = rest.split_at(size);
                each(first, block)?;
                first += rows;
                rest = tail;
            } else {
                let take = (size - pending.len()).min(rest.len());
                pending.extend_from_slice(&rest[..take]);
                rest = &rest[take..];
                if pending.len() == size {
                    each(first, &pending)?;
                    first += rows;
                    pending.clear();
                }
            }
        }
        let step = crate::run::Progress::open("reading samples", first as u64);
        if observer(&step).is_break() {
            return Err(Error::Stopped {
                op: "Diffusion::learn_from",
            });
        }
        Ok(())
    })?;
    if !pending.is_empty() {
        each(first, &pending)?;
    }
    Ok(())
}
