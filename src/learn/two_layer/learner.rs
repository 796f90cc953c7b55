//! The learner: options, the choice of the path, and the way back to the user's coordinates.

use super::OP;
use super::activation::{MAX_DEGREE, PolynomialActivation};
use super::checks::{EXACT_ERROR, Subject, TwoLayerReport, measured};
use super::derivatives::{free_directions, noise_seen};
use super::from_tensor::constant;
use super::network::TwoLayerNetwork;
use super::prepared::Prepared;
use super::risk::{Point, Risk};
use super::search::{Found, Task, held_out_gaps, left_in, search};
use super::watch::Watch;
use crate::fit::{Evidence, Fit, Work};
use crate::linalg::norm2;
use crate::run::{Observer, unobserved};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;

/// How a network is found.
///
/// See [`TwoLayerLearner::learn`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TwoLayerMethod {
    /// Regression where there are enough samples for it, else risk; the other one when the first is not exact.
    #[default]
    Auto,
    /// Descent on the empirical risk from a small start.
    Risk,
    /// Least squares on all polynomials of the degree, then decomposition of the top tensor.
    Regression,
    /// The top tensor by moments, then decomposition.
    Moments,
}

impl TwoLayerMethod {
    /// The word on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Risk => "risk",
            Self::Regression => "regression",
            Self::Moments => "moments",
        }
    }
}

/// What is known about the outer coefficients.
///
/// See [`TwoLayerLearner::learn`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coefficients {
    /// Equal ones first; free ones when those do not fit exactly.
    #[default]
    Auto,
    /// All one.
    Equal,
    /// Free, of any sign.
    Free,
}

/// A network and what is known about it.
///
/// See [`TwoLayerLearner::learn`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedTwoLayer {
    /// The network.
    pub network: TwoLayerNetwork,
    /// The report.
    pub report: TwoLayerReport,
}

/// Learns `y = sum_i c_i sigma(<w_i, x>)` with a given polynomial `sigma` and number of neurons.
///
/// Without noise the function is recovered to rounding from some `2 r d` samples as long as `r` is below about
/// `0.7 d^{m/2}`; the module tells of the paths. What is beyond reach is declined: the answer
/// is then the mean of the targets, marked as such.
#[derive(Clone, Debug)]
pub struct TwoLayerLearner {
    activation: PolynomialActivation,
    neurons: usize,
    method: TwoLayerMethod,
    coefficients: Coefficients,
    starts: usize,
    iterations: usize,
    held_out: f64,
}

impl TwoLayerLearner {
    /// A learner for `neurons >= 1` neurons.
    pub fn new(activation: PolynomialActivation, neurons: usize) -> Self {
        Self {
            activation,
            neurons,
            method: TwoLayerMethod::Auto,
            coefficients: Coefficients::Auto,
            starts: 3,
            iterations: 3000,
            held_out: 0.05,
        }
    }

    /// The path; [`TwoLayerMethod::Auto`] by default.
    #[must_use]
    pub fn method(self, method: TwoLayerMethod) -> Self {
        Self { method, ..self }
    }

    /// What is known about the outer coefficients; [`Coefficients::Auto`] by default.
    #[must_use]
    pub fn coefficients(self, coefficients: Coefficients) -> Self {
        Self {
            coefficients,
            ..self
        }
    }

    /// Starts of each path, in `1..=100`; 3 by default.
    #[must_use]
    pub fn starts(self, starts: usize) -> Self {
        Self { starts, ..self }
    }

    /// Steps of descent of each start, in `1..=1000000`; 3000 by default.
    #[must_use]
    pub fn max_iterations(self, iterations: usize) -> Self {
        Self { iterations, ..self }
    }

    /// Share of the samples held out for the report, in `(0, 0.5]`; 0.05 by default, because exactness needs
    /// few of them and the fit may need all others.
    #[must_use]
    pub fn held_out(self, held_out: f64) -> Self {
        Self { held_out, ..self }
    }

    /// Learns a network from inputs and targets, unobserved.
    ///
    /// # Shapes
    /// As [`TwoLayerLearner::learn_observed`].
    ///
    /// # Errors
    /// As [`TwoLayerLearner::learn_observed`].
    ///
    /// # Complexity
    /// As [`TwoLayerLearner::learn_observed`].
    ///
    /// # Example
    /// ```
    /// use faer::Mat;
    /// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
    /// use rand_distr::{Distribution, StandardNormal};
    /// use wickring::learn::two_layer::{Coefficients, PolynomialActivation, TwoLayerLearner};
    /// use wickring::learn::two_layer::{TwoLayerMethod, TwoLayerNetwork};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let mut normal = |n, d| Mat::from_fn(n, d, |_, _| -> f64 { StandardNormal.sample(&mut rng) });
    /// let (weights, x) = (normal(3, 5), normal(400, 5));
    /// let sigma = PolynomialActivation::parse("1 - x + x^3")?;
    /// let truth = TwoLayerNetwork::plain(sigma.clone(), weights)?;
    /// let y = truth.evaluate(x.as_ref())?;
    /// let learner = TwoLayerLearner::new(sigma, 3).coefficients(Coefficients::Equal);
    /// let learned = learner.learn(x.as_ref(), &y, &mut rng)?.converged()?;
    /// assert!(truth.test_error(&learned.network)? < 1e-12);
    /// assert!(learned.report.exact && learned.report.method != TwoLayerMethod::Auto);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn learn(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        rng: &mut impl Rng,
    ) -> Result<Fit<LearnedTwoLayer>, Error> {
        self.learn_observed(x, y, rng, &mut unobserved)
    }

    /// Learns a network from inputs and targets.
    ///
    /// `Converged` means: the held-out error is that of rounding; or the residual passes for noise independent
    /// of the inputs in the degrees `1..=max(8, m + 3)`, the fit is at that noise, and the noise leaves the
    /// function within 10% of its variance. While something is left in the residual, up to eight times as many
    /// starts are tried; noise is never estimated from a residual with structure.
    ///
    /// # Shapes
    /// `x` is `n x d` (samples are rows), `y` has `n` entries.
    ///
    /// # Errors
    /// `Shape`; `NonFinite`; `InvalidInput` for options outside their domain or no inputs; `Degenerate` with
    /// fewer samples than unknowns or targets that overflow.
    ///
    /// # Complexity
    /// A step of descent is `O(n d r)`; least squares on `p` monomials `O(n p^2 + p^3)`. Memory
    /// `O(n (d + r) + p^2)`.
    /// Here `r` is the number of neurons.
    ///
    /// # Accuracy
    /// Without noise a relative mean square error near `1e-28`.
    ///
    /// # Source
    /// Mondelli and Montanari 2018 for the reduction; the descent off the low degrees is ours.
    pub fn learn_observed(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        rng: &mut impl Rng,
        observe: Observer<'_>,
    ) -> Result<Fit<LearnedTwoLayer>, Error> {
        self.check(x, y)?;
        let data = Prepared::of(x, y, self.held_out, rng)?;
        let task = Task {
            sigma: &self.activation,
            neurons: self.neurons,
            method: self.method,
            coefficients: self.coefficients,
            starts: self.starts,
            iterations: self.iterations,
        };
        let mut watch = Watch::new(observe);
        let found = search(&task, &data.train()?, &data.aside()?, rng, &mut watch)?;
        self.finish(&data, found, rng, &mut watch)
    }

    /// The last fit on all samples, its evidence, and the way back to the given coordinates.
    fn finish(
        &self,
        data: &Prepared,
        found: Found,
        rng: &mut impl Rng,
        watch: &mut Watch<'_>,
    ) -> Result<Fit<LearnedTwoLayer>, Error> {
        let all = data.all()?;
        let (n, d, sigma) = (all.len(), all.dim(), &self.activation);
        let risk = Risk {
            sample: &all,
            phi: sigma,
        };
        let mut point = found.point.clone();
        let declined = !(found.held_out < 1.0);
        if declined {
            point.weights.fill(0.0);
        } else if !watch.stopped {
            let _ = risk.polish(&mut point, found.free, 30, watch);
        }
        // The constant is projected out of the fit.
        let mean = all.y.iter().sum::<f64>() / n as f64;
        let centred: Vec<f64> = all.y.iter().map(|v| v - mean).collect();
        let variance = norm2(&centred).powi(2).max(f64::MIN_POSITIVE);
        let residual = risk.residual(&point);
        let exact = found.held_out <= EXACT_ERROR.max(data.rounding);
        let tested = !(exact || declined || watch.stopped);
        let left = match tested {
            true => left_in(&all, &residual, &point, sigma, rng)?,
            false => None,
        };
        let network = self.network(data, &point)?;
        let subject = Subject {
            found: &found,
            declined,
            exact,
            held: data.held,
            residual: norm2(&residual).powi(2) / variance,
            deviation: (variance / n as f64).sqrt(),
            samples: n,
            parameters: self.neurons * (d + usize::from(found.free)) + 1,
            rounding: data.rounding,
            unseen: match tested {
                true => self.unseen(data, &found)? * n as f64 / variance,
                false => 0.0,
            },
            left,
            free: match declined {
                true => None,
                false => free_directions(all.x.as_ref(), &point, sigma, found.free),
            },
            network: &network,
        };
        let (checks, mut status, mut report) = measured(&subject);
        if watch.stopped {
            status = Status::Stopped;
            report.reason = Some("stopped before the end: this is the best network so far".into());
        }
        let evidence = Evidence {
            rel_residual: subject.residual.sqrt(),
            condition: 1.0,
            checks,
        };
        let (history, work) = past(&found, n, evidence.rel_residual);
        Ok(Fit {
            model: LearnedTwoLayer { network, report },
            status,
            history,
            work,
            evidence,
        })
    }

    /// The variance of the noise by the samples held out; infinite when the network overflows there.
    fn unseen(&self, data: &Prepared, found: &Found) -> Result<f64, Error> {
        let seen = (&data.train()?, &data.aside()?);
        let gaps = held_out_gaps(&self.activation, &found.point, seen.0, seen.1);
        Ok(gaps.map_or(f64::INFINITY, |gaps| {
            noise_seen(seen, &gaps, &found.point, &self.activation, found.free)
        }))
    }

    /// The network in the coordinates that were given, with the constant that fits all samples.
    fn network(&self, data: &Prepared, point: &Point) -> Result<TwoLayerNetwork, Error> {
        let (n, d) = (data.inputs.nrows(), data.inputs.ncols());
        let weights = Mat::from_fn(self.neurons, d, |i, j| {
            point.weights[i + self.neurons * j] / data.scale
        });
        let of = |constant: f64| {
            let (sigma, c) = (self.activation.clone(), point.coefficients.clone());
            TwoLayerNetwork::new(sigma, constant, c, weights.clone())
        };
        let values = of(0.0)?.evaluate(data.inputs.as_ref())?;
        let gaps = data.targets.iter().zip(&values).map(|(y, v)| y - v);
        of(constant(gaps.sum::<f64>() / n as f64, &data.targets))
    }

    fn check(&self, x: MatRef<'_, f64>, y: &[f64]) -> Result<(), Error> {
        let (n, d) = (x.nrows(), x.ncols());
        if n != y.len() {
            let expected = format!("{n} targets, one per sample");
            return Err(Error::shape(OP, expected, y.len().to_string()));
        }
        let degree = self.activation.degree();
        if !(1..=MAX_DEGREE).contains(&degree) {
            let text = format!("an activation of degree 1 to {MAX_DEGREE}, got degree {degree}");
            return Err(Error::invalid(OP, text));
        }
        if d == 0 || n < 4 {
            let found = format!("at least four samples with an input, got {n} with {d}");
            return Err(Error::invalid(OP, found));
        }
        let ranges = [
            ("neurons", self.neurons, 10_000),
            ("starts", self.starts, 100),
            ("max_iterations", self.iterations, 1_000_000),
        ];
        for (name, value, top) in ranges {
            if value == 0 || value > top {
                let text = format!("{name} must be in 1..={top}, got {value}");
                return Err(Error::invalid(OP, text));
            }
        }
        if !(self.held_out > 0.0 && self.held_out <= 0.5) {
            let found = format!("a held-out share in (0, 0.5], got {}", self.held_out);
            return Err(Error::invalid(OP, found));
        }
        for i in 0..n {
            if let Some(j) = (0..d).find(|&j| !x[(i, j)].is_finite()) {
                let index = i * d + j;
                return Err(Error::NonFinite { op: OP, index });
            }
        }
        if let Some(index) = y.iter().position(|v| !v.is_finite()) {
            let op = "TwoLayerLearner::learn";
            return Err(Error::NonFinite { op, index });
        }
        if n <= self.neurons * d + 1 {
            let hypothesis = "more samples than unknowns (samples per unknown)";
            let measured = n as f64 / (self.neurons * d + 1) as f64;
            return Err(Error::degenerate(OP, hypothesis, measured));
        }
        Ok(())
    }
}

/// Relative errors on the way and what they took.
fn past(found: &Found, n: usize, residual: f64) -> (Vec<f64>, Work) {
    let mut history: Vec<f64> = found.history.iter().map(|e| e.sqrt()).collect();
    let work = Work {
        sweeps: history.len(),
        samples: (n * (found.evaluations + 1)) as u64,
        starts: found.starts,
    };
    history.push(residual);
    (history, work)
}
