//! The likelihood of a quadratic map under observation noise.
//!
//! Samples `y = C f(x) + c + e` with `e ~ N(0, s^2 I)`, `f(x) = (svec(x x'), sqrt2 x)` and `x ~ N(0, I)`. Expectation
//! maximisation: the law of each latent given its sample ([`Posterior`]), then `C, c` by one linear least squares on
//! expected features and `s^2` from what is left. The noise leaves little doubt about each latent, so plain steps would hardly
//! move the change of `x`; it is therefore freed in each step (`x ~ N(m, V)`, with the mean and the covariance
//! of the draws) and taken into the map afterwards, which makes convergence quick.
//!
//! Source: A. P. Dempster, N. M. Laird and D. B. Rubin, *Maximum likelihood from incomplete data via the EM algorithm* (1977);
//! C. Liu, D. B. Rubin and Y. N. Wu, *Parameter expansion to accelerate EM* (1998) for the freed covariance.

use super::latent_posterior::{PAIRS, Posterior, mode};
use crate::Error;
use crate::learn::quadratic::noiseless::latent_of_sample::LatentSolver;
use crate::learn::quadratic::whitened::map::WhiteMap;
use crate::linalg::{cholesky_solve, frobenius};
use crate::run::{Observer, Progress};
use faer::{Mat, MatRef};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

const OP: &str = "Quadratic::learn";
/// Rows of a block; blocks are summed in order, whatever the threads.
const BLOCK: usize = 128;
/// Sets of draws that the rows share out among themselves.
const SETS: usize = 61;
/// Gauss-Newton steps for the modes: at first, and in each sweep.
const FIRST_STEPS: usize = 30;
const SWEEP_STEPS: usize = 4;
/// Least noise variance, in units of the mean square of the samples: below it nothing is left to be integrated.
const LEAST: f64 = 1e-14;

/// A quadratic map with its noise.
#[derive(Clone, Debug)]
pub(in crate::learn) struct NoisyMap {
    pub(in crate::learn) map: WhiteMap,
    /// Of the noise in each coordinate.
    pub(in crate::learn) variance: f64,
}

/// When to stop, and what is known.
#[derive(Clone, Copy, Debug)]
pub(in crate::learn) struct Effort {
    pub(in crate::learn) sweeps: usize,
    /// Relative change of the coefficients that counts as none.
    pub(in crate::learn) tol: f64,
    pub(in crate::learn) noise_known: bool,
}

/// Standard normal vectors for the draws.
pub(in crate::learn) struct Bank {
    normals: Vec<f64>,
    set: usize,
}

impl Bank {
    pub(in crate::learn) fn new(rank: usize, rng: &mut impl Rng) -> Self {
        let set = PAIRS * rank;
        let normals = (0..SETS * set).map(|_| StandardNormal.sample(&mut *rng));
        Self {
            normals: normals.collect(),
            set,
        }
    }

    fn of(&self, row: usize) -> &[f64] {
        let k = row % SETS;
        &self.normals[k * self.set..(k + 1) * self.set]
    }
}

/// Sums over rows.
struct Sums {
    /// `sum E f f'` and `sum E f y'`, the constant feature last.
    gram: Mat<f64>,
    cross: Mat<f64>,
    rows: f64,
}

impl NoisyMap {
    /// Maximises the likelihood of the rows `y` (`n x N`); returns the sweeps taken.
    pub(in crate::learn) fn fit(
        &mut self,
        y: MatRef<'_, f64>,
        bank: &Bank,
        effort: Effort,
        observer: Observer<'_>,
    ) -> Result<usize, Error> {
        let places = WhiteMap::places(self.map.rank);
        let square = frobenius(y).powi(2);
        let size = (y.nrows() * y.ncols()).max(1) as f64;
        let least = LEAST * square / size;
        self.variance = self.variance.max(least);
        let mut x = self.map.first_latents(y, &places)?;
        let mut steps = FIRST_STEPS;
        for sweep in 1..=effort.sweeps {
            let p = Progress::of("noisy likelihood", sweep as u64, effort.sweeps as u64);
            if observer(&p.with_figure(self.variance.sqrt())).is_break() {
                return Err(Error::Stopped { op: OP });
            }
            let sums = self.expect(y, &mut x, bank, steps);
            steps = SWEEP_STEPS;
            let next = self.maximise(&sums, &places)?;
            if !effort.noise_known {
                // |y|^2 - <C, sum E f y'>: what the best coefficients leave.
                let explained: f64 = (0..y.ncols())
                    .map(|k| dot_column(&sums.cross, &next.0, k))
                    .sum();
                let kept = sums.rows * y.ncols() as f64;
                self.variance =
                    ((square * sums.rows / y.nrows() as f64 - explained) / kept).max(least);
            }
            let gap = frobenius((&next.1.coefficients - &self.map.coefficients).as_ref());
            let moved = gap / frobenius(self.map.coefficients.as_ref()).max(f64::MIN_POSITIVE);
            self.map = next.1;
            if moved <= effort.tol {
                return Ok(sweep);
            }
        }
        Ok(effort.sweeps)
    }

    /// `log p(y)` of each row.
    pub(in crate::learn) fn log_likelihood(
        &self,
        y: MatRef<'_, f64>,
        bank: &Bank,
    ) -> Result<Vec<f64>, Error> {
        let places = WhiteMap::places(self.map.rank);
        let mut x = self.map.first_latents(y, &places)?;
        let solver = LatentSolver::new(&self.map, &places);
        let half = 0.5 * y.ncols() as f64 * (std::f64::consts::TAU * self.variance).ln();
        let even = !self.map.linear;
        let one = |(i, x): (usize, &mut Vec<f64>)| {
            let target: Vec<f64> = (0..y.ncols()).map(|k| y[(i, k)]).collect();
            mode(&solver, &target, self.variance, x, FIRST_STEPS);
            let found = Posterior::around(&solver, (&target, self.variance, even), x, bank.of(i));
            found.map_or(f64::NEG_INFINITY, |p| p.log - half)
        };
        Ok(x.par_iter_mut()
            .enumerate()
            .with_min_len(16)
            .map(one)
            .collect())
    }

    fn expect(&self, y: MatRef<'_, f64>, x: &mut [Vec<f64>], bank: &Bank, steps: usize) -> Sums {
        let places = WhiteMap::places(self.map.rank);
        let solver = LatentSolver::new(&self.map, &places);
        let (n, r, f) = (y.ncols(), self.map.rank, self.map.features() + 1);
        let even = !self.map.linear;
        let blocks: Vec<Sums> = x
            .par_chunks_mut(BLOCK)
            .enumerate()
            .map(|(b, x)| {
                let mut design = Mat::<f64>::zeros(2 * PAIRS * x.len(), f);
                let mut mean = Mat::<f64>::zeros(x.len(), f);
                let mut kept = 0;
                for (k, x) in x.iter_mut().enumerate() {
                    let i = BLOCK * b + k;
                    let target: Vec<f64> = (0..n).map(|l| y[(i, l)]).collect();
                    mode(&solver, &target, self.variance, x, steps);
                    let about = (&target[..], self.variance, even);
                    let Some(p) = Posterior::around(&solver, about, x, bank.of(i)) else {
                        continue;
                    };
                    kept += 1;
                    for (t, (draw, w)) in p.draws.chunks_exact(r).zip(&p.weights).enumerate() {
                        let root = w.sqrt();
                        for (l, v) in self.map.row(draw, &places).into_iter().enumerate() {
                            design[(2 * PAIRS * k + t, l)] = root * v;
                            mean[(k, l)] += w * v;
                        }
                    }
                }
                Sums {
                    gram: design.transpose() * &design,
                    cross: mean.transpose() * y.subrows(BLOCK * b, mean.nrows()),
                    rows: f64::from(kept),
                }
            })
            .collect();
        let mut sums = Sums {
            gram: Mat::zeros(f, f),
            cross: Mat::zeros(f, n),
            rows: 0.0,
        };
        for b in blocks {
            sums.gram += b.gram;
            sums.cross += b.cross;
            sums.rows += b.rows;
        }
        sums
    }

    /// The coefficients for the draws as they are (`F x N`), and the map with the change of `x` taken in.
    fn maximise(
        &self,
        sums: &Sums,
        places: &[(usize, usize)],
    ) -> Result<(Mat<f64>, WhiteMap), Error> {
        let (r, f) = (self.map.rank, self.map.features());
        let hypothesis = "latents that fill their space (samples with a finite likelihood)";
        let solved = cholesky_solve(sums.gram.as_ref(), sums.cross.as_ref());
        let solved = solved.ok_or(Error::degenerate(OP, hypothesis, sums.rows))?;
        let root2 = 2f64.sqrt();
        let mean = |k: usize| sums.gram[(f, k)] / sums.rows;
        let shift: Vec<f64> = match self.map.linear {
            true => (0..r).map(|j| mean(places.len() + j) / root2).collect(),
            false => vec![0.0; r],
        };
        let mut cov = Mat::<f64>::zeros(r, r);
        for (k, &(a, b)) in places.iter().enumerate() {
            let v = if a == b { mean(k) } else { mean(k) / root2 };
            cov[(a, b)] = v - shift[a] * shift[b];
            cov[(b, a)] = cov[(a, b)];
        }
        let plain = WhiteMap {
            coefficients: solved.transpose().to_owned(),
            ..self.map.clone()
        };
        Ok((solved, plain.changed(&shift, &cov)?))
    }
}

fn dot_column(a: &Mat<f64>, b: &Mat<f64>, k: usize) -> f64 {
    let pairs = a.col_as_slice(k).iter().zip(b.col_as_slice(k));
    pairs.map(|(a, b)| a * b).sum()
}
