//! Networks as model files, and reports as JSON.

use super::checks::{ClosePair, ReluReport};
use super::network::{Neuron, Rectifier, ReluNetwork};
use crate::Error;
use crate::error::quoted;
use crate::fit::Check;
use crate::io::model::{Header, ModelFile};
use crate::learn::predictor::RELU_NETWORK;
use serde_json::{Map, Value, json};

impl ReluNetwork {
    /// A model file with this network.
    pub fn to_model(&self, header: Header) -> ModelFile {
        let neuron = |n: &Neuron| {
            let mut entry = json!({
                "coefficient": n.coefficient,
                "weight": n.weight,
                "activation": n.activation.name(),
            });
            // The schema has no offsets; the key appears only where there is one.
            if n.offset != 0.0 {
                entry["offset"] = json!(n.offset);
            }
            entry
        };
        let mut body = Map::new();
        body.insert("input_dim".into(), json!(self.input_dim()));
        body.insert("constant".into(), json!(self.constant()));
        body.insert("linear".into(), json!(self.linear()));
        let neurons: Vec<Value> = self.neurons().iter().map(neuron).collect();
        body.insert("neurons".into(), Value::Array(neurons));
        let schema = RELU_NETWORK.into();
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
        let op = "ReluNetwork::from_model";
        if file.header.schema != RELU_NETWORK {
            let found = quoted(&file.header.schema);
            let text = format!("schema: expected {RELU_NETWORK}, found {found}");
            return Err(Error::invalid(op, text));
        }
        let d = file.size(op, "input_dim")?;
        let linear = match file.body.get("linear") {
            Some(_) => file.numbers(op, "linear", &[d])?,
            None => vec![0.0; d],
        };
        let constant = match file.body.get("constant") {
            Some(_) => file.numbers(op, "constant", &[])?[0],
            None => 0.0,
        };
        let listed = match file.body.get("neurons") {
            None => &Vec::new(),
            Some(Value::Array(listed)) => listed,
            Some(_) => return Err(Error::invalid(op, "neurons: expected an array")),
        };
        let neurons = listed.iter().enumerate().map(|(i, v)| neuron(op, i, v, d));
        Self::new(constant, linear, neurons.collect::<Result<_, _>>()?)
    }
}

fn neuron(op: &'static str, i: usize, value: &Value, d: usize) -> Result<Neuron, Error> {
    let wrong =
        |key: &str, what: &str| Error::invalid(op, format!("neurons[{i}].{key}: expected {what}"));
    let number = |v: &Value| v.as_f64().filter(|x| x.is_finite());
    let coefficient =
        number(&value["coefficient"]).ok_or_else(|| wrong("coefficient", "a finite number"))?;
    let offset = match &value["offset"] {
        Value::Null => 0.0,
        v => number(v).ok_or_else(|| wrong("offset", "a finite number"))?,
    };
    let weight: Option<Vec<f64>> = value["weight"]
        .as_array()
        .filter(|w| w.len() == d)
        .and_then(|w| w.iter().map(number).collect());
    let weight = weight.ok_or_else(|| wrong("weight", &format!("{d} finite numbers")))?;
    let activation = value["activation"].as_str().and_then(Rectifier::from_name);
    let activation = activation.ok_or_else(|| wrong("activation", "\"relu\" or \"abs\""))?;
    Ok(Neuron {
        coefficient,
        weight,
        offset,
        activation,
    })
}

impl ReluReport {
    /// The report as it stands in model files; `evidence` is listed with its bounds.
    pub fn to_json(&self, checks: &[Check]) -> Value {
        let pair = |p: &ClosePair| {
            json!({
                "neurons": [p.first, p.second],
                "angle": p.angle,
                "samples_between": p.samples_between,
                "samples_needed": p.samples_needed,
            })
        };
        let test = |e: &Check| {
            let allowed = e.allowed.is_finite().then_some(e.allowed);
            json!({ "key": e.key, "name": e.label, "role": e.role.word(), "measured": e.measured, "allowed": allowed, "holds": e.holds() })
        };
        let h = &self.held_out;
        json!({
            "certified": self.reason.is_none(),
            "reason": self.reason,
            "exact": self.exact,
            "held_out": {
                "relative_error": h.relative_error,
                "interval_95": [h.low, h.high],
                "samples": h.samples,
            },
            "noise": {
                "standard_deviation": self.noise,
                "expected_relative_error": self.expected_error,
                "held_out_over_expected": self.above_noise,
            },
            "resolvable_angle": self.resolvable_angle,
            "noise_angle": self.noise_angle,
            "close_pairs": self.close_pairs.iter().map(pair).collect::<Vec<_>>(),
            "samples": self.samples,
            "parameters": self.parameters,
            "input_rank": self.input_rank,
            "tests": checks.iter().map(test).collect::<Vec<_>>(),
            "warnings": self.warnings,
        })
    }
}
