//! Rows of a stored sample that tests look at.

use super::law_test::MOST_ROWS;
use crate::Error;
use crate::io::samples::Samples;

/// At most [`MOST_ROWS`] rows, evenly spread over the sample, one after the other.
pub(crate) fn some_rows(samples: &Samples) -> Result<Vec<f64>, Error> {
    let (n, d) = (samples.rows(), samples.columns());
    let kept = n.min(MOST_ROWS);
    let mut rows = Vec::with_capacity(kept * d);
    let mut next = 0;
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(d).enumerate() {
            // The row of the `next` place, `floor(next n / kept)`.
            if next < kept && chunk.first_row + i == next * n / kept {
                rows.extend_from_slice(row);
                next += 1;
            }
        }
    }
    Ok(rows)
}

/// The first rows, at most [`MOST_ROWS`] of them, one after the other.
pub(crate) fn first_rows(samples: &Samples) -> Result<Vec<f64>, Error> {
    let chunk = samples.chunks(MOST_ROWS).next().transpose()?;
    Ok(chunk.map(|c| c.data).unwrap_or_default())
}
