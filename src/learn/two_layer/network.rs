//! The network, its values, and the exact distance of two of them under Gaussian inputs.

use super::activation::PolynomialActivation;
use crate::Error;
use crate::error::quoted;
use crate::io::model::{Header, ModelFile};
use crate::learn::predictor::TWO_LAYER;
use crate::linalg::norm2;
use faer::{Mat, MatRef};
use serde_json::{Map, Value, json};

/// `f(x) = constant + sum_i c_i sigma(<w_i, x>)`.
///
/// Invariant: as many coefficients as rows of `weights`; all numbers finite.
///
/// For an odd leading power, `c_i` and `w_i -> s w_i` trade against each other when `sigma` is one power only;
/// for an even activation the sign of every `w_i` is free. Compare functions, not weights.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::learn::two_layer::{PolynomialActivation, TwoLayerNetwork};
/// let f = TwoLayerNetwork::plain(PolynomialActivation::parse("He3")?, mat![[1.0, 0.0]])?;
/// assert!((f.evaluate(mat![[2.0, 5.0]].as_ref())?[0] - 2.0).abs() < 1e-12); // 2^3 - 3 * 2
/// assert!((f.spectrum()[3] - 1.0).abs() < 1e-12); // all of its variance is in degree three
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TwoLayerNetwork {
    activation: PolynomialActivation,
    constant: f64,
    coefficients: Vec<f64>,
    weights: Mat<f64>,
}

impl TwoLayerNetwork {
    /// A network from its parts; `weights` is `r x d`, one neuron a row.
    ///
    /// # Errors
    /// `Shape` when there are not `r` coefficients; `NonFinite`.
    pub fn new(
        activation: PolynomialActivation,
        constant: f64,
        coefficients: Vec<f64>,
        weights: Mat<f64>,
    ) -> Result<Self, Error> {
        let op = "TwoLayerNetwork::new";
        if coefficients.len() != weights.nrows() {
            let expected = format!("{} coefficients", weights.nrows());
            return Err(Error::shape(op, expected, coefficients.len().to_string()));
        }
        let entries = (0..weights.ncols()).flat_map(|j| weights.col_as_slice(j).iter());
        let mut all = std::iter::once(&constant)
            .chain(&coefficients)
            .chain(entries);
        if let Some(index) = all.position(|v| !v.is_finite()) {
            return Err(Error::NonFinite { op, index });
        }
        Ok(Self {
            activation,
            constant,
            coefficients,
            weights,
        })
    }

    /// `sum_i sigma(<w_i, x>)`.
    ///
    /// # Errors
    /// `NonFinite`.
    pub fn plain(activation: PolynomialActivation, weights: Mat<f64>) -> Result<Self, Error> {
        let ones = vec![1.0; weights.nrows()];
        Self::new(activation, 0.0, ones, weights)
    }

    /// The activation.
    pub fn activation(&self) -> &PolynomialActivation {
        &self.activation
    }

    /// The constant.
    pub fn constant(&self) -> f64 {
        self.constant
    }

    /// The outer coefficients.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The weights, one neuron a row.
    pub fn weights(&self) -> MatRef<'_, f64> {
        self.weights.as_ref()
    }

    /// Number of inputs.
    pub fn input_dim(&self) -> usize {
        self.weights.ncols()
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.weights.nrows()
    }

    /// The values at the rows of `x`.
    ///
    /// # Shapes
    /// `x` is `n x d`.
    ///
    /// # Errors
    /// `Shape`; `NonFinite` when a value overflows.
    ///
    /// # Complexity
    /// `O(n d r)`; memory `O(n + 1024 r)`.
    /// Here `r` is the number of neurons.
    pub fn evaluate(&self, x: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        let op = "TwoLayerNetwork::evaluate";
        if x.ncols() != self.input_dim() {
            let expected = format!("samples with {} entries", self.input_dim());
            return Err(Error::shape(op, expected, x.ncols().to_string()));
        }
        let mut values = Vec::with_capacity(x.nrows());
        for from in (0..x.nrows()).step_by(1024) {
            let rows = x.subrows(from, 1024.min(x.nrows() - from));
            let z = &self.weights * rows.transpose();
            for j in 0..z.ncols() {
                let parts = z.col_as_slice(j).iter().zip(&self.coefficients);
                let sum: f64 = parts.map(|(&z, c)| c * self.activation.at(z).0).sum();
                values.push(self.constant + sum);
            }
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(Error::NonFinite { op, index }),
            None => Ok(values),
        }
    }

    /// Energies of the difference `f - g` by degree for `x ~ N(0, I)`, and those of `f` alone: exact, no samples.
    ///
    /// ```text
    /// E (f - g)^2 = sum_k k! || sum_i c_i b_k(|w_i|) w_i^k - sum_j c'_j b_k(|w'_j|) w'_j^k ||_F^2
    /// ```
    ///
    /// where every norm is a sum of powers of inner products.
    fn energies(&self, other: &Self) -> (Vec<f64>, Vec<f64>) {
        let parts = |n: &Self| -> Vec<Vec<f64>> {
            (0..n.neurons())
                .map(|i| {
                    let row: Vec<f64> = n.weights.row(i).iter().copied().collect();
                    let b = n.activation.hermite(norm2(&row));
                    b.iter().map(|b| n.coefficients[i] * b).collect()
                })
                .collect()
        };
        let (here, there) = (parts(self), parts(other));
        let inner = |a: &Self, pa: &[Vec<f64>], b: &Self, pb: &[Vec<f64>], k: usize| -> f64 {
            let gram = &a.weights * b.weights.transpose();
            let at = |p: &[Vec<f64>], i: usize| p[i].get(k).copied().unwrap_or(0.0);
            (0..b.neurons())
                .flat_map(|j| (0..a.neurons()).map(move |i| (i, j)))
                .map(|(i, j)| at(pa, i) * at(pb, j) * gram[(i, j)].powi(k as i32))
                .sum()
        };
        let top = self.activation.degree().max(other.activation.degree());
        let mut factorial = 1.0;
        let (mut gap, mut own) = (Vec::new(), Vec::new());
        for k in 0..=top {
            factorial *= (k as f64).max(1.0);
            let shift = |n: &Self| if k == 0 { n.constant } else { 0.0 };
            let ff = inner(self, &here, self, &here, k);
            let fg = inner(self, &here, other, &there, k);
            let gg = inner(other, &there, other, &there, k);
            let (f, g) = (shift(self), shift(other));
            if k == 0 {
                // Constants: sums of b_0, no tensor.
                let sum = |p: &[Vec<f64>]| p.iter().map(|b| b[0]).sum::<f64>();
                let (a, b) = (f + sum(&here), g + sum(&there));
                gap.push((a - b) * (a - b));
                own.push(a * a);
            } else {
                gap.push((factorial * (ff - 2.0 * fg + gg)).max(0.0));
                own.push(factorial * ff);
            }
        }
        (gap, own)
    }

    /// `E (f - g)^2 / Var f` for `x ~ N(0, I)`, `f` this network and `g` the other: the relative test error of `g`,
    /// equal to the relative error of their Hermite tensors, without a test sample.
    ///
    /// # Errors
    /// `Shape` when the numbers of inputs differ; `Degenerate` when this network is constant.
    ///
    /// # Complexity
    /// `O((r + r')^2 (d + m))`.
    /// Here `m` is the degree, `d` the number of inputs and `r` the number of neurons.
    ///
    /// # Accuracy
    /// Absolute error of order `eps`: the three inner products cancel, so values below `1e-14` mean zero.
    ///
    /// # Source
    /// Mondelli and Montanari, On the connection between learning two-layers neural networks and tensor
    /// decomposition (2018), generalised to all degrees and lengths.
    pub fn test_error(&self, other: &Self) -> Result<f64, Error> {
        let op = "TwoLayerNetwork::test_error";
        if self.input_dim() != other.input_dim() {
            let expected = format!("{} inputs", self.input_dim());
            return Err(Error::shape(op, expected, other.input_dim().to_string()));
        }
        let (gap, own) = self.energies(other);
        let variance: f64 = own[1..].iter().sum();
        if !(variance > 0.0) {
            let hypothesis = "a network that is not constant (variance)";
            return Err(Error::degenerate(op, hypothesis, variance));
        }
        Ok(gap.iter().sum::<f64>() / variance)
    }

    /// The share of the variance in each degree `0..=m` for `x ~ N(0, I)`; the constant counts in degree 0.
    pub fn spectrum(&self) -> Vec<f64> {
        let own = self.energies(self).1;
        let total: f64 = own.iter().sum();
        own.iter()
            .map(|e| e / total.max(f64::MIN_POSITIVE))
            .collect()
    }

    /// A model file with this network. Coefficients and constant are written only where they are not one and
    /// zero.
    pub fn to_model(&self, header: Header) -> ModelFile {
        let row = |i: usize| self.weights.row(i).iter().copied().collect::<Vec<f64>>();
        let rows: Vec<Vec<f64>> = (0..self.neurons()).map(row).collect();
        let mut body = Map::new();
        body.insert("input_dim".into(), json!(self.input_dim()));
        body.insert("activation".into(), json!(self.activation.coefficients()));
        body.insert("weights".into(), json!(rows));
        if self.coefficients.iter().any(|c| *c != 1.0) {
            body.insert("coefficients".into(), json!(self.coefficients));
        }
        if self.constant != 0.0 {
            body.insert("constant".into(), json!(self.constant));
        }
        let schema = TWO_LAYER.into();
        ModelFile {
            header: Header { schema, ..header },
            body,
        }
    }

    /// The network in a model file.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry that is missing or wrong.
    pub fn from_model(file: &ModelFile) -> Result<Self, Error> {
        let op = "TwoLayerNetwork::from_model";
        if file.header.schema != TWO_LAYER {
            let found = quoted(&file.header.schema);
            let text = format!("schema: expected {TWO_LAYER}, found {found}");
            return Err(Error::invalid(op, text));
        }
        let d = file.size(op, "input_dim")?;
        let length = |key: &str| {
            let list = file.body.get(key).and_then(Value::as_array);
            list.map_or(0, Vec::len)
        };
        let activation = file.numbers(op, "activation", &[length("activation")])?;
        let r = length("weights");
        let weights = file.numbers(op, "weights", &[r, d])?;
        let coefficients = match file.body.get("coefficients") {
            Some(_) => file.numbers(op, "coefficients", &[r])?,
            None => vec![1.0; r],
        };
        let constant = match file.body.get("constant") {
            Some(_) => file.numbers(op, "constant", &[])?[0],
            None => 0.0,
        };
        let activation = PolynomialActivation::new(activation)
            .map_err(|e| Error::invalid(op, format!("activation: {e}")))?;
        let weights = MatRef::from_row_major_slice(&weights, r, d).to_owned();
        Self::new(activation, constant, coefficients, weights)
    }
}
