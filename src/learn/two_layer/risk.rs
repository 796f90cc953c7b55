//! Empirical risk: descent from a small start, and Gauss-Newton to the end.
//!
//! The descent looks at the top degree alone: with `P` the projection off all polynomials of lower degree,
//!
//! ```text
//! F(U) = || P (y - a_m sum_i s_i <u_i, x>^m) ||^2
//! ```
//!
//! has no lower-degree terms to be drawn to from a small start, whatever the law of the inputs, and its exact
//! minimum is the network's top tensor. The network itself is then polished from there.

use super::activation::PolynomialActivation;
use super::network::TwoLayerNetwork;
use super::sample::Sample;
use super::watch::Watch;
use crate::Error;
use crate::linalg::Scalar;
use crate::linalg::small::{axpy, dot, norm_sq};
use crate::optim::lbfgs_wolfe::descend;
use crate::run::Observer;
use faer::{Mat, MatMut, MatRef};

/// Relative squared error at which Gauss-Newton takes over.
const BASIN: f64 = 1e-7;
/// Length of the starting weights against the final ones.
const SMALL: f64 = 0.1;

/// `y ~ low + sum_i c_i phi(<w_i, x>)` on a sample.
pub(super) struct Risk<'a> {
    pub sample: &'a Sample,
    pub phi: &'a PolynomialActivation,
}

/// Weights (`r x d`, columns one after the other) and outer coefficients.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub weights: Vec<f64>,
    pub coefficients: Vec<f64>,
}

impl Point {
    pub fn neurons(&self) -> usize {
        self.coefficients.len()
    }

    /// The weights, one neuron a row.
    pub fn rows(&self, d: usize) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.weights, self.neurons(), d)
    }
}

/// The end of a descent: relative squared errors, index 0 at the start.
pub(super) struct Trace {
    pub errors: Vec<f64>,
    pub evaluations: usize,
}

impl Risk<'_> {
    fn scale(&self) -> f64 {
        let mut y = self.sample.y.clone();
        self.sample.project(&mut y);
        norm_sq(&y).max(f64::MIN_POSITIVE)
    }

    /// `<w_i, x_k>` at `(k, i)`.
    fn inner(&self, weights: &[f64], r: usize) -> Mat<f64> {
        let w = MatRef::from_column_major_slice(weights, r, self.sample.dim());
        &self.sample.x * w.transpose()
    }

    /// The residual, and `c_i phi'(z)` and `phi(z)` at every sample.
    fn forward(&self, at: &Point) -> (Vec<f64>, Mat<f64>, Mat<f64>) {
        let r = at.neurons();
        let mut slopes = self.inner(&at.weights, r);
        let mut values = Mat::zeros(slopes.nrows(), r);
        let mut residual = self.sample.y.clone();
        for i in 0..r {
            let c = at.coefficients[i];
            let column = slopes.col_as_slice_mut(i).iter_mut();
            let out = values.col_as_slice_mut(i).iter_mut();
            for ((z, v), e) in column.zip(out).zip(&mut residual) {
                let (value, slope) = self.phi.at(*z);
                (*v, *z) = (value, c * slope);
                *e -= c * value;
            }
        }
        self.sample.project(&mut residual);
        (residual, slopes, values)
    }

    /// The residual at a point.
    pub fn residual(&self, at: &Point) -> Vec<f64> {
        self.forward(at).0
    }

    /// `J' e` for the weights.
    fn pull_back(&self, slopes: &Mat<f64>, e: &[f64], out: &mut [f64]) {
        let mut weighted = slopes.clone();
        for i in 0..weighted.ncols() {
            let column = weighted.col_as_slice_mut(i).iter_mut();
            column.zip(e).for_each(|(s, e)| *s *= e);
        }
        let to = MatMut::from_column_major_slice_mut(out, slopes.ncols(), self.sample.dim());
        f64::gemm(to, false, weighted.transpose(), self.sample.x.as_ref(), 1.0);
    }

    /// A start of `r` neurons of a tenth of the length that explains the targets.
    pub fn small_start(&self, r: usize, signs: &[f64], normal: &mut dyn FnMut() -> f64) -> Point {
        let (n, d) = (self.sample.len() as f64, self.sample.dim());
        let m = self.phi.degree() as i32;
        let energy: f64 = (0..d)
            .map(|j| norm_sq(self.sample.x.col_as_slice(j)))
            .sum::<f64>()
            / (n * d as f64);
        // r neurons a_m z^m of length u have the variance r a_m^2 m! (u^2 E x^2)^m.
        let factorial: f64 = (1..=m).map(f64::from).product();
        let variance = self.scale() / n;
        let power = variance / (r as f64 * self.phi.leading().powi(2) * factorial);
        let length = power.powf(0.5 / f64::from(m)) / energy.max(f64::MIN_POSITIVE).sqrt();
        let size = SMALL * length / (d as f64).sqrt();
        Point {
            weights: (0..r * d).map(|_| size * normal()).collect(),
            coefficients: signs.to_vec(),
        }
    }

    /// L-BFGS over the weights from `start`.
    pub fn descend(
        &self,
        at: &mut Point,
        steps: usize,
        stop: &mut dyn FnMut(f64) -> bool,
    ) -> Trace {
        let scale = self.scale();
        let mut here = at.clone();
        let mut f = |w: &[f64], g: &mut [f64]| {
            here.weights.copy_from_slice(w);
            let (residual, slopes, _) = self.forward(&here);
            self.pull_back(&slopes, &residual, g);
            g.iter_mut().for_each(|v| *v *= -2.0 / scale);
            norm_sq(&residual) / scale
        };
        let mut done = |values: &[f64]| settled(values) || stop(values[values.len() - 1]);
        let run = descend(&mut at.weights, steps, &mut f, &mut done);
        Trace {
            errors: run.values,
            evaluations: run.evaluations,
        }
    }

    /// Levenberg-Marquardt over the weights and, if `free`, the coefficients; steps by conjugate gradients.
    ///
    /// `watch` is asked before every step and every product of it.
    pub fn polish(&self, at: &mut Point, free: bool, steps: usize, watch: &mut Watch<'_>) -> Trace {
        let scale = self.scale();
        let (mut residual, mut slopes, mut values) = self.forward(at);
        let mut error = norm_sq(&residual);
        let mut trace = Trace {
            errors: vec![error / scale],
            evaluations: 1,
        };
        let mut damping = 1e-3 * (error / scale).min(1.0);
        for k in 0..steps {
            let far = (error / scale).sqrt();
            let products = &mut trace.evaluations;
            let mut stops = || {
                *products += 1;
                watch.stops("polish", k, steps, far)
            };
            let tangent = Tangent {
                risk: self,
                slopes: &slopes,
                values: free.then_some(&values),
            };
            let step = tangent.step(&residual, damping, far, &mut stops);
            if watch.stopped {
                break;
            }
            let mut trial = at.clone();
            axpy(&mut trial.weights, 1.0, &step[..at.weights.len()]);
            if free {
                axpy(&mut trial.coefficients, 1.0, &step[at.weights.len()..]);
            }
            let next = self.forward(&trial);
            let size = norm_sq(&next.0);
            trace.evaluations += 1;
            if size < error {
                let gain = 1.0 - size / error;
                *at = trial;
                (residual, slopes, values) = next;
                error = size;
                trace.errors.push(error / scale);
                damping = (0.2 * damping).max(1e-15);
                if error <= 1e-29 * scale || gain < 1e-9 {
                    break;
                }
            } else {
                damping *= 5.0;
                if damping > 1e3 || norm_sq(&step) <= 1e-30 * norm_sq(&at.weights) {
                    break;
                }
            }
        }
        trace
    }
}

/// The linearised network at a point.
struct Tangent<'a> {
    risk: &'a Risk<'a>,
    slopes: &'a Mat<f64>,
    values: Option<&'a Mat<f64>>,
}

impl Tangent<'_> {
    fn forward(&self, v: &[f64]) -> Vec<f64> {
        let r = self.slopes.ncols();
        let split = r * self.risk.sample.dim();
        let inner = self.risk.inner(&v[..split], r);
        let mut out = vec![0.0; self.risk.sample.len()];
        for i in 0..r {
            let parts = inner
                .col_as_slice(i)
                .iter()
                .zip(self.slopes.col_as_slice(i));
            out.iter_mut()
                .zip(parts)
                .for_each(|(o, (z, s))| *o += z * s);
            if let Some(values) = self.values {
                axpy(&mut out, v[split + i], values.col_as_slice(i));
            }
        }
        self.risk.sample.project(&mut out);
        out
    }

    fn back(&self, e: &[f64]) -> Vec<f64> {
        let split = self.slopes.ncols() * self.risk.sample.dim();
        let mut out = vec![0.0; split];
        self.risk.pull_back(self.slopes, e, &mut out);
        if let Some(values) = self.values {
            out.extend((0..values.ncols()).map(|i| dot(values.col_as_slice(i), e)));
        }
        out
    }

    /// `(J'J + damping D)^-1 J' e` with `D` the diagonal of `J'J`, in whose scale the iteration runs.
    fn step(
        &self,
        residual: &[f64],
        damping: f64,
        far: f64,
        stops: &mut dyn FnMut() -> bool,
    ) -> Vec<f64> {
        let x = &self.risk.sample.x;
        let d = x.ncols();
        let squares: Vec<f64> = (0..d)
            .map(|j| norm_sq(x.col_as_slice(j)) / x.nrows() as f64)
            .collect();
        let mean = |m: &Mat<f64>, i: usize| norm_sq(m.col_as_slice(i));
        let r = self.slopes.ncols();
        let mut unit: Vec<f64> = Vec::with_capacity((d + 1) * r);
        for square in &squares {
            unit.extend((0..r).map(|i| square * mean(self.slopes, i)));
        }
        if let Some(values) = self.values {
            unit.extend((0..r).map(|i| mean(values, i)));
        }
        for u in &mut unit {
            *u = if *u > 0.0 { u.sqrt().recip() } else { 0.0 };
        }
        let scaled = |mut v: Vec<f64>| {
            v.iter_mut().zip(&unit).for_each(|(v, u)| *v *= u);
            v
        };
        let mut rest = scaled(self.back(residual));
        let mut out = vec![0.0; rest.len()];
        let mut direction = rest.clone();
        let mut size = norm_sq(&rest);
        let tol = (0.3 * far).clamp(1e-9, 0.1);
        let goal = tol * tol * size;
        for _ in 0..300 {
            if !(size > goal) || stops() {
                break;
            }
            let image = self.forward(&scaled(direction.clone()));
            let curvature = norm_sq(&image) + damping * norm_sq(&direction);
            if !(curvature > 0.0) {
                break;
            }
            let a = size / curvature;
            axpy(&mut out, a, &direction);
            axpy(&mut rest, -a, &scaled(self.back(&image)));
            axpy(&mut rest, -a * damping, &direction);
            let next = norm_sq(&rest);
            let b = next / size;
            let pairs = direction.iter_mut().zip(&rest);
            pairs.for_each(|(d, r)| *d = b * *d + r);
            size = next;
        }
        scaled(out)
    }
}

/// Whether a descent may end: at the edge of the basin of an exact fit, or without progress.
fn settled(values: &[f64]) -> bool {
    let now = values.len() - 1;
    if values[now] <= BASIN {
        return true;
    }
    let back = 60 + now / 10;
    now > back + 40 && values[now] < 0.9 && values[now] > values[now - back] * 0.999
}

impl TwoLayerNetwork {
    /// Descends on the empirical risk from this network: at most `steps` Gauss-Newton steps over weights and constant.
    ///
    /// From near the truth this is what the samples tell whatever the search, the floor that learners are held
    /// against; from a learnt network it follows new samples.
    ///
    /// # Shapes
    /// `x` is `n x d`, `y` has `n` entries.
    ///
    /// # Errors
    /// `Shape`; `InvalidInput` for less than two samples; `NonFinite`; `Backend`.
    ///
    /// # Complexity
    /// Each step some dozen products of `O(n d r)`.
    /// Here `r` is the number of neurons.
    ///
    /// # Example
    /// ```
    /// use faer::Mat;
    /// use wickring::learn::two_layer::{PolynomialActivation, TwoLayerNetwork};
    /// let sigma = PolynomialActivation::parse("x^3")?;
    /// let truth = TwoLayerNetwork::plain(sigma.clone(), Mat::identity(2, 2))?;
    /// let x = Mat::from_fn(40, 2, |i, j| ((3 * i + 7 * j) as f64).sin());
    /// let y = truth.evaluate(x.as_ref())?;
    /// let near = TwoLayerNetwork::plain(sigma, Mat::from_fn(2, 2, |i, j| if i == j { 1.1 } else { 0.1 }))?;
    /// let back = near.refined(x.as_ref(), &y, 60, &mut wickring::run::unobserved)?;
    /// assert!(truth.test_error(&back)? < 1e-12);
    /// # Ok::<(), wickring::Error>(())
    /// ```
    pub fn refined(
        &self,
        x: MatRef<'_, f64>,
        y: &[f64],
        steps: usize,
        observe: Observer<'_>,
    ) -> Result<Self, Error> {
        let op = "TwoLayerNetwork::refined";
        let (n, d) = (x.nrows(), x.ncols());
        if n != y.len() || d != self.input_dim() {
            let expected = format!("{n} targets and inputs of {} columns", self.input_dim());
            return Err(Error::shape(op, expected, format!("{} and {d}", y.len())));
        }
        if n < 2 {
            return Err(Error::invalid(op, format!("two samples or more, got {n}")));
        }
        let rows = (0..n).flat_map(|i| (0..d).map(move |j| (i, j)));
        if let Some(index) = rows.enumerate().find(|(_, at)| !x[*at].is_finite()) {
            return Err(Error::NonFinite { op, index: index.0 });
        }
        if let Some(index) = y.iter().position(|v| !v.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        let sample = Sample::new(x.to_owned(), y.to_vec(), &[0])?;
        let risk = Risk {
            sample: &sample,
            phi: self.activation(),
        };
        let (r, weights) = (self.neurons(), self.weights());
        let mut at = Point {
            weights: (0..r * d).map(|c| weights[(c % r, c / r)]).collect(),
            coefficients: self.coefficients().to_vec(),
        };
        let _ = risk.polish(&mut at, false, steps, &mut Watch::new(observe));
        let of = |constant| {
            let (sigma, c) = (self.activation().clone(), at.coefficients.clone());
            Self::new(sigma, constant, c, at.rows(d).to_owned())
        };
        let values = of(0.0)?.evaluate(x)?;
        let gaps = y.iter().zip(&values).map(|(y, v)| y - v);
        of(gaps.sum::<f64>() / n.max(1) as f64)
    }
}
