//! The reverse chain from nearly Gaussian noise down to the data's own.

use super::denoiser::Denoiser;
use super::noise_levels::generator;
use crate::Error;
use crate::linalg;
use faer::Mat;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::{IndexedParallelIterator, ParallelIterator, ParallelSliceMut};

/// Rows of one task; each has a generator of its own.
const TASK: usize = 4096;

/// How one step of the chain is made.
///
/// See [`Chain`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One evaluation of the denoiser; the error of the law falls as the step.
    Plain,
    /// Two evaluations with the same noise, averaged; the error falls as the square of the step.
    Corrected,
    /// One evaluation with the Jacobian: the noise of the step includes the covariance of the signal given the
    /// point.
    Posterior,
}

/// How the chain moves.
///
/// # Example
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use wickring::learn::mixture::{Chain, Population, Step};
/// let two = Population::atoms("two points", vec![(0.5, vec![-2.0]), (0.5, vec![2.0])])?;
/// let chain = Chain { steps: 24, step: Step::Corrected };
/// let rows = two.sample_by_chain(400, chain, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let square = rows.iter().map(|x| x * x).sum::<f64>() / 400.0;
/// assert!((square - 5.0).abs() < 1.0); // 2^2 + 1
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Steps from the highest level down to the data's noise, geometric in the temperature.
    pub steps: usize,
    /// How a step is made.
    pub step: Step,
}

impl Default for Chain {
    /// 48 corrected steps.
    fn default() -> Self {
        Self {
            steps: 48,
            step: Step::Corrected,
        }
    }
}

impl Chain {
    pub(in crate::learn::mixture) fn check(self) -> Result<(), Error> {
        if (1..=100_000).contains(&self.steps) {
            return Ok(());
        }
        let requirement = format!("1 to 100000 steps, got {}", self.steps);
        Err(Error::invalid("ScoreModel::sample", requirement))
    }

    /// Draws `count` rows of the law whose denoiser is `denoiser`.
    ///
    /// A step takes `T` to `S < T` by
    /// `y_S = (S/T) y + (1 - S/T) m_T(y) + sqrt(S (T - S) / T) z`,
    /// (with [`Step::Corrected`] `m` is the mean of `m_T(y)` and `m_S` at the point so reached, the exponential
    /// form of the stochastic Heun scheme)
    /// exact for one atom on any grid because `(S/T)^2 T + S (T - S) / T = S`; it ends at `S = 1`, where the
    /// law is that of the data, so nothing is lost by stopping early. `spectrum` are the variances of the
    /// coordinates at `T = 1`, `top` is the first temperature.
    pub(in crate::learn::mixture) fn run(
        self,
        denoiser: &dyn Denoiser,
        spectrum: &[f64],
        top: f64,
        count: usize,
        rng: &mut impl Rng,
    ) -> Result<Vec<f64>, Error> {
        let dim = denoiser.dim();
        let seed = rng.next_u64();
        let mut y = vec![0.0; count * dim];
        if dim == 0 {
            return Ok(y);
        }
        let grid: Vec<f64> = (0..=self.steps)
            .map(|i| top.powf(1.0 - i as f64 / self.steps as f64))
            .collect();
        y.par_chunks_mut(TASK * dim)
            .enumerate()
            .try_for_each(|(i, rows)| {
                let mut rng = generator(seed, 0, i as u64);
                for row in rows.chunks_exact_mut(dim) {
                    for (x, v) in row.iter_mut().zip(spectrum) {
                        let z: f64 = StandardNormal.sample(&mut rng);
                        *x = z * (v - 1.0 + top).max(0.0).sqrt();
                    }
                }
                let mut buffers = Buffers {
                    m: vec![0.0; rows.len()],
                    again: vec![0.0; rows.len()],
                    z: vec![0.0; rows.len()],
                };
                for pair in grid.windows(2) {
                    let span = (pair[0], pair[1]);
                    buffers.z.fill_with(|| StandardNormal.sample(&mut rng));
                    match self.step {
                        Step::Plain => plain(denoiser, rows, &mut buffers, span),
                        Step::Corrected => corrected(denoiser, rows, &mut buffers, span),
                        Step::Posterior => posterior(denoiser, rows, &mut buffers, span)?,
                    }
                }
                Ok(())
            })?;
        Ok(y)
    }
}

/// Denoised points at the old and the new level, and the noise of a block of rows.
struct Buffers {
    m: Vec<f64>,
    again: Vec<f64>,
    z: Vec<f64>,
}

fn plain(denoiser: &dyn Denoiser, rows: &mut [f64], b: &mut Buffers, (from, to): (f64, f64)) {
    let keep = to / from;
    let spread = (to * (from - to) / from).sqrt();
    denoiser.evaluate(rows, from, &mut b.m, None);
    for ((y, m), z) in rows.iter_mut().zip(&b.m).zip(&b.z) {
        *y = keep * *y + (1.0 - keep) * m + spread * z;
    }
}

fn corrected(denoiser: &dyn Denoiser, rows: &mut [f64], b: &mut Buffers, span: (f64, f64)) {
    plain(denoiser, rows, b, span);
    denoiser.evaluate(rows, span.1, &mut b.again, None);
    let change = 0.5 * (1.0 - span.1 / span.0);
    for ((y, first), second) in rows.iter_mut().zip(&b.m).zip(&b.again) {
        *y += change * (second - first);
    }
}

fn posterior(
    denoiser: &dyn Denoiser,
    rows: &mut [f64],
    b: &mut Buffers,
    (from, to): (f64, f64),
) -> Result<(), Error> {
    let dim = denoiser.dim();
    let keep = to / from;
    let variance = to * (from - to) / from;
    let mut jacobian = vec![0.0; rows.len() * dim];
    denoiser.evaluate(rows, from, &mut b.m, Some(&mut jacobian));
    let signal = (1.0 - keep) * (1.0 - keep) * from;
    for (i, row) in rows.chunks_exact_mut(dim).enumerate() {
        let j = &jacobian[i * dim * dim..(i + 1) * dim * dim];
        let symmetric = Mat::from_fn(dim, dim, |a, b| 0.5 * (j[a * dim + b] + j[b * dim + a]));
        let e = linalg::symmetric_eigen("ScoreModel::sample", symmetric.as_ref())?;
        let z = &b.z[i * dim..(i + 1) * dim];
        let scaled = e
            .values
            .iter()
            .zip(z)
            .map(|(v, z)| z * (variance + signal * v.max(0.0)).sqrt());
        let scaled: Vec<f64> = scaled.collect();
        for (a, y) in row.iter_mut().enumerate() {
            let noise: f64 = (0..dim).map(|k| e.vectors[(a, k)] * scaled[k]).sum();
            *y = keep * *y + (1.0 - keep) * b.m[i * dim + a] + noise;
        }
    }
    Ok(())
}
