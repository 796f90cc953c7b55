//! Do two samples have the same law? Distances that need no density.
//!
//! Sliced Wasserstein: the mean over directions of Wasserstein-1 between the projections, in units of the standard
//! deviation along the direction. Energy distance: `2 E|X - Y| - E|X - X'| - E|Y - Y'|`, zero only for equal laws.
//! Both are held against what two **fresh** samples of the model give at the same size.

use super::split::Split;
use crate::Error;
use crate::fit::Check;
use crate::io::samples::Samples;
use crate::linalg::norm2;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "TwoSampleTest::run";
/// Directions of the sliced distance.
const DIRECTIONS: usize = 40;
/// Pairs of fresh samples that show what chance does.
const ROUNDS: usize = 8;
/// Rows compared at most; the energy distance is quadratic in them.
const MOST: usize = 300;

/// Sliced Wasserstein-1 distance of the rows of `a` and `b` along the columns of `directions`.
///
/// # Shapes
/// `a` is `n x d`, `b` is `m x d`, `directions` is `d x k`.
///
/// # Errors
/// `Shape` when the columns disagree, `InvalidInput` for empty samples.
///
/// # Complexity
/// `O((n + m) k (d + log(n + m)))`.
pub fn sliced_wasserstein(
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    directions: MatRef<'_, f64>,
) -> Result<f64, Error> {
    let op = "sliced_wasserstein";
    let d = directions.nrows();
    if a.ncols() != d || b.ncols() != d {
        let found = format!("{} and {}", a.ncols(), b.ncols());
        return Err(Error::shape(op, format!("samples of {d} columns"), found));
    }
    if a.nrows() == 0 || b.nrows() == 0 || directions.ncols() == 0 {
        return Err(Error::invalid(
            op,
            "at least one row on each side, and a direction",
        ));
    }
    let (x, y) = (a * directions, b * directions);
    let sorted = |m: &Mat<f64>, k: usize| {
        let mut v = m.col_as_slice(k).to_vec();
        v.sort_by(f64::total_cmp);
        v
    };
    let mut sum = 0.0;
    for k in 0..directions.ncols() {
        let (u, v) = (sorted(&x, k), sorted(&y, k));
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        let spread = (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64).sqrt();
        sum += between(&u, &v) / spread.max(f64::MIN_POSITIVE);
    }
    Ok(sum / directions.ncols() as f64)
}

/// `int |F^-1 - G^-1|` for sorted values.
fn between(u: &[f64], v: &[f64]) -> f64 {
    let (n, m) = (u.len(), v.len());
    let (mut i, mut j, mut at, mut sum) = (0, 0, 0.0f64, 0.0);
    while i < n && j < m {
        let next = ((i + 1) as f64 / n as f64).min((j + 1) as f64 / m as f64);
        sum += (next - at).max(0.0) * (u[i] - v[j]).abs();
        at = next;
        // Whole fractions, compared without rounding.
        let (left, right) = ((i + 1) * m, (j + 1) * n);
        i += usize::from(left <= right);
        j += usize::from(right <= left);
    }
    sum
}

/// Energy distance of the rows of `a` and `b`, each column divided by its standard deviation in `b`.
///
/// # Shapes
/// `a` is `n x d`, `b` is `m x d`, at least two rows each.
///
/// # Errors
/// `Shape`, `InvalidInput`.
///
/// # Complexity
/// `O((n + m)^2 d)`.
pub fn energy_distance(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<f64, Error> {
    let op = "energy_distance";
    let d = b.ncols();
    if a.ncols() != d {
        let found = format!("{} and {d}", a.ncols());
        return Err(Error::shape(op, "as many columns on both sides", found));
    }
    if a.nrows() < 2 || b.nrows() < 2 {
        return Err(Error::invalid(op, "at least two rows on each side"));
    }
    let scale: Vec<f64> = (0..d)
        .map(|j| {
            let n = b.nrows() as f64;
            let mean = (0..b.nrows()).map(|i| b[(i, j)]).sum::<f64>() / n;
            let square = (0..b.nrows())
                .map(|i| (b[(i, j)] - mean).powi(2))
                .sum::<f64>()
                / n;
            if square > 0.0 {
                1.0 / square.sqrt()
            } else {
                1.0
            }
        })
        .collect();
    let rows = |m: MatRef<'_, f64>| -> Vec<f64> {
        let at = |i: usize| (0..d).map(move |j| (i, j));
        (0..m.nrows())
            .flat_map(at)
            .map(|(i, j)| m[(i, j)] * scale[j])
            .collect()
    };
    let (x, y) = (rows(a), rows(b));
    let mean = |u: &[f64], v: &[f64], pairs: f64| -> f64 {
        let row = |p: &[f64]| -> f64 { v.chunks_exact(d).map(|q| gap_squared(p, q).sqrt()).sum() };
        u.chunks_exact(d).map(row).sum::<f64>() / pairs
    };
    let (n, m) = (a.nrows() as f64, b.nrows() as f64);
    Ok(2.0 * mean(&x, &y, n * m) - mean(&x, &x, n * (n - 1.0)) - mean(&y, &y, m * (m - 1.0)))
}

/// A sample against fresh ones of a model.
///
/// # Example
/// ```
/// use faer::Mat;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use rand_distr::{Distribution, StandardNormal};
/// use wickring::{Error, stats::TwoSampleTest};
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let sample = Mat::from_fn(60, 2, |_, _| -> f64 { StandardNormal.sample(&mut rng) });
/// let mut fresh = |n: usize, rng: &mut ChaCha8Rng| -> Result<Vec<f64>, Error> {
///     Ok((0..2 * n).map(|_| StandardNormal.sample(rng)).collect())
/// };
/// let found = TwoSampleTest::run(sample.as_ref(), &mut fresh, &mut rng)?;
/// assert!(found.rows == 60 && found.energy_z < 5.0);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoSampleTest {
    /// Rows compared.
    pub rows: usize,
    /// Sliced Wasserstein distance of the sample to a fresh one, in standard deviations; median of the rounds.
    pub sliced: f64,
    /// Its median between two fresh ones.
    pub sliced_fresh: f64,
    /// `(sliced - mean of fresh) / (standard deviation of fresh)`.
    pub sliced_z: f64,
    /// Energy distance of the sample to a fresh one; median of the rounds.
    pub energy: f64,
    /// The same in units of the spread between fresh ones.
    pub energy_z: f64,
}

impl TwoSampleTest {
    /// Compares rows of a sample (`n x d`; at most 300 of them, evenly spread) with samples that `draw` makes,
    /// row after row.
    ///
    /// # Errors
    /// `InvalidInput` for fewer than 10 rows; what `draw` says.
    pub fn run<G: Rng>(
        sample: MatRef<'_, f64>,
        draw: &mut dyn FnMut(usize, &mut G) -> Result<Vec<f64>, Error>,
        rng: &mut G,
    ) -> Result<Self, Error> {
        let (n, d) = (sample.nrows(), sample.ncols());
        if n < 10 {
            let text = format!("at least 10 rows to compare, got {n}");
            return Err(Error::invalid(OP, text));
        }
        let every = n.div_ceil(MOST);
        let rows = n / every;
        let x = Mat::from_fn(rows, d, |i, j| sample[(i * every, j)]);
        let mut fresh = |rng: &mut G| -> Result<Mat<f64>, Error> {
            let data = draw(rows, rng)?;
            let m = MatRef::from_row_major_slice(&data, rows.min(data.len() / d.max(1)), d);
            Ok(m.to_owned())
        };
        let (mut own, mut chance) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (y, z) = (fresh(rng)?, fresh(rng)?);
            let directions = directions(y.as_ref(), rng);
            let w = directions.as_ref();
            let pair = |a: &Mat<f64>, b: &Mat<f64>| -> Result<[f64; 2], Error> {
                let (a, b) = (a.as_ref(), b.as_ref());
                Ok([sliced_wasserstein(a, b, w)?, energy_distance(a, b)?])
            };
            own.push(pair(&x, &y)?);
            chance.push(pair(&z, &y)?);
        }
        let of = |v: &[[f64; 2]], k: usize| -> Vec<f64> { v.iter().map(|p| p[k]).collect() };
        let z = |k: usize| {
            let c = of(&chance, k);
            let mean = c.iter().sum::<f64>() / c.len() as f64;
            let spread = c.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (c.len() - 1) as f64;
            (median(of(&own, k)) - mean) / spread.sqrt().max(f64::MIN_POSITIVE)
        };
        Ok(Self {
            rows,
            sliced: median(of(&own, 0)),
            sliced_fresh: median(of(&chance, 0)),
            sliced_z: z(0),
            energy: median(of(&own, 1)),
            energy_z: z(1),
        })
    }

    /// The figures, without a bound: they inform beside sharper tests.
    pub fn notes(&self) -> Vec<Check> {
        vec![
            Check::reported(
                "sample.sliced-wasserstein",
                "sliced Wasserstein distance of held-out samples to fresh ones, in standard deviations",
                self.sliced,
            ),
            Check::reported(
                "sample.sliced-wasserstein-fresh",
                "the same between two fresh samples",
                self.sliced_fresh,
            ),
            Check::reported(
                "sample.energy-distance",
                "energy distance of held-out samples to fresh ones, in spreads between fresh ones",
                self.energy_z,
            ),
        ]
    }
}

/// The notes of [`TwoSampleTest::run`] for held-out rows; none when there are fewer than 10.
pub(crate) fn held_out_notes<G: Rng>(
    samples: &Samples,
    split: Split,
    draw: &mut dyn FnMut(usize, &mut G) -> Result<Vec<f64>, Error>,
    rng: &mut G,
) -> Result<Vec<Check>, Error> {
    let d = samples.columns();
    // Spread over the sample, and no more than are compared.
    let every = ((split.share() * samples.rows() as f64) as usize / MOST).max(1);
    let (mut rows, mut seen) = (Vec::new(), 0usize);
    for chunk in samples.chunks(4096) {
        let chunk = chunk?;
        for (i, row) in chunk.data.chunks_exact(d).enumerate() {
            if split.holds_out((chunk.first_row + i) as u64) {
                if seen.is_multiple_of(every) && rows.len() < MOST * d {
                    rows.extend_from_slice(row);
                }
                seen += 1;
            }
        }
    }
    let n = rows.len() / d;
    if n < 10 {
        return Ok(Vec::new());
    }
    let sample = MatRef::from_row_major_slice(&rows, n, d);
    Ok(TwoSampleTest::run(sample, draw, rng)?.notes())
}

/// `|p - q|^2` in eight sums side by side, so that the processor adds vectors.
fn gap_squared(p: &[f64], q: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (p, q) = (p.as_chunks::<8>(), q.as_chunks::<8>());
    for (a, b) in p.0.iter().zip(q.0) {
        for ((sum, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest = p.1.iter().zip(q.1).map(|(a, b)| (a - b) * (a - b));
    lanes.iter().sum::<f64>() + rest.sum::<f64>()
}

fn median(mut v: Vec<f64>) -> f64 {
    v.sort_by(f64::total_cmp);
    v.get(v.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Random directions, with every column first brought to its own scale.
fn directions(y: MatRef<'_, f64>, rng: &mut impl Rng) -> Mat<f64> {
    let d = y.ncols();
    let size = |j: usize| norm2(&Vec::from_iter((0..y.nrows()).map(|i| y[(i, j)])));
    let sizes: Vec<f64> = (0..d).map(size).collect();
    Mat::from_fn(d, DIRECTIONS, |j, _| {
        let g: f64 = StandardNormal.sample(&mut *rng);
        if sizes[j] > 0.0 { g / sizes[j] } else { 0.0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_between_points_are_known() {
        // Points 0, 1 against 0, 1, 5, 6 shifted: quantile functions differ by their areas.
        assert_eq!(between(&[0.0, 1.0], &[0.0, 1.0]), 0.0);
        assert_eq!(between(&[0.0], &[1.0, 3.0]), 2.0);
        assert!((between(&[0.0, 3.0, 6.0], &[0.0, 6.0]) - 1.0).abs() < 1e-15);
        let a = Mat::from_fn(2, 1, |i, _| i as f64);
        // 2 * 1/2 - 1 - 1, in units of the standard deviation 1/2.
        let e = energy_distance(a.as_ref(), a.as_ref()).unwrap();
        assert!((e + 2.0).abs() < 1e-15, "{e}");
    }
}
