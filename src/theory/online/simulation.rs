//! The simulation beside the prediction: one-pass gradient descent on samples of a generator.

use super::committee::Committee;
use super::learner::{Lesson, Moment, OnlineSgd, Trajectory};
use crate::Error;
use crate::run::{Observer, Progress};
use crate::theory::covariance::Covariances;
use crate::theory::generator::source::{Source, stream};
use faer::{Mat, MatRef};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Samples drawn at a time.
const BLOCK: usize = 256;

/// How a simulation is run.
///
/// See [`OnlineVerdict`](crate::theory::OnlineVerdict) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SgdSimulation {
    /// Independent runs from the same initial weights.
    pub runs: usize,
    /// Seed of all runs; run `i` reads streams of its own.
    pub seed: u64,
    /// Fresh samples on which each run measures its error at each time.
    pub test_samples: usize,
}

/// One student in training.
struct Run {
    first: Vec<Vec<f64>>,
    second: Vec<f64>,
    steps: u64,
    training: ChaCha8Rng,
    noise: ChaCha8Rng,
    testing: ChaCha8Rng,
    moments: Vec<Moment>,
}

impl SgdSimulation {
    /// Refuses a source of other sizes, and runs without end.
    fn require(&self, lesson: &Lesson<'_>, source: &dyn Source) -> Result<(), Error> {
        let op = "OnlineSgd::simulate";
        let Lesson { law, times, .. } = *lesson;
        if source.inputs() != law.inputs() || source.latents() != law.latents() {
            let expected = format!("{} inputs from {} latents", law.inputs(), law.latents());
            let found = format!("{} from {}", source.inputs(), source.latents());
            return Err(Error::shape(op, expected, found));
        }
        if self.runs == 0 || self.runs > 10_000 || self.test_samples == 0 {
            return Err(Error::invalid(
                op,
                "1 to 10000 runs and at least one test sample",
            ));
        }
        let ordered = times.windows(2).all(|w| w[0] <= w[1]);
        if !ordered || times.iter().any(|t| !t.is_finite() || *t < 0.0) {
            return Err(Error::invalid(
                op,
                "times must be nonnegative and nondecreasing",
            ));
        }
        let last = times.last().copied().unwrap_or(0.0) * law.inputs() as f64;
        if last * self.runs as f64 > 1e9 {
            return Err(Error::limit(op, "steps over all runs", 1_000_000_000));
        }
        Ok(())
    }
}

impl OnlineSgd {
    /// Trains students by gradient descent and records the same order parameters as
    /// [`OnlineSgd::predict`], one trajectory per run.
    ///
    /// Times are rounded to whole steps. The overlaps are formed with `law`, the error is measured on fresh
    /// samples. Runs go through the times together, so stopping leaves every run with the same, shorter
    /// list of times. The result depends on the seed, not on the number of threads.
    ///
    /// # Shapes
    /// As [`OnlineSgd::predict`]; `source` has the sizes of `law`.
    ///
    /// # Errors
    /// `InvalidInput`: an option or a count out of its domain. `Shape`. `LimitExceeded` beyond `1e9` steps.
    /// `Degenerate` when a run leaves the finite numbers: the learning rate is too large.
    ///
    /// # Complexity
    /// `O(runs t N (S + K N))` with `S` the cost of a sample, `O(256 N)` memory for each run.
    /// Here `N` is the number of inputs, `K` the number of units of the student and `t` the last time.
    pub fn simulate(
        &self,
        lesson: &Lesson<'_>,
        source: &dyn Source,
        simulation: SgdSimulation,
        observer: Observer<'_>,
    ) -> Result<Vec<Trajectory>, Error> {
        let op = "OnlineSgd::simulate";
        self.check(op)?;
        let Lesson {
            law,
            student,
            teacher,
            times,
        } = *lesson;
        let overlaps = student.overlaps(teacher, law)?;
        simulation.require(lesson, source)?;
        let SgdSimulation {
            runs,
            seed,
            test_samples,
        } = simulation;
        let mut all: Vec<Run> = (0..runs as u64)
            .map(|i| Run::new(student, seed, i))
            .collect();
        let problem = Training {
            options: self,
            source,
            law,
            teacher,
            test_samples,
        };
        for (i, &time) in times.iter().enumerate() {
            let target = (time * law.inputs() as f64).round() as u64;
            let results: Vec<Result<(), Error>> = all
                .par_iter_mut()
                .map(|run| problem.advance(run, target))
                .collect();
            results.into_iter().collect::<Result<(), Error>>()?;
            let progress = Progress::of("simulation", i as u64 + 1, times.len() as u64);
            if observer(&progress).is_break() {
                break;
            }
        }
        let finished = |run: Run| Trajectory {
            moments: run.moments,
            teacher: overlaps.t.clone(),
            integration: None,
        };
        Ok(all.into_iter().map(finished).collect())
    }
}

impl Run {
    fn new(student: &Committee, seed: u64, number: u64) -> Self {
        let first = student.first();
        let row = |k: usize| (0..first.ncols()).map(|i| first[(k, i)]).collect();
        // Three streams for each run: inputs, label noise, tests.
        let rng = |part: u64| stream(seed, 3 * number + part);
        Self {
            first: (0..student.units()).map(row).collect(),
            second: student.second().to_vec(),
            steps: 0,
            training: rng(0),
            noise: rng(1),
            testing: rng(2),
            moments: Vec::new(),
        }
    }

    fn student(&self) -> Result<Committee, Error> {
        let n = self.first.first().map_or(0, Vec::len);
        let first = Mat::from_fn(self.first.len(), n, |k, i| self.first[k][i]);
        Committee::new(first, self.second.clone())
    }
}

/// What all runs share.
struct Training<'a> {
    options: &'a OnlineSgd,
    source: &'a dyn Source,
    law: &'a Covariances,
    teacher: &'a Committee,
    test_samples: usize,
}

impl Training<'_> {
    /// Trains up to step `target` and takes stock.
    fn advance(&self, run: &mut Run, target: u64) -> Result<(), Error> {
        let n = self.law.inputs() as f64;
        while run.steps < target {
            let count = BLOCK.min((target - run.steps) as usize);
            let (c, x) = self.source.draw(count, &mut run.training);
            let labels = self.teacher.outputs(&self.options.neuron, c.as_ref())?;
            self.train(run, x.as_ref(), &labels);
            run.steps += count as u64;
        }
        let refuse = |_| {
            let hypothesis =
                "a learning rate at which gradient descent stays finite (time reached)";
            Error::degenerate("OnlineSgd::simulate", hypothesis, run.steps as f64 / n)
        };
        let student = run.student().map_err(refuse)?;
        let overlaps = student.overlaps(self.teacher, self.law)?;
        let error = self.measure(&student, &mut run.testing)?;
        run.moments.push(Moment {
            time: run.steps as f64 / n,
            error,
            q: overlaps.q,
            r: overlaps.r,
            second: run.second.clone(),
        });
        Ok(())
    }

    /// One step for each column of `x`.
    fn train(&self, run: &mut Run, x: MatRef<'_, f64>, labels: &[f64]) {
        let g = &self.options.neuron;
        let (n, root) = (x.nrows() as f64, (x.nrows() as f64).sqrt());
        let mut fields = vec![0.0; run.second.len()];
        let spread = self.options.label_noise.sqrt();
        for (j, label) in labels.iter().enumerate() {
            let gathered: Vec<f64>;
            let column = match x.col(j).try_as_col_major() {
                Some(column) => column.as_slice(),
                None => {
                    gathered = x.col(j).iter().copied().collect();
                    &gathered
                }
            };
            let mut error = -label;
            if spread > 0.0 {
                let z: f64 = StandardNormal.sample(&mut run.noise);
                error -= spread * z;
            }
            for (k, w) in run.first.iter().enumerate() {
                fields[k] = dot(w, column) / root;
                error += run.second[k] * g.value(fields[k]);
            }
            for (k, w) in run.first.iter_mut().enumerate() {
                let push =
                    self.options.rate_first / root * run.second[k] * error * g.slope(fields[k]);
                w.iter_mut().zip(column).for_each(|(w, x)| *w -= push * x);
                run.second[k] -= self.options.rate_second / n * error * g.value(fields[k]);
            }
        }
    }

    /// Half the mean squared error on fresh samples.
    fn measure(&self, student: &Committee, rng: &mut ChaCha8Rng) -> Result<f64, Error> {
        let g = &self.options.neuron;
        let (mut sum, mut left) = (0.0, self.test_samples);
        while left > 0 {
            let count = left.min(BLOCK);
            let (c, x) = self.source.draw(count, rng);
            let labels = self.teacher.outputs(g, c.as_ref())?;
            let guesses = student.outputs(g, x.as_ref())?;
            let pairs = guesses.iter().zip(&labels);
            sum += pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
            left -= count;
        }
        Ok(0.5 * sum / self.test_samples as f64)
    }
}

/// A scalar product in eight interleaved sums: the order of additions is fixed, and vector units are used.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a_blocks, b_blocks) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a_blocks
        .remainder()
        .iter()
        .zip(b_blocks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_blocks.zip(b_blocks) {
        (0..8).for_each(|i| sums[i] += x[i] * y[i]);
    }
    sums.iter().sum::<f64>() + rest
}
