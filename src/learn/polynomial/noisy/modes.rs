//! A map in units of its noise, and the latents that may have given a sample.
//!
//! The most probable latents maximise `-|u - A phi(x)|^2 / 2 - |x|^2 / 2`. The image of `R^r` is curved and comes near to
//! itself, so one start is not enough: the images of a fixed set of points are compared with the sample (of a homogeneous map
//! along whole rays, `phi(t x) = t^w phi(x)`), and damped Gauss-Newton descends from the best ones.

use crate::Error;
use crate::learn::quadratic::noiseless::latent_of_sample::solve_small;
use crate::tensor::{MonomialBasis, PolynomialMap};
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Points compared with each sample: rays, and for maps with several degrees points.
const RAYS: usize = 400;
const POINTS: usize = 1600;
/// Descents from the best of them, and where none of these ends near the sample.
const STARTS: usize = 4;
const MORE_STARTS: usize = 32;
const STEPS: usize = 40;
/// Latents kept for a sample, and how much less probable than the best they may be, as twice a logarithm.
const KEPT: usize = 3;
const MUCH_WORSE: f64 = 30.0;
/// Standard deviations of `|u - A phi(x)|^2` beyond which a sample counts as not reached.
const FAR: f64 = 8.0;

/// `u = A phi(x) + e` with `e ~ N(0, I_d)`: outputs divided by the standard deviations of their noise.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) basis: MonomialBasis,
    /// `d x m`, row by row.
    pub(super) a: Vec<f64>,
    /// Standard deviation of the noise on each output, in the units of the samples that the model is fitted to.
    pub(super) noise: Vec<f64>,
    /// The one degree of all monomials, if there is one.
    degree: Option<u32>,
    /// Greatest exponent.
    top: usize,
    flat: Vec<usize>,
}

/// Memory for the evaluation of a model at one point.
pub(super) struct Scratch {
    powers: Vec<f64>,
    pub(super) phi: Vec<f64>,
    slopes: Vec<f64>,
    pub(super) gap: Vec<f64>,
    /// `d x r`.
    pub(super) jacobian: Vec<f64>,
}

/// Points and their images, which the samples are compared with.
pub(super) struct Atlas {
    points: Vec<f64>,
    images: Vec<f64>,
    squares: Vec<f64>,
}

impl Model {
    /// From a map and the noise of its outputs, all positive.
    pub(super) fn new(map: &PolynomialMap, noise: Vec<f64>) -> Self {
        let basis = map.basis().clone();
        let (c, m) = (map.coefficients(), basis.len());
        let a = (0..c.nrows() * m).map(|k| c[(k / m, k % m)] / noise[k / m]);
        let a = a.collect();
        let degrees: Vec<u32> = basis.exponents().iter().map(|e| e.iter().sum()).collect();
        let degree = degrees.first().copied();
        let degree = degree.filter(|w| degrees.iter().all(|v| v == w));
        let all = basis.exponents().iter().flatten();
        let flat: Vec<usize> = all.map(|&k| k as usize).collect();
        let top = flat.iter().copied().max().unwrap_or(0);
        Self {
            basis,
            a,
            noise,
            degree,
            top,
            flat,
        }
    }

    /// The map, without the noise.
    pub(super) fn map(&self) -> Result<PolynomialMap, Error> {
        let m = self.basis.len();
        let c = Mat::from_fn(self.outputs(), m, |a, k| self.a[a * m + k] * self.noise[a]);
        PolynomialMap::new(self.basis.clone(), c)
    }

    pub(super) fn latent(&self) -> usize {
        self.basis.variables()
    }

    pub(super) fn outputs(&self) -> usize {
        self.noise.len()
    }

    pub(super) fn degree(&self) -> Option<u32> {
        self.degree
    }

    /// Whether `x` and `-x` give the same sample.
    pub(super) fn even(&self) -> bool {
        self.degree.is_some_and(|w| w.is_multiple_of(2))
    }

    pub(super) fn scratch(&self) -> Scratch {
        let (m, r, d) = (self.basis.len(), self.latent(), self.outputs());
        Scratch {
            powers: vec![1.0; r * (self.top + 1)],
            phi: vec![0.0; m],
            slopes: vec![0.0; m],
            gap: vec![0.0; d],
            jacobian: vec![0.0; d * r],
        }
    }

    /// `|u - A phi(x)|^2`; leaves `phi` and the gap behind.
    pub(super) fn residual(&self, u: &[f64], x: &[f64], s: &mut Scratch) -> f64 {
        let (r, m, wide) = (self.latent(), self.basis.len(), self.top + 1);
        for (p, x) in s.powers.chunks_exact_mut(wide).zip(x) {
            (1..wide).for_each(|k| p[k] = p[k - 1] * x);
        }
        for (phi, e) in s.phi.iter_mut().zip(self.flat.chunks_exact(r)) {
            *phi = e
                .iter()
                .enumerate()
                .map(|(j, k)| s.powers[j * wide + k])
                .product();
        }
        let mut sum = 0.0;
        for ((gap, u), row) in s.gap.iter_mut().zip(u).zip(self.a.chunks_exact(m)) {
            *gap = u - row.iter().zip(&s.phi).map(|(a, p)| a * p).sum::<f64>();
            sum += *gap * *gap;
        }
        sum
    }

    /// The derivatives of `A phi` where [`Model::residual`] was asked for last.
    pub(super) fn slopes(&self, s: &mut Scratch) {
        let (r, m, wide) = (self.latent(), self.basis.len(), self.top + 1);
        for j in 0..r {
            for (slope, e) in s.slopes.iter_mut().zip(self.flat.chunks_exact(r)) {
                let power = |(i, &k): (usize, &usize)| match (i == j, k) {
                    (false, k) => s.powers[i * wide + k],
                    (true, 0) => 0.0,
                    (true, k) => k as f64 * s.powers[i * wide + k - 1],
                };
                *slope = e.iter().enumerate().map(power).product();
            }
            for (a, row) in self.a.chunks_exact(m).enumerate() {
                s.jacobian[a * r + j] = row.iter().zip(&s.slopes).map(|(a, p)| a * p).sum();
            }
        }
    }

    /// `J'J + I`, lower triangle, where [`Model::slopes`] was asked for last.
    pub(super) fn precision(&self, s: &Scratch) -> Vec<f64> {
        let r = self.latent();
        let mut h = vec![0.0; r * r];
        for row in s.jacobian.chunks_exact(r) {
            for i in 0..r {
                (0..=i).for_each(|j| h[i * r + j] += row[i] * row[j]);
            }
        }
        (0..r).for_each(|i| h[i * r + i] += 1.0);
        h
    }

    /// Standard normal points and their images.
    pub(super) fn atlas(&self, rng: &mut impl Rng) -> Atlas {
        let count = if self.degree.is_some() { RAYS } else { POINTS };
        let points = (0..count * self.latent()).map(|_| StandardNormal.sample(&mut *rng));
        let mut atlas = Atlas {
            points: points.collect(),
            images: Vec::new(),
            squares: Vec::new(),
        };
        self.redraw(&mut atlas);
        atlas
    }

    /// The images of the points of an atlas under this map.
    pub(super) fn redraw(&self, atlas: &mut Atlas) {
        let zero = vec![0.0; self.outputs()];
        let mut s = self.scratch();
        atlas.images.clear();
        atlas.squares.clear();
        for x in atlas.points.chunks_exact(self.latent()) {
            atlas.squares.push(self.residual(&zero, x, &mut s));
            atlas.images.extend(s.gap.iter().map(|g| -g));
        }
    }

    /// The most probable latents of a sample `u`, the best first; at least one.
    pub(super) fn modes(&self, u: &[f64], atlas: &Atlas, s: &mut Scratch) -> Vec<Vec<f64>> {
        let d = self.outputs() as f64;
        let near = d + FAR * (2.0 * d).sqrt();
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        for count in [STARTS, MORE_STARTS] {
            for mut x in self.starts(u, atlas, count) {
                let value = self.climb(u, &mut x, s);
                self.keep(&mut found, value, x);
            }
            if found.first().is_some_and(|f| f.0 <= near) {
                break;
            }
        }
        let best = found.first().map_or(0.0, |f| f.0);
        let close = found.into_iter().filter(|f| f.0 <= best + MUCH_WORSE);
        let mut modes: Vec<Vec<f64>> = close.map(|f| f.1).take(KEPT).collect();
        if modes.is_empty() {
            modes.push(vec![0.0; self.latent()]);
        }
        modes
    }

    /// Inserts a latent in order, unless it is there.
    fn keep(&self, found: &mut Vec<(f64, Vec<f64>)>, value: f64, x: Vec<f64>) {
        let distance = |y: &[f64], sign: f64| -> f64 {
            y.iter().zip(&x).map(|(a, b)| (a - sign * b).powi(2)).sum()
        };
        let size: f64 = x.iter().map(|x| x * x).sum();
        let same = |y: &[f64]| {
            let other = if self.even() {
                distance(y, -1.0)
            } else {
                f64::INFINITY
            };
            distance(y, 1.0).min(other) <= 1e-6 * (1e-6 + size)
        };
        if !value.is_finite() || found.iter().any(|f| same(&f.1)) {
            return;
        }
        let place = found.partition_point(|f| f.0 <= value);
        found.insert(place, (value, x));
    }

    /// The points of the atlas whose images, of a homogeneous map after scaling, are nearest to the sample.
    fn starts(&self, u: &[f64], atlas: &Atlas, count: usize) -> Vec<Vec<f64>> {
        let (r, d) = (self.latent(), self.outputs());
        let mut best: Vec<(f64, usize, f64)> = Vec::with_capacity(count + 1);
        let length: f64 = u.iter().map(|u| u * u).sum();
        for (k, image) in atlas.images.chunks_exact(d).enumerate() {
            let along: f64 = u.iter().zip(image).map(|(u, a)| u * a).sum();
            let square = atlas.squares[k];
            let (fit, scale) = match self.degree {
                None => (length - 2.0 * along + square, 1.0),
                Some(w) => {
                    let t = along / square.max(f64::MIN_POSITIVE);
                    let odd = w % 2 == 1;
                    let root = t.abs().powf(1.0 / f64::from(w));
                    match (odd, t > 0.0) {
                        (_, true) => (length - along * t, root),
                        (true, false) => (length - along * t, -root),
                        (false, false) => (length, 0.0),
                    }
                }
            };
            let x = &atlas.points[k * r..(k + 1) * r];
            let value = fit + scale * scale * x.iter().map(|x| x * x).sum::<f64>();
            if best.len() < count || best.last().is_some_and(|b| value < b.0) {
                let place = best.partition_point(|b| b.0 <= value);
                best.insert(place, (value, k, scale));
                best.truncate(count);
            }
        }
        let point = |&(_, k, t): &(f64, usize, f64)| {
            let x = &atlas.points[k * r..(k + 1) * r];
            x.iter().map(|x| t * x).collect()
        };
        best.iter().map(point).collect()
    }

    /// Damped Gauss-Newton from `x`; returns `|u - A phi(x)|^2 + |x|^2`.
    fn climb(&self, u: &[f64], x: &mut Vec<f64>, s: &mut Scratch) -> f64 {
        let r = self.latent();
        let square = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>();
        let mut best = self.residual(u, x, s) + square(x);
        let (mut damping, mut fresh) = (1e-3, true);
        let (mut hessian, mut gradient) = (vec![0.0; r * r], vec![0.0; r]);
        for _ in 0..STEPS {
            if fresh {
                self.slopes(s);
                hessian = self.precision(s);
                gradient = x.iter().map(|x| -x).collect();
                for (row, e) in s.jacobian.chunks_exact(r).zip(&s.gap) {
                    (0..r).for_each(|i| gradient[i] += row[i] * e);
                }
            }
            let (mut matrix, mut step) = (hessian.clone(), gradient.clone());
            (0..r).for_each(|i| matrix[i * r + i] *= 1.0 + damping);
            if !solve_small(&mut matrix, &mut step, r) {
                break;
            }
            let trial: Vec<f64> = x.iter().zip(&step).map(|(a, b)| a + b).collect();
            let value = self.residual(u, &trial, s) + square(&trial);
            fresh = value < best;
            if fresh {
                let little = best - value <= 1e-9 * (1.0 + best);
                (*x, best) = (trial, value);
                damping = (damping / 8.0).max(1e-12);
                if little {
                    break;
                }
            } else {
                damping *= 10.0;
                if !(damping < 1e10) {
                    break;
                }
            }
        }
        best
    }
}
