//! Rows of a stored sample that tests look at.

use super::law_test::MOST_ROWS;
use crate::Error;
use crate::io::samples::Samples;

/// `kept` of the numbers below `n`, each once, spread evenly and in step with no period: multiples, modulo `n`, of a number
/// prime to `n` near its golden section. Every `n / kept`-th row would show one cluster where clusters come in turns.
pub(crate) fn scattered(n: usize, kept: usize) -> impl Iterator<Item = usize> {
    let near = (n as f64 * 0.618_033_988_749_894_9) as usize;
    let prime = |s: &usize| divisor(n, *s) == 1;
    let stride = (near.max(1)..n).find(prime).unwrap_or(1);
    (0..kept.min(n)).scan(0, move |at, _| {
        let this = *at;
        *at = (*at + stride) % n;
        Some(this)
    })
}

/// The greatest common divisor.
fn divisor(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// At most [`MOST_ROWS`] rows, spread over the sample by [`scattered`], in order.
pub(crate) fn some_rows(samples: &Samples) -> Result<Vec<f64>, Error> {
    let (n, d) = (samples.rows(), samples.columns());
    let mut places: Vec<usize> = scattered(n, MOST_ROWS).collect();
    places.sort_unstable();
    let mut rows = Vec::with_capacity(places.len() * d);
    let mut next = 0;
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(d).enumerate() {
            if places.get(next) == Some(&(chunk.first_row + i)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_period_is_met_in_all_its_places() {
        for n in [1usize, 2, 3, 10, 64, 1000, 4096, 6000, 12_345] {
            for kept in [1, n / 8, n / 2, n] {
                let mut places: Vec<usize> = scattered(n, kept).collect();
                assert_eq!(places.len(), kept.min(n));
                for period in (2..=8).filter(|p| n % p == 0 && kept >= 20 * p) {
                    let met = |r: usize| places.iter().filter(|p| **p % period == r).count();
                    let fair = kept / period;
                    assert!(
                        (0..period).all(|r| met(r).abs_diff(fair) <= 2),
                        "{n} {kept} {period}"
                    );
                }
                places.sort_unstable();
                places.dedup();
                assert_eq!(places.len(), kept.min(n), "{n} {kept}");
            }
        }
    }
}
