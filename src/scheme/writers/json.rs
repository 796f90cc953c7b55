//! The two forms in JSON.

use super::scalar;
use crate::Error;
use crate::scheme::model::{Scheme, Target};
use crate::scheme::programs::SchemeProgram;
use crate::scheme::reduce::forms::Form;
use serde_json::{Map, Value, json};

/// `{"n" or "tensor", "m", "z2", "u", "v", "w"}` with triples `[row, term, "value"]`.
pub(super) fn sparse(scheme: &Scheme) -> String {
    let mut object = Map::new();
    match &scheme.target {
        Some(Target::Matmul(dims)) => {
            object.insert("n".into(), json!(dims));
        }
        other => {
            let tensor = other.as_ref().and_then(Target::spelled);
            tensor.map(|t| object.insert("tensor".into(), json!(t)));
        }
    }
    object.insert("m".into(), json!(scheme.rank()));
    object.insert("z2".into(), json!(scheme.modulo_two));
    for (letter, factor) in ["u", "v", "w"].into_iter().zip(&scheme.factors) {
        let columns = factor.columns.iter().enumerate();
        let triples = columns.flat_map(|(r, c)| {
            let triple = move |(at, v): &(usize, _)| json!([at, r, scalar(v, scheme.adjoined)]);
            c.iter().map(triple)
        });
        object.insert(letter.into(), triples.collect());
    }
    format!("{}\n", Value::Object(object))
}

fn form(form: &Form) -> Value {
    let item = |(index, c): &(usize, crate::poly::Rational)| {
        let text = c.to_string();
        let value = text
            .parse::<i64>()
            .map_or_else(|_| json!(text), |n| json!(n));
        json!({ "index": index, "value": value })
    };
    form.iter().map(item).collect()
}

/// The reduced form: the outputs in the order of the transposed product.
pub(super) fn reduced(scheme: &Scheme) -> Result<String, Error> {
    let mut program = SchemeProgram::eliminated(scheme, 64, 0)?;
    program.modulo_two = scheme.modulo_two;
    program.to_reduced_json()
}

impl SchemeProgram {
    /// The program in the reduced form of the catalogues: `u_fresh`, `v_fresh`, `w_fresh`, `u`, `v`, `w`.
    ///
    /// # Errors
    /// `InvalidInput` for other tensors than matrix products.
    pub fn to_reduced_json(&self) -> Result<String, Error> {
        let Target::Matmul([n, m, p]) = self.target else {
            let what = format!(
                "the form reduced holds matrix products, not {}",
                self.target.name()
            );
            return Err(Error::invalid(super::OP, what));
        };
        let naive: usize = Self::plain(&self.scheme()?)?.additions().iter().sum();
        let counted: usize = self.additions().iter().sum();
        let mut object = Map::new();
        object.insert("n".into(), json!([n, m, p]));
        object.insert("m".into(), json!(self.products()));
        object.insert("z2".into(), json!(self.modulo_two));
        object.insert(
            "complexity".into(),
            json!({ "naive": naive, "reduced": counted }),
        );
        for (k, letter) in ["u", "v", "w"].into_iter().enumerate() {
            let forms = &self.forms[k];
            let fresh: Value = forms.fresh.iter().map(form).collect();
            let mut rows: Vec<&Form> = forms.rows.iter().collect();
            if k == 2 {
                rows = (0..n * p)
                    .map(|at| &forms.rows[at % n * p + at / n])
                    .collect();
            }
            object.insert(format!("{letter}_fresh"), fresh);
            object.insert(letter.into(), rows.into_iter().map(form).collect());
        }
        Ok(format!("{}\n", Value::Object(object)))
    }
}
