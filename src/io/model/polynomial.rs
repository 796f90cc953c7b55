//! Polynomial maps as model files.

use super::quadratic::{Header, ModelFile};
use crate::Error;
use crate::error::quoted;
use crate::tensor::{MonomialBasis, PolynomialMap};
use faer::Mat;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Schema of [`PolynomialMap`].
pub const POLYNOMIAL_MAP: &str = "wickring/polynomial-map/1";

impl ModelFile {
    /// A file with a polynomial map; terms with coefficient zero are left out.
    pub fn of_polynomial_map(map: &PolynomialMap, header: Header) -> Self {
        let exponents = map.basis().exponents();
        let c = map.coefficients();
        let terms = |a: usize| -> Vec<Value> {
            let all = exponents.iter().enumerate();
            all.filter(|(k, _)| c[(a, *k)] != 0.0)
                .map(|(k, e)| json!([e, c[(a, k)]]))
                .collect()
        };
        let outputs: Vec<Vec<Value>> = (0..map.output_dim()).map(terms).collect();
        let mut body = Map::new();
        body.insert("latent_dim".into(), json!(map.latent_dim()));
        body.insert("output_dim".into(), json!(map.output_dim()));
        body.insert("degree".into(), json!(map.degree()));
        body.insert("outputs".into(), json!(outputs));
        let schema = POLYNOMIAL_MAP.into();
        Self {
            header: Header { schema, ..header },
            body,
        }
    }

    /// The polynomial map in the file.
    ///
    /// # Errors
    /// `InvalidInput` naming the entry that is missing or wrong.
    pub fn polynomial_map(&self) -> Result<PolynomialMap, Error> {
        let op = "ModelFile::polynomial_map";
        if self.header.schema != POLYNOMIAL_MAP {
            let found = quoted(&self.header.schema);
            let text = format!("schema: expected {POLYNOMIAL_MAP}, found {found}");
            return Err(Error::invalid(op, text));
        }
        let (r, d) = (self.size(op, "latent_dim")?, self.size(op, "output_dim")?);
        let wrong = |place: String| {
            let text = format!("{place}: expected [exponents of {r} entries, coefficient]");
            Error::invalid(op, text)
        };
        let listed = self.body.get("outputs").and_then(Value::as_array);
        let listed = listed
            .filter(|l| l.len() == d)
            .ok_or_else(|| Error::invalid(op, format!("outputs: expected {d} lists")))?;
        let mut places: BTreeMap<Vec<u32>, usize> = BTreeMap::new();
        let mut exponents = Vec::new();
        let mut entries = Vec::new();
        for (a, list) in listed.iter().enumerate() {
            let list = list
                .as_array()
                .ok_or_else(|| wrong(format!("outputs[{a}]")))?;
            for (t, term) in list.iter().enumerate() {
                let c = term[1].as_f64().filter(|c| c.is_finite());
                let exponent = |e: &Value| e.as_u64().filter(|e| *e <= 64).map(|e| e as u32);
                let e: Option<Vec<u32>> = term[0]
                    .as_array()
                    .and_then(|e| e.iter().map(exponent).collect());
                let (Some(e), Some(c)) = (e.filter(|e| e.len() == r), c) else {
                    return Err(wrong(format!("outputs[{a}][{t}]")));
                };
                let next = places.len();
                let place = *places.entry(e.clone()).or_insert(next);
                if place == next {
                    exponents.push(e);
                }
                entries.push((a, place, c));
            }
        }
        // As many entries as a file of the greatest size can ask for by repeating itself.
        let count = exponents.len().max(1);
        if count.checked_mul(d).is_none_or(|n| n > 1 << 26) {
            return Err(Error::limit(op, "coefficients", 1 << 26));
        }
        if exponents.is_empty() {
            exponents.push(vec![0; r]);
        }
        let mut coefficients = Mat::zeros(d, count);
        for (a, k, c) in entries {
            coefficients[(a, k)] += c;
        }
        PolynomialMap::new(MonomialBasis::new(r, exponents)?, coefficients)
    }
}
