//! The latent dimension from the spectrum of the covariance.
//!
//! The outputs of a quadratic map span at most `N = r(r+1)/2` dimensions (homogeneous) or `N = r(r+3)/2`
//! (with a linear part). With enough outputs the covariance has exactly `N` positive eigenvalues; the two
//! kinds of number never coincide (`(2s+3)^2 - (2r+1)^2 = 8` has no solution in positive integers), so the
//! spectrum also tells which of the two it is.

use super::noisy::level::Noise;
use crate::Error;
use crate::fit::Check;

const OP: &str = "Quadratic::learn";
/// Eigenvalues below this share of the greatest are rounding: covariances of scaled columns are accurate to
/// about `d * eps`.
const ROUNDING: f64 = 1e-11;
/// With observation noise no eigenvalue vanishes; a drop by this factor is taken for the edge of the signal.
const CLEAR_DROP: f64 = 30.0;
/// Eigenvalues of noise lie within this many times their usual width.
const LEVEL: f64 = 2.0;

/// The latent dimension, the number of eigenvalues that belong to it, and the evidence.
#[derive(Clone, Debug)]
pub(in crate::learn) struct LatentRank {
    pub(in crate::learn) rank: usize,
    pub(in crate::learn) keep: usize,
    pub(in crate::learn) checks: Vec<Check>,
}

/// `N` for latent dimension `r`.
pub(in crate::learn) fn span(rank: usize, general: bool) -> usize {
    if general {
        rank * (rank + 3) / 2
    } else {
        rank * (rank + 1) / 2
    }
}

/// The `r` with `span(r) = n`, if there is one.
fn inverse_span(n: usize, general: bool) -> Option<usize> {
    (1..=n)
        .take_while(|&r| span(r, general) <= n)
        .find(|&r| span(r, general) == n)
}

impl LatentRank {
    /// Chooses `r`, or takes the one given, from eigenvalues in falling order of a covariance of so many rows.
    pub(in crate::learn) fn choose(
        values: &[f64],
        general: bool,
        given: Option<usize>,
        rows: u64,
    ) -> Result<Self, Error> {
        Self::beside(Noise::Absent, (values, rows), general, given)
    }

    /// The same beside noise of a known size.
    pub(in crate::learn) fn beside(
        noise: Noise,
        (values, rows): (&[f64], u64),
        general: bool,
        given: Option<usize>,
    ) -> Result<Self, Error> {
        let d = values.len();
        let top = values.first().copied().unwrap_or(0.0);
        let numeric = values.iter().filter(|v| **v > ROUNDING * top).count();
        if let Some(rank) = given {
            let keep = span(rank, general);
            if keep > d {
                let text = format!(
                    "latent dimension {rank} needs at least {keep} outputs that vary, found {d}"
                );
                return Err(Error::invalid(OP, text));
            }
            if keep > numeric {
                let hypothesis =
                    "outputs that span the space of quadratics (rank of the covariance)";
                return Err(Error::degenerate(OP, hypothesis, numeric as f64));
            }
            return Ok(Self::with(values, rank, keep));
        }
        if numeric < d {
            // No noise: the rank is exact evidence.
            return match inverse_span(numeric, general) {
                Some(rank) => Ok(Self::with(values, rank, numeric)),
                None => Err(not_a_span(numeric, general)),
            };
        }
        // Every eigenvalue is positive: either there are no spare outputs, or there is noise.
        if let Noise::Known(share) = noise
            && let Some(rank) = above(values, general, 0.5 * share * share, rows)
        {
            return Ok(Self::with(values, rank, span(rank, general)));
        }
        let candidates = (1..=d).take_while(|&r| span(r, general) < d);
        let drop = |n: usize| values[n - 1] / values[n];
        let clear = candidates
            .map(|r| (r, span(r, general)))
            .filter(|&(_, n)| drop(n) > CLEAR_DROP)
            .max_by(|a, b| drop(a.1).total_cmp(&drop(b.1)));
        match (clear, inverse_span(d, general)) {
            (Some((rank, keep)), None) => Ok(Self::with(values, rank, keep)),
            // A full set of outputs explains everything unless the drop is far beyond what conditioning does.
            (Some((rank, keep)), Some(_)) if drop(keep) > 1e3 => Ok(Self::with(values, rank, keep)),
            (_, Some(rank)) => Ok(Self::with(values, rank, d)),
            // Noise of the same share on every output leaves equal eigenvalues below those of the map.
            (None, None) => match over_a_level(values, general, rows) {
                Some(rank) => Ok(Self::with(values, rank, span(rank, general))),
                None => Err(not_a_span(d, general)),
            },
        }
    }

    fn with(values: &[f64], rank: usize, keep: usize) -> Self {
        let top = values[0];
        let mut checks = vec![Check::reported(
            "quadratic.least-kept",
            "least eigenvalue kept, relative to the greatest",
            values[keep - 1] / top,
        )];
        if keep < values.len() {
            let share = values[keep].max(0.0) / values[keep - 1];
            checks.push(Check::reported(
                "quadratic.left-out",
                "greatest eigenvalue left out, relative to the least kept",
                share,
            ));
        }
        Self { rank, keep, checks }
    }
}

/// The least latent dimension that leaves at least two eigenvalues, on one level of noise.
pub(in crate::learn) fn over_a_level(values: &[f64], general: bool, rows: u64) -> Option<usize> {
    (1..values.len())
        .take_while(|&r| span(r, general) + 1 < values.len())
        .find(|&r| level(values, span(r, general), rows))
}

/// The least latent dimension whose spare eigenvalues, at least one, are all those of noise of a known size.
fn above(values: &[f64], general: bool, noise: f64, rows: u64) -> Option<usize> {
    (1..values.len())
        .take_while(|&r| span(r, general) < values.len())
        .find(|&r| {
            let (kept, left) = values.split_at(span(r, general));
            let width = width(left.len(), rows);
            let near = |v: &f64| (v / noise - 1.0).abs() <= width;
            left.iter().all(near) && kept[kept.len() - 1] > noise * (1.0 + width)
        })
}

/// Twice the half-width, as a share, within which `k` eigenvalues of white noise lie, seen through so many rows.
fn width(k: usize, rows: u64) -> f64 {
    let n = rows.max(1) as f64;
    LEVEL * ((k as f64 / n).sqrt() + (2.0 / n).sqrt())
}

/// Whether the eigenvalues from `keep` on are one level of noise, seen through so many rows, and well below the others.
///
/// Eigenvalues of `k` columns of white noise lie within `1 +- (k / n)^(1/2)` of their mean (Marchenko and Pastur 1967), each with
/// an error of `(2 / n)^(1/2)`.
fn level(values: &[f64], keep: usize, rows: u64) -> bool {
    let left = &values[keep..];
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    let width = width(left.len(), rows);
    let near = |v: &f64| (v / mean - 1.0).abs() <= width;
    left.iter().all(near) && values[keep - 1] > 2.0 * mean
}

fn not_a_span(found: usize, general: bool) -> Error {
    let hypothesis = match (general, inverse_span(found, !general)) {
        (false, Some(_)) => {
            "a covariance of rank r(r+1)/2 with that many outputs or more; the rank fits r(r+3)/2, so try --general, or --radial sphere if the latents lie on one (rank found)"
        }
        (true, Some(_)) => {
            "a covariance of rank r(r+3)/2 with that many outputs or more; the rank fits r(r+1)/2, so try without --general (rank found)"
        }
        (false, None) => {
            "a covariance of rank r(r+1)/2, or fewer dimensions by --latent R (rank found)"
        }
        (true, None) => {
            "a covariance of rank r(r+3)/2, or fewer dimensions by --latent R (rank found)"
        }
    };
    Error::degenerate(OP, hypothesis, found as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spare eigenvalues may be as many as a map of more latents would fill.
    #[test]
    fn noise_of_a_known_size_is_no_part_of_the_map() {
        let values = [2.0, 0.6, 0.3, 0.0205, 0.0196, 0.0201];
        let rank = |noise| {
            LatentRank::beside(noise, (&values, 1000), false, None).map(|c| (c.rank, c.keep))
        };
        assert_eq!(rank(Noise::Known(0.2)).unwrap(), (2, 3));
        assert_eq!(rank(Noise::Known(0.02)).unwrap(), (3, 6));
        assert_eq!(rank(Noise::Absent).unwrap(), (3, 6));
        assert_eq!(over_a_level(&values, false, 1000), Some(2));
    }

    fn rank(values: &[f64], general: bool) -> Option<usize> {
        LatentRank::choose(values, general, None, 1000)
            .ok()
            .map(|c| c.rank)
    }

    #[test]
    fn exact_noisy_and_full_spectra_give_the_rank() {
        assert_eq!(rank(&[4.0, 2.0, 1.0, 1e-15, 0.0], false), Some(2));
        assert_eq!(rank(&[4.0, 2.0, 1.0, 1e-3, 9e-4], false), Some(2));
        assert_eq!(rank(&[4.0, 2.0, 1.0, 0.5, 0.3, 0.1], false), Some(3));
        assert_eq!(rank(&[4.0, 2.0, 1.0, 0.5, 0.3], true), Some(2));
        assert_eq!(rank(&[1.0], false), Some(1));
        // Noise of a fifth of the spread: no clear drop, but a level.
        assert_eq!(rank(&[2.0, 0.6, 0.3, 0.0205, 0.0196], false), Some(2));
    }

    #[test]
    fn what_is_no_span_is_refused_with_a_hint() {
        let e = LatentRank::choose(&[4.0, 2.0, 1.0, 0.5, 0.3], false, None, 1000).unwrap_err();
        assert!(e.to_string().contains("--general"), "{e}");
        assert!(rank(&[4.0, 2.0, 1.0, 0.5], false).is_none());
        assert!(LatentRank::choose(&[4.0, 2.0], false, Some(2), 1000).is_err());
        assert!(LatentRank::choose(&[4.0, 2.0, 1e-17], false, Some(2), 1000).is_err());
    }
}
