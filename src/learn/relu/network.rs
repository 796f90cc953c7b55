//! The network as a user meets it, and its two normal forms.

use crate::Error;
use crate::linalg::norm2;
use faer::MatRef;

/// What a neuron does with `<weight, x>`.
///
/// See [`ReluNetwork`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rectifier {
    /// `max(z, 0)`.
    Relu,
    /// `|z|`.
    Abs,
}

impl Rectifier {
    /// The activation at `z`.
    pub fn at(self, z: f64) -> f64 {
        match self {
            Self::Relu => z.max(0.0),
            Self::Abs => z.abs(),
        }
    }

    /// The word in model files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Abs => "abs",
        }
    }

    /// The activation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Relu, Self::Abs]
            .into_iter()
            .find(|a| a.name() == name)
    }
}

/// `coefficient * activation(<weight, x> + offset)`.
///
/// See [`ReluNetwork`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Neuron {
    /// The outer weight.
    pub coefficient: f64,
    /// The inner weight, one entry per input.
    pub weight: Vec<f64>,
    /// The inner constant; 0 unless offsets were asked for.
    pub offset: f64,
    /// The activation.
    pub activation: Rectifier,
}

impl Neuron {
    /// The neuron's value at `x`.
    pub fn at(&self, x: &[f64]) -> f64 {
        self.coefficient * self.activation.at(dot(&self.weight, x) + self.offset)
    }
}

/// `f(x) = constant + <linear, x> + sum_i coefficient_i * activation_i(<weight_i, x> + offset_i)`.
///
/// Invariant: every weight has as many entries as `linear`, and all numbers are finite.
///
/// # What is not unique
/// * `relu(z) = (|z| + z) / 2`, so each relu is half an abs neuron and a linear part; `w` and `-w` are the
///   same abs neuron, and `relu(z) - relu(-z) = z` is linear.
/// * With `linear = sum_i c_i w_i` an abs neuron `b |z|` is `(b + c) relu(z) + (b - c) relu(-z)`: one relu
///   exactly when `|c| = |b|`. When the `w_i` are dependent the `c_i` are not unique and neither is the
///   number of relus; only `f` is. Compare functions, never weights.
/// * `coefficient * activation(weight)` is unchanged when a positive factor moves between the two.
///
/// # Example
/// ```
/// use wickring::learn::relu::{Neuron, Rectifier, ReluNetwork};
/// let weight = vec![1.0, -1.0];
/// let neuron = Neuron { coefficient: 1.0, weight, offset: 0.0, activation: Rectifier::Abs };
/// let f = ReluNetwork::new(0.0, vec![0.0, 0.0], vec![neuron])?; // |x - y|
/// assert_eq!((f.at(&[1.0, 3.0]), f.to_relu().at(&[1.0, 3.0])), (2.0, 2.0));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReluNetwork {
    constant: f64,
    linear: Vec<f64>,
    neurons: Vec<Neuron>,
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

impl ReluNetwork {
    /// A network from its parts.
    ///
    /// # Errors
    /// `Shape` when a weight does not have as many entries as `linear`; `NonFinite`, with the index counted
    /// over `constant, linear, (coefficient, weight, offset)...`.
    pub fn new(constant: f64, linear: Vec<f64>, neurons: Vec<Neuron>) -> Result<Self, Error> {
        let op = "ReluNetwork::new";
        for (i, neuron) in neurons.iter().enumerate() {
            if neuron.weight.len() != linear.len() {
                let expected = format!("weight {i} with {} entries", linear.len());
                return Err(Error::shape(op, expected, neuron.weight.len().to_string()));
            }
        }
        let parts = neurons.iter().flat_map(|n| {
            let ends = (std::iter::once(&n.coefficient), std::iter::once(&n.offset));
            ends.0.chain(&n.weight).chain(ends.1)
        });
        let mut all = std::iter::once(&constant).chain(&linear).chain(parts);
        if let Some(index) = all.position(|v| !v.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        Ok(Self {
            constant,
            linear,
            neurons,
        })
    }

    /// The constant.
    pub fn constant(&self) -> f64 {
        self.constant
    }

    /// The linear part, one entry per input.
    pub fn linear(&self) -> &[f64] {
        &self.linear
    }

    /// The neurons.
    pub fn neurons(&self) -> &[Neuron] {
        &self.neurons
    }

    /// Number of inputs.
    pub fn input_dim(&self) -> usize {
        self.linear.len()
    }

    /// The value at `x`; entries that are missing or too many are ignored. `O(d (k + 1))`.
    pub fn at(&self, x: &[f64]) -> f64 {
        let neurons: f64 = self.neurons.iter().map(|n| n.at(x)).sum();
        self.constant + dot(&self.linear, x) + neurons
    }

    /// The values at the rows of `x`.
    ///
    /// # Shapes
    /// `x` is `n x d`.
    ///
    /// # Errors
    /// `Shape` when `x` does not have `d` columns; `NonFinite` when a value is not finite.
    ///
    /// # Complexity
    /// `O(n d (k + 1))` time, `O(n + d)` memory.
    /// Here `k` is the number of neurons.
    pub fn evaluate(&self, x: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        let op = "ReluNetwork::evaluate";
        let d = self.input_dim();
        if x.ncols() != d {
            let expected = format!("samples with {d} entries");
            return Err(Error::shape(op, expected, x.ncols().to_string()));
        }
        let mut row = vec![0.0; d];
        let mut values = Vec::with_capacity(x.nrows());
        for i in 0..x.nrows() {
            row.iter_mut().enumerate().for_each(|(j, r)| *r = x[(i, j)]);
            let value = self.at(&row);
            if !value.is_finite() {
                return Err(Error::NonFinite { op, index: i });
            }
            values.push(value);
        }
        Ok(values)
    }

    /// The same function with abs neurons only: `relu(z) = |z| / 2 + z / 2`.
    pub fn to_abs(&self) -> Self {
        let mut out = self.clone();
        for neuron in &mut out.neurons {
            if neuron.activation == Rectifier::Relu {
                let half = neuron.coefficient / 2.0;
                out.constant += half * neuron.offset;
                for (l, w) in out.linear.iter_mut().zip(&neuron.weight) {
                    *l += half * w;
                }
                neuron.coefficient = half;
                neuron.activation = Rectifier::Abs;
            }
        }
        out
    }

    /// The same function with relu neurons only and as many of them: `|z| = 2 relu(z) - z`, or
    /// `2 relu(-z) + z`; the side is chosen neuron by neuron so that little linear part is left over.
    ///
    /// If the function is a sum of relus with independent weights, the linear part left over is zero up to
    /// rounding and the relus are those of that sum.
    pub fn to_relu(&self) -> Self {
        let mut out = self.clone();
        let sides = relu_sides(self);
        for (neuron, side) in out.neurons.iter_mut().zip(sides) {
            if neuron.activation == Rectifier::Abs {
                let b = neuron.coefficient;
                out.constant -= side * b * neuron.offset;
                for (l, w) in out.linear.iter_mut().zip(&mut neuron.weight) {
                    *l -= side * b * *w;
                    *w *= side;
                }
                neuron.offset *= side;
                neuron.coefficient = 2.0 * b;
                neuron.activation = Rectifier::Relu;
            }
        }
        out
    }

    /// The linear part's length relative to the length that the neurons alone account for; 0 for a network
    /// without linear part.
    pub fn linear_share(&self) -> f64 {
        let size = |n: &Neuron| n.coefficient.abs() * norm2(&n.weight);
        let sizes: Vec<f64> = self.neurons.iter().map(size).collect();
        let (linear, neurons) = (norm2(&self.linear), norm2(&sizes));
        if linear == 0.0 {
            0.0
        } else {
            // Halves, so that the sum of two finite numbers stays finite.
            (linear / 2.0) / norm2(&[linear / 2.0, neurons / 2.0])
        }
    }
}

/// For each abs neuron, on which side of its kink a relu should stand: the sign of `c_i / b_i` in the least
/// squares solution of `linear = sum c_i w_i`; then sides are flipped one at a time while that shortens
/// the linear part left over (needed when the weights are dependent).
fn relu_sides(network: &ReluNetwork) -> Vec<f64> {
    let abs: Vec<usize> = (0..network.neurons.len())
        .filter(|&i| network.neurons[i].activation == Rectifier::Abs)
        .collect();
    let mut sides = vec![1.0; network.neurons.len()];
    let d = network.input_dim();
    if abs.is_empty() || d == 0 {
        return sides;
    }
    if abs.len() <= d {
        let w = faer::Mat::from_fn(d, abs.len(), |i, j| network.neurons[abs[j]].weight[i]);
        let l = faer::Mat::from_fn(d, 1, |i, _| network.linear[i]);
        if let Ok(c) = crate::linalg::lstsq("ReluNetwork::to_relu", w.as_ref(), l.as_ref()) {
            for (j, &i) in abs.iter().enumerate() {
                if c[(j, 0)] * network.neurons[i].coefficient < 0.0 {
                    sides[i] = -1.0;
                }
            }
        }
    }
    let left = |sides: &[f64]| -> f64 {
        let mut l = network.linear.clone();
        for &i in &abs {
            let n = &network.neurons[i];
            for (l, w) in l.iter_mut().zip(&n.weight) {
                *l -= sides[i] * n.coefficient * w;
            }
        }
        norm2(&l)
    };
    let mut best = left(&sides);
    for _ in 0..abs.len() {
        let mut flipped = None;
        for &i in &abs {
            sides[i] = -sides[i];
            let now = left(&sides);
            sides[i] = -sides[i];
            if now < best * (1.0 - 1e-9) {
                (best, flipped) = (now, Some(i));
            }
        }
        match flipped {
            Some(i) => sides[i] = -sides[i],
            None => break,
        }
    }
    sides
}
