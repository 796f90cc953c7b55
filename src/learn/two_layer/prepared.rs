//! Samples as the learner sees them: shuffled, of unit size, split.

use super::OP;
use super::sample::Sample;
use crate::Error;
use crate::linalg::norm2;
use faer::{Mat, MatRef};
use rand::Rng;
use rand::seq::SliceRandom;

/// Samples in random order, the inputs divided by their root mean square.
pub(super) struct Prepared {
    pub inputs: Mat<f64>,
    pub targets: Vec<f64>,
    pub scale: f64,
    pub held: usize,
    pub rounding: f64,
}

impl Prepared {
    pub fn of(x: MatRef<'_, f64>, y: &[f64], held: f64, rng: &mut impl Rng) -> Result<Self, Error> {
        let (n, d) = (x.nrows(), x.ncols());
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(rng);
        let lengths: Vec<f64> = (0..d)
            .map(|j| norm2(&Vec::from_iter(x.col(j).iter().copied())))
            .collect();
        let scale = norm2(&lengths) / ((n * d) as f64).sqrt();
        let mean = y.iter().map(|v| v / n as f64).sum::<f64>();
        let centred: Vec<f64> = y.iter().map(|v| v - mean).collect();
        let sd = norm2(&centred) / (n as f64).sqrt();
        if !(scale > 1e-100 && scale < 1e100) {
            let hypothesis = "inputs of a size between 1e-100 and 1e100 (root mean square)";
            return Err(Error::degenerate(OP, hypothesis, scale));
        }
        if !(sd < 1e140) {
            let hypothesis = "targets whose variance does not overflow (deviation)";
            return Err(Error::degenerate(OP, hypothesis, sd));
        }
        if !(sd > 4.0 * f64::EPSILON * mean.abs()) {
            let hypothesis = "targets that vary (deviation)";
            return Err(Error::degenerate(OP, hypothesis, sd));
        }
        Ok(Self {
            inputs: Mat::from_fn(n, d, |i, j| x[(order[i], j)]),
            targets: order.iter().map(|&i| y[i]).collect(),
            scale,
            held: ((n as f64 * held).round() as usize).clamp(2, (n / 2).max(2)),
            rounding: (8.0 * f64::EPSILON * mean.abs() / sd).powi(2),
        })
    }

    fn range(&self, from: usize, to: usize) -> Result<Sample, Error> {
        let d = self.inputs.ncols();
        let x = Mat::from_fn(to - from, d, |i, j| self.inputs[(from + i, j)] / self.scale);
        Sample::new(x, self.targets[from..to].to_vec(), &[0])
    }

    pub fn all(&self) -> Result<Sample, Error> {
        self.range(0, self.targets.len())
    }

    pub fn train(&self) -> Result<Sample, Error> {
        self.range(self.held, self.targets.len())
    }

    pub fn aside(&self) -> Result<Sample, Error> {
        self.range(0, self.held)
    }
}
