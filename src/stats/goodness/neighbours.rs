//! Does a sample crowd where its law does? Distances to the `k`-th nearest row, of rows and of draws of the law.
//!
//! Marginals, moments and the energy distance look at a sample from afar: a law that puts too few rows into a narrow
//! component, or blurs it, passes. The distance from a point to its `k`-th nearest row is about the inverse of the density
//! there, so its law over the rows themselves (each without itself) and over draws of the law tell whether both visit
//! dense and thin places equally often. A law that repeats its training rows is seen too: its draws are too near.
//!
//! The statistic is Kolmogorov's distance of the two, for `k` = 1, 5 and 20; the same is computed for draws of the law in
//! the place of the rows, enlarged by what the estimation leaves open, and the greatest of the three, standardised by the
//! first draws, is held against 1.15 times the greatest of up to 99 of them, as in the other test of this folder.
//!
//! Source: P. J. Bickel and L. Breiman, *Sums of functions of nearest neighbor distances* (1983), for the idea.

use super::nearest::Rows;
use crate::Error;
use crate::fit::Check;
use crate::linalg::symmetric_eigen;
use crate::run::{Observer, Progress};
use crate::stats::distances::ks_of_sorted;
use crate::stats::goodness::law_test::{Draw, HOPELESS};
use faer::Mat;
use rand::Rng;

const OP: &str = "goodness::crowds";
/// Rows compared at most; distances take their square.
pub(crate) const MOST_ROWS: usize = 2000;
/// Draws that every comparison is made with, for each row.
const REFERENCE: usize = 2;
/// Which neighbours.
const NEAREST: [usize; 3] = [1, 5, 20];
/// Draws in all, those that set the scale, and what a sample may exceed the greatest by.
const DRAWS: usize = 99;
const FIRST: usize = 24;
const SLACK: f64 = 1.15;
const LABEL: &str =
    "the sample against fresh draws of the law: distances to near rows, in standard units";

/// The rows against draws of a law learned from `learned` rows, as evidence under `key`.
///
/// # Errors
/// `InvalidInput` for no more than 20 rows; `Stopped`; what `draw` says.
pub(crate) fn crowds<G: Rng>(
    key: &'static str,
    (rows, d): (&[f64], usize),
    learned: usize,
    draw: Draw<'_, G>,
    rng: &mut G,
    observer: Observer<'_>,
) -> Result<Check, Error> {
    let n = rows.len() / d.max(1);
    if n <= NEAREST[2] {
        let text = format!("more than {} rows, got {n}", NEAREST[2]);
        return Err(Error::invalid(OP, text));
    }
    let reference = draw(REFERENCE * n, rng)?;
    let down = whitening(&reference, d)?;
    let reference = apply(&down, &reference, d);
    let statistics = |rows: &[f64]| -> [f64; 3] {
        let rows = apply(&down, rows, d);
        let near = Rows::of(&rows, d);
        let own = near.nearest(&rows, NEAREST, true);
        let other = near.nearest(&reference, NEAREST, false);
        std::array::from_fn(|k| (n as f64).sqrt() * ks_of_sorted(&own[k], &other[k]))
    };
    let own = statistics(rows);
    let inflation = (1.0 + n as f64 / learned.max(1) as f64).sqrt();
    let mut fresh = |done: usize, rng: &mut G| -> Result<[f64; 3], Error> {
        let p = Progress::of("neighbours of fresh draws", done as u64, DRAWS as u64);
        if observer(&p).is_break() {
            return Err(Error::Stopped { op: OP });
        }
        Ok(statistics(&draw(n, rng)?).map(|t| t * inflation))
    };
    let mut drawn = Vec::with_capacity(FIRST);
    for k in 0..FIRST {
        drawn.push(fresh(k, rng)?);
    }
    let scales: [(f64, f64); 3] = std::array::from_fn(|k| {
        let mut v: Vec<f64> = drawn.iter().map(|t| t[k]).collect();
        v.sort_unstable_by(f64::total_cmp);
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        let square = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (v.len() - 1) as f64;
        (v[v.len() / 2], square.sqrt().max(f64::MIN_POSITIVE))
    });
    let standard = |t: &[f64; 3]| {
        let z = |k: usize| (t[k] - scales[k].0) / scales[k].1;
        (0..3).map(z).fold(f64::NEG_INFINITY, f64::max)
    };
    let measured = standard(&own);
    // One standard unit is always allowed.
    let top = drawn.iter().map(standard).fold(1.0, f64::max);
    let mut allowed = SLACK * top;
    let hopeless = HOPELESS * allowed;
    for k in FIRST..DRAWS {
        if measured <= allowed || measured > hopeless {
            break;
        }
        allowed = allowed.max(SLACK * standard(&fresh(k, rng)?));
    }
    Ok(Check::sampling(key, LABEL, measured, allowed))
}

/// The matrix, row by row, that gives draws covariance one.
fn whitening(rows: &[f64], d: usize) -> Result<Vec<f64>, Error> {
    let n = (rows.len() / d) as f64;
    let column = |a: usize| rows.iter().skip(a).step_by(d);
    let mean: Vec<f64> = (0..d).map(|a| column(a).sum::<f64>() / n).collect();
    let scale: Vec<f64> = (0..d)
        .map(|a| {
            let square = column(a).map(|x| (x - mean[a]).powi(2)).sum::<f64>() / n;
            square.sqrt().max(f64::MIN_POSITIVE)
        })
        .collect();
    let mut sums = vec![0.0; d * d];
    for row in rows.chunks_exact(d) {
        for a in 0..d {
            for b in 0..=a {
                sums[a * d + b] += (row[a] - mean[a]) / scale[a] * (row[b] - mean[b]) / scale[b];
            }
        }
    }
    let correlation = Mat::from_fn(d, d, |a, b| sums[a.max(b) * d + a.min(b)] / n);
    let e = symmetric_eigen(OP, correlation.as_ref())?;
    // What so many draws leave open about a direction is no length.
    let length = |k: usize| (e.values[k].max(0.0) + d as f64 / n).sqrt();
    let entry = |i: usize| e.vectors[(i % d, i / d)] / length(i / d) / scale[i % d];
    Ok((0..d * d).map(entry).collect())
}

fn apply(down: &[f64], rows: &[f64], d: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows.chunks_exact(d) {
        for line in down.chunks_exact(d) {
            out.push(line.iter().zip(row).map(|(l, x)| l * x).sum());
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::run::unobserved;
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};

    /// A narrow component of the given weight in a wide one.
    fn draw(weight: f64, n: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        (0..n)
            .flat_map(|_| {
                let scale = if rng.random::<f64>() < weight {
                    0.1
                } else {
                    3.0
                };
                [(); 2].map(|()| {
                    let z: f64 = StandardNormal.sample(&mut *rng);
                    scale * z
                })
            })
            .collect()
    }

    fn holds(weight: f64, n: usize, seed: u64) -> bool {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let rows = draw(0.4, n, &mut rng);
        let mut law = |n: usize, rng: &mut ChaCha8Rng| Ok(draw(weight, n, rng));
        let check = crowds(
            "test.near",
            (&rows, 2),
            n,
            &mut law,
            &mut rng,
            &mut unobserved,
        );
        check.unwrap().holds()
    }

    #[test]
    fn narrow_components_are_weighed_and_true_laws_pass() {
        let refused = (0..30).filter(|s| !holds(0.4, 200, *s)).count();
        assert!(refused <= 1, "{refused}");
        assert!((0..3).all(|s| !holds(0.25, 1500, s)));
        // Copies of the rows are too near to them.
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let rows = draw(0.4, 400, &mut rng);
        let mut copies = |n: usize, rng: &mut ChaCha8Rng| {
            let pick = |_| rng.random_range(0..400usize);
            let picked: Vec<usize> = (0..n).map(pick).collect();
            Ok(picked
                .iter()
                .flat_map(|i| [rows[2 * i] + 1e-4, rows[2 * i + 1]])
                .collect())
        };
        let check = crowds(
            "test.near",
            (&rows, 2),
            400,
            &mut copies,
            &mut rng,
            &mut unobserved,
        );
        assert!(!check.unwrap().holds());
    }
}
