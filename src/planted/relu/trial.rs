//! Trials: plant a network, draw samples, learn, compare on fresh samples, also with the best possible.

use super::staged::{Story, draw};
use crate::learn::relu::ReluLearner;
use crate::learn::relu::ReluNetwork;
use crate::learn::relu::Strategy;
use crate::learn::relu::directions::search::Search;
use crate::learn::relu::fit::absolute_values::Kinks;
use crate::learn::relu::fit::levenberg_marquardt::descend;
use crate::learn::relu::sample::{Sample, mean_square};
use crate::{Error, Status};
use faer::Mat;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// One planted problem; everything random in it comes from `seed`.
///
/// # Example
/// ```
/// use wickring::Status;
/// use wickring::learn::relu::Strategy;
/// use wickring::planted::relu::{Story, Trial};
/// let trial = Trial { story: Story::Separated, d: 3, k: 1, n: 200, noise: 0.0, seed: 1 };
/// let outcome = trial.run(&trial.plant()?, Strategy::Full)?;
/// assert!(outcome.status == Status::Converged && outcome.error < 1e-20);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// The family of networks.
    pub story: Story,
    /// Number of inputs.
    pub d: usize,
    /// Number of kinks planted.
    pub k: usize,
    /// Number of samples.
    pub n: usize,
    /// Standard deviation of the label noise.
    pub noise: f64,
    /// Seed.
    pub seed: u64,
}

/// How a trial went.
///
/// See [`Trial`] for an example.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Mean square error on fresh noiseless samples over the variance there.
    pub error: f64,
    /// Number of neurons returned.
    pub neurons: usize,
    /// What the learner said about itself.
    pub status: Status,
}

/// Samples planted for a trial.
///
/// See [`Trial`] for an example.
#[derive(Clone, Debug)]
pub struct Planted {
    /// The network behind them.
    pub truth: ReluNetwork,
    /// Inputs, `n x d`.
    pub x: Mat<f64>,
    /// Targets.
    pub y: Vec<f64>,
    /// For what comes after.
    rng: ChaCha8Rng,
}

/// Number of fresh samples on which errors are measured.
const FRESH: usize = 20_000;

impl Trial {
    /// Plants the network and draws the samples.
    ///
    /// # Errors
    /// As [`Story::plant`] and [`draw`].
    pub fn plant(&self) -> Result<Planted, Error> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let truth = self.story.plant(self.d, self.k, &mut rng)?;
        let (x, y) = draw(&truth, self.n, self.noise, &mut rng)?;
        Ok(Planted { truth, x, y, rng })
    }

    /// Learns with this strategy. [`Strategy::Full`] finds the number of kinks; the others are told.
    ///
    /// # Errors
    /// As [`Trial::plant`] and [`ReluLearner::learn`].
    pub fn run(&self, planted: &Planted, strategy: Strategy) -> Result<Outcome, Error> {
        let learner = ReluLearner::new().strategy(strategy);
        let learner = match strategy {
            Strategy::Full => learner,
            _ => learner.neurons(self.k),
        };
        let mut rng = planted.rng.clone();
        let fit = learner.learn(planted.x.as_ref(), &planted.y, &mut rng)?;
        let network = &fit.model.network;
        Ok(Outcome {
            error: planted.error(network)?,
            neurons: network.neurons().len(),
            status: fit.status,
        })
    }
}

impl Planted {
    /// Relative error of a network on 20000 fresh noiseless samples, the same ones at every call.
    ///
    /// # Errors
    /// As [`ReluNetwork::evaluate`].
    pub fn error(&self, network: &ReluNetwork) -> Result<f64, Error> {
        // A stream of its own, so that every learner is measured on the same samples.
        let mut rng = self.rng.clone();
        rng.set_stream(1);
        let (x, y) = draw(&self.truth, FRESH, 0.0, &mut rng)?;
        let values = network.evaluate(x.as_ref())?;
        let mean = y.iter().sum::<f64>() / FRESH as f64;
        let centred: Vec<f64> = y.iter().map(|y| y - mean).collect();
        let gaps: Vec<f64> = values.iter().zip(&y).map(|(v, y)| v - y).collect();
        Ok(mean_square(&gaps) / mean_square(&centred))
    }

    /// Relative error of the best that can be done: descent from the truth on all samples.
    ///
    /// # Errors
    /// As [`ReluNetwork::evaluate`].
    pub fn oracle_error(&self) -> Result<f64, Error> {
        let truth = self.truth.to_abs();
        let d = truth.input_dim();
        let sample = Sample::new(self.x.transpose(), self.y.clone());
        let linear: Vec<f64> = truth
            .linear()
            .iter()
            .copied()
            .chain([truth.constant()])
            .collect();
        let neurons: Vec<(Vec<f64>, f64)> = truth
            .neurons()
            .iter()
            .map(|n| {
                let size = n.coefficient.abs();
                let weight = n.weight.iter().map(|w| w * size).chain([0.0]).collect();
                (weight, n.coefficient.signum())
            })
            .collect();
        let search = Search {
            limit: neurons.len(),
            widest: neurons.len(),
            open: false,
            exact: 1e-28,
            enough: 1e-24,
            offsets: false,
        };
        let start = Kinks::linear(linear).with(&neurons);
        let kinks = descend(&sample, &start, search.descent(60)).kinks;
        let weight = |i: usize| kinks.weight(i)[..d].to_vec();
        let neurons = (0..kinks.len())
            .map(|i| crate::learn::relu::Neuron {
                coefficient: kinks.signs[i],
                weight: weight(i),
                offset: 0.0,
                activation: crate::learn::relu::Rectifier::Abs,
            })
            .collect();
        let best = ReluNetwork::new(kinks.linear[d], kinks.linear[..d].to_vec(), neurons)?;
        self.error(&best)
    }
}
