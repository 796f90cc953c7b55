//! Any learned function, evaluated: what `predict` runs.

use super::relu::network::ReluNetwork;
use super::two_layer::network::TwoLayerNetwork;
use crate::Error;
use crate::error::quoted;
use crate::io::POLYNOMIAL_MAP;
use crate::io::model::{ModelFile, QUADRATIC_MAP};
use crate::tensor::{PolynomialMap, QuadraticMap};
use faer::MatRef;

/// Schema of two-layer networks with one activation.
pub(super) const TWO_LAYER: &str = "wickring/two-layer/1";
/// Schema of narrow relu networks.
pub(super) const RELU_NETWORK: &str = "wickring/relu-network/1";

/// A function read from a model file, from rows of inputs to rows of outputs.
///
/// # Example
/// ```
/// use faer::mat;
/// use wickring::Status;
/// use wickring::io::model::Header;
/// use wickring::learn::Predictor;
/// use wickring::learn::two_layer::{PolynomialActivation, TwoLayerNetwork};
/// let square = PolynomialActivation::parse("x^2")?;
/// let network = TwoLayerNetwork::plain(square, mat![[1.0, 1.0]])?;
/// let (schema, status, inputs) = (String::new(), Status::Converged, Vec::new());
/// let header = Header { schema, seed: 0, status, inputs, report: serde_json::Value::Null };
/// let read = Predictor::from_model(&network.to_model(header))?;
/// assert!((read.evaluate(mat![[1.0, 2.0]].as_ref())?[0] - 9.0).abs() < 1e-12);
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Predictor {
    kind: Kind,
    inputs: usize,
    outputs: usize,
}

#[derive(Clone, Debug)]
enum Kind {
    Relu(ReluNetwork),
    Quadratic(QuadraticMap),
    TwoLayer(TwoLayerNetwork),
    Polynomial(PolynomialMap),
}

impl Predictor {
    /// The function in a model file.
    ///
    /// # Errors
    /// `InvalidInput` when the schema is not that of a function, or naming the entry that is wrong.
    pub fn from_model(file: &ModelFile) -> Result<Self, Error> {
        let op = "Predictor::from_model";
        let (kind, inputs, outputs) = match file.header.schema.as_str() {
            RELU_NETWORK => {
                let network = ReluNetwork::from_model(file)?;
                let inputs = network.input_dim();
                (Kind::Relu(network), inputs, 1)
            }
            QUADRATIC_MAP => {
                let map = file.quadratic_map()?;
                let (inputs, outputs) = (map.latent_dim(), map.output_dim());
                (Kind::Quadratic(map), inputs, outputs)
            }
            TWO_LAYER => {
                let network = TwoLayerNetwork::from_model(file)?;
                let inputs = network.input_dim();
                (Kind::TwoLayer(network), inputs, 1)
            }
            POLYNOMIAL_MAP => {
                let map = file.polynomial_map()?;
                let (inputs, outputs) = (map.latent_dim(), map.output_dim());
                (Kind::Polynomial(map), inputs, outputs)
            }
            other => {
                let known = [RELU_NETWORK, TWO_LAYER, QUADRATIC_MAP, POLYNOMIAL_MAP].join(", ");
                let found = quoted(other);
                return Err(Error::invalid(
                    op,
                    format!("schema: expected one of {known}, found {found}"),
                ));
            }
        };
        Ok(Self {
            kind,
            inputs,
            outputs,
        })
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The outputs at the rows of `x`, row after row.
    ///
    /// # Shapes
    /// `x` is `n x inputs`; the result has `n * outputs` entries.
    ///
    /// # Errors
    /// `Shape`; `NonFinite` (index into the result) when a value overflows.
    ///
    /// # Complexity
    /// `O(n)` times the size of the model; memory `O(n * outputs)`.
    pub fn evaluate(&self, x: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
        let op = "Predictor::evaluate";
        if x.ncols() != self.inputs {
            let expected = format!(
                "samples with {} entries, as the model has inputs",
                self.inputs
            );
            return Err(Error::shape(op, expected, x.ncols().to_string()));
        }
        let values: Vec<f64> = match &self.kind {
            Kind::Relu(network) => network.evaluate(x)?,
            Kind::Quadratic(map) => {
                let z = map.eval(x)?;
                (0..x.nrows())
                    .flat_map(|i| (0..self.outputs).map(move |j| (i, j)))
                    .map(|at| z[at])
                    .collect()
            }
            Kind::TwoLayer(network) => network.evaluate(x)?,
            Kind::Polynomial(map) => {
                let z = map.eval(x)?;
                (0..x.nrows())
                    .flat_map(|i| (0..self.outputs).map(move |j| (i, j)))
                    .map(|at| z[at])
                    .collect()
            }
        };
        match values.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(Error::NonFinite { op, index }),
            None => Ok(values),
        }
    }
}
