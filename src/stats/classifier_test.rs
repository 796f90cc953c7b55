//! A two-sample test by a classifier: can held-out rows be told apart?

use crate::linalg;
use faer::Mat;
use rand::{Rng, RngExt};

/// Bumps among the features.
const BUMPS: usize = 48;
/// Newton steps; the loss is convex and damped.
const STEPS: usize = 12;
/// Damping of the coefficients, for each row.
const RIDGE: f64 = 1e-4;
/// Columns whose products are features; of wider samples only these.
const PRODUCTS: usize = 16;

/// What a classifier sees between two samples.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use rand_distr::{Distribution, StandardNormal};
/// use wickring::stats::classifier_test;
/// let mut rng = ChaCha8Rng::seed_from_u64(1);
/// let a: Vec<f64> = (0..200).map(|_| StandardNormal.sample(&mut rng)).collect();
/// let b: Vec<f64> = a.iter().map(|x| x + 3.0).collect();
/// assert!(classifier_test(&a, &b, 1, &mut rng).gap > 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassifierTest {
    /// `2 * balanced accuracy - 1` on held-out rows: a lower bound of the total variation, 0 for equal laws.
    pub gap: f64,
    /// Its standard error.
    pub error: f64,
}

/// Trains a logistic classifier on half of the rows of `a` and `b` (row-major) and tries it on the other half.
///
/// Features: the standardised coordinates, their products, and Gaussian bumps at random rows, so that both
/// moments and places count; the same bumps for both samples. Rows beyond the shorter sample are not used.
///
/// # Complexity
/// `O(rows p^2)` for each of at most 12 Newton steps, `p = 49 + dim + dim (dim + 1) / 2` features for narrow rows.
pub fn classifier_test(a: &[f64], b: &[f64], dim: usize, rng: &mut impl Rng) -> ClassifierTest {
    let none = ClassifierTest {
        gap: 0.0,
        error: 1.0,
    };
    if dim == 0 {
        return none;
    }
    let n = (a.len() / dim).min(b.len() / dim);
    if n < 20 {
        return none;
    }
    // Alternating sides: the first half trains, the second is held out; a shuffle forgets the order of rows.
    let shuffled = |rng: &mut dyn FnMut(usize) -> usize| {
        let mut order: Vec<usize> = (0..n).collect();
        (1..n).rev().for_each(|i| order.swap(i, rng(i)));
        order
    };
    let mut pick = |i: usize| rng.random_range(0..=i);
    let (first, second) = (shuffled(&mut pick), shuffled(&mut pick));
    let pairs = first.iter().zip(&second);
    let rows: Vec<&[f64]> = pairs
        .flat_map(|(&i, &j)| [&a[i * dim..(i + 1) * dim], &b[j * dim..(j + 1) * dim]])
        .collect();
    let train = n / 2 * 2;
    let features = Features::of(&rows[..train], dim);
    let Some(w) = fit(&features, &rows[..train]) else {
        return none;
    };
    let (mut right, mut seen) = ([0.0; 2], [0.0; 2]);
    for (i, row) in rows.iter().enumerate().skip(train) {
        let side = i % 2;
        let score: f64 = features.at(row).iter().zip(&w).map(|(f, w)| f * w).sum();
        seen[side] += 1.0;
        // An exact zero says nothing: half a point.
        right[side] += if score == 0.0 {
            0.5
        } else {
            f64::from(u8::from((score > 0.0) == (side == 1)))
        };
    }
    let rate = [right[0] / seen[0], right[1] / seen[1]];
    let variance = |s: usize| rate[s] * (1.0 - rate[s]) / seen[s];
    ClassifierTest {
        gap: rate[0] + rate[1] - 1.0,
        error: (variance(0) + variance(1)).sqrt(),
    }
}

struct Features {
    mean: Vec<f64>,
    inverse_scale: Vec<f64>,
    /// Standardised rows.
    centres: Vec<f64>,
    inverse_width: f64,
}

impl Features {
    fn of(rows: &[&[f64]], dim: usize) -> Self {
        let n = rows.len() as f64;
        let mean: Vec<f64> = (0..dim)
            .map(|a| rows.iter().map(|r| r[a]).sum::<f64>() / n)
            .collect();
        let scale = |a: usize| {
            let square: f64 = rows
                .iter()
                .map(|r| (r[a] - mean[a]) * (r[a] - mean[a]))
                .sum();
            let sd = (square / n).sqrt();
            if sd > 0.0 { 1.0 / sd } else { 0.0 }
        };
        let inverse_scale = (0..dim).map(scale).collect();
        let mut features = Self {
            mean,
            inverse_scale,
            centres: Vec::new(),
            inverse_width: 1.0,
        };
        let step = (rows.len() / BUMPS).max(1);
        let picked = rows.iter().step_by(step).take(BUMPS);
        features.centres = picked.flat_map(|r| features.standard(r)).collect();
        // As wide as the mean distance of a bump to the nearest other one.
        let places: Vec<&[f64]> = features.centres.chunks_exact(dim).collect();
        let nearest = |i: usize| {
            let others = places.iter().enumerate().filter(|(j, _)| *j != i);
            others
                .map(|(_, p)| crate::linalg::small::squared_distance(places[i], p))
                .fold(f64::INFINITY, f64::min)
        };
        let width = (0..places.len()).map(nearest).sum::<f64>() / places.len() as f64;
        features.inverse_width = if width > 0.0 { 0.25 / width } else { 1.0 };
        features
    }

    fn standard(&self, row: &[f64]) -> Vec<f64> {
        let scaled = row.iter().zip(&self.mean).zip(&self.inverse_scale);
        scaled.map(|((x, m), s)| (x - m) * s).collect()
    }

    fn at(&self, row: &[f64]) -> Vec<f64> {
        let z = self.standard(row);
        let mut out = vec![1.0];
        out.extend_from_slice(&z);
        let few = &z[..z.len().min(PRODUCTS)];
        for (a, x) in few.iter().enumerate() {
            out.extend(few[..=a].iter().map(|y| x * y));
        }
        let bumps = self.centres.chunks_exact(z.len());
        out.extend(
            bumps.map(|c| {
                (-self.inverse_width * crate::linalg::small::squared_distance(&z, c)).exp()
            }),
        );
        out
    }
}

/// Coefficients by damped Newton steps on the logistic loss; odd rows are the second sample.
fn fit(features: &Features, rows: &[&[f64]]) -> Option<Vec<f64>> {
    let x: Vec<Vec<f64>> = rows.iter().map(|r| features.at(r)).collect();
    let (n, p) = (x.len(), x.first()?.len());
    let mut w = vec![0.0; p];
    for _ in 0..STEPS {
        let (mut weighted, mut gradient) = (Mat::<f64>::zeros(n, p), vec![0.0; p]);
        for (i, f) in x.iter().enumerate() {
            let score: f64 = f.iter().zip(&w).map(|(f, w)| f * w).sum();
            let q = 1.0 / (1.0 + (-score).exp());
            let gap = (i % 2) as f64 - q;
            let root = (q * (1.0 - q)).max(1e-6).sqrt();
            for (a, v) in f.iter().enumerate() {
                weighted[(i, a)] = root * v;
                gradient[a] += gap * v;
            }
        }
        let ridge = RIDGE * n as f64;
        let mut hessian = weighted.transpose() * &weighted;
        (0..p).for_each(|a| hessian[(a, a)] += ridge);
        let rhs = Mat::from_fn(p, 1, |a, _| gradient[a] - ridge * w[a]);
        let step = linalg::cholesky_solve(hessian.as_ref(), rhs.as_ref())?;
        (0..p).for_each(|a| w[a] += step[(a, 0)]);
        if (0..p).all(|a| step[(a, 0)].abs() < 1e-6) {
            break;
        }
    }
    w.iter().all(|v| v.is_finite()).then_some(w)
}
