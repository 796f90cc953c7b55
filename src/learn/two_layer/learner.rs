//! The learner: options, the choice of the path, and the way back to the user's coordinates.

use super::OP;
use super::activation::{MAX_DEGREE, PolynomialActivation};
use super::checks::{Figures, Report, measured};
use super::from_tensor::constant;
use super::network::TwoLayerNetwork;
use super::sample::count;
use super::search::{Found, Task, search};
use super::structure;
use crate::fit::{Evidence, Fit, Work};
use crate::linalg::norm2;
use crate::run::{Observer, unobserved};
use crate::{Error, Status};
use faer::{Mat, MatRef};
use rand::Rng;
use rand::seq::SliceRandom;

/// How a network is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
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

impl Method {
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
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedTwoLayer {
    /// The network.
    pub network: TwoLayerNetwork,
    /// The report.
    pub report: Report,
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
    method: Method,
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
            method: Method::Auto,
            coefficients: Coefficients::Auto,
            starts: 3,
            iterations: 3000,
            held_out: 0.05,
        }
    }

    /// The path; [`Method::Auto`] by default.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
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
    /// use wickring::learn::two_layer::{PolynomialActivation, TwoLayerLearner, TwoLayerNetwork};
    /// let mut rng = ChaCha8Rng::seed_from_u64(1);
    /// let mut normal = |n, d| Mat::from_fn(n, d, |_, _| -> f64 { StandardNormal.sample(&mut rng) });
    /// let (weights, x) = (normal(3, 5), normal(400, 5));
    /// let sigma = PolynomialActivation::parse("1 - x + x^3")?;
    /// let truth = TwoLayerNetwork::plain(sigma.clone(), weights)?;
    /// let y = truth.evaluate(x.as_ref())?;
    /// let fit = TwoLayerLearner::new(sigma, 3).learn(x.as_ref(), &y, &mut rng)?;
    /// assert!(truth.test_error(&fit.converged()?.network)? < 1e-12);
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
    /// `Converged` means: the held-out error is that of rounding; or the fit is at the noise level, the noise
    /// leaves the function within 10% of its variance, and no degree up to that of the activation is left in
    /// the residual.
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
        let found = search(&task, &data.train()?, &data.aside()?, rng, observe)?;
        self.finish(&data, found, x.ncols())
    }

    /// The last fit on all samples, its evidence, and the way back to the given coordinates.
    fn finish(
        &self,
        data: &Prepared,
        found: Found,
        d: usize,
    ) -> Result<Fit<LearnedTwoLayer>, Error> {
        let all = data.all()?;
        let risk = super::risk::Risk {
            sample: &all,
            phi: &self.activation,
        };
        let mut point = found.point;
        let declined = !(found.held_out < 1.0);
        if declined {
            point.weights.fill(0.0);
        } else {
            let _ = risk.polish(&mut point, found.free, 30);
        }
        let n = all.len();
        let outside = |v: &[f64]| {
            // The constant is projected out of the fit.
            let mean = v.iter().sum::<f64>() / n as f64;
            v.iter().map(|e| e - mean).collect::<Vec<f64>>()
        };
        let variance = norm2(&outside(&all.y)).powi(2).max(f64::MIN_POSITIVE);
        let residual = risk.residual(&point);
        let unknowns = self.neurons * (d + usize::from(found.free)) + 1;
        let structure = structure::deviations(all.x.as_ref(), &residual, self.activation.degree());
        let figures = Figures {
            held_out: found.held_out,
            held_samples: data.held,
            residual: norm2(&residual).powi(2) / variance,
            samples: n,
            parameters: unknowns,
            rounding: data.rounding,
            structure,
            declined,
        };
        let (checks, mut status, reason) = measured(&figures);
        if found.stopped {
            status = Status::Stopped;
        }
        let weights = Mat::from_fn(self.neurons, d, |i, j| {
            point.weights[i + self.neurons * j] / data.scale
        });
        let plain = TwoLayerNetwork::new(
            self.activation.clone(),
            0.0,
            point.coefficients.clone(),
            weights.clone(),
        )?;
        let values = plain.evaluate(data.inputs.as_ref())?;
        let gaps = data.targets.iter().zip(&values).map(|(y, v)| y - v);
        let offset = constant(gaps.sum::<f64>() / n as f64, &data.targets);
        let network =
            TwoLayerNetwork::new(self.activation.clone(), offset, point.coefficients, weights)?;
        let m = self.activation.degree();
        let spare = n.saturating_sub(unknowns).max(1) as f64;
        let noise = figures.residual * n as f64 / spare;
        let explained = (1.0 - noise).max(f64::MIN_POSITIVE);
        let report = Report {
            method: found.method,
            choice: found.choice,
            held_out_error: figures.held_out,
            held_out_samples: data.held,
            improper_error: found.improper,
            trivial_error: 1.0,
            declined,
            exact: figures.held_out <= super::checks::EXACT_ERROR.max(data.rounding),
            noise: (noise * variance / n as f64).sqrt(),
            expected_error: noise * unknowns as f64 / n as f64 / explained,
            structure: figures.structure.clone(),
            spectrum: network.spectrum(),
            crowding: (self.neurons * d) as f64 / count(d, m) as f64,
            samples: n,
            parameters: unknowns,
            starts: found.starts,
            reason,
        };
        let evidence = Evidence {
            rel_residual: figures.residual.sqrt(),
            condition: 1.0,
            checks,
        };
        let work = Work {
            sweeps: found.history.len(),
            samples: (n * (found.evaluations + 1)) as u64,
            starts: found.starts,
        };
        let mut history: Vec<f64> = found.history.iter().map(|e| e.sqrt()).collect();
        history.push(evidence.rel_residual);
        Ok(Fit {
            model: LearnedTwoLayer { network, report },
            status,
            history,
            work,
            evidence,
        })
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
            let op = "TwoLayerLearner::learn (targets)";
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

/// Samples in random order, the inputs divided by their root mean square.
struct Prepared {
    inputs: Mat<f64>,
    targets: Vec<f64>,
    scale: f64,
    held: usize,
    rounding: f64,
}

impl Prepared {
    fn of(x: MatRef<'_, f64>, y: &[f64], held: f64, rng: &mut impl Rng) -> Result<Self, Error> {
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

    fn range(&self, from: usize, to: usize) -> Result<super::sample::Sample, Error> {
        let d = self.inputs.ncols();
        let x = Mat::from_fn(to - from, d, |i, j| self.inputs[(from + i, j)] / self.scale);
        super::sample::Sample::new(x, self.targets[from..to].to_vec(), &[0])
    }

    fn all(&self) -> Result<super::sample::Sample, Error> {
        self.range(0, self.targets.len())
    }

    fn train(&self) -> Result<super::sample::Sample, Error> {
        self.range(self.held, self.targets.len())
    }

    fn aside(&self) -> Result<super::sample::Sample, Error> {
        self.range(0, self.held)
    }
}
