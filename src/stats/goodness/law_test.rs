//! Is a sample what a fitted law would give? One test, several statistics, one answer.
//!
//! Rows are whitened by the covariance of the **law** in all directions, and jittered by what the estimation of that
//! covariance leaves open, so that a direction without spread under the law counts, and one that is merely estimated
//! badly does not. Then Kolmogorov's distance along directions and of the squared length, the mean, the covariance and
//! the energy distance are compared with what draws of the law itself give.
//!
//! *Size.* A good learner errs no more than the empirical law of the rows that it learned from; so each statistic of a
//! draw is enlarged by `(1 + n / learned)^(1/2)`, and no refit is needed. The statistics are standardised and their
//! greatest is the test, calibrated by the same draws: dependence between them is accounted for exactly. A sample is refused
//! when it exceeds 1.15 times the greatest of 99 draws: for a true law less than once in a hundred.
//!
//! *Cost.* Draws end as soon as one of them reaches the sample, which for a true law is the first batch:
//! `O(24 n (k log n + d^2))` for `k` directions, `O(99 n ..)` at most.
//!
//! Source: P. H. Westfall and S. S. Young, *Resampling-based multiple testing* (1993) for the greatest of dependent
//! statistics; J. Besag and P. Clifford, *Sequential Monte Carlo p-values* (1991); G. J. Szekely and M. L. Rizzo, *Energy
//! statistics* (2013).

use super::rows::scattered;
use crate::Error;
use crate::fit::Check;
use crate::linalg::{norm2, symmetric_eigen};
use crate::run::{Observer, Progress};
use crate::stats::distances::ks_of_sorted;
use faer::traits::pulp::Arch;
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

const OP: &str = "LawTest::run";
/// Rows compared at most.
pub(crate) const MOST_ROWS: usize = 4000;
/// Draws in all, and those that set the scale of each statistic.
const DRAWS: usize = 99;
const FIRST: usize = 24;
/// A sample may exceed the greatest draw this many times.
const SLACK: f64 = 1.15;
/// Beyond so many times what the first draws allow, none of the others is waited for: the greatest of 99 standardised statistics is
/// at most 1.7 times that of the first 24 even with the tails of an exponential law (`ln 99 / ln 24 = 1.45`).
pub(super) const HOPELESS: f64 = 3.0;
/// Coordinates and eigenvectors that are looked along at most, and random directions beside them.
const MOST_AXES: usize = 16;
const RANDOM: usize = 8;
/// Rows of the energy distance, on the side of the sample and on that of the law.
const ENERGY: (usize, usize) = (300, 600);
/// Partial sums of distances.
const LANES: usize = 8;
/// Rows of the law for each row of the sample.
const REFERENCE: usize = 4;
/// `(1.63 + 0.9)`: where Kolmogorov's statistic refuses at 1%, and what it needs beyond to do so nine times in ten.
const SEEN: f64 = 2.53;
/// The kinds of statistics, in the order of [`Statistics::of`].
const KINDS: [&str; 5] = [
    "along directions",
    "squared length",
    "mean",
    "covariance",
    "energy distance",
];

/// The draws of a law: so many rows, one after the other.
pub(crate) type Draw<'a, G> = &'a mut dyn FnMut(usize, &mut G) -> Result<Vec<f64>, Error>;

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LawTest {
    /// The greatest standardised statistic of the sample.
    pub(crate) measured: f64,
    /// What it may be: 1.15 times the greatest of the draws made.
    pub(crate) allowed: f64,
    /// The statistic that is greatest.
    pub(crate) kind: &'static str,
    /// Kolmogorov's distance that these rows would have shown nine times in ten.
    pub(crate) detectable: f64,
}

impl LawTest {
    /// Of `rows` (`n x d`, at most [`MOST_ROWS`] make sense) against what `draw` gives, for a law learned from `learned` rows.
    /// Mean and covariance may differ `loose` times as much: for learners that do not meet them as well as the empirical
    /// law does (1 for the others).
    ///
    /// # Errors
    /// `InvalidInput` for fewer than 10 rows; `Stopped`; what `draw` says.
    pub(crate) fn run<G: Rng>(
        rows: MatRef<'_, f64>,
        (learned, loose): (usize, f64),
        draw: Draw<'_, G>,
        rng: &mut G,
        observer: Observer<'_>,
    ) -> Result<Self, Error> {
        let (n, d) = (rows.nrows(), rows.ncols());
        if n < 10 || d == 0 {
            let text = format!("at least 10 rows and one column to compare, got {n} x {d}");
            return Err(Error::invalid(OP, text));
        }
        let law = Law::of(rows, draw, rng)?;
        let inflation = (1.0 + n as f64 / learned.max(1) as f64).sqrt();
        let mut own = law.statistics(rows, rng);
        let mut drawn = Vec::with_capacity(FIRST);
        let fresh = |done: usize, draw: Draw<'_, G>, rng: &mut G, observer: Observer<'_>| {
            let p = Progress::of("fresh draws", done as u64, DRAWS as u64);
            if observer(&p).is_break() {
                return Err(Error::Stopped { op: OP });
            }
            let data = draw(n, rng)?;
            let mut t = law.statistics(MatRef::from_row_major_slice(&data, n, d), rng);
            // The energy distance is quadratic in the difference of laws.
            let power = |k: usize| inflation.powi(if k == 4 { 2 } else { 1 });
            t.iter_mut().enumerate().for_each(|(k, t)| *t *= power(k));
            Ok(t)
        };
        for k in 0..FIRST {
            drawn.push(fresh(k, &mut *draw, rng, &mut *observer)?);
        }
        let scales = scales(&drawn);
        let standard = |t: &[f64; 5]| worst(t, &scales);
        for k in [2, 3] {
            own[k] = (own[k] / loose).max(own[k].min(scales[k].0));
        }
        let (measured, kind) = standard(&own);
        // One standard unit is always allowed: a sample that is closer than most draws is not refused for it.
        let top = drawn.iter().map(|t| standard(t).0).fold(1.0, f64::max);
        let mut allowed = SLACK * top;
        let hopeless = HOPELESS * allowed;
        for k in FIRST..DRAWS {
            if measured <= allowed || measured > hopeless {
                break;
            }
            let t = fresh(k, &mut *draw, rng, &mut *observer)?;
            allowed = allowed.max(SLACK * standard(&t).0);
        }
        Ok(Self {
            measured,
            allowed,
            kind: KINDS[kind],
            detectable: SEEN / (n as f64).sqrt(),
        })
    }

    /// The test as evidence, under the key of the learner.
    pub(crate) fn check(&self, key: &'static str, what: &str) -> Check {
        let kind = self.kind;
        let label = format!(
            "{what} against fresh draws of the law: greatest of five statistics, in standard units ({kind})"
        );
        Check::sampling(key, label, self.measured, self.allowed)
    }
}

/// The law in whitened coordinates.
struct Law {
    mean: Vec<f64>,
    /// `d x d`.
    down: Mat<f64>,
    /// Standard deviation of the jitter along each whitened axis.
    jitter: Vec<f64>,
    /// `d x k`, unit columns in whitened coordinates.
    directions: Mat<f64>,
    /// Values along each direction, and squared lengths last, sorted.
    sorted: Vec<Vec<f64>>,
    /// Mean and covariance in whitened coordinates.
    centre: Vec<f64>,
    covariance: Mat<f64>,
    /// Rows for the energy distance.
    some: Mat<f64>,
    /// Their mean distance from each other.
    within: f64,
}

impl Law {
    fn of<G: Rng>(rows: MatRef<'_, f64>, draw: Draw<'_, G>, rng: &mut G) -> Result<Self, Error> {
        let (n, d) = (rows.nrows(), rows.ncols());
        let m = (REFERENCE * n).max(2000);
        let data = draw(m, rng)?;
        let drawn = MatRef::from_row_major_slice(&data, m, d);
        let (mean, spread) = moments(drawn);
        let (_, own) = moments(rows);
        let scale: Vec<f64> = (0..d)
            .map(|j| match (own[(j, j)], spread[(j, j)]) {
                (v, _) if v > 0.0 => 1.0 / v.sqrt(),
                (_, v) if v > 0.0 => 1.0 / v.sqrt(),
                _ => 1.0,
            })
            .collect();
        let scaled = Mat::from_fn(d, d, |i, j| scale[i] * spread[(i, j)] * scale[j]);
        let e = symmetric_eigen(OP, scaled.as_ref())?;
        let open = d as f64 / n as f64;
        let length = |k: usize| e.values[k].max(0.0) + open;
        let mut law = Self {
            mean,
            down: Mat::from_fn(d, d, |i, k| scale[i] * e.vectors[(i, k)] / length(k).sqrt()),
            jitter: (0..d).map(|k| (open / length(k)).sqrt()).collect(),
            directions: directions(e.vectors.as_ref(), rng),
            sorted: Vec::new(),
            centre: Vec::new(),
            covariance: Mat::zeros(d, d),
            some: Mat::zeros(0, d),
            within: 0.0,
        };
        let h = law.whitened(drawn, rng);
        law.sorted = law.lines(&h);
        (law.centre, law.covariance) = moments(h.as_ref());
        law.some = spaced(&h, ENERGY.1);
        law.within = within(&law.some);
        Ok(law)
    }

    fn whitened(&self, rows: MatRef<'_, f64>, rng: &mut impl Rng) -> Mat<f64> {
        let (n, d) = (rows.nrows(), rows.ncols());
        let centred = Mat::from_fn(n, d, |i, j| rows[(i, j)] - self.mean[j]);
        let mut h = centred * &self.down;
        for i in 0..n {
            for k in 0..d {
                let e: f64 = StandardNormal.sample(&mut *rng);
                h[(i, k)] += self.jitter[k] * e;
            }
        }
        h
    }

    /// Sorted values along each direction, and sorted squared lengths.
    fn lines(&self, h: &Mat<f64>) -> Vec<Vec<f64>> {
        let along = h * &self.directions;
        let mut lines: Vec<Vec<f64>> = along
            .col_iter()
            .map(|c| c.iter().copied().collect())
            .collect();
        let square = |i: usize| (0..h.ncols()).map(|k| h[(i, k)] * h[(i, k)]).sum::<f64>();
        lines.push((0..h.nrows()).map(square).collect());
        lines
            .iter_mut()
            .for_each(|v| v.sort_unstable_by(f64::total_cmp));
        lines
    }

    /// The five statistics of rows.
    fn statistics(&self, rows: MatRef<'_, f64>, rng: &mut impl Rng) -> [f64; 5] {
        let h = self.whitened(rows, rng);
        let n = h.nrows() as f64;
        let lines = self.lines(&h);
        let gaps: Vec<f64> = lines
            .iter()
            .zip(&self.sorted)
            .map(|(a, b)| n.sqrt() * ks_of_sorted(a, b))
            .collect();
        let (length, along) = gaps.split_last().map_or((0.0, &[][..]), |(l, a)| (*l, a));
        let (mean, covariance) = moments(h.as_ref());
        let shift: Vec<f64> = mean.iter().zip(&self.centre).map(|(a, b)| a - b).collect();
        let change = &covariance - &self.covariance;
        let some = spaced(&h, ENERGY.0);
        let energy = 2.0 * between(&some, &self.some) - within(&some) - self.within;
        [
            along.iter().copied().fold(0.0, f64::max),
            length,
            n.sqrt() * norm2(&shift),
            n.sqrt() * change.norm_l2(),
            energy,
        ]
    }
}

/// Median and spread of each statistic over the first draws.
fn scales(drawn: &[[f64; 5]]) -> [(f64, f64); 5] {
    std::array::from_fn(|k| {
        let mut v: Vec<f64> = drawn.iter().map(|t| t[k]).collect();
        v.sort_unstable_by(f64::total_cmp);
        let middle = v[v.len() / 2];
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        let square = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (v.len() - 1) as f64;
        (middle, square.sqrt().max(f64::MIN_POSITIVE))
    })
}

/// The statistic that lies highest above its median, in units of its spread; NaN counts as highest.
fn worst(t: &[f64; 5], scales: &[(f64, f64); 5]) -> (f64, usize) {
    let z = |k: usize| (t[k] - scales[k].0) / scales[k].1;
    let worse = |a: (f64, usize), k: usize| match z(k) {
        z if z > a.0 || z.is_nan() => (z, k),
        _ => a,
    };
    (0..5).fold((f64::NEG_INFINITY, 0), worse)
}

/// Mean and covariance of the rows.
fn moments(rows: MatRef<'_, f64>) -> (Vec<f64>, Mat<f64>) {
    let (n, d) = (rows.nrows() as f64, rows.ncols());
    let mean: Vec<f64> = (0..d)
        .map(|j| rows.col(j).iter().sum::<f64>() / n)
        .collect();
    let centred = Mat::from_fn(rows.nrows(), d, |i, j| rows[(i, j)] - mean[j]);
    let mut covariance = centred.transpose() * &centred;
    covariance
        .col_iter_mut()
        .for_each(|c| c.iter_mut().for_each(|x| *x /= n));
    (mean, covariance)
}

/// Whitened axes, the coordinates of the rows and random directions, unit columns in whitened coordinates.
fn directions(vectors: MatRef<'_, f64>, rng: &mut impl Rng) -> Mat<f64> {
    let d = vectors.nrows();
    let axes = d.min(MOST_AXES);
    // The axes of least and of greatest spread, and the first coordinates.
    let axis = |k: usize| if k < axes / 2 { k } else { d - axes + k };
    let mut out = Mat::from_fn(d, 2 * axes + RANDOM, |j, k| {
        if k < axes {
            f64::from(u8::from(j == axis(k)))
        } else if k < 2 * axes {
            vectors[(k - axes, j)]
        } else {
            StandardNormal.sample(&mut *rng)
        }
    });
    for column in out.col_iter_mut() {
        let length = column.norm_l2().max(f64::MIN_POSITIVE);
        column.iter_mut().for_each(|x| *x /= length);
    }
    out
}

/// At most `most` rows, scattered.
fn spaced(h: &Mat<f64>, most: usize) -> Mat<f64> {
    let places: Vec<usize> = scattered(h.nrows(), most).collect();
    Mat::from_fn(places.len(), h.ncols(), |i, k| h[(places[i], k)])
}

/// Mean distance of the rows of two samples.
fn between(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    distances(a, b) / (a.nrows() * b.nrows()) as f64
}

/// Mean distance of two different rows of a sample.
fn within(a: &Mat<f64>) -> f64 {
    distances(a, a) / (a.nrows() * (a.nrows() - 1)).max(1) as f64
}

/// The sum of the distances of all pairs of rows.
fn distances(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    let length = |m: &Mat<f64>| -> Vec<f64> {
        (0..m.nrows())
            .map(|i| (0..m.ncols()).map(|k| m[(i, k)] * m[(i, k)]).sum())
            .collect()
    };
    let (x, y) = (length(a), length(b));
    let products = a * b.transpose();
    let mut sums = [0.0; LANES];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (j, y) in y.iter().enumerate() {
                let column = products.col_as_slice(j);
                let (whole, whole_x) = (column.chunks_exact(LANES), x.chunks_exact(LANES));
                let rest = whole.remainder().iter().zip(whole_x.remainder());
                rest.for_each(|(p, x)| sums[0] += (x + y - 2.0 * p).max(0.0).sqrt());
                for (p, x) in whole.zip(whole_x) {
                    for k in 0..LANES {
                        sums[k] += (x[k] + y - 2.0 * p[k]).max(0.0).sqrt();
                    }
                }
            }
        },
    );
    sums.iter().sum()
}
