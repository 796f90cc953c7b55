//! Fourth-order structure of latents that should be Gaussian: a smooth test, and the direction of greatest kurtosis.
//!
//! The means `m_a` of products of Hermite polynomials `He_a`, `|a| = 4`, vanish for `N(0, I)`, and estimating the covariance does not
//! move them to first order. Two statistics are read off them: `n sum m_a^2 / a!`, which is about chi-squared, and the
//! greatest `|sum_a 4!/a! m_a u^a|` over unit `u`, the excess kurtosis along the worst direction, which finds one
//! coordinate that is not normal among several that are. Both have heavy tails for few samples, so they are held
//! against what fresh normal samples of the same size give.
//!
//! Source: J. A. Koziol, *Assessing multivariate normality: a compendium* (1986), for the smooth test; P. J. Huber, *Projection
//! pursuit* (1985), for the direction.

use crate::fit::Check;
use crate::linalg::norm2;
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Fresh samples.
const FRESH: usize = 16;
/// Products of Hermite polynomials evaluated for each sample, at most.
const BUDGET: usize = 2_000_000;
/// Beyond this many products nothing is tested.
const MOST_PRODUCTS: usize = 1000;
/// Power iterations for the direction, and starts beside the axes.
const STEPS: usize = 20;
const STARTS: usize = 12;
/// Bound on both, in spreads of the fresh samples.
const MAX_Z: f64 = 7.0;

/// The two statistics of the rows of `x`, which have mean zero and covariance one, in spreads of those of fresh samples.
pub(crate) fn checks(x: &Mat<f64>, rng: &mut impl Rng) -> Vec<Check> {
    let r = x.ncols();
    let places = quadruples(r);
    if places.len() > MOST_PRODUCTS || x.nrows() < 2 {
        return Vec::new();
    }
    let n = x.nrows().min(BUDGET / places.len());
    let every = x.nrows() / n;
    let taken = Mat::from_fn(n, r, |i, j| x[(i * every, j)]);
    let starts: Vec<Vec<f64>> = (0..r + STARTS)
        .map(|k| {
            let one = |j: usize| match k < r {
                true => f64::from(u8::from(j == k)),
                false => StandardNormal.sample(&mut *rng),
            };
            (0..r).map(one).collect()
        })
        .collect();
    let measured = statistics(&taken, &places, &starts);
    let mut fresh = [Vec::new(), Vec::new()];
    for _ in 0..FRESH {
        let draws = Mat::from_fn(n, r, |_, _| StandardNormal.sample(&mut *rng));
        let found = statistics(&draws, &places, &starts);
        fresh[0].push(found.0);
        fresh[1].push(found.1);
    }
    let z = |value: f64, fresh: &[f64]| {
        let k = fresh.len() as f64;
        let mean = fresh.iter().sum::<f64>() / k;
        let spread = fresh.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / (k - 1.0);
        (value - mean) / spread.sqrt()
    };
    let about = "latents of the samples are Gaussian";
    vec![
        Check::sampling(
            "sample.fourth-moments",
            format!("{about}: z-score of all their fourth Hermite moments"),
            z(measured.0, &fresh[0]),
            MAX_Z,
        ),
        Check::sampling(
            "sample.greatest-kurtosis",
            format!("{about}: z-score of their greatest kurtosis along a direction"),
            z(measured.1, &fresh[1]),
            MAX_Z,
        ),
    ]
}

/// Nondecreasing quadruples of coordinates.
fn quadruples(r: usize) -> Vec<[usize; 4]> {
    let mut all = Vec::new();
    for d in 0..r {
        for c in 0..=d {
            for b in 0..=c {
                all.extend((0..=b).map(|a| [a, b, c, d]));
            }
        }
    }
    all
}

/// The powers of the coordinates in a quadruple.
fn powers(place: &[usize; 4]) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for &i in place {
        match out.last_mut() {
            Some((j, k)) if *j == i => *k += 1,
            _ => out.push((i, 1)),
        }
    }
    out
}

/// The means of the Hermite products with these powers of the coordinates.
fn hermite_means(x: &Mat<f64>, powers: &[Vec<(usize, usize)>]) -> Vec<f64> {
    let mut means = vec![0.0; powers.len()];
    let mut hermite = vec![[0.0; 5]; x.ncols()];
    for i in 0..x.nrows() {
        for (j, h) in hermite.iter_mut().enumerate() {
            let v = x[(i, j)];
            let s = v * v;
            *h = [1.0, v, s - 1.0, v * (s - 3.0), s * (s - 6.0) + 3.0];
        }
        for (m, p) in means.iter_mut().zip(powers) {
            *m += p.iter().map(|&(j, k)| hermite[j][k]).product::<f64>();
        }
    }
    means.iter_mut().for_each(|m| *m /= x.nrows() as f64);
    means
}

fn statistics(x: &Mat<f64>, places: &[[usize; 4]], starts: &[Vec<f64>]) -> (f64, f64) {
    let (n, r) = (x.nrows(), x.ncols());
    let powers: Vec<Vec<(usize, usize)>> = places.iter().map(powers).collect();
    let factorial = |k: usize| [1.0, 1.0, 2.0, 6.0, 24.0][k.min(4)];
    let weight = |p: &[(usize, usize)]| p.iter().map(|&(_, k)| factorial(k)).product::<f64>();
    let means = hermite_means(x, &powers);
    let smooth: f64 = means
        .iter()
        .zip(&powers)
        .map(|(m, p)| m * m / weight(p))
        .sum();
    // The gradient of sum_a 4!/a! m_a u^a: a power iteration in both signs finds its extremes on the sphere.
    let coefficients: Vec<f64> = means
        .iter()
        .zip(&powers)
        .map(|(m, p)| 24.0 / weight(p) * m)
        .collect();
    let value = |u: &[f64]| -> f64 {
        let term = |place: &[usize; 4]| place.iter().map(|&i| u[i]).product::<f64>();
        places
            .iter()
            .zip(&coefficients)
            .map(|(p, c)| c * term(p))
            .sum()
    };
    let gradient = |u: &[f64]| {
        let mut g = vec![0.0; r];
        for (p, c) in places.iter().zip(&coefficients) {
            for k in 0..4 {
                let others: f64 = (0..4).filter(|l| *l != k).map(|l| u[p[l]]).product();
                g[p[k]] += c * others;
            }
        }
        g
    };
    // A shift makes the iteration monotone.
    let shift = 3.0 * norm2(&coefficients);
    let mut greatest = 0.0f64;
    for start in starts {
        for sign in [1.0, -1.0] {
            let mut u = start.clone();
            unit(&mut u);
            for _ in 0..STEPS {
                let g = gradient(&u);
                u.iter_mut()
                    .zip(g)
                    .for_each(|(u, g)| *u = sign * g + shift * *u);
                unit(&mut u);
            }
            greatest = greatest.max(value(&u).abs());
        }
    }
    // Cube roots of sums of squares are nearly normal.
    ((n as f64 * smooth).cbrt(), greatest)
}

fn unit(u: &mut [f64]) {
    let length = norm2(u);
    if length > 0.0 {
        u.iter_mut().for_each(|x| *x /= length);
    }
}
