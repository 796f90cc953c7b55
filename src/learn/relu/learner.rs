//! The learner: options, the pipeline, and the way back to the user's coordinates.

use super::OP;
use super::checks::{ReluReport, Subject, assess};
use super::directions::search::Search;
use super::directions::whitening::Whitening;
use super::fit::absolute_values::Kinks;
use super::fit::iteration::{EXACT, Strategy, discover};
use super::fit::levenberg_marquardt::descend;
use super::fit::merge::merged;
use super::inputs::InputCheck;
use super::network::{Neuron, Rectifier, ReluNetwork};
use super::rounding::floor;
use super::sample::{Sample, mean_square};
use crate::fit::{Evidence, Fit, Work};
use crate::linalg::norm2;
use crate::run::{Observer, unobserved};
use crate::{Error, Status};
use faer::MatRef;
use rand::Rng;
use rand::seq::SliceRandom;

/// The greatest number of neurons: signs are kept in 32 bits.
pub const MAX_NEURONS: usize = 28;
/// Neurons tried first when their number is left open.
const OPEN_LIMIT: usize = 10;
/// Neurons tried when those leave something: a descent's step costs four times as much for twice the neurons.
const OPEN_WIDEST: usize = 20;

/// A network and what is known about it.
///
/// See [`ReluLearner::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The network, in abs form with a linear part.
    pub network: ReluNetwork,
    /// The report.
    pub report: ReluReport,
}

/// Learns `f(x) = c + <w, x> + sum_i b_i |<a_i, x>|` from samples: every sum of at most so many relus.
///
/// ```text
/// linear part -> subspace of label transforms -> neurons in it (dipoles, nets) -> Levenberg-Marquardt
///      ^                                                                              |
///      +-------------------- residual, while it depends on the inputs ----------------+
/// then merge neurons that the samples do not separate, refit on all samples, report
/// ```
///
/// Without label noise the function is recovered to rounding when every pair of neurons has some `3 d`
/// samples between its kinks. Relative accuracy is impossible in general: neurons can cancel except on a
/// wedge that no sample meets.
#[derive(Clone, Debug)]
pub struct ReluLearner {
    neurons: Option<usize>,
    strategy: Strategy,
    offsets: bool,
    held_out: f64,
}

impl Default for ReluLearner {
    fn default() -> Self {
        Self::new()
    }
}

impl ReluLearner {
    /// A learner that finds the number of neurons itself: ten at most, or twenty where ten leave something.
    pub fn new() -> Self {
        Self {
            neurons: None,
            strategy: Strategy::Full,
            offsets: false,
            held_out: 0.125,
        }
    }

    /// Allows at most `k` kinks, `0..=28`; fewer are returned when fewer suffice. A relu, an abs neuron and
    /// the pair `relu(z)`, `relu(-z)` count one each. Default: what the samples
    /// allow, ten at most, or twenty where ten leave something.
    #[must_use]
    pub fn neurons(self, k: usize) -> Self {
        let neurons = Some(k);
        Self { neurons, ..self }
    }

    /// How neurons are found; [`Strategy::Full`] by default.
    #[must_use]
    pub fn strategy(self, strategy: Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// Lets neurons have offsets, `|<a, x> + o|`. Off by default. They are found by descent from neurons
    /// without offset, which works for offsets up to about one deviation of `<a, x>`.
    #[must_use]
    pub fn offsets(self, offsets: bool) -> Self {
        Self { offsets, ..self }
    }

    /// Share of the samples held out for the report, in `(0, 0.5]`; 0.125 by default.
    #[must_use]
    pub fn held_out(self, held_out: f64) -> Self {
        Self { held_out, ..self }
    }

    /// Learns a network from inputs and targets, unobserved.
    ///
    /// # Shapes
    /// As [`ReluLearner::learn_observed`].
    ///
    /// # Errors
    /// As [`ReluLearner::learn_observed`].
    ///
    /// # Complexity
    /// As [`ReluLearner::learn_observed`].
    ///
    /// # Example
    /// ```
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use wickring::learn::relu::ReluLearner;
    /// use wickring::planted::relu::{Story, draw};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let truth = Story::Separated.plant(6, 2, &mut rng)?;
    /// let (x, y) = draw(&truth, 400, 0.0, &mut rng)?;
    /// let fit = ReluLearner::new().learn(x.as_ref(), &y, &mut rng)?;
    /// let learned = fit.converged()?;
    /// assert_eq!(learned.network.neurons().len(), 2);
    /// let report = learned.report;
    /// assert!(report.exact && report.held_out.relative_error < 1e-20);
    /// assert!(report.close_pairs.is_empty() && report.inputs.warnings().is_empty());
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn learn(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        rng: &mut impl Rng,
    ) -> Result<Fit<Learned>, Error> {
        self.learn_observed(x, y, rng, &mut unobserved)
    }

    /// Learns a network from inputs and targets.
    ///
    /// `Converged` means: the held-out error is that of rounding, or the fit is at the noise level, the noise
    /// leaves the function within 10% of its variance, the residual passes the tests of independence from
    /// the inputs, and no two neurons are closer than the samples resolve.
    ///
    /// # Shapes
    /// `x` is `n x d` (samples are rows), `y` has `n` entries.
    ///
    /// # Errors
    /// `Shape`; `NonFinite`; `InvalidInput` for options outside their domain or no inputs; `Degenerate` when
    /// there are fewer samples than parameters, of the linear part or of the number of neurons asked for.
    ///
    /// # Complexity
    /// Some hundred steps of `O(n d^2 + n d k + min(n, 2^k) k^2 d^2 + (d k)^3)` and `O(n d^2)` for the moments;
    /// memory `O(n d)`.
    /// Here `k` is the number of neurons.
    ///
    /// # Accuracy
    /// Without noise, relative mean square error near `1e-30` once every neuron pair is sampled; with noise
    /// of variance `s^2`, `s^2 p / n` for `p` parameters.
    ///
    /// # Source
    /// Chen, Dou, Goel, Klivans, Meka, Learning Narrow One-Hidden-Layer ReLU Networks (2023): moments,
    /// contraction in random directions, iteration on the residual, merging at several scales. We differ:
    /// 1. label transforms (sliced average variance estimation) beside moments: cancelling neurons erase
    ///    every low moment;
    /// 2. neurons come from block pursuit with dipoles, not from exhausting nets;
    /// 3. everything is finished by Levenberg-Marquardt in all dimensions, which makes it exact.
    pub fn learn_observed(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        rng: &mut impl Rng,
        observe: Observer<'_>,
    ) -> Result<Fit<Learned>, Error> {
        self.check(x, y)?;
        let data = Prepared::of(x, y, rng)?;
        let held = ((y.len() as f64 * self.held_out).round() as usize).clamp(1, y.len() / 2);
        let (train, aside) = (data.all.range(held, y.len()), data.all.range(0, held));
        let search = self.search(&train, data.rounding)?;

        let found = discover(&train, search, self.strategy, rng, observe)?;
        let before = merged(&train, &aside, found.landing, search);
        let after = descend(&data.all, &before.kinks, search.descent(30));

        let subject = Subject {
            all: &data.all,
            held,
            before: &before.kinks,
            after: &after.kinks,
            offsets: self.offsets,
            rounding: data.rounding,
            unit: data.unit,
            inputs: InputCheck::of(&data.all, x, data.whitening.cond),
            limit: search.widest,
        };
        let (report, checks, verdict) = assess(&subject)?;
        let status = if found.stopped {
            Status::Stopped
        } else {
            verdict
        };
        let variance = mean_square(&data.all.y).max(f64::MIN_POSITIVE);
        let relative = |mse: &f64| (mse / variance).sqrt();
        let evidence = Evidence {
            rel_residual: relative(&after.mse),
            condition: data.whitening.cond,
            checks,
        };
        let mut history: Vec<f64> = found.history.iter().map(relative).collect();
        history.push(evidence.rel_residual);
        let work = Work {
            sweeps: history.len() - 1,
            samples: (y.len() * (found.sweeps + after.sweeps + 1)) as u64,
            starts: found.starts,
        };
        let network = data.network(&after.kinks)?;
        Ok(Fit {
            model: Learned { network, report },
            status,
            history,
            work,
            evidence,
        })
    }

    fn check(&self, x: MatRef<'_, f64>, y: &[f64]) -> Result<(), Error> {
        let (n, d) = (x.nrows(), x.ncols());
        if n != y.len() {
            return Err(Error::shape(
                OP,
                format!("{n} targets, one per sample"),
                y.len().to_string(),
            ));
        }
        if d == 0 || n < 2 {
            let found = format!("at least two samples with an input, got {n} with {d}");
            return Err(Error::invalid(OP, found));
        }
        if self.neurons.is_some_and(|k| k > MAX_NEURONS) {
            return Err(Error::invalid(OP, format!("at most {MAX_NEURONS} neurons")));
        }
        if !(self.held_out > 0.0 && self.held_out <= 0.5) {
            let found = format!("a held-out share in (0, 0.5], got {}", self.held_out);
            return Err(Error::invalid(OP, found));
        }
        for i in 0..n {
            for j in 0..d {
                if !x[(i, j)].is_finite() {
                    return Err(Error::NonFinite {
                        op: OP,
                        index: i * d + j,
                    });
                }
            }
        }
        match y.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(Error::NonFinite {
                op: "ReluLearner::learn",
                index,
            }),
            None => Ok(()),
        }
    }

    /// The number of neurons that the training samples allow.
    fn search(&self, train: &Sample, rounding: f64) -> Result<Search, Error> {
        let (n, r) = (train.len(), train.dim());
        let per_neuron = if self.offsets { r + 1 } else { r };
        let parameters = |k: usize| r + 1 + k * per_neuron;
        let asked = self.neurons.unwrap_or(0);
        if n <= parameters(asked) {
            let hypothesis = "more training samples than parameters: bring more samples or ask for \
                              fewer neurons (samples per parameter)";
            let measured = n as f64 / parameters(asked) as f64;
            return Err(Error::degenerate(OP, hypothesis, measured));
        }
        let room = (4 * n / 5).saturating_sub(r + 1) / per_neuron.max(1);
        Ok(Search {
            limit: self.neurons.unwrap_or(OPEN_LIMIT.min(room)),
            widest: self.neurons.unwrap_or(OPEN_WIDEST.min(room)),
            open: self.neurons.is_none() && room >= OPEN_LIMIT,
            exact: 1e-4 * EXACT,
            enough: EXACT.max(rounding),
            offsets: self.offsets,
        })
    }
}

/// Samples in random order, whitened, with targets of mean zero and size near one.
struct Prepared {
    all: Sample,
    whitening: Whitening,
    mean: f64,
    unit: f64,
    rounding: f64,
}

impl Prepared {
    fn of(x: MatRef<'_, f64>, y: &[f64], rng: &mut impl Rng) -> Result<Self, Error> {
        let n = y.len() as f64;
        let mean = y.iter().map(|v| v / n).sum::<f64>();
        let centred: Vec<f64> = y.iter().map(|v| v - mean).collect();
        let sd = norm2(&centred) / n.sqrt();
        if !(mean.is_finite() && sd.is_finite()) {
            let hypothesis = "targets whose variance does not overflow (deviation)";
            return Err(Error::degenerate(OP, hypothesis, sd));
        }
        // Targets that vary by rounding only are constant.
        let constant = sd <= 4.0 * f64::EPSILON * mean.abs();
        let unit = if constant { 1.0 } else { sd };
        let mut order: Vec<usize> = (0..y.len()).collect();
        order.shuffle(rng);
        let whitening = Whitening::of(x)?;
        let z = whitening.apply(x, &order);
        let target = |&i: &usize| if constant { 0.0 } else { centred[i] / unit };
        let all = Sample::new(z.as_ref(), order.iter().map(target).collect());
        let rounding = floor(y, mean, unit);
        Ok(Self {
            all,
            whitening,
            mean,
            unit,
            rounding,
        })
    }

    /// Back to the inputs and targets as given.
    fn network(&self, kinks: &Kinks) -> Result<ReluNetwork, Error> {
        let r = self.all.dim();
        let scaled = |v: &[f64]| -> Vec<f64> {
            self.whitening
                .back(&v[..r])
                .iter()
                .map(|w| w * self.unit)
                .collect()
        };
        let neurons = (0..kinks.len())
            .map(|i| {
                let mut weight = scaled(kinks.weight(i));
                let length = norm2(&weight);
                let size = if length > 0.0 { length } else { 1.0 };
                weight.iter_mut().for_each(|w| *w /= size);
                Neuron {
                    coefficient: kinks.signs[i] * size,
                    weight,
                    offset: kinks.weight(i)[r] * self.unit / size,
                    activation: Rectifier::Abs,
                }
            })
            .collect();
        let constant = self.mean + kinks.linear[r] * self.unit;
        ReluNetwork::new(constant, scaled(&kinks.linear), neurons)
    }
}
